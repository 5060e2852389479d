"""Alerts on the project's own stack: files nobody has seen, the link, the severe one during a run."""

import gzip
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from exnotify import seal
from exnotify.commands.incidents import incident_row
from exnotify.local import LocalCloud

from .conftest import MakeRun, drop, record

pytestmark = pytest.mark.slow


def put(cloud: LocalCloud, key: str, data: bytes) -> None:
    """A file lands in the drop bucket."""
    cloud.client("s3").put_object(Bucket=cloud.deployment().settings.drop_bucket, Key=key, Body=data)


def alerts(cloud: LocalCloud, run: str, count: int, seconds: float = 40.0) -> list[dict[str, Any]]:
    """The chat alerts of a run, once there are so many."""
    until = time.monotonic() + seconds
    while True:
        found = [a for a in cloud.catcher.alerts if a["facts"]["Run"] == run]
        if len(found) >= count or time.monotonic() > until:
            return found
        time.sleep(0.2)


def incidents(cloud: LocalCloud, run: str) -> dict[str, dict[str, Any]]:
    """Incidents of a run by code or family."""
    rows = [incident_row(i) for i in cloud.deployment().app.incidents.all()]
    return {row["code"]: row for row in rows if f"{row['domain']}/{row['run_id']}" == run}


def opened(url: str, data: bytes | None = None) -> tuple[int, str]:
    """Status and page."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_message_files_of_a_run_that_is_never_sealed_reach_their_teams(cloud: LocalCloud) -> None:
    lines = [f"EX007777W ({n}) Etwas fehlt bei Kunde Jürgen Groß\r\n" for n in range(1, 501)]
    lines += [f"EX008888S ({n}) stopped\r\n" for n in (2, 7, *range(14, 51))]
    put(cloud, "drop/retail/odd-1/engine.dat", "".join(lines).encode("utf-16-le"))
    rows = "seq,reason code,exception queue\n3,KYC_MISSING,Compliance_Hold\n"
    put(cloud, "drop/retail/odd-1/night.exceptions.csv", rows.encode())
    found = alerts(cloud, "retail/odd-1", 3)

    by_team = {alert["team"]: alert for alert in found if alert["what"] == "opened"}
    assert set(by_team) == {"it", "operations", "compliance"}
    assert by_team["operations"]["facts"]["Count"] == "500"
    assert by_team["operations"]["rerun"] == [], "the documents of a warning exist"
    assert by_team["compliance"]["rerun"] == ["-CUSTOMERLIST=3"]
    assert "Groß" not in json.dumps(found, ensure_ascii=False)
    cloud.deployment().settle(30)
    severe = incidents(cloud, "retail/odd-1")["EX008888S"]
    assert (severe["count"], severe["severity"], severe["rerun"]) == (39, "severe", "")
    assert severe["rerun_words"].startswith("customers 2,7,14 and all after it")
    mails = Counter(m.to for m in cloud.messages if "retail/odd-1" in m.subject and "new" in m.subject)
    assert mails == {f"{team}@example.com": 1 for team in by_team}


def test_messages_in_several_forms_and_in_capitals_are_read_and_count_once(cloud: LocalCloud) -> None:
    xml = '<r><m number="006666" severity="E" customer="4">stopped</m><m number="6666" severity="E" customer="5"/></r>'
    text = "EX006666E (4) stopped\x85EX006666E (5)\x85".encode("latin-1")
    put(cloud, "drop/retail/xml-1/ENGINE_MESSAGES-1.XML", xml.encode())
    put(cloud, "drop/retail/xml-1/ENGINE_MESSAGES-1.TXT", text)
    put(cloud, "drop/retail/xml-1/engine_messages-1.dat.gz", gzip.compress(text))
    put(cloud, "drop/retail/xml-1/JOBSUMMARY-1.TXT", b"Kunden: 5\r\nR\xfcckgabewert: 8\r\n")
    put(cloud, "drop/retail/xml-1/ExstreamTracking.dat", b"no message")
    alerts(cloud, "retail/xml-1", 1)
    cloud.deployment().settle(30)
    (row,) = incidents(cloud, "retail/xml-1").values()
    assert (row["count"], row["codes"]) == (2, ["EX006666E", "exit_status"]), (
        "one cause: two messages, to which the status adds nothing"
    )
    assert row["rerun"] == "-CUSTOMERLIST=4-5"


def test_a_step_of_a_flow_that_failed_is_an_incident_of_its_run(cloud: LocalCloud) -> None:
    steps = [
        {"name": "Compose", "status": "complete"},
        {"name": "Package", "status": "ERROR", "messages": ["EX006667E (4) stopped"]},
    ]
    flow = {
        "domain": "retail",
        "externalId": "flow-1",
        "flowInstance": {"status": "complete", "flowSteps": steps},
    }
    for detail in (flow, {**flow, "externalId": "flow-2", "flowInstance": {"status": "complete"}}):
        entry = {"Source": "exstream", "DetailType": "Flow Instance Changed", "Detail": json.dumps(detail)}
        cloud.client("events").put_events(Entries=[entry])
    alerts(cloud, "retail/flow-1", 1)
    cloud.deployment().settle(30)
    (row,) = incidents(cloud, "retail/flow-1").values()
    assert row["codes"] == ["EX006667E", "step_failed"]
    assert incidents(cloud, "retail/flow-2") == {}


def test_the_link_shows_to_anybody_and_only_a_post_acknowledges(cloud: LocalCloud) -> None:
    put(cloud, "drop/retail/odd-2/engine.dat", b"EX009999E (4) broken\n")
    (alert,) = alerts(cloud, "retail/odd-2", 1)
    for _ in range(3):
        status, page = opened(alert["link"])
        assert status == 200
        assert "EX009999E" in page
    cloud.deployment().settle(30)
    assert incidents(cloud, "retail/odd-2")["EX009999E"]["status"] == "open"

    status, page = opened(alert["link"], b"name=Ann")
    assert (status, "Acknowledged" in page, "Ann (by link)" in page) == (200, True, True)
    row = incidents(cloud, "retail/odd-2")["EX009999E"]
    assert (row["status"], row["answer_by"]) == ("acknowledged", "")
    assert opened(alert["link"][:-1] + ("A" if alert["link"][-1] != "A" else "B"))[0] == 404


def test_a_severe_error_is_told_while_a_run_of_two_thousand_is_being_sent(
    cloud: LocalCloud, make_run: MakeRun
) -> None:
    import threading

    folder: Path = make_run("bulk", [record(20_000 + n) for n in range(2000)])
    ended: list[float] = []
    run = threading.Thread(target=lambda: (drop(cloud, folder, "bulk"), ended.append(time.monotonic())))
    run.start()
    while not any(m.to.startswith("e02") for m in cloud.messages):
        time.sleep(0.1)
    put(cloud, "drop/retail/odd-3/engine.dat", b"EX001111S stopped\n")
    (alert,) = alerts(cloud, "retail/odd-3", 1, 120)
    told = time.monotonic()
    run.join(300)

    assert alert["severity"] == "severe"
    assert ended
    assert told < ended[0]


CARD = {"delivery_channel": "portal", "statement_period": "November 2026"}


def card(number: int, document: str = "", **more: Any) -> dict[str, Any]:
    """A card statement of one customer."""
    return record(number, document_id=document or f"CRD-{number}", archive_ref=f"a{number}", **CARD, **more)


def sealed(folder: Path, run_id: str, domain: str, *options: str) -> Path:
    """The folder with a seal of its own."""
    given = [str(folder), "--run-id", run_id, "--domain", domain, *options]
    assert seal.main(given) == 0
    return folder


def quiet(cloud: LocalCloud) -> None:
    """Nothing of the alerts ended as a dead letter, or was refused to a role."""
    sqs = cloud.client("sqs")
    for name, found in cloud.describe()["resources"].items():
        if name in ("ExceptionDeadLetters", "SevereDeadLetters"):
            told = sqs.get_queue_attributes(QueueUrl=found["id"], AttributeNames=["All"])["Attributes"]
            assert told["ApproximateNumberOfMessages"] == "0", name
    assert not [line for line in cloud.logs("AlertExceptionFunction") if "AccessDenied" in line]


def test_a_re_run_that_names_its_run_resolves_it_under_the_functions_own_role(
    cloud: LocalCloud, make_run: MakeRun
) -> None:
    folder = make_run("cards-1", [card(1), card(2), card(3)])
    (folder / "ExstreamMessages.dat").write_bytes(b"EX004120E (3) Required field is empty\n")
    drop(cloud, folder, "cards-1", domain="cards")
    assert alerts(cloud, "cards/cards-1", 1)[0]["rerun"] == ["-CUSTOMERLIST=3"]
    # An ordinary run while it is open: others under the same numbers resolve nothing, and are taken.
    drop(cloud, make_run("cards-2", [card(3, "CRD-9", customer_key="OTHER")]), "cards-2", domain="cards")
    cloud.deployment().settle(30)
    assert incidents(cloud, "cards/cards-1")["EX004120E"]["late"] == "3"
    again = sealed(make_run("cards-1b", [card(3, "CRD-3b")]), "cards-1b", "cards", "--rerun-of", "cards-1")
    drop(cloud, again, "cards-1b", domain="cards")
    assert [alert["what"] for alert in alerts(cloud, "cards/cards-1", 2)] == ["opened", "resolved"]
    row = incidents(cloud, "cards/cards-1")["EX004120E"]
    assert (row["status"], row["rerun"], row["covered"]) == (
        "resolved",
        "",
        [{"run": "cards-1b", "customers": "3"}],
    )
    assert row["resolved"] == "by alerts: run cards-1b composed all of its customers again"
    quiet(cloud)


def test_a_later_run_with_the_same_customers_by_key_resolves_it(cloud: LocalCloud, make_run: MakeRun) -> None:
    folder = make_run("night-1", [record(71), record(72)])
    (folder / "engine.dat").write_bytes(b"EX004141E (71) no address\nEX004141E (72) no address\n")
    drop(cloud, folder, "night-1", domain="again")
    assert len(alerts(cloud, "again/night-1", 1)) == 1
    new = [record(n, document_id=f"again-{n}", customer_in_run=str(n - 70)) for n in (71, 72)]
    drop(cloud, make_run("night-2", new), "night-2", domain="again")
    # That it is resolved may be told with others, in a list.
    until = time.monotonic() + 40
    while (row := incidents(cloud, "again/night-1")["EX004141E"])["status"] != "resolved":
        assert time.monotonic() < until, row
        time.sleep(0.2)
    quiet(cloud)


def test_a_corrected_message_file_and_seal_close_what_they_said(cloud: LocalCloud, make_run: MakeRun) -> None:
    put(cloud, "drop/fixed/run-1/engine.dat", b"EX004141E (1) no address\n")
    put(cloud, "drop/fixed/run-1/run.summary.txt", b"BILLING customers=3 errors=0 exit=12\n")
    alerts(cloud, "fixed/run-1", 1)
    cloud.deployment().settle(30)
    (row,) = incidents(cloud, "fixed/run-1").values()
    assert row["codes"] == ["EX004141E", "exit_status"]
    time.sleep(1.1)  # as S3 tells one version of a file from the next: by the second
    put(cloud, "drop/fixed/run-1/engine.dat", b"EX004141I (1) has an address now\n")
    put(cloud, "drop/fixed/run-1/run.summary.txt", b"BILLING customers=3 errors=0 exit=0\n")
    until = time.monotonic() + 40
    while time.monotonic() < until:
        (row,) = incidents(cloud, "fixed/run-1").values()
        if row["status"] == "resolved":
            break
        time.sleep(0.2)
    assert (row["status"], row["count"]) == ("resolved", 0)
    quiet(cloud)


def test_a_customer_without_an_address_is_not_composed_again(cloud: LocalCloud, make_run: MakeRun) -> None:
    nobody = record(40)
    del nobody["email"], nobody["mobile"]
    drop(cloud, make_run("ordinary", [record(38), record(39), nobody]), "ordinary", domain="plain")
    cloud.deployment().settle(30)
    rows = [row for row in incidents(cloud, "plain/ordinary").values() if "no_channel" in row["codes"]]
    assert [(row["rerun"], row["late"]) for row in rows] == [("", "")]
    assert "CUSTOMERLIST" not in json.dumps(alerts(cloud, "plain/ordinary", 1, 5))
