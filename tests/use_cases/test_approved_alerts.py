"""Stories of staging, incidents and alerts, with everything that they leave compared with an approved file."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from syrupy.assertion import SnapshotAssertion

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised, Unusable
from exstream_notify.domain.incident_states import acknowledged, resolved
from exstream_notify.domain.runs import Control, DomainRule
from exstream_notify.ports import ChannelAnswer
from exstream_notify.use_cases.alert_exceptions import change_incident
from tests.fakes import a_document, a_rule
from tests.fakes.drops import INDEX, MANIFEST
from tests.use_cases.remains import remains_of
from tests.use_cases.stories import documents, on_shipped_rules, played
from tests.use_cases.world import World


def raised(world: World, *exceptions: ExceptionRaised) -> None:
    world.exceptions.raise_exceptions(exceptions)
    world.drain()


def an_exception(**changes: object) -> ExceptionRaised:
    given = {"code": "EX004120E", "severity": "error", "domain": "retail", "run_id": "run-1"}
    given |= {"text": "EX004120E in the message file", "part": "a.dat"}
    return ExceptionRaised(**{**given, "count": 2, "customers": "7-8", "samples": ("a sample",), **changes})  # type: ignore[arg-type]


def test_runs_that_are_not_as_they_should_be(approved: SnapshotAssertion) -> None:
    """Refused, corrected, incomplete, with missing documents, under a used name, without a seal, and with rejects."""
    world = played(a_rule())
    world.rules.domain_rule = DomainRule(exit_statuses=(0, 4), hold_on_exit_status=True)
    world.drop("counts", *documents("statement", "statement"), documents=3)
    world.drop("counts-2", *documents("statement"), customers_expected=4, customers_processed=2, errors=1)
    world.drain()
    world.drop("counts", *documents("statement", "statement"))
    world.drop("exit", a_document(11), exit_status=8, app="billing")
    world.drop("warned", a_document(12), exit_status=4)
    world.drain()
    world.drop("counts", *documents("statement", "statement", "statement"))
    world.folder("missing").write_index([a_document(21)])
    world.folder("missing").write_seal("retail", "missing")
    del world.folder("missing").files[INDEX]
    world.landed("missing", "seal")
    world.folder("broken").sealed = Unusable("seal_unusable", "_COMPLETE.json", "the seal is not JSON")
    world.landed("broken", "seal")
    world.folder("native").write_index([a_document(31), a_document(32)], MANIFEST)
    world.landed("native", "manifest")
    world.folder("empty")
    world.landed("empty", "seal")
    world.staging.opening = frozenset({"statement"})
    world.folder("files").files.update({"out/1.pdf": b"%PDF", "out/2.pdf": b""})
    world.drop("files", *(a_document(40 + n, output_uri=f"out/{n}.pdf") for n in range(1, 4)))
    world.drain()
    world.staging.opening = frozenset()
    world.drop(
        "rejects", *(a_document(50 + n) for n in range(1, 6)), "email: not usable", "customer_key: missing"
    )
    world.drop("joint", a_document(61), a_document(61, document_id="D-JOINT", email="other@example.com"))
    world.drain()
    world.folder("files").files["late.index.jsonl"] = world.folder("joint").files[INDEX]
    world.landed("files", "index")
    world.wait_until(world.clock.now() + timedelta(hours=2))
    for run in ("exit", "rejects"):
        if world.run(run).control == Control.HOLD:
            world.control(run, Control.GO)
    world.come_to_rest()
    assert remains_of(world) == approved


def test_volumes_and_repeats(approved: SnapshotAssertion) -> None:
    """A run much larger than the last ones is held; repeats compose again what was missing."""
    world = played(a_rule())
    for day, documents_then in enumerate((10, 12, 14)):
        world.runs.add_volume("retail", "billing", f"day-{day}", documents_then)
    world.drop("large", *["email: not usable"] * 120, a_document(1), app="billing")
    world.drop("usual", a_document(2), a_document(3), app="billing")
    world.drain()
    world.drop(
        "short", a_document(81, customer_in_run=1), customers_expected=3, customers_processed=1, app="cards"
    )
    world.drain()
    world.drop(
        "again", a_document(82, customer_in_run=2), a_document(83, customer_in_run=3), rerun_of="short", app="cards",
        customers_expected=2, customers_processed=2,
    )  # fmt: skip
    world.come_to_rest()
    world.control("large", Control.CANCEL)
    world.come_to_rest()
    assert remains_of(world) == approved


def test_a_bad_night(approved: SnapshotAssertion) -> None:
    """Reports grow, are acknowledged, resolved and come back; channels fail, and a higher team is told."""
    world = on_shipped_rules()
    raised(world, an_exception(), an_exception(run_id="run-2", count=1, customers="3"))
    raised(world, an_exception())
    world.clock.advance(minutes=2)
    raised(world, an_exception(part="b.dat", count=40, customers="20-59"))
    world.come_to_rest()
    first = world.incidents.all()[0].incident_id
    ports: dict[str, Any] = {"incidents": world.incidents, "due": world.due, "clock": world.clock}
    at = world.clock.now().isoformat(timespec="seconds")
    change_incident(first, lambda head, incident: acknowledged(head, at, "ann", "on it"), **ports)
    world.drain()
    raised(world, an_exception(part="c.dat", severity="severe", customers="70"))
    change_incident(
        first, lambda head, incident: resolved(head, at, "ann", incident.count, "composed again"), **ports
    )
    world.wait_until(world.clock.now() + timedelta(hours=1))
    raised(world, an_exception(part="d.dat", customers="80"))
    world.channels.answers["email"] = ChannelAnswer("failed", "refused")
    raised(
        world, an_exception(code="exit_status", run_id="run-3", severity="severe", customers="", part="seal")
    )
    world.wait_until(world.clock.now() + timedelta(hours=2))
    world.check_channels()
    world.channels.answers["email"] = ChannelAnswer("sent")
    world.check_channels()
    world.come_to_rest()
    assert remains_of(world, alerts=True) == approved


def test_messages_of_the_engine(approved: SnapshotAssertion) -> None:
    """Files of messages and exceptions are read, and read again with less in them; a file is not readable."""
    world = on_shipped_rules()
    world.drop("run-1", *documents("statement", "statement"), customers_expected=5, customers_processed=2)
    world.drain()
    lines = b"EX004120E (3) empty address\nEX004120E (4) empty address\nEX005301E (5) customer not found\nEX000100I all is well\n"
    world.read_file("engine.dat", lines)
    world.drain()
    world.clock.advance(minutes=5)
    world.read_file("engine.dat", b"EX004120E (3) empty address\n")
    world.read_file(
        "rows.exceptions.csv", b"seq,rule,queue,text\n4,Sanctions,Compliance_Hold,x\n5,Pages,Ops,y\n"
    )
    world.read_file("other.dat", b"\xff\xfe\x00nothing that is known\n")
    world.drain()
    world.drop("run-2", *(a_document(n, customer_in_run=n) for n in (3, 4)), rerun_of="run-1")
    world.come_to_rest()
    assert remains_of(world, alerts=True) == approved


def test_teams_and_storms(approved: SnapshotAssertion) -> None:
    """Many incidents at once are one alert for their team; a warning waits for the daily list."""
    world = World(site_rules=YamlRules())
    world.channels.answers = {"slack": ChannelAnswer("sent"), "pagerduty": ChannelAnswer("sent")}
    for number in range(8):
        raised(world, an_exception(run_id=f"run-{number}", customers=str(number + 1), count=1))
    raised(world, replace(an_exception(code="APR", queue="Compliance_Hold"), document_type="claim-letter"))
    raised(world, an_exception(code="field_left_out", severity="info", customers="", part="slice 1"))
    world.come_to_rest()
    assert remains_of(world, alerts=True) == approved
