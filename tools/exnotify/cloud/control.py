"""The embedded cloud's own addresses, under `/_exnotify/`, and what it knows of Lambda's API."""

import json
import re
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from .aws_request import AwsRequest
from .functions import Outcome, ThrottledError, UnknownFunctionError
from .logs import LogLine

PREFIX = "/_exnotify"
_LOG_LINES = 200  # returned unless `?limit=` says otherwise
_FUNCTION = re.compile(r"/[\d-]+/functions/(?P<name>[^/]+)/(?P<what>invocations|concurrency)")


class Controlled(Protocol):
    """What the control addresses need of the cloud."""

    def describe(self) -> dict[str, Any]:
        """Outputs, resources, addresses, keys."""

    def state(self) -> dict[str, Any]:
        """What waits and what runs."""

    def tick(self, name: str) -> Outcome:
        """Runs a scheduled function now."""

    def log_lines(self, function: str | None = None) -> list[LogLine]:
        """What functions wrote."""

    def alarms(self) -> list[dict[str, Any]]:
        """The alarms and their states."""

    def request_stop(self) -> None:
        """Asks whoever runs the cloud to stop it."""


class Control:
    """The WSGI application behind `/_exnotify/`.

    `GET outputs`, `GET state`, `GET alarms`, `GET logs[?function=ID][&limit=N]`, `POST tick/<logical id>`,
    `POST stop`; answers are JSON, errors `{"error": sentence}`.
    """

    def __init__(self, cloud: Controlled) -> None:
        self._cloud = cloud

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Answers one request."""
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        name, _, rest = request.path.removeprefix(PREFIX).strip("/").partition("/")
        route = f"{request.method} {name}"
        if request.method == "POST" and "Origin" in request.headers:
            # Somebody's web page must not steer what runs on the reader's machine.
            return _json({"error": "not from a web page"}, 403)
        if route == "GET outputs":
            return _json(self._cloud.describe())
        if route == "GET state":
            return _json(self._cloud.state())
        if route == "GET alarms":
            return _json(self._cloud.alarms())
        if route == "GET logs":
            return _json(self._logs(request))
        if route == "POST tick" and rest:
            return self._tick(unquote(rest))
        if route == "POST stop":
            self._cloud.request_stop()
            return _json({"stopping": True}, 202)
        return _json({"error": f"no {request.method} {request.path} here"}, 404)

    def _logs(self, request: Request) -> list[dict[str, Any]]:
        lines = self._cloud.log_lines(request.args.get("function"))
        limit = max(request.args.get("limit", _LOG_LINES, type=int), 0)
        return [
            {"time": line.time, "function": line.function, "text": line.text}
            for line in lines[len(lines) - limit :]
        ]

    def _tick(self, name: str) -> Response:
        try:
            outcome = self._cloud.tick(name)
        except UnknownFunctionError as error:
            return _json({"error": str(error.args[0])}, 404)
        except ThrottledError as error:
            return _json({"error": str(error)}, 429)
        answer: dict[str, Any] = {"request_id": outcome.request_id, "seconds": round(outcome.seconds, 3)}
        if outcome.error is not None:
            return _json({**answer, "error": outcome.error}, 200)
        return _json({**answer, "result": json.loads(outcome.payload)})


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


def lambda_api(
    request: AwsRequest,
    invoke: Callable[[str, Any], Outcome],
    start: Callable[[str, Any], None],
    reserve: Callable[[str, int | None], None],
) -> Response:
    """Lambda's Invoke, PutFunctionConcurrency, DeleteFunctionConcurrency.

    `invoke` waits for the answer (`RequestResponse`), `start` does not (`Event`); `reserve` sets a
    function's concurrency, None takes the reservation back.
    """
    found = _FUNCTION.fullmatch(request.path)
    name, what = (unquote(found["name"]), found["what"]) if found else ("", "")
    try:
        given = json.loads(request.body or b"{}")
        match request.method, what:
            case "POST", "invocations":
                return _invocation(request, name, given, invoke, start)
            case "PUT", "concurrency":
                reserve(name, int(given["ReservedConcurrentExecutions"]))
                return _json(given)
            case "DELETE", "concurrency":
                reserve(name, None)
                return Response(b"", 204)
        unknown = f"{request.method} {request.path} is not known to the embedded cloud"
        return _failure("UnknownOperationException", unknown, 404)
    except ValueError as error:
        return _failure(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}", 400
        )
    except UnknownFunctionError as error:
        return _failure("ResourceNotFoundException", str(error.args[0]), 404)
    except ThrottledError as error:
        return _failure("TooManyRequestsException", str(error), 429)


def _invocation(
    request: AwsRequest,
    name: str,
    event: Any,
    invoke: Callable[[str, Any], Outcome],
    start: Callable[[str, Any], None],
) -> Response:
    kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
    if kind == "Event":
        start(name, event)
        return Response(b"", 202)
    if kind != "RequestResponse":
        return _failure("InvalidParameterValueException", f"{kind} is not known to the embedded cloud", 400)
    outcome = invoke(name, event)
    headers = {"X-Amz-Executed-Version": "$LATEST", "x-amzn-requestid": outcome.request_id}
    if outcome.error is not None:
        headers["X-Amz-Function-Error"] = "Unhandled"
    return Response(outcome.payload, 200, headers, content_type="application/json")


def _failure(code: str, message: str, status: int) -> Response:
    body = json.dumps({"Type": "User", "Message": message})
    return Response(body, status, {"x-amzn-errortype": code}, content_type="application/json")
