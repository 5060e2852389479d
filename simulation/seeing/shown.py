"""What the command shows when everything has come to rest, read with its own code."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from exnotify.commands.incidents import incident_row
from exnotify.deployment import Deployment
from exnotify.notices import notice_row
from exnotify.paper import paper_rows
from exnotify.proof import proof_of
from exnotify.records import records_of
from exnotify.runs import state_of
from exstream_notify.domain.runs import Run
from exstream_notify.ports import RecordsGone
from exstream_notify.use_cases.step_rules import is_off
from simulation.checker.seen import Shown
from simulation.engine.cloud import Cloud

Row = dict[str, Any]


def shown_by(cloud: Cloud, proven: Collection[tuple[str, str]] = ()) -> Shown:
    """Everything, as `exnotify` would print it now; `proven` are the customers, by domain, whose proofs are
    opened."""
    found: Shown = cloud.read(lambda target: _read(target, cloud, proven))
    return found


def _read(target: Deployment, cloud: Cloud, proven: Collection[tuple[str, str]]) -> Shown:
    app = target.app
    runs = {run.name: run for run in _runs(target)}
    items = {str(item["pk"]["S"]): item for item in _items(target, target.settings.notices_table)}
    notices = app.ledger.get([key for key in items if _is_id(key)])
    return Shown(
        at=cloud.timeline.now,
        runs={name: state_of(app, run) for name, run in runs.items()},
        rows={name: _rows(target, run) for name, run in runs.items()},
        notices={
            identity: {**notice_row(notice), "together": list(notice.together)}
            for identity, notice in notices.items()
        },
        incidents=[incident_row(incident) for incident in app.incidents.all()],
        journeys=_journeys(target),
        paper={name: paper_rows(app, run) for name, run in runs.items()},
        evidence={
            identity: proof_of(app, notice)
            for identity, notice in notices.items()
            if (notice.domain, notice.customer_key) in proven
        },
        waiting=_letters(cloud, dead=False),
        dead=_letters(cloud, dead=True),
        sizes={identity: len(json.dumps(items[identity], default=str)) for identity in notices},
    )


def _is_id(key: str) -> bool:
    return len(key) == 32 and all(letter in "0123456789abcdef" for letter in key)


def _items(target: Deployment, table: str) -> Iterator[Row]:
    pages = target.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    for page in pages:
        yield from page["Items"]


def _runs(target: Deployment) -> Iterator[Run]:
    """Every run that the Runs table has, whatever its state."""
    rows = [item for item in _items(target, target.settings.runs_table) if "state" in item]
    names = sorted((str(row["sk"]["S"]).removesuffix("#run"), str(row["pk"]["S"])) for row in rows)
    for domain, run_id in names:
        if run := target.app.runs.get(domain, run_id):
            yield run


def _rows(target: Deployment, run: Run) -> list[Row]:
    """`run --csv`; nothing where the records are gone."""
    try:
        return [asdict(row) for row in records_of(target.app, run)]
    except RecordsGone:
        return []


def _journeys(target: Deployment) -> list[Row]:
    app = target.app
    return [
        {
            "due_at": state.cohort.due.isoformat(timespec="seconds"),
            "domain": state.cohort.domain,
            "journey": state.cohort.journey,
            "step": state.cohort.step,
            "members": members,
            "off": is_off(state.cohort.journey, app.rules, app.journeys),
        }
        for state, members in app.journeys.all_cohorts()
    ]


def _letters(cloud: Cloud, *, dead: bool) -> Mapping[str, int]:
    """Messages by queue that a function reads, or by queue of dead letters.

    What a frequent schedule failed on is neither: its next good run does the work (docs/runbook.md).
    """
    found: dict[str, int] = {}
    read = {mapping.queue for mapping in cloud.deployment.mappings}
    for queue in cloud.deployment.queues.values():
        if dead != ("DeadLetters" in queue.name) or not (dead or read & {queue.name, queue.url, queue.arn}):
            continue
        asked = {"QueueUrl": queue.url, "AttributeNames": ["All"]}
        told = cloud.services.call("sqs", "GetQueueAttributes", asked)["Attributes"]
        found[queue.name] = sum(
            int(told[name]) for name in told if name.startswith("ApproximateNumberOfMessages")
        )
    return found
