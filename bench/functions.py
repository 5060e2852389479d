"""Calls the real handlers as Lambda would: their environment, their event source's batches, their log."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from types import ModuleType
from typing import Any
from unittest.mock import patch

from .canned import CannedCloud
from .template import ACCOUNT, REGION, ROOT, functions

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}
"""Something to sign with."""

RECEIVE_LIMIT = 10
"""Messages that one ReceiveMessage or DeleteMessageBatch call carries."""

Handler = Callable[[dict[str, Any], Any], Any]


class _Log(io.StringIO):
    """Standard output of the functions: counted; only the last of it is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0
        self.last = ""

    def write(self, text: str, /) -> int:
        """Count."""
        self.written += len(text.encode())
        self.last = (self.last + text)[-2000:]
        return len(text)


@dataclass(frozen=True, slots=True)
class Context:
    """A Lambda context with all its time left."""

    function_name: str
    memory_limit_in_mb: int
    timeout: int
    function_version: str = "$LATEST"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"

    @property
    def invoked_function_arn(self) -> str:
        """Its name in full."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the time-out."""
        return self.timeout * 1000


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """These variables and credentials, and none of this machine's AWS settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with patch.dict(os.environ, {**kept, **CREDENTIALS, **variables}, clear=True):
        yield


def load(name: str, variables: Mapping[str, str]) -> ModuleType:
    """A fresh instance of `functions/<name>/app.py` under these variables over the template's own."""
    return load_file(
        ROOT / "functions" / name / "app.py", {**functions()[name].environment, **variables}, f"bench_{name}"
    )


def load_file(path: Path, variables: Mapping[str, str], name: str) -> ModuleType:
    """A fresh instance of a module, imported under these variables."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    with environment(variables):
        spec.loader.exec_module(module)
    return module


@dataclass(slots=True)
class Spent:
    """What handling messages took: CPU and wall seconds without the canned services' own."""

    cpu: float = 0.0
    wall: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.cpu + other.cpu, self.wall + other.wall)


class Worker:
    """One function instance behind an SQS event source mapping."""

    def __init__(
        self, cloud: CannedCloud, handler: Handler, name: str, *, memory: int, timeout: int, batch: int
    ) -> None:
        self._cloud = cloud
        self._handler = handler
        self._context = Context(name, memory, timeout)
        self._batch = batch
        self._log = _Log()
        self._messages = 0

    def drain(self, queue: str) -> list[Spent]:
        """Handle all that waits on a queue: what each batch took. A reported failure is an error."""
        spent = []
        waiting = self._cloud.queues.get(queue, [])
        while waiting:
            spent.append(self.take(queue))
        return spent

    def take(self, queue: str) -> Spent:
        """Handle one batch of what waits on a queue."""
        waiting = self._cloud.queues[queue]
        batch, waiting[:] = waiting[: self._batch], waiting[self._batch :]
        return self._invoke(queue, batch)

    def _invoke(self, queue: str, batch: list[tuple[str, str]]) -> Spent:
        event = json.dumps({"Records": [self._record(queue, body, group) for body, group in batch]})
        cloud, usage = self._cloud, self._cloud.usage
        for start in range(0, len(batch), RECEIVE_LIMIT):
            chunk = batch[start : start + RECEIVE_LIMIT]
            usage.call("sqs.ReceiveMessage")
            cloud.bill_sqs(sum(len(body.encode()) for body, _ in chunk))
            usage.call("sqs.DeleteMessageBatch")
            cloud.bill_sqs(0)
        logged, own_cpu, own_wall = self._log.written, cloud.own_cpu, cloud.own_wall
        with redirect_stdout(self._log):
            cpu, wall = process_time(), perf_counter()
            # The Lambda runtime reads the event and writes the answer, so that is part of it.
            answer = json.dumps(self._handler(json.loads(event), self._context))
            cpu, wall = process_time() - cpu, perf_counter() - wall
        if json.loads(answer) != {"batchItemFailures": []}:
            raise RuntimeError(f"{self._context.function_name} failed: {self._log.last}")
        usage.bill("invocations", 1)
        usage.bill("log_bytes", self._log.written - logged)
        return Spent(cpu - (cloud.own_cpu - own_cpu), wall - (cloud.own_wall - own_wall))

    def _record(self, queue: str, body: str, group: str) -> dict[str, Any]:
        self._messages += 1
        name = queue.rsplit("/", 1)[-1]
        return {
            "messageId": f"00000000-0000-0000-0000-{self._messages:012}",
            "receiptHandle": "handle" * 20,
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1767225600000",
                "SenderId": "AIDEXAMPLE",
                "ApproximateFirstReceiveTimestamp": "1767225600001",
                **({"MessageGroupId": group} if group else {}),
            },
            "messageAttributes": {},
            "md5OfBody": "0" * 32,
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
            "awsRegion": REGION,
        }


@contextmanager
def logging_to_standard_output() -> Iterator[None]:
    """Have the functions' logger write to what is standard output at the time, as on Lambda."""
    from exstream_notify.adapters.observability import logger

    class Current:
        def write(self, text: str) -> int:
            return sys.stdout.write(text)

        def flush(self) -> None:
            sys.stdout.flush()

    handlers = [handler for handler in logger.handlers if hasattr(handler, "setStream")]
    before = [handler.setStream(Current()) for handler in handlers]
    try:
        yield
    finally:
        for handler, stream in zip(handlers, before, strict=True):
            handler.setStream(stream)
