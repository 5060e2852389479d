"""When a composite alarm performs its actions: on a change of its state, unless a suppressor holds them.

After "Suppressing composite alarm actions" (CloudWatch user guide). While the suppressor is in alarm nothing
is done. After a change of state the composite alarm waits up to its wait period for the suppressor to go into
alarm; after the suppressor has left the alarm it waits for the extension period. When the wait is over, the
actions of the state that the alarm has then are performed once, unless that state was acted on last. An alarm
without a suppressor acts at once. Nothing is repeated while a state lasts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .alarms import State


@dataclass(frozen=True, slots=True)
class Page:
    """Somebody was paged; `at` in seconds of the clock that the alarms are evaluated by."""

    at: float
    alarm: str


@dataclass(slots=True)
class _Action:
    """One alarm's actions; times in seconds, `ends` is when it waits no longer."""

    alarm: str
    suppressor: str | None
    wait: float
    extension: float
    state: State = State.OK
    acted: State = State.OK
    suppressed: bool = False
    ends: float | None = None

    def step(self, at: float, states: Mapping[str, State]) -> bool:
        """Whether the alarm goes off now: its actions for ALARM are performed."""
        changed = states[self.alarm] != self.state
        self.state = states[self.alarm]
        if self.suppressor is not None:
            now_suppressed = states[self.suppressor] == State.ALARM
            if now_suppressed:
                self.ends = None
            elif self.suppressed:
                self.ends = at + self.extension
            elif changed and self.ends is None:
                self.ends = at + self.wait
            self.suppressed = now_suppressed
            if now_suppressed or (self.ends is not None and at < self.ends):
                return False
            self.ends = None
        if self.state == self.acted:
            return False
        self.acted = self.state
        return self.state == State.ALARM


@dataclass(slots=True)
class Pager:
    """The alarms that page, and every page so far."""

    actions: list[_Action]
    pages: list[Page] = field(default_factory=list)

    @classmethod
    def of(cls, resources: Mapping[str, Mapping[str, Any]], topic: Any) -> "Pager":
        """From a template's alarms by logical id: those that have `topic` among their AlarmActions.

        A suppressor is named by its logical id. Raises KeyError for one without its periods.
        """
        return cls(
            [
                _Action(
                    name,
                    _target(properties.get("ActionsSuppressor")),
                    float(properties["ActionsSuppressorWaitPeriod"]) if _suppressed(properties) else 0.0,
                    float(properties["ActionsSuppressorExtensionPeriod"]) if _suppressed(properties) else 0.0,
                )
                for name, resource in resources.items()
                if topic in (properties := resource["Properties"]).get("AlarmActions", ())
            ]
        )

    @property
    def alarms(self) -> list[str]:
        """Names of the alarms that page."""
        return [action.alarm for action in self.actions]

    def step(self, at: float, states: Mapping[str, State]) -> None:
        """The alarms' states at a moment, which is not earlier than the one before."""
        self.pages += [Page(at, action.alarm) for action in self.actions if action.step(at, states)]

    def on(self) -> Iterable[str]:
        """The paging alarms that are in alarm."""
        return [action.alarm for action in self.actions if action.state == State.ALARM]


def _suppressed(properties: Mapping[str, Any]) -> bool:
    return bool(properties.get("ActionsSuppressor"))


def _target(reference: Any) -> str | None:
    """The logical id that a Ref or GetAtt names."""
    if not reference:
        return None
    if isinstance(reference, Mapping):
        found = reference.get("Ref") or reference["Fn::GetAtt"]
        return str(found if isinstance(found, str) else found[0]).partition(".")[0]
    return str(reference)
