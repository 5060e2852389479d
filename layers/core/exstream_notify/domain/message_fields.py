"""A message from named fields, as XML and JSON have it: code, severity and text together or apart.

The names are not public, so each part is known by any of many names.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter

from .composer_messages import SEVERITY, ComposerMessage, messages_of, time_of
from .exceptions import Severity, worst

Fields = Sequence[tuple[str, str]]
"""Names (as `squeezed` makes them) and values, in the order in which they stand."""

_NUMBERS = (
    "code", "msgcode", "messagecode", "errorcode", "eventcode", "msgno", "messageno", "msgnr", "msgnumber",
    "messagenumber", "msgid", "messageid", "errorno", "errornumber", "errorid", "number", "fehlercode",
    "msgnum", "fehlernummer", "meldungsnummer", "meldungsnr", "nummer", "numero", "codigo", "numeromessage",
)  # fmt: skip
_SHORT_NUMBERS = ("no", "nr", "num", "id")
"""Names that a running number may have, too: a number of four digits at least is taken for a code's."""

_SEVERITIES = (
    "severity", "sev", "severitycode", "severitylevel", "level", "loglevel", "errorlevel", "messagelevel",
    "msglevel", "messagetype", "msgtype", "msgsev", "msgseverity", "type", "class", "category", "kind",
    "priority", "schwere", "schweregrad", "stufe", "klasse", "art", "gravite", "severite", "niveau",
    "gravedad", "severidad", "nivel",
)  # fmt: skip
_CUSTOMERS = (
    "customerinrun", "customernumber", "customerno", "customerseq", "sequence", "seq", "customer", "cust",
    "custinrun", "custno", "custnum", "custnumber", "custseq", "kunde", "cliente",
)  # fmt: skip
_NO_CUSTOMER = re.compile(r"id$|key|account|count|name|mail|ref")
_TEXTS = (
    "text", "message", "messagetext", "msgtext", "description", "msg", "value", "detail", "details",
    "meldung", "meldungstext", "beschreibung", "texte", "mensaje", "descripcion",
)  # fmt: skip
_TIMES = (
    "time",
    "timestamp",
    "date",
    "datetime",
    "at",
    "when",
    "zeit",
    "zeitstempel",
    "datum",
    "heure",
    "fecha",
)
_KNOWN = frozenset((*_NUMBERS, *_SHORT_NUMBERS, *_SEVERITIES, *_CUSTOMERS, *_TEXTS, *_TIMES))

_CODE = re.compile(r"\W*(EX[0-9]{6})\W*([SEWI]?)\W*", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{1,8}")
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS: Mapping[Severity, str] = {severity: letter for letter, severity in SEVERITY.items()}


@lru_cache(maxsize=1000)
def squeezed(name: str) -> str:
    """A name without case, accents, namespace and separators."""
    plain = unicodedata.normalize("NFKD", name.rpartition(":")[2].lower())
    return re.sub(r"[\W_]+", "", "".join(c for c in plain if not unicodedata.combining(c)))


def is_known(name: str, value: str) -> bool:
    """Whether a field may say something of a message."""
    return name in _KNOWN or "customer" in name or _CODE.fullmatch(value) is not None


def is_code(name: str, value: str) -> bool:
    """Whether a field is, or may be, a message's code or number."""
    if _CODE.fullmatch(value):
        return True
    value = value.strip()
    short = name in _SHORT_NUMBERS and len(value) >= 4
    return (name in _NUMBERS or short) and _DIGITS.fullmatch(value) is not None


def is_severity(name: str) -> bool:
    """Whether a field says how severe a message is."""
    return name in _SEVERITIES


def is_message_text(name: str, value: str) -> bool:
    """Whether a field is a text in which a message begins."""
    return name in _TEXTS and "EX" in value and bool(messages_of(value))


def message_of_fields(fields: Fields, own: str, severities: Mapping[str, Severity]) -> ComposerMessage | None:
    """The message that fields and their element's own text make; None if they make none.

    `severities` says what a word for a severity means. A code whose letter and severity differ has the
    worse of the two.
    """
    if not fields and "EX" not in own:
        return None
    texts = _named(fields, _TEXTS)
    told = _severity(fields, severities)
    begun = next((m for text in (own, *texts) if "EX" in text for m in messages_of(text)), None)
    code = _whole_code(fields) or (begun.code if begun else "") or _put_together(fields, told)
    if not code:
        return None
    if begun is not None and begun.code == code:
        text, at, customer = begun.text, begun.at, begun.customer
    else:
        text, at, customer = own or next(iter(texts), ""), "", None
    letter = SEVERITY.get(code[-1])
    severity = worst(s for s in (told, letter) if s) if told or letter else None
    return ComposerMessage(
        code,
        text,
        at or time_of(" ".join(_named(fields, _TIMES))),
        _customer(fields) if customer is None else customer,
        None if severity == letter else severity,
    )


def _named(fields: Fields, names: Sequence[str]) -> list[str]:
    """The values of the first of these names that fields have, then of the others."""
    found = [(names.index(given), value) for given, value in fields if given in names and value]
    return [value for _, value in sorted(found, key=itemgetter(0))]


def _severity(fields: Fields, severities: Mapping[str, Severity]) -> Severity | None:
    for value in _named(fields, _SEVERITIES):
        for word in _WORD.findall(value):
            if (found := severities.get(word.lower())) is not None:
                return found
    return None


def _whole_code(fields: Fields) -> str:
    """A code with its letter; that of a field for codes before that of any other."""
    values = (*_named(fields, (*_NUMBERS, *_SHORT_NUMBERS)), *(value for _, value in fields))
    found = (_CODE.fullmatch(value) for value in values)
    return next(((m[1] + m[2]).upper() for m in found if m and m[2]), "")


def _put_together(fields: Fields, told: Severity | None) -> str:
    """A code whose letter is the severity's; without a letter where no severity is given, but a number."""
    letter = _LETTERS[told] if told else ""
    for _, value in fields:
        if match := _CODE.fullmatch(value):
            return match[1].upper() + letter
    for names in (_NUMBERS, _SHORT_NUMBERS):
        for value in _named(fields, names):
            digits = value.strip()
            number = digits.lstrip("0")
            enough = told is not None or (len(digits) >= 4 and names is _NUMBERS)
            if is_code(names[0], value) and enough and 0 < len(number) <= 6:
                return f"EX{number:0>6}{letter}"
    return ""


def _customer(fields: Fields) -> int | None:
    others = [v for n, v in fields if "customer" in n and n not in _CUSTOMERS and not _NO_CUSTOMER.search(n)]
    for value in (*_named(fields, _CUSTOMERS), *others):
        value = value.strip()
        if value.isascii() and value.isdigit() and len(value) < 10:
            return int(value)
    return None


def messages_of_object(value: object, severities: Mapping[str, Severity]) -> Iterable[ComposerMessage]:
    """The messages in a value of JSON: of texts those that begin in them, of objects those they make."""
    if isinstance(value, str):
        for line in value.splitlines():
            yield from messages_of(line)
    elif isinstance(value, list):
        for inner in value:
            yield from messages_of_object(inner, severities)
    elif isinstance(value, dict):
        fields = [(squeezed(str(name)), str(inner)) for name, inner in value.items() if _is_plain(inner)]
        found = message_of_fields(fields, "", severities)
        if found is not None:
            yield found
            return
        for inner in value.values():
            if isinstance(inner, list | dict):
                yield from messages_of_object(inner, severities)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
