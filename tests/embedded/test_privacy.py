"""What a dropper says of customers, and calls files, runs, queues and rules, leaves the run's folder masked."""

import json
import re
import shlex
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from exnotify.commands.incidents import incident_row
from exnotify.local import LocalCloud
from exstream_notify.adapters.alert_channels import topic_subject
from tests.cli.shell import exnotify

from .conftest import MakeRun, drop, record

pytestmark = pytest.mark.slow

RUN = "zweig-tomas-4400012345"
PEOPLE = [f"{first}{last}" for first in ("Mü", "O'Ne", "Gar", "Wójc") for last in ("il", "cía", "ner", "ik")]
LINES = [
    "EX005301E (1) Kunde zweig, tomas nicht gefunden",
    "EX005302E (2) customer o'quince, born 13AUG61, 12 main street tarrytown not found",
    "EX005303E (3) claimant Quince, diagnosis Diabetes",
    "EX005304E (4) /data/in/quince_tomas.xml not found",
    "EX005305E (5) Value [quince] of FirstName tomas is invalid",
    "EX005306E (6) tomas.quince(at)example.com is invalid",
    "EX005307S (7) stopped at Zweig, Tomas",
    *[f"EX005308E ({n}) {name} nicht gefunden, born 1961-08-{n:02d}" for n, name in enumerate(PEOPLE, 1)],
]
ROWS = (
    "seq,rule,queue,text\n1,Zweig Tomas,Hold_Zweig,Zweig has diabetes\n2,Zweig Tomas,Hold_Zweig,Zweig moved\n"
)
PERSONAL = re.compile(
    r"zweig|tomas|quince|tarrytown|main street|diabetes|13aug61|1961-08|4400012345|"
    + "|".join(map(re.escape, PEOPLE)),
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def cloud(logs: Path) -> Iterator[LocalCloud]:
    with LocalCloud(at="2026-11-24T20:00:00+00:00", data=logs) as running:
        yield running


def test_nothing_personal_leaves_on_any_way(
    cloud: LocalCloud, logs: Path, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run("billing", [record(n) for n in range(1, 21)])
    (folder / "zweig_tomas.dat").write_text("\n".join(LINES), "utf-8")
    (folder / "quince.exceptions.csv").write_text(ROWS, "utf-8")
    (folder / "zweig.index.txt").write_text("{}", "utf-8")
    drop(cloud, folder, RUN)
    cloud.deployment().settle(60)

    rows = [incident_row(i) for i in cloud.deployment().app.incidents.all()]
    assert {"EX005301E", "EX005308E", "EX005307S", "index_unrecognised"} <= {
        c for r in rows for c in r["codes"]
    }
    told = [{k: v for k, v in row.items() if k != "run_id"} for row in rows]
    link = cloud.catcher.alerts[0]["link"]
    with urllib.request.urlopen(link, timeout=30) as page:  # noqa: S310
        shown = page.read().decode()
    monkeypatch.setenv("EXNOTIFY_URL", cloud.url)
    ways = {
        "chat": json.dumps(cloud.catcher.alerts, ensure_ascii=False),
        "mail": "\n".join(
            f"{m.subject}\n{m.text}\n{m.html}" for m in cloud.messages if m.to.startswith("operations")
        ),
        "page": shown,
        "subjects": "\n".join(topic_subject(alert["title"]) for alert in cloud.catcher.alerts),
        "incidents": json.dumps(told, ensure_ascii=False),
        "screen": exnotify("incidents").out,
        "logs": "\n".join(path.read_text("utf-8") for path in logs.rglob("*.log")),
    }
    for way, text in ways.items():
        assert text, way
        assert not PERSONAL.findall(text), way
    assert "nicht gefunden" in ways["chat"]


def test_a_masked_name_finds_its_run_and_its_incidents(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXNOTIFY_URL", cloud.url)
    name = cloud.catcher.alerts[0]["facts"]["Run"]
    assert re.fullmatch(r"retail/…#[0-9a-f]{8}", name)

    assert exnotify("run", name, "--json").json["run_id"] == RUN
    assert exnotify("run", "#" + name.partition("#")[2], "--json").json["run_id"] == RUN
    found = exnotify("incidents", "--run", name, "--json").json
    assert {row["run_id"] for row in found} == {RUN}
    assert "zweig_tomas.dat" in found[0]["files"].values()
    assert {exnotify("incidents", "--team", row["team"], "--open", "--json").code for row in found} == {0}
    assert exnotify("incidents", "--team", "nobody", "--json").json == []
    assert exnotify("incidents", "--run", "retail/…#00000000", "--json").json == []


def test_the_commands_of_an_alert_work_as_they_are_pasted(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXNOTIFY_URL", cloud.url)
    texts = [text for alert in cloud.catcher.alerts for text in alert["facts"].values()]
    pasted = {
        found for text in texts for found in re.findall(r"exnotify (?:run|incidents --run) '[^']*'", text)
    }
    assert pasted
    for command in pasted:
        assert exnotify(*shlex.split(command)[1:], "--json").json, command
