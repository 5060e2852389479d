"""A contact as it stands once somebody has spoken: statements folded over it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .contacts import FIELD_OF, Address, Consent, Contact, with_entries
from .documents import Channel
from .statements import (
    ALL,
    IN,
    OPT_OUTS,
    OUT,
    STARTED,
    Said,
    Source,
    Statement,
    cell,
    consent,
    counting,
    customers_own,
    kept,
    opted_out,
    order,
    second,
    stamped,
    topic_and_channel,
)

CHANNELS: tuple[Channel, ...] = ("email", "sms")

FIELDS = ("language", "channel_order", "quiet_hours", "paper_required")
"""The fields that statements speak of, beside opt-outs, consent and addresses."""

_SCOPE = "electronic delivery"
_TICK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who speaks at `now` of the time `at` (empty: of no known time).

    `seen` is what was said before of the contact that the speaker answers (on a page, by a command): what is
    said now is later than that, also within a second.
    """

    source: Source
    by: str
    at: str
    now: datetime
    note: str = ""
    seen: Said = field(default_factory=dict)

    def says(self, what: str, value: str) -> Statement:
        """One thing."""
        at = self.at
        known = self.seen.get((what, self.source))
        if known is not None and known.value != value and known.at >= at:
            at = stamped(datetime.fromisoformat(known.at) + _TICK)
        return Statement(what, value, at, self.source, self.by, second(self.now), self.note)

    def opts(self, value: str, topics: Iterable[str], channels: Sequence[Channel]) -> list[Statement]:
        """`out` or `in`: these topics on these channels."""
        return [self.says(cell(topic, channel), value) for topic in topics for channel in channels]

    def starts(self, channel: Channel) -> list[Statement]:
        """START on a channel: everything that STOP ended."""
        return [self.says(cell(ALL, channel), IN), self.says(STARTED + channel, IN)]


def acts(source: Source, by: str, now: datetime, seen: Contact | None = None, note: str = "") -> Voice:
    """Somebody who speaks of this moment."""
    return Voice(source, by, stamped(now), now, note, said_of(seen) if seen is not None else {})


def heard(contact: Contact, statements: Iterable[Statement], now: datetime) -> Contact:
    """The contact once these statements are heard, one version on; the same object if they are old news.

    What changed is in the history, with the time that was spoken of where that is another. A statement that
    changes nothing is kept all the same: its time counts against what is said of an earlier one.
    """
    new = list(statements)
    before = said_of(contact)
    said = kept(before, new)
    if said == before:
        return contact
    fields = _changed(contact, before, said)
    entries = [
        _entry(name, getattr(contact, name), value, new[0], now)
        for name, value in fields.items()
        if name != "set_by_customer" and spoken(getattr(contact, name)) != spoken(value)
    ]
    return replace(
        contact,
        **fields,  # type: ignore[arg-type]
        statements=tuple(said[key] for key in sorted(said)),
        version=contact.version + 1,
        changed_at=second(now) if entries else contact.changed_at,
        history=with_entries(contact, *entries),
    )


def counts(contact: Contact, one: Statement) -> bool:
    """Whether this is the statement of its thing that counts."""
    said = said_of(contact)
    if one.what.startswith(OPT_OUTS):
        return one == (opted_out(said, one.what) or customers_own(said, one.what))
    return one == (consent(said) if one.what == "consent" else counting(said, one.what))


def one_write(before: Contact, after: Contact) -> Contact:
    """What became of a contact in several steps, as one version on."""
    return after if after is before else replace(after, version=before.version + 1)


def _entry(name: str, old: object, new: object, one: Statement, now: datetime) -> Mapping[str, str]:
    at = second(now)
    entry = {"at": at, "who": one.by, "field": name, "from": spoken(old), "to": spoken(new)}
    if one.at and one.at[:19] != at[:19]:
        entry["said"] = one.at
    return {**entry, "why": one.note} if one.note else entry


def _changed(contact: Contact, before: Said, said: Said) -> dict[str, object]:
    """The contact's fields as `said` has them, those of which another word counts than `before`."""
    fields: dict[str, object] = {}
    outs = _opt_outs(said)
    if outs != (contact.opt_outs or None):
        fields["opt_outs"] = outs
    for name in FIELDS:
        one = counting(said, name)
        if one is None or one == counting(before, name):
            continue
        if name == "language":
            owned = {*contact.set_by_customer, name} if one.value else {*contact.set_by_customer} - {name}
            fields["set_by_customer"] = tuple(sorted(owned))
            fields[name] = one.value or None
        else:
            fields[name] = _read(name, one.value)
    one = consent(said)
    if one is not None and one != consent(before):
        fields["consent"] = _consent(one, contact.consent)
    for channel, name in FIELD_OF.items():
        # What the customer stopped with the provider, the customer starts again.
        address, own = contact.address(channel), customers_own(said, cell(ALL, channel))
        back = own is not None and own.value == IN and own != customers_own(before, cell(ALL, channel))
        if back and address is not None and address.status == "opted_out":
            fields[name] = replace(address, status="ok", why="")
    return fields


def _opt_outs(said: Said) -> Mapping[str, tuple[Channel, ...]] | None:
    whats = {what for what, _ in said if what.startswith(OPT_OUTS)}
    out = {topic_and_channel(what) for what in whats if opted_out(said, what)}
    return {t: tuple(c for c in CHANNELS if (t, c) in out) for t in sorted({t for t, _ in out})} or None


def _read(name: str, text: str) -> object:
    if name == "paper_required":
        return text == "yes"
    if name == "quiet_hours":
        return tuple(text.split("-")) if text else None
    return tuple(dict.fromkeys(text.split(","))) if text else ()


def _consent(one: Statement, before: Consent | None) -> Consent | None:
    if not one.value:
        return None
    word, _, version = one.value.partition(" ")
    scope = before.scope if before is not None else _SCOPE
    source = one.note if one.source == "import" and one.note else one.by
    if one.source == "operator":
        source = f"operator {one.by}"
    at = second(datetime.fromisoformat(one.at)) if one.at else one.recorded
    return Consent(word == "given", scope, version, at, source)


def text_of(name: str, value: object) -> str:
    """A field's value as a statement has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Consent):
        return f"{'given' if value.given else 'withdrawn'} {value.version}".strip()
    if isinstance(value, tuple):
        return ("-" if name == "quiet_hours" else ",").join(value)
    return str(value or "")


def spoken(value: object) -> str:
    """A field's value as text, for the history."""
    if value is None or value == ():
        return ""
    if isinstance(value, Address):
        return value.value if value.status == "ok" else f"{value.value} ({value.status})"
    if isinstance(value, Consent):
        return f"{'given' if value.given else 'withdrawn'} {value.scope} {value.version}".strip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{topic}/{c}" for topic in sorted(value) for c in value[topic])
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


# --- contacts of the releases before ------------------------------------------------------------------


def said_of(contact: Contact) -> dict[tuple[str, Source], Statement]:
    """The contact's statements.

    Before the first is stored they are read from its history: who, and when. What the contact has and nobody
    is known to have said is the customer's own, of a time before all others.
    """
    said: dict[tuple[str, Source], Statement] = {(one.what, one.source): one for one in contact.statements}
    outs = {cell(topic, c) for topic, channels in (contact.opt_outs or {}).items() for c in channels}
    if not said:
        remembered = kept({}, _remembered(contact))
        said = {key: one for key, one in remembered.items() if one.value != OUT or one.what in outs}
        for name in (*FIELDS, "consent"):
            if one := _as_it_stands(contact, name, said):
                said[name, one.source] = one
    for what in outs:
        if opted_out(said, what) is None:
            newest = max((one for one in said.values() if one.what == what), key=order, default=None)
            said[what, "customer"] = Statement(what, OUT, newest.at if newest else "", "customer", "")
    return said


def _as_it_stands(contact: Contact, name: str, said: Said) -> Statement | None:
    """The statement that makes a field what it is; None where there is one, or the field says nothing."""
    value = getattr(contact, name)
    if not value or (name == "language" and name not in contact.set_by_customer):
        return None
    if isinstance(value, Consent):
        who = value.source.removeprefix("operator ")
        return Statement(name, text_of(name, value), value.at, source_of(value.source), who)
    found, text = counting(said, name), text_of(name, value)
    if found is not None and found.value == text:
        return None
    return Statement(name, text, found.at if found else "", "customer", "")


_SOURCES: Sequence[tuple[str, Source]] = (
    ("sms reply ", "reply"),
    ("receipt ", "reply"),
    ("preference page", "customer"),
    ("one-click", "customer"),
    ("portal ", "customer"),
    ("import ", "import"),
)


def source_of(who: str) -> Source:
    """The source of a change by what the history calls it; whoever else is there is an operator."""
    return next((source for begins, source in _SOURCES if who.startswith(begins)), "operator")


def _remembered(contact: Contact) -> Iterable[Statement]:
    """What the history says of opt-outs, fields and addresses."""
    for entry in contact.history:
        name, at, who = entry["field"], entry.get("said", entry["at"]), entry["who"]
        if name == "opt_outs":
            old, new = _cells(entry["from"]), _cells(entry["to"])
            for what in sorted(old ^ new):
                value = OUT if what in new else IN
                yield Statement(what, value, at, source_of(who), who, entry["at"], entry.get("why", ""))
        elif name in (*FIELDS, *FIELD_OF.values()):
            text = entry["to"].replace(", ", "-" if name == "quiet_hours" else ",")
            yield Statement(name, text, at, source_of(who), who, entry["at"], entry.get("why", ""))


def _cells(text: str) -> set[str]:
    return {f"{OPT_OUTS}{part.strip()}" for part in text.split(",") if part.strip()}
