"""The eligibility service over HTTP: what may be asked, how it is answered, and the OpenAPI document."""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import models_json_schema

from ..domain.documents import Document
from ..domain.eligibility import customer_queues
from .index.faults import RecordRefused
from .index.schema import RecordSchema
from .rules import YamlRules
from .s3 import document_from
from .triggers import NAME

CUSTOMERS_MAX = 100
PATH = "/v1/eligibility"

_Key = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=r"^[!-~]+$", description="Customer key; treated as personal"),
]
_Short = Annotated[str, Field(max_length=64)]
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\ufffe\uffff]*$"
"""What a field may hold that is refused, not left out, where a character in it is not one to be read."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class CustomerAsked(_Strict):
    """A customer, and what the composer knows that a drop's record would say too."""

    customer_key: _Key
    recipient: Annotated[str, Field(max_length=128, pattern=_PRINTABLE)] | None = None
    email: Annotated[str, Field(max_length=320)] | None = None
    mobile: Annotated[str, Field(max_length=40)] | None = None
    delivery_channel: _Short | None = None
    account_status: Annotated[_Short, Field(pattern=_PRINTABLE)] | None = None
    amount_due: _Short | None = None
    language: _Short | None = None
    country: _Short | None = None
    time_zone: _Short | None = None


class Asked(_Strict):
    """One domain, up to 100 customers, and the document types asked about (all, if none is named)."""

    domain: Annotated[str, Field(pattern=NAME, max_length=128)]
    customers: Annotated[list[CustomerAsked], Field(min_length=1, max_length=CUSTOMERS_MAX)]
    document_types: Annotated[list[str], Field(max_length=CUSTOMERS_MAX)] | None = None


class ExcludedChannel(_Strict):
    """A channel that is not used, and what speaks against it."""

    channel: str
    why: str


class TypeAnswer(_Strict):
    """What would become of one document type."""

    document_type: str
    channel: Annotated[str, Field(description="email, sms, paper or none")]
    why: str
    detail: str
    not_before: Annotated[str, Field(description="ISO 8601, UTC; empty: now")]
    fallback: list[str]
    both: bool
    excluded: list[ExcludedChannel]
    queues: list[str]


class ConsentAnswer(_Strict):
    """Consent to electronic delivery, as it was given or taken back last."""

    given: bool
    scope: str
    version: str
    at: str
    source: str


class CustomerAnswer(_Strict):
    """One customer, with what SYS_CustomerQueues needs."""

    customer_key: str
    recipient: Annotated[str, Field(description="Empty: the contact that no record names a recipient for")]
    known: bool
    language: str
    email_status: str
    mobile_status: str
    paper_required: bool
    consent: ConsentAnswer | None
    customer_queues: str
    documents: list[TypeAnswer]


class Answered(_Strict):
    """Customers in the order they were asked for."""

    customers: list[CustomerAnswer]


class Problem(_Strict):
    """Why a request was not answered; it never repeats a value."""

    error: str


class RequestRefused(Exception):
    """A request that cannot be answered; `status` is HTTP's."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


def client_of(authorization: str | None, tokens: Mapping[str, str]) -> str:
    """The client that a bearer token (RFC 6750) is of; RequestRefused where it is nobody's.

    Every token is compared, each in constant time.
    """
    scheme, _, given = (authorization or "").partition(" ")
    found = ""
    for client, token in tokens.items():
        if len(token) >= 16 and hmac.compare_digest(given.strip().encode(), token.encode()):
            found = client
    if scheme.lower() != "bearer" or not found:
        raise RequestRefused(401, "a bearer token of a known client is needed")
    return found


def asked_of(body: str | None, rules: YamlRules) -> list[tuple[Document, tuple[str, ...]]]:
    """The customers and types of a request's body; RequestRefused for one that cannot be answered.

    Values take the way of a drop's record, so that both mean the same.
    """
    try:
        asked = Asked.model_validate_json(body or "")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise RequestRefused(400, f"{where}: {first['msg']}") from None
    types = tuple(dict.fromkeys(asked.document_types or rules.types))
    for number, kind in enumerate(types):
        if kind not in rules.types:
            raise RequestRefused(400, f"document_types.{number}: no such document type")
    schema = RecordSchema({name: name for name in rules.types})
    questions = []
    for number, customer in enumerate(asked.customers):
        fields = customer.model_dump(exclude_none=True) | {"document_id": "asked", "document_type": types[0]}
        try:
            record = schema.normalise(tuple(fields), list(fields.values()))
        except RecordRefused as refused:
            fault = refused.faults[0]
            raise RequestRefused(400, f"customers.{number}.{fault.field}: {fault.reason}") from None
        questions.append((document_from({**record, "pos": number}, asked.domain)[1], types))
    return questions


def answered(answers: Sequence[Any], separator: str) -> Response[str]:
    """The answer to a request, from the use case's."""
    rows = []
    for one in answers:
        documents = [asdict(verdict) for verdict in one.verdicts]
        rows.append(
            {
                "customer_key": one.customer_key,
                "recipient": one.recipient,
                "known": one.known,
                "language": one.language,
                "email_status": one.addresses["email"],
                "mobile_status": one.addresses["mobile"],
                "paper_required": one.paper_required,
                "consent": asdict(one.consent) if one.consent else None,
                "customer_queues": customer_queues(one.verdicts, separator),
                "documents": documents,
            }
        )
    return json_response(200, {"customers": rows})


def refused(error: RequestRefused) -> Response[str]:
    """The answer to a request that is refused."""
    more = {"WWW-Authenticate": 'Bearer realm="eligibility"'} if error.status == 401 else {}
    return json_response(error.status, {"error": str(error)}, more)


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response[str]:
    """An answer that no cache keeps."""
    return Response(
        status,
        "application/json",
        json.dumps(body, separators=(",", ":")),
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})},
    )


def openapi(server: str, types: Sequence[str]) -> dict[str, Any]:
    """The service's OpenAPI 3.1 document, made from the very models that requests are checked with."""
    models = [(model, "validation") for model in (Asked, Answered, Problem)]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]

    # Which document types there are is the site's, not the model's.
    named = schemas["$defs"]["Asked"]["properties"]["document_types"]["anyOf"]
    next(one for one in named if one["type"] == "array")["items"] = {"type": "string", "enum": list(types)}

    def content(name: str) -> dict[str, Any]:
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}

    problem = {
        "400": "The request says something that cannot be used",
        "401": "No token of a known client",
        "404": "No such path",
        "413": "A body of more than 10 MB",
        "429": "More requests a second than the route lets through",
    }
    answers: dict[str, Any] = {
        "200": {"description": "A verdict a customer and type", "content": content("Answered")}
    }
    for status, description in problem.items():
        # The gateway itself answers some of these, in words of its own.
        own = status in ("400", "401")
        answers[status] = {"description": description, **({"content": content("Problem")} if own else {})}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Eligibility",
            "version": "1",
            "description": "Which channel a document goes to, and why: the dispatch's own decision.",
        },
        "servers": [{"url": server}],
        "paths": {
            PATH: {
                "post": {
                    "operationId": "answerEligibility",
                    "summary": "Channels of up to 100 customers",
                    "security": [{"bearer": []}],
                    "requestBody": {"required": True, "content": content("Asked")},
                    "responses": answers,
                }
            }
        },
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas["$defs"],
        },
    }
