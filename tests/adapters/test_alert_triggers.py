"""Events of the composer and of sites in one normal form, and files by where they lie."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from exstream_notify.adapters.alert_triggers import exceptions_of, file_of, look_of
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.customer_ranges import HIGHEST, from_text
from exstream_notify.domain.exceptions import ExceptionRaised, Unusable
from exstream_notify.domain.incidents import Head, Report, added_up
from exstream_notify.domain.masking import WITHHELD

KNOWN = YamlRules().vocabulary
SPEAKS = YamlRules().messages.speaks

FAILED: dict[str, Any] = {
    "id": "e-1",
    "source": "exstream",
    "detail-type": "Exstream-Email-Failed",
    "detail": {
        "exstreamJob": {"domain": "retail", "communicationId": "a1f0", "campaignId": "CMP-77"},
        "user": {"CustomerId": "C0600001", "CustomerInRun": "12", "CustomerEmail": "c1@example.com"},
    },
}


def test_what_a_source_says_that_nobody_named_is_told_without_its_words() -> None:
    detail = {"domain": "retail", "customer_key": "C0600001", "text": "Ann Smith paid"}
    body = {"id": "e-9", "source": "crm (new)", "detail-type": "Payment Received", "detail": detail}
    (found,) = exceptions_of(body, KNOWN)
    assert (found.code, found.domain, found.text) == (
        "source_unnamed", "retail", "Payment Received from source crmnew",
    )  # fmt: skip
    assert "C0600001" not in str(found.to_detail())
    assert "Ann" not in str(found.to_detail())
    (other,) = exceptions_of({**body, "id": "e-10", "detail": None}, KNOWN)
    assert (other.domain, other.part != found.part) == ("unknown", True)


def site(kind: str, **detail: Any) -> dict[str, Any]:
    """A site's own event."""
    return {"id": "e-2", "source": "exstream", "detail-type": kind, "detail": {"domain": "retail", **detail}}


def test_a_composers_failure_is_its_jobs_and_names_nobody() -> None:
    (found,) = exceptions_of(FAILED, KNOWN)
    assert (found.code, found.severity, found.domain, found.run_id) == (
        "composition_failed",
        "error",
        "retail",
        "a1f0",
    )
    assert found.customers == "12"
    assert not {"C0600001", "c1@example.com"} & set(json.dumps(found.to_detail()).split('"'))


@pytest.mark.parametrize(
    ("body", "code", "severity", "customers", "run"),
    [
        (site("Composition Failed", severity="severe", run_id="r-1"), "composition_failed", "severe", "", "r-1"),
        (site("Compliance Exception", queue="Hold", customers_in_run=[3, 1, 2]), "compliance_exception", "error",
         "1-3", "event-e-2"),
        (site("Missing Data", customers_in_run="2,7,14-50", severity="loud"), "missing_data", "error",
         "2,7,14-50", "event-e-2"),
        (site("Missing Data", run_id=20261124), "missing_data", "error", "", "20261124"),
        (site("Missing Data", run_id="not a run!", customers_in_run="nobody"), "missing_data", "error", "",
         "event-e-2"),
    ],
)  # fmt: skip
def test_a_sites_events(body: dict[str, Any], code: str, severity: str, customers: str, run: str) -> None:
    (found,) = exceptions_of(body, KNOWN)
    assert (found.code, found.severity, found.customers, found.run_id) == (code, severity, customers, run)


@pytest.mark.parametrize(
    ("detail", "run"),
    [
        ({"run_id": "r-1", "exstreamJob": {"communicationId": "COM-1", "campaignId": "CMP-1"}}, "r-1"),
        ({"exstreamJob": {"communicationId": "COM-1", "campaignId": "CMP-1"}}, "COM-1"),
        ({"exstreamJob": {"communicationId": None, "campaignId": "CMP-1"}}, "CMP-1"),
        ({"exstreamJob": {"communicationId": "no run!", "campaignId": "CMP-1"}}, "CMP-1"),
        ({"exstreamJob": {}}, "event-e-2"),
        ({"exstreamJob": "CMP-1"}, "event-e-2"),
    ],
)
def test_an_event_belongs_to_the_run_that_it_names_else_to_its_job(detail: dict[str, Any], run: str) -> None:
    (found,) = exceptions_of(site("Missing Data", **detail), KNOWN)
    assert found.run_id == run


@pytest.mark.parametrize(
    ("run", "text"),
    [
        ("r-1", "Missing Data"),
        ("", "Missing Data"),
        ("run 2026/11/24", "Missing Data; its run id is none: run …#"),
        ("Smith 7", "Missing Data; its run id is none: …#"),
    ],
)
def test_an_event_with_a_name_that_no_run_has_says_so(run: str, text: str) -> None:
    (found,) = exceptions_of(site("Missing Data", run_id=run), KNOWN)
    assert found.text.startswith(text)
    assert (found.text == "Missing Data") == (run in ("r-1", ""))
    assert "mith" not in str(found.to_detail())


def test_a_sites_words_are_masked() -> None:
    told = site("Missing Data", text="No e-mail for John Smith", code="Smith_MD7", queue="Hold_Smith", id="x")
    (found,) = exceptions_of(told, KNOWN)
    assert found.samples == (WITHHELD,)
    assert found.text.startswith("Missing Data …")
    assert "mith" not in str(found.to_detail())


def test_an_exception_in_our_form_that_another_system_raises_is_masked_too() -> None:
    detail: dict[str, Any] = {
        "code": "Ann_Lee",
        "severity": "error",
        "domain": "retail",
        "run_id": "r-1",
        "text": "Ann Lee moved",
    }
    detail |= {"part": "ann.dat", "samples": ["Ann Lee"], "queue": "Ann"}
    body = {"id": "e-3", "source": "exstream", "detail-type": "Exception Raised", "detail": detail}
    (found,) = exceptions_of(body, KNOWN)
    assert (found.samples, found.run_id) == ((WITHHELD,), "r-1")
    assert not {"Ann", "ann", "Lee"} & set(re.findall(r"[A-Za-z]+", str(found.to_detail())))
    (ours,) = exceptions_of(body | {"source": "exnotify"}, KNOWN)
    assert ours.text == "Ann Lee moved"


@pytest.mark.parametrize(
    "said",
    [
        {"customers": "all"}, {"customers": "9-3"}, {"customers": "1-999999999"}, {"customers": 5},
        {"customers_in_run": [-1, 0, 10**20]}, {"customers_in_run": [10**20]}, {"count": -5}, {"count": 10**30},
        {"count": "many"}, {"domain": ""}, {"domain": "x" * 3000}, {"run_id": "r\0"}, {"run_id": {}},
        {"code": "é" * 900}, {"code": None}, {"part": "é" * 900}, {"part": "p" * 3000}, {"severity": "worst"},
        {"team": "ops\r\nBcc: a@example.com"}, {"said_at": "9999-12-31"}, {"cured_by_rerun": "no"},
        {"detail": {"a": "b" * 200_000}}, {"source": "0/0"}, {"content": "x"}, {"evil": 1}, {"text": []},
    ],
)  # fmt: skip
def test_an_exception_that_another_system_raises_can_be_stored_told_and_added_up(
    said: dict[str, Any],
) -> None:
    detail = {"code": "EX001234E", "severity": "error", "domain": "retail", "run_id": "r-1", "text": "x"}
    body = {"id": "e-3", "source": "exstream", "detail-type": "Exception Raised", "detail": detail | said}
    (found,) = exceptions_of(body, KNOWN)
    assert 0 < found.count < 10**9
    assert all(0 < first <= last <= HIGHEST for first, last in from_text(found.customers))
    keys = (found.code, found.part, found.domain, found.run_id)
    assert all(key and key.isprintable() and len(key.encode()) <= 256 for key in keys)
    assert len(f"{found.code}#{found.part}".encode()) <= 1024
    unsaid = (found.team, found.said_at, found.source, found.content, found.cured_by_rerun, found.detail)
    assert unsaid == ("", "", "", "", False, {})
    assert exceptions_of(body | {"detail": None}, KNOWN)[0].code == "event_unusable"
    (gone,) = exceptions_of(body | {"detail": detail | {"count": 0}}, KNOWN)
    assert gone.count == 0


@pytest.mark.parametrize(
    ("detail", "severity"),
    [
        ({"severity": "FATAL"}, "severe"),
        ({"severity": "Warn"}, "warning"),
        ({"severity": "warning", "code": "EX002608S"}, "severe"),
        ({"severity": "warning", "text": "EX002608S (11) Engine stopped"}, "severe"),
        ({"severity": "info", "code": "EX004120E"}, "error"),
        ({"severity": "severe", "code": "EX003004W"}, "severe"),
        ({"severity": "warning", "text": "see EX002608S"}, "warning"),
        ({"code": "EX003004W"}, "error"),
    ],
)
def test_an_events_severity_is_never_less_than_its_codes(detail: dict[str, Any], severity: str) -> None:
    (found,) = exceptions_of(site("Composition Failed", **detail), KNOWN)
    assert found.severity == severity


def test_what_is_no_exception_is_something_else() -> None:
    assert exceptions_of({"look": {"kind": "incident", "name": "x"}}, KNOWN) == []
    assert look_of({"look": {"kind": "incident", "name": "x"}}) == ("incident", "x")
    done = {"detail-type": "Run Dispatched", "detail": {"domain": "retail", "run_id": "r"}}
    assert exceptions_of(done, KNOWN) == []


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("drop/retail/run-1/a.dat", ("retail", "run-1", "a.dat")),
        ("drop/retail/run-1/My%20Messages.dat", ("retail", "run-1", "My%20Messages.dat")),
        ("drop/retail/run-1/My Messages+.dat", ("retail", "run-1", "My Messages+.dat")),
        ("drop/retail/run-1/output/Queue/a.dat", None),
        ("drop/retail/run-1/output/Queue/table.csv", None),
        ("drop/retail/run-1/output/account_summary.xml", None),
        ("drop/retail/run-1/output/TrackingReport.dat", None),
        (
            "drop/retail/run-1/logs/ExstreamMessages.DAT.gz",
            ("retail", "run-1", "logs/ExstreamMessages.DAT.gz"),
        ),
        ("drop/retail/run-1/a/b/exceptions.psv", ("retail", "run-1", "a/b/exceptions.psv")),
        ("drop/retail/run-1/logs/run.summary.txt", ("retail", "run-1", "logs/run.summary.txt")),
        ("drop/retail/run-1/logs/JobSummary.xml", ("retail", "run-1", "logs/JobSummary.xml")),
        ("drop/retail/run-1/logs/messages_7.xml", ("retail", "run-1", "logs/messages_7.xml")),
        ("drop/retail/run-1/logs/ErrorReport.csv", ("retail", "run-1", "logs/ErrorReport.csv")),
        ("drop/retail/run-1/", None),
    ],
)
def test_a_file_belongs_to_the_run_whose_folder_it_lies_in(key: str, found: Any) -> None:
    assert file_of({"detail": {"object": {"key": key}}}, SPEAKS) == found


@pytest.mark.parametrize(
    ("key", "code", "folder"),
    [
        ("drop/re tail/run-1/a.dat", "name_unusable", "drop/re tail/run-1/"),
        ("drop/retail/23%2E1/x.index.csv", "name_unusable", "drop/retail/23%2E1/"),
        ("drop/retail/x.csv", "drop_misplaced", "drop/retail/"),
        ("drop/a.dat", "drop_misplaced", "drop/"),
        ("x.csv", "drop_misplaced", "drop bucket"),
        ("Drop/retail/run-1/x.index.csv", "drop_misplaced", "Drop/retail/run-1/"),
        ("drop/retail/run-1/sub/x.INDEX.txt", "drop_misplaced", "drop/retail/run-1/sub/"),
    ],
)
def test_a_file_where_no_run_has_one_is_reported_with_its_folder(key: str, code: str, folder: str) -> None:
    with pytest.raises(Unusable) as unusable:
        file_of({"detail": {"object": {"key": key}}}, SPEAKS)
    assert (unusable.value.code, unusable.value.place) == (code, folder)


def test_the_event_file_is_one() -> None:
    (path,) = (Path(__file__).parents[2] / "events").glob("uc5_exception_raised.json")
    (record,) = json.loads(path.read_text("utf-8"))["Records"]
    assert exceptions_of(json.loads(record["body"]), KNOWN)[0].code == "customers_missing"


# --- jobs of a cloud-native site -------------------------------------------------------------------


def job(detail: dict[str, Any], kind: str = "Exstream-Job", event: str = "e-7") -> list[ExceptionRaised]:
    """What an event of the orchestration tells."""
    return exceptions_of({"id": event, "source": "exstream", "detail-type": kind, "detail": detail}, KNOWN)


@pytest.mark.parametrize(
    ("detail", "code", "run"),
    [
        ({"domain": "retail", "externalId": "r-1", "jobId": "j1", "status": "error"}, "job_failed", "r-1"),
        ({"exstreamJob": {"domain": "retail", "communicationId": "a1f0", "status": "Error"}}, "job_failed", "a1f0"),
        ({"domain": "retail", "job": {"id": "j1", "externalId": "r-1", "status": "canceled"}}, "job_canceled", "r-1"),
        ({"domain": "retail", "externalId": "not a run!", "jobId": "j1", "status": "failed"}, "job_failed", "j1"),
        ({"domain": "retail", "jobId": 77, "status": "failed"}, "job_failed", "77"),
        ({"flowInstance": {"domain": "retail", "id": "f1", "steps": [{"status": "error"}]}}, "step_failed", "f1"),
        ({"domain": "retail", "flowInstance": {"flowInstanceId": "f1", "status": "ERROR"}}, "job_failed", "f1"),
        ({"domain": "retail", "flowInstance": {"status": "error"}}, "job_failed", "event-e-7"),
    ],
)  # fmt: skip
def test_a_job_that_did_not_succeed_is_an_exception_of_its_run(
    detail: dict[str, Any], code: str, run: str
) -> None:
    (found,) = job(detail)
    assert (found.code, found.severity, found.domain, found.run_id) == (code, "error", "retail", run)
    assert [found] == job(detail, event="e-7")
    assert found.part == job({**detail}, event="e-8")[0].part


@pytest.mark.parametrize("status", ["uninitialized", "started", "waiting", "holding", "complete", "deleted"])
def test_a_job_that_runs_or_succeeded_raises_nothing(status: str) -> None:
    assert job({"domain": "retail", "externalId": "r-1", "status": status}) == []
    assert job({"exstreamJob": {"domain": "retail", "status": status}}, "Exstream-Generated") == []
    steps = [{"name": "Compose", "status": status, "messages": ["EX000123S (13) stop"]}]
    assert job({"domain": "retail", "flowInstance": {"status": "complete", "flowSteps": steps}}) == []


def test_a_step_that_failed_is_named_with_what_its_messages_say() -> None:
    steps = [
        {"name": "Compose", "status": "complete", "messages": ["EX003004W (4) Color"]},
        {
            "name": "Package PDF", "status": "error",
            "messages": [
                "EX004120E (12) Required field is empty", "EX004120E (14) Required field is empty",
                {"code": "EX000123", "severity": "Severe", "text": "Run stopped", "customer": 13}, "EX000001I started",
            ],
        },
        {"name": "Deliver", "status": "canceled"},
    ]  # fmt: skip
    detail = {
        "domain": "retail",
        "externalId": "r-1",
        "flowInstance": {"status": "error", "flowSteps": steps},
    }
    found = {e.code: e for e in job(detail)}

    assert found.keys() == {"step_failed", "step_canceled", "EX004120E", "EX000123S"}
    assert (found["step_failed"].text, found["step_failed"].detail) == (
        "step PackagePDF failed",
        {"step": "PackagePDF"},
    )
    assert (found["EX004120E"].count, found["EX004120E"].customers) == (2, "12,14")
    assert (found["EX000123S"].severity, found["EX000123S"].customers) == ("severe", "13")
    assert {e.run_id for e in found.values()} == {"r-1"}
    again = {(e.code, e.part) for e in job(detail, event="e-99")}
    assert again == {(e.code, e.part) for e in found.values()}


def test_a_composers_failure_that_names_its_steps_is_told_by_step() -> None:
    steps = [{"name": "Compose", "status": "error"}]
    detail = {
        "exstreamJob": {"domain": "retail", "communicationId": "a1f0", "status": "error"},
        "flowSteps": steps,
    }
    assert [(e.code, e.run_id) for e in job(detail, "Exstream-Job-Failed")] == [("step_failed", "a1f0")]


def test_a_message_that_a_job_and_its_step_say_counts_once() -> None:
    said = ["EX004120E (12) Required field is empty"]
    steps = [{"name": "Compose", "status": "error", "messages": said} for _ in range(2)]
    detail = {"domain": "retail", "externalId": "r-1", "status": "error", "messages": said, "steps": steps}
    found = job(detail)
    assert len({(e.code, e.part) for e in found}) == len(found) == 5
    reports = [Report(e, "", "") for e in found if e.code == "EX004120E"]
    assert added_up(Head("i", "retail", "r-1", "operations", "f"), reports).count == 1


def test_what_exstream_says_of_customers_without_being_named_for_it_is_told() -> None:
    body = {"id": "e-1", "source": "exstream", "detail-type": "Exstream-Email-OPEN"}
    detail = {"exstreamJob": {"domain": "retail", "status": "complete"}}
    assert [e.code for e in exceptions_of({**body, "detail": detail}, KNOWN)] == ["source_unnamed"]
    paid = {"domain": "retail", "status": "failed"}
    other = {"id": "e-1", "source": "crm", "detail-type": "Payment Received", "detail": paid}
    assert [e.code for e in exceptions_of(other, KNOWN)] == ["source_unnamed"]


def test_nothing_personal_of_a_job_gets_out() -> None:
    detail = {
        "domain": "retail", "externalId": "r-1", "status": "error", "message": "Customer John Smith <j@example.com>",
        "user": {"status": "error", "CustomerEmail": "c1@example.com"},
    }  # fmt: skip
    (found,) = job(detail)
    assert not {"Smith", "example.com"} & set(str(found.to_detail()).replace("@", " ").split())


def test_the_event_file_of_a_flow_step_is_one() -> None:
    path = Path(__file__).parents[2] / "events" / "uc5_flow_step_failed.json"
    (record,) = json.loads(path.read_text("utf-8"))["Records"]
    assert {e.code for e in exceptions_of(json.loads(record["body"]), KNOWN)} == {"step_failed", "EX004120E"}


def test_steps_of_one_name_are_told_apart_by_their_number() -> None:
    steps = [{"name": "Send", "status": "error"} for _ in range(3)]
    detail = {
        "domain": "retail",
        "externalId": "r-1",
        "flowInstance": {"status": "error", "flowSteps": steps},
    }
    assert [(e.text, e.part) for e in job(detail)] == [
        ("step Send failed", "step Send"),
        ("step Send failed", "step Send 2"),
        ("step Send failed", "step Send 3"),
    ]
