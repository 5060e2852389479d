"""What of an incident falls due, by its rule and its kind."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incidents import IncidentStatus, What, added_up
from exstream_notify.domain.rollups import STORM
from exstream_notify.use_cases.falls_due import answered, escalation, rule_of, what_now
from tests.domain.test_incidents import HEAD, NOW, RULE, after_telling, report

AT = datetime.fromisoformat(NOW)
LATER, EARLIER = "2026-11-20T15:00:01+00:00", "2026-11-20T14:59:59+00:00"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"answer_by": NOW}, What.ESCALATED),
        ({"answer_by": EARLIER}, What.ESCALATED),
        ({"answer_by": LATER}, None),
        ({"answer_by": ""}, None),
        ({"answer_by": NOW, "status": IncidentStatus.ACKNOWLEDGED}, None),
        ({"answer_by": NOW, "status": IncidentStatus.RESOLVED}, None),
        ({"answer_by": NOW, "muted_until": NOW}, What.ESCALATED),
        ({"answer_by": NOW, "muted_until": LATER}, None),
    ],
)
def test_only_an_open_incident_that_nobody_answered_in_time_escalates(
    changes: dict[str, Any], what: What | None
) -> None:
    assert escalation(replace(HEAD, **changes), NOW) == what


@pytest.mark.parametrize(
    ("urgency", "changes", "count", "what"),
    [
        ("daily", {}, 1, What.LISTED),
        ("quiet", {}, 1, None),
        ("daily", {"told_count": 3}, 3, None),
        ("daily", {"told_count": 3}, 4, What.LISTED),
        ("daily", {"told_count": 3, "resolved_count": 5}, 5, None),
        ("daily", {"told_count": 3, "resolved_count": 5}, 6, What.LISTED),
        ("daily", {"told_count": 5, "resolved_count": 3}, 5, None),
        ("daily", {"status": IncidentStatus.RESOLVED, "resolved_count": 1, "told_at": NOW}, 1, What.RESOLVED),
        ("daily", {"status": IncidentStatus.RESOLVED}, 9, None),
    ],
)
def test_what_no_team_is_told_of_by_itself_is_listed_once_for_each_that_is_new(
    urgency: Any, changes: dict[str, Any], count: int, what: What | None
) -> None:
    incident = added_up(replace(HEAD, **changes), [report(count)])
    assert what_now(incident, replace(RULE, urgency=urgency), "", AT) == what


@pytest.mark.parametrize(
    ("changes", "count", "until", "what"),
    [
        ({}, 9, "", What.ENDED),
        ({}, 5, "", None),  # nothing came after what the team was told
        ({}, 9, LATER, None),  # the storm goes on
        ({"muted_until": NOW}, 9, "", What.ENDED),
        ({"muted_until": LATER}, 9, "", None),
        ({"told_at": ""}, 9, "", What.OPENED),
        ({"status": IncidentStatus.RESOLVED, "resolved_count": 4}, 9, "", None),
        ({"family": "composition"}, 9, "", None),
    ],
)
def test_the_end_of_a_storm_is_told_with_what_came_in_it(
    changes: dict[str, Any], count: int, until: str, what: What | None
) -> None:
    head = replace(after_telling(report(5)), **{"family": STORM, **changes})
    assert what_now(added_up(head, [report(count)]), RULE, until, AT) == what


def test_an_incident_is_as_urgent_as_the_most_urgent_of_its_causes_and_stays_its_teams() -> None:
    rules = YamlRules()
    rule = replace(rules.route(ExceptionRaised("EX000001E", "error", "retail", "run-1", "")), urgency="quiet")

    class Routed:
        """Rules by which a code says how urgent it is."""

        def route(self, exception: ExceptionRaised, severity: Any = None) -> Any:
            """See `AlertRules.route`."""
            assert severity == "error"
            return replace(rule, team="other", urgency=exception.code)  # type: ignore[arg-type]

        def telling(self, team: str, urgency: Any) -> Any:
            """See `AlertRules.telling`."""
            return ((team, urgency),)

    for codes in (("quiet", "daily"), ("daily", "quiet"), ("normal", "daily"), ("urgent", "normal", "quiet")):
        most = max(codes, key=["quiet", "daily", "normal", "urgent"].index)
        incident = added_up(HEAD, [report(code=code, part=code) for code in codes])
        found = rule_of(incident, Routed())  # type: ignore[arg-type]
        assert (found.team, found.family, found.urgency) == ("operations", "composition", most)
        assert found.chains == (("operations", most),)


def test_one_without_a_cause_is_routed_by_its_family() -> None:
    asked: list[ExceptionRaised] = []
    rules: Any = YamlRules()
    route = rules.route

    def noted(exception: ExceptionRaised, severity: Any = None) -> Any:
        asked.append(exception)
        return route(exception, severity)

    rules.route = noted
    rule_of(added_up(HEAD, []), rules)
    assert [(e.code, e.domain, e.run_id) for e in asked] == [("composition", "retail", "run-1")]


ACK: dict[str, Any] = {"status": IncidentStatus.ACKNOWLEDGED}


@pytest.mark.parametrize(
    ("changes", "what", "status", "due"),
    [
        # Open, and its acknowledgement ended before anybody was told so.
        ({"ack_until": NOW}, None, "open", What.LAPSED),
        ({"ack_until": NOW}, What.GROWN, "open", What.GROWN),
        ({"ack_until": LATER}, None, "open", None),
        ({"ack_until": NOW, "muted_until": LATER}, None, "open", None),
        ({"ack_until": NOW, "status": IncidentStatus.RESOLVED}, None, "resolved", None),
        # Acknowledged: it ends after its time, and when the incident gets worse.
        ({**ACK, "ack_until": NOW}, None, "open", What.LAPSED),
        ({**ACK, "ack_until": NOW}, What.CHANGED, "open", What.CHANGED),
        ({**ACK, "ack_until": LATER}, None, "acknowledged", None),
        ({**ACK, "ack_until": NOW, "muted_until": LATER}, None, "acknowledged", None),
        ({**ACK, "ack_until": LATER, "told_at": NOW, "told_count": 1, "told_severity": "warning"}, What.WORSE, "open", What.WORSE),
    ],
)  # fmt: skip
def test_an_acknowledgement_ends_with_its_time_or_when_it_gets_worse(
    changes: dict[str, Any], what: What | None, status: str, due: What | None
) -> None:
    rule = replace(RULE, ack_lasts_minutes=60)
    head, found = answered(added_up(replace(HEAD, **changes), [report()]), what, rule, AT)
    assert (str(head.status), found) == (status, due)


@pytest.mark.parametrize(("minutes", "until"), [(60, "2026-11-20T16:00:00+00:00"), (0, "")])
def test_an_acknowledgement_gets_its_end_when_it_is_first_seen(minutes: int, until: str) -> None:
    rule = replace(RULE, ack_lasts_minutes=minutes)
    head, _ = answered(added_up(replace(HEAD, **ACK), [report()]), None, rule, AT)
    assert (head.status, head.ack_until) == (IncidentStatus.ACKNOWLEDGED, until)
