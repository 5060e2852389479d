"""Runs that the calendar expects: reported once where none came, settled when one comes late."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from exstream_notify.domain.due_days import DueDays, Holidays
from exstream_notify.domain.expectations import ExpectedRun
from exstream_notify.domain.incident_states import resolved
from exstream_notify.domain.incidents import IncidentStatus
from exstream_notify.use_cases.alert_exceptions import change_incident
from exstream_notify.use_cases.expect_runs import expect_runs, look_for_missing, missed_runs
from tests.fakes import FakeRules, a_document, a_rule
from tests.use_cases.world import World

BILLING = ExpectedRun("retail", "billing", (time(16),), "UTC", tolerance_minutes=30)


class ExpectingRules(FakeRules):
    """Rules that expect a run each day; a calendar of Atlantis fails."""

    expected_runs: tuple[ExpectedRun, ...] = (BILLING,)

    def is_day_off(self, holidays: Holidays, day: date) -> bool:
        """See `RunCalendar.is_day_off`."""
        if holidays.country == "XA":
            raise KeyError("Atlantis")
        return False


class Expecting:
    """A world at three in the afternoon of the 20th that expects runs; `until` goes on in it, each sweep
    laying deadlines as `release_due` does."""

    def __init__(self, *expected: ExpectedRun, refused: Sequence[str] = ()) -> None:
        rules = ExpectingRules(a_rule())
        rules.expected_runs = expected or (BILLING,)
        rules.refused_expectations = tuple(refused)
        self.rules = rules
        self.world = World(site_rules=rules)
        self.placed: set[str] = set()

    def until(self, day: int, hour: int, minute: int = 0) -> World:
        """Hour by hour until then."""
        end = datetime(2026, 11, day, hour, minute, tzinfo=UTC)
        while self.world.clock.now() < end:
            expect_runs(self.rules, self.placed, due=self.world.due, clock=self.world.clock)
            self.world.wait_until(min(end, self.world.clock.now() + timedelta(hours=1)))
        return self.world

    def drop(self, run_id: str, number: int, **seal: object) -> None:
        """A run comes."""
        self.world.drop(run_id, a_document(number), **seal)  # type: ignore[arg-type]
        self.world.drain()

    def missing(self) -> dict[str, IncidentStatus]:
        """The incidents of runs that did not come."""
        return {i.run_id: i.status for i in self.world.incidents.all() if i.family == "run_expected"}


def test_a_run_that_never_came_is_reported_once() -> None:
    play = Expecting()
    assert not play.until(20, 16, 29).exceptions.raised

    world = play.until(21, 12)
    (alert,) = world.channels.alerts()
    assert "billing: no run came by 16:00 UTC on 2026-11-20" in alert.text()


def test_one_that_came_is_not_whatever_became_of_it() -> None:
    play = Expecting()
    play.drop("run-1", 1, documents=9)
    assert play.world.run("run-1").state == "refused"
    assert "run_expected" not in play.until(20, 17).exceptions.codes


def test_yesterdays_run_that_comes_late_settles_yesterday_and_does_not_meet_today() -> None:
    play = Expecting()
    play.until(21, 6)
    assert play.missing() == {"expected-billing-2026-11-20": "open"}

    play.drop("run-1", 1)  # within today's window, which opened at four
    assert play.missing() == {"expected-billing-2026-11-20": "resolved"}

    play.until(21, 17)
    assert play.missing() == {
        "expected-billing-2026-11-20": "resolved",
        "expected-billing-2026-11-21": "open",
    }
    *_, alert = play.world.channels.alerts()
    assert "2026-11-21" in alert.text()


def test_todays_run_still_meets_today_after_a_late_one() -> None:
    play = Expecting()
    play.until(21, 6)
    play.drop("run-1", 1)
    play.until(21, 15)
    play.drop("run-2", 2)
    play.until(22, 15)
    assert play.missing() == {"expected-billing-2026-11-20": "resolved"}


def test_a_late_run_that_is_refused_has_come_too() -> None:
    play = Expecting()
    play.until(20, 17)
    play.drop("run-1", 1, documents=9)
    assert play.world.run("run-1").state == "refused"
    play.until(20, 18)
    assert play.missing() == {"expected-billing-2026-11-20": "resolved"}


def test_one_that_never_comes_costs_the_next_days_report_at_most() -> None:
    play = Expecting()
    for day in (21, 22, 23):
        play.until(day, 15)
        play.drop(f"run-{day}", day)
    play.until(24, 6)
    assert sorted(play.missing()) == ["expected-billing-2026-11-20", "expected-billing-2026-11-21"]
    (told,) = [e for e in play.world.exceptions.raised if e.run_id.endswith("21") and e.count]
    assert "run-21 came and counts as the one that was missing before" in told.text


def test_a_date_in_its_run_id_says_that_it_is_todays() -> None:
    play = Expecting()
    play.until(21, 15)
    play.drop("billing-2026-11-21", 1)
    play.until(22, 6)
    assert play.missing() == {"expected-billing-2026-11-20": "open"}


def test_after_somebody_resolved_it_a_run_is_todays() -> None:
    play = Expecting()
    world = play.until(20, 17)
    (incident,) = world.incidents.all()
    ports = {"incidents": world.incidents, "due": world.due, "clock": world.clock}
    change_incident(
        incident.incident_id,
        lambda head, i: resolved(head, "2026-11-20T17:00:00+00:00", "ann", i.count, "not needed"),
        **ports,  # type: ignore[arg-type]
    )
    play.until(21, 15)
    play.drop("run-1", 1)
    play.until(22, 6)
    assert play.missing() == {"expected-billing-2026-11-20": "resolved"}


def test_a_rerun_of_a_run_that_came_is_not_the_next_one() -> None:
    play = Expecting()
    play.drop("run-1", 1)
    play.until(21, 6)
    play.drop("run-1b", 2, rerun_of="retail/run-1")
    play.until(21, 17)
    assert play.missing() == {"expected-billing-2026-11-21": "open"}


def test_names_fit_in_any_case() -> None:
    play = Expecting(replace(BILLING, domain="Retail", run="RUN-*"))
    play.drop("run-1", 1)
    assert "run_expected" not in play.until(20, 17).exceptions.codes


def test_each_time_of_a_day_has_its_own_incident() -> None:
    play = Expecting(replace(BILLING, by=(time(16), time(18))))
    play.until(20, 19)
    assert sorted(play.missing()) == ["expected-billing-2026-11-20-1600", "expected-billing-2026-11-20-1800"]


def test_what_is_no_longer_expected_is_settled() -> None:
    play = Expecting()
    play.until(20, 17)
    play.rules.expected_runs = (replace(BILLING, days=DueDays(("mon",))),)
    play.until(20, 18)
    assert play.missing() == {"expected-billing-2026-11-20": "resolved"}


def test_a_deadline_that_was_moved_meanwhile_is_reported_once_at_the_new_time() -> None:
    play = Expecting()
    play.until(20, 16)
    play.rules.expected_runs = (replace(BILLING, by=(time(17),)),)
    assert not play.until(20, 17, 29).exceptions.raised
    assert [e.code for e in play.until(20, 18).exceptions.raised] == ["run_expected"]


def test_a_sweep_that_stops_for_a_day_loses_no_deadline() -> None:
    world = Expecting().until(20, 15, 1)
    world.wait_until(datetime(2026, 11, 22, 6, tzinfo=UTC), limit=1000)
    assert len(world.incidents.all()) == 2


def test_an_expectation_that_fails_holds_up_no_other_and_is_reported_once() -> None:
    atlantis = replace(BILLING, name="atlantis", days=DueDays(when_off="skip", holidays=Holidays("XA")))
    play = Expecting(atlantis, BILLING)
    world = play.until(20, 19)
    assert sorted({e.code for e in world.exceptions.raised}) == ["expectations_refused", "run_expected"]
    alerts = [a.text() for a in world.channels.alerts() if "atlantis" in a.text()]
    assert len(alerts) == 1
    assert "retail/atlantis: KeyError: 'Atlantis'" in alerts[0]

    play.rules.expected_runs = (BILLING,)
    play.until(20, 21)
    (incident,) = [i for i in world.incidents.all() if i.codes == ("expectations_refused",)]
    assert incident.status == "resolved"


def test_an_expectation_that_the_rules_refuse_is_reported() -> None:
    world = Expecting(refused=["domains.yaml line 3: expected.0.country: no"]).until(20, 17)
    assert {e.code for e in world.exceptions.raised} == {"expectations_refused", "run_expected"}


def test_a_calendar_in_order_says_nothing() -> None:
    play = Expecting()
    play.drop("run-1", 1)
    assert not play.until(20, 18).exceptions.raised


# --- what is said, and when it is looked at again --------------------------------------------------

WHEN = {"expected": "retail/billing", "deadline": "2026-11-20T16:30:00+00:00"}


def said(play: Expecting, code: str = "run_expected") -> list[tuple[str, int]]:
    """Texts and counts of a code's reports, in order."""
    return [(e.text, e.count) for e in play.world.exceptions.raised if e.code == code]


def test_a_missing_run_is_reported_with_its_day_time_zone_and_application() -> None:
    play = Expecting(replace(BILLING, app="letters", zone="America/New_York", by=(time(11),)))
    (e,) = play.until(20, 17).exceptions.raised
    assert (e.code, e.severity, e.domain, e.count) == ("run_expected", "error", "retail", 1)
    assert e.text == "billing: no run of letters came by 11:00 America/New_York on 2026-11-20"
    assert (e.run_id, e.names) == ("expected-billing-2026-11-20", ())
    assert e.detail == WHEN


def test_a_run_that_came_late_takes_the_reports_place_with_its_name_and_time() -> None:
    play = Expecting()
    play.until(21, 6)
    play.drop("run-1", 1)
    first, last = play.world.exceptions.raised
    assert (last.text, last.count) == ("billing: run-1 came at 2026-11-21T06:00+00:00", 0)
    assert last.names == ("run-1",)
    for name in ("code", "severity", "domain", "run_id", "part", "detail"):
        assert getattr(last, name) == getattr(first, name), name


def test_what_is_no_longer_expected_says_so() -> None:
    play = Expecting()
    play.until(20, 17)
    play.rules.expected_runs = ()
    play.until(20, 18)
    assert said(play)[1:] == [("no longer expected", 0)]


def test_a_run_that_counts_as_an_earlier_one_is_named_for_masking() -> None:
    play = Expecting()
    play.until(21, 15)
    play.drop("run-21", 1)
    play.until(22, 6)
    e = play.world.exceptions.raised[-1]
    assert e.text == (
        "billing: no run came by 16:00 UTC on 2026-11-21; "
        "run-21 came and counts as the one that was missing before"
    )
    assert (e.run_id, e.names) == ("expected-billing-2026-11-21", ("run-21",))


def test_the_next_deadline_is_laid_and_those_of_two_days_beside_it_each_once() -> None:
    weekly = replace(BILLING, name="weekly", days=DueDays(("mon",)))
    world, placed = World(), set[str]()
    rules = ExpectingRules(a_rule())
    rules.expected_runs = (BILLING, weekly)
    calls = []
    wait = world.due.wait

    def counted(*arguments: Any, **more: Any) -> None:
        calls.append(arguments)
        wait(*arguments, **more)

    world.due.wait = counted  # type: ignore[method-assign]
    expect_runs(rules, placed, due=world.due, clock=world.clock)
    expect_runs(rules, placed, due=world.due, clock=world.clock)
    deadlines = {
        "expected:retail/billing/2026-11-20T16:30:00+00:00": "2026-11-20T16:30:00+00:00",
        "expected:retail/billing/2026-11-21T16:30:00+00:00": "2026-11-21T16:30:00+00:00",
        "expected:retail/weekly/2026-11-23T16:30:00+00:00": "2026-11-23T16:30:00+00:00",
    }
    assert world.due.waits == deadlines
    assert len(calls) == 3
    expect_runs(rules, set(), due=world.due, clock=world.clock)
    assert (world.due.waits, len(calls)) == (deadlines, 6), "another process lays the same"


def test_a_missing_run_is_looked_for_each_quarter_of_an_hour_for_thirty_days() -> None:
    play = Expecting()
    world = play.until(20, 16, 40)
    play.rules.expected_runs = (replace(BILLING, days=DueDays(("fri",))),)
    deadline = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    waits = datetime.fromisoformat(world.due.waits["missing:retail"])
    assert timedelta(minutes=15) <= waits - deadline <= timedelta(minutes=16)
    for days, looked_for in ((29, True), (30, False)):
        ports: Any = {"runs": world.runs, "exceptions": world.exceptions, "alerting": world.alerting()}
        world.due.forget(["missing:retail"], deadline + timedelta(days=99))
        world.clock.move_to(deadline + timedelta(days=days))
        look_for_missing("retail", play.rules, **ports)
        assert ("missing:retail" in world.due.waits) is looked_for, days
        if looked_for:
            again = datetime.fromisoformat(world.due.waits["missing:retail"])
            assert again - world.clock.now() <= timedelta(minutes=15)
            assert again - world.clock.now() > timedelta(minutes=14)


def test_expectations_that_cannot_be_used_are_counted_and_the_first_three_named() -> None:
    play = Expecting(refused=["one", "two", "three", "four"])
    world = play.until(20, 15, 1)
    (e,) = world.exceptions.raised
    assert (e.severity, e.domain, e.run_id, e.part) == (
        *("error", "exnotify.calendar", "expectations", "expectations"),
    )
    assert (e.text, e.count) == ("one; two; three", 4)
    again = datetime.fromisoformat(world.due.waits["calendar:expectations"]) - world.clock.now()
    assert timedelta(minutes=58) <= again <= timedelta(minutes=60)

    play.rules.refused_expectations = ()
    play.until(20, 16, 20)
    assert said(play, "expectations_refused")[-1] == (
        *("every expectation of rules/domains.yaml can be used again", 0),
    )
    assert "calendar:expectations" not in world.due.waits


def test_a_deadline_that_nobody_expects_any_more_reports_nothing() -> None:
    for expected in ((), (replace(BILLING, by=(time(17),)),)):
        play = Expecting()
        play.until(20, 16)
        play.rules.expected_runs = expected
        assert not play.until(20, 16, 45).exceptions.raised


def test_a_run_of_another_application_leaves_it_missing() -> None:
    play = Expecting(replace(BILLING, app="letters"))
    play.until(20, 17)
    play.drop("run-1", 1, app="billing")
    play.until(20, 18)
    assert play.missing() == {"expected-billing-2026-11-20": "open"}
    play.drop("run-2", 2, app="Letters")
    play.until(20, 19)
    assert play.missing() == {"expected-billing-2026-11-20": "resolved"}


def test_runs_missing_in_two_domains_are_settled_each_by_its_own() -> None:
    play = Expecting(BILLING, replace(BILLING, domain="bank", name="cards"))
    play.until(20, 17)
    play.drop("run-1", 1)
    play.until(20, 18)
    assert play.missing() == {
        "expected-billing-2026-11-20": "resolved",
        "expected-cards-2026-11-20": "open",
    }


def test_only_reports_of_missing_runs_are_read_and_settled() -> None:
    play = Expecting()
    world = play.until(20, 17)
    (incident,) = world.incidents.all()
    other = replace(world.exceptions.raised[0], code="another", part="another")
    world.incidents.record(incident.incident_id, other, world.alerting().now())
    world.exceptions.raise_exceptions([replace(other, code="files_missing", run_id="run-0")])
    world.drain()
    asked = []
    reports = world.incidents.reports

    def counted(found: str) -> list[Any]:
        asked.append(found)
        return reports(found)

    world.incidents.reports = counted  # type: ignore[method-assign, assignment]
    assert list(missed_runs("retail", world.alerting())) == ["retail/billing"]
    assert asked == [incident.incident_id], "no incident of another kind is read"
    world.incidents.reports = reports  # type: ignore[method-assign]
    play.drop("run-1", 1)
    assert [e.code for e in world.exceptions.raised if not e.count] == ["run_expected"]


def test_what_was_settled_is_not_missing() -> None:
    play = Expecting()
    world = play.until(20, 17)
    play.drop("run-1", 1)
    assert missed_runs("retail", world.alerting()) == {}
