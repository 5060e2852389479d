"""Asynchronous invocations: retried twice, then handed to the function's destination, as Lambda does.

A throttled event is tried again until it is let through, where Lambda gives up after six hours.
"""

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .clock import Clock
from .functions import Functions, Outcome, ThrottledError

logger = logging.getLogger(__name__)

#: Real seconds before the second and the third attempt; Lambda waits one and two minutes.
_BACKOFF = (1.0, 2.0)


@dataclass(frozen=True, slots=True)
class InvokeConfig:
    """What follows failed attempts: how many more there are, and where the event goes at last."""

    retries: int = 2
    on_failure: str | None = None  # ARN


class AsynchronousInvoker:
    """Runs functions on events that nobody waits for.

    `deliver(arn, body, attributes)` hands a failed event to a destination.
    """

    def __init__(
        self,
        functions: Functions,
        clock: Clock,
        deliver: Callable[[str, str, dict[str, str]], None],
        threads: int,
    ) -> None:
        self._functions = functions
        self._clock = clock
        self._deliver = deliver
        self._configs: dict[str, InvokeConfig] = {}
        self._pool = ThreadPoolExecutor(threads, "async")
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._pending: dict[str, int] = {}

    def configure(self, function: str, config: InvokeConfig) -> None:
        """Sets what follows failures of a function (logical id)."""
        self._configs[function] = config

    def start(self, reference: str, event: Any) -> None:
        """Accepts an event for a function (logical id, name or ARN). Raises UnknownFunctionError."""
        function = self._functions.find(reference).spec.logical_id
        with self._lock:
            self._pending[function] = self._pending.get(function, 0) + 1
        self._pool.submit(self._run, function, event)

    def pending(self, function: str | None = None) -> int:
        """Events accepted and not done with, of one function (logical id) or of all."""
        with self._lock:
            return sum(self._pending.values()) if function is None else self._pending.get(function, 0)

    def give_up(self) -> None:
        """Starts no further attempt."""
        self._stopping.set()

    def stop(self) -> None:
        """Gives up what waits; waits for attempts that run, so stop the functions first."""
        self.give_up()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, function: str, event: Any) -> None:
        try:
            self._attempt(function, event)
        except Exception:
            logger.exception("an asynchronous invocation of %s failed inside the embedded cloud", function)
        finally:
            with self._lock:
                self._pending[function] -= 1

    def _attempt(self, function: str, event: Any) -> None:
        target = self._functions.find(function)
        config = self._configs.get(function, InvokeConfig())
        attempts = 0
        while not self._stopping.is_set():
            try:
                outcome = target.invoke(event)
            except ThrottledError:
                self._stopping.wait(_BACKOFF[0])
                continue
            attempts += 1
            if outcome.error is None:
                return
            if attempts > config.retries:
                self._give_up(function, config, event, outcome, attempts)
                return
            self._stopping.wait(_BACKOFF[min(attempts, len(_BACKOFF)) - 1])

    def _give_up(
        self, function: str, config: InvokeConfig, event: Any, outcome: Outcome, attempts: int
    ) -> None:
        spec = self._functions.find(function).spec
        if self._stopping.is_set():
            return
        if config.on_failure is not None:
            record = {
                "version": "1.0",
                "timestamp": self._clock.utc().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
                "requestContext": {
                    "requestId": outcome.request_id,
                    "functionArn": f"{spec.arn}:$LATEST",
                    "condition": "RetriesExhausted",
                    "approximateInvokeCount": attempts,
                },
                "requestPayload": event,
                "responseContext": {
                    "statusCode": 200,
                    "executedVersion": "$LATEST",
                    "functionError": "Unhandled",
                },
                "responsePayload": outcome.error,
            }
            self._deliver(config.on_failure, json.dumps(record), {})
        if spec.dead_letters is not None:
            error = outcome.error or {}
            attributes = {
                "RequestID": outcome.request_id,
                "ErrorCode": "200",
                "ErrorMessage": str(error.get("errorMessage", ""))[:1024] or "unknown",
            }
            self._deliver(spec.dead_letters, json.dumps(event), attributes)
