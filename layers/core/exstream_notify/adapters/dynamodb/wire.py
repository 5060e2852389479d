"""Hands batches to DynamoDB, and takes them, as they are, since our items have the wire's form already.

botocore walks each attribute of each item through its model of the service, and its endpoint rules look
for a table's ARN in each: for a hundred items that is a third of the CPU of sending them in bulk.
Its own events let a batch pass by. Signing, retries, errors and the token that makes a repeated
transaction the same one are as ever. Holds for items without binary values, which ours are.
"""

from collections.abc import Mapping
from typing import Any

import orjson

_BATCHES: Mapping[str, tuple[str, Any]] = {
    "TransactWriteItems": ("TransactItems", []),
    "BatchGetItem": ("RequestItems", {}),
}
"""By operation: the parameter that holds the batch, and what botocore gets to see instead."""

_ASIDE = "exstream_notify_batch"


def pass_batches(client: Any) -> None:
    """Have this client, made with `parameter_validation=False`, pass batches as they are."""
    events = client.meta.events
    for operation in _BATCHES:
        events.register(f"provide-client-params.dynamodb.{operation}", _set_aside)
        events.register(f"before-call.dynamodb.{operation}", _put_back)
    events.register("before-parse.dynamodb.BatchGetItem", _as_it_came)


def _set_aside(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> dict[str, Any]:
    name, nothing = _BATCHES[model.name]
    context[_ASIDE] = {name: params[name]}
    return {**params, name: nothing}


def _put_back(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    # What botocore wrote has what it added, above all ClientRequestToken.
    params["body"] = orjson.dumps({**orjson.loads(params["body"]), **context[_ASIDE]})


def _as_it_came(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    if response_dict["status_code"] < 300:
        customized_response_dict.update(orjson.loads(response_dict["body"]))
        response_dict["body"] = b"{}"
