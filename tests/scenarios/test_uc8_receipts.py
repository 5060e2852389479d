"""uc8, inwards: what providers report updates ledger, contact and routing, at once and for good."""

import pytest

from exstream_notify.domain.notices import Status
from exstream_notify.domain.receipts import Kind
from tests.fakes import a_document
from tests.scenarios.shipped import shipped


def test_a_statement_that_bounces_is_told_by_sms_and_so_is_the_next_run() -> None:
    world = shipped()
    world.drop("run-1", a_document(1))
    world.drain()
    world.report(world.receipt(world.outbox[0], Kind.HARD_BOUNCE))
    world.drain()
    world.drop("run-2", a_document(1, document_id="D2"))
    world.come_to_rest()
    assert world.told("sms") == ["+12025550101", "+12025550101"]
    assert world.told("email") == ["c0001@example.com"]
    assert world.outcomes("run-1") == world.outcomes("run-2") == {"notified": 1}
    world.check()


@pytest.mark.parametrize("kind", ["claim-letter", "policy-document", "final-demand", "renewal-notice"])
def test_a_regulated_document_that_reaches_nobody_goes_to_paper(kind: str) -> None:
    """Nevada and Montana demand paper after a failed electronic delivery."""
    world = shipped(teams={})
    world.drop("run-1", a_document(1, document_type=kind, account_status="delinquent"))
    world.drain()
    for channel in ("email", "sms"):
        told = next(d for d in world.outbox if d.channel == channel and d.to.startswith(("c0001", "+")))
        world.report(world.receipt(told, Kind.HARD_BOUNCE))
        world.drain()
    assert world.outcomes("run-1") == {"paper": 1}
    world.check()


def test_a_complaint_silences_the_address_for_everybody_and_not_the_other_channel() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, email="Family@Example.com"))
    world.drain()
    world.report(world.receipt(world.outbox[0], Kind.COMPLAINT))
    world.drain()
    world.drop("run-2", a_document(2, email="family@example.com"))
    world.come_to_rest()
    assert world.told("sms") == ["+12025550102"]
    assert world.notice("D0001").status == Status.COMPLAINED


def test_a_document_that_nobody_confirmed_by_its_deadline_is_told_of() -> None:
    world = shipped()
    world.drop("run-1", a_document(1))
    world.drain()
    world.clock.advance(hours=73)
    assert world.poll().overdue == 1
    world.drain()
    assert "no_receipt_at_deadline" in world.exceptions.codes
