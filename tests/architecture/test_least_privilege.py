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


def faults(role: dict[str, Any], without_resource: Collection[str] = ()) -> Iterator[str]:
    """What is wider than it must be; `without_resource` are actions that know none."""
    if role.get("ManagedPolicyArns"):
        yield "a managed policy grants more than one function needs"
    for policy in role.get("Policies", ()):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] != "Allow" or {"NotAction", "NotResource"} & set(statement):
                yield "only plain allows"
            for action in listed(statement.get("Action", "*")):
                if "*" in action or "?" in action:
                    yield f"action {action}"
            for resource in listed(statement.get("Resource", "*")):
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
