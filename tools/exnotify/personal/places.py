"""Every place with a customer's data, and what is done there."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from exstream_notify.domain.erased import Person

from .drop_bucket import DropPlace
from .exports import ExportedRows
from .letters import BounceMails, DeadLetterBodies
from .tables import EarlyResponses, Incidents, Journeys, Notices
from .work_bucket import BulkJobs, RejectedRecords, StagedRecords, UnreadReceipts

if TYPE_CHECKING:
    from ..deployment import Deployment


class Place(Protocol):
    """One kind of place."""

    def held(self) -> Iterator[dict[str, Any]]:
        """What it holds of the customer, opened and readable."""

    def scrub(self) -> int:
        """Erase what existed before the erasure; how much changed. Safe to repeat, and to be stopped."""


PLACES: Mapping[str, Callable[["Deployment", Person], Place]] = {
    "drop": lambda target, person: DropPlace(target.app, person),
    "staged": lambda target, person: StagedRecords(target.app, person),
    "rejected": lambda target, person: RejectedRecords(target.app, person),
    "jobs": lambda target, person: BulkJobs(target.app, person),
    "unread_receipts": lambda target, person: UnreadReceipts(target.app, person),
    "bounce_mails": BounceMails,
    "dead_letters": DeadLetterBodies,
    "journeys": lambda target, person: Journeys(target.app, person),
    "early_responses": lambda target, person: EarlyResponses(target.app, person),
    "incidents": lambda target, person: Incidents(target.app, person),
    "notices": lambda target, person: Notices(target.app, person),
    "exports": ExportedRows,
}
"""By name, in the order of an erasure: what leads to other places comes after them."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What an erasure came to: how much by place, and what it could not do, in sentences."""

    changed: Mapping[str, int]
    left: tuple[str, ...]


def scrub(target: "Deployment", person: Person) -> Scrubbed:
    """Erase what is kept about a customer whose contact is erased already."""
    changed: dict[str, int] = {}
    left: list[str] = []
    for name, place_of in PLACES.items():
        place = place_of(target, person)
        changed[name] = place.scrub()
        left += getattr(place, "left", ())
    return Scrubbed(changed, tuple(dict.fromkeys(left)))


def held(target: "Deployment", person: Person) -> dict[str, list[dict[str, Any]]]:
    """All that is kept about a customer beside the contact, by place."""
    return {name: list(place_of(target, person).held()) for name, place_of in PLACES.items()}
