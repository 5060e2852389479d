"""Canned services: every AWS call and every OpenText call is answered inside the process.

The clients are the real ones, down to the socket (`bench.canned_http`): serialising, signing, writing and
reading HTTP and parsing are paid for; the kernel, TLS and the network are not, by either side of a
comparison. The answers' own CPU is kept apart (`own_cpu`), to be subtracted.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter, process_time
from typing import Any

import orjson

from .canned_dynamodb import Refused, Tables
from .canned_http import Answer, Request, answered, unchunked
from .template import Table
from .usage import Usage

OPENTEXT = "https://opentext.example.com"
"""Base address of the canned OpenText Notifications."""

_SQS_CHUNK = 64 * 1024
_SERVICES = {
    "DynamoDB_20120810": "dynamodb",
    "AmazonSQS": "sqs",
    "AWSEvents": "events",
    "secretsmanager": "secretsmanager",
    "PinpointSMSVoiceV2": "sms",
}


class CannedCloud:
    """One account: tables, buckets, queues, secrets, providers. `usage` counts all calls."""

    def __init__(self, schemas: Mapping[str, Table]) -> None:
        self.usage = Usage()
        self.tables = Tables(schemas, self.usage)
        self.objects: dict[str, bytes] = {}
        self.queues: dict[str, list[tuple[str, str]]] = {}
        self.secrets: dict[str, Mapping[str, str]] = {}
        self.own_cpu = 0.0
        self.own_wall = 0.0
        self.sent = 0
        """Messages that reached a provider: SES and SMS messages, and OpenText's destinations."""

    @contextmanager
    def installed(self) -> Iterator[None]:
        """While this lasts, nothing reaches a network."""
        with answered(self._answer, self._clocked):
            yield

    def _clocked(self, work: Callable[[], bytes]) -> bytes:
        cpu, wall = process_time(), perf_counter()
        try:
            return work()
        finally:
            self.own_cpu += process_time() - cpu
            self.own_wall += perf_counter() - wall

    def _answer(self, request: Request) -> Answer:
        headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "0" * 32}
        if target := request.headers.get("x-amz-target"):
            prefix, _, operation = target.partition(".")
            service = _SERVICES[prefix]
            self.usage.call(f"{service}.{operation}")
            status = 200
            try:
                body = self._json(service, operation, orjson.loads(request.body))
            except Refused as refused:
                status = 400
                body = orjson.dumps({"__type": f"com.amazonaws#{refused.code}", **refused.body})
            if service == "dynamodb":
                headers["x-amz-crc32"] = str(zlib.crc32(body))
            return Answer(status, headers, body)
        if ".s3." in request.host:
            return self._s3(request)
        if request.path == "/v2/email/outbound-emails":
            self.usage.call("ses.SendEmail")
            self.sent += 1
            return Answer(200, headers, orjson.dumps({"MessageId": f"0100{self.sent:012x}-bench-000000"}))
        if f"https://{request.host}" == OPENTEXT and request.path.startswith("/mra/v1/outbound/"):
            self.usage.call(f"opentext.{request.path.rsplit('/', 1)[-1]}")
            self.usage.bill("transfer_out_bytes", len(request.body))
            self.sent += len(orjson.loads(request.body)["destinations"])
            body = orjson.dumps({"job_id": f"xsi2-{self.usage.calls_of('opentext')}"})
            return Answer(200, {"content-type": "application/json"}, body)
        raise NotImplementedError(f"a canned answer of {request.method} {request.host}{request.path}")

    def _json(self, service: str, operation: str, request: dict[str, Any]) -> bytes:
        if service == "dynamodb":
            return self.tables.operations[operation](request)
        if service == "sqs":
            return self._sqs(operation, request)
        if service == "events":
            entries = request["Entries"]
            self.usage.bill("eventbridge_events", len(entries))
            return orjson.dumps({"FailedEntryCount": 0, "Entries": [{"EventId": "0" * 36} for _ in entries]})
        if service == "secretsmanager":
            self.usage.bill("secret_calls", 1)
            name = request["SecretId"]
            return orjson.dumps({"Name": name, "SecretString": orjson.dumps(self.secrets[name]).decode()})
        self.sent += 1
        return orjson.dumps({"MessageId": f"sms-{self.sent:012x}"})

    def _sqs(self, operation: str, request: dict[str, Any]) -> bytes:
        if operation != "SendMessageBatch":
            raise NotImplementedError(f"a canned answer of sqs.{operation}")
        rows = [(entry["MessageBody"], entry.get("MessageGroupId", "")) for entry in request["Entries"]]
        self.bill_sqs(sum(len(body.encode()) for body, _ in rows))
        self.queues.setdefault(request["QueueUrl"], []).extend(rows)
        done = [
            {"Id": entry["Id"], "MessageId": f"message-{number}", "MD5OfMessageBody": "0" * 32}
            for number, entry in enumerate(request["Entries"])
        ]
        return orjson.dumps({"Successful": done, "Failed": []})

    def bill_sqs(self, size: int) -> None:
        """One SQS request: billed as one for each started 64 KB of its messages."""
        self.usage.bill("sqs_requests", max(1, -(-size // _SQS_CHUNK)))

    def _s3(self, request: Request) -> Answer:
        name = f"{request.host.split('.')[0]}{request.path}"
        headers = {"etag": '"0"', "content-type": "binary/octet-stream"}
        if request.method == "PUT":
            coded = "aws-chunked" in request.headers.get("content-encoding", "")
            self.objects[name] = unchunked(request.body) or b"" if coded else request.body
            self.usage.call("s3.PutObject")
            self.usage.bill("s3_put", 1)
            return Answer(200, headers, b"")
        if request.method != "GET":
            raise NotImplementedError(f"a canned answer of S3 {request.method}")
        self.usage.call("s3.GetObject")
        self.usage.bill("s3_get", 1)
        data = self.objects[name]
        if found := re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", "")):
            return Answer(206, headers, data[int(found[1]) : int(found[2]) + 1])
        return Answer(200, headers, data)
