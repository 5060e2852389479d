"""What a slice comes to when it is decided again, beside other writers, or after its run was cancelled."""

from dataclasses import replace
from typing import Any

import pytest

from exstream_notify.domain.runs import Control
from exstream_notify.domain.work import SendJob
from exstream_notify.use_cases.decide_notices import step_stops
from tests.fakes import a_document, a_rule
from tests.use_cases.test_correct_journeys import LOST, MOVED, SOON_AFTER, bill, corrects
from tests.use_cases.test_correct_journeys import a_world as billed
from tests.use_cases.test_decide_notices import decide_again
from tests.use_cases.test_do_not_dun import hold
from tests.use_cases.test_five_tries import decides, waiting
from tests.use_cases.test_journeys import responds
from tests.use_cases.test_other_writers import change_contact, change_notice, interfere
from tests.use_cases.world import World


def decided(world: World, *documents: Any) -> None:
    """A second run is decided, its jobs wait."""
    world.drop("run-2", *documents)
    while world.queues["run"].ready():
        world.step()
    for message in world.queues["decide"].ready():
        world.deliver("decide", message)


@pytest.mark.parametrize("times", [4, 5])
def test_a_contact_that_others_write_is_updated_at_the_fifth_try(times: int) -> None:
    world = World(a_rule())
    world.drop("run-1", a_document(1))
    world.drain()
    interfere(world.contacts, times, change_contact(world))
    if times == 4:
        decided(world, a_document(1, document_id="D2", postcode="10001"))
        assert world.contacts.stored["retail", "C0001"].postcode == "10001"
    else:
        with pytest.raises(RuntimeError, match="contacts kept changing under five attempts to update them"):
            decided(world, a_document(1, document_id="D2", postcode="10001"))


def test_of_a_run_that_is_cancelled_what_another_run_notified_is_a_duplicate_still() -> None:
    world = World(a_rule())
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    world.drop("run-2", a_document(1), a_document(2))
    while world.queues["run"].ready():
        world.step()
    world.control("run-2", Control.CANCEL)
    world.come_to_rest()
    assert world.outcomes("run-2") == {"duplicate": 1, "suppressed": 1}
    assert world.reasons("run-2", "suppressed") == {"run_cancelled": 1}
    assert world.told() == ["c0001@example.com"]


def test_a_demand_that_went_out_before_its_customer_was_held_stays_notified_when_decided_again() -> None:
    world = billed(bill(1), bill(2))
    assert hold(world)
    before = world.notice("D0001")
    decide_again(world)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 2}
    assert world.notice("D0001") == before


def test_each_document_of_a_step_is_stopped_for_its_own_reason() -> None:
    world = billed(*(bill(n) for n in (*LOST, *MOVED)))
    documents = [bill(n) for n in (*LOST, *MOVED)]
    (pointer,) = world.staging.slices("retail", "run-1", world.run("run-1").parts)
    corrects(world, SOON_AFTER, *(bill(n, due_date="2027-01-20") for n in LOST))
    for n in MOVED[:3]:
        responds(world, f"D000{n}", "paid")
    version = world.rules.journeys()["dunning"].version
    step = replace(pointer, purpose="step:dunning:1", version=version)
    found = step_stops(step, documents, world.rules, world.journeys, world.ledger)
    reasons = {f"D000{n}": found.get(world.notice(f"D000{n}").notice_id, "") for n in (*LOST, *MOVED)}
    assert reasons == {
        **{f"D000{n}": "corrected" for n in LOST},
        **{f"D000{n}": "paid" for n in MOVED[:3]},
        f"D000{MOVED[3]}": "",
    }
    assert step_stops(pointer, documents, world.rules, world.journeys, world.ledger) == {}


def test_an_acknowledgement_of_another_version_before_its_document_is_reported_and_ends_nothing() -> None:
    world = World(a_rule())
    told = world.respond(
        "acknowledged", customer_key="C0001", document_id="D0001", versions=("another",), event_id="e-1"
    )
    assert told == {"early": 1}
    world.drop("run-1", a_document(1, document_version="2026-11", customer_in_run=1), a_document(2))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 2}
    text = "acknowledgements that came before their documents count for none: they name another version"
    found = [e for e in world.exceptions.raised if e.text == text]
    assert [(e.severity, e.run_id, e.part, e.count, e.customers_in_run) for e in found] == [
        ("warning", "run-1", "slice 0", 1, (1,))
    ]


@pytest.mark.parametrize("times", [5, 6])  # the first write is of what no other run has
def test_another_runs_notice_is_decided_on_at_the_fifth_try(times: int) -> None:
    world = waiting()
    interfere(world.ledger, times, change_notice(world))
    if times == 5:
        decides(world, a_document(1, email=None))
        assert [heir.run for heir in world.notice("D0001").heirs] == ["retail/run-2"]
    else:
        with pytest.raises(RuntimeError, match="notices of another run kept changing under five attempts"):
            decides(world, a_document(1, email=None))


def test_of_a_cancelled_run_what_waits_in_another_run_is_suppressed_and_waits_on_there() -> None:
    world = waiting()
    world.drop("run-2", a_document(1, email=None), a_document(2, email=None))
    while world.queues["run"].ready():
        world.step()
    world.control("run-2", Control.CANCEL)
    world.drain()
    assert world.outcomes("run-2") == {"suppressed": 2}
    assert world.reasons("run-2", "suppressed") == {"run_cancelled": 2}
    assert world.outcomes("run-1") == {"deferred": 1}


def test_a_step_whose_records_are_gone_ends_without_a_queue_to_hand_it_on() -> None:
    world = billed(bill(1))
    (pointer,) = world.staging.slices("retail", "run-1", world.run("run-1").parts)
    version = world.rules.journeys()["dunning"].version
    step = replace(pointer, purpose="step:dunning:1", version=version, positions=(1,))
    world.records.slices.clear()
    world._ports["decide_queue"] = None
    before = dict(world.ledger.notices)
    world._decide(step.to_message(), lambda: 60.0)
    assert world.ledger.notices == before


def test_a_decision_names_every_notice_that_it_wrote_or_queued() -> None:
    world = waiting()
    world.drop("run-2", a_document(2, email=None), a_document(3))
    while world.queues["run"].ready():
        world.step()
    while world.queues["decide"].ready():
        world.deliver("decide", world.queues["decide"].ready()[0])
    (*_, found) = [answer for queue, answer in world.answers if queue == "decide"]
    (message,) = world.queues["email"].messages
    queued = {member.notice_id for member in SendJob.from_message(message.json()).members}
    assert found.notices == {world.notice("D0002").notice_id} | queued  # type: ignore[attr-defined]
