"""The journeys' book keeps its promises, in memory as in DynamoDB."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from exstream_notify.adapters.dynamodb.journeys import DynamoJourneys
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.journeys import Cohort, Member, MemberRow
from exstream_notify.ports import JourneyBook
from tests.adapters.conftest import ENGINES, dynamodb, make_table
from tests.fakes import FakeJourneyBook

NOW = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module", params=ENGINES)
def new_book(request: pytest.FixtureRequest) -> Iterator[Callable[[], JourneyBook]]:
    """Another instance on the same table, as another worker has it."""
    if request.param == "memory":
        book = FakeJourneyBook()
        yield lambda: book
        return
    with dynamodb(request.param, request) as found:
        name = f"journeys-{next(_NUMBERS)}"
        make_table(found.client, "JourneysTable", name)
        yield lambda: DynamoJourneys(found.client, name, lambda: NOW)


@pytest.fixture
def book(new_book: Callable[[], JourneyBook]) -> JourneyBook:
    return new_book()


def a_cohort(hour: str = "2026-11-27T15") -> Cohort:
    return Cohort(hour, f"domain{next(_NUMBERS)}", "reminder", 1)


def a_row(name: str = "row", **changes: object) -> MemberRow:
    members = (
        Member("a" * 32, 7, "2026-11-20T15:00+00:00", "2026-12-01", "US"),
        Member("b" * 32, 8, "2026-11-20T15:00+00:00", "2026-12-02", "US", corrections=2),
    )
    row = MemberRow(name, "v1", "retail/run-1", 3, "parts/x", 10, 20, members)
    return replace(row, **changes)  # type: ignore[arg-type]


def mine(book: JourneyBook, cohort: Cohort) -> list[tuple[int, bool]]:
    until = NOW + timedelta(days=400)
    return [(s.generation, s.started) for s in book.cohorts(until) if s.cohort == cohort]


def test_members_are_kept_whole_and_a_repeat_replaces_itself(book: JourneyBook) -> None:
    cohort = a_cohort()
    rows = [a_row(f"row{n}", slice_number=n) for n in range(9)]
    for _ in range(2):
        book.enrol(cohort, rows)
    assert sorted(book.members(cohort, 100), key=lambda r: r.name) == rows
    assert len(book.members(cohort, 4)) == 4
    book.leave(cohort, rows[:8])
    assert book.members(cohort, 100) == [rows[8]]


def test_what_a_member_need_not_have_is_kept_too(book: JourneyBook) -> None:
    cohort = a_cohort()
    bare = Member("a" * 32, 7, "2026-11-20T15:00+00:00")
    whole = replace(bare, zone="Asia/Tokyo", asked="2026-11-27T15:00+00:00")
    book.enrol(cohort, [a_row(members=(bare, whole))])
    assert book.members(cohort, 1)[0].members == (bare, whole)


def test_what_is_gathered_of_a_customer_is_read_and_forgotten_as_a_whole(book: JourneyBook) -> None:
    cohort = a_cohort()
    rows = [a_row(f"row{n}", members=(Member(f"{n}" * 32, n, "2026-11-20T15:00+00:00"),)) for n in range(3)]
    for _ in range(2):
        for row in rows:
            book.gather(cohort, "one", [row])
        book.gather(cohort, "two", rows[:1])
    found = book.gathered(cohort, 10)
    assert sorted(found["one"], key=lambda row: row.name) == rows
    assert found["two"] == rows[:1]
    assert len(book.gathered(cohort, 1)) == 1
    book.scatter(cohort, ["one"])
    assert set(book.gathered(cohort, 10)) == {"two"}


def test_words_about_a_whole_journey_are_kept_in_their_order(new_book: Callable[[], JourneyBook]) -> None:
    name = f"journey{next(_NUMBERS)}"
    assert new_book().switched(name) == []
    words = [{"what": what, "at": NOW.isoformat(), "who": "ann", "why": ""} for what in ("stop", "resume")]
    for word in words:
        new_book().switch(name, word)
    assert new_book().switched(name) == words


def test_only_what_is_due_by_then_is_listed(book: JourneyBook) -> None:
    hours = ["2026-11-27T14", "2026-11-27T15", "2026-11-27T16", "2028-01-01T00"]
    domain = f"domain{next(_NUMBERS)}"
    for hour in hours:
        book.enrol(Cohort(hour, domain, "reminder", 1), [a_row()])
    due = [s.cohort.hour for s in book.cohorts(NOW) if s.cohort.domain == domain]
    assert due == hours[:2]


def test_a_cohort_is_open_then_started_then_done_and_late_joiners_open_it_at_its_generation(
    new_book: Callable[[], JourneyBook],
) -> None:
    book, cohort = new_book(), a_cohort()
    book.enrol(cohort, [a_row()])
    assert mine(book, cohort) == [(0, False)]
    book.started(cohort, 1)
    book.enrol(cohort, [a_row("second")])
    assert mine(book, cohort) == [(1, True)], "what has an execution needs no other"
    book.leave(cohort, book.members(cohort, 10))
    book.finish(cohort, 1)
    assert mine(book, cohort) == []
    book.started(cohort, 2)
    assert mine(book, cohort) == [], "a late word about what is done brings nothing back"
    new_book().enrol(cohort, [a_row("late")])
    assert mine(book, cohort) == [(1, False)]


def test_rows_that_came_while_it_was_being_finished_are_not_lost(book: JourneyBook) -> None:
    cohort = a_cohort()
    book.enrol(cohort, [a_row()])
    book.started(cohort, 3)
    book.finish(cohort, 3)
    assert mine(book, cohort) == [(3, False)]


def test_a_cohort_goes_on_as_a_further_generation(book: JourneyBook) -> None:
    cohort = a_cohort()
    book.enrol(cohort, [a_row()])
    book.started(cohort, 1)
    book.reopen(cohort, 1)
    assert mine(book, cohort) == [(1, False)]


def test_what_is_put_aside_comes_back_whole(book: JourneyBook) -> None:
    cohort, under = a_cohort(), f"retail/run-{next(_NUMBERS)}"
    rows = [a_row("one"), a_row("two")]
    for row in rows:
        book.park(under, cohort, row)
        book.park(under, cohort, row)
    assert book.parked(under) == [(cohort, row) for row in rows]
    book.unpark(under, cohort, rows[:1])
    assert book.parked(under) == [(cohort, rows[1])]


def test_words_about_a_run_keep_their_order(book: JourneyBook) -> None:
    run = f"retail/run-{next(_NUMBERS)}"
    words = [{"what": what, "at": "x", "who": "ann", "why": ""} for what in ("stop", "resume", "stop")]
    for word in words:
        book.stop_run(run, word)
    assert book.run_words(run) == words


def test_a_rule_is_kept_as_it_is(new_book: Callable[[], JourneyBook]) -> None:
    for rule in YamlRules().journeys().values():
        new_book().keep_rule(rule)
        kept = new_book().rule(rule.name, rule.version)
        assert kept == rule
        assert kept.version == rule.version
    assert new_book().rule("dunning", "no such") is None


def test_every_cohort_that_is_not_done_is_shown_with_its_members(
    new_book: Callable[[], JourneyBook],
) -> None:
    book = new_book()
    if not isinstance(book, DynamoJourneys):
        pytest.skip("for operators, on DynamoDB alone")
    soon, late = a_cohort(), replace(a_cohort(), hour="2999-12-31T23")
    book.enrol(soon, [a_row("one"), a_row("two")])
    book.enrol(late, [a_row("one", slice_number=9)])
    found = {state.cohort: members for state, members in book.all_cohorts()}
    assert (found[soon], found[late]) == (4, 2)


def test_a_row_s_members_are_replaced_where_it_still_is(new_book: Callable[[], JourneyBook]) -> None:
    book = new_book()
    if not isinstance(book, DynamoJourneys):
        pytest.skip("for operators, on DynamoDB alone")
    cohort, run = a_cohort(), f"retail/run-{next(_NUMBERS)}"
    row, beside = a_row("one"), a_row("two")
    bare = replace(row, members=row.members[:1])
    for _ in range(2):
        assert not book.amend(cohort, bare)
        assert not book.amend(cohort, bare, run)
    assert (book.members(cohort, 10), book.parked(run)) == ([], []), "nothing comes back"

    book.enrol(cohort, [row, beside])
    assert not book.amend(cohort, bare, run)
    assert book.amend(cohort, bare)
    assert book.members(cohort, 10) == [bare, beside]
    book.park(run, cohort, row)
    assert book.amend(cohort, bare, run)
    assert book.parked(run) == [(cohort, bare)]


def test_what_is_gathered_of_a_customer_is_replaced_unless_more_came(
    new_book: Callable[[], JourneyBook],
) -> None:
    book = new_book()
    if not isinstance(book, DynamoJourneys):
        pytest.skip("for operators, on DynamoDB alone")
    cohort, row = a_cohort(), a_row("one")
    bare, more = replace(row, members=row.members[:1]), a_row("two")
    assert not book.amend_gathered(cohort, "C1", [row], [bare])
    book.gather(cohort, "C1", [row])
    assert book.amend_gathered(cohort, "C1", [row], [bare])
    assert book.gathered(cohort, 10) == {"C1": [bare]}
    book.gather(cohort, "C1", [more])
    assert not book.amend_gathered(cohort, "C1", [bare], [row])
    assert book.gathered(cohort, 10) == {"C1": [bare, more]}
