"""Which exceptions page on-call: what stops a whole run, or the day that a document had to be there by."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from .exceptions import ExceptionRaised
from .incidents import AlertRule
from .run_codes import HOLDS, NOT_THERE, REFUSALS

_METRICS: Mapping[str, frozenset[str]] = {
    "runs_unusable": (REFUSALS - {"manifest_uncounted"}) | {"index_not_sealed"},
    "runs_held": HOLDS
    | {
        "drop_misplaced",
        "index_after_seal",
        "index_unrecognised",
        "late_seal_disagrees",
        "name_unusable",
        "run_id_reused",
    },
    "runs_missing": NOT_THERE,
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
