"""What came out: messages that providers accepted, what they reported, alerts, events for others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from exnotify.simulators.timeline import Step
from simulation.checker.seen import Post, Published, Said, Sent, Told, Try
from simulation.engine.cloud import Cloud
from simulation.engine.tasks import Task
from simulation.outside import Accepted
from simulation.outside.accepted import OPENED, Reported

_SAID: Mapping[str, Said] = {
    Step.SENT.name: "accepted",
    Step.DELIVERED.name: "delivered",
    Step.BOUNCED.name: "failed",
    Step.FULL.name: "failed",
    Step.BLOCKED.name: "failed",
    Step.EXPIRED.name: "failed",
    Step.UNDETERMINED.name: "failed",
    Step.COMPLAINED.name: "complained",
    Step.DELAYED.name: "delayed",
    OPENED: "opened",
}
"""What a report means; any other one is unclear."""

_HIDES = ("crash_after", "crash_between", "lost_answer", "server_error")
"""Faults of a call that keep its answer from the worker."""

_STANDS = ("frozen", "stalled")
"""Faults of a call after which the worker has its answer, unless it had no time left."""

_OF_CONTENT = ("provider_content", "provider_too_large")
"""Conduct of a provider that refuses a message for what it says."""

_SLOW = ("provider_trickles",)
"""Conduct of a provider after which the worker has the answer, unless it had no time left."""


class Began:
    """Notes when each task of a cloud begins, by its name, and which of those that send were killed."""

    def __init__(self, cloud: Cloud) -> None:
        self._at: dict[str, float] = {}
        self._senders: list[Task] = []
        start: Callable[..., Task] = cloud.tasks.start

        def noted(name: str, *more: Any, **named: Any) -> Task:
            self._at[name] = cloud.timeline.now
            task = start(name, *more, **named)
            if name.startswith("send_notices:"):
                self._senders.append(task)
            return task

        cloud.tasks.start = noted  # type: ignore[method-assign]

    @property
    def senders_died(self) -> bool:
        """Whether a worker was killed while it sent."""
        return any(task.dead for task in self._senders)

    def at(self, place: str, otherwise: float) -> float:
        """When the invocation began that made the call of this place."""
        name = place.partition(" #")[0]
        return self._at.get(name.partition(" aside ")[0], otherwise)


def sent_of(cloud: Cloud, began: Began) -> list[Sent]:
    """Every message that a provider took on; `heard` where its answer reached the worker, None: perhaps."""
    slow: set[str] = set()
    hidden = _hidden(cloud)
    for name in cloud.nature.chance.happened:
        kind, _, where = name.partition(" ")
        if kind in _STANDS:
            slow.add(where)
    # Handed over once more and known again: then the worker may have its answer after all.
    again = {one.job_id for one in cloud.outside.repeats}
    found = []
    for one in cloud.outside.accepted:
        place = one.place.partition(" try ")[0]
        heard: bool | None = one.heard and not {place, one.place} & hidden
        if heard and (one.answered in _SLOW or {place, one.place} & slow):
            heard = None
        if not heard and one.job_id in again:
            heard = None
        found.append(
            Sent(
                number=one.number,
                at=one.at,
                began=began.at(place, one.at),
                provider=one.provider,
                channel=one.channel,
                address=one.to,
                ref="" if _is_alert(one) else one.ref,
                heard=heard,
                subject=one.subject,
                text=one.text,
                html=one.html,
                links=one.links,
            )
        )
    return found


def _hidden(cloud: Cloud) -> set[str]:
    """The places of calls whose answers did not reach their worker."""
    lost = {one.place for one in cloud.observed if one.what == "answer lost"}
    happened = (name.partition(" ") for name in cloud.nature.chance.happened)
    return lost | {where for kind, _, where in happened if kind in _HIDES}


def told_of(cloud: Cloud) -> list[Told]:
    """Every report that reached the product, or may have."""
    return [
        Told(
            report.accepted,
            report.at,
            report.happened_at,
            _said(report, cloud.outside.accepted[report.accepted - 1]),
            sure=_is_sure(report.way),
        )
        for report in cloud.outside.reports
        if not _refused(report.way)
    ]


def _said(report: Reported, message: Accepted) -> Said:
    """What a report means. An undetermined one may be anything at SES, and so may OpenText's `Unknown` of a
    text message (docs/receipts.md)."""
    may_be_anything = message.provider == "ses" or (message.provider, message.channel) == ("opentext", "sms")
    undetermined = report.step == Step.UNDETERMINED.name and may_be_anything
    return "unclear" if undetermined else _SAID.get(report.step, "unclear")


def _refused(way: str) -> bool:
    """Whether the answer to a push says that it was not taken; 500 or more says nothing."""
    status = way.rpartition(" ")[2]
    return status.isdigit() and 400 <= int(status) < 500


def _is_sure(way: str) -> bool:
    """Whether a report cannot be lost any more: a queue has it, or the product's own answer says so."""
    status = way.rpartition(" ")[2]
    return status.startswith("2") if status.isdigit() else way not in ("status", "mail")


def tries_of(cloud: Cloud) -> list[Try]:
    """Messages that providers did not take."""
    hidden = _hidden(cloud)
    return [
        Try(
            one.at, one.provider, one.channel, one.ref, one.told, content=one.kind in _OF_CONTENT,
            heard=not {one.place, one.place.partition(" try ")[0]} & hidden,
        )
        for one in cloud.outside.declined
    ]  # fmt: skip


def posts_of(cloud: Cloud) -> list[Post]:
    """Alerts that left for teams."""
    posts = [Post(p.at, p.channel, json.dumps(p.document, ensure_ascii=False)) for p in cloud.outside.alerts]
    mails = [
        Post(m.at, "email", f"{m.subject}\n{m.text}", m.to) for m in cloud.outside.accepted if _is_alert(m)
    ]
    return sorted([*posts, *mails], key=lambda post: post.at)


def _is_alert(message: Accepted) -> bool:
    return message.ref.startswith("incident-")


def published_of(cloud: Cloud) -> list[Published]:
    """Events that the product put on the bus."""
    found = []
    for one in cloud.observed:
        if one.what == "event":
            entry = cast("Mapping[str, Any]", one.detail)
            if str(entry["Source"]).startswith("exnotify"):
                found.append(Published(one.at, str(entry["DetailType"]), json.loads(entry["Detail"])))
    return found
