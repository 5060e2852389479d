"""The second step before a document is shown: something that the customer knows, kept as a keyed hash."""

import hmac
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal, TypeAlias

from .identity import contact_key

StepKind = Literal["none", "last4", "birth_date", "postcode"]

Keys: TypeAlias = tuple[str, Mapping[str, bytes]]
"""Which key version is current, and the keys by version."""

TRIES = 5
"""Wrong answers, for one document or for one customer, after which nothing is asked any more."""

_FIELD: Mapping[StepKind, str] = {
    "last4": "verify_last4",
    "birth_date": "verify_birth_date",
    "postcode": "postcode",
}
"""Which field of a drop's record holds what the customer must know."""

CONCEALED = frozenset({"verify_last4", "verify_birth_date"})
"""Fields that serve nothing else, so that they are kept as hashes only."""

OF_ACCOUNT = ".account"
"""Ends a kept `verify_last4` that is the end of the record's own account number: no message may show that."""

_HASH = re.compile(r"\w+\.[0-9a-f]{32}")
_NOT_WORD = re.compile(r"[^0-9A-Za-z]+")
_ISO = re.compile(r"(\d{4})\D(\d{1,2})\D(\d{1,2})|(\d{4})(\d{2})(\d{2})")
_DAY_FIRST = re.compile(r"(\d{1,2})\D+(\d{1,2})\D+(\d{4})|(\d{2})(\d{2})(\d{4})")
_WORDS = re.compile(r"[^\W\d_]+")
_MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan enero ene janvier janv januar jän jänner",
            "february feb febrero février fevrier févr fevr februar feber",
            "march mar marzo mars märz maerz marz mär",
            "april apr abril abr avril avr",
            "may mayo mai",
            "june jun junio juin juni",
            "july jul julio juillet juil juli",
            "august aug agosto ago août aout",
            "september sep sept septiembre septembre set",
            "october oct octubre octobre oktober okt",
            "november nov noviembre novembre",
            "december dec diciembre dic décembre decembre déc dezember dez",
        ),
        1,
    )
    for name in names.split()
}


class StepAnswer(StrEnum):
    """How the second step ended."""

    PASSED = "passed"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Step:
    """One question: what is asked, of whom, and the hash of the right answer (empty: there is none).

    `customer_key` is the contact's key: two holders of an account are asked apart. `subject` is what else
    the tries count for, beside the customer: a notice's id, or nothing.
    """

    kind: StepKind
    domain: str
    customer_key: str
    subject: str
    expected: str

    @property
    def counted(self) -> tuple[str, ...]:
        """What the tries are counted for; nothing personal stands in it."""
        key = f"{len(self.domain)}:{self.domain}{self.customer_key}".encode()
        customer = f"tries:customer:{sha256(key).hexdigest()[:32]}"
        return (f"tries:{self.subject}", customer) if self.subject else (customer,)


def field_of(kind: StepKind) -> str | None:
    """The record's field that a kind of step is compared with."""
    return _FIELD.get(kind)


def readings(kind: StepKind, text: str, language: str = "en") -> tuple[str, ...]:
    """What was typed, in the one form that is hashed; several where it can be read in several ways.

    Spaces, dashes, dots and case do not count. A date is ISO 8601, or day first, in English also month
    first, with the month as a number or a word; empty: it can be no answer at all.
    """
    text = text.strip()[:64]
    if kind == "last4":
        word = _NOT_WORD.sub("", text).upper()
        return (word,) if len(word) == 4 else ()
    if kind == "postcode":
        word = _NOT_WORD.sub("", text).upper()
        # Nine digits are a ZIP code with its four further ones (ZIP+4), which few know.
        return ((word[:5] if word.isdigit() and len(word) == 9 else word),) if word else ()
    if kind == "birth_date":
        return tuple(dict.fromkeys(day.isoformat() for day in _dates(text, language)))
    return ()


def _dates(text: str, language: str) -> list[date]:
    words = _WORDS.findall(text.lower())
    month = next((_MONTHS[word] for word in words if word in _MONTHS), None)
    if month is not None:
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        if len(numbers) == 2:
            day, year = numbers if numbers[1] > 31 else reversed(numbers)
            return _days((year, month, day))
        return []
    if words:
        return []
    if found := _ISO.fullmatch(text):
        numbers = [int(part) for part in found.groups() if part]
        if found.group(1) or 1900 <= numbers[0] < 2200:
            iso = _days((numbers[0], numbers[1], numbers[2]))
            if iso:
                return iso
    if found := _DAY_FIRST.fullmatch(text):
        first, second, year = (int(part) for part in found.groups() if part)
        orders = [(year, second, first)]
        if language.partition("-")[0] == "en":
            # English is written both ways; the first is American.
            orders = [(year, first, second), *orders]
        return _days(*orders)
    return []


def _days(*orders: tuple[int, int, int]) -> list[date]:
    found = []
    for year, month, day in orders:
        try:
            found.append(date(year, month, day))
        except ValueError:
            continue
    return found


def fingerprint(version: str, key: bytes, domain: str, customer_key: str, kind: StepKind, value: str) -> str:
    """Keyed hash of a right answer, `<key version>.<32 hex>`, bound to its customer.

    The same digits of two customers have nothing in common; without the key four digits cannot be tried.
    """
    fields = (domain, customer_key, kind, value)
    data = b"".join(len(part).to_bytes(4, "big") + part for part in (f.encode() for f in fields))
    return f"{version}.{hmac.digest(key, data, 'sha256').hex()[:32]}"


def conceal(record: MutableMapping[str, Any], domain: str, version: str, key: bytes) -> None:
    """Put hashes in the place of what a normalised record says of its customer's second step."""
    customer = contact_key(record["customer_key"], record.get("recipient"))
    kinds: tuple[StepKind, ...] = ("last4", "birth_date")
    for kind in kinds:
        text = record.get(_FIELD[kind])
        if text is None:
            continue
        (value, *_) = readings(kind, text)
        kept = fingerprint(version, key, domain, customer, kind, value)
        account = _NOT_WORD.sub("", record.get("account_number") or "").upper()
        record[_FIELD[kind]] = kept + OF_ACCOUNT if kind == "last4" and account.endswith(value) else kept


def known_of(birth_date: str | None, last4: str | None) -> str:
    """What a contact keeps of a record's hashes, as `<kind> <hash>`; empty: nothing.

    The date of birth, since that is the customer's, and the end of one account's number only without it.
    What was not concealed at staging (an event that was planned only) is never kept.
    """
    for kind, text in (("birth_date", birth_date), ("last4", last4)):
        kept = (text or "").removesuffix(OF_ACCOUNT)
        if _HASH.fullmatch(kept):
            return f"{kind} {kept}"
    return ""


def expected(kind: StepKind, kept: str | None, domain: str, customer_key: str, keys: Keys) -> str:
    """The hash of the right answer, from what a record holds; empty where it holds nothing.

    A postcode tells the customer's hours as well, so it is kept as it came and hashed only here.
    """
    if not kept or kind == "none":
        return ""
    if kind != "postcode":
        return kept.removesuffix(OF_ACCOUNT)
    version, secrets = keys
    values = readings(kind, kept)
    return fingerprint(version, secrets[version], domain, customer_key, kind, values[0]) if values else ""


def matches(step: Step, text: str, language: str, keys: Mapping[str, bytes]) -> bool:
    """Whether some reading of what was typed is right; compared in constant time."""
    version = step.expected.partition(".")[0]
    key = keys.get(version)
    if key is None or not step.expected:
        return False
    right = False
    for value in readings(step.kind, text, language):
        told = fingerprint(version, key, step.domain, step.customer_key, step.kind, value)
        right |= hmac.compare_digest(told, step.expected)
    return right
