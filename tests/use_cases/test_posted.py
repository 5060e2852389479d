"""What the preference page answers a post about an address, row by row."""

from exstream_notify.domain.address_changes import Answer
from exstream_notify.use_cases.preference_page import _ASKED, _CONFIRMED, Posted


def shown(posted: Posted) -> str:
    """The state, the problem and the field that a page shows."""
    return f"{posted.done or '-'} {posted.problem or '-'} {posted.field or '-'}"


def test_an_address_that_was_asked_for() -> None:
    assert {answer: shown(posted) for answer, posted in _ASKED.items()} == {
        Answer.DONE: "code - -",
        Answer.WRONG: "- wrong_step address",
        Answer.SAME: "- same address",
        Answer.TOO_OFTEN: "- too_often address",
        Answer.LATER: "- too_often address",
        Answer.OFF: "- too_often address",
        Answer.STOPPED: "- stopped address",
        Answer.SUPPRESSED: "- suppressed address",
        Answer.LOCKED: "- locked -",
        Answer.EXPIRED: "- expired -",
        Answer.NONE: "- locked -",
    }


def test_a_code_that_came_back() -> None:
    assert {answer: shown(posted) for answer, posted in _CONFIRMED.items()} == {
        Answer.DONE: "confirmed - -",
        Answer.WRONG: "- wrong_code code",
        Answer.TOO_OFTEN: "- too_often code",
        Answer.LATER: "- too_often code",
        Answer.EXPIRED: "- expired -",
        Answer.NONE: "- expired -",
        Answer.LOCKED: "- locked -",
        Answer.SAME: "- expired -",
    }
