"""uc7: dunning by hand. dunning.yaml says what comes, and every message, report and end that must follow."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from exstream_notify.domain.contacts import Consent
from exstream_notify.domain.debt import BY_OPERATOR, StatusChange, moment
from exstream_notify.domain.debt_hold import DebtHold
from exstream_notify.domain.documents import Channel, Document, contact_key
from exstream_notify.domain.messages import Content
from exstream_notify.domain.notices import Status
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.runs import Control
from exstream_notify.use_cases.control_journeys import (
    resume_journey,
    resume_notices,
    stop_journey,
    stop_notices,
)
from exstream_notify.use_cases.hold_collection import (
    HoldPorts,
    dun_again,
    hold_collection,
    record_account_status,
)
from tests.fakes import FakeWording, a_document
from tests.scenarios.shipped import shipped
from tests.use_cases.world import DOMAIN

STORIES = yaml.safe_load((Path(__file__).parent / "dunning.yaml").read_text("utf-8"))
DEBT: Mapping[str, Any] = {
    "document_type": "payment-reminder", "document_id": "D1", "country": "US", "time_zone": "America/New_York",
    "amount_due": "100.00", "currency": "USD", "due_date": "2026-12-10", "customer_in_run": 1,
}  # fmt: skip
FIRST, DAYS = datetime.fromisoformat("2026-11-20T10:00"), 170  # by the wall clock of the story's zone
CUSTOMER = "C0001"


class Telling(FakeWording):
    """Words that say what a line of the table says: wording, what is left, document, language."""

    def render(self, wording: str, channel: Channel, document: Document, **how: Any) -> Content:
        """See `Wording.render`."""
        language = how.get("language") or self.language_for(document.language)
        about = f"x{document.together}" if document.together > 1 else document.document_id
        words = [
            wording,
            document.amount_due or "",
            "" if about == "D1" else about,
            language.removeprefix("en"),
        ]
        return Content(" ".join(filter(None, words)), subject="a subject")


def when(text: str) -> datetime:
    """`12-01`, at noon, or `12-01T22:30`; by the wall clock of the story's zone."""
    day, _, time = text.partition("T")
    year = 2026 if day >= "11" else 2027
    return datetime.fromisoformat(f"{year}-{day}T{time or '12:00'}")


def when_of(line: str) -> tuple[datetime, str]:
    """What lines are sorted by."""
    return when(line.split()[0]), line


def record(number: int, changes: Mapping[str, Any]) -> Document:
    given = {name: str(value) if hasattr(value, "isoformat") else value for name, value in changes.items()}
    return a_document(1, **{**DEBT, "customer_in_run": number, **given})


class Play:
    """One story in a world of its own, day by day."""

    def __init__(self, story: Mapping[str, Any]) -> None:
        self.drops = story.get("drop", [{}])
        self.zone = ZoneInfo((self.drops or [{}])[0].get("time_zone", DEBT["time_zone"]))
        self.happens = sorted(story.get("happens", "").splitlines(), key=lambda line: when(line.split()[0]))
        begin = min([FIRST, *(when(line.split()[0]) for line in self.happens)])
        self.world = shipped(at=self._moment(begin).isoformat())
        self.world.wording = Telling()
        self.runs = itertools.count(1)
        self.lines: list[str] = []
        self.told: dict[str, int] = {}

    def _moment(self, local: datetime) -> datetime:
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def to_the_end(self) -> list[str]:
        """Everything that came of it, in the order of days."""
        acts: list[tuple[datetime, Callable[[], None]]] = []
        if self.drops:
            acts.append((FIRST, partial(self._drop, self.drops)))
        acts += [(when(line.split()[0]), partial(self._act, line)) for line in self.happens]
        acts += [
            (FIRST.replace(hour=0) + timedelta(days=n, seconds=-1), self.world.drain) for n in range(DAYS)
        ]
        for at, act in sorted(acts, key=itemgetter(0)):
            self.world.follow_until(self._moment(at))
            act()
            self.world.drain()
            self.lines += [f"{at:%m-%d} {what}" for what in self._news()]
        assert not self.world.journeys.open
        self.world.check()
        return self.lines

    def _act(self, line: str) -> None:
        words, _, details = line.partition("{")
        _, verb, *rest = [*words.split(), ""]
        about = yaml.safe_load("{" + details) if details else {}
        getattr(self, verb.replace("-", "_"))(rest[0], **about)

    # --- what happens -----------------------------------------------------------------------------------

    def drop(self, _: str, **changes: Any) -> None:
        """A run with one record."""
        self._drop([changes])

    def _drop(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.world.drop(f"run-{next(self.runs)}", *(record(n, row) for n, row in enumerate(rows, 1)))

    def paid(self, amount: str, **changes: str) -> None:
        """A payment of the document and customer, or what the details say."""
        names = {"customer_key": CUSTOMER, "document_id": "D1", "currency": "USD", "amount": amount}
        self.world.respond("paid", **{**names, "event_id": f"event {next(self.runs)}", **changes})

    def reversed(self, amount: str, payment_id: str) -> None:
        """A payment is taken back."""
        self.paid(amount, reversal_of=payment_id)

    def responded(self, _: str) -> None:
        """The customer answers in words."""
        self.world.respond("responded", customer_key=CUSTOMER, document_id="D1")

    def status(self, _: str, status: str) -> None:
        """A system says how the account stands."""
        change = StatusChange(DOMAIN, status=status, at=moment(self.world.clock.now()), customer_key=CUSTOMER)
        record_account_status(change, self._hold_ports())

    def contact(self, _: str, recipient: str = "", **changes: Any) -> None:
        """The customer's preferences change."""
        stored, key = self.world.contacts.stored, (DOMAIN, contact_key(CUSTOMER, recipient))
        stored[key] = replace(stored[key], version=stored[key].version + 1, **changes)

    def withdraw(self, _: str) -> None:
        """The customer takes the consent to electronic delivery back."""
        self.contact("", consent=Consent(False, "all", "1", moment(self.world.clock.now()), "portal"))

    def do_not_dun(self, _: str) -> None:
        """An operator holds collection."""
        word = DebtHold(
            (BY_OPERATOR,), moment(self.world.clock.now()), "operator ann", "an attorney's letter"
        )
        assert hold_collection(DOMAIN, CUSTOMER, word, self._hold_ports())

    def dun_again(self, _: str) -> None:
        """An operator lifts it."""
        assert dun_again(DOMAIN, CUSTOMER, "ann", "settled", self._hold_ports())

    def _hold_ports(self) -> HoldPorts:
        world = self.world
        return HoldPorts(world.contacts, world.ledger, world.rules, world.exceptions, world.clock)

    def bounce(self, _: str) -> None:
        """The newest e-mail comes back."""
        self.world.report(self.world.receipt(self.world.mail.delivered[-1], Kind.HARD_BOUNCE))

    def off(self, channel: str) -> None:
        """An operator switches a channel off."""
        self.world.off.add(channel)

    def on(self, channel: str) -> None:
        """And on again."""
        self.world.off.remove(channel)

    def stop(self, document: str) -> None:
        """An operator stops the journeys of a document."""
        world = self.world
        assert stop_notices([world.notice(document)], "ann", "", ledger=world.ledger, clock=world.clock)

    def resume(self, document: str) -> None:
        """And lets them go on."""
        world = self.world
        ports = {name: getattr(world, name) for name in ("ledger", "journeys", "rules", "clock")}
        assert resume_notices([world.notice(document)], "ann", "", **ports)

    def cancel(self, run_id: str) -> None:
        """An operator cancels a run."""
        self.world.control(run_id, Control.CANCEL)

    def stop_journey(self, _: str) -> None:
        """An operator switches the whole journey off."""
        stop_journey("dunning", "ann", "", journeys=self.world.journeys, clock=self.world.clock)

    def resume_journey(self, _: str) -> None:
        """And on again."""
        resume_journey("dunning", "ann", "", journeys=self.world.journeys, clock=self.world.clock)

    def erase(self, _: str) -> None:
        """An operator erases the customer."""
        self.world.erase(1)

    # --- what follows -----------------------------------------------------------------------------------

    def _news(self) -> Iterator[str]:
        for name, provider in self.world.providers.items():
            for delivered in self._new(name, provider.delivered):
                notice = self.world.ledger.notices[delivered.notice_id]
                if notice.audience == "customer":
                    yield f"{delivered.channel} {delivered.text}"
        for raised in self._new("raised", self.world.exceptions.raised):
            if raised.code != "journey_unanswered":
                yield f"report {raised.code}"
                continue
            for notice_id in raised.detail["notices"].split():
                yield f"case{self._other(self.world.ledger.notices[notice_id].document_id)}"
        for event in self._new("told", self.world.journey_events.told):
            if event["end"] == "event":
                yield f"event{self._other(event['document_id'])}"
        printed = [n for n in self.world.ledger.notices.values() if n.status == Status.PAPER]
        for notice in self._new("printed", printed):
            yield f"paper{self._other(notice.document_id)}"

    def _new(self, what: str, found: Any) -> Any:
        new = found[self.told.get(what, 0) :]
        self.told[what] = len(found)
        return new

    def _other(self, document_id: str) -> str:
        return "" if document_id == "D1" else f" {document_id}"


@pytest.mark.parametrize("story", STORIES, ids=[story["story"] for story in STORIES])
def test_what_follows_is_what_was_written_by_hand(story: Mapping[str, Any]) -> None:
    found = Play(story).to_the_end()
    assert "\n".join(sorted(found, key=when_of)) == "\n".join(sorted(story["then"].splitlines(), key=when_of))


def test_the_table_has_every_kind_of_story() -> None:
    assert len(STORIES) >= 60
    names = [story["story"] for story in STORIES]
    assert len(set(names)) == len(names)
