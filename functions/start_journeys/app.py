"""Give each cohort that is due soon an execution of the follow-up state machine.

Trigger: a schedule, each minute.
Guarantee: at least once; a name is taken once, so a cohort has one execution at a time.
Failure: the event goes to StartJourneysFailures, without a retry, since the next minute is one.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, logger, metrics
from exstream_notify.use_cases.start_journeys import start_journeys

app = Bootstrap()


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    started = start_journeys(
        journeys=app.journeys,
        executions=app.executions,
        clock=app.clock,
    )
    count({"started": started}, "Journeys")
    return {"started": started}
