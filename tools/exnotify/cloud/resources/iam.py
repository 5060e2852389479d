"""IAM roles and policies."""

import json
from typing import Any

from ..permissions import parse
from ..stack import Created, Properties, ResourceType, Stack
from ..template import MANAGED_POLICIES, TemplateError


def _role(stack: Stack, logical_id: str, properties: Properties) -> Created:
    iam = stack.client("iam")
    name = stack.physical_name(logical_id, properties.get("RoleName"))
    parse(properties["AssumeRolePolicyDocument"])
    answer = iam.create_role(
        RoleName=name,
        Path=properties.get("Path", "/"),
        AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
    )
    for policy in properties.get("Policies", []):
        _put_inline(stack, name, policy["PolicyName"], policy["PolicyDocument"])
    for arn in properties.get("ManagedPolicyArns", []):
        if arn in MANAGED_POLICIES:
            statement = {"Effect": "Allow", "Resource": "*", **MANAGED_POLICIES[arn]}
            _put_inline(
                stack, name, arn.rpartition("/")[2], {"Version": "2012-10-17", "Statement": [statement]}
            )
        elif f":{stack.place.account}:" in arn:
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        else:
            raise TemplateError(f"ManagedPolicyArns: {arn} is not known to the embedded cloud")
    return Created(name, {"Arn": answer["Role"]["Arn"], "RoleId": answer["Role"]["RoleId"]})


def _put_inline(stack: Stack, role: str, name: str, document: Any) -> None:
    parse(document)  # what cannot be evaluated is refused
    # SAM writes policies without a version; AWS takes them, moto does not.
    text = json.dumps({"Version": "2012-10-17", **document})
    stack.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)


def _policy(stack: Stack, logical_id: str, properties: Properties) -> Created:
    for role in properties["Roles"]:
        _put_inline(stack, role, properties["PolicyName"], properties["PolicyDocument"])
    return Created(properties["PolicyName"])


def _managed_policy(stack: Stack, logical_id: str, properties: Properties) -> Created:
    parse(properties["PolicyDocument"])
    iam = stack.client("iam")
    name = stack.physical_name(logical_id, properties.get("ManagedPolicyName"))
    arn = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(properties["PolicyDocument"]))[
        "Policy"
    ]["Arn"]
    for role in properties.get("Roles", []):
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    return Created(arn, {"PolicyArn": arn})


TYPES = {
    "AWS::IAM::Role": ResourceType(
        _role,
        effective=("RoleName", "Path", "AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns"),
        recorded={
            "Description": "for people",
            "MaxSessionDuration": "sessions do not end here",
            "Tags": "nothing reads them",
        },
    ),
    "AWS::IAM::Policy": ResourceType(_policy, effective=("PolicyName", "PolicyDocument", "Roles")),
    "AWS::IAM::ManagedPolicy": ResourceType(
        _managed_policy,
        effective=("ManagedPolicyName", "PolicyDocument", "Roles"),
        recorded={"Description": "for people"},
    ),
}
