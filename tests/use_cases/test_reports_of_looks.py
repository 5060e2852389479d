"""Looks at one slice report each for itself: an incident counts and names everybody whom any of them was about."""

from collections import Counter
from dataclasses import replace

import pytest

from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.notices import Event
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.counted_reports import Looked, place_of
from tests.fakes import a_document, a_notice, a_rule
from tests.use_cases.world import World


def a_look(*positions: int, purpose: str = "notice", version: str = "", run: str = "run-1") -> SlicePointer:
    return SlicePointer(
        "retail", run, 3, "part", 0, 1, 1, 1, positions=positions, purpose=purpose, version=version
    )


def test_a_look_is_named_whole() -> None:
    looks = [
        a_look(),
        a_look(1, 2, 3),
        a_look(1, 2, 3, 4),
        a_look(1, 2, 3, 5),
        a_look(1, 2, 3, 4, 5),
        a_look(1, 2, 3, purpose="step:late:1", version="v"),
        a_look(1, 2, 3, purpose="step:late:2", version="v"),
    ]
    places = [place_of(look, what) for look in looks for what in ("", "audit")]
    assert len(set(places)) == len(places)
    assert place_of(looks[0]) == "slice 3"
    assert place_of(looks[1]) == "slice 3 1,2,3"
    assert place_of(looks[2]) == "slice 3 1,2,3+1 6851c2f3", "a look that is repeated later has the same name"
    assert Looked(looks[0]).report("unreached", None) == "unreached 596165f51339f30b377599ba"
    assert place_of(a_look(1, 2, 3, 4)) == place_of(looks[2])


def test_a_record_counts_once_under_a_code_whatever_looks_come() -> None:
    first, second = Looked(a_look(1, 2, 3, 4)), Looked(a_look(4, 5, 6, 7))
    notice = a_notice()
    report = first.report("unreached", notice)
    assert report
    counted = replace(notice, events=(*notice.events, Event("2026-11-20", "settled failed", "", "", report)))
    assert first.codes_in(counted) == ["unreached"]
    assert first.report("unreached", counted) == report, "the same look counts it again"
    assert second.report("unreached", counted) == "", "another does not"
    assert second.report("deadline_passed", counted)
    assert second.codes_in(counted) == []
    other = Looked(a_look(1, 2, 3, 4, run="run-2"))
    taken = replace(counted, events=(*counted.events, Event("2026-11-21", "taken_over", "by run-2", "")))
    assert other.report("unreached", taken)
    assert first.codes_in(taken) == [], "who has it now reports it anew"


def of_incident(world: World, code: str) -> tuple[int, list[int]]:
    rows = [r.exception for r in world.incidents.rows.values() if r.exception.code == code]
    return sum(r.count for r in rows), sorted(c for r in rows for c in r.customers_in_run)


@pytest.mark.parametrize("hours", [(1, 3, 6), (6, 3, 1), (2, 2, 5)])
def test_deadlines_of_one_slice_that_pass_one_after_another(hours: tuple[int, int, int]) -> None:
    kinds = dict(zip("abc", hours, strict=True))
    world = World(*(a_rule(name=k, channels=("email",), deadline_hours=h) for k, h in kinds.items()))
    world.mail.always(TryAgain("throttled"))
    rows = [a_document(n, document_type="abc"[n % 3], customer_in_run=n) for n in range(1, 22)]
    world.drop("run-1", *rows)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"failed": 21}
    assert of_incident(world, "deadline_passed") == (21, list(range(1, 22)))


def test_bounces_that_come_one_by_one_and_together() -> None:
    world = World(a_rule(channels=("email",)))
    world.drop("run-1", *(a_document(n, customer_in_run=n) for n in range(1, 16)))
    world.drain()
    for number, delivered in enumerate(sorted(world.outbox, key=lambda d: d.to)):
        world.report(world.receipt(delivered, Kind.HARD_BOUNCE))
        if number % 4 == 0:
            world.drain()
    world.come_to_rest()
    assert of_incident(world, "unreached") == (15, list(range(1, 16)))
    for delivered in list(world.outbox):
        world.report(world.receipt(delivered, Kind.HARD_BOUNCE))  # once more
    world.come_to_rest()
    assert of_incident(world, "unreached") == (15, list(range(1, 16)))


@pytest.mark.parametrize("rate", [0.1, 0.3, 1.0, 1000.0])
def test_a_job_in_parts_counts_every_refusal(rate: float) -> None:
    world = World(a_rule(), a_rule(name="single", channels=("email",)), rate=rate)
    reasons = (GiveUp("content_refused", "content"), GiveUp("no_such_address", "recipient"))
    for n in range(1, 24):
        world.mail.refuse(f"c{n:04d}@example.com", reasons[n % 2])
    rows = [a_document(n, document_type="single" if n % 3 else "statement") for n in range(1, 24)]
    world.drop("run-1", *rows)
    world.come_to_rest()

    counts: Counter[str] = Counter()
    for row in world.incidents.rows.values():
        counts[row.exception.code] += row.exception.count
    assert counts["send_refused"] == 11
    assert counts["address_refused"] == 12
