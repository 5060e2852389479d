"""What the portal hears of preferences that changed elsewhere: `Preferences Changed`, source `exnotify`.

The detail has the shape of the portal's own event, with the fields that changed and no others.
"""

from collections.abc import Collection, Iterable, Mapping

from .contacts import FIELD_OF, Contact
from .hearing import FIELDS
from .statements import ALL, OPT_OUTS, STARTED, Statement, topic_and_channel

LOST = ("invalid", "complained", "opted_out")
"""The statuses of an address that the portal hears of, and of each that is usable again."""

_BY: Mapping[str, str] = {
    "preference page": "page",
    "one-click": "one_click",
    "sms reply ": "sms_reply",
    "import ": "import",
    "receipt": "receipt",
}


def spoken_by(who: str) -> str:
    """Who changed it, as the portal hears it: never a person's name."""
    return next((name for begins, name in _BY.items() if who.startswith(begins)), "operator")


def is_portals(who: str) -> bool:
    """Whether the portal itself said it: its own change is not echoed."""
    return who.startswith("portal ")


def changed_between(before: Contact, after: Contact) -> tuple[str, ...]:
    """The names of what changed: `opt_outs/<topic>`, fields, addresses and their statuses."""
    old, new = before.opt_outs or {}, after.opt_outs or {}
    names = [f"{OPT_OUTS}{t}" for t in sorted({*old, *new}) if old.get(t, ()) != new.get(t, ())]
    names += [name for name in (*FIELDS, "consent") if getattr(before, name) != getattr(after, name)]
    for channel, name in FIELD_OF.items():
        known, address = before.address(channel), after.address(channel)
        if (known and known.value) != (address and address.value):
            names.append(name)
        was = known.status if known is not None else "ok"
        if address is not None and address.status != was and {address.status, was} & {*LOST}:
            names.append(f"{name}_status")
    return tuple(names)


def named_in(contact: Contact, statements: Iterable[Statement]) -> tuple[str, ...]:
    """The names of all that these statements of the contact may have changed."""
    names: list[str] = []
    for one in statements:
        if one.what.startswith(OPT_OUTS):
            topic, channel = topic_and_channel(one.what)
            names.append(f"{OPT_OUTS}{topic}")
            if topic == ALL:
                names.append(f"{FIELD_OF[channel]}_status")
        elif one.what.startswith(STARTED):
            names += [
                f"{OPT_OUTS}{topic_and_channel(stop.what)[0]}"
                for stop in contact.statements
                if stop.source == "reply" and stop.what.startswith(OPT_OUTS)
            ]
        else:
            names += [one.what, f"{one.what}_status"]
    return tuple(dict.fromkeys(names))


def said_since(contact: Contact, since: str) -> tuple[Statement, ...]:
    """What others than the portal said that was recorded at this time or later."""
    return tuple(s for s in contact.statements if s.recorded >= since and not is_portals(s.by))


def detail_of(contact: Contact, names: Collection[str], by: str, at: str) -> dict[str, object]:
    """The event's detail: how these things stand now, who changed them and when."""
    found: dict[str, object] = {"domain": contact.domain, "customer_key": contact.customer_key}
    if contact.recipient:
        found["recipient"] = contact.recipient
    outs = contact.opt_outs or {}
    topics = [name.removeprefix(OPT_OUTS) for name in names if name.startswith(OPT_OUTS)]
    if topics:
        found["opt_outs"] = {topic: list(outs.get(topic, ())) for topic in topics}
    for name in FIELDS:
        if name in names:
            value = getattr(contact, name)
            found[name] = list(value) if isinstance(value, tuple) else value
    if "consent" in names and contact.consent is not None:
        found["consent"] = {"given": contact.consent.given, "version": contact.consent.version}
    for channel, name in FIELD_OF.items():
        address = contact.address(channel)
        if name in names:
            found[name] = address.value if address else ""
        if f"{name}_status" in names and address is not None:
            found[f"{name}_status"] = address.status if address.status in LOST else "ok"
    return {**found, "at": at, "by": spoken_by(by)}
