"""uc3: reminder, overdue notice, final demand, by account status."""

import pytest

from exstream_notify.domain.messages import TryAgain
from tests.fakes import a_document
from tests.scenarios.shipped import shipped


@pytest.mark.parametrize("kind", ["payment-reminder", "overdue-notice", "final-demand"])
def test_a_debtor_is_told(kind: str) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type=kind, account_status="delinquent"))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("paid", "account_status"),
        ("closed", "account_status"),
        ("bankrupt", "do_not_dun"),
        ("in-dispute", "do_not_dun"),
    ],
)
def test_a_settled_or_stayed_account_is_left_in_peace(status: str, why: str) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type="final-demand", account_status=status))
    world.come_to_rest()
    assert world.reasons("run-1", "suppressed") == {why: 1}
    assert not world.outbox


def test_an_account_in_default_goes_ahead_of_bulk_runs() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type="overdue-notice", account_status="default"))
    while not world.queues["urgent"].messages and world.step():
        pass
    assert not world.queues["email"].messages
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}


def test_an_overdue_notice_older_than_its_deadline_is_not_sent() -> None:
    world = shipped()
    world.mail.always(TryAgain("unavailable"))
    world.drop("run-1", a_document(1, document_type="overdue-notice"))
    world.come_to_rest()
    assert world.reasons("run-1", "failed") == {"deadline_passed": 1}
    assert "deadline_passed" in {e.code for e in world.exceptions.raised}


@pytest.mark.parametrize("kind", ["payment-reminder", "overdue-notice", "final-demand"])
@pytest.mark.parametrize("amount", ["0.00", "-0.01", "-25.00"])
def test_nobody_is_asked_for_nothing_and_collections_hear_of_it(kind: str, amount: str) -> None:
    world = shipped()
    rows = {"document_type": kind, "account_status": "delinquent", "due_date": "2026-12-01"}
    world.drop("run-1", a_document(1, amount_due=amount, **rows), a_document(2, amount_due="0.01", **rows))
    world.follow()

    assert world.outcomes("run-1") == {"notified": 1, "suppressed": 1}
    assert world.reasons("run-1", "suppressed") == {"nothing_due": 1}
    assert {n.document_id for n in world.ledger.notices.values() if n.attempts} == {"D0002"}
    (raised,) = [e for e in world.exceptions.raised if e.code == "nothing_due"]
    assert world.rules.route(raised).team == "collections"


@pytest.mark.parametrize("kind", ["statement", "invoice", "utility-bill"])
def test_a_bill_of_nothing_is_ready_all_the_same(kind: str) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type=kind, amount_due="0.00", currency="USD"))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}
