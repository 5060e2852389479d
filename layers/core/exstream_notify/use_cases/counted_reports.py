"""What a look at a slice reports: named whole, and the same again when the look is repeated."""

from dataclasses import dataclass, field

from ..domain.identity import job_id
from ..domain.notices import Notice
from ..domain.takeover import TAKEN_OVER
from ..domain.work import SlicePointer

_SHOWN = 3


def place_of(pointer: SlicePointer, what: str = "") -> str:
    """The part under which a look is reported: the slice, the positions and `what`.

    Of more than a few positions a hash stands for the rest, so that no look takes another's place.
    """
    step = pointer.purpose if pointer.version else ""
    rows = list(map(str, pointer.positions))
    shown = ",".join(rows[:_SHOWN])
    if len(rows) > _SHOWN:
        shown = f"{shown}+{len(rows) - _SHOWN} {_look_of(pointer)[:8]}"
    return " ".join(filter(None, ("slice", str(pointer.number), step, what, shown)))


def _look_of(pointer: SlicePointer) -> str:
    names = (pointer.purpose, *map(str, pointer.positions))
    return job_id(pointer.run, pointer.number, "look", names)


@dataclass(frozen=True, slots=True)
class Looked:
    """A look: which of a notice's events its reports count (`Event.report`)."""

    pointer: SlicePointer
    _name: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the look once."""
        object.__setattr__(self, "_name", _look_of(self.pointer))

    def report(self, code: str, before: Notice | None) -> str:
        """What the event of a notice is to name as its report; empty if another look counts it under the
        code already. `before`: the notice as it is stored."""
        report = f"{code} {self._name}"
        for known in _reports(before) if before is not None else ():
            if known != report and known.partition(" ")[0] == code:
                return ""
        return report

    def codes_in(self, notice: Notice) -> list[str]:
        """The codes that this look counted a notice under."""
        found = (report.partition(" ") for report in _reports(notice))
        return [code for code, _, name in found if name == self._name]


def _reports(notice: Notice) -> list[str]:
    """Where its events are counted since its newest record has it."""
    reports: list[str] = []
    for event in notice.events:
        if event.what == TAKEN_OVER:
            reports = []
        elif event.report:
            reports.append(event.report)
    return reports
