"""What Lambda says of an account: GetAccountSettings, ListEventSourceMappings, GetFunctionConcurrency."""

import json
import re
from collections.abc import Iterable
from urllib.parse import unquote

from werkzeug.wrappers import Response

from .aws_request import AwsRequest
from .functions import Functions, UnknownFunctionError
from .poller import Mapping

_CONCURRENCY = re.compile(r"/[\d-]+/functions/(?P<name>[^/]+)/concurrency")

ACCOUNT_CONCURRENCY = 1000
"""Concurrent executions of an account, unless AWS has changed them: "Lambda quotas"."""


def lambda_reads(request: AwsRequest, mappings: Iterable[Mapping], functions: Functions) -> Response | None:
    """The answer to a request that only reads; None for any other."""
    if request.method != "GET":
        return None
    if request.path.endswith("/account-settings"):
        taken = sum(function.reserved or 0 for function in functions)
        limit = {
            "ConcurrentExecutions": ACCOUNT_CONCURRENCY,
            "UnreservedConcurrentExecutions": ACCOUNT_CONCURRENCY - taken,
        }
        return _json({"AccountLimit": limit, "AccountUsage": {"FunctionCount": len(list(functions))}})
    if request.path.rstrip("/").endswith("/event-source-mappings"):
        return _json({"EventSourceMappings": [_row(mapping, functions) for mapping in mappings]})
    if found := _CONCURRENCY.fullmatch(request.path):
        try:
            reserved = functions.find(unquote(found["name"])).reserved
        except UnknownFunctionError as error:
            message = {"Type": "User", "Message": str(error.args[0])}
            answer = _json(message)
            answer.status_code = 404
            answer.headers["x-amzn-errortype"] = "ResourceNotFoundException"
            return answer
        return _json({} if reserved is None else {"ReservedConcurrentExecutions": reserved})
    return None


def _row(mapping: Mapping, functions: Functions) -> dict[str, object]:
    bound = {} if mapping.concurrency is None else {"MaximumConcurrency": mapping.concurrency}
    return {
        "UUID": mapping.uuid,
        "EventSourceArn": mapping.queue_arn,
        "FunctionArn": functions.find(mapping.function).spec.arn,
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": int(mapping.window),
        "FunctionResponseTypes": ["ReportBatchItemFailures"] if mapping.partial_responses else [],
        "ScalingConfig": bound,
        "State": "Enabled",
    }


def _json(value: object) -> Response:
    return Response(json.dumps(value), content_type="application/json")
