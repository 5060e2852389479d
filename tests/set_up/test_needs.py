"""A missing tool is named when its tests are left out, and fails them where everything is required."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs
from tests.needs import NEEDS, ROOT

MARKED = """
import pytest

@pytest.mark.{marker}
def test_that_needs_it():
    pass
"""

#: A plugin that takes every need away, whatever this machine has.
BARE = """
import tests.needs as needs

for need in needs.NEEDS:
    object.__setattr__(need, "look", lambda: "it is not on this machine")
"""


def run_on_a_bare_machine(
    tmp_path: Path, marker: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The marked test, run by the project's own settings, after every need was taken away."""
    (tmp_path / "test_marked.py").write_text(MARKED.format(marker=marker), encoding="utf-8")
    (tmp_path / "bare_machine.py").write_text(BARE, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.machine", "-p", "bare_machine"]
    command += ["-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", str(tmp_path)]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={
            **{
                name: value
                for name, value in os.environ.items()
                if name not in ("REQUIRE_ALL", "TEST_REPORT")
            },
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}{os.pathsep}{ROOT / 'layers' / 'core'}",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.marker)
def test_a_missing_tool_is_named_in_the_summary(need: needs.Need, tmp_path: Path) -> None:
    run = run_on_a_bare_machine(tmp_path, need.marker)

    assert run.returncode == 0, run.stdout + run.stderr
    assert f"1 tests: needs {need.what}: it is not on this machine" in run.stdout


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.marker)
def test_a_missing_tool_fails_its_tests_where_all_is_required(need: needs.Need, tmp_path: Path) -> None:
    run = run_on_a_bare_machine(tmp_path, need.marker, REQUIRE_ALL="1")

    assert run.returncode == 1
    assert f"{need.what} is required, but it is not on this machine" in run.stdout


def test_every_tool_is_missed_on_an_empty_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("RUNTIME_PYTHON", "")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    monkeypatch.setattr("build_layer.RUNTIME", (3, 99))
    monkeypatch.setattr("tests.needs.SAM", tmp_path / "sam")

    reasons = {need.marker: need.look() for need in NEEDS}

    assert all(reasons.values())
    assert "no Docker engine" in str(reasons["container"])
    assert "no java on the path, no npm on the path" in str(reasons["dynamodb_local"])


@pytest.mark.parametrize(
    ("printed", "fits"), [('openjdk version "17.0.15"', True), ('java version "1.8"', False)]
)
def test_java_is_judged_by_its_version(
    printed: str, fits: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\necho '{printed}' >&2\n", encoding="utf-8")
    java.chmod(0o755)
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 10.0.0\n", encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert (needs.java_and_node() is None) is fits
