"""One write: what a request asks for, checked, and what comes of it on the item that is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..refused import Refused
from .conditions import Condition, condition
from .expressions import Values
from .requests import check_index_keys, item_of, key_of, names_of, values_of
from .schema import Key, Table
from .updates import Unfit, Update, update
from .values import ITEM_BYTES, Item, copied, invalid, item_bytes, length, value_bytes


@dataclass(slots=True)
class Write:
    """A put, update, delete or check of one item."""

    kind: str
    """As in a transaction: `Put`, `Update`, `Delete`, `ConditionCheck`."""
    table: Table
    key: Key
    condition: Condition | None
    values: Values
    shows_item: bool
    """Whether the refusal shows the item that failed the condition."""
    item: Item | None = None
    size: int = 0
    update: Update | None = None

    def check(self, before: Item | None) -> None:
        """Refuse what could never be stored, or does not meet the condition."""
        if self.item is not None:
            check_index_keys(self.table, self.item)
        if self.condition is None or self.condition.test(before or {}, self.values):
            return
        body = {"Item": copied(before)} if self.shows_item and before is not None else {}
        raise Refused("ConditionalCheckFailedException", "The conditional request failed", **body)

    def outcome(self, before: Item | None) -> tuple[Item | None, int]:
        """What is to be stored, and its bytes; None for what is not there afterwards."""
        if self.kind == "ConditionCheck":
            return before, 0
        if self.kind == "Put":
            return self.item, self.size
        if self.kind == "Delete":
            return None, 0
        keys = zip(self.table.keys, self.key, strict=False)
        base = before if before is not None else {name: {"S": text} for name, text in keys}
        try:
            after = self.update.of(base, self.values) if self.update is not None else base
        except Unfit as unfit:
            raise invalid(str(unfit)) from None
        check_index_keys(self.table, after, updated=True)
        size = item_bytes(after)
        if size > ITEM_BYTES:
            raise invalid("Item size to update has exceeded the maximum allowed size")
        return after, size

    def payload(self) -> int:
        """Bytes that it brings: its item, or its key and values."""
        if self.kind == "Put":
            return self.size
        keys = zip(self.table.keys, self.key, strict=False)
        sizes = (length(name) + length(text) for name, text in keys)
        return sum(sizes) + sum(map(value_bytes, self.values.values()))


def write_of(kind: str, table: Table, request: Mapping[str, Any]) -> Write:
    """The write that a request, or a part of one, asks for. Raises Refused for what no item could meet."""
    names = names_of(request)
    text = request.get("ConditionExpression")
    needed = condition("ConditionExpression", text, names) if text is not None else None
    changes = update(request["UpdateExpression"], names) if "UpdateExpression" in request else None
    values = values_of(request, changes, needed)
    shows = request.get("ReturnValuesOnConditionCheckFailure", "NONE")
    if shows not in ("NONE", "ALL_OLD"):
        raise NotImplementedError(f"ReturnValuesOnConditionCheckFailure: {shows}")
    if kind == "Put":
        key, item, size = item_of(table, request["Item"])
        return Write(kind, table, key, needed, values, shows == "ALL_OLD", item, size)
    key = key_of(table, request["Key"])
    if changes is not None:
        for name in table.keys:
            if name in changes.changed:
                raise invalid(
                    f"One or more parameter values were invalid: Cannot update attribute {name}. "
                    "This attribute is part of the key"
                )
    return Write(kind, table, key, needed, values, shows == "ALL_OLD", update=changes)
