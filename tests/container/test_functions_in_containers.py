"""Each function takes its example event in a container, from the layer as it is built for Lambda.

The events are those of `events/`; which function gets one is what the template says: the event names its
queue or rule, and the template's event sources name the function. Where an event points to things that must
exist (a run, a slice, a job), they are made first, and the pointer is exchanged for the one that was made.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.container import sam
from tests.container.conftest import StillCloud
from tests.needs import ROOT

EVENTS = sorted((ROOT / "events").glob("*.json"))

MORNING = "2026-11-20T14:05:00+00:00"
LETTER = {
    "customer_key": "C4000001",
    "document_id": "D4000001-CLA",
    "document_type": "claim-letter",
    "email": "c4000001@example.com",
    "language": "en",
    "time_zone": "America/New_York",
    "reference_no": "REF-40000001",
}
REMINDER = {
    "customer_key": "C3000001",
    "document_id": "D3000001-PAY",
    "document_type": "payment-reminder",
    "mobile": "+12025550143",
    "language": "en",
    "time_zone": "America/New_York",
    "reference_no": "REF-30000001",
    "amount_due": "120.50",
    "currency": "USD",
    "due_date": "2026-12-01",
}


def function_of(event: Mapping[str, Any], template: Mapping[str, Any]) -> str:
    """Logical id of the function that the template feeds from the event's queue or rule."""
    if "Records" in event:
        [queue] = {record["eventSourceARN"].rpartition(":")[2] for record in event["Records"]}
        source = {"Fn::GetAtt": [queue, "Arn"]}
        found = [
            name
            for name, properties in sam.functions(template).items()
            if any(entry["Properties"].get("Queue") == source for entry in properties["Events"].values())
        ]
    elif "routeKey" in event:
        found = [
            name
            for name, properties in sam.functions(template).items()
            for entry in properties["Events"].values()
            if event["routeKey"] == f"{entry['Properties'].get('Method')} {entry['Properties'].get('Path')}"
        ]
    else:
        [rule] = {arn.rpartition("/")[2] for arn in event["resources"]}
        found = [name for name, properties in sam.functions(template).items() if rule in properties["Events"]]
    [function] = found
    return function


def as_sent(event: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The event with another body in its one record, of the same shape as the one it shows."""
    [record] = event["Records"]
    assert json.loads(record["body"]).keys() == body.keys(), "the example shows another shape"
    return {"Records": [{**record, "body": json.dumps(body)}]}


class Stage:
    """The ways to get an event's function to where it can run, and to tell what it did."""

    def __init__(self, still: StillCloud, event: dict[str, Any]) -> None:
        self.still = still
        self.event = event

    def sealed_run(self, domain: str, run_id: str, **record: Any) -> dict[str, Any]:
        """A run in the drop bucket, and the event of its seal."""
        self.still.drop(domain, run_id, **record)
        text = (ROOT / "events" / "uc1_run_sealed.json").read_text(encoding="utf-8")
        text = text.replace("drop-bucket", self.still.cloud.resource("DropBucket"))
        return dict(json.loads(text.replace("drop/retail/uc1-statements", f"drop/{domain}/{run_id}")))

    def staged_slice(self, domain: str, run_id: str, **record: Any) -> dict[str, Any]:
        """The pointer to the one slice of a staged run."""
        self.still.here("StageRunFunction", self.sealed_run(domain, run_id, **record))
        [pointer] = self.still.take("DecideQueue")
        return pointer

    def decided(self, queue: str, domain: str, run_id: str, **record: Any) -> list[dict[str, Any]]:
        """What deciding a run put into a queue."""
        text = (ROOT / "events" / "uc4_slice_staged.json").read_text(encoding="utf-8")
        pointer = self.staged_slice(domain, run_id, **record)
        self.still.here("DecideNoticesFunction", as_sent(json.loads(text), pointer))
        return self.still.take(queue)


def run_sealed(stage: Stage) -> Callable[[], None]:
    """A sealed run in the drop bucket → a pointer to its slice."""
    stage.event = stage.sealed_run("retail", "uc1-statements", **{**LETTER, "document_type": "statement"})

    def effect() -> None:
        [pointer] = stage.still.take("DecideQueue")
        assert (pointer["domain"], pointer["run_id"], pointer["count"]) == ("retail", "uc1-statements", 1)

    return effect


def document_composed(stage: Stage) -> Callable[[], None]:
    """A document as an event → a pointer to it."""

    def effect() -> None:
        [pointer] = stage.still.take("DecideQueue")
        assert (pointer["domain"], pointer["count"]) == ("insurance", 1)

    return effect


def minute(stage: Stage) -> Callable[[], None]:
    """A notice that the night deferred → a pointer to decide it again, in the morning."""
    assert stage.decided("SmsQueue", "collections", "uc3-reminders", **REMINDER) == [], "deferred, not sent"

    def effect() -> None:
        assert len(stage.still.take("DecideQueue")) == 1

    return effect


def slice_staged(stage: Stage) -> Callable[[], None]:
    """A staged slice → a job for the e-mail worker."""
    stage.event = as_sent(stage.event, stage.staged_slice("claims", "uc4-cases", **LETTER))

    def effect() -> None:
        [job] = stage.still.take("EmailQueue")
        assert (job["channel"], len(job["members"])) == ("email", 1)

    return effect


def exception_raised(stage: Stage) -> Callable[[], None]:
    """An exception → an incident."""

    def effect() -> None:
        table = stage.still.cloud.resource("IncidentsTable")
        rows = stage.still.cloud.client("dynamodb").scan(TableName=table)["Items"]
        assert "customers_missing" in json.dumps(rows)

    return effect


def job_decided(stage: Stage) -> Callable[[], None]:
    """A decided job → a message at the provider."""
    [job] = stage.decided("EmailQueue", "claims", "uc6-access", **LETTER)
    stage.event = as_sent(stage.event, job)

    def effect() -> None:
        [message] = stage.still.simulators.store
        assert (message.channel, message.to) == ("email", LETTER["email"])

    return effect


def link_looked_at(stage: Stage) -> Callable[[], None]:
    """A link of no notice → a page, and nothing else (what the page shows, tests/embedded tells)."""

    def effect() -> None:
        table = stage.still.cloud.resource("NoticesTable")
        rows = stage.still.cloud.client("dynamodb").scan(TableName=table)["Items"]
        assert not [row for row in rows if "responses" in row]

    return effect


def five_minutes(stage: Stage) -> Callable[[], None]:
    """A run that was staged and of which nobody was told → looked at, and still watched."""
    stage.staged_slice("claims", "ops-silent", **LETTER)

    def effect() -> None:
        table = stage.still.cloud.resource("RunsTable")
        rows = stage.still.cloud.client("dynamodb").scan(TableName=table)["Items"]
        assert [row["watched"]["S"] for row in rows if "watched" in row] == ["open"]

    return effect


def customer_responded(stage: Stage) -> Callable[[], None]:
    """Responses before any notice → the notices that need not be sent any more."""

    def effect() -> None:
        table = stage.still.cloud.resource("NoticesTable")
        rows = stage.still.cloud.client("dynamodb").scan(TableName=table)["Items"]
        ended = {row["document_id"]["S"] for row in rows if "responses" in row}
        assert {"D0500001-REN", "D0300001-OVE", "D0200001-POL"} <= ended

    return effect


#: What must be there before an event, and what must be there after, by the event's name without its first word.
SCENES: Mapping[str, Callable[[Stage], Callable[[], None]]] = {
    scene.__name__: scene
    for scene in (
        run_sealed,
        document_composed,
        minute,
        slice_staged,
        exception_raised,
        job_decided,
        link_looked_at,
        customer_responded,
        five_minutes,
    )
}
#: Events that come at another time than the cloud's night.
AT: Mapping[str, str] = {"minute": MORNING}


@pytest.mark.container
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_a_function_does_its_work_in_a_container(path: Path, still_cloud: StillCloud) -> None:
    name = path.stem.partition("_")[2]
    stage = Stage(still_cloud, json.loads(path.read_text(encoding="utf-8")))
    function = function_of(stage.event, sam.load_template(ROOT / "template.yaml"))
    effect = SCENES[name](stage)

    answer = still_cloud.in_container(function, stage.event, AT.get(name))

    if "Records" in stage.event:
        assert answer == {"batchItemFailures": []}
    else:
        assert not (isinstance(answer, dict) and "errorMessage" in answer), answer
    effect()


def test_every_function_of_the_template_has_an_event_here() -> None:
    template = sam.load_template(ROOT / "template.yaml")
    fed = {function_of(json.loads(path.read_text(encoding="utf-8")), template) for path in EVENTS}

    assert fed == set(sam.functions(template))
