"""Answers over HTTP what it was asked, or as it is told to."""

import base64
import json
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    """An HTTP API's event, payload format 2.0."""
    told = (event.get("pathParameters") or {}).get("name")
    if told == "plain":
        return {"no": "status"}
    if told == "broken":
        raise ValueError("told to")
    if told == "bytes":
        body = base64.b64encode(b"\x00\xff").decode()
        return {
            "statusCode": 200,
            "headers": {"content-type": "image/png"},
            "body": body,
            "isBase64Encoded": True,
        }
    return {
        "statusCode": 201,
        "headers": {"content-type": "application/json", "x-told": "yes"},
        "cookies": ["a=1", "b=2"],
        "body": json.dumps(event),
    }
