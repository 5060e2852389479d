"""monitoring.yaml: both templates are what `make alarms` writes, and nothing goes unwatched."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bench.prices import PRICES
from exnotify.cloud.access import AccessControl
from exnotify.cloud.clients import Clients
from exnotify.cloud.deploy import deploy
from exnotify.cloud.emulator import Emulator
from exnotify.cloud.server import Server
from exnotify.cloud.stack import Stack
from exnotify.cloud.template import load_template
from exnotify.local import ROOT
from exnotify.operations import monitoring, watch
from exnotify.operations.checks import MATH_METRICS, can_fire, is_covered

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
    if name in watch.watched(WATCHED)["failures"]:
        return  # of a schedule, whose next good run does the work again
    wanted = "ApproximateAgeOfOldestMessage" if feeds else "ApproximateNumberOfMessagesVisible"
    # The depth of DecideQueue is a clock beside it.
    assert wanted in watching(name)


@pytest.mark.parametrize("name", of_type("AWS::Serverless::Function"))
def test_every_function_that_runs_by_a_rate_is_watched(name: str) -> None:
    """What others call is watched where it fails: queues, pages, executions."""
    by_rate = any(
        "rate(" in str(e.get("Properties")) for e in WATCHED[name]["Properties"].get("Events", {}).values()
    )
    assert watching(name) == ({"Errors"} if by_rate else set())


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
    assert len(properties.get("Metrics", ())) <= MATH_METRICS + 1


COMPOSITES = of_type("AWS::CloudWatch::CompositeAlarm", RESOURCES)


def test_every_alarm_pages_once_by_itself_or_by_one_composite_alarm() -> None:
    rules = [RESOURCES[name]["Properties"]["AlarmRule"]["Fn::Sub"] for name in COMPOSITES]
    named = [child for rule in rules for child in re.findall(r"ALARM\(\"\$\{(\w+)\}\"\)", rule)]
    alone = [name for name, alarm in ALARMS.items() if "AlarmActions" in alarm["Properties"]]
    assert sorted([*named, *alone]) == sorted(ALARMS)
    # Nothing but OR: an alarm that is on keeps none of them away.
    assert all(re.fullmatch(r"ALARM\(\S+\)( OR ALARM\(\S+\))*", rule) for rule in rules)


@pytest.mark.parametrize("name", [*ALARMS, *COMPOSITES])
def test_no_alarm_suppresses_another_and_each_page_is_closed(name: str) -> None:
    properties = RESOURCES[name]["Properties"]
    assert not [key for key in properties if "Suppress" in key]
    # A pager adds to a page that is open, and calls nobody: the next one has to find it closed.
    assert properties.get("AlarmActions") == properties.get("OKActions")


def test_alarms_are_few_and_cheap() -> None:
    metrics = sum(
        sum("MetricStat" in row for row in alarm["Properties"].get("Metrics", ())) or 1
        for alarm in ALARMS.values()
    )
    assert len(ALARMS) + len(COMPOSITES) <= 60
    assert PRICES["alarm_metrics"].of(metrics) + PRICES["composite_alarms"].of(len(COMPOSITES)) <= 10.00


def with_more(**resources: Any) -> dict[str, Any]:
    """template.yaml with more resources."""
    template = copy.deepcopy(ROOT_TEMPLATE)
    template["Resources"] |= resources
    return template


def test_a_new_resource_is_watched_without_a_row_of_its_own() -> None:
    queue = {"VisibilityTimeout": 60, "RedrivePolicy": {"maxReceiveCount": 5}}
    tick = {"Type": "Schedule", "Properties": {"Schedule": "rate(2 minutes)"}}
    function = {
        "Timeout": 10,
        "LoggingConfig": {"LogGroup": {"Ref": "NewLogs"}},
        "Events": {
            "New": {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["NewQueue", "Arn"]}}},
            "Tick": tick,
        },
    }
    template = with_more(
        NewQueue={"Type": "AWS::SQS::Queue", "Properties": queue},
        NewDeadLetters={"Type": "AWS::SQS::Queue", "Properties": {}},
        NewFunction={"Type": "AWS::Serverless::Function", "Properties": function},
        NewRule={"Type": "AWS::Events::Rule", "Properties": {}},
        NewMachine={"Type": "AWS::Serverless::StateMachine", "Properties": {}},
    )
    made = monitoring.nested(template)
    assert made["Resources"].keys() - RESOURCES.keys() == {
        "NewFunctionFailingAlarm",
        "NewMachineExecutionsAlarm",
    }
    grouped = {"NewQueue": "AnswersLate", "NewDeadLetters": "AnswersDeadLetters", "NewRule": "AnswersRules"}
    for name, alarm in grouped.items():
        assert f'{{"Ref": "{name}"}}' in json.dumps(made["Resources"][f"{alarm}Alarm"])
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


def test_more_queues_than_an_alarm_reads_make_another_alarm_of_the_same_page() -> None:
    more = {f"More{n}": {"Type": "AWS::SQS::Queue", "Properties": {}} for n in range(6)}
    made = monitoring.nested(with_more(**more))["Resources"]
    assert made.keys() - RESOURCES.keys() == {"AnswersDeadLetters2Alarm"}
    assert "${AnswersDeadLetters2Alarm}" in made["AnswersStoppedAlarm"]["Properties"]["AlarmRule"]["Fn::Sub"]


ROW = {"period": 60, "points": "1 of 1", "every": 60}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"points": "2 of 5", "every": 300}, "2 of 5 data points, and its source reports 1"),
        ({"points": "2 of 2", "period": 300, "every": 900}, "reports 0"),
        ({"points": "2 of 5", "every": "once"}, "a single report"),
        ({"every": 300, "missing": "breaching", "points": "1 of 5"}, "between two reports"),
        ({"every": "once", "missing": "breaching"}, "without a fault"),
        ({"points": "1 of 25", "period": 3540}, "a day at most"),
        ({"points": "3 of 5", "expression": "FILL(m, 0)"}, "FILL makes up the newest"),
        ({"points": "1 of 3", "each": "FILL({m}, 0)"}, "FILL makes up the newest"),
        ({"points": "1 of 169", "period": 3600}, "a week by hours"),
    ],
)
def test_an_alarm_that_cannot_fire_is_refused(changes: dict[str, Any], why: str) -> None:
    can_fire("Good", ROW, 10)
    can_fire("Good", ROW | {"points": "2 of 5", "period": 300, "every": 300}, 1)
    with pytest.raises(ValueError, match=why):
        can_fire("Bad", ROW | changes, 1)


def test_an_alarm_of_too_many_metrics_is_refused() -> None:
    with pytest.raises(ValueError, match="11 metrics"):
        can_fire("Bad", ROW, 11)


@pytest.mark.parametrize(
    ("visibility", "receives", "promise", "covered"),
    [
        (360, 5, 1800, True),  # dead letters at the promise
        (360, 6, 1800, False),  # hidden after 12 minutes, dead after 36
        (5400, 5, 3600, True),  # late long before SQS hides it
        (720, 10, 14400, True),
        (720, 10, 1440, False),
    ],
)
def test_a_queue_whose_messages_could_all_fail_unseen_is_refused(
    visibility: int, receives: int, promise: int, covered: bool
) -> None:
    queue = {"VisibilityTimeout": visibility, "RedrivePolicy": {"maxReceiveCount": receives}}
    if covered:
        is_covered("WorkQueue", queue, promise)
        return
    with pytest.raises(ValueError, match="WorkQueue: messages that keep failing leave its age"):
        is_covered("WorkQueue", queue, promise)


def test_a_page_without_alarms_is_refused() -> None:
    with pytest.raises(ValueError, match="IntakeStopped: 0 alarms"):
        watch.composites({"RunSilentAlarm": ALARMS["RunSilentAlarm"]})


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
        "## What is about to fail?",
        "## Who answers?",
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
    assert stack.composites.keys() == {f"exnotify-{name}" for name in watch.data()["pages"]}
    assert all(alarm.acts for alarm in stack.composites.values())


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_reads_the_metrics_of_the_deployed_resource(name: str, stack: Stack) -> None:
    watched = {
        resource.attributes.get("QueueName", resource.ref)
        for logical_id, resource in stack.resources.items()
        if f'{{"Ref": "{logical_id}"}}' in json.dumps(ALARMS[name])
    }
    alarm = stack.alarms[f"exnotify-{name.removesuffix('Alarm')}"]
    read = {value for query in alarm.queries.values() for _, value in query.metric[2]}
    assert watched == read - {watch.SERVICE}
    assert watched or name.removesuffix("Alarm") in watch.data()["own"]
