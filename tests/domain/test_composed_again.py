"""What to compose again, and what proves that a later run did."""

from dataclasses import replace
from typing import Any

import pytest

from exstream_notify.domain.composed_again import (
    Customers,
    composed_again,
    in_full,
    in_words,
    is_stop,
    late_in_words,
    offered,
    to_compose,
)
from exstream_notify.domain.customer_ranges import HIGHEST, Ranges, from_text, to_text
from exstream_notify.domain.exceptions import ExceptionRaised


def exception(code: str = "EX000001E", severity: str = "error", count: int = 1) -> ExceptionRaised:
    """One of the engine's."""
    return ExceptionRaised(code, severity, "cards", "run-1", "x", count=count)  # type: ignore[arg-type]


def customers(**by_number: str) -> Customers:
    """A run's customers: `_3="K3"` is number 3."""
    found = Customers()
    for number, key in by_number.items():
        found.add(int(number.removeprefix("_")), key)
    return found


@pytest.mark.parametrize(
    ("told", "stops"),
    [
        (exception("EX001111S", "severe"), True),
        (exception("EX001111S", "error"), False),  # the site's rules say that it does not stop
        (exception("EX001111E", "severe"), False),  # a site's own severity
        (exception("composition_failed", "severe"), True),
        (exception("rejects_high", "severe"), False),
    ],
)
def test_a_severe_message_of_the_engine_is_a_stop(told: ExceptionRaised, stops: bool) -> None:
    assert is_stop(told) == stops


STOP = exception("EX001111S", "severe")
ERROR = exception()


@pytest.mark.parametrize(
    ("told", "end", "wanted", "switches", "words"),
    [
        ([(ERROR, "3,5")], 100, "3,5", ["-CUSTOMERLIST=3,5"], ""),
        ([(STOP, "13")], 100, "13-100", ["-CUSTOMERLIST=13-100"], ""),
        ([(ERROR, "3"), (STOP, "13")], 100, "3,13-100", ["-CUSTOMERLIST=3,13-100"], ""),
        ([(STOP, "2,7,14")], 20, "2,7,14-20", ["-CUSTOMERLIST=2,7,14-20"], ""),
        ([(STOP, "13")], 13, "13", ["-CUSTOMERLIST=13"], ""),
        ([(STOP, "13")], 9, "13", ["-CUSTOMERLIST=13"], ""),
        ([(STOP, "13")], 0, f"13-{HIGHEST}", [], "customer 13 and all after it: "),
        ([(ERROR, "3"), (STOP, "13")], 0, f"3,13-{HIGHEST}", [], "customers 3,13 and all after it: "),
        ([(STOP, "")], 100, f"1-{HIGHEST}", [], "the whole run: "),
        ([(exception("EX001111S", "severe", 0), "")], 100, "", [], ""),  # taken back
    ],
)
def test_a_stop_leaves_out_the_customer_that_it_names_and_all_after_it(
    told: list[tuple[ExceptionRaised, str]], end: int, wanted: str, switches: list[str], words: str
) -> None:
    late = to_compose([(e, from_text(named)) for e, named in told], end)
    assert to_text(late) == wanted
    assert offered(late) == switches
    assert in_words(late).startswith(words)
    assert bool(words) == bool(in_words(late))


def stopped(customer: str, file: str, number: int = 1) -> tuple[ExceptionRaised, Ranges]:
    """The engine stopped at a customer, as a message file says."""
    told = replace(STOP, code=f"EX00000{number}S", part=file, content=f"{file}/0000/{customer}")
    return told, from_text(customer)


def test_an_engine_that_went_on_stopped_last_and_of_several_engines_the_first_counts() -> None:
    assert to_text(to_compose([stopped("7", "a"), stopped("40", "a", 2)], 60)) == "7,40-60"
    assert to_text(to_compose([stopped("7", "a"), stopped("40", "b", 2)], 60)) == "7-60"
    assert to_text(to_compose([stopped("7", "a"), stopped("40", "b", 2)], 0)) == f"7-{HIGHEST}"
    assert to_text(to_compose([stopped("70", "a"), stopped("80", "b", 2)], 60)) == "70-80"
    event = (exception("composition_failed", "severe"), from_text(""))
    assert to_text(to_compose([event, stopped("40", "b")], 60)) == "40-60"


def test_what_is_late_is_said_with_its_number_or_with_its_beginning() -> None:
    assert late_in_words(()) == ""
    assert late_in_words(((7, 7),)) == "documents of 1 customer late"
    assert late_in_words(((7, 1206),)) == "documents of 1,200 customers late"
    assert late_in_words(((13, HIGHEST),)) == "documents of customer 13 and all after it late"
    assert late_in_words(((1, HIGHEST),)) == "documents of any customer of the run may be late"


@pytest.mark.parametrize(
    ("customers", "words"),
    [
        ("3,7-9", "customers 3,7-9"),
        (f"3,13-{HIGHEST}", "customers 3,13 and all after it"),
        (f"1-{HIGHEST}", "all that was missing"),
        ("1,3,5,7,9,11,13,15,17,19,21", "customers 1,3,5,7,9,11,13, …"),
    ],
)
def test_whom_a_later_run_composed_is_said_in_words(customers: str, words: str) -> None:
    assert in_full(customers, 18) == words


def test_a_long_list_before_a_stop_names_whole_customers_and_counts_the_others() -> None:
    many = tuple((n, n) for n in range(10_001, 12_001, 2))
    words = late_in_words((*many, (20_000, HIGHEST)))
    shown, _, rest = words.removeprefix("documents of customers ").partition(", ")
    numbers = [int(n) for n in shown.split(",")]
    assert numbers == [n for n, _ in many][: len(numbers)]
    assert rest == f"{1000 - len(numbers):,} more before 20000, 20000 and all after it late"


SAME: Any = {3: {"K3"}, 5: {"K5"}}


@pytest.mark.parametrize(
    ("missed", "by", "named", "proven"),
    [
        # An ordinary run of the next night has the same numbers for others.
        ({}, customers(_3="K3", _5="K5"), False, ""),
        (SAME, customers(_3="A", _5="B"), False, ""),
        (SAME, customers(_1="K5", _2="X"), False, "5"),
        (SAME, customers(_1="K5", _2="K3"), False, "3,5"),
        # A run that names the other keeps the numbers, unless it shows that it numbers anew.
        ({}, customers(_3="K3"), True, "3"),
        (SAME, customers(_3="K3", _9="X"), True, "3"),
        (SAME, customers(_3="X", _5="K3"), True, "3"),
        ({3: {"K3"}}, customers(_1="K3", _5="K5"), True, "3"),
        ({1: {"K1"}}, customers(_1="K3", _3="K5"), True, ""),
        # Somebody who shares a number: both have to be there.
        ({3: {"K3", "K4"}}, customers(_3="K3"), True, ""),
        ({3: {"K3", "K4"}}, customers(_3="K3", _4="K4"), False, "3"),
    ],
)
def test_keys_are_proof_and_numbers_only_of_a_run_that_names_the_other(
    missed: Any, by: Customers, named: bool, proven: str
) -> None:
    late: Ranges = ((3, 3), (5, 5))
    assert to_text(composed_again(late, missed, by, named=named, whole=False)) == proven


def test_only_a_whole_run_makes_good_an_end_that_is_not_known() -> None:
    late: Ranges = ((13, HIGHEST),)
    part = customers(_13="A", _14="B")
    assert composed_again(late, {}, part, named=True, whole=False) == ((13, 14),)
    assert composed_again(late, {}, part, named=True, whole=True) == late
    assert not part.is_from_the_first
    assert customers(_1="A", _2="B").is_from_the_first


@pytest.mark.parametrize(
    ("late", "more", "words"),
    [
        ((), 0, ""),
        (((2, 3),), 0, ""),
        ((), 1, "1 missing customer that nothing here names by number"),
        (((2, 3),), 1, "also 1 missing customer that nothing here names by number"),
        ((), 2, "2 missing customers that nothing here names by number"),
        ((), 1200, "1,200 missing customers that nothing here names by number"),
        (((1, HIGHEST),), 5, "the whole run: the engine did not say at which customer it stopped"),
        (((4, HIGHEST),), 0, "customer 4 and all after it: the run's last customer is not known"),
    ],
)
def test_what_no_switch_says_is_said_in_words(late: Any, more: int, words: str) -> None:
    assert in_words(late, more) == words
    assert bool(offered(late)) == (bool(late) and late[-1][1] != HIGHEST)


@pytest.mark.parametrize(
    ("late", "more", "words"),
    [
        ((), 3, "documents of 3 customers late"),
        ((), 1, "documents of 1 customer late"),
        (((2, 3),), 4, "documents of 6 customers late"),
        (((1, 1), (4, HIGHEST)), 9, "documents of any customer of the run may be late"),
        (((2, 2), (4, HIGHEST)), 0, "documents of customers 2,4 and all after it late"),
    ],
)
def test_whose_documents_are_late(late: Any, more: int, words: str) -> None:
    assert late_in_words(late, more) == words


def test_customers_of_a_run_by_number_and_by_key() -> None:
    found = Customers()
    for number, key in ((3, "A"), (4, "B"), (3, "C"), (0, "D"), (-1, "E"), (HIGHEST, "F"), (None, "G")):
        found.add(number, key)
    assert found.by_number == {3: {"A", "C"}, 4: {"B"}}
    assert found.keys == set("ABCDEFG")
    assert found.numbers == ((3, 4),)
    assert not Customers().is_from_the_first
    assert not customers(_1="A", _3="B").is_from_the_first


@pytest.mark.parametrize(
    ("missed", "by", "proven"),
    [
        ({3: {"K3"}, 5: {"K9"}}, customers(_3="K3", _6="X"), "3"),
        ({3: {"K3"}, 5: {"K9"}}, customers(_3="K3", _5="K5"), "3"),  # 5 is another customer's here
        ({3: {"K3"}, 5: set()}, customers(_3="K3", _5="K5"), "3,5"),
        ({3: {"K3", "K4"}}, customers(_3="K3", _5="K5"), "5"),  # one who shared a number is missing
        ({}, customers(_3="K3", _5="K5"), "3,5"),
    ],
)
def test_what_a_run_that_names_the_other_composed(missed: Any, by: Customers, proven: str) -> None:
    late: Ranges = ((3, 3), (5, 5))
    assert to_text(composed_again(late, missed, by, named=True, whole=False)) == proven


def test_a_whole_run_leaves_out_those_whom_it_does_not_have() -> None:
    late: Ranges = ((3, 9),)
    by = customers(_3="K3")
    assert composed_again(late, {}, by, named=True, whole=True) == late
    assert composed_again(late, {5: {"K5"}}, by, named=True, whole=True) == ((3, 4), (6, 9))
    assert composed_again(late, {5: {"K5"}}, by, named=False, whole=True) == ()


def test_a_list_that_is_cut_ends_with_a_whole_number() -> None:
    assert in_full("1,22,333", 8) == "customers 1,22,333"
    assert in_full("1,22,333", 7) == "customers 1,22, …"
    assert in_full("1,22,333", 4) == "customers 1, …"
