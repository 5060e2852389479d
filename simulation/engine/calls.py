"""One call of one client: where every request of the product ends, and where most goes wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NoReturn

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from simulation.nature import Chance, Nature
from simulation.service import Refused, Service

from .client import error_class
from .faults import (
    OF_CALLS,
    OF_EXCHANGES,
    OF_SENDS,
    SERVER_ERROR,
    STATUSES_TRIED_AGAIN,
    THROTTLED,
    TRIED_AGAIN,
)
from .tasks import Tasks

Json = dict[str, Any]

LATENCY = (0.002, 0.03)
"""Seconds that a call takes on its way to the service, and again on its way back."""

DELAYS = {"slow": (1.0, 9.0), "frozen": (30.0, 1200.0), "stalled": (35.0, 100.0)}
"""Seconds that a slow call takes, and a process that stands still."""

READ_TIMEOUT = 20.0
"""Seconds after which a client gives up an answer."""

BACKOFF = 20.0
"""Seconds that botocore waits at most before it tries again."""


READS = frozenset(
    {
        "GetItem", "BatchGetItem", "Query", "Scan", "DescribeTable", "GetObject", "HeadObject",
        "ListObjectsV2", "ListObjectVersions", "GetSecretValue", "DescribeSecret",
        "GetQueueAttributes", "GetTopicAttributes", "DescribeExecution", "ListExecutions",
        "GetCallerIdentity",
    }
)  # fmt: skip

HOUSEKEEPING = re.compile(
    r" export_preferences[@:]|'(?:watermark|\.channels|channels:[^']*)'|\"kind\":\"channels\""
)
"""Of the requests that change something: what the sweep writes each time though nothing is due, the looks at
the alert channels, and the export of each day."""

STANDING = re.compile(r"'incident:[^']*'|\"kind\":\"incident\"")
"""Of those requests, the looks at open incidents: they are due again and again."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Something that left the product, or was kept from it. `place` names the call that it belongs to."""

    at: float
    place: str
    what: str
    detail: Any


class Defect(Exception):
    """The simulation itself cannot go on: a service was asked for what it does not know, or failed."""


class Calls:
    """Carries out calls: in a task with all that may happen, else at once and without any fault."""

    def __init__(self, tasks: Tasks, nature: Nature, services: Mapping[str, Service]) -> None:
        self._tasks = tasks
        self.nature = nature
        self._timeline = nature.timeline
        self._chance: Chance = nature.chance
        self.services = services
        self.observed: list[Observed] = []
        self.number = 0
        self.log: list[str] | None = None
        """Every call, one line each, if somebody wants to read them."""

        self.stirred: Callable[[bool], None] = lambda standing: None
        """Told of each change that is more than housekeeping, and whether its task is `standing`."""

        self.defect: Defect | None = None
        self._digest = blake2b(digest_size=16)

    @property
    def digest(self) -> str:
        """Of all calls so far, with their requests: equal histories have equal ones."""
        return self._digest.hexdigest()

    def call(self, service: str, operation: str, request: Json, attempts: int) -> Json:
        """The answer to a call of the task that runs. Raises what botocore raises, and Killed."""
        task = self._tasks.current
        if task is None:
            return self._outside(service, operation, request)
        if task.dead:
            self._tasks.crash()
        task.calls += 1
        place = f"{task.name} #{task.calls} {service}.{operation}"
        if operation == "TransactWriteItems":
            request.setdefault("ClientRequestToken", self._chance_hex(place))
        for attempt in range(1, attempts + 1):
            where = place if attempt == 1 else f"{place} try {attempt}"
            try:
                return self._tried(where, service, operation, request)
            except Refused as refused:
                again = refused.code in TRIED_AGAIN or refused.status in STATUSES_TRIED_AGAIN
                if attempt == attempts or not again:
                    raise as_client_error(refused, operation, attempt - 1) from None
            except (ConnectionClosedError, ReadTimeoutError):
                if attempt == attempts:
                    raise
            self._tasks.sleep(self._chance.uniform(f"pause {where}", 0, min(2 ** (attempt - 1), BACKOFF)))
        raise AssertionError("the last attempt ends the call")

    def stop(self, error: Exception, place: str) -> NoReturn:
        """End the task that runs, and the history: a defect of ours must not be taken for an answer."""
        self.defect = Defect(f"{place}: {type(error).__name__}: {error}")
        self.defect.__cause__ = error
        if self._tasks.current is None:
            raise self.defect
        self._tasks.crash()

    def exchange(self, operation: str, about: object, answer: Callable[[], Any]) -> Any:
        """An exchange with somebody outside, over HTTP: as a call, but only `answer` says what goes wrong."""
        task = self._tasks.current
        if task is None:
            raise RuntimeError("only a task can talk to the world outside")
        task.calls += 1
        place = f"{task.name} #{task.calls} {operation}"
        fault = self._chance.which(OF_EXCHANGES, place)
        self._before(place, fault)
        self._note(place, about)
        self.nature.place = place
        try:
            return answer()
        finally:
            if not task.dead:
                self._after(place, fault)

    # ----

    def _tried(self, place: str, service: str, operation: str, request: Json) -> Json:
        fault = self._chance.which(OF_CALLS if service in THROTTLED else OF_SENDS, place)
        self._before(place, fault)
        if fault == "throttled":
            code, status = THROTTLED[service]
            raise Refused(code, "Rate exceeded", status)
        if fault == "server_error" and self._chance.likely(f"no effect {place}", 0.5):
            raise Refused(SERVER_ERROR[service], "an internal error", 500)
        answer = self._effect(service, operation, request, place)
        if fault == "server_error":
            raise Refused(SERVER_ERROR[service], "an internal error", 500)
        if fault == "lost_answer":
            self._lose(place)
        self._after(place, fault)
        return answer

    def _before(self, place: str, fault: str | None) -> None:
        if fault == "crash_before":
            self._tasks.crash()
        self._pass("to", place, fault)

    def _after(self, place: str, fault: str | None) -> None:
        if fault == "crash_after":
            self._tasks.crash()
        self._pass("from", place, fault)
        if fault == "crash_between":
            self._tasks.crash()

    def _pass(self, way: str, place: str, fault: str | None) -> None:
        seconds = self._chance.uniform(f"latency {way} {place}", *LATENCY)
        if fault in DELAYS and self._chance.likely(f"on the way back {place}", 0.5) is (way == "from"):
            seconds += self._chance.uniform(f"{fault} {place}", *DELAYS[fault])
        self._tasks.sleep(seconds)

    def _lose(self, place: str) -> None:
        self.observed.append(Observed(self._timeline.now, place, "answer lost", None))
        if self._chance.likely(f"how lost {place}", 0.5):
            raise ConnectionClosedError(endpoint_url="https://example.com")
        self._tasks.sleep(READ_TIMEOUT)
        raise ReadTimeoutError(endpoint_url="https://example.com")

    def _effect(self, service: str, operation: str, request: Json, place: str) -> Json:
        line = self._note(place, request)
        self.nature.place = place
        try:
            answer = self.services[service].call(operation, request)
        except Refused:
            raise
        except Exception as error:
            if (broken := getattr(error, "as_botocore", None)) is None:
                self.stop(error, place)
            self._tasks.sleep(error.seconds)  # type: ignore[attr-defined]
            raise broken() from None
        self._observe(service, operation, request, place)
        if operation not in READS and not HOUSEKEEPING.search(line):
            task = self._tasks.current
            self.stirred((task is not None and task.standing) or bool(STANDING.search(line)))
        return answer

    def _observe(self, service: str, operation: str, request: Json, place: str) -> None:
        if operation == "PutEvents":
            for entry in request["Entries"]:
                self.observed.append(Observed(self._timeline.now, place, "event", dict(entry)))
        elif service == "sns" and operation == "Publish":
            self.observed.append(Observed(self._timeline.now, place, "published", dict(request)))

    def _outside(self, service: str, operation: str, request: Json) -> Json:
        """A call of the world's own: nothing goes wrong on its way, and it takes no time."""
        self.number += 1
        try:
            return self._effect(service, operation, request, f"world #{self.number} {service}.{operation}")
        except Refused as refused:
            raise as_client_error(refused, operation, 0) from None

    def _note(self, place: str, about: object) -> str:
        line = f"{self._timeline.now:.6f} {place} {about!r}"
        self._digest.update(line.encode("utf-8", "surrogatepass"))
        if self.log is not None:
            self.log.append(line)
        return line

    def _chance_hex(self, place: str) -> str:
        named = f"{self._chance.seed}\0token {place}"
        return blake2b(named.encode(), digest_size=16).hexdigest()


def as_client_error(refused: Refused, operation: str, retries: int) -> ClientError:
    """The error as botocore raises it."""
    response: Any = {
        "Error": {"Code": refused.code, "Message": refused.message},
        "ResponseMetadata": {"HTTPStatusCode": refused.status, "RetryAttempts": retries},
        **refused.body,
    }
    return error_class(refused.code)(response, operation)
