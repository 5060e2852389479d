"""What an AWS request that reaches the embedded cloud asks for: service, operation, caller, parameters."""

import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

Environ = dict[str, Any]

# Signing names that differ from the names that services and policies use.
_SIGNING_NAMES = {"monitoring": "cloudwatch"}
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")
_RPC_PATH = re.compile(r"^/service/[^/]+/operation/(?P<operation>[^/]+)$")


@dataclass(frozen=True)
class AwsRequest:
    """A request in the AWS protocols, read once; `body` is the whole body."""

    service: str
    region: str
    access_key: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    operation: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def protocol(self) -> str:
        """How an error is to be put: `json`, `query`, `cbor`, `s3` or `rest-json`."""
        if self.service == "s3":
            return "s3"
        if "x-amz-target" in self.headers:
            return "json"
        if _RPC_PATH.match(self.path):
            return "cbor"
        if "Action" in self.parameters:
            return "query"
        return "rest-json"


def headers_of(environ: Mapping[str, Any]) -> dict[str, str]:
    """Request headers by lower-case name."""
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = str(environ[name])
    return headers


def read_body(environ: Environ) -> bytes:
    """The request's body, which stays readable for whoever comes next."""
    stream = environ["wsgi.input"]
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        body = stream.read()
    else:
        body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    replace_body(environ, body)
    return bytes(body)


def replace_body(environ: Environ, body: bytes) -> None:
    """Gives the request another body."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def raw_path(environ: Mapping[str, Any]) -> str:
    """The path as sent, still percent-encoded, without the query."""
    return str(environ.get("RAW_URI") or environ.get("PATH_INFO") or "/").split("?", 1)[0] or "/"


def access_key_of(environ: Mapping[str, Any]) -> str | None:
    """The access key id that signed a request, in its header or its query; None if it is not signed."""
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    scope = _scope(environ.get("HTTP_AUTHORIZATION", ""), query)
    return scope[0] if scope else None


def _scope(authorization: str, query: Mapping[str, str]) -> tuple[str, str, str] | None:
    found = _CREDENTIAL.search(authorization)
    if found is None and "X-Amz-Credential" in query:
        found = _CREDENTIAL.search(f"Credential={query['X-Amz-Credential']}")
    return (found[1], found[2], found[3]) if found else None


def parse_request(environ: Environ) -> AwsRequest | None:
    """Reads a signed AWS request; None if nothing in it is signed."""
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    scope = _scope(environ.get("HTTP_AUTHORIZATION", ""), query)
    if scope is None:
        return None
    access_key, region, signing_name = scope
    headers = headers_of(environ)
    path = raw_path(environ)
    body = read_body(environ)
    operation, parameters = _operation(path, query, headers, body)
    return AwsRequest(
        service=_SIGNING_NAMES.get(signing_name, signing_name),
        region=region,
        access_key=access_key,
        method=environ["REQUEST_METHOD"],
        path=path,
        query=query,
        headers=headers,
        body=body,
        operation=operation,
        parameters=parameters,
    )


def _operation(
    path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
) -> tuple[str, Mapping[str, Any]]:
    target = headers.get("x-amz-target")
    if target is not None:
        return target.rpartition(".")[2], _json_object(body)
    rpc = _RPC_PATH.match(path)
    if rpc:
        return rpc["operation"], {}
    if "Action" in query:
        return query["Action"], query
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        return form.get("Action", ""), form
    return "", {}


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def split_s3_path(path: str) -> tuple[str, str]:
    """Bucket and key of a path-style S3 request, decoded; both may be empty."""
    bucket, _, key = path.lstrip("/").partition("/")
    return unquote(bucket), unquote(key)


def listed(parameters: Mapping[str, Any], *names: str) -> Iterable[Any]:
    """Walks into nested lists: `listed(p, "TransactItems")` yields each entry, missing names none."""
    value: Any = parameters
    for name in names:
        value = value.get(name, []) if isinstance(value, Mapping) else []
    return value if isinstance(value, list) else []
