"""Which permissions a request takes: read off real requests of boto3."""

from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from exnotify.cloud.actions import Place, UnknownActionError, needs
from exnotify.cloud.aws_request import parse_request
from exnotify.cloud.clients import _environ

KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/k"
PLACE = Place(
    "123456789012",
    "us-east-1",
    secret_arn=lambda name: f"arn-of-{name}",
    topic_key=lambda arn: KEY_ARN if arn.endswith(":encrypted") else "",
)
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/t"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
URL = "http://127.0.0.1:1/123456789012/q"
KEY = {"pk": {"S": "k"}}
B = "arn:aws:s3:::b"


class Captured(Exception):
    """Carries a request out of boto3."""


_clients: dict[str, Any] = {}


def needed(service: str, operation: str, **parameters: Any) -> set[tuple[str, str]]:
    if service not in _clients:
        client = _clients[service] = boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url="http://127.0.0.1:1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="x",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
        )
        client.meta.events.register("before-send", _capture)
    try:
        getattr(_clients[service], operation)(**parameters)
    except Captured as captured:
        request = parse_request(_environ(captured.args[0]))
        assert request is not None
        assert request.access_key == "AKIAEXAMPLE"
        return {(need.action, need.resource) for need in needs(request, PLACE)}
    raise AssertionError("no request was sent")


def _capture(request: Any, **_: Any) -> AWSResponse:
    raise Captured(request)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("sqs", "send_message", {"QueueUrl": URL, "MessageBody": "m"}, {("sqs:SendMessage", QUEUE)}),
        (
            "sqs",
            "send_message_batch",
            {"QueueUrl": URL, "Entries": [{"Id": "1", "MessageBody": "m"}]},
            {("sqs:SendMessage", QUEUE)},
        ),
        (
            "sqs",
            "change_message_visibility_batch",
            {"QueueUrl": URL, "Entries": [{"Id": "1", "ReceiptHandle": "r"}]},
            {("sqs:ChangeMessageVisibility", QUEUE)},
        ),
        ("sqs", "get_queue_url", {"QueueName": "q"}, {("sqs:GetQueueUrl", QUEUE)}),
        ("dynamodb", "get_item", {"TableName": "t", "Key": KEY}, {("dynamodb:GetItem", TABLE)}),
        ("dynamodb", "get_item", {"TableName": TABLE, "Key": KEY}, {("dynamodb:GetItem", TABLE)}),
        (
            "dynamodb",
            "query",
            {"TableName": "t", "IndexName": "due", "KeyConditionExpression": "x = :x"},
            {("dynamodb:Query", f"{TABLE}/index/due")},
        ),
        (
            "dynamodb",
            "batch_get_item",
            {"RequestItems": {"t": {"Keys": [KEY]}, "u": {"Keys": [KEY]}}},
            {("dynamodb:BatchGetItem", TABLE), ("dynamodb:BatchGetItem", TABLE.replace("/t", "/u"))},
        ),
        (
            "dynamodb",
            "transact_write_items",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t", "Item": KEY}},
                    {"Update": {"TableName": "t", "Key": KEY, "UpdateExpression": "REMOVE a"}},
                    {"Delete": {"TableName": "t", "Key": KEY}},
                    {"ConditionCheck": {"TableName": "t", "Key": KEY, "ConditionExpression": "a = b"}},
                ]
            },
            {
                ("dynamodb:PutItem", TABLE),
                ("dynamodb:UpdateItem", TABLE),
                ("dynamodb:DeleteItem", TABLE),
                ("dynamodb:ConditionCheckItem", TABLE),
            },
        ),
        ("s3", "list_buckets", {}, {("s3:ListAllMyBuckets", "*")}),
        ("s3", "get_object", {"Bucket": "b", "Key": "a/b c+ü"}, {("s3:GetObject", f"{B}/a/b c+ü")}),
        (
            "s3",
            "get_object",
            {"Bucket": "b", "Key": "k", "VersionId": "v"},
            {("s3:GetObjectVersion", f"{B}/k")},
        ),
        ("s3", "head_object", {"Bucket": "b", "Key": "k"}, {("s3:GetObject", f"{B}/k")}),
        ("s3", "put_object", {"Bucket": "b", "Key": "k", "IfNoneMatch": "*"}, {("s3:PutObject", f"{B}/k")}),
        (
            "s3",
            "put_object",
            {"Bucket": "b", "Key": "k", "Tagging": "a=b", "ObjectLockLegalHoldStatus": "ON"},
            {
                ("s3:PutObject", f"{B}/k"),
                ("s3:PutObjectTagging", f"{B}/k"),
                ("s3:PutObjectLegalHold", f"{B}/k"),
            },
        ),
        (
            "s3",
            "copy_object",
            {"Bucket": "b", "Key": "k", "CopySource": {"Bucket": "c", "Key": "d/e f"}},
            {("s3:PutObject", f"{B}/k"), ("s3:GetObject", "arn:aws:s3:::c/d/e f")},
        ),
        ("s3", "list_objects_v2", {"Bucket": "b", "Prefix": "p"}, {("s3:ListBucket", B)}),
        ("s3", "head_bucket", {"Bucket": "b"}, {("s3:ListBucket", B)}),
        ("s3", "delete_object", {"Bucket": "b", "Key": "k"}, {("s3:DeleteObject", f"{B}/k")}),
        (
            "s3",
            "delete_objects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "k"}, {"Key": "l"}]}},
            {("s3:DeleteObject", f"{B}/k"), ("s3:DeleteObject", f"{B}/l")},
        ),
        ("s3", "create_multipart_upload", {"Bucket": "b", "Key": "k"}, {("s3:PutObject", f"{B}/k")}),
        (
            "s3",
            "upload_part",
            {"Bucket": "b", "Key": "k", "UploadId": "u", "PartNumber": 1},
            {("s3:PutObject", f"{B}/k")},
        ),
        (
            "s3",
            "abort_multipart_upload",
            {"Bucket": "b", "Key": "k", "UploadId": "u"},
            {("s3:AbortMultipartUpload", f"{B}/k")},
        ),
        (
            "secretsmanager",
            "get_secret_value",
            {"SecretId": "s"},
            {("secretsmanager:GetSecretValue", "arn-of-s")},
        ),
        (
            "secretsmanager",
            "get_secret_value",
            {"SecretId": "arn:aws:x"},
            {("secretsmanager:GetSecretValue", "arn:aws:x")},
        ),
        (
            "events",
            "put_events",
            {"Entries": [{"Source": "s"}, {"Source": "s", "EventBusName": "own"}]},
            {
                ("events:PutEvents", "arn:aws:events:us-east-1:123456789012:event-bus/default"),
                ("events:PutEvents", "arn:aws:events:us-east-1:123456789012:event-bus/own"),
            },
        ),
        (
            "lambda",
            "invoke",
            {"FunctionName": "f"},
            {("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:f")},
        ),
        ("sns", "publish", {"TopicArn": "arn:aws:sns:t", "Message": "m"}, {("sns:Publish", "arn:aws:sns:t")}),
        (
            "sns",
            "publish",
            {"TopicArn": "arn:aws:sns:encrypted", "Message": "m"},
            {
                ("sns:Publish", "arn:aws:sns:encrypted"),
                ("kms:GenerateDataKey", KEY_ARN),
                ("kms:Decrypt", KEY_ARN),
            },
        ),
        (
            "sns",
            "get_topic_attributes",
            {"TopicArn": "arn:aws:sns:encrypted"},
            {("sns:GetTopicAttributes", "arn:aws:sns:encrypted")},
        ),
        (
            "ssm",
            "get_parameter",
            {"Name": "/a/b"},
            {("ssm:GetParameter", "arn:aws:ssm:us-east-1:123456789012:parameter/a/b")},
        ),
        (
            "cloudwatch",
            "put_metric_data",
            {"Namespace": "n", "MetricData": []},
            {("cloudwatch:PutMetricData", "*")},
        ),
        ("iam", "get_role", {"RoleName": "r"}, {("iam:GetRole", "*")}),
        (
            "sts",
            "assume_role",
            {"RoleArn": "arn:aws:iam::1:role/r", "RoleSessionName": "s2"},
            {("sts:AssumeRole", "arn:aws:iam::1:role/r")},
        ),
    ],
)
def test_a_request_needs(
    service: str, operation: str, parameters: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    assert needed(service, operation, **parameters) == expected


def test_what_is_not_in_the_table_is_not_guessed() -> None:
    with pytest.raises(UnknownActionError, match="GET with \\?lifecycle on a bucket"):
        needed("s3", "get_bucket_lifecycle_configuration", Bucket="b")
