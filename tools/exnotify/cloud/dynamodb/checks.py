"""Whether DynamoDB would refuse a request, whatever is stored."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .batches import batch_keys_of, batch_writes_of, projection_of, transaction_of
from .queries import query_of, scan_of
from .requests import check_index_keys, key_of
from .schema import Table
from .writes import Write, write_of

Request = Mapping[str, Any]
Tables = Mapping[str, Table]


def check(operation: str, request: Request, tables: Tables) -> None:
    """Raise Refused as DynamoDB would; NotImplementedError for what is not known here, such as nested paths.

    `tables` holds those that the request may name.
    """
    if operation in _CHECKS:
        for write in _CHECKS[operation](request, tables):
            if write.item is not None:
                check_index_keys(write.table, write.item)


def _get(request: Request, tables: Tables) -> Iterable[Write]:
    projection_of(request)
    key_of(tables[request["TableName"]], request["Key"])
    return ()


def _query(request: Request, tables: Tables) -> Iterable[Write]:
    query_of(tables[request["TableName"]], request)
    return ()


def _scan(request: Request, tables: Tables) -> Iterable[Write]:
    scan_of(tables[request["TableName"]], request)
    return ()


def _batch_get(request: Request, tables: Tables) -> Iterable[Write]:
    batch_keys_of(request["RequestItems"], tables)
    return ()


def _one(kind: str) -> Callable[[Request, Tables], Iterable[Write]]:
    return lambda request, tables: (write_of(kind, tables[request["TableName"]], request),)


_CHECKS: Mapping[str, Callable[[Request, Tables], Iterable[Write]]] = {
    "GetItem": _get,
    "PutItem": _one("Put"),
    "UpdateItem": _one("Update"),
    "DeleteItem": _one("Delete"),
    "Query": _query,
    "Scan": _scan,
    "BatchGetItem": _batch_get,
    "BatchWriteItem": lambda request, tables: [
        w for _, w in batch_writes_of(request["RequestItems"], tables)
    ],
    "TransactWriteItems": lambda request, tables: transaction_of(request["TransactItems"], tables),
}
"""By operation: checks a request, and gives the writes that it asks for."""
