"""Alarms against CloudWatch's documented cases, row by row."""

from typing import Any

import pytest

from exnotify.cloud.alarms import (
    AlarmBoard,
    AlarmError,
    CompositeAlarm,
    MetricAlarm,
    State,
    calculate,
    evaluate,
    rule_of,
)
from exnotify.cloud.clock import Clock
from exnotify.cloud.metrics import MetricBook, series

OK, ALARM, NO_DATA = State.OK, State.ALARM, State.INSUFFICIENT_DATA
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
RETAIN = None  # the state before

# "How alarm state is evaluated when data is missing", both tables: points, then a state by treatment.
THREE_OF_THREE = [
    ("0-X-X", (OK, OK, OK, OK)),
    ("0----", (OK, OK, OK, OK)),
    ("-----", (NO_DATA, RETAIN, ALARM, OK)),
    ("0XX-X", (ALARM, ALARM, ALARM, ALARM)),
    ("--X--", (ALARM, RETAIN, ALARM, OK)),
]
TWO_OF_THREE = [
    ("0-X-X", (ALARM, ALARM, ALARM, ALARM)),
    ("00X0X", (ALARM, ALARM, ALARM, ALARM)),
    ("0-X--", (OK, OK, ALARM, OK)),
    ("----0", (OK, OK, ALARM, OK)),
    ("---X-", (ALARM, RETAIN, ALARM, OK)),
]
# "Avoiding premature transitions to alarm state": not yet in alarm while missing counts as missing.
PREMATURE = [("----X", 3), ("---X-", 3), ("----X", 2)]


def read(text: str) -> list[bool | None]:
    return [{"0": False, "X": True, "-": None}[letter] for letter in text]


def rows() -> list[Any]:
    tables = ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    return [
        pytest.param(points, enough, treatment, state, id=f"{enough}of3 {points} {treatment}")
        for enough, table in tables
        for points, states in table
        for treatment, state in zip(TREATMENTS, states, strict=True)
    ]


@pytest.mark.parametrize("before", [OK, ALARM])
@pytest.mark.parametrize(("points", "enough", "treatment", "state"), rows())
def test_the_documented_tables(
    points: str, enough: int, treatment: str, state: State | None, before: State
) -> None:
    assert evaluate(read(points), 3, enough, treatment, before) == (before if state is RETAIN else state)


@pytest.mark.parametrize(("points", "enough"), PREMATURE)
def test_the_documented_premature_cases(points: str, enough: int) -> None:
    assert evaluate(read(points), 3, enough, "missing", OK) != ALARM


def test_only_the_most_recent_of_more_points_count() -> None:
    assert evaluate(read("XX000"), 3, 1, "breaching", ALARM) == OK
    assert evaluate(read("00XX0"), 3, 2, "missing", OK) == ALARM


# --- metric math -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("a + b", [3.0, None, None]),
        ("FILL(a, 0) + FILL(b, 0)", [3.0, 4.0, 5.0]),
        ("100 * a / b", [50.0, None, None]),
        ("IF(b >= 2, 100 * FILL(a, 0) / b, 0)", [50.0, 0.0, 0.0]),
        ("IF(a >= 4, a, 7)", [7.0, 4.0, 7.0]),
        ("a / 0", [None, None, None]),
        ("DIFF(a)", [None, 3.0, None]),
        ("DIFF(b)", [None, None, 3.0]),  # with the last value before it
        ("(DIFF(FILL(a, 0)) > 0) + (DIFF(FILL(b, 0)) > 0)", [None, 1.0, 1.0]),
        ("FILL(a, REPEAT)", [1.0, 4.0, 4.0]),
        ("FILL(b, REPEAT)", [2.0, 2.0, 5.0]),
        ("FILL(DIFF(b), REPEAT)", [None, None, 3.0]),  # nothing to repeat before the first value
    ],
)
def test_metric_math(expression: str, result: list[float | None]) -> None:
    assert calculate(expression, {"a": [1.0, 4.0, None], "b": [2.0, None, 5.0]}) == result


@pytest.mark.parametrize("expression", ["c", "SEARCH('x', 'Sum')", "a ** 2", "a +", "FILL(a, LINEAR)"])
def test_math_that_is_not_known_is_refused(expression: str) -> None:
    with pytest.raises(AlarmError):
        calculate(expression, {"a": [1.0]})


# --- alarms on metrics -----------------------------------------------------------------------------


def alarm(**changes: Any) -> MetricAlarm:
    properties = {
        "Namespace": "N",
        "MetricName": "M",
        "Dimensions": [{"Name": "q", "Value": "1"}],
        "Period": 60,
        "Statistic": "Maximum",
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 10,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **changes,
    }
    return MetricAlarm.of("one", properties)


@pytest.fixture
def book() -> MetricBook:
    return MetricBook(Clock(0.0, 0.0))


def test_an_alarm_reads_whole_periods_of_its_own_metric(book: MetricBook) -> None:
    for minute, value in ((0, 50), (1, 11), (2, 10), (3, 12)):
        book.record("N", "M", {"q": "1"}, value, at=minute * 60 + 5)
        book.record("N", "M", {"q": "1"}, 1, at=minute * 60 + 6)
        book.record("N", "M", {"q": "2"}, 99, at=minute * 60)
        book.record("N", "M", {}, 99, at=minute * 60)
    assert alarm().points(book, until=245) == [None, 50, 11, 10, 12]
    assert alarm(Statistic="Sum").points(book, until=239) == [None, None, 51, 12, 11]
    assert alarm().state(book, 245, OK) == ALARM
    assert alarm(DatapointsToAlarm=3).state(book, 245, OK) == OK
    # And it clears once the periods have gone by.
    assert alarm().state(book, 60 * 8, ALARM) == OK


def test_a_longer_period_is_put_together_from_minutes(book: MetricBook) -> None:
    for minute in range(10):
        book.record("N", "M", {"q": "1"}, minute, at=minute * 60)
    got = book.points(series("N", "M", {"q": "1"}), "Average", 300, 600.0, 2)
    assert got == [2.0, 7.0]


def test_the_periods_slide_with_the_minute(book: MetricBook) -> None:
    for minute in (3, 4, 5, 6):
        book.record("N", "M", {"q": "1"}, 4, at=minute * 60)
    five_minutes = alarm(Statistic="Sum", Period=300, EvaluationPeriods=1, DatapointsToAlarm=1)
    assert [five_minutes.points(book, until=60.0 * n)[-1] for n in (4, 6, 7, 8, 9, 12)] == [
        4.0, 12.0, 16.0, 16.0, 12.0, None,
    ]  # fmt: skip
    assert [five_minutes.state(book, 60.0 * n, OK) for n in (5, 6, 9)] == [OK, ALARM, ALARM]


@pytest.mark.parametrize(
    "changes",
    [
        {"ComparisonOperator": "LessThanLowerThreshold"},
        {"TreatMissingData": "never"},
        {"DatapointsToAlarm": 4},
        {"Period": 45},
        {"Period": 3540, "EvaluationPeriods": 25},
        {"Period": 3600, "EvaluationPeriods": 169},
        {"Statistic": "p99"},
    ],
)
def test_an_alarm_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(AlarmError):
        alarm(**changes)


def test_a_period_of_an_hour_may_look_back_for_a_week() -> None:
    assert alarm(Period=3600, EvaluationPeriods=168).periods == 168


def test_an_expression_reads_ten_metrics_at_most() -> None:
    def of(number: int) -> MetricAlarm:
        metric = {"Namespace": "N", "MetricName": "M", "Dimensions": []}
        stats = [
            {"Id": f"m{n}", "MetricStat": {"Metric": metric, "Stat": "Sum", "Period": 60}}
            for n in range(number)
        ]
        names = " + ".join(f"m{n}" for n in range(number))
        return alarm(Metrics=[{"Id": "e", "Expression": names, "ReturnData": True}, *stats])

    assert len(of(10).queries) == 10
    with pytest.raises(AlarmError, match="10 metrics at most"):
        of(11)


# --- composite alarms ------------------------------------------------------------------------------


def composite(text: str, **more: Any) -> CompositeAlarm:
    return rule_of("c", {"AlarmRule": text, "AlarmActions": ["topic"], **more})


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('ALARM("a")', True),
        ('ALARM("b") OR ALARM("a")', True),
        ("ALARM(a) AND OK(b)", True),
        ('ALARM("a") AND NOT OK("b")', False),
        ('NOT (ALARM("a") OR ALARM("b"))', False),
        ('OK("a") OR INSUFFICIENT_DATA("c") AND ALARM("a")', True),
        ("FALSE OR TRUE", True),
    ],
)
def test_a_rule_over_other_alarms(text: str, holds: bool) -> None:
    assert composite(text).rule({"a": ALARM, "b": OK, "c": NO_DATA}) is holds


@pytest.mark.parametrize("text", ['ALARM("a"', "ALARM(a) OR", "MAYBE(a)", "ALARM(a) ALARM(b)", "", ")"])
def test_a_rule_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(AlarmError):
        composite(text)


def test_a_suppressed_alarm_does_not_page(book: MetricBook) -> None:
    first = composite('ALARM("one")')
    second = composite('ALARM("one")', ActionsSuppressor="arn:aws:cloudwatch:r:1:alarm:first")
    board = AlarmBoard({"one": alarm()}, {"first": first, "second": second}, book)
    for minute in range(3):
        book.record("N", "M", {"q": "1"}, 11, at=minute * 60)
    board.evaluate(180)
    assert (board.states["first"], board.states["second"]) == (ALARM, ALARM)
    assert (board.pages("first"), board.pages("second")) == (True, False)
    assert not board.pages("one"), "it has no actions"
    assert [(c.name, c.state) for c in board.changes] == [("one", ALARM), ("first", ALARM), ("second", ALARM)]
    board.evaluate(60 * 9)
    assert set(board.states.values()) == {OK}


def test_an_alarm_with_actions_pages_by_itself(book: MetricBook) -> None:
    board = AlarmBoard({"one": alarm(AlarmActions=["topic"]), "two": alarm()}, {}, book)
    for minute in range(3):
        book.record("N", "M", {"q": "1"}, 11, at=minute * 60)
    board.evaluate(180)
    assert [(row["alarm"], row["pages"]) for row in board.rows(180)] == [("one", True), ("two", False)]
