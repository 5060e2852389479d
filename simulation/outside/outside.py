"""The world outside, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ..nature import Nature
from ..service import Service
from .accepted import Accepted, Ledger
from .conduct import ADDRESS_REFUSED, CONDUCTS, Weather
from .exchange import Broken, Reply, Request
from .fates import FATES, REPORTS, Fates
from .opentext import TOKENS_END, OpenText
from .postbox import POST_KINDS, Postbox, Reported
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
}
"""Every kind that this package draws, with its share in a bad night."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The accounts. `deduplicates`: whether OpenText knows a repeated `message_id`; `pushes`: whether it
    pushes its status. `accounts`: OpenText's users with their secrets, None takes everybody. Rates are by
    the second."""

    deduplicates: bool = False
    pushes: bool = True
    accounts: Mapping[str, str] | None = None
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
        self.sms = Sms(self._ledger, self.weather, rate=settings.sms_rate)
        self.hooks = WebHooks(nature, self.weather)
        self._postbox = Postbox(nature, ways, self.fates, self.opentext, pushes=settings.pushes)

    @property
    def services(self) -> tuple[Service, ...]:
        """The services of AWS that send."""
        return (self.ses, self.sms)

    @property
    def accepted(self) -> list[Accepted]:
        """Every message that a provider took on, in order."""
        return self._ledger.accepted

    @property
    def alerts(self) -> list[Posted]:
        """Every alert that a chat, pager or web hook took, in order."""
        return self.hooks.posted

    @property
    def reports(self) -> list[Reported]:
        """Every receipt that was handed in, in order."""
        return self._postbox.reports

    def answer(self, request: Request) -> Reply:
        """The answer to a request over HTTP. Raises Broken; the name of an unknown host is not found."""
        if self.hooks.matches(request.url):
            return self.hooks.answer(request)
        if self.opentext.matches(urlsplit(request.url).path):
            return self.opentext.answer(request)
        raise Broken("ConnectError", 0.05, "name resolution failed")

    def _follow(self, message: Accepted) -> None:
        self._postbox.follow(message)
