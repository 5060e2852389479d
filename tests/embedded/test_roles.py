"""Each role tries what it must not do: real calls, with the credentials that its function runs under."""

import copy
import fnmatch
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from exnotify.cloud import EmbeddedCloud
from exnotify.local import ROOT, LocalCloud
from tests.container.sam import load_template

pytestmark = pytest.mark.slow

RESOURCES: dict[str, Any] = load_template(ROOT / "template.yaml")["Resources"]
FUNCTIONS = [n for n, r in RESOURCES.items() if r["Type"] == "AWS::Serverless::Function"]
REFUSALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        yield running


def client(cloud: EmbeddedCloud, function: str, service: str) -> Any:
    keys = cloud.environment(function)
    return boto3.client(
        service,
        endpoint_url=cloud.url,
        region_name=keys["AWS_REGION"],
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys["AWS_SESSION_TOKEN"],
        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
    )


def granted(cloud: LocalCloud, function: str) -> list[tuple[str, str]]:
    """Action and resource pairs of the function's role, as deployed."""
    role = cloud.resource(RESOURCES[function]["Properties"]["Role"]["Fn::GetAtt"][0])
    document = cloud.client("iam").get_role_policy(RoleName=role, PolicyName="least")["PolicyDocument"]
    pairs = []
    for statement in document["Statement"]:
        for action in statement["Action"]:
            resources = statement["Resource"]
            pairs += [(action, r) for r in ([resources] if isinstance(resources, str) else resources)]
    return pairs


Call = tuple[str, str, str, dict[str, Any], str]  # service, operation, action, arguments, ARN


def calls(cloud: LocalCloud) -> Iterator[Call]:
    """What could be done to every queue, topic, table, bucket, secret and key of the stack, and to the account."""
    for name, found in cloud.describe()["resources"].items():
        kind, ident, arn = found["type"], found["id"], found["arn"] or ""
        if kind == "AWS::SQS::Queue":
            letter = {"QueueUrl": ident, "MessageBody": "{}"}
            yield "sqs", "send_message", "sqs:SendMessage", letter, arn
            yield "sqs", "receive_message", "sqs:ReceiveMessage", {"QueueUrl": ident}, arn
            yield "sqs", "purge_queue", "sqs:PurgeQueue", {"QueueUrl": ident}, arn
            yield "sqs", "delete_queue", "sqs:DeleteQueue", {"QueueUrl": ident}, arn
        elif kind == "AWS::DynamoDB::Table":
            schema = RESOURCES[name]["Properties"]["KeySchema"]
            key = {row["AttributeName"]: {"S": "nobody"} for row in schema}
            table = {"TableName": ident}
            yield "dynamodb", "get_item", "dynamodb:GetItem", {**table, "Key": key}, arn
            yield "dynamodb", "put_item", "dynamodb:PutItem", {**table, "Item": key}, arn
            yield "dynamodb", "delete_item", "dynamodb:DeleteItem", {**table, "Key": key}, arn
            yield "dynamodb", "scan", "dynamodb:Scan", table, arn
            yield "dynamodb", "delete_table", "dynamodb:DeleteTable", table, arn
        elif kind == "AWS::S3::Bucket":
            thing = {"Bucket": ident, "Key": "elsewhere/thing"}
            yield "s3", "get_object", "s3:GetObject", thing, f"{arn}/elsewhere/thing"
            yield "s3", "put_object", "s3:PutObject", {**thing, "Body": b""}, f"{arn}/elsewhere/thing"
            yield "s3", "delete_object", "s3:DeleteObject", thing, f"{arn}/elsewhere/thing"
            yield "s3", "delete_bucket", "s3:DeleteBucket", {"Bucket": ident}, arn
        elif kind == "AWS::SNS::Topic":
            yield "sns", "publish", "sns:Publish", {"TopicArn": ident, "Message": "m"}, ident
            yield "sns", "delete_topic", "sns:DeleteTopic", {"TopicArn": ident}, ident
        elif kind == "AWS::KMS::Key":
            data_key = {"KeyId": arn, "KeySpec": "AES_256"}
            yield "kms", "generate_data_key", "kms:GenerateDataKey", data_key, arn
            yield "kms", "schedule_key_deletion", "kms:ScheduleKeyDeletion", {"KeyId": arn}, arn
        elif kind == "AWS::SecretsManager::Secret":
            secret = {"SecretId": ident}
            yield "secretsmanager", "get_secret_value", "secretsmanager:GetSecretValue", secret, ident
            yield (
                "secretsmanager",
                "put_secret_value",
                "secretsmanager:PutSecretValue",
                {**secret, "SecretString": "{}"},
                ident,
            )
    yield "iam", "list_roles", "iam:ListRoles", {}, "*"
    yield "logs", "describe_log_groups", "logs:DescribeLogGroups", {}, "*"


NEVER = ("Delete", "Purge", "Scan", "PutSecretValue", "iam:", "logs:Describe")
"""What no function of this stack may do, but for the items that a role names."""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_is_refused_what_it_was_not_given(stack: LocalCloud, function: str) -> None:
    has = granted(stack, function)
    refused = 0
    clients: dict[str, Any] = {}
    for service, operation, action, arguments, arn in calls(stack):
        if any(action == a and fnmatch.fnmatchcase(arn, r) for a, r in has):
            assert not action.startswith(("iam:", "secretsmanager:Put")), action
            continue
        if service not in clients:
            clients[service] = client(stack, function, service)
        with pytest.raises(ClientError) as error:
            getattr(clients[service], operation)(**arguments)
        assert error.value.response["Error"]["Code"] in REFUSALS, (operation, arn)
        refused += 1
    assert refused > 40


def test_no_role_may_destroy(stack: LocalCloud) -> None:
    may_delete = {"dynamodb:DeleteItem", "sqs:DeleteMessage"}
    # Every customer is in the file for Exstream, so this one reads the whole table; of its files two stay.
    own = {("dynamodb:Scan", ""), ("s3:DeleteObject", "/preferences/*")}
    for function in FUNCTIONS:
        for action, resource in granted(stack, function):
            exports = function == "ExportPreferencesFunction"
            if exports and any(action == a and resource.endswith(end) for a, end in own):
                continue
            assert action in may_delete or not any(part in action for part in NEVER), (function, action)


def test_who_publishes_needs_the_topic_s_key_and_has_it_for_nothing_else(stack: LocalCloud) -> None:
    publisher, iam = "AlertExceptionFunction", stack.client("iam")
    role = stack.resource(RESOURCES[publisher]["Properties"]["Role"]["Fn::GetAtt"][0])
    policy = {"RoleName": role, "PolicyName": "least"}
    document = iam.get_role_policy(**policy)["PolicyDocument"]
    message = {"TopicArn": stack.resource("OperationsTopic"), "Message": "m"}
    sns, kms = (client(stack, publisher, service) for service in ("sns", "kms"))

    assert sns.publish(**message)["MessageId"]
    with pytest.raises(ClientError) as refused:
        kms.generate_data_key(KeyId=stack.resource("TopicKey"), KeySpec="AES_256")
    assert refused.value.response["Error"]["Code"] in REFUSALS
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        less = copy.deepcopy(document)
        for statement in less["Statement"]:
            statement["Action"] = [a for a in statement["Action"] if a != action] or ["sns:Unsubscribe"]
        try:
            iam.put_role_policy(**policy, PolicyDocument=json.dumps(less))
            with pytest.raises(ClientError, match=action):
                sns.publish(**message)
        finally:
            iam.put_role_policy(**policy, PolicyDocument=json.dumps(document))
    assert sns.publish(**message)["MessageId"]
