"""The one HTTP endpoint of the embedded cloud: control, mounted applications, and AWS."""

import logging
from collections.abc import Callable, Iterable, Mapping

from werkzeug.wrappers import Response

from .access import AccessControl, Refusal, refuse
from .aws_request import AwsRequest, Environ, access_key_of, parse_request
from .emulator import Emulator, StartResponse
from .wsgi import WsgiApp, WsgiServer

#: Key under which a mounted application finds `allowed(action, resource="*", context=None)`.
ALLOWED = "exnotify.allowed"

Where = str | Callable[[Environ], bool]

logger = logging.getLogger(__name__)


def target_is(prefix: str) -> Callable[[Environ], bool]:
    """A place to mount at: requests whose X-Amz-Target starts with `prefix`."""
    return lambda environ: str(environ.get("HTTP_X_AMZ_TARGET", "")).startswith(prefix)


class Server:
    """Serves the emulator and whatever is mounted beside it on one address of this machine."""

    def __init__(self, emulator: Emulator, access: AccessControl) -> None:
        self._emulator = emulator
        self._access = access
        self._mounts: list[tuple[Callable[[Environ], bool], WsgiApp]] = []
        self._answers: dict[str, Callable[[AwsRequest], Response]] = {}
        self._http: WsgiServer | None = None

    def mount(self, where: Where, app: WsgiApp) -> None:
        """Serves `app` for paths under a prefix, or for requests that satisfy `where`; first mounted wins.

        The application finds, under `exnotify.allowed` of its environ, a function of action, resource
        and context (default `"*"` and None) that tells whether the request's signer may do it.
        """
        self._mounts.append((_under(where) if isinstance(where, str) else where, app))

    def answer(self, service: str, call: Callable[[AwsRequest], Response]) -> None:
        """Lets `call` answer a service's requests, permission granted, in the emulator's place."""
        self._answers[service] = call

    # ---- HTTP ----

    def start(self, host: str, port: int) -> str:
        """Starts to serve in a thread; returns the address. Port 0 takes a free one."""
        self._http = WsgiServer(host, port, self)
        self._http.start()
        return f"http://{host}:{self._http.port}"

    def stop(self) -> None:
        """Stops serving and closes the port."""
        if self._http is not None:
            self._http.stop()
            self._http = None

    # ---- WSGI ----

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """One request, over HTTP or from a client in this process."""
        for matches, app in self._mounts:
            if matches(environ):
                environ[ALLOWED] = self._asker(environ)
                return app(environ, start_response)
        return self._aws(environ)(environ, start_response)

    def _asker(self, environ: Environ) -> Callable[..., bool]:
        def allowed(action: str, resource: str = "*", context: Mapping[str, str] | None = None) -> bool:
            return self._access.allowed(access_key_of(environ), action, resource, context)

        return allowed

    def _aws(self, environ: Environ) -> Response:
        request = parse_request(environ)
        if request is None:
            return Response("neither a signed AWS request nor an address of the embedded cloud\n", 403)
        if request.region != self._emulator.region:
            return Response(f"the embedded cloud is {self._emulator.region}, not {request.region}\n", 400)
        refusal = self._access.check(request)
        if refusal is not None:
            logger.info("refused: %s", refusal.message)
            return refuse(refusal, request.protocol, request.method)
        if request.service in self._answers:
            return self._answers[request.service](request)
        response = self._emulator.dispatch(request, environ)
        if response.status_code == 404 and request.service == "s3" and self._access.hides_absence(request):
            return refuse(_absent(request.path), "s3", request.method)
        if _changes_policies(request.service, request.operation, request.query):
            self._access.forget()
        return response


def _absent(path: str) -> Refusal:
    return Refusal("AccessDenied", f"{path} does not exist, and without s3:ListBucket S3 answers 403")


def _changes_policies(service: str, operation: str, query: Mapping[str, str]) -> bool:
    return (
        service == "iam"
        or (service == "s3" and "policy" in query)
        or (service == "sqs" and operation in ("SetQueueAttributes", "CreateQueue", "DeleteQueue"))
    )


def _under(prefix: str) -> Callable[[Environ], bool]:
    base = prefix.rstrip("/")

    def matches(environ: Environ) -> bool:
        path = environ.get("PATH_INFO", "")
        return bool(path == base or path.startswith(base + "/"))

    return matches
