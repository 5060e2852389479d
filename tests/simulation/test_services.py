"""The simulated services do what moto does, on seeded random calls, where moto is right."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.events.models import EventPattern

from exnotify.cloud.eventbus import as_matched
from simulation.nature import Chance, Nature, Timeline
from simulation.service import Refused, Service
from simulation.services.events import EventBridge, Rule
from simulation.services.s3 import S3
from simulation.services.s3_objects import Bucket
from simulation.services.secretsmanager import SecretsManager
from simulation.services.sqs import Sqs
from simulation.services.sqs_queues import Queue

START = 1_800_000_000.0
KEYS = ("a", "a/b", "a/b/c", "a/c", "b", "ä/1", "b/é")
ID_FIELDS = frozenset({"VersionId", "DeleteMarkerVersionId", "UploadId"})
TOLD_BY_ONE = frozenset(
    {
        "ResponseMetadata", "LastModified", "Owner", "ServerSideEncryption", "RequestCharged", "Location",
        "EncodingType", "ChecksumType", "ChecksumAlgorithm", "ChecksumCRC32", "ChecksumCRC64NVME", "Delimiter",
        "KeyMarker", "VersionIdMarker", "AbortDate", "AbortRuleId", "NextContinuationToken",
        "StartAfter", "TagCount", "NextKeyMarker", "NextVersionIdMarker", "ChecksumSHA256", "MaxKeys",
        "DeleteMarker",
    }
)  # fmt: skip


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


def nature(seed: str = "1", **rates: float) -> Nature:
    return Nature(Timeline(START), Chance(seed, rates), "start")


class Both:
    """Calls moto and the simulation alike; what each named is known by the order in which it was made."""

    def __init__(self, client: Any, service: Service) -> None:
        self.client, self.service = client, service
        self.named: tuple[dict[str, str], dict[str, str]] = ({}, {})

    def call(self, operation: str, **request: Any) -> Any:
        answers = []
        for side, call in enumerate((self._moto, self.service.call)):
            back = {mine: theirs for theirs, mine in self.named[side].items()}
            asked = {
                name: back.get(value, value) if name in ID_FIELDS else value
                for name, value in request.items()
            }
            answers.append(self._same(side, self._told(call, operation, asked)))
        assert answers[0] == answers[1], (operation, request)
        return answers[1]

    def _moto(self, operation: str, request: dict[str, Any]) -> Any:
        answer = getattr(self.client, boto3_name(operation))(**request)
        if "Body" in answer:
            answer["Body"] = answer["Body"].read()
        return answer

    @staticmethod
    def _told(call: Callable[[str, dict[str, Any]], Any], operation: str, request: dict[str, Any]) -> Any:
        try:
            return call(operation, request)
        except ClientError as error:
            return {
                "refused": error.response["Error"]["Code"],
                "status": error.response["ResponseMetadata"]["HTTPStatusCode"],
            }
        except Refused as refused:
            return {"refused": refused.code, "status": refused.status}

    def _same(self, side: int, value: Any) -> Any:
        if isinstance(value, dict):
            kept = {}
            for name, inner in value.items():
                if name in TOLD_BY_ONE or inner in (None, [], {}):
                    continue
                if name in ID_FIELDS and inner != "null":
                    inner = self.named[side].setdefault(inner, f"#{len(self.named[side])}")
                kept[name] = self._same(side, inner)
            return kept
        if isinstance(value, list):
            return [self._same(side, inner) for inner in value]
        return value.isoformat() if isinstance(value, datetime) else value


def boto3_name(operation: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).strip("_").replace("_v2", "_v2")


# ---- S3 ----


def buckets(versioned: bool) -> Both:
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="box")
    if versioned:
        client.put_bucket_versioning(Bucket="box", VersioningConfiguration={"Status": "Enabled"})
    return Both(client, S3(nature(), [Bucket("box", versioned=versioned)], lambda event: None))


@pytest.mark.parametrize("versioned", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_objects_are_written_read_and_deleted_as_motos_are(versioned: bool, seed: int) -> None:
    draw = random.Random(seed)
    both = buckets(versioned)
    made: list[tuple[str, str]] = []
    for _ in range(100):
        place = {"Bucket": "box", "Key": draw.choice(KEYS)}
        act = draw.randrange(9)
        if act < 3:
            condition: dict[str, Any] = draw.choice([{}, {}, {"IfNoneMatch": "*"}, {"ContentType": "text/x"}])
            body = draw.choice([b"1", b"one", b"two two", b"\xff" * 40])
            answer = both.call("PutObject", **place, Body=body, **condition)
        elif act < 5:
            span = draw.choice([{}, {}, {"Range": "bytes=1-2"}, {"Range": "bytes=2-"}, {"Range": "bytes=-3"}])
            answer = (
                both.call(draw.choice(["GetObject", "HeadObject"]), **place, **span)
                if draw.random() < 0.8
                else {}
            )
        elif act == 5:
            # moto leaves no marker where there is nothing; S3 does.
            there = "ETag" in both.call("HeadObject", **place)
            answer = both.call("DeleteObject", **place) if there else {}
        elif act == 6 and made:
            key, version = made.pop(draw.randrange(len(made)))
            for operation in ("GetObject", "DeleteObject", "GetObject"):
                both.call(operation, Bucket="box", Key=key, VersionId=version)
            answer = {}
        elif act == 7 and not versioned:  # moto does not tell of the markers that this leaves
            rows = [{"Key": key} for key in draw.sample(KEYS, 2)]
            both.call("DeleteObjects", Bucket="box", Delete={"Objects": rows})
            answer = {}
        else:
            answer = {}
            about: dict[str, Any] = {
                "Prefix": draw.choice(["", "a", "a/"]),
                "Delimiter": draw.choice(["", "/"]),
            }
            if not versioned:  # moto rolls deleted objects up as well
                both.call("ListObjectsV2", Bucket="box", **about, MaxKeys=draw.choice([1, 2, 1000]))
            if versioned:
                both.call("ListObjectVersions", Bucket="box", **about)
        if act < 3 and "VersionId" in answer:
            made.append((place["Key"], answer["VersionId"]))


def test_a_condition_on_what_is_there_holds_as_motos() -> None:
    both = buckets(versioned=False)
    etag = both.call("PutObject", Bucket="box", Key="a", Body=b"1")["ETag"]
    assert both.call("PutObject", Bucket="box", Key="a", Body=b"2", IfMatch=etag)["ETag"] != etag
    assert (
        both.call("PutObject", Bucket="box", Key="a", Body=b"3", IfMatch=etag)["refused"]
        == "PreconditionFailed"
    )
    both.call("PutObject", Bucket="box", Key="b", Body=b"4", IfMatch=etag)


def test_an_upload_in_parts_is_motos() -> None:
    both = buckets(versioned=True)
    place = {"Bucket": "box", "Key": "big"}
    upload = both.call("CreateMultipartUpload", **place, ContentType="text/csv")["UploadId"]
    large = b"x" * 5 * 1024 * 1024
    etags = [
        both.call("UploadPart", **place, UploadId=upload, PartNumber=n, Body=body)["ETag"]
        for n, body in ((1, large), (2, b"rest"), (3, b"too small a part before"))
    ]
    parts = [{"PartNumber": n + 1, "ETag": etag} for n, etag in enumerate(etags)]
    for wrong in (parts, [{**parts[0], "ETag": '"0"'}]):
        both.call("CompleteMultipartUpload", **place, UploadId=upload, MultipartUpload={"Parts": wrong})
    done = both.call(
        "CompleteMultipartUpload", **place, UploadId=upload, MultipartUpload={"Parts": parts[:2]}
    )
    assert done["ETag"].endswith('-2"')
    assert both.call("GetObject", **place)["ContentType"] == "text/csv"
    other = both.call("CreateMultipartUpload", **place)["UploadId"]
    both.call("AbortMultipartUpload", **place, UploadId=other)
    assert both.call("AbortMultipartUpload", **place, UploadId=other)["refused"] == "NoSuchUpload"


def test_pages_of_a_listing_leave_nothing_out() -> None:
    service = S3(nature(), [Bucket("box", versioned=True)], lambda event: None)
    keys = [f"run/{n % 7}/{n}" for n in range(60)]
    for key in keys * 2:
        service.call("PutObject", {"Bucket": "box", "Key": key, "Body": b""})
    for about, wanted in (
        ({"Prefix": "run/"}, sorted(keys)),
        ({"Prefix": "run/", "Delimiter": "/"}, [f"run/{n}/" for n in range(7)]),
    ):
        assert [n for page in _pages(service, "ListObjectsV2", about) for n in _names(page)] == wanted
    rows = [n for page in _pages(service, "ListObjectVersions", {"Prefix": "run/"}) for n in page["Versions"]]
    assert [row["Key"] for row in rows] == sorted(keys * 2)
    assert len({row["VersionId"] for row in rows}) == 120


def _pages(service: S3, operation: str, about: dict[str, str]) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    while True:
        page = service.call(operation, {"Bucket": "box", **about, **more, "MaxKeys": 3})
        yield page
        if not page["IsTruncated"]:
            return
        marks = {
            "NextContinuationToken": "ContinuationToken",
            "NextKeyMarker": "KeyMarker",
            "NextVersionIdMarker": "VersionIdMarker",
        }
        more = {mark: page[name] for name, mark in marks.items() if name in page}


def _names(page: dict[str, Any]) -> list[str]:
    return [row["Key"] for row in page.get("Contents", ())] + [
        row["Prefix"] for row in page.get("CommonPrefixes", ())
    ]


# ---- SQS ----


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("SendMessage", {"MessageBody": "x", "DelaySeconds": 901}),
        ("SendMessageBatch", {"Entries": []}),
        ("SendMessageBatch", {"Entries": [{"Id": str(n), "MessageBody": "x"} for n in range(11)]}),
        ("SendMessageBatch", {"Entries": [{"Id": "1", "MessageBody": "x"}] * 2}),
        ("SendMessageBatch", {"Entries": [{"Id": "a b", "MessageBody": "x"}]}),
        ("SendMessageBatch", {"Entries": [{"Id": str(n), "MessageBody": "x" * 200_000} for n in range(6)]}),
        ("ReceiveMessage", {"MaxNumberOfMessages": 11}),
        ("DeleteMessage", {"ReceiptHandle": "nonsense"}),
        ("ChangeMessageVisibility", {"ReceiptHandle": "nonsense", "VisibilityTimeout": 5}),
    ],
)  # fmt: skip
def test_a_queue_refuses_what_motos_refuses(operation: str, request_: dict[str, Any]) -> None:
    client = boto3.client("sqs", region_name="us-east-1")
    url = client.create_queue(QueueName="work")["QueueUrl"]
    service = Sqs(nature(), [Queue("work", "arn:aws:sqs:us-east-1:123456789012:work", url)])
    with pytest.raises(ClientError) as theirs:
        getattr(client, boto3_name(operation))(QueueUrl=url, **request_)
    with pytest.raises(Refused) as ours:
        service.call(operation, {"QueueUrl": url, **request_})
    assert ours.value.code == theirs.value.response["Error"]["Code"]
    assert ours.value.status == theirs.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_message_is_received_as_motos_is() -> None:
    client = boto3.client("sqs", region_name="us-east-1")
    url = client.create_queue(QueueName="work")["QueueUrl"]
    world = nature()
    service = Sqs(world, [Queue("work", "arn:aws:sqs:us-east-1:123456789012:work", url)])
    message = {
        "MessageBody": "tell ä", "MessageGroupId": "run", "MessageAttributes": {"of": {"DataType": "String", "StringValue": "run"}},
    }  # fmt: skip
    asked = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"]}
    client.send_message(QueueUrl=url, **message)
    service.call("SendMessage", {"QueueUrl": url, **message})
    world.timeline.now += 60
    (theirs,) = client.receive_message(QueueUrl=url, **asked)["Messages"]
    (ours,) = service.call("ReceiveMessage", {"QueueUrl": url, **asked})["Messages"]
    del theirs["MD5OfMessageAttributes"], theirs["Attributes"]["SenderId"], ours["Attributes"]["SenderId"]
    assert ours.keys() == theirs.keys()
    assert ours["Attributes"].keys() == theirs["Attributes"].keys()
    assert [ours[name] for name in ("Body", "MD5OfBody", "MessageAttributes")] == [
        theirs[name] for name in ("Body", "MD5OfBody", "MessageAttributes")
    ]
    assert ours["Attributes"]["ApproximateReceiveCount"] == "1"


# ---- EventBridge ----


def _patterns(draw: random.Random) -> dict[str, Any]:
    conditions: list[Any] = [
        "x", 1, {"prefix": "x"}, {"suffix": {"equals-ignore-case": ".XML"}}, {"exists": False},
        {"anything-but": ["x"]}, {"wildcard": "*.x*"}, {"equals-ignore-case": "ERROR"}, {"exists": True},
    ]  # fmt: skip
    pattern: dict[str, Any] = {"detail": {draw.choice("ab"): draw.sample(conditions, 2)}}
    if draw.random() < 0.5:
        pattern["detail"]["steps"] = {"status": draw.sample(conditions, 1)}
    if draw.random() < 0.5:
        pattern["source"] = draw.choice([["ours"], ["ours", "theirs"], [{"prefix": "our"}]])
    if draw.random() < 0.3:
        pattern["$or"] = [{"detail": {"a": ["x"]}}, {"detail": {"b": [{"exists": True}]}}]
    return pattern


def test_a_rule_matches_what_motos_matches() -> None:
    draw = random.Random(7)
    values: list[Any] = [
        "x",
        "xy",
        "a.x",
        "a.XML",
        1,
        "Error",
        None,
        ["x", "z"],
        [{"status": "x"}, {"status": "q"}],
    ]
    matched = 0
    for _ in range(600):
        pattern = _patterns(draw)
        detail = {name: draw.choice(values) for name in draw.sample(["a", "b", "c"], 2)}
        detail["steps"] = draw.choice(values)
        found: list[str] = []
        rule = Rule.deployed("rule", {"EventPattern": pattern, "Targets": [{"Id": "t", "Arn": "arn:queue"}]})
        assert rule is not None
        world = nature()
        bus = EventBridge(world, [rule], lambda target, event, name, found=found: found.append(target))
        seen: list[Any] = []
        bus._on_event = seen.append
        bus.call(
            "PutEvents", {"Entries": [{"Source": "ours", "DetailType": "T", "Detail": json.dumps(detail)}]}
        )
        while world.timeline.step():
            pass
        wanted = EventPattern.load(json.dumps(pattern)).matches_event(as_matched(seen[0]))
        assert bool(found) == wanted, (pattern, detail)
        matched += wanted
    assert 100 < matched < 500


@pytest.mark.parametrize(
    "entries",
    [
        [{"Source": "s", "DetailType": "t", "Detail": "{}"}],
        [
            {"Source": "s", "DetailType": "t", "Detail": "{"},
            {"Source": "s", "DetailType": "t", "Detail": "{}"},
        ],
        [
            {"Source": "s", "DetailType": "t"},
            {"DetailType": "t", "Detail": "{}"},
            {"Source": "s", "Detail": "{}"},
        ],
        [{"Source": "s", "DetailType": "t", "Detail": "{}"}] * 11,
    ],
)
def test_events_are_put_as_on_motos_bus(entries: list[dict[str, str]]) -> None:
    client = boto3.client("events", region_name="us-east-1")
    bus = EventBridge(nature(), [], lambda target, event, name: None)

    def told(call: Callable[[], Any]) -> Any:
        try:
            rows = call()["Entries"]
        except (ClientError, Refused) as error:
            return getattr(error, "code", None) or error.response["Error"]["Code"]  # type: ignore[union-attr]
        return [row.get("ErrorCode", "EventId" in row) for row in rows]

    assert told(lambda: bus.call("PutEvents", {"Entries": entries})) == told(
        lambda: client.put_events(Entries=entries)
    )


# ---- Secrets Manager ----


def test_secrets_are_read_and_replaced_as_motos_are() -> None:
    client = boto3.client("secretsmanager", region_name="us-east-1")
    client.create_secret(Name="keys", SecretString="1")
    service = SecretsManager(nature())
    service.create("arn:keys", "keys", "1")
    for act in ({}, {"VersionStage": "AWSPREVIOUS"}):
        assert _secret(client, act) == _secret(service, act)
    for text in ("2", "3"):
        client.put_secret_value(SecretId="keys", SecretString=text)
        service.nature.place = text
        service.call("PutSecretValue", {"SecretId": "keys", "SecretString": text})
        for act in ({}, {"VersionStage": "AWSPREVIOUS"}):
            assert _secret(client, act) == _secret(service, act)


def _secret(of: Any, about: dict[str, str]) -> Any:
    request = {"SecretId": "keys", **about}
    try:
        answer = (
            of.call("GetSecretValue", request)
            if isinstance(of, SecretsManager)
            else of.get_secret_value(**request)
        )
    except Refused as refused:
        return refused.code
    except ClientError as error:
        return error.response["Error"]["Code"]
    return answer["SecretString"], sorted(answer["VersionStages"])
