"""Show an incident by its signed link, and let a person acknowledge it.

Trigger: HttpApi, GET and POST /i/{token}.
Guarantee: a GET changes nothing, whoever opens it; a POST acknowledges once, again is no harm.
Failure: 404 for a link that is not genuine; 500 where a service fails, and the person tries again.
"""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.incident_page import name_in, show_incident
from exstream_notify.adapters.observability import count, logger, metrics
from exstream_notify.adapters.pages import redirect_response
from exstream_notify.domain.incident_states import acknowledged
from exstream_notify.domain.links import INCIDENT
from exstream_notify.use_cases.alert_exceptions import change_incident

app = Bootstrap()
api = APIGatewayHttpResolver()


@api.get("/i/<token>")
def show(token: str) -> Response[str]:
    found = app.link_signer.read(token, INCIDENT)
    incident = app.incidents.get(found) if found else None
    return show_incident(app.pages, incident, app.rules, api.current_event.headers)


@api.post("/i/<token>")
def acknowledge(token: str) -> Response[str]:
    found = app.link_signer.read(token, INCIDENT)
    at = app.clock.now().isoformat(timespec="seconds")
    who = name_in(api.current_event)
    if not found or not change_incident(
        found,
        lambda head, _: acknowledged(head, at, who),
        incidents=app.incidents,
        due=app.due,
        clock=app.clock,
    ):
        return show_incident(app.pages, None, app.rules, api.current_event.headers)
    count({"incident_acknowledged": 1})
    return redirect_response(f"/i/{token}")


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return api.resolve(event, context)
