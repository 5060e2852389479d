"""Our own events about runs and their files, as the exception queue brings them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..domain.exceptions import ExceptionRaised, FileRead


def arrived_of(body: dict[str, Any]) -> tuple[str, str, str] | None:
    """Domain, run and application of a `Run Arrived` event."""
    if body.get("detail-type") != "Run Arrived":
        return None
    detail = body["detail"]
    return detail["domain"], detail["run_id"], detail["app"]


def file_read_of(body: dict[str, Any]) -> FileRead | None:
    """What a `File Read` event tells."""
    if body.get("detail-type") != "File Read":
        return None
    detail = body["detail"]
    return FileRead(**{**detail, "reported": tuple(detail["reported"])})


def said_at(body: dict[str, Any]) -> str:
    """When an event was put on the bus, in UTC; empty if it does not say."""
    try:
        return datetime.fromisoformat(body["time"]).astimezone(UTC).isoformat(timespec="seconds")
    except (KeyError, TypeError, ValueError):
        return ""


def dated(exceptions: list[ExceptionRaised], body: dict[str, Any]) -> list[ExceptionRaised]:
    """An event's exceptions, said when it was put on the bus unless they say when themselves."""
    at = said_at(body)
    return [e if e.said_at else replace(e, said_at=at) for e in exceptions]
