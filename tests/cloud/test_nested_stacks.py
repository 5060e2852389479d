"""Nested stacks: parameters in, outputs out, described as CloudFormation does; test_refusals.py has the rest."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from exnotify.cloud import EmbeddedCloud

NESTED = Path(__file__).parent / "nested" / "template.yaml"
ARN = "arn:aws:cloudformation:us-east-1:123456789012:stack"


@pytest.fixture(scope="module")
def cloud() -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud(NESTED) as running:
        yield running


@pytest.fixture(scope="module")
def cloudformation(cloud: EmbeddedCloud) -> Any:
    return cloud.client("cloudformation")


def test_what_a_nested_stack_tells_is_an_attribute_of_its_resource(cloud: EmbeddedCloud) -> None:
    assert cloud.outputs == {
        "Depth": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:exnotify-Depth",
        "Deeper": "exnotify-Watch-Deeper-Group",
    }
    assert cloud.resource("Watch") == f"{ARN}/exnotify-Watch/embedded"


def test_an_alarm_of_a_nested_stack_watches_what_the_root_passes(cloud: EmbeddedCloud) -> None:
    a_minute_ago = cloud.clock.now() - 60
    metric = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "exnotify-Queue"})
    cloud.metric_book.record(*metric, 4, a_minute_ago)
    (row,) = cloud.alarms()
    assert (row["alarm"], row["threshold"]) == ("exnotify-Depth", 3)
    assert 4 in row["points"]


def test_stacks_are_described_as_cloudformation_does(cloudformation: Any) -> None:
    root, watch, deeper = cloudformation.describe_stacks()["Stacks"]
    assert [s["StackName"] for s in (root, watch, deeper)] == [
        "exnotify",
        "exnotify-Watch",
        "exnotify-Watch-Deeper",
    ]
    assert "ParentId" not in root
    assert (watch["ParentId"], watch["RootId"]) == (root["StackId"], root["StackId"])
    assert (deeper["ParentId"], deeper["RootId"]) == (watch["StackId"], root["StackId"])
    (found,) = cloudformation.describe_stacks(StackName=f"{ARN}/exnotify-Watch/embedded")["Stacks"]
    assert found == watch
    assert {row["ParameterKey"]: row["ParameterValue"] for row in watch["Parameters"]} == {
        "StackName": "exnotify",
        "Queue": "exnotify-Queue",
        "Groups": "exnotify-Logs,more",
        "Key": "****",
        "Above": "3",
    }


def test_a_stack_lists_its_own_resources_and_the_stacks_nested_in_it(cloudformation: Any) -> None:
    def listed(stack: str) -> dict[str, str]:
        rows = cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
        found = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        assert [r["PhysicalResourceId"] for r in rows] == [r["PhysicalResourceId"] for r in found]
        return {row["LogicalResourceId"]: row["ResourceType"] for row in rows}

    assert listed("exnotify") == {
        "Queue": "AWS::SQS::Queue",
        "Logs": "AWS::Logs::LogGroup",
        "Watch": "AWS::CloudFormation::Stack",
    }
    nested = cloudformation.describe_stack_resource(StackName="exnotify", LogicalResourceId="Watch")
    inner = listed(nested["StackResourceDetail"]["PhysicalResourceId"])
    assert inner.keys() == {"DepthAlarm", "Query", "Topic", "Deeper"}
    with pytest.raises(ClientError, match="Resource Queue does not exist for stack exnotify-Watch"):
        cloudformation.describe_stack_resource(StackName="exnotify-Watch", LogicalResourceId="Queue")
