"""Incidents that others write meanwhile, whose report a part is, and lists that no pager gets."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incident_states import acknowledged
from exstream_notify.domain.rollups import DAILY
from exstream_notify.ports import ChannelAnswer
from exstream_notify.use_cases.alert_exceptions import (
    IncidentBusy,
    alert_exceptions,
    change_incident,
    look_at_incident,
)
from tests.use_cases.test_alert_exceptions import an_exception, changed, only, raised, whats, world
from tests.use_cases.test_bounded_alerts import later, rollup
from tests.use_cases.world import World


def meanwhile(here: World, times: int) -> list[int]:
    """Another worker writes the head just before each of the next saves; how often it did."""
    save, calls = here.incidents.save, list[int]()

    def late(head: Any) -> bool:
        known = here.incidents.heads.get(head.incident_id)
        if known is not None and len(calls) < times:
            calls.append(1)
            here.incidents.heads[head.incident_id] = replace(known, version=known.version + 1)
        return save(head)

    here.incidents.save = late  # type: ignore[method-assign]
    return calls


def looks(here: World) -> None:
    look_at_incident(only(here).incident_id, here.alerting())


def acknowledges(here: World) -> object:
    return change_incident(
        only(here).incident_id,
        lambda head, _: acknowledged(head, "2026-11-20T15:00:00+00:00", "ann"),
        incidents=here.incidents,
        due=here.due,
        clock=here.clock,
    )


@pytest.mark.parametrize("act", [looks, acknowledges])
def test_a_head_that_others_write_meanwhile_is_written_again_and_not_for_ever(
    act: Callable[[World], object],
) -> None:
    for times in (7, 8):
        here = world()
        raised(here, an_exception())
        before = only(here).head.version
        calls = meanwhile(here, times)
        if times == 7:
            act(here)
            assert only(here).head.version == before + 8
        else:
            with pytest.raises(IncidentBusy) as busy:
                act(here)
            assert str(busy.value) == only(here).incident_id
        assert len(calls) == times


def test_of_several_incidents_each_is_named_once_in_the_order_of_its_first_report() -> None:
    here = world()
    reports = [an_exception(run_id=f"run-{n}", part=part) for part in ("a.dat", "b.dat") for n in (1, 2)]
    found = alert_exceptions(reports, here.alerting())
    assert [here.incidents.heads[name].run_id for name in found] == ["run-1", "run-2"]
    assert alert_exceptions([], here.alerting()) == []
    said = "2026-11-20T14:00:00+00:00"
    assert alert_exceptions([replace(reports[0], said_at=said)], here.alerting()) == [], "older than known"


def parts(here: World) -> set[str]:
    return {report.exception.part for report in here.incidents.rows.values()}


@pytest.mark.parametrize(
    ("exception", "part"),
    [
        (an_exception(), "a.dat"),
        (an_exception(code="provider_down", detail={"cause": "email by opentext"}), "retail/run-1 a.dat"),
        (an_exception(run_id="event-7"), "event-7 a.dat"),  # single documents are by the day
    ],
)
def test_beside_other_runs_reports_a_part_names_its_run_and_beside_other_domains_that_too(
    exception: ExceptionRaised, part: str
) -> None:
    here = world()
    raised(here, exception)
    assert parts(here) == {part}


@pytest.mark.parametrize(("minutes", "kept"), [(-1, True), (4, True), (6, False)])
def test_a_clock_that_goes_ahead_by_more_than_five_minutes_outlasts_no_correction(
    minutes: int, kept: bool
) -> None:
    here = world()
    said = (here.clock.now() + timedelta(minutes=minutes)).isoformat(timespec="seconds")
    raised(here, an_exception(said_at=said))
    raised(here, an_exception(count=9, said_at=here.alerting().now()))
    assert only(here).count == (2 if kept and minutes > 0 else 9)


def test_a_list_reaches_the_channel_behind_a_pager_and_the_pager_gets_nothing() -> None:
    here = world()
    here.channels.answers = {"pagerduty": ChannelAnswer("sent")}
    raised(here, an_exception(code="no_channel"))
    later(here, days=1)
    assert {channel for channel, _, _ in here.channels.told} == {"email"}
    assert rollup(here, DAILY).status == "resolved"


def test_a_list_that_no_channel_takes_is_over_and_says_where_it_is_shown() -> None:
    here = world()
    here.channels.answers = {"email": ChannelAnswer("absent"), "pagerduty": ChannelAnswer("sent")}
    raised(here, an_exception(code="no_channel"))
    later(here, days=1)
    said = [row["why"] for row in rollup(here, DAILY).head.history]
    assert "no channel that takes a list is set up: exnotify incidents shows it" in said
    assert here.channels.told == []


def test_an_acknowledgement_that_lapsed_waits_for_the_next_teams_answer_from_then_on() -> None:
    here = world()
    raised(here, an_exception(severity="severe"))
    changed(here, lambda head, _: acknowledged(head, "now", "ann"))
    here.wait_until(here.clock.now() + timedelta(minutes=241))
    assert whats(here) == ["opened", "lapsed"]
    head = only(here).head
    due = datetime.fromisoformat(here.due.waits[f"incident:{head.incident_id}"])
    assert head.answer_by
    assert due.isoformat(timespec="seconds") == head.answer_by


def test_an_answer_ends_the_wait_for_one() -> None:
    here = world()
    raised(here, an_exception(severity="severe"))
    assert only(here).head.answer_by
    changed(here, lambda head, _: acknowledged(head, here.alerting().now(), "ann"))
    looks(here)
    assert only(here).head.answer_by == ""
    assert only(here).status == "acknowledged"
