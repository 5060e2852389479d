"""One sweep of the due index: how far it looks, what it hands on together, and what one failure leaves."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.release_due import release_due
from tests.fakes import a_document
from tests.use_cases.test_release_and_control import deferred
from tests.use_cases.world import DOMAIN, World

POINTER = SlicePointer(DOMAIN, "run-9", 0, "parts/retail/run-9/00000.jsonl", 0, 100, 1, 1)


def sweep(world: World, seconds: float = 60.0, **ports: Any) -> int:
    """One sweep with so many seconds left."""
    return release_due(**{**world.ports_of_a_sweep(), **ports}, time_left=lambda: seconds)


def laid(world: World, ago: timedelta) -> None:
    """One of each kind that is not a notice, due so long ago."""
    at = world.clock.now() - ago
    world.due.wait("digests", "retail/run-1", at)
    world.due.wait("control", "retail/run-2", at)
    world.due.wait("incident", "incident-3", at)
    world.due.wait_for_run(DOMAIN, "run-4", at)
    world.due.wait_for_look("look-5", POINTER, at)


@pytest.mark.parametrize(("hours", "found"), [(1, 5), (47, 5), (50, 0)])
def test_a_first_sweep_looks_two_days_back(hours: int, found: int) -> None:
    world = World()
    laid(world, timedelta(hours=hours))
    assert sweep(world) == found


def test_a_later_sweep_looks_back_to_where_the_last_one_ended_less_an_hour() -> None:
    world = World()
    start = world.clock.now()
    sweep(world)
    assert world.due.watermark() == start - timedelta(hours=1)

    world.clock.advance(days=5)
    laid(world, timedelta(days=4))
    assert sweep(world) == 5
    assert world.due.watermark() == start + timedelta(days=5) - timedelta(hours=1)


def test_each_kind_goes_to_whoever_looks_at_it_once() -> None:
    world = World()
    laid(world, timedelta(minutes=1))
    assert (sweep(world), sweep(world)) == (5, 0)

    runs = [(m.json()["run_id"], m.json()["trigger"]) for m in world.queues["run"].messages]
    assert sorted(runs) == [("run-1", "digests"), ("run-2", "again"), ("run-4", "again")]
    looks = [m.json() for m in world.queues["exceptions"].messages]
    assert len(looks) == 1
    assert "incident-3" in str(looks)
    (look,) = world.queues["decide"].messages
    assert SlicePointer.from_message(look.json()) == POINTER
    assert world.due.waits == {}


def test_without_a_queue_for_looks_they_wait_and_the_rest_goes_on() -> None:
    world = World()
    laid(world, timedelta(minutes=1))
    ports = world.ports_of_a_sweep()
    del ports["look_queue"]
    assert release_due(**ports, time_left=lambda: 60.0) == 4
    assert list(world.due.waits) == ["incident:incident-3"]


class Picky:
    """A queue that takes no batch with `bad` in it, and keeps what it took."""

    def __init__(self, bad: str) -> None:
        self.bad = bad
        self.took: list[str] = []

    def send(self, rows: Sequence[Any], *_: object, **__: object) -> None:
        """See `RunQueue.send_runs`, `LookQueue.send_looks`, `DecideQueue.send_slices`."""
        names = [row.run_id if isinstance(row, SlicePointer) else row[1] for row in rows]
        if self.bad in names:
            raise ConnectionError(f"no {self.bad}")
        self.took += names

    send_runs = send_looks = send_slices = send


Lay = Callable[[World, str], object]
KINDS: dict[str, tuple[str, Lay]] = {
    "digests": ("run_queue", lambda w, name: w.due.wait("digests", f"retail/{name}", w.clock.now())),
    "control": ("run_queue", lambda w, name: w.due.wait("control", f"retail/{name}", w.clock.now())),
    "runs": ("run_queue", lambda w, name: w.due.wait_for_run(DOMAIN, name, w.clock.now())),
    "looks": ("look_queue", lambda w, name: w.due.wait("incident", name, w.clock.now())),
    "slices": (
        "decide_queue",
        lambda w, name: w.due.wait_for_look(name, replace(POINTER, run_id=name), w.clock.now()),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_cannot_be_sent_holds_up_none_of_its_kind(kind: str) -> None:
    port, lay = KINDS[kind]
    world, queue = World(), Picky("two")
    for name in ("one", "two", "three"):
        lay(world, name)
    with pytest.raises(ExceptionGroup, match="what was due was not all handed on") as failed:
        sweep(world, 60.0, **{port: queue})

    assert [str(error) for error in failed.value.exceptions] == ["no two"]
    assert sorted(queue.took) == ["one", "three"]
    (left,) = world.due.waits
    assert left.endswith("two")
    assert world.due.watermark() is None
    queue.bad = ""
    assert sweep(world, 60.0, **{port: queue}) == 1
    assert (sorted(queue.took), world.due.waits) == (["one", "three", "two"], {})


def test_one_notice_that_cannot_be_written_holds_up_no_other() -> None:
    world = deferred(3)
    world.clock.advance(hours=10)
    write, bad = world.ledger.put, world.notice("D0002").notice_id

    def put(notices: Any) -> Any:
        if bad in {notice.notice_id for notice in notices}:
            raise ConnectionError("too large")
        return write(notices)

    world.ledger.put = put  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup) as failed:
        sweep(world)
    assert len(failed.value.exceptions) == 1
    named = [SlicePointer.from_message(m.json()).positions for m in world.queues["decide"].messages]
    assert sorted(named) == [(1,), (3,)]


@pytest.mark.parametrize(("seconds", "handed"), [(9.5, 100), (10.5, 250)])
def test_a_sweep_begins_no_further_page_in_its_last_ten_seconds(seconds: float, handed: int) -> None:
    world = deferred(250)
    world.clock.advance(hours=10)
    assert sweep(world, seconds) == handed


@pytest.mark.parametrize(("slices", "spread"), [(50, 0.0), (51, 30.0)])
def test_many_slices_that_are_due_at_once_are_spread(slices: int, spread: float) -> None:
    world = World(at="2026-11-20T03:30:00+00:00", slice_records=1)
    world.drop("run-1", *(a_document(n, email=None) for n in range(1, slices + 1)))
    world.drain()
    world.clock.advance(hours=10)
    before = len(world.queues["decide"].sent)
    assert world.release() == slices
    assert {delay for _, _, delay in world.queues["decide"].sent[before:]} == {spread}


def test_a_notice_is_due_in_its_very_second_and_not_before() -> None:
    world = deferred()
    world.clock.move_to(world.due.next_due() or world.clock.now())
    world.clock.advance(seconds=-1)
    assert world.release() == 0
    world.clock.advance(seconds=1)
    assert world.release() == 1


def test_what_another_worker_put_off_meanwhile_is_not_handed_on() -> None:
    """It stands in the index by its old time still, or is written just before the sweep writes it."""
    world = deferred(2)
    world.clock.advance(hours=10)
    stored, later = world.ledger.notices, (world.clock.now() + timedelta(hours=2)).isoformat()
    seen, changed = world.notice("D0001"), world.notice("D0002")
    stored[seen.notice_id] = replace(seen, due_at=later)
    write = world.ledger.put

    def put(notices: Any) -> Any:
        stored[changed.notice_id] = replace(changed, version=changed.version + 1, due_at=later)
        return write(notices)

    world.ledger.put = put  # type: ignore[method-assign]
    assert world.release() == 0
    assert not world.queues["decide"].messages


def test_a_notice_whose_message_gets_lost_is_handed_on_ever_more_rarely_at_last_once_a_day() -> None:
    world = deferred()
    world.clock.advance(hours=10)
    gaps = []
    for _ in range(14):
        now = world.clock.now()
        assert world.release() == 1
        world.queues["decide"].messages.clear()
        due = world.due.next_due()
        assert due is not None
        gaps.append(round((due - now) / timedelta(minutes=1)))
        world.clock.move_to(due)
    assert gaps == [15, 30, 60, 120, 240, 480, 960, *[24 * 60] * 7]


def test_notices_of_two_runs_are_handed_on_by_a_pointer_each() -> None:
    world = deferred()
    world.drop("run-2", a_document(2, email=None))
    world.drain()
    world.clock.advance(hours=10)
    assert world.release() == 2
    found = [SlicePointer.from_message(m.json()) for m in world.queues["decide"].messages]
    assert sorted((p.run_id, p.positions) for p in found) == [("run-1", (1,)), ("run-2", (1,))]


def test_a_look_that_nobody_can_read_holds_up_nothing_else() -> None:
    world = World()
    for name in ("a", "b", "c"):
        world.due.wait_for_look(name, replace(POINTER, run_id=name), world.clock.now())
    world.due.wait_for_run(DOMAIN, "run-1", world.clock.now())
    looks_due = world.due.looks_due

    def read(ids: Collection[str]) -> list[tuple[str, SlicePointer]]:
        if "look:b" in ids:
            raise TypeError("a pointer of another release")
        return looks_due(ids)

    world.due.looks_due = read  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup):
        sweep(world)

    assert [m.json()["run_id"] for m in world.queues["decide"].messages] == ["a", "c"]
    assert len(world.queues["run"].messages) == 1
    assert world.due.watermark() is None
