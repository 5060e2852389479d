"""Record exceptions as incidents, and tell the teams.

Trigger: SevereQueue (severe exceptions) and ExceptionQueue (the others, dispatched runs, receipts of alerts,
what fell due).
Guarantee: at least once, in no order; a repeated report replaces itself, an alert goes out twice only
if a worker dies between telling and noting it.
Failure: the message comes back after its visibility time-out, five times, then to the queue's dead letters.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.alert_triggers import dispatched_of, exceptions_of, look_of, reported_of
from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, failures_logged, log_exceptions, logger, metrics
from exstream_notify.use_cases.alert_exceptions import Alerting, alert_exceptions
from exstream_notify.use_cases.alert_reported import alert_reported
from exstream_notify.use_cases.check_channels import check_channels
from exstream_notify.use_cases.check_runs import cover_customers, look_at
from exstream_notify.use_cases.known_channels import KnownChannels

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


def handle(bodies: list[dict[str, Any]], context: LambdaContext) -> None:
    channels = KnownChannels(**app.channel_ports(lambda: context.get_remaining_time_in_millis() / 1000))
    alerting = Alerting(app.rules, app.incidents, channels, app.due, app.clock, app.incident_link)
    raised = [exception for body in bodies for exception in exceptions_of(body)]
    log_exceptions(raised, alert_exceptions(raised, alerting))
    for domain, run_id in filter(None, map(dispatched_of, bodies)):
        cover_customers(
            domain, run_id, runs=app.runs, staging=app.staged, records=app.records, alerting=alerting
        )
    for receipt in filter(None, map(reported_of, bodies)):
        alert_reported(receipt, channels, alerting)
    for kind, name in filter(None, map(look_of, bodies)):
        if kind == "channels":
            count(check_channels(app.rules, channels, app.clock).counts())
        expected = app.rules.expected_runs
        look_at(kind, name, expected, runs=app.runs, exceptions=app.exceptions, alerting=alerting)


@failures_logged
def handle_one(record: SQSRecord, lambda_context: LambdaContext) -> None:
    handle([record.json_body], lambda_context)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    try:
        handle([SQSRecord(record).json_body for record in event["Records"]], context)
    except Exception:  # one by one then, so that what cannot be told holds up none of the others
        return process_partial_response(event, handle_one, processor, context)
    return {"batchItemFailures": []}
