"""The real functions, from the template, under their own roles, on the embedded cloud."""

import json
import time
from pathlib import Path

import pytest

from exnotify.dropping import prepare, upload
from exnotify.following import End, Expected, follow
from exnotify.local import LocalCloud
from exstream_notify.domain.documents import FileFault
from exstream_notify.domain.notices import chain_holds
from tests.cli.shell import exnotify

from .conftest import MakeRun, drop, outcomes, record, told

pytestmark = pytest.mark.slow


def test_a_sealed_run_tells_each_customer_once(cloud: LocalCloud, make_run: MakeRun) -> None:
    folder = make_run("once", [record(n) for n in range(1, 131)])
    followed = drop(cloud, folder, "once")
    assert followed.end == End.BALANCED
    assert outcomes(followed) == {"notified": 130}
    assert set(told(cloud, "e0001").values()) == {1}

    again = drop(cloud, folder, "once-more")
    assert outcomes(again) == {"duplicate": 130}
    assert sum(told(cloud, "e00").values()) == 130


def test_a_notice_is_found_in_the_log_of_every_function_that_touched_it(
    cloud: LocalCloud, make_run: MakeRun
) -> None:
    drop(cloud, make_run("traced", [record(n) for n in (961, 962)]), "traced", "traced")
    app = cloud.deployment().app
    (message,) = [m for m in cloud.messages if m.to == "e000961@example.com"]
    detail = {"domain": "traced", "customer_key": "E000961", "document_id": "E000961-STA"}
    app.client("events").put_events(
        Entries=[{"Source": "portal", "DetailType": "Customer Responded", "Detail": json.dumps(detail)}]
    )
    silent = {
        f"{name}Function" for name in ("DecideNotices", "SendNotices", "RecordReceipt", "RecordResponse")
    }
    deadline = time.monotonic() + 60
    while silent:
        silent -= {name for name in silent if any(message.notice_id in line for line in cloud.logs(name))}
        assert time.monotonic() < deadline, f"{silent} do not name the notice"
        time.sleep(0.2)


def test_journeys_are_stopped_and_resumed_on_the_record(
    cloud: LocalCloud, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXNOTIFY_URL", cloud.url)
    drop(cloud, make_run("stopped", [record(951)]), "stopped", "stops")
    assert {row["journey"] for row in exnotify("journeys", "--json").json} >= {"unread-statement"}
    for what in ("stop", "resume"):
        done = exnotify("journeys", what, "--customer", "E000951", "--domain", "stops", "--why", "asked to")
        assert (done.code, done.err.split(":")[0]) == (0, {"stop": "stopped", "resume": "resumed"}[what])
        assert exnotify("journeys", what, "--run", "stops/stopped").code == 0
        assert exnotify("journeys", what, "--journey", "policy-acknowledgement").code == 0
    app = cloud.deployment().app
    (notice,) = [n for n in app.ledger.of_customer("stops", "E000951") if n.purpose == "notice"]
    words = [e for e in notice.events if e.what.startswith("journey ")]
    assert [e.what for e in words] == ["journey stopped", "journey resumed"]
    assert all(e.detail.endswith(": asked to") for e in words)
    assert [w["what"] for w in app.journeys.run_words("stops/stopped")] == ["stop", "resume"]
    assert [w["what"] for w in app.journeys.switched("policy-acknowledgement")] == ["stop", "resume"]


def test_a_document_that_replaces_another_is_notified_in_its_place(
    cloud: LocalCloud, make_run: MakeRun
) -> None:
    replacing = [
        record(971, document_id="BILL-2", supersedes="E000971-STA"),
        record(972, document_id="BILL-3", supersedes="E000972-STA"),
    ]
    assert outcomes(drop(cloud, make_run("bills", [record(971)]), "bills", "replaced")) == {"notified": 1}
    assert outcomes(drop(cloud, make_run("new-bills", replacing), "new-bills", "replaced")) == {"notified": 2}
    late = make_run("late-bills", [record(971), record(972)])
    assert outcomes(drop(cloud, late, "late-bills", "replaced")) == {"suppressed": 1, "duplicate": 1}
    assert told(cloud, "e00097") == {"e000971@example.com": 2, "e000972@example.com": 1}


def test_a_changed_address_or_wish_does_not_notify_again(cloud: LocalCloud, make_run: MakeRun) -> None:
    first = make_run("first", [record(201), record(202)])
    assert outcomes(drop(cloud, first, "first", "moving")) == {"notified": 2}
    changed = [record(201, email="moved@example.com"), record(202, delivery_channel="sms")]
    assert outcomes(drop(cloud, make_run("changed", changed), "changed", "moving")) == {"duplicate": 2}
    assert not told(cloud, "moved@")


def test_records_that_cannot_be_used_stop_nobody_else(cloud: LocalCloud, make_run: MakeRun) -> None:
    rows = [
        record(301),
        record(302, customer_key=""),
        record(303, due_date="soon"),
        record(304, email="no address", mobile=""),
        record(305, email="", mobile="+12025550142"),
        record(306, output_uri="../../elsewhere.pdf"),
        record(307, test_flag="Y"),
    ]
    followed = drop(cloud, make_run("mixed", rows), "mixed", "mixed")
    assert followed.end == End.BALANCED
    assert outcomes(followed) == {"notified": 3, "rejected": 2, "suppressed": 2}
    assert followed.told is not None
    # A due date that cannot be read is left out and counted; its record goes on.
    assert followed.told["left_out"] == {"due_date: not an ISO 8601 date": 1}
    assert len(told(cloud, "e000303@")) == 1
    assert followed.told["reasons"]["suppressed"] == {"no_channel": 1, "test_document": 1}
    texts = [m for m in cloud.messages if m.channel == "sms"]
    assert [m.to for m in texts] == ["+12025550142"]
    incidents = cloud.deployment().app.incidents.of_run("mixed", "mixed")
    assert {code for incident in incidents for code in incident.codes} == {
        "records_rejected", "values_left_out", "address_unusable", "no_channel",
    }  # fmt: skip


def test_what_was_sent_can_be_proved(cloud: LocalCloud, make_run: MakeRun) -> None:
    drop(cloud, make_run("proof", [record(801, document_type="claim-letter")]), "proof", "claims")
    app = cloud.deployment().app
    (notice,) = app.ledger.of_customer("claims", "E000801")
    assert chain_holds(notice)
    contact = app.contacts.get("claims", ["E000801"])["E000801"]
    line = app.evidence.read(notice.attempts[0].evidence, f"{notice.notice_id}:1", contact.salt)
    (message,) = [m for m in cloud.messages if m.to == "e000801@example.com"]
    assert line["text"] == message.text
    assert line["to"] == message.to


def test_hostile_files_are_refused_and_nothing_else_is_disturbed(
    cloud: LocalCloud, make_run: MakeRun, tmp_path: Path
) -> None:
    bomb = tmp_path / "bomb"
    bomb.mkdir()
    (bomb / "bomb.index.xml").write_text(
        '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        "<documents><document><customer_key>&b;</customer_key></document></documents>"
    )
    refused = drop(cloud, bomb, "bomb", "reuse")
    assert refused.end == End.REFUSED
    assert "DOCTYPE" in refused.advice or (refused.told and refused.told["state"] == "refused")

    reused = make_run("reused", [record(901)])
    assert outcomes(drop(cloud, reused, "reused", "reuse")) == {"notified": 1}
    (reused / "reused.index.jsonl").write_text('{"customer_key": "E000902", "document_type": "statement"}\n')
    assert drop(cloud, reused, "reused", "reuse").end == End.REUSED
    assert not told(cloud, "e000902")


def test_a_native_manifest_alone_counts_after_its_quiet_period(cloud: LocalCloud, tmp_path: Path) -> None:
    folder = tmp_path / "native"
    folder.mkdir()
    customers = "".join(
        f'<customer><key name="CISNumber">N{n}</key><key name="CustomerEmail">n{n}@example.com</key>'
        f'<key name="QueueFilename">output/Email_Statements/N{n}.pdf</key>'
        "<queueName>Email_Statements</queueName><queueName>Print</queueName></customer>"
        for n in range(3)
    )
    manifest = f'<d xmlns="urn:site"><outputList customersProcessed="3">{customers}</outputList></d>'
    (folder / "_STDDELIVERYFILE.xml").write_text(manifest)
    (folder / "output" / "Email_Statements").mkdir(parents=True)
    for n in range(3):
        (folder / "output" / "Email_Statements" / f"N{n}.pdf").write_bytes(b"%PDF")
    deployment = cloud.deployment()
    run = prepare(folder, domain="native", run_id="unsealed", sealed=False)
    fingerprint = upload(deployment, run)
    followed = follow(deployment, "native", "unsealed", expected=Expected(fingerprint, 0))
    assert followed.told is not None
    assert followed.told["sealed"] is False
    assert outcomes(followed) == {"notified": 3}

    # Its seal comes when everybody was notified: it is checked, and what it says of the whole run holds.
    listed = {"name": "_STDDELIVERYFILE.xml", "bytes": len(manifest)}
    stated = {"run_id": "unsealed", "domain": "native", "customers_expected": 4, "customers_processed": 3}
    (folder / "_COMPLETE.json").write_text(json.dumps({**stated, "files": [listed]}))
    followed = drop(cloud, folder, "unsealed", "native")
    assert followed.told is not None
    assert (followed.told["sealed"], followed.told["expected"], followed.told["complete"]) == (True, 4, False)


def test_a_record_is_rejected_whose_document_its_customer_could_not_open(
    cloud: LocalCloud, make_run: MakeRun
) -> None:
    names = [
        "there.pdf",
        "gone.pdf",
        "empty.pdf",
        "Stra\u00dfe-u\u0308.pdf",
        "UPPER.PDF",
        "two.pdf",
        "two.pdf",
    ]
    rows = [record(310 + n, output_uri=f"output/Q/{name}") for n, name in enumerate(names)]
    rows.append(record(318, output_uri="%5FCOMPLETE.json"))
    folder = make_run("documents", rows)
    (folder / "output" / "Q").mkdir(parents=True)
    for name in ("there.pdf", "empty.pdf", "two.pdf", "Stra\u00dfe-\u00fc.pdf", "upper.pdf"):
        (folder / "output" / "Q" / name).write_bytes(b"" if name == "empty.pdf" else b"%PDF")
    followed = drop(cloud, folder, "documents", "documents")

    assert outcomes(followed) == {"notified": 1, "rejected": 7}
    assert followed.told is not None
    assert set(followed.told["reasons"]["rejected"]) == {f"output_uri: {fault}" for fault in FileFault}
    incidents = list(cloud.deployment().app.incidents.of_run("documents", "documents"))
    assert {code for incident in incidents for code in incident.codes} == {"documents_missing"}
    assert [incident.count for incident in incidents] == [7]


def test_files_that_are_late_or_in_the_wrong_place_are_reported(cloud: LocalCloud, make_run: MakeRun) -> None:
    drop(cloud, make_run("late", [record(320)]), "late", "late")
    deployment = cloud.deployment()
    index = (make_run("more", [record(321)]) / "more.index.jsonl").read_bytes()
    keys = [f"drop/late/Run {letter}/_COMPLETE.json" for letter in "ABC"]
    keys += ["drop/late/23m%2E1/_COMPLETE.json", "Drop/late/late/_COMPLETE.json", "drop/late/loose.csv"]
    for key in ("drop/late/late/more.index.jsonl", *keys):
        deployment.client("s3").put_object(Bucket=deployment.settings.drop_bucket, Key=key, Body=index)
    assert cloud.idle(60)

    app = deployment.app
    (late,) = app.incidents.of_run("late", "late")
    assert (late.codes, late.count) == (("index_after_seal",), 1)
    day = app.clock.now().date()
    (misplaced,) = app.incidents.of_run("unknown", f"day-{day}")
    places = {entry["part"].removeprefix("none ") for entry in misplaced.where}
    assert {app.shown(key.rpartition("/")[0] + "/") for key in keys} <= places
    assert not told(cloud, "e000321")
