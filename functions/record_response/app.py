"""Record what customers did about their documents.

Trigger: ResponseQueue: `Customer Responded`, `Payment Received`, `Payment Reversed`, `Document Acknowledged`,
`Account Status Changed`, and native opens.
Guarantee: at least once, in no order, before or after the notice; the same response again changes nothing.
The message of one whose notice no index shows comes back once, since indexes lag.
Failure: the message comes back after its visibility time-out, five times, then ResponseDeadLetters.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.account_statuses import status_change_of, tells_response
from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, failures_logged, log_notices, logger, metrics
from exstream_notify.adapters.responses import response_of
from exstream_notify.adapters.triggers import as_exception, event_body
from exstream_notify.domain.exceptions import Unusable
from exstream_notify.use_cases.hold_collection import HoldPorts, record_account_status
from exstream_notify.use_cases.record_response import PerhapsUnseen, record_response

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@failures_logged
def record(record: SQSRecord) -> None:
    body = event_body(record.body)
    try:
        if (change := status_change_of(body)) is not None:
            count(record_account_status(change, HoldPorts(**app.hold_ports)), prefix="AccountStatus")
        if not tells_response(body):
            return
        response = response_of(body, app.record_schema)
    except Unusable as unusable:
        app.exceptions.raise_exceptions([as_exception(unusable)])
        return
    written = app.ledger.written()
    told = record_response(response, **app.response_ports)
    if (told["early"] or told["unmatched"]) and int(record.attributes.approximate_receive_count) == 1:
        raise PerhapsUnseen
    count(told, prefix="Response")
    log_notices("response", written, kind=response.kind, domain=response.domain, told=dict(told))


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, record, processor, context)
