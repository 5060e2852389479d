"""Logging and metrics, the same in every function: JSON lines and EMF, nothing personal in either."""

import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from ..domain.exceptions import ExceptionRaised
    from .rules import YamlRules

P = ParamSpec("P")
R = TypeVar("R")

NOTICES_A_LINE = 100
"""Each id takes 36 bytes of a line."""

logger = Logger()
metrics = Metrics()

# An invocation that finds nothing to do has no metrics, and nothing to warn of.
warnings.filterwarnings("ignore", "No application metrics to publish")


def count(counts: Mapping[str, int], prefix: str = "") -> None:
    """Counts as metrics: `{"paper": 3}` with prefix `Decided` is `DecidedPaper` 3."""
    for name, number in counts.items():
        words = "".join(word.capitalize() for word in name.split("_"))
        metrics.add_metric(f"{prefix}{words}", MetricUnit.Count, number)


def log_notices(message: str, notices: Iterable[str], **more: object) -> None:
    """Say what was done to which notices, by their ids: the saved query `notice` finds a line by one.

    A hundred ids a line; `more` stands in the first one.
    """
    ids = sorted(set(notices))
    logger.info(message, extra={**more, "notices": ids[:NOTICES_A_LINE]}, stacklevel=2)
    for start in range(NOTICES_A_LINE, len(ids), NOTICES_A_LINE):
        logger.info(message, extra={"notices": ids[start : start + NOTICES_A_LINE]}, stacklevel=2)


def rate(name: str, percent: float, **dimensions: str) -> None:
    """A rate in percent as a metric of its own dimensions."""
    with single_metric(
        name=name, unit=MetricUnit.Percent, value=percent, namespace=metrics.namespace
    ) as metric:
        for dimension, value in dimensions.items():
            metric.add_dimension(dimension, value)


def count_for(dimension: str, value: str, counts: Mapping[str, int]) -> None:
    """One request, and its counts, under a dimension of their own, for example by client of an API."""
    for name, number in {"Requests": 1, **counts}.items():  # a single metric takes no second one
        with single_metric(
            name=name, unit=MetricUnit.Count, value=number, namespace=metrics.namespace
        ) as metric:
            metric.add_dimension(dimension, value)


def count_exceptions(code: str, number: int) -> None:
    """Exceptions by code, for the alarms: a metric line of its own, with the dimension `code`."""
    with single_metric("ExceptionsRaised", MetricUnit.Count, number) as metric:
        metric.add_dimension("code", code)


def log_exceptions(
    raised: Iterable["ExceptionRaised"],
    incidents: Sequence[str],
    rules: "YamlRules",
    shown: Callable[[str], str],
) -> None:
    """Count exceptions by severity, code and what pages, and log each; `incidents` are those of the batch.

    The part names the notice, where it is about one. `shown` says how names may be shown.
    """
    from ..domain.paging import pages  # which one function needs

    raised = list(raised)
    count(pages(raised, rules.route))
    for exception in raised:
        count({f"exception_{exception.severity}": exception.count})
        count_exceptions(rules.metric_code(exception.code), exception.count)
        domain, run_id = shown(exception.domain), shown(exception.run_id)
        more = {"code": exception.code, "domain": domain, "run_id": run_id}
        more["part"] = exception.part
        logger.warning("exception", extra={**more, "count": exception.count, "incidents": incidents})


def failures_logged(handle: Callable[P, R]) -> Callable[P, R]:
    """Log why one message of a batch failed, the error's kind and the way to it, and count it.

    Its text and its values are left out, since they may repeat what a record says of a customer; an error
    whose class says that it is `impersonal` is told in full.
    """

    @wraps(handle)
    def handled(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return handle(*args, **kwargs)
        except Exception as error:
            if getattr(error, "expected", False):
                logger.info("message comes back on purpose", extra={"why": type(error).__name__})
            else:
                metrics.add_metric("MessagesFailed", MetricUnit.Count, 1)
                log_error("message failed, and will come back", error)
            raise

    return handled


def log_error(message: str, error: Exception) -> None:
    """Log an error's kind and the way to it; its text only where its class says that it is impersonal."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    way = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
    why = {"why": str(error)} if getattr(error, "impersonal", False) else {}
    logger.error(message, extra={"error": type(error).__name__, "way": way, **why})
