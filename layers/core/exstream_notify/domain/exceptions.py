"""What our own path cannot digest, told to whoever must act."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["info", "warning", "error", "severe"]


@dataclass(frozen=True, slots=True)
class ExceptionRaised:
    """One cause within one run. `part` names the slice, job or file that reports it, so that a
    repeated report replaces itself instead of counting twice. Nothing in it is personal.

    `customers_in_run` are sequence numbers in the run; `customers` are more of them, as the text that
    the engine takes (`2,7,14-50`). `samples` are masked. `queue` and `document_type` name where it
    happened, for the rules to route by; `team` is whose it is where a rule of its own says so. `content`
    says what it counts, so that the same messages in another file count once (`twins`).

    `source` is the file that says it, so that a later reading of the file takes back what it says no more.
    `said_at` is when it was said (UTC, ISO 8601; empty: when it is recorded): an older report never takes
    the place of a newer one. `cured_by_rerun` is set when it is recorded, by the rules."""

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
    source: str = ""
    said_at: str = ""
    cured_by_rerun: bool = False
    content: str = ""

    def to_detail(self) -> dict[str, Any]:
        """As the detail of an EventBridge event."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file of a run's folder was read to its end, as it was at `said_at`; `reported` are the code and
    part of each report that it made, as `key`."""

    domain: str
    run_id: str
    name: str
    reported: tuple[str, ...] = ()
    said_at: str = ""

    @staticmethod
    def key(exception: ExceptionRaised) -> str:
        """What tells one of its reports from another."""
        return f"{exception.code}#{exception.part}"


RANK: Mapping[str, int] = {"info": 0, "warning": 1, "error": 2, "severe": 3}
"""Severities, from what only informs to what stops a run."""


def worst(severities: Iterable[Severity]) -> Severity:
    """The highest of them; `info` of none."""
    return max(severities, key=RANK.__getitem__, default="info")


class Unusable(Exception):
    """Input that cannot be used: `code` names the exception, `place` where, the text why."""

    def __init__(self, code: str, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.code = code
        self.place = place
        self.reason = reason
