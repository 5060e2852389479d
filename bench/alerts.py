"""Counts the alerts that many faults come to: exceptions go through the real use cases, by the usual rules.

    python -m bench alerts

Tables, queues, channels and clock are in memory, and time goes on through everything that falls due for
half a day: gathered news, escalations, the storm's end. Counted is what each team's e-mail took.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from exstream_notify.domain.exceptions import ExceptionRaised, Severity
from exstream_notify.domain.incident_states import acknowledged
from exstream_notify.domain.incidents import IncidentStatus
from exstream_notify.use_cases.alert_exceptions import change_incident

from .report import Sheet, Verdict

if TYPE_CHECKING:
    from tests.use_cases.world import World


Raised = tuple[float, Sequence[ExceptionRaised]]
Story = Callable[[random.Random], Iterable[Raised]]

SEED = 7
_ALL: tuple[Severity, ...] = ("warning", "error", "severe")
ANSWERED_WITHIN = timedelta(minutes=10)
STEP = timedelta(minutes=1)
AFTERWARDS = timedelta(hours=12)
REPAIRED_WITHIN = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Case:
    """A night's fault: what is raised when (seconds from its begin), and how many alerts it may be."""

    name: str
    story: Story
    limit: int
    is_answered: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What a case came to."""

    name: str
    limit: int
    exceptions: int
    alerts: int
    by_reason: Counter[str]


def runs_with_an_error(number: int, seconds: float, severities: Sequence[Severity] = ("error",)) -> Story:
    """So many runs with an error each, spread evenly, in any order."""

    def story(chance: random.Random) -> Iterable[Raised]:
        order = list(range(number))
        chance.shuffle(order)
        for place, run in enumerate(order):
            severity = severities[run % len(severities)]
            yield (
                place * seconds / number,
                [_raised(f"EX{4000 + run % 40:06d}{severity[0].upper()}", severity, f"run-{run}")],
            )

    return story


def outage(runs: int, seconds: float) -> Story:
    """A provider is down while runs of three domains go out; their jobs are put off, and tried again."""

    def story(chance: random.Random) -> Iterable[Raised]:
        rows: list[Raised] = []
        for run in range(runs):
            begins = run * seconds / runs
            reason = chance.choice(["HTTP 503", "ConnectTimeout", "provider_down"])
            down = _raised("provider_down", "warning", f"run-{run}", f"email by opentext: {reason}", 50)
            down = replace(
                down, detail={"cause": "email by opentext"}, domain=("retail", "cards", "claims")[run % 3]
            )
            rows += [
                (begins + again, [replace(down, part=f"slice {n} email")])
                for again in (0, 300, 900)
                for n in (1, 2)
            ]
        return sorted(rows, key=lambda row: row[0])

    return story


def codes_of_a_run(number: int, seconds: float, kinds: Sequence[Severity]) -> Story:
    """So many codes of one run, of these severities, in any order."""

    def story(chance: random.Random) -> Iterable[Raised]:
        rows = [
            _raised(
                f"EX{4000 + n:06d}{kinds[n % len(kinds)][0].upper()}",
                kinds[n % len(kinds)],
                "run-1",
                count=1 + n % 7,
            )
            for n in range(number)
        ]
        chance.shuffle(rows)
        return [(place * seconds / number, [row]) for place, row in enumerate(rows)]

    return story


def flaps(number: int, seconds: float) -> Story:
    """Messages arrive in a dead-letter queue and leave it again, `number` times."""

    def story(chance: random.Random) -> Iterable[Raised]:
        for flap in range(number):
            for after, depth in ((0.0, chance.randint(1, 9)), (seconds / 2, 0)):
                raised = ExceptionRaised(
                    "dead_letters", "error", "exnotify", "queues", "depth", "SendQueue", depth
                )
                yield flap * seconds + after, [raised]

    return story


CASES = (
    Case("1,000 runs with an error each, in an hour", runs_with_an_error(1000, 3600), 30),
    Case("1,000 runs with an error each, in a minute", runs_with_an_error(1000, 60), 30),
    Case("1,000 runs, every third severe, in an hour", runs_with_an_error(1000, 3600, _ALL), 30),
    Case("1,000 runs with an error each, in a day", runs_with_an_error(1000, 86_400), 30),
    Case("an outage over 300 runs, in two hours", outage(300, 7200), 3),
    Case("an outage over 300 runs, in ten minutes", outage(300, 600), 3),
    Case("60 codes in one run, in a minute", codes_of_a_run(60, 60, _ALL), 5, is_answered=True),
    Case("60 codes in one run, in an hour", codes_of_a_run(60, 3600, _ALL[:2]), 5, is_answered=True),
    Case("20 flaps, one each ten minutes", flaps(20, 600), 4),
    Case("20 flaps, one a minute", flaps(20, 60), 4),
)


def play(case: Case, seed: int = SEED) -> Row:
    """Raise a case's exceptions one after the other, then let `AFTERWARDS` or the time of a repair go by."""
    here = _world()
    start, exceptions = here.clock.now(), 0
    for after, raised in case.story(random.Random(seed)):
        _go_on(here, start + timedelta(seconds=after), case)
        here.exceptions.raise_exceptions(raised)
        here.drain()
        exceptions += len(raised)
    _go_on(here, here.clock.now() + (REPAIRED_WITHIN if case.is_answered else AFTERWARDS), case)
    told = here.channels.alerts()
    return Row(case.name, case.limit, exceptions, len(told), Counter(str(alert.what) for alert in told))


def _go_on(here: World, until: datetime, case: Case) -> None:
    """Until then, with everything that falls due; where the case says so, somebody answers after a while."""
    while case.is_answered and here.clock.now() < until:
        here.wait_until(min(until, here.clock.now() + STEP), limit=10_000)
        _answer(here)
    here.wait_until(max(until, here.clock.now()), limit=10_000)


def _answer(here: World) -> None:
    """Acknowledge what was told some time ago."""
    now = here.clock.now()
    before, at = ((now - ago).isoformat(timespec="seconds") for ago in (ANSWERED_WITHIN, timedelta()))
    for found, head in list(here.incidents.heads.items()):
        if head.status == IncidentStatus.OPEN and "" < head.told_at <= before:
            change_incident(
                found,
                lambda head, _: acknowledged(head, at, "on call"),
                incidents=here.incidents,
                due=here.due,
                clock=here.clock,
            )


def _world() -> World:
    from exstream_notify.adapters.rules import YamlRules
    from tests.use_cases.world import World

    return World(site_rules=YamlRules())


def measure(cases: Sequence[Case] = CASES) -> list[Row]:
    """Each case, played once."""
    return [play(case) for case in cases]


def sheet(rows: Sequence[Row]) -> tuple[Sheet, list[Verdict]]:
    """The table, and whether each case stays within its limit."""
    columns = ("fault", "exceptions", "alerts", "at most", "of which")
    cells = [
        (
            row.name,
            f"{row.exceptions:,}",
            f"{row.alerts}",
            f"{row.limit}",
            ", ".join(f"{n} {what}" for what, n in row.by_reason.most_common()),
        )
        for row in rows
    ]
    notes = (
        "Played through the use cases, with tables, queues, channels and clock in memory, in any order, on "
        f"the rules that ship, until {AFTERWARDS // timedelta(hours=1)} hours after the last exception. An "
        "alert counts once, whatever number of channels its team has; escalations to other teams count too. "
        "Somebody answers the alerts of the 60 codes within ten minutes; there the count ends "
        f"{REPAIRED_WITHIN // timedelta(hours=1)} hours later, with the repair. Nobody answers any other.",
    )
    verdicts = [
        Verdict(f"Alerts: {row.name}", f"at most {row.limit}", f"{row.alerts}", row.alerts <= row.limit)
        for row in rows
    ]
    return Sheet("Alerts", columns, cells, notes), verdicts


def _raised(code: str, severity: Severity, run: str, text: str = "", count: int = 1) -> ExceptionRaised:
    return ExceptionRaised(
        code, severity, "retail", run, text or f"{code} in the message file", f"{code}.dat", count
    )
