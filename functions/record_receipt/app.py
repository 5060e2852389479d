"""Record what providers report about notices.

Trigger: ReceiptQueue: SES and SMS events (SNS, EventBridge), OpenText status, Exstream's own, bounce mails.
Guarantee: at least once, in any order; what is no receipt is kept and alerted, and stops no other.
Failure: a message comes back after its visibility time-out, five times, then ReceiptDeadLetters.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, log_notices, logger, metrics
from exstream_notify.adapters.receipts.reading import ReceiptUnusable
from exstream_notify.domain.receipts import Receipt
from exstream_notify.use_cases.record_receipts import record_batch, record_receipts, unread

app = Bootstrap()


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    messages: dict[str, list[Receipt]] = {}
    failed: dict[str, Exception] = {}
    for record in event["Records"]:
        name = record["messageId"]
        try:
            messages[name] = app.receipt_reader.read(record["body"], f"sqs:{name}")
        except ReceiptUnusable as unusable:
            key = app.unread_receipts.keep(name, record["body"])
            app.exceptions.raise_exceptions([unread(name, str(unusable), key)])
            count({"receipt_unknown": 1})
            if unusable.receipts:
                messages[name] = unusable.receipts
        except Exception as error:
            failed[name] = error
    if messages:
        written = app.ledger.written()
        counts, unrecorded = record_batch(
            messages, lambda receipts: record_receipts(receipts, **app.receipt_ports())
        )
        failed |= unrecorded
        count({kind: n for kind, n in counts.items() if n}, "Receipt")
        named = {r.notice_id for receipts in messages.values() for r in receipts if r.notice_id}
        log_notices("receipts", written | named, **{kind: n for kind, n in counts.items() if n})
    for cause in failed.values():
        logger.error("message failed, and will come back", extra={"error": type(cause).__name__})
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}
