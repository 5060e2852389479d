"""Record exceptions as incidents.

Trigger: ExceptionQueue: `Exception Raised` events of this project.
Guarantee: at least once; a repeated report replaces itself.
Failure: the message comes back after its visibility time-out, five times, then ExceptionDeadLetters.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, count_exceptions, failures_logged, logger, metrics
from exstream_notify.adapters.triggers import exception_of
from exstream_notify.use_cases.record_incident import record_incident

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@failures_logged
def record_exception(record: SQSRecord) -> None:
    exception = exception_of(record.json_body)
    incident = record_incident(exception, rules=app.rules, incidents=app.incidents, clock=app.clock)
    count({f"exception_{exception.severity}": exception.count})
    count_exceptions(exception.code, exception.count)
    logger.warning(
        "exception",
        extra={
            "code": exception.code,
            "domain": exception.domain,
            "run_id": exception.run_id,
            "incident": incident,
            "text": exception.text,
        },
    )


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, record_exception, processor, context)
