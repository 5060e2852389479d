"""Each correction of moto, beside moto without it: when the second half fails, the correction can go."""

import inspect
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from exnotify.cloud.access import AccessControl
from exnotify.cloud.clients import Clients
from exnotify.cloud.clock import Clock
from exnotify.cloud.corrections import corrected
from exnotify.cloud.emulator import Emulator
from exnotify.cloud.eventbus import EventBus
from exnotify.cloud.server import Server

URL = "http://127.0.0.1:1"
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:q"


# Made once: a boto3 client costs more than most of these tests.
EMULATOR = Emulator("us-east-1")
ACCESS = AccessControl(EMULATOR)
CLIENTS = Clients(Server(EMULATOR, ACCESS), URL, "us-east-1")


@contextmanager
def services(*, correct: bool, clock: Clock | None = None) -> Iterator[Clients]:
    """Empty services, with the corrections or without."""
    clock = clock or Clock.starting()
    bus = EventBus(EMULATOR, ACCESS, clock, lambda arn, event: None, lambda *_: True)
    ACCESS.forget()
    with EMULATOR.running():
        if correct:
            with corrected(bus, ACCESS, clock):
                yield CLIENTS
        else:
            yield CLIENTS


@pytest.fixture
def aws() -> Iterator[Clients]:
    """Corrected services."""
    with services(correct=True) as clients:
        yield clients


@pytest.fixture
def raw() -> Callable[[], Any]:
    """moto as it is."""
    return lambda: services(correct=False)


def make_queue(aws: Clients, *, invited: bool = True) -> str:
    url = aws("sqs").create_queue(QueueName="q")["QueueUrl"]
    if invited:
        policy = {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]},
                    "Action": "sqs:SendMessage",
                    "Resource": QUEUE_ARN,
                }
            ]
        }
        aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    return str(url)


def make_rule(aws: Clients, *, state: str = "ENABLED", **what: Any) -> None:
    what = what or {"EventPattern": json.dumps({"source": ["aws.s3", "ours"]})}
    aws("events").put_rule(Name="r", State=state, **what)
    aws("events").put_targets(Rule="r", Targets=[{"Id": "q", "Arn": QUEUE_ARN}])


def make_bucket(aws: Clients, name: str = "drops") -> None:
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )


def events_in(aws: Clients, url: str) -> list[dict[str, Any]]:
    messages = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


def make_table(aws: Clients) -> Any:
    aws("dynamodb").create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return aws("dynamodb")


# ---- S3 events ----


def test_each_object_makes_one_event_with_an_id_of_its_own(aws: Clients) -> None:
    url = make_queue(aws)
    make_rule(aws)
    make_bucket(aws)
    before = datetime.now(UTC).replace(microsecond=0)
    for key in ("one", "two"):
        aws("s3").put_object(Bucket="drops", Key=f"a/{key} +.json", Body=b"12345")

    first, second = sorted(events_in(aws, url), key=lambda event: event["detail"]["object"]["sequencer"])
    assert first["id"] != second["id"]
    assert first["detail-type"] == "Object Created"
    assert first["resources"] == ["arn:aws:s3:::drops"]
    assert before <= datetime.fromisoformat(first["time"]) <= datetime.now(UTC)
    assert first["detail"]["bucket"] == {"name": "drops"}
    assert first["detail"]["reason"] == "PutObject"
    described = first["detail"]["object"]
    assert described.pop("sequencer")
    assert described == {"key": "a/one +.json", "size": 5, "etag": "827ccb0eea8a706c4c34a16891f84e7b"}


def test_a_version_and_how_it_came_are_told(aws: Clients) -> None:
    url = make_queue(aws)
    make_rule(aws)
    make_bucket(aws)
    s3 = aws("s3")
    s3.put_bucket_versioning(Bucket="drops", VersioningConfiguration={"Status": "Enabled"})
    put = s3.put_object(Bucket="drops", Key="k", Body=b"1")
    copied = s3.copy_object(Bucket="drops", Key="copy", CopySource="drops/k")
    upload = s3.create_multipart_upload(Bucket="drops", Key="parts")["UploadId"]
    part = s3.upload_part(Bucket="drops", Key="parts", UploadId=upload, PartNumber=1, Body=b"12")
    done = s3.complete_multipart_upload(
        Bucket="drops",
        Key="parts",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    told = [
        (event["detail"]["reason"], event["detail"]["object"]["version-id"]) for event in events_in(aws, url)
    ]
    assert sorted(told) == sorted(
        [
            ("PutObject", put["VersionId"]),
            ("CopyObject", copied["VersionId"]),
            ("CompleteMultipartUpload", done["VersionId"]),
        ]
    )


def test_moto_itself_repeats_one_id_and_adds_an_event_on_tags(raw: Any) -> None:
    with raw() as aws:
        url = make_queue(aws)
        make_rule(aws)
        make_bucket(aws)
        aws("s3").put_object(Bucket="drops", Key="k", Body=b"1")
        events = events_in(aws, url)
        assert [event["detail-type"] for event in events] == ["Object Created", "Object Tags Added"]
        assert events[0]["id"] == events[1]["id"]
        assert "eTag" in events[0]["detail"]["object"]


# ---- rules ----

PUT = [{"Source": "ours", "DetailType": "d", "Detail": "{}"}]


@pytest.mark.parametrize(
    "rule", [{"state": "DISABLED"}, {"ScheduleExpression": "rate(1 day)"}], ids=["disabled", "scheduled"]
)
def test_a_disabled_and_a_scheduled_rule_match_no_event(aws: Clients, raw: Any, rule: dict[str, Any]) -> None:
    def delivered(aws: Clients) -> int:
        url = make_queue(aws)
        make_rule(aws, **rule)
        aws("events").put_events(Entries=PUT)
        return len(events_in(aws, url))

    assert delivered(aws) == 0


@pytest.mark.parametrize(
    "rule", [{"state": "DISABLED"}, {"ScheduleExpression": "rate(1 day)"}], ids=["disabled", "scheduled"]
)
def test_moto_itself_fires_them(raw: Any, rule: dict[str, Any]) -> None:
    with raw() as aws:
        url = make_queue(aws)
        make_rule(aws, **rule)
        aws("events").put_events(Entries=PUT)
        assert len(events_in(aws, url)) == 1


@pytest.mark.parametrize("invited", [True, False])
def test_a_rule_reaches_a_queue_only_if_its_policy_allows(
    aws: Clients, caplog: pytest.LogCaptureFixture, invited: bool
) -> None:
    url = make_queue(aws, invited=invited)
    make_rule(aws)
    aws("events").put_events(Entries=PUT)
    assert len(events_in(aws, url)) == int(invited)
    assert ("the event is lost" in caplog.text) is not invited


@pytest.mark.parametrize("invited", [True, False])
def test_a_topic_reaches_a_queue_only_if_its_policy_allows(
    aws: Clients, caplog: pytest.LogCaptureFixture, invited: bool
) -> None:
    url = make_queue(aws, invited=invited)
    topic = aws("sns").create_topic(Name="t")["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE_ARN)
    aws("sns").publish(TopicArn=topic, Message="m")
    envelopes = events_in(aws, url)
    assert [envelope["Message"] for envelope in envelopes] == ["m"] * invited
    assert ("the message is lost" in caplog.text) is not invited


def test_a_topic_says_how_many_are_subscribed(aws: Clients) -> None:
    def confirmed() -> str:
        attributes = aws("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
        return str(attributes["SubscriptionsConfirmed"])

    topic, other = (aws("sns").create_topic(Name=name)["TopicArn"] for name in "tu")
    found = aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE_ARN)["SubscriptionArn"]
    aws("sns").subscribe(TopicArn=other, Protocol="sqs", Endpoint=QUEUE_ARN)
    assert confirmed() == "1"
    aws("sns").unsubscribe(SubscriptionArn=found)
    assert confirmed() == "0"


def test_moto_itself_says_that_nobody_is(raw: Any) -> None:
    with raw() as aws:
        topic = aws("sns").create_topic(Name="t")["TopicArn"]
        aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE_ARN)
        attributes = aws("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
        assert attributes["SubscriptionsConfirmed"] == "0"


@pytest.mark.parametrize(("subject", "taken"), [("s" * 99, True), ("s" * 100, False), ("a\nb", False)])
def test_a_topic_takes_subjects_of_less_than_100_characters_in_one_line(
    aws: Clients, subject: str, taken: bool
) -> None:
    topic = aws("sns").create_topic(Name="t")["TopicArn"]
    if taken:
        aws("sns").publish(TopicArn=topic, Message="m", Subject=subject)
    else:
        with pytest.raises(ClientError, match="InvalidParameter"):
            aws("sns").publish(TopicArn=topic, Message="m", Subject=subject)


def test_a_topic_takes_256_kb_of_bytes(aws: Clients) -> None:
    topic = aws("sns").create_topic(Name="alerts")["TopicArn"]
    aws("sns").publish(TopicArn=topic, Message="é" * 131_072)
    with pytest.raises(ClientError, match="Message too long"):
        aws("sns").publish(TopicArn=topic, Message="é" * 131_073)


@pytest.mark.parametrize(
    ("number", "size", "taken"), [(1, 262_144, True), (1, 262_145, False), (10, 26_300, False)]
)
def test_a_request_holds_256_kb_of_events(aws: Clients, number: int, size: int, taken: bool) -> None:
    room = size - len("exnotify" + "Kind" + '{"a":""}')
    entry = {
        "Source": "exnotify",
        "DetailType": "Kind",
        "Detail": json.dumps({"a": "x" * room}, separators=(",", ":")),
    }
    if taken:
        assert aws("events").put_events(Entries=[entry] * number)["FailedEntryCount"] == 0
    else:
        with pytest.raises(ClientError, match="over the limit"):
            aws("events").put_events(Entries=[entry] * number)


@pytest.mark.parametrize("subject", ["s" * 100, "a\nb"])
def test_moto_itself_takes_others(raw: Any, subject: str) -> None:
    with raw() as aws:
        topic = aws("sns").create_topic(Name="t")["TopicArn"]
        aws("sns").publish(TopicArn=topic, Message="m", Subject=subject)


@pytest.mark.parametrize(
    ("pattern", "detail", "matches"),
    [
        ({"key": [{"prefix": "drop/"}]}, {"key": "drop/a"}, True),
        ({"key": [{"prefix": "drop/"}]}, {"key": "other/a"}, False),
        ({"key": [{"suffix": ".json"}]}, {"key": "drop/a.json"}, True),
        ({"key": [{"suffix": ".json"}]}, {"key": "drop/a.jsonl"}, False),
        ({"key": [{"wildcard": "drop/*/_COMPLETE.json"}]}, {"key": "drop/d/r/_COMPLETE.json"}, True),
        ({"key": [{"wildcard": "drop/*/_COMPLETE.json"}]}, {"key": "drop/_COMPLETE.json"}, False),
        ({"key": [{"anything-but": {"prefix": "tmp/"}}]}, {"key": "drop/a"}, True),
        ({"key": [{"anything-but": {"prefix": "tmp/"}}]}, {"key": "tmp/a"}, False),
        ({"key": [{"anything-but": ["a", "b"]}]}, {"key": "b"}, False),
        ({"key": [{"equals-ignore-case": "ABC"}]}, {"key": "abc"}, True),
        ({"n": [{"numeric": [">", 1, "<=", 3]}]}, {"n": 3}, True),
        ({"n": [{"numeric": [">", 1, "<=", 3]}]}, {"n": 1}, False),
        ({"a": {"b": [{"exists": False}]}}, {"a": {}}, True),
        ({"a": {"b": [{"exists": False}]}}, {"a": {"b": 1}}, False),
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 1}, False),
        ({"tags": ["x"]}, {"tags": ["w", "x"]}, True),
        # As aws/event-ruler answers: a wildcard heeds letter case, `equals-ignore-case` does not.
        ({"key": [{"wildcard": "drop/*essages*"}]}, {"key": "drop/essages"}, True),
        ({"key": [{"wildcard": "drop/*essages*"}]}, {"key": "drop/MESSAGES"}, False),
        ({"key": [{"suffix": {"equals-ignore-case": ".csv"}}]}, {"key": "a.CSV"}, True),
        ({"key": [{"suffix": {"equals-ignore-case": ".csv"}}]}, {"key": "a.csv.gz"}, False),
        # A field that is missing is nothing, so it is not anything but a value.
        ({"a": [{"anything-but": ["x", "y"]}]}, {}, False),
        ({"a": [{"anything-but": "x"}]}, {"a": None}, True),
        ({"a": [{"anything-but": ["x", "y"]}]}, {"a": ["x", "z"]}, True),
        ({"a": [{"anything-but": "x"}, {"exists": False}]}, {"a": ["x"]}, False),
        ({"a": [{"anything-but": "x"}, {"exists": False}]}, {}, True),
        # Alternatives under $or: all fields of one of them, and the fields beside $or as well.
        ({"$or": [{"a": ["x"]}, {"b": {"c": ["y"]}}]}, {"b": {"c": "y"}}, True),
        ({"$or": [{"a": ["x"], "b": ["y"]}, {"c": ["z"]}]}, {"a": "x"}, False),
        ({"$or": [{"a": ["x"]}, {"a": ["y"]}], "b": ["z"]}, {"a": "x"}, False),
    ],
)
def test_patterns_match_as_eventbridge_says(
    aws: Clients, pattern: dict[str, Any], detail: dict[str, Any], matches: bool
) -> None:
    url = make_queue(aws)
    make_rule(aws, EventPattern=json.dumps({"source": ["ours"], "detail": pattern}))
    aws("events").put_events(Entries=[{"Source": "ours", "DetailType": "d", "Detail": json.dumps(detail)}])
    assert len(events_in(aws, url)) == int(matches)


# ---- bucket policies ----

TLS_ONLY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": "arn:aws:s3:::drops/*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
)


def test_a_policy_against_plain_http_lets_everybody_in(aws: Clients) -> None:
    make_bucket(aws)
    aws("s3").put_bucket_policy(Bucket="drops", Policy=TLS_ONLY)
    aws("s3").put_object(Bucket="drops", Key="k", Body=b"1")
    assert aws("s3").get_object(Bucket="drops", Key="k")["Body"].read() == b"1"


def test_moto_itself_takes_it_for_a_denial(raw: Any) -> None:
    with raw() as aws:
        make_bucket(aws)
        aws("s3").put_bucket_policy(Bucket="drops", Policy=TLS_ONLY)
        with pytest.raises(ClientError, match="403"):
            aws("s3").put_object(Bucket="drops", Key="k", Body=b"1")


# ---- transactions ----


def put(key: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "t", "Item": {"pk": {"S": key}}, **more}}


ABSENT = {"ConditionExpression": "attribute_not_exists(pk)"}


def test_a_cancelled_transaction_says_why_for_each_part_and_changes_nothing(aws: Clients) -> None:
    dynamodb = make_table(aws)
    dynamodb.put_item(TableName="t", Item={"pk": {"S": "taken"}, "by": {"S": "somebody"}})
    with pytest.raises(ClientError) as caught:
        dynamodb.transact_write_items(
            TransactItems=[
                put("new", **ABSENT),
                put("taken", **ABSENT, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
                {
                    "Update": {
                        "TableName": "t",
                        "Key": {"pk": {"S": "absent"}},
                        "UpdateExpression": "SET n = :n",
                        "ConditionExpression": "attribute_exists(pk)",
                        "ExpressionAttributeValues": {":n": {"N": "1"}},
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    }
                },
            ]
        )
    assert caught.value.response["Error"]["Code"] == "TransactionCanceledException"
    none, taken, absent = caught.value.response["CancellationReasons"]
    assert none == {"Code": "None"}
    assert taken["Code"] == absent["Code"] == "ConditionalCheckFailed"
    assert taken["Item"] == {"pk": {"S": "taken"}, "by": {"S": "somebody"}}
    assert "Item" not in absent
    assert [item["pk"]["S"] for item in dynamodb.scan(TableName="t")["Items"]] == ["taken"]


def test_a_transaction_does_all_its_parts(aws: Clients) -> None:
    dynamodb = make_table(aws)
    dynamodb.put_item(TableName="t", Item={"pk": {"S": "old"}, "n": {"N": "1"}})
    dynamodb.transact_write_items(
        TransactItems=[
            put("new", **ABSENT),
            {"Delete": {"TableName": "t", "Key": {"pk": {"S": "gone"}}}},
            {
                "ConditionCheck": {
                    "TableName": "t",
                    "Key": {"pk": {"S": "absent"}},
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
            {
                "Update": {
                    "TableName": "t",
                    "Key": {"pk": {"S": "old"}},
                    "UpdateExpression": "ADD n :n",
                    "ExpressionAttributeValues": {":n": {"N": "2"}},
                }
            },
        ]
    )
    items = {item["pk"]["S"]: item.get("n") for item in dynamodb.scan(TableName="t")["Items"]}
    assert items == {"new": None, "old": {"N": "3"}}


def test_a_part_that_fails_late_takes_the_earlier_ones_back(aws: Clients) -> None:
    dynamodb = make_table(aws)
    dynamodb.put_item(TableName="t", Item={"pk": {"S": "old"}, "n": {"N": "1"}, "text": {"S": "no number"}})
    with pytest.raises(ClientError):
        dynamodb.transact_write_items(
            TransactItems=[
                put("new"),
                {"Delete": {"TableName": "t", "Key": {"pk": {"S": "kept"}}}},
                {
                    "Update": {
                        "TableName": "t",
                        "Key": {"pk": {"S": "old"}},
                        "UpdateExpression": "SET n = :n ADD #text :n",
                        "ExpressionAttributeNames": {"#text": "text"},
                        "ExpressionAttributeValues": {":n": {"N": "2"}},
                    }
                },
            ]
        )
    [item] = dynamodb.scan(TableName="t")["Items"]
    assert item == {"pk": {"S": "old"}, "n": {"N": "1"}, "text": {"S": "no number"}}


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ([put(str(n)) for n in range(101)], "less than or equal to 100"),
        ([put("same"), put("same")], "multiple operations on one item"),
    ],
)
def test_a_transaction_has_limits(aws: Clients, items: list[dict[str, Any]], says: str) -> None:
    dynamodb = make_table(aws)
    with pytest.raises(ClientError, match=says) as caught:
        dynamodb.transact_write_items(TransactItems=items)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert dynamodb.scan(TableName="t")["Count"] == 0


@pytest.fixture
def copied_tables(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tables that moto copies whole."""
    from moto.dynamodb.models.table import Table

    names: list[str] = []

    def note(table: Any, memo: Any) -> Any:
        names.append(table.name)
        return table

    monkeypatch.setattr(Table, "__deepcopy__", note, raising=False)
    return names


def test_a_transaction_copies_no_table(aws: Clients, copied_tables: list[str]) -> None:
    make_table(aws).transact_write_items(TransactItems=[put("k")])
    assert copied_tables == []


def test_moto_itself_copies_the_table(raw: Any, copied_tables: list[str]) -> None:
    with raw() as aws:
        make_table(aws).transact_write_items(TransactItems=[put("k")])
        assert copied_tables == ["t"]


def test_a_repeated_token_succeeds_and_does_nothing(aws: Clients) -> None:
    dynamodb = make_table(aws)
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[put("once", **ABSENT)], ClientRequestToken="token")
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.transact_write_items(TransactItems=[put("once", **ABSENT)], ClientRequestToken="another")


def test_moto_itself_forgets_tokens(raw: Any) -> None:
    with raw() as aws:
        dynamodb = make_table(aws)
        dynamodb.transact_write_items(TransactItems=[put("once", **ABSENT)], ClientRequestToken="token")
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            dynamodb.transact_write_items(TransactItems=[put("once", **ABSENT)], ClientRequestToken="token")


@pytest.mark.parametrize("operation", ["put_item", "update_item", "delete_item"])
def test_a_failed_condition_returns_the_item_that_is_there(aws: Clients, operation: str) -> None:
    dynamodb = make_table(aws)
    dynamodb.put_item(TableName="t", Item={"pk": {"S": "k"}, "v": {"S": "1"}})
    key = {"Item" if operation == "put_item" else "Key": {"pk": {"S": "k"}}}
    update = {"UpdateExpression": "REMOVE v"} if operation == "update_item" else {}
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException) as caught:
        getattr(dynamodb, operation)(
            TableName="t", **key, **update, **ABSENT, ReturnValuesOnConditionCheckFailure="ALL_OLD"
        )
    assert caught.value.response["Item"] == {"pk": {"S": "k"}, "v": {"S": "1"}}


def test_an_item_above_400_kb_is_refused(aws: Clients) -> None:
    dynamodb = make_table(aws)
    with pytest.raises(ClientError, match="exceeded the maximum allowed size"):
        dynamodb.put_item(TableName="t", Item={"pk": {"S": "k"}, "v": {"S": "x" * 410_000}})


# ---- queues ----


@pytest.mark.parametrize(("key", "taken"), [("é" * 512, True), ("é" * 513, False)])
def test_an_update_takes_a_sort_key_of_1024_bytes(aws: Clients, key: str, taken: bool) -> None:
    names = [{"AttributeName": n, "KeyType": k} for n, k in (("pk", "HASH"), ("sk", "RANGE"))]
    kinds = [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")]
    aws("dynamodb").create_table(
        TableName="long", KeySchema=names, AttributeDefinitions=kinds, BillingMode="PAY_PER_REQUEST"
    )
    wanted: dict[str, Any] = {"TableName": "long", "Key": {"pk": {"S": "1"}, "sk": {"S": key}}}
    wanted |= {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}
    if taken:
        aws("dynamodb").update_item(**wanted)
    else:
        with pytest.raises(ClientError, match="size limit of 1024 bytes"):
            aws("dynamodb").update_item(**wanted)


def test_a_queue_tells_its_attributes(aws: Clients) -> None:
    sqs = aws("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = {"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2}
    url = sqs.create_queue(
        QueueName="q", Attributes={"VisibilityTimeout": "7", "RedrivePolicy": json.dumps(redrive)}
    )["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a")
    sqs.send_message(QueueUrl=url, MessageBody="b", DelaySeconds=60)
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "7"
    assert attributes["SqsManagedSseEnabled"] == "true"
    assert json.loads(attributes["RedrivePolicy"]) == redrive
    assert attributes["ApproximateNumberOfMessages"] == "1"
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"
    assert "Policy" not in attributes
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"] == {
        "DelaySeconds": "0"
    }


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A name for each time that moto counts the messages of a queue."""
    from moto.sqs.models import Queue

    names: list[str] = []
    original = vars(Queue)["approximate_number_of_messages"].fget

    def note(queue: Any) -> Any:
        names.append(queue.name)
        return original(queue)

    monkeypatch.setattr(Queue, "approximate_number_of_messages", property(note))
    return names


def send_and_receive(aws: Clients) -> None:
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "m"} for n in range(10)])
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 10


def test_a_queue_is_counted_only_when_somebody_asks(aws: Clients, counts: list[str]) -> None:
    send_and_receive(aws)
    assert counts == []


def test_moto_itself_counts_for_every_message(raw: Any, counts: list[str]) -> None:
    with raw() as aws:
        send_and_receive(aws)
        assert len(counts) >= 20


@pytest.mark.parametrize(("correct", "expected"), [(True, 1), (False, 3)], ids=["corrected", "moto itself"])
def test_methods_are_looked_for_once_and_not_on_every_request(correct: bool, expected: int) -> None:
    from moto.core import utils

    class Counting:
        """moto's view of the inspect module, which counts."""

        looks = 0
        isfunction = staticmethod(inspect.isfunction)
        ismethod = staticmethod(inspect.ismethod)

        @classmethod
        def getmembers(cls, owner: Any, predicate: Any) -> Any:
            cls.looks += 1
            return inspect.getmembers(owner, predicate)

    with pytest.MonkeyPatch.context() as patched, services(correct=correct) as aws:
        patched.setattr(utils, "inspect", Counting)
        for _ in range(3):
            aws("sqs").list_queues()
    assert Counting.looks == expected


def test_a_message_received_too_often_is_set_aside(aws: Clients) -> None:
    sqs = aws("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 2}
    url = sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": json.dumps(redrive)})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    for count in ("1", "2"):
        [message] = sqs.receive_message(
            QueueUrl=url, VisibilityTimeout=0, MessageSystemAttributeNames=["ApproximateReceiveCount"]
        )["Messages"]
        assert message["Attributes"]["ApproximateReceiveCount"] == count
        time.sleep(0.002)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "poison"


def test_a_standard_queue_takes_a_group(aws: Clients) -> None:
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for body in ("a", "b"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="run")
    messages = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
    )["Messages"]
    # Unlike on a FIFO queue, the group holds nothing back.
    assert [message["Attributes"]["MessageGroupId"] for message in messages] == ["run", "run"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"MessageBody": "é" * 131_073}, "InvalidParameterValue"),
        (
            {
                "MessageBody": "x" * 262_140,
                "MessageAttributes": {"a": {"DataType": "String", "StringValue": "b"}},
            },
            "InvalidParameterValue",
        ),
        ({"MessageBody": ""}, "MissingParameter"),
        ({"MessageBody": "bell \x07"}, "InvalidMessageContents"),
    ],
)
def test_a_message_that_sqs_does_not_take(aws: Clients, raw: Any, message: dict[str, Any], code: str) -> None:
    url = aws("sqs").create_queue(QueueName="q")["QueueUrl"]
    with pytest.raises(ClientError) as caught:
        aws("sqs").send_message(QueueUrl=url, **message)
    assert caught.value.response["Error"]["Code"] == code
    entries = [{"Id": "good", "MessageBody": "m"}]
    if len(message["MessageBody"]) < 100:
        answer = aws("sqs").send_message_batch(QueueUrl=url, Entries=[*entries, {"Id": "bad", **message}])
        assert [row["Id"] for row in answer["Successful"]] == ["good"]
        assert [(row["Id"], row["Code"], row["SenderFault"]) for row in answer["Failed"]] == [
            ("bad", code, True)
        ]
        answer = aws("sqs").send_message_batch(QueueUrl=url, Entries=[{"Id": "bad", **message}])
        assert not answer.get("Successful")


@pytest.mark.parametrize(
    ("number", "size", "taken"), [(1, 262_144, True), (10, 26_214, True), (10, 26_215, False)]
)
def test_a_batch_of_messages_holds_256_kb(aws: Clients, number: int, size: int, taken: bool) -> None:
    url = aws("sqs").create_queue(QueueName="q")["QueueUrl"]
    entries = [{"Id": str(n), "MessageBody": "é" * (size // 2) + "x" * (size % 2)} for n in range(number)]
    if taken:
        assert len(aws("sqs").send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == number
    else:
        with pytest.raises(ClientError, match="BatchRequestTooLong"):
            aws("sqs").send_message_batch(QueueUrl=url, Entries=entries)


def test_a_batch_that_is_too_long_in_number_or_repeats_an_id_is_refused_as_a_whole(aws: Clients) -> None:
    url = aws("sqs").create_queue(QueueName="q")["QueueUrl"]
    eleven = [{"Id": str(n), "MessageBody": "m"} for n in range(10)] + [{"Id": "bad", "MessageBody": "\x07"}]
    for entries, code in ((eleven, "TooManyEntries"), ([{"Id": "1", "MessageBody": "m"}] * 2, "NotDistinct")):
        with pytest.raises(ClientError, match=code):
            aws("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    assert "Messages" not in aws("sqs").receive_message(QueueUrl=url)


def test_moto_itself_takes_an_empty_message_and_a_megabyte(raw: Any) -> None:
    with raw() as aws:
        url = aws("sqs").create_queue(QueueName="q")["QueueUrl"]
        for body in ("", "x" * 1024 * 1024):
            aws("sqs").send_message(QueueUrl=url, MessageBody=body)


def received_twice(aws: Clients) -> tuple[str, str, str]:
    """A queue, the receipt handle of before, and the newest of a message in flight."""
    url = aws("sqs").create_queue(QueueName="q")["QueueUrl"]
    aws("sqs").send_message(QueueUrl=url, MessageBody="m")
    handles = []
    for seconds in (0, 600):
        (message,) = aws("sqs").receive_message(QueueUrl=url, VisibilityTimeout=seconds)["Messages"]
        handles.append(message["ReceiptHandle"])
        time.sleep(0.002)
    return url, handles[0], handles[1]


def test_an_older_handle_neither_deletes_nor_hides(aws: Clients) -> None:
    url, old, new = received_twice(aws)
    sqs = aws("sqs")
    sqs.delete_message(QueueUrl=url, ReceiptHandle=old)
    with pytest.raises(ClientError, match="not available for visibility timeout change"):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=old, VisibilityTimeout=0)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=new, VisibilityTimeout=0)
    time.sleep(0.002)
    with pytest.raises(ClientError, match="MessageNotInflight"):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=new, VisibilityTimeout=5)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=new)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_moto_itself_deletes_by_an_older_handle(raw: Any) -> None:
    with raw() as aws:
        url, old, new = received_twice(aws)
        aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=old)
        with pytest.raises(ClientError):
            aws("sqs").change_message_visibility(QueueUrl=url, ReceiptHandle=new, VisibilityTimeout=0)


def test_twelve_hours_count_from_the_receipt(aws: Clients) -> None:
    from moto.sqs.models import sqs_backends

    url, _, handle = received_twice(aws)
    (message,) = sqs_backends["123456789012"]["us-east-1"].get_queue("q")._messages
    message.sent_timestamp -= 86_400_000
    aws("sqs").change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=43_190)
    message.received_at -= 20
    with pytest.raises(ClientError, match="beyond the limit"):
        aws("sqs").change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=43_190)


# ---- time ----


def test_objects_are_dated_and_delays_pass_by_the_clouds_clock() -> None:
    clock = Clock.starting(at="2031-05-06T07:08:09Z", day=0.5)
    with services(correct=True, clock=clock) as aws:
        make_bucket(aws)
        aws("s3").put_object(Bucket="drops", Key="k", Body=b"1")
        assert aws("s3").head_object(Bucket="drops", Key="k")["LastModified"].year == 2031
        sqs = aws("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="soon", DelaySeconds=900)
        time.sleep(0.05)
        assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "soon"


def test_a_topic_dates_what_it_delivers_by_the_clouds_clock() -> None:
    with services(correct=True, clock=Clock.starting(at="2031-05-06T07:08:09Z")) as aws:
        url = make_queue(aws, invited=True)
        topic = aws("sns").create_topic(Name="t")["TopicArn"]
        aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE_ARN)
        aws("sns").publish(TopicArn=topic, Message="m")
        (envelope,) = events_in(aws, url)
        assert envelope["Timestamp"].startswith("2031-05-06T07:08:")


def test_moto_itself_dates_it_by_the_calendar(raw: Any) -> None:
    with raw() as aws:
        url = make_queue(aws, invited=True)
        topic = aws("sns").create_topic(Name="t")["TopicArn"]
        aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE_ARN)
        aws("sns").publish(TopicArn=topic, Message="m")
        (envelope,) = events_in(aws, url)
        assert envelope["Timestamp"][:4] == str(datetime.now(UTC).year)


# ---- S3 semantics that need no correction ----


def test_conditional_puts_and_ranges(aws: Clients) -> None:
    make_bucket(aws)
    s3 = aws("s3")
    etag = s3.put_object(Bucket="drops", Key="k", Body=b"0123456789", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="drops", Key="k", Body=b"other", IfNoneMatch="*")
    s3.put_object(Bucket="drops", Key="k", Body=b"9876543210", IfMatch=etag)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="drops", Key="k", Body=b"other", IfMatch=etag)
    answer = s3.get_object(Bucket="drops", Key="k", Range="bytes=2-4")
    assert (answer["Body"].read(), answer["ContentRange"]) == (b"765", "bytes 2-4/10")
    assert s3.get_object(Bucket="drops", Key="k", Range="bytes=7-")["Body"].read() == b"210"
    with pytest.raises(ClientError, match="InvalidRange"):
        s3.get_object(Bucket="drops", Key="k", Range="bytes=10-")


def test_locked_objects_stay(aws: Clients) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="proof", ObjectLockEnabledForBucket=True)
    s3.put_object_lock_configuration(
        Bucket="proof",
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
        },
    )
    version = s3.put_object(Bucket="proof", Key="k", Body=b"1")["VersionId"]
    assert s3.get_object_retention(Bucket="proof", Key="k")["Retention"]["Mode"] == "COMPLIANCE"
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket="proof", Key="k", VersionId=version)
    assert s3.get_object(Bucket="proof", Key="k", VersionId=version)["Body"].read() == b"1"


def test_moto_itself_answers_with_the_object(raw: Any) -> None:
    with raw() as aws:
        aws("s3").create_bucket(Bucket="proof")
        aws("s3").put_object(Bucket="proof", Key="k", Body=b"1")
        with pytest.raises(ClientError, match="500"):
            aws("s3").get_object_retention(Bucket="proof", Key="k")


def test_an_object_without_retention_says_so(aws: Clients) -> None:
    aws("s3").create_bucket(Bucket="proof")
    aws("s3").put_object(Bucket="proof", Key="k", Body=b"1")
    with pytest.raises(ClientError, match="NoSuchObjectLockConfiguration"):
        aws("s3").get_object_retention(Bucket="proof", Key="k")
    with pytest.raises(ClientError, match="NoSuchKey"):
        aws("s3").get_object_retention(Bucket="proof", Key="absent")


def test_corrections_are_undone() -> None:
    from moto.dynamodb.models import DynamoDBBackend
    from moto.s3 import notifications
    from moto.sqs.models import Queue

    watched = [
        (notifications, "send_event"),
        (DynamoDBBackend, "transact_write_items"),
        (Queue, "attributes"),
    ]
    before = [vars(owner)[name] for owner, name in watched]
    with services(correct=True):
        assert all(vars(owner)[name] is not was for (owner, name), was in zip(watched, before, strict=True))
    assert [vars(owner)[name] for owner, name in watched] == before
