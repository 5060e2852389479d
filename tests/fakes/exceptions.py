"""The exceptions' bus and the incidents, in memory."""

from collections.abc import Sequence

from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.identity import job_id

from .queues import FakeQueue


class FakeExceptionBus:
    """`ExceptionBus`: keeps what was told, and hands it on to a queue if it has one."""

    def __init__(self, queue: FakeQueue | None = None) -> None:
        self.raised: list[ExceptionRaised] = []
        self._queue = queue

    def raise_exceptions(self, exceptions: Sequence[ExceptionRaised]) -> None:
        """See `ExceptionBus.raise_exceptions`."""
        self.raised += exceptions
        if self._queue is not None:
            self._queue.send([{"detail": exception.to_detail()} for exception in exceptions])

    @property
    def codes(self) -> set[str]:
        """The codes of all that was told."""
        return {exception.code for exception in self.raised}


class FakeIncidents:
    """`Incidents`: one row per incident and part, so that a repeated report replaces itself."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], ExceptionRaised] = {}
        self.teams: dict[str, str] = {}

    def record(self, exception: ExceptionRaised, team: str, family: str, at: str) -> str:
        """See `Incidents.record`."""
        incident = job_id(f"{exception.domain}/{exception.run_id}", 0, "incident", (family, team))
        self.rows[incident, f"{exception.code}#{exception.part}"] = exception
        self.teams[incident] = team
        return incident

    def count(self, code: str) -> int:
        """How much was counted under a code, over all parts."""
        return sum(row.count for row in self.rows.values() if row.code == code)
