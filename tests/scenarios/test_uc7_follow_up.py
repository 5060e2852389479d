"""uc7: the customer has not responded, and the rules that ship say what follows."""

from datetime import datetime, timedelta

import pytest

from exstream_notify.domain.notices import Response, Status, happened
from tests.fakes import a_document
from tests.scenarios.shipped import shipped
from tests.use_cases.world import World


def answer(world: World, document_id: str, kind: Response) -> None:
    """What the customer did, as the ledger has it."""
    notice = world.notice(document_id)
    world.ledger.put([happened(notice, world.clock.now(), kind, responses=(kind,))])


def steps(world: World, document_id: str) -> dict[str, str]:
    """The local day (New York) on which each step's message went out."""
    found = {}
    for notice in world.ledger.notices.values():
        if notice.document_id == document_id and notice.purpose != "notice":
            for event in notice.events:
                if event.what == "claimed":
                    found[notice.purpose] = event.at[:10]
    return found


def wait(world: World, **time: float) -> None:
    world.follow_until(world.clock.now() + timedelta(**time))


@pytest.mark.parametrize("kind", ["renewal-notice", "secure-correspondence"])
def test_a_renewal_is_reminded_by_sms_then_called_last_then_told_of(kind: str) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type=kind), a_document(2, document_type=kind))
    wait(world, days=1)
    answer(world, "D0002", "opened")
    world.follow()
    assert [d.channel for d in world.outbox if d.to.startswith(("+12025550101", "c0001"))].count("sms") == 1
    assert list(steps(world, "D0001")) == ["step:renewal-reminder:1", "step:renewal-reminder:2"]
    assert steps(world, "D0002") == {}
    assert [e["document_id"] for e in world.journey_events.told] == ["D0001"]
    assert world.outcomes("run-1") == {"notified": 2}
    world.check()


def test_dunning_goes_by_the_due_date_and_by_working_days() -> None:
    # Due on Monday 30 November: three working days before is Tuesday, as Thursday is Thanksgiving.
    world = shipped()
    world.drop("run-1", a_document(1, document_type="payment-reminder", due_date="2026-11-30", country="US"))
    world.follow()
    found = steps(world, "D0001")
    assert found["step:dunning:1"] == "2026-11-24"
    assert found["step:dunning:2"] == "2026-12-02"
    # Fourteen working days on.
    assert found["step:dunning:3"] == "2026-12-18"
    (case,) = [e for e in world.exceptions.raised if e.code == "journey_unanswered"]
    assert case.team == "collections"


def test_who_paid_is_dunned_no_further() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type="payment-reminder", due_date="2026-11-30"))
    wait(world, days=1)
    world.follow_until(datetime.fromisoformat("2026-12-01T12:00:00+00:00"))
    answer(world, "D0001", "paid")
    world.follow()
    assert steps(world, "D0001") == {"step:dunning:1": "2026-11-25"}


def test_a_reminder_of_a_date_that_has_passed_is_left_out() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type="payment-reminder", due_date="2026-11-21"))
    world.follow()
    assert list(steps(world, "D0001")) == ["step:dunning:2", "step:dunning:3"]


def test_only_a_policy_that_asks_for_it_is_followed_until_acknowledged_else_printed() -> None:
    world = shipped()
    world.drop(
        "run-1",
        a_document(1, document_type="policy-document", requires_ack=True),
        a_document(2, document_type="policy-document", requires_ack=True),
        a_document(3, document_type="policy-document"),
    )
    wait(world, days=1)
    answer(world, "D0002", "acknowledged")
    world.follow()
    assert len(steps(world, "D0001")) == 2
    assert steps(world, "D0002") == steps(world, "D0003") == {}
    assert world.notice("D0001", purpose="step:policy-acknowledgement:3").status == Status.PAPER


def test_an_unread_statement_is_printed() -> None:
    world = shipped()
    world.drop("run-1", a_document(1), a_document(2))
    wait(world, days=1)
    answer(world, "D0002", "opened")
    world.follow()
    printed = world.notice("D0001", purpose="step:unread-statement:2")
    assert (printed.status, printed.why) == (Status.PAPER, "unanswered")
    assert [e["document_id"] for e in world.journey_events.told] == ["D0001"]
    assert world.outcomes("run-1") == {"notified": 2}
