"""What came late, or was corrected, closes its incident; nothing else does."""

import gzip
import json
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised, FileRead, mark
from exstream_notify.domain.incident_states import resolved
from exstream_notify.domain.incidents import Incident, IncidentStatus
from exstream_notify.domain.runs import Control, Run, RunNews, RunState
from exstream_notify.use_cases.alert_exceptions import change_incident
from exstream_notify.use_cases.settle_reports import NAMED_MOST, FileReports, settle_arrival, settle_run
from tests.fakes import FakeExceptionBus, a_document
from tests.use_cases.world import World

RULES = YamlRules()
ALERTING = ("incidents.", "due.", "records.", "exceptions.", "staging.", "runs.")
WHEN: tuple[Literal["before", "after"], ...] = ("before", "after")
OPEN, RESOLVED = IncidentStatus.OPEN, IncidentStatus.RESOLVED


def world() -> World:
    """A world on the rules that ship."""
    return World(site_rules=RULES)


def read(here: World, name: str, data: str | bytes, run_id: str = "run-1") -> None:
    """A file lands in a run's folder a minute after what was before, and is read."""
    here.clock.advance(seconds=60)
    here.folder(run_id).modified[name] = here.clock.now().isoformat(timespec="seconds")
    here.read_file(name, data.encode() if isinstance(data, str) else data, run_id)
    here.drain()


def only(here: World, team: str = "operations") -> Incident:
    """The one incident of a team."""
    (found,) = [i for i in here.incidents.all() if i.team == team and i.domain != "alerts"]
    return found


def test_codes_that_a_corrected_file_reports_no_more_are_taken_back() -> None:
    here = world()
    read(here, "a.dat", "EX004120E (3) empty\nEX005000E (4) empty\n")
    read(here, "b.dat", "EX004120E (9) empty\n")
    assert only(here).count == 3

    read(here, "a.dat", "EX005000E (4) empty\n")
    assert (only(here).codes, only(here).count) == (("EX004120E", "EX005000E"), 2)
    assert only(here).late == ((4, 4), (9, 9))
    read(here, "a.dat", "EX005000I (4) filled\n")
    assert only(here).status == OPEN
    read(here, "b.dat", "EX000000I fine\n")
    assert only(here).status == RESOLVED
    assert any(e["why"] == "its file was read again" for e in only(here).head.history if "why" in e)


def test_a_summary_and_a_delivery_report_are_corrected_too() -> None:
    here = world()
    read(here, "run.summary.txt", "customers=3 errors=2 exit=12\n")
    report = "EmailErrorReport.csv"
    read(here, report, "account|method|status\n1|email|FAILED\n")
    assert {i.family: i.status for i in here.incidents.all()} == {"composition": OPEN, "delivery": OPEN}

    read(here, "run.summary.txt", "customers=3 errors=0 exit=0\n")
    read(here, report, "account|method|status\n1|email|SUCCESS\n")
    found = {i.family: i.status for i in here.incidents.all()}
    assert (found["composition"], found["delivery"]) == (RESOLVED, RESOLVED)


@pytest.mark.parametrize(("number", "told"), [(NAMED_MOST, 1), (NAMED_MOST + 1, 0)])
def test_a_file_with_more_reports_than_an_event_can_name_takes_nothing_back(number: int, told: int) -> None:
    bus = FakeExceptionBus()
    reports = FileReports(bus, "retail", "run-1", "a.dat", "")
    reports.raise_exceptions(
        [ExceptionRaised(f"EX{n:06d}S", "severe", "retail", "run-1", "x") for n in range(number)]
    )
    reports.at_end()
    assert len(bus.read) == told
    assert all(len(json.dumps(asdict(read))) < 240_000 for read in bus.read)


def test_a_reading_of_an_older_version_that_ends_last_takes_nothing_back_and_adds_nothing() -> None:
    here = world()
    read(here, "a.dat", "EX004120E (3) empty\n")
    (before,) = [e for e in here.exceptions.raised if e.code == "EX004120E"]
    read(here, "a.dat", "EX005000E (4) empty\n")
    older = "2000-01-01T00:00:00+00:00"
    here.exceptions.raise_exceptions([before])
    here.exceptions.file_read(FileRead("retail", "run-1", mark("a.dat"), (before.source,), older))
    here.drain()
    assert (only(here).codes, only(here).count, only(here).status) == (("EX005000E",), 1, OPEN)


def test_a_corrected_seal_ends_what_was_said_of_the_refused_one() -> None:
    here = world()
    here.drop("run-1", a_document(1), documents=9)
    here.drain()
    assert only(here).codes == ("document_count_mismatch",)
    here.clock.advance(seconds=60)
    here.drop("run-1", a_document(1))
    here.drain()
    assert only(here).status == RESOLVED
    assert [str(a.what) for a in here.channels.alerts("operations")] == ["opened", "resolved"]


def test_a_corrected_seal_does_not_end_what_the_engine_said() -> None:
    here = world()
    read(here, "a.dat", "EX004120E (3) empty\n")
    here.folder("run-1").files.clear()
    here.drop("run-1", a_document(1), documents=9)
    here.drain()
    here.clock.advance(seconds=60)
    here.drop("run-1", a_document(1))
    here.drain()
    assert (only(here).status, only(here).count, only(here).late) == (OPEN, 1, ((3, 3),))


def test_a_seal_that_comes_late_ends_the_wait_for_it_whatever_it_says() -> None:
    here = world()
    here.due.wait("unsealed", "retail/run-1", here.clock.now() + timedelta(hours=4))
    here.wait_until(here.clock.now() + timedelta(hours=4, minutes=2))
    assert (only(here).codes, only(here).status) == (("run_not_sealed",), OPEN)
    here.drop("run-1", a_document(1), documents=9)
    here.drain()
    by_family = {i.family: i.status for i in here.incidents.all()}
    assert by_family == {"missing_run": RESOLVED, "composition": OPEN}


def test_a_run_that_held_itself_is_over_when_a_person_decides() -> None:
    for last in (Control.GO, Control.CANCEL):
        here = world()
        for number in range(4):
            here.runs.add_volume("retail", "", f"before-{number}", 1000)
        here.drop("run-1", a_document(1))
        here.drain()
        assert (only(here).codes, only(here).status) == (("volume_deviates",), OPEN)
        here.control("run-1", last)
        here.drain()
        assert only(here).status == RESOLVED


def test_a_refused_run_that_is_taken_and_held_is_not_refused_any_more() -> None:
    here = world()
    for number in range(4):
        here.runs.add_volume("retail", "", f"before-{number}", 1000)
    here.drop("run-1", a_document(1), documents=9)
    here.drain()
    here.clock.advance(seconds=60)
    here.drop("run-1", a_document(1))
    here.drain()
    by_family: dict[str, Any] = {i.family: i.status for i in here.incidents.all()}
    assert by_family == {"composition": RESOLVED, "volume": OPEN}


def test_a_file_that_cannot_be_read_to_its_end_takes_nothing_back() -> None:
    here = world()
    lines = "".join(f"EX000001E ({n}) empty\n" for n in range(1, 2000)) + "EX000002E (2000) empty\n"
    whole = gzip.compress(lines.encode())
    read(here, "a.dat.gz", whole)
    read(here, "a.dat.gz", whole[: len(whole) // 2])
    codes = {code for incident in here.incidents.all() for code in incident.codes}
    assert codes == {"EX000001E", "EX000002E", "messages_unreadable"}


def test_an_index_that_landed_late_and_was_removed_is_not_late_any_more() -> None:
    here = world()
    here.drop("run-1", a_document(1))
    here.drain()
    here.folder("run-1").files["more.index.jsonl"] = b"{}\n"
    here.landed("run-1", "index")
    here.drain()
    assert (only(here).codes, only(here).status) == (("index_after_seal",), OPEN)
    del here.folder("run-1").files["more.index.jsonl"]
    here.clock.advance(seconds=60)
    here.landed("run-1", "seal")
    here.drain()
    assert only(here).status == RESOLVED


def test_a_worker_that_dies_at_any_call_closes_it_all_the_same() -> None:
    def play(here: World) -> None:
        here.drop("run-1", a_document(1), documents=9)
        here.come_to_rest()
        here.drop("run-1", a_document(1))
        here.come_to_rest()

    rehearsal = world()
    rehearsal.drop("run-1", a_document(1), documents=9)
    rehearsal.come_to_rest()
    begun = rehearsal.wire.number
    rehearsal.drop("run-1", a_document(1))
    rehearsal.come_to_rest()
    told = [n for n, call in enumerate(rehearsal.wire.log, 1) if n > begun and call.startswith(ALERTING)]
    for number in told:
        for when in WHEN:
            here = world()
            here.wire.kill_at(number, when)
            play(here)
            assert here.kills == 1
            refused = next(i for i in here.incidents.all() if i.family == "composition")
            assert refused.status == RESOLVED, here.wire.killed_at


def resolve(here: World) -> None:
    """Somebody resolves the one incident."""
    at = here.clock.now().isoformat(timespec="seconds")
    change_incident(
        only(here).incident_id,
        lambda head, incident: resolved(head, at, "ann", incident.count),
        incidents=here.incidents,
        due=here.due,
        clock=here.clock,
    )
    here.wait_until(here.clock.now() + timedelta(minutes=10))


def test_a_corrected_file_with_other_customers_opens_what_was_resolved() -> None:
    here = world()
    read(here, "a.dat", "EX004120E (3) empty\nEX004120E (4) empty\n")
    resolve(here)
    read(here, "a.dat", "EX004120E (4) empty\n")
    assert only(here).status == RESOLVED, "nobody else is late"
    read(here, "a.dat", "EX004120E (9) empty\n")
    assert only(here).status == OPEN
    assert here.channels.alerts()[-1].rerun == ("-CUSTOMERLIST=9",)

    resolve(here)
    read(here, "a.dat", "EX004120E (9) empty\n")
    assert only(here).status == RESOLVED, "it was known"


def test_a_file_with_other_customers_opens_what_a_later_run_made_good() -> None:
    here = world()
    read(here, "a.dat", "EX004120E (3) empty\n")
    here.clock.advance(seconds=60)
    here.drop("run-1b", replace(a_document(3), customer_in_run=3), rerun_of="run-1")
    here.drain()
    assert only(here).status == RESOLVED
    read(here, "a.dat", "EX004120E (9) empty\n")
    assert (only(here).status, only(here).late) == (OPEN, ((9, 9),))


def test_the_history_says_what_was_taken_back_and_why_and_names_a_dozen_codes() -> None:
    here = world()
    lines = "".join(f"EX00{n:04}E ({n}) empty\n" for n in range(1001, 1016))
    read(here, "a.dat", lines)
    read(here, "a.dat", "EX001001E (1) empty\n")
    (entry,) = [e for e in only(here).head.history if e["what"].endswith("taken back")]
    codes = ", ".join(f"EX00{n}E" for n in range(1002, 1014))
    assert (entry["what"], entry["why"]) == (f"{codes} taken back", "its file was read again")
    assert entry["who"] == "alerts"


def test_what_is_taken_back_keeps_no_customer_and_no_sample() -> None:
    here = world()
    read(here, "a.dat", "".join(f"EX004120E ({n}) field empty\n" for n in range(1, 40)))
    found = only(here)
    read(here, "a.dat", "EX000000I fine\n")
    (row,) = here.incidents.reports(found.incident_id)
    left = row.exception
    assert (left.count, left.customers, left.customers_in_run, left.samples) == (0, "", (), ())


def test_a_run_that_came_takes_back_that_it_was_not_sealed() -> None:
    here = world()
    raised = ExceptionRaised("run_not_sealed", "error", "retail", "run-1", "no seal has come")
    here.exceptions.raise_exceptions([raised])
    here.drain()
    (found,) = here.incidents.all()
    at = here.clock.advance(seconds=60).isoformat(timespec="milliseconds")
    settle_arrival(RunNews("arrived", "retail", "run-2", at), here.alerting())
    assert here.incidents.all() == [found], "another run"
    settle_arrival(RunNews("arrived", "retail", "run-1", at), here.alerting())
    (after,) = here.incidents.all()
    (entry,) = [e for e in after.head.history if "taken back" in e["what"]]
    assert (entry["what"], entry["why"]) == ("run_not_sealed taken back", "the run came")


@pytest.mark.parametrize(
    ("state", "control", "over"),
    [
        ("waiting", "go", ()),
        ("refused", "go", ()),
        ("staged", "go", ("no_records", "run_not_sealed", "rejects_high")),
        ("dispatched", "cancel", ("no_records", "run_not_sealed", "rejects_high")),
        ("dispatched", "hold", ("no_records", "run_not_sealed")),
    ],
)
def test_what_kept_a_run_back_is_over_once_it_goes_on(
    state: str, control: str, over: tuple[str, ...]
) -> None:
    here = world()
    codes = ("no_records", "run_not_sealed", "rejects_high", "EX004120E")
    here.exceptions.raise_exceptions(
        [ExceptionRaised(code, "error", "retail", "run-1", "text") for code in codes]
    )
    here.drain()
    run = Run("retail", "run-1", RunState(state), control=Control(control), version=1)
    here.runs.put(run)
    at = here.clock.advance(seconds=60).isoformat(timespec="milliseconds")
    settle_run(RunNews("dispatched", "retail", "run-1", at), here.runs, here.alerting())
    reports = [r.exception for i in here.incidents.all() for r in here.incidents.reports(i.incident_id)]
    left = {e.code for e in reports if e.count and e.code in codes}
    assert left == set(codes) - set(over)
    settle_run(RunNews("dispatched", "retail", "unknown", at), here.runs, here.alerting())
