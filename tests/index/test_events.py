"""Single documents as EventBridge events."""

import copy

import pytest

from exstream_notify.adapters.index import RecordRefused, read_event
from exstream_notify.adapters.triggers import event_body
from tests.index import a_schema

COMPOSED = {
    "domain": "retail",
    "customer_key": "C0700001",
    "document_id": "D0700001-STA",
    "document_type": "statement",
    "email": "c700001@example.com",
    "amount_due": 12.5,
    "internal_teams": ["Legal"],
    "requires_ack": True,
}
NATIVE = {
    "expctr": {"tenant": "acme", "eventDate": "2026-11-20T04:12:09.000Z", "schemaType": "Exstream-Generated"},
    "exstreamJob": {
        "communicationId": "a1f0c9d2",
        "creationTime": "2026-11-20T04:12:01.000Z",
        "domain": "retail",
        "status": "complete",
    },
    "user": {
        "CustomerId": "C0600001",
        "CustomerInRun": "1",
        "CustomerFirstname": "Niamh",
        "DeliveryPreference": "email",
        "QueueFilename": "output/Email_Statements/D0600001-STA.pdf",
        "SYS_Title": "Statement",
    },
}


def changed(event, path, value):
    event = copy.deepcopy(event)
    *parents, last = path.split(".")
    inner = event
    for name in parents:
        inner = inner[name]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return event


def test_a_composed_document_is_the_record_with_its_domain():
    assert read_event(COMPOSED, a_schema()) == {
        "domain": "retail",
        "customer_key": "C0700001",
        "document_id": "D0700001-STA",
        "document_type": "statement",
        "email": "c700001@example.com",
        "amount_due": "12.50",
        "internal_teams": ["legal"],
        "requires_ack": True,
    }


def test_exstreams_own_event_has_the_manifests_fields():
    assert read_event(NATIVE, a_schema()) == {
        "domain": "retail",
        "customer_key": "C0600001",
        "edition": "day:2026-11-20",
        "customer_in_run": 1,
        "document_id": "D0600001-STA",
        "document_type": "statement",
        "delivery_channel": "email",
        "first_name": "Niamh",
        "output_uri": "output/Email_Statements/D0600001-STA.pdf",
        "produced_at": "2026-11-20T04:12:01Z",
    }


def test_without_an_identity_the_communications_counts():
    event = changed(changed(NATIVE, "user.QueueFilename", None), "user.DocumentType", "invoice")
    assert read_event(event, a_schema())["document_id"] == "a1f0c9d2"
    event = changed(event, "exstreamJob.communicationId", None)
    assert read_event(event, a_schema())["document_id"].startswith("record-")


def test_the_time_is_the_records_the_jobs_or_the_events():
    event = changed(NATIVE, "user.produced_at", "2026-11-19")
    assert read_event(event, a_schema())["produced_at"] == "2026-11-19T00:00:00Z"
    event = changed(NATIVE, "exstreamJob.creationTime", None)
    assert read_event(event, a_schema())["produced_at"] == "2026-11-20T04:12:09Z"


@pytest.mark.parametrize(
    ("event", "field", "reason"),
    [
        (changed(COMPOSED, "domain", None), "domain", "missing"),
        (changed(COMPOSED, "domain", "../up"), "domain", "missing, or not a name"),
        (changed(COMPOSED, "domain", 7), "domain", "missing, or not a name"),
        (changed(COMPOSED, "customer_key", None), "customer_key", "missing"),
        (changed(COMPOSED, "customer_key", {"work": "x"}), "customer_key", "nested"),
        (changed(COMPOSED, "customer_key", "a\ud800"), "customer_key", "control character"),
        (changed(COMPOSED, "customer_key", 1.00001e11), "customer_key", "may be rounded"),
        (changed(COMPOSED, "test_flag", "perhaps"), "test_flag", "neither yes nor no"),
        (changed(NATIVE, "user", None), "user", "missing"),
        (changed(NATIVE, "user", "text"), "user", "missing"),
        (changed(NATIVE, "exstreamJob", None), "exstreamJob", "missing"),
        (changed(NATIVE, "expctr", None), "expctr", "missing"),
        (changed(NATIVE, "exstreamJob.domain", None), "domain", "missing"),
        (changed(NATIVE, "exstreamJob.status", "error"), "exstreamJob.status", "not complete"),
        (
            changed(NATIVE, "expctr.schemaType", "Exstream-Email-NDLV"),
            "expctr.schemaType",
            "not that of a composed",
        ),
        (
            changed(NATIVE, "user.QueueFilename", "output/Print/D1.pdf"),
            "document_type",
            "no rule maps the queue",
        ),
        ([], "detail", "not an object"),
        ({}, "domain", "missing"),
    ],
)
def test_an_event_that_is_none_says_what_is_wrong(event, field, reason):
    with pytest.raises(RecordRefused) as refused:
        read_event(event, a_schema())
    fault = refused.value.faults[0]
    assert fault.field == field
    assert reason in fault.reason


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ('{"id": "e1", "detail": {"domain": "d", "email": "a", "email": "b"}}', "email"),
        ('{"id": "e1", "detail": {"domain": "d", "x": [{"y": 1, "y": 1}]}}', "y"),
        ('{"id": "e1", "detail": {"domain": "d", "email": "a"}}', None),
    ],
)
def test_a_name_that_stands_twice_in_an_event_is_noticed(text, repeated):
    assert event_body(text).get("repeated") == repeated


def test_such_an_event_is_rejected_with_the_field():
    from exstream_notify.adapters.rules import YamlRules
    from exstream_notify.adapters.staging import S3Staging

    class Kept:
        """Takes what is put."""

        def __init__(self):
            self.bodies = {}

        def put_object(self, **given):
            self.bodies[given["Key"]] = given["Body"]

    kept = Kept()
    staging = S3Staging(kept, "work", "drop", YamlRules())
    event = event_body('{"id": "e1", "detail": {"domain": "d", "CustomerEmail": "a", "CustomerEmail": "b"}}')
    pointers, staged = staging.stage_record("d", "event-e1", "parts/d/event-e1/", event)
    assert pointers == []
    assert staged.rejected == {"email: a name stands twice in an object": 1}
    assert list(kept.bodies) == ["rejects/d/event-e1/event.00000.jsonl"]
