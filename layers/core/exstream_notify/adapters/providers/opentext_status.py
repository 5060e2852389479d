"""The status document of OpenText Notifications, as the status call and the push both give it.

Our own strings come back base64. Seen in public examples: states by name (`Sent`), codes and messages
left out; also found: states by number. Unknown fields and states are kept or passed over, never fatal.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

STATES: Final[Mapping[int, str]] = {
    1: "Pending",
    2: "Submitted",
    3: "InProcess",
    4: "Error",
    5: "Cancelled",
    6: "Held",
    7: "Sent",
    8: "Expired",
}
"""Delivery states. Error: nothing was sent. Sent: handed over if the gamma code is 0 or absent, which is
not delivered; that, or that it bounced, is said later by an event."""

_BY_FOLDED_NAME = {name.casefold(): name for name in STATES.values()}
_LIMIT = 10_000_000


class StatusUnreadable(ValueError):
    """Not a status document; the text says where, without the document's content."""


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One try of the service; `state` by name, as given where unknown."""

    state: str
    gamma_code: int | None
    first_attempt: str


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """What happened at the far end. `enhanced` is class.subject.detail (RFC 3463), `5.1.1`, or empty."""

    kind: Literal["sms", "dsn", "open", "opt_out", "pull"]
    at: str
    enhanced: str = ""
    status: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One destination; `ref` is ours, decoded."""

    ref: str
    channel: Literal["email", "sms"]
    address: str = field(repr=False)
    attempts: tuple[DeliveryAttempt, ...]
    events: tuple[DeliveryEvent, ...]


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One job; `states` is a list in the document, `Complete` and `Posted` together for example."""

    job_id: str
    states: tuple[str, ...]
    entry_time: str
    customer_reference: str
    billing_code: str
    deliveries: tuple[Delivery, ...]
    unreadable: tuple[str, ...] = ()
    """Why some deliveries could not be read; the others are."""


def decode_status(document: bytes | str | Mapping[str, Any]) -> JobStatus:
    """Read a status document; StatusUnreadable if it is none. A delivery that is none loses only itself."""
    if isinstance(document, (bytes, str)):
        if len(document) > _LIMIT:
            raise StatusUnreadable("larger than a status document is")
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            raise StatusUnreadable("not JSON") from None
    if not isinstance(document, Mapping) or not isinstance(document.get("job_id"), str):
        raise StatusUnreadable("no job_id")
    deliveries = document.get("deliveries", [])
    if deliveries is None:
        deliveries = []
    if not isinstance(deliveries, list):
        raise StatusUnreadable("deliveries is no list")
    found, unreadable = [], []
    for number, row in enumerate(deliveries):
        try:
            found.append(_delivery(row, number))
        except StatusUnreadable as error:
            unreadable.append(str(error))
    return JobStatus(
        document["job_id"],
        tuple(str(state) for state in _list(document.get("job_state"))),
        _text(document.get("entry_time")),
        _if_decoded(document, "customer_reference"),
        _if_decoded(document, "billing_code"),
        tuple(found),
        tuple(unreadable),
    )


def _delivery(row: object, number: int) -> Delivery:
    if not isinstance(row, Mapping):
        raise StatusUnreadable(f"deliveries[{number}] is no object")
    channel: Literal["email", "sms"] = "email" if "email" in row else "sms"
    attempts = tuple(
        DeliveryAttempt(
            state_name(attempt.get("state")),
            _number(attempt.get("gamma_code")),
            _text(attempt.get("first_attempt")),
        )
        for attempt in _objects(row.get("delivery_attempts"))
    )
    events = row.get("events")
    found = tuple(_events(events)) if isinstance(events, Mapping) else ()
    try:
        ref = _decoded(row, "ref")
    except StatusUnreadable as error:
        raise StatusUnreadable(f"deliveries[{number}]: {error}") from None
    return Delivery(ref, channel, _text(row.get(channel)), attempts, found)


def _events(events: Mapping[str, Any]) -> Iterator[DeliveryEvent]:
    for event in _objects(events.get("sms_delivery_events")):
        yield _event("sms", event)
    email = events.get("email_delivery_events")
    if not isinstance(email, Mapping):
        return
    kinds: tuple[tuple[str, Literal["dsn", "open", "opt_out", "pull"]], ...] = (
        ("dsn", "dsn"), ("html_open", "open"), ("opt_out", "opt_out"), ("pull", "pull"),
    )  # fmt: skip
    for name, kind in kinds:
        for event in _objects(email.get(name)):
            yield _event(kind, event)


def _event(kind: Literal["sms", "dsn", "open", "opt_out", "pull"], event: Mapping[str, Any]) -> DeliveryEvent:
    codes = [_number(event.get(name)) for name in ("class", "subject", "detail")]
    enhanced = "" if None in codes else ".".join(map(str, codes))
    at = next((event[name] for name in ("event_time", "arrival_time", "time") if event.get(name)), "")
    return DeliveryEvent(kind, _text(at), enhanced, _text(event.get("status")), _text(event.get("message")))


def state_name(state: object) -> str:
    """A state by name, whether it came by name or by number."""
    number = _number(state)
    if number is not None:
        return STATES.get(number, str(number))
    return _BY_FOLDED_NAME.get(_text(state).casefold(), _text(state))


def _decoded(row: Mapping[str, Any], name: str) -> str:
    value = row.get(f"{name}_base64")
    if value is None:
        return _text(row.get(name))
    try:
        return b64decode(_text(value), validate=True).decode("utf-8")
    except ValueError:
        raise StatusUnreadable(f"{name}_base64 is not base64 of UTF-8") from None


def _if_decoded(document: Mapping[str, Any], name: str) -> str:
    """A text that nothing depends on; empty where it cannot be decoded."""
    try:
        return _decoded(document, name)
    except StatusUnreadable:
        return ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [row for row in _list(value) if isinstance(row, Mapping)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return None
