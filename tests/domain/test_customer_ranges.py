"""Customers as the engine takes them, in switches that a command line can hold."""

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.customer_ranges import (
    HIGHEST,
    SWITCH_CHARS,
    CustomerSet,
    Ranges,
    from_numbers,
    from_text,
    merged,
    size,
    stated,
    switches,
    texts,
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


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("", ()),
        ("7", ((7, 7),)),
        ("2,7,14-50", ((2, 2), (7, 7), (14, 50))),
        (" 7 , 2 ", ((2, 2), (7, 7))),
        ("1-3,4-5", ((1, 5),)),  # they touch
        ("1-3,5-6", ((1, 3), (5, 6))),
        ("1-9,3-5,8-12", ((1, 12),)),
        (",,4,", ((4, 4),)),
        ("4-4", ((4, 4),)),
        ("999999999", ((999_999_999, 999_999_999),)),
    ],
)
def test_a_text_is_read_as_stretches(text: str, ranges: Ranges) -> None:
    assert from_text(text) == stated(text) == ranges


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1234567890", "not a list of customers"),
        ("5-3", "a stretch that ends before it begins"),
        ("1,x", "not a list of customers"),
    ],
)
def test_a_text_that_is_no_list_says_why_and_hides_no_incident(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        from_text(text)
    assert stated(text) == ()


@pytest.mark.parametrize(
    ("ranges", "covered", "left"),
    [
        ("1-10", "", "1-10"),
        ("1-10", "1-10", ""),
        ("1-10", "3-4,6", "1-2,5,7-10"),
        ("1-10", "1,10", "2-9"),
        ("5-6,8-9", "1-5,9-20", "6,8"),
        ("1-3,5-7,9-11", "2-10", "1,11"),
        ("1-3,20-30", "4-19", "1-3,20-30"),
        ("4-6", "1,2,8,9", "4-6"),
    ],
)
def test_what_is_left_of_stretches(ranges: str, covered: str, left: str) -> None:
    assert to_text(without(from_text(ranges), from_text(covered))) == left


@pytest.mark.parametrize(
    ("chars", "found"),
    [
        (1, ["2", "7", "14-50", "60"]),
        (3, ["2,7", "14-50", "60"]),
        (8, ["2,7", "14-50,60"]),
        (9, ["2,7,14-50", "60"]),
        (11, ["2,7,14-50", "60"]),
        (12, ["2,7,14-50,60"]),
    ],
)
def test_a_list_goes_on_in_a_further_text_where_one_is_full(chars: int, found: list[str]) -> None:
    ranges = from_text("2,7,14-50,60")
    assert list(texts(ranges, chars)) == found
    assert switches(ranges, chars + len("-CUSTOMERLIST=")) == [f"-CUSTOMERLIST={text}" for text in found]
    assert SWITCH_CHARS == 1000
    assert switches(ranges, 3) == [f"-CUSTOMERLIST={text}" for text in texts(ranges, 1)]


@pytest.mark.parametrize(
    ("numbers", "ranges"),
    [
        ([], []),
        ([1], [(1, 1)]),
        ([3, 1, 2], [(1, 3)]),
        ([7, 8, 9, 15, 16], [(7, 9), (15, 16)]),
        ([4095, 4096, 4097], [(4095, 4097)]),
        ([HIGHEST - 1, HIGHEST], [(HIGHEST - 1, HIGHEST)]),
        ([2, 700], [(2, 2), (700, 700)]),  # further on than its page reaches yet
    ],
)
def test_a_set_has_its_numbers_in_stretches(numbers: list[int], ranges: list[tuple[int, int]]) -> None:
    found = CustomerSet()
    assert found.count == 0
    assert all(found.add(number) for number in numbers)
    assert all(found.add(number) for number in numbers)
    assert (list(found.ranges()), found.count) == (ranges, len(numbers))
    assert size(ranges) == len(numbers)


def test_pages_are_walked_in_the_order_of_their_numbers() -> None:
    found = CustomerSet()
    for number in (90_000, 5, 4096, 6):
        found.add(number)
    assert list(found.ranges()) == [(5, 6), (4096, 4096), (90_000, 90_000)]
