"""The simulated services enforce what AWS documents and moto does not, and fail as they are told to."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simulation.nature import Chance, Nature, Timeline
from simulation.service import Refused
from simulation.services.events import EventBridge, Rule
from simulation.services.s3 import S3
from simulation.services.s3_addresses import open_address, presigned
from simulation.services.s3_objects import DAY, Bucket, Expiry
from simulation.services.secretsmanager import SecretsManager
from simulation.services.sqs import Sqs
from simulation.services.sqs_queues import MESSAGE_BYTES, Message, Queue

START = 1_800_000_000.0
URL, LETTERS = "https://sqs.us-east-1.amazonaws.com/123456789012/work", "arn:aws:sqs:us-east-1:1:letters"


def nature(seed: str = "1", **rates: float) -> Nature:
    return Nature(Timeline(START), Chance(seed, rates), "start")


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.code


# ---- all ----


def test_what_is_not_known_is_not_taken() -> None:
    service = S3(nature(), [Bucket("box")], lambda event: None)
    for operation, request in (
        ("PutBucketAcl", {"Bucket": "box"}),
        ("PutObject", {"Bucket": "box", "Key": "a", "ACL": "public-read"}),
        ("GetObject", {"Bucket": "box", "Key": "a", "PartNumber": 1}),
    ):
        with pytest.raises(NotImplementedError):
            service.call(operation, request)


def test_ids_are_the_same_for_a_seed_and_differ_between_seeds() -> None:
    def ids(seed: str) -> list[str]:
        queue = Queue("work", "arn:work", URL)
        service = Sqs(nature(seed), [queue])
        return [
            service.call("SendMessage", {"QueueUrl": URL, "MessageBody": "x"})["MessageId"] for _ in range(3)
        ]

    assert ids("1") == ids("1")
    assert len({*ids("1"), *ids("2")}) == 6


# ---- S3 ----


class Box:
    """A bucket with what befalls it."""

    def __init__(self, world: Nature | None = None, **about: Any) -> None:
        self.world = world or nature()
        self.events: list[dict[str, Any]] = []
        self.s3 = S3(self.world, [Bucket("box", **about)], self.events.append)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.s3.call(operation, {"Bucket": "box", **request})

    def pass_days(self, days: float) -> None:
        self.world.timeline.now += days * DAY

    def keys(self) -> list[str]:
        return [row["Key"] for row in self.call("ListObjectsV2").get("Contents", ())]


def test_parts_come_in_order_and_a_completed_upload_answers_again() -> None:
    box = Box(versioned=True, events=True)
    upload = box.call("CreateMultipartUpload", Key="a")["UploadId"]
    parts = [
        {"PartNumber": n, "ETag": box.call("UploadPart", Key="a", UploadId=upload, PartNumber=n, Body=b"x" * 5 * 1024**2)["ETag"]}
        for n in (1, 2)
    ]  # fmt: skip
    backwards = {"Parts": parts[::-1]}
    assert (
        refused(
            lambda: box.call("CompleteMultipartUpload", Key="a", UploadId=upload, MultipartUpload=backwards)
        )
        == "InvalidPartOrder"
    )
    answers = [
        box.call("CompleteMultipartUpload", Key="a", UploadId=upload, MultipartUpload={"Parts": parts})
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert [event["detail"]["reason"] for event in box.events] == ["CompleteMultipartUpload"]
    assert len(box.call("ListObjectVersions")["Versions"]) == 1


def test_an_event_names_the_object_only_where_events_are_on() -> None:
    box = Box(versioned=True, events=True)
    version = box.call("PutObject", Key="a/é.json", Body=b"123")["VersionId"]
    (event,) = box.events
    assert (event["source"], event["detail-type"]) == ("aws.s3", "Object Created")
    assert event["detail"]["bucket"] == {"name": "box"}
    about = event["detail"]["object"]
    assert (about["key"], about["size"], about["version-id"]) == ("a/é.json", 3, version)
    silent = Box()
    silent.call("PutObject", Key="a", Body=b"")
    assert silent.events == []


def test_a_delete_leaves_a_marker_and_its_deletion_brings_the_object_back() -> None:
    box = Box(versioned=True)
    box.call("PutObject", Key="a", Body=b"1")
    marker = box.call("DeleteObject", Key="a")
    assert marker["DeleteMarker"] is True
    assert refused(lambda: box.call("GetObject", Key="a")) == "NoSuchKey"
    assert (
        refused(lambda: box.call("GetObject", Key="a", VersionId=marker["VersionId"])) == "MethodNotAllowed"
    )
    box.call("DeleteObject", Key="a", VersionId=marker["VersionId"])
    assert box.call("GetObject", Key="a")["Body"] == b"1"


@pytest.mark.parametrize(
    ("mode", "bypass", "goes"),
    [("GOVERNANCE", True, True), ("GOVERNANCE", False, False), ("COMPLIANCE", True, False)],
)
def test_a_locked_version_stays_until_its_day(mode: str, bypass: bool, goes: bool) -> None:
    box = Box(versioned=True, lock=(mode, 30))
    version = box.call("PutObject", Key="a", Body=b"1")["VersionId"]
    box.call("DeleteObject", Key="a")

    def delete() -> dict[str, Any]:
        more = {"BypassGovernanceRetention": True} if bypass else {}
        return box.call("DeleteObjects", Delete={"Objects": [{"Key": "a", "VersionId": version}]}, **more)

    box.pass_days(29)
    assert ("Errors" not in delete()) == goes
    box.pass_days(1.1)
    assert "Errors" not in delete()


def test_a_legal_hold_outlasts_the_retention() -> None:
    box = Box(versioned=True, lock=("GOVERNANCE", 1))
    version = box.call("PutObject", Key="a", Body=b"1")["VersionId"]
    box.call("PutObjectLegalHold", Key="a", LegalHold={"Status": "ON"})
    box.pass_days(9)
    assert refused(lambda: box.call("DeleteObject", Key="a", VersionId=version)) == "AccessDenied"
    box.call("PutObjectLegalHold", Key="a", LegalHold={"Status": "OFF"})
    box.call("DeleteObject", Key="a", VersionId=version)


def test_objects_expire_by_age_and_prefix_then_their_versions() -> None:
    rules = (Expiry("old/", current=10, noncurrent=5),)
    box = Box(versioned=True, expiry=rules)
    for key in ("old/a", "new/a"):
        box.call("PutObject", Key=key, Body=b"1")
    box.pass_days(9.9)
    assert box.keys() == ["new/a", "old/a"]
    box.pass_days(4)
    assert box.keys() == ["new/a"]
    assert len(box.call("ListObjectVersions", Prefix="old/")["Versions"]) == 1
    box.pass_days(9)
    assert "Versions" not in box.call("ListObjectVersions", Prefix="old/")
    locked = Box(versioned=True, expiry=rules, lock=("GOVERNANCE", 90))
    locked.call("PutObject", Key="old/a", Body=b"1")
    for days, left in ((20, True), (20, True), (60, False)):
        locked.pass_days(days)
        assert ("Versions" in locked.call("ListObjectVersions")) == left
    plain = Box(expiry=(Expiry(current=1),))
    plain.call("PutObject", Key="a", Body=b"1")
    plain.pass_days(5)
    assert plain.keys() == []


def test_a_conditional_write_may_meet_another() -> None:
    box = Box(nature(s3_conflict=1.0))
    assert (
        refused(lambda: box.call("PutObject", Key="a", Body=b"1", IfNoneMatch="*"))
        == "ConditionalRequestConflict"
    )
    assert box.keys() == []
    box.call("PutObject", Key="a", Body=b"1")


def test_a_presigned_address_reads_for_its_seconds() -> None:
    box = Box()
    box.call("PutObject", Key="drop/a b.pdf", Body=b"pdf")
    about = {
        "Bucket": "box",
        "Key": "drop/a b.pdf",
        "ResponseContentType": "application/pdf",
        "ResponseCacheControl": "no-store",
    }
    address = presigned(box.s3, about, 60)
    status, headers, body = open_address(box.s3, address)
    assert (status, headers["content-type"], headers["cache-control"], body) == (
        200,
        "application/pdf",
        "no-store",
        b"pdf",
    )
    assert open_address(box.s3, address.replace("a%20b", "other"))[0] == 403
    box.world.timeline.now += 61
    assert open_address(box.s3, address)[0] == 403


# ---- SQS ----


class Line:
    """A queue and its dead letters."""

    def __init__(self, world: Nature | None = None, **about: Any) -> None:
        self.world = world or nature()
        self.work = Queue(
            "work", "arn:work", URL, visibility=60, dead_letters=LETTERS, most_receives=2, **about
        )
        self.letters = Queue(
            "letters", LETTERS, "https://sqs.us-east-1.amazonaws.com/1/letters", retention=5 * DAY
        )
        self.due: list[tuple[str, float]] = []
        self.sqs = Sqs(self.world, [self.work, self.letters], lambda queue, at: self.due.append((queue, at)))

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.sqs.call(operation, {"QueueUrl": URL, **request})

    def receive(self, seconds: float = 0.0, queue: str = "work") -> list[Message]:
        self.world.timeline.now += seconds
        return self.sqs.receive(queue, 10)

    def counts(self) -> tuple[str, str, str]:
        told = self.call("GetQueueAttributes", AttributeNames=["All"])["Attributes"]
        name = "ApproximateNumberOfMessages"
        return told[name], told[f"{name}NotVisible"], told[f"{name}Delayed"]


def test_a_message_of_256_kb_is_the_largest_alone_and_in_a_batch() -> None:
    line = Line()
    line.call("SendMessage", MessageBody="x" * MESSAGE_BYTES)
    assert (
        refused(lambda: line.call("SendMessage", MessageBody="x" * (MESSAGE_BYTES + 1)))
        == "InvalidParameterValue"
    )
    attribute = {"a": {"DataType": "String", "StringValue": "b"}}
    assert (
        refused(
            lambda: line.call(
                "SendMessage", MessageBody="x" * (MESSAGE_BYTES - 4), MessageAttributes=attribute
            )
        )
        == "InvalidParameterValue"
    )
    entries = [{"Id": str(n), "MessageBody": "ä" * (MESSAGE_BYTES // 4)} for n in range(2)]
    line.call("SendMessageBatch", Entries=entries)
    entries[1]["MessageBody"] += "x"
    assert (
        refused(lambda: line.call("SendMessageBatch", Entries=entries))
        == "AWS.SimpleQueueService.BatchRequestTooLong"
    )


def test_an_entry_that_cannot_be_taken_fails_alone() -> None:
    line = Line()
    entries = [
        {"Id": "good", "MessageBody": "x"},
        {"Id": "late", "MessageBody": "x", "DelaySeconds": 901},
        {"Id": "bad", "MessageBody": "\x08"},
    ]
    answer = line.call("SendMessageBatch", Entries=entries)
    assert [row["Id"] for row in answer["Successful"]] == ["good"]
    assert [(row["Id"], row["SenderFault"]) for row in answer["Failed"]] == [("late", True), ("bad", True)]


def test_a_message_is_hidden_until_its_time_out_then_received_again_then_a_dead_letter() -> None:
    line = Line()
    line.call("SendMessage", MessageBody="x")
    (first,) = line.receive(40)
    handle = first.handle
    assert line.receive(59) == []
    assert line.counts() == ("0", "1", "0")
    (second,) = line.receive(2)
    newest = second.handle
    assert second.receives == 2
    line.sqs.delete("work", handle)  # a handle of a receipt before deletes nothing
    assert line.receive(61) == []
    assert ("letters", line.world.timeline.now) in line.due
    line.sqs.delete("letters", newest)  # a receipt from the other queue
    (letter,) = line.receive(queue="letters")
    assert (letter.message_id, letter.source) == (first.message_id, "arn:work")


def test_a_letter_keeps_its_age_and_what_nobody_disposed_of_is_noted() -> None:
    line = Line(retention=4 * DAY)
    line.call("SendMessage", MessageBody="x")
    line.receive(40)
    line.receive(3.9 * DAY)
    line.receive(120)
    assert len(line.letters.messages) == 1
    line.world.timeline.now += 1.2 * DAY
    line.sqs.expire()
    assert [(gone.queue, gone.body) for gone in line.sqs.gone] == [("letters", "x")]


def test_each_message_has_its_own_age() -> None:
    line = Line(retention=3600)
    for body in "123":
        line.call("SendMessage", MessageBody=body)
        line.world.timeline.now += 1000
    for gone in ("", "1", "12", "123"):
        line.sqs.expire()
        assert "".join(one.body for one in line.sqs.gone) == gone
        line.world.timeline.now += 1000


def test_a_delay_and_a_visibility_are_bounded() -> None:
    line = Line()
    line.call("SendMessage", MessageBody="x", DelaySeconds=900)
    assert line.counts() == ("0", "0", "1")
    assert line.receive(899) == []
    (message,) = line.receive(60)

    def change(seconds: int, handle: str = message.handle) -> dict[str, Any]:
        return line.call("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=seconds)

    change(43_200)
    assert line.receive(70) == []
    assert refused(lambda: change(43_131)) == "InvalidParameterValue"
    change(43_130)
    assert refused(lambda: change(5, f"{message.message_id}/0")) == "InvalidParameterValue"
    change(5)
    line.world.timeline.now += 6
    assert refused(lambda: change(5)) == "AWS.SimpleQueueService.MessageNotInflight"


def test_a_receipt_handle_is_good_for_twelve_hours() -> None:
    line = Line()
    line.call("SendMessage", MessageBody="x")
    (message,) = line.receive(40)
    line.world.timeline.now += 43_201
    assert refused(lambda: line.sqs.delete("work", message.handle)) == "InvalidParameterValue"


def test_who_polls_is_told_of_every_moment_at_which_a_message_shows() -> None:
    line = Line()
    line.call("SendMessage", MessageBody="x")
    for _ in range(4):
        at = line.sqs.next_at("work")
        if at is None:
            break
        assert ("work", at) in line.due
        line.world.timeline.now = at
        line.receive()
    assert line.sqs.next_at("letters") is not None


def test_messages_come_in_another_order_than_they_went() -> None:
    line = Line()
    bodies = [str(number) for number in range(40)]
    for body in bodies:
        line.call("SendMessage", MessageBody=body)
    line.world.timeline.now += 40
    came = [m.body for _ in range(4) for m in line.receive()]
    assert sorted(came, key=int) == bodies
    assert came != bodies


@pytest.mark.parametrize(
    ("fault", "received"),
    [("sqs_twice", {"0": 2, "1": 2}), ("sqs_late", {}), ("poll_partial", None)],
)
def test_a_queue_fails_as_it_is_told_to(fault: str, received: dict[str, int] | None) -> None:
    line = Line(nature(**{fault: 1.0}))
    for body in "01":
        line.call("SendMessage", MessageBody=body)
    found: dict[str, int] = {}
    line.world.timeline.now += 50
    for number in range(3):
        line.world.place = f"poll {number}"
        for message in line.receive(30 if number else 0):
            found[message.body] = found.get(message.body, 0) + 1
    if received is not None:
        assert found == received
    assert line.world.chance.happened


def test_entries_of_a_batch_fail_and_some_of_those_arrive_all_the_same() -> None:
    line = Line(nature(sqs_partial=0.5))
    taken = failed = 0
    for number in range(30):
        line.world.place = f"call {number}"
        answer = line.call(
            "SendMessageBatch", Entries=[{"Id": str(n), "MessageBody": "x"} for n in range(10)]
        )
        taken += len(answer.get("Successful", ()))
        failed += len(answer.get("Failed", ()))
    assert taken + failed == 300
    assert taken < len(line.work.messages) < 300
    assert not any(row["SenderFault"] for row in answer.get("Failed", ()))


# ---- EventBridge ----


def events(world: Nature) -> tuple[EventBridge, list[dict[str, Any]]]:
    rule = Rule.deployed(
        "rule", {"EventPattern": {"source": ["ours"]}, "Targets": [{"Id": "t", "Arn": "arn:queue"}]}
    )
    assert rule is not None
    came: list[dict[str, Any]] = []
    return EventBridge(world, [rule], lambda target, event, name: came.append(event)), came


def entry(**more: Any) -> dict[str, Any]:
    return {"Source": "ours", "DetailType": "T", "Detail": "{}", **more}


def _rest(world: Nature) -> Iterator[float]:
    while world.timeline.step():
        yield world.timeline.now


def test_a_call_takes_256_kb_of_events() -> None:
    bus, _ = events(nature())
    half = json.dumps({"a": "ä" * 65_500})
    for count, taken in ((1, True), (2, True), (3, False)):
        entries = [entry(Detail=half.encode().decode("unicode_escape"))] * count
        if taken:
            assert bus.call("PutEvents", {"Entries": entries})["FailedEntryCount"] == 0
        else:
            assert (
                refused(lambda entries=entries: bus.call("PutEvents", {"Entries": entries}))
                == "ValidationException"
            )  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fault", "times", "least"), [("none", 1, 0.0), ("event_twice", 2, 0.0), ("event_late", 1, 60.0)]
)
def test_an_event_arrives_once_or_more(fault: str, times: int, least: float) -> None:
    world = nature(**{fault: 1.0})
    bus, came = events(world)
    bus.call("PutEvents", {"Entries": [entry(), entry(Source="theirs")]})
    assert came == []
    moments = list(_rest(world))
    assert len(came) == times
    assert len({event["id"] for event in came}) == 1
    assert moments[0] >= START + least


def test_an_entry_that_fails_goes_nowhere() -> None:
    world = nature(events_partial=0.5)
    bus, came = events(world)
    answer = bus.call("PutEvents", {"Entries": [entry()] * 10})
    list(_rest(world))
    assert 0 < answer["FailedEntryCount"] < 10
    assert len(came) == 10 - answer["FailedEntryCount"]


def test_a_target_with_what_is_not_simulated_is_not_deployed() -> None:
    target = {"Id": "t", "Arn": "arn:queue", "InputTransformer": {"InputTemplate": "x"}}
    with pytest.raises(NotImplementedError):
        Rule.deployed("rule", {"EventPattern": {"source": ["ours"]}, "Targets": [target]})


# ---- Secrets Manager ----


def test_a_put_that_is_tried_again_is_one_version() -> None:
    service = SecretsManager(nature())
    service.create("arn:keys", "keys", "1")
    for _ in range(2):
        service.call("PutSecretValue", {"SecretId": "arn:keys", "SecretString": "2"})
    assert (
        service.call("GetSecretValue", {"SecretId": "keys", "VersionStage": "AWSPREVIOUS"})["SecretString"]
        == "1"
    )
    assert (
        refused(lambda: service.call("GetSecretValue", {"SecretId": "none"})) == "ResourceNotFoundException"
    )
