"""Expected runs on the project's own stack: missing, late, and beside an expectation that cannot be used."""

import json
import time
from collections.abc import Iterator

import pytest

from exnotify.local import LocalCloud

from .conftest import MakeRun, drop, record
from .test_alerts import alerts, incidents

pytestmark = pytest.mark.slow

HOURS = [f"{hour:02}:00" for hour in range(24)]
EXPECTED = f"""
expected:
  - {{domain: nowhere, name: impossible, by: "06:00", zone: UTC, business_days: true, country: EN}}
  - {{domain: Late, name: hourly, by: {json.dumps(HOURS)}, zone: UTC}}
"""


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Days of ten minutes, and a run due each hour; its site was deployed without a check."""
    site = tmp_path_factory.mktemp("site")
    (site / "rules").mkdir()
    (site / "rules" / "domains.yaml").write_text(EXPECTED, "utf-8")
    with LocalCloud(at="2026-11-24T05:40:00+00:00", day=600, site=site) as running:
        yield running


def told(cloud: LocalCloud, what: str, after: str = "") -> str:
    """The day and hour of the first run, due after another, that a team is told of so; within 90 seconds."""
    until = time.monotonic() + 90
    prefix = "Late/expected-hourly-"
    while time.monotonic() < until:
        runs: list[str] = [
            a["facts"]["Run"].removeprefix(prefix) for a in cloud.catcher.alerts if a["what"] == what
        ]
        if found := [run for run in runs if run.startswith("2026-") and run > after]:
            return min(found)
        time.sleep(0.2)
    raise AssertionError(f"nobody is told: {what}")


def test_a_late_run_settles_the_hour_that_missed_it_and_not_the_next(
    waiting: LocalCloud, make_run: MakeRun
) -> None:
    told(waiting, "opened")
    drop(waiting, make_run("late-1", [record(31)]), "late-1", domain="late")
    settled = told(waiting, "resolved")
    day, _, hour = settled.rpartition("-")
    assert told(waiting, "opened", settled) == f"{day}-{int(hour) + 100:04}"


def test_one_that_cannot_be_used_is_reported_once_and_stops_no_sweep(waiting: LocalCloud) -> None:
    told = alerts(waiting, "exnotify.calendar/expectations", 1, 60)
    assert [alert["what"] for alert in told] == ["opened"]
    assert "no holidays of EN are known" in str(told)
    assert set(incidents(waiting, "exnotify.calendar/expectations")) == {"expectations_refused"}
    assert not [line for line in waiting.logs("ReleaseDueFunction") if "Traceback" in line]
