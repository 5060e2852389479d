"""Pages in PagerDuty: which are ours, what they still have to be told, and what their events change."""

from dataclasses import replace
from itertools import permutations

import pytest

from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incident_states import acknowledged, resolved
from exstream_notify.domain.incidents import Head, Incident, IncidentStatus, Report, added_up
from exstream_notify.domain.pager import (
    PAGER_EVENTS,
    PAGES,
    PagerEvent,
    after_event,
    dedup_key,
    page_key,
    page_of,
    paged,
    pages_to_tell,
    whose_page,
)

KEY = "b" * 32
AT = "2026-11-20T02:00:00+00:00"
PAGE = page_key("it", "0a1b2c3d")
HEAD = paged(Head(KEY, "retail", "run-1", "it", "engine"), PAGE, "trigger")


def incident(head: Head) -> Incident:
    raised = ExceptionRaised("EX000001S", "severe", "retail", "run-1", "text", count=3)
    return added_up(head, [Report(raised, AT, AT)])


def event(kind: str, minute: int = 5, **changes: object) -> PagerEvent:
    given = PagerEvent(KEY, PAGE, "it", f"incident.{kind}", f"2026-11-20T02:{minute:02}:00.000Z", "PUSER1")
    return replace(given, **changes)  # type: ignore[arg-type]


def after(head: Head, *events: PagerEvent) -> Head:
    for one in events:
        head = after_event(head, incident(head), one, "2026-11-20T03:00:00+00:00", AT)
    return head


@pytest.mark.parametrize("team", ["it", "team.with.dots", "on call", "Ünïcode"])
def test_a_key_of_ours_names_its_page(team: str) -> None:
    page = page_key(team, "0a1b2c3d")
    assert page_of(dedup_key(KEY, page)) == (KEY, page, team)


def test_an_incident_opened_again_has_a_page_of_its_own() -> None:
    pages = [page_key("it", "0a1b2c3d", again) for again in (0, 1, 2)]
    assert len(set(pages)) == 3
    assert [whose_page(page) for page in pages] == [("it", 0), ("it", 1), ("it", 2)]
    assert [page_of(dedup_key(KEY, page)) for page in pages] == [(KEY, page, "it") for page in pages]


@pytest.mark.parametrize(
    "key", ["", KEY, f"{KEY}-it", f"{KEY[:-1]}-it.0a1b2c3d", "srv01/HTTP", f"{KEY}-.0a1b2c3d"]
)
def test_anothers_key_is_none_of_ours(key: str) -> None:
    assert page_of(key) is None


def test_every_service_that_was_triggered_is_told() -> None:
    other = page_key("management", "99999999")
    head = paged(HEAD, other, "trigger")
    assert pages_to_tell(head) == []
    assert pages_to_tell(acknowledged(head, AT, "Ann")) == [(PAGE, "acknowledge"), (other, "acknowledge")]
    told = paged(acknowledged(head, AT, "Ann"), PAGE, "acknowledge")
    assert pages_to_tell(told) == [(other, "acknowledge")]
    over = resolved(told, AT, "Ann", 3)
    assert pages_to_tell(over) == [(PAGE, "resolve"), (other, "resolve")]
    assert pages_to_tell(paged(paged(over, PAGE, "resolve"), other, "resolve")) == []


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        (["acknowledged"], "acknowledged"),
        (["resolved"], "resolved"),
        (["acknowledged", "unacknowledged"], "open"),
        (["acknowledged", "resolved"], "resolved"),
        (["acknowledged", "resolved", "reopened"], "open"),
        (["escalated"], "open"),
        (["acknowledged", "reassigned"], "acknowledged"),
    ],
)
def test_events_hold_for_the_incident_in_any_order_and_twice(kinds: list[str], status: str) -> None:
    events = [event(kind, minute) for minute, kind in enumerate(kinds, 1)]
    for some in permutations([*events, *events]):
        head = after(HEAD, *some)
        assert head.status == status
        assert len({tuple(entry.items()) for entry in head.history}) == len(head.history) <= len(events)


def test_an_event_that_comes_late_does_not_undo_a_later_one() -> None:
    assert after(HEAD, event("resolved", 9), event("acknowledged", 5)).status == IncidentStatus.RESOLVED


def test_the_history_names_an_id_and_no_name() -> None:
    head = after(HEAD, event("acknowledged"))
    assert head.history[-1]["who"] == "PagerDuty (PUSER1)"
    assert after(HEAD, event("acknowledged", who="")).history[-1]["who"] == "PagerDuty"


def test_an_incident_that_was_merged_into_another_is_not_resolved() -> None:
    head = after(HEAD, event("resolved", merged=True))
    assert head.status == IncidentStatus.OPEN
    assert "merged" in head.history[-1]["what"]


def test_one_that_is_handed_back_escalates_again() -> None:
    head = after(HEAD, event("acknowledged", 1), event("unacknowledged", 2))
    assert head.answer_by == "2026-11-20T03:00:00+00:00"
    assert [entry["what"] for entry in head.history] == ["acknowledged", "unacknowledged"]


def test_what_pagerduty_did_itself_it_is_not_told_again() -> None:
    assert pages_to_tell(after(HEAD, event("acknowledged"))) == []
    assert pages_to_tell(after(HEAD, event("resolved"))) == []


# --- whole heads ---------------------------------------------------------------------------------------------


def test_keys_are_these_texts() -> None:
    assert (page_key("it", "0a1b2c3d"), page_key("it", "0a1b2c3d", 2)) == ("it.0a1b2c3d", "it.0a1b2c3d-3")
    assert dedup_key(KEY, PAGE) == f"{KEY}-it.0a1b2c3d"
    assert whose_page("other.name") == ("other.name", 0)


def test_a_page_keeps_its_latest_time_and_pages_are_bounded() -> None:
    head = paged(HEAD, PAGE, "acknowledge", "2026-11-20T02:05:00.000Z")
    assert head.pages == ({"page": PAGE, "at": "2026-11-20T02:05:00.000Z", "said": "acknowledge"},)
    assert paged(head, PAGE, "resolve").pages == (
        {"page": PAGE, "at": "2026-11-20T02:05:00.000Z", "said": "resolve"},
    )
    for number in range(PAGES + 5):
        head = paged(head, f"p{number}", "trigger")
    assert [entry["page"] for entry in head.pages] == [f"p{number}" for number in range(5, 65)]


def test_what_a_page_says_changes_the_whole_head() -> None:
    first = "2026-11-20T02:05:00.000Z"
    known = {"page": PAGE, "at": first}
    taken = after(HEAD, event("acknowledged"))
    row = {"at": AT, "who": "PagerDuty (PUSER1)", "what": "acknowledged"}
    assert taken == replace(
        HEAD,
        status=IncidentStatus.ACKNOWLEDGED,
        pages=({**known, "said": "acknowledge"},),
        history=(row,),
    )
    over = after(HEAD, event("resolved"))
    assert over == replace(
        HEAD,
        status=IncidentStatus.RESOLVED,
        resolved_count=3,
        pages=({**known, "said": "resolve"},),
        history=({**row, "what": "resolved"},),
    )
    told = replace(taken, told_status=IncidentStatus.ACKNOWLEDGED, ack_until="x")
    again = "2026-11-20T02:06:00.000Z"
    assert after(told, event("reopened", 6)) == replace(
        told,
        status=IncidentStatus.OPEN,
        told_status=IncidentStatus.OPEN,
        answer_by="2026-11-20T03:00:00+00:00",
        ack_until="",
        pages=({"page": PAGE, "at": again, "said": "trigger"},),
        history=(row, {**row, "what": "reopened"}),
    )
    open_yet = after(HEAD, event("unacknowledged"))
    assert open_yet == replace(HEAD, pages=({**known, "said": "trigger"},)), "nothing was taken back"
    merged = after(HEAD, event("resolved", merged=True))
    assert merged == replace(
        HEAD,
        pages=({**known, "said": "resolve"},),
        history=({**row, "what": "merged into another PagerDuty incident"},),
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("escalated", "escalated in PagerDuty"),
        ("reassigned", "reassigned in PagerDuty"),
        ("delegated", "delegated in PagerDuty"),
    ],
)
def test_what_is_only_noted_takes_no_acknowledgement_away(kind: str, words: str) -> None:
    head = after(HEAD, event("acknowledged", 5), event(kind, 3))
    assert head.pages == (
        {
            "said": "acknowledge",
            "page": PAGE,
            "at": "2026-11-20T02:05:00.000Z",
            "noted": "2026-11-20T02:03:00.000Z",
        },
    )
    assert [row["what"] for row in head.history] == ["acknowledged", words]
    assert after(head, event(kind, 3)) is head
    unknown = after(replace(HEAD, pages=()), event(kind, 3))
    assert unknown.pages == (
        {"said": "trigger", "page": PAGE, "at": "", "noted": "2026-11-20T02:03:00.000Z"},
    )
    assert pages_to_tell(replace(unknown, status=IncidentStatus.ACKNOWLEDGED)) == [(PAGE, "acknowledge")]
    assert len(PAGER_EVENTS) == 7
