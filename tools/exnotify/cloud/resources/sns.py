"""SNS topics, with subscriptions of queues."""

import json

from ..permissions import parse
from ..stack import Created, Properties, ResourceType, Stack
from ..template import TemplateError


def _topic(stack: Stack, logical_id: str, properties: Properties) -> Created:
    name = stack.physical_name(logical_id, properties.get("TopicName"))
    key = properties.get("KmsMasterKeyId")
    attributes = {"KmsMasterKeyId": key} if key else {}
    arn = stack.client("sns").create_topic(Name=name, Attributes=attributes)["TopicArn"]
    return Created(arn, {"TopicArn": arn, "TopicName": name})


def _topic_policy(stack: Stack, logical_id: str, properties: Properties) -> Created:
    parse(properties["PolicyDocument"])
    for arn in properties["Topics"]:
        stack.client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
        )
    return Created(logical_id)


def _subscription(stack: Stack, logical_id: str, properties: Properties) -> Created:
    if properties["Protocol"] != "sqs":
        raise TemplateError(f"Protocol {properties['Protocol']} is not known to the embedded cloud")
    attributes = {"RawMessageDelivery": str(properties.get("RawMessageDelivery", False)).lower()}
    arn = stack.client("sns").subscribe(
        TopicArn=properties["TopicArn"],
        Protocol="sqs",
        Endpoint=properties["Endpoint"],
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Created(arn, {"Arn": arn})


TYPES = {
    "AWS::SNS::Topic": ResourceType(
        _topic,
        effective=("TopicName", "KmsMasterKeyId"),
        recorded={
            "DisplayName": "no mail is sent",
            "Tags": "nothing reads them",
        },
    ),
    "AWS::SNS::TopicPolicy": ResourceType(
        _topic_policy, effective=("Topics",), recorded={"PolicyDocument": "AWS services do not publish here"}
    ),
    "AWS::SNS::Subscription": ResourceType(
        _subscription,
        effective=("TopicArn", "Protocol", "Endpoint", "RawMessageDelivery"),
        recorded={"RedrivePolicy": "a delivery to a queue of this stack cannot fail for a while"},
    ),
}
