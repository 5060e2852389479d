"""The endpoint: control addresses, mounted applications, long polls, many clients at once."""

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from exnotify.cloud import EmbeddedCloud
from exnotify.cloud.wsgi import WsgiServer


def ask(cloud: EmbeddedCloud, path: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(f"{cloud.url}{path}", method=method, headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own address
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.status or 0, json.load(error)


def test_outputs_are_all_that_a_command_needs(hands: Any) -> None:
    status, told = ask(hands.cloud, "/_exnotify/outputs")
    assert status == 200
    assert told["url"] == hands.cloud.url
    assert told["outputs"] == {"BucketName": "exnotify-bucket", "TableName": "exnotify-Table"}
    assert told["resources"]["Orders"] == {
        "type": "AWS::SQS::Queue",
        "id": f"{hands.cloud.url}/123456789012/exnotify-Orders",
        "arn": "arn:aws:sqs:us-east-1:123456789012:exnotify-Orders",
    }
    assert told["scheduled"] == ["SweepFunction"]
    client = boto3.client(
        "s3",
        endpoint_url=told["url"],
        region_name=told["region"],
        aws_access_key_id=told["admin"]["access_key_id"],
        aws_secret_access_key=told["admin"]["secret_access_key"],
    )
    client.put_object(Bucket=told["outputs"]["BucketName"], Key="other/k", Body=b"by hand")
    assert client.get_object(Bucket="exnotify-bucket", Key="other/k")["Body"].read() == b"by hand"


def test_the_stack_answers_as_cloudformation_would(hands: Any) -> None:
    client = hands.cloud.client("cloudformation")
    (stack,) = client.describe_stacks(StackName="exnotify")["Stacks"]
    assert {row["OutputKey"]: row["OutputValue"] for row in stack["Outputs"]} == hands.cloud.outputs
    assert client.describe_stacks()["Stacks"] == [stack]
    assert client.describe_stacks(StackName=stack["StackId"])["Stacks"] == [stack]
    detail = client.describe_stack_resource(StackName="exnotify", LogicalResourceId="Orders")
    assert detail["StackResourceDetail"]["PhysicalResourceId"] == hands.cloud.resource("Orders")
    assert detail["StackResourceDetail"]["ResourceType"] == "AWS::SQS::Queue"
    rows = client.list_stack_resources(StackName="exnotify")["StackResourceSummaries"]
    assert {row["LogicalResourceId"] for row in rows} == set(hands.cloud.describe()["resources"])


@pytest.mark.parametrize(
    ("operation", "asked", "said"),
    [
        ("describe_stacks", {"StackName": "nowhere"}, "Stack with id nowhere does not exist"),
        (
            "describe_stack_resource",
            {"StackName": "exnotify", "LogicalResourceId": "Nothing"},
            "Resource Nothing does not exist for stack exnotify",
        ),
        ("delete_stack", {"StackName": "exnotify"}, "DeleteStack is not known to the embedded cloud"),
    ],
)
def test_what_cloudformation_cannot_answer_is_a_validation_error(
    hands: Any, operation: str, asked: dict[str, str], said: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(hands.cloud.client("cloudformation"), operation)(**asked)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert said in refused.value.response["Error"]["Message"]


def test_state_follows_the_work(hands: Any, wait: Any) -> None:
    assert wait(lambda: ask(hands.cloud, "/_exnotify/state")[1]["idle"])
    hands.order(do="sleep", id="watched", seconds=1)
    wait(lambda: hands.deliveries("watched"))
    state = ask(hands.cloud, "/_exnotify/state")[1]
    assert state["idle"] is False
    assert state["queues"]["Orders"] == {"visible": 0, "in_flight": 1, "delayed": 0}
    assert state["running"] == {"TakeOrdersFunction": 1, "GreetFunction": 0, "SweepFunction": 0}
    assert hands.cloud.idle(5)
    hands.cloud.client("sqs").send_message(
        QueueUrl=hands.cloud.resource("Orders"), MessageBody='{"do": "count"}', DelaySeconds=1
    )
    assert ask(hands.cloud, "/_exnotify/state")[1]["queues"]["Orders"]["delayed"] == 1
    assert hands.cloud.idle(0.1) is False
    assert hands.cloud.idle(5)


def test_a_tick_returns_what_the_function_does(hands: Any) -> None:
    status, answer = ask(hands.cloud, "/_exnotify/tick/SweepFunction", "POST")
    assert (status, answer["result"]) == (200, {"swept": "Scheduled Event"})
    assert ask(hands.cloud, "/_exnotify/tick/TakeOrdersFunction", "POST") == (
        404,
        {"error": "TakeOrdersFunction has no schedule: SweepFunction has"},
    )
    assert ask(hands.cloud, "/_exnotify/tick/Nobody", "POST")[0] == 404


def test_logs_are_the_functions_lines(hands: Any) -> None:
    for number in range(3):
        hands.tell(do="print", text=f"line {number}")
    _, lines = ask(hands.cloud, "/_exnotify/logs?function=TakeOrdersFunction&limit=4")
    texts = [line["text"] for line in lines]
    assert len(texts) == 4
    assert "line 2" in texts
    assert {line["function"] for line in lines} == {"TakeOrdersFunction"}
    assert ask(hands.cloud, "/_exnotify/logs?limit=0")[1] == []


@pytest.mark.parametrize("path", ["/_exnotify/nothing", "/_exnotify/tick"])
def test_an_address_that_is_not_there_says_so(hands: Any, path: str) -> None:
    status, answer = ask(hands.cloud, path, "POST")
    assert status == 404
    assert path in answer["error"]


def test_a_web_page_cannot_steer_the_cloud(hands: Any) -> None:
    assert ask(hands.cloud, "/_exnotify/stop", "POST", Origin="http://evil.example.com")[0] == 403
    assert not hands.cloud.wait(0)


def test_another_region_is_refused(hands: Any) -> None:
    environment = hands.cloud.environment("TakeOrdersFunction")
    client = boto3.client(
        "dynamodb",
        endpoint_url=hands.cloud.url,
        region_name="eu-west-1",
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key="x",
        config=Config(retries={"max_attempts": 0}),
    )
    with pytest.raises(Exception, match="400"):
        client.list_tables()


def test_a_long_poll_waits_without_keeping_others_out(hands: Any) -> None:
    sqs = hands.role_client("TakeOrdersFunction", "sqs")
    url = hands.cloud.client("sqs").create_queue(QueueName="polled")["QueueUrl"]
    admin = hands.cloud.describe()["admin"]
    sqs = boto3.client(
        "sqs",
        endpoint_url=hands.cloud.url,
        region_name="us-east-1",
        aws_access_key_id=admin["access_key_id"],
        aws_secret_access_key=admin["secret_access_key"],
    )
    threading.Timer(
        0.4, lambda: hands.cloud.client("sqs").send_message(QueueUrl=url, MessageBody="late")
    ).start()
    started = time.monotonic()
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert message["Body"] == "late"
    assert time.monotonic() - started < 20  # it came before the wait was over
    started = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    assert time.monotonic() - started >= 1


def test_conditional_writes_of_many_clients_have_one_winner(hands: Any) -> None:
    table = hands.cloud.outputs["TableName"]
    clients = [hands.role_client("TakeOrdersFunction", "dynamodb") for _ in range(4)]
    wins: list[int] = []
    barrier = threading.Barrier(len(clients))

    def race(number: int, client: Any) -> None:
        for attempt in range(20):
            barrier.wait()
            try:
                client.update_item(
                    TableName=table,
                    Key={"pk": {"S": f"race {attempt}"}},
                    UpdateExpression="SET winner = :n",
                    ConditionExpression="attribute_not_exists(pk)",
                    ExpressionAttributeValues={":n": {"N": str(number)}},
                )
            except client.exceptions.ConditionalCheckFailedException:
                continue
            wins.append(attempt)

    threads = [threading.Thread(target=race, args=pair) for pair in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wins) == list(range(20))


def test_a_client_that_asks_before_it_sends_is_answered_at_once(hands: Any) -> None:
    host, port = hands.cloud.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(
            b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n")
        connection.sendall(b"body")
        assert connection.recv(1000).startswith(b"HTTP/1.1 403 ")
        # The connection stays open for the next request.
        connection.sendall(b"GET /_exnotify/state HTTP/1.1\r\nHost: h\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "head", [b"Content-Length: -1", b"Content-Length: many", b"Transfer-Encoding: chunked\r\n\r\nzz"]
)
def test_a_request_that_is_none_is_refused(hands: Any, head: bytes) -> None:
    host, port = hands.cloud.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: h\r\n" + head + b"\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 10\r\n\r\nhalf",
        b"Content-Length: 10\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n6\r\nof",
    ],
)
def test_a_client_that_dies_in_the_middle_of_its_request_has_asked_for_nothing(sent: bytes) -> None:
    """A worker that is killed while it writes an object must not leave half of it."""
    asked: list[bytes] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [b"done"]

    server = WsgiServer("127.0.0.1", 0, app)
    server.start()
    try:
        for rest, answer in ((sent, b""), (b"Content-Length: 5\r\nConnection: close\r\n\r\nwhole", b"done")):
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                connection.sendall(b"PUT /bucket/key HTTP/1.1\r\nHost: here\r\n" + rest)
                connection.shutdown(socket.SHUT_WR)
                assert b"".join(iter(lambda: connection.recv(4096), b"")).endswith(answer)
        assert asked == [b"whole"]
    finally:
        server.stop()


def test_a_body_in_chunks_and_a_large_one_arrive_whole(hands: Any) -> None:
    s3 = hands.cloud.client("s3")
    body = bytes(range(256)) * 40_000  # 10 MB: boto3 sends it with a trailing checksum
    admin = hands.cloud.describe()["admin"]
    over_http = boto3.client(
        "s3",
        endpoint_url=hands.cloud.url,
        region_name="us-east-1",
        aws_access_key_id=admin["access_key_id"],
        aws_secret_access_key=admin["secret_access_key"],
    )
    over_http.put_object(Bucket="exnotify-bucket", Key="other/large", Body=body, ChecksumAlgorithm="SHA256")
    assert s3.get_object(Bucket="exnotify-bucket", Key="other/large")["Body"].read() == body
    assert over_http.get_object(Bucket="exnotify-bucket", Key="other/large")["Body"].read() == body
