"""Answer which channel customers' documents would go to.

Trigger: HTTP: POST /v1/eligibility with a bearer token; GET /v1/openapi.json, which tells nothing secret.
Guarantee: reads only; the answer is the decision that the dispatch takes on the same record at that moment.
Failure: the caller gets 500 and asks again; nothing is left behind.
"""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.eligibility_api import (
    RequestRefused,
    answered,
    asked_of,
    client_of,
    json_response,
    openapi,
    refused,
)
from exstream_notify.adapters.observability import count_for, logger, metrics
from exstream_notify.use_cases.answer_eligibility import Question, answer_eligibility

app = Bootstrap()
resolver = APIGatewayHttpResolver()


@resolver.get("/v1/openapi.json")
def describe() -> Response[str]:
    return json_response(200, openapi(app.site, app.rules.types, app.rules.named_domains))


@resolver.post("/v1/eligibility")
def answer() -> Response[str]:
    event = resolver.current_event
    try:
        client = client_of(event.headers.get("authorization"), app.eligibility_tokens())
        asked = asked_of(event.decoded_body, app.rules, lambda domain: app.record_schemas.of(None, domain))
    except RequestRefused as error:
        return refused(error)
    questions = [Question(document, asked.types) for document in asked.documents]
    answers = answer_eligibility(questions, **app.eligibility_ports())
    count_for("client", client, {"EligibilityRequests": 1, "EligibilityAnswers": len(answers)})
    logger.info("answered", extra={"client": client, "customers": len(answers)})
    return answered(asked, answers, app.settings.queue_separator)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return resolver.resolve(event, context)
