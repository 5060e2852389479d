"""What our own path cannot digest, told to whoever must act."""

import hashlib
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
    happened, for the rules to route by; `team` is whose it is where a rule of its own says so. `content`
    says what it counts, so that the same messages in another file count once (`twins`).

    `source` marks the file that says it and the report (`FileRead.source`), so that a later reading of the
    file takes back what it says no more.
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


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file of a run's folder was read to its end, as it was at `said_at`.

    `file` is the mark of its name, `reported` are the `source` of each report that it made: names stay
    inside.
    """

    domain: str
    run_id: str
    file: str
    reported: tuple[str, ...] = ()
    said_at: str = ""

    def source(self, exception: ExceptionRaised) -> str:
        """What tells one of its reports from another, and from another file's."""
        return f"{self.file}/{mark(f'{exception.code}#{exception.part}')}"


def mark(name: str) -> str:
    """Sixteen hexadecimal digits that stand for a name. An identity, not a secret."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]


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
