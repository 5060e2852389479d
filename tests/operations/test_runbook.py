"""The runbook: a section per alarm, and every `exnotify` command in it runs as written."""

import json
import re
import shlex
from collections.abc import Iterator

import pytest

from exnotify.local import ROOT, LocalCloud
from exnotify.operations import watch
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
MAY_END_WITH_1 = ("exnotify redrive", "exnotify alarms")


@pytest.mark.parametrize(("name", "anchor"), [(n, row["runbook"]) for n, row in watch.descriptions()])
def test_every_alarm_has_its_section(name: str, anchor: str) -> None:
    body = SECTIONS[anchor]
    assert re.search(rf"`…?{name}`", body.splitlines()[1])
    assert all(word in body for word in ("**Symptom.**", "**Check.**", "**Cure.**"))


def test_no_section_is_left_over() -> None:
    assert set(SECTIONS) == {row["runbook"] for _, row in watch.descriptions()} | {"paging"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A running cloud with one run of two notices; what stands for RUN, NOTICE and DIR."""
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
        yield {"RUN": "retail/book", "NOTICE": str(notice), "DIR": str(sealed)}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs_as_written(command: str, site: dict[str, str]) -> None:
    words = [site.get(word, word) for word in shlex.split(command)[1:]]
    done = exnotify(*words)
    assert done.code in ((0, 1) if command.startswith(MAY_END_WITH_1) else (0,)), (done.err, done.out)
    assert "someone@example.com" not in done.out
    assert "Error" not in done.err, done.err
