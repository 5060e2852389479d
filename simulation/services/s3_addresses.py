"""Presigned addresses of objects: made by the function, opened by a browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from ..service import Refused
from .operations import REGION
from .s3 import S3

_HOST = re.compile(r"([a-z0-9.-]+)\.s3\.[a-z0-9-]+\.amazonaws\.com")


def presigned(s3: S3, parameters: Mapping[str, Any], seconds: int) -> str:
    """An address that reads an object for so many seconds, as GetObject with these parameters."""
    bucket, key = parameters["Bucket"], parameters["Key"]
    rest = {name: str(value) for name, value in parameters.items() if name not in ("Bucket", "Key")}
    query = {
        "X-Amz-Date": s3.utc().strftime("%Y%m%dT%H%M%SZ"),
        "X-Amz-Expires": str(seconds),
        **{"response-" + _dashed(name.removeprefix("Response")): text for name, text in rest.items()},
    }
    path = f"https://{bucket}.s3.{REGION}.amazonaws.com/{quote(key)}?{urlencode(query)}"
    return f"{path}&X-Amz-Signature={s3.hexadecimal(path, 32)}"


def open_address(s3: S3, address: str) -> tuple[int, dict[str, str], bytes]:
    """What a browser gets at such an address: status, headers, body."""
    plain, _, signature = address.rpartition("&X-Amz-Signature=")
    parts = urlsplit(plain)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    found = _HOST.fullmatch(parts.netloc)
    if found is None or signature != s3.hexadecimal(plain, 32):
        return 403, {}, b"SignatureDoesNotMatch"
    began = datetime.strptime(f"{query['X-Amz-Date']}+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
    if s3.now > began + int(query["X-Amz-Expires"]):
        return 403, {}, b"AccessDenied: Request has expired"
    try:
        answer = s3.call("GetObject", {"Bucket": found[1], "Key": unquote(parts.path[1:])})
    except Refused as refused:
        return refused.status, {}, refused.code.encode()
    told = {n.removeprefix("response-"): v for n, v in query.items() if n.startswith("response-")}
    headers = {"content-type": answer["ContentType"], "content-length": str(answer["ContentLength"])}
    return 200, {**headers, **told}, answer["Body"]


def _dashed(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
