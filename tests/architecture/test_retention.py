"""What outlives the stack: every type of resource is known to hold state or not, and what holds state is kept.

`RetainExceptOnCreate` keeps a resource when the stack is deleted, or when the resource leaves the template, and
deletes it when the deployment that created it fails: nothing is left behind to be paid for or to be in the way.
CloudFormation knows no such value for replacements, so `UpdateReplacePolicy` is `Retain`.
"""

from pathlib import Path
from typing import Any

import pytest

from exnotify.cloud.template import load_template as translated
from tests.container.sam import load_template

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(ROOT.glob("[!.]*.yaml"))

KEPT = {
    "AWS::DynamoDB::Table": "the ledger, contacts, suppressions, runs, journeys and incidents: nothing else has them",
    "AWS::KMS::Key": "what a key encrypted is lost with it",
    "AWS::S3::Bucket": "evidence, documents behind links that customers hold, exports",
    "AWS::SecretsManager::Secret": "keys of evidence, links and address hashes; CloudFormation deletes without recovery",
}
"""Types whose resources outlive the stack, and what would be lost."""

DELETED = {
    "AWS::Logs::LogGroup": "what happened is proven by the ledger and the evidence; lines expire anyway, and a group "
    "that stays under its name keeps the next stack of that name from being created",
    "AWS::SQS::Queue": "messages live fourteen days at most and point to records that are kept; docs/site/deploy.md "
    "says to delete a stack only when its queues are empty",
    "AWS::SNS::Topic": "a topic stores nothing; who subscribed is told by the new stack's own subscription",
    "AWS::StepFunctions::StateMachine": "executions end with it; the cohorts are in the journeys table, and "
    "`start_journeys` starts what was lost",
    "AWS::Lambda::LayerVersion": "built from the sources; a version in use goes on",
}
"""Types that hold something all the same, and why that may go with the stack."""

STATELESS = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudFormation::Stack",
    "AWS::CloudFront::Distribution",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Events::Rule",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::QueryDefinition",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
"""Types that are no more than what the template says."""


def resources(path: Path) -> dict[str, Any]:
    """The resources of a template as CloudFormation gets them."""
    template = load_template(path)
    if "Transform" in template:
        template = translated(path, {}, "us-east-1").body
    found: dict[str, Any] = template["Resources"]
    return found


ALL = [
    pytest.param(name, resource, id=name)
    for path in TEMPLATES
    for name, resource in resources(path).items()
    if resource["Type"] not in STATELESS
]


def test_every_type_is_known_and_in_one_table() -> None:
    known = [*KEPT, *DELETED, *STATELESS]
    assert len(known) == len(set(known))
    used = {resource["Type"] for path in TEMPLATES for resource in resources(path).values()}
    assert used <= set(known), "does it hold state? Put the type into one of the tables"
    assert set(KEPT) <= used


@pytest.mark.parametrize(("name", "resource"), ALL)
def test_what_holds_state_outlives_the_stack(name: str, resource: dict[str, Any]) -> None:
    policies = resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")
    if resource["Type"] in KEPT:
        assert policies == ("RetainExceptOnCreate", "Retain"), (
            "DeletionPolicy and UpdateReplacePolicy keep it"
        )
    else:
        assert set(policies) <= {None, "Delete"}, "its table says that it goes with the stack"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_what_is_kept_can_be_adopted_by_itself(path: Path) -> None:
    """An import creates a stack of the kept resources alone: they may refer to parameters, to nothing else."""
    template = load_template(path)
    parameters = set(template.get("Parameters", {}))
    kept = {name: r for name, r in template["Resources"].items() if r["Type"] in KEPT}
    for name, resource in kept.items():
        foreign = {n for n in references(resource) if not n.startswith("AWS::")} - parameters - kept.keys()
        assert not foreign, (name, foreign)
        assert "DependsOn" not in resource, name


def references(value: Any) -> set[str]:
    """What a part of the template refers to, conditions' names left out."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, inner in value.items():
        if key == "Ref":
            found.add(inner)
        elif key == "Fn::GetAtt":
            found.add(str(inner[0] if isinstance(inner, list) else inner).split(".")[0])
        elif key == "Fn::If":
            found |= references(inner[1:])
        else:
            found |= references(inner)
    return found
