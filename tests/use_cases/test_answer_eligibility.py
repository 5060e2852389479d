"""The answer to a composer's question: of whom it tells what, in which language, and what it goes by."""

from typing import Any

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.documents import Document
from exstream_notify.use_cases.answer_eligibility import Eligibility, Question, answer_eligibility
from tests.fakes import a_contact, a_document
from tests.use_cases.world import World

TYPES = ("statement", "final-demand")


def answers(world: World, *documents: Document, types: tuple[str, ...] = TYPES) -> list[Eligibility]:
    return answer_eligibility(
        [Question(document, types) for document in documents], rules=YamlRules(), contacts=world.contacts,
        addresses=world.addresses, suppressions=world.suppressions, clock=world.clock, policy=world.policy,
    )  # fmt: skip


def test_nothing_asked_is_nothing_answered() -> None:
    assert answers(World()) == []


@pytest.mark.parametrize(
    ("said", "kept", "own", "language"),
    [
        ("de", "fr", False, "de"),
        (None, "fr", False, "fr"),
        (None, None, False, ""),
        ("de", None, False, "de"),
        ("de", "fr", True, "fr"),  # what the customer chose stands
    ],
)
def test_the_language_is_the_customers_own_else_the_records(
    said: str | None, kept: str | None, own: bool, language: str
) -> None:
    world = World()
    world.know(a_contact(1, language=kept, set_by_customer=("language",) if own else ()))
    [answer] = answers(world, a_document(1, language=said))
    assert answer.language == language


def test_each_question_has_its_answer_and_each_type_its_verdict_in_their_order() -> None:
    world = World()
    world.know(a_contact(2, recipient="spouse"))
    found = answers(world, a_document(1), a_document(2, recipient="spouse"), a_document(2))
    assert [(a.customer_key, a.recipient, a.known) for a in found] == [
        ("C0001", "", False),
        ("C0002", "spouse", True),
        ("C0002", "", False),
    ]
    assert [tuple(v.document_type for v in a.verdicts) for a in found] == [TYPES] * 3


@pytest.mark.parametrize(
    ("status", "says"),
    [("deceased", ("none", "do_not_dun", "deceased")), ("current", ("email", "", ""))],
)
def test_a_status_that_the_question_states_is_heeded(status: str, says: Any) -> None:
    world = World()
    [answer] = answers(world, a_document(1, document_type="final-demand", account_status=status))
    demand = answer.verdicts[1]
    assert (demand.channel, demand.why, demand.detail) == says
    assert world.contacts.stored == {}, "a question writes nothing"
