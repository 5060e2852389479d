"""The preference file for the composer: one flat row a contact, every field always there.

The recipient is the last column, empty where there is none, so that those before it stay where they were.

A row is a pure function of contact, rules and suppressions, without the hour in it, so the same
preferences are the same bytes. Fields of a row are text; names have no spaces, as Exstream wants them.
"""

import csv
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring

from .contacts import Consent, Contact
from .documents import Channel, Document, DocumentRule
from .eligibility import customer_queues, standing_decision, status_of, verdict

SEPARATOR = b"\x1f"
"""Between the parts of a line while it is sorted; below every character that a key may have."""

NOBODY = "-"
"""The key of the one row of a file that would be empty: an empty reference file stops a composer's run."""

_CONTACT = (
    "customer_key", "known", "language", "time_zone", "country", "email_status", "mobile_status",
    "channel_order", "opt_outs", "quiet_from", "quiet_to", "paper_required", "consent", "consent_scope",
    "consent_version", "consent_at", "consent_source", "customer_queues",
)  # fmt: skip


_RECIPIENT = "\x7f"
"""Before a recipient in a sorted line's key: above the separator, so that keys sort as their lines do."""

_KNOWN = 4096


def column_of(document_type: str) -> str:
    """The column that tells a document type's channel: `channel_utility_bill`."""
    return "channel_" + document_type.replace("-", "_").replace(" ", "_")


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns, and how rows are written. `rules` in the order of their names."""

    rules: tuple[DocumentRule, ...]
    queues: Mapping[str, Sequence[str]]
    paper_queue: str
    separator: str = ","
    columns: tuple[str, ...] = field(init=False)
    _known: dict[object, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Name the columns once: a row is written ten million times."""
        columns = (*_CONTACT, *(column_of(rule.name) for rule in self.rules), "recipient")
        object.__setattr__(self, "columns", columns)

    def row(self, contact: Contact, suppressed: Collection[Channel]) -> dict[str, str]:
        """One customer's row; the channel of each type as the dispatch would decide it, whatever the hour."""
        consent = contact.consent
        hours = contact.quiet_hours or ("", "")
        outs = contact.opt_outs or {}
        values = (
            contact.customer_key,
            "yes",
            contact.language or "",
            contact.time_zone or "",
            contact.country or "",
            status_of(contact.email, "email" in suppressed),
            status_of(contact.mobile, "sms" in suppressed),
            self.separator.join(contact.channel_order),
            self.separator.join(f"{topic}/{channel}" for topic in sorted(outs) for channel in outs[topic]),
            *hours,
            _yes(contact.paper_required),
            "" if consent is None else "given" if consent.given else "withdrawn",
            *(_told(consent) if consent else ("",) * 4),
            *self._verdicts(contact, suppressed),
            contact.recipient,
        )
        return dict(zip(self.columns, values, strict=True))

    def _verdicts(self, contact: Contact, suppressed: Collection[Channel]) -> tuple[str, ...]:
        """Queues, and each type's channel; decided once for all contacts who want and have the same."""
        outs = contact.opt_outs or {}
        alike = (
            contact.paper_required,
            contact.consent and contact.consent.given,
            contact.channel_order,
            tuple(sorted(outs.items())),
            *(a and a.status for a in (contact.email, contact.mobile)),
            frozenset(suppressed),
        )
        found = self._known.get(alike)
        if found is None:
            verdicts = []
            for rule in self.rules:
                document = Document(contact.domain, contact.customer_key, "", rule.name)
                decision = standing_decision(rule, document, contact, suppressed)
                verdicts.append(verdict(decision, rule, contact, suppressed, self.queues, self.paper_queue))
            found = (customer_queues(verdicts, self.separator), *(one.channel for one in verdicts))
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[alike] = found
        return found

    def nobody(self) -> dict[str, str]:
        """The row of a file that nobody is in."""
        return {**dict.fromkeys(self.columns, ""), "customer_key": NOBODY, "known": "no"}

    def gone(self, line: bytes) -> tuple[bytes, bytes]:
        """JSON and delimited form of the row of a customer who is in the file no more: the key alone."""
        key, _, recipient = line.split(SEPARATOR, 2)[1].decode().partition(_RECIPIENT)
        row = dict.fromkeys(self.columns, "") | {"customer_key": key, "recipient": recipient, "known": "no"}
        return as_json(row).encode(), as_delimited(row.values()).encode()

    def line(self, domain: str, row: Mapping[str, str]) -> bytes:
        """A row as it is sorted: domain, key and recipient, JSON, delimited."""
        key = key_of_row(row["customer_key"], row["recipient"])
        parts = (domain, key, as_json(row), as_delimited(row.values()))
        return SEPARATOR.join(part.encode() for part in parts) + b"\n"


def key_of_row(customer_key: str, recipient: str) -> str:
    """The key that a row is sorted by."""
    return customer_key + (_RECIPIENT + recipient if recipient else "")


def as_json(row: Mapping[str, str]) -> str:
    """A row as a JSON object on one line; all values are text, which spares the encoder's questions."""
    quoted = encode_basestring
    return "{" + ",".join([f"{quoted(name)}:{quoted(value)}" for name, value in row.items()]) + "}"


class _Given:
    """What `csv.writer` writes to: its `writerow` gives back what `write` does."""

    @staticmethod
    def write(text: str) -> str:
        return text


_DELIMITED = csv.writer(_Given, lineterminator="")


def as_delimited(values: Iterable[str]) -> str:
    """A row as comma-separated values (RFC 4180), without its line end."""
    text: str = _DELIMITED.writerow(values)
    return text


def parts_of(line: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Domain, key, JSON and delimited form of a sorted line."""
    domain, key, json_form, delimited = line.rstrip(b"\n").split(SEPARATOR)
    return domain, key, json_form, delimited


_BLANK = dict.fromkeys((*range(0x20), 0x7F), " ")


def _told(consent: Consent) -> tuple[str, ...]:
    """Its text as others wrote it, on one line: a control character would end the line, or part it."""
    parts = (consent.scope, consent.version, consent.at, consent.source)
    return tuple([part.translate(_BLANK) for part in parts])


def _yes(value: bool) -> str:
    return "yes" if value else "no"
