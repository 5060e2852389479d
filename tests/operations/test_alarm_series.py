"""Every alarm, on series of data points: a fault that must fire it within its promise, one ordinary night that must
not, and a repair that must clear it. A new alarm without a row fails."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from exnotify.cloud.alarms import CompositeAlarm, MetricAlarm, State, rule_of
from exnotify.cloud.clock import Clock
from exnotify.cloud.metrics import MINUTE, MetricBook
from exnotify.operations import monitoring, watch

RESOURCES: dict[str, dict[str, Any]] = watch.read(monitoring.NESTED.read_text("utf-8"))["Resources"]
KINDS = {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}
ALARMS = {n.removesuffix("Alarm"): r for n, r in RESOURCES.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
PAGES = {
    n.removesuffix("Alarm"): r for n, r in RESOURCES.items() if r["Type"] == "AWS::CloudWatch::CompositeAlarm"
}

NIGHT = 10 * 60  # minutes
BEFORE = -2 * 60  # what reports all the time did so before the night
FAULT = 4 * 60  # when the fault begins in a night that has one
REPAIR = FAULT + 3 * 60

Reports = Iterable[tuple[int, float]]
"""Minute, value."""


def each(minutes: int, value: float = 0.0, start: int = BEFORE, end: int = NIGHT) -> list[tuple[int, float]]:
    """A report every so many minutes."""
    return [(minute, value) for minute in range(start, end, minutes)]


def grown(values: Sequence[tuple[int, float]], every: int = 1) -> list[tuple[int, float]]:
    """A gauge that is reported all the time: `values` are the minutes at which it changes, and to what."""
    found = []
    for minute in range(BEFORE, NIGHT, every):
        found.append((minute, next((v for at, v in reversed(values) if at <= minute), 0.0)))
    return found


@dataclass(frozen=True)
class Row:
    """What the metrics of an alarm say in a night with the fault, from FAULT to REPAIR, and in ordinary ones.

    A metric is named as `Name` or, of one resource, `Name Resource`. `signs` is how many minutes after FAULT the
    fault shows at all.
    """

    fault: Mapping[str, Reports]
    nights: Sequence[Mapping[str, Reports]]
    signs: int = 0


AGE, DEPTH = "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"


def late(queue: str, promise: int) -> Row:
    """A queue that nobody reads for three hours; one that stays just below its promise all night."""
    stuck = [(m, (m - FAULT) * 60.0 if FAULT <= m < REPAIR else 0.0) for m in range(NIGHT)]
    waits = [(m, m * 60.0) for m in range(promise // 60 + 1)] + [
        (m, 0.0) for m in range(promise // 60 + 1, NIGHT)
    ]
    if promise > (REPAIR - FAULT) * 60:
        stuck = [(m, promise + 60.0 if FAULT <= m < REPAIR else 0.0) for m in range(NIGHT)]
        return Row({f"{AGE} {queue}": stuck}, [{f"{AGE} {queue}": waits}, {}])
    return Row({f"{AGE} {queue}": stuck}, [{f"{AGE} {queue}": waits}, {}], signs=promise // 60)


def letters(*queues: str) -> list[Row]:
    """In each of an alarm's queues a letter that arrives while SQS says nothing of the others. In one of them:
    some that have been there for days, also while SQS reports nothing for ten minutes or for hours, some that are
    taken out, and a queue never used."""
    old = each(1, 3)
    nights = (
        old,
        [(minute, value) for minute, value in old if minute not in range(200, 210)],
        [(minute, value) for minute, value in old if minute not in range(200, 330)],
        grown([(BEFORE, 3), (200, 0)]),
        each(1),
    )
    arrives = grown([(BEFORE, 3), (FAULT, 4)])
    return [
        Row({f"{DEPTH} {queue}": arrives}, [{f"{DEPTH} {queue}": night} for night in nights] if not n else [])
        for n, queue in enumerate(queues)
    ]


def event(metric: str) -> Row:
    """One report; a night without any."""
    return Row({metric: [(FAULT, 1)]}, [{}])


CLOCK = {f"{DEPTH} DecideQueue": each(1)}


def schedule(function: str, minutes: int) -> Row:
    """Runs that all fail; now and then one that fails; a stack that is new; a clock of its own that stops."""
    errors = f"Errors {function}"
    good = each(minutes, 0, end=FAULT) + each(minutes, 0, start=REPAIR)
    one_fails = [(m, float(m == FAULT)) for m, _ in each(minutes)]
    new = {f"{DEPTH} DecideQueue": each(1, start=FAULT), errors: each(minutes, 0, start=FAULT + minutes)}
    return Row(
        {errors: good + each(minutes, 1, FAULT, REPAIR), **CLOCK},
        [{errors: each(minutes), **CLOCK}, {errors: one_fails, **CLOCK}, new, {}],
    )


def silent_schedule(function: str, minutes: int) -> Row:
    """A schedule that does not fire at all."""
    errors = f"Errors {function}"
    return Row({errors: each(minutes, 0, end=FAULT) + each(minutes, 0, start=REPAIR), **CLOCK}, [])


def http(errors: float, of: float) -> dict[str, Reports]:
    return {"5xx HttpApi": each(1, errors), "Count HttpApi": each(1, of)}


def sending(deferred: float, notified: float, minutes: Iterable[int]) -> dict[str, Reports]:
    when = list(minutes)
    return {
        "SentEmailDeferred": [(m, deferred) for m in when],
        "SentEmailNotified": [(m, notified) for m in when],
    }


# Pauses of five minutes, then twice as long each time, an hour at most: of three customers' notices.
BACKING_OFF = [FAULT + minute for minute in (0, 5, 15, 35, 75, 135)]
ORDINARY_RUNS = {"RunsSilent": each(5), "RunsUnbalanced": each(5), "RunsUnreached": each(5)}

ROWS: dict[str, list[Row]] = {
    "IntakeLate": [late("RunQueue", 1800), late("DocumentQueue", 1800)],
    "SendingLate": [
        late("DecideQueue", 1800), late("EmailQueue", 14400), late("SmsQueue", 14400), late("UrgentQueue", 300),
    ],
    "AlertingLate": [late("MessageFileQueue", 1800), late("SevereQueue", 300), late("ExceptionQueue", 300)],
    "AnswersLate": [
        late(f"{name}Queue", 1800) for name in ("Receipt", "Response", "Reply", "Preference", "Export")
    ],
    "IntakeDeadLetters": letters("RunDeadLetters", "DocumentDeadLetters"),
    "SendingDeadLetters": letters(*(f"{name}DeadLetters" for name in ("Decide", "Email", "Sms", "Urgent"))),
    "AlertingDeadLetters": letters(*(f"{name}DeadLetters" for name in ("MessageFile", "Severe", "Exception"))),
    "AnswersDeadLetters": letters(
        *(f"{name}DeadLetters" for name in ("Receipt", "Response", "Reply", "Preference", "Export")), "ExportFailures"
    ),
    "IntakeRules": [
        event(f"FailedInvocations {name}Rule") for name in ("RunSealed", "IndexFile", "DocumentComposed")
    ],
    "AlertingRules": [
        event(f"FailedInvocations {name}Rule")
        for name in ("MessageFile", "SevereRaised", "ExceptionRaised", "UnnamedSource")
    ],
    "AnswersRules": [
        event(f"FailedInvocations {name}Rule")
        for name in ("SesEvent", "ExstreamDelivery", "BounceMail", "CustomerResponded", "PreferencesChanged")
    ],
    **{
        f"{name}FunctionFailing": [
            schedule(f"{name}Function", minutes), silent_schedule(f"{name}Function", minutes),
        ]
        for name, minutes in {
            "ReleaseDue": 1, "StartJourneys": 1, "ReportDeadLetters": 5, "WatchRuns": 5, "PollReceipts": 15,
        }.items()
    },
    "FollowUpMachineExecutions": [event("ExecutionsFailed FollowUpMachine"), event("ExecutionsTimedOut FollowUpMachine")],
    "HttpApiServerErrors": [
        Row(
            {"5xx HttpApi": each(1, 1, FAULT, REPAIR), "Count HttpApi": each(1, 5)},
            # A few errors in much traffic, and single ones in little.
            [http(1, 100), {"5xx HttpApi": each(30, 1), "Count HttpApi": each(30, 1)}, {}],
            signs=0,
        ),
        # Two customers an hour meet an error: five have to within a quarter of an hour.
        Row({"5xx HttpApi": each(3, 1, FAULT, REPAIR), "Count HttpApi": each(3, 1)}, []),
    ],
    "RunSilent": [Row({"RunsSilent": grown([(FAULT, 1), (REPAIR, 0)], 5)}, [ORDINARY_RUNS, {}])],
    "RunUnbalanced": [
        Row(
            # One has been unbalanced for days, and another comes.
            {"RunsUnbalanced": grown([(BEFORE, 1), (FAULT, 2)], 5)},
            [
                ORDINARY_RUNS,
                {"RunsUnbalanced": each(5, 1)},
                {"RunsUnbalanced": grown([(BEFORE, 2), (200, 1)], 5)},
                # Nobody looks at the runs for two hours.
                {"RunsUnbalanced": each(5, 1, end=200) + each(5, 1, start=320)},
            ],
        )
    ],
    "NobodyReached": [
        Row({"RunsUnreached": grown([(FAULT, 1), (FAULT + 5, 0)], 5)}, [ORDINARY_RUNS]),
        Row({"DeadlinesMissed": [(FAULT, 3), (FAULT, 2)]}, [{"DeadlinesMissed": each(60, 1)}]),
    ],
    "ProviderFailing": [
        Row(
            {"SentEmailDeferred": [(m, 3) for m in BACKING_OFF if m < REPAIR]},
            [
                sending(0, 400, range(NIGHT)),
                # One minute's throttling, and its second try.
                sending(300, 100, (FAULT, FAULT + 1)) | {"SentSmsNotified": each(7, 20)},
                # One in ten is put off all night.
                sending(40, 360, range(NIGHT)),
                # A single message that is put off again and again.
                sending(1, 0, BACKING_OFF),
            ],
        ),
        Row({"SentSmsDeferred": each(1, 20, FAULT, REPAIR), **sending(0, 4000, range(NIGHT))}, []),
    ],
    "RunUnusable": [event("RunsUnusable")],
    "RunHeld": [event("RunsHeld")],
    "RunMissing": [event("RunsMissing")],
    "ReceiptsMissing": [
        Row(
            {"PollOverdue": each(15, 50, FAULT, REPAIR)},
            [{"PollOverdue": each(15, 6), "ReceiptDelivered": each(1, 30)}, {"PollOverdue": each(15, 4)}, {}],
        )
    ],
    "AlertUndelivered": [
        event("AlertUndelivered"),
        # A team has been unreached for days, and another comes. Each look is a minute later than the last.
        Row(
            {"TeamsUnreached": grown([(BEFORE, 1), (FAULT, 2)], 60)},
            [
                {"TeamsUnreached": each(60)},
                {"TeamsUnreached": each(61, 1)},
                {"TeamsUnreached": grown([(BEFORE, 2), (200, 1)], 60)},
                {"TeamsUnreached": each(60, 1, end=180) + each(60, 1, start=420)},
                {},
            ],
        ),
    ],
    "BounceRate": [
        Row({"EmailBounceRate": grown([(BEFORE, 1.5), (FAULT, 7), (REPAIR, 2)], 15)}, [{"EmailBounceRate": each(15, 4.9)}])
    ],
    "ComplaintRate": [
        Row(
            {"EmailComplaintRate": grown([(BEFORE, 0.02), (FAULT, 0.2), (REPAIR, 0.05)], 15)},
            [{"EmailComplaintRate": each(15, 0.1)}],
        )
    ],
}  # fmt: skip


def resolved(value: Any) -> Any:
    """Properties with the names of resources in place of their references."""
    if isinstance(value, dict):
        if len(value) == 1 and set(value) <= {"Ref", "Fn::Sub"}:
            return next(iter(value.values()))
        return {key: resolved(inner) for key, inner in value.items()}
    return [resolved(inner) for inner in value] if isinstance(value, list) else value


def alarm_of(name: str) -> MetricAlarm:
    return MetricAlarm.of(name, resolved(ALARMS[name]["Properties"]))


def composite_of(name: str) -> CompositeAlarm:
    properties = resolved(PAGES[name]["Properties"])
    return rule_of(
        name, properties | {"AlarmRule": properties["AlarmRule"].replace("${", "").replace("}", "")}
    )


def states(alarm: MetricAlarm, reports: Mapping[str, Reports], until: int = NIGHT) -> list[State]:
    """The alarm's state at each minute of a night."""
    book = MetricBook(Clock(0.0, 0.0))
    by_name = {}
    for query in alarm.queries.values():
        _, name, dimensions = query.metric
        resource = next((value for key, value in dimensions if key != "service"), "")
        by_name[f"{name} {resource}".strip()] = query.metric
    assert by_name.keys() >= {key for key in reports if key not in ORDINARY_RUNS and "Sent" not in key}
    for key, points in reports.items():
        if key in by_name:
            namespace, name, dimensions = by_name[key]
            for minute, value in points:
                book.record(namespace, name, dimensions, value, at=minute * MINUTE)
    state, found = State.INSUFFICIENT_DATA, []
    for minute in range(1, until):
        state = alarm.state(book, minute * MINUTE, state)
        found.append(state)
    return found


def promised(name: str) -> tuple[int, int]:
    row = ALARMS[name]["Metadata"]["Watch"]
    return int(row["promise"]), int(row["clears"])


def test_every_alarm_has_a_row_and_every_row_an_alarm() -> None:
    assert ROWS.keys() == ALARMS.keys()
    assert all(any(row.nights for row in rows) for rows in ROWS.values())


def test_every_metric_of_an_alarm_makes_it_fire_or_holds_it_back() -> None:
    """A queue or rule that is added needs a row, too."""
    for name, rows in ROWS.items():
        read = {dict(q.metric[2]).get("QueueName", q.metric[1]) for q in alarm_of(name).queries.values()}
        told = {key.partition(" ")[2] or key for row in rows for key in row.fault}
        named = told | {
            key.partition(" ")[0] for row in rows for key in (*row.fault, *(k for n in row.nights for k in n))
        }
        assert read <= named, name


@pytest.mark.parametrize(("name", "row"), [(n, r) for n, rows in ROWS.items() for r in rows])
def test_a_fault_fires_within_the_promise_and_its_repair_clears(name: str, row: Row) -> None:
    promise, clears = promised(name)
    found = states(alarm_of(name), row.fault)
    on = [minute for minute, state in enumerate(found, 1) if state == State.ALARM]
    assert on, "it never fires"
    assert on[0] > FAULT + row.signs, "it fires without a fault"
    assert on[0] <= FAULT + row.signs + promise, f"{on[0] - FAULT - row.signs} minutes"
    assert on[-1] <= REPAIR + clears, "it stays on"


@pytest.mark.parametrize(
    ("name", "night"), [(n, night) for n, rows in ROWS.items() for r in rows for night in r.nights]
)
def test_an_ordinary_night_does_not_fire(name: str, night: Mapping[str, Reports]) -> None:
    assert State.ALARM not in states(alarm_of(name), night)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_that_pages_for_growth_pages_again_for_more(name: str) -> None:
    """Two days' letters, or runs, in one night: what lies there keeps no page away."""
    alarm = alarm_of(name)
    if not alarm.expression or "DIFF" not in alarm.expression:
        return
    (key, _), *_ = ROWS[name][-1].fault.items()
    found = states(alarm, {key: grown([(100, 1), (400, 2)])})
    first, second = turned_on(found)
    assert first in range(100, 107)
    assert second in range(400, 407)


@pytest.mark.parametrize("minutes", [1, 4, 7, 11, 16, 23])
def test_a_depth_that_rises_and_falls_for_hours_is_one_page(minutes: int) -> None:
    """Letters are moved back, fail again, and come back: quicker or slower than any point is long."""
    depths = [(100 + n * minutes, float(n % 2 == 0) * 5) for n in range(240 // minutes)]
    reports = {f"{DEPTH} DecideDeadLetters": grown(depths)}
    assert len(turned_on(states(alarm_of("SendingDeadLetters"), reports))) == 1


def turned_on(found: Sequence[State]) -> list[int]:
    """The minutes at which an alarm came on."""
    return [minute for minute, (a, b) in enumerate(pairwise(found), 1) if a != b and b == State.ALARM]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_on_while_any_of_its_alarms_is(page: str) -> None:
    composite = composite_of(page)
    off = dict.fromkeys(composite.names, State.OK)
    assert not composite.rule(off)
    for child in composite.names:
        assert composite.rule(off | {child: State.ALARM})


@pytest.mark.parametrize("name", [*ALARMS])
def test_no_data_at_all_is_no_fault(name: str) -> None:
    """A stack that was just deployed pages nobody."""
    assert State.ALARM not in states(alarm_of(name), {}, until=90)
