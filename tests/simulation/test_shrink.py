"""A failing history is made small without losing what makes it fail."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.nature import Chance
from simulation.shrink import Play, Played, ddmin, shrink
from simulation.stories import Command, DropRun, Story
from simulation.stories.drawing import draw
from simulation.stories.profiles import Profile

NONE: frozenset[str] = frozenset()


@given(st.sets(st.integers(0, 30)), st.integers(31, 60))
def test_ddmin_finds_exactly_what_fails_together(culprits: set[int], size: int) -> None:
    asked: list[int] = []

    def fails(kept: Sequence[int]) -> bool:
        asked.append(len(kept))
        return culprits <= set(kept)

    assert ddmin(range(size), fails) == sorted(culprits)
    assert len(asked) <= size**2


def a_story(seed: str) -> Story:
    return draw(Chance(seed), Profile("one", plots=(4, 8), most=30))


def planted(cause: Callable[[Story, frozenset[str]], bool]) -> Play:
    """A product with one fault of its own, and another that always shows."""

    def play(story: Story, faults: frozenset[str]) -> Played:
        claims = {"always"} | ({"planted"} if cause(story, faults) else set())
        return Played(frozenset(claims), faults - {"of another place"})

    return play


def runs(story: Story) -> list[DropRun]:
    return [act for act in story.acts if isinstance(act, DropRun)]


def test_a_planted_violation_shrinks_to_its_cause() -> None:
    story = a_story("7")
    guilty = runs(story)[2]
    wanted = guilty.records[-1].fields["document_id"]
    faults = frozenset(f"crash_after send #{n}" for n in range(40)) | {"of another place", "slow x", "cold y"}

    def cause(told: Story, happened: frozenset[str]) -> bool:
        ids = {record.fields["document_id"] for run in runs(told) for record in run.records}
        return wanted in ids and "crash_after send #17" in happened

    found = shrink(story, faults, "planted", planted(cause))
    (act,) = found.story.acts
    assert isinstance(act, DropRun)
    assert [record.fields["document_id"] for record in act.records] == [wanted]
    assert (act.form, act.files, act.manifest, act.stated, act.beside) == ("jsonl", 1, False, {}, {})
    assert found.faults == {"crash_after send #17"}
    assert found.same


def test_two_acts_that_matter_both_stay_in_order() -> None:
    story = a_story("9")
    commands = [act for act in story.acts if isinstance(act, Command)]
    assert commands
    first, last = runs(story)[0], commands[-1]

    def cause(told: Story, happened: frozenset[str]) -> bool:
        return last in told.acts and first.name in {run.name for run in runs(told)}

    found = shrink(story, frozenset({"slow x"}), "planted", planted(cause))
    assert [act.name if isinstance(act, DropRun) else act for act in found.story.acts] == [first.name, last]
    assert [act.at for act in found.story.acts] == sorted(act.at for act in found.story.acts)
    assert found.faults == NONE


def test_a_history_that_does_not_fail_again_is_left_whole() -> None:
    story = a_story("9")
    found = shrink(story, frozenset({"slow x"}), "planted", planted(lambda *_: False))
    assert (found.story, found.faults) == (story, frozenset({"slow x"}))
    assert (found.same, found.plays) == (False, 1)


def test_shrinking_ends_when_its_time_is_over_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(10_000))
    monkeypatch.setattr("simulation.shrink.time.monotonic", lambda: float(next(ticks)))
    story = a_story("7")
    found = shrink(
        story, frozenset({"slow x"}), "planted", planted(lambda told, _: len(told.acts) > 1), seconds=3.5
    )
    assert found.plays == 4
    assert found.same
    assert len(found.story.acts) < len(story.acts)
