"""SQS queues and their policies."""

import json
from typing import Any

from ..permissions import parse
from ..stack import Created, Properties, ResourceType, Stack
from ..template import TemplateError

_ATTRIBUTES = (
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "MaximumMessageSize",
    "FifoQueue",
    "ContentBasedDeduplication",
)


def _queue(stack: Stack, logical_id: str, properties: Properties) -> Created:
    name = stack.physical_name(logical_id, properties.get("QueueName"))
    if properties.get("FifoQueue") and not name.endswith(".fifo"):
        name += ".fifo"
    attributes = {key: _text(properties[key]) for key in _ATTRIBUTES if key in properties}
    if "RedrivePolicy" in properties:
        redrive = properties["RedrivePolicy"]
        if not 1 <= int(redrive["maxReceiveCount"]) <= 1000:
            raise TemplateError("RedrivePolicy.maxReceiveCount must be from 1 to 1000")
        attributes["RedrivePolicy"] = json.dumps(redrive)
    url = stack.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return Created(url, {"Arn": stack.place.arn("sqs", name), "QueueName": name, "QueueUrl": url})


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _queue_policy(stack: Stack, logical_id: str, properties: Properties) -> Created:
    document = properties["PolicyDocument"]
    parse(document)
    for url in properties["Queues"]:
        stack.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(document)})
    return Created(logical_id)


_ENCRYPTION = "messages stay in memory"

TYPES = {
    "AWS::SQS::Queue": ResourceType(
        _queue,
        effective=(
            "QueueName",
            *_ATTRIBUTES,
            "RedrivePolicy.deadLetterTargetArn",
            "RedrivePolicy.maxReceiveCount",
        ),
        recorded={
            "SqsManagedSseEnabled": _ENCRYPTION,
            "KmsMasterKeyId": _ENCRYPTION,
            "KmsDataKeyReusePeriodSeconds": _ENCRYPTION,
            "RedriveAllowPolicy": "queues of one stack only",
            "Tags": "nothing reads them",
        },
    ),
    "AWS::SQS::QueuePolicy": ResourceType(_queue_policy, effective=("Queues", "PolicyDocument")),
}
