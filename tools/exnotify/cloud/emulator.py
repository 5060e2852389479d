"""moto's services in this process, behind one WSGI application and one lock.

moto keeps its state in module globals and is not safe under threads (DynamoDB least of all), so every call
into it, by HTTP or from this package, happens while `Emulator.lock` is held; and only one emulator can run
in a process at a time.
"""

import importlib
import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import Lock, RLock
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from .actions import Place
from .aws_request import AwsRequest, Environ, replace_body
from .partial import PartialAnswers

logger = logging.getLogger(__name__)

StartResponse = Callable[..., Any]

#: The account that everything lives in: moto's default, and fictional.
ACCOUNT = "123456789012"

#: Services that answer, with moto's module for each.
SERVICES = {
    "cloudwatch": "cloudwatch",
    "dynamodb": "dynamodb",
    "events": "events",
    "iam": "iam",
    "kms": "kms",
    "logs": "logs",
    "s3": "s3",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
    "sts": "sts",
}
_LONG_POLL_STEP = 0.05  # seconds between looks of a long poll

_running = Lock()


class Emulator:
    """moto's state and its dispatcher; knows nothing of permissions."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.partial: PartialAnswers | None = None
        self.lock = RLock()
        self.place = Place(ACCOUNT, region, self._secret_arn, self._topic_key)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Empty services for the time of the context. Raises RuntimeError if an emulator runs already."""
        if not _running.acquire(blocking=False):
            raise RuntimeError("one embedded cloud runs in this process already: stop it first")
        try:
            self.reset()
            yield
        finally:
            self.reset()
            _running.release()

    def reset(self) -> None:
        """Forgets everything in every service."""
        from moto.core.base_backend import BackendDict

        with self.lock:
            BackendDict.reset()

    # ---- requests ----

    def dispatch(self, request: AwsRequest, environ: Environ) -> Response:
        """Answers a request whose permission has been checked; holds the lock, but not while it waits."""
        if request.service == "sqs" and request.operation == "ReceiveMessage":
            return self._receive(request, environ)
        with self.lock:
            if self.partial is not None:
                return self.partial(request, environ, self._call)
            return self._call(request, environ)

    def _receive(self, request: AwsRequest, environ: Environ) -> Response:
        # A long poll inside moto would hold the lock, and so keep out the very sender it waits for.
        wait = request.parameters.get("WaitTimeSeconds")
        if wait is None:
            wait = self._queue_wait(str(request.parameters.get("QueueUrl", "")))
        deadline = time.monotonic() + float(wait)
        body = json.dumps({**request.parameters, "WaitTimeSeconds": 0}).encode()
        while True:
            replace_body(environ, body)
            with self.lock:
                response = self._call(request, environ)
            if time.monotonic() >= deadline or b'"Messages"' in response.get_data():
                return response
            time.sleep(_LONG_POLL_STEP)

    def _queue_wait(self, url: str) -> float:
        queue = self.queues().get(url.rpartition("/")[2])
        return float(queue.receive_message_wait_time_seconds) if queue is not None else 0.0

    def _call(self, request: AwsRequest, environ: Environ) -> Response:
        handler = _handler(request.service, request.path)
        if handler is None:
            return Response(f"{request.service} is not part of the embedded cloud", 501)
        moto_request = _request_class()(environ)
        try:
            status, headers, body = handler(moto_request, moto_request.raw_url, dict(moto_request.headers))
        except HTTPException as error:
            return Response(error.get_body(environ), error.code or 500, error.get_headers(environ))
        except Exception as error:
            logger.exception("the emulator failed on %s:%s", request.service, request.operation)
            return Response(f"the embedded cloud failed: {type(error).__name__}: {error}", 501)
        # The length that moto gives is the object's, also where the body is something else.
        lowered = {name.lower(): str(value) for name, value in headers.items()}
        length = lowered.pop("content-length", None)
        lowered.pop("status", None)
        response = Response(body, int(status), lowered)
        if request.method == "HEAD" and length is not None:
            # A body sets the length to its own; the answer to HEAD has none, and tells the object's.
            response.headers["Content-Length"] = length
        return response

    # ---- state, read where a call over HTTP would only cost time ----

    def queues(self) -> Mapping[str, Any]:
        """moto's queues by name. Hold the lock while using one."""
        from moto.sqs.models import sqs_backends

        queues: Mapping[str, Any] = sqs_backends[ACCOUNT][self.region].queues
        return queues

    def sqs(self) -> Any:
        """moto's SQS backend. Hold the lock while using it."""
        from moto.sqs.models import sqs_backends

        return sqs_backends[ACCOUNT][self.region]

    def depth(self, queue_name: str) -> dict[str, int]:
        """How many messages of a queue are visible, in flight, delayed."""
        with self.lock:
            queue = self.queues()[queue_name]
            delayed = queue.approximate_number_of_messages_delayed
            in_flight = queue.approximate_number_of_messages_not_visible
            return {
                "visible": len(queue._messages) - in_flight - delayed,
                "in_flight": in_flight,
                "delayed": delayed,
            }

    def oldest(self, queue_name: str) -> float | None:
        """When the oldest message of a queue was sent (real seconds); None if there is none.

        One that was received three times does not count: SQS "moves it to the back of the queue" and
        lets ApproximateAgeOfOldestMessage point at the next.
        """
        with self.lock:
            sent = [
                float(message.sent_timestamp) / 1000
                for message in self.queues()[queue_name]._messages
                if message.approximate_receive_count < 3
            ]
        return min(sent, default=None)

    def role_of(self, access_key: str) -> tuple[str, str] | None:
        """Role name and session ARN behind an assumed role's access key id."""
        from moto.sts.models import sts_backends

        with self.lock:
            session = sts_backends[ACCOUNT]["aws"].get_assumed_role_from_access_key(access_key)
            return None if session is None else (session.role_arn.rpartition("/")[2], session.arn)

    def role_documents(self, role: str) -> list[str]:
        """The role's inline and attached policy documents, as JSON."""
        from moto.iam.models import iam_backends

        with self.lock:
            found = iam_backends[ACCOUNT]["aws"].get_role(role)
            attached = [
                str(version.document)
                for policy in found.managed_policies.values()
                for version in policy.versions
                if version.is_default
            ]
            return [*map(str, found.policies.values()), *attached]

    def resource_document(self, resource: str) -> str | None:
        """The policy on a bucket (or the object's bucket) or queue, as JSON; None if it has none."""
        service, name = resource.split(":")[2], resource.split(":", 5)[-1]
        with self.lock:
            if service == "s3":
                from moto.s3.models import s3_backends

                bucket = s3_backends[ACCOUNT]["aws"].buckets.get(name.partition("/")[0])
                return bucket.policy.decode() if bucket is not None and bucket.policy else None
            if service == "sqs":
                queue = self.queues().get(name)
                return queue.policy if queue is not None else None
        return None

    def _secret_arn(self, name: str) -> str:
        from moto.secretsmanager.models import secretsmanager_backends

        with self.lock:
            secret = secretsmanager_backends[ACCOUNT][self.region].secrets.get(name)
            # A name that does not exist has an ARN too, so that the refusal does not tell what exists.
            return str(secret.arn) if secret else self.place.arn("secretsmanager", f"secret:{name}-??????")

    def _topic_key(self, arn: str) -> str:
        from moto.sns.models import sns_backends

        with self.lock:
            topic = sns_backends[ACCOUNT][self.region].topics.get(arn)
            key = str(topic.kms_master_key_id) if topic else ""
        if not key or key.startswith("alias/aws/"):  # AWS's own keys let the whole account publish
            return ""
        return key if key.startswith("arn:") else self.place.arn("kms", f"key/{key}")


@cache
def _request_class() -> Any:
    from moto.core.request import Request

    class ServedRequest(Request):
        """A request that came over HTTP, so that moto leaves the Date header to the server."""

        from_wsgi_server = True

    return ServedRequest


@cache
def _routes(service: str) -> tuple[tuple[re.Pattern[str], Callable[..., Any]], ...]:
    module = SERVICES.get(service)
    if module is None:
        return ()
    urls = importlib.import_module(f"moto.{module}.urls")
    return tuple((re.compile(path.replace("{0}", "^")), call) for path, call in urls.url_paths.items())


def _handler(service: str, path: str) -> Callable[..., Any] | None:
    # Every service but S3 looks at its headers and body, and ignores the path.
    routes = _routes(service)
    for pattern, call in routes:
        if pattern.match(path):
            return call
    return routes[0][1] if routes and service != "s3" else None
