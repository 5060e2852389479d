"""The parts of reports that machines write for machines: RFC 3464, RFC 5965, RFC 8098."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ....domain.mail_addresses import address_in, forms_of
from .parsing import Part

RECIPIENTS: Final = 25
"""Recipients of one mail that are read. A message of ours has one."""

FIELDS: Final = 2_000
"""Lines of a report that are read."""

_RECIPIENT_FIELDS: Final = (
    "original-recipient", "final-recipient", "x-actual-recipient", "x-original-recipient",
)  # fmt: skip
"""Where a report names a recipient, as the sender wrote it first (RFC 3464, 2.3.1)."""

_VALUE: Final = 1_000
_STATUS_PARTS: Final = ("message/delivery-status", "message/global-delivery")
_LOOSE: Final = re.compile(r"^(?:final|original)-recipient:[ \t]*\S", re.I | re.M)
_TYPED: Final = re.compile(r"[a-z][a-z0-9-]{0,20}[ \t]*;[ \t]*", re.I)
_WORD: Final = re.compile(r"[^\W\d_]{4}")


@dataclass(frozen=True, slots=True)
class Row:
    """What a report says of one recipient, before anybody judges it.

    `own`: the answer is in the mailer's own sentences, which may only suppose.
    """

    address: str = field(default="", repr=False)
    also: tuple[str, ...] = field(default=(), repr=False)
    action: str = ""
    status: str = ""
    answer: str = field(default="", repr=False)
    waits: bool = False
    own: bool = False

    @property
    def is_mute(self) -> bool:
        """Whether the answer has no words."""
        return _WORD.search(self.answer) is None


def status_text(parts: list[Part]) -> str:
    """The parts of type delivery-status, one after another; empty if there is none."""
    return "\n\n".join(part.text for part in parts if part.kind.startswith(_STATUS_PARTS))


def loose_status(text: str) -> str:
    """Fields of RFC 3464 that stand in a text without their type; empty if there are none."""
    found = _LOOSE.search(text)
    return text[text.rfind("\n\n", 0, found.start()) + 1 :] if found else ""


def status_rows(text: str) -> list[Row]:
    """A row for each group of fields that names a recipient (RFC 3464, 2.3)."""
    rows = [_row(fields) for fields in _groups(text) if _names_recipient(fields)]
    return list(dict.fromkeys(rows))[:RECIPIENTS]


def _names_recipient(fields: Mapping[str, list[str]]) -> bool:
    return "final-recipient" in fields or "original-recipient" in fields or "x-actual-recipient" in fields


def _groups(text: str) -> Iterator[dict[str, list[str]]]:
    """Groups of fields, folded lines joined. A second Final-Recipient starts a group without a blank line."""
    fields: dict[str, list[str]] = {}
    name = ""
    for line in text.split("\n", FIELDS)[:FIELDS]:
        line = line[:_VALUE]
        if not line.strip():
            yield fields
            fields, name = {}, ""
        elif line[0] in " \t":
            if name:
                fields[name][-1] = f"{fields[name][-1]} {line.strip()}"[:_VALUE]
        else:
            key, colon, value = line.partition(":")
            name = key.strip().lower() if colon and " " not in key.strip() else ""
            if name == "final-recipient" and name in fields:
                yield fields
                fields = {}
            if name:
                fields.setdefault(name, []).append(value.strip())
    yield fields


def _row(fields: Mapping[str, list[str]]) -> Row:
    named = [
        address_in(_TYPED.sub("", value, count=1) if ";" in value else value)
        for name in _RECIPIENT_FIELDS
        for value in fields.get(name, ())[:3]
    ]
    found = [address for address in named if address]
    forms = [form for address in found for form in forms_of(address)]
    diagnostics = [_TYPED.sub("", value, count=1) for value in fields.get("diagnostic-code", ())[:5]]
    return Row(
        address=found[0] if found else "",
        also=tuple(dict.fromkeys(a for a in [*found[1:], *forms] if a != found[0])),
        action=fields.get("action", [""])[0].lower().partition("(")[0].strip(),
        status=fields.get("status", [""])[0][:100],
        answer="\n".join(dict.fromkeys(d for d in diagnostics if d))[:_VALUE],
        waits="will-retry-until" in fields,
    )


def feedback_fields(part: Part) -> Mapping[str, str]:
    """The fields of a feedback report (RFC 5965, 3), the first of each name."""
    found: dict[str, str] = {}
    for fields in _groups(part.text):
        for name, values in fields.items():
            found.setdefault(name, values[0])
    return found
