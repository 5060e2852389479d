"""Unsubscribe a customer from a topic by one click (RFC 8058).

Trigger: HTTP: POST /u/{token} by a mail program or the page's button; GET /u/{token} shows that page.
Guarantee: a GET changes nothing; a POST, with or without a body, any number of times, unsubscribes once.
Failure: the caller gets 500 and may post again; the token never expires.
"""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, logger, metrics
from exstream_notify.domain.passes import UNSUBSCRIBE
from exstream_notify.use_cases.change_preferences import unsubscribe
from exstream_notify.use_cases.tell_portal import PortalNews

app = Bootstrap()
resolver = APIGatewayHttpResolver()


def answer(state: str, status: int = 200) -> Response[str]:
    wishes = resolver.current_event.headers.get("accept-language")
    return app.preference_views.confirm("unsubscribe", state, wishes, status)


@resolver.get("/u/<token>")
def ask(token: str) -> Response[str]:
    return answer("gone", 404) if app.unsubscribe_signer.read(token, UNSUBSCRIBE) is None else answer("ask")


@resolver.post("/u/<token>")
def leave(token: str) -> Response[str]:
    found = app.unsubscribe_signer.read(token, UNSUBSCRIBE)
    if found is None:
        return answer("gone", 404)
    topic = unsubscribe(found, app.topics, news=PortalNews(**app.news_ports()))
    count({"unsubscribed": 1})
    logger.info("unsubscribed", extra={"topic": topic.name if topic else ""})
    return answer("done")


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return resolver.resolve(event, context)
