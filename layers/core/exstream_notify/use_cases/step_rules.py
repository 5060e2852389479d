"""The rules as they are for what a pointer is about: documents as such, or one step of a journey."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ..domain.account_status import StatusWords
from ..domain.decisions import Defer, Policy, Suppress
from ..domain.documents import Document, DocumentRule
from ..domain.journeys import JourneyRule, step_of, step_rule
from ..domain.moments import untimely
from ..domain.runs import Control, DomainRule
from ..domain.work import SlicePointer
from ..ports import JourneyBook, Rules, RunBook


def pinned(name: str, version: str, rules: Rules, journeys: JourneyBook | None) -> JourneyRule:
    """A journey's rule of that version, or as it is now where it applies to those that run already.

    KeyError for one that nobody kept.
    """
    now = rules.journeys().get(name)
    if now is not None and (now.version == version or now.changes_apply_to == "running"):
        return now
    kept = journeys.rule(name, version) if journeys is not None else None
    if kept is None:
        raise KeyError(f"journey {name} of version {version}")
    return replace(kept, kept_as=version)


def is_off(name: str, rules: Rules, journeys: JourneyBook | None) -> bool:
    """Whether a journey is switched off: the rules have none of that name, or an operator stopped it."""
    if name not in rules.journeys():
        return True
    words = journeys.switched(name) if journeys is not None else []
    return bool(words) and words[-1]["what"] == "stop"


def run_stopped(name: str, journeys: JourneyBook) -> bool:
    """Whether an operator's last word about the journeys of a run (`domain/run id`) is to stop them."""
    words = journeys.run_words(name)
    return bool(words) and words[-1]["what"] == "stop"


def run_cancelled(name: str, runs: RunBook) -> bool:
    """Whether a run (`domain/run id`) was cancelled."""
    domain, _, run_id = name.partition("/")
    run = runs.get(domain, run_id)
    return run is not None and run.control == Control.CANCEL


def journey_of(pointer: SlicePointer, rules: Rules, journeys: JourneyBook | None) -> JourneyRule | None:
    """The journey whose step a pointer is about, or None."""
    step = step_of(pointer.purpose)
    return pinned(step[0], pointer.version, rules, journeys) if step else None


Timely = Callable[[Document, Sequence[str], datetime], Suppress | Defer | None]
"""Why a document's step cannot go out now: from the document, the customer's zones, and the time."""


def timely(pointer: SlicePointer, rules: Rules, journeys: JourneyBook | None, policy: Policy) -> Timely:
    """Asks whether what a step says of the due date is true; anything but a step is always in time."""
    number = step_of(pointer.purpose)
    journey = journey_of(pointer, rules, journeys)
    step = journey.steps[number[1] - 1] if journey and number else None

    def asked(document: Document, zones: Sequence[str], now: datetime) -> Suppress | Defer | None:
        return untimely(step, document.due_date or "", zones or policy.default_zones, now) if step else None

    return asked


def rules_of(pointer: SlicePointer, rules: Rules, journeys: JourneyBook | None) -> Rules:
    """The rules, with those of the step where the pointer is about one."""
    step = step_of(pointer.purpose)
    journey = journey_of(pointer, rules, journeys)
    if step is None or journey is None:
        return rules
    return _StepRules(rules, journey, step[1])


class _StepRules:
    """`Rules` as they are for a journey's step."""

    def __init__(self, rules: Rules, journey: JourneyRule, number: int) -> None:
        self._rules = rules
        self._journey = journey
        self._number = number

    def for_document(self, document: Document) -> DocumentRule:
        """The document's rule with the step's channels and words."""
        return step_rule(self._rules.for_document(document), self._journey, self._number)

    def of_type(self, document_type: str) -> DocumentRule:
        """Likewise."""
        return step_rule(self._rules.of_type(document_type), self._journey, self._number)

    @property
    def statuses(self) -> StatusWords:
        """As ever."""
        return self._rules.statuses

    def team_address(self, team: str) -> str | None:
        """As ever."""
        return self._rules.team_address(team)

    def domain(self, domain: str) -> DomainRule:
        """As ever."""
        return self._rules.domain(domain)

    def journeys(self) -> Mapping[str, JourneyRule]:
        """As ever."""
        return self._rules.journeys()

    def known_place(self, place: str) -> str:
        """As ever."""
        return self._rules.known_place(place)
