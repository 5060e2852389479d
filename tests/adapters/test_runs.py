"""The run book and the incidents keep their promises, in memory as in DynamoDB."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exstream_notify.adapters.dynamodb.channels import DynamoChannelBook
from exstream_notify.adapters.dynamodb.incidents import DynamoIncidents
from exstream_notify.adapters.dynamodb.runs import DynamoRuns
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.adapters.staging import S3Staging
from exstream_notify.domain.channels import ChannelState
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.expectations import Arrival
from exstream_notify.domain.incidents import Head, IncidentStatus, incident_id
from exstream_notify.domain.notices import Outcome
from exstream_notify.domain.pager import paged
from exstream_notify.domain.rollups import Bookmark
from exstream_notify.domain.runs import HISTORY_LENGTH, Control, DigestRow, RecordOutcome, Run, RunState
from exstream_notify.domain.work import Member, SendJob, SlicePointer
from exstream_notify.ports import Incidents
from tests.adapters.conftest import Books, Tables
from tests.fakes import FakeIncidents

_IDS = itertools.count(1)
_TEXT = st.text(max_size=8)
_COUNT = st.integers(0, 10**7)
RUNS = st.builds(
    Run,
    domain=st.just("retail"),
    run_id=st.just("x"),
    state=st.sampled_from(RunState),
    sealed=st.booleans(),
    control=st.sampled_from(Control),
    fingerprint=_TEXT,
    app=_TEXT,
    expected=_COUNT,
    composed=_COUNT,
    slices=_COUNT,
    parts=_TEXT,
    rejected=st.dictionaries(_TEXT, _COUNT, max_size=3),
    why=_TEXT,
    opened_at=_TEXT,
    changed_at=_TEXT,
    deadline=_TEXT,
    history=st.lists(st.dictionaries(_TEXT, _TEXT, max_size=2), max_size=2).map(tuple),
    version=st.just(1),
)


def a_run(**changes: Any) -> Run:
    """A run of an id never used."""
    return Run(
        **{"domain": "retail", "run_id": f"r{next(_IDS)}", "state": RunState.STAGED, "version": 1, **changes}
    )


def a_pointer(run: Run, number: int = 0) -> SlicePointer:
    """A slice of a run."""
    return SlicePointer(run.domain, run.run_id, number, "parts/x/00000.jsonl", number * 100, 100, 10, 1)


def a_job(run: Run, job_id: str = "j1", *notices: str) -> SendJob:
    """A job of a run."""
    members = tuple(Member(n, 1, waiting=("sms",)) for n in notices or ("a" * 32,))
    return SendJob(job_id, a_pointer(run), "email", "mail", False, members)


def said(position: int, outcome: Outcome = Outcome.NOTIFIED, version: int = 2) -> RecordOutcome:
    """What became of a record."""
    return RecordOutcome(0, position, outcome, "because", version, "n" * 32)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(run=RUNS)
def test_every_field_of_a_run_comes_back(books: Books, run: Run) -> None:
    run = replace(run, run_id=f"r{next(_IDS)}")

    assert books.runs.put(run)
    assert books.runs.get("retail", run.run_id) == run


def test_the_run_of_an_event_with_a_value_left_out_is_written(books: Books) -> None:
    class Bucket:
        def put_object(self, **_: Any) -> None:
            pass

    detail = {"domain": "retail", "customer_key": "C1", "document_type": "statement", "amount_due": "1.000"}
    staging = S3Staging(Bucket(), "work", "drop", YamlRules())
    _, staged = staging.stage_record("retail", "event-1", "parts/x/", {"detail": detail})
    run = replace(a_run(), left_out=staged.left_out)

    assert books.runs.put(run)
    assert books.runs.get("retail", run.run_id) == run
    assert list(run.left_out.values()) == [1]


def test_a_run_is_written_where_its_version_is_the_next(books: Books) -> None:
    first = a_run()
    second = replace(first, version=2, state=RunState.DISPATCHED)
    assert not books.runs.put(second)
    assert books.runs.put(first)
    assert not books.runs.put(first)
    assert books.runs.put(second)
    assert not books.runs.put(replace(second, why="too late"))
    assert books.runs.get("retail", first.run_id) == second
    assert books.runs.get("claims", first.run_id) is None
    assert books.runs.get("retail", "never") is None


def test_a_run_comes_with_whether_responses_by_document_are_kept_in_its_domain(books: Books) -> None:
    domain = f"d{next(_IDS)}"
    mine, other = a_run(domain=domain), a_run(domain=f"{domain}-2")
    assert books.runs.put(mine)
    assert books.runs.put(other)
    assert books.runs.with_early(domain, mine.run_id) == (mine, False)
    books.runs.keep_early(domain, datetime(2036, 1, 1, tzinfo=UTC))
    assert books.runs.with_early(domain, mine.run_id) == (mine, True)
    assert books.runs.with_early(domain, "unknown") == (None, True)
    assert books.runs.with_early(f"{domain}-2", other.run_id) == (other, False)


def test_that_responses_are_kept_is_never_forgotten_before_the_last_of_them_ends(tables: Tables) -> None:
    """A payment is kept for longer than an answer that comes after it."""
    runs, domain = DynamoRuns(tables.client, tables.runs), f"d{next(_IDS)}"
    ends = []
    for year in (2034, 2036, 2035):
        runs.keep_early(domain, datetime(year, 1, 1, tzinfo=UTC))
        key = {"pk": {"S": f"early#{domain}"}, "sk": {"S": "early"}}
        row = tables.client.get_item(TableName=tables.runs, Key=key)["Item"]
        ends.append(datetime.fromtimestamp(int(row["expires"]["N"]), UTC).year)
    assert ends == [2034, 2036, 2036]


def test_what_a_slice_or_a_job_says_replaces_what_it_said(books: Books) -> None:
    run = a_run()
    for outcome in (Outcome.IN_FLIGHT, Outcome.DEFERRED):
        books.runs.put_slice(a_pointer(run, 0), [said(1, outcome), said(2, outcome)])
        books.runs.put_slice(a_pointer(run, 1), [said(3, outcome)])
        books.runs.put_job(run.name, "job-1", [said(1, outcome, 3)])

    found = list(books.runs.outcomes("retail", run.run_id))
    assert [(o.position, o.outcome, o.version) for o in found] == [
        (1, "deferred", 2),
        (2, "deferred", 2),
        (3, "deferred", 2),
        (1, "deferred", 3),
    ]
    assert found[0] == said(1, Outcome.DEFERRED)


def test_slices_come_before_jobs_and_in_order(books: Books) -> None:
    run = a_run()
    books.runs.put_job(run.name, "0", [said(99)])
    for number in (11, 2, 100):
        books.runs.put_slice(a_pointer(run, number), [said(number)])

    assert [o.position for o in books.runs.outcomes("retail", run.run_id)] == [2, 11, 100, 99]


def test_what_teams_are_to_know_of_a_slice_is_kept_with_it(books: Books) -> None:
    run = a_run()
    row = DigestRow("opening", ("audit", "legal"), (1, 3))
    books.runs.put_slice(a_pointer(run, 0), [said(1)], [DigestRow("old", ("audit",), (1,))])
    books.runs.put_slice(a_pointer(run, 0), [said(1), said(3)], [row])
    books.runs.put_slice(a_pointer(run, 1), [said(4)])

    assert list(books.runs.digests("retail", run.run_id)) == [row]
    assert list(books.runs.digests("retail2", run.run_id)) == []


def test_runs_of_one_id_in_two_domains_do_not_meet(books: Books) -> None:
    run = a_run()
    other = replace(run, domain="retail2")
    for one in (run, other):
        assert books.runs.put(one)
        books.runs.put_slice(a_pointer(one), [said(1)])
        books.runs.park(a_job(one))

    for one in (run, other):
        assert books.runs.get(one.domain, one.run_id) == one
        assert len(list(books.runs.outcomes(one.domain, one.run_id))) == 1
        assert [p.job for p in books.runs.parked(one.domain, one.run_id)] == [a_job(one)]


def test_jobs_are_put_aside_and_taken_back(books: Books) -> None:
    run = a_run()
    jobs = [a_job(run), a_job(run, "j2"), a_job(run, "j1", "b" * 32)]
    for job in (*jobs, jobs[0]):
        books.runs.park(job)

    parked = books.runs.parked("retail", run.run_id)
    assert sorted((p.job for p in parked), key=repr) == sorted(jobs, key=repr)
    books.runs.unpark([p for p in parked if p.job != jobs[2]])
    assert [p.job for p in books.runs.parked("retail", run.run_id)] == [jobs[2]]
    assert list(books.runs.outcomes("retail", run.run_id)) == [], "a job put aside is no outcome"


def test_a_job_put_aside_again_is_not_forgotten_with_the_time_before(books: Books) -> None:
    run = a_run()
    books.runs.park(a_job(run))
    before = books.runs.parked("retail", run.run_id)
    books.runs.park(a_job(run))
    books.runs.unpark(before)
    again = books.runs.parked("retail", run.run_id)
    assert [p.job for p in again] == [a_job(run)]
    books.runs.unpark(again)
    books.runs.unpark(again)
    assert books.runs.parked("retail", run.run_id) == []


def test_the_last_volumes_are_remembered_by_kind(books: Books) -> None:
    domain = f"d{next(_IDS)}"
    assert books.runs.volumes(domain, "billing") == []
    for number in range(HISTORY_LENGTH + 3):
        books.runs.add_volume(domain, "billing", f"r{number}", number)
    books.runs.add_volume(domain, "billing", f"r{HISTORY_LENGTH + 1}", 777)

    volumes = books.runs.volumes(domain, "billing")
    assert len(volumes) == HISTORY_LENGTH
    assert volumes[-2:] == [HISTORY_LENGTH + 2, 777]
    assert books.runs.volumes(domain, "letters") == []


def test_a_run_is_found_by_its_id_alone(tables: Tables) -> None:
    runs = DynamoRuns(tables.client, tables.runs)
    one = a_run()
    other = replace(one, domain="claims")
    for run in (one, other):
        runs.put(run)
        runs.put_slice(a_pointer(run), [said(1)])

    assert sorted(runs.find(one.run_id), key=lambda r: r.domain) == [other, one]
    assert runs.find("never") == []


# --- incidents -------------------------------------------------------------------------------------


def test_reports_of_one_cause_are_one_incident(tables: Tables) -> None:
    incidents = DynamoIncidents(tables.client, tables.incidents)
    first = ExceptionRaised(
        "no_channel",
        "warning",
        "retail",
        "run-1",
        "first",
        "slice 1",
        2,
        (9, 7),
        customers="1-3,8",
        cured_by_rerun=True,
    )
    second = replace(
        first,
        part="slice 2",
        severity="error",
        count=3,
        customers_in_run=(7, 11),
        customers="",
        text="second",
    )
    found = incident_id("retail", "run-1", "unreached", "compliance")
    head = Head(
        found, "retail", "run-1", "compliance", "unreached", version=1, covered_by=(("run-2", "1-2"),)
    )
    for exception, at in ((first, "2026-11-20T15"), (second, "2026-11-20T16"), (first, "2026-11-20T17")):
        incidents.record(found, exception, at)
    assert incidents.save(head)

    (incident,) = incidents.of_run("retail", "run-1")
    assert incident == incidents.get(found)
    assert (incident.team, incident.family, incident.severity) == ("compliance", "unreached", "error")
    assert (incident.count, incident.customers) == (5, ((1, 3), (7, 9), (11, 11)))
    assert incident.late == ((3, 3), (7, 9), (11, 11))
    assert (incident.first_seen, incident.last_seen) == ("2026-11-20T15", "2026-11-20T17")
    assert set(incident.texts) == {"first", "second"}
    assert incident.codes == ("no_channel",)


def test_channels_are_kept_beside_incidents_and_are_none(tables: Tables) -> None:
    book = DynamoChannelBook(tables.client, tables.incidents)
    state = ChannelState("it.x", "slack", "a1", sent_at="2026-11-20T15", failures=2, why="HTTP 404")
    book.save(state)
    assert book.states()["it.x", "slack"] == state
    book.save(replace(state, failures=0, why=""))
    later = DynamoChannelBook(tables.client, tables.incidents)
    assert later.states() == {("it.x", "slack"): replace(state, failures=0, why="")}
    assert all(
        one.incident_id != ".channels" for one in DynamoIncidents(tables.client, tables.incidents).all()
    )


def test_a_head_keeps_its_pages_and_what_took_its_alerts(tables: Tables) -> None:
    incidents = DynamoIncidents(tables.client, tables.incidents)
    found = incident_id("retail", "run-pages", "engine", "it")
    head = paged(
        Head(found, "retail", "run-pages", "it", "engine", version=1, took=("1 sms 0a1b2c3d",)),
        "it.x",
        "trigger",
    )
    assert incidents.save(head)
    assert incidents.head(found) == head


def test_a_head_keeps_the_times_at_which_it_came_back(tables: Tables) -> None:
    incidents = DynamoIncidents(tables.client, tables.incidents)
    head = Head(
        "5" * 32,
        "retail",
        "run-flaps",
        "it",
        "engine",
        version=1,
        told_codes=("engine_error",),
        returned=("2026-11-20T15:00:00+00:00", "2026-11-20T16:00:00+00:00"),
        settled="1-3",
    )
    assert incidents.save(head)
    assert incidents.head(head.incident_id) == head


def test_a_head_is_written_where_nobody_wrote_in_between(tables: Tables) -> None:
    incidents = DynamoIncidents(tables.client, tables.incidents)
    head = Head("1" * 32, "retail", "run-2", "it", "engine", version=1, history=({"at": "now", "what": "x"},))

    assert incidents.save(head)
    assert not incidents.save(head)
    assert incidents.head("1" * 32) == head
    assert incidents.save(replace(head, version=2, alerts=1))
    assert not incidents.save(replace(head, version=2))


def test_only_what_is_not_resolved_is_open_in_its_domain(tables: Tables) -> None:
    incidents = DynamoIncidents(tables.client, tables.incidents)
    mine = Head("2" * 32, "open-ones", "run-3", "it", "engine", version=1)
    incidents.save(mine)
    incidents.save(Head("3" * 32, "others", "run-3", "it", "engine", version=1))
    assert incidents.open_in("open-ones") == ["2" * 32]

    incidents.save(replace(mine, version=2, status=IncidentStatus.RESOLVED))
    assert incidents.open_in("open-ones") == []


def test_a_run_that_came_is_found_on_its_days(books: Books) -> None:
    came = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
    hour = timedelta(hours=1)
    books.runs.arrived("arrivals", "run-1", "", came)
    # A seal that comes later names its application.
    books.runs.arrived("Arrivals", "run-1", "BILLING", came + timedelta(seconds=30))

    (run,) = books.runs.arrivals("arrivals", came - hour, came + hour)
    assert run == Arrival("run-1", "BILLING", came)
    assert books.runs.arrivals("arrivals", came + hour, came + 2 * hour) == []
    assert books.runs.arrivals("elsewhere", came - hour, came + hour) == []

    books.runs.came_late("ARRIVALS", run, "arrivals/billing/2026-11-20T06:00:00+00:00")
    books.runs.came_late("arrivals", run, "arrivals/other/2026-11-20T06:00:00+00:00")
    books.runs.arrived("arrivals", "run-1", "CARDS", came)
    (run,) = books.runs.arrivals("arrivals", came, came)
    assert run.app == "CARDS"
    assert {name.split("/")[1] for name in run.late_for} == {"billing", "other"}


def test_what_waits_is_due_by_kind_and_a_first_time_can_be_kept(books: Books) -> None:
    at = datetime(2031, 5, 1, 12, tzinfo=UTC)
    books.due.wait("incident", "4" * 32, at)
    books.due.wait("unsealed", "retail/run-9", at)
    books.due.wait("unsealed", "retail/run-9", at + timedelta(days=1), keep=True)

    found = list(books.due.due(at, at))
    looks = books.due.waiting(found)
    assert sorted((kind, name) for _, kind, name in looks) == [
        ("incident", "4" * 32),
        ("unsealed", "retail/run-9"),
    ]
    assert books.due.runs_due(found) == []
    books.due.forget([key for key, _, _ in looks], at)
    assert list(books.due.due(at, at)) == []


def test_a_run_is_open_until_it_is_settled_and_again_when_it_is_written(books: Books) -> None:
    run = a_run(changed_at="2026-11-25T15:00:00+00:00")
    assert books.runs.put(run)
    assert run in list(books.runs.open())
    books.runs.settle(run)
    assert run not in list(books.runs.open())
    after = replace(run, version=2)
    assert books.runs.put(after)
    # Whoever looked at the older version does not close the newer.
    books.runs.settle(run)
    assert after in list(books.runs.open())


def test_a_cause_over_several_runs_is_an_incident_of_each_of_them(tables: Tables) -> None:
    incidents = DynamoIncidents(tables.client, tables.incidents)
    found = incident_id("all", "email-1", "provider", "operations")
    for run in ("down-1", "down-2"):
        raised = ExceptionRaised("provider_down", "warning", "retail", run, "down", f"retail/{run} slice 0")
        incidents.record(found, raised, "2026-11-20T15")
    incidents.save(Head(found, "all", "email-1", "operations", "provider", version=1))

    for run in ("down-1", "down-2"):
        assert [i.incident_id for i in incidents.of_run("retail", run)] == [found]
    assert not list(incidents.of_run("cards", "down-1"))


def test_a_bookmark_is_written_where_nobody_wrote_in_between_and_is_no_incident(tables: Tables) -> None:
    incidents = DynamoIncidents(tables.client, tables.incidents)
    assert incidents.bookmark("storm it") == Bookmark("storm it")

    mark = Bookmark("storm it", 1, "storm-1", "2026-11-20T15", sent=("2026-11-20T15", "2026-11-20T16"))
    assert incidents.save_bookmark(mark)
    assert not incidents.save_bookmark(mark)
    assert incidents.bookmark("storm it") == mark
    assert incidents.save_bookmark(replace(mark, version=2, ended="2026-11-20T17"))
    assert all(incident.domain != "storm it" for incident in incidents.all())


@pytest.mark.parametrize("store", ["memory", "table"])
def test_a_report_said_before_what_is_stored_never_takes_its_place(tables: Tables, store: str) -> None:
    incidents: Incidents = (
        FakeIncidents() if store == "memory" else DynamoIncidents(tables.client, tables.incidents)
    )
    found, at = uuid4().hex, "2026-11-20T15:00:00+00:00"

    def recorded(count: int, said_at: str, part: str = "a.dat") -> bool:
        raised = ExceptionRaised("EX1", "error", "retail", "r", "x", part=part, count=count, said_at=said_at)
        return incidents.record(found, raised, at)

    assert recorded(1, "2026-11-20T14:00:02+00:00")
    assert not recorded(9, "2026-11-20T14:00:01+00:00")
    assert recorded(1, "2026-11-20T14:00:02+00:00"), "a redelivery"
    assert recorded(2, "2026-11-20T14:00:03+00:00")
    assert not recorded(1, "2026-11-20T14:00:02+00:00")
    assert recorded(5, "", part="b.dat"), "without a time, it is said when it is recorded"
    assert not recorded(6, "2026-11-20T14:59:59+00:00", part="b.dat")
    assert sorted(r.exception.count for r in incidents.reports(found)) == [2, 5]


def test_what_later_runs_composed_is_kept_with_the_head(tables: Tables) -> None:
    incidents = DynamoIncidents(tables.client, tables.incidents)
    head = Head(uuid4().hex, "retail", "r", "it", "engine", version=1)
    head = replace(
        head,
        covered_by=(("run-2", "7-8"),),
        remade_by="run-2",
        unnamed=2,
        end=100,
        ack_until="2026-11-20T15:00:00+00:00",
    )
    assert incidents.save(head)
    assert incidents.head(head.incident_id) == head


def test_long_names_of_parts_are_kept_apart_within_a_sort_key(tables: Tables) -> None:
    """DynamoDB takes 1024 bytes, which are fewer characters."""
    incidents = DynamoIncidents(tables.client, tables.incidents)
    for end in ("a", "b", "b"):
        long = ExceptionRaised("é" * 60, "error", "retail", "r-1", "x", part="…" * 900 + end)
        assert incidents.record("1" * 32, long, "2026-11-20T15:00:00+00:00")
    assert [report.exception.part[-1] for report in incidents.reports("1" * 32)] in (["a", "b"], ["b", "a"])
