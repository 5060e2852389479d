"""Take preferences that the portal changed for its customers, and the next steps of changed addresses.

Trigger: PreferenceQueue: `Preferences Changed` events of source `portal`; changes of address that are due;
    changes made here whose event may be lost.
Guarantee: at least once, in no order; the same message again changes nothing more.
Failure: the message comes back after its visibility time-out, five times, then PreferenceDeadLetters.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.alert_triggers import look_of
from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.customer_events import portal_change_of
from exstream_notify.adapters.observability import count, failures_logged, log_notices, logger, metrics
from exstream_notify.adapters.triggers import as_exception, event_body
from exstream_notify.domain.exceptions import Unusable
from exstream_notify.use_cases.change_preferences import address_book
from exstream_notify.use_cases.record_preferences import record_preferences
from exstream_notify.use_cases.tell_portal import PortalNews

app = Bootstrap()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@failures_logged
def take(record: SQSRecord) -> None:
    look, written = look_of(record.json_body), app.ledger.written()
    if look is not None and look[0] == "portal":
        count({"portal_told_late": int(PortalNews(**app.news_ports()).go_on(look[1]))})
        return
    book = address_book(app.teller_ports(), app.way_ports(), app.owner_ports(), app.form_keys())
    if look is not None:
        went_on = book.owner.go_on(look[1])
        count({"address_steps": int(went_on)})
        log_notices("address change", written, went_on=went_on)
        return
    try:
        change = portal_change_of(event_body(record.body), app.topics)
    except Unusable as unusable:
        app.exceptions.raise_exceptions([as_exception(unusable)])
        return
    done = record_preferences(
        change, contacts=app.contacts, exceptions=app.exceptions, clock=app.clock, book=book
    )
    count({done: 1}, "Portal")
    log_notices("portal", written, done=done, domain=change.domain)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, take, processor, context)
