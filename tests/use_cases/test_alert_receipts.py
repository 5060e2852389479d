"""An alert that did not reach its team goes on to the next channel, at last to the last resort; once."""

from dataclasses import replace
from typing import Any

import pytest

from exstream_notify.domain.channels import AlertReceipt, team_mark
from exstream_notify.domain.incidents import IncidentStatus
from exstream_notify.ports import ChannelAnswer
from tests.use_cases.test_alert_exceptions import an_exception, only, raised, world
from tests.use_cases.world import World


def alerted(**answers: ChannelAnswer) -> World:
    """A world with one incident that its team was told of."""
    here = world()
    here.channels.answers |= answers
    raised(here, an_exception())
    return here


def report(
    here: World, outcome: Any = "failed", reached: bool | None = False, **changes: Any
) -> AlertReceipt:
    """The provider's report of the first alert's mail, recorded."""
    found = only(here)
    values: dict[str, Any] = {
        "incident_id": found.incident_id, "number": 1, "channel": "email", "team": team_mark(found.team),
        "outcome": outcome, "reached": reached, "why": "hard_bounce 5.1.1", **changes,
    }  # fmt: skip
    receipt = AlertReceipt(**values)
    here.exceptions.alerts_reported([receipt])
    here.drain()
    return receipt


def test_where_no_channel_is_left_the_last_resort_hears_of_it_and_it_escalates_at_once() -> None:
    here = alerted()
    before = only(here).head
    report(here)
    head = only(here).head
    [(alert, why)] = here.channels.lost
    assert alert.title.startswith("[ERROR] EX004120E")
    assert why == "no channel is left"
    assert head.history[-1]["what"] == f"email did not reach {head.team}"
    assert head.history[-1]["who"] == "alerts"
    assert head.history[-1]["why"].startswith("hard_bounce 5.1.1")
    assert head.answer_by == head.history[-1]["at"] if before.answer_by else head.answer_by == ""
    assert head.took[-1] == f"!1 email {team_mark(head.team)}"
    report(here)
    assert len(here.channels.lost) == 1, "a report that comes again"
    assert only(here).head.history == head.history


@pytest.mark.parametrize(
    ("took", "lost"),
    [
        ("1 sms {team}", 0),  # another channel has it
        ("2 sms {team}", 1),  # of another alert
        ("1 sms 00000000", 1),  # another team
    ],
)
def test_the_last_resort_hears_of_it_unless_the_team_has_the_same_alert_elsewhere(
    took: str, lost: int
) -> None:
    here = alerted()
    found = only(here)
    entries = (*found.head.took, took.format(team=team_mark(found.team)))
    here.incidents.heads[found.incident_id] = replace(found.head, took=entries)
    report(here)
    assert len(here.channels.lost) == lost


def test_a_delivery_and_an_unknown_team_change_nothing() -> None:
    here = alerted()
    before = only(here).head
    report(here, "delivered", True)
    report(here, team="ffffffff")
    assert only(here).head == before
    assert here.channels.lost == []


def test_of_a_resolved_incident_nobody_is_told_any_more() -> None:
    here = alerted()
    found = only(here)
    here.incidents.heads[found.incident_id] = replace(
        found.head, status=IncidentStatus.RESOLVED, version=found.head.version
    )
    report(here)
    assert here.channels.lost == []
    assert only(here).head.history[-1]["what"] == f"email did not reach {found.team}"


@pytest.mark.parametrize("reached", [None, True])
def test_a_message_that_is_neither_here_nor_there_is_noted_alone(reached: bool | None) -> None:
    here = alerted()
    report(here, "failed", reached)
    assert here.channels.lost == []
    assert only(here).head.history[-1]["what"].endswith(only(here).team)
