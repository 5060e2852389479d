"""What handlers make of what comes in: which answer, what is counted, and what becomes an exception."""

import base64
import hashlib
import hmac
import importlib.util
import json
from collections import Counter
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch import process_partial_response

from exstream_notify.adapters.pager_hook import SECRET
from exstream_notify.domain.pager import dedup_key, page_key
from tests.needs import ROOT

SEAL = {"detail": {"object": {"key": "drop/retail/r-1/_COMPLETE.json"}}}


def handler(
    name: str, monkeypatch: pytest.MonkeyPatch, **app: Any
) -> tuple[ModuleType, list[dict[str, int]]]:
    """A function's module over this app, and what it counts."""
    spec = importlib.util.spec_from_file_location(f"handler_{name}", ROOT / "functions" / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    counts: list[dict[str, int]] = []
    monkeypatch.setattr(module, "app", SimpleNamespace(**app))
    if hasattr(module, "count"):
        monkeypatch.setattr(
            module,
            "count",
            lambda told, prefix="": counts.append({f"{prefix}{n}": v for n, v in told.items()}),
        )
    return module, counts


def post(module: ModuleType, path: str, body: str, headers: dict[str, str], *, packed: bool = False) -> Any:
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": {"method": "POST", "path": path}, "stage": "$default"},
        "body": base64.b64encode(body.encode()).decode() if packed else body,
        "isBase64Encoded": packed,
    }
    return module.api.resolve(event, SimpleNamespace())


class Queue:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, bodies: Any) -> None:
        self.sent += bodies


@pytest.mark.parametrize("packed", [False, True])
def test_a_push_of_a_provider(packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue()
    module, counts = handler("take_receipt", monkeypatch, hook_secrets={"1": "one"}, receipt_queue=queue)

    def push(body: str, secret: str) -> Any:
        return post(module, "/receipts/opentext", body, {"X-Webhook-Secret": secret}, packed=packed)

    documents = [{"job_id": "a", "deliveries": [{}] * 51}]
    answer = push(json.dumps(documents), "one")
    assert (answer["statusCode"], answer["body"]) == (202, "")
    assert [(group, len(body["deliveries"])) for group, body in queue.sent] == [
        ("opentext", 50),
        ("opentext", 1),
    ]
    assert counts == [{"receipt_pushed": 2}]
    counts.clear()
    assert push("{", "one")["statusCode"] == 400
    assert push("{", "one")["body"] == "not JSON"
    assert push(json.dumps(documents), "two")["statusCode"] == 401
    assert counts == [{"receipt_unreadable": 1}, {"receipt_unreadable": 1}, {"receipt_forged": 1}]
    assert len(queue.sent) == 2, "what is refused goes on to nobody"


@pytest.mark.parametrize("packed", [False, True])
def test_an_event_of_the_pager(packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    module, counts = handler(
        "answer_pager", monkeypatch, alert_channels={SECRET: "s"}, rules=1, incidents=2, due=3, clock=4
    )
    asked: list[Any] = []
    taken = [True, False]
    monkeypatch.setattr(
        module, "answer_pager", lambda event, **ports: asked.append((event, ports)) or taken.pop(0)
    )

    def push(event: Any, secret: str = "s") -> int:
        body = json.dumps({"event": event}) if isinstance(event, dict) else event
        signature = f"v1={hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()}"
        answer = post(module, "/pagerduty", body, {"X-PagerDuty-Signature": signature}, packed=packed)
        status: int = answer["statusCode"]
        return status

    page = page_key("it", "0a1b2c3d")
    event = {
        "event_type": "incident.acknowledged",
        "occurred_at": "2026-11-20T02:45:22Z",
        "data": {"incident_key": dedup_key("c" * 32, page)},
    }
    assert push(event) == 202
    assert (asked[0][0].incident_id, asked[0][1]) == (
        "c" * 32,
        {"rules": 1, "incidents": 2, "due": 3, "clock": 4},
    )
    assert counts == [{"pager_event_taken": 1}]
    assert push(event) == 202
    assert len(counts) == 1, "it changed nothing"
    assert push({"event_type": "pagey.ping"}) == 202
    assert push("{") == 202, "three refusals would switch the hook off"
    assert counts[1:] == [{"pager_event_unreadable": 1}]
    assert push(event, "forged") == 401
    assert counts[2:] == [{"pager_event_forged": 1}]
    assert len(asked) == 2


class Raised:
    def __init__(self) -> None:
        self.codes: list[str] = []

    def raise_exceptions(self, exceptions: Any) -> None:
        self.codes += [exception.code for exception in exceptions]


PORTS = dict.fromkeys(
    ("staging", "staging_rules", "runs", "due", "decide_queue", "send_queues", "clock", "stage_policy"), 0
)


def test_a_start_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    raised = Raised()
    module, _ = handler(
        "stage_run", monkeypatch, exceptions=raised, shown=str, folder=lambda *run: run, **PORTS
    )
    staged: list[Any] = []
    monkeypatch.setattr(module, "stage_run", lambda *run, **ports: staged.append((run, ports["folder"])))
    module.stage(SimpleNamespace(json_body=SEAL))
    assert staged == [(("retail", "r-1", "seal"), ("retail", "r-1"))]
    module.stage(SimpleNamespace(json_body={"detail": {"object": {"key": "drop/retail/r-1/D1.pdf"}}}))
    module.stage(SimpleNamespace(json_body={"detail": {"object": {"key": "elsewhere/_COMPLETE.json"}}}))
    assert (len(staged), raised.codes) == (1, ["drop_misplaced"])


def test_a_file_of_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    raised = Raised()
    module, counts = handler(
        "read_messages",
        monkeypatch,
        message_files=SimpleNamespace(speaks=lambda name: True),
        exceptions=raised,
        folder=lambda *run: run,
        shown=str,
        **dict.fromkeys(("rules", "runs", "due", "clock"), 0),
    )
    found: list[Any] = [SimpleNamespace(messages=3, unmatched=1), None]
    read: list[Any] = []
    monkeypatch.setattr(module, "read_messages", lambda *file, **ports: read.append(file) or found.pop(0))
    record = SimpleNamespace(json_body={"detail": {"object": {"key": "drop/retail/r-1/a.dat"}}})
    module.read(record)
    module.read(record)
    assert read == [("retail", "r-1", "a.dat")] * 2
    assert counts == [{"messages_read": 3, "messages_unmatched": 1}]
    module.read(SimpleNamespace(json_body={"detail": {"object": {"key": "drop/retail/r-1/"}}}))
    module.read(SimpleNamespace(json_body={"detail": {"object": {"key": "a.dat"}}}))
    assert (len(read), raised.codes) == (2, ["drop_misplaced"])


def test_a_reply_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    raised = Raised()
    module, counts = handler("record_reply", monkeypatch, exceptions=raised)
    module.take(SimpleNamespace(json_body={"Message": "no JSON"}))
    assert (raised.codes, counts) == (["reply_unusable"], [])


@pytest.mark.parametrize(
    ("told", "receives", "comes_back"),
    [
        ({"early": 1}, 1, True),
        ({"early": 1}, 2, False),
        ({"unmatched": 1}, 1, True),
        ({"unmatched": 1}, 2, False),
        ({"recorded": 1}, 1, False),
        ({"known": 1}, 1, False),
    ],
)
def test_a_response_that_no_notice_is_found_for_is_looked_at_once_more(
    told: dict[str, int], receives: int, comes_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index may show a notice late that was claimed just before the response came."""
    ledger = SimpleNamespace(written=set)
    module, counts = handler(
        "record_response", monkeypatch, ledger=ledger, response_ports={}, record_schema={}
    )
    monkeypatch.setattr(module, "event_body", lambda body: {})
    monkeypatch.setattr(module, "status_change_of", lambda body: None)
    monkeypatch.setattr(module, "tells_response", lambda body: True)
    monkeypatch.setattr(
        module, "response_of", lambda body, schema: SimpleNamespace(kind="acknowledged", domain="retail")
    )
    monkeypatch.setattr(module, "record_response", lambda event, **ports: Counter(told))
    message = {
        "messageId": "m1", "receiptHandle": "h", "body": "{}", "eventSource": "aws:sqs",
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }  # fmt: skip
    answer = process_partial_response({"Records": [message]}, module.record, module.processor)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}] if comes_back else []}
    assert counts == ([] if comes_back else [{f"Response{name}": number for name, number in told.items()}])
