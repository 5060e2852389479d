"""One message about many documents, and what is kept of a note to a customer: whole values."""

from typing import Any

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.together import as_one
from exstream_notify.use_cases.answer_eligibility import Question, answer_eligibility
from exstream_notify.use_cases.tell_customer import LEASE
from tests.fakes import a_contact, a_document, an_address
from tests.use_cases.test_owner_notices import change_address, known
from tests.use_cases.world import World

FIRST: dict[str, Any] = {
    "amount_due": "100.10",
    "currency": "USD",
    "due_date": "2026-12-05",
    "respond_by": "2026-12-20",
    "account_number": "A1",
    "account_status": "overdue",
    "days_past_due": 12,
    "reference_no": "R1",
    "statement_period": "2026-11",
    "stage": "2",
    "case_id": "CASE-1",
    "case_type": "dispute",
    "language": "de",
}
COMMON = {**dict.fromkeys(FIRST), "language": "de", "currency": "USD"}


def said(*documents: dict[str, Any]) -> dict[str, Any]:
    """What the one document says of those fields."""
    one = as_one([a_document(n, **fields) for n, fields in enumerate(documents, 1)])
    return {"together": one.together, **{name: getattr(one, name) for name in FIRST}}


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (
            {**FIRST, "amount_due": "0.90", "due_date": "2026-12-01", "respond_by": "2026-12-24"},
            {
                "amount_due": "101.00",
                "due_date": "2026-12-01",
                "respond_by": "2026-12-20",
                "account_number": "A1",
            },
        ),
        (
            {**FIRST, "currency": "EUR", "account_number": "A2"},
            {"due_date": "2026-12-05", "respond_by": "2026-12-20"},
        ),
        (
            {"amount_due": None, "currency": "USD"},
            {"due_date": "2026-12-05", "respond_by": "2026-12-20"},
        ),
    ],
)
def test_one_message_says_number_total_and_first_dates_and_nothing_that_is_not_common(
    second: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert said(FIRST, second) == {**COMMON, "together": 2, **expected}


def test_without_any_date_there_is_none() -> None:
    assert said({"language": "de"}, {}) == {**COMMON, "currency": None, "together": 2}


def test_the_proof_of_a_note_has_what_was_sent_to_whom_and_why() -> None:
    world = known()
    change_address(world)
    notes = [d for d in world.outbox if not d.text.startswith("code ")]
    for note in notes:
        notice = world.ledger.notices[note.notice_id]
        proof = world.evidence.lines[notice.attempts[0].evidence]
        body = dict(proof.body)
        assert body.pop("chain")
        assert {name: body[name] for name in ("channel", "provider", "to", "purpose", "text", "subject")} == {
            "channel": note.channel,
            "provider": note.provider,
            "to": note.to,
            "purpose": notice.purpose,
            "text": note.text,
            "subject": note.subject,
        }
        assert set(body) == {
            *("channel", "provider", "to", "purpose", "document_id", "subject", "text", "html"),
            *("wording_version", "wording_approval"),
        }
        assert proof.ref == f"{note.notice_id}:1"
        assert notice.attempts[0].lease == round(world.clock.machine_time() + LEASE, 3)
        assert [event.what for event in notice.events] == ["claimed", "sent"]
        assert notice.created_at.endswith(".250+00:00")


@pytest.mark.parametrize(
    ("blocked", "expected"),
    [
        ([], {"email": "ok", "mobile": "soft"}),
        ([("sms", "+12025550101")], {"email": "ok", "mobile": "suppressed"}),
        ([("email", "c0001@example.com")], {"email": "suppressed", "mobile": "soft"}),
    ],
)
def test_eligibility_tells_each_address_apart(
    blocked: list[tuple[Any, str]], expected: dict[str, str]
) -> None:
    world = World()
    world.know(a_contact(1, mobile=an_address("+12025550101", status="soft"), language="fr"))
    world.suppressions.addresses |= set(blocked)
    [answer] = answer_eligibility(
        [Question(a_document(1, language="de"), ("statement",))], rules=YamlRules(), contacts=world.contacts,
        addresses=world.addresses, suppressions=world.suppressions, clock=world.clock, policy=world.policy,
    )  # fmt: skip
    assert answer.known
    assert answer.language == "de"
    assert {name: str(status) for name, status in answer.addresses.items()} == expected
