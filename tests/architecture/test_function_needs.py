"""Each function has the variables, secrets and actions that its code can reach, and no others.

`reach` derives what code reaches; the template says what a function has. There are no exemptions: change the
code or the template.
"""

import ast
import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from exnotify.cloud.asl import RESOURCES as TASKS
from tests.architecture.reach.granted import Template, grants_off, names, variables_off
from tests.architecture.reach.needs import Reached, reached
from tests.architecture.reach.program import Program
from tests.architecture.test_least_privilege import NO_RESOURCE
from tests.container.sam import load_template

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = "exstream_notify.adapters.settings.Settings"
DOCUMENT = load_template(ROOT / "template.yaml")
TEMPLATE = Template(DOCUMENT)


@cache
def of(folder: str) -> Reached:
    """What a function's folder reaches."""
    package = ROOT / "layers/core/exstream_notify"
    program = Program({"exstream_notify": package, "app": ROOT / folder / "app"}, ["exstream_notify.domain"])
    return reached(program, "app", SETTINGS, TEMPLATE.places)


BUILTINS = {"setattr", "delattr", "vars", "globals", "locals", "exec", "eval"}
UNSEEN = {
    "methodcaller", "attrgetter", "__dict__", "__getattr__", "__getattribute__", "boto3", "environ", "getenv",
}  # fmt: skip
"""What would lead the analysis past a call or a variable, with these builtins."""
READS_ENVIRONMENT = {"settings.py", "clock.py"}
"""The settings, and the clock that the embedded cloud sets."""
SOURCES = [
    *sorted((ROOT / "layers/core/exstream_notify").rglob("*.py")),
    *sorted(ROOT.glob("functions/*/app.py")),
]


def unseen(source: str) -> set[str]:
    """What of `UNSEEN` and `BUILTINS` a module names."""
    nodes = list(ast.walk(ast.parse(source)))
    found = {str(getattr(node, key, "")) for node in nodes for key in ("id", "attr", "name", "module")}
    builtins = {node.id for node in nodes if isinstance(node, ast.Name)} & BUILTINS
    return {part for name in found for part in name.split(".")} & UNSEEN | builtins


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_gets_past_the_analysis(path: Path) -> None:
    """Ask `Bootstrap` for clients and `Settings` for variables, and call what is named."""
    allowed = {"environ"} if path.name in READS_ENVIRONMENT else set()
    assert unseen(path.read_text("utf-8")) <= allowed


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import boto3", "boto3"),
        ("from boto3.session import Session", "boto3"),
        ("from operator import methodcaller as calls", "methodcaller"),
        ("operator.attrgetter('put_item')(client)()", "attrgetter"),
        ("class Proxy:\n    def __getattr__(self, name): ...", "__getattr__"),
        ("self.__dict__['_client'].put_item()", "__dict__"),
        ("setattr(self, 'put', client.put_item)", "setattr"),
        ("os.environ['TABLE']", "environ"),
        ("from os import getenv", "getenv"),
    ],
)
def test_a_way_past_the_analysis_is_found(source: str, name: str) -> None:
    assert unseen(source) == {name}


@pytest.mark.parametrize("name", TEMPLATE.functions)
def test_nothing_is_left_that_the_analysis_cannot_follow(name: str) -> None:
    assert of(TEMPLATE.functions[name].folder).faults == []


@pytest.mark.parametrize("name", TEMPLATE.functions)
def test_a_function_has_the_variables_that_its_code_reads(name: str) -> None:
    given = TEMPLATE.functions[name]
    assert list(variables_off(given, of(given.folder), TEMPLATE)) == []


@pytest.mark.parametrize("name", TEMPLATE.functions)
def test_a_role_allows_what_its_function_can_do(name: str) -> None:
    given = TEMPLATE.functions[name]
    assert list(grants_off(given, of(given.folder), TEMPLATE)) == []


# ---- The state machine's role ----


def tasks(part: object) -> Iterator[dict[str, Any]]:
    """The states of a definition that call something."""
    if isinstance(part, dict) and part.get("Type") == "Task":
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from tasks(inner)


def test_the_role_of_the_state_machine_allows_what_its_states_do_and_no_more() -> None:
    machine = DOCUMENT["Resources"]["FollowUpMachine"]["Properties"]
    assert machine["Logging"]["Destinations"]
    assert machine["Tracing"] == {"Enabled": True}
    needed = {(action, "*") for action in NO_RESOURCE["FollowUpRole"]}
    substitutions = machine["DefinitionSubstitutions"]
    assert substitutions["Partition"] == {"Ref": "AWS::Partition"}, "GovCloud and China have others"
    text = (ROOT / machine["DefinitionUri"]).read_text("utf-8").replace("${Partition}", "aws")
    for task in tasks(json.loads(text)):
        if (action := TASKS[task["Resource"]]) == "lambda:InvokeFunction":
            given = substitutions[task["Parameters"]["FunctionName"].strip("${}")]
            needed |= {(action, function) for function in names(given)}
        else:
            needed.add((action, "event-bus/default"))
    assert TEMPLATE.grants("FollowUpRole") == needed


# ---- Each fault that is put into the template is found, with the way that code takes to it ----

Document = dict[str, Any]


def faults(name: str, change: Callable[[Document], None]) -> list[str]:
    """What is found about a function after the template was changed."""
    document = copy.deepcopy(DOCUMENT)
    change(document["Resources"])
    changed = Template(document)
    given = changed.functions[name]
    return [
        *variables_off(given, of(given.folder), changed),
        *grants_off(given, of(given.folder), changed),
    ]


def variables(resources: Document, name: str) -> Document:
    found: Document = resources[name]["Properties"]["Environment"]["Variables"]
    return found


def statements(resources: Document, role: str) -> list[Document]:
    (policy,) = resources[role]["Properties"]["Policies"]
    found: list[Document] = policy["PolicyDocument"]["Statement"]
    return found


def without(resources: Document, role: str, action: str, resource: object) -> None:
    """Take an action on one resource from a role."""
    for statement in statements(resources, role):
        listed = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if action in statement["Action"] and resource in listed:
            rest = [entry for entry in listed if entry != resource]
            others = [entry for entry in statement["Action"] if entry != action]
            statement["Resource"] = rest
            if others:
                statements(resources, role).append({**statement, "Action": others, "Resource": resource})
            return
    raise LookupError(action)


@pytest.mark.parametrize(
    ("function", "variable", "through"),
    [
        ("SendNoticesFunction", "OPENTEXT_URL", "providers.choice.make_opentext"),
        ("PollReceiptsFunction", "OPENTEXT_URL", "providers.choice.make_opentext"),
        ("RecordReplyFunction", "OPENTEXT_TOKEN_URL", "providers.choice.make_opentext"),
        ("SendNoticesFunction", "PEPPERS_SECRET", "bootstrap.Bootstrap.contacts"),
        ("StageRunFunction", "DEFAULT_REGION", "bootstrap.Bootstrap.values_site"),
        ("WatchRunsFunction", "RUNS_TABLE", "bootstrap.Bootstrap.runs"),
    ],
)
def test_a_variable_that_is_taken_away_is_missed(function: str, variable: str, through: str) -> None:
    (found,) = faults(function, lambda resources: variables(resources, function).pop(variable) and None)
    assert found.startswith(f"{function} lacks the variable {variable}: app:")
    assert through in found


ARN = "Fn::GetAtt"
PARTS = {"Fn::Sub": "${WorkBucket.Arn}/parts/*"}


@pytest.mark.parametrize(
    ("name", "action", "resource", "place", "through"),
    [
        (
            "SendNotices",
            "secretsmanager:GetSecretValue",
            {"Ref": "OpenTextCredentials"},
            "OpenTextCredentials",
            "secrets.Secret.fresh",
        ),
        ("DecideNotices", "s3:ListBucket", {ARN: ["WorkBucket", "Arn"]}, "WorkBucket", "s3.S3Records._rows"),
        ("StageRun", "s3:ListBucket", {ARN: ["DropBucket", "Arn"]}, "DropBucket", "s3.S3DropFolder."),
        ("SendNotices", "s3:GetObject", PARTS, "WorkBucket/parts/", "s3.S3Records._rows"),
        (
            "SendNotices",
            "s3:PutObject",
            {"Fn::Sub": "${WorkBucket.Arn}/jobs/*"},
            "WorkBucket/jobs/",
            "s3.S3Jobs.put",
        ),
        (
            "SendNotices",
            "sqs:ChangeMessageVisibility",
            {ARN: ["EmailQueue", "Arn"]},
            "EmailQueue",
            "sqs.SqsQueue.come_back",
        ),
        ("SendNotices", "sqs:DeleteMessage", {ARN: ["SmsQueue", "Arn"]}, "SmsQueue", "its event Sms"),
        (
            "DecideNotices",
            "dynamodb:Query",
            {"Fn::Sub": "${NoticesTable.Arn}/index/document"},
            "NoticesTable/index/document",
            "ledger.DynamoLedger.of_document",
        ),
        (
            "AlertException",
            "kms:Decrypt",
            {ARN: ["TopicKey", "Arn"]},
            "TopicKey",
            "alert_channels.Channels",
        ),
        ("WatchRuns", "sqs:SendMessage", {ARN: ["WatchFailures", "Arn"]}, "WatchFailures", "its failures"),
        ("WatchRuns", "logs:PutLogEvents", {ARN: ["WatchRunsLogs", "Arn"]}, "WatchRunsLogs", "its log"),
    ],
)
def test_an_action_that_is_taken_away_is_missed(
    name: str, action: str, resource: object, place: str, through: str
) -> None:
    found = faults(f"{name}Function", lambda resources: without(resources, f"{name}Role", action, resource))
    (told,) = [text for text in found if text.startswith(f"{name}Function lacks {action} on {place}: ")]
    assert through in told


@pytest.mark.parametrize(
    ("action", "resource", "place"),
    [
        ("s3:DeleteObject", PARTS, "WorkBucket/parts/"),
        ("s3:GetObject", {"Fn::Sub": "${EvidenceBucket.Arn}/evidence/*"}, "EvidenceBucket/evidence/"),
        ("s3:PutObject", PARTS, "WorkBucket/parts/"),
        ("secretsmanager:GetSecretValue", {"Ref": "LinkKeys"}, "LinkKeys"),
        ("dynamodb:Query", {"Fn::Sub": "${NoticesTable.Arn}/index/case"}, "NoticesTable/index/case"),
        ("dynamodb:Scan", {ARN: ["ContactsTable", "Arn"]}, "ContactsTable"),
        ("sqs:SendMessage", {ARN: ["RunQueue", "Arn"]}, "RunQueue"),
        ("kms:Decrypt", {ARN: ["TopicKey", "Arn"]}, "TopicKey"),
    ],
)
def test_an_action_that_is_added_is_found(action: str, resource: object, place: str) -> None:
    more = {"Effect": "Allow", "Action": [action], "Resource": resource}
    assert faults("DecideNoticesFunction", lambda r: statements(r, "DecideNoticesRole").append(more)) == [
        f"DecideNoticesFunction has {action} on {place}, which its code never takes"
    ]


def test_a_variable_that_is_added_is_found() -> None:
    def more(resources: Document) -> None:
        variables(resources, "WatchRunsFunction")["LINK_KEYS_SECRET"] = {"Ref": "LinkKeys"}

    assert faults("WatchRunsFunction", more) == [
        "WatchRunsFunction has the variable LINK_KEYS_SECRET, which its code never reads"
    ]
