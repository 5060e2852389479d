"""The eligibility service over HTTP: what may be asked, how it is answered, and the OpenAPI document."""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, NoReturn

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import models_json_schema

from ..domain.documents import Document
from ..domain.eligibility import customer_queues
from ..domain.values import type_key
from .index.faults import Fault, RecordRefused
from .index.json_records import named_twice
from .index.names import AliasTable
from .index.schema import RecordSchema
from .json_text import repeated_name
from .rules import YamlRules
from .s3 import document_from
from .triggers import NAME

CUSTOMERS_MAX = 100
PATH = "/v1/eligibility"
_SHOWN = 128
"""Characters of a name or key that is given back as it came."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class CustomerAsked(BaseModel):
    """A customer, and what the composer knows that a drop's record would say too.

    Names and values are read as those of a record: with the site's aliases, in the domain's manner, in any
    of the forms that a record may have (`English`, `es-419`, `USA`); an empty one, null and words such as
    NULL say nothing. `customer_key` is needed. What cannot be read, or says nothing about the channel, is
    left out and named in the answer.
    """

    model_config = ConfigDict(extra="allow")

    customer_key: Any = Field(None, description="Customer key, 1 to 128 characters; treated as personal")
    recipient: Any = Field(None, description="Which holder of the account")
    first_name: Any = Field(None, description="Where a domain tells holders apart by their names")
    last_name: Any = Field(None, description="As the first name")
    email: Any = Field(None, description="E-mail address")
    mobile: Any = Field(None, description="Number for text messages")
    delivery_channel: Any = Field(
        None, description="The channel that the composer was told: email, sms, paper"
    )
    account_status: Any = Field(None, description="Status of the account, as rules name it")
    amount_due: Any = Field(None, description="Amount, with or without its currency")
    currency: Any = Field(None, description="ISO 4217")
    language: Any = Field(None, description="BCP 47, or the language's name")
    country: Any = Field(None, description="ISO 3166, or the country's name")
    postcode: Any = Field(None, description="Postcode")
    time_zone: Any = Field(None, description="IANA time zone")


READ = frozenset(CustomerAsked.model_fields)
"""The fields of a record that an answer depends on."""


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


class Unread(_Strict):
    """A value that does not count: its field, or the name that it came under, and why; never the value."""

    field: str
    reason: str


class CustomerRefused(_Strict):
    """A customer that a record of these values would be rejected for; `customer_key` as it was given."""

    customer_key: str
    error: Unread


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
    left_out: Annotated[list[Unread], Field(description="What the answer does not take into account")]


class Answered(_Strict):
    """Customers in the order they were asked for."""

    customers: list[CustomerAnswer | CustomerRefused]


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


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of a request as a record says it: with a document to decide on, or `refused`."""

    key: str = field(repr=False)
    document: Document | None = field(default=None, repr=False)
    left_out: tuple[Fault, ...] = ()
    refused: Fault | None = None


@dataclass(frozen=True, slots=True)
class Questions:
    """What a request asks, in its order."""

    types: tuple[str, ...]
    customers: tuple[Customer, ...]

    @property
    def documents(self) -> list[Document]:
        """Those that can be decided on."""
        return [one.document for one in self.customers if one.document is not None]


def asked_of(body: str | None, rules: YamlRules, schema_of: Callable[[str], RecordSchema]) -> Questions:
    """The customers and types of a request's body; RequestRefused for one that cannot be answered at all.

    `schema_of` reads records of a domain: each customer takes the way of one, so that both mean the same.
    """
    text = body or ""
    try:
        asked = Asked.model_validate(json.loads(text, parse_constant=_no_number))
        # Numbers as they are written, as the reader of an index has them: 120.50 is not 120.5.
        given = json.loads(text, object_pairs_hook=_made, parse_float=str, parse_int=str)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise RequestRefused(400, f"{where}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise RequestRefused(400, "body: not JSON") from None
    if isinstance(given, _Twice):
        raise RequestRefused(400, f"body: a name stands twice in it: {given.name}")
    if rules.domain(asked.domain).unknown:
        known = ", ".join(rules.named_domains or ())
        raise RequestRefused(400, f"domain: no such domain; domains.yaml names {known}")
    names = {type_key(name): name for name in rules.types}
    types = []
    for number, kind in enumerate(asked.document_types or rules.types):
        if type_key(kind) not in names:
            raise RequestRefused(400, f"document_types.{number}: no such document type")
        types.append(names[type_key(kind)])
    schema = schema_of(asked.domain)
    customers = [
        _customer(number, one, schema, asked.domain, types[0])
        for number, one in enumerate(given["customers"])
    ]
    return Questions(tuple(dict.fromkeys(types)), tuple(customers))


def _customer(
    number: int, given: Mapping[str, Any], schema: RecordSchema, domain: str, kind: str
) -> Customer:
    key = given.get("customer_key")
    shown = key[:_SHOWN] if isinstance(key, str) else ""
    try:
        if len(given) > schema.limits.record_fields:
            raise RecordRefused(Fault(None, f"more than {schema.limits.record_fields} fields"))
        if isinstance(given, _Twice):
            raise RecordRefused(named_twice(schema.aliases, given.name))
        read = {name: value for name, value in given.items() if schema.aliases.can_feed_any(name, READ)}
        left = [Fault(name, _passed_over(name, schema.aliases)) for name in given if name not in read]
        values = list(read.values())
        record = schema.normalise((*read, "document_id", "document_type"), [*values, "asked", kind], left)
    except RecordRefused as refused:
        return Customer(shown, refused=refused.faults[0])
    _, document = document_from({**record, "pos": number}, domain)
    return Customer(shown, document, tuple(left))


def _passed_over(name: str, aliases: AliasTable) -> str:
    return "says nothing about the channel" if aliases.candidates(name) else "no such field"


class _Twice(dict[str, Any]):
    """An object in which a name stands twice."""

    name = ""


def _made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = _Twice(found)
    twice.name = repeated_name(pairs)
    return twice


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def answered(asked: Questions, answers: Sequence[Any], separator: str) -> Response[str]:
    """The answer to a request, from the use case's, which are in the order of `asked.documents`."""
    left = iter(answers)
    rows = [
        _refusal(one) if one.document is None else _row(one, next(left), separator) for one in asked.customers
    ]
    return json_response(200, {"customers": rows})


def _refusal(customer: Customer) -> dict[str, Any]:
    fault = customer.refused or Fault(None, "not usable")
    return {"customer_key": customer.key, "error": _unread(fault)}


def _unread(fault: Fault) -> dict[str, str]:
    return {"field": (fault.field or "")[:_SHOWN], "reason": fault.reason}


def _row(customer: Customer, one: Any, separator: str) -> dict[str, Any]:
    return {
        "customer_key": one.customer_key,
        "recipient": one.recipient,
        "known": one.known,
        "language": one.language,
        "email_status": one.addresses["email"],
        "mobile_status": one.addresses["mobile"],
        "paper_required": one.paper_required,
        "consent": asdict(one.consent) if one.consent else None,
        "customer_queues": customer_queues(one.verdicts, separator),
        "documents": [asdict(verdict) for verdict in one.verdicts],
        "left_out": [_unread(fault) for fault in customer.left_out],
    }


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


def openapi(server: str, types: Sequence[str], domains: Sequence[str] | None) -> dict[str, Any]:
    """The service's OpenAPI 3.1 document, made from the very models that requests are checked with.

    `domains` are those that there are, None: any.
    """
    models = [(model, "validation") for model in (Asked, Answered, Problem)]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]

    # Which document types and domains there are is the site's, not the model's.
    if domains is not None:
        schemas["$defs"]["Asked"]["properties"]["domain"] = {"type": "string", "enum": list(domains)}
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
        "200": {
            "description": "A verdict a customer and type, or why a record of the customer would be rejected",
            "content": content("Answered"),
        }
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
