"""Carries the simulated providers' receipts to where, and when, the real ones would arrive."""

import heapq
import itertools
import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exnotify.simulators import Receipt, SimulatedMessage

logger = logging.getLogger(__name__)

_BATCH = 10
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Ways:
    """Where receipts arrive: topics by name, the web hook and its secret."""

    ses_topic: str
    sms_topic: str
    replies_topic: str
    hook: str
    secret: Callable[[], str]


@dataclass(order=True, slots=True)
class _Parcel:
    due: float
    number: int
    way: str = field(compare=False)
    document: Mapping[str, Any] = field(compare=False)
    tries: int = field(compare=False, default=0)


class Courier:
    """A thread that delivers what is due. `rate` is seconds of the cloud's clock per real second."""

    def __init__(
        self, ways: Callable[[], Ways], client: Callable[[str], Any], rate: Callable[[], float]
    ) -> None:
        self._ways = ways
        self._client = client
        self._rate = rate
        self._heap: list[_Parcel] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._stopping = False
        self._busy = 0
        self._thread: threading.Thread | None = None

    def take(self, message: SimulatedMessage, receipts: Sequence[Receipt]) -> None:
        """Take the receipts that are to follow a message; returns at once."""
        now = time.monotonic()
        with self._changed:
            for receipt in receipts:
                way = "reply" if receipt.kind == "reply" else message.provider
                due = now + receipt.after / max(self._rate(), 1e-9)
                heapq.heappush(self._heap, _Parcel(due, next(self._numbers), way, receipt.document))
            self._changed.notify()

    def start(self) -> None:
        """Begin to deliver."""
        self._thread = threading.Thread(target=self._run, name="receipts", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what is not delivered yet never is."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def waiting(self, within: float) -> int:
        """How many receipts are due within so many real seconds, or being delivered now."""
        limit = time.monotonic() + within
        with self._changed:
            return sum(1 for parcel in self._heap if parcel.due <= limit) + self._busy

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopping and (not self._heap or self._heap[0].due > time.monotonic()):
                    wait = self._heap[0].due - time.monotonic() if self._heap else None
                    self._changed.wait(wait)
                if self._stopping:
                    return
                first = heapq.heappop(self._heap)
                batch = [first]
                while (
                    len(batch) < _BATCH
                    and self._heap
                    and self._heap[0].due <= time.monotonic()
                    and self._heap[0].way == first.way
                ):
                    batch.append(heapq.heappop(self._heap))
                self._busy = len(batch)
            try:
                self._deliver(first.way, batch)
            except Exception as error:
                self._again(batch, error)
            finally:
                self._busy = 0

    def _again(self, batch: Sequence[_Parcel], error: Exception) -> None:
        with self._changed:
            for parcel in batch:
                if self._stopping or parcel.tries >= _TRIES:
                    logger.warning("a receipt could not be delivered: %s", error)
                    continue
                parcel.tries += 1
                parcel.due = time.monotonic() + 2**parcel.tries
                heapq.heappush(self._heap, parcel)

    def _deliver(self, way: str, batch: Sequence[_Parcel]) -> None:
        ways = self._ways()
        if way == "opentext":
            for parcel in batch:
                push(ways.hook, ways.secret(), parcel.document)
            return
        topic = {"ses": ways.ses_topic, "sms": ways.sms_topic, "reply": ways.replies_topic}[way]
        if topic:
            entries = [
                {"Id": str(n), "Message": json.dumps(parcel.document)} for n, parcel in enumerate(batch)
            ]
            self._client("sns").publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)


class PushRefusedError(Exception):
    """The web hook's answer is an error: its status and what it says."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"the web hook answers {status}: {said}".rstrip(": "))
        self.status = status


def push(url: str, secret: str, document: Mapping[str, Any] | Sequence[Any]) -> int:
    """Push a status document to the web hook, as OpenText does; the answer's status, or PushRefusedError."""
    request = urllib.request.Request(  # noqa: S310 - our own stack's address
        url,
        json.dumps(document).encode(),
        {"Content-Type": "application/json", "X-Webhook-Secret": secret},
        method="POST",
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            raise PushRefusedError(error.code, error.read(300).decode("utf-8", "replace")) from None


def hook_secret_of(client: Callable[[str], Any], name: str) -> str:
    """The web hook's current secret."""
    fields = json.loads(client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    current: str = fields[fields["current"]]
    return current
