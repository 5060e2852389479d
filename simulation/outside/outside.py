"""The world outside, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ..nature import Nature
from ..service import Service
from .accepted import Accepted, Declined, Ledger, Repeated, Reported
from .conduct import ADDRESS_REFUSED, CONDUCTS, Weather
from .customers import Customers, Deed
from .exchange import Broken, Reply, Request
from .fates import FATES, REPORTS, Fates
from .habits import HABITS
from .opentext import TOKENS_END, OpenText
from .postbox import POST_KINDS, Postbox
from .pushes import PUSH_KINDS, Pushes
from .responders import RESPONDER_KINDS, Responders
from .ses import Ses
from .sms import Sms
from .ways import Ways
from .webhooks import Posted, WebHooks

KINDS: Final[Mapping[str, float]] = {
    **{row.kind: 0.004 for row in CONDUCTS},
    ADDRESS_REFUSED: 0.01,
    TOKENS_END: 0.003,
    **{fate.kind: 0.02 for fate in FATES},
    **dict.fromkeys(REPORTS, 0.03),
    **POST_KINDS,
    **PUSH_KINDS,
    **RESPONDER_KINDS,
    **{kind: habit.share for kind, habit in HABITS.items()},
}
"""Every kind that this package draws, with its share in a bad night."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The accounts. `deduplicates`: whether OpenText knows a repeated `message_id`; `pushes`: whether it
    pushes its status. `accounts`: OpenText's users with their secrets, None takes everybody.
    `bounce_mails`: whether the stack takes bounce mails (parameter BounceMails) and SES forwards some there.
    `carrier_stops`: carriers stop a number that says STOP, whatever we do. Rates are by the second."""

    deduplicates: bool = False
    pushes: bool = True
    accounts: Mapping[str, str] | None = None
    bounce_mails: bool = False
    carrier_stops: bool = False
    ses_rate: float | None = None
    ses_daily: int | None = None
    sms_rate: float | None = None


class Outside:
    """See the package."""

    def __init__(self, nature: Nature, ways: Ways, settings: Settings = Settings()) -> None:
        self.nature = nature
        self.weather = Weather(nature)
        self.fates = Fates(nature.chance)
        self._ledger = Ledger(nature, self._follow)
        self.opentext = OpenText(
            self._ledger,
            self.weather,
            self.fates,
            deduplicates=settings.deduplicates,
            accounts=settings.accounts,
        )
        self.ses = Ses(self._ledger, self.weather, rate=settings.ses_rate, daily=settings.ses_daily)
        self.sms = Sms(
            self._ledger, self.weather, rate=settings.sms_rate, carrier_stops=settings.carrier_stops
        )
        self._customers = Customers(nature, ways, self.sms, self._ledger.accepted, HABITS)
        responders = Responders(nature, ways, self._customers.deeds)
        self.hooks = WebHooks(nature, self.weather, responders.follow)
        pushes = Pushes(self._ledger, ways, self.fates, self.opentext, made=settings.pushes)
        self.opentext.on_refused = pushes.push_refused
        reply = self._customers.complain
        self._postbox = Postbox(self._ledger, ways, self.fates, pushes, reply, mails=settings.bounce_mails)

    @property
    def services(self) -> tuple[Service, ...]:
        """The services of AWS that send."""
        return (self.ses, self.sms)

    @property
    def accepted(self) -> list[Accepted]:
        """Every message that a provider took on, in order."""
        return self._ledger.accepted

    @property
    def declined(self) -> list[Declined]:
        """Every message that a provider was asked to take and did not, in order."""
        return self._ledger.declined

    @property
    def repeats(self) -> list[Repeated]:
        """Every message that OpenText knew again by its `message_id`, in order."""
        return self._ledger.repeats

    @property
    def alerts(self) -> list[Posted]:
        """Every alert that a chat, pager or web hook took, in order."""
        return self.hooks.posted

    @property
    def deeds(self) -> list[Deed]:
        """Everything that customers, and machines that read their mail, did about messages, in order."""
        return self._customers.deeds

    @property
    def reports(self) -> list[Reported]:
        """Every thing that a provider told of a message, by whichever way, in the order of telling."""
        return self._ledger.reports

    def answer(self, request: Request) -> Reply:
        """The answer to a request over HTTP. Raises Broken; the name of an unknown host is not found."""
        if self.hooks.matches(request.url):
            return self.hooks.answer(request)
        if self.opentext.matches(urlsplit(request.url).path):
            return self.opentext.answer(request)
        raise Broken("ConnectError", 0.05, "name resolution failed")

    def meet(self, domain: str, record: Mapping[str, str]) -> None:
        """Have a record's customer know what it says of them: call it for each record that is dropped."""
        self._customers.meet(domain, record)

    def _follow(self, message: Accepted) -> None:
        self._postbox.follow(message)
        if (arrives := self.fates.of(message).arrives) is not None:
            moment = message.at + arrives
            self.nature.timeline.at(moment, lambda: self._customers.receive(message))
