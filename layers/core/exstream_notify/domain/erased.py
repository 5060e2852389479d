"""What remains of an erased customer's records and notices: keys, hashes and times (GDPR 17(1), 17(3)(b)).

The keys tell that a notice was sent and to which customer; the hashes keep the proof's chain whole.
Everything that describes the person goes: names, addresses, amounts, dates of documents, free text.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .contacts import FIELD_OF, Contact
from .identity import contact_key
from .journeys import RESUMED, STOPPED
from .notices import REDACTED, Event, Notice, event_hash
from .passes import handle_of
from .payments import NO_PAYMENTS
from .responses import OF_PAYMENTS

KEPT_FIELDS = (
    "pos", "customer_key", "recipient", "document_id", "document_type", "edition", "content_sha256",
    "produced_at", "customer_in_run", "internal_teams", "supersedes", "test_flag", "disputed", "undated",
)  # fmt: skip
"""Fields of a staged record that stay: with them the record keeps its place, its notice its identity."""

ERASED = "erased"
"""In the place of a text that was erased."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to look for: the contact's key, and the words that only this customer's texts hold.

    `words` are the addresses, as they were written and in their canonical form. `before` is the time of the
    erasure (ISO 8601, UTC), empty where everything counts: what was made later is not touched. `handle` is
    what incidents name the contact by (domain/passes.py).
    """

    domain: str
    customer_key: str
    recipient: str = ""
    words: tuple[str, ...] = ()
    before: str = ""
    handle: str = ""

    @property
    def contact_key(self) -> str:
        """The contact's key within its domain."""
        return contact_key(self.customer_key, self.recipient)

    def owns(self, record: Mapping[str, Any]) -> bool:
        """Whether a normalised record is this customer's; of several holders each owns its own."""
        mine = (record.get("customer_key"), record.get("recipient") or "")
        return mine == (self.customer_key, self.recipient)

    def existed(self, at: str) -> bool:
        """Whether something of that time (ISO 8601, UTC; empty: unknown) existed before the erasure."""
        return not self.before or not at or at[:19] <= self.before[:19]

    def named_in(self, text: str) -> bool:
        """Whether free text names this customer: by an address, or by the key as a whole word.

        A short number names nobody: "12" occurs in many texts.
        """
        lowered = text.lower()
        if any(word.lower() in lowered for word in self.words):
            return True
        if self.customer_key not in text or (self.customer_key.isdigit() and len(self.customer_key) < 5):
            return False
        return re.search(rf"(?<![\w.-]){re.escape(self.customer_key)}(?![\w-])", text) is not None

    def hints(self) -> tuple[str, ...]:
        """Small-letter texts one of which stands in every file that names the customer, however written."""
        key = self.customer_key
        escaped = key.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        forms = (key, escaped, json.dumps(key)[1:-1], key.replace('"', '""'), *self.words)
        return tuple(dict.fromkeys(form.lower() for form in forms if form))


def person_of(contact: Contact, before: str = "") -> Person:
    """Whom to look for, from the contact as it is before it is erased."""
    addresses = [contact.email, contact.mobile, *(change.address for change in contact.changing)]
    words = [text for a in addresses if a is not None for text in (a.value, a.given)]
    words += [
        entry.get(side, "") for entry in contact.history for side in _SIDES.get(entry.get("field", ""), ())
    ]
    words += [told.to for change in contact.changing for told in change.told]
    handle = handle_of(contact.salt) if contact.salt else ""
    person = Person(contact.domain, contact.customer_key, contact.recipient, (), before, handle)
    return with_words(person, words)


_SIDES = dict.fromkeys(FIELD_OF.values(), ("from", "to"))
"""Where the history of a contact has addresses, by field."""


def with_words(person: Person, words: Iterable[str]) -> Person:
    """With more addresses to look for. Numbers are written with their + and without it."""
    told = (word.strip().removeprefix("+") for word in words)
    return replace(person, words=tuple(dict.fromkeys((*person.words, *(w for w in told if len(w) > 4)))))


def blanked(line: bytes) -> bytes:
    """A staged record's line with its kept fields alone, of the same length: pointers are byte ranges."""
    record: dict[str, Any] = json.loads(line)
    kept = {name: record[name] for name in KEPT_FIELDS if name in record}
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) > len(line):
        raise ValueError("a record does not become shorter without its personal fields")
    return text.ljust(len(line))


def reduced_reject(row: Mapping[str, Any]) -> dict[str, Any]:
    """A rejected record without its text: where it stood and why it was rejected."""
    return {**row, "raw": ERASED}


_SPOKEN = frozenset(
    {"opened", "responded", "paid", "acknowledged", "link revoked", "link unlocked", STOPPED, RESUMED}
    | OF_PAYMENTS
)
"""Events whose detail is somebody's words about the customer, or amounts."""


def redacted(notice: Notice, person: Person) -> Notice:
    """The notice with keys, hashes and times; one version on, or the same object where nothing is left.

    An event's detail is replaced by the event's own hash, so that the chain and every head of it that was
    anchored before still verify.
    """
    after = replace(
        notice,
        why=ERASED if person.named_in(notice.why) else notice.why,
        case_id="",
        link_revoked=ERASED if notice.link_revoked else "",
        payments=NO_PAYMENTS,
        corrections=tuple(replace(c, due_date="") for c in notice.corrections),
        attempts=tuple(replace(a, why=ERASED) if person.named_in(a.why) else a for a in notice.attempts),
        events=tuple(_redacted(notice.events, person)),
    )
    return notice if after == notice else replace(after, version=notice.version + 1)


def _redacted(events: Iterable[Event], person: Person) -> Iterable[Event]:
    for event in events:
        personal = event.what in _SPOKEN or person.named_in(event.detail)
        if personal and event.detail and not event.detail.startswith(REDACTED):
            yield replace(event, detail=REDACTED + event_hash(event))
        else:
            yield event
