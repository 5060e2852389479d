"""Buckets, queues, bus, topics, secrets and executions, on moto, with clients as the functions make them.

Each call is validated against the SDK's model (tests/validated_calls.py), and what was written is read back.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws
from moto.sns import sns_backends

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.receipts.keeping import mail_loader
from exstream_notify.adapters.receipts.reading import ReceiptUnusable
from exstream_notify.adapters.settings import Settings
from exstream_notify.domain.channels import AlertReceipt
from exstream_notify.domain.exceptions import ExceptionRaised, FileRead
from exstream_notify.domain.journeys import Cohort
from exstream_notify.domain.messages import BulkJob, BulkMember, Content, SentRequest
from exstream_notify.domain.work import SlicePointer
from exstream_notify.ports import EvidenceLine, RecordsGone
from tests.adapters.test_alert_channels import ALERT

BUCKETS = {
    name: f"{name.lower().replace('_', '-')}-1" for name in ("DROP_BUCKET", "WORK_BUCKET", "EVIDENCE_BUCKET")
}
POINTER = SlicePointer("retail", "run-1", 0, "parts/p/00000.jsonl", 0, 20, 1, 1)
COHORT = Cohort("2026-11-27T15", "retail", "reminder", 1)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bootstrap]:
    """The adapters on an empty account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        first = Bootstrap(Settings.from_environment({}))
        for bucket in BUCKETS.values():
            first.client("s3").create_bucket(Bucket=bucket)
        queue = first.client("sqs").create_queue(QueueName="queue")["QueueUrl"]
        topic = first.client("sns").create_topic(Name="it")["TopicArn"]
        # moto counts no subscription.
        sns_backends["123456789012"]["us-east-1"].topics[topic].subscriptions_confimed = 1
        secrets = {"EVIDENCE_SECRET": {"current": "1", "1": "0" * 32}, "ALERT_CHANNELS_SECRET": {"slack": ""}}
        for name, fields in secrets.items():
            first.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(fields))
        machine = first.client("stepfunctions").create_state_machine(
            name="follow-up",
            definition=json.dumps(
                {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 9, "End": True}}}
            ),
            roleArn="arn:aws:iam::123456789012:role/follow-up",
        )
        queues = ("DECIDE_QUEUE_URL", "RUN_QUEUE_URL", "RECEIPT_QUEUE_URL", "DEAD_LETTER_URLS")
        yield Bootstrap(
            Settings.from_environment(
                {
                    **BUCKETS,
                    **dict.fromkeys(queues, queue),
                    **{name: name for name in secrets},
                    "ALERT_TOPICS": f"it={topic}",
                    "FOLLOW_UP_MACHINE": machine["stateMachineArn"],
                }
            )
        )


def put(aws: Bootstrap, bucket: str, key: str, body: bytes) -> None:
    aws.client("s3").put_object(Bucket=BUCKETS[bucket], Key=key, Body=body)


def received(aws: Bootstrap) -> list[dict[str, Any]]:
    found = aws.client("sqs").receive_message(QueueUrl=aws.settings.decide_queue_url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in found.get("Messages", [])]


def test_a_dropped_run_is_listed_and_read(aws: Bootstrap) -> None:
    folder = aws.folder("retail", "run-1")
    assert folder.head("r.index.jsonl") is None
    assert folder.seal() is None
    put(aws, "DROP_BUCKET", "drop/retail/run-1/r.index.jsonl", b"{}\n")
    put(aws, "DROP_BUCKET", "drop/retail/run-1/out/D1.pdf", b"12345")

    assert list(folder.list()) == ["r.index.jsonl"]
    assert dict(folder.files_below()) == {"out/D1.pdf": 5, "r.index.jsonl": 3}
    assert folder.head("r.index.jsonl") == folder.list()["r.index.jsonl"]
    assert folder.open("r.index.jsonl").read() == b"{}\n"


def test_a_slice_is_a_range_of_its_part_and_a_part_may_be_gone(aws: Bootstrap) -> None:
    row = json.dumps({"pos": 1, "team": "it", "counts": {"sent": 2}}).encode()
    put(aws, "WORK_BUCKET", POINTER.part, b"\n" * 5 + row + b"\nnext")
    pointer = replace(POINTER, offset=5, length=len(row))

    assert aws.records.read_digests(pointer) == [(1, "it", {"sent": 2})]
    with pytest.raises(RecordsGone, match=r"parts/p/00001\.jsonl"):
        aws.records.read_digests(replace(pointer, part="parts/p/00001.jsonl"))


def test_what_was_staged_is_listed_and_read(aws: Bootstrap) -> None:
    assert list(aws.staged.slices("retail", "run-1", "parts/p/")) == []

    aws.staged.add_digests("retail", "run-1", "parts/p/", {"it": {"sent": 2}})

    (pointer,) = aws.staged.slices("retail", "run-1", "parts/p/")
    assert aws.records.read_digests(pointer) == [(1, "it", {"sent": 2})]


def test_a_bulk_job_is_kept_as_posted(aws: Bootstrap) -> None:
    request = SentRequest("https://notify.example.com/jobs", b"{}", (("Accept", "application/json"),))
    job = BulkJob(
        "b1", "email", "transactional", Content("words"), (BulkMember("n:1", "ann@example.com", ()),)
    )
    assert aws.jobs.get("b1") is None

    aws.jobs.put("b1", job, request)

    assert aws.jobs.get("b1") == (("n:1",), request)


def test_evidence_is_sealed_and_read_with_its_salt(aws: Bootstrap) -> None:
    line = EvidenceLine("n:1", "salt", "2026-11-27T15:00:00+00:00", {"to": "ann@example.com"})

    (reference,) = aws.evidence.write("job", [line], {})

    assert aws.evidence.read(reference, "n:1", "salt")["to"] == "ann@example.com"


def test_receipts_and_what_is_none_are_kept(aws: Bootstrap) -> None:
    evidence = aws.receipt_evidence
    reference = evidence.reference()
    assert evidence.read(reference) == []
    evidence.anchor(reference, [{"notice": "n"}])
    evidence.anchor(reference, [{"notice": "other"}], again=True)
    assert evidence.read(reference) == [{"notice": "n"}]

    key = aws.unread_receipts.keep("sqs:1", "{")
    load = mail_loader(aws.client("s3"), BUCKETS["WORK_BUCKET"])
    assert load(BUCKETS["WORK_BUCKET"], key) == b"{"
    with pytest.raises(ReceiptUnusable, match="a bucket that is not the one for bounce mails"):
        load(BUCKETS["DROP_BUCKET"], key)


def test_messages_are_queued_and_dead_letters_counted(aws: Bootstrap) -> None:
    assert aws.decide_queue.send_slices([POINTER], spread=0) == 1
    aws.run_queue.send_runs([("retail", "run-1")])

    assert aws.dead_letters() == {"queue": 2}
    assert {"stage": {"domain": "retail", "run_id": "run-1", "trigger": "again"}} in received(aws)


def test_events_go_to_the_default_bus(aws: Bootstrap) -> None:
    aws.exceptions.raise_exceptions([ExceptionRaised("EX1", "error", "retail", "run-1", "text")] * 11)
    aws.exceptions.run_arrived("retail", "run-1")
    aws.exceptions.run_dispatched("retail", "run-1")
    aws.exceptions.file_read(FileRead("retail", "run-1", "a.dat", ("EX1#a.dat",)))
    aws.journey_events.unanswered([{"notice": "n"}])
    receipt = AlertReceipt("a" * 32, 1, "email", "0a1b2c3d", "dead", False, "hard_bounce 5.1.1")
    aws.exceptions.alerts_reported([receipt])
    aws.exceptions.alerts_reported([])


def test_an_alert_reaches_a_topic_that_has_subscribers(aws: Bootstrap) -> None:
    assert aws.channels.tell("sns", "it", ALERT).outcome == "sent"
    assert aws.channels.tell("sns", "operations", ALERT).outcome == "absent"


def test_a_cohort_is_followed_up_once(aws: Bootstrap) -> None:
    assert not aws.executions.runs(COHORT, 1)
    assert aws.executions.start(COHORT, 1)
    assert aws.executions.start(COHORT, 1), "the same start again, as Step Functions answers it"
    assert aws.executions.runs(COHORT, 1)
