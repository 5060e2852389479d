"""Take a provider's push of its status.

Trigger: HttpApi, POST /receipts/opentext: a status document of OpenText Notifications.
Guarantee: it is on the receipt queue before the answer is 202; without the secret nothing is read.
Failure: the answer is an error, so the provider pushes again; what no push brings is asked for later.
"""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.observability import count, logger, metrics
from exstream_notify.adapters.receipts.hook import authorised, pieces
from exstream_notify.adapters.receipts.reading import ReceiptUnusable

app = Bootstrap()
api = APIGatewayHttpResolver()


@api.post("/receipts/opentext")
def opentext() -> Response[str]:
    headers = {name.lower(): value for name, value in api.current_event.headers.items()}
    if not authorised(headers, app.hook_secrets):
        count({"receipt_forged": 1})
        logger.warning("a push without the secret was refused")
        return Response(401, content_types.TEXT_PLAIN, "")
    try:
        bodies = list(pieces(api.current_event.decoded_body or ""))
    except ReceiptUnusable as unusable:
        count({"receipt_unreadable": 1})
        logger.warning("a push could not be read", extra={"why": str(unusable)})
        return Response(400, content_types.TEXT_PLAIN, str(unusable))
    app.receipt_queue.send(("opentext", body) for body in bodies)
    count({"receipt_pushed": len(bodies)})
    return Response(202, content_types.TEXT_PLAIN, "")


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return api.resolve(event, context)
