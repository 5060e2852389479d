"""What pages on-call: whole runs and missed days, never single records, and nothing that the site made quiet."""

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incidents import AlertRule
from exstream_notify.domain.paging import METRIC_OF, pages


def raised(code: str, count: int = 1) -> ExceptionRaised:
    return ExceptionRaised(code, "error", "retail", "r1", "text", count=count)


@pytest.mark.parametrize(
    ("codes", "counts"),
    [
        (["files_missing"], {"runs_unusable": 1}),
        (["volume_deviates", "drop_misplaced"], {"runs_held": 2}),
        (["run_expected"], {"runs_missing": 1}),
        # A share of a run is counted when the run is over; who is in it gets the family's alerts.
        (["no_channel", "unreached", "address_refused", "records_rejected", "provider_down"], {}),
        (["EX004120E", "dead_letters"], {}),
    ],
)
def test_the_codes_that_page(codes: list[str], counts: dict[str, int]) -> None:
    assert pages(map(raised, codes), YamlRules().route) == counts


def test_a_run_counts_once_and_missed_deadlines_by_record() -> None:
    found = pages([raised("rejects_high", 300), raised("deadline_passed", 7)], YamlRules().route)
    assert found == {"runs_held": 1, "deadlines_missed": 7}


@pytest.mark.parametrize(("urgency", "page"), [("urgent", 1), ("normal", 1), ("daily", 0), ("quiet", 0)])
def test_what_the_site_made_quiet_pages_nobody(urgency: str, page: int) -> None:
    def route(exception: ExceptionRaised) -> AlertRule:
        return AlertRule("operations", "volume", exception.severity, urgency=urgency)  # type: ignore[arg-type]

    assert pages([raised("volume_deviates")], route)["runs_held"] == page


def test_every_code_that_pages_is_one_that_has_a_rule() -> None:
    rules = YamlRules()
    assert not [code for code in METRIC_OF if rules.metric_code(code) != code]
