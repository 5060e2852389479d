"""`.venv/bin/exnotify`: this tree's code for the command, and for nothing else that runs on the same Python."""

import os
import shutil
import site
import subprocess
from pathlib import Path

import pytest

from tests.needs import ROOT

#: Stands for Python: tells its process, its path and its arguments.
PYTHON = '#!/bin/sh\nprintf "%s\\n" "$$" "$PYTHONPATH" "$@"\n'


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """The command in a set-up tree whose name has a space."""
    scripts = tmp_path / "a tree" / ".venv" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "python").write_text(PYTHON, encoding="utf-8")
    (scripts / "python").chmod(0o755)
    return Path(shutil.copy(ROOT / "tools" / "exnotify.sh", scripts / "exnotify"))


@pytest.mark.parametrize("linked", [False, True], ids=["as it is", "by a link"])
def test_it_runs_this_trees_code_with_its_arguments_as_they_are(
    command: Path, linked: bool, tmp_path: Path
) -> None:
    called = command
    if linked:
        called = tmp_path / "link"
        called.symlink_to(command)
    given = ["drop", "a folder", "--run-id", "*"]

    process = subprocess.Popen(
        [str(called), *given],
        cwd="/",
        env={**os.environ, "PYTHONPATH": "x"},
        stdout=subprocess.PIPE,
        text=True,
    )
    said = process.communicate()[0].splitlines()

    tree = tmp_path / "a tree"
    assert said[0] == str(process.pid), "who started it can stop it by its process id"
    assert said[1] == f"{tree}/layers/core:{tree}/tools"
    assert said[2:] == ["-m", "exnotify", *given]


def test_the_environment_itself_does_not_know_the_tree() -> None:
    paths = [path for folder in site.getsitepackages() for path in Path(folder).glob("*.pth")]

    assert not [path.name for path in paths if str(ROOT) in path.read_text(encoding="utf-8")]
