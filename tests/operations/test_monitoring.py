"""monitoring.yaml: both templates are what `make alarms` writes, and nothing goes unwatched."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from exnotify.cloud.access import AccessControl
from exnotify.cloud.clients import Clients
from exnotify.cloud.deploy import deploy
from exnotify.cloud.emulator import Emulator
from exnotify.cloud.server import Server
from exnotify.cloud.stack import Stack
from exnotify.cloud.template import load_template
from exnotify.local import ROOT
from exnotify.operations import monitoring, watch

TEXT = watch.TEMPLATE.read_text("utf-8")
ROOT_TEMPLATE = watch.read(TEXT)
WATCHED: dict[str, dict[str, Any]] = ROOT_TEMPLATE["Resources"]
NESTED = watch.read(monitoring.NESTED.read_text("utf-8"))
RESOURCES: dict[str, dict[str, Any]] = NESTED["Resources"]
ALARMS = {n: r for n, r in RESOURCES.items() if r["Type"] == "AWS::CloudWatch::Alarm"}


def of_type(kind: str, resources: dict[str, dict[str, Any]] = WATCHED) -> list[str]:
    return [name for name, resource in resources.items() if resource["Type"] == kind]


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
            if {"Ref": name} in [d["Value"] for d in metric["Dimensions"]]:
                found.add(metric["MetricName"])
    return found


# ---- the two files ----


def test_the_templates_are_what_the_generator_writes() -> None:
    root, nested = monitoring.written(TEXT)
    assert root == TEXT, "run `make alarms`"
    assert nested == monitoring.NESTED.read_text("utf-8"), "run `make alarms`"


def test_what_the_generator_writes_is_what_it_means() -> None:
    """The text is our own YAML, and is read back here."""
    meant = monitoring.nested(ROOT_TEMPLATE)
    assert {name: NESTED[name] for name in meant} == meant
    passed = WATCHED["Monitoring"]["Properties"]["Parameters"]
    assert passed == monitoring.parameters(ROOT_TEMPLATE)


def test_the_root_passes_what_the_nested_template_asks_for() -> None:
    assert WATCHED["Monitoring"]["Properties"]["Parameters"].keys() == NESTED["Parameters"].keys()
    assert WATCHED["Monitoring"]["Properties"]["TemplateURL"] == monitoring.NESTED.relative_to(ROOT).name


def test_alarms_are_in_the_nested_template_alone() -> None:
    kinds = ("AWS::CloudWatch::", "AWS::Logs::QueryDefinition")
    assert [name for name, resource in WATCHED.items() if resource["Type"].startswith(kinds)] == []


def test_a_template_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the marks"):
        monitoring.written(TEXT.replace(monitoring.END, ""))


# ---- what is watched ----


@pytest.mark.parametrize("name", of_type("AWS::SQS::Queue"))
def test_every_queue_has_its_age_or_its_depth_watched(name: str) -> None:
    feeds = any(
        name == watch.target(event["Properties"].get("Queue"))
        for function in of_type("AWS::Serverless::Function")
        for event in WATCHED[function]["Properties"].get("Events", {}).values()
    )
    wanted = "ApproximateAgeOfOldestMessage" if feeds else "ApproximateNumberOfMessagesVisible"
    assert watching(name) == {wanted}


@pytest.mark.parametrize("name", of_type("AWS::Serverless::Function"))
def test_every_function_is_watched(name: str) -> None:
    assert watching(name) == {"Errors", "Throttles", "Duration"}
    timeout = WATCHED[name]["Properties"]["Timeout"]
    assert ALARMS[f"{name}DurationAlarm"]["Properties"]["Threshold"] < timeout * 1000


@pytest.mark.parametrize("name", of_type("AWS::Events::Rule"))
def test_every_rule_is_watched(name: str) -> None:
    assert "FailedInvocations" in watching(name)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_it_means_and_where_to_look(name: str) -> None:
    properties = ALARMS[name]["Properties"]
    assert properties["AlarmName"] == {"Fn::Sub": f"${{StackName}}-{name.removesuffix('Alarm')}"}
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
        for name in of_type("AWS::CloudWatch::CompositeAlarm", RESOURCES)
    }
    assert set.union(*rules.values()) >= ALARMS.keys()
    assert sum(len(names & ALARMS.keys()) for names in rules.values()) == len(ALARMS)
    assert all(len(names) <= watch.CHILDREN for names in rules.values())


def with_more(**resources: Any) -> dict[str, Any]:
    """template.yaml with more resources."""
    template = copy.deepcopy(ROOT_TEMPLATE)
    template["Resources"] |= resources
    return template


def test_a_new_resource_is_watched_without_a_row_of_its_own() -> None:
    function = {
        "Timeout": 10,
        "LoggingConfig": {"LogGroup": {"Ref": "NewLogs"}},
        "Events": {"New": {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["NewQueue", "Arn"]}}}},
    }
    template = with_more(
        NewQueue={"Type": "AWS::SQS::Queue", "Properties": {}},
        NewDeadLetters={"Type": "AWS::SQS::Queue", "Properties": {}},
        NewFunction={"Type": "AWS::Serverless::Function", "Properties": function},
        NewRule={"Type": "AWS::Events::Rule", "Properties": {}},
        NewMachine={"Type": "AWS::Serverless::StateMachine", "Properties": {}},
    )
    made = monitoring.nested(template)
    assert made["Resources"].keys() - RESOURCES.keys() == {
        "NewQueueAgeAlarm",
        "NewDeadLettersDepthAlarm",
        "NewFunctionErrorsAlarm",
        "NewFunctionThrottlesAlarm",
        "NewFunctionDurationAlarm",
        "NewRuleFailedAlarm",
        "NewMachineExecutionsAlarm",
    }
    passed = monitoring.parameters(template)
    assert passed.keys() == made["Parameters"].keys()
    assert {name: passed[name] for name in passed.keys() - NESTED["Parameters"].keys()} == {
        "NewQueue": {"Fn::GetAtt": ["NewQueue", "QueueName"]},
        "NewDeadLetters": {"Fn::GetAtt": ["NewDeadLetters", "QueueName"]},
        "NewFunction": {"Ref": "NewFunction"},
        "NewRule": {"Ref": "NewRule"},
        "NewMachine": {"Ref": "NewMachine"},
    }
    assert {"Ref": "NewLogs"} in passed["LogGroups"]["Fn::Join"][1]


def test_a_watched_resource_with_a_condition_is_refused() -> None:
    rule = {"Type": "AWS::Events::Rule", "Condition": "HasWebAcl", "Properties": {}}
    with pytest.raises(ValueError, match="NewRule: a resource that is there on a condition"):
        monitoring.nested(with_more(NewRule=rule))


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
    for statement in WATCHED["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]:
        (allowed if statement["Effect"] == "Allow" else denied).append(statement)
    (allow,) = allowed
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert "aws:SourceArn" in allow["Condition"]["ArnLike"]
    assert denied[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


# ---- deployed ----


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The project's stack, deployed without anything that runs."""
    emulator = Emulator("us-east-1")
    access = AccessControl(emulator)
    clients = Clients(Server(emulator, access), "http://127.0.0.1:1", "us-east-1")
    template = load_template(watch.TEMPLATE, {}, "us-east-1")
    with emulator.running():
        made = Stack("exnotify", emulator.place, clients, access, template.code)
        deploy(template, made)
        yield made


def test_alarms_are_named_after_the_root_stack(stack: Stack) -> None:
    assert stack.alarms.keys() == {f"exnotify-{name.removesuffix('Alarm')}" for name in ALARMS}
    assert stack.composites.keys() == {"exnotify-CustomersAffected", "exnotify-OperationsAttention"}
    assert stack.outputs["CustomersAffectedAlarmArn"].endswith(":alarm:exnotify-CustomersAffected")


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_reads_the_metrics_of_the_deployed_resource(name: str, stack: Stack) -> None:
    watched = {
        resource.attributes.get("QueueName", resource.ref)
        for logical_id, resource in stack.resources.items()
        if f'{{"Ref": "{logical_id}"}}' in json.dumps(ALARMS[name])
    }
    alarm = stack.alarms[f"exnotify-{name.removesuffix('Alarm')}"]
    read = {value for query in alarm.queries.values() for _, value in query.metric[2]}
    assert watched == read - {watch.SERVICE, *codes(name)}
    assert watched or name.removesuffix("Alarm") in watch.data()["own"]


def codes(name: str) -> list[str]:
    """Codes of the exceptions that an alarm counts."""
    row = watch.data()["own"].get(name.removesuffix("Alarm"), {})
    return list(row.get("codes", ()))
