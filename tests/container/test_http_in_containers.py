"""Each HTTP route answers from a container, through `sam local start-api`.

The routes are those of the template: a new one is asked here without a row of its own. Proven is that the
route leads to its function, that the function starts from the built layer under its own role, and that it
answers in the form that API Gateway takes (a wrong one is a 502). What pages show is told by
`tests/embedded`, in the browser by `tests/wording`.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.container import sam
from tests.container.conftest import StillCloud
from tests.container.runtime_image import ARCHITECTURE
from tests.container.test_functions_in_containers import LETTER, Stage
from tests.needs import ROOT, SAM

_START = 60  # seconds until it listens
_ANSWER = 120  # seconds for an answer: each request may start a container
_KEYS = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})

FORGED = "A" * 30
"""A token of the right length that nobody signed."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the API, and the function that the template sends it to."""

    function: str
    method: str
    path: str

    def filled(self, value: str = FORGED) -> str:
        """The path, each of its parameters filled in."""
        return re.sub(r"\{[^}]+\}", value, self.path)


def routes(template: dict[str, Any]) -> list[Route]:
    """Every HTTP route of the template."""
    return [
        Route(name, entry["Properties"]["Method"].upper(), entry["Properties"]["Path"])
        for name, properties in sam.functions(template).items()
        for entry in properties.get("Events", {}).values()
        if entry["Type"] == "HttpApi"
    ]


ROUTES = routes(sam.load_template(ROOT / "template.yaml"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over HTTP; redirects are not followed."""

    status: int
    headers: Any
    text: str


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def ask(url: str, method: str) -> Answer:
    """One request; a POST has an empty form."""
    data = b"" if method == "POST" else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
    request = urllib.request.Request(url, method=method, data=data)  # noqa: S310 - this machine's
    if data is not None:
        request.add_header("Content-Type", "application/x-www-form-urlencoded")
    try:
        with opener.open(request, timeout=_ANSWER) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read().decode("utf-8", "replace"))


def free_port() -> int:
    """A port that was free a moment ago: SAM takes a number, and 0 is none to it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def api(still: StillCloud) -> Iterator[str]:
    """`sam local start-api` over the built template, each function under its own role; its address."""
    functions = sorted({route.function for route in ROUTES})
    variables: dict[str, dict[str, str]] = {}
    names: dict[str, frozenset[str]] = {}
    for function in sam.functions(sam.load_template(ROOT / "template.yaml")):
        names[function] = still.variables[function] | (_KEYS if function in functions else frozenset())
    for function in functions:
        environment = still.cloud.environment(function)
        # As for a function that is invoked: what it calls over HTTPS is this machine's own provider.
        shutil.copy(still.certificate, still.template.parent / function / "provider.pem")
        environment |= {"OPENTEXT_URL": still.provider, "SSL_CERT_FILE": "/var/task/provider.pem"}
        variables[function] = {k: v for k, v in environment.items() if k in names[function]}
    # What a template does not declare is not passed on; keys of one process would be one role for all.
    template = sam.declare_variables(still.template, names)
    settings = still.folder / "variables.json"
    settings.write_text(json.dumps(variables), encoding="utf-8")
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    log = still.folder / "start-api.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                *(str(SAM), "local", "start-api", "--template", str(template)),
                *("--host", "127.0.0.1", "--port", str(port), "--env-vars", str(settings)),
                *("--skip-pull-image", "--layer-cache-basedir", str(ROOT / "build" / "container" / "layers")),
                *("--docker-network", "host", "--parameter-overrides", f"Architecture={ARCHITECTURE}"),
            ],
            cwd=ROOT,
            env=inherited
            | {"SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
            | {"AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_DEFAULT_REGION": "us-east-1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_it_listens(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)  # it removes its containers then
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        print(log.read_text("utf-8", "replace")[-20_000:])  # pytest shows it if the test fails


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _START
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise sam.SamError(f"start-api does not listen: {log.read_text('utf-8', 'replace')[-4000:]}")


def told_link(still: StillCloud) -> str:
    """The token of the link in a message that was really sent."""
    stage = Stage(still, "http-access", {})
    stage.sent("claims", stage.record(LETTER))
    [text] = stage.messages(stage.email)
    found = re.search(r"/d/([\w-]{30})", text)
    assert found is not None, "there is no link in the message"
    return found[1]


@pytest.mark.container
@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.skipif(not ROUTES, reason="the template has no HTTP routes")
def test_every_http_route_answers_from_a_container(still_cloud: StillCloud) -> None:
    opens = next((r for r in ROUTES if (r.method, r.path) == ("GET", "/d/{token}")), None)
    token = told_link(still_cloud) if opens else ""
    wrong = []
    with api(still_cloud) as url:
        for route in ROUTES:
            answer = ask(url + route.filled(), route.method)
            # 502: the function failed or answered in a form that is none. 403 without the function: no route.
            if answer.status >= 500 or "Missing Authentication Token" in answer.text:
                wrong.append((route, answer.status, answer.text[:300]))
        if opens:
            page = ask(url + opens.filled(token), "GET")
            assert page.status == 200, page.text[:500]
            assert "<form" in page.text
            assert page.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        nowhere = ask(f"{url}/no/such/route", "GET")
        assert nowhere.status in (403, 404), "SAM answers for a route that is none"
    assert not wrong
