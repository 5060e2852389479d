"""Batch calls that a service answers in part, as services do under load: keys unprocessed, entries failed.

"BatchGetItem" (UnprocessedKeys), "SendMessageBatch" (Failed), "PutEvents" (FailedEntryCount): API references.
"""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Response

from .aws_request import AwsRequest, Environ, replace_body

_SHARE = 0.3  # of the batch calls

Rows = list[Any]
Call = Callable[[AwsRequest, Environ], Response]


class PartialAnswers:
    """Has some batch calls done in part, decided by a seed. A call with one row is done whole."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - reproducible on purpose

    def __call__(self, request: AwsRequest, environ: Environ, call: Call) -> Response:
        """The answer to a request, of which perhaps only a part was carried out. Hold the emulator's lock."""
        split = _SPLITS.get((request.service, request.operation))
        if split is None or self._random.random() >= _SHARE:
            return call(request, environ)
        done, lay_over = split(dict(request.parameters))
        replace_body(environ, json.dumps(done).encode())
        response = call(request, environ)
        if response.status_code < 300:
            answer = json.loads(response.get_data())
            lay_over(answer)
            response.set_data(json.dumps(answer))
            response.headers.pop("x-amz-crc32", None)
        return response


Split = Callable[[dict[str, Any]], tuple[dict[str, Any], Callable[[dict[str, Any]], None]]]


def _halves(rows: Rows) -> tuple[Rows, Rows]:
    kept = (len(rows) + 1) // 2
    return rows[:kept], rows[kept:]


def _keys(parameters: dict[str, Any]) -> tuple[dict[str, Any], Callable[[dict[str, Any]], None]]:
    wanted, left = {}, {}
    for table, request in parameters["RequestItems"].items():
        now, later = _halves(request["Keys"])
        wanted[table] = {**request, "Keys": now}
        if later:
            left[table] = {**request, "Keys": later}

    def lay_over(answer: dict[str, Any]) -> None:
        answer["UnprocessedKeys"] = {**answer.get("UnprocessedKeys", {}), **left}

    return {**parameters, "RequestItems": wanted}, lay_over


def _messages(parameters: dict[str, Any]) -> tuple[dict[str, Any], Callable[[dict[str, Any]], None]]:
    now, later = _halves(parameters["Entries"])

    def lay_over(answer: dict[str, Any]) -> None:
        failed = [{"Id": row["Id"], "SenderFault": False, "Code": "InternalError"} for row in later]
        answer["Failed"] = [*answer.get("Failed", ()), *failed]

    return {**parameters, "Entries": now}, lay_over


def _events(parameters: dict[str, Any]) -> tuple[dict[str, Any], Callable[[dict[str, Any]], None]]:
    now, later = _halves(parameters["Entries"])

    def lay_over(answer: dict[str, Any]) -> None:
        failed = [{"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"} for _ in later]
        answer["Entries"] = [*answer["Entries"], *failed]
        answer["FailedEntryCount"] = answer.get("FailedEntryCount", 0) + len(failed)

    return {**parameters, "Entries": now}, lay_over


_SPLITS: Mapping[tuple[str, str], Split] = {
    ("dynamodb", "BatchGetItem"): _keys,
    ("sqs", "SendMessageBatch"): _messages,
    ("events", "PutEvents"): _events,
}
