"""What a function's role lacks is refused, on every way in."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def orders(hands: Any) -> Any:
    """Clients with the credentials of TakeOrdersFunction, over HTTP."""
    return lambda service: hands.role_client("TakeOrdersFunction", service)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_permission_that_the_role_has_is_used(hands: Any) -> None:
    bucket, table = hands.cloud.outputs["BucketName"], hands.cloud.outputs["TableName"]
    hands.cloud.client("s3").put_object(Bucket=bucket, Key="drop/own", Body=b"x")
    arguments = {"Bucket": bucket, "Key": "drop/own"}
    answer = hands.tell(do="call", service="s3", operation="head_object", arguments=arguments)
    assert "ContentLength" in answer
    arguments = {"TableName": table, "Key": {"pk": {"S": "nobody"}}}
    assert hands.tell(do="call", service="dynamodb", operation="get_item", arguments=arguments) == []


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code"),
    [
        (
            "dynamodb",
            "delete_item",
            {"TableName": "exnotify-Table", "Key": {"pk": {"S": "k"}}},
            "AccessDeniedException",
        ),
        ("dynamodb", "scan", {"TableName": "exnotify-Table"}, "AccessDeniedException"),
        (
            "dynamodb",
            "get_item",
            {"TableName": "another", "Key": {"pk": {"S": "k"}}},
            "AccessDeniedException",
        ),
        (
            "dynamodb",
            "transact_write_items",
            {"TransactItems": [{"Put": {"TableName": "exnotify-Table", "Item": {"pk": {"S": "k"}}}}]},
            "AccessDeniedException",
        ),
        (
            "dynamodb",
            "query",
            {
                "TableName": "exnotify-Table",
                "IndexName": "owner",
                "KeyConditionExpression": "#o = :o",
                "ExpressionAttributeNames": {"#o": "owner"},
                "ExpressionAttributeValues": {":o": {"S": "x"}},
            },
            "AccessDeniedException",
        ),
        ("s3", "put_object", {"Bucket": "exnotify-bucket", "Key": "drop/k", "Body": "x"}, "AccessDenied"),
        ("s3", "get_object", {"Bucket": "exnotify-bucket", "Key": "other/k"}, "AccessDenied"),
        ("s3", "list_objects_v2", {"Bucket": "exnotify-bucket"}, "AccessDenied"),
        ("secretsmanager", "get_secret_value", {"SecretId": "another"}, "AccessDeniedException"),
        (
            "secretsmanager",
            "put_secret_value",
            {"SecretId": "exnotify-Secret", "SecretString": "x"},
            "AccessDeniedException",
        ),
        (
            "events",
            "put_events",
            {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]},
            "AccessDeniedException",
        ),
        ("iam", "list_roles", {}, "AccessDenied"),
        (
            "sns",
            "publish",
            {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": "m"},
            "AccessDeniedException",
        ),
        ("cloudwatch", "put_metric_data", {"Namespace": "n", "MetricData": []}, "AccessDeniedException"),
        ("lambda", "invoke", {"FunctionName": "exnotify-SweepFunction"}, "AccessDeniedException"),
        (
            "sts",
            "assume_role",
            {"RoleArn": "arn:aws:iam::123456789012:role/x", "RoleSessionName": "s2"},
            "AccessDenied",
        ),
    ],
)
def test_a_permission_that_the_role_lacks_is_refused(
    orders: Any, service: str, operation: str, arguments: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(orders(service), operation)(**arguments)
    assert code_of(caught)[0] == code


def test_a_function_that_oversteps_is_told(hands: Any) -> None:
    arguments = {"TableName": hands.cloud.outputs["TableName"], "Key": {"pk": {"S": "k"}}}
    answer = hands.tell(do="call", service="dynamodb", operation="delete_item", arguments=arguments)
    assert answer == "AccessDeniedException"


def test_a_batch_takes_the_action_of_the_single_call(hands: Any, orders: Any) -> None:
    url = hands.cloud.resource("Failures")
    hands.role_client("SweepFunction", "sqs").send_message_batch(
        QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "m"}]
    )
    with pytest.raises(ClientError) as caught:
        orders("sqs").send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "m"}])
    assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_a_missing_object_looks_forbidden_without_the_right_to_list(hands: Any, orders: Any) -> None:
    bucket = hands.cloud.outputs["BucketName"]
    with pytest.raises(ClientError) as caught:
        orders("s3").get_object(Bucket=bucket, Key="drop/absent")
    assert code_of(caught) == ("AccessDenied", 403)
    with pytest.raises(ClientError) as caught:
        orders("s3").head_object(Bucket=bucket, Key="drop/absent")
    assert code_of(caught) == ("403", 403)
    with pytest.raises(ClientError) as caught:
        hands.cloud.client("s3").get_object(Bucket=bucket, Key="drop/absent")
    assert code_of(caught) == ("NoSuchKey", 404)


def test_everybody_may_ask_who_they_are(orders: Any) -> None:
    assert ":assumed-role/exnotify-TakeOrdersFunctionRole/" in orders("sts").get_caller_identity()["Arn"]


def test_a_secret_is_reached_by_name_and_arn(hands: Any, orders: Any) -> None:
    by_name = orders("secretsmanager").get_secret_value(SecretId="exnotify-Secret")
    by_arn = orders("secretsmanager").get_secret_value(SecretId=hands.cloud.resource("Secret"))
    assert by_name["SecretString"] == by_arn["SecretString"]
    secret = json.loads(by_name["SecretString"])
    assert secret["user"] == "u"
    assert len(secret["password"]) == 20


def test_a_changed_policy_counts_at_once(hands: Any, orders: Any) -> None:
    arguments = {"TableName": hands.cloud.outputs["TableName"]}
    with pytest.raises(ClientError):
        orders("dynamodb").scan(**arguments)
    policy = {
        "Statement": [{"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": "*"}],
        "Version": "2012-10-17",
    }
    iam = hands.cloud.client("iam")
    role = {"RoleName": "exnotify-TakeOrdersFunctionRole", "PolicyName": "more"}
    iam.put_role_policy(**role, PolicyDocument=json.dumps(policy))
    try:
        assert "Items" in orders("dynamodb").scan(**arguments)
    finally:
        iam.delete_role_policy(**role)
    with pytest.raises(ClientError):
        orders("dynamodb").scan(**arguments)


def test_a_bucket_policy_can_deny_even_the_administrator(hands: Any) -> None:
    s3 = hands.cloud.client("s3")
    s3.create_bucket(Bucket="guarded")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::guarded/*",
            }
        ],
    }
    s3.put_object(Bucket="guarded", Key="k", Body=b"x")
    s3.put_bucket_policy(Bucket="guarded", Policy=json.dumps(policy))
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket="guarded", Key="k")
    assert code_of(caught) == ("AccessDenied", 403)


def test_a_key_that_nobody_has_is_refused(hands: Any) -> None:
    import boto3

    stranger = boto3.client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=hands.cloud.url,
        aws_access_key_id="AKIASTRANGER",
        aws_secret_access_key="x",
    )
    with pytest.raises(ClientError) as caught:
        stranger.list_queues()
    assert caught.value.response["Error"]["Code"] == "UnrecognizedClientException"


def test_an_unsigned_request_is_refused(hands: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{hands.cloud.url}/exnotify-bucket/drop/k")  # noqa: S310 - our own address
    with caught.value as answer:
        assert answer.status == 403


def test_the_cloud_answers_for_calls_that_others_simulate(hands: Any) -> None:
    key = hands.cloud.environment("TakeOrdersFunction")["AWS_ACCESS_KEY_ID"]
    table = "arn:aws:dynamodb:us-east-1:123456789012:table/exnotify-Table"
    assert hands.cloud.allowed(key, "dynamodb:GetItem", table)
    assert not hands.cloud.allowed(
        key, "ses:SendEmail", "arn:aws:ses:us-east-1:123456789012:identity/example.com"
    )
    assert not hands.cloud.allowed("AKIASTRANGER", "dynamodb:GetItem", table)
    assert not hands.cloud.allowed(None, "dynamodb:GetItem", table)
    admin = hands.cloud.describe()["admin"]["access_key_id"]
    assert hands.cloud.allowed(admin, "ses:SendEmail")
