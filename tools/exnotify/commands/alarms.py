"""`exnotify alarms`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ..errors import CommandError
from .options import as_json, deployment, on_stack

if TYPE_CHECKING:
    from ..deployment import Deployment


_TYPES = "AWS::CloudWatch::"


@click.command("alarms")
@click.option("--all", "every", is_flag=True, help="Also those that are not in alarm.")
@as_json
@on_stack
def command(every: bool, as_json: bool, stack: str | None) -> int:
    """Show which alarms are on, what pages, and what each means. Exit code 1 while one pages."""
    from ..screen import console, emit_json

    target = deployment(stack)
    rows = _locally(target) if target.url else _on_aws(target)
    if not rows:
        raise CommandError(f"{target.name} has no alarms: nothing watches it; deploy it again")
    paging = any(row["pages"] for row in rows)
    if as_json:
        emit_json(rows)
        return int(paging)
    out = console()
    shown = [row for row in rows if every or row["state"] == "ALARM"]
    for row in shown:
        mark = "pages" if row["pages"] else ""
        since = row["since"] or ""
        out.print(f"{row['state']:<18}{row['alarm']}  {since}  {mark}".rstrip(), highlight=False)
        if row["state"] == "ALARM":
            out.print(f"    {row['text']}", highlight=False)
    on = sum(row["state"] == "ALARM" for row in rows)
    out.print(f"{len(rows)} alarms, {on} on", highlight=False)
    return int(paging)


def _locally(target: "Deployment") -> list[dict[str, Any]]:
    from ..deployment import ask

    rows: list[dict[str, Any]] = ask(target.url or "", "GET", "alarms")
    for row in rows:
        row["since"] = _time(row["since"])
    return rows


def _time(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _on_aws(target: "Deployment") -> list[dict[str, Any]]:
    """The stack's own alarms: those of a stack whose name goes on (notify, notify-trial) begin alike."""
    from ..doctor.look import Look, Untold

    look = Look(target)
    try:
        own = {
            name for kind in ("Alarm", "CompositeAlarm") for name in look.of_type(f"{_TYPES}{kind}").values()
        }
    except Untold as untold:
        raise CommandError(f"{untold}: {untold.cure}") from untold
    pages = target.client("cloudwatch").get_paginator("describe_alarms")
    prefix = target.name.removeprefix("stack ") + "-"
    rows = []
    for page in pages.paginate(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"]):
        for kind in ("CompositeAlarms", "MetricAlarms"):
            for alarm in (row for row in page.get(kind, ()) if row["AlarmName"] in own):
                composite = kind == "CompositeAlarms"
                suppressed = bool(alarm.get("ActionsSuppressedBy"))
                since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
                rows.append(
                    {
                        "alarm": alarm["AlarmName"],
                        "state": alarm["StateValue"],
                        "pages": bool(alarm.get("AlarmActions"))
                        and alarm["StateValue"] == "ALARM"
                        and not suppressed,
                        "composite": composite,
                        "since": since.isoformat(timespec="seconds"),
                        "points": [],
                        "threshold": alarm.get("Threshold"),
                        "text": alarm.get("AlarmDescription", ""),
                    }
                )
    return sorted(rows, key=lambda row: (row["state"] != "ALARM", not row["pages"]))
