"""The queues and the event bus."""

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from ..domain.channels import AlertReceipt
from ..domain.due import WaitKind
from ..domain.exceptions import ExceptionRaised, FileRead
from ..domain.work import SendJob, SlicePointer
from .batches import EVENTS, MESSAGES, batches, insist

SqsClient: TypeAlias = Any
_NOT_OURS = ("InvalidParameterValue", "ReceiptHandleIsInvalid", "MessageNotInflight")


class SqsQueue:
    """Messages onto one queue, ten a call; `group` keeps one run from starving the others."""

    def __init__(self, client: SqsClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, bodies: Iterable[tuple[str, Mapping[str, Any]]], *, spread: float = 0.0) -> int:
        """Queue bodies with their message groups, each delayed by up to `spread` seconds; the number."""
        sent = 0
        rows = ((group, json.dumps(body, separators=(",", ":"))) for group, body in bodies)
        for batch in batches(rows, MESSAGES, lambda row: len(row[1])):
            entries: list[Mapping[str, Any]] = [
                {
                    "Id": str(number),
                    "MessageBody": body,
                    "MessageGroupId": group,
                    **({"DelaySeconds": random.randint(0, int(spread))} if spread else {}),  # noqa: S311
                }
                for number, (group, body) in enumerate(batch)
            ]
            insist(self._send, entries, "SQS kept refusing messages")
            sent += len(entries)
        return sent

    def _send(self, entries: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """The entries that SQS did not take, and may take later."""
        failed = self._client.send_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", ())
        if ours := [row.get("Code") for row in failed if row.get("SenderFault")]:
            raise RuntimeError(f"SQS refused {len(ours)} messages: {ours[0]}")
        left = {row["Id"] for row in failed}
        return [entry for entry in entries if entry["Id"] in left]

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
    """`ReceiptBus` on the default event bus; `shown` says how a name that somebody chose may be shown."""

    def __init__(self, client: Any, shown: Callable[[str], str]) -> None:
        self._client = client
        self._shown = shown

    def raise_exceptions(self, exceptions: Sequence[ExceptionRaised]) -> None:
        """See `ExceptionBus.raise_exceptions`; an entry that the bus refuses is an error."""
        # Severe ones first: what is behind them in a batch must not hold them up.
        ordered = sorted(exceptions, key=lambda exception: exception.severity != "severe")
        leaving = (exception.as_it_leaves(self._shown) for exception in ordered)
        _put_events(
            self._client, "Exception Raised", (json.dumps(exception.to_detail()) for exception in leaving)
        )

    def run_arrived(self, domain: str, run_id: str) -> None:
        """See `ExceptionBus.run_arrived`."""
        _put_events(self._client, "Run Arrived", [json.dumps({"domain": domain, "run_id": run_id})])

    def preferences_changed(self, details: Sequence[Mapping[str, object]]) -> None:
        """See `ExceptionBus.preferences_changed`; an entry that the bus refuses is an error."""
        _put_events(self._client, "Preferences Changed", map(json.dumps, details))

    def file_read(self, read: FileRead) -> None:
        """See `ExceptionBus.file_read`."""
        _put_events(self._client, "File Read", [json.dumps(asdict(read))])

    def run_dispatched(self, domain: str, run_id: str) -> None:
        """See `ExceptionBus.run_dispatched`."""
        _put_events(self._client, "Run Dispatched", [json.dumps({"domain": domain, "run_id": run_id})])

    def alerts_reported(self, receipts: Sequence[AlertReceipt]) -> None:
        """See `ReceiptBus.alerts_reported`."""
        _put_events(self._client, "Alert Reported", (json.dumps(asdict(receipt)) for receipt in receipts))


class EventBridgeJourneys:
    """`JourneyEvents` on the default event bus."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def unanswered(self, details: Sequence[Mapping[str, object]]) -> None:
        """See `JourneyEvents.unanswered`; an entry that the bus refuses is an error."""
        _put_events(self._client, "Journey Unanswered", map(json.dumps, details))


_EVENT_TRIED_AGAIN = frozenset({"InternalFailure", "ThrottlingException"})
"""Errors of one event that a later try may not meet: "PutEvents", Errors, EventBridge API reference."""


def _put_events(client: Any, detail_type: str, details: Iterable[str]) -> None:
    def put(entries: Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, str]]:
        answer = client.put_events(Entries=entries)
        if not answer.get("FailedEntryCount"):
            return ()
        codes = [row.get("ErrorCode") for row in answer["Entries"]]
        if refused := {code for code in codes if code} - _EVENT_TRIED_AGAIN:
            raise RuntimeError(f"EventBridge refused {answer['FailedEntryCount']} events: {refused}")
        return [entry for entry, code in zip(entries, codes, strict=True) if code]

    for batch in batches(details, EVENTS, len):
        entries: list[Mapping[str, str]] = [
            {"Source": "exnotify", "DetailType": detail_type, "Detail": detail} for detail in batch
        ]
        insist(put, entries, "EventBridge kept refusing events")


def group(run: str) -> str:
    """A message group's name for a run: at most 128 characters of those SQS allows."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_./") else "_" for c in run)[:128]
