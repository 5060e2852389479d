"""Chat, pager and web hooks: where alerts are posted, and what came of each post."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from ..nature import Nature
from .conduct import Weather, reply_or_break
from .exchange import Reply, Request

HOSTS: Final[Mapping[str, str]] = {
    "slack.example.com": "slack",
    "teams.example.com": "teams",
    "pagerduty.example.com": "pagerduty",
    "chat.example.com": "webhook",
}
"""Which service is at which host."""

SECRET: Final[Mapping[str, str]] = {
    "slack": "https://slack.example.com/services/T0/B0/x",
    "teams": "https://teams.example.com/workflows/x",
    "pagerduty": "R0SIMULATED0000000000000000000000",
    "pagerduty_url": "https://pagerduty.example.com/v2/enqueue",
    "pagerduty_webhook_secret": "simulated-pager-secret",
    "webhook": "https://chat.example.com/hook",
    "webhook_secret": "simulated-hook-secret",
}
"""The secret AlertChannels for all of them; a story may leave some out, or say `slack/team`."""

_OK: Final[Mapping[str, tuple[int, str]]] = {
    "slack": (200, "ok"),
    "teams": (202, ""),
    "pagerduty": (202, '{"status":"success","message":"Event processed"}'),
    "webhook": (200, "{}"),
}


@dataclass(frozen=True, slots=True)
class Posted:
    """One alert that a service took. `at` is epoch seconds; `answered` as in `Accepted`."""

    at: float
    channel: str
    url: str
    document: Mapping[str, Any]
    place: str
    answered: str = "ok"


class WebHooks:
    """The services that take alerts; `posted` is what they took, in order, each told to `after`."""

    def __init__(self, nature: Nature, weather: Weather, after: Callable[[Posted], None]) -> None:
        self._nature = nature
        self._after = after
        self._weather = weather
        self.posted: list[Posted] = []

    def matches(self, url: str) -> bool:
        """Whether an address is one of these services'."""
        return urlsplit(url).hostname in HOSTS

    def answer(self, request: Request) -> Reply:
        """The answer to a post, or to the HEAD of a probe. Raises Broken."""
        channel = HOSTS[urlsplit(request.url).hostname or ""]
        status, text = _OK[channel]
        good = Reply(status, text.encode(), {"content-type": "application/json"})
        if request.method != "POST":
            row, good = self._weather.conduct(channel, "http"), Reply(405)
        else:
            row, _ = self._weather.meet(
                channel, "http", lambda place, answered: self._take(channel, request, place, answered)
            )
        return good if row is None else reply_or_break(row, self._nature, request.timeouts, good.body)

    def _take(self, channel: str, request: Request, place: str, answered: str) -> None:
        document = json.loads(request.body)
        now = self._nature.timeline.now
        self.posted.append(Posted(now, channel, request.url, document, place, answered))
        self._after(self.posted[-1])
