"""Message texts without what may be personal, for people and places outside of the run's own files.

Nothing tells a name from another word for certain, so it masks rather too much: whoever needs the
whole text has it in the run's folder.
"""

import re
import unicodedata

SAMPLE_CHARS = 160
LOOKED_AT = 400
WITHHELD = "‹text withheld›"

_UP = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİŁŃŅŇŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽ"
_LOW = "a-zß-öø-ÿāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįıłńņňōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷźżž'’"
_WORD = rf"[{_UP}][{_LOW}]+(?:-[{_UP}]?[{_LOW}]+)*"
_LOUD = rf"[{_UP}][{_UP}'’-]{{1,}}"
_NAME = rf"(?:{_WORD}|{_LOUD})"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[^\s<>\"'(),;:=@]+@[^\s<>\"'(),;:=]+"), "‹e-mail›"),
    (re.compile(r"\b(?:https?|s3|file)://\S+", re.IGNORECASE), "‹address›"),
    # Values of the record, as an engine or a rule quotes them.
    (re.compile(r"\"[^\"]{0,400}\"|“[^”]{0,400}”|«[^»]{0,400}»|(?<!\w)'[^']{0,400}'(?!\w)"), "‹value›"),
    (
        re.compile(
            r"\b((?:first|last|full|given|family|sur)?[ _-]?name|customer|client|insured|holder|payee|owner|"
            r"kunde|kundin|cliente|nombre|apellido|nom|prénom|vorname|nachname|address|adresse|dirección|"
            r"street|stra(?:ß|ss)e|city|ort|ville|phone|telefon|mobile|birth\w*|ssn|iban)"
            r"(\s*[:=]\s*)[^,;|]+",
            re.IGNORECASE,
        ),
        r"\1\2‹value›",
    ),
    # Account, policy, card and telephone numbers, also with blanks, dots and hyphens; keys like C0900012.
    (re.compile(r"\+?\b[A-Z]{0,4}\d[\d .()/-]{2,}\d\b"), "‹number›"),
    (re.compile(r"\b(?=\w*\d{3})(?!EX\d{6}[SEWI]\b)\w+\b"), "‹number›"),
    (
        re.compile(
            rf"\b(?i:mr|mrs|ms|dr|herr|frau|señor|señora|sr|sra|monsieur|madame|mme|customer|client|insured|"
            rf"holder|kunde|kundin|cliente|for|für|para|pour)\.? +{_WORD}"
            rf"(?: +(?:[{_UP}]\.|von|van|de|der|del|la|du|di|{_WORD}))*"
        ),
        "‹name›",
    ),
    # First and last name in either order, with or without a comma, either of them in capitals.
    (
        re.compile(
            rf"\b{_NAME}(?:,? +(?:[{_UP}]\.|von|van|de|der|del|la|du|di|Ó|Mc|Mac|{_NAME}))*,? +{_NAME}\b"
        ),
        "‹name›",
    ),
)


def masked(text: str) -> str:
    """The text with addresses, numbers, quoted values and what looks like a name replaced.

    A text in a script without capital letters is withheld: nothing in it tells where a name is.
    """
    # Cut before it is looked through: the patterns take the square of a long word's length.
    plain = " ".join("".join(c if c.isprintable() else " " for c in text[:LOOKED_AT]).split())
    if any(unicodedata.category(c) == "Lo" for c in plain):
        return WITHHELD
    if any(ord(c) > 0x24F and c.isalpha() for c in plain):
        return WITHHELD
    for pattern, instead in _RULES:
        plain = pattern.sub(instead, plain)
    return plain if len(plain) <= SAMPLE_CHARS else plain[: SAMPLE_CHARS - 1] + "…"
