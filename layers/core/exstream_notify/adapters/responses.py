"""What portals, billing systems and Exstream tell of customers' responses, checked at the edge."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..domain.exceptions import Unusable
from ..domain.notices import Response
from ..domain.records import own_identity
from ..domain.responses import ResponseEvent
from ..domain.values import (
    ValueRefused,
    amount_and_currency,
    currency_code,
    is_unset,
)
from .index.faults import RecordRefused
from .index.schema import RecordSchema
from .triggers import NAME, key_of, refuse_repeated

KINDS: Mapping[str, Response] = {
    "Customer Responded": "responded",
    "Payment Received": "paid",
    "Payment Reversed": "paid",
    "Document Acknowledged": "acknowledged",
    "Exstream-Email-OPEN": "opened",
}
"""What an event's detail type means for a notice."""

_SAID: Mapping[str, tuple[str, ...]] = {
    "responded": ("response",),
    "paid": ("amount", "currency"),
    "acknowledged": ("version", "statement"),
}
"""Which words of the detail go into the notice's event."""

_VERSIONS = ("version", "document_version", "content_sha256")

_TIMES = ("responded_at", "received_at", "reversed_at", "acknowledged_at", "at")
_NATIVE = "Exstream-Email-OPEN"
_REVERSED = "Payment Reversed"

_PAYMENT_NAMES: Mapping[str, tuple[str, ...]] = {
    "payment_id": ("paymentid", "paymentreference", "paymentref", "transactionid", "transactionreference"),
    "reversal_of": ("reversalof", "reverses", "reversedpaymentid", "originalpaymentid"),
    "reversal_id": ("reversalid", "reversalreference"),
}
"""Names of a payment's identities, the most trusted first; case, `_`, `-` and spaces do not matter."""

_NO_IDS = frozenset({"null", "none", "nil", "n/a", "na", "unknown", "undefined", "\\n"})

_SEPARATORS = re.compile(r"[\s_.-]+")


def _currency(text: str) -> str:
    try:
        return "" if is_unset(text) else currency_code(text)
    except ValueRefused as refused:
        raise ValueError(str(refused)) from None


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    domain: str = Field(pattern=NAME)
    customer_key: Annotated[str, AfterValidator(key_of)] = Field("", max_length=128)
    recipient: Annotated[str, AfterValidator(key_of)] = Field("", max_length=128)
    document_id: Annotated[str, AfterValidator(key_of)] = Field("", max_length=256)
    case_id: Annotated[str, AfterValidator(key_of)] = Field("", max_length=64)
    by: str = Field("", max_length=128)
    at: str = Field("", max_length=40)
    said: str = Field("", max_length=200)
    payment_id: str = Field("", max_length=256)
    reversal_of: str = Field("", max_length=256)
    amount: str = Field("", max_length=40)
    currency: Annotated[str, AfterValidator(_currency)] = Field("", max_length=8)

    @model_validator(mode="after")
    def _together(self) -> "_Response":
        """The amount in its kept form; read with its currency, as a record's."""
        if is_unset(self.amount):
            return self.model_copy(update={"amount": ""})
        try:
            amount, currency = amount_and_currency(self.amount, self.currency or None)
        except ValueRefused as refused:
            raise ValueError(f"amount: {refused}") from None
        return self.model_copy(update={"amount": amount, "currency": currency or ""})


def response_of(body: Mapping[str, Any], schema: RecordSchema) -> ResponseEvent:
    """The response of an EventBridge event; Unusable where it is none, or names nothing to respond to.

    `schema` reads the customer's fields of Exstream's own events, under the site's names for them.
    """
    place = f"event {body.get('id', '')}"
    refuse_repeated(body, "event_unusable", place)
    detail, kind = body.get("detail"), KINDS.get(str(body.get("detail-type")))
    if kind is None or not isinstance(detail, Mapping):
        raise Unusable("event_unusable", place, "not the event of a response")
    told = _native(detail, schema, place) if body["detail-type"] == _NATIVE else _own(detail, kind)
    if kind == "paid":
        told |= _identities(detail, reversed_=body["detail-type"] == _REVERSED)
    try:
        found = _Response.model_validate(told)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = f"{first['loc'][0]}: " if first["loc"] else ""
        what = first["msg"].removeprefix("Value error, ")
        raise Unusable("event_unusable", place, f"{where}{what}") from None
    if not (found.customer_key or found.document_id or found.case_id):
        raise Unusable("event_unusable", place, "no customer_key, document_id or case_id")
    at = found.at or str(body.get("time", ""))
    if body["detail-type"] == _REVERSED and not (found.reversal_of or found.amount):
        raise Unusable("event_unusable", place, "neither the payment that is reversed nor an amount")
    values = {**found.model_dump(), "at": at, "versions": _versions(detail) if kind == "acknowledged" else ()}
    if body["detail-type"] == _REVERSED and not found.reversal_of:
        values["amount"] = "-" + found.amount.removeprefix("-")
    event_id = str(body.get("id") or "")[:256]
    return ResponseEvent(kind, **values, source=str(body.get("source", ""))[:64], event_id=event_id)


def _own(detail: Mapping[str, Any], kind: Response) -> dict[str, Any]:
    names = ("domain", "customer_key", "recipient", "document_id", "case_id")
    told = {name: detail.get(name) or "" for name in names}
    said = [str(detail[name]) for name in _SAID[kind] if detail.get(name)]
    at = next((detail[name] for name in _TIMES if detail.get(name)), "")
    if kind == "paid":
        amount = detail.get("amount")
        told |= {
            "amount": "" if amount is None else amount,
            "currency": str(detail.get("currency") or "").strip(),
        }
    return {**told, "by": detail.get("acknowledged_by") or "", "at": at, "said": " ".join(said)[:200]}


def _versions(detail: Mapping[str, Any]) -> tuple[str, ...]:
    """The versions that an acknowledgement names, each once."""
    said = (str(detail[name]).strip()[:128] for name in _VERSIONS if detail.get(name))
    return tuple(dict.fromkeys(version for version in said if not is_unset(version)))


def _is_placeholder(value: object) -> bool:
    """Whether a payment's id is none: one that all payments have would make them all the same."""
    text = str(value if value is not None else "").strip().lower()
    return text in _NO_IDS or not text.strip("0-./ ")


def _identities(detail: Mapping[str, Any], *, reversed_: bool) -> dict[str, Any]:
    """The payment that an event is about, and the one that it takes back.

    A reversal that names one payment only takes that one back, under the identity of its event.
    """
    names = {_SEPARATORS.sub("", str(name)).lower(): value for name, value in detail.items()}

    def first(field: str) -> Any:
        values = (names.get(name) for name in _PAYMENT_NAMES[field])
        return next((value for value in values if not _is_placeholder(value)), "")

    payment, of, own = first("payment_id"), first("reversal_of"), first("reversal_id")
    if reversed_ and not of:
        payment, of = "", payment
    if of:
        return {"payment_id": own or ("" if payment == of else payment), "reversal_of": of}
    return {"payment_id": payment, "reversal_of": ""}


def _native(detail: Mapping[str, Any], schema: RecordSchema, place: str) -> dict[str, Any]:
    """Customer and document as in the native manifest; Exstream's own id of the communication otherwise."""
    user, job, statistics = (
        part if isinstance(part := detail.get(name), Mapping) else {}
        for name in ("user", "exstreamJob", "exstreamEmailStatistics")
    )
    try:
        fields = schema.fields_of(tuple(map(str, user)), list(user.values()))
    except RecordRefused as refused:
        raise Unusable("event_unusable", place, str(refused.faults[0].reason)) from None
    named = {str(name): value for name, value in fields.items() if name}
    communication = statistics.get("communicationId") or job.get("communicationId") or ""
    return {
        "domain": statistics.get("domain") or job.get("domain") or "",
        "customer_key": named.get("customer_key", ""),
        "recipient": named.get("recipient", ""),
        "document_id": own_identity(named) or communication,
        "at": statistics.get("creationTime") or "",
    }
