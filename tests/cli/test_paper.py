"""What Exstream must print of a run: by decision, after failures, and where a journey ended on paper."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from exnotify.paper import paper_rows
from exstream_notify.adapters.addresses import Addresses
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.journeys import Delay
from exstream_notify.domain.notices import Notice, Outcome, Status
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.runs import RecordOutcome, Run, RunState
from exstream_notify.ports import RecordsGone
from tests.cli.shell import exnotify
from tests.fakes import a_document
from tests.scenarios.shipped import shipped
from tests.use_cases.world import World

SHIPPED = YamlRules()
POLICY: dict[str, Any] = {"document_type": "policy-document", "requires_ack": True, "country": "US"}
KINDS: dict[str, dict[str, Any]] = {
    "policy": POLICY,
    "statement": {"document_type": "statement"},
    "debt": {"document_type": "payment-reminder", "amount_due": "9.00", "currency": "USD", "due_date": "2026-12-10"},
}  # fmt: skip


def rows_of(world: World, run: str = "run-1") -> list[dict[str, Any]]:
    return paper_rows(
        SimpleNamespace(runs=world.runs, records=world.records, ledger=world.ledger), world.run(run)
    )  # type: ignore[arg-type]


def told(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["document_id"], str(row["reason"])) for row in rows]


def under_other_rules(world: World, how: str) -> None:
    """The site's journeys after a change of its file."""
    journeys = dict(SHIPPED.journeys())
    old = journeys["policy-acknowledgement"]
    if how == "renamed":
        journeys["ack"] = replace(journeys.pop(old.name), name="ack")
    elif how == "longer":
        journeys[old.name] = replace(
            old, steps=(old.steps[0], replace(old.steps[0], delay=Delay(days=7)), *old.steps[1:])
        )
    elif how == "type moved":
        journeys[old.name] = replace(old, documents=("contract-pack",))
    elif how == "null":
        journeys.clear()
    rules = SHIPPED

    class Changed:
        def __getattr__(self, name: str) -> Any:
            return getattr(rules, name)

        def journeys(self) -> Any:
            return journeys

    world.rules = Changed()


@pytest.mark.parametrize("how", ["same", "renamed", "longer", "type moved", "null"])
def test_paper_of_a_journey_is_printed_whatever_became_of_its_rule(how: str) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, customer_in_run=7, **POLICY), a_document(2))
    world.drain()
    world.follow_until(datetime.fromisoformat("2026-11-22T15:00:00+00:00"))
    under_other_rules(world, how)
    world.follow()

    rows = rows_of(world)
    assert ("D0001", "unanswered") in told(rows)
    assert rows[0]["customer_in_run"] == 7


def test_by_decision_and_by_failure_once_each_sorted_by_customer() -> None:
    world = shipped()
    world.drop(
        "run-1",
        a_document(3, email=None, mobile=None, **POLICY),
        *(a_document(n, mobile=None, **POLICY) for n in (1, 2)),
    )
    world.drain()
    bounced = next(d for d in world.outbox if d.to.startswith("c0001") or "0001" in d.to)
    world.report(world.receipt(bounced, Kind.HARD_BOUNCE))
    world.follow()

    assert [document for document, _ in told(rows_of(world))] == ["D0001", "D0002", "D0003"]
    assert told(rows_of(world))[1] == ("D0002", "unanswered")


def test_a_step_that_was_a_reminder_prints_nothing_and_neither_does_a_test() -> None:
    world = shipped()
    world.drop(
        "run-1", a_document(1, **POLICY), a_document(2, test_flag=True, email=None, mobile=None, **POLICY)
    )
    world.drain()
    world.follow_until(datetime.fromisoformat("2026-12-01T15:00:00+00:00"))
    assert rows_of(world) == []


def test_a_record_that_is_gone_is_listed_by_what_the_ledger_has() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, email=None, mobile=None, customer_in_run=7, **POLICY))
    world.drain()

    def gone(pointer: Any) -> Any:
        raise RecordsGone("parts/x")

    app: Any = SimpleNamespace(runs=world.runs, records=SimpleNamespace(read=gone), ledger=world.ledger)
    (row,) = paper_rows(app, world.run("run-1"))
    assert (row["customer_key"], row["document_id"], row["customer_in_run"]) == ("C0001", "D0001", "")


def test_what_the_release_before_wrote_is_listed_without_the_index() -> None:
    world = shipped()
    world.drop(
        "run-1", a_document(1, **POLICY), a_document(2, email=None, mobile=None, **POLICY), a_document(3)
    )
    world.follow_until(datetime.fromisoformat("2026-12-30T15:00:00+00:00"))
    world.follow()
    expected = told(rows_of(world))
    world.ledger.on_paper = lambda run: []  # type: ignore[method-assign]

    assert len(expected) == 3
    assert told(rows_of(world)) == expected


@settings(max_examples=20, deadline=None, phases=[Phase.generate])
@given(data=st.data())
def test_no_paper_outcome_is_left_unprinted_and_none_is_printed_twice(data: st.DataObject) -> None:
    """Whatever customers and sites do: each record with a notice on paper is one row."""
    world = World(site_rules=SHIPPED, addresses=Addresses())
    count = data.draw(st.integers(1, 4))
    documents = []
    for number in range(1, count + 1):
        kind = KINDS[data.draw(st.sampled_from(sorted(KINDS)))]
        lacks = data.draw(
            st.sampled_from([{}, {"email": None}, {"mobile": None}, {"email": None, "mobile": None}])
        )
        documents.append(a_document(number, customer_in_run=number, **{**kind, **lacks}))
    world.drop("run-1", *documents)
    for moment in range(1, data.draw(st.integers(1, 4)) + 1):
        world.drain()
        who = data.draw(st.integers(1, count))
        match data.draw(st.sampled_from(["paper", "opt out", "bounce", "rules", "again", "nothing"])):
            case "paper" if f"C000{who}" in {key for _, key in world.contacts.stored}:
                world.change_contact(who, paper_required=True)
            case "opt out" if f"C000{who}" in {key for _, key in world.contacts.stored}:
                world.change_contact(who, opt_outs={"*": ("email", "sms")})
            case "bounce" if world.outbox:
                world.report(world.receipt(data.draw(st.sampled_from(world.outbox)), Kind.HARD_BOUNCE))
            case "rules":
                under_other_rules(
                    world, data.draw(st.sampled_from(["renamed", "longer", "type moved", "null"]))
                )
            case "again":
                world.drop(f"run-{moment + 1}", *documents)
        world.follow_until(world.clock.now() + timedelta(days=data.draw(st.integers(0, 12))))
    world.follow()

    for run in {notice.origin.run.partition("/")[2] for notice in world.ledger.notices.values()}:
        printed = Counter(_record(world.ledger.notices[row["notice_id"]]) for row in rows_of(world, run))
        on_paper = {
            _record(n) for n in world.ledger.notices.values()
            if n.status == Status.PAPER and n.audience == "customer" and n.origin.run == f"retail/{run}"
        }  # fmt: skip
        assert set(printed) == on_paper
        assert set(printed.values()) <= {1}


def _record(notice: Notice) -> tuple[str, int]:
    return notice.origin.run, notice.origin.position


@pytest.mark.parametrize(("run_id", "nothing"), [("run-1", False), ("run-2", True)])
def test_that_nothing_goes_to_paper_is_said_only_where_it_is_so(
    run_id: str, nothing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = shipped()
    world.drop("run-1", a_document(2, email=None, mobile=None, **POLICY))
    world.drop("run-2", a_document(3))
    world.drain()
    app = SimpleNamespace(
        runs=world.runs,
        records=world.records,
        ledger=world.ledger,
        rules=world.rules,
        contacts=world.contacts,
    )
    monkeypatch.setattr("exnotify.deployment.connect", lambda stack: SimpleNamespace(app=app))
    said = exnotify("paper", f"retail/{run_id}")

    assert ("nothing of this run goes to paper" in said.out) is nothing
    assert ("1 of 1 documents name no place in their run" in said.err) is not nothing
    assert ("D0002" in said.out) is not nothing


def test_a_customer_erased_since_is_printed_only_if_a_person_decides_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = shipped()
    world.drop("run-1", a_document(2, email=None, mobile=None, **POLICY))
    world.drain()
    world.erase(2)
    found = SimpleNamespace(
        runs=world.runs,
        records=world.records,
        ledger=world.ledger,
        rules=world.rules,
        contacts=world.contacts,
    )
    monkeypatch.setattr("exnotify.deployment.connect", lambda stack: SimpleNamespace(app=found))

    said = exnotify("paper", "retail/run-1")
    assert "D0002" not in said.out
    assert "1 of 1 documents left out" in said.err
    assert "D0002" in exnotify("paper", "retail/run-1", "--erased").out


def test_an_outcome_of_a_record_without_a_notice_prints_nothing() -> None:
    words = [RecordOutcome(0, 1, Outcome.REJECTED, "unreadable", 1, "")]
    runs = SimpleNamespace(outcomes=lambda domain, run_id: iter(words))
    app: Any = SimpleNamespace(runs=runs, ledger=shipped().ledger)
    assert paper_rows(app, Run("retail", "r1", RunState.DISPATCHED)) == []
