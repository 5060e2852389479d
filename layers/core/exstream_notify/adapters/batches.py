"""Batch calls of AWS services: how much one call takes, and what to do with what it leaves over.

A batch call can succeed for some of its rows only: DynamoDB returns keys unprocessed, SQS and EventBridge
report entries as failed. The rows left over go again, never the whole batch.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

Row = TypeVar("Row")

TRIES = 8
"""Answers in a row without any progress after which a batch call has failed: about 3 seconds on average."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call takes at most: rows, and bytes of all its rows together."""

    rows: int
    bytes: int


GET_ITEMS = Limits(100, 16_000_000)
"""BatchGetItem. The bytes are those of its answer, which DynamoDB minds itself: the rest is unprocessed."""

TRANSACTION = Limits(100, 3_800_000)
"""TransactWriteItems takes 4 MB of items; the room is for the conditions."""

MESSAGES = Limits(10, 240_000)
"""SendMessageBatch takes 1 MiB now, 256 KiB before August 2025. More saves nothing: SQS bills each 64 KiB."""

EVENTS = Limits(10, 240_000)
"""PutEvents takes 256 KB, source and detail type of each event included; each 64 KB is billed."""


class LeftOver(RuntimeError):
    """A service kept leaving rows over."""


def batches(rows: Iterable[Row], limits: Limits, size: Callable[[Row], int]) -> Iterator[list[Row]]:
    """The rows in order, in batches of what one call takes; `size` is a row's bytes.

    A row that is too large by itself is a batch of its own, for the service to refuse.
    """
    batch: list[Row] = []
    total = 0
    for row in rows:
        more = size(row)
        if batch and (len(batch) == limits.rows or total + more > limits.bytes):
            yield batch
            batch, total = [], 0
        batch.append(row)
        total += more
    if batch:
        yield batch


def insist(call: Callable[[Sequence[Row]], Sequence[Row]], rows: Sequence[Row], what: str) -> None:
    """Call with the rows, which are some, then with those it returns as left over, until none are.

    Waits between the calls. Raises LeftOver, which says `what`, after `TRIES` calls without progress.
    """
    waits = pauses()
    while left := call(rows):
        if len(left) < len(rows):
            waits = pauses()
        pause = next(waits, None)
        if pause is None:
            raise LeftOver(f"{what}: {len(left)} left over")
        time.sleep(pause)
        rows = left


def pauses() -> Iterator[float]:
    """Seconds to wait between tries, doubling from 25 ms, with full jitter."""
    for attempt in range(TRIES):
        yield random.random() * 0.025 * 2**attempt  # noqa: S311 - spreads load, keeps no secret
