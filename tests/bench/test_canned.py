"""The canned services answer and bill as the real ones do; the real clients speak to them."""

import botocore.session
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from bench.canned import OPENTEXT, CannedCloud
from bench.canned_dynamodb import item_size
from bench.canned_http import Answer, Conversation, Request, unchunked
from bench.functions import environment
from bench.template import Table
from exstream_notify.adapters.dynamodb.wire import pass_batches

SCHEMAS = {"notices": Table(("pk",), (("cust",), ("slot", "due"))), "runs": Table(("pk", "sk"))}


def client(service: str):
    with environment({}):
        return botocore.session.get_session().create_client(
            service, config=Config(parameter_validation=False)
        )


@pytest.fixture
def cloud():
    cloud = CannedCloud(SCHEMAS)
    with cloud.installed(), environment({}):
        yield cloud


def writes(cloud: CannedCloud) -> float:
    return cloud.usage.units.get("dynamodb_write", 0)


def reads(cloud: CannedCloud) -> float:
    return cloud.usage.units.get("dynamodb_read", 0)


def put(key: str, version: int = 1, **more: str) -> dict:
    item = {"pk": {"S": key}, "v": {"N": str(version)}, **{name: {"S": text} for name, text in more.items()}}
    if version == 1:
        return {"TableName": "notices", "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    before = {":before": {"N": str(version - 1)}}
    return {
        "TableName": "notices",
        "Item": item,
        "ConditionExpression": "v = :before",
        "ExpressionAttributeValues": before,
    }


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"pk": {"S": "abc"}}, 5),
        ({"pk": {"S": "é"}}, 4),
        ({"n": {"N": "12345"}}, 1 + 4),
        ({"b": {"BOOL": True}}, 2),
        ({"l": {"L": [{"S": "ab"}]}}, 1 + 3 + 3),
        ({"m": {"M": {"k": {"S": "ab"}}}}, 1 + 3 + 1 + 1 + 2),
    ],
)
def test_an_item_has_the_size_that_the_developer_guide_gives(item, size):
    assert item_size(item) == size


def test_a_write_costs_a_unit_for_each_started_kilobyte_and_twice_that_in_a_transaction(cloud):
    dynamodb = client("dynamodb")
    dynamodb.put_item(**put("a", text="x" * 1000))
    assert writes(cloud) == 1
    dynamodb.put_item(**put("b", text="x" * 1100))
    assert writes(cloud) == 3
    dynamodb.transact_write_items(TransactItems=[{"Put": put("c")}, {"Put": put("d", text="x" * 1100)}])
    assert writes(cloud) == 3 + 2 + 4


def test_an_index_costs_a_write_when_its_key_comes_changes_or_goes(cloud):
    dynamodb = client("dynamodb")
    dynamodb.put_item(**put("a", cust="one"))
    assert writes(cloud) == 2
    dynamodb.put_item(**put("a", 2, cust="one", slot="s", due="d"))
    assert writes(cloud) == 4
    dynamodb.put_item(**put("a", 3, cust="one", slot="s", due="later"))
    assert writes(cloud) == 4 + 1 + 2
    dynamodb.put_item(**put("a", 4, cust="one"))
    assert writes(cloud) == 7 + 1 + 1


def test_reads_cost_by_consistency_and_size_and_a_missing_item_as_the_smallest(cloud):
    dynamodb = client("dynamodb")
    cloud.tables.seed("notices", [{"pk": {"S": "big"}, "text": {"S": "x" * 5000}}])
    keys = [{"pk": {"S": "big"}}, {"pk": {"S": "none"}}]
    dynamodb.batch_get_item(RequestItems={"notices": {"Keys": keys, "ConsistentRead": True}})
    assert reads(cloud) == 2 + 1
    dynamodb.batch_get_item(RequestItems={"notices": {"Keys": keys}})
    assert reads(cloud) == 3 + 1 + 0.5


def test_a_condition_that_fails_is_refused_as_dynamodb_refuses_it(cloud):
    dynamodb = client("dynamodb")
    dynamodb.put_item(**put("a"))
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.put_item(**put("a"))
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.transact_write_items(TransactItems=[{"Put": put("b")}, {"Put": put("a", 3)}])
    codes = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert codes == ["None", "ConditionalCheckFailed"]
    assert cloud.tables.count("notices") == 1


def test_a_condition_that_nobody_measured_is_an_error_of_the_bench(cloud):
    with pytest.raises(HTTPClientError, match="size"):
        client("dynamodb").put_item(
            TableName="notices", Item={"pk": {"S": "a"}}, ConditionExpression="size(x) > :y"
        )


def test_objects_come_back_whole_and_by_range(cloud):
    s3 = client("s3")
    body = bytes(range(256)) * 10
    s3.put_object(Bucket="bucket", Key="some/key.bin", Body=body)
    assert s3.get_object(Bucket="bucket", Key="some/key.bin")["Body"].read() == body
    part = s3.get_object(Bucket="bucket", Key="some/key.bin", Range="bytes=10-19")["Body"].read()
    assert part == body[10:20]
    assert cloud.usage.calls == {"s3.PutObject": 1, "s3.GetObject": 2}


def test_a_queue_keeps_messages_and_bills_each_started_64_kilobytes(cloud):
    sqs = client("sqs")
    url = "https://sqs.us-east-1.amazonaws.com/000000000000/Queue"
    entries = [{"Id": "0", "MessageBody": "x" * 70_000, "MessageGroupId": "run"}]
    assert not sqs.send_message_batch(QueueUrl=url, Entries=entries)["Failed"]
    assert cloud.queues[url] == [("x" * 70_000, "run")]
    assert cloud.usage.units["sqs_requests"] == 2


def test_opentext_counts_destinations(cloud):
    with httpx.Client() as opentext:
        job = {"destinations": [{"ref": "1"}, {"ref": "2"}]}
        answer = opentext.post(f"{OPENTEXT}/mra/v1/outbound/emails", json=job)
    assert answer.json() == {"job_id": "xsi2-1"}
    assert cloud.sent == 2


def test_nothing_else_is_answered_and_nothing_reaches_a_network(cloud):
    with pytest.raises(NotImplementedError, match=r"elsewhere\.example\.com"), httpx.Client() as other:
        other.get("https://elsewhere.example.com/")


def test_a_request_may_arrive_in_pieces_or_chunked():
    seen: list[Request] = []

    def respond(request: Request) -> Answer:
        seen.append(request)
        return Answer(200, {}, b"ok")

    conversation = Conversation(respond)
    whole = b"PUT /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    answers = [conversation.take(whole[at : at + 1]) for at in range(len(whole))]
    assert [answer for answer in answers if answer] == [b"HTTP/1.1 200 Canned\r\ncontent-length: 2\r\n\r\nok"]
    assert (seen[0].path, seen[0].body) == ("/a b", b"abc")


def test_an_aws_chunked_body_loses_its_trailer():
    assert unchunked(b"3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n") == b"abcde"


def test_what_looks_like_the_end_of_a_body_is_none():
    # Clients send a body in pieces, and one may end within the trailer: right after its "0\r\n".
    sizes = range(128 * 1024 - 24, 128 * 1024)
    cloud = CannedCloud(SCHEMAS)
    with cloud.installed(), environment({}):
        s3 = client("s3")
        for size in sizes:
            s3.put_object(Bucket="work", Key=str(size), Body=b"x" * size)
    assert [len(body) for body in cloud.objects.values()] == list(sizes)


class TestBatchesAsTheyAre:
    """`adapters.dynamodb.wire` changes what botocore does, not what DynamoDB sees."""

    def exchange(self, cloud, monkeypatch, *, as_they_are: bool):
        bodies = []
        handle = cloud.tables.operations

        def kept(name):
            def operation(request):
                bodies.append((name, request))
                return handle[name](request)

            return operation

        monkeypatch.setattr(cloud.tables, "operations", {name: kept(name) for name in handle})
        dynamodb = client("dynamodb")
        if as_they_are:
            pass_batches(dynamodb)
        items = [{"Put": put("a", text="“é” \u2028 \U0001f600")}, {"Put": put("b", cust="c")}]
        dynamodb.transact_write_items(TransactItems=items, ClientRequestToken="token")
        keys = [{"pk": {"S": key}} for key in ("a", "b", "none")]
        answer = dynamodb.batch_get_item(RequestItems={"notices": {"Keys": keys, "ConsistentRead": True}})
        del answer["ResponseMetadata"]
        return bodies, answer

    def test_request_and_answer_are_the_same(self, monkeypatch):
        exchanges = []
        for as_they_are in (False, True):
            cloud = CannedCloud(SCHEMAS)
            with cloud.installed(), environment({}), monkeypatch.context() as patched:
                exchanges.append(self.exchange(cloud, patched, as_they_are=as_they_are))
        assert exchanges[0] == exchanges[1]
        assert len(exchanges[1][1]["Responses"]["notices"]) == 2

    def test_a_transaction_still_gets_its_token(self, cloud, monkeypatch):
        seen = []
        transact = cloud.tables.operations["TransactWriteItems"]
        operations = {"TransactWriteItems": lambda request: (seen.append(request), transact(request))[1]}
        monkeypatch.setattr(cloud.tables, "operations", operations)
        dynamodb = client("dynamodb")
        pass_batches(dynamodb)
        dynamodb.transact_write_items(TransactItems=[{"Put": put("a")}])
        assert len(seen[0]["ClientRequestToken"]) == 36

    def test_errors_are_as_ever(self, cloud):
        dynamodb = client("dynamodb")
        pass_batches(dynamodb)
        dynamodb.put_item(**put("a"))
        with pytest.raises(ClientError) as caught:
            dynamodb.transact_write_items(TransactItems=[{"Put": put("a")}])
        assert caught.value.response["CancellationReasons"] == [{"Code": "ConditionalCheckFailed"}]
