"""Release what is due.

Trigger: a schedule, each minute.
Guarantee: everything due is handed on, at least once; what fails holds up nothing else, and the next sweep
makes it good.
Failure: the event goes to ReleaseFailures, without a retry, since the next minute is one.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, log_notices, logger, metrics
from exstream_notify.use_cases.check_channels import expect_channels
from exstream_notify.use_cases.expect_runs import expect_runs
from exstream_notify.use_cases.release_due import release_due

app = Bootstrap()
placed: set[str] = set()


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    written = app.ledger.written()
    try:
        released = release_due(
            due=app.due,
            ledger=app.ledger,
            decide_queue=app.decide_queue,
            run_queue=app.run_queue,
            clock=app.clock,
            time_left=lambda: context.get_remaining_time_in_millis() / 1000,
            look_queue=app.look_queue,
        )
    finally:  # neither holds up the other
        expect_channels(placed, due=app.due, clock=app.clock)
        expect_runs(app.rules, placed, due=app.due, clock=app.clock)
    count({"released": released})
    if released:
        log_notices("released", written, released=released)
    return {"released": released}
