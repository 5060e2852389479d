"""Text without what nobody sees, and keys that are still what they were."""

import re


class ValueRefused(ValueError):
    """A value that has no safe reading; the text says why, without the value."""


# C0, DEL and C1 controls, lone surrogates and noncharacters: none belongs in a message to a customer.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_UNDEFINED = "\x81\x8d\x8f\x90\x9d"  # bytes that Windows-1252 does not define
_BREAKS = re.compile("[\t\n\r\x0b\x0c\x85\u2028\u2029]+ *")
_SPACES = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000]")

# Characters without a shape of their own: soft hyphen, grapheme joiner, fillers, zero-width spaces, marks
# of direction (Unicode UAX #9), invisible operators, variation selectors, the byte-order mark, tags.
_MARKS = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# Joiners shape the letters of Arabic, Indic and related scripts; elsewhere they are rubbish.
_JOINERS = re.compile("[\u200c\u200d]")
_STRAY_JOINERS = re.compile(
    "(?<![\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ua840-\uabff\ufb50-\ufdff\ufe70-\ufefc])"
    "[\u200c\u200d]+|[\u200c\u200d]+$"
)
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")

# The full-width forms of ASCII, as East Asian keyboards write them; nothing else is folded.
_FULL_WIDTH = {code + 0xFEE0: code for code in range(0x21, 0x7F)}

FREE_TEXT = frozenset(
    {"first_name", "last_name", "statement_period", "stage", "queue_name", "internal_teams"}
)
"""Fields that people read, in which a joiner can be part of a word."""


def clean_text(value: str) -> str:
    """One line of visible text: breaks and tabs become a space, every kind of space a plain one.

    Invisible format characters go, joiners only where no letter needs them; the ends are trimmed.
    Raises `ValueRefused` on any other control character.
    """
    text = _BREAKS.sub(" ", value)
    if not text.isascii():
        text = _STRAY_JOINERS.sub("", _MARKS.sub("", _SPACES.sub(" ", text)))
    text = text.strip()
    if found := _FORBIDDEN.search(text):
        if found[0] in _UNDEFINED:
            raise ValueRefused("holds a byte without a character in Windows-1252, or a control character")
        raise ValueRefused("holds a control character")
    return text


def plain_key(value: str) -> str:
    """A key, id or code: `clean_text` without any joiner."""
    text = clean_text(value)
    return text if text.isascii() else _JOINERS.sub("", text).strip()


def plain_address(value: str) -> str:
    """An e-mail address or telephone number: `plain_key`, with full-width letters and digits made plain."""
    text = plain_key(value)
    return text if text.isascii() else text.translate(_FULL_WIDTH)


def clean_path(value: str) -> str:
    """A file's name with its invisible characters, since the file itself may be called so.

    Breaks become a space, the ends are trimmed. Raises `ValueRefused` where marks reorder it.
    """
    text = _BREAKS.sub(" ", value).strip()
    if _FORBIDDEN.search(text) or _REORDERING.search(text):
        raise ValueRefused("holds a control character")
    return text


# A spreadsheet shows eleven digits and more as 1.00001E+11, Java's numbers print as 1.00001E11.
_ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d+[eE][+-]?|[eE][+-])\d{1,3}")
_TOO_NARROW = re.compile(r"#{2,}")


def hints_rounded(text: str) -> bool:
    """Whether a text, or keys joined to one, may hold what `refuse_rounded` refuses."""
    # Written out, since this is asked of every record.
    return (
        "E-" in text or "e-" in text or "+" in text or "#" in text or "." in text or "," in text
    ) and not text.isalnum()


def refuse_rounded(key: str) -> None:
    """`ValueRefused` for a key or number that a spreadsheet rounded, or hid in a column that was too narrow.

    Different keys become the same text there. `1E05` passes: without a point or a sign it can be a key.
    """
    if key.isalnum():
        return
    if _ROUNDED.fullmatch(key):
        raise ValueRefused("rounded by a spreadsheet: format the column as text")
    if _TOO_NARROW.fullmatch(key):
        raise ValueRefused("a spreadsheet's column was too narrow to show it")
