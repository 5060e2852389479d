"""Rules of a few lines that no story reaches, row by row."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.channels import AlertReceipt
from exstream_notify.domain.incidents import Head
from exstream_notify.domain.message_fields import message_of_fields
from exstream_notify.domain.pager import PAGES, after_event, page_key, paged
from exstream_notify.domain.passes import preferences_id
from exstream_notify.use_cases.alert_exceptions import last_customer_in
from exstream_notify.use_cases.change_preferences import open_page
from exstream_notify.use_cases.tell_team import chains_after, took_key
from tests.fakes import FakeClock, FakeContacts, a_contact

from .test_pager import AT, HEAD, PAGE, event, incident

# --- the preference page --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "opens"), [(-2, False), (-1, True), (0, True), (1, True), (30, True), (31, False)]
)
def test_a_preferences_link_opens_for_its_days(days: int, opens: bool) -> None:
    clock, contacts = FakeClock(), FakeContacts()
    contacts.put([a_contact()])
    token = preferences_id(a_contact().salt, (clock.now() - timedelta(days=days)).date())
    found = open_page(token, contacts=contacts, clock=clock, days=30)
    assert (found is not None) is opens
    assert open_page("f" * 32, contacts=contacts, clock=clock, days=30) is None


# --- alerts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("took", "left"),
    [
        ((), [("sms",), ("pager", "email")]),
        (("1 sms it",), [("pager", "email")]),
        (("1 pager it",), [("sms",)]),
        (("1 pager it", "1 sms it"), []),
        (("2 sms it", "1 sms other"), [("sms",), ("pager", "email")]),  # another alert, another team
    ],
)
def test_what_is_left_of_each_line_behind_a_channel_that_failed(
    took: tuple[str, ...], left: list[tuple[str, ...]]
) -> None:
    chains = [("teams",), ("email", "sms"), ("teams", "email"), ("email", "pager", "email")]
    receipt = AlertReceipt("1" * 32, 1, "email", "it", "failed", False, "bounced")  # type: ignore[arg-type]
    head = Head("1" * 32, "retail", "run-1", "it", "engine", took=took)
    assert chains_after(receipt, chains, head) == left


def test_an_alert_on_a_channel_is_named_as_its_receipts_name_it() -> None:
    number, channel, team = took_key(3, "email", "it").split(" ")
    assert (number, channel) == ("3", "email")
    assert (
        team == took_key(9, "sms", "it").rpartition(" ")[2] != took_key(3, "email", "head").rpartition(" ")[2]
    )


def test_the_last_customer_is_what_the_seal_states() -> None:
    class Runs:
        def get(self, domain: str, run_id: str) -> Any:
            return {("retail", "run-1"): type("Run", (), {"customers_expected": 120})}.get((domain, run_id))

    last = last_customer_in(Runs())  # type: ignore[arg-type]
    assert (last("retail", "run-1"), last("retail", "run-2"), last("cards", "run-1")) == (120, 0, 0)


def test_an_event_of_one_page_changes_that_page_alone() -> None:
    other = page_key("head", "ffff")
    head = paged(HEAD, other, "trigger", "2026-11-20T02:09:00.000Z")
    head = after_event(head, incident(head), event("acknowledged"), "", AT)
    assert {entry["page"]: entry["said"] for entry in head.pages} == {PAGE: "acknowledge", other: "trigger"}
    later = after_event(head, incident(head), replace(event("resolved", 8), page=other), "", AT)
    assert later is head, "older than what is known of that page"
    noted = after_event(head, incident(head), replace(event("escalated", 1), page=other), "", AT)
    assert [entry["page"] for entry in noted.pages] == [PAGE, other]
    assert noted.history[-1]["what"] == "escalated in PagerDuty"
    many = head
    for number in range(PAGES + 3):
        many = after_event(many, incident(many), replace(event("delegated"), page=f"p{number}"), "", AT)
    assert len(many.pages) == PAGES


# --- messages in fields -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "told", "severity"),
    [
        ("EX000001E", "", None),  # what its letter says
        ("EX000001E", "warning", None),
        ("EX000001W", "error", "error"),
        ("EX000001S", "info", None),
        ("EX000001I", "severe", "severe"),
    ],
)
def test_a_message_has_the_worse_of_what_its_letter_and_a_field_say(
    code: str, told: str, severity: str | None
) -> None:
    fields = [("code", code), ("text", "Field empty"), *([("severity", told)] if told else [])]
    words: Any = {name: name for name in ("severe", "error", "warning", "info")}
    found = message_of_fields(fields, "", words)
    assert found is not None
    assert (found.code, found.severity) == (code, severity)
