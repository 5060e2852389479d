"""A scheduled function: counts its runs, keeps its last event, fails when told to."""

import json
import os
from typing import Any

import boto3


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Counts this run."""
    boto3.client("dynamodb").update_item(
        TableName=os.environ["TABLE"],
        Key={"pk": {"S": "sweep"}},
        UpdateExpression="ADD runs :one SET lastevent = :event",
        ExpressionAttributeValues={":one": {"N": "1"}, ":event": {"S": json.dumps(event)}},
    )
    if event.get("fail"):
        raise RuntimeError("told to fail")
    return {"swept": event.get("detail-type")}
