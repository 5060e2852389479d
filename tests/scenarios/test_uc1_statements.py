"""uc1: a statement, invoice or bill is ready."""

import pytest

from tests.fakes import a_document
from tests.scenarios.shipped import shipped


@pytest.mark.parametrize("kind", ["statement", "invoice", "utility-bill"])
def test_each_customer_is_told_once_by_email(kind: str) -> None:
    world = shipped()
    world.drop("run-1", *(a_document(n, document_type=kind) for n in range(1, 6)))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 5}
    assert world.told() == [f"c000{n}@example.com" for n in range(1, 6)]
    world.check()


def test_a_customer_without_email_gets_an_sms_in_the_day() -> None:
    world = shipped(at="2026-11-20T03:30:00+00:00")
    world.drop("run-1", a_document(1, email=None))
    world.drain()
    assert world.outcomes("run-1") == {"deferred": 1}
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}
    assert world.told("sms") == ["+12025550101"]
    sent = world.notice("D0001").events[-1]
    assert sent.at >= "2026-11-20T13:00", "eight in the morning in New York"


def test_the_same_bill_in_another_run_tells_nobody() -> None:
    world = shipped()
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    world.change_contact(1, channel_order=("sms", "email"))
    world.drop("run-2", a_document(1, email="new@example.com"))
    world.come_to_rest()
    assert world.outcomes("run-2") == {"duplicate": 1}
    assert world.told() == ["c0001@example.com"]


def test_a_bill_that_replaces_another_is_told_instead_of_it() -> None:
    world = shipped(at="2026-11-20T03:30:00+00:00")
    world.drop("run-1", a_document(1, email=None))
    world.drain()
    world.drop("run-2", a_document(1, document_id="D-NEW", email=None, supersedes="D0001"))
    world.come_to_rest()
    assert world.reasons("run-1", "suppressed") == {"superseded": 1}
    assert world.outcomes("run-2") == {"notified": 1}
    assert len(world.outbox) == 1
