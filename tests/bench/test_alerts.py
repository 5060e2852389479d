"""What many faults come to in alerts stays within its limit, in any order and at other sizes."""

import random

import pytest

from bench import alerts
from bench.alerts import Case, codes_of_a_run, flaps, outage, play, runs_with_an_error


@pytest.mark.parametrize("case", alerts.CASES, ids=lambda case: case.name)
def test_each_fault_stays_within_its_limit(case: Case) -> None:
    row = play(case, seed=1)
    assert row.exceptions
    assert 1 <= row.alerts <= case.limit, row.by_reason


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "case",
    [
        Case(
            "a mixed storm",
            runs_with_an_error(150, 1800, ("warning", "error", "severe")),
            30,
            is_answered=True,
        ),
        Case("a long storm", runs_with_an_error(400, 5 * 3600), 30),
        Case("a short outage", outage(40, 3 * 3600), 3),
        Case("many codes", codes_of_a_run(200, 30, ("severe", "error", "warning")), 5, is_answered=True),
        Case("few codes", codes_of_a_run(12, 900, ("warning", "error")), 5, is_answered=True),
        Case("50 flaps", flaps(50, 240), 4),
        Case("6 slow flaps", flaps(6, 2400), 4),
    ],
    ids=lambda case: case.name,
)
def test_the_limits_hold_at_other_sizes_and_in_any_order(case: Case, seed: int) -> None:
    row = play(case, seed)
    assert 1 <= row.alerts <= case.limit, row.by_reason


def test_the_sheet_shows_each_case_and_a_case_over_its_limit_is_no_success() -> None:
    rows = alerts.measure([Case("one", flaps(2, 60), 4), Case("too many", runs_with_an_error(3, 60), 2)])
    sheet, verdicts = alerts.sheet(rows)

    assert [row[0] for row in sheet.rows] == ["one", "too many"]
    assert [verdict.reached for verdict in verdicts] == [True, False]


def test_a_story_is_the_same_for_one_seed_and_another_for_another() -> None:
    story = runs_with_an_error(50, 60)
    first, again, other = (list(story(random.Random(seed))) for seed in (1, 1, 2))
    assert first == again
    assert first != other
