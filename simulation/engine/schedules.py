"""Schedules by the virtual clock, stretched while the world is idle.

A year has half a million minutes, and in most of them nothing is to do. While nothing is under way, a rate's
interval doubles with each firing, up to an hour, and to six after a day without any event. Whatever enters
the world, or changes something within it, brings the template's rate back, and so does the moment at which
something is due. What is due nowhere, such as a run that stays silent, is noticed so much later. While
something is under way, most of the looks that would find nothing due are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from exnotify.cloud.schedules import Rate
from exnotify.cloud.stack import ScheduleSpec
from simulation.nature import Chance, Timeline

from .deployment import ACCOUNT, REGION
from .functions import Functions

LONGEST = 3600.0
"""Seconds between two firings of a rate in an idle world, at most."""

ASLEEP = 86_400.0
"""Seconds without any event after which it is `DEEPEST`."""

DEEPEST = 6 * 3600.0

LOOKS = 0.3
"""Share of a rate's firings that take place in a busy world though nothing is due."""


@dataclass(eq=False)
class _Schedule:
    spec: ScheduleSpec
    function: str
    regular: float
    """When the template has it fire next."""

    planned: float
    stretch: int = 1


class Schedules:
    """All schedules. `idle` tells whether nothing is under way, `next_due` when the next thing is due."""

    def __init__(
        self,
        specs: list[ScheduleSpec],
        functions: Functions,
        timeline: Timeline,
        chance: Chance,
        idle: Callable[[], bool],
        next_due: Callable[[], float | None],
    ) -> None:
        self._functions = functions
        self._timeline = timeline
        self._chance = chance
        self._idle = idle
        self._next_due = next_due
        self._stretched = False
        self._awake = timeline.now
        self._all = []
        for spec in specs:
            first = spec.when.next_after(timeline.now)
            schedule = _Schedule(spec, functions.name_of(str(spec.target["Arn"])), first, first)
            self._all.append(schedule)
            self._plan(schedule, first)

    def awake(self) -> None:
        """Something happens: the template's rates are in force again."""
        self._awake = self._timeline.now
        if self._stretched:
            self._stretched = False
            for schedule in self._all:
                if schedule.stretch > 1:
                    schedule.stretch = 1
                    self._catch_up(schedule)

    def fire(self, function: str, name: str) -> None:
        """Run a scheduled function now, with its schedule's event. KeyError."""
        known = self._functions.name_of(function)
        schedule = next(s for s in self._all if s.function == known)
        self._functions.start(known, self._event(schedule.spec), name)

    # ----

    def _plan(self, schedule: _Schedule, moment: float) -> None:
        schedule.planned = moment
        self._timeline.at(moment, lambda: self._come(schedule, moment))

    def _catch_up(self, schedule: _Schedule) -> None:
        """Plan the next of the template's own times."""
        now = self._timeline.now
        when = schedule.spec.when
        if isinstance(when, Rate):
            missed = max(int((now - schedule.regular) // when.seconds) + 1, 0)
            schedule.regular += missed * when.seconds
        if schedule.regular < schedule.planned:
            self._plan(schedule, schedule.regular)

    def _come(self, schedule: _Schedule, moment: float) -> None:
        if schedule.planned != moment:
            return
        idle = self._idle()
        name = f"{self._functions.short(schedule.function)}@{moment:.0f}"
        if not self._left_out(schedule, moment, idle, name):
            self._functions.start(schedule.function, self._event(schedule.spec), name)
        when = schedule.spec.when
        schedule.regular = when.next_after(moment)
        following = schedule.regular
        if isinstance(when, Rate):
            schedule.stretch = schedule.stretch * 2 if idle else 1
            if schedule.stretch > 1:
                self._stretched = True
                asleep = moment - self._awake > ASLEEP
                longest = max(DEEPEST if asleep else LONGEST, when.seconds)
                following = moment + min(when.seconds * schedule.stretch, longest)
                due = self._next_due()
                if due is not None and due < following:
                    ticks = max(int(-(-(due - moment) // when.seconds)), 1)
                    following = min(following, moment + ticks * when.seconds)
        self._plan(schedule, following)

    def _left_out(self, schedule: _Schedule, moment: float, idle: bool, name: str) -> bool:
        if self._chance.happens("schedule_missed", name):
            return True
        if idle or not isinstance(schedule.spec.when, Rate) or self._chance.likely(f"looks {name}", LOOKS):
            return False
        due = self._next_due()
        return due is None or due > moment

    def _event(self, spec: ScheduleSpec) -> Any:
        if (given := spec.target.get("Input")) is not None:
            return json.loads(given)
        now = self._timeline.now
        return {
            "version": "0",
            "id": str(uuid5(NAMESPACE_OID, f"{spec.arn} {now}")),
            "detail-type": "Scheduled Event",
            "source": spec.source,
            "account": ACCOUNT,
            "time": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [spec.arn],
            "detail": "{}" if spec.source == "aws.scheduler" else {},
        }
