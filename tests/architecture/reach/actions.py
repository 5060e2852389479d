"""Which IAM action an operation takes, and which of its arguments names the resource.

Source: the service authorization reference of each service. An operation without a row is a fault.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One operation. `argument` names the resource, `inside` what is asked for within it."""

    action: str
    argument: str = ""
    inside: str = ""
    fixed: tuple[str, ...] = ()
    """Resources that no setting names: how the template writes what is behind the account's number."""


_SES = ("identity/*", "configuration-set/${SesConfigurationSet}")
"""The sender's identity is a parameter or wording; a mail takes the identity and the configuration set."""

_SMS = ("phone-number/*", "sender-id/*", "pool/*", "configuration-set/${SmsConfigurationSet}")
"""Whichever of the first three the site's sender is, and the configuration set."""

OPERATIONS: dict[tuple[str, str], Row] = {
    ("s3", "get_object"): Row("s3:GetObject", "Bucket", "Key"),
    ("s3", "head_object"): Row("s3:GetObject", "Bucket", "Key"),
    ("s3", "put_object"): Row("s3:PutObject", "Bucket", "Key"),
    ("s3", "create_multipart_upload"): Row("s3:PutObject", "Bucket", "Key"),
    ("s3", "upload_part"): Row("s3:PutObject", "Bucket", "Key"),
    ("s3", "complete_multipart_upload"): Row("s3:PutObject", "Bucket", "Key"),
    ("s3", "abort_multipart_upload"): Row("s3:AbortMultipartUpload", "Bucket", "Key"),
    ("s3", "delete_object"): Row("s3:DeleteObject", "Bucket", "Key"),
    ("s3", "list_objects_v2"): Row("s3:ListBucket", "Bucket"),
    ("dynamodb", "get_item"): Row("dynamodb:GetItem", "TableName"),
    ("dynamodb", "put_item"): Row("dynamodb:PutItem", "TableName"),
    ("dynamodb", "update_item"): Row("dynamodb:UpdateItem", "TableName"),
    ("dynamodb", "delete_item"): Row("dynamodb:DeleteItem", "TableName"),
    ("dynamodb", "query"): Row("dynamodb:Query", "TableName", "IndexName"),
    ("dynamodb", "scan"): Row("dynamodb:Scan", "TableName", "IndexName"),
    ("dynamodb", "batch_get_item"): Row("dynamodb:BatchGetItem", "RequestItems"),
    ("dynamodb", "batch_write_item"): Row("dynamodb:BatchWriteItem", "RequestItems"),
    ("sqs", "send_message_batch"): Row("sqs:SendMessage", "QueueUrl"),
    ("sqs", "change_message_visibility"): Row("sqs:ChangeMessageVisibility", "QueueUrl"),
    ("sqs", "get_queue_attributes"): Row("sqs:GetQueueAttributes", "QueueUrl"),
    ("secretsmanager", "get_secret_value"): Row("secretsmanager:GetSecretValue", "SecretId"),
    ("sns", "publish"): Row("sns:Publish", "TopicArn"),
    ("sns", "get_topic_attributes"): Row("sns:GetTopicAttributes", "TopicArn"),
    ("stepfunctions", "start_execution"): Row("states:StartExecution", "stateMachineArn"),
    ("stepfunctions", "describe_execution"): Row(
        "states:DescribeExecution", fixed=("execution:${FollowUpMachine.Name}:*",)
    ),
    ("events", "put_events"): Row("events:PutEvents", fixed=("event-bus/default",)),
    ("sesv2", "send_email"): Row("ses:SendEmail", fixed=_SES),
    ("pinpoint-sms-voice-v2", "send_text_message"): Row("sms-voice:SendTextMessage", fixed=_SMS),
}

NO_CALL = frozenset({"close"})
"""What a client does on this side of the wire."""

TRANSACTED = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}
"""What each form within `transact_write_items` takes."""

UNDER_A_KEY = {
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sns:GetTopicAttributes": (),
}
"""What an action takes besides on the key of ours that its resource is encrypted with."""

POLLED = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""What Lambda's poller takes on the queue that feeds a function (AWSLambdaSQSQueueExecutionRole)."""

LOGGED = ("logs:CreateLogStream", "logs:PutLogEvents")
