"""Show what is behind a secure link, and lead on to the document.

Trigger: HTTP, `/d/{token}`: GET shows a page and changes nothing, POST opens; HEAD and OPTIONS as GET.
Guarantee: nothing is looked up for a token that is not genuine; opening is recorded once, before it leads on.
Failure: the browser gets a 500 and the customer tries again; what was recorded stays as it is.
"""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.link_pages import answer_in
from exstream_notify.adapters.observability import count, logger, metrics
from exstream_notify.domain.links import Look
from exstream_notify.use_cases.open_document import look_at_link, open_document

app = Bootstrap()
web = APIGatewayHttpResolver()


def look(token: str) -> Look:
    found = look_at_link(app.link_signer.read(token), **app.look_ports)
    if found.notice is not None:
        logger.append_keys(notice_id=found.notice.notice_id)
    return found


def answered(found: Look) -> Response[str]:
    count({f"link_{found.state}": 1})
    logger.info("link", extra={"state": found.state, "method": web.current_event.request_context.http.method})
    return app.link_pages.answer(found, web.current_event.headers.get("accept-language"))


@web.route("/d/<token>", method=["GET", "HEAD", "OPTIONS"])
def show(token: str) -> Response[str]:
    return answered(look(token))


@web.post("/d/<token>")
def lead_on(token: str) -> Response[str]:
    found = look(token)
    language = app.link_pages.language(found, web.current_event.headers.get("accept-language"))
    given = answer_in(web.current_event)
    return answered(open_document(found, given, language, portal=app.portal, **app.open_ports))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return web.resolve(event, context)
