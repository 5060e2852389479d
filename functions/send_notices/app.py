"""Send notices, paced to the provider.

Trigger: EmailQueue, SmsQueue, UrgentQueue: jobs, each of one slice, channel and provider.
Guarantee: at most once per attempt; what another worker holds is come back to after its lease.
Failure: the job comes back after its visibility time-out, ten times, then the queue's dead letters.
"""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import (
    count,
    failures_logged,
    log_error,
    log_notices,
    logger,
    metrics,
)
from exstream_notify.domain.breaker import Breaker
from exstream_notify.domain.work import SendJob
from exstream_notify.use_cases.send_notices import InProgress, send_notices

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
breakers: dict[str, Breaker] = {}
FIRST_LOOK = 4.0  # seconds; doubled each time, a lease is over long before the receive count is


@failures_logged
def send(record: SQSRecord, lambda_context: LambdaContext) -> None:
    job = SendJob.from_message(record.json_body)
    try:
        sent = send_notices(
            job,
            **app.send_ports(job.provider, job.channel),
            breaker=breakers.setdefault(job.provider, Breaker()),
            time_left=lambda: lambda_context.get_remaining_time_in_millis() / 1000,
            unrendered=lambda error: log_error("a notice cannot be rendered", error),
        )
    except InProgress as busy:
        # Mostly the other worker is done long before its lease ends, so look again soon, then later.
        lease = (busy.until - datetime.now(UTC)).total_seconds()
        soon = FIRST_LOOK * 2 ** (int(record.attributes.approximate_receive_count) - 1)
        app.send_queues.come_back(job.queue, record.receipt_handle, min(lease, soon))
        raise
    count(sent, "Sent")
    count(sent, f"Sent{job.channel.capitalize()}")
    run = app.shown_run(job.pointer.run)
    log_notices("sent", (m.notice_id for m in job.members), run=run, job=job.job_id, **sent)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, send, processor, context)
