"""Report what lies in dead-letter queues.

Trigger: a schedule, every five minutes.
Guarantee: a message that stays there five minutes is told; the same depth again replaces itself.
Failure: the event goes to DeadLetterFailures, without a retry, since the next run is one.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, logger, metrics
from exstream_notify.use_cases.report_dead_letters import report_dead_letters

app = Bootstrap()


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    depths = app.dead_letters()
    found = report_dead_letters(depths, exceptions=app.exceptions, incidents=app.incidents)
    count({"dead_letters": found})
    return {"dead_letters": found}
