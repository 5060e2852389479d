"""Pages as CloudWatch's suppression has them, on made-up states, a minute a letter."""

from collections.abc import Mapping
from typing import Any

import pytest

from exnotify.cloud.alarms import State
from exnotify.cloud.pages import Pager

LETTERS = {"-": State.OK, "A": State.ALARM, "?": State.INSUFFICIENT_DATA}


def composite(**changes: Any) -> Mapping[str, Any]:
    return {"Properties": {"AlarmRule": "...", "AlarmActions": ["topic"], **changes}}


SUPPRESSED = composite(
    ActionsSuppressor={"Fn::GetAtt": ["Other", "Arn"]},
    ActionsSuppressorWaitPeriod=120,
    ActionsSuppressorExtensionPeriod=180,
)


def pages(resource: Mapping[str, Any], main: str, other: str) -> list[float]:
    """The minutes at which the alarm pages."""
    pager = Pager.of({"Main": resource, "Other": composite(AlarmActions=["another topic"])}, "topic")
    assert pager.alarms == ["Main"]
    for minute, (letter, its) in enumerate(zip(main, other, strict=True)):
        pager.step(minute * 60.0, {"Main": LETTERS[letter], "Other": LETTERS[its]})
    return [page.at / 60 for page in pager.pages]


def test_an_alarm_pages_at_each_change_and_never_while_it_lasts() -> None:
    assert pages(composite(), "-AAAA--A-", "---------") == [1, 7]


def test_missing_data_is_a_state_of_its_own() -> None:
    assert pages(composite(), "?A?A-", "-----") == [1, 3]


@pytest.mark.parametrize(
    ("main", "other", "paged"),
    [
        ("-AAAAAAAA", "---------", [3]),  # the wait is over, and no suppressor came
        ("-AAAAAAAA", "--AAAAAAA", []),  # it came in time
        ("-AAAAAAAA", "---AAAAAA", []),  # at the last moment
        ("-AAAAAAAA", "----AAAAA", [3]),  # too late
        ("-AAAAAAAA", "AAA------", [6]),  # it went, and the extension is over
        ("-AAA-----", "AAA------", []),  # the cause went with it
        ("-AAAAAAAA", "AAA--AAAA", []),  # it came again within the extension
        ("-A-------", "---------", []),  # over before the wait was
        ("AAAA---AAA", "----------", [2, 9]),
        ("AAAA-AAAAA", "----------", [2]),  # back before the wait was over: nothing new
    ],
)
def test_a_suppressor_holds_actions_back(main: str, other: str, paged: list[float]) -> None:
    assert pages(SUPPRESSED, main, other) == paged


def test_what_a_lasting_suppressor_hides_is_told_when_it_ends() -> None:
    assert pages(SUPPRESSED, "---A-A-AAAAA", "AAAAAAAA----") == [11]
