"""Expected runs on the project's own stack: missing, late, and beside an expectation that cannot be used."""

from collections.abc import Iterator

import pytest

from exnotify.local import LocalCloud

from .conftest import MakeRun, drop, record
from .test_alerts import alerts, incidents

pytestmark = pytest.mark.slow

EXPECTED = """
expected:
  - {domain: nowhere, name: impossible, by: "06:00", zone: UTC, business_days: true, country: EN}
  - {domain: Late, name: billing, by: ["06:00", "07:00"], zone: UTC}
"""


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Half an hour before six, with days of ten minutes; its site was deployed without a check."""
    site = tmp_path_factory.mktemp("site")
    (site / "rules").mkdir()
    (site / "rules" / "domains.yaml").write_text(EXPECTED, "utf-8")
    with LocalCloud(at="2026-11-24T05:30:00+00:00", day=600, site=site) as running:
        yield running


def test_a_late_run_settles_what_missed_it_and_not_the_next(waiting: LocalCloud, make_run: MakeRun) -> None:
    (missing,) = alerts(waiting, "Late/expected-billing-2026-11-24-0600", 1, 60)
    assert "no run came by 06:00 UTC on 2026-11-24" in str(missing)

    drop(waiting, make_run("late-1", [record(31)]), "late-1", domain="late")
    what = [alert["what"] for alert in alerts(waiting, "Late/expected-billing-2026-11-24-0600", 2, 60)]
    assert what == ["opened", "resolved"]

    (next_one,) = alerts(waiting, "Late/expected-billing-2026-11-24-0700", 1, 90)
    assert next_one["what"] == "opened"


def test_one_that_cannot_be_used_is_reported_once_and_stops_no_sweep(waiting: LocalCloud) -> None:
    told = alerts(waiting, "exnotify.calendar/expectations", 1, 60)
    assert [alert["what"] for alert in told] == ["opened"]
    assert "no holidays of EN are known" in str(told)
    assert set(incidents(waiting, "exnotify.calendar/expectations")) == {"expectations_refused"}
    assert not [line for line in waiting.logs("ReleaseDueFunction") if "Traceback" in line]
