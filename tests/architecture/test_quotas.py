"""What AWS and this project bound of the two templates.

Sources: "Understand CloudFormation quotas", "CloudWatch service quotas", "CloudWatch Logs quotas" and the
quotas of IAM, Lambda and EventBridge in the AWS documentation. Nobody can raise them.
"""

import json
import re
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import pytest

from exnotify.cloud.intrinsics import Resolver
from exnotify.cloud.template import load_template
from tests.needs import ROOT

LINES = 2_700
"""Of template.yaml: more than that nobody reads."""
STACK_NAME = "s" * 80
"""CloudFormation takes 128 characters; the composite alarms' rules hold with these."""
PSEUDO = {"AWS::StackName": STACK_NAME, "AWS::Region": "ap-southeast-1", "AWS::Partition": "aws-us-gov"}
TEMPLATE = load_template(ROOT / "template.yaml", {}, "us-east-1")


def physical(logical_id: str, *_: str) -> str:
    """The longest name that CloudFormation makes of a logical id: the stack's, its own, thirteen characters."""
    return f"{STACK_NAME}-{logical_id}-{'x' * 12}"


@cache
def bodies() -> dict[str, dict[str, Any]]:
    """Both templates by file name. The nested one is as its stack gets it, with the longest names filled in."""
    found = {"template.yaml": dict(TEMPLATE.body)}
    for name, path in TEMPLATE.nested.items():
        resolver = Resolver(TEMPLATE.body, TEMPLATE.parameters, PSEUDO, physical, physical)
        given = resolver.resolve(TEMPLATE.body["Resources"][name]["Properties"]["Parameters"])
        # Refuses values above CloudFormation's 4,096 bytes.
        inner = load_template(path, given, "us-east-1")
        named = partial(alarm_name, inner.body["Resources"])
        resolver = Resolver(inner.body, inner.parameters, PSEUDO, named, named)
        found[path.name] = {**inner.body, "Resources": resolver.resolve(inner.body["Resources"])}
    return found


def alarm_name(resources: dict[str, Any], logical_id: str, *_: str) -> str:
    given = resources[logical_id]["Properties"].get("AlarmName")
    return str(given["Fn::Sub"]).replace("${StackName}", STACK_NAME) if given else logical_id


def test_there_are_two_templates() -> None:
    assert bodies().keys() == {"template.yaml", "monitoring.yaml"}


@pytest.mark.parametrize("name", ["template.yaml", "monitoring.yaml"])
def test_a_template_keeps_to_cloudformations_quotas(name: str) -> None:
    body = bodies()[name]
    assert (ROOT / name).stat().st_size <= 1024 * 1024
    assert len(json.dumps(body)) <= 1024 * 1024
    assert len(body["Resources"]) <= 500
    assert len(body["Parameters"]) <= 200
    assert len(body.get("Outputs", {})) <= 200


def of_type(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for body in bodies().values():
        for name, resource in body["Resources"].items():
            if resource["Type"] == kind:
                yield name, resource.get("Properties", {})


def test_alarms_keep_to_cloudwatchs_quotas() -> None:
    rules = dict(of_type("AWS::CloudWatch::CompositeAlarm"))
    assert rules
    for name, given in rules.items():
        assert len(given["AlarmRule"]) <= 10_240, name
        assert given["AlarmRule"].count("ALARM(") <= 100, name
    for name, given in (*rules.items(), *of_type("AWS::CloudWatch::Alarm")):
        assert sum("MetricStat" in metric for metric in given.get("Metrics", ())) <= 10, name
        assert len(given["AlarmDescription"]) <= 1024, name
        assert len(given["AlarmName"]) <= 255, name


def test_saved_queries_keep_to_the_quotas_of_logs() -> None:
    saved = dict(of_type("AWS::Logs::QueryDefinition"))
    assert saved
    for name, given in saved.items():
        assert 1 <= len(given["LogGroupNames"]) <= 50, name
        assert len(given["QueryString"]) <= 10_000, name


def test_roles_functions_and_rules_keep_to_their_quotas() -> None:
    for name, role in of_type("AWS::IAM::Role"):
        inline = [json.dumps(policy["PolicyDocument"]) for policy in role.get("Policies", ())]
        assert sum(len(re.sub(r"\s", "", text)) for text in inline) <= 10_240, name
    for name, function in of_type("AWS::Lambda::Function"):
        # Half of the four kilobytes is left to what references become.
        assert len(json.dumps(function.get("Environment", {}))) <= 2048, name
    for name, rule in of_type("AWS::Events::Rule"):
        assert len(json.dumps(rule.get("EventPattern", ""))) <= 2048, name
        assert len(rule["Targets"]) <= 5, name


def test_the_template_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "template.yaml").read_text("utf-8").splitlines()) <= LINES
