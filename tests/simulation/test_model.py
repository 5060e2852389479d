"""The model of one notice: its claims hold in small worlds, and each fault that is put back breaks one."""

import pytest

from simulation.model import ANY, FAULTS, Size, check

pytestmark = pytest.mark.java


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(Size(runs=1, channels=1, throttles=0, deduplicates=True), id="de-duplicates"),
        pytest.param(Size(runs=1, channels=1, throttles=0, twice=ANY), id="twice"),
    ],
)
def test_the_claims_hold(size: Size) -> None:
    result = check(size)

    assert result.broken == "", result.text
    assert result.states > 1000


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_put_back_is_found(fault: str) -> None:
    size, claim = FAULTS[fault]

    assert check(size).broken == claim
