"""Watch the runs that are not over.

Trigger: a schedule, every five minutes.
Guarantee: a run of which nothing is sent is counted in RunsSilent for five hours, one that does not add up
then in RunsUnbalanced until it is over, one that is over and reached too few once in RunsUnreached; what was
not reached in time is looked at by the next.
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
    if found.silent or found.unbalanced or found.unreached:
        names = {"silent": found.silent, "unbalanced": found.unbalanced, "unreached": found.unreached}
        runs = {what: [app.shown_run(name) for name in those] for what, those in names.items()}
        logger.warning("runs in trouble", extra=runs)
    if found.failed:
        raise ExceptionGroup("not every open run was looked at", found.failed)
    return counts
