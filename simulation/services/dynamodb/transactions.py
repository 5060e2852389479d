"""TransactWriteItems: all of it, or nothing, once for each token.

"TransactWriteItems", Amazon DynamoDB API Reference.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, TypeAlias

import orjson

from exnotify.cloud.dynamodb.values import Item
from exnotify.cloud.dynamodb.writes import Write

from ...nature import Nature
from ...service import Refused
from .tables import Store

TOKEN_LIFE = 600.0
"""Seconds in which a transaction with the token of one that succeeded is the same one."""

_THROTTLED = (
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your "
    "table or index so please try again shortly."
)

Reason: TypeAlias = dict[str, Any]


class Tokens:
    """ClientRequestTokens of transactions that succeeded, for ten minutes each."""

    def __init__(self) -> None:
        self._done: dict[str, bytes] = {}
        self._ends: deque[tuple[float, str]] = deque()

    def known(self, token: str, items: Any, now: float) -> bool:
        """Whether this very transaction succeeded before; Refused for another one with its token."""
        while self._ends and self._ends[0][0] <= now:
            self._done.pop(self._ends.popleft()[1], None)
        before = self._done.get(token)
        if before is not None and before != _written(items):
            raise Refused("IdempotentParameterMismatchException", "")
        return before is not None

    def remember(self, token: str, items: Any, now: float) -> None:
        """A transaction succeeded."""
        self._done[token] = _written(items)
        self._ends.append((now + TOKEN_LIFE, token))


def _written(items: Any) -> bytes:
    return orjson.dumps(items, option=orjson.OPT_SORT_KEYS)


def transact(writes: Sequence[tuple[Store, Write]], nature: Nature) -> None:
    """Write all; Refused with the reasons, and nothing written, where one cannot be."""
    outcomes: list[tuple[Item | None, int]] = []
    reasons: list[Reason] = []
    fault = _fault(nature)
    met = nature.chance.below(f"met {nature.place}", len(writes)) if fault else -1
    for place, (store, write) in enumerate(writes):
        before = store.current(write.key).item
        try:
            if place == met and fault:
                raise fault
            write.check(before)
            outcomes.append(write.outcome(before))
            reasons.append({"Code": "None"})
        except Refused as refused:
            reasons.append(_reason(refused))
    if len(outcomes) != len(writes):
        codes = ", ".join(reason["Code"] for reason in reasons)
        raise Refused(
            "TransactionCanceledException",
            f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
            CancellationReasons=reasons,
        )
    for (store, write), (after, size) in zip(writes, outcomes, strict=True):
        if write.kind == "ConditionCheck":
            store.mark(write.key)
        else:
            store.write(write.key, after, size, transacted=True)


def _fault(nature: Nature) -> Refused | None:
    if nature.fault("dynamodb_conflict"):
        return Refused("TransactionConflict", "Transaction is ongoing for the item")
    if nature.fault("dynamodb_throttled"):
        return Refused("ThrottlingError", _THROTTLED)
    return None


_CODES = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "ValidationException": "ValidationError",
}


def _reason(refused: Refused) -> Reason:
    return {"Code": _CODES.get(refused.code, refused.code), "Message": refused.message, **refused.body}
