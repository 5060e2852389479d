"""Stage single documents that came as events.

Trigger: DocumentQueue: `Document Composed` and native `Exstream-Generated` events.
Guarantee: at least once, in no order; the same event again is the same run.
Failure: the message comes back after its visibility time-out, five times, then DocumentDeadLetters.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import failures_logged, logger, metrics
from exstream_notify.adapters.triggers import as_exception, document_of, event_body
from exstream_notify.domain.exceptions import Unusable
from exstream_notify.use_cases.stage_document import stage_document

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@failures_logged
def stage(record: SQSRecord) -> None:
    try:
        event_id, domain, detail = document_of(event_body(record.body))
    except Unusable as unusable:
        app.exceptions.raise_exceptions([as_exception(unusable)])
        return
    run_id = stage_document(
        event_id,
        domain,
        detail,
        staging=app.staging,
        rules=app.staging_rules,
        runs=app.runs,
        decide_queue=app.decide_queue,
        exceptions=app.exceptions,
        clock=app.clock,
    )
    logger.info("staged", extra={"domain": app.shown(domain), "run_id": app.shown(run_id)})


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, stage, processor, context)
