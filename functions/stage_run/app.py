"""Stage a run.

Trigger: RunQueue: "Object Created" of a seal, a native manifest or an index, or a run to look at again.
Guarantee: at least once, in no order; staging the same run again changes nothing.
Failure: the message comes back after its visibility time-out, five times, then RunDeadLetters.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import failures_logged, logger, metrics
from exstream_notify.adapters.triggers import as_exception, run_of
from exstream_notify.domain.exceptions import Unusable
from exstream_notify.use_cases.stage_run import stage_run

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@failures_logged
def stage(record: SQSRecord) -> None:
    try:
        found = run_of(record.json_body)
    except Unusable as unusable:
        app.exceptions.raise_exceptions([as_exception(unusable)])
        return
    if found is None:
        return
    domain, run_id, trigger = found
    run = {"domain": app.shown(domain), "run_id": app.shown(run_id)}
    logger.info("staging", extra={**run, "trigger": trigger})
    stage_run(
        domain,
        run_id,
        trigger,
        folder=app.folder(domain, run_id),
        staging=app.staging,
        rules=app.staging_rules,
        runs=app.runs,
        due=app.due,
        decide_queue=app.decide_queue,
        send_queues=app.send_queues,
        exceptions=app.exceptions,
        clock=app.clock,
        policy=app.stage_policy,
    )


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, stage, processor, context)
