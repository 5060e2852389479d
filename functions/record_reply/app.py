"""Take customers' SMS replies.

Trigger: ReplyQueue: what SmsReplies (SNS) got of the SMS service.
Guarantee: at least once, in no order; a reply takes effect once and is confirmed once.
Failure: the message comes back after its visibility time-out, five times, then ReplyDeadLetters.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.customer_events import reply_of
from exstream_notify.adapters.observability import count, failures_logged, log_notices, logger, metrics
from exstream_notify.adapters.triggers import as_exception
from exstream_notify.domain.exceptions import Unusable
from exstream_notify.use_cases.note_ways import NoteWays
from exstream_notify.use_cases.record_reply import ReplyDesk
from exstream_notify.use_cases.tell_customer import Teller
from exstream_notify.use_cases.tell_portal import PortalNews

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@failures_logged
def take(record: SQSRecord) -> None:
    try:
        reply = reply_of(record.json_body)
    except Unusable as unusable:
        app.exceptions.raise_exceptions([as_exception(unusable)])
        return
    written = app.ledger.written()
    teller, ways, news = (
        Teller(**app.teller_ports()),
        NoteWays(**app.way_ports()),
        PortalNews(**app.news_ports()),
    )
    desk = ReplyDesk(teller=teller, ways=ways, news=news, **app.reply_ports())
    meaning = desk.record(reply)
    count({meaning: 1}, "Replies")
    log_notices("reply", written, meaning=meaning)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, take, processor, context)
