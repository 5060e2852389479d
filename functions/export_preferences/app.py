"""Export customers' preferences as a reference file for Exstream.

Trigger: a schedule, which starts an export; ExportQueue: its steps, one segment or the merge each.
Guarantee: at least once; a domain's files are there whole before its control file names them.
Failure: a step comes back after its visibility time-out, five times, then ExportDeadLetters; a start
that fails goes to ExportFailures. The export before stands meanwhile.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, failures_logged, logger, metrics
from exstream_notify.ports import ExportTask
from exstream_notify.use_cases.export_preferences import (
    layout_of,
    merge_segments,
    sort_segment,
    start_export,
)

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@failures_logged
def step(record: SQSRecord) -> None:
    task = ExportTask(**record.json_body)
    layout = layout_of(app.rules, app.settings.queue_separator)
    if task.step == "merge":
        done = merge_segments(task, store=app.exports, layout=layout)
        count({"export_rows": sum(done.rows.values()), "export_changes": sum(done.changes.values())})
        logger.info("exported", extra={"export": task.export, "domains": len(done.rows)})
        return
    rows = sort_segment(task, **app.export_ports(), layout=layout)
    logger.info("sorted", extra={"export": task.export, "segment": task.segment, "rows": rows})


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    if "Records" in event:
        return process_partial_response(event, step, processor, context)
    export = app.clock.now().strftime("%Y%m%dT%H%M%S%fZ")
    segments = start_export(export, app.settings.export_segments, queue=app.export_queue)
    return {"export": export, "segments": segments}
