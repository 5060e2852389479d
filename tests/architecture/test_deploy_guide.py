"""docs/site/deploy.md: every command in it exists, and it says what the template says."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import click
import pytest
from botocore import xform_name

from bench.prices import AS_OF, PRICES
from exnotify.cli import exnotify
from tests.architecture.test_parameters import DECLARED, FILES, TEMPLATE
from tests.container import sam

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/site/deploy.md").read_text("utf-8")


def lines() -> Iterator[str]:
    """The lines of the guide's shell blocks, and what it names as a command within its text."""
    for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.S):
        yield from (line.strip() for line in block.splitlines())
    yield from re.findall(
        r"`((?:aws|sam|make|exnotify|\.venv\S*) [^`]+)`", re.sub(r"```.*?```", "", GUIDE, flags=re.S)
    )


def commands(name: str) -> list[list[str]]:
    """The words behind a program, for each time that the guide calls it; what `$( )` holds as one word."""
    found = []
    for line in lines():
        for call in (line, *re.findall(r"\$\((.*?)\)", line)):
            plain = re.sub(r"\$\((?:[^()]|\([^()]*\))*\)", "OUTPUT", call)
            match = re.search(rf"(?:^|[{{;=] ?)(?:\S*/)?{name} (.*)", plain)
            if match:
                found.append(shlex.split(match[1].split(" > ")[0].split("; }")[0]))
    return found


def options(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}


AWS = commands("aws")

OWN_NAMES = {"--notification-endpoint": "--endpoint", "--zip-file": "--content"}
"""Options that the AWS CLI calls otherwise than the service's model."""


@pytest.mark.parametrize("words", AWS, ids=" ".join)
def test_an_aws_command_is_one_of_the_services(words: list[str]) -> None:
    session = botocore.session.get_session()
    service, command, *rest = words
    service = service.replace("s3api", "s3")
    if command == "wait":
        waiters = session.get_waiter_model(service).waiter_names
        assert rest[0] in {xform_name(name, "-") for name in waiters}
        return
    model = session.get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert command in operations
    shape = model.operation_model(operations[command]).input_shape
    members = {} if shape is None else shape.members
    known = {f"--{xform_name(member, '-')}" for member in members} | {"--query", "--output"}
    given = {OWN_NAMES.get(option, option).replace("--no-", "--") for option in options(rest)}
    assert given <= known
    if rest:  # what stands in the text alone is short for it
        assert {
            f"--{xform_name(member, '-')}" for member in (shape.required_members if shape else ())
        } <= given


def test_the_guide_calls_all_that_it_needs() -> None:
    called = {(words[0], words[1]) for words in AWS}
    assert ("sesv2", "create-configuration-set-event-destination") in called
    assert ("pinpoint-sms-voice-v2", "create-event-destination") in called
    assert ("cloudformation", "create-change-set") in called
    assert len(AWS) > 40


@pytest.mark.sam
@pytest.mark.parametrize("words", commands("sam"), ids=" ".join)
def test_a_sam_command_has_the_options(words: list[str]) -> None:
    said = sam.run(words[0], "--help", limit=60)
    assert all(re.search(rf"{option}\b", said) for option in options(words[1:]))
    if "--config-env" in words:
        assert words[words.index("--config-env") + 1] in FILES


@pytest.mark.parametrize("words", commands("make"), ids=" ".join)
def test_a_make_target_exists(words: list[str]) -> None:
    targets = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert {word for word in words if "=" not in word} <= set(targets)


@pytest.mark.parametrize("words", commands("exnotify"), ids=" ".join)
def test_an_exnotify_command_has_the_options(words: list[str]) -> None:
    if words[0] == "--stack":
        words = words[2:]
    command = exnotify.get_command(click.Context(exnotify), words[0])
    assert command is not None, f"there is no command {words[0]}"
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert options(words[1:]) <= known | {"--help"}


def test_outputs_parameters_and_files_that_it_names_exist() -> None:
    assert set(re.findall(r"\$\(output (\w+)\)|^output (\w+)$", GUIDE, re.M))
    named = {a or b for a, b in re.findall(r"\$\(output (\w+)\)|^output (\w+)$", GUIDE, re.M)}
    assert named <= TEMPLATE["Outputs"].keys()
    assert set(re.findall(r"`(\w+)=\w+`", GUIDE)) <= DECLARED.keys()
    for path in re.findall(r"\]\(([^)#]+)[^)]*\)", GUIDE):
        assert (ROOT / "docs/site" / path).resolve().exists(), path
    assert FILES.keys() <= set(re.findall(r"environments/(\w+)\.yaml", GUIDE))


def test_its_prices_are_those_of_the_bill() -> None:
    secrets = [r for r in TEMPLATE["Resources"].values() if r["Type"] == "AWS::SecretsManager::Secret"]
    assert len(secrets) == 10
    assert f"{PRICES['secrets'].of(10):.2f} US dollars for ten secrets" in GUIDE.replace("\n", " ")
    assert f"{PRICES['secrets'].usd:.2f} US dollars a month for each secret" in GUIDE.replace("\n", " ")
    assert f"{PRICES['keys'].usd:.2f} for a key" in GUIDE
    assert AS_OF == "2026-06"
    assert "as of June 2026" in GUIDE.replace("\n", " ")


def test_it_says_of_every_route_who_may_use_it() -> None:
    routes = {
        (event["Properties"]["Method"], event["Properties"]["Path"])
        for resource in TEMPLATE["Resources"].values()
        for event in resource.get("Properties", {}).get("Events", {}).values()
        if resource["Type"] == "AWS::Serverless::Function" and event["Type"] == "HttpApi"
    }
    told = {
        (method, path)
        for cell, path in re.findall(r"^\| (.*) of `(/[^`]*)` \|", GUIDE, re.M)
        for method in re.findall(r"`([A-Z]+)`", cell)
    }
    assert told == routes
