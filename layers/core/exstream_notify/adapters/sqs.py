"""The queues and the event bus."""

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from ..domain.due import WaitKind
from ..domain.exceptions import ExceptionRaised
from ..domain.work import SendJob, SlicePointer

SqsClient: TypeAlias = Any
_BATCH = 10
_BATCH_BYTES = 240_000
_NOT_OURS = ("InvalidParameterValue", "ReceiptHandleIsInvalid", "MessageNotInflight")


class SqsQueue:
    """Messages onto one queue, ten a call; `group` keeps one run from starving the others."""

    def __init__(self, client: SqsClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, bodies: Iterable[tuple[str, Mapping[str, Any]]], *, spread: float = 0.0) -> int:
        """Queue bodies with their message groups, each delayed by up to `spread` seconds; the number."""
        sent = 0
        for batch in _batches((group, json.dumps(body, separators=(",", ":"))) for group, body in bodies):
            entries = [
                {
                    "Id": str(number),
                    "MessageBody": body,
                    "MessageGroupId": group,
                    **({"DelaySeconds": random.randint(0, int(spread))} if spread else {}),  # noqa: S311
                }
                for number, (group, body) in enumerate(batch)
            ]
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            if failed := answer.get("Failed"):
                raise RuntimeError(f"SQS refused {len(failed)} messages: {failed[0].get('Code')}")
            sent += len(entries)
        return sent

    def come_back(self, receipt_handle: str, seconds: float) -> None:
        """Set a received message's visibility time-out, within what SQS allows.

        One that is visible again, or deleted, is another worker's already: nothing is left to do.
        """
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=receipt_handle,
                VisibilityTimeout=max(1, min(43200, int(seconds) + 1)),
            )
        except ClientError as error:
            if error.response["Error"]["Code"].rpartition(".")[2] not in _NOT_OURS:
                raise


def _batches(bodies: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    source = iter(bodies)
    batch: list[tuple[str, str]] = []
    size = 0
    for row in source:
        if batch and (len(batch) == _BATCH or size + len(row[1]) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += len(row[1])
    if batch:
        yield batch


class SqsDecideQueue:
    """`DecideQueue`."""

    def __init__(self, client: SqsClient, url: str) -> None:
        self._queue = SqsQueue(client, url)

    def send_slices(self, pointers: Iterable[SlicePointer], *, spread: float = 0.0) -> int:
        """See `DecideQueue.send_slices`."""
        return self._queue.send(((group(p.run), p.to_message()) for p in pointers), spread=spread)


class SqsSendQueues:
    """`SendQueues`: a queue per channel, and the urgent one."""

    def __init__(self, client: SqsClient, urls: Mapping[str, str]) -> None:
        self._queues = {name: SqsQueue(client, url) for name, url in urls.items()}

    def send_jobs(self, jobs: Sequence[SendJob]) -> None:
        """See `SendQueues.send_jobs`."""
        for name, queue in self._queues.items():
            mine = [(group(job.pointer.run), job.to_message()) for job in jobs if job.queue == name]
            if mine:
                queue.send(mine)

    def come_back(self, queue: str, receipt_handle: str, seconds: float) -> None:
        """Have a job that is not done appear again after `seconds`, not after the whole time-out."""
        self._queues[queue].come_back(receipt_handle, seconds)


class SqsRunQueue:
    """`RunQueue`."""

    def __init__(self, client: SqsClient, url: str) -> None:
        self._queue = SqsQueue(client, url)

    def send_runs(self, runs: Sequence[tuple[str, str]], trigger: str = "again") -> None:
        """See `RunQueue.send_runs`."""
        bodies = (
            {"stage": {"domain": domain, "run_id": run_id, "trigger": trigger}} for domain, run_id in runs
        )
        self._queue.send(
            (group(f"{domain}/{run_id}"), body) for (domain, run_id), body in zip(runs, bodies, strict=True)
        )


class SqsLookQueue:
    """`LookQueue`: on the queue of a kind, if it has one of its own, else on the first."""

    def __init__(self, client: SqsClient, url: str, own: Mapping[WaitKind, str]) -> None:
        self._queue = SqsQueue(client, url)
        self._own = {kind: SqsQueue(client, url) for kind, url in own.items()}

    def send_looks(self, looks: Sequence[tuple[WaitKind, str]]) -> None:
        """See `LookQueue.send_looks`."""
        by_queue: dict[SqsQueue, list[tuple[str, dict[str, Any]]]] = {}
        for kind, name in looks:
            queue = self._own.get(kind, self._queue)
            by_queue.setdefault(queue, []).append((group(name), {"look": {"kind": kind, "name": name}}))
        for queue, messages in by_queue.items():
            queue.send(messages)


class EventBridgeExceptions:
    """`ExceptionBus` on the default event bus."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def raise_exceptions(self, exceptions: Sequence[ExceptionRaised]) -> None:
        """See `ExceptionBus.raise_exceptions`; an entry that the bus refuses is an error."""
        # Severe ones first: what is behind them in a batch must not hold them up.
        ordered = sorted(exceptions, key=lambda exception: exception.severity != "severe")
        _put_events(
            self._client, "Exception Raised", (json.dumps(exception.to_detail()) for exception in ordered)
        )

    def run_dispatched(self, domain: str, run_id: str) -> None:
        """See `ExceptionBus.run_dispatched`."""
        _put_events(self._client, "Run Dispatched", [json.dumps({"domain": domain, "run_id": run_id})])


class EventBridgeJourneys:
    """`JourneyEvents` on the default event bus."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def unanswered(self, details: Sequence[Mapping[str, object]]) -> None:
        """See `JourneyEvents.unanswered`; an entry that the bus refuses is an error."""
        _put_events(self._client, "Journey Unanswered", map(json.dumps, details))


def _put_events(client: Any, detail_type: str, details: Iterable[str]) -> None:
    # A call takes ten events and, together, 256 KB.
    for batch in _batches((detail_type, detail) for detail in details):
        entries = [{"Source": "exnotify", "DetailType": kind, "Detail": detail} for kind, detail in batch]
        answer = client.put_events(Entries=entries)
        if answer.get("FailedEntryCount"):
            codes = {row.get("ErrorCode") for row in answer["Entries"]} - {None}
            raise RuntimeError(f"EventBridge refused {answer['FailedEntryCount']} events: {codes}")


def group(run: str) -> str:
    """A message group's name for a run: at most 128 characters of those SQS allows."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_./") else "_" for c in run)[:128]
