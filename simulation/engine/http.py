"""The HTTP API: a request from outside becomes an invocation, as the embedded cloud's own API has it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote, urlsplit

from exnotify.cloud.functions import Outcome, ThrottledError
from exnotify.cloud.httpapi import HttpApi
from simulation.nature import Timeline
from simulation.outside import Answer

from .deployment import ACCOUNT, REGION, Deployment
from .functions import Functions
from .tasks import Process, Task, Tasks


class _Clock:
    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self._timeline.now, UTC)


class Http:
    """Asks the HTTP API. `wait` is for tasks; `ask` lets the world go on until the answer is there."""

    def __init__(
        self, deployment: Deployment, functions: Functions, tasks: Tasks, timeline: Timeline
    ) -> None:
        self._functions = functions
        self._tasks = tasks
        self._timeline = timeline
        self._asked: Counter[str] = Counter()
        self._name = ""
        self._host = urlsplit(deployment.api.url).netloc
        clock: Any = _Clock(timeline)
        self._api = HttpApi(deployment.api, ACCOUNT, REGION, clock, self._invoke, deployment.may_invoke)

    def wait(self, method: str, path: str, headers: Mapping[str, str], body: str = "") -> Answer:
        """The answer; the task that asks waits for it. `path` may have a query."""
        data = body.encode()
        asked = f"{method} {path} {data!r}"
        self._asked[asked] += 1
        digest = blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
        name = f"{digest}:{self._asked[asked]}"
        raw, _, query = path.partition("?")
        lower = {"host": self._host, **{name.lower(): text for name, text in headers.items()}}
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote(raw),
            "RAW_URI": path,
            "QUERY_STRING": query,
            "REMOTE_ADDR": "192.0.2.1",
            "wsgi.input": io.BytesIO(data),
            "exnotify.name": name,
            **{_environ(header): text for header, text in lower.items()},
        }
        told: list[Any] = []
        self._name = name  # until the invocation has begun, nobody else has a turn
        text = b"".join(self._api(environ, lambda status, rows: told.extend((status, rows))))
        rows = {header.lower(): value for header, value in told[1]}
        return Answer(int(told[0].split(" ")[0]), rows, text.decode("utf-8", "replace"))

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: str = "") -> Answer:
        """The answer, whoever asks."""
        if self._tasks.current is not None:
            return self.wait(method, path, headers, body)
        task: Task = self._tasks.start(
            f"asks {method} {path} {self._timeline.now:.6f}",
            Process("somebody outside", {}),
            lambda: self.wait(method, path, headers, body),
        )
        while not task.done:
            self._timeline.step()
        if task.error is not None:
            raise task.error
        found: Answer = task.value
        return found

    def _invoke(self, arn: str, event: Any) -> Outcome:
        function = self._functions.name_of(arn)
        if not self._functions.has_room(function):
            raise ThrottledError
        ended: list[Outcome] = []
        asking = self._tasks.current
        turn = asking.turn if asking else 0

        def over(outcome: Outcome) -> None:
            ended.append(outcome)
            if asking is not None:
                self._tasks.wake(asking, turn)

        name = f"{self._functions.short(function)}:{self._name}"
        self._functions.invoke(function, event, name, over)
        self._tasks.pause()
        return ended[0]


def _environ(header: str) -> str:
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
