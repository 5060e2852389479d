"""Where a note may go now: what its holder stopped, what is suppressed, what is switched off, and the hours.

Notes are messages of ours that no document asks for: codes, notes on a change of address, answers to replies.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ..domain.contacts import Contact
from ..domain.decisions import Policy, window_for
from ..domain.documents import Channel
from ..domain.quiet_hours import is_open, next_open
from ..ports import AddressChecker, Clock, OptOutList


class Barred(StrEnum):
    """Why no note goes to an address: for good, or (OFF) while an operator has the channel off."""

    STOPPED = "stopped"
    SUPPRESSED = "suppressed"
    OFF = "switched_off"


def texts_opened(before: Contact, after: Contact) -> bool:
    """Whether an opt-out from texts, of a topic or of all, was taken back."""
    outs = after.opt_outs or {}
    return any("sms" in cs and "sms" not in outs.get(t, ()) for t, cs in (before.opt_outs or {}).items())


@dataclass(frozen=True, slots=True)
class NoteWays:
    """Asked before each note. `switched_off` tells for a domain and a channel."""

    opt_outs: OptOutList
    addresses: AddressChecker
    clock: Clock
    policy: Policy
    switched_off: Callable[[str, str], bool]

    def barred(self, contact: Contact | None, channel: Channel, to: str, domain: str = "") -> Barred | None:
        """What speaks against a note to this address; None if nothing does.

        A stop is the number's own, or the customer's who wants no text messages at all (47 CFR
        64.1200(a)(10)). An e-mail address has none: notes are transactional (15 USC 7702(17)(A)(iii)).
        `contact` is None where nobody is known to have the address.
        """
        stopped = contact is not None and channel == "sms" and contact.opted_out(channel, "*")
        if stopped or self.opt_outs.stopped_by(channel, to) is not None:
            return Barred.STOPPED
        if self.opt_outs.suppressed([(channel, to)]):
            return Barred.SUPPRESSED
        return Barred.OFF if self.off(contact.domain if contact else domain, channel) else None

    def stays_stopped(self, before: Contact, after: Contact) -> bool:
        """Whether texts were switched on that do not come all the same, since the number itself is stopped.

        Whoever has the number takes that back, by START; a page or a portal may be another person's.
        """
        mobile = after.mobile
        if mobile is None or not texts_opened(before, after):
            return False
        return self.opt_outs.stopped_by("sms", mobile.value) is not None

    def off(self, domain: str, channel: Channel) -> bool:
        """Whether an operator switched the channel, or the domain, off."""
        return self.switched_off(domain, channel)

    def opens(self, contact: Contact) -> datetime | None:
        """When a text that nobody asked for just now may go out; None: at once (47 CFR 64.1200(c)(1))."""
        now = self.clock.now()
        zones = self.addresses.zones(contact) or self.policy.default_zones
        window = window_for(contact, self.policy)
        return None if is_open(now, zones, window) else next_open(now, zones, window)
