"""`exnotify event FILE`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import FAILED, NEEDS_LOOK, CommandError
from .options import as_json, deployment, on_stack

if TYPE_CHECKING:
    from ..deployment import Deployment

_DOCUMENTS = ("Document Composed", "Exstream-Generated")
_LIMIT = 256 * 1024


@click.command("event")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--follow", is_flag=True, help="Follow the document until it is told.")
@click.option(
    "--timeout", type=click.FloatRange(min=1), default=180.0, metavar="SECONDS", help="As for drop."
)
@as_json
@on_stack
def command(file: Path, follow: bool, timeout: float, as_json: bool, stack: str | None) -> int:
    """Put the EventBridge event in FILE (or - for stdin) on the bus.

    A composed document becomes a run of its own; its id is printed.
    """
    from ..screen import emit_json, remark

    text = sys.stdin.read() if str(file) == "-" else _read(file)
    events = events_in(text, str(file))
    target = deployment(stack)
    for event in events:
        _refuse_unnamed(target, event)
    told = [_put(target, event) for event in events]
    if not follow:
        if as_json:
            emit_json(told[0] if len(told) == 1 else told)
        for row in () if as_json else told:
            click.echo(f"event {row['event_id']}" + (f"  run {row['run']}" if row["run"] else ""))
        return 0
    codes: set[int] = set()
    for event, row in zip(events, told, strict=True):
        if not row["run"]:
            if _is_document(event):
                remark(f"event {row['event_id']} names no domain: it is refused, and nobody is notified")
                codes.add(FAILED)
            else:
                remark(f"event {row['event_id']} starts no run")
            continue
        codes.add(_follow(target, row, timeout, as_json=as_json))
    return next((code for code in (FAILED, NEEDS_LOOK) if code in codes), 0)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not in UTF-8: save it so") from error


def events_in(text: str, file: str) -> list[dict[str, Any]]:
    """The events in a file: one, a list, or as a queue hands them to a function. CommandError otherwise."""
    from exstream_notify.adapters.json_text import unique_names

    try:
        found = json.loads(text, object_pairs_hook=unique_names)
        if isinstance(found, dict) and "Records" in found:
            found = [json.loads(record["body"]) for record in found["Records"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CommandError(f"{file} is not JSON: {error}") from error
    events = found if isinstance(found, list) else [found]
    for event in events:
        if not isinstance(event, dict) or not {"source", "detail-type", "detail"} <= set(event):
            raise CommandError(f"{file} is no EventBridge event: it needs source, detail-type and detail")
        if not isinstance(event["detail"], dict):
            raise CommandError(f"{file} is no EventBridge event: its detail is no object")
        if str(event["source"]).startswith("aws."):
            raise CommandError(
                f"{file} comes from {event['source']}: AWS alone sends those; for a run: `exnotify drop DIR`"
            )
    return events


def _refuse_unnamed(target: "Deployment", event: dict[str, Any]) -> None:
    """CommandError where the stack's rules would not take the event from its source: it would be lost."""
    from exstream_notify.adapters.account_statuses import DETAIL_TYPES

    kind, source = str(event["detail-type"]), str(event["source"])
    of_kind = {**dict.fromkeys(DETAIL_TYPES, "ResponseSources"), "Preferences Changed": "PreferenceSources"}
    allowed = target.parameters.get(of_kind.get(kind, ""))
    if allowed is not None and source not in [name.strip() for name in allowed.split(",")]:
        raise CommandError(
            f"{target.name} takes no event {kind!r} from source {source!r}: name it in the parameter "
            f"{of_kind[kind]}, which is {allowed}"
        )


def _put(target: "Deployment", event: dict[str, Any]) -> dict[str, Any]:
    detail = json.dumps(event["detail"], ensure_ascii=False)
    if len(detail.encode()) > _LIMIT:
        raise CommandError("the event is larger than 256 KB, which EventBridge does not take")
    answer = target.client("events").put_events(
        Entries=[{"Source": str(event["source"]), "DetailType": str(event["detail-type"]), "Detail": detail}]
    )
    entry = answer["Entries"][0]
    if "EventId" not in entry:
        raise CommandError(f"EventBridge refuses the event: {entry.get('ErrorMessage')}")
    domain = domain_of(event)
    event_id = entry["EventId"]
    run_id = f"event-{event_id}" if domain else None
    run = f"{domain}/{run_id}" if domain else None
    return {"event_id": event_id, "domain": domain, "run_id": run_id, "run": run}


def _is_document(event: dict[str, Any]) -> bool:
    from exstream_notify.adapters.job_events import NOT_SUCCEEDED

    failed = str(_job(event).get("status", "")).lower() in NOT_SUCCEEDED
    return event["source"] == "exstream" and event["detail-type"] in _DOCUMENTS and not failed


def domain_of(event: dict[str, Any]) -> str | None:
    """The domain of a document's event; None for an event of another kind, and of a job that failed."""
    if not _is_document(event):
        return None
    detail = event["detail"]
    found = detail.get("domain") or _job(event).get("domain")
    return str(found) if found else None


def _job(event: dict[str, Any]) -> dict[str, Any]:
    job = event["detail"].get("exstreamJob")
    return job if isinstance(job, dict) else {}


def _follow(target: "Deployment", row: dict[str, Any], timeout: float, *, as_json: bool) -> int:
    from ..following import follow
    from ..screen import progress
    from .drop import moving, show_end

    with progress() as bars:
        followed = follow(target, row["domain"], row["run_id"], stall=timeout, show=moving(bars))
    if followed.told is None:
        raise CommandError(
            f"the event became no run {row['run']}: `exnotify incidents` says if it was refused"
        )
    return show_end(target, followed, as_json=as_json)
