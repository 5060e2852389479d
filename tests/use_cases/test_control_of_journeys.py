"""An operator stops and resumes the journeys of notices: each is told once, over what others write."""

import pytest

from exstream_notify.domain.journeys import RESUMED, STOPPED, is_stopped
from exstream_notify.domain.notices import happened
from exstream_notify.use_cases.control_journeys import resume_notices, stop_notices
from tests.fakes import FakeClock, FakeJourneyBook, FakeLedger, FakeRules, a_notice, a_rule

from .test_other_writers import interfere

CLOCK = FakeClock()


def ledger_of(*numbers: int) -> FakeLedger:
    ledger = FakeLedger()
    ledger.put(
        [happened(a_notice(notice_id=f"{n:032x}", version=0), CLOCK.now(), "sent", "1") for n in numbers]
    )
    return ledger


def stop(ledger: FakeLedger, *numbers: int) -> int:
    notices = [ledger.notices[f"{n:032x}"] for n in numbers]
    return stop_notices(notices, "ann", "the customer called", ledger=ledger, clock=CLOCK)


def resume(ledger: FakeLedger, *numbers: int) -> int:
    notices = [ledger.notices[f"{n:032x}"] for n in numbers]
    return resume_notices(
        notices, "bob", "", ledger=ledger, journeys=FakeJourneyBook(), rules=FakeRules(a_rule()), clock=CLOCK
    )


def events(ledger: FakeLedger, number: int) -> list[tuple[str, str]]:
    return [(event.what, event.detail) for event in ledger.notices[f"{number:032x}"].events]


def test_only_what_was_stopped_is_resumed_and_who_and_why_are_written() -> None:
    ledger = ledger_of(1, 2, 3)
    assert stop(ledger, 1, 3) == 2
    assert [is_stopped(n) for n in ledger.notices.values()] == [True, False, True]
    assert stop(ledger, 3, 1) == 0
    assert resume(ledger, 2, 3, 1) == 2
    said = [("sent", "1"), (STOPPED, "ann: the customer called"), (RESUMED, "bob")]
    assert events(ledger, 1) == events(ledger, 3) == said
    assert events(ledger, 2) == [("sent", "1")]
    assert resume(ledger, 1, 2, 3) == 0


@pytest.mark.parametrize("times", [1, 4, 5])
def test_a_stop_is_written_although_another_writer_is_faster(times: int) -> None:
    ledger = ledger_of(1)

    def other() -> None:
        (notice,) = ledger.notices.values()
        ledger.notices[notice.notice_id] = happened(notice, CLOCK.now(), "note", "another writer")

    interfere(ledger, times, other)
    if times == 5:
        with pytest.raises(RuntimeError, match="kept changing under five attempts"):
            stop(ledger, 1)
        return
    assert stop(ledger, 1) == 1
    assert [what for what, _ in events(ledger, 1)] == ["sent", *["note"] * times, STOPPED]
