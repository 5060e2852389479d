"""What brings exceptions, beside our own: the composer's events, and files dropped beside an index."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..domain.channels import AlertReceipt
from ..domain.customer_ranges import HIGHEST, from_text, to_text
from ..domain.exceptions import ExceptionRaised, Severity, worst
from ..domain.masking import WITHHELD, Vocabulary
from .job_events import JobPart, bodies, failures_of, job_parts, run_names
from .triggers import NAME, exception_of, run_file_of

EVENT_CODES: Mapping[str, str] = {
    "Composition Failed": "composition_failed",
    "Compliance Exception": "compliance_exception",
    "Missing Data": "missing_data",
}
"""Codes of the sites' own events; the composer's `Exstream-…-Failed` are `composition_failed`."""

_ENGINE = re.compile(r"\s*EX[0-9]{6}([SE])(?!\w)")

_OWN = "exnotify"
"""The source of our own events."""

_COMPOSER = "exstream"

_OF_CUSTOMERS = frozenset(
    {
        "Customer Responded", "Payment Received", "Payment Reversed", "Document Acknowledged",
        "Account Status Changed", "Exstream-Email-OPEN", "Preferences Changed",
    }
)  # fmt: skip
"""What is told of customers; UnnamedSourceRule brings it here from a source that is not named for it."""
_REPORTED = "Alert Reported"

_COMPOSER_FAILED = re.compile(r"Exstream-.+-Failed")
_NAME = re.compile(NAME)
_WORD = re.compile(r"[^A-Za-z0-9_.:-]")
_KIND = re.compile(r"[^A-Za-z0-9 -]")


def exceptions_of(body: dict[str, Any], vocabulary: Vocabulary) -> list[ExceptionRaised]:
    """The exceptions that an event tells; none for a message that is something else. ValidationError.

    Of an event that is not ours the names that `vocabulary` does not know are masked.
    """
    kind = body.get("detail-type", "Exception Raised" if "detail" in body else "")
    if kind == "Exception Raised" and body.get("source", _OWN) == _OWN:
        return [exception_of(body)]
    detail = body.get("detail")
    is_composers = body.get("source") == _COMPOSER and isinstance(detail, dict)
    parts = job_parts(detail) if is_composers else []
    if kind == "Exception Raised":
        return [_told_by_others(body, kind).as_it_leaves(vocabulary.shown)]
    code = EVENT_CODES.get(kind) or ("composition_failed" if _COMPOSER_FAILED.fullmatch(kind) else "")
    if code and not any(part.kind == "step" for part in parts):
        return [_of_event(body, kind, code).as_it_leaves(vocabulary.shown)]
    if is_composers and kind not in _OF_CUSTOMERS:
        return _of_job(body, body["detail"], parts, vocabulary)
    return [] if body.get("source", _OWN) == _OWN else [_of_stranger(body, kind)]


def reported_of(body: dict[str, Any]) -> AlertReceipt | None:
    """What a provider reports of an alert of ours."""
    return AlertReceipt(**body["detail"]) if body.get("detail-type") == _REPORTED else None


def look_of(body: dict[str, Any]) -> tuple[str, str] | None:
    """Kind and name of what is to be looked at."""
    return (body["look"]["kind"], body["look"]["name"]) if "look" in body else None


def file_of(body: dict[str, Any], speaks: Callable[[str], bool]) -> tuple[str, str, str] | None:
    """Domain, run and name of a file in a run's folder, by its literal key.

    In a folder below it documents lie: None for a file there, unless it looks like an index or its name
    `speaks` of the composer's own. `Unusable` for a file elsewhere, and where the folder's name cannot be a
    run's.
    """
    key = body["detail"]["object"]["key"]
    parts = key.split("/")
    below = len(parts) > 4 and parts[0] == "drop"
    if key.endswith("/"):
        return None
    if not below or ".index." in parts[-1].lower():
        return run_file_of(key)
    if not speaks(parts[-1]):
        return None
    domain, run_id, _ = run_file_of("/".join((*parts[:3], parts[-1])))
    return domain, run_id, "/".join(parts[3:])


def _of_event(body: Mapping[str, Any], kind: str, code: str) -> ExceptionRaised:
    """A composer's or site's event; what is personal in it stays behind.

    Its run is what the event names, else the job it belongs to, so that a thousand failures of one job
    are one incident.
    """
    detail = body.get("detail")
    detail = detail if isinstance(detail, dict) else {}
    job = detail.get("exstreamJob")
    job = job if isinstance(job, dict) else {}
    user = detail.get("user")
    user = user if isinstance(user, dict) else {}
    event_id = str(body.get("id", ""))[:64]
    run = detail.get("run_id")
    runs = (
        str(run) if type(run) is int else run,
        job.get("communicationId"),
        job.get("campaignId"),
        f"event-{event_id}",
    )
    said = next((detail[n] for n in ("text", "message", "reason") if isinstance(detail.get(n), str)), "")
    which = _WORD.sub("", str(detail.get("code") or detail.get("rule") or ""))[:60]
    run_id = _name(*runs, "none")
    given = next((" ".join(str(name).split())[:128] for name in runs[:-1] if name), "")
    of_run = "" if run_id in runs[:-1] or not given else f"; its run id is none: {given}"
    queue = _WORD.sub("", str(detail.get("queue") or detail.get("queue_name") or ""))[:60]
    document_type = _WORD.sub("", str(detail.get("document_type") or ""))[:60]
    count = detail.get("count")
    return ExceptionRaised(
        code,
        _severity(detail.get("severity"), which, said),
        _name(detail.get("domain"), job.get("domain"), "unknown"),
        run_id,
        f"{kind} {which}".strip() + of_run,
        part=f"event {event_id}",
        count=int(count) if isinstance(count, int) and 0 < count < 1_000_000_000 else 1,
        samples=(WITHHELD,) if said else (),
        customers=_customers(
            detail.get("customers_in_run"), detail.get("customer_in_run"), user.get("CustomerInRun")
        ),
        queue=queue,
        document_type=document_type,
        names=(which, queue, document_type, event_id, given),
    )


def _of_job(
    body: Mapping[str, Any], detail: Mapping[str, Any], parts: list[JobPart], vocabulary: Vocabulary
) -> list[ExceptionRaised]:
    """What did not succeed of a job; nothing where all did (rule JobFailedRule)."""
    event_id = _WORD.sub("", str(body.get("id", "")))[:64]
    domains = (inner.get("domain") for inner in bodies(detail, parts))
    run_id = _name(*run_names(detail, parts), f"event-{event_id}", "none")
    domain = _name(*domains, "unknown")
    return failures_of(parts, domain, run_id, lambda text: _WORD.sub("", str(text))[:60], vocabulary)


def _told_by_others(body: Mapping[str, Any], kind: str) -> ExceptionRaised:
    """An exception in our own form that a site's system put on the bus: what any event may carry is taken
    of it, and the part that it is of; what only we say (whose it is, when, of which file) is not."""
    told = _of_event(body, kind, "event_unusable")
    detail = body.get("detail")
    detail = detail if isinstance(detail, dict) else {}
    code = _WORD.sub("", str(detail.get("code") or ""))[:60] or told.code
    part = _WORD.sub("", str(detail.get("part") or ""))[:60] or told.part
    told = replace(
        told, code=code, part=part, text=code, samples=(WITHHELD,), names=(*told.names, code, part)
    )
    return replace(told, count=0) if detail.get("count") == 0 else told


def _of_stranger(body: Mapping[str, Any], kind: str) -> ExceptionRaised:
    """An event that no rule takes from its source; what it says stays behind (rule UnnamedSourceRule)."""
    detail = body.get("detail")
    source = _WORD.sub("", str(body["source"]))[:60]
    return ExceptionRaised(
        "source_unnamed",
        "error",
        _name(detail.get("domain") if isinstance(detail, dict) else "", "unknown"),
        "none",
        f"{_KIND.sub('', kind)[:60]} from source {source}",
        part=f"source {source}, event {_WORD.sub('', str(body.get('id', '')))[:64]}",
    )


_SEVERITIES: Mapping[str, Severity] = {
    "info": "info", "warning": "warning", "error": "error", "severe": "severe",
    "warn": "warning", "fatal": "severe", "critical": "severe",
}  # fmt: skip


def _severity(told: object, *said: str) -> Severity:
    """As an event says it, but never less than the engine's code that it gives, or its text begins with."""
    codes = (_ENGINE.match(text) for text in said)
    letters: list[Severity] = ["severe" if found[1] == "S" else "error" for found in codes if found]
    return worst((_SEVERITIES.get(str(told or "").strip().lower(), "error"), *letters))


def _name(*candidates: object) -> str:
    return next(c for c in candidates if isinstance(c, str) and _NAME.fullmatch(c))


def _customers(*told: object) -> str:
    """Sequence numbers as an event may give them: a list, a number, or `2,7,14-50`."""
    for value in told:
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value or "")
        try:
            ranges = from_text(text)
        except ValueError:
            continue
        if ranges and ranges[-1][1] <= HIGHEST:
            return to_text(ranges)
    return ""
