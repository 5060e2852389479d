"""The ledger and its due index keep their promises, in memory as in DynamoDB."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exstream_notify.adapters.dynamodb.batches import size_of
from exstream_notify.adapters.dynamodb.ledger import DynamoLedger, to_item
from exstream_notify.domain.notices import (
    Attempt,
    Correction,
    Event,
    Former,
    Notice,
    Origin,
    Outcome,
    Pauses,
    Status,
    begun,
    happened,
    opened,
)
from exstream_notify.domain.payments import Fact, Payments
from exstream_notify.domain.work import SlicePointer
from tests.adapters.conftest import Books, Tables
from tests.fakes import FakeLedger, a_notice

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
_IDS = itertools.count(1)


def new(**changes: Any) -> Notice:
    """A notice of an id never used, at version 1."""
    return opened(a_notice(notice_id=f"{next(_IDS):032x}", **changes), NOW, "deferred")


def claim_by(notice: Notice, worker: str) -> Notice:
    """The notice with its next attempt claimed by a worker."""
    attempt = Attempt(len(notice.attempts) + 1, "email", "mail", "hash", worker, Status.SENDING, lease=1.5)
    return begun(notice, attempt, NOW, ())


# --- conditional writes ----------------------------------------------------------------------------


def test_a_first_version_is_written_where_there_is_none(books: Books) -> None:
    notice = new()

    assert books.ledger.put([notice]) == {}
    assert books.ledger.get([notice.notice_id]) == {notice.notice_id: notice}


def test_what_stands_in_the_way_is_returned_and_stays(books: Books) -> None:
    one = new()
    other = replace(one, customer_key="another")
    books.ledger.put([one])

    assert books.ledger.put([other]) == {one.notice_id: one}
    assert books.ledger.get([one.notice_id]) == {one.notice_id: one}


def test_a_function_learns_what_it_wrote_since_it_asked(tables: Tables) -> None:
    ledger = DynamoLedger(tables.client, tables.notices)
    first, second = new(), new()
    ledger.put([first])
    written = ledger.written()
    ledger.put([second])
    assert written == {second.notice_id}
    assert ledger.written() == set()


def test_a_next_version_needs_the_one_before(books: Books) -> None:
    first = new()
    second = happened(first, NOW, "looked at")
    third = happened(second, NOW, "looked at")
    books.ledger.put([first])

    assert books.ledger.put([third]) == {first.notice_id: first}
    assert books.ledger.put([second]) == {}
    assert books.ledger.put([third]) == {}
    assert books.ledger.put([second]) == {first.notice_id: third}


def test_a_write_that_was_done_although_its_answer_was_lost_counts_as_done(books: Books) -> None:
    notices = [new() for _ in range(3)]
    books.ledger.put(notices)
    assert books.ledger.put(notices) == {}

    claims = [claim_by(n, "me") for n in notices]
    books.ledger.put(claims)
    assert books.ledger.put(claims) == {}
    assert books.ledger.put([claim_by(n, "another") for n in notices]) == {c.notice_id: c for c in claims}


@pytest.mark.parametrize("size", [1, 2, 101])
def test_one_conflict_never_stops_the_others(books: Books, size: int) -> None:
    notices = [new() for _ in range(size)]
    taken = notices[::3]
    books.ledger.put(taken)
    wanted = [replace(n, customer_key="mine") for n in notices]
    blocked = books.ledger.put(wanted)

    assert blocked == {n.notice_id: n for n in taken}
    stored = books.ledger.get([n.notice_id for n in notices])
    assert {n.customer_key for n in stored.values()} == ({"C0001", "mine"} if size > 1 else {"C0001"})
    assert len(stored) == size


def test_new_and_next_versions_go_together(books: Books) -> None:
    old = [new() for _ in range(5)]
    books.ledger.put(old)
    mixed = [*(happened(n, NOW, "looked at") for n in old), *(new() for _ in range(5))]

    assert books.ledger.put(mixed) == {}
    assert books.ledger.get([n.notice_id for n in mixed]) == {n.notice_id: n for n in mixed}


def test_nothing_asked_nothing_found(books: Books) -> None:
    assert books.ledger.put([]) == {}
    assert books.ledger.get([]) == {}
    assert books.ledger.get(["f" * 32]) == {}


# --- races -----------------------------------------------------------------------------------------


def run_together(*workers: Callable[[], None]) -> None:
    """All at once, each in a thread; an exception of one is raised here."""
    start = threading.Barrier(len(workers))
    errors: list[BaseException] = []

    def go(worker: Callable[[], None]) -> None:
        start.wait()
        try:
            worker()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=go, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def race(ledger: Any, first: list[Notice], workers: int, size: int) -> None:
    """Workers claim the same notices, some in batches, some one by one; each has exactly one winner."""
    won: dict[str, list[str]] = {n.notice_id: [] for n in first}

    def worker(name: str, step: int) -> Callable[[], None]:
        def claim() -> None:
            for start in range(0, len(first), step):
                claims = [claim_by(n, name) for n in first[start : start + step]]
                blocked = ledger.put(claims)
                for notice in claims:
                    if notice.notice_id not in blocked:
                        won[notice.notice_id].append(name)

        return claim

    run_together(*(worker(f"worker-{n}", size if n % 4 else 1) for n in range(workers)))

    stored = ledger.get(list(won))
    for key, winners in won.items():
        assert len(winners) == 1, f"{key} was won by {winners}"
        assert stored[key].attempts[0].job == winners[0]
        assert stored[key].version == first[0].version + 1


def test_of_twenty_threads_that_claim_the_same_notices_one_wins_each() -> None:
    ledger = FakeLedger()
    race(ledger, [replace(new(), version=0, events=()) for _ in range(50)], 20, 10)


@pytest.mark.dynamodb_local
def test_of_twenty_threads_that_claim_the_same_notices_one_wins_each_in_dynamodb(local: Tables) -> None:
    """DynamoDB Local only: moto is not safe under threads."""
    ledger = DynamoLedger(local.client, local.notices)
    race(ledger, [replace(new(), version=0, events=()) for _ in range(50)], 20, 10)


@pytest.mark.dynamodb_local
def test_of_many_that_claim_what_is_deferred_one_wins_each_in_dynamodb(local: Tables) -> None:
    ledger = DynamoLedger(local.client, local.notices)
    deferred = [new() for _ in range(50)]
    ledger.put(deferred)
    race(ledger, deferred, 6, 25)


# --- the form on the table -------------------------------------------------------------------------

_TEXT = st.text(max_size=8)
_NAME = st.text(min_size=1, max_size=8)
_STATUS = st.sampled_from(Status)
_CHANNEL = st.sampled_from(["email", "sms"])
ATTEMPTS = st.builds(
    Attempt,
    number=st.integers(1, 9),
    channel=_CHANNEL,
    provider=_TEXT,
    address=_TEXT,
    job=_TEXT,
    status=_STATUS,
    lease=st.floats(0, 2e9).map(lambda x: round(x, 3)),
    ref=_TEXT,
    why=_TEXT,
    evidence=_TEXT,
    by_mail=st.booleans(),
)
_ORIGIN = st.builds(
    Origin,
    run=_TEXT,
    slice_number=st.integers(0, 10**6),
    position=st.integers(0, 10**7),
    part=_TEXT,
    offset=st.integers(0, 10**9),
    length=st.integers(0, 10**9),
)
_FORMER = st.builds(
    Former,
    run=_TEXT,
    slice_number=st.integers(0, 10**6),
    position=st.integers(0, 10**7),
    outcome=st.sampled_from(list(Outcome)),
    why=_TEXT,
    version=st.integers(1, 1000),
)
_PAUSES = st.builds(Pauses, _TEXT, st.integers(1, 10**4), _TEXT, _TEXT, st.integers(0, 10**3)) | st.builds(
    Pauses, _TEXT, st.just(2), _TEXT, _TEXT, st.just(0), _TEXT, _NAME
)
NOTICES = st.builds(
    Notice,
    notice_id=st.just("x"),
    domain=_NAME,
    customer_key=_TEXT,
    document_id=_NAME,
    document_type=_NAME,
    purpose=_NAME,
    audience=_NAME,
    origin=_ORIGIN,
    former=st.lists(_FORMER, max_size=2).map(tuple),
    heirs=st.lists(_ORIGIN, max_size=2).map(tuple),
    corrections=st.lists(st.builds(Correction, _ORIGIN, _TEXT, st.booleans()), max_size=2).map(tuple),
    together=st.lists(st.sampled_from(["a" * 32, "b" * 32]), max_size=3).map(tuple),
    facts=_TEXT,
    status=_STATUS,
    why=_TEXT,
    attempts=st.lists(ATTEMPTS, max_size=3).map(tuple),
    events=st.lists(st.builds(Event, _TEXT, _TEXT, _TEXT, _TEXT, _TEXT), max_size=3).map(tuple),
    pauses=st.none() | _PAUSES,
    waiting=st.lists(_CHANNEL, unique=True).map(tuple),
    responses=st.lists(st.sampled_from(["opened", "responded", "paid", "acknowledged"]), unique=True).map(
        tuple
    ),
    due_at=st.sampled_from(["", "2026-11-20T15:00:00+00:00"]),
    superseded_by=_TEXT,
    created_at=_TEXT,
    payments=st.builds(
        Payments,
        facts=st.lists(
            st.builds(
                Fact,
                kind=st.sampled_from(["payment", "reversal"]),
                key=_TEXT,
                of=_TEXT,
                amount=_TEXT,
                currency=_TEXT,
                loose=st.booleans(),
                shared=st.booleans(),
            ),
            max_size=3,
        ).map(tuple),
        folded=st.lists(st.tuples(_TEXT, _TEXT), max_size=2).map(tuple),
        # A key that was added up never stands without its sum.
        known=st.just(()),
    ),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notice=NOTICES)
def test_every_field_of_a_notice_comes_back(books: Books, notice: Notice) -> None:
    stored = replace(notice, notice_id=f"{next(_IDS):032x}")

    assert books.ledger.put([stored]) == {}
    assert books.ledger.get([stored.notice_id]) == {stored.notice_id: stored}


@pytest.mark.parametrize("size", [30_000, 37_000, 38_500, 42_000, 46_000])
def test_a_page_of_large_notices_is_written_whatever_its_bytes(books: Books, size: int) -> None:
    """A hundred at once, as the sweep writes them: cut by the bytes that DynamoDB counts."""
    text = 'he said "no" \\ '
    notices = [new(why=f"{n}") for n in range(100)]
    for n, notice in enumerate(notices):
        while size_of(to_item(notice)) < size:
            notice = happened(notice, NOW, "deferred", text * 200)
        notices[n] = replace(notice, version=1)
    assert books.ledger.put(notices) == {}
    again = [happened(notice, NOW, "released") for notice in notices]
    assert books.ledger.put(again) == {}
    assert books.ledger.get([again[7].notice_id]) == {again[7].notice_id: again[7]}


def test_a_customers_notices_are_found_oldest_first(tables: Tables) -> None:
    ledger = DynamoLedger(tables.client, tables.notices)
    later = replace(new(customer_key="C-LIST"), created_at="2026-11-21")
    earlier = replace(new(customer_key="C-LIST"), created_at="2026-11-20")
    ledger.put([later, earlier, new(customer_key="C-OTHER")])

    assert ledger.of_customer("retail", "C-LIST") == [earlier, later]
    assert ledger.of_customer("claims", "C-LIST") == []


# --- the due index ---------------------------------------------------------------------------------


def at(hours: float) -> str:
    """A due time on a day of its own, so many hours in."""
    return (datetime(2027, 3, 1, tzinfo=UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")


def due(books: Books, since: float, until: float) -> list[str]:
    """What is due."""
    return list(books.due.due(datetime.fromisoformat(at(since)), datetime.fromisoformat(at(until))))


def test_what_is_due_is_found_and_nothing_else(books: Books) -> None:
    soon, now, later = (new(due_at=at(hours)) for hours in (1.0, 2.5, 2.75))
    books.ledger.put([soon, now, later, new()])

    assert set(due(books, 0, 2.5)) == {soon.notice_id, now.notice_id}
    assert due(books, 2, 2.5) == [now.notice_id]
    assert set(due(books, 0, 6)) == {n.notice_id for n in (soon, now, later)}

    books.ledger.put([happened(replace(n, due_at=""), NOW, "claimed") for n in (soon, now)])
    assert due(books, 0, 6) == [later.notice_id]
    books.ledger.put([happened(replace(later, due_at=at(5)), NOW, "released")])
    assert due(books, 0, 3) == []
    assert due(books, 0, 5) == [later.notice_id]
    books.ledger.put([happened(happened(replace(later, due_at=at(5)), NOW, "released"), NOW, "claimed")])


def test_waiting_runs_lie_in_the_index_too(books: Books) -> None:
    for until in (30.0, 31.0):
        books.due.wait_for_run("retail", "run-1", datetime.fromisoformat(at(until)))
    (key,) = due(books, 25, 31)

    assert due(books, 25, 30.9) == []
    assert books.due.runs_due([key, "f" * 32]) == [(key, "retail", "run-1")]
    assert books.ledger.get([key]) == {}, "it is no notice"
    books.due.forget([key], datetime.fromisoformat(at(31)))
    assert due(books, 25, 40) == []


def test_a_look_waits_with_all_that_it_takes_to_repeat_it(books: Books) -> None:
    look = SlicePointer(
        "retail", "run-3", 2, "part-1", 10, 20, 3, 200, positions=(200, 202), purpose="step:reminder:1",
        version="v1", together=(("a" * 32, "b" * 32),),
    )  # fmt: skip
    key = books.due.wait_for_look("retail/run-3 2", look, datetime.fromisoformat(at(41)))

    assert due(books, 41, 42) == [key]
    assert books.due.looks_due([key, "run:retail/run-3", "f" * 32]) == [(key, look)]
    assert books.due.waiting([key]) == []
    assert books.due.runs_due([key]) == []
    books.due.forget([key], datetime.fromisoformat(at(41)))
    assert due(books, 41, 42) == []
    assert books.due.looks_due([key]) == []


def test_a_run_that_waits_anew_is_not_forgotten(books: Books) -> None:
    books.due.wait_for_run("retail", "run-2", datetime.fromisoformat(at(50)))
    (key,) = due(books, 49, 50)
    books.due.wait_for_run("retail", "run-2", datetime.fromisoformat(at(51)))
    books.due.forget([key], datetime.fromisoformat(at(50)))

    assert due(books, 49, 60) == [key]
    books.due.forget([key, "run:retail/never-there"], datetime.fromisoformat(at(60)))
    assert due(books, 49, 60) == []


def test_the_watermark_is_remembered(books: Books) -> None:
    assert books.due.watermark() is None
    for mark in (NOW, NOW + timedelta(minutes=1)):
        books.due.set_watermark(mark)
        assert books.due.watermark() == mark
