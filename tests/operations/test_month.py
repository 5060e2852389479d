"""A month of nights: ordinary ones page nobody; each real fault pages once, in time, and clears after its cure.

The months are played in processes of their own (tests/operations/month). Of thirty nights and all the faults
`make test` plays ten and each third fault, `make month` all.
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

WHOLE = bool(os.environ.get("WHOLE_MONTH"))
NIGHTS, OF = (30, 1) if WHOLE else (10, 3)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
]


def started(*arguments: str) -> subprocess.Popen[str]:
    paths = (ROOT, ROOT / "layers" / "core", ROOT / "tools")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-m", "tests.operations.month", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE)


@pytest.fixture(scope="module")
def months() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The ordinary month, and what came of each fault."""
    running = [started("ordinary", str(NIGHTS)), started("faults", f"0/{OF}")]
    try:
        answers = [process.communicate(timeout=1780)[0] for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    for answer in answers:
        print("\n".join(answer.splitlines()[:-1]))
    ordinary, faulty = (json.loads(answer.splitlines()[-1]) for answer in answers)
    return ordinary, {row["fault"]: row for row in faulty}


def test_a_month_of_ordinary_nights_pages_nobody(months: tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
    ordinary, _ = months
    assert ordinary["runs"] > 30 * NIGHTS
    assert ordinary["paged"] == []
    assert ordinary["dead"] == {}


@pytest.mark.parametrize("fault", [fault.name for fault in FAULTS[::OF]])
def test_a_fault_pages_once_in_time_and_clears(
    fault: str, months: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> None:
    _, faulty = months
    assert faulty[fault]["problem"] == "", faulty[fault]["pages"]
