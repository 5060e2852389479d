"""Which exceptions page on-call: what stops a whole run, or the day that a document had to be there by."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from .exceptions import ExceptionRaised
from .incidents import AlertRule

_METRICS: Mapping[str, frozenset[str]] = {
    "runs_unusable": frozenset(
        {
            "seal_unreadable",
            "seal_without_index",
            "index_unreadable",
            "index_not_sealed",
            "files_missing",
            "size_mismatch",
            "checksum_mismatch",
            "record_count_mismatch",
            "document_count_mismatch",
            "customer_count_mismatch",
            "manifest_count_mismatch",
            "trailer_missing",
            "trailer_count_mismatch",
            "no_records",
        }
    ),
    "runs_held": frozenset(
        {
            "volume_deviates",
            "rejects_high",
            "domain_unknown",
            "run_id_reused",
            "index_after_seal",
            "index_unrecognised",
            "late_seal_disagrees",
            "drop_misplaced",
            "name_unusable",
        }
    ),
    "runs_missing": frozenset({"run_expected", "run_not_sealed"}),
    "deadlines_missed": frozenset({"deadline_passed", "records_gone"}),
}

METRIC_OF: Mapping[str, str] = {code: metric for metric, codes in _METRICS.items() for code in codes}
"""The count that an exception adds to, by its code; an alarm of operations/alarms.yaml reads each."""

_OF_RECORDS = frozenset({"deadlines_missed"})
_NOBODY_TOLD = frozenset({"quiet", "daily"})


def pages(raised: Iterable[ExceptionRaised], route: Callable[[ExceptionRaised], AlertRule]) -> Counter[str]:
    """The counts that these exceptions add: of reports, and for missed deadlines of records.

    What the site's rules make quiet, or put on a daily list, pages nobody.
    """
    counts: Counter[str] = Counter()
    for exception in raised:
        metric = METRIC_OF.get(exception.code)
        if metric and route(exception).urgency not in _NOBODY_TOLD:
            counts[metric] += exception.count if metric in _OF_RECORDS else 1
    return counts
