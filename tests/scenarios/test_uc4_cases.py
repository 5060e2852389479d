"""uc4: a claim, dispute or case letter is ready."""

import pytest

from tests.fakes import a_document
from tests.scenarios.shipped import shipped


@pytest.mark.parametrize("kind", ["claim-letter", "dispute-response", "service-resolution"])
def test_the_customer_is_told(kind: str) -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type=kind, case_id="CASE-1"))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}


def test_customers_whom_the_composer_skipped_are_an_exception() -> None:
    world = shipped()
    letters = [a_document(n, document_type="claim-letter") for n in range(1, 7)]
    world.drop("run-1", *letters, customers_expected=8, customers_processed=6)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 6}
    assert not world.reconciled("run-1").complete
    (raised,) = [e for e in world.exceptions.raised if e.code == "customers_missing"]
    assert raised.count == 2


def test_a_single_letter_comes_as_an_event_once() -> None:
    world = shipped()
    letter = {"customer_key": "C0009", "document_id": "D0009", "document_type": "claim-letter"}
    for _ in range(2):
        world.compose("e-1", {**letter, "email": "c0009@example.com"})
    world.compose("e-2", {**letter, "email": "other@example.com"})
    world.come_to_rest()
    assert len(world.told()) == 1
