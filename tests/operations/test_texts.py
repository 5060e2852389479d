"""What people on call read names commands that run as written, and queries and targets that exist."""

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import botocore.session
import click
import pytest
from botocore import xform_name

from exnotify.cli import COMMANDS as NAMES
from exnotify.cli import exnotify as command_line
from exnotify.local import ROOT, LocalCloud
from exnotify.operations import watch
from exstream_notify.domain.passes import handle_of
from tests.cli.shell import Done, exnotify

from .texts import Command, CommandUnknown, Text, commands_in, texts

TEXTS = list(texts())
PLACES: Mapping[Command, set[str]] = defaultdict(set)
for _text in TEXTS:
    for _found in commands_in(_text):
        PLACES[_found].add(_text.place)

# Only read as the command line reads them: each has a test of its own.
NOT_RUN = {"up": "serves until it is stopped"}

# Exit codes beside 0, and when.
MAY_END: Mapping[str, tuple[int, str]] = {
    "exnotify alarms": (1, "an alarm is on"),
    "exnotify approvals": (1, "a version waits for approval"),
    "exnotify redrive": (1, "no letter lies there"),
    "exnotify doctor": (3, "what only AWS tells could not be checked"),
    "exnotify contact handle:ID --allow-change": (1, "no change waits"),
    "exnotify contact handle:ID --undo-change": (1, "no change waits"),
    "exnotify contact KEY --allow-change": (1, "no change waits"),
    "exnotify contact KEY --undo-change": (1, "no change waits"),
    "exnotify contact {customer} --domain {domain} --release": (1, "nothing is suppressed"),
}

# What an f-string fills in, by the parameter that it is for; anything else in braces is unknown.
FILLED_IN = {
    ("run", "name"): "RUN",
    ("incidents", "run_name"): "RUN",
    ("incidents", "team"): "TEAM",
    ("notice", "notice_id"): "NOTICE",
    ("redrive", "queue"): "QUEUE",
    ("contact", "customer_key"): "KEY",
    ("contact", "domain"): "DOMAIN",
    ("contact", "release"): "CHANNEL",
}


class Ground:
    """A cloud with runs, a notice, an incident and letters; what the words in capitals stand for."""

    def __init__(self, cloud: LocalCloud, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder
        self._runs = 0
        run = self.run("book")
        (self.notice,) = {str(m.notice_id) for m in cloud.messages}
        for name in watch.watched(watch.read((ROOT / "template.yaml").read_text("utf-8"))["Resources"])[
            "dead_letters"
        ]:
            letters = cloud.resource(name)
            cloud.client("sqs").send_message(QueueUrl=letters, MessageBody='{"to": "someone@example.com"}')
        shutil.copytree(run, folder / "fresh")
        (folder / "fresh" / "r.index.jsonl").write_text(self._row("fresh"), "utf-8")
        (folder / "known.csv").write_text("customer_key,email\nR3,r3@example.com\n", "utf-8")
        (folder / "mail.eml").write_text("Subject: x\n\nx\n", "utf-8")
        contact = cloud.deployment().app.contacts.get("retail", ["R1"])["R1"]
        self.words = {
            "RUN": "retail/book",
            "TEAM": "operations",
            "NOTICE": self.notice,
            "KEY": "R1",
            "DOMAIN": "retail",
            "CHANNEL": "email",
            "QUEUE": "EmailQueue",
            "DIR": str(folder / "fresh"),
            "FILE": str(folder / "known.csv"),
            "FILE.eml": str(folder / "mail.eml"),
            "PAGE": str(folder / "page.html"),
            "WHY": "looked at",
            "TEXT": "looked at",
            "handle:ID": f"handle:{handle_of(contact.salt)}",
        }

    def run(self, run_id: str) -> Path:
        """A run of one customer, at its end."""
        folder = self.folder / run_id
        folder.mkdir()
        (folder / "r.index.jsonl").write_text(self._row(run_id), "utf-8")
        assert exnotify("drop", folder, "--domain", "retail", "--run-id", run_id).code == 0
        return folder

    def _row(self, name: str) -> str:
        row = {"customer_key": "R1", "document_type": "statement", "email": "r1@example.com"}
        return json.dumps({**row, "document_id": f"{name}-1"}) + "\n"

    def held_run(self) -> str:
        """Another one, which is held."""
        self._runs += 1
        self.run(f"held-{self._runs}")
        assert exnotify("run", f"retail/held-{self._runs}", "--hold", "--why", "a test").code == 0
        return f"retail/held-{self._runs}"

    def arguments(self, command: Command) -> list[str]:
        """The command's words with real ones in place of those in capitals and in braces."""
        words = dict(self.words)
        if {"--release", "--cancel", "--hold"} & set(command.words) and command.words[0] == "run":
            words["RUN"] = self.held_run()
        if command.words[0] == "preview":
            words["FILE"] = words["PAGE"]
        for parameter, word in command.given:
            if word.startswith("{"):
                words[word] = words[FILLED_IN[command.words[0], parameter]]
        return [words.get(word, word) for word in command.words]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The one for all commands."""
    with LocalCloud(at="2026-11-24T15:00:00+00:00") as cloud, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXNOTIFY_URL", cloud.url)
        yield Ground(cloud, tmp_path_factory.mktemp("ground"))


def ends_well(command: Command, done: Done) -> bool:
    """Whether it did what it says, or ended as `MAY_END` allows."""
    allowed = {code for start, (code, _) in MAY_END.items() if str(command).startswith(start)}
    return done.code in {0, *allowed} and "Error" not in done.err and "someone@example.com" not in done.out


@pytest.mark.slow
@pytest.mark.parametrize("command", sorted(PLACES, key=str), ids=str)
def test_a_command_runs_as_written(command: Command, ground: Ground) -> None:
    arguments = ground.arguments(command)
    left = [word for word in arguments if re.fullmatch(r"[A-Z]{2,}(\.\w+)?|\{.*\}|\w+:[A-Z]+", word)]
    assert not left, f"{PLACES[command]}: nobody knows what stands for {left}"
    if command.words[0] in NOT_RUN:
        found = command_line.get_command(click.Context(command_line), command.words[0])
        assert found is not None
        found.make_context(command.words[0], arguments[1:])
        return
    done = exnotify(*arguments)
    assert ends_well(command, done), (PLACES[command], done.code, done.err, done.out)


# --- what is only named ----------------------------------------------------------------------------

QUERIES = re.compile(r"Log(?:s)? Insights query ['`\"](\w+)['`\"]|saved query ['`\"](\w+)['`\"]")
TARGETS = re.compile(r"[`:] ?make ([a-z][a-z-]*)|\bmake ([a-z]+-[a-z-]+|lint|build|drill|alarms)\b")
AWS = re.compile(r"(?<![\w.])aws ([a-z0-9-]+) ([a-z0-9]+-[a-z0-9-]+)")
MAKEFILE = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
SAVED = set(watch.data()["queries"])
_AWS = botocore.session.Session()


def unknown_names(text: Text) -> list[str]:
    """Queries, targets and AWS commands that a text names and that do not exist."""
    queries = [a or b for a, b in QUERIES.findall(text.words)]
    targets = [a or b for a, b in TARGETS.findall(text.words)]
    calls = [call for call in AWS.findall(text.words) if not _is_call(*call)]
    return [
        *(f"query {name}" for name in queries if name not in SAVED),
        *(f"make {name}" for name in targets if name not in MAKEFILE),
        *(f"aws {service} {name}" for service, name in calls),
    ]


def _is_call(service: str, name: str) -> bool:
    if service not in _AWS.get_available_services():
        return False
    operations = _AWS.get_service_model(service).operation_names
    return name in {xform_name(operation, "-") for operation in operations}


def test_queries_targets_and_aws_commands_exist() -> None:
    assert {text.place: names for text in TEXTS if (names := unknown_names(text))} == {}


def test_each_kind_is_found_where_it_is_known_to_be() -> None:
    """Or the patterns match nothing, and the test above says nothing."""
    words = " ".join(text.words for text in TEXTS)
    assert len(QUERIES.findall(words)) >= 4
    assert len(TARGETS.findall(words)) >= 4
    assert len(AWS.findall(words)) >= 8
    assert len(PLACES) >= 50
    assert {place.split(" ")[0].split(":")[0] for places in PLACES.values() for place in places} >= {
        "alarm",
        "alerts.yaml",
        "docs/runbook.md",
        "tools/exnotify/smoke.py",
        "layers/core/exstream_notify/domain/incidents.py",
    }


@pytest.mark.parametrize(
    ("words", "commands"),
    [
        ("exnotify incidents names the run.", ["exnotify incidents"]),
        ("exnotify incidents, exnotify run RUN; then it goes", ["exnotify incidents", "exnotify run RUN"]),
        (
            "look: exnotify run RUN; then --release or --cancel",
            ["exnotify run RUN", "exnotify run RUN --release", "exnotify run RUN --cancel"],
        ),
        ("exnotify run RUN --csv names the records", ["exnotify run RUN --csv"]),
        ('exnotify run RUN --hold --why "bad words" first', ['exnotify run RUN --hold --why "bad words"']),
        ("exnotify notice NOTICE --unlock WHY", ["exnotify notice NOTICE --unlock WHY"]),
        ("`exnotify redrive {queue} --look`, the log", ["exnotify redrive {queue} --look"]),
        ("exnotify incidents ack ID, or it escalates", ["exnotify incidents ack ID"]),
        (
            "exnotify contact handle:ID --undo-change CHANNEL --why TEXT",
            ["exnotify contact handle:ID --undo-change CHANNEL --why TEXT"],
        ),
        ("exnotify doctor checks SPF and --resolver is not said", ["exnotify doctor"]),
        ("nothing answers: exnotify up, or use --stack NAME", ["exnotify up"]),
        ("the tables of exnotify are restored", []),
    ],
)
def test_a_command_in_running_text_ends_where_its_arguments_end(words: str, commands: list[str]) -> None:
    assert [str(command) for command in commands_in(Text("here", words))][: len(commands)] == commands


@pytest.mark.parametrize(
    "words",
    [
        "`exnotify incident`",
        "exnotify run RUN --relase",
        "look at `exnotify runs RUN`",
        "exnotify run RUN, then --purge",
    ],
)
def test_a_command_or_an_option_that_does_not_exist_is_found(words: str) -> None:
    with pytest.raises(CommandUnknown):
        commands_in(Text("here", words))


def test_a_name_that_does_not_exist_is_found() -> None:
    words = "Log Insights query 'slow', `make alarm`, or aws lambda remove-function"
    assert unknown_names(Text("here", words)) == ["query slow", "make alarm", "aws lambda remove-function"]


def test_every_command_has_its_name() -> None:
    assert all(command.words[0] in NAMES for command in PLACES)
