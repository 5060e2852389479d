"""Parameters: grouped, labelled, each with an example that the template takes; and the files of environments/."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from exnotify.cloud.access import AccessControl
from exnotify.cloud.clients import Clients
from exnotify.cloud.deploy import deploy
from exnotify.cloud.emulator import Emulator
from exnotify.cloud.server import Server
from exnotify.cloud.stack import Stack
from exnotify.cloud.template import load_template as translated
from exnotify.cloud.template import resolve_parameters
from tests.container import sam
from tests.needs import SAM

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = sam.load_template(ROOT / "template.yaml")
DECLARED: dict[str, dict[str, Any]] = TEMPLATE["Parameters"]
SHOWN = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]
CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
FILES = {path.stem: path for path in sorted((ROOT / "environments").glob("*.yaml"))}

PLACEHOLDERS = {
    name for name, rule in DECLARED.items() if re.search(r"example|2025550\d\d\d", str(rule["Default"]), re.I)
}
"""Parameters whose default is no more than an example: a site must name its own."""


def given(environment: str) -> dict[str, str]:
    """The parameters of a file as the SAM CLI passes them on."""
    values = yaml.safe_load(FILES[environment].read_text("utf-8"))
    return {name: ",".join(v) if isinstance(v, list) else str(v) for name, v in values.items()}


# ---- The console's form, and the questions of a guided deployment ----


def test_every_parameter_is_in_one_group_and_has_a_label() -> None:
    grouped = [name for group in SHOWN["ParameterGroups"] for name in group["Parameters"]]
    assert grouped == list(DECLARED), "in the order in which a guided deployment asks"
    assert list(SHOWN["ParameterLabels"]) == grouped
    titles = [group["Label"]["default"] for group in SHOWN["ParameterGroups"]]
    labels = [label["default"] for label in SHOWN["ParameterLabels"].values()]
    assert all(titles)
    assert all(labels)
    assert len(set(labels)) == len(labels)
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", DECLARED)
def test_a_description_ends_with_an_example_that_the_template_takes(name: str) -> None:
    said, _, example = DECLARED[name]["Description"].rpartition(" Example: ")
    assert said.endswith("."), "sentences, then the example"
    assert len(said) >= 20
    assert resolve_parameters({name: DECLARED[name]}, {name: example})
    assert example


# ---- The files of environments/ ----


def test_the_files_are_those_of_samconfig_and_say_nothing_twice() -> None:
    deployed = {
        name: section["deploy"]["parameters"]
        for name, section in CONFIG.items()
        if isinstance(section, dict) and "deploy" in section
    }
    assert deployed.keys() == FILES.keys() == {"trial", "opentext", "production"}
    for name, settings in deployed.items():
        assert settings["parameter_overrides"] == [f"file://environments/{name}.yaml"]
        assert settings["capabilities"] == "CAPABILITY_IAM"
    assert len({settings["stack_name"] for settings in deployed.values()}) == len(deployed)
    assert deployed["production"]["confirm_changeset"] is True


@pytest.mark.parametrize("environment", FILES)
def test_a_file_names_parameters_with_values_that_the_template_takes(environment: str) -> None:
    values = yaml.safe_load(FILES[environment].read_text("utf-8"))
    kinds = {name: type(value) for name, value in values.items()}
    assert set(kinds.values()) <= {str, int, list}, "YAML's true is not the template's: quote it"
    resolved = resolve_parameters(DECLARED, given(environment))
    assert resolved["SmsSender"].startswith("+"), "a number that is not quoted loses its plus sign"
    assert values.keys() >= PLACEHOLDERS


def test_placeholders_are_found() -> None:
    assert {"CompanyName", "SenderEmail", "SmsSender", "SupportContact", "LinkHost"} <= PLACEHOLDERS


def test_production_is_protected() -> None:
    production = given("production")
    assert production["EvidenceLock"] == "COMPLIANCE"
    assert production["DeletionProtection"] == "true"
    assert production["RequireApprovedWording"] == "true"


def test_a_trial_keeps_to_the_sandbox_of_ses() -> None:
    trial = given("trial")
    assert trial["EmailProvider"] == "ses"
    assert trial["EmailRate"] == "1"
    assert trial["EvidenceLock"] == "NONE"
    assert trial["DeletionProtection"] == "false"


@pytest.mark.parametrize("environment", FILES)
def test_the_stack_can_be_deployed_with_a_file(environment: str) -> None:
    template = translated(ROOT / "template.yaml", given(environment), "eu-central-1")
    emulator = Emulator("eu-central-1")
    access = AccessControl(emulator)
    clients = Clients(Server(emulator, access), "http://127.0.0.1:1", "eu-central-1")
    with emulator.running():
        stack = Stack("exnotify", emulator.place, clients, access, template.code)
        deploy(template, stack)
        assert "EvidenceBucketName" in stack.outputs


# ---- The SAM CLI itself ----


def asked(*arguments: str) -> str:
    """All that a guided deployment prints before it needs an account, every question answered with Enter."""
    environment = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    environment |= {"AWS_EC2_METADATA_DISABLED": "true", "SAM_CLI_TELEMETRY": "0", "HOME": "/nonexistent"}
    done = subprocess.run(
        [str(SAM), "deploy", "--guided", "--region", "eu-central-1", *arguments],
        cwd=ROOT,
        env=environment | {"PATH": "/usr/bin:/bin"},
        input="\n" * 120,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Unable to locate credentials" in done.stderr, done.stderr
    return re.sub(r"\x1b\[\d+m", "", done.stdout)


def of_sam(program: str, *arguments: str) -> Any:
    """What a program prints as JSON that runs with the SAM CLI's own code."""
    python = SAM.parent / "python"
    said = subprocess.run(
        [str(python), "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(said.stdout)


@pytest.mark.sam
def test_the_sam_cli_reads_the_files_as_they_are_read_here() -> None:
    program = (
        "import json, sys\n"
        "from samcli.cli.types import CfnParameterOverridesType\n"
        "read = CfnParameterOverridesType().convert\n"
        "print(json.dumps([read([f'file://environments/{name}.yaml'], None, None) for name in sys.argv[1:]]))\n"
    )
    assert of_sam(program, *FILES) == [given(environment) for environment in FILES]


@pytest.mark.sam
def test_what_stands_after_a_file_takes_its_place() -> None:
    """So a first deployment of production goes without the protection that a failed one would leave behind."""
    program = (
        "import json, sys\n"
        "from samcli.cli.types import CfnParameterOverridesType\n"
        "print(json.dumps(CfnParameterOverridesType().convert(tuple(sys.argv[1:]), None, None)))\n"
    )
    found = of_sam(program, "file://environments/production.yaml", "DeletionProtection=false")
    assert found == given("production") | {"DeletionProtection": "false"}


@pytest.mark.sam
def test_a_guided_deployment_asks_for_parameters_and_nothing_that_needs_an_expert() -> None:
    said = asked("--config-env", "production", "--template-file", "template.yaml")
    assert "has no authentication" not in said
    assert "sign your code" not in said
    answers = dict(re.findall(r"Parameter (\w+) \[(.*?)\]: ", said))
    resolved = resolve_parameters(DECLARED, given("production"))
    expected = {name: ",".join(v) if isinstance(v, list) else str(v) for name, v in resolved.items()}
    assert answers == expected
    rest = [q for q in re.findall(r"\t([A-Z][\w ]+?) \[[^\]]*\]: ", said) if not q.startswith("Parameter ")]
    assert set(rest) == {
        "Stack Name",
        "AWS Region",
        "Confirm changes before deploy",
        "Allow SAM CLI IAM role creation",
        "Disable rollback",
        "Save arguments to configuration file",
        "SAM configuration file",
        "SAM configuration environment",
    }


@pytest.mark.sam
def test_the_sam_cli_finds_a_route_that_says_nothing_of_authentication(tmp_path: Path) -> None:
    """The question is there, if the template does not answer it: the test above sees what it looks for."""
    silent = tmp_path / "template.yaml"
    text = (ROOT / "template.yaml").read_text("utf-8")
    assert "      Auth: {EnableIamAuthorizer: false}\n" in text
    silent.write_text(text.replace("      Auth: {EnableIamAuthorizer: false}\n", ""))
    shutil.copy(ROOT / "monitoring.yaml", tmp_path)
    program = (
        "import json, sys\n"
        "from samcli.commands.deploy.auth_utils import auth_per_resource\n"
        "from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider\n"
        "stacks, _ = SamLocalStackProvider.get_stacks(sys.argv[1])\n"
        "print(json.dumps(auth_per_resource(stacks)))\n"
    )

    def unanswered(template: Path) -> set[str]:
        python = SAM.parent / "python"
        said = subprocess.run(
            [str(python), "-c", program, str(template)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return {name for name, answered in json.loads(said.stdout) if not answered}

    assert unanswered(ROOT / "template.yaml") == set()
    assert "OpenDocumentFunction" in unanswered(silent)
