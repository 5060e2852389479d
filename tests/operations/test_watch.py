"""Alarms and dashboard: the template is what `make alarms` writes, and nothing goes unwatched."""

import copy
import json
import re
from typing import Any

import pytest

from exnotify.cloud.template import load_template
from exnotify.operations import watch

TEXT = watch.TEMPLATE.read_text("utf-8")
TEMPLATE = watch.read(TEXT)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
ALARMS = {n: r for n, r in RESOURCES.items() if r["Type"] == "AWS::CloudWatch::Alarm"}


def of_type(kind: str) -> list[str]:
    return [name for name, resource in RESOURCES.items() if resource["Type"] == kind]


def watching(name: str) -> set[str]:
    """Names of the metrics that alarms read of a resource."""
    found = set()
    for alarm in ALARMS.values():
        properties = alarm["Properties"]
        single = [properties] if "MetricName" in properties else []
        metrics = single + [
            m["MetricStat"]["Metric"] for m in properties.get("Metrics", ()) if "MetricStat" in m
        ]
        for metric in metrics:
            if name in (watch.target(d["Value"]) for d in metric["Dimensions"]):
                found.add(metric["MetricName"])
    return found


def test_the_template_is_what_the_generator_writes() -> None:
    assert watch.written(TEXT) == TEXT, "run `make alarms`"


@pytest.mark.parametrize("name", of_type("AWS::SQS::Queue"))
def test_every_queue_has_its_age_or_its_depth_watched(name: str) -> None:
    feeds = any(
        name == watch.target(event["Properties"].get("Queue"))
        for function in of_type("AWS::Serverless::Function")
        for event in RESOURCES[function]["Properties"].get("Events", {}).values()
    )
    wanted = "ApproximateAgeOfOldestMessage" if feeds else "ApproximateNumberOfMessagesVisible"
    assert watching(name) == {wanted}


@pytest.mark.parametrize("name", of_type("AWS::Serverless::Function"))
def test_every_function_is_watched(name: str) -> None:
    assert watching(name) == {"Errors", "Throttles", "Duration"}
    timeout = RESOURCES[name]["Properties"]["Timeout"]
    assert ALARMS[f"{name}DurationAlarm"]["Properties"]["Threshold"] < timeout * 1000


@pytest.mark.parametrize("name", of_type("AWS::Events::Rule"))
def test_every_rule_is_watched(name: str) -> None:
    assert "FailedInvocations" in watching(name)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_it_means_and_where_to_look(name: str) -> None:
    properties = ALARMS[name]["Properties"]
    text = properties["AlarmDescription"]["Fn::Sub"]
    assert "Look first: " in text
    assert "{" not in text.replace("${RunbookUrl}", "")
    assert text.endswith(f"#{ALARMS[name]['Metadata']['Watch']['runbook']}")
    assert 1 <= properties["DatapointsToAlarm"] <= properties["EvaluationPeriods"]
    # One day is the longest that an alarm may look at.
    period = properties.get("Period") or next(
        m["MetricStat"]["Period"] for m in properties["Metrics"] if "MetricStat" in m
    )
    assert period * properties["EvaluationPeriods"] <= 86_400
    assert "AlarmActions" not in properties, "only the composite alarms page"
    assert len(properties.get("Metrics", ())) <= watch.MATH_METRICS + 1


def test_every_alarm_pages_through_exactly_one_composite_alarm() -> None:
    rules = {
        name: set(
            re.findall(r"ALARM\(\"\$\{(\w+)\}\"\)", RESOURCES[name]["Properties"]["AlarmRule"]["Fn::Sub"])
        )
        for name in of_type("AWS::CloudWatch::CompositeAlarm")
    }
    assert set.union(*rules.values()) >= ALARMS.keys()
    assert sum(len(names & ALARMS.keys()) for names in rules.values()) == len(ALARMS)
    assert all(len(names) <= watch.CHILDREN for names in rules.values())


def test_a_new_resource_is_watched_without_a_row_of_its_own() -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"] |= {
        "NewQueue": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "NewDeadLetters": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "NewFunction": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Timeout": 10,
                "LoggingConfig": {"LogGroup": {"Ref": "StageRunLogs"}},
                "Events": {
                    "New": {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["NewQueue", "Arn"]}}}
                },
            },
        },
        "NewRule": {"Type": "AWS::Events::Rule", "Properties": {}},
        "NewMachine": {"Type": "AWS::Serverless::StateMachine", "Properties": {}},
    }
    added = watch.alarms(template).keys() - watch.alarms(TEMPLATE).keys()
    assert added == {
        "NewQueueAgeAlarm",
        "NewDeadLettersDepthAlarm",
        "NewFunctionErrorsAlarm",
        "NewFunctionThrottlesAlarm",
        "NewFunctionDurationAlarm",
        "NewRuleFailedAlarm",
        "NewMachineExecutionsAlarm",
    }


def test_many_alarms_page_through_parts() -> None:
    one = ALARMS["RunSilentAlarm"]
    made = watch.composites({f"N{n}Alarm": one for n in range(250)})
    assert [n for n in made if "Part" in n] == [f"CustomersPart{n}Alarm" for n in (1, 2, 3)]
    assert made["CustomersAffectedAlarm"]["Properties"]["AlarmRule"]["Fn::Sub"].count("ALARM(") == 3


def test_the_dashboard_answers_from_top_to_bottom() -> None:
    body = json.loads(
        re.sub(r"\$\{[^}]+\}", "x", RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    )
    questions = [w["properties"]["markdown"] for w in body["widgets"] if w["type"] == "text"]
    assert questions == [
        "## Are customers being told?",
        "## How late?",
        "## By which channel?",
        "## What fails?",
    ]
    assert [w["y"] for w in body["widgets"]] == sorted(w["y"] for w in body["widgets"])
    assert all(w["x"] + w["width"] <= 24 for w in body["widgets"])


def test_only_cloudwatch_of_this_account_may_page() -> None:
    allowed, denied = [], []
    for statement in RESOURCES["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]:
        (allowed if statement["Effect"] == "Allow" else denied).append(statement)
    (allow,) = allowed
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert "aws:SourceArn" in allow["Condition"]["ArnLike"]
    assert denied[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_translated_template_stays_within_cloudformations_limit() -> None:
    translated = load_template(watch.TEMPLATE, {}, "us-east-1").body["Resources"]
    assert len(translated) < watch.MAX_RESOURCES * 0.9
