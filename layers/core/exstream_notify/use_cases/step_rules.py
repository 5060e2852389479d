"""The rules as they are for what a pointer is about: documents as such, or one step of a journey."""

from collections.abc import Mapping

from ..domain.documents import Document, DocumentRule
from ..domain.journeys import JourneyRule, step_of, step_rule
from ..domain.runs import DomainRule
from ..domain.work import SlicePointer
from ..ports import JourneyBook, Rules


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
    return kept


def is_off(name: str, rules: Rules, journeys: JourneyBook | None) -> bool:
    """Whether a journey is switched off: the rules have none of that name, or an operator stopped it."""
    if name not in rules.journeys():
        return True
    words = journeys.switched(name) if journeys is not None else []
    return bool(words) and words[-1]["what"] == "stop"


def journey_of(pointer: SlicePointer, rules: Rules, journeys: JourneyBook | None) -> JourneyRule | None:
    """The journey whose step a pointer is about, or None."""
    step = step_of(pointer.purpose)
    return pinned(step[0], pointer.version, rules, journeys) if step else None


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
