"""The exceptions' bus, the incidents and the teams' channels, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from exstream_notify.domain.alert_words import Alert
from exstream_notify.domain.channels import AlertReceipt, ChannelState, fingerprint
from exstream_notify.domain.exceptions import ExceptionRaised, FileRead
from exstream_notify.domain.incidents import Head, Incident, IncidentStatus, Report, added_up
from exstream_notify.domain.pager import Action
from exstream_notify.domain.rollups import Bookmark
from exstream_notify.ports import ChannelAnswer

from .queues import FakeQueue


class FakeExceptionBus:
    """`ExceptionBus`: keeps what was told, and hands it on to a queue if it has one."""

    def __init__(self, queue: FakeQueue | None = None) -> None:
        self.raised: list[ExceptionRaised] = []
        self.dispatched: list[tuple[str, str]] = []
        self.read: list[FileRead] = []
        self.preferences: list[Mapping[str, object]] = []
        self._queue = queue

    def raise_exceptions(self, exceptions: Sequence[ExceptionRaised]) -> None:
        """See `ExceptionBus.raise_exceptions`."""
        self.raised += exceptions
        if self._queue is not None:
            details = [{"detail": exception.to_detail()} for exception in exceptions]
            for start in range(0, len(details), 10):  # as many as PutEvents takes
                self._queue.send(details[start : start + 10])

    def run_arrived(self, domain: str, run_id: str) -> None:
        """See `ExceptionBus.run_arrived`."""
        if self._queue is not None:
            detail = {"domain": domain, "run_id": run_id}
            self._queue.send([{"detail-type": "Run Arrived", "detail": detail}])

    def preferences_changed(self, details: Sequence[Mapping[str, object]]) -> None:
        """See `ExceptionBus.preferences_changed`."""
        self.preferences += details

    def file_read(self, read: FileRead) -> None:
        """See `ExceptionBus.file_read`."""
        self.read.append(read)
        if self._queue is not None:
            self._queue.send([{"detail-type": "File Read", "detail": asdict(read)}])

    def run_dispatched(self, domain: str, run_id: str) -> None:
        """See `ExceptionBus.run_dispatched`."""
        self.dispatched.append((domain, run_id))
        if self._queue is not None:
            detail = {"domain": domain, "run_id": run_id}
            self._queue.send([{"detail-type": "Run Dispatched", "detail": detail}])

    def alerts_reported(self, receipts: Sequence[AlertReceipt]) -> None:
        """See `ReceiptBus.alerts_reported`."""
        if self._queue is not None:
            for receipt in receipts:
                self._queue.send([{"detail-type": "Alert Reported", "detail": asdict(receipt)}])

    @property
    def codes(self) -> set[str]:
        """The codes of all that was told."""
        return {exception.code for exception in self.raised}


class FakeIncidents:
    """`Incidents`: one row per incident and part, so that a repeated report replaces itself."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Report] = {}
        self.heads: dict[str, Head] = {}
        self._said: dict[tuple[str, str], str] = {}
        self.bookmarks: dict[str, Bookmark] = {}

    def record(self, incident_id: str, exception: ExceptionRaised, at: str) -> bool:
        """See `Incidents.record`."""
        key = (incident_id, f"{exception.code}#{exception.part}")
        said = exception.said_at or at
        if self._said.get(key, "") > said:
            return False
        known = self.rows.get(key)
        self._said[key] = said
        self.rows[key] = Report(replace(exception, said_at=""), known.first_seen if known else at, at)
        return True

    def head(self, incident_id: str) -> Head | None:
        """See `Incidents.head`."""
        return self.heads.get(incident_id)

    def reports(self, incident_id: str) -> list[Report]:
        """See `Incidents.reports`."""
        return [row for (found, _), row in self.rows.items() if found == incident_id]

    def save(self, head: Head) -> bool:
        """See `Incidents.save`."""
        known = self.heads.get(head.incident_id)
        if (known.version if known else 0) != head.version - 1:
            return False
        self.heads[head.incident_id] = head
        return True

    def open_in(self, domain: str) -> list[str]:
        """See `Incidents.open_in`."""
        heads = self.heads.values()
        return [h.incident_id for h in heads if h.domain == domain and h.status != IncidentStatus.RESOLVED]

    def bookmark(self, key: str) -> Bookmark:
        """See `Incidents.bookmark`."""
        return self.bookmarks.get(key, Bookmark(key))

    def save_bookmark(self, mark: Bookmark) -> bool:
        """See `Incidents.save_bookmark`."""
        if self.bookmark(mark.key).version != mark.version - 1:
            return False
        self.bookmarks[mark.key] = mark
        return True

    def count(self, code: str) -> int:
        """How much was counted under a code, over all parts."""
        return sum(row.exception.count for row in self.rows.values() if row.exception.code == code)

    @property
    def teams(self) -> dict[str, str]:
        """Each incident's team."""
        return {found: head.team for found, head in self.heads.items()}

    def all(self) -> list[Incident]:
        """Every incident, added up."""
        return [added_up(head, self.reports(found)) for found, head in self.heads.items()]


class FakeChannels:
    """`AlertChannels`: keeps what each channel took; `answers` says what becomes of one."""

    def __init__(self, answers: Mapping[str, ChannelAnswer] | None = None) -> None:
        self.answers = dict(answers or {})
        self.told: list[tuple[str, str, Alert]] = []
        self.lost: list[tuple[Alert, str]] = []
        self.pages: list[tuple[str, Action, str]] = []
        self.probes: dict[str, ChannelAnswer] = {}
        self.shared: dict[str, str] = {}

    def tell(
        self, channel: str, team: str, alert: Alert, patience: float = 0.0, *, failing: bool = False
    ) -> ChannelAnswer:
        """See `AlertChannels.tell`: e-mail is set up, and others where a test says so."""
        answer = self.answers.get(channel, ChannelAnswer("sent" if channel == "email" else "absent"))
        if answer.outcome == "sent":
            self.told.append((channel, team, alert))
        return answer

    def address(self, channel: str, team: str) -> str:
        """See `ChannelWays.address`: each team has its own, unless a test lets them share it."""
        absent = self.answers.get(channel, ChannelAnswer("sent" if channel == "email" else "absent"))
        return (
            "" if absent.outcome == "absent" else fingerprint(self.shared.get(channel, f"{channel} {team}"))
        )

    def probe(self, channel: str, team: str) -> ChannelAnswer:
        """See `ChannelWays.probe`."""
        return self.probes.get(channel, ChannelAnswer("absent"))

    def tell_page(self, page: str, action: Action, incident_id: str) -> ChannelAnswer:
        """See `AlertChannels.tell_page`."""
        self.pages.append((page, action, incident_id))
        return ChannelAnswer("sent")

    def last_resort(self, alert: Alert, why: str) -> None:
        """See `AlertChannels.last_resort`."""
        self.lost.append((alert, why))

    def alerts(self, team: str | None = None, channel: str = "email") -> list[Alert]:
        """What went out on one channel, to one team or to all."""
        return [alert for way, to, alert in self.told if way == channel and team in (None, to)]


class FakeChannelBook:
    """`ChannelBook` in memory."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], ChannelState] = {}

    def states(self) -> Mapping[tuple[str, str], ChannelState]:
        """See `ChannelBook.states`."""
        return dict(self.stored)

    def save(self, state: ChannelState) -> None:
        """See `ChannelBook.save`."""
        self.stored[state.team, state.channel] = state
