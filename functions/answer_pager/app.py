"""Take what somebody does in PagerDuty with an alert of ours.

Trigger: HttpApi, POST /pagerduty: PagerDuty's web hook (v3), signed.
Guarantee: nothing is read without a signature; an event may come twice, late and in any order.
Failure: 401 for an event that PagerDuty did not sign; 500 where a service fails: PagerDuty sends it again.
"""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, logger, metrics
from exstream_notify.adapters.pager_hook import PagerUnusable, event_of, raw_body, signed_for
from exstream_notify.use_cases.answer_pager import answer_pager

app = Bootstrap()
api = APIGatewayHttpResolver()


@api.post("/pagerduty")
def pagerduty() -> Response[str]:
    headers = {name.lower(): value for name, value in api.current_event.headers.items()}
    body = raw_body(api.current_event.body, bool(api.current_event.is_base64_encoded))
    teams = signed_for(body, headers.get("x-pagerduty-signature", ""), app.alert_channels)
    if not teams:
        count({"pager_event_forged": 1})
        logger.warning("an event without PagerDuty's signature was refused")
        return Response(401, content_types.TEXT_PLAIN, "")
    try:
        event = event_of(body, teams)
    except PagerUnusable as unusable:
        count({"pager_event_unreadable": 1})
        logger.warning("an event of PagerDuty could not be read", extra={"why": str(unusable)})
        event = None
    if event is not None and answer_pager(
        event, rules=app.rules, incidents=app.incidents, due=app.due, clock=app.clock
    ):
        count({"pager_event_taken": 1})
    # Whatever it is: after three refusals PagerDuty would send nothing for a day.
    return Response(202, content_types.TEXT_PLAIN, "")


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return api.resolve(event, context)
