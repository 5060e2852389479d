"""What our own path cannot digest, told to whoever must act."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Severity = Literal["info", "warning", "error", "severe"]


@dataclass(frozen=True, slots=True)
class ExceptionRaised:
    """One cause within one run. `part` names the slice, job or file that reports it, so that a
    repeated report replaces itself instead of counting twice. Nothing in it is personal once it has left
    (`as_it_leaves`): `names` are those in it that somebody else chose, such as files, queues and codes.

    `customers_in_run` are sequence numbers in the run; `customers` are more of them, as the text that
    the engine takes (`2,7,14-50`). `samples` are masked. `queue` and `document_type` name where it
    happened, for the rules to route by; `team` is whose it is where a rule of its own says so."""

    code: str
    severity: Severity
    domain: str
    run_id: str
    text: str
    part: str = "run"
    count: int = 1
    customers_in_run: tuple[int, ...] = ()
    detail: Mapping[str, str] = field(default_factory=dict)
    samples: tuple[str, ...] = ()
    customers: str = ""
    queue: str = ""
    document_type: str = ""
    team: str = ""
    names: tuple[str, ...] = ()

    def as_it_leaves(self, shown: Callable[[str], str]) -> "ExceptionRaised":
        """With its `names` as they may be shown, wherever they stand in it."""
        names = sorted({name for name in self.names if name and shown(name) != name}, key=len, reverse=True)
        if not names:
            return replace(self, names=())
        found = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)")

        def told(text: str) -> str:
            return found.sub(lambda name: shown(name[0]), text)

        return replace(
            self,
            code=told(self.code),
            text=told(self.text),
            part=told(self.part),
            detail={key: told(value) for key, value in self.detail.items()},
            queue=told(self.queue),
            document_type=told(self.document_type),
            names=(),
        )

    def to_detail(self) -> dict[str, Any]:
        """As the detail of an EventBridge event."""
        detail = asdict(self)
        del detail["names"]
        return detail


RANK: Mapping[str, int] = {"info": 0, "warning": 1, "error": 2, "severe": 3}
"""Severities, from what only informs to what stops a run."""


def worst(severities: Iterable[Severity]) -> Severity:
    """The highest of them; `info` of none."""
    return max(severities, key=RANK.__getitem__, default="info")


class Unusable(Exception):
    """Input that cannot be used: `code` names the exception, `place` where, the text why.

    `names` are the names in it that somebody else chose.
    """

    def __init__(self, code: str, place: str, reason: str, names: Iterable[str] = ()) -> None:
        super().__init__(f"{place}: {reason}")
        self.names = tuple(names)
        self.code = code
        self.place = place
        self.reason = reason
