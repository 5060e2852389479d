"""Undo a change of address that its customer did not make.

Trigger: HTTP: GET and POST /p/undo/{token}, the link in the notes to the owner's addresses.
Guarantee: a GET changes nothing; a POST before the change takes effect leaves the old address as it is, once.
Failure: the customer sees an error and tries again; nothing is half undone.
"""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, logger, metrics
from exstream_notify.domain.address_changes import Answer
from exstream_notify.domain.passes import UNDO
from exstream_notify.use_cases.change_preferences import undo_change

app = Bootstrap()
resolver = APIGatewayHttpResolver()


def answer(state: str) -> Response[str]:
    wishes = resolver.current_event.headers.get("accept-language")
    return app.preference_views.confirm("undo", state, wishes, 404 if state == "gone" else 200)


@resolver.get("/p/undo/<token>")
def ask(token: str) -> Response[str]:
    return answer("gone" if app.link_signer.read(token, UNDO) is None else "ask")


@resolver.post("/p/undo/<token>")
def undo(token: str) -> Response[str]:
    found = app.link_signer.read(token, UNDO)
    done = found is not None and undo_change(found, contacts=app.contacts, clock=app.clock) == Answer.DONE
    count({"addresses_undone": int(done)})
    return answer("done" if done else "gone")


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return resolver.resolve(event, context)
