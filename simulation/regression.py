"""A failing history as people read it, and as a test that plays it again without drawing it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from .shrink import Shrunk
from .stories.history import History, Result

_LINE = 110


def told(result: Result) -> str:
    """Acts and faults in the order of time, then what the history violates."""
    start = datetime.fromisoformat(result.story.start).timestamp()
    rows = [(start + act.at, str(act)) for act in result.story.acts]
    rows += [(at, f"* {name}") for at, name in result.faults]
    lines = [f"{_moment(at)}  {line}" for at, line in sorted(rows, key=lambda row: row[0])]
    setting = [f"rules of site {result.story.site!r}"] if result.story.site else []
    setting += [f"{name}={value}" for name, value in result.story.parameters.items()]
    violations = [str(violation) for violation in result.violations]
    return "\n".join([f"with {', '.join(setting) or 'the defaults'}", *lines, "", *violations])


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")


def confirmed(seed: str, shrunk: Shrunk) -> Result:
    """The shrunk history once more, with all that it shows."""
    return History(seed, "quiet", shrunk.story, shrunk.faults).run()


def as_test(seed: str, shrunk: Shrunk, commit: str = "") -> str:
    """A test for `tests/simulation/regressions/test_<name>.py`."""
    names = {type(act).__name__ for act in shrunk.story.acts} | {"Story"}
    names |= {"Record" for act in shrunk.story.acts if act.parts()}
    found = f" Found at commit {commit}." if commit else ""
    text = f'''"""{shrunk.claim}: say here in a sentence what went wrong.{found}"""

from simulation.stories import {", ".join(sorted(names))}
from simulation.stories.history import replayed

STORY = {shrunk.story!r}

FAULTS = {tuple(sorted(shrunk.faults))!r}


def test_{shrunk.claim}() -> None:
    assert not replayed({seed!r}, STORY, FAULTS)
'''
    return _formatted(text)


def _formatted(text: str) -> str:
    """As the project formats its code; unformatted where the formatter is not at hand."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", f"--line-length={_LINE}", "--stdin-filename=test.py", "-"],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout if done.returncode == 0 else text
