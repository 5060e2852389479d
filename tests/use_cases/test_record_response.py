"""Of several notices that one response is about, each gets it for itself; what an opening says of a doubt."""

from datetime import timedelta

import pytest

from exstream_notify.domain.notices import Status
from tests.fakes import Killed, LostAnswer, a_document, a_rule
from tests.use_cases.world import World


def told(*documents: str, lost: int = 0) -> World:
    """One customer's documents, notified; the first answers of the provider are lost."""
    world = World(a_rule())
    world.mail.script(*[LostAnswer()] * lost)
    world.drop("run-1", *(a_document(1, document_id=name) for name in documents))
    world.drain()
    return world


@pytest.mark.parametrize("known", ["D1", "D2", "D3"])
def test_a_notice_that_has_the_response_keeps_it_from_no_other(known: str) -> None:
    world = told("D1", "D2", "D3")
    assert world.respond("responded", customer_key="C0001", document_id=known) == {"recorded": 1}
    assert world.respond("responded", customer_key="C0001") == {"recorded": 2, "known": 1}
    assert {n.responses for n in world.ledger.notices.values()} == {("responded",)}
    assert world.respond("responded", customer_key="C0001") == {"known": 3}


def test_an_opening_proves_that_a_message_in_doubt_arrived() -> None:
    world = told("D1", lost=1)
    assert world.outcomes("run-1") == {"unconfirmed": 1}
    world.respond("opened", customer_key="C0001", document_id="D1")
    notice = world.notice("D1")
    (attempt,) = notice.attempts
    assert (notice.status, attempt.status, attempt.why) == (Status.SENT, Status.SENT, "opened")
    assert [(e.what, e.detail) for e in notice.events[-2:]] == [("opened", "portal"), ("sent", "1 opened")]
    assert world.outcomes("run-1") == {"notified": 1}, "its run is told at once"
    later = world.clock.now() + timedelta(minutes=15)
    assert notice.due_at == later.isoformat(timespec="seconds")


def test_another_response_than_an_opening_leaves_a_doubt_a_doubt() -> None:
    world = told("D1", lost=1)
    world.respond("responded", customer_key="C0001", document_id="D1")
    assert world.notice("D1").attempts[0].status == Status.UNCONFIRMED
    assert world.outcomes("run-1") == {"unconfirmed": 1}


def test_a_payment_that_several_customers_may_mean_is_reported_before_it_is_kept() -> None:
    """A worker that dies when it keeps the payment has reported it; its repeat reports it again."""
    world = World(a_rule())
    world.drop("run-1", a_document(1, document_id="D1"), a_document(2, document_id="D1"))
    world.drain()
    world.wire.kill_on("early_responses.keep_payment", "before")
    with pytest.raises(Killed):
        world.respond("paid", customer_key="C0009", document_id="D1", amount="10.00", currency="USD")
    assert [e.text for e in world.exceptions.raised] == [
        "a payment belongs to no document: the payer has no document of this id, "
        "and more than one customer may"
    ]
