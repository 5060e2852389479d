"""What Exstream is told of a decision: channel, fallback, queues, reasons; whole values."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest

from exstream_notify.domain.decisions import Defer, Paper, Send, Suppress, Why
from exstream_notify.domain.eligibility import customer_queues, queues_by_type, status_of, verdict
from tests.fakes import a_contact, a_rule, an_address

QUEUES = {"statement": ("Email_Statements", "Sms_Statements"), "bill": ("Bills",)}
BLANK = {
    "document_type": "statement",
    "channel": "none",
    "fallback": (),
    "both": False,
    "why": "",
    "detail": "",
    "not_before": "",
    "queues": (),
    "excluded": (),
}


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (
            Send(("email", "sms")),
            {"channel": "email", "fallback": ("sms",), "queues": QUEUES["statement"]},
        ),
        (Send(("sms",), both=True), {"channel": "sms", "both": True, "queues": QUEUES["statement"]}),
        (
            Defer(datetime(2026, 11, 20, 13, 0, 0, 250_000, tzinfo=UTC), Why.QUIET_HOURS),
            {
                "channel": "sms",
                "why": "quiet_hours",
                "not_before": "2026-11-20T13:00:00+00:00",
                "queues": QUEUES["statement"],
            },
        ),
        (
            Paper(Why.NO_CHANNEL, "email: none"),
            {"channel": "paper", "why": "no_channel", "detail": "email: none", "queues": ("Print",)},
        ),
        (Suppress(Why.OPTED_OUT, "email: opted out"), {"why": "opted_out", "detail": "email: opted out"}),
    ],
)
def test_a_decision_in_words(decision: Any, expected: dict[str, Any]) -> None:
    found = asdict(verdict(decision, a_rule(), a_contact(), (), QUEUES, "Print"))
    assert found == {**BLANK, **expected}


def test_what_speaks_against_each_channel_is_said() -> None:
    contact = a_contact(opt_outs={"*": ("sms",)})
    found = verdict(Send(("email",)), a_rule(), contact, ("email",), QUEUES, "Print")
    assert [e.channel for e in found.excluded] == ["email", "sms"]
    assert all(e.why for e in found.excluded)


def test_queues_are_told_once_and_in_order() -> None:
    assert queues_by_type({"B": "x", "A": "x", "C": "y"}) == {"x": ("A", "B"), "y": ("C",)}
    rows = [
        verdict(Send(("email",)), a_rule(name=name), a_contact(), (), QUEUES, "Print")
        for name in ("statement", "bill", "statement", "other")
    ]
    assert customer_queues(rows) == "Bills,Email_Statements,Sms_Statements"
    assert customer_queues(rows, ";") == "Bills;Email_Statements;Sms_Statements"


def test_an_address_as_others_see_it() -> None:
    assert status_of(None, False) == status_of(None, True) == "none"
    assert status_of(an_address("a@example.com"), False) == "ok"
    assert status_of(an_address("a@example.com"), True) == "suppressed"
    assert status_of(an_address("a@example.com", status="invalid"), True) == "invalid"
    assert status_of(an_address("a@example.com", status="soft"), False) == "soft"
