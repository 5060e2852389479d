"""Watch the runs that are not over.

Trigger: a schedule, every five minutes.
Guarantee: a run of which nobody was told, or that does not add up, is counted in RunsSilent and
RunsUnbalanced until it is over; what was not reached in time is looked at by the next.
Failure: the event goes to WatchFailures, without a retry, since the next look is one.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, logger, metrics
from exstream_notify.use_cases.watch_runs import watch_runs

app = Bootstrap()


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    found = watch_runs(
        runs=app.runs,
        exceptions=app.exceptions,
        clock=app.clock,
        time_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    counts = found.counts()
    count(counts)
    if found.silent or found.unbalanced:
        names = {"silent": found.silent, "unbalanced": found.unbalanced}
        runs = {what: [app.shown_run(name) for name in those] for what, those in names.items()}
        logger.warning("runs in trouble", extra=runs)
    return counts
