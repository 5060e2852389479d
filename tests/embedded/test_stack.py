"""`--stack NAME`: the commands on a stack that they see through AWS's own calls alone.

The embedded cloud stands for the account, by AWS_ENDPOINT_URL and an access key, as a deployed stack would be
reached; nothing of its own addresses is asked.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from exnotify.local import LocalCloud
from tests.cli.shell import Done, exnotify
from tests.name_server import NameServer

from .conftest import record

pytestmark = pytest.mark.slow
STACK = "exnotify"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    nowhere = str(tmp_path_factory.mktemp("home") / "none")
    with LocalCloud(parameters={"LinkHost": "{api}"}) as running, pytest.MonkeyPatch.context() as patch:
        told = running.describe()
        settings = {
            "AWS_ENDPOINT_URL": running.url,
            "AWS_DEFAULT_REGION": told["region"],
            "AWS_ACCESS_KEY_ID": told["admin"]["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": told["admin"]["secret_access_key"],
            "AWS_CONFIG_FILE": nowhere,
            "AWS_SHARED_CREDENTIALS_FILE": nowhere,
            # Nothing answers there: a command that asked for the embedded cloud would fail.
            "EXNOTIFY_URL": "http://127.0.0.1:9",
        }
        for name, value in settings.items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        yield running


def on_stack(*arguments: object) -> Done:
    return exnotify(*arguments, "--stack", STACK)


@pytest.fixture(scope="module")
def notice(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run that was dropped on the stack, and one of its notices."""
    folder: Path = tmp_path_factory.mktemp("run")
    rows = [record(n) for n in (1, 2, 3)]
    (folder / "r.index.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    done = on_stack("drop", folder, "--domain", "retail", "--run-id", "stack")
    assert done.code == 0, done.err
    (first,) = on_stack("notices", "--customer", "E000001", "--domain", "retail", "--json").json
    return str(first["notice_id"])


def test_a_run_is_dropped_followed_and_proven(cloud: LocalCloud, notice: str, tmp_path: Path) -> None:
    run = on_stack("run", "retail/stack", "--json").json
    assert (run["balanced"], run["complete"], run["outcomes"]["notified"]) == (True, True, 3)
    assert on_stack("notice", notice, "--json").json["run_id"] == "stack"
    assert on_stack("evidence", notice, "-o", tmp_path / "proof.html").code == 0
    assert "E000001" in (tmp_path / "proof.html").read_text("utf-8")
    assert len(cloud.messages) == 3


def test_changes_are_recorded_under_the_caller_s_arn(cloud: LocalCloud, notice: str) -> None:
    assert on_stack("contact", "E000001", "--domain", "retail", "--set", "language=fr").code == 0
    contact = on_stack("contact", "E000001", "--domain", "retail", "--json").json
    assert contact["language"] == "fr"
    assert contact["history"][-1]["who"] == cloud.client("sts").get_caller_identity()["Arn"]


@pytest.mark.parametrize("queue", ["DecideQueue", "EmailQueue"])
def test_dead_letters_are_found_by_the_stack_s_resources(cloud: LocalCloud, queue: str) -> None:
    letters = cloud.resource(queue.replace("Queue", "DeadLetters"))
    cloud.client("sqs").send_message(QueueUrl=letters, MessageBody='{"to": "someone@example.com"}')
    done = on_stack("redrive", queue, "--look")
    assert done.code == 0, done.err
    assert "someone@example.com" not in done.out


@pytest.mark.parametrize(
    "command",
    [
        "incidents --json",
        "journeys --json",
        "keys --json",
        "switch email --off --why tried",
        "switch email --on --why tried",
        "paper retail/stack --json",
        "tick release_due --json",
        "tick watch_runs",
    ],
)
def test_a_command_works(cloud: LocalCloud, notice: str, command: str) -> None:
    done = on_stack(*command.split())
    assert done.code == 0, done.err


def test_a_stack_that_nothing_watches_is_not_a_quiet_one(cloud: LocalCloud) -> None:
    """The embedded cloud evaluates alarms by itself, and its CloudWatch knows none."""
    done = on_stack("alarms", "--all")
    assert done.code == 1
    assert "nothing watches it" in done.err


def test_the_doctor_finds_what_is_still_an_example(cloud: LocalCloud) -> None:
    names = NameServer()
    try:
        done = on_stack("doctor", "--json", "--resolver", names.address)
    finally:
        names.stop()
    found = {row["check"]: row for row in done.json}
    assert done.code == 1
    problems = {check for check, row in found.items() if row["verdict"] == "problem"}
    assert "SenderEmail" in problems
    assert problems - set(cloud.parameters) == {"link host", "alarm topic", "DMARC", "SPF"}
    assert {found[f"secret {name}"]["verdict"] for name in ("Peppers", "LinkKeys", "EvidenceMaster")} == {
        "ok"
    }
    assert found["OpenText account"]["verdict"] == "ok"
    assert found["concurrency"]["verdict"] == "ok"
    # What only the provider knows is not guessed.
    assert found["DMARC alignment"]["verdict"] == "unknown"


def test_the_doctor_s_resolver_is_named_on_the_command_line(cloud: LocalCloud) -> None:
    done = on_stack("doctor", "--json", "--resolver", "127.0.0.1:9")
    dns = {row["check"]: row["verdict"] for row in done.json if row["check"] in ("SPF", "DMARC", "link host")}
    assert dns == dict.fromkeys(("SPF", "DMARC", "link host"), "unknown"), "nobody answers there"
    assert on_stack("doctor", "--resolver", "nowhere").code == 2


def test_a_stack_that_is_not_there_is_named(cloud: LocalCloud) -> None:
    done = exnotify("--stack", "nowhere", "incidents")
    assert (done.code, "there is no stack nowhere in us-east-1" in done.err) == (1, True)
