"""Roles and resource policies, read in the template: what the emulator cannot enforce is asserted here.

docs/operations.md tells which promise is proven by real calls (tests/embedded/test_roles.py) and which by
reading.
"""

import copy
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.container.sam import load_template

ROOT = Path(__file__).resolve().parents[2]
RESOURCES: dict[str, dict[str, Any]] = load_template(ROOT / "template.yaml")["Resources"]
ROLES = {n: r["Properties"] for n, r in RESOURCES.items() if r["Type"] == "AWS::IAM::Role"}

# Where the service leaves no choice, or the site chooses at run time: part of the ARN, and the reason.
WILDCARDS = {
    ":identity/*": "the site chooses the sender by parameter or wording; SES has one identity a sender",
    ":phone-number/*": "numbers have ids that only the account knows",
    ":sender-id/*": "sender ids are by country",
    ":pool/*": "pools have ids that only the account knows",
    "${BounceMailBucket.Arn}/*": "SES names the mails that it puts there; the bucket holds nothing else",
    ":execution:${FollowUpMachine.Name}:*": "an execution's ARN has the name that the function gave it",
}
# Actions that know no resource at all (service authorization reference), by the one role that needs them.
NO_RESOURCE = {
    "FollowUpRole": {
        "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups", "xray:PutTraceSegments", "xray:PutTelemetryRecords",
        "xray:GetSamplingRules", "xray:GetSamplingTargets",
    },
}  # fmt: skip
# Below a bucket a prefix ends in a star: keys are not known before.
_PREFIX = re.compile(r"\$\{\w+Bucket\.Arn\}(/[a-z_]+)+/\*$")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


THROUGH_SNS = {"StringEquals": {"kms:ViaService": {"Fn::Sub": "sns.${AWS::Region}.${AWS::URLSuffix}"}}}
"""The one condition: the key of the topics, as SNS uses it for who publishes."""
ARN_BY_REF = {"AWS::SecretsManager::Secret", "AWS::SNS::Topic", "AWS::Serverless::StateMachine"}
"""Types of which `!Ref` is the ARN; of the others it is a name or an address."""


def is_arn(resource: Any) -> bool:
    """Whether IAM takes an expression for a resource."""
    if isinstance(resource, str):
        return resource == "*" or resource.startswith("arn:")
    ((function, value),) = resource.items()
    if function == "Ref":
        return value == "AWS::NoValue" or RESOURCES.get(value, {}).get("Type") in ARN_BY_REF
    if function == "Fn::GetAtt":
        return listed(value)[-1].rpartition(".")[2] == "Arn"
    if function == "Fn::If":
        return all(map(is_arn, value[1:]))
    return function == "Fn::Sub" and bool(re.match(r"arn:|\$\{\w+\.Arn\}", str(value)))


def faults(role: dict[str, Any], without_resource: Collection[str] = ()) -> Iterator[str]:
    """What is wider than it must be; `without_resource` are actions that know none."""
    # Whatever else grants or narrows, the derived needs (test_function_needs.py) would not see.
    for key in role.keys() - {"AssumeRolePolicyDocument", "Policies"}:
        yield f"{key}: a role has its own policies alone"
    for policy in role.get("Policies", ()):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] != "Allow" or statement.keys() - {
                "Effect",
                "Action",
                "Resource",
                "Condition",
            }:
                yield "only plain allows: an effect, actions, resources"
            if statement.get("Condition", THROUGH_SNS) != THROUGH_SNS:
                yield f"condition {statement['Condition']}"
            for action in listed(statement.get("Action", "*")):
                if "*" in action or "?" in action:
                    yield f"action {action}"
            for resource in listed(statement.get("Resource", "*")):
                if not is_arn(resource):
                    yield f"{resource} is not an ARN, and IAM refuses the policy"
                text = resource if isinstance(resource, str) else next(iter(resource.values()))
                if not isinstance(text, str) or "*" not in text:
                    continue
                if text == "*" and set(listed(statement["Action"])) <= set(without_resource):
                    continue
                if not (_PREFIX.search(text) or any(text.endswith(part) for part in WILDCARDS)):
                    yield f"resource {text}"


@pytest.mark.parametrize("name", ROLES)
def test_a_role_is_as_narrow_as_its_services_allow(name: str) -> None:
    assert list(faults(ROLES[name], NO_RESOURCE.get(name, ()))) == []


def grants(action: str) -> dict[str, str]:
    """What each role may do that on, as a text; without those that may not."""
    found = {}
    for name, role in ROLES.items():
        statements = [s for p in role.get("Policies", ()) for s in p["PolicyDocument"]["Statement"]]
        if mine := [s["Resource"] for s in statements if action in listed(s["Action"])]:
            found[name] = str(mine)
    return found


def test_the_key_of_references_is_for_who_sends_mail_to_customers_and_who_reads_it_back() -> None:
    readers = {name for name, on in grants("secretsmanager:GetSecretValue").items() if "ReferenceKeys" in on}
    # An alert is no attempt of a notice, and its mail has no reference.
    senders = set(grants("ses:SendEmail")) - {"AlertExceptionRole"}
    assert readers == senders | {"RecordReceiptRole"}


@pytest.mark.parametrize("name", ROLES)
def test_one_service_may_take_a_role(name: str) -> None:
    (statement,) = ROLES[name]["AssumeRolePolicyDocument"]["Statement"]
    assert set(statement["Principal"]) == {"Service"}
    assert statement["Action"] == "sts:AssumeRole"


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        (["dynamodb:*"], {"Fn::GetAtt": ["NoticesTable", "Arn"]}),
        (["s3:Get*"], {"Fn::Sub": "${WorkBucket.Arn}/parts/*"}),
        (["*"], "*"),
        (["sqs:SendMessage"], "*"),
        (["dynamodb:GetItem"], {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:*:*:table/*"}),
        (["s3:GetObject"], {"Fn::Sub": "${WorkBucket.Arn}/*"}),
        (["secretsmanager:GetSecretValue"], ["arn:aws:secretsmanager:*:*:secret:*"]),
    ],
)
def test_a_wildcard_that_is_added_is_found(action: list[str], resource: Any) -> None:
    role = copy.deepcopy(next(iter(ROLES.values())))
    role["Policies"][0]["PolicyDocument"]["Statement"].append(
        {"Effect": "Allow", "Action": action, "Resource": resource}
    )
    assert list(faults(role))


@pytest.mark.parametrize(
    "change",
    [
        {"Condition": {"StringLike": {"s3:prefix": "jobs/*"}}},
        {"Resource": {"Ref": "WorkBucket"}},
        {"Resource": {"Fn::GetAtt": ["NoticesTable", "StreamArn"]}},
        {"Resource": [{"Ref": "Peppers"}, {"Ref": "NoticesTable"}]},
        {"Effect": "Deny"},
        {"NotAction": ["s3:DeleteObject"]},
    ],
)
def test_a_statement_that_takes_effect_otherwise_than_it_reads_is_found(change: dict[str, Any]) -> None:
    role = copy.deepcopy(next(iter(ROLES.values())))
    assert list(faults(role)) == []
    role["Policies"][0]["PolicyDocument"]["Statement"][0] |= change
    assert list(faults(role))


def test_a_boundary_or_a_managed_policy_is_found() -> None:
    for key in ("PermissionsBoundary", "ManagedPolicyArns"):
        assert list(faults({**next(iter(ROLES.values())), key: "arn:aws:iam::aws:policy/ReadOnlyAccess"}))


def test_every_allowed_wildcard_is_still_used() -> None:
    text = (ROOT / "template.yaml").read_text("utf-8")
    assert [part for part in WILDCARDS if part not in text] == []


def policies(kind: str) -> dict[str, list[dict[str, Any]]]:
    return {
        name: resource["Properties"]["PolicyDocument"]["Statement"]
        for name, resource in RESOURCES.items()
        if resource["Type"] == kind
    }


RESOURCE_POLICIES = {
    name: statements
    for kind in ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy")
    for name, statements in policies(kind).items()
}


@pytest.mark.parametrize("name", RESOURCE_POLICIES)
def test_a_resource_policy_allows_services_alone_and_says_for_whom(name: str) -> None:
    for statement in RESOURCE_POLICIES[name]:
        if statement["Effect"] == "Deny":
            continue
        assert set(statement["Principal"]) == {"Service"}, "no account, nobody at large"
        conditions = {key for entry in statement["Condition"].values() for key in entry}
        # Without a source anybody's rule or topic could use the service as a deputy.
        assert {"aws:SourceArn", "aws:SourceAccount", "AWS:SourceAccount"} & conditions, name


@pytest.mark.parametrize("name", RESOURCE_POLICIES)
def test_plain_http_is_refused(name: str) -> None:
    denied = [s for s in RESOURCE_POLICIES[name] if s["Effect"] == "Deny"]
    assert any(s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for s in denied), name


@pytest.mark.parametrize("kind", ["AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::SNS::Topic"])
def test_every_queue_bucket_and_topic_has_a_policy(kind: str) -> None:
    text = str(
        [
            r["Properties"].get("Queues") or r["Properties"].get("Topics") or r["Properties"].get("Bucket")
            for r in RESOURCES.values()
            if r["Type"].endswith("Policy")
        ]
    )
    missing = [n for n, r in RESOURCES.items() if r["Type"] == kind and f"'{n}'" not in text]
    assert missing == []
