"""Decide what becomes of staged documents.

Trigger: DecideQueue: pointers to slices of at most 100 records, fresh or to be looked at again.
Guarantee: at least once, in no order; deciding a slice again queues the same jobs.
Failure: the message comes back after its visibility time-out, five times, then DecideDeadLetters.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, failures_logged, log_notices, logger, metrics
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.decide_notices import decide_notices

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@failures_logged
def decide(record: SQSRecord) -> None:
    pointer = SlicePointer.from_message(record.json_body)
    decided = decide_notices(
        pointer,
        records=app.records,
        rules=app.rules,
        contacts=app.contacts,
        addresses=app.addresses,
        suppressions=app.suppressions,
        ledger=app.ledger,
        runs=app.runs,
        queues=app.send_queues,
        exceptions=app.exceptions,
        clock=app.clock,
        provider_for=app.provider_for,
        policy=app.policy,
        early=app.early_responses,
        journeys=app.journeys,
        reputation=app.reputation,
        decide_queue=app.decide_queue,
        due_index=app.due,
        is_holiday=app.is_holiday,
    )
    count(decided.counts, "Decided")
    run = app.shown_run(pointer.run)
    log_notices("decided", decided.notices, run=run, slice=pointer.number, **decided.counts)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, decide, processor, context)
