"""A stack that requires approved wording: nothing goes out unapproved, all of it once somebody answers for it."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exnotify.dropping import prepare, upload
from exnotify.local import LocalCloud
from exnotify.simulators import SimulatedMessage
from tests.cli.shell import exnotify

from .conftest import MakeRun, record

pytestmark = pytest.mark.slow

SIXTEEN_MINUTES = 4.0  # seconds, on a clock that has a day in six minutes


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "wording").mkdir(parents=True)
    return folder


@pytest.fixture
def strict(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    """The project's stack with the site's own folder, as `exnotify up --site` starts it."""
    parameters = {"RequireApprovedWording": "true", "CompanyName": "Northwind Bank"}
    with LocalCloud(at="2026-11-24T15:00:00+00:00", day=360, parameters=parameters, site=site) as running:
        monkeypatch.setenv("EXNOTIFY_URL", running.url)
        yield running


def told() -> dict[str, Counter[str]]:
    done = exnotify("run", "retail/letters", "--json")
    if not done.out:  # it has only just been dropped
        return {"outcomes": Counter(), "deferred": Counter()}
    run = done.json
    return {"outcomes": Counter(run["outcomes"]), "deferred": Counter(run["reasons"].get("deferred", {}))}


def planned(folder: Path, site: Path) -> tuple[dict[str, int], dict[str, int]]:
    """What `plan` says would become of a run, and why of what would wait."""
    plan = exnotify("plan", folder, "--domain", "retail", "--site", site, "--json").json
    return {k: n for k, n in plan["outcomes"].items() if n}, plan["reasons"].get("deferred", {})


def customers(cloud: LocalCloud) -> list[SimulatedMessage]:
    """What customers got; that teams are alerted is another matter."""
    return [message for message in cloud.messages if message.to.startswith("e0")]


def test_nothing_goes_out_in_words_that_nobody_approved(
    strict: LocalCloud, site: Path, make_run: MakeRun
) -> None:
    folder = make_run("letters", [record(n, language="en", mobile=None) for n in (1, 2, 3)])
    assert planned(folder, site) == ({"deferred": 3}, {"wording_not_approved": 3})
    upload(strict.deployment(), prepare(folder, domain="retail", run_id="letters", sealed=True))
    deadline = time.monotonic() + 60
    while told()["deferred"] != Counter(wording_not_approved=3):
        assert time.monotonic() < deadline, told()
        time.sleep(0.3)
    assert not customers(strict)
    assert strict.idle(30)
    assert "wording_not_approved" in {row["code"] for row in exnotify("incidents", "--json").json}

    done = exnotify(
        "approvals", "--site", site, "--language", "en", "--approve-all", "--who", "Legal, J. Doe"
    )
    assert done.code == 0, done.err
    later = make_run("later", [record(n, language="en", mobile=None) for n in (4, 5)])
    assert planned(later, site) == ({"notified": 2}, {})
    # The next deployment brings the file: functions start anew.
    for pid in strict.worker_pids("SendNoticesFunction"):
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 60 + SIXTEEN_MINUTES
    while told()["outcomes"]["notified"] != 3:
        assert time.monotonic() < deadline, told()
        time.sleep(0.3)
    assert len(customers(strict)) == 3
    assert "compliance@example.com" in {m.to for m in strict.messages}, "the team whose matter it is was told"

    assert strict.idle(30), "receipts are in the ledger a moment before their evidence is"
    notice = customers(strict)[0].notice_id
    proof = exnotify("evidence", notice, "-o", "-")
    assert proof.code == 0, proof.err
    [shown] = _found(proof.json, "wording_approval")
    [version] = _found(proof.json, "wording_version")
    assert shown["who"] == "Legal, J. Doe"
    assert shown["version"] == version


def test_an_answer_that_nobody_approved_is_not_sent_and_the_reply_counts(
    strict: LocalCloud, site: Path, make_run: MakeRun
) -> None:
    folder = make_run("known", [record(9)])
    upload(strict.deployment(), prepare(folder, domain="retail", run_id="known", sealed=True))
    app, key = strict.deployment().app, record(9)["customer_key"]

    def happens(look: Callable[[], object]) -> None:
        # The statement is looked at again every few seconds, so nothing here ever rests.
        deadline = time.monotonic() + 60
        while not look():
            assert time.monotonic() < deadline
            time.sleep(0.3)

    happens(lambda: app.contacts.get("retail", [key]))
    assert exnotify("reply", record(9)["mobile"], "STOP").code == 0
    happens(lambda: app.contacts.get("retail", [key])[key].opted_out("sms", "statements"))
    happens(lambda: [i for i in app.incidents.of_run("retail", "notes") if "wording_not_approved" in i.codes])
    assert not [m for m in strict.messages if m.channel == "sms"]


def _found(value: object, name: str) -> list[dict[str, str]]:
    """Every value of that name, however deep the proof has it."""
    if isinstance(value, dict):
        own = [value[name]] if name in value else []
        return own + [found for inner in value.values() for found in _found(inner, name)]
    return [found for inner in value for found in _found(inner, name)] if isinstance(value, list) else []
