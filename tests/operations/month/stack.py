"""The stack in played time: template.yaml's functions, queues and schedules, each doing what AWS would.

Everything happens at its own time, and an invocation lasts as long as it moves the clock: then the clock goes back
to when it began, since others run beside it. What AWS measures is measured where AWS does; our own metrics are what
the handlers print. At the end of each minute the queues are looked at and the alarms evaluated.
"""

import contextlib
import heapq
import io
import json
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from exnotify.cloud.functions import Outcome
from exnotify.cloud.logs import embedded_metrics
from exnotify.cloud.metrics import MINUTE
from exnotify.cloud.poller import failed_items
from exnotify.cloud.schedules import parse_schedule
from exnotify.operations.monitoring import NESTED
from exnotify.operations.watch import TEMPLATE, read, target, watched
from tests.fakes import FakeClock

from .measuring import MonthBoard, MonthBook
from .queueing import Queue
from .site import MonthApp, handlers

TOOK = 0.2  # seconds that an invocation lasts beside what it waits for
THROTTLED_AGAIN = 20.0  # seconds until a throttled batch is tried again
BACKOFF = (60.0, 120.0)  # seconds before an asynchronous invocation's second and third attempt


class MonthClock(FakeClock):
    """A clock that can be taken back to when an invocation began."""

    def at(self, seconds: float) -> None:
        """It is that time."""
        self._now = datetime.fromtimestamp(seconds, self._now.tzinfo)

    @property
    def seconds(self) -> float:
        """Seconds since the epoch."""
        return self._now.timestamp()


@dataclass(slots=True)
class Source:
    """An event source mapping; `free` are the times at which its workers are free, `window` is in seconds."""

    function: str
    queue: Queue
    batch: int
    window: float
    partial: bool
    free: list[float]
    blocked: float = 0.0


@dataclass
class Context:
    """What Lambda tells an invocation."""

    clock: MonthClock
    ends: float
    function_name: str
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:month"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """See Lambda."""
        return max(int((self.ends - self.clock.seconds) * 1000), 0)


@dataclass(frozen=True, slots=True)
class Paged:
    """A page, and the alarms that were behind it; `at` in seconds since the epoch."""

    at: float
    alarm: str
    behind: tuple[str, ...]


@dataclass
class Troubles:
    """What is wrong with the stack now: names of functions, and in `stopped` of queues that are not read too."""

    crashing: set[str] = field(default_factory=set)
    throttled: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)  # schedules that do not fire, queues that are not polled
    once: Counter[str] = field(default_factory=Counter)  # invocations still to come that crash
    slow: dict[str, float] = field(default_factory=dict)  # seconds that each invocation lasts longer


class MonthStack:
    """See the module. `at` is when it starts (ISO 8601), `site` the folder of the site's own rules."""

    def __init__(self, site: Path, at: str) -> None:
        self.clock = MonthClock(at)
        template = read(TEMPLATE.read_text("utf-8"))
        self._resources = template["Resources"]
        self._parameters = {name: row.get("Default") for name, row in template["Parameters"].items()}
        self.queues = self._queues()
        self.app = MonthApp(self.clock, self.queues, site)
        names = watched(self._resources)["functions"]
        self._functions = {name: self._resources[name]["Properties"] for name in names}
        self._handlers = handlers(self.app, {name: p["CodeUri"] for name, p in self._functions.items()})
        self._sources = self._mapped()
        self.book = MonthBook()
        self.board = MonthBoard(read(NESTED.read_text("utf-8")), self.book)
        self.troubles = Troubles()
        self.invoked: Counter[str] = Counter()
        self.pages: list[Paged] = []
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._minute = int(self.clock.seconds // MINUTE)
        self._quiet: set[str] = set()
        self._schedule()

    # ---- the template ----

    def _queues(self) -> dict[str, Queue]:
        rows = {
            n: r.get("Properties", {}) for n, r in self._resources.items() if r["Type"] == "AWS::SQS::Queue"
        }
        fed = set(watched(self._resources)["fed_queues"])
        variables = self._resources["ReportDeadLettersFunction"]["Properties"]["Environment"]["Variables"]
        reported = {target(url) for url in variables["DEAD_LETTER_URLS"]["Fn::Join"][1]}
        found = {name: Queue(name, self.clock) for name in rows if "RedrivePolicy" not in rows[name]}
        for name, row in rows.items():
            if "RedrivePolicy" in row:
                policy = row["RedrivePolicy"]
                dead = found[target(policy["deadLetterTargetArn"])]
                visibility = float(row["VisibilityTimeout"])
                found[name] = Queue(name, self.clock, visibility, int(policy["maxReceiveCount"]), dead)
        for name, queue in found.items():
            queue.feeds = name in fed
            queue.reported = name in reported
        return found

    def _value(self, value: Any) -> Any:
        return self._parameters[value["Ref"]] if isinstance(value, Mapping) else value

    def _events(self, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
        return [
            (name, event["Properties"])
            for name, properties in self._functions.items()
            for event in properties.get("Events", {}).values()
            if event["Type"] == kind
        ]

    def _mapped(self) -> list[Source]:
        return [
            Source(
                name,
                self.queues[target(row["Queue"])],
                int(row.get("BatchSize", 10)),
                float(row.get("MaximumBatchingWindowInSeconds", 0)),
                "FunctionResponseTypes" in row,
                [0.0] * int(self._value(row["ScalingConfig"]["MaximumConcurrency"])),
            )
            for name, row in self._events("SQS")
        ]

    def _schedule(self) -> None:
        for number, (name, row) in enumerate(self._events("Schedule")):
            when = parse_schedule(str(self._value(row["Schedule"])))
            first = (
                when.next_after(self.clock.seconds)
                if hasattr(when, "zone")
                else self.clock.seconds + 5.0 + number
            )
            self.at(first, self._tick(name, when, first))

    def _tick(self, name: str, when: Any, due: float) -> Callable[[], None]:
        def fire() -> None:
            following = when.next_after(due)
            self.at(following, self._tick(name, when, following))
            if name not in self.troubles.stopped:
                self._asynchronous(name, 0)

        return fire

    # ---- what happens, in its order ----

    def at(self, seconds: float, happens: Callable[[], None]) -> None:
        """Have something happen at a time, in seconds since the epoch."""
        heapq.heappush(self._agenda, (seconds, next(self._numbers), happens))

    def later(self, seconds: float, happens: Callable[[], None]) -> None:
        """Have something happen in so many seconds."""
        self.at(self.clock.seconds + seconds, happens)

    def play(self, **by: float) -> None:
        """Go on by the arguments of a `timedelta`, whole minutes."""
        end = self._minute + int(timedelta(**by).total_seconds() // MINUTE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            while self._minute < end:
                self._play_minute()

    def _play_minute(self) -> None:
        ends = (self._minute + 1) * float(MINUTE)
        while True:
            source, start = self._next_batch(ends)
            if self._agenda and self._agenda[0][0] < min(start, ends):
                moment, _, happens = heapq.heappop(self._agenda)
                self.clock.at(moment)
                happens()
            elif source is not None and start < ends:
                self.clock.at(start)
                self._deliver(source)
            else:
                break
        self._minute += 1
        self.clock.at(ends)
        self._look_at_queues(ends - 1.0)
        self.book.close(self._minute - 1)
        before = len(self.board.pager.pages)
        self.board.evaluate(ends)
        for page in self.board.pager.pages[before:]:
            self.pages.append(Paged(page.at, page.alarm, tuple(self.board.behind(page.alarm))))

    def _next_batch(self, ends: float) -> tuple[Source | None, float]:
        chosen, first = None, ends
        for source in self._sources:
            if {source.function, source.queue.name} & self.troubles.stopped:
                continue
            visible = source.queue.next_visible()
            if visible is None:
                continue
            # A batch is gathered for the length of its window, unless its workers were busy that long.
            start = max(visible + source.window, source.free[0], source.blocked)
            if start < first:
                chosen, first = source, start
        return chosen, first

    def _look_at_queues(self, now: float) -> None:
        at = now - now % MINUTE
        for name, queue in self.queues.items():
            if queue.letters or name not in self._quiet:
                for metric, value in queue.gauges(now).items():
                    self.book.gauge("AWS/SQS", metric, {"QueueName": name}, value, at)
                (self._quiet.discard if queue.letters else self._quiet.add)(name)

    # ---- Lambda ----

    def invoke(self, name: str, event: Any) -> Outcome | None:
        """Run a function now; None if it is throttled. The clock is where it was afterwards."""
        start = self.clock.seconds
        if name in self.troubles.throttled:
            self._measure(name, start, Throttles=1)
            return None
        self.invoked[name] += 1
        timeout = float(self._functions[name]["Timeout"])
        context = Context(self.clock, start + timeout, name)
        printed, error, payload = io.StringIO(), None, "null"
        self.app.running = name
        try:
            if name in self.troubles.crashing or self._dies_once(name):
                raise RuntimeError("the worker is gone")
            with contextlib.redirect_stdout(printed):
                payload = json.dumps(self._handlers[name](event, context))
        except Exception as raised:
            error = {"errorType": type(raised).__name__, "errorMessage": str(raised)}
        finally:
            self.app.running = ""
        self.clock.advance(seconds=TOOK + self.troubles.slow.get(name, 0.0))
        if self.clock.seconds > context.ends:
            self.clock.at(context.ends)
            error = {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out"}
        took = self.clock.seconds - start
        self._measure(
            name, start, Invocations=1, Errors=int(error is not None), Throttles=0, Duration=took * 1000
        )
        for line in printed.getvalue().splitlines():
            for one in embedded_metrics(name, line):
                self.book.record(one.namespace, one.name, one.dimensions, one.value, start + took)
        self.clock.at(start)
        return Outcome("", payload, error, took)

    def _dies_once(self, name: str) -> bool:
        if not self.troubles.once[name]:
            return False
        self.troubles.once[name] -= 1
        return True

    def _measure(self, name: str, at: float, **values: float) -> None:
        for metric, value in values.items():
            self.book.record("AWS/Lambda", metric, {"FunctionName": name}, value, at)

    def _deliver(self, source: Source) -> None:
        now = self.clock.seconds
        if source.function in self.troubles.throttled:
            self._measure(source.function, now, Throttles=1)
            source.blocked = now + THROTTLED_AGAIN
            return
        letters = source.queue.receive(source.batch, now)
        records = [letter.record() for letter in letters]
        outcome = self.invoke(source.function, {"Records": records})
        assert outcome is not None
        heapq.heapreplace(source.free, now + outcome.seconds)
        failed = failed_items(records, outcome, source.partial)
        for letter in letters:
            if str(letter.number) not in failed:
                letter.done = now + outcome.seconds

    def _asynchronous(self, name: str, attempt: int) -> None:
        """What a schedule starts: tried again as its configuration says, then told to its destination."""
        outcome = self.invoke(name, {})
        if outcome is None:  # throttled: Lambda tries again for hours
            self.later(MINUTE, lambda: self._asynchronous(name, attempt))
        elif outcome.error is not None:
            config = self._functions[name].get("EventInvokeConfig", {})
            if attempt < int(config.get("MaximumRetryAttempts", 2)):
                self.later(BACKOFF[attempt], lambda: self._asynchronous(name, attempt + 1))
            elif destination := config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
                self.queues[target(destination)].put(
                    json.dumps({"requestContext": {"condition": "RetriesExhausted"}})
                )

    def redrive(self, name: str, looks: int = 8) -> None:
        """Move what a function failed on back to its queues, as an operator does: now and each half an hour."""
        for source in self._sources:
            if source.function == name and source.queue.redrive is not None:
                source.queue.redrive.redriven(source.queue)
        if looks > 1:
            self.later(1800.0, lambda: self.redrive(name, looks - 1))

    def throw_dead_letters_away(self) -> None:
        """Empty every queue that nobody reads."""
        for queue in self.queues.values():
            if not queue.feeds:
                queue.purge()

    # ---- the other services ----

    def request(self, name: str, method: str, path: str, body: str = "") -> int:
        """A request to the HTTP API that leads to a function; the status of the answer."""
        context = {
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
            "stage": "$default",
            "requestId": "r",
        }
        event = {
            "version": "2.0", "routeKey": f"{method} {path}", "rawPath": path, "rawQueryString": "",
            "headers": {"accept-language": "en"}, "requestContext": context, "body": body, "isBase64Encoded": False,
        }  # fmt: skip
        outcome = self.invoke(name, event)
        failed = outcome is None or outcome.error is not None
        status = 500 if failed or outcome is None else int(outcome.value["statusCode"])
        counts = {"Count": 1.0, "4xx": float(400 <= status < 500), "5xx": float(status >= 500)}
        for metric, value in counts.items():
            self.book.record("AWS/ApiGateway", metric, {"ApiId": "HttpApi"}, value, self.clock.seconds)
        return status

    def measure(self, namespace: str, metric: str, dimension: str, value: float = 1.0) -> None:
        """What another service reports of the resource that its kind of alarm watches, now."""
        (kind,) = {"AWS/States": ["state_machines"], "AWS/Events": ["rules"]}[namespace]
        name = watched(self._resources)[kind][0]
        self.book.record(namespace, metric, {dimension: name}, value, self.clock.seconds)
