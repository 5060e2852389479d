"""When the teams of a run are told how many customers were notified, and what is counted for them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.notices import Outcome
from exstream_notify.domain.runs import Control, DigestRow, RecordOutcome, Run, RunState
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.digest_run import digest_run, digests
from tests.fakes import FakeClock, FakeRunBook

OPENED = "2026-11-20T12:00:00+00:00"
SLICE = SlicePointer("retail", "run-1", 0, "p0", 0, 100, 4, 1)
DIGESTS = SlicePointer("retail", "run-1", 1, "pd", 0, 1, 1, 1, kind="digests")
NOTIFIED, DEFERRED, IN_FLIGHT = Outcome.NOTIFIED, Outcome.DEFERRED, Outcome.IN_FLIGHT


class Around:
    """Staging, due index and queue: what was asked of them."""

    def __init__(self, written: Iterable[SlicePointer] = ()) -> None:
        self.written = list(written)
        self.counts: list[Any] = []
        self.waits: list[Any] = []
        self.queued: list[Any] = []

    def slices(self, domain: str, run_id: str, parts: str) -> Iterator[SlicePointer]:
        """See `Staging.slices`."""
        assert (domain, run_id, parts) == ("retail", "run-1", "parts/")
        yield from (SLICE, *self.written)

    def add_digests(self, domain: str, run_id: str, parts: str, counts: Any) -> None:
        """See `Staging.add_digests`."""
        assert (domain, run_id, parts) == ("retail", "run-1", "parts/")
        self.counts.append(counts)
        self.written.append(DIGESTS)

    def wait(self, kind: str, name: str, until: datetime) -> None:
        """See `DueIndex.wait`."""
        self.waits.append((kind, name, until))

    def send_slices(self, pointers: Iterable[SlicePointer]) -> None:
        """See `DecideQueue.send_slices`."""
        self.queued.append(list(pointers))


def outcome(position: int, what: Outcome, version: int = 1) -> RecordOutcome:
    return RecordOutcome(0, position, what, version=version)


def a_book(*outcomes: RecordOutcome, rows: Iterable[DigestRow] = (), **changes: Any) -> FakeRunBook:
    book = FakeRunBook()
    stated: dict[str, Any] = {
        "state": RunState.DISPATCHED, "composed": 4, "rejected": {"no key": 1}, "parts": "parts/",
        "opened_at": OPENED, "version": 1, **changes,
    }  # fmt: skip
    assert book.put(Run("retail", "run-1", **stated))
    rows = rows or [DigestRow("bill", ("claims", "it"), (1, 2)), DigestRow("letter", ("claims",), (3,))]
    book.put_slice(SLICE, outcomes, list(rows))
    return book


def looked(book: FakeRunBook, around: Around, *, minutes: int = 10) -> Around:
    clock = FakeClock(OPENED)
    clock.advance(minutes=minutes, milliseconds=-250)
    ports: Any = {"staging": around, "due": around, "decide_queue": around}
    digest_run("retail", "run-1", runs=book, clock=clock, **ports)
    return around


def after(**time: int) -> datetime:
    return datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(**time)


ALL = tuple(outcome(n, NOTIFIED) for n in (1, 2, 3))


def test_once_every_record_is_known_the_digests_are_counted_and_queued() -> None:
    around = looked(a_book(*ALL), Around())
    assert around.counts == [{"claims": {"bill": 2, "letter": 1}, "it": {"bill": 2}}]
    assert around.queued == [[DIGESTS]]
    assert around.waits == []


@pytest.mark.parametrize(
    ("outcomes", "open_yet"),
    [
        (ALL[:2], True),  # of the third nothing is known
        ((*ALL[:2], outcome(3, DEFERRED)), True),
        ((*ALL[:2], outcome(3, IN_FLIGHT)), True),
        ((*ALL[:2], outcome(3, Outcome.PAPER)), False),
        ((*ALL, outcome(4, Outcome.REJECTED)), False),
    ],
)
def test_a_run_is_open_until_every_record_but_the_rejected_ones_has_come_to_rest(
    outcomes: tuple[RecordOutcome, ...], open_yet: bool
) -> None:
    around = looked(a_book(*outcomes), Around())
    assert bool(around.waits) is open_yet
    assert bool(around.queued) is not open_yet


@pytest.mark.parametrize(
    ("minutes", "until"),
    [
        (0, after(minutes=1)),
        (10, after(minutes=20)),
        (400, after(hours=12)),  # not beyond the latest moment
        (719, after(hours=12)),
    ],
)
def test_an_open_run_is_looked_at_again_less_and_less_often(minutes: int, until: datetime) -> None:
    around = looked(a_book(*ALL[:2]), Around(), minutes=minutes)
    assert around.waits == [("digests", "retail/run-1", until)]
    assert around.queued == around.counts == []


def test_at_the_latest_moment_what_still_waits_is_said_with_the_counts() -> None:
    around = looked(a_book(*ALL[1:], outcome(1, DEFERRED)), Around(), minutes=720)
    assert around.counts == [
        {"claims": {"bill": 1, "letter": 1, "*waiting": 1}, "it": {"bill": 1, "*waiting": 1}}
    ]
    assert (around.queued, around.waits) == ([[DIGESTS]], [])


@pytest.mark.parametrize("control", [Control.HOLD, Control.CANCEL])
def test_a_held_run_waits_for_its_release_and_a_cancelled_one_for_nothing(control: Control) -> None:
    around = looked(a_book(*ALL, control=control), Around())
    assert around.waits == around.queued == around.counts == []


@pytest.mark.parametrize(
    ("state", "taken"),
    [
        (RunState.WAITING, False), (RunState.INCOMPLETE, False), (RunState.REFUSED, False),
        (RunState.STAGED, True), (RunState.DISPATCHED, True),
    ],
)  # fmt: skip
def test_only_a_run_that_was_taken_is_counted(state: RunState, taken: bool) -> None:
    assert bool(looked(a_book(*ALL, state=state), Around()).queued) is taken
    assert looked(FakeRunBook(), Around()).queued == [], "one that nobody knows"


def test_counts_that_are_written_are_queued_as_they_are() -> None:
    around = looked(a_book(*ALL[:1]), Around([DIGESTS]))
    assert (around.queued, around.counts, around.waits) == ([[DIGESTS]], [], [])


def test_where_no_customer_was_notified_no_team_is_told() -> None:
    around = looked(a_book(*(outcome(n, Outcome.SUPPRESSED) for n in (1, 2, 3))), Around())
    assert around.queued == around.counts == around.waits == []


def test_of_two_words_on_a_record_the_newer_version_counts() -> None:
    rows = [DigestRow("bill", ("it",), (1,))]
    for words in (
        (outcome(1, NOTIFIED, 3), outcome(1, DEFERRED, 2)),
        (outcome(1, DEFERRED, 2), outcome(1, NOTIFIED, 3)),
        (outcome(1, DEFERRED, 3), outcome(1, NOTIFIED, 3)),  # of one version the later word
        (outcome(9, NOTIFIED), outcome(1, NOTIFIED)),  # no record of this run
    ):
        book = a_book(*words, rows=rows)
        run = book.get("retail", "run-1")
        assert run is not None
        assert digests(run, book) == {"it": {"bill": 1}}
        assert digests(run, book, bytearray(5)) == {}, "by what is handed in"


def test_counts_of_one_type_add_up_over_slices() -> None:
    rows = [DigestRow("bill", ("it",), (1,)), DigestRow("bill", ("it",), (2, 3))]
    assert looked(a_book(*ALL, rows=rows), Around()).counts == [{"it": {"bill": 3}}]
