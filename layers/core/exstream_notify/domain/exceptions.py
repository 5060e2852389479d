"""What our own path cannot digest, told to whoever must act."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["info", "warning", "error", "severe"]


@dataclass(frozen=True, slots=True)
class ExceptionRaised:
    """One cause within one run. `part` names the slice, job or file that reports it, so that a
    repeated report replaces itself instead of counting twice. Nothing in it is personal."""

    code: str
    severity: Severity
    domain: str
    run_id: str
    text: str
    part: str = "run"
    count: int = 1
    customers_in_run: tuple[int, ...] = ()
    detail: Mapping[str, str] = field(default_factory=dict)

    def to_detail(self) -> dict[str, Any]:
        """As the detail of an EventBridge event."""
        return asdict(self)


class Unusable(Exception):
    """Input that cannot be used: `code` names the exception, `place` where, the text why."""

    def __init__(self, code: str, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.code = code
        self.place = place
        self.reason = reason
