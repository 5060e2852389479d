"""What `exnotify contact --set FIELD=VALUE` may change, and how: one function a field, no input or output.

Whatever is set here was set for the customer, so from then on it wins over what a drop says; an empty
value takes it back, and the drops have their say again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from exstream_notify.adapters.countries import known_country
from exstream_notify.adapters.zones import time_zone
from exstream_notify.domain.contacts import Address, Consent, Contact, with_entries
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.values import ValueRefused, language_tag, truth

CHANNELS: tuple[Channel, ...] = ("email", "sms")

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

    One version on; the same object where nothing changes. Raises ChangeRefusedError.
    """
    after = contact
    history: list[Mapping[str, str]] = []
    at = now.isoformat(timespec="seconds")
    for change in changes:
        name, setter = FIELDS[change.field]
        changed = setter(after, change.value, Context(check, at, who))
        old, new = said(after, name), said(changed, name)
        if name in _FROM_DROPS:
            changed = _owned(changed, name, change.value != "")
        if changed != after:
            entry = {"at": at, "who": who, "field": name, "from": old, "to": new}
            history.append({**entry, "why": why} if why else entry)
        after = changed
    if after == contact:
        return contact
    return replace(after, version=contact.version + 1, changed_at=at, history=with_entries(contact, *history))


@dataclass(frozen=True, slots=True)
class Context:
    """What a setter may need beside contact and value."""

    check: CheckAddress
    at: str
    who: str


def said(contact: Contact, name: str) -> str:
    """A field as text, for the history."""
    value = getattr(contact, name)
    if value is None or value == ():
        return ""
    if isinstance(value, Address):
        return value.value if value.status == "ok" else f"{value.value} ({value.status})"
    if isinstance(value, Consent):
        return "given" if value.given else "withdrawn"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{topic}/{c}" for topic in sorted(value) for c in value[topic])
    return ", ".join(value) if isinstance(value, tuple) else str(value)


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


def _language(contact: Contact, value: str, _: Context) -> Contact:
    try:
        return replace(contact, language=language_tag(value) if value else None)
    except ValueRefused as refused:
        raise ChangeRefusedError(f"language {value!r}: {refused}, for example es or fr-CA") from refused


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


def _paper_required(contact: Contact, value: str, _: Context) -> Contact:
    return replace(contact, paper_required=_yes("paper_required", value))


def _legal_hold(contact: Contact, value: str, _: Context) -> Contact:
    if len(value) > 200:
        raise ChangeRefusedError("legal_hold is longer than 200 characters: name the matter")
    return replace(contact, legal_hold=value)


def _channel_order(contact: Contact, value: str, _: Context) -> Contact:
    return replace(contact, channel_order=tuple(map(_channel, _listed(value))))


def _consent(contact: Contact, value: str, context: Context) -> Contact:
    if not value:
        return replace(contact, consent=None)
    given = _yes("consent", value)
    before = contact.consent
    scope, version = (before.scope, before.version) if before else ("electronic delivery", "")
    return replace(contact, consent=Consent(given, scope, version, context.at, f"operator {context.who}"))


def _opt_outs(contact: Contact, value: str, _: Context) -> Contact:
    return replace(contact, opt_outs=_with(None, value, wanted=False))


def _opt_out(contact: Contact, value: str, _: Context) -> Contact:
    return replace(contact, opt_outs=_with(contact.opt_outs, _some("opt_out", value), wanted=False))


def _opt_in(contact: Contact, value: str, _: Context) -> Contact:
    return replace(contact, opt_outs=_with(contact.opt_outs, _some("opt_in", value), wanted=True))


def _with(
    outs: Mapping[str, tuple[Channel, ...]] | None, value: str, *, wanted: bool
) -> Mapping[str, tuple[Channel, ...]] | None:
    """Opt-outs with `sms` (every topic) or `statements/sms` added, or taken away if it is `wanted` again."""
    after = dict(outs or {})
    for text in _listed(value):
        topic, _, name = text.rpartition("/")
        topic = topic.strip() or "*"
        channel = _channel(name)
        left = tuple(c for c in after.get(topic, ()) if c != channel)
        after[topic] = left if wanted else tuple(c for c in CHANNELS if c in (*left, channel))
        if wanted and topic != "*" and channel in after.get("*", ()):
            raise ChangeRefusedError(
                f"the customer opted out of every topic on {channel}: take that back first, opt_in={channel}"
            )
    return {topic: channels for topic, channels in after.items() if channels} or None


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

FIELDS: Mapping[str, tuple[str, Setter]] = {
    "email": ("email", _email),
    "mobile": ("mobile", _mobile),
    "language": ("language", _language),
    "time_zone": ("time_zone", _time_zone),
    "country": ("country", _country),
    "postcode": ("postcode", _postcode),
    "paper_required": ("paper_required", _paper_required),
    "channel_order": ("channel_order", _channel_order),
    "opt_out": ("opt_outs", _opt_out),
    "opt_in": ("opt_outs", _opt_in),
    "opt_outs": ("opt_outs", _opt_outs),
    "consent": ("consent", _consent),
    "legal_hold": ("legal_hold", _legal_hold),
}
"""The fields of `--set`: the contact's field that each changes, and how."""

_FROM_DROPS = frozenset({"email", "mobile", "language", "time_zone", "country", "postcode"})
"""Fields that a drop's records bring too."""
