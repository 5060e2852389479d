"""Report once a journey that its steps cannot reach a customer, and not at every step anew."""

from collections.abc import Iterable, Mapping
from itertools import chain

from ..domain.decisions import Why
from ..domain.documents import Document
from ..domain.journeys import step_of, step_rule
from ..domain.notices import LOST, Notice, notice_id_of
from ..domain.work import SlicePointer
from ..ports import JourneyBook, Ledger, Rules
from .step_rules import journey_of

ABOUT_CHANNELS = frozenset({Why.NO_CHANNEL, "required_unreached", "unreached"})
"""Codes of customers whom no channel reaches."""


def mention_once(
    pointer: SlicePointer,
    unreached: dict[str, dict[int, int | None]],
    documents: Iterable[tuple[int, Document]],
    rules: Rules,
    journeys: JourneyBook | None,
    ledger: Ledger,
) -> None:
    """Take those out of `unreached` (code, position, customer's number) whom an earlier step reported.

    `rules` are those of the documents. Nothing but a journey's second and later steps loses anything.
    """
    step, journey = step_of(pointer.purpose), journey_of(pointer, rules, journeys)
    asked = set(chain.from_iterable(unreached.get(code, {}) for code in ABOUT_CHANNELS))
    if step is None or journey is None or step[1] == 1 or not asked:
        return
    earlier: Mapping[int, set[str]] = {
        position: {
            notice_id_of(document, step_rule(rules.for_document(document), journey, number))
            for number in range(1, step[1])
        }
        for position, document in documents
        if position in asked
    }
    stored = ledger.get(set(chain.from_iterable(earlier.values())))
    for position, ids in earlier.items():
        if any(_reached_nobody(stored[identity]) for identity in ids if identity in stored):
            for code in ABOUT_CHANNELS:
                unreached.get(code, {}).pop(position, None)


def _reached_nobody(notice: Notice) -> bool:
    return notice.why == Why.NO_CHANNEL or notice.status in LOST
