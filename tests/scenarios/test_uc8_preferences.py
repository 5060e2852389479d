"""uc8: what eligibility says is what the dispatch does, whatever the customer wants."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.contacts import Consent
from exstream_notify.domain.documents import Channel
from exstream_notify.use_cases.answer_eligibility import Question, answer_eligibility
from tests.fakes import a_document
from tests.fakes.examples import a_contact, an_address
from tests.scenarios.shipped import shipped

KINDS = ("statement", "policy-document", "overdue-notice", "claim-letter", "renewal-notice")
channels = st.lists(st.sampled_from(["email", "sms"]), unique=True).map(tuple)
statuses = st.sampled_from(["ok", "soft", "invalid", "opted_out", "complained"])


@st.composite
def stories(draw: Any) -> dict[str, Any]:
    consent = draw(st.sampled_from([None, True, False]))
    return {
        "kind": draw(st.sampled_from(KINDS)),
        "at": f"2026-11-20T{draw(st.integers(0, 23)):02d}:30:00+00:00",
        "blocked": draw(channels),
        "status": draw(st.sampled_from([None, "paid", "default"])),
        "wish": draw(st.sampled_from([None, "sms", "email", "paper"])),
        "amount": draw(st.sampled_from([None, "0.00", "-25.00", "12.00"])),
        "contact": {
            "email": an_address("c0001@example.com", status=draw(statuses)),
            "mobile": an_address("+12025550101", status=draw(statuses)),
            "set_by_customer": ("email", "mobile"),
            "channel_order": draw(channels),
            "opt_outs": draw(
                st.sampled_from(
                    [None, {"*": ("sms",)}, {"statements": ("email",)}, {"cases": ("email", "sms")}]
                )
            ),
            "quiet_hours": draw(st.sampled_from([None, ("10:00", "12:00")])),
            "paper_required": draw(st.sampled_from([False, False, True])),
            "consent": None if consent is None else Consent(consent, "electronic delivery", "1", "", "page"),
        },
    }


@given(stories())
def test_what_it_says_is_what_happens(story: dict[str, Any]) -> None:
    world = shipped(at=story["at"])
    contact = a_contact(1, **story["contact"])
    world.know(contact)
    for channel in story["blocked"]:
        address = contact.address("email" if channel == "email" else "sms")
        assert address is not None
        world.suppressions.addresses.add((channel, address.value))
    document = a_document(
        1,
        document_type=story["kind"],
        account_status=story["status"],
        delivery_channel=story["wish"],
        amount_due=story["amount"],
    )

    (answer,) = answer_eligibility(
        [Question(replace(document, document_id=""), (story["kind"],))], rules=world.rules,
        contacts=world.contacts, addresses=world.addresses, suppressions=world.suppressions,
        clock=world.clock, policy=world.policy,
    )  # fmt: skip
    (said,) = answer.verdicts
    world.drop("run-1", document)
    world.drain()

    told: list[Channel] = [
        d.channel
        for d in world.outbox
        if "notice" in world.notice("D0001").purpose and d.to in (contact.email.value, contact.mobile.value)
    ]  # type: ignore[union-attr]
    (outcome,) = world.outcomes("run-1")
    if said.not_before:
        assert outcome == "deferred"
        assert world.notice("D0001").due_at == said.not_before
    elif said.channel in ("email", "sms"):
        assert (outcome, told) == ("notified", [said.channel])
    else:
        assert outcome == {"paper": "paper", "none": "suppressed"}[said.channel]
        assert world.reasons("run-1", outcome) == {said.why: 1}
        assert not told
