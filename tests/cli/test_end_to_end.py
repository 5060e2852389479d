"""`exnotify up` in one process, all other commands against it."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exnotify.deployment import connect
from exnotify.samples import AT, SAMPLES, SampleRun, write_samples
from exnotify.seal import SEAL_NAME, main, seal_folder, write_seal
from exstream_notify.domain.passes import handle_of
from tests.processes import start, stop

from .shell import Done, exnotify

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
OUTCOMES = [
    "notified", "suppressed", "deferred", "paper", "duplicate", "rejected", "failed", "unconfirmed",
    "in_flight",
]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `up` keeps."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module", autouse=True)
def code_on_the_path() -> Iterator[None]:
    """Processes that are started here find the tree as this one does, and no terminal's width."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COLUMNS", raising=False)
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (ROOT / "layers" / "core", ROOT / "tools"))))
        yield


@pytest.fixture(scope="module")
def cloud(data: Path, code_on_the_path: None) -> Iterator[str]:
    """`exnotify up`, stopped by SIGTERM at the end, as a supervisor would."""
    said = data / "up.txt"
    command = [sys.executable, "-m", "exnotify", "up", "--port", "0", "--at", AT, "--data", str(data)]
    with said.open("wb") as log:
        process = start(command, log)
        try:
            yield ready_at(said, process)
        finally:
            stop(process)
    assert process.returncode == 0, said.read_text("utf-8")


def ready_at(said: Path, process: "subprocess.Popen[bytes]") -> str:
    """The address that the line `ready URL` names, once it is there."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        ready = [line for line in said.read_text("utf-8").splitlines() if line.startswith("ready ")]
        if ready:
            return ready[0].removeprefix("ready ")
        time.sleep(0.1)
    pytest.fail(f"exnotify up is not ready: {said.read_text('utf-8')}")


@pytest.fixture(autouse=True)
def at_the_cloud(cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXNOTIFY_URL", cloud)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {path.name: path for path in write_samples(tmp_path_factory.mktemp("samples"))}


@pytest.fixture(scope="module")
def dropped(cloud: str, samples: dict[str, Path]) -> dict[str, tuple[Done, Done]]:
    """Every sample run, planned and then dropped."""
    os.environ["EXNOTIFY_URL"] = cloud
    try:
        return {
            name: (exnotify("plan", path, "--json"), exnotify("drop", path, "--json"))
            for name, path in samples.items()
        }
    finally:
        del os.environ["EXNOTIFY_URL"]


def write_index(folder: Path, *rows: str) -> Path:
    folder.mkdir(exist_ok=True)
    head = "customer_key,document_id,document_type,email,mobile,language,time_zone"
    (folder / "a.index.csv").write_text("\n".join([head, *rows, ""]))
    return folder


def row(number: int, prefix: str = "X", **special: str) -> str:
    key = f"{prefix}{number:04d}"
    fields = {
        "customer_key": key, "document_id": f"D-{key}", "type": "statement",
        "email": f"{key.lower()}@example.com", "mobile": "+12025550142", "language": "en",
        "zone": "America/New_York", **special,
    }  # fmt: skip
    return ",".join(fields.values())


def outbox() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = exnotify("outbox", "--json").json
    return rows


# --- the main job --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.run_id)
def test_a_sample_run_ends_as_it_must(dropped: dict[str, tuple[Done, Done]], sample: SampleRun) -> None:
    _, done = dropped[sample.run_id]
    told = done.json
    assert {name: n for name, n in told["outcomes"].items() if n} == sample.outcomes
    assert list(told["outcomes"]) == OUTCOMES
    assert (told["balanced"], told["complete"]) == (True, sample.complete)
    assert {row["what"] for row in told["needs_look"]} == sample.needs_look
    assert told["clean"] is not bool(sample.needs_look)
    assert done.code == (3 if sample.needs_look else 0)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.run_id)
def test_a_plan_says_what_then_happens(dropped: dict[str, tuple[Done, Done]], sample: SampleRun) -> None:
    planned, done = (one.json for one in dropped[sample.run_id])
    # What a provider will answer nobody can plan: a send in doubt is planned as one that arrives.
    happened = dict(done["outcomes"])
    happened["notified"] += happened["unconfirmed"]
    happened["unconfirmed"] = 0
    assert planned["outcomes"] == happened
    reasons = {name: why for name, why in done["reasons"].items() if name != "unconfirmed"}
    assert planned["reasons"] == reasons
    for name in ("run_id", "domain", "sealed", "expected", "composed", "balanced", "complete"):
        assert planned[name] == done[name]
    assert [r["position"] for r in planned["records"]] == list(range(1, len(sample.records) + 1))


def test_each_planned_record_says_why(dropped: dict[str, tuple[Done, Done]]) -> None:
    rows = dropped["uc1-statements"][0].json["records"]
    assert rows[0]["channels"] == ["email"]
    assert rows[4]["channels"] == ["sms"]
    assert (rows[5]["outcome"], rows[5]["reason"]) == ("deferred", "quiet_hours")
    assert rows[5]["until"] == "2026-11-20T16:00:00+00:00"  # eight o'clock in Los Angeles
    assert rows[7]["detail"] == "email: no address, sms: no address"
    assert "told by retail/uc1-statements, record 1" in rows[9]["detail"]
    rejected = dropped["uc6-renewals"][0].json["records"][0]
    assert (rejected["reason"], rejected["detail"]) == (
        "customer_key: missing", "record 1 of renewals.index.csv.gz",
    )  # fmt: skip


def test_one_message_a_customer_and_document(dropped: dict[str, tuple[Done, Done]]) -> None:
    rows = [r for r in outbox() if r["audience"] == "customer" and r["document_id"].startswith("D0")]
    told = [(r["customer_key"], r["document_id"]) for r in rows]
    assert len(told) == len(set(told))
    expected = sum(s.outcomes["notified"] + s.outcomes.get("unconfirmed", 0) for s in SAMPLES)
    assert len(told) == expected
    assert set(rows[0]) == {
        "channel", "to", "from", "subject", "text", "html", "headers", "provider", "notice_id",
        "document_id", "customer_key", "recipient", "audience", "purpose", "attempt", "sent_at",
    }  # fmt: skip
    assert [r["sent_at"] for r in rows] == sorted(r["sent_at"] for r in rows)


def test_internal_teams_are_told_of_policies(dropped: dict[str, tuple[Done, Done]]) -> None:
    planned = dropped["uc2-policies"][0].json["team_copies"]
    deadline = time.monotonic() + 240  # a digest follows when the run's outcomes are known, minutes later
    while (found := _team_copies()) != planned and time.monotonic() < deadline:
        time.sleep(2)
    assert planned
    assert planned == found


def _team_copies() -> dict[str, int]:
    found: dict[str, int] = {}
    for r in outbox():
        audience = r["audience"] or ""  # alerts are of no notice, and have none
        if audience.startswith("team:") and "UC2" not in audience:
            team = audience.removeprefix("team:")
            found[team] = found.get(team, 0) + 1
    return found


def test_up_keeps_messages_and_logs(dropped: dict[str, tuple[Done, Done]], data: Path) -> None:
    kept = sorted(path.suffix for path in (data / "messages").iterdir())
    assert len(kept) == len(outbox())
    assert set(kept) == {".eml", ".txt"}
    assert any((data / "logs").iterdir())


# --- never twice ---------------------------------------------------------------------------------------


def test_the_same_content_under_another_run_id_tells_nobody_again(
    dropped: dict[str, tuple[Done, Done]], samples: dict[str, Path]
) -> None:
    before = len(outbox())
    changed = exnotify(
        "contact", "C0200001", "--set", "email=moved@example.com", "--set", "channel_order=sms,email"
    )
    assert changed.code == 0
    planned = exnotify("plan", samples["uc2-policies"], "--run-id", "uc2-again", "--json").json
    done = exnotify("drop", samples["uc2-policies"], "--run-id", "uc2-again", "--json").json
    assert done["outcomes"] == planned["outcomes"]
    # The one that went to paper is told by paper still: the ledger holds it.
    assert done["outcomes"]["duplicate"] == 7
    customers = [r for r in outbox()[before:] if r["audience"] == "customer"]
    assert customers == []


def test_the_same_run_again_is_the_same_run(
    dropped: dict[str, tuple[Done, Done]], samples: dict[str, Path]
) -> None:
    before = len(outbox())
    again = exnotify("drop", samples["uc4-cases"], "--json")
    assert (again.code, again.json["outcomes"]) == (3, dropped["uc4-cases"][1].json["outcomes"])
    assert len(outbox()) == before
    planned = exnotify("plan", samples["uc4-cases"], "--json")
    assert (planned.code, planned.json["outcomes"]) == (3, again.json["outcomes"])


def test_a_used_run_id_with_other_content_is_refused_and_leaves_an_incident(tmp_path: Path) -> None:
    folder = write_index(tmp_path / "reused", row(1, "R"))
    assert exnotify("drop", folder).code == 0
    write_index(folder, row(1, "R"), row(2, "R"))
    planned = exnotify("plan", folder)
    assert planned.code == 1
    assert "used before with other content" in planned.err
    done = exnotify("drop", folder, "--json")
    assert done.code == 1
    assert "used before with other content" in done.err
    (incident,) = exnotify("incidents", "--run", "reused", "--json").json
    assert incident["code"] == "run_id_reused"
    assert exnotify("run", "reused", "--json").json["outcomes"]["notified"] == 1


# --- runs that do not just go on -------------------------------------------------------------------------


def test_a_run_that_disagrees_with_its_seal_is_refused_until_the_seal_is_corrected(tmp_path: Path) -> None:
    folder = write_index(tmp_path / "wrong", row(1, "W"), row(2, "W"))
    seal, _ = seal_folder(folder, domain="default", run_id="wrong")
    seal["documents"] = 3
    write_seal(folder, seal)
    assert exnotify("plan", folder).code == 1
    done = exnotify("drop", folder, "--json")
    assert (done.code, done.json["state"], done.json["outcomes"]["notified"]) == (1, "refused", 0)
    assert "documents: stated 3, found 2" in done.err
    assert exnotify("run", "wrong", "--json").json["incidents"] == done.json["incidents"] != []

    assert main([str(folder)]) == 0
    corrected = exnotify("drop", folder, "--json")
    assert (corrected.code, corrected.json["outcomes"]["notified"]) == (0, 2)


BROKEN = [
    ("_STDDELIVERYFILE.xml", b"", "empty"),
    ("_STDDELIVERYFILE.xml", b'<outputList customersProcessed="1"><customer>', "cut off"),
    ("run.zip", b"PK\x03\x04", "an archive is no index form"),
    ("a.index.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type declaration"),
    ("documents.csv", b"customer_key\n1\n", "none of the listed files is an index"),
    (SEAL_NAME, b"{", "not JSON"),
]


@pytest.mark.parametrize(("name", "content", "reason"), BROKEN, ids=[f"{n}-{r}" for n, _, r in BROKEN])
def test_what_cannot_be_used_is_refused_with_its_reason_and_a_trace(
    tmp_path: Path, name: str, content: bytes, reason: str, request: pytest.FixtureRequest
) -> None:
    run_id = f"broken-{BROKEN.index((name, content, reason))}"
    folder = tmp_path / run_id
    folder.mkdir()
    (folder / name).write_bytes(content)
    if name == SEAL_NAME:
        (folder / "a.index.csv").write_text("customer_key\n1\n")
    done = exnotify("drop", folder, "--json")
    assert done.code == 1
    assert reason in done.err
    assert done.json["state"] == "refused"
    assert reason in exnotify("run", run_id, "--json").json["why"]
    assert len(exnotify("incidents", "--run", f"default/{run_id}", "--json").json) == 1


def test_a_run_whose_file_is_missing_waits_is_held_and_released(tmp_path: Path) -> None:
    folder = write_index(tmp_path / "late", row(1, "L"))
    (folder / "b.index.csv").write_text((folder / "a.index.csv").read_text().replace("L0001", "L0002"))
    assert main([str(folder)]) == 0
    late = (folder / "b.index.csv").rename(tmp_path / "b.index.csv")

    waiting = exnotify("drop", folder)
    assert waiting.code == 1
    assert "waiting for 1 of 2 files: b.index.csv; it goes on by itself" in waiting.err

    held = exnotify("run", "late", "--hold", "--why", "not yet", "--json")
    assert (held.code, held.json["control"]) == (0, "hold")
    assert held.json["history"][-1]["why"] == "not yet"
    late.rename(folder / "b.index.csv")
    stopped = exnotify("drop", folder, "--json")
    assert (stopped.code, stopped.json["state"], stopped.json["control"]) == (1, "staged", "hold")
    assert "exnotify run default/late --release" in stopped.err
    planned = exnotify("plan", folder, "--json")
    assert (planned.code, planned.json["outcomes"]["notified"]) == (1, 2)

    assert exnotify("run", "default/late", "--release").code == 0
    assert exnotify("drop", folder, "--json").json["outcomes"]["notified"] == 2


def test_a_cancelled_run_tells_nobody_and_stays_cancelled(tmp_path: Path) -> None:
    folder = write_index(tmp_path / "stopped", row(1, "S"))
    assert main([str(folder)]) == 0
    index = (folder / "a.index.csv").rename(tmp_path / "a.index.csv")
    (folder / "notes.txt").write_text("x")
    assert exnotify("drop", folder).code == 1  # waits for its index
    assert exnotify("run", "stopped", "--cancel").code == 0
    index.rename(folder / "a.index.csv")
    done = exnotify("drop", folder)
    assert done.code == 1
    assert "cancelled, which is final" in done.err
    refused = exnotify("run", "stopped", "--release")
    assert refused.code == 1
    assert "was cancelled" in refused.err
    assert not [r for r in outbox() if r["customer_key"] == "S0001"]


def test_a_native_manifest_alone_counts_after_the_quiet_period(samples: dict[str, Path]) -> None:
    folder = samples["uc1-statements"]
    planned = exnotify("plan", folder, "--no-seal", "--run-id", "unsealed", "--json")
    done = exnotify("drop", folder, "--no-seal", "--run-id", "unsealed", "--json")
    # Nobody is notified: the sealed drop of the same documents was first.
    assert (planned.code, done.code) == (3, 3)
    assert done.json["sealed"] is planned.json["sealed"] is False
    assert done.json["outcomes"] == planned.json["outcomes"]


def test_without_a_seal_an_index_of_the_site_starts_nothing(tmp_path: Path) -> None:
    folder = write_index(tmp_path / "nothing", row(1, "N"))
    assert exnotify("plan", folder, "--no-seal").code == 1
    done = exnotify("drop", folder, "--no-seal")
    assert (done.code, done.out) == (1, "")
    assert "leave --no-seal out" in done.err


# --- single documents, records, changes -------------------------------------------------------------------


def event(**detail: str) -> dict[str, Any]:
    return {
        "source": "exstream",
        "detail-type": "Document Composed",
        "detail": {"domain": "retail", **detail},
    }


def test_an_event_becomes_a_run_of_one(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(
        json.dumps(
            event(customer_key="E1", document_id="D-E1", document_type="statement", email="e1@example.com")
        )
    )
    told = exnotify("event", file, "--json").json
    assert told["run"] == f"retail/event-{told['event_id']}"
    followed = exnotify("event", file, "--follow", "--json")
    assert followed.json["composed"] == 1
    assert followed.code == (0 if followed.json["outcomes"]["notified"] else 3)
    outcomes = [followed.json["outcomes"], exnotify("run", told["run"], "--json").json["outcomes"]]
    assert sorted(o["notified"] for o in outcomes) == [0, 1]
    assert sorted(o["duplicate"] for o in outcomes) == [0, 1]


def test_an_event_that_is_rejected_says_why(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event(document_type="statement")))
    done = exnotify("event", file, "--follow")
    assert done.code == 3
    assert "1 of 1 rejected: customer_key missing" in done.out


def test_a_document_event_without_a_domain_is_not_done(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    nowhere = event(customer_key="E2", document_id="D-E2", document_type="statement", email="e2@example.com")
    del nowhere["detail"]["domain"]
    file.write_text(json.dumps([nowhere, event(document_type="statement")]))
    done = exnotify("event", file, "--follow")
    assert done.code == 1
    assert "names no domain: it is refused, and nobody is notified" in done.err
    paid = {"source": "billing", "detail-type": "Payment Received", "detail": {"customer_key": "E2"}}
    file.write_text(json.dumps(paid))
    assert exnotify("event", file, "--follow").code == 0


@pytest.mark.parametrize(
    ("kind", "source", "parameter"),
    [
        ("Payment Received", "crm", "ResponseSources"),
        ("Customer Responded", "Portal", "ResponseSources"),
        ("Preferences Changed", "billing", "PreferenceSources"),
    ],
)
def test_an_event_from_a_source_that_no_rule_names_is_refused(
    kind: str, source: str, parameter: str, tmp_path: Path
) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps({"source": source, "detail-type": kind, "detail": {"domain": "retail"}}))
    done = exnotify("event", file)
    assert done.code == 1
    assert parameter in done.err


def test_a_run_record_by_record(dropped: dict[str, tuple[Done, Done]]) -> None:
    done = exnotify("run", "uc6-renewals", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert list(rows[0])[:7] == [
        "position", "customer_key", "document_id", "document_type", "outcome", "reason", "notice_id",
    ]  # fmt: skip
    assert {r["status"] for r in rows} <= {"sent", "delivered", ""}
    assert [r["position"] for r in rows] == ["2", "3", "4", "5", "6", "1"]
    assert [r["outcome"] for r in rows] == ["notified"] * 5 + ["rejected"]
    assert rows[-1]["reason"] == "customer_key: missing"
    assert (done.code, done.err) == (3, "6 records: 5 notified, 1 rejected\n")
    assert exnotify("notice", rows[0]["notice_id"], "--json").json["document_id"] == rows[0]["document_id"]


def test_a_notice_its_proof_and_its_customer(dropped: dict[str, tuple[Done, Done]], tmp_path: Path) -> None:
    message = next(r for r in outbox() if r["document_id"] == "D0300005-OVE")
    notice = exnotify("notice", message["notice_id"], "--json").json
    assert notice["status"] in ("sent", "delivered")  # the receipt comes some seconds later
    assert (notice["channel"], notice["run_id"]) == ("sms", "uc3-collections")
    assert [(a["channel"], a["status"]) for a in notice["attempts"]] == [
        ("email", "failed"),
        ("sms", notice["status"]),
    ]

    proof = tmp_path / "proof.json"
    done = exnotify("evidence", message["notice_id"], "-o", proof)
    assert done.code == 0
    assert "the proof holds: 2 attempt(s)" in done.err
    lines = [a["evidence"] for a in json.loads(proof.read_text())["attempts"]]
    assert lines[1]["text"] == message["text"]
    assert lines[1]["to"] == message["to"]
    printed = tmp_path / "proof.html"
    assert exnotify("evidence", message["notice_id"], "-o", printed).code == 0
    assert "The proof holds." in printed.read_text("utf-8")

    listed = exnotify("notices", "--customer", notice["customer_key"], "--json").json
    assert [n["notice_id"] for n in listed] == [message["notice_id"]]
    for arguments in (("notice", "0" * 32), ("notices", "--customer", "nobody"), ("contact", "nobody")):
        missing = exnotify(*arguments)
        assert (missing.code, missing.out) == (1, "")
        assert missing.err.startswith("exnotify: ")


def test_a_team_s_copy_has_its_proof_too(dropped: dict[str, tuple[Done, Done]]) -> None:
    message = next(r for r in outbox() if r["audience"] == "team:compliance")
    assert exnotify("evidence", message["notice_id"], "-o", "-").json["holds"] is True


def test_forged_evidence_does_not_hold(dropped: dict[str, tuple[Done, Done]]) -> None:
    message = next(r for r in outbox() if r["document_id"] == "D0100001-STA")
    target = connect()
    notice = target.app.ledger.get([message["notice_id"]])[message["notice_id"]]
    key, _, number = notice.attempts[0].evidence.rpartition("#")
    s3, bucket = target.client("s3"), target.settings.evidence_bucket
    lines = s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()
    line = json.loads(lines[int(number)])
    line["sealed"] = line["sealed"][:-8] + "AAAAAAA="
    lines[int(number)] = json.dumps(line).encode()
    s3.put_object(Bucket=bucket, Key=key, Body=b"\n".join(lines) + b"\n")
    done = exnotify("evidence", message["notice_id"], "-o", "-")
    assert (done.code, done.json["holds"], done.json["chain_holds"]) == (1, False, True)
    assert "the proof does not hold: attempt 1: it does not open" in done.err


def test_what_is_set_for_a_customer_decides_the_next_notice(tmp_path: Path) -> None:
    assert exnotify("drop", write_index(tmp_path / "before", row(7, "P"))).code == 0
    changed = exnotify(
        "contact", "P0007", "--set", "opt_out=statements/email", "--set", "language=es", "--json"
    ).json
    assert changed["opt_outs"] == {"statements": ["email"]}
    assert [(e["field"], e["to"]) for e in changed["history"]] == [
        ("opt_outs", "statements/email"), ("language", "es"),
    ]  # fmt: skip
    assert all(e["who"] and e["at"] for e in changed["history"])
    second = write_index(tmp_path / "after", row(7, "P", document_id="D-second"))
    done = exnotify("drop", second, "--json")
    assert done.json["outcomes"]["notified"] == 1
    message = outbox()[-1]
    assert (message["document_id"], message["channel"]) == ("D-second", "sms")
    assert exnotify("contact", "P0007", "--set", "opt_out=sms").code == 0
    salt = connect().app.contacts.get("default", ["P0007"])["P0007"].salt
    named = exnotify("contact", f"handle:{handle_of(salt)}", "--json")
    assert (named.code, named.json["customer_key"]) == (0, "P0007")
    assert exnotify("contact", "handle:" + "0" * 24).code == 1
    third = write_index(tmp_path / "last", row(7, "P", document_id="D-third"))
    done = exnotify("drop", third, "--json")
    assert done.json["reasons"] == {"suppressed": {"opted_out": 1}}


def test_a_plan_changes_nothing(tmp_path: Path) -> None:
    target = connect()
    for number in range(1, 7, 2):
        folder = write_index(
            tmp_path / f"unseen-{number}", row(number, "U"), row(number + 1, "U", email="not an address")
        )
        before = everything(target)
        planned = exnotify("plan", folder)
        assert planned.code == 0
        assert planned.out.splitlines()[-1].startswith(
            f"default/{folder.name}  would notify 2 of 2; records with an address that cannot be written to"
        )
        assert sorted(p.name for p in folder.iterdir()) == ["a.index.csv"]
        assert exnotify("run", folder.name).code == 1
        # The cloud's own schedules write now and then; what a plan wrote, it would write each time.
        if (after := everything(target)) == before:
            break
    assert after == before


def everything(target: Any) -> dict[str, Any]:
    """All items and all objects."""
    settings, dynamodb, s3 = target.settings, target.client("dynamodb"), target.client("s3")
    tables = [settings.contacts_table, settings.notices_table, settings.runs_table, settings.incidents_table]
    found: dict[str, Any] = {}
    for table in tables:
        items = dynamodb.scan(TableName=table)["Items"]
        # The watermark of the minute's sweep is the cloud's own.
        kept = (item for item in items if item["pk"]["S"] != "watermark")
        found[table] = sorted(json.dumps(item, sort_keys=True) for item in kept)
    for bucket in (settings.drop_bucket, settings.work_bucket, settings.evidence_bucket):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        found[bucket] = sorted((o["Key"], o["ETag"]) for page in pages for o in page.get("Contents", ()))
    return found


def test_tick_runs_a_scheduled_function_now() -> None:
    done = exnotify("tick", "release_due")
    assert (done.code, done.out.startswith("release_due: released ")) == (0, True)
    assert exnotify("tick", "release_due", "--json").json.keys() == {"released"}
    unknown = exnotify("tick", "send_notices")
    assert unknown.code == 1
    assert "release_due" in unknown.err


def test_people_see_the_same_without_json(dropped: dict[str, tuple[Done, Done]]) -> None:
    for arguments, words in (
        (("incidents",), ("customers_missing", "2 of 8 customers were not composed")),
        (("outbox",), ("D0100001-STA", "team:compliance", "/inbox")),
        (("contact", "C0100002"), ("c0100002@example.com", "version 1")),
        (("notices", "--customer", "C0100002"), ("D0100002-INV", "email")),
    ):
        done = exnotify(*arguments)
        assert done.code == 0
        for word in words:
            assert word in done.out, done.out
    done = exnotify("run", "uc1-statements")
    assert done.code == 3
    assert done.out.startswith(
        "retail/uc1-statements  1 of 10 not notified: no channel that works; 5 notified"
    )
    for word in ("dispatched, balanced, complete", "quiet_hours", "paper_chosen"):
        assert word in done.out
    clean = exnotify("run", "uc2-policies")
    assert clean.code == 0
    assert clean.out.startswith(
        "insurance/uc2-policies  6 of 7 notified; 1 on paper: no channel that works; records with an address"
    )


def test_the_demo_ends_by_itself_without_a_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "exnotify", "demo", "--port", "0"],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for sample in SAMPLES:
        assert sample.title in done.stdout
    assert "1 of 6 rejected: customer_key missing; 5 notified" in done.stderr
    assert "1 of 5 runs is clean." in done.stdout
    assert "messages reached the simulated providers" in done.stdout
