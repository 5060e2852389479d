"""What types cannot see between the rooms: ports handed over by name, events as files, codes and rules."""

import ast
import inspect
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from exstream_notify.adapters.alert_triggers import EVENT_CODES
from exstream_notify.adapters.index.schema import RecordSchema
from exstream_notify.adapters.receipts.mails import Phrases
from exstream_notify.adapters.receipts.reading import ReceiptReader
from exstream_notify.adapters.responses import response_of
from exstream_notify.adapters.rules import PACKAGE_RULES, YamlRules
from exstream_notify.adapters.triggers import document_of, exception_of, run_of
from exstream_notify.domain.composer_messages import OTHER_CODES
from exstream_notify.domain.receipts import MEANINGS
from exstream_notify.domain.work import SendJob, SlicePointer
from exstream_notify.use_cases.send_notices import send_notices

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers" / "core" / "exstream_notify"


def tree(path: Path) -> ast.Module:
    """A module, parsed."""
    return ast.parse(path.read_text("utf-8"))


def calls(path: Path) -> Iterator[ast.Call]:
    """All calls in a module."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    """The last part of a called name."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def test_sending_is_given_every_port_that_it_takes() -> None:
    """They go through a dictionary, where no type checker looks."""
    (ports,) = [
        node
        for node in ast.walk(tree(LAYER / "adapters" / "bootstrap.py"))
        if isinstance(node, ast.FunctionDef) and node.name == "send_ports"
    ]
    (given,) = [node for node in ast.walk(ports) if isinstance(node, ast.Dict)]
    (call,) = [
        c for c in calls(ROOT / "functions" / "send_notices" / "app.py") if called(c) == "send_notices"
    ]
    names = [key.value for key in given.keys if isinstance(key, ast.Constant)]
    names += [keyword.arg for keyword in call.keywords if keyword.arg]
    wanted = list(inspect.signature(send_notices).parameters)[1:]

    assert sorted(map(str, names)) == sorted(wanted)


# --- events ----------------------------------------------------------------------------------------


def bodies(name: str) -> list[dict[str, Any]]:
    """What the records of an event file hold."""
    (path,) = (ROOT / "events").glob(f"{name}_*.json")
    return [json.loads(record["body"]) for record in json.loads(path.read_text("utf-8"))["Records"]]


def test_the_event_files_are_what_the_functions_read() -> None:
    (sealed,), (composed,), (slice_,), (raised,), (job,) = map(
        bodies, ("uc1", "uc2", "uc4", "uc5_exception", "uc6_job")
    )
    bounced, greeting = bodies("uc8_receipt")

    assert run_of(sealed)[2] == "seal"
    assert document_of(composed)[1] == composed["detail"]["domain"]
    assert SlicePointer.from_message(slice_).to_message() == {**slice_, "positions": ()}
    assert SendJob.from_message(job).members
    assert exception_of(raised).code in alert_codes()
    kinds = [response_of(body, RecordSchema({})).kind for body in bodies("uc6_customer")]
    assert kinds == ["responded", "paid", "acknowledged", "opened"]
    reader = ReceiptReader(
        Phrases(), YamlRules().verdicts, lambda *_: b"", lambda *_: "", None, lambda: datetime.now(UTC)
    )
    (receipt,) = reader.read(json.dumps(bounced), "sqs:1")
    assert receipt.notice_id in bounced["Message"]
    assert reader.read(json.dumps(greeting), "sqs:2") == []


@pytest.mark.parametrize("path", sorted((ROOT / "events").glob("*.json")), ids=lambda p: p.name)
def test_event_files_name_nobody(path: Path) -> None:
    """Addresses under example.com, numbers that are reserved for fiction (555-0100 to 555-0199)."""
    text = path.read_text("utf-8")
    addresses = [word for word in text.replace('"', " ").replace("\\", " ").split() if "@" in word]
    numbers = [word for word in text.replace('"', " ").replace("\\", " ").split() if word.startswith("+")]

    assert all(address.rstrip(",").endswith("example.com") for address in addresses)
    assert all(number.startswith("+120255501") for number in numbers)


# --- codes and rules -------------------------------------------------------------------------------


def alert_codes() -> set[str]:
    """The codes that have a team and a family."""
    return set(yaml.safe_load((PACKAGE_RULES / "alerts.yaml").read_text("utf-8"))["codes"])


def test_every_code_that_is_raised_by_name_belongs_to_a_team() -> None:
    raising = {"ExceptionRaised", "Unusable", "Disagreement", "tell"}
    raised = {
        call.args[0].value
        for path in LAYER.rglob("*.py")
        for call in calls(path)
        if called(call) in raising and call.args and isinstance(call.args[0], ast.Constant)
    }

    tables = {*EVENT_CODES.values(), *(m.alert for m in MEANINGS.values() if m.alert), OTHER_CODES}

    assert len(raised) > 10
    assert raised | tables <= alert_codes()


def test_every_code_with_a_team_is_raised_somewhere() -> None:
    written = {
        node.value
        for path in LAYER.rglob("*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    for machine in (ROOT / "statemachines").glob("*.json"):
        written.add(json.loads(machine.read_text("utf-8"))["States"]["Failed"]["Error"])

    assert alert_codes() <= written


def test_the_rules_that_ship_are_valid() -> None:
    rules = YamlRules()
    rules.check()

    assert len(rules.types) == 14
    assert set(rules.queues.values()) <= set(rules.types)
    for kind in rules.types:
        rule = rules.of_type(kind)
        if rule.message_class == "regulated":
            # Nevada and Montana want paper after a failed e-delivery: on by default where it is regulated.
            assert rule.paper_on_failure, kind
            assert rule.on_unconfirmed in ("paper", "other_channel"), kind
