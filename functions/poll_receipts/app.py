"""Look after receipts that did not come.

Trigger: a schedule, every fifteen minutes.
Guarantee: sends without a receipt are asked after and told of at their deadline, at least once.
Failure: the event goes to PollFailures, without a retry, since the next quarter of an hour is one.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, log_notices, logger, metrics, rate
from exstream_notify.domain.reputation import worst
from exstream_notify.use_cases.poll_receipts import poll_receipts
from exstream_notify.use_cases.record_receipts import record_receipts

app = Bootstrap()


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    ports = app.receipt_ports()
    written = app.ledger.written()
    polled = poll_receipts(
        watch=app.watch,
        ledger=app.ledger,
        contacts=app.contacts,
        source=app.status_source,
        record=lambda receipts: record_receipts(receipts, **ports),
        record_early=lambda receipts: record_receipts(receipts, **ports, keep=False),
        early=app.early,
        rules=app.rules,
        runs=app.runs,
        decide_queue=app.decide_queue,
        reputation=app.reputation,
        exceptions=app.exceptions,
        clock=app.clock,
        receipt_policy=app.receipt_policy,
        limits=app.reputation_limits,
        time_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    for row in polled.rates:
        rate("BounceRate", row.bounce_rate, Channel=row.channel, Sender=row.sender)
        rate("ComplaintRate", row.complaint_rate, Channel=row.channel, Sender=row.sender)
    # An alarm cannot name senders that are not known when it is deployed.
    bounces, complaints = worst(polled.rates, "email", app.reputation_limits.minimum)
    rate("EmailBounceRate", bounces)
    rate("EmailComplaintRate", complaints)
    told = {
        n: getattr(polled, n) for n in ("looked_at", "asked", "recorded", "matched", "given_up", "overdue")
    }
    count(told, "Poll")
    if written:
        log_notices("polled", written, **told)
    return told
