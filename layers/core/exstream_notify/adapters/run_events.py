"""Our own events about runs and their files, as the exception queue brings them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from ..domain.exceptions import ExceptionRaised, FileRead
from ..domain.masking import Vocabulary
from ..domain.runs import RunNews
from .alert_triggers import exceptions_of

_RUN_EVENTS: dict[str, Literal["arrived", "dispatched"]] = {
    "Run Arrived": "arrived",
    "Run Dispatched": "dispatched",
}


def news_of(body: dict[str, Any]) -> RunNews | FileRead | None:
    """What an event, or a look that fell due, tells of a run or its file; None for any other message."""
    if body.get("look", {}).get("kind") == "cover":
        domain, run_id, tried = body["look"]["name"].split("/")
        return RunNews("again", domain, run_id, tried=int(tried))
    kind = body.get("detail-type", "")
    if kind == "File Read":
        detail = body["detail"]
        return FileRead(**{**detail, "reported": tuple(detail["reported"])})
    if kind not in _RUN_EVENTS:
        return None
    detail = body["detail"]
    what = _RUN_EVENTS[kind]
    return RunNews(what, detail["domain"], detail["run_id"], said_at(body))


def said_at(body: dict[str, Any]) -> str:
    """When an event was put on the bus, in UTC; empty if it does not say."""
    try:
        return datetime.fromisoformat(body["time"]).astimezone(UTC).isoformat(timespec="seconds")
    except (KeyError, TypeError, ValueError):
        return ""


def told_by(body: dict[str, Any], vocabulary: Vocabulary) -> list[ExceptionRaised]:
    """An event's exceptions, said when it was put on the bus unless they say when themselves."""
    at = said_at(body)
    return [e if e.said_at else replace(e, said_at=at) for e in exceptions_of(body, vocabulary)]
