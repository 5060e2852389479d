"""An operator's commands about customers, as typed: what is held, erasure, import, export, replies, portal."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from exnotify.local import LocalCloud
from exstream_notify.adapters.encryption import EvidenceUnreadable
from exstream_notify.domain.passes import handle_of
from tests.cli.shell import Done, exnotify

from .conftest import MakeRun, drop, outcomes, record

pytestmark = pytest.mark.slow

DOMAIN = "desk"
AT = "2026-11-24T20:00:00+00:00"
PROVIDERS = {"EmailProvider": "ses", "SmsProvider": "sms"}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(at=AT, parameters=PROVIDERS) as running:
        yield running


@pytest.fixture
def shell(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, on the embedded cloud of this module; fails the test where it fails."""
    monkeypatch.setenv("EXNOTIFY_URL", cloud.url)

    def run(*arguments: object, code: int = 0) -> Done:
        done = exnotify(*arguments)
        assert done.code == code, (done.out, done.err)
        return done

    return run


def told(cloud: LocalCloud, make_run: MakeRun, number: int, run: str, **fields: Any) -> dict[str, Any]:
    row = record(number, **fields)
    assert outcomes(drop(cloud, make_run(run, [row]), run, DOMAIN)) == {"notified": 1}
    return row


def key(number: int) -> str:
    return f"E{number:06d}"


def contact(cloud: LocalCloud, number: int) -> Any:
    return cloud.deployment().app.contacts.get(DOMAIN, [key(number)]).get(key(number))


def put(shell: Any, cloud: LocalCloud, folder: Path, **detail: Any) -> str:
    """A portal's event, put with `exnotify event`; its id."""
    path = folder / "event.json"
    event = {"source": "portal", "detail-type": "Preferences Changed", "detail": {"domain": DOMAIN, **detail}}
    path.write_text(json.dumps(event))
    done = shell("event", path, "--json")
    assert cloud.idle(30)
    return str(done.json["event_id"])


def test_everything_that_is_held_is_written_and_the_salt_is_not(
    cloud: LocalCloud, shell: Any, make_run: MakeRun, tmp_path: Path
) -> None:
    row = told(cloud, make_run, 1, "held-1")
    shell("contact", key(1), "--domain", DOMAIN, "--set", "opt_out=sms", "--why", "asked by phone")
    path = tmp_path / "held.json"
    shell("contact", key(1), "--domain", DOMAIN, "--held", path)
    held = json.loads(path.read_text())

    assert held["contact"]["email"]["value"] == row["email"]
    assert held["contact"]["history"][-1]["why"] == "asked by phone"
    (notice,) = held["notices"]
    (evidence,) = notice["evidence"]
    assert row["email"] in json.dumps(evidence)
    assert "D'Angelo" in json.dumps(evidence, ensure_ascii=False)
    assert contact(cloud, 1).salt not in path.read_text()


def test_an_erased_customer_is_gone_but_for_what_must_stay(
    cloud: LocalCloud, shell: Any, make_run: MakeRun, tmp_path: Path
) -> None:
    row = told(cloud, make_run, 2, "erase-1")
    message = [m for m in cloud.messages if m.to == row["email"]][-1]
    page = re.findall(r"https?://[^\s\"<]+(/p/[\w-]+)", message.text)[0]
    shell("contact", key(2), "--domain", DOMAIN, "--set", "opt_out=sms")
    shell("contact", key(2), "--domain", DOMAIN, "--erase", code=2)
    shell("contact", key(2), "--domain", DOMAIN, "--set", "legal_hold=case 17")
    refused = shell("contact", key(2), "--domain", DOMAIN, "--erase", "--why", "asked", code=1)
    assert "legal hold" in refused.err
    assert contact(cloud, 2) is not None
    shell("contact", key(2), "--domain", DOMAIN, "--set", "legal_hold=", "--why", "closed")

    salt = contact(cloud, 2).salt
    app = cloud.deployment().app
    (notice,) = app.ledger.of_customer(DOMAIN, key(2))
    shell("contact", key(2), "--domain", DOMAIN, "--erase", "--why", "asked in writing")

    mark = contact(cloud, 2)
    assert (mark.is_erased, mark.erased_why) == (True, "asked in writing")
    assert "was erased at" in shell("contact", key(2), "--domain", DOMAIN).out
    shell("contact", key(2), "--domain", DOMAIN, "--erase", "--why", "twice")
    assert contact(cloud, 2) == mark
    refused = shell("contact", key(2), "--domain", DOMAIN, "--set", "email=a@example.com", code=1)
    assert "was erased" in refused.err
    with httpx.Client(base_url=cloud.api_url, trust_env=False) as client:
        assert client.get(page).status_code == 404
    rows = [
        item
        for page_ in cloud.deployment()
        .client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=app.settings.contacts_table)
        for item in page_["Items"]
    ]
    assert not [item for item in rows if row["email"] in str(item) or salt in str(item)]
    # The ledger's entry and its sealed evidence stay, and nobody can open the evidence any more.
    assert [n.notice_id for n in app.ledger.of_customer(DOMAIN, key(2))] == [notice.notice_id]
    with pytest.raises(EvidenceUnreadable):
        app.evidence.read(notice.attempts[0].evidence, f"{notice.notice_id}:1", "0" * len(salt))
    # Texts to the number stay stopped; the e-mail address was never stopped, and is free again.
    addresses = [("email", row["email"]), ("sms", row["mobile"])]
    assert app.suppressions.suppressed(addresses) == {("sms", row["mobile"])}
    again = record(2, document_id="E000002-STA-2", email="")
    assert outcomes(drop(cloud, make_run("erase-2", [again]), "erase-2", DOMAIN)) != {"notified": 1}


def test_an_import_is_checked_applied_and_applied_again(
    cloud: LocalCloud, shell: Any, make_run: MakeRun, tmp_path: Path
) -> None:
    told(cloud, make_run, 3, "import-1")
    path, report = tmp_path / "old.csv", tmp_path / "report.csv"
    good = f"customer_key;language;opt_outs\r\n{key(3)};fr;statements/email\r\nNEW-1;de;\r\n"
    path.write_text(good + "NEW-2;klingonese;\r\n")
    refused = shell("import", path, "--domain", DOMAIN, "--apply", "--report", report, code=1)
    assert "nothing is written" in refused.out
    assert list(csv.reader(io.StringIO(report.read_text())))[1] == [
        "refused", "3", "language", "not a language tag (BCP 47)",
    ]  # fmt: skip
    assert cloud.deployment().app.contacts.get(DOMAIN, ["NEW-1"]) == {}

    path.write_text(good)
    assert (
        "1 new, 1 changed, 0 unchanged; --apply writes them" in shell("import", path, "--domain", DOMAIN).out
    )
    assert contact(cloud, 3).opt_outs is None
    assert "2 rows applied: 1 new" in shell("import", path, "--domain", DOMAIN, "--apply").out
    again = shell("import", path, "--domain", DOMAIN, "--apply", "--json").json
    assert (again["applied"], again["unchanged"], again["changed"], again["added"]) == (True, 2, 0, 0)
    after = contact(cloud, 3)
    assert (after.language, after.opt_outs) == ("fr", {"statements": ("email",)})
    assert re.match(r"import [0-9a-f]{12} by \w+", after.history[-1]["who"])
    next_one = record(3, document_id="E000003-STA-2")
    drop(cloud, make_run("import-2", [next_one]), "import-2", DOMAIN)
    assert [m.channel for m in cloud.messages if m.to in (next_one["email"], next_one["mobile"])][-1] == "sms"


def test_the_export_command_writes_whole_files_and_the_control_last(
    cloud: LocalCloud, shell: Any, make_run: MakeRun, tmp_path: Path
) -> None:
    told(cloud, make_run, 4, "export-1")
    out = tmp_path / "files"
    said = shell("export", "--domain", DOMAIN, "-o", out, "--json").json
    assert sorted(p.name for p in out.iterdir()) == [
        "changes.csv", "changes.json", "control.json", "preferences.csv", "preferences.json",
    ]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO((out / "preferences.csv").read_text("utf-8"))))
    assert rows == json.loads((out / "preferences.json").read_text("utf-8"))
    assert len(rows) == said["rows"]
    before = (out / "preferences.csv").read_bytes()
    assert shell("export", "--domain", DOMAIN, "-o", out, "--json").json["export"] == said["export"]
    assert (out / "preferences.csv").read_bytes() == before
    shell("contact", key(4), "--domain", DOMAIN, "--set", "opt_out=email")
    third = shell("export", "--domain", DOMAIN, "-o", out, "--json").json
    assert (third["changes"], third["since"]) == ({"added": 0, "changed": 1, "removed": 0}, said["export"])
    (change,) = json.loads((out / "changes.json").read_text("utf-8"))
    assert (change["change"], change["customer_key"], change["opt_outs"]) == ("changed", key(4), "*/email")
    assert "customers" in shell("export", "--domain", DOMAIN, "--last").out
    assert "has no export" in shell("export", "--domain", "nobody", "--last", code=1).err


def test_a_reply_as_typed_stops_and_starts(cloud: LocalCloud, shell: Any, make_run: MakeRun) -> None:
    row = told(cloud, make_run, 5, "reply-1", mobile="+12025550181", email="")
    assert shell("reply", row["mobile"], "arrêt").out.startswith("reply ")
    assert contact(cloud, 5).opt_outs == {"*": ("sms",)}
    shell("reply", row["mobile"], "help")
    shell("reply", row["mobile"], "who are you?")
    # No text answers a HELP from a number that is stopped: the team does.
    asked, words = shell("replies", "--domain", DOMAIN, "--json").json
    assert asked["text"] == "help"
    assert (words["customer_key"], words["from"], words["text"]) == (key(5), row["mobile"], "who are you?")
    assert "who are you?" in shell("replies").out
    shell("reply", row["mobile"], "start")
    assert contact(cloud, 5).opt_outs is None
    shell("contact", key(5), "--domain", DOMAIN, "--erase", "--why", "asked for it")
    assert [r["text"] for r in shell("replies", "--json").json] == [None, None]
    assert "erased" in shell("replies").out


def test_a_portal_s_event_changes_what_it_names_once(
    cloud: LocalCloud, shell: Any, make_run: MakeRun, tmp_path: Path
) -> None:
    row = told(cloud, make_run, 6, "portal-1")
    event = put(
        shell, cloud, tmp_path, customer_key=key(6), language="es", opt_outs={"statements": ["email"]},
        quiet_hours=["10:00", "16:00"], paper_required=False, consent={"given": True, "version": "3"},
    )  # fmt: skip
    after = contact(cloud, 6)
    assert (after.language, after.opt_outs, after.quiet_hours) == (
        "es", {"statements": ("email",)}, ("10:00", "16:00"),
    )  # fmt: skip
    assert (after.consent.given, after.consent.version) == (True, "3")
    assert {entry["who"] for entry in after.history} == {f"portal {event}"}

    # A new address that the portal did not prove gets a code; the old one stays until it came back.
    put(shell, cloud, tmp_path, customer_key=key(6), email="new6@example.com")
    (code,) = [m for m in cloud.messages if m.to == "new6@example.com"]
    assert re.search(r"\b\d{6}\b", code.text)
    assert contact(cloud, 6).email.value == row["email"]
    # One that it proved is told to the old one, and holds after three days.
    put(shell, cloud, tmp_path, customer_key=key(6), mobile="+12025550182", verified=True)
    changing = {c.channel: c for c in contact(cloud, 6).changing}
    assert changing["sms"].confirmed_at
    assert contact(cloud, 6).mobile.value == row["mobile"]


def test_a_portal_s_event_that_cannot_be_used_is_an_exception_and_changes_nothing(
    cloud: LocalCloud, shell: Any, make_run: MakeRun, tmp_path: Path
) -> None:
    told(cloud, make_run, 7, "portal-2")
    before = contact(cloud, 7)
    put(shell, cloud, tmp_path, customer_key=key(7), opt_outs={"statments": ["email"]})
    put(shell, cloud, tmp_path, customer_key="NOBODY", language="es")
    put(shell, cloud, tmp_path, customer_key=key(7), email="not an address")
    assert contact(cloud, 7) == before
    found = [
        i for i in cloud.deployment().app.incidents.all() if i.domain == DOMAIN and i.family == "preferences"
    ]
    assert {i.run_id[:4] for i in found} == {"day-"}
    codes = {code for incident in found for code in incident.codes}
    assert codes == {"preferences_unusable", "preferences_unknown_customer"}


def test_who_said_what_when_counts_and_the_portal_hears_of_it(
    cloud: LocalCloud, shell: Any, make_run: MakeRun, tmp_path: Path
) -> None:
    row = told(cloud, make_run, 8, "said-1", mobile="+12025550188")
    heard = listening(cloud)
    put(shell, cloud, tmp_path, customer_key=key(8), opt_outs={"statements": ["email"]})
    assert heard() == []

    shell("reply", row["mobile"], "STOP")
    (stopped,) = heard()
    assert (stopped["opt_outs"], stopped["by"]) == ({"*": ["sms"]}, "sms_reply")
    # What the portal says of a time before it is late, and what an operator says is not the customer's.
    put(shell, cloud, tmp_path, customer_key=key(8), opt_outs={"*": []}, at="2026-11-24T19:00:00Z")
    refused = shell("contact", key(8), "--domain", DOMAIN, "--set", "opt_in=statements/email", code=2)
    assert "only the customer takes that back" in refused.err
    assert contact(cloud, 8).opt_outs == {"statements": ("email",), "*": ("sms",)}
    shell("contact", key(8), "--domain", DOMAIN, "--set", "language=fr")
    path = tmp_path / "old.csv"
    path.write_text(f"customer_key,language,opt_outs,paper_required\n{key(8)},de,bills/email,yes\n")
    shell("import", path, "--domain", DOMAIN, "--apply")
    after = contact(cloud, 8)
    assert (after.language, after.opt_outs["bills"], after.paper_required) == ("fr", ("email",), True)
    assert [told["by"] for told in heard()] == ["operator", "import"]

    shown = shell("contact", key(8), "--domain", DOMAIN).out
    assert re.search(r"language\s+fr\s.*\syes", shown)
    assert re.search(r"language\s+de\s.*import", shown)
    said = {
        (s["what"], s["source"])
        for s in shell("contact", key(8), "--domain", DOMAIN, "--json").json["statements"]
    }
    assert {("opt_outs/*/sms", "reply"), ("opt_outs/bills/email", "import")} <= said

    # A worker that died between its write and its event leaves an entry in the due index.
    app = cloud.deployment().app
    last = max(one.recorded for one in after.statements)
    app.due.wait("portal", f"{handle_of(after.salt)}/{last}/9", app.clock.now())
    shell("tick", "release_due")
    (again,) = heard()
    assert (again["by"], again["opt_outs"], again["paper_required"]) == (
        "import", {"bills": ["email"]}, True,
    )  # fmt: skip


def listening(cloud: LocalCloud) -> Any:
    """What a portal hears: the details of our events on the bus since it last asked."""
    sqs, events = cloud.client("sqs"), cloud.client("events")
    url = sqs.create_queue(QueueName="portal")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    who = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    allowed = {"Statement": [{**who, "Action": "sqs:SendMessage", "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(allowed)})
    pattern = {"source": ["exnotify"], "detail-type": ["Preferences Changed"]}
    events.put_rule(Name="portal", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="portal", Targets=[{"Id": "portal", "Arn": arn}])

    def heard() -> list[dict[str, Any]]:
        assert cloud.idle(30)
        found: list[dict[str, Any]] = []
        while rows := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"])["detail"] for message in rows]
            for message in rows:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    return heard


def test_a_customer_is_not_dunned_by_an_operators_word_or_an_events_until_it_is_lifted(
    cloud: LocalCloud, shell: Any, make_run: MakeRun, tmp_path: Path
) -> None:
    def reminders(run: str) -> dict[str, int]:
        rows = [
            record(n, document_type="payment-reminder", document_id=f"{run}-{n}", amount_due="100.00")
            for n in (41, 42, 43)
        ]
        return outcomes(drop(cloud, make_run(run, rows), run, DOMAIN))

    about = (key(41), "--domain", DOMAIN)
    shell("contact", *about, "--do-not-dun", code=2)
    held = shell("contact", *about, "--do-not-dun", "--why", "letter of an attorney", "--json").json
    assert held["debt_hold"]["why"] == "letter of an attorney"
    path = tmp_path / "event.json"
    detail = {"domain": DOMAIN, "customer_key": key(42), "account_status": "Chapter 13"}
    path.write_text(
        json.dumps({"source": "billing", "detail-type": "Account Status Changed", "detail": detail})
    )
    shell("event", path)
    assert cloud.idle(30)

    assert reminders("dun-1") == {"notified": 1, "suppressed": 2}
    lifted = shell("contact", *about, "--dun-again", "--why", "attorney withdrew")
    assert "lifted" in lifted.err
    shell("contact", *about, "--dun-again", "--why", "once more", code=1)
    assert reminders("dun-2") == {"notified": 2, "suppressed": 1}
    assert [row["to"] for row in contact(cloud, 41).history] == ["operator", ""]
    assert contact(cloud, 42).debt_hold.reasons == ("bankrupt",)
