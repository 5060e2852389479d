"""`--stack NAME`: a deployed stack seen through its outputs and parameters, on an emulated AWS."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from moto import mock_aws

from exnotify.commands.alarms import _on_aws as alarms_on_aws
from exnotify.deployment import _SETTINGS, Deployment, connect
from exnotify.errors import CommandError
from exnotify.local import TEMPLATE, _Loader

from .shell import exnotify

yaml = pytest.importorskip("yaml")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account with nothing in it."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        monkeypatch.setenv(f"AWS_{name}", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield


def deploy(name: str, outputs: Mapping[str, str], **parameters: str) -> None:
    template: dict[str, Any] = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Parameters": {key: {"Type": "String", "Default": value} for key, value in parameters.items()},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    client: Any = boto3.client("cloudformation")
    client.create_stack(StackName=name, TemplateBody=json.dumps(template))


WHOLE = {name: f"the-{setting}" for name, setting in _SETTINGS.items()} | {
    "ReleaseDueFunctionName": "release"
}


def test_outputs_and_parameters_become_the_layer_s_settings(aws: None) -> None:
    deploy("prod", WHOLE, DefaultTimeZone="America/Chicago", MissingFileMinutes="5", SiteLayer="")
    target = connect("prod")
    for setting in _SETTINGS.values():
        assert getattr(target.settings, setting) == f"the-{setting}"
    assert (target.settings.default_time_zone, target.settings.missing_file_minutes) == ("America/Chicago", 5)
    assert (target.url, target.state(), target.settle(1), target.scheduled) == (
        None, None, True, ("ReleaseDueFunction",),
    )  # fmt: skip
    assert target.who.startswith("arn:aws:")
    assert target.client("s3").meta.region_name == "eu-west-1"


def test_the_template_has_every_output_that_is_needed() -> None:
    outputs = yaml.load(TEMPLATE.read_text("utf-8"), _Loader)["Outputs"]
    assert set(_SETTINGS) <= set(outputs)


def test_another_stack_is_refused_by_name(aws: None) -> None:
    deploy("other", {"DropBucketName": "x"})
    with pytest.raises(CommandError, match="other is no stack of this template: it has no output"):
        connect("other")
    done = exnotify("--stack", "nowhere", "incidents")
    assert (done.code, done.err) == (
        1, "exnotify: there is no stack nowhere in eu-west-1: check its name, region and account\n",
    )  # fmt: skip


def test_a_stack_without_alarms_is_not_a_quiet_one(aws: None) -> None:
    deploy("prod", WHOLE)
    done = exnotify("--stack", "prod", "alarms")
    assert (done.code, done.out, "nothing watches it" in done.err) == (1, "", True)


def test_alarms_are_those_of_this_stack_and_not_of_one_whose_name_goes_on(aws: None) -> None:
    class Resources:
        """CloudFormation's list of a stack and its nested one; moto's makes no alarms."""

        def get_paginator(self, operation: str) -> "Resources":
            return self

        def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803 - CloudFormation's name
            kind, name = {
                "prod": ("AWS::CloudFormation::Stack", "prod-Monitoring"),
                "prod-Monitoring": ("AWS::CloudWatch::Alarm", "prod-Late"),
            }[StackName]
            row = {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": name}
            return [{"StackResourceSummaries": [row]}]

    watch: Any = boto3.client("cloudwatch")
    for name in ("prod-Late", "prod-trial-Late"):
        watch.put_metric_alarm(
            AlarmName=name, MetricName="m", Namespace="n", Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=1.0, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    target = Deployment("stack prod", {}, {"cloudformation": Resources(), "cloudwatch": watch}.__getitem__)
    assert [row["alarm"] for row in alarms_on_aws(target)] == ["prod-Late"]


def test_the_region_is_the_one_that_the_aws_cli_takes(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with pytest.raises(CommandError, match="there is no stack prod in eu-central-1"):
        connect("prod")


def test_a_folder_without_a_site_s_files_is_refused(aws: None, tmp_path: Any) -> None:
    deploy("prod", WHOLE, SiteLayer="arn:aws:lambda:eu-west-1:123456789012:layer:site:1")
    done = exnotify("--stack", "prod", "smoke", "--to", "you@example.org", "--site", tmp_path)
    assert (done.code, "neither rules/ nor wording/" in done.err) == (1, True)


def test_stack_is_taken_before_and_after_the_command_s_name(aws: None) -> None:
    deploy("prod", WHOLE)
    for arguments in (("--stack", "prod", "outbox"), ("outbox", "--stack", "prod")):
        done = exnotify(*arguments)
        assert done.code == 2
        assert "a deployed stack sends to real providers" in done.err


def test_a_site_s_own_rules_must_be_named_for_a_plan(aws: None, tmp_path: Any) -> None:
    deploy("prod", WHOLE, SiteLayer="arn:aws:lambda:eu-west-1:123456789012:layer:site:1")
    done = exnotify("plan", tmp_path, "--stack", "prod")
    assert done.code == 1
    assert "name their folder with --site" in done.err


def test_without_credentials_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    done = exnotify("--stack", "prod", "incidents")
    assert (done.code, done.out) == (1, "")
    assert "no AWS credentials" in done.err
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    done = exnotify("--stack", "prod", "incidents")
    assert (done.code, "no AWS region" in done.err) == (1, True)
