"""Read message files, exception rows and run summaries as they land.

Trigger: MessageFileQueue: "Object Created" of such a file, or of an index, in a run's folder.
Guarantee: at least once, in no order; the same file read again replaces what it reported.
Failure: the message comes back after its visibility time-out, five times, then MessageFileDeadLetters.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.alert_triggers import file_of
from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, failures_logged, logger, metrics
from exstream_notify.adapters.triggers import as_exception
from exstream_notify.domain.exceptions import Unusable
from exstream_notify.use_cases.read_messages import read_messages

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@failures_logged
def read(record: SQSRecord) -> None:
    try:
        file = file_of(record.json_body, app.message_files.speaks)
    except Unusable as unusable:
        app.exceptions.raise_exceptions([as_exception(unusable)])
        return
    if file is None:
        return
    domain, run_id, name = file
    found = read_messages(
        domain,
        run_id,
        name,
        folder=app.folder(domain, run_id),
        files=app.message_files,
        rules=app.rules,
        alerts=app.rules,
        runs=app.runs,
        due=app.due,
        exceptions=app.exceptions,
        clock=app.clock,
    )
    if found is not None:
        count({"messages_read": found.messages, "messages_unmatched": found.unmatched})
        run = {"domain": app.shown(domain), "run_id": app.shown(run_id)}
        logger.info("messages read", extra={**run, "messages": found.messages})


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, read, processor, context)
