"""The runbook: every alarm and every alert leads to a section of it, and its `aws` commands run as written."""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
import jmespath
import pytest
import yaml
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from exnotify.local import ROOT, LocalCloud
from exnotify.operations import watch
from exstream_notify.adapters.rules import PACKAGE_RULES, YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised
from tests.container.sam import load_template

from .texts import BOOK, SHELL

SECTIONS: dict[str, str] = dict(re.findall(r"^## ([\w-]+)\n(.*?)(?=^## |\Z)", BOOK, re.M | re.S))
LINES = [line for block in SHELL.findall(BOOK) for line in block.splitlines()]
# In their order: a table is restored before it is looked at.
AWS_COMMANDS = [
    line.strip()
    for line in (*LINES, *(ROOT / "docs" / "operations.md").read_text("utf-8").splitlines())
    if line.strip().startswith("aws ")
]
ALERTS = yaml.safe_load((PACKAGE_RULES / "alerts.yaml").read_text("utf-8"))
FAMILIES = {entry["family"] for entry in (*ALERTS["codes"].values(), *ALERTS["routes"]) if "family" in entry}
# Alarms by their row in alarms.yaml, families by their entry in alerts.yaml.
LEADS = [(name, row["runbook"]) for name, row in watch.descriptions()]
LEADS += [(name, row["runbook"]) for name, row in ALERTS["families"].items() if name != "default"]


@pytest.mark.parametrize(("name", "anchor"), LEADS)
def test_alarms_and_families_lead_to_a_section_that_names_them(name: str, anchor: str) -> None:
    body = SECTIONS[anchor]
    assert re.search(rf"`…?{name}`", body.splitlines()[1])
    assert all(word in body for word in ("**Symptom.**", "**Check.**", "**Cure.**"))


def test_no_section_is_left_over() -> None:
    assert set(SECTIONS) == {anchor for _, anchor in LEADS} | {"paging"}


def test_links_within_the_runbook_lead_somewhere() -> None:
    assert set(re.findall(r"\]\(#([\w-]+)\)", BOOK)) <= set(SECTIONS)


def test_families_are_those_that_codes_and_routes_name() -> None:
    assert set(ALERTS["families"]) == FAMILIES | {"default"}


@pytest.mark.parametrize("code", [*ALERTS["codes"], "EX003004W"])
def test_every_alert_says_what_it_means_what_to_do_and_where_to_read_on(code: str) -> None:
    rule = YamlRules().route(ExceptionRaised(code, "error", "retail", "run", "text"))
    file, _, anchor = rule.runbook.partition("#")
    assert rule.means
    assert rule.advice
    assert file == "docs/runbook.md"
    assert anchor in SECTIONS


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(at="2026-11-24T15:00:00+00:00") as running:
        yield running


# --- aws -------------------------------------------------------------------------------------------

# What the embedded cloud does not play; a test holds that it says so.
NOT_PLAYED = {
    "lambda get-function-configuration",
    "stepfunctions redrive-execution",
}
VARIABLES = {
    "$HOUR_AGO": "0",
    "$BEFORE": "2026-11-24T15:00:00Z",
    "$EXECUTION": "arn:aws:states:us-east-1:123456789012:execution:m:e",
}
RESOURCES = load_template(ROOT / "template.yaml")["Resources"]
_AWS = botocore.session.Session()


@dataclass(frozen=True)
class Call:
    """An `aws` command as the call that it makes."""

    service: str
    operation: str
    parameters: dict[str, Any]


def call_of(command: str, physical: Callable[[str], str]) -> Call:
    """Read by AWS's own description of the service; raises where the command line would refuse it."""
    words = [
        re.sub(r"\$\(name (\w+)\)", lambda found: physical(found[1]), VARIABLES.get(word, word))
        for word in shlex.split(command)[1:]
    ]
    if words[:2] == ["s3", "ls"]:
        bucket, _, prefix = words[2].removeprefix("s3://").partition("/")
        assert words[3:] == ["--recursive"]
        return Call("s3", "list_objects_v2", {"Bucket": bucket, "Prefix": prefix})
    service, name, *options = words
    model = _AWS.get_service_model(service)
    (operation,) = (o for o in model.operation_names if xform_name(o, "-") == name)
    shape = model.operation_model(operation).input_shape
    members = {f"--{xform_name(member, '-')}": member for member in shape.members}
    given = dict(zip(options[::2], options[1::2], strict=True))
    jmespath.compile(given.pop("--query", "@"))
    assert given.pop("--output", "json") in ("json", "text", "table", "yaml")
    parameters = {}
    for option, value in given.items():
        kind = shape.members[members[option]].type_name
        read: Any = {"list": lambda text: [text], "long": int, "integer": int}.get(kind, str)
        parameters[members[option]] = read(value)
    faults = ParamValidator().validate(parameters, shape)
    assert not faults.has_errors(), faults.generate_report()
    return Call(service, xform_name(operation), parameters)


@pytest.mark.parametrize("command", AWS_COMMANDS)
def test_an_aws_command_is_one_that_aws_takes(command: str) -> None:
    call_of(command, lambda logical_id: logical_id if logical_id in RESOURCES else pytest.fail(logical_id))


@pytest.mark.parametrize(
    "command",
    [
        "aws sqs get-queue-attributes --queue-uri x",
        "aws sqs get-queue-atributes --queue-url x",
        "aws logs filter-log-events --log-group-name x --start-time today",
        "aws lambda get-function-configuration",
        "aws events describe-rule --name x --query [",
    ],
)
def test_a_command_that_aws_does_not_take_is_found(command: str) -> None:
    with pytest.raises((AssertionError, KeyError, ValueError)):
        call_of(command, str)


@pytest.mark.slow
def test_aws_commands_run_in_their_order(cloud: LocalCloud) -> None:
    refused = set()
    for command in AWS_COMMANDS:
        call = call_of(command, cloud.resource)
        try:
            getattr(cloud.client(call.service), call.operation)(**call.parameters)
        except ClientError:
            refused.add(" ".join(command.split()[1:3]))
    assert refused == NOT_PLAYED


@pytest.mark.slow
def test_the_stack_tells_names_as_the_runbook_asks_for_them(cloud: LocalCloud) -> None:
    asked = call_of(
        "aws cloudformation describe-stack-resource --stack-name exnotify --logical-resource-id RunQueue",
        cloud.resource,
    )
    answer = getattr(cloud.client(asked.service), asked.operation)(**asked.parameters)
    path = "StackResourceDetail.PhysicalResourceId"
    assert f"--query {path}" in BOOK
    assert jmespath.search(path, answer) == cloud.resource("RunQueue")
