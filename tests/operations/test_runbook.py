"""The runbook: every alarm and every alert leads to a section of it, and its commands run as written."""

import json
import re
import shlex
from collections.abc import Iterator

import pytest
import yaml

from exnotify.local import ROOT, LocalCloud
from exnotify.operations import watch
from exstream_notify.adapters.rules import PACKAGE_RULES, YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised
from tests.cli.shell import exnotify

BOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
SECTIONS: dict[str, str] = dict(re.findall(r"^## ([\w-]+)\n(.*?)(?=^## |\Z)", BOOK, re.M | re.S))
COMMANDS = sorted(
    {
        line.partition("#")[0].strip()
        for block in re.findall(r"```sh\n(.*?)```", BOOK, re.S)
        for line in block.splitlines()
        if line.startswith("exnotify ")
    }
)
# Commands that need a letter, or end with 1 where there is something to see.
MAY_END_WITH_1 = ("exnotify redrive", "exnotify alarms", "exnotify approvals")

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
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A running cloud with one run of two notices, and what the words in capitals stand for."""
    folder = tmp_path_factory.mktemp("run")
    rows = [
        {"customer_key": f"R{n}", "document_type": "statement", "email": f"r{n}@example.com"} for n in (1, 2)
    ]
    (folder / "r.index.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with LocalCloud(at="2026-11-24T15:00:00+00:00") as cloud, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXNOTIFY_URL", cloud.url)
        assert exnotify("drop", folder, "--domain", "retail", "--run-id", "book").code == 0
        notice = next(iter(cloud.messages)).notice_id
        sealed = tmp_path_factory.mktemp("seal")
        (sealed / "r.index.jsonl").write_text(json.dumps(rows[0]) + "\n", "utf-8")
        for queue in ("DecideQueue", "EmailQueue", "RunQueue", "DocumentQueue"):
            letters = cloud.resource(queue.replace("Queue", "DeadLetters"))
            cloud.client("sqs").send_message(QueueUrl=letters, MessageBody='{"to": "someone@example.com"}')
        (sealed / "known.csv").write_text("customer_key,email\nR3,r3@example.com\n", "utf-8")
        yield {
            "RUN": "retail/book",
            "NOTICE": str(notice),
            "KEY": "R1",
            "DIR": str(sealed),
            "FILE": str(sealed / "known.csv"),
            "PAGE": str(sealed / "page.html"),
        }


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs_as_written(command: str, site: dict[str, str]) -> None:
    words = [site.get(word, word) for word in shlex.split(command)[1:]]
    done = exnotify(*words)
    assert done.code in ((0, 1) if command.startswith(MAY_END_WITH_1) else (0,)), (done.err, done.out)
    assert "someone@example.com" not in done.out
    assert "Error" not in done.err, done.err
