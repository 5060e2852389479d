"""Ordinary nights: forty runs in five domains, and the small mishaps of which none is worth a page.

`NIGHTLY` has the runs; `mishaps` what goes slightly wrong on which night. Somebody is on call who acknowledges
what they are told; compliance works in the daytime only.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import holidays
import yaml

from exstream_notify.domain.documents import Document
from exstream_notify.domain.messages import TryAgain
from tests.fakes import Delivered

from .carriers import Carrier
from .site import TEAMS
from .stack import MonthStack

START = "2026-11-01T12:00:00+00:00"
WITHOUT_ADDRESS = 0.01
BOUNCES = 0.002
COMPLAINT_EACH = 3 * 86_400.0  # seconds
HOLIDAYS = holidays.country_holidays("US")
RERUN = 7  # each so many nights three customers of a run are composed again
SMALL = 40  # records at most of a run in a small month
_DAY = 86_400.0
_LINK = re.compile(r"https://[^/\s]+(/i/[\w.~=-]+)")


@dataclass(frozen=True, slots=True)
class Nightly:
    """A run of each night: its usual records, and when it comes, in minutes after 01:00 UTC."""

    domain: str
    app: str
    records: int
    minutes: int
    document_type: str = "statement"
    business_days: bool = False
    weekday: int | None = None  # one night a week only

    def comes(self, day: date) -> bool:
        """Whether it is composed that day."""
        if self.weekday is not None and day.weekday() != self.weekday:
            return False
        return not (self.business_days and (day.weekday() >= 5 or day in HOLIDAYS))


_DOMAINS = ("retail", "cards", "policies", "claims", "utilities")
_TYPES = ("statement", "invoice", "utility-bill")


def _nightly() -> tuple[Nightly, ...]:
    rows = []
    for number in range(40):
        records = 600 if number == 39 else 80 if number % 13 == 12 else 40 if number % 6 == 5 else 20
        rows.append(
            Nightly(
                _DOMAINS[number % 5],
                f"APP{number:02d}",
                records,
                10 * number,
                _TYPES[number % 3],
                business_days=number in (3, 17, 28),
                weekday=4 if number == 39 else None,
            )
        )
    return tuple(rows)


NIGHTLY = _nightly()
EXPECTED = [
    {
        "domain": one.domain,
        "name": one.app.lower(),
        "app": one.app,
        "by": "06:00",
        "zone": "America/New_York",
        "tolerance_minutes": 30,
        "business_days": one.business_days,
    }
    for one in (NIGHTLY[3], NIGHTLY[10], NIGHTLY[17])
]


def site(folder: Path) -> Path:
    """The site's own rules: its teams, its domains, the runs that its calendar expects."""
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "teams.yaml").write_text(yaml.safe_dump(TEAMS), "utf-8")
    offers = {"types": {"offer": {"use_case": "uc4", "class": "marketing", "topic": "renewals"}}}
    (folder / "rules" / "documents.yaml").write_text(yaml.safe_dump(offers), "utf-8")
    domains = {"domains": {name: {} for name in _DOMAINS}, "expected": EXPECTED}
    (folder / "rules" / "domains.yaml").write_text(yaml.safe_dump(domains), "utf-8")
    return folder


class Month:
    """The stack with its nights, its carriers and who is on call. `small` leaves the large runs out."""

    def __init__(self, folder: Path, *, seed: int = 14, small: bool = False) -> None:
        self.stack = MonthStack(site(folder), START)
        self.chance = random.Random(seed)
        self.mail = Carrier("email", self.stack, self._fate)
        self.text = Carrier("sms", self.stack, lambda one: "delivered")
        self.stack.app.mail, self.stack.app.text = self.mail, self.text
        self.small = small
        self.runs = self.records = 0
        self.missing: set[str] = set()  # applications that do not run
        self.on_call = True
        self.alerts: Counter[str] = Counter()
        self._seen = 0
        self._complained = self.stack.clock.seconds
        self._midnight = self.stack.clock.seconds // _DAY * _DAY

    # ---- days ----

    def play_day(self, number: int, mishap: bool = True) -> None:
        """A day from noon to noon, with its night."""
        night = self._midnight + (number + 1) * _DAY + 3600.0
        day = datetime.fromtimestamp(night, UTC).date()
        for one in NIGHTLY:
            if one.comes(day):
                self.stack.at(night + 60.0 * one.minutes, lambda one=one: self._tonight(one, day))  # type: ignore[misc]
        self._visitors(night)
        if mishap:
            _name, happens = MISHAPS[number % len(MISHAPS)]
            self.stack.at(night + 7200.0, lambda: happens(self))
        for _ in range(24 * 12):
            self.stack.play(minutes=5)
            self.answer()
            assert not self.stack.app.asked_for
        self._forget(night - 4 * _DAY)

    def _tonight(self, one: Nightly, day: date) -> None:
        if one.app not in self.missing:
            self.drop(one, day)

    def answer(self) -> None:
        """Who is on call acknowledges what came by now."""
        told = self.stack.app.topics_of_teams.published[self._seen :]
        self._seen += len(told)
        for team, _, text in told:
            self.alerts[team] += 1
            if self.on_call and (link := _LINK.search(text)) is not None:
                self.stack.later(self._until_answered(team), lambda path=link[1]: self._acknowledge(path))  # type: ignore[misc]

    def _until_answered(self, team: str) -> float:
        now = self.stack.clock.now()
        if team in ("operations", "it") or 13 <= now.hour < 22:
            return 600.0
        return (now.replace(hour=13, minute=30, second=0) - now).total_seconds() % _DAY

    def _acknowledge(self, path: str) -> None:
        self.stack.request("AnswerIncidentFunction", "POST", path, "name=on+call")

    def _visitors(self, night: float) -> None:
        """Customers who open their links in the day: most do, some links are old or wrong."""
        for number in range(40):
            at = night + 3600.0 * self.chance.uniform(0, 10)
            self.stack.at(at, lambda number=number: self._visit(number))  # type: ignore[misc]

    def _visit(self, number: int) -> None:
        if number % 10 == 9 or not self.mail.last:
            self.stack.request("OpenDocumentFunction", "GET", f"/d/no-such-link-{number}")
            return
        notice = self.chance.choice(self.mail.last).notice_id
        self.stack.request("OpenDocumentFunction", "GET", f"/d/{self.stack.app.link_signer.sign(notice)}")

    def _fate(self, one: Delivered) -> str:
        if self.chance.random() < BOUNCES:
            return "bounced"
        # Of so few mails two complaints in a day would be a fault indeed.
        if not self.small and self.stack.clock.seconds - self._complained > COMPLAINT_EACH:
            self._complained = self.stack.clock.seconds
            return "complained"
        return "delivered"

    def _forget(self, before: float) -> None:
        """What is past its time leaves the memory, as it leaves the tables."""
        limit = datetime.fromtimestamp(before, UTC).isoformat(timespec="seconds")
        ports = self.stack.app.ports
        old = [
            name
            for name, notice in ports["ledger"].notices.items()
            if notice.created_at < limit and not notice.due_at
        ]
        for name in old:
            del ports["ledger"].notices[name]
        ports["evidence"].lines.clear()
        ports["receipt_evidence"].objects.clear()
        for name in [n for n, run in ports["runs"]._runs.items() if run.changed_at < limit]:
            ports["runs"].forget(name)

    # ---- runs ----

    def document(self, app: str, number: int, run_id: str, **changes: Any) -> Document:
        """A customer's document in a run; four of five have a mobile number too."""
        key = f"{app}-{number:05d}"
        return Document(
            **{
                "domain": "retail",
                "customer_key": key,
                "document_id": f"{run_id}-{number:05d}",
                "document_type": "statement",
                "customer_in_run": number,
                "email": f"{key.lower()}@example.com",
                "mobile": f"+1202555{100 + number % 100:04d}" if number % 5 else None,
                "time_zone": "America/New_York",
                "language": "en",
                **changes,
            }
        )

    def drop(
        self, one: Nightly, day: date, *, without: float = WITHOUT_ADDRESS, factor: float = 1.0, **stated: Any
    ) -> str:
        """Drop tonight's run of an application; `without` is the share that has no address."""
        usual = min(one.records, SMALL) if self.small else one.records
        records = max(int(usual * factor * self.chance.uniform(0.9, 1.1)), 20)
        run_id = f"{one.app}-{day:%Y%m%d}"
        documents = [self._maybe_without(one, number, run_id, without) for number in range(1, records + 1)]
        self.seal(one.domain, run_id, documents, app=one.app, **stated)
        warning = f"{day:%m/%d/%Y} 04:01:17 EX003004W ({records // 2}) A font was replaced\n"
        self.file(one.domain, run_id, f"{one.app}.dat", warning.encode())
        if day.toordinal() % RERUN == 0 and one.minutes % 100 == 50:
            self.stack.later(5400.0, lambda: self.rerun(one, run_id, documents[:3]))
        return run_id

    def _maybe_without(self, one: Nightly, number: int, run_id: str, share: float) -> Document:
        gone = {"email": None, "mobile": None} if self.chance.random() < share else {}
        return self.document(
            one.app, number, run_id, domain=one.domain, document_type=one.document_type, **gone
        )

    def rerun(self, one: Nightly, run_id: str, documents: list[Document]) -> None:
        """Some customers of a run composed again, since their documents were wrong."""
        again = [
            self.document(
                one.app, d.customer_in_run or 0, f"{run_id}-r", domain=one.domain, supersedes=d.document_id
            )
            for d in documents
        ]
        self.seal(one.domain, f"{run_id}-r", again, app=one.app, rerun_of=run_id)

    def seal(self, domain: str, run_id: str, documents: list[Document], **stated: Any) -> None:
        """Write a run's index and its seal, which triggers."""
        folder = self.stack.app.folder(domain, run_id)
        folder.write_index(documents)
        folder.write_seal(domain, run_id, **stated)
        self.runs += 1
        self.records += len(documents)
        self.landed(domain, run_id, "_COMPLETE.json")

    def file(self, domain: str, run_id: str, name: str, data: bytes) -> None:
        """One of the composer's own files beside the index."""
        self.stack.app.folder(domain, run_id).files[name] = data
        self.landed(domain, run_id, name, "MessageFileQueue")

    def landed(self, domain: str, run_id: str, name: str, queue: str = "RunQueue") -> None:
        """The drop bucket tells of a file."""
        key = f"drop/{domain}/{run_id}/{name}"
        self.stack.queues[queue].put(
            json.dumps({"detail-type": "Object Created", "detail": {"object": {"key": key}}})
        )


# ---- what goes slightly wrong ----


def _throttling_provider(month: Month) -> None:
    month.mail.always(TryAgain("throttled", 5.0))
    month.stack.later(60.0, lambda: month.mail.always(None))


def _killed(name: str) -> Callable[[Month], None]:
    """One invocation dies, and its messages come back."""

    def happens(month: Month) -> None:
        month.stack.troubles.once[name] += 1

    return happens


def _slow_sms(month: Month) -> None:
    """The SMS queue waits an hour and a half, where it may wait four."""
    month.stack.troubles.stopped.add("SmsQueue")
    month.stack.later(5400.0, lambda: month.stack.troubles.stopped.discard("SmsQueue"))


def _server_error(month: Month) -> None:
    month.stack.troubles.once["OpenDocumentFunction"] += 1


def _slow_provider(month: Month) -> None:
    month.mail._takes = 0.5
    month.stack.later(1200.0, lambda: setattr(month.mail, "_takes", 0.0))


def _offers(month: Month) -> None:
    """A run of marketing, of which four in ten customers have no channel: nobody owes it to them."""
    offers = replace(NIGHTLY[5], app="OFFERS", document_type="offer", business_days=False)
    month.drop(offers, month.stack.clock.now().date(), without=0.4)


def _nothing(month: Month) -> None:
    """Not every night has its mishap."""


MISHAPS: tuple[tuple[str, Callable[[Month], None]], ...] = (
    ("a throttled provider for a minute", _throttling_provider),
    ("a decision that dies once", _killed("DecideNoticesFunction")),
    ("a send that dies once", _killed("SendNoticesFunction")),
    ("a slow SMS queue", _slow_sms),
    ("one 5xx", _server_error),
    ("nothing", _nothing),
    ("an offer that many do not get", _offers),
    ("one sweep that fails", _killed("ReleaseDueFunction")),
    ("a slow provider", _slow_provider),
    ("one look at the runs that fails", _killed("WatchRunsFunction")),
    ("a receipt that dies once", _killed("RecordReceiptFunction")),
)
