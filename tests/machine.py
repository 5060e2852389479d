"""Pytest plugin: what the machine lacks is skipped by name, and named again at the end."""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import botocore
import pytest

from tests import validated_calls
from tests.needs import NEEDS, all_required


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or with REQUIRE_ALL=1 fail, a test whose need is missing, before its fixtures start anything."""
    for need in NEEDS:
        if item.get_closest_marker(need.marker) and need.missing:
            if all_required():
                pytest.fail(f"{need.what} is required, but {need.missing}", pytrace=False)
            pytest.skip(f"needs {need.what}: {need.missing}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what this machine could not test, and leave the figures to `tools/check.py` if it asked."""
    stats = terminalreporter.stats
    left_out = _left_out(stats.get("skipped", []))
    if left_out:
        terminalreporter.section("not tested on this machine")
        for reason, count in left_out.items():
            terminalreporter.line(f"{count} tests: {reason}")
    report = os.environ.get("TEST_REPORT")
    if report:
        broken = [entry.nodeid for kind in ("failed", "error") for entry in stats.get(kind, [])]
        figures = {
            "passed": len(stats.get("passed", [])),
            "failed": broken,
            "left_out": left_out,
            "sdk_version": botocore.__version__,
            "sdk_calls": sorted(validated_calls.called),
            "sdk_refused": sorted(map(str, validated_calls.refused)),
        }
        Path(report).write_text(json.dumps(figures), encoding="utf-8")


def _left_out(skipped: Sequence[pytest.TestReport]) -> Mapping[str, int]:
    """Number of tests by the reason why they were skipped, the most first."""
    reasons = (
        entry.longrepr[2].removeprefix("Skipped: ") for entry in skipped if isinstance(entry.longrepr, tuple)
    )
    return dict(Counter(reasons).most_common())
