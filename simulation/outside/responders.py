"""The people whom an alert reaches: they answer by its link, or in PagerDuty, whose web hook tells us.

PagerDuty sends an event again until it is answered with 2xx; events may come twice, late, and out of order.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from ..nature import Nature
from .customers import Deed
from .page import forms_of
from .ways import Answer, Ways
from .webhooks import SECRET, Posted

HOOK: Final = "/pagerduty"
_LINK: Final = re.compile(r"https?://[^\s\"'<>|)]+/i/[^\s\"'<>|)]+")
_TRIES: Final = 3

TEAM_ANSWERS: Final = "team_answers"
PAGER_TWICE: Final = "pager_event_twice"
PAGER_EVENTS: Final[Mapping[str, tuple[float, float, float]]] = {
    "incident.acknowledged": (0.4, 30.0, 1800.0),
    "incident.unacknowledged": (0.1, 1800.0, 7200.0),
    "incident.escalated": (0.1, 60.0, 7200.0),
    "incident.resolved": (0.3, 600.0, 86_400.0),
}
"""What is done in PagerDuty about a page: the share of pages in a bad night, and after how many seconds."""

RESPONDER_KINDS: Final[Mapping[str, float]] = {
    TEAM_ANSWERS: 0.3,
    PAGER_TWICE: 0.1,
    **{f"pager {kind}": share for kind, (share, _, _) in PAGER_EVENTS.items()},
}


class Responders:
    """Whoever reads alerts. What they do is added to `deeds`, as about message number 0."""

    def __init__(self, nature: Nature, ways: Ways, deeds: list[Deed]) -> None:
        self._nature = nature
        self._ways = ways
        self._deeds = deeds

    def follow(self, posted: Posted) -> None:
        """An alert was taken: have whatever follows happen in its time."""
        chance, timeline = self._nature.chance, self._nature.timeline
        name = f"{posted.channel} {posted.place}"
        if posted.channel != "pagerduty":
            if chance.happens(TEAM_ANSWERS, name):
                wait = chance.uniform(f"wait answer {name}", 30.0, 7200.0)
                timeline.after(wait, lambda: self._begin(f"answer {name}", lambda: self._answer(posted)))
            return
        if posted.document.get("event_action") != "trigger":
            return
        for kind, (_, earliest, latest) in PAGER_EVENTS.items():
            if chance.happens(f"pager {kind}", name):
                wait = chance.uniform(f"wait {kind} {name}", earliest, latest)
                self._tell_after(wait, kind, posted, name)
                if chance.happens(PAGER_TWICE, f"{kind} {name}"):
                    self._tell_after(wait + 600.0, kind, posted, name, wait)

    def _answer(self, posted: Posted) -> None:
        """Open the alert's link and press its button."""
        found = _LINK.search(json.dumps(posted.document))
        if found is None:
            return
        path = urlsplit(found[0]).path
        forms = forms_of(self._ask(posted, "GET", path, {}).body)
        if forms:
            self._ask(posted, "POST", path, {"content-type": "application/x-www-form-urlencoded"})

    def _tell_after(
        self, seconds: float, kind: str, posted: Posted, name: str, happened: float | None = None
    ) -> None:
        at = posted.at + (seconds if happened is None else happened)
        body = json.dumps({"event": self._event(kind, posted, at)})
        secret = SECRET["pagerduty_webhook_secret"].encode()
        signed = hmac.new(secret, body.encode(), sha256).hexdigest()
        headers = {"content-type": "application/json", "x-pagerduty-signature": f"v1={signed}"}

        def tell() -> None:
            for number in range(_TRIES):
                if self._ask(posted, "POST", HOOK, headers, body, kind).status < 400:
                    return
                self._ways.sleep(60.0 * 2**number)

        task = f"pager {kind} {name} {seconds:.0f}"
        self._nature.timeline.after(seconds, lambda: self._begin(task, tell))

    def _begin(self, name: str, act: Callable[[], None]) -> None:
        self._ways.task(name, act)

    def _event(self, kind: str, posted: Posted, at: float) -> dict[str, Any]:
        occurred = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "id": f"01{sha256(f'{kind} {posted.place} {at}'.encode()).hexdigest()[:24].upper()}",
            "event_type": kind,
            "resource_type": "incident",
            "occurred_at": occurred,
            "agent": {"id": "PSIMULA", "summary": "on call", "type": "user_reference"},
            "client": None,
            "data": {
                "type": "incident",
                "incident_key": posted.document["dedup_key"],
                "resolve_reason": None,
            },
        }

    def _ask(
        self,
        posted: Posted,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: str = "",
        said: str = "",
    ) -> Answer:
        began = self._nature.timeline.now
        answer = self._ways.http(method, path, headers, body)
        now = self._nature.timeline.now
        what = f"{method} {path}"
        self._deeds.append(Deed(began, 0, TEAM_ANSWERS, posted.channel, what, now, answer.status, said=said))
        return answer
