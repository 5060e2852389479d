"""What the product gets in place of boto3's clients: the same methods, errors and forms of answers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from types import SimpleNamespace
from typing import Any, BinaryIO, Protocol

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

Json = dict[str, Any]

_PAGES: Mapping[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "list_objects_v2": ((("ContinuationToken", "NextContinuationToken"),), ""),
    "list_object_versions": (
        (("KeyMarker", "NextKeyMarker"), ("VersionIdMarker", "NextVersionIdMarker")),
        "IsTruncated",
    ),
    "query": ((("ExclusiveStartKey", "LastEvaluatedKey"),), ""),
    "scan": ((("ExclusiveStartKey", "LastEvaluatedKey"),), ""),
    "list_executions": ((("nextToken", "nextToken"),), ""),
    "list_queues": ((("NextToken", "NextToken"),), ""),
    "list_event_source_mappings": ((("Marker", "NextMarker"),), ""),
    "list_secret_version_ids": ((("NextToken", "NextToken"),), ""),
    "list_stack_resources": ((("NextToken", "NextToken"),), ""),
    "describe_alarms": ((("NextToken", "NextToken"),), ""),
    "filter_log_events": ((("nextToken", "nextToken"),), ""),
}
"""By method: what of an answer goes into the next request, and the field that says whether there is more."""


class Caller(Protocol):
    """What carries out a call; see `Engine.call`."""

    def __call__(self, service: str, operation: str, request: Json, attempts: int) -> Json:
        """The answer; raises ClientError, or botocore's other errors."""


@cache
def error_class(code: str) -> type[ClientError]:
    """The class of an error answer, as `client.exceptions` has it."""
    return type(code.rpartition(".")[2], (ClientError,), {})


class _Exceptions:
    def __getattr__(self, name: str) -> type[ClientError]:
        if name.startswith("_"):
            raise AttributeError(name)
        return ClientError if name == "ClientError" else error_class(name)


class _Events:
    def register(self, *_: Any, **__: Any) -> None:
        """What botocore tells of its own work does not happen here."""


class Client:
    """A client of one service. `attempts`: tries of a call in all; `presign` makes S3's addresses."""

    exceptions = _Exceptions()

    def __init__(
        self,
        service: str,
        call: Caller,
        region: str,
        attempts: int,
        presign: Callable[[Mapping[str, Any], int], str],
    ) -> None:
        self._service = service
        self._call = call
        config = SimpleNamespace(retries={"mode": "standard", "total_max_attempts": attempts})
        self.meta = SimpleNamespace(config=config, events=_Events(), region_name=region)
        self._attempts = attempts
        self._presign = presign

    def __getattr__(self, name: str) -> Callable[..., Json]:
        """The method of an operation."""
        if name.startswith("_"):
            raise AttributeError(name)
        method = partial(self._asked, operation_of(name))
        self.__dict__[name] = method
        return method

    def close(self) -> None:
        """There are no connections."""

    def can_paginate(self, name: str) -> bool:
        """Whether an operation answers in pages."""
        return name in _PAGES

    def get_paginator(self, name: str) -> Paginator:
        """The paginator of an operation."""
        return Paginator(getattr(self, name), *_PAGES[name])

    def generate_presigned_url(self, method: str, **asked: Any) -> str:
        """The address that reads an object."""
        if method != "get_object":
            raise NotImplementedError(f"an address for {method}")
        return self._presign(asked["Params"], int(asked["ExpiresIn"]))

    def upload_fileobj(self, content: BinaryIO, bucket: str, key: str) -> None:
        """As boto3's transfers do for what is no larger than a part: in one piece."""
        self._asked("PutObject", Bucket=bucket, Key=key, Body=content.read())

    def _asked(self, operation: str, **request: Any) -> Json:
        body = request.get("Body")
        if isinstance(body, str):
            request["Body"] = body.encode()
        elif body is not None and hasattr(body, "read"):
            request["Body"] = body.read()
        answer = self._call(self._service, operation, request, self._attempts)
        for name in ("Body", "Payload"):
            if isinstance(answer.get(name), bytes):
                answer[name] = StreamingBody(io.BytesIO(answer[name]), len(answer[name]))
        answer.setdefault("ResponseMetadata", {"HTTPStatusCode": 200, "RetryAttempts": 0})
        return answer


@cache
def operation_of(method: str) -> str:
    """`TransactWriteItems` of `transact_write_items`."""
    return "".join(word[0].upper() + word[1:] for word in method.split("_"))


class Paginator:
    """Pages of an operation."""

    def __init__(self, method: Callable[..., Json], tokens: tuple[tuple[str, str], ...], more: str) -> None:
        self._method = method
        self._tokens = tokens
        self._more = more

    def paginate(self, **request: Any) -> Iterator[Json]:
        """Each page; PaginationConfig is not known."""
        if "PaginationConfig" in request:
            raise NotImplementedError("PaginationConfig")
        while True:
            page = self._method(**request)
            yield page
            found = {asked: page[told] for asked, told in self._tokens if page.get(told)}
            if not found or (self._more and not page.get(self._more)):
                return
            request = {**request, **found}
