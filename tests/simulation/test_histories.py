"""Histories: played to their end, checked, the same each time, and told so that they can be played again."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from simulation.checker import Violation
from simulation.engine.calls import Defect
from simulation.engine.client import Client
from simulation.nature import Chance
from simulation.regression import as_test, told
from simulation.running import Totals, seeds_of
from simulation.shrink import Shrunk
from simulation.stories import Command, DropRun, Story
from simulation.stories.drawing import draw
from simulation.stories.history import History, Result, replayed
from simulation.stories.profiles import Profile


@pytest.fixture(scope="module")
def story() -> Story:
    """A run that is held for ten minutes."""
    (run,) = draw(Chance("11"), Profile("small", plots=(1, 1), only=("plain",), most=5)).acts
    assert isinstance(run, DropRun)
    line = ("run", run.name, "--why", "looks wrong")
    hold, release = Command(at=2.0, line=(*line, "--hold")), Command(at=600.0, line=(*line, "--release"))
    return Story(start="2026-11-20T15:00:00+00:00", acts=(run, hold, release), lasts=600.0)


@pytest.fixture(scope="module")
def stormy(story: Story) -> Iterator[Result]:
    return History("11", "workers", story).run()


def test_a_quiet_night_violates_nothing_and_its_messages_are_counted(story: Story) -> None:
    result = History("11", "quiet", story).run()
    assert not result.violations
    assert result.figures["faults"] == {}
    assert result.figures["messages"] > 0
    assert result.figures["acts"] == len(story.acts)


def test_a_customer_is_erased_by_an_operator_and_a_command_that_cannot_work_ends_the_history(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = story.acts[0]
    assert isinstance(run, DropRun)
    erase = (
        "contact",
        run.records[0].fields["customer_key"],
        "--domain",
        run.domain,
        "--erase",
        "--why",
        "asked",
    )
    erased = replace(story, acts=(run, Command(at=3600.0, line=erase)))
    before = History("11", "quiet", replace(story, acts=(run,))).run()
    result = History("11", "quiet", erased).run()
    assert not result.violations
    assert result.digest != before.digest
    monkeypatch.delattr(Client, "upload_fileobj")
    with pytest.raises(Defect, match="--erase"):
        History("11", "quiet", erased).run()


def test_a_history_plays_again_from_the_faults_that_happened(story: Story, stormy: Result) -> None:
    assert len(stormy.faults) > 5
    names = frozenset(name for _, name in stormy.faults)
    again = History("11", "quiet", story, names).run()
    assert (again.digest, again.faults, again.violations) == (stormy.digest, stormy.faults, stormy.violations)


def test_a_fault_that_no_longer_happens_fails_its_test(story: Story) -> None:
    assert replayed("11", story, ["crash_after nowhere"]) == ["does not happen: crash_after nowhere"]


def test_a_history_is_told_in_the_order_of_time(story: Story, stormy: Result) -> None:
    lines = [line for line in told(stormy).splitlines() if line.startswith("20")]
    assert [line[:19] for line in lines] == sorted(line[:19] for line in lines)
    assert sum("  * " in line for line in lines) == len(stormy.faults)
    assert sum("exnotify run" in line for line in lines) == sum(
        isinstance(act, Command) for act in story.acts
    )


def test_a_regression_test_is_python_that_holds_the_story_and_its_faults(story: Story) -> None:
    faults = frozenset({"crash_after send_notices:1 #2", "slow x"})
    text = as_test("11", Shrunk("once_per_attempt", story, faults), "abc1234")
    found: dict[str, object] = {}
    exec(compile(text, "test.py", "exec"), found)  # noqa: S102 - our own text
    assert found["STORY"] == story
    assert set(found["FAULTS"]) == faults
    assert callable(found["test_once_per_attempt"])


def test_seeds_are_named_as_ranges_and_lists() -> None:
    assert seeds_of("3") == ["3"]
    assert seeds_of("8-11") == ["8", "9", "10", "11"]
    assert seeds_of("1,5-6") == ["1", "5", "6"]


def test_totals_add_up_figures_faults_and_failures() -> None:
    totals = Totals()
    row = {"seed": "1", "claims": [], "error": "", "messages": 3, "faults": {"cold": 2}}
    totals.add(row)
    totals.add({**row, "seed": "2", "claims": ["once_per_attempt"], "faults": {"cold": 1, "slow": 1}})
    totals.add({**row, "seed": "3", "error": "Defect: no such operation"})
    assert (totals.histories, totals.failed, totals.added["messages"]) == (3, ["2", "3"], 9)
    assert dict(totals.faults) == {"cold": 5, "slow": 1}
    assert "once_per_attempt: 1" in str(totals)


def test_the_command_says_what_it_needs() -> None:
    done = subprocess.run([sys.executable, "-m", "simulation"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--seeds 1-100" in done.stderr


def test_a_violation_says_its_claim_in_a_sentence() -> None:
    assert "at most one message" in str(Violation("once_per_attempt", "x:1", ("twice",)))
