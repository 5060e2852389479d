"""Record exceptions as incidents, and tell the teams.

Trigger: SevereQueue (severe exceptions) and ExceptionQueue (the others, dispatched runs, what fell due).
Guarantee: at least once, in no order; a repeated report replaces itself, an alert goes out twice only
if a worker dies between telling and noting it.
Failure: the message comes back after its visibility time-out, five times, then to the queue's dead letters.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.alert_triggers import dispatched_of, exceptions_of, look_of
from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, count_exceptions, failures_logged, logger, metrics
from exstream_notify.use_cases.alert_exceptions import Alerting, alert_exceptions
from exstream_notify.use_cases.check_runs import cover_customers, look_at

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


def handle(bodies: list[dict[str, Any]]) -> None:
    alerting = Alerting(app.rules, app.incidents, app.channels, app.due, app.clock, app.incident_link)
    raised = [exception for body in bodies for exception in exceptions_of(body, app.rules.vocabulary)]
    told = alert_exceptions(raised, alerting)
    for exception in raised:
        count({f"exception_{exception.severity}": exception.count})
        count_exceptions(app.rules.metric_code(exception.code), exception.count)
        domain, run_id = app.shown(exception.domain), app.shown(exception.run_id)
        more = {"code": exception.code, "domain": domain, "run_id": run_id}
        more["part"] = exception.part  # names the notice, where it is about one
        logger.warning("exception", extra={**more, "count": exception.count, "incidents": told})
    for domain, run_id in filter(None, map(dispatched_of, bodies)):
        cover_customers(
            domain, run_id, runs=app.runs, staging=app.staged, records=app.records, alerting=alerting
        )
    for kind, name in filter(None, map(look_of, bodies)):
        expected = app.rules.expected_runs
        look_at(kind, name, expected, runs=app.runs, exceptions=app.exceptions, alerting=alerting)


@failures_logged
def handle_one(record: SQSRecord) -> None:
    handle([record.json_body])


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    try:
        handle([SQSRecord(record).json_body for record in event["Records"]])
    except Exception:  # one by one then, so that what cannot be told holds up none of the others
        return process_partial_response(event, handle_one, processor, context)
    return {"batchItemFailures": []}
