"""Show a customer's preferences, and change them.

Trigger: HTTP: GET and POST /p/{token}, the link in each mail and on the document page.
Guarantee: a GET changes nothing; a POST takes effect once, on what the page showed, or not at all.
Failure: the customer sees a page that says so and tries again; what was told is never told twice.
"""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, log_notices, logger, metrics
from exstream_notify.adapters.pages import redirect_response
from exstream_notify.adapters.preference_views import PostRefused, form_of
from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.passes import PREFERENCES
from exstream_notify.use_cases.change_preferences import address_book, open_page
from exstream_notify.use_cases.notify_owner import Conflict
from exstream_notify.use_cases.preference_page import PreferencePage

app = Bootstrap()
resolver = APIGatewayHttpResolver()


def contact_of(token: str) -> Contact | None:
    found, days = app.link_signer.read(token, PREFERENCES), app.settings.preferences_days
    return open_page(found, contacts=app.contacts, clock=app.clock, days=days) if found else None


@resolver.route("/p/<token>", method=["GET", "POST"])
def answer(token: str) -> Response[str]:
    event, contact, views = resolver.current_event, contact_of(token), app.preference_views
    wishes, written = event.headers.get("accept-language"), app.ledger.written()
    page = PreferencePage(
        book=lambda: address_book(app.teller_ports(), app.way_ports(), app.owner_ports(), app.form_keys()),
        **app.page_ports(),
    )
    if contact is None:
        return views.confirm("preferences", "gone", wishes, 404)
    if event.http_method == "GET":
        done = (event.query_string_parameters or {}).get("done", "")
        return views.show(token, contact, wishes, page.asks(contact), done=done)
    try:
        form = views.checked(form_of(event.decoded_body, event.headers, app.site), token, contact)
        posted = page.post(contact, form, views.language(contact, wishes))
    except (PostRefused, Conflict):
        return views.confirm("changed", "gone", wishes, 409)
    count({posted.done or posted.problem: 1}, "Preferences")
    log_notices("preferences", written, did=posted.done or posted.problem)
    if posted.done:
        return redirect_response(f"/p/{token}?done={posted.done}")
    return views.show(token, contact_of(token) or contact, wishes, page.asks(contact), posted, form)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return resolver.resolve(event, context)
