"""What Lambda says of an account and its event sources: GetAccountSettings, ListEventSourceMappings."""

import json
from collections.abc import Iterable

from werkzeug.wrappers import Response

from .aws_request import AwsRequest
from .functions import Functions
from .poller import Mapping

ACCOUNT_CONCURRENCY = 1000
"""Concurrent executions of an account, unless AWS has changed them: "Lambda quotas"."""


def lambda_reads(request: AwsRequest, mappings: Iterable[Mapping], functions: Functions) -> Response | None:
    """The answer to a request that only reads; None for any other."""
    if request.method != "GET":
        return None
    if request.path.endswith("/account-settings"):
        reserved = sum(function.reserved or 0 for function in functions)
        limit = {
            "ConcurrentExecutions": ACCOUNT_CONCURRENCY,
            "UnreservedConcurrentExecutions": ACCOUNT_CONCURRENCY - reserved,
        }
        return _json({"AccountLimit": limit, "AccountUsage": {"FunctionCount": len(list(functions))}})
    if request.path.rstrip("/").endswith("/event-source-mappings"):
        return _json({"EventSourceMappings": [_row(mapping, functions) for mapping in mappings]})
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
