"""What came out: messages that providers accepted, what they reported, alerts, events for others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from exnotify.simulators.timeline import Step
from simulation.checker.seen import Opened, Post, Published, Said, Sent, Told
from simulation.engine.cloud import Cloud
from simulation.engine.tasks import Task

_SAID: Mapping[Step, Said] = {
    Step.SENT: "accepted",
    Step.DELIVERED: "delivered",
    Step.BOUNCED: "failed",
    Step.FULL: "failed",
    Step.BLOCKED: "failed",
    Step.EXPIRED: "failed",
    Step.COMPLAINED: "complained",
    Step.DELAYED: "delayed",
}
"""What a report means; any other one is unclear."""

_HIDES = ("crash_after", "crash_between", "lost_answer", "server_error")
"""Faults of a call that keep its answer from the worker."""


class Began:
    """Notes when each task of a cloud begins, by its name."""

    def __init__(self, cloud: Cloud) -> None:
        self._at: dict[str, float] = {}
        start: Callable[..., Task] = cloud.tasks.start

        def noted(name: str, *more: Any, **named: Any) -> Task:
            self._at[name] = cloud.timeline.now
            return start(name, *more, **named)

        cloud.tasks.start = noted  # type: ignore[method-assign]

    def at(self, place: str, otherwise: float) -> float:
        """When the invocation began that made the call of this place."""
        name = place.partition(" #")[0]
        return self._at.get(name.partition(" aside ")[0], otherwise)


def sent_of(cloud: Cloud, began: Began) -> list[Sent]:
    """Every message that a provider took on; `heard` where its answer reached the worker."""
    hidden = {one.place for one in cloud.observed if one.what == "answer lost"}
    for name in cloud.nature.chance.happened:
        kind, _, where = name.partition(" ")
        if kind in _HIDES:
            hidden.add(where)
        elif kind == "frozen" and where.startswith("from "):
            hidden.add(where.removeprefix("from "))
    found = []
    for one in cloud.outside.accepted:
        place = one.place.partition(" try ")[0]
        found.append(
            Sent(
                number=one.number,
                at=one.at,
                began=began.at(place, one.at),
                provider=one.provider,
                channel=one.channel,
                address=one.to,
                ref=one.ref,
                heard=one.answered == "ok" and not {place, one.place} & hidden,
                subject=one.subject,
                text=one.text,
                html=one.html,
                links=one.links,
            )
        )
    return found


def told_of(cloud: Cloud) -> list[Told]:
    """Every report that was handed in; one that proves nobody's word is not trusted."""
    return [
        Told(r.accepted, r.at, r.happened_at, _SAID.get(r.step, "unclear"), trusted="forged" not in r.way)
        for r in cloud.outside.reports
    ]


def opened_of(cloud: Cloud) -> list[Opened]:
    """Links that customers opened."""
    del cloud
    return []


def posts_of(cloud: Cloud) -> list[Post]:
    """Alerts that left for teams."""
    return [
        Post(post.at, post.channel, json.dumps(post.document, ensure_ascii=False))
        for post in cloud.outside.alerts
    ]


def published_of(cloud: Cloud) -> list[Published]:
    """Events that the product put on the bus."""
    found = []
    for one in cloud.observed:
        if one.what == "event":
            entry = cast("Mapping[str, Any]", one.detail)
            if str(entry["Source"]).startswith("exnotify"):
                found.append(Published(one.at, str(entry["DetailType"]), json.loads(entry["Detail"])))
    return found
