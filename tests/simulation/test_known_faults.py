"""Faults that are put back are found: the checker is not blind to them, and stories reach them."""

from __future__ import annotations

import ast

import pytest

from simulation.checker.claims import CLAIMS
from simulation.known_faults.faults import FAULTS, Fault
from simulation.known_faults.putting_back import Edit, TextGone, changed
from simulation.known_faults.seeking import Search, named, seek, sound_process
from simulation.known_faults.table import NOT_YET, row_of, written
from simulation.stories.profiles import PROFILES


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_text_that_a_fault_replaces_is_there(fault: Fault) -> None:
    for source in changed(fault.edits).values():
        ast.parse(source)
    assert fault.claims <= CLAIMS.keys()
    assert fault.profile in PROFILES


def test_a_fault_whose_text_is_gone_fails_loudly() -> None:
    with pytest.raises(TextGone, match="0 times in exstream_notify"):
        changed([Edit("domain.messages", "this text is not there", "")])


def test_no_two_faults_have_one_name() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize(("name", "seed"), [("content_not_compared", 3), ("sends_tried_again", 1)])
def test_a_fault_that_is_put_back_is_found(name: str, seed: int) -> None:
    (fault,) = named(FAULTS, [name])
    with sound_process() as sound:
        found = seek(fault, sound, seconds=0.0, first=seed)
    assert found.claim in fault.claims, found


def test_the_table_has_a_row_for_each_fault_and_keeps_what_is_not_looked_for_anew() -> None:
    one, two, three = FAULTS[:3]
    found = Search(one, seeds=4, seed="4", claim="once_per_attempt", seconds=6.4, anyway=["2"])
    first = written(FAULTS[:3], [row_of(found, "abc1234"), row_of(Search(two, seeds=9), "abc1234")])
    assert "1 of 3 are found." in first
    assert (
        f"| `{one.name}` | {one.wrong} | {one.profile} | `once_per_attempt` | 4 | 4, 1 set aside | 6 | abc1234 |"
        in first
    )
    assert f"| `{three.name}` | {three.wrong} | {three.profile} | {NOT_YET} |" in first
    again = written(
        FAULTS[:3], [row_of(Search(two, claim="nobody_is_forgotten", seed="1"), "def5678")], first
    )
    assert "2 of 3 are found." in again
    assert [row for row in again.splitlines() if one.name in row] == [
        row for row in first.splitlines() if one.name in row
    ]
    assert again.count(f"`{two.name}`") == 1
