"""Record exceptions as incidents, and tell the teams.

Trigger: SevereQueue (severe exceptions), ExceptionQueue (others, news of runs, receipts, what is due).
Guarantee: at least once, in no order; a repeated report replaces itself, an alert goes out twice only
if a worker dies between telling and noting it.
Failure: the message comes back after its visibility time-out, five times, then to the queue's dead letters.
"""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.alert_triggers import look_of, reported_of
from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, failures_logged, log_exceptions, logger, metrics
from exstream_notify.adapters.run_events import news_of, told_by
from exstream_notify.use_cases.alert_exceptions import Alerting, alert_exceptions, last_customer_in
from exstream_notify.use_cases.alert_reported import alert_reported
from exstream_notify.use_cases.check_runs import look_at
from exstream_notify.use_cases.cover_customers import Covering
from exstream_notify.use_cases.follow_runs import follow_run
from exstream_notify.use_cases.known_channels import KnownChannels

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


def handle(bodies: list[dict[str, Any]], time_left: Callable[[], float]) -> None:
    channels = KnownChannels(**app.channel_ports(time_left))
    last = last_customer_in(app.runs)
    alerting = Alerting(app.rules, app.incidents, channels, app.due, app.clock, app.incident_link, last)
    raised = [exception for body in bodies for exception in told_by(body, app.rules.vocabulary)]
    log_exceptions(raised, alert_exceptions(raised, alerting), app.rules, app.shown)
    covering = Covering(app.runs, app.staged, app.records, alerting, time_left)
    for news in [found for body in bodies if (found := news_of(body)) is not None]:
        if unread := follow_run(news, app.rules, app.exceptions, covering):
            logger.warning("runs could not be compared with a later one", extra={"runs": unread})
    for receipt in filter(None, map(reported_of, bodies)):
        alert_reported(receipt, channels, alerting)
    for look in filter(None, map(look_of, bodies)):
        count(
            look_at(*look, app.rules, channels, runs=app.runs, exceptions=app.exceptions, alerting=alerting)
        )


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    def time_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    try:
        handle([SQSRecord(record).json_body for record in event["Records"]], time_left)
    except Exception:  # one by one then, so that what cannot be told holds up none of the others
        one = failures_logged(lambda record: handle([record.json_body], time_left))
        return process_partial_response(event, one, processor, context)
    return {"batchItemFailures": []}
