"""The second deployment, with other parameters, and the end of the stack."""

import json
from collections import defaultdict

import pytest
from botocore.exceptions import ClientError

from tests.localstack.cloud import STACK, STAND_INS, Cloud, Deployed, Resource
from tests.localstack.observed import OBSERVERS, differences

pytestmark = [pytest.mark.localstack, pytest.mark.slow, pytest.mark.timeout(900)]


def exists(cloud: Cloud, resource: Resource) -> bool:
    """Whether a service still knows a resource."""
    try:
        OBSERVERS[resource.type](cloud, resource)
    except (ClientError, ValueError):  # ValueError: none in a list of one
        return False
    return True


def test_the_second_deployment_is_complete(updated: Deployed) -> None:
    assert updated.status == "UPDATE_COMPLETE"
    assert updated.listed() == updated.expected()


def test_an_update_keeps_what_holds_data(created: Deployed, updated: Deployed) -> None:
    before = {resource.name: resource.ref for resource in created.resources if not resource.in_name_only}
    after = {resource.name: resource.ref for resource in updated.resources}

    assert {name for name, ref in before.items() if after.get(name) != ref} == set()


def test_what_changed_is_applied(updated: Deployed, cloud: Cloud) -> None:
    found = defaultdict(list)
    for resource in updated.resources:
        if not resource.in_name_only:
            for name, (expected, observed) in differences(cloud, resource).items():
                if f"{resource.type}.{name}" not in STAND_INS["properties"]:
                    found[f"{resource.type}.{name}"].append(
                        f"{resource.name}: {observed!r:.300}, not {expected!r:.300}"
                    )

    unexplained = {name: rows[:3] for name, rows in found.items() if name not in STAND_INS["updates"]}
    assert unexplained == {}
    assert set(STAND_INS["updates"]) == set(found), "a row that is not needed any more"


def test_the_end_of_the_stack_leaves_what_is_to_be_retained(updated: Deployed, cloud: Cloud) -> None:
    real = [resource for resource in updated.resources if not resource.in_name_only]
    cloudformation = cloud.client("cloudformation")
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 2, "MaxAttempts": 120}
    )

    left = {resource.name for resource in real if exists(cloud, resource)}

    assert left == {resource.name for resource in real if resource.policy.startswith("Retain")}
    assert "NoticesTable" in left
    assert "EvidenceBucket" in left
    assert "RunQueue" not in left


@pytest.mark.parametrize("policy", STAND_INS["policies"])
def test_a_deletion_policy_in_the_table_is_not_followed(policy: str, cloud: Cloud) -> None:
    bucket = {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": policy,
        "Properties": {"BucketName": "left-behind"},
    }
    cloudformation = cloud.client("cloudformation")
    stack = cloudformation.create_stack(
        StackName="policy", TemplateBody=json.dumps({"Resources": {"Bucket": bucket}})
    )["StackId"]
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})

    names = {one["Name"] for one in cloud.client("s3").list_buckets()["Buckets"]}

    assert "left-behind" not in names, "the row is not needed any more"
