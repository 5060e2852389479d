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
    assert by_team["operations"]["rerun"] == ["-CUSTOMERLIST=1-500"]
    assert by_team["compliance"]["rerun"] == ["-CUSTOMERLIST=3"]
    assert "Groß" not in json.dumps(found, ensure_ascii=False)
    cloud.deployment().settle(30)
    severe = incidents(cloud, "retail/odd-1")["EX008888S"]
    assert (severe["count"], severe["severity"], severe["rerun"]) == (39, "severe", "-CUSTOMERLIST=2,7,14-50")
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
    assert len(alerts(cloud, "retail/xml-1", 2)) == 2
    cloud.deployment().settle(30)
    found = incidents(cloud, "retail/xml-1")
    assert {code: row["count"] for code, row in found.items()} == {"EX006666E": 2, "exit_status": 1}
    assert found["EX006666E"]["rerun"] == "-CUSTOMERLIST=4-5"


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
    assert len(alerts(cloud, "retail/flow-1", 2)) == 2
    cloud.deployment().settle(30)
    assert set(incidents(cloud, "retail/flow-1")) == {"step_failed", "EX006667E"}
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


def test_a_run_that_composes_an_incidents_customers_again_resolves_it(
    cloud: LocalCloud, make_run: MakeRun
) -> None:
    put(cloud, "drop/again/night-1/engine.dat", b"EX004141E (71) no address\nEX004141E (72) no address\n")
    assert len(alerts(cloud, "again/night-1", 1)) == 1
    drop(cloud, make_run("night-2", [record(71), record(72)]), "night-2", domain="again")
    what = [alert["what"] for alert in alerts(cloud, "again/night-1", 2)]
    assert what == ["opened", "resolved"]
    assert incidents(cloud, "again/night-1")["EX004141E"]["status"] == "resolved"
    # What composed it again has no digest: its absence is no error.
    assert not [line for line in cloud.logs("AlertExceptionFunction") if "AccessDenied" in line]
