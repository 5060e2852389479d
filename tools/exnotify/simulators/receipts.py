"""The receipts that follow an accepted message, as pure functions of the message and its fate."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from .behaviours import Behaviour, behaviour_of
from .opentext_documents import JobHead, status_document
from .ses_events import ses_event
from .sms_events import sms_event
from .store import SimulatedMessage
from .timeline import TIMELINES, Moment

Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One document in the provider's own shape, told `after` seconds from the message's acceptance.

    `kind` is `receipt`, or `reply` for an SMS that the customer sends back (another queue on AWS).
    """

    after: float
    document: Document
    kind: Literal["receipt", "reply"] = "receipt"


Sink: TypeAlias = Callable[[SimulatedMessage, Sequence[Receipt]], None]
"""Gets each accepted message with the receipts that are to follow; must not block."""


def receipts(
    message: SimulatedMessage, behaviour: Behaviour | None = None, late: float = 0.0
) -> list[Receipt]:
    """All receipts of a message in the order in which they are told.

    `behaviour` is its address's where none is given; `late` seconds are added to every one. OpenText's
    are status documents of the message's delivery, as a push would bring them.
    """
    fate = (behaviour or behaviour_of(message.to)).fate
    timeline = TIMELINES[fate]
    found: list[Receipt] = []
    for number, moment in enumerate(timeline):
        document, kind = _BUILDERS[message.provider](message, moment, timeline[: number + 1])
        if document is not None:
            found.append(Receipt(moment.told + late, document, kind))
    return found


_Built: TypeAlias = tuple[Document | None, Literal["receipt", "reply"]]


def _ses(message: SimulatedMessage, moment: Moment, _: Sequence[Moment]) -> _Built:
    return ses_event(message, moment), "receipt"


def _sms(message: SimulatedMessage, moment: Moment, _: Sequence[Moment]) -> _Built:
    return sms_event(message, moment)


def _opentext(message: SimulatedMessage, _: Moment, told: Sequence[Moment]) -> _Built:
    steps = [(m.step, message.sent_at + timedelta(seconds=m.happened)) for m in told]
    return status_document(JobHead.of(message), [(message, steps)]), "receipt"


_BUILDERS: Mapping[str, Callable[[SimulatedMessage, Moment, Sequence[Moment]], _Built]] = {
    "ses": _ses,
    "sms": _sms,
    "opentext": _opentext,
}
