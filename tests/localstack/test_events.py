"""EventBridge of the second engine against the embedded cloud's: the same events to the same functions.

An event goes its whole way: the rule's pattern, the queue, the event source mapping, the function's invocation.
"""

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from moto.events.models import EventPattern

from tests.localstack.cloud import ACCOUNT, REGION, Cloud, Deployed

pytestmark = [pytest.mark.localstack, pytest.mark.slow, pytest.mark.timeout(900)]

Json = dict[str, Any]

#: Keys of objects in the drop bucket: seals, indexes, message files, and what starts nothing.
KEYS = (
    "drop/jobs/17/statements_complete.json",
    "drop/jobs/17/STATEMENTS_COMPLETE.JSON",
    "drop/jobs/17/complete.json",
    "drop/jobs/17/a_StdDeliveryFile.xml",
    "drop/jobs/17/a_StdDeliveryFile.XML.GZ",
    "drop/jobs/17/statements.csv",
    "drop/jobs/17/statements.Csv.gz",
    "drop/jobs/17/statements.psv",
    "drop/jobs/17/statements.jsonl",
    "drop/jobs/17/statements.index.xml",
    "drop/jobs/17/statements.index.xml.gz",
    "drop/jobs/17/statements.index.7",
    "drop/jobs/17/statements.xml",
    "drop/jobs/17/statement-000001.pdf",
    "drop/jobs/17/Messages.txt",
    "drop/jobs/17/ExstreamMessages.xml",
    "drop/jobs/17/EXSTREAMMESSAGES_1.XML.GZ",
    "drop/jobs/17/messages.json",
    "drop/jobs/17/messages/0001.pdf",
    "drop/jobs/17/Summary.txt",
    "drop/jobs/17/errors.dat",
    "drop/jobs/17/errors.DAT.gz",
    "drop/jobs/17/metadata",
    "drop/jobs/17/*.pdf",
    "elsewhere/messages.txt",
    "elsewhere/statements.csv",
)

#: Source, detail type and detail of events that others put on the bus.
EVENTS: tuple[tuple[str, str, Json], ...] = (
    ("exstream", "Document Composed", {}),
    ("exstream", "Exstream-Generated", {}),
    ("exstream", "Exstream-Email-Failed", {}),
    ("exstream", "Exstream-Email-Failed", {"severity": "severe"}),
    ("exstream", "Exstream-Email-NDLV", {}),
    ("exstream", "Exstream-Email-OPEN", {}),
    ("exstream", "Composition Failed", {"severity": "severe"}),
    ("exstream", "Composition Failed", {"severity": "warning"}),
    ("exstream", "Composition Failed", {}),
    ("exstream", "Missing Data", {"severity": ["warning", "severe"]}),
    ("exstream", "Job Finished", {"status": "failed"}),
    ("exstream", "Job Finished", {"job": {"status": "Cancelled"}}),
    ("exstream", "Flow Finished", {"flowInstance": {"status": "ERROR"}}),
    ("exstream", "Job Finished", {"status": "completed"}),
    ("exnotify", "Exception Raised", {"severity": "severe"}),
    ("exnotify", "Exception Raised", {"severity": "Severe"}),
    ("exnotify", "Run Dispatched", {"severity": "severe"}),
    ("exnotify", "Run Dispatched", {}),
    ("exnotify", "Run Arrived", {}),
    ("exnotify", "File Read", {}),
    ("portal", "Customer Responded", {}),
    ("billing", "Payment Received", {}),
    ("billing", "Account Status Changed", {}),
    ("billing", "Payment Reversed", {}),
    ("stranger", "Payment Received", {}),
    ("portal", "Preferences Changed", {}),
    ("billing", "Preferences Changed", {}),
    ("portal", "Customer responded", {}),
    ("stranger", "Document Composed", {}),
)

_ARRIVAL_LIMIT = 90.0  # seconds
_GRACE = 3.0  # seconds, for what should not arrive; it had the time of all the others too


def patterns(created: Deployed) -> Mapping[str, Json]:
    """The event patterns of enabled rules by logical id."""
    return {
        rule.name: rule.properties["EventPattern"]
        for rule in created.of_type("AWS::Events::Rule")
        if "EventPattern" in rule.properties and rule.properties.get("State") != "DISABLED"
    }


def matches(pattern: Json, event: Json) -> bool:
    """What the embedded cloud's matcher says."""
    return bool(EventPattern.load(json.dumps(pattern)).matches_event(event))


def event_of(source: str, kind: str, detail: Json) -> Json:
    """An event as EventBridge hands it to a rule."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "source": source,
        "detail-type": kind,
        "account": ACCOUNT,
        "region": REGION,
        "time": "2026-11-29T12:00:00Z",
        "resources": [],
        "detail": detail,
    }


def all_events(created: Deployed) -> list[Json]:
    """Objects created in each bucket that emits, the table above, and SES's events."""
    buckets = [created.ref("DropBucket"), created.ref("BounceMailBucket"), "another-bucket"]
    objects = [
        event_of("aws.s3", "Object Created", {"bucket": {"name": bucket}, "object": {"key": key, "size": 1}})
        for bucket in buckets
        for key in KEYS
    ]
    ses = [
        event_of("aws.ses", "Email Bounced", {"mail": {"tags": {"ses:configuration-set": sets}}})
        for sets in (["notices"], ["other"], ["other", "notices"], [])
    ]
    return [*objects, *(event_of(*row) for row in EVENTS), *ses]


def test_both_matchers_agree_on_every_rule_and_event(created: Deployed, cloud: Cloud) -> None:
    bus = cloud.client("events")
    known = {
        **patterns(created),
        "BounceMailRule": created.one("BounceMailRule").properties["EventPattern"],
    }
    told = set()
    differ = []
    for name, pattern in known.items():
        for event in all_events(created):
            ours = matches(pattern, event)
            told.add((name, ours))
            if (
                bus.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))["Result"]
                != ours
            ):
                differ.append((name, ours, event["source"], event["detail-type"], event["detail"]))

    assert differ == []
    assert told == {(name, ours) for name in known for ours in (True, False)}, (
        "each rule takes and leaves some"
    )
    assert len(known) > 8


def functions_behind(created: Deployed) -> Mapping[str, set[str]]:
    """Names of the functions that a rule's events reach through queues, by the rule's logical id."""
    readers = defaultdict(set)
    for mapping in created.of_type("AWS::Lambda::EventSourceMapping"):
        readers[mapping.properties["EventSourceArn"]].add(mapping.properties["FunctionName"])
    return {
        name: {
            function
            for target in created.one(name).properties["Targets"]
            for function in readers[target["Arn"]]
        }
        for name in patterns(created)
    }


def reached(cloud: Cloud) -> Mapping[str, set[str]]:
    """Names of the functions that got an event, by what identifies the event: its marker, or its object's key."""
    found = defaultdict(set)
    for invocation in cloud.invocations():
        for record in invocation["event"].get("Records", []):
            detail = json.loads(record["body"]).get("detail", {})
            found[detail.get("marker") or detail.get("object", {}).get("key", "")].add(invocation["function"])
    return found


def wait_for(cloud: Cloud, wanted: Mapping[str, set[str]]) -> Mapping[str, set[str]]:
    """What arrived, when all that is wanted did and a moment more passed, or the limit."""
    deadline = time.monotonic() + _ARRIVAL_LIMIT
    while time.monotonic() < deadline:
        if all(functions <= reached(cloud).get(marker, set()) for marker, functions in wanted.items()):
            break
        time.sleep(0.5)
    time.sleep(_GRACE)
    return reached(cloud)


def expected_functions(created: Deployed, event: Json) -> set[str]:
    """The functions that the embedded cloud would give an event to."""
    behind = functions_behind(created)
    rules: Iterable[str] = (name for name, pattern in patterns(created).items() if matches(pattern, event))
    return {function for rule in rules for function in behind[rule]}


def test_events_reach_the_functions_that_they_reach_in_the_embedded_cloud(
    created: Deployed, cloud: Cloud
) -> None:
    s3, bus, bucket = cloud.client("s3"), cloud.client("events"), created.ref("DropBucket")
    wanted: dict[str, set[str]] = {}
    for key in KEYS:
        event = event_of("aws.s3", "Object Created", {"bucket": {"name": bucket}, "object": {"key": key}})
        wanted[key] = expected_functions(created, event)
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    for number, (source, kind, detail) in enumerate(EVENTS):
        marked = {**detail, "marker": f"event-{number}"}
        wanted[marked["marker"]] = expected_functions(created, event_of(source, kind, marked))
        entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(marked)}
        assert bus.put_events(Entries=[entry])["FailedEntryCount"] == 0

    arrived = wait_for(cloud, wanted)

    assert {marker: arrived.get(marker, set()) for marker in wanted} == wanted
    assert sum(map(bool, wanted.values())) > 25, "the table says something about most rules"
    assert sum(not functions for functions in wanted.values()) > 3
