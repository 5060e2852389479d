"""Account statuses that systems state of customers in their events, checked at the edge."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ..domain.debt import StatusChange
from ..domain.exceptions import Unusable
from ..domain.values import is_unset, type_key
from .responses import KINDS
from .triggers import NAME, key_of, refuse_repeated

STATUS_CHANGED = "Account Status Changed"
"""The detail type of an event that states a status and tells of no response."""

DETAIL_TYPES = (*KINDS, STATUS_CHANGED)
"""What `ResponseSources` may tell of customers."""

_FIELD = "account-status"
_TIMES = ("changed_at", "responded_at", "received_at", "reversed_at", "acknowledged_at", "at")


class _Stated(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    domain: str = Field(pattern=NAME)
    customer_key: Annotated[str, AfterValidator(key_of)] = Field("", max_length=128)
    document_id: Annotated[str, AfterValidator(key_of)] = Field("", max_length=256)
    case_id: Annotated[str, AfterValidator(key_of)] = Field("", max_length=64)
    status: str = Field("", max_length=200)
    said: str = Field("", max_length=2000)
    at: str = Field("", max_length=40)


def tells_response(body: Mapping[str, Any]) -> bool:
    """Whether an event is about a response, beside the status that it may state."""
    return body.get("detail-type") != STATUS_CHANGED


def status_change_of(body: Mapping[str, Any]) -> StatusChange | None:
    """What an event states of a customer's account, or what the customer's own words say; None if nothing.

    Unusable where its detail type promises a status and it states none, or where it names nobody.
    """
    event_id = str(body.get("id") or "")[:256]
    place = f"event {event_id}"
    refuse_repeated(body, "event_unusable", place)
    detail = body.get("detail")
    if not isinstance(detail, Mapping):
        return None
    status = next((v for name, v in detail.items() if type_key(str(name)) in (_FIELD, "accountstatus")), None)
    status = "" if status is None or is_unset(str(status)) else str(status).strip()
    said = str(detail.get("response") or "") if body.get("detail-type") == "Customer Responded" else ""
    if tells_response(body) and not (status or said):
        return None
    told = {name: detail.get(name) or "" for name in ("domain", "customer_key", "document_id", "case_id")}
    at = next((detail[name] for name in _TIMES if detail.get(name)), "") or str(body.get("time", ""))
    try:
        found = _Stated.model_validate({**told, "status": status, "said": said[:2000], "at": at})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Unusable("event_unusable", place, f"{first['loc'][0]}: {first['msg']}") from None
    if not tells_response(body) and not status:
        raise Unusable("event_unusable", place, "no account_status")
    if not (found.customer_key or found.document_id or found.case_id):
        raise Unusable("event_unusable", place, "no customer_key, document_id or case_id")
    who = f"event {event_id}" if event_id else f"event of {str(body.get('source', ''))[:64]}"
    return StatusChange(**found.model_dump(), who=who)
