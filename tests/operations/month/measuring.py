"""Metrics and alarms over a month: the embedded cloud's own evaluation, done only where something moved.

What an alarm's points were a minute ago they are still, unless one of its metrics got another value within the
minutes that it looks at. So each metric remembers when it last changed, and an alarm whose metrics have all
stood still for longer than its window keeps its state.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from exnotify.cloud.alarms import AlarmBoard, Change, CompositeAlarm, MetricAlarm, State, rule_of
from exnotify.cloud.clock import Clock
from exnotify.cloud.metrics import MINUTE, DataPoint, MetricBook, Series
from exnotify.cloud.pages import Pager

EXTRA = 3  # data points beyond the evaluation periods that an alarm may look at
_KEPT = 2 * 24 * 60 + 120  # minutes

TOPIC = {"Ref": "AlarmTopicArn"}


class MonthBook(MetricBook):
    """Data points by minute of the played time, and gauges, which have a value each minute."""

    def __init__(self) -> None:
        super().__init__(Clock(0.0, 0.0))
        self._gauges: dict[Series, int] = {}
        self._last: dict[Series, int] = {}
        self._touched: dict[int, set[Series]] = defaultdict(set)
        self._before: dict[Series, tuple[float, ...]] = {}
        self.changed: dict[Series, int] = {}

    def record(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str] | Iterable[tuple[str, str]],
        value: float,
        at: float | None = None,
    ) -> None:
        """One value at a time, in seconds; see `MetricBook.record`."""
        assert at is not None
        one = (namespace, name, frozenset(dict(dimensions).items()))
        minute = int(at // MINUTE)
        self._touched[minute].add(one)
        self._last[one] = max(minute, self._last.get(one, -1))
        points = self._minutes[one]
        points.setdefault(minute, DataPoint()).add(value)
        if len(points) > _KEPT:
            del points[next(iter(points))]

    def gauge(
        self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, at: float
    ) -> None:
        """A value that is reported each minute, and is nought where nothing else was said."""
        one = (namespace, name, frozenset(dimensions.items()))
        self._gauges.setdefault(one, int(at // MINUTE))
        if value:
            self.record(namespace, name, dimensions, value, at)

    def close(self, minute: int) -> None:
        """A minute is over: note which metrics have another value than the minute before."""
        for one in self._touched.pop(minute, set()) | set(self._before):
            point = self._minutes[one].get(minute)
            if point is None:
                del self._before[one]
                self.changed[one] = minute
            elif (values := (point.count, point.total, point.lowest, point.highest)) != self._before.get(one):
                self._before[one] = values
                self.changed[one] = minute

    def points(
        self, wanted: Series, statistic: str, period: int, until: float, number: int
    ) -> list[float | None]:
        """See `MetricBook.points`."""
        minutes = self._minutes.get(wanted, {})
        since = self._gauges.get(wanted)
        each, end = period // MINUTE, int(until // MINUTE)
        first = end - number * each
        if self._last.get(wanted, -1) < first and (since is None or since <= first):
            nought = float(each) if statistic == "SampleCount" else 0.0
            return [None if since is None else nought] * number
        found: list[float | None] = []
        for start in range(first, end, each):
            merged = DataPoint()
            for minute in range(start, start + each):
                if (point := minutes.get(minute)) is not None:
                    merged.merge(point)
                elif since is not None and minute >= since:
                    merged.add(0.0)
            found.append(merged.statistic(statistic) if merged.count else None)
        return found


class MonthBoard(AlarmBoard):
    """Every alarm of monitoring.yaml, and the pages that came of them."""

    def __init__(self, monitoring: Mapping[str, Any], book: MonthBook) -> None:
        resources = monitoring["Resources"]
        alarms: dict[str, MetricAlarm] = {}
        composites: dict[str, CompositeAlarm] = {}
        found: dict[str, Any] = {}
        for name, resource in resources.items():
            properties = _resolved(resource["Properties"], resources)
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                alarms[name] = MetricAlarm.of(name, properties)
            elif resource["Type"] == "AWS::CloudWatch::CompositeAlarm":
                composites[name] = rule_of(name, properties)
            else:
                continue
            found[name] = {
                "Properties": {**properties, "AlarmActions": resource["Properties"].get("AlarmActions", [])}
            }
        super().__init__(alarms, _in_order(composites), book)
        self.pager = Pager.of(found, TOPIC)
        self._changes_of = book.changed
        self._windows = {name: _window(alarm) for name, alarm in alarms.items()}
        self._series = {name: [q.metric for q in alarm.queries.values()] for name, alarm in alarms.items()}

    @property
    def alarms(self) -> Mapping[str, MetricAlarm]:
        """The metric alarms by logical id."""
        return self._alarms

    def evaluate(self, until: float) -> None:
        """Every alarm's state at `until`, the end of a minute; then the pages."""
        minute = int(until // MINUTE)
        changed = False
        for name, alarm in self._alarms.items():
            last = max(self._changes_of.get(one, -1) for one in self._series[name])
            if minute - last > self._windows[name] and self.states[name] != State.INSUFFICIENT_DATA:
                continue
            changed |= self._set(name, alarm.state(self._book, until, self.states[name]), until)
        if changed:
            for name, composite in self._composites.items():
                self._set(name, State.ALARM if composite.rule(self.states) else State.OK, until)
        self.pager.step(until, self.states)

    def _set(self, name: str, state: State, at: float) -> bool:
        if state == self.states[name]:
            return False
        self.states[name] = state
        self.changes.append(Change(at, name, state))
        return True

    def on(self) -> list[str]:
        """The metric alarms that are in alarm."""
        return [name for name in self._alarms if self.states[name] == State.ALARM]

    def behind(self, page: str) -> list[str]:
        """The metric alarms in alarm that a paging alarm names, itself or by its parts."""
        if page in self._alarms:
            return [page]
        names = self._composites[page].names
        return [
            alarm for name in sorted(names) if self.states[name] == State.ALARM for alarm in self.behind(name)
        ]


def _window(alarm: MetricAlarm) -> int:
    """Minutes after which a metric that stands still changes an alarm no more."""
    return (alarm.periods + EXTRA + 1) * alarm.period // MINUTE


def _in_order(composites: Mapping[str, CompositeAlarm]) -> dict[str, CompositeAlarm]:
    """Each after those that it names."""
    found: dict[str, CompositeAlarm] = {}

    def add(name: str) -> None:
        for named in composites[name].names & set(composites):
            add(named)
        found.setdefault(name, composites[name])

    for name in composites:
        add(name)
    return found


def _resolved(value: Any, resources: Mapping[str, Any]) -> Any:
    """Ref, Sub and GetAtt as names: a watched resource and an alarm are called by their logical ids."""
    if isinstance(value, Mapping):
        if set(value) == {"Ref"}:
            return value["Ref"]
        if set(value) == {"Fn::GetAtt"}:
            return value["Fn::GetAtt"][0]
        if set(value) == {"Fn::Sub"}:
            return value["Fn::Sub"].replace("${", "").replace("}", "")
        return {key: _resolved(one, resources) for key, one in value.items()}
    if isinstance(value, list):
        return [_resolved(one, resources) for one in value]
    return value
