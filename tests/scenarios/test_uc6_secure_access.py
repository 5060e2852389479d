"""uc6: the customer is pointed to the portal or repository."""

import pytest

from exstream_notify.domain.messages import GiveUp
from exstream_notify.domain.runs import Control
from tests.fakes import a_document
from tests.scenarios.shipped import shipped


@pytest.mark.parametrize("kind", ["secure-correspondence", "renewal-notice"])
def test_the_customer_is_told(kind: str) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type=kind))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}


def test_a_refused_address_falls_back_to_the_other_channel() -> None:
    world = shipped()
    world.mail.refuse("c0001@example.com", GiveUp("no_such_address", "recipient"))
    world.drop("run-1", a_document(1, document_type="secure-correspondence"))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}
    assert world.told() == ["+12025550101"]
    assert [a.number for a in world.notice("D0001").attempts] == [1, 2]


def test_the_customer_opens_the_document_and_scanners_do_not() -> None:
    world = shipped()
    world.portal = "https://portal.example.com/documents/{document_id}"
    world.drop("run-1", a_document(1, document_type="renewal-notice"))
    world.come_to_rest()
    notice = world.notice("D0001")
    for _ in range(20):
        world.look(notice.notice_id)
    assert world.notice("D0001") == notice

    assert world.open(notice.notice_id).leads_to == "https://portal.example.com/documents/D0001"
    world.respond("acknowledged", customer_key="C0001", document_id="D0001")
    world.respond("acknowledged", customer_key="C0001", document_id="D0001")

    assert world.notice("D0001").responses == ("opened", "acknowledged")
    assert [e.what for e in world.notice("D0001").events] == ["claimed", "sent", "opened", "acknowledged"]
    world.check()


def test_who_has_answered_already_is_not_told() -> None:
    world = shipped()
    world.respond("responded", customer_key="C0001", document_id="D0001")
    world.drop("run-1", a_document(1, document_type="renewal-notice"))
    world.come_to_rest()
    assert world.reasons("run-1", "suppressed") == {"responded": 1}
    assert world.told() == []


def test_an_operator_holds_releases_and_cancels() -> None:
    world = shipped(slice_records=2)
    world.drop("run-1", *(a_document(n, document_type="renewal-notice") for n in range(1, 7)))
    while not world.queues["email"].messages and world.step():
        pass
    world.control("run-1", Control.HOLD)
    world.come_to_rest()
    held = len(world.outbox)
    world.control("run-1", Control.GO)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 6}
    assert held < 6

    world.drop("run-2", *(a_document(n, document_type="renewal-notice") for n in range(7, 10)))
    while not world.queues["decide"].messages and world.step():
        pass
    world.control("run-2", Control.CANCEL)
    world.come_to_rest()
    assert world.outcomes("run-2") == {"suppressed": 3}
    assert world.reasons("run-2", "suppressed") == {"run_cancelled": 3}
