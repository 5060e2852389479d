"""Customers as the engine takes them, in switches that a command line can hold."""

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.customer_ranges import (
    HIGHEST,
    CustomerSet,
    from_numbers,
    from_text,
    merged,
    size,
    switches,
    to_text,
    without,
)

NUMBERS = st.sets(st.integers(1, 400), max_size=80)


def numbers(ranges: tuple[tuple[int, int], ...]) -> set[int]:
    """The numbers of some stretches, one by one."""
    return {n for first, last in ranges for n in range(first, last + 1)}


@given(NUMBERS)
def test_a_set_gives_back_what_was_put_in(given_numbers: set[int]) -> None:
    found = CustomerSet()
    for number in [*given_numbers, *given_numbers]:
        assert found.add(number)

    ranges = tuple(found.ranges())
    assert numbers(ranges) == given_numbers
    assert ranges == from_numbers(given_numbers) == from_text(to_text(ranges))
    assert found.count == size(ranges) == len(given_numbers)


@given(NUMBERS, NUMBERS)
def test_stretches_are_sets(one: set[int], other: set[int]) -> None:
    assert numbers(merged(from_numbers(one), from_numbers(other))) == one | other
    assert numbers(without(from_numbers(one), from_numbers(other))) == one - other


@given(NUMBERS, st.integers(30, 120))
def test_no_switch_is_longer_than_it_may_be_and_none_is_left_out(wanted: set[int], chars: int) -> None:
    found = switches(from_numbers(wanted), chars)

    assert all(len(switch) <= chars for switch in found)
    lists = [switch.removeprefix("-CUSTOMERLIST=") for switch in found]
    assert {n for text in lists for n in numbers(from_text(text))} == wanted


def test_the_switch_is_as_the_engine_reads_it() -> None:
    assert switches(from_numbers([2, 7, *range(14, 51)])) == ["-CUSTOMERLIST=2,7,14-50"]
    assert switches(()) == []


@pytest.mark.parametrize("number", [0, -1, HIGHEST + 1, 999_999_999])
def test_what_is_no_place_in_a_run_is_no_customer(number: int) -> None:
    assert not CustomerSet().add(number)


@pytest.mark.parametrize("text", ["a", "1-", "7-3", "1;2", "-CUSTOMERLIST=1"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"list|stretch"):
        from_text(text)


def test_what_is_left_of_many_customers_takes_no_product_of_their_number() -> None:
    every_second = tuple((n, n) for n in range(2, 200_000, 2))
    every_fourth = tuple((n, n) for n in range(4, 200_000, 4))
    began = time.process_time()
    assert len(without(every_second, every_fourth)) == 50_000
    assert time.process_time() - began < 5


def test_many_sets_of_a_few_high_numbers_take_little_memory() -> None:
    """Each code of a file has a set; two megabytes of each are more than a function has."""
    tracemalloc.start()
    many = [CustomerSet() for _ in range(500)]
    for found in many:
        assert found.add(HIGHEST)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 5_000_000
    assert list(many[0].ranges()) == [(HIGHEST, HIGHEST)]


@given(
    st.sets(st.one_of(st.integers(4080, 4110), st.integers(8180, 8200), st.integers(1, HIGHEST)), max_size=60)
)
def test_stretches_go_on_from_one_page_to_the_next(given_numbers: set[int]) -> None:
    found = CustomerSet()
    assert all(found.add(number) for number in given_numbers)
    assert (tuple(found.ranges()), found.count) == (from_numbers(given_numbers), len(given_numbers))
