"""A month of nights: ordinary ones page nobody; each real fault pages once, in time, and clears after its cure.

The months are played in processes of their own (tests/operations/month), three on the two cores of CI.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from exnotify.local import ROOT

from .month.faults import FAULTS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


def started(*arguments: str) -> subprocess.Popen[str]:
    paths = (ROOT, ROOT / "layers" / "core", ROOT / "tools")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-m", "tests.operations.month", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE)


@pytest.fixture(scope="module")
def months() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The ordinary month, and what came of each fault."""
    running = [started("ordinary"), started("faults", "0/2"), started("faults", "1/2")]
    try:
        answers = [process.communicate(timeout=880)[0] for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    for answer in answers:
        print("\n".join(answer.splitlines()[:-1]))
    ordinary, *halves = (json.loads(answer.splitlines()[-1]) for answer in answers)
    return ordinary, {row["fault"]: row for half in halves for row in half}


def test_a_month_of_ordinary_nights_pages_nobody(months: tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
    ordinary, _ = months
    assert ordinary["runs"] > 1000
    assert ordinary["paged"] == []
    assert ordinary["dead"] == {}


@pytest.mark.parametrize("fault", [fault.name for fault in FAULTS])
def test_a_fault_pages_once_in_time_and_clears(
    fault: str, months: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> None:
    _, faulty = months
    assert faulty[fault]["problem"] == "", faulty[fault]["pages"]
