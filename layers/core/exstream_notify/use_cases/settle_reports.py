"""Reports that hold no more: a file was corrected, a seal accepted, a run came after all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..domain.exceptions import ExceptionRaised, FileRead, Unusable, mark
from ..domain.incident_states import noted
from ..domain.incidents import Head, Incident
from ..domain.run_codes import HOLDS, NOT_SEALED, REFUSALS
from ..domain.runs import Control, Run, RunNews, RunState
from ..ports import ExceptionBus, RunBook
from .alert_exceptions import Alerting, change_incident, look_at_incident

NAMED_MOST = 5000
"""Reports that one event names: at 36 characters each, an event of 256 KB has room for them."""


class FileReports:
    """What one file says: each report is marked with the file, and all are known when it is read."""

    def __init__(self, bus: ExceptionBus, domain: str, run_id: str, name: str, said_at: str) -> None:
        self._bus = bus
        self.domain, self.run_id, self._name = domain, run_id, name
        self._read = FileRead(domain, run_id, mark(name), said_at=said_at)
        self._reported: dict[str, None] = {}

    def raise_exceptions(self, exceptions: Sequence[ExceptionRaised]) -> None:
        """Put the file's reports on the bus; empty is fine."""
        mine = [replace(e, source=self._read.source(e), said_at=self._read.said_at) for e in exceptions]
        self._reported |= dict.fromkeys(e.source for e in mine)
        self._bus.raise_exceptions(mine)

    def unusable(self, why: Unusable) -> None:
        """Report that the file could not be read, or not to its end."""
        names = (self._name, *why.names)
        part = f"{self._name} whole"
        self.raise_exceptions(
            [ExceptionRaised(why.code, "error", self.domain, self.run_id, str(why), part, names=names)]
        )

    def at_end(self) -> None:
        """The file is read: what an earlier version of it reported beside this holds no more.

        A file with more reports than an event can name takes nothing back.
        """
        if len(self._reported) <= NAMED_MOST:
            self._bus.file_read(replace(self._read, reported=tuple(self._reported)))


def settle_file(read: FileRead, alerting: Alerting) -> None:
    """Take back what an earlier version of a file reported and this one does not."""
    reported = set(read.reported)

    def is_over(exception: ExceptionRaised) -> bool:
        return exception.source.startswith(f"{read.file}/") and exception.source not in reported

    mine = _of_run(read.domain, read.run_id, alerting)
    _settle(mine, is_over, "its file was read again", alerting, read.said_at)


def settle_arrival(news: RunNews, alerting: Alerting) -> None:
    """A run came: it is sealed, or needs no seal."""
    mine = _of_run(news.domain, news.run_id, alerting)
    _settle(mine, lambda exception: exception.code == NOT_SEALED, "the run came", alerting, news.said_at)


def settle_run(news: RunNews, runs: RunBook, alerting: Alerting) -> None:
    """A run was taken, released or cancelled: what kept it back holds no more."""
    run = runs.get(news.domain, news.run_id)
    over = _over(run) if run is not None else frozenset()
    mine = list(_of_run(news.domain, news.run_id, alerting)) if over else []
    _settle(mine, lambda exception: exception.code in over, "the run went on", alerting, news.said_at)
    for head in mine:
        if not head.end and run is not None and run.customers_expected:
            look_at_incident(head.incident_id, alerting)


def _over(run: Run) -> frozenset[str]:
    if run.state not in (RunState.STAGED, RunState.DISPATCHED):
        return frozenset()
    return REFUSALS | {NOT_SEALED} | (HOLDS if run.control != Control.HOLD else frozenset())


def _of_run(domain: str, run_id: str, alerting: Alerting) -> Iterable[Head]:
    """The heads of a run's open incidents."""
    for found in alerting.incidents.open_in(domain):
        head = alerting.incidents.head(found)
        if head is not None and head.run_id == run_id:
            yield head


def _settle(
    heads: Iterable[Head],
    is_over: Callable[[ExceptionRaised], bool],
    why: str,
    alerting: Alerting,
    said_at: str,
) -> None:
    at = alerting.now()
    for head in heads:
        found = head.incident_id
        over = [
            r.exception
            for r in alerting.incidents.reports(found)
            if r.exception.count and is_over(r.exception)
        ]
        if over:
            # Before they are taken back: a worker that dies in between leaves a look that is due.
            alerting.due.wait("incident", found, alerting.clock.now())
        gone = {e.code for e in over if alerting.incidents.record(found, _taken_back(e, said_at), at)}
        if gone:
            codes = ", ".join(sorted(gone)[:12])

            def taken_back(head: Head, _: Incident, codes: str = codes) -> Head:
                return noted(head, at, "alerts", f"{codes} taken back", why)

            change_incident(
                found,
                taken_back,
                incidents=alerting.incidents,
                due=alerting.due,
                clock=alerting.clock,
            )
            look_at_incident(found, alerting)


def _taken_back(exception: ExceptionRaised, said_at: str) -> ExceptionRaised:
    return replace(exception, count=0, customers="", customers_in_run=(), samples=(), said_at=said_at)
