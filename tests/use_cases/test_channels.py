"""A channel that is dead is seen: the next one is told, the team's history says so, and somebody repairs it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.channels import alert_ref
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incident_states import acknowledged, resolved
from exstream_notify.domain.incidents import Incident, IncidentStatus
from exstream_notify.domain.pager import PagerEvent, page_key
from exstream_notify.domain.receipts import Kind, Receipt
from exstream_notify.ports import ChannelAnswer
from exstream_notify.use_cases.alert_exceptions import change_incident
from exstream_notify.use_cases.answer_pager import answer_pager
from exstream_notify.use_cases.check_channels import expect_channels
from exstream_notify.use_cases.record_receipts import record_receipts
from tests.use_cases.world import World

LINES = """
teams:
  default:
    normal: ["slack > email"]
    urgent: ["pagerduty > sms > email"]
    escalation: []
  operations: {escalation: [management], mobile: "+12025550100"}
"""
SENT, DEAD = ChannelAnswer("sent"), ChannelAnswer("dead", "HTTP 404 no_service")


def world(folder: Path, **answers: ChannelAnswer) -> World:
    """A world whose teams have these lines, and channels that answer like this."""
    (folder / "alerts.yaml").write_text(LINES)
    here = World(site_rules=YamlRules(folder))
    here.channels.answers = answers
    return here


def raised(here: World, severity: str = "error", part: str = "a.dat") -> None:
    """An engine's error, and all that follows from it."""
    here.exceptions.raise_exceptions(
        [ExceptionRaised("EX001111E", severity, "retail", "run-1", "text", part=part)]  # type: ignore[arg-type]
    )
    here.drain()


def of(here: World, domain: str = "retail") -> Incident:
    """The one incident of a domain."""
    (found,) = [one for one in here.incidents.all() if one.domain == domain]
    return found


def ways(here: World, domain: str = "retail") -> list[tuple[str, str]]:
    """Channels and teams that took alerts of a domain's incident."""
    key = of(here, domain).incident_id
    return [(channel, team) for channel, team, alert in here.channels.told if alert.key == key]


def changed(here: World, change: object) -> None:
    """A person's change of the incident, and what follows from it."""
    found = of(here).incident_id
    assert change_incident(found, change, incidents=here.incidents, due=here.due, clock=here.clock)  # type: ignore[arg-type]
    here.wait_until(here.clock.now() + timedelta(minutes=1))


def test_the_next_channel_is_told_and_the_history_says_why(tmp_path: Path) -> None:
    here = world(tmp_path, slack=DEAD)
    raised(here)
    assert ways(here) == [("email", "operations")]
    assert of(here).head.history[-1]["why"] == "slack dead (HTTP 404 no_service), email sent"


def test_somebody_is_told_to_repair_it_by_another_channel_and_once(tmp_path: Path) -> None:
    here = world(tmp_path, slack=DEAD)
    for number in range(5):
        raised(here, part=f"{number}.dat")

    assert of(here, "alerts").codes == ("channel_dead",)
    # Operations' first, then the one of the team that is told of that.
    assert of(here, "alerts").count == 2
    assert ways(here, "alerts") == [("email", "it")]
    assert len([one for one in here.exceptions.raised if one.code == "channel_dead"]) == 2


def test_the_incident_of_a_channel_is_over_when_it_answers_again(tmp_path: Path) -> None:
    here = world(tmp_path, slack=DEAD)
    here.channels.shared["slack"] = "https://hooks.example.com/all"
    raised(here)
    here.channels.answers["slack"] = SENT
    here.exceptions.raise_exceptions([ExceptionRaised("EX002222E", "error", "cards", "run-1", "text")])
    here.drain()
    here.come_to_rest()
    assert of(here, "alerts").status == IncidentStatus.RESOLVED
    assert not any(state.dead_since for state in here.channel_book.stored.values())


def test_a_channel_that_asks_to_wait_is_not_asked_before(tmp_path: Path) -> None:
    here = world(tmp_path, slack=ChannelAnswer("waits", "HTTP 429", 600.0))
    here.channels.shared["slack"] = "https://hooks.example.com/all"
    raised(here)
    assert ways(here) == [("email", "operations")]
    assert here.channel_book.stored["operations", "slack"].wait_until == "2026-11-20T15:10:00+00:00"
    here.channels.answers["slack"] = SENT
    raised(here, part="b.dat")
    here.exceptions.raise_exceptions([ExceptionRaised("EX002222E", "error", "cards", "run-1", "text")])
    here.drain()
    assert ways(here, "cards") == [("email", "operations")]
    here.exceptions.raise_exceptions(
        [ExceptionRaised("EX1", "error", "life", "run-1", "text", team="claims")]
    )
    here.drain()
    assert ways(here, "life") == [("email", "claims")], "they share the address"
    here.clock.advance(seconds=601)
    here.exceptions.raise_exceptions([ExceptionRaised("EX002222E", "error", "loans", "run-1", "text")])
    here.drain()
    assert ways(here, "loans") == [("slack", "operations")]


def test_the_state_of_channels_holds_up_no_alert(tmp_path: Path) -> None:
    here = world(tmp_path)

    def broken() -> None:
        raise RuntimeError("the table does not answer")

    here.channel_book.states = broken  # type: ignore[assignment,method-assign]
    raised(here)
    assert ways(here) == [("email", "operations")]


# --- receipts of alerts -----------------------------------------------------------------------------


def bounced(here: World, channel: str, number: int = 1, kind: Kind = Kind.HARD_BOUNCE) -> None:
    """The provider reports on an alert to operations; it does so twice."""
    ref, _, attempt = alert_ref(of(here).incident_id, "operations", number).partition(":")
    receipt = Receipt(
        "ses",
        channel,  # type: ignore[arg-type]
        kind,
        here.clock.now().isoformat(timespec="milliseconds"),
        notice_id=ref,
        attempt=int(attempt),
    )
    for _ in range(2):
        record_receipts([receipt], **here.receipt_ports())
        here.drain()


def test_an_alert_that_bounced_goes_to_the_next_channel_of_its_line(tmp_path: Path) -> None:
    here = world(tmp_path, pagerduty=ChannelAnswer("failed", "HTTP 500"), sms=SENT)
    raised(here, "severe")
    assert ways(here) == [("sms", "operations")]
    bounced(here, "sms")

    assert ways(here) == [("sms", "operations"), ("email", "operations")]
    assert here.channels.lost == [], "the last resort is for what no channel takes"
    assert next(str(alert.what) for way, _, alert in here.channels.told if way == "email") == "undelivered"
    last = of(here).head.history[-1]
    assert (last["what"], last["why"]) == ("sms did not reach operations", "hard_bounce; email sent")
    assert here.channel_book.stored["operations", "sms"].dead_since
    assert of(here, "alerts").codes == ("channel_dead",)


def test_an_address_that_bounced_gets_one_alert_a_day_and_ends_no_line(tmp_path: Path) -> None:
    here = world(tmp_path, sms=SENT)
    raised(here, "severe")
    bounced(here, "sms")
    for domain in ("cards", "loans"):
        here.exceptions.raise_exceptions([ExceptionRaised("EX003333E", "severe", domain, "run-2", "text")])
        here.drain()
        assert ways(here, domain) == [("email", "operations")]
    here.clock.advance(days=1)
    here.exceptions.raise_exceptions(
        [ExceptionRaised("EX001112E", "severe", "deposits", "run-3", "text", team="operations")]
    )
    here.drain()
    assert ways(here, "deposits") == [("sms", "operations"), ("email", "operations")]
    bounced(here, "sms", 1, Kind.DELIVERED)
    assert not here.channel_book.stored["operations", "sms"].dead_since


def test_a_soft_bounce_goes_on_too_and_the_address_lives(tmp_path: Path) -> None:
    here = world(tmp_path, sms=SENT)
    raised(here, "severe")
    bounced(here, "sms", kind=Kind.SOFT_BOUNCE)
    assert ways(here) == [("sms", "operations"), ("email", "operations")]
    state = here.channel_book.stored["operations", "sms"]
    assert (state.failures, state.dead_since) == (1, "")


def test_an_alert_that_arrived_goes_no_further(tmp_path: Path) -> None:
    here = world(tmp_path, sms=SENT)
    raised(here, "severe")
    bounced(here, "sms", kind=Kind.DELIVERED)
    assert ways(here) == [("sms", "operations")]


def test_where_no_channel_is_left_the_next_team_and_the_last_resort_are_told_at_once(tmp_path: Path) -> None:
    here = world(tmp_path)
    raised(here)
    bounced(here, "email")
    assert len(here.channels.lost) == 1
    here.wait_until(here.clock.now() + timedelta(minutes=2))
    assert ("email", "management") in ways(here)


def test_a_bounce_of_an_incident_that_is_over_is_noted_only(tmp_path: Path) -> None:
    here = world(tmp_path, sms=SENT)
    raised(here, "severe")
    changed(here, lambda head, incident: resolved(head, here.clock.now().isoformat(), "Ann", incident.count))
    before = len(here.channels.told)
    bounced(here, "sms")
    assert len(here.channels.told) == before or ways(here)[before:] == []
    assert of(here).head.history[-1]["what"] == "sms did not reach operations"


# --- PagerDuty ----------------------------------------------------------------------------------------


PAGE = page_key("operations", "0a1b2c3d")


def paged(tmp_path: Path) -> World:
    """An incident with a page."""
    here = world(tmp_path, pagerduty=ChannelAnswer("sent", page=PAGE))
    raised(here, "severe")
    return here


def test_who_acknowledges_here_has_it_there(tmp_path: Path) -> None:
    here = paged(tmp_path)
    changed(here, lambda head, _: acknowledged(head, here.clock.now().isoformat(), "Ann"))
    assert here.channels.pages == [(PAGE, "acknowledge", of(here).incident_id)]
    last = of(here).head.history[-1]
    assert (last["who"], last["what"]) == ("alerts", "PagerDuty of operations: acknowledge")


@pytest.mark.parametrize("outcome", ["absent", "dead"])
def test_a_page_that_cannot_be_told_at_all_is_noted_and_not_tried_again(tmp_path: Path, outcome: Any) -> None:
    here = paged(tmp_path)
    here.channels.tell_page = lambda *_: ChannelAnswer(outcome)  # type: ignore[method-assign]
    changed(here, lambda head, _: acknowledged(head, here.clock.now().isoformat(), "Ann"))
    last = of(here).head.history[-1]
    said = ("PagerDuty of operations could not be told: acknowledge", outcome)
    assert (last["what"], last["why"]) == said


def test_what_gets_worse_after_somebody_took_it_is_a_new_page_and_both_are_resolved(tmp_path: Path) -> None:
    here = paged(tmp_path)
    changed(here, lambda head, _: acknowledged(head, here.clock.now().isoformat(), "Ann"))
    new = page_key("operations", "0a1b2c3d", 1)
    here.channels.answers["pagerduty"] = ChannelAnswer("sent", page=new)
    for part in ("b.dat", "c.dat"):
        raised(here, "severe", part)
        here.wait_until(here.clock.now() + timedelta(minutes=2))

    assert [(str(a.what), a.again) for a in here.channels.alerts(channel="pagerduty")] == [
        ("opened", 0),
        ("grown", 1),
    ]
    changed(here, lambda head, incident: resolved(head, here.clock.now().isoformat(), "Ann", incident.count))
    # The new one hears it as an alert.
    assert [(page, action) for page, action, _ in here.channels.pages][1:] == [(PAGE, "resolve")]
    assert str(here.channels.alerts(channel="pagerduty")[-1].what) == "resolved"


def test_every_page_is_resolved_also_one_of_an_escalation_and_of_old_rules(tmp_path: Path) -> None:
    here = paged(tmp_path)
    other = page_key("management", "99999999")
    here.channels.answers["pagerduty"] = ChannelAnswer("sent", page=other)
    here.wait_until(here.clock.now() + timedelta(minutes=16))
    assert ("pagerduty", "management") in ways(here)
    here.channels.answers["pagerduty"] = ChannelAnswer("absent")
    changed(here, lambda head, incident: resolved(head, here.clock.now().isoformat(), "Ann", incident.count))
    assert {(page, action) for page, action, _ in here.channels.pages} == {
        (PAGE, "resolve"),
        (other, "resolve"),
    }


def test_a_page_that_cannot_be_told_is_told_later(tmp_path: Path) -> None:
    here = paged(tmp_path)
    answers = [ChannelAnswer("failed", "HTTP 500"), SENT]
    told: list[str] = []

    def tell_page(page: str, action: str, incident_id: str) -> ChannelAnswer:
        told.append(action)
        return answers[len(told) - 1]

    here.channels.tell_page = tell_page  # type: ignore[method-assign]
    changed(here, lambda head, _: acknowledged(head, here.clock.now().isoformat(), "Ann"))
    assert told == ["acknowledge"]
    here.wait_until(here.clock.now() + timedelta(minutes=6))
    assert told == ["acknowledge", "acknowledge"]


def test_who_acknowledges_there_has_it_here_and_is_not_told_so(tmp_path: Path) -> None:
    here = paged(tmp_path)
    key = of(here).incident_id
    event = PagerEvent(key, PAGE, "operations", "incident.acknowledged", "2026-11-20T15:01:00.000Z", "PUSER1")
    for _ in range(3):
        assert answer_pager(event, rules=here.rules, incidents=here.incidents, due=here.due, clock=here.clock)
    here.drain()
    assert of(here).status == IncidentStatus.ACKNOWLEDGED
    assert [entry["who"] for entry in of(here).head.history][1:] == ["PagerDuty (PUSER1)"]
    assert here.channels.pages == []


@pytest.mark.parametrize(("severity", "minutes"), [("severe", 15), ("error", 240), ("warning", 0)])
def test_an_incident_that_is_handed_back_has_its_rules_time_again(
    tmp_path: Path, severity: str, minutes: int
) -> None:
    here = world(tmp_path, pagerduty=ChannelAnswer("sent", page=PAGE))
    raised(here, severity)
    key = of(here).incident_id
    ports: dict[str, Any] = {
        "rules": here.rules, "incidents": here.incidents, "due": here.due, "clock": here.clock,
    }  # fmt: skip
    for kind in ("acknowledged", "unacknowledged"):
        at = here.clock.advance(seconds=60).isoformat(timespec="milliseconds")
        answer_pager(PagerEvent(key, PAGE, "operations", f"incident.{kind}", at, "PUSER1"), **ports)
    head, now = of(here).head, here.clock.now()
    until = (now + timedelta(minutes=minutes)).isoformat(timespec="seconds") if minutes else ""
    assert (head.status, head.answer_by) == (IncidentStatus.OPEN, until)
    assert head.history[-1]["what"] == "unacknowledged"
    assert head.history[-1]["at"] == now.isoformat(timespec="seconds")


def test_an_event_of_a_clock_that_goes_ahead_does_not_make_later_ones_look_old(tmp_path: Path) -> None:
    here = paged(tmp_path)
    key = of(here).incident_id
    ports = {"rules": here.rules, "incidents": here.incidents, "due": here.due, "clock": here.clock}
    for kind, at in (("acknowledged", "2031-01-01T00:00:00.000Z"), ("resolved", "2026-11-20T15:05:00.000Z")):
        here.clock.advance(seconds=120)
        answer_pager(PagerEvent(key, PAGE, "operations", f"incident.{kind}", at, "PUSER1"), **ports)
    assert of(here).status == IncidentStatus.RESOLVED


# --- the hourly look ----------------------------------------------------------------------------------


def test_a_channel_that_nobody_used_lately_is_probed_and_its_death_is_seen(tmp_path: Path) -> None:
    here = world(tmp_path, slack=DEAD)
    here.channels.probes["slack"] = ChannelAnswer("answered", "404")
    found = here.check_channels()
    here.drain()
    assert found.counts() == {"channels_dead": len(here.rules.alert_teams), "teams_unreached": 0}
    assert here.channels.told[0][:2] == ("email", "it")
    assert of(here, "alerts").count == len(here.rules.alert_teams)
    assert {alert.key for _, _, alert in here.channels.told} == {of(here, "alerts").incident_id}


def test_nobody_is_sent_anything_where_all_is_well(tmp_path: Path) -> None:
    here = world(tmp_path, slack=SENT)
    here.channels.probes["slack"] = ChannelAnswer("answered", "405")
    for _ in range(3):
        assert here.check_channels().counts() == {"channels_dead": 0, "teams_unreached": 0}
    here.drain()
    assert here.channels.told == []
    assert here.exceptions.raised == []


def test_a_look_at_all_channels_reads_what_is_stored_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world(tmp_path, slack=SENT)
    here.channels.probes["slack"] = ChannelAnswer("answered", "405")
    here.check_channels()
    reads: list[int] = []
    stored = here.channel_book.states
    monkeypatch.setattr(here.channel_book, "states", lambda: (reads.append(1), stored())[1])
    here.check_channels()
    assert len(here.rules.alert_teams) > 1
    assert len(reads) == 1


def test_a_death_that_a_look_finds_is_reported_once_for_every_team_that_shares_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world(tmp_path, slack=SENT)
    here.channels.shared["slack"] = "one address"
    here.channels.probes["slack"] = ChannelAnswer("answered", "405")
    here.check_channels()
    here.clock.advance(seconds=25 * 3600)
    here.channels.probes["slack"] = ChannelAnswer("answered", "404")
    probed: list[str] = []
    probe = here.channels.probe
    monkeypatch.setattr(here.channels, "probe", lambda way, team: (probed.append(way), probe(way, team))[1])
    found = here.check_channels()
    assert len(found.dead) == len(here.rules.alert_teams) > 1
    assert probed.count("slack") == 1
    assert len([one for one in here.exceptions.raised if one.code == "channel_dead"]) == len(found.dead)


@pytest.mark.parametrize("channel", ["email"])
def test_a_team_that_nothing_reaches_is_told_to_others(tmp_path: Path, channel: str) -> None:
    here = world(tmp_path)
    raised(here)
    bounced(here, channel)
    found = here.check_channels()
    assert found.unreached == ("operations",)
    here.drain()
    assert "team_unreached" in {code for one in here.incidents.all() for code in one.codes}
    assert here.check_channels().unreached == ("operations",)
    assert len([one for one in here.exceptions.raised if one.code == "team_unreached"]) == 1

    here.channels.answers["slack"] = SENT
    assert here.check_channels().unreached == ("operations",), "urgent alerts have no other line"
    bounced(here, channel, kind=Kind.DELIVERED)
    assert here.check_channels().unreached == ()
    here.come_to_rest()
    closed = [one for one in here.incidents.all() if "team_unreached" in one.codes or not one.count]
    assert all(one.status == IncidentStatus.RESOLVED for one in closed)


def test_the_next_hourly_look_is_laid_once(tmp_path: Path) -> None:
    here = world(tmp_path)
    waits: list[Any] = []
    here.due.wait = lambda *what, **_: waits.append(what)  # type: ignore[method-assign,assignment]
    placed: set[str] = set()
    hour = datetime(2026, 11, 20, 16, tzinfo=UTC)
    for _ in range(2):
        expect_channels(placed, due=here.due, clock=here.clock)
    assert waits == [("channels", "2026-11-20T16:00:00+00:00", hour)]
    here.clock.advance(seconds=3600)
    expect_channels(placed, due=here.due, clock=here.clock)
    assert placed == {"2026-11-20T16:00:00+00:00", "2026-11-20T17:00:00+00:00"}
