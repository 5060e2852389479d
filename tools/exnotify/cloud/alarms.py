"""CloudWatch's alarms: when data points become a state, and how states become one page.

After "Configuring how CloudWatch alarms treat missing data" and "Using metric math" (CloudWatch user guide).
The evaluation range (how many data points CloudWatch retrieves to make up for missing ones) is documented
by example only: 5 for 3 evaluation periods. Two more than the evaluation periods is taken here. Windows
slide, which is CloudWatch's default.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import accumulate
from typing import Any

from .metrics import MINUTE, MetricBook, Series, series

EXTRA = 2  # data points that are retrieved beyond the evaluation periods

Points = list[float | None]


class AlarmError(ValueError):
    """An alarm that CloudWatch would refuse, or that is not known here."""


class State(StrEnum):
    """An alarm's state, as CloudWatch writes it."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


# ---- data points to state ----

_BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
_MATH_METRICS = 10
_DAY = 86_400


def evaluate(
    breaching: Sequence[bool | None], periods: int, enough: int, missing: str, before: State
) -> State:
    """The state after data points (oldest first, None: missing) of a whole evaluation range.

    `periods` of them count, `enough` of which must breach. `before` is the state until now.
    """
    real = [point for point in breaching if point is not None]
    if len(real) >= periods:
        # Enough real ones, from farther back where recent ones are missing: the treatment is not needed.
        return State.ALARM if sum(real[-periods:]) >= enough else State.OK
    filled = periods - len(real)
    if missing == "breaching":
        return State.ALARM if sum(real) + filled >= enough else State.OK
    if sum(real) >= enough:
        return State.ALARM
    if missing == "notBreaching" or False in real:
        return State.OK
    if missing == "ignore":
        return before
    return State.ALARM if _premature_no_more(breaching, enough) else State.INSUFFICIENT_DATA


def _premature_no_more(breaching: Sequence[bool | None], enough: int) -> bool:
    """ "Avoiding premature transitions": nothing but breaching ones, the oldest as old as `enough` points."""
    oldest = next((n for n, point in enumerate(breaching) if point), None)
    return oldest is not None and len(breaching) - oldest >= enough


# ---- metric math, as far as it is used ----

_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: lambda a, b: float(a > b),
    ast.GtE: lambda a, b: float(a >= b),
    ast.Lt: lambda a, b: float(a < b),
    ast.LtE: lambda a, b: float(a <= b),
}


def calculate(expression: str, metrics: Mapping[str, Points]) -> Points:
    """An expression over time series: + - * /, comparisons, FILL(series, number), FILL(series, REPEAT),
    IF(a, b, c), DIFF(series).

    A point of which an operand is missing is missing, and so are a division by zero and the first DIFF. FILL
    fills the whole range, also of a metric that was never reported; with REPEAT only from its first value on.
    AlarmError for anything else.
    """
    length = max((len(points) for points in metrics.values()), default=0)
    try:
        tree = _parsed(expression)
    except SyntaxError as error:
        raise AlarmError(f"expression {expression!r}: {error.msg}") from error
    return _value(tree, metrics, length)


@cache
def _parsed(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


def _value(node: ast.expr, metrics: Mapping[str, Points], length: int) -> Points:
    match node:
        case ast.Constant(value=int() | float() as number):
            return [float(number)] * length
        case ast.Name(id=name) if name in metrics:
            return list(metrics[name])
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            return _each(
                _OPERATORS[type(sign)], _value(left, metrics, length), _value(right, metrics, length)
            )
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _OPERATORS:
            return _each(
                _OPERATORS[type(sign)], _value(left, metrics, length), _value(right, metrics, length)
            )
        case ast.Call(func=ast.Name(id="FILL"), args=[of, ast.Constant(value=int() | float() as filler)]):
            return [float(filler) if p is None else p for p in _value(of, metrics, length)]
        case ast.Call(func=ast.Name(id="FILL"), args=[of, ast.Name(id="REPEAT")]):
            return list(accumulate(_value(of, metrics, length), _repeated))
        case ast.Call(func=ast.Name(id="DIFF"), args=[of]):
            return _differences(_value(of, metrics, length))
        case ast.Call(func=ast.Name(id="IF"), args=[test, then, otherwise]):
            # A missing condition counts as false: "if m1 has missing values, the expression is FALSE".
            chosen = zip(*(_value(part, metrics, length) for part in (test, then, otherwise)), strict=True)
            return [yes if condition else no for condition, yes, no in chosen]
    raise AlarmError(f"expression {ast.unparse(node)!r} is not known here")


def _repeated(last: float | None, point: float | None) -> float | None:
    return last if point is None else point


def _differences(points: Points) -> Points:
    found: Points = []
    before: float | None = None
    for point in points:
        found.append(None if point is None or before is None else point - before)
        before = before if point is None else point
    return found


def _each(sign: Callable[[float, float], float], left: Points, right: Points) -> Points:
    found: Points = []
    for a, b in zip(left, right, strict=True):
        try:
            found.append(None if a is None or b is None else sign(a, b))
        except ZeroDivisionError:
            found.append(None)
    return found


# ---- alarms as the template has them ----


@dataclass(frozen=True, slots=True)
class Query:
    """One metric that an alarm reads; `period` in seconds."""

    metric: Series
    statistic: str
    period: int


@dataclass(frozen=True, slots=True)
class MetricAlarm:
    """A metric alarm. With an `expression` the queries are its variables, else the one query counts.

    It `acts` where it has actions: it pages by itself.
    """

    name: str
    text: str
    queries: Mapping[str, Query]
    expression: str | None
    comparison: str
    threshold: float
    periods: int
    enough: int
    missing: str
    acts: bool = False

    @classmethod
    def of(cls, name: str, properties: Mapping[str, Any]) -> "MetricAlarm":
        """From the properties of AWS::CloudWatch::Alarm. Raises AlarmError, KeyError for a missing one."""
        expression = None
        if "Metrics" in properties:
            queries = {}
            for row in properties["Metrics"]:
                if "Expression" in row:
                    if expression is not None or not row.get("ReturnData", True):
                        raise AlarmError("Metrics: one expression, which returns data, is known here")
                    expression = str(row["Expression"])
                else:
                    stat = row["MetricStat"]
                    queries[row["Id"]] = _query(stat["Metric"], stat["Stat"], stat["Period"])
            calculate(expression or "0", {key: [None] for key in queries})
        else:
            queries = {"m": _query(properties, properties["Statistic"], properties["Period"])}
        periods = int(properties["EvaluationPeriods"])
        alarm = cls(
            name,
            str(properties.get("AlarmDescription", "")),
            queries,
            expression,
            properties["ComparisonOperator"],
            float(properties["Threshold"]),
            periods,
            int(properties.get("DatapointsToAlarm", periods)),
            properties.get("TreatMissingData", "missing"),
            bool(properties.get("AlarmActions")),
        )
        alarm._check()
        return alarm

    def _check(self) -> None:
        if len({query.period for query in self.queries.values()}) != 1:
            raise AlarmError("Metrics: all must have one period")
        if self.comparison not in _BREACHES:
            raise AlarmError(f"ComparisonOperator {self.comparison} is not known here")
        if self.missing not in _TREATMENTS:
            raise AlarmError(f"TreatMissingData {self.missing} is none of {', '.join(_TREATMENTS)}")
        if not 1 <= self.enough <= self.periods:
            raise AlarmError("DatapointsToAlarm must be from 1 to EvaluationPeriods")
        if len(self.queries) > _MATH_METRICS:
            raise AlarmError(f"Metrics: an alarm reads {_MATH_METRICS} metrics at most")
        if self.period * self.periods > (_DAY if self.period < 3600 else 7 * _DAY):
            raise AlarmError("Period times EvaluationPeriods is more than a day, or a week of hours")

    @property
    def period(self) -> int:
        """Seconds of one data point."""
        return next(iter(self.queries.values())).period

    def state(self, book: MetricBook, until: float, before: State) -> State:
        """The state at `until`, in seconds of the cloud's clock."""
        points = self.points(book, until)
        breaches = _BREACHES[self.comparison]
        breaching = [None if point is None else breaches(point, self.threshold) for point in points]
        return evaluate(breaching, self.periods, self.enough, self.missing, before)

    def points(self, book: MetricBook, until: float) -> Points:
        """The data points of the evaluation range, oldest first."""
        number = self.periods + EXTRA
        found = {
            key: book.points(query.metric, query.statistic, query.period, until, number)
            for key, query in self.queries.items()
        }
        return found["m"] if self.expression is None else calculate(self.expression, found)


def _query(metric: Mapping[str, Any], statistic: str, period: Any) -> Query:
    if statistic not in ("Sum", "Maximum", "Minimum", "Average", "SampleCount"):
        raise AlarmError(f"Statistic {statistic} is not known here")
    if int(period) % MINUTE:
        raise AlarmError("Period must be a multiple of 60")
    dimensions = {row["Name"]: str(row["Value"]) for row in metric.get("Dimensions", ())}
    return Query(series(metric["Namespace"], metric["MetricName"], dimensions), statistic, int(period))


# ---- composite alarms ----

_TOKEN = re.compile(
    r'\s*(?:(\()|(\))|(AND|OR|NOT|TRUE|FALSE)\b|(ALARM|OK|INSUFFICIENT_DATA)\(\s*"?([^")]+?)"?\s*\))'
)
Rule = Callable[[Mapping[str, State]], bool]


@dataclass(frozen=True, slots=True)
class CompositeAlarm:
    """A composite alarm: `rule` on the states of the alarms it `names`; `suppressor` keeps it from paging.

    It `acts` where it has actions.
    """

    name: str
    text: str
    rule: Rule
    names: frozenset[str]
    suppressor: str | None = None
    acts: bool = False


def rule_of(name: str, properties: Mapping[str, Any]) -> CompositeAlarm:
    """From the properties of AWS::CloudWatch::CompositeAlarm. Raises AlarmError."""
    text = str(properties["AlarmRule"])
    names: set[str] = set()
    tokens = _tokens(text)
    rule, rest = _or(tokens, names)
    if rest:
        raise AlarmError(f"AlarmRule: {rest[0]!r} is unexpected")
    suppressor = properties.get("ActionsSuppressor")
    return CompositeAlarm(
        name,
        str(properties.get("AlarmDescription", "")),
        rule,
        frozenset(names),
        str(suppressor).rpartition("alarm:")[2] if suppressor else None,
        bool(properties.get("AlarmActions")),
    )


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise AlarmError(f"AlarmRule: {text[at : at + 40]!r} cannot be read")
        opened, closed, word, state, of = match.groups()
        found.append((opened or closed or word or state, of or ""))
        at = match.end()
    return found


def _or(tokens: list[tuple[str, str]], names: set[str]) -> tuple[Rule, list[tuple[str, str]]]:
    rule, tokens = _and(tokens, names)
    while tokens and tokens[0][0] == "OR":
        other, tokens = _and(tokens[1:], names)
        rule = _either(rule, other)
    return rule, tokens


def _and(tokens: list[tuple[str, str]], names: set[str]) -> tuple[Rule, list[tuple[str, str]]]:
    rule, tokens = _one(tokens, names)
    while tokens and tokens[0][0] == "AND":
        other, tokens = _one(tokens[1:], names)
        rule = _both(rule, other)
    return rule, tokens


def _either(a: Rule, b: Rule) -> Rule:
    return lambda states: a(states) or b(states)


def _both(a: Rule, b: Rule) -> Rule:
    return lambda states: a(states) and b(states)


def _one(tokens: list[tuple[str, str]], names: set[str]) -> tuple[Rule, list[tuple[str, str]]]:
    if not tokens:
        raise AlarmError("AlarmRule ends too early")
    (word, of), rest = tokens[0], tokens[1:]
    if word == "NOT":
        inner, rest = _one(rest, names)
        return (lambda states: not inner(states)), rest
    if word == "(":
        inner, rest = _or(rest, names)
        if not rest or rest[0][0] != ")":
            raise AlarmError("AlarmRule: a parenthesis stays open")
        return inner, rest[1:]
    if word in ("TRUE", "FALSE"):
        return (lambda states: word == "TRUE"), rest
    if word in State.__members__:
        names.add(of)
        return (lambda states: states[of] == word), rest
    raise AlarmError(f"AlarmRule: {word} is unexpected")


# ---- all of a stack's alarms ----


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm that changed its state; `at` in seconds of the cloud's clock."""

    at: float
    name: str
    state: State


class AlarmBoard:
    """The states of all alarms, brought up to date minute by minute."""

    def __init__(
        self, alarms: Mapping[str, MetricAlarm], composites: Mapping[str, CompositeAlarm], book: MetricBook
    ) -> None:
        self._alarms = dict(alarms)
        self._composites = dict(composites)
        self._book = book
        self.states: dict[str, State] = dict.fromkeys([*alarms, *composites], State.INSUFFICIENT_DATA)
        self.changes: list[Change] = []

    def evaluate(self, until: float) -> None:
        """Every alarm's state at `until`; composite alarms after those that they name."""
        found = {
            name: alarm.state(self._book, until, self.states[name]) for name, alarm in self._alarms.items()
        }
        for name, composite in self._composites.items():  # deployed, so named, in order
            found[name] = State.ALARM if composite.rule(found) else State.OK
        for name, state in found.items():
            if state != self.states[name]:
                self.changes.append(Change(until, name, state))
        self.states = found

    def pages(self, name: str) -> bool:
        """Whether an alarm pages now: it is in alarm, has actions, and is not suppressed."""
        alarm = self._composites.get(name) or self._alarms[name]
        suppressor = alarm.suppressor if isinstance(alarm, CompositeAlarm) else None
        suppressed = suppressor is not None and self.states[suppressor] == State.ALARM
        return alarm.acts and self.states[name] == State.ALARM and not suppressed

    def rows(self, until: float) -> list[dict[str, Any]]:
        """Every alarm for people: those in alarm first, of these those that page."""
        rows: list[dict[str, Any]] = [
            {
                "alarm": name,
                "state": str(self.states[name]),
                "pages": self.pages(name),
                "composite": True,
                "since": self._since(name),
                "points": [],
                "threshold": None,
                "text": composite.text,
            }
            for name, composite in self._composites.items()
        ]
        rows += [
            {
                "alarm": name,
                "state": str(self.states[name]),
                "pages": self.pages(name),
                "composite": False,
                "since": self._since(name),
                "points": alarm.points(self._book, until),
                "threshold": alarm.threshold,
                "text": alarm.text,
            }
            for name, alarm in self._alarms.items()
        ]
        return sorted(rows, key=lambda row: (row["state"] != State.ALARM, not row["pages"]))

    def _since(self, name: str) -> float | None:
        return next((change.at for change in reversed(self.changes) if change.name == name), None)
