"""uc8: what eligibility says is what the dispatch does, whatever the customer wants and however it is written."""

import json
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exstream_notify.adapters.eligibility_api import Questions, asked_of
from exstream_notify.adapters.record_schemas import RecordSchemas, Site
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.adapters.s3 import document_from
from exstream_notify.domain.contacts import Consent
from exstream_notify.domain.debt_hold import DebtHold
from exstream_notify.use_cases.answer_eligibility import Eligibility, Question, answer_eligibility
from tests.fakes.examples import a_contact, an_address
from tests.index import stage
from tests.scenarios.shipped import shipped
from tests.use_cases.world import DOMAIN, World

RULES = YamlRules()
SCHEMAS = RecordSchemas(RULES, None, Site())
KINDS = (
    "statement",
    "policy-document",
    "overdue-notice",
    "payment-reminder",
    "claim-letter",
    "renewal-notice",
)
channels = st.lists(st.sampled_from(["email", "sms"]), unique=True).map(tuple)
statuses = st.sampled_from(["ok", "ok", "ok", "soft", "invalid", "opted_out", "complained"])

EMPTY = ("", "  ", "NULL", "n/a", None)
WRITTEN: dict[str, tuple[Any, ...]] = {
    "recipient": ("", None, "spouse", "Ann Example", "a\x00b"),
    "email": ("c0001@example.com", "C0001@Example.COM ", "new@example.org", "nobody", *EMPTY),
    "mobile": ("+12025550101", "(202) 555-0101", "+442079460101", "12", ["+12025550101"], *EMPTY),
    "delivery_channel": ("sms", "SMS ", "Email", "paper", "Print", "pigeon", "x" * 65, *EMPTY),
    "account_status": (
        "paid",
        "PAID ",
        "default",
        "Chapter 7",
        "verstorben",
        "new\x07",
        "no such status",
        *EMPTY,
    ),
    "amount_due": ("0.00", "-25.00", "12.00", 12.5, 0, "1.000", "12,50 EUR", "lots", *EMPTY),
    "currency": ("USD", "usd", "dollars", *EMPTY),
    "language": ("en", "English", "es-419", "DE_at", "klingonese", 7, *EMPTY),
    "country": ("US", "USA", "United States", "gb", "Ruritania", *EMPTY),
    "postcode": ("10001", "1" * 21, 10001, *EMPTY),
    "time_zone": ("America/New_York", "Europe/London", "Mars/Base", "UTC", *EMPTY),
    "first_name": ("Ann", "Ann\x00", {"given": "Ann"}, *EMPTY),
}
"""What a composer may write into a field, right and wrong."""
KEYS = ("C0001",) * 12 + ("C0002", "", "1.00001E+11", 10001, " C0001 ")
"""Of a customer who is known, of one who is not, and what no record is taken with."""


HOLDS = (
    DebtHold(("operator",), "2026-11-19T12:00:00Z", "operator ann", "letter of an attorney"),
    DebtHold(("disputed",), "2026-11-18T12:00:00Z", "run r0", lifted_at="2026-11-19T12:00:00Z"),
)


@st.composite
def stories(draw: Any) -> dict[str, Any]:
    consent = draw(st.sampled_from([None, None, True, False]))
    names = draw(st.lists(st.sampled_from(sorted(WRITTEN)), unique=True, max_size=8))
    return {
        "kind": draw(st.sampled_from(KINDS)),
        "at": f"2026-11-20T{draw(st.integers(0, 23)):02d}:30:00+00:00",
        "blocked": draw(channels),
        "erased": draw(st.sampled_from([False, False, False, True])),
        "record": {"customer_key": draw(st.sampled_from(KEYS))}
        | {name: draw(st.sampled_from(WRITTEN[name])) for name in names},
        "contact": {
            "recipient": draw(st.sampled_from(["", "", "spouse"])),
            "email": draw(
                st.sampled_from([None, *[an_address("c0001@example.com", status=draw(statuses))] * 3])
            ),
            "mobile": draw(st.sampled_from([None, *[an_address("+12025550101", status=draw(statuses))] * 3])),
            "set_by_customer": draw(st.sampled_from([(), ("email", "mobile"), ("language",)])),
            "channel_order": draw(channels),
            "opt_outs": draw(
                st.sampled_from(
                    [None, {"*": ("sms",)}, {"statements": ("email",)}, {"cases": ("email", "sms")}]
                )
            ),
            "language": draw(st.sampled_from([None, "fr"])),
            "time_zone": draw(st.sampled_from([None, "Pacific/Auckland"])),
            "quiet_hours": draw(st.sampled_from([None, ("10:00", "12:00")])),
            "paper_required": draw(st.sampled_from([False, False, True])),
            "consent": None if consent is None else Consent(consent, "electronic delivery", "1", "", "page"),
            "debt_hold": draw(st.sampled_from([None, None, *HOLDS])),
        },
    }


def told(world: World, story: dict[str, Any]) -> tuple[Questions, list[Eligibility]]:
    """What the service answers."""
    body = {"domain": DOMAIN, "customers": [story["record"]], "document_types": [story["kind"].upper()]}
    asked = asked_of(json.dumps(body), RULES, lambda domain: SCHEMAS.of(None, domain))
    assert asked.types == (story["kind"],)
    answers = answer_eligibility(
        [Question(document, asked.types) for document in asked.documents], rules=world.rules,
        contacts=world.contacts, addresses=world.addresses, suppressions=world.suppressions,
        clock=world.clock, policy=world.policy,
    )  # fmt: skip
    return asked, answers


@settings(max_examples=1000, deadline=None)
@given(stories())
def test_what_it_says_is_what_happens(story: dict[str, Any]) -> None:
    world = shipped(at=story["at"])
    world.know(a_contact(1, **story["contact"]))
    for channel in story["blocked"]:
        to = "c0001@example.com" if channel == "email" else "+12025550101"
        world.suppressions.addresses.add((channel, to))
    if story["erased"]:
        world.erase(1, story["contact"]["recipient"])
        world.clock.advance(seconds=1)
    asked, answers = told(world, story)
    line = json.dumps({**story["record"], "document_id": "D0001", "document_type": story["kind"]})
    dropped = stage(line, "run.index.jsonl", schema=SCHEMAS.of(None, DOMAIN))

    (customer,) = asked.customers
    if customer.refused:
        (reject,) = dropped.rejects
        assert (customer.refused.field, customer.refused.reason) == (reject["field"], reject["reason"])
        assert not answers
        return
    assert Counter(map(str, customer.left_out)) == Counter(dropped.tally.left_out)
    (row,) = dropped.documents
    (answer,) = answers
    (said,) = answer.verdicts
    world.drop("run-1", document_from(row, DOMAIN)[1])
    world.drain()

    notice = world.notice("D0001")
    (outcome,) = world.outcomes("run-1")
    if said.not_before:
        assert (outcome, notice.due_at) == ("deferred", said.not_before)
    elif said.channel in ("email", "sms"):
        assert (outcome, notice.attempts[0].channel) == ("notified", said.channel)
    else:
        assert outcome == {"paper": "paper", "none": "suppressed"}[said.channel]
        assert world.reasons("run-1", outcome) == {said.why: 1}
        assert not notice.attempts
    assert (answer.customer_key, answer.recipient) == (notice.customer_key, notice.recipient)
