"""TransactWriteItems: all of it, or nothing, once for each token.

"TransactWriteItems", Amazon DynamoDB API Reference.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson

from ...nature import Nature
from ...service import Refused
from .tables import Store
from .values import Item, invalid
from .writes import Write, write_of

TRANSACTION_ITEMS = 100
TRANSACTION_BYTES = 4 * 1024 * 1024
TOKEN_LIFE = 600.0
"""Seconds in which a transaction with the token of one that succeeded is the same one."""

_KINDS: Mapping[str, frozenset[str]] = {
    "Put": frozenset({"Item"}),
    "Update": frozenset({"Key", "UpdateExpression"}),
    "Delete": frozenset({"Key"}),
    "ConditionCheck": frozenset({"Key", "ConditionExpression"}),
}
"""By kind: the parameters that it needs."""
_COMMON = frozenset(
    {
        "TableName", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
        "ReturnValuesOnConditionCheckFailure",
    }
)  # fmt: skip
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


def transact(writes: list[Write], nature: Nature) -> None:
    """Write all; Refused with the reasons, and nothing written, where one cannot be."""
    outcomes: list[tuple[Item | None, int]] = []
    reasons: list[Reason] = []
    fault = _fault(nature)
    met = nature.chance.below(f"met {nature.place}", len(writes)) if fault else -1
    for place, write in enumerate(writes):
        before = write.store.current(write.key).item
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
    for write, (after, size) in zip(writes, outcomes, strict=True):
        if write.kind == "ConditionCheck":
            write.store.mark(write.key)
        else:
            write.store.write(write.key, after, size, transacted=True)


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


def writes_of(items: list[Mapping[str, Any]], store: Mapping[str, Store]) -> list[Write]:
    """The writes of a transaction. Raises Refused for what no state of the items could meet."""
    if not 1 <= len(items) <= TRANSACTION_ITEMS:
        bound = f"less than or equal to {TRANSACTION_ITEMS}" if items else "greater than or equal to 1"
        raise invalid(
            f"1 validation error detected: Value '[…]' at 'transactItems' failed to satisfy constraint: "
            f"Member must have length {bound}"
        )
    writes = [_write(one, store) for one in items]
    if len({(write.store.table.name, write.key) for write in writes}) != len(writes):
        raise invalid("Transaction request cannot include multiple operations on one item")
    if (total := sum(map(_weight, writes))) > TRANSACTION_BYTES:
        raise invalid(f"Transaction payload size cannot exceed 4MB. Payload Size: {total}")
    return writes


def _weight(write: Write) -> int:
    """An item's bytes in its transaction; of one that is there already those count, too.

    "The aggregate size of the items in the transaction cannot exceed 4 MB." DynamoDB Local only counts what
    the request brings.
    """
    if write.kind == "Put":
        return write.payload()
    return max(write.payload(), write.store.current(write.key).size)


def _write(one: Mapping[str, Any], stores: Mapping[str, Store]) -> Write:
    if len(one) != 1:
        raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
    ((kind, part),) = one.items()
    if kind not in _KINDS or set(part) - _KINDS[kind] - _COMMON:
        raise NotImplementedError(f"{kind}: {sorted(part)}")
    if missing := sorted(_KINDS[kind] - set(part)):
        raise invalid(
            f"1 validation error detected: Value null at 'transactItems.1.member.{kind}.{missing[0]}' failed "
            "to satisfy constraint: Member must not be null"
        )
    return write_of(kind, stores[part["TableName"]], part)
