"""What `exnotify contact --set FIELD=VALUE` may change, and how: one function a field, no input or output.

Whatever is set here was set for the customer, so from then on it wins over what a drop says; an empty
value takes it back, and the drops have their say again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from exstream_notify.adapters.countries import known_country
from exstream_notify.adapters.zones import time_zone
from exstream_notify.domain.contacts import FIELD_OF, Address, Consent, Contact, with_entries
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.hearing import CHANNELS, Voice, acts, heard, one_write, said_of, spoken
from exstream_notify.domain.preferences import consent_text
from exstream_notify.domain.statements import (
    ALL,
    IN,
    OUT,
    Statement,
    cell,
    customers_own,
    topic_and_channel,
)
from exstream_notify.domain.values import ValueRefused, language_tag, truth

CheckAddress = Callable[[Channel, str, str | None], Address]
"""The layer's check of an address: channel, what was written, the customer's country."""


class ChangeRefusedError(ValueError):
    """A field or value that cannot be set; the text says why, and what can be."""


@dataclass(frozen=True, slots=True)
class Change:
    """One `FIELD=VALUE`."""

    field: str
    value: str


def parse_change(text: str) -> Change:
    """A change as written on the command line."""
    field, equals, value = text.partition("=")
    field = field.strip().replace("-", "_")
    if not equals or field not in FIELDS:
        raise ChangeRefusedError(f"{text!r} is not FIELD=VALUE with one of {', '.join(FIELDS)}")
    return Change(field, value.strip())


def apply_changes(
    contact: Contact,
    changes: Sequence[Change],
    *,
    check: CheckAddress,
    now: datetime,
    who: str,
    why: str = "",
) -> Contact:
    """The contact with the changes made, and an entry in its history for each that changed something.

    One version on; the same object where nothing changes. Raises ChangeRefusedError, also where the
    customer's own opt-out would be lifted.
    """
    after = contact
    at = now.isoformat(timespec="seconds")
    for change in changes:
        if change.field in WISHES:
            voice = acts("operator", who, now, after, why)
            after = heard(after, WISHES[change.field](after, change.value, voice), now)
            continue
        setter = FACTS[change.field]
        changed = setter(after, change.value, Context(check, at, who))
        if change.field in _FROM_DROPS:
            changed = _owned(changed, change.field, change.value != "")
        if change.field in FIELD_OF.values():
            said_now = acts("operator", who, now, after, why).says(change.field, change.value)
            changed = heard(changed, [said_now], now)
        if changed != after:
            old, new = said(after, change.field), said(changed, change.field)
            entry = {"at": at, "who": who, "field": change.field, "from": old, "to": new}
            entry = {**entry, "why": why} if why else entry
            changed = replace(changed, history=with_entries(changed, entry), changed_at=at)
        after = changed
    return one_write(contact, after)


@dataclass(frozen=True, slots=True)
class Context:
    """What a setter may need beside contact and value."""

    check: CheckAddress
    at: str
    who: str


def said(contact: Contact, name: str) -> str:
    """A field as text, for the history."""
    value = getattr(contact, name)
    if isinstance(value, Consent):
        return "given" if value.given else "withdrawn"
    return spoken(value)


def _owned(contact: Contact, name: str, by_customer: bool) -> Contact:
    names = [n for n in contact.set_by_customer if n != name] + ([name] if by_customer else [])
    return replace(contact, set_by_customer=tuple(sorted(names)))


# --- one setter a field -----------------------------------------------------------------------------


def _address(channel: Channel, contact: Contact, value: str, context: Context) -> Contact:
    """The address that the operator heard of; a change that waits ends, so that it cannot replace this."""
    name = "email" if channel == "email" else "mobile"
    contact = replace(contact, changing=tuple(c for c in contact.changing if c.channel != channel))
    if not value:
        return replace(contact, **{name: None})  # type: ignore[arg-type]
    checked = context.check(channel, value, contact.country)
    if not checked.usable:
        raise ChangeRefusedError(f"{name} {value!r} cannot be used: {checked.why}")
    return replace(contact, **{name: replace(checked, source=f"operator {context.who}")})  # type: ignore[arg-type]


def _email(contact: Contact, value: str, context: Context) -> Contact:
    return _address("email", contact, value, context)


def _mobile(contact: Contact, value: str, context: Context) -> Contact:
    return _address("sms", contact, value, context)


def _time_zone(contact: Contact, value: str, _: Context) -> Contact:
    try:
        return replace(contact, time_zone=time_zone(value) if value else None)
    except ValueRefused as refused:
        raise ChangeRefusedError(f"time_zone {value!r}: {refused}") from refused


def _country(contact: Contact, value: str, _: Context) -> Contact:
    try:
        return replace(contact, country=known_country(value) if value else None)
    except ValueRefused as refused:
        raise ChangeRefusedError(f"country {value!r}: {refused}") from refused


def _postcode(contact: Contact, value: str, _: Context) -> Contact:
    if len(value) > 20:
        raise ChangeRefusedError("postcode is longer than 20 characters")
    return replace(contact, postcode=value or None)


def _legal_hold(contact: Contact, value: str, _: Context) -> Contact:
    if len(value) > 200:
        raise ChangeRefusedError("legal_hold is longer than 200 characters: name the matter")
    return replace(contact, legal_hold=value)


# --- what the customer told the operator: statements ---------------------------------------------------


def _language(_: Contact, value: str, voice: Voice) -> list[Statement]:
    try:
        return [voice.says("language", language_tag(value) if value else "")]
    except ValueRefused as refused:
        raise ChangeRefusedError(f"language {value!r}: {refused}, for example es or fr-CA") from refused


def _paper_required(_: Contact, value: str, voice: Voice) -> list[Statement]:
    return [voice.says("paper_required", "yes" if _yes("paper_required", value) else "no")]


def _channel_order(_: Contact, value: str, voice: Voice) -> list[Statement]:
    return [voice.says("channel_order", ",".join(map(_channel, _listed(value))))]


def _consent(contact: Contact, value: str, voice: Voice) -> list[Statement]:
    if value:
        given = _yes("consent", value)
        value = consent_text(given, contact.consent.version if contact.consent else "")
    own = said_of(contact).get(("consent", "customer"))
    if own is not None and own.value.startswith("withdrawn") and not value.startswith("withdrawn"):
        raise ChangeRefusedError(
            f"the customer withdrew consent ({own.by or 'before'} {own.at}): only the customer gives it "
            f"again, on the page, in the portal or on paper (exnotify import FILE, with consent_at)"
        )
    return [voice.says("consent", value)]


def _opt_outs(contact: Contact, value: str, voice: Voice) -> list[Statement]:
    wanted = {cell(topic, channel) for topic, channel in map(_pair, _listed(value))}
    known = {cell(topic, c) for topic, channels in (contact.opt_outs or {}).items() for c in channels}
    new = [voice.says(what, OUT) for what in sorted(wanted)]
    return new + [_lifted(contact, what, voice) for what in sorted(known - wanted)]


def _opt_out(_: Contact, value: str, voice: Voice) -> list[Statement]:
    return [voice.says(cell(*_pair(text)), OUT) for text in _listed(_some("opt_out", value))]


def _opt_in(contact: Contact, value: str, voice: Voice) -> list[Statement]:
    pairs = [_pair(text) for text in _listed(_some("opt_in", value))]
    for topic, channel in pairs:
        if topic != ALL and (ALL, channel) not in pairs and channel in (contact.opt_outs or {}).get(ALL, ()):
            _lifted(contact, cell(ALL, channel), voice)
            raise ChangeRefusedError(
                f"the customer opted out of every topic on {channel}: take that back first, opt_in={channel}"
            )
    return [_lifted(contact, cell(topic, channel), voice) for topic, channel in pairs]


def _lifted(contact: Contact, what: str, voice: Voice) -> Statement:
    """The opt-out taken back; refused where it is the customer's own."""
    own = customers_own(said_of(contact), what)
    if own is not None and own.value == OUT:
        topic, channel = topic_and_channel(what)
        of = "everything" if topic == ALL else topic
        raise ChangeRefusedError(
            f"the customer opted out of {of} on {channel} ({own.by or 'before'} {own.at}): only the customer "
            f"takes that back, on the page, in the portal or by START"
        )
    return voice.says(what, IN)


def _pair(text: str) -> tuple[str, Channel]:
    """`sms` is every topic, `statements/sms` one."""
    topic, _, name = text.rpartition("/")
    return topic.strip() or ALL, _channel(name)


def _channel(name: str) -> Channel:
    found: Channel | None = next((c for c in CHANNELS if c == name.strip().lower()), None)
    if found is None:
        raise ChangeRefusedError(f"{name!r} is no channel: it is email or sms")
    return found


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _some(name: str, value: str) -> str:
    if not _listed(value):
        raise ChangeRefusedError(f"{name} needs a channel, sms or email, or topic/channel")
    return value


def _yes(name: str, value: str) -> bool:
    try:
        return truth(value)
    except ValueRefused as refused:
        raise ChangeRefusedError(f"{name} is yes or no, not {value!r}") from refused


Setter = Callable[[Contact, str, Context], Contact]

FACTS: Mapping[str, Setter] = {
    "email": _email,
    "mobile": _mobile,
    "time_zone": _time_zone,
    "country": _country,
    "postcode": _postcode,
    "legal_hold": _legal_hold,
}
"""The fields of `--set` that say what is so."""

WISHES: Mapping[str, Callable[[Contact, str, Voice], list[Statement]]] = {
    "language": _language,
    "paper_required": _paper_required,
    "channel_order": _channel_order,
    "opt_out": _opt_out,
    "opt_in": _opt_in,
    "opt_outs": _opt_outs,
    "consent": _consent,
}
"""The fields of `--set` that say what the customer wants, as statements of an operator."""

FIELDS = (*FACTS, *WISHES)

_FROM_DROPS = frozenset({"email", "mobile", "time_zone", "country", "postcode"})
"""Fields that a drop's records bring too."""
