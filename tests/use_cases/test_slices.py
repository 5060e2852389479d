"""Pointers to records that are looked at again."""

from typing import Any

from exstream_notify.domain.notices import Notice, Origin, Outcome
from exstream_notify.domain.runs import RecordOutcome
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.slices import origin_of, pointer_to, pointers_to, tell_run
from tests.fakes import FakeRunBook, a_notice


def at(position: int, slice_number: int = 2, run: str = "retail/run-1", part: str = "p") -> Origin:
    return Origin(run, slice_number, position, part, 40, 100)


def notice(position: int, key: int = 1, **changes: Any) -> Notice:
    return a_notice(notice_id=f"{key:032x}", origin=at(position), **changes)


def test_a_pointer_names_the_records_in_their_order_each_once() -> None:
    found = pointer_to(
        [
            notice(9, 3, rule_version="v1", purpose="step:dunning:2"),
            notice(4, 1, purpose="notice"),
            notice(9, 2),
        ]
    )
    assert found == SlicePointer(
        "retail", "run-1", 2, "p", 40, 100, count=2, first=4, kind="documents", positions=(4, 9),
        purpose="step:dunning:2", version="v1", notices=tuple(f"{n:032x}" for n in (1, 2, 3)),
    )  # fmt: skip


def test_a_notice_without_a_rule_of_its_own_is_one_of_documents_and_a_digest_one_of_digests() -> None:
    step = pointer_to([notice(4, purpose="step:dunning:2")])
    assert (step.kind, step.purpose, step.version) == ("documents", "notice", "")
    digest = pointer_to([notice(4, purpose="digest")])
    assert (digest.kind, digest.purpose) == ("digests", "notice")


def test_records_of_one_slice_are_one_pointer_and_those_of_others_have_theirs() -> None:
    rows = [at(90), at(4), at(90), at(64), at(1, slice_number=3), at(1, run="retail/run-2", part="q"), at(17)]
    assert pointers_to(rows) == [
        SlicePointer("retail", "run-1", 2, "p", 40, 100, 4, 4, positions=(4, 17, 64, 90)),
        SlicePointer("retail", "run-1", 3, "p", 40, 100, 1, 1, positions=(1,)),
        SlicePointer("retail", "run-2", 2, "q", 40, 100, 1, 1, positions=(1,)),
    ]
    assert pointers_to([]) == []


def test_a_record_of_a_pointer_stands_in_its_part() -> None:
    pointer = SlicePointer("retail", "run-1", 2, "p", 40, 100, 3, 1)
    assert origin_of(pointer, 7) == at(7)


def test_a_run_is_told_under_a_name_of_what_is_told() -> None:
    book = FakeRunBook()
    words = [RecordOutcome(2, n, Outcome.NOTIFIED, version=1) for n in (1, 2)]
    tell_run(book, "retail/run-1", "again", words)
    tell_run(book, "retail/run-1", "again", words[::-1])
    assert len(list(book.outcomes("retail", "run-1"))) == 2, "a repeat replaces itself"
    for other in (
        RecordOutcome(2, 1, Outcome.NOTIFIED, version=2),
        RecordOutcome(2, 1, Outcome.FAILED, version=1),
        RecordOutcome(2, 3, Outcome.NOTIFIED, version=1),
        RecordOutcome(3, 1, Outcome.NOTIFIED, version=1),
    ):
        before = len(list(book.outcomes("retail", "run-1")))
        tell_run(book, "retail/run-1", "again", [other])
        assert len(list(book.outcomes("retail", "run-1"))) == before + 1
    tell_run(book, "retail/run-1", "again", [])
    assert len(list(book.outcomes("retail", "run-1"))) == 6
