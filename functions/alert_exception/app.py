"""Record exceptions as incidents, and tell the teams.

Trigger: SevereQueue (severe exceptions) and ExceptionQueue (the others, runs that came or were dispatched,
files that were read, what fell due).
Guarantee: at least once, in no order; a repeated report replaces itself, an alert goes out twice only
if a worker dies between telling and noting it.
Failure: the message comes back after its visibility time-out, five times, then to the queue's dead letters.
"""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.alert_triggers import dispatched_of, exceptions_of, look_of
from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, count_exceptions, failures_logged, logger, metrics
from exstream_notify.adapters.run_events import arrived_of, dated, file_read_of, said_at
from exstream_notify.use_cases.alert_exceptions import Alerting, alert_exceptions, last_customer_in
from exstream_notify.use_cases.check_runs import look_at
from exstream_notify.use_cases.cover_customers import Covering, cover_again, cover_customers
from exstream_notify.use_cases.settle_reports import settle_arrival, settle_file, settle_run

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


def handle(bodies: list[dict[str, Any]], time_left: Callable[[], float]) -> None:
    last_customer = last_customer_in(app.runs)
    alerting = Alerting(
        app.rules, app.incidents, app.channels, app.due, app.clock, app.incident_link, last_customer
    )
    raised = [exception for body in bodies for exception in dated(exceptions_of(body), body)]
    told = alert_exceptions(raised, alerting)
    for exception in raised:
        count({f"exception_{exception.severity}": exception.count})
        count_exceptions(exception.code, exception.count)
        more = {"code": exception.code, "domain": exception.domain, "run_id": exception.run_id}
        more["part"] = exception.part  # names the notice, where it is about one
        logger.warning("exception", extra={**more, "count": exception.count, "incidents": told})
    for body in bodies:
        follow(body, alerting)
    covering = Covering(app.runs, app.staged, app.records, alerting, time_left)
    unread = [cover_customers(*run, covering) for run in filter(None, map(dispatched_of, bodies))]
    for kind, name in filter(None, map(look_of, bodies)):
        if kind == "cover":
            unread.append(cover_again(name, covering))
        else:
            expected = app.rules.expected_runs
            look_at(kind, name, expected, runs=app.runs, exceptions=app.exceptions, alerting=alerting)
    for runs in filter(None, unread):
        logger.warning("runs could not be compared with a later one", extra={"runs": runs})


def follow(body: dict[str, Any], alerting: Alerting) -> None:
    """Close what a run, or a file that was read again, shows to be over."""
    at = said_at(body)
    if (arrived := arrived_of(body)) is not None:
        settle_arrival(*arrived, app.rules.expected_runs, alerting, at)
    if (run := arrived[:2] if arrived else dispatched_of(body)) is not None:
        settle_run(*run, runs=app.runs, alerting=alerting, said_at=at)
    if (read := file_read_of(body)) is not None:
        settle_file(read, alerting)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    def time_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    @failures_logged
    def handle_one(record: SQSRecord) -> None:
        handle([record.json_body], time_left)

    try:
        handle([SQSRecord(record).json_body for record in event["Records"]], time_left)
    except Exception:  # one by one then, so that what cannot be told holds up none of the others
        return process_partial_response(event, handle_one, processor, context)
    return {"batchItemFailures": []}
