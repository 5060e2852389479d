"""The whole path in memory: use cases wired to fakes, and queues that deliver as SQS does.

    world = World()
    world.drop("run-1", a_document(1), a_document(2))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 2}

A worker that a test kills is gone; its message comes back after the queue's visibility time-out,
as on AWS. Time moves only when nothing is left to do now.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import yaml

from exstream_notify.adapters.alert_triggers import look_of, reported_of
from exstream_notify.adapters.journey_rules import is_holiday
from exstream_notify.adapters.message_files import MessageFiles
from exstream_notify.adapters.rules import PACKAGE_RULES, YamlRules
from exstream_notify.adapters.run_events import news_of, told_by
from exstream_notify.domain.breaker import Breaker
from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.decisions import Policy
from exstream_notify.domain.documents import Channel, Document, DocumentRule, MessageClass
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.journeys import Cohort
from exstream_notify.domain.links import Look
from exstream_notify.domain.notices import RANK, Attempt, Notice, Response, Status, chain_holds
from exstream_notify.domain.receipts import Kind, Receipt, ReceiptPolicy, stamp
from exstream_notify.domain.reputation import Limits
from exstream_notify.domain.responses import EarlyResponse, ResponseEvent
from exstream_notify.domain.runs import Control, Reconciliation, Run, Seal, StagePolicy, reconcile
from exstream_notify.domain.second_step import Keys
from exstream_notify.domain.work import SendJob, SlicePointer
from exstream_notify.ports import AddressChecker
from exstream_notify.use_cases.advance_journey import advance_journey
from exstream_notify.use_cases.alert_exceptions import Alerting, alert_exceptions, last_customer_in
from exstream_notify.use_cases.alert_reported import alert_reported
from exstream_notify.use_cases.change_preferences import AddressBook
from exstream_notify.use_cases.check_channels import ChannelsFound, check_channels
from exstream_notify.use_cases.check_runs import look_at
from exstream_notify.use_cases.control_run import ControlPorts, control_run
from exstream_notify.use_cases.cover_customers import Covering
from exstream_notify.use_cases.decide_notices import decide_notices
from exstream_notify.use_cases.erase_contact import erase_contact
from exstream_notify.use_cases.follow_runs import follow_run
from exstream_notify.use_cases.known_channels import KnownChannels
from exstream_notify.use_cases.note_ways import NoteWays
from exstream_notify.use_cases.notify_owner import OwnerNotices
from exstream_notify.use_cases.open_document import look_at_link, open_document
from exstream_notify.use_cases.poll_receipts import Polled, poll_receipts
from exstream_notify.use_cases.read_messages import read_messages
from exstream_notify.use_cases.record_receipts import record_receipts
from exstream_notify.use_cases.record_reply import ReplyDesk
from exstream_notify.use_cases.record_response import record_response
from exstream_notify.use_cases.release_due import release_due
from exstream_notify.use_cases.send_notices import InProgress, send_notices
from exstream_notify.use_cases.stage_document import stage_document
from exstream_notify.use_cases.stage_run import RunBusy, stage_run
from exstream_notify.use_cases.start_journeys import HORIZON, start_journeys
from exstream_notify.use_cases.tell_customer import Teller
from exstream_notify.use_cases.tell_portal import PortalNews
from tests.fakes import (
    Delivered,
    FakeAddresses,
    FakeChannelBook,
    FakeChannels,
    FakeClock,
    FakeContacts,
    FakeCustomerNotices,
    FakeDecideQueue,
    FakeDeliveryWatch,
    FakeDocuments,
    FakeDropFolder,
    FakeDueIndex,
    FakeEarlyReceipts,
    FakeEarlyResponses,
    FakeEvidence,
    FakeExceptionBus,
    FakeExecutions,
    FakeIncidents,
    FakeJobs,
    FakeJourneyBook,
    FakeJourneyEvents,
    FakeLedger,
    FakeLookQueue,
    FakeNotes,
    FakeProvider,
    FakeQueue,
    FakeReceiptEvidence,
    FakeRecords,
    FakeReputation,
    FakeRules,
    FakeRunBook,
    FakeRunQueue,
    FakeSendQueues,
    FakeStaging,
    FakeStatusSource,
    FakeSuppressions,
    FakeTries,
    FakeWording,
    Killed,
    Received,
    Wire,
    a_rule,
    watched,
)

DOMAIN = "retail"
FUNCTION_SECONDS = 60.0
"""How long a worker may take; its queue's visibility time-out is six times that."""

ALERT_CODES = frozenset(yaml.safe_load((PACKAGE_RULES / "alerts.yaml").read_text("utf-8"))["codes"])

_SEND_QUEUES = ("email", "sms", "urgent")
_ORDER = ("run", "document", "decide", *_SEND_QUEUES, "receipts", "preferences", "exceptions")


@dataclass(frozen=True, slots=True)
class Disorder:
    """What standard queues are allowed to do: deliver twice, sometimes late, and in any order."""

    seed: int
    duplicates: float = 0.3
    late: float = 3600.0


class World:
    """Drop, stage, decide, send, release, exceptions: the functions of the template, in one process."""

    def __init__(
        self,
        *rules: DocumentRule,
        at: str = "2026-11-20T15:00:00+00:00",
        site_rules: Any = None,
        addresses: AddressChecker | None = None,
        teams: Mapping[str, str] | None = None,
        deduplicates: bool = False,
        bulk: bool = False,
        slice_records: int = 100,
        disorder: Disorder | None = None,
        rate: float = 1000.0,
        takes: float = 0.0,
        stage_policy: StagePolicy | None = None,
    ) -> None:
        self.clock = FakeClock(at)
        self.wire = Wire()
        self.off: set[str] = set()  # channels and domains that are switched off
        self.approved_only = False
        self.rules = site_rules or FakeRules(*(rules or (a_rule(),)), teams=teams)
        self.addresses = addresses or FakeAddresses()
        self.contacts = FakeContacts()
        self.suppressions = FakeSuppressions(now=self.clock.now)
        self.ledger = FakeLedger()
        self.due = FakeDueIndex(self.ledger)
        self.runs = FakeRunBook()
        self.records = FakeRecords()
        self.staging = FakeStaging(self.records, slice_records)
        self.evidence = FakeEvidence()
        self.jobs = FakeJobs()
        self.wording = FakeWording()
        self.journeys = FakeJourneyBook()
        self.executions = FakeExecutions()
        self.history = FakeCustomerNotices(self.ledger)
        self.journey_events = FakeJourneyEvents()
        self.incidents = FakeIncidents()
        self.channels = FakeChannels()
        self.channel_book = FakeChannelBook()
        self.early_responses = FakeEarlyResponses()
        self.tries = FakeTries()
        self.documents = FakeDocuments()
        self.verify_keys: Keys = ("1", {"1": b"a key of the second step"})
        self.portal = ""
        self.receipt_evidence = FakeReceiptEvidence()
        self.early = FakeEarlyReceipts()
        self.reputation = FakeReputation()
        self.watch = FakeDeliveryWatch()
        self.status_source = FakeStatusSource(self.clock)
        self.receipt_policy = ReceiptPolicy()
        self.chance = random.Random(disorder.seed) if disorder else None
        self.queues = {
            name: FakeQueue(
                name,
                self.clock,
                visibility=6 * FUNCTION_SECONDS,
                max_receives=10 if name in _SEND_QUEUES else 5,
                chance=self.chance,
                duplicates=disorder.duplicates if disorder else 0.0,
                late=disorder.late if disorder else 0.0,
            )
            for name in _ORDER
        }
        self.exceptions = FakeExceptionBus(self.queues["exceptions"])
        self.providers = {
            name: FakeProvider(
                name,
                self.clock,
                deduplicates=deduplicates,
                supports_bulk=bulk and name == "mail",
                takes=takes,
            )
            for name in ("mail", "text")
        }
        self.providers_by_channel: dict[Channel, str] = {"email": "mail", "sms": "text"}
        self.breakers: dict[str, Breaker] = {}
        self.folders: dict[tuple[str, str], FakeDropFolder] = {}
        self.rate = rate
        self.policy = Policy()
        self.stage_policy = stage_policy or StagePolicy()
        self.kills = 0
        self.answers: list[tuple[str, object]] = []  # of functions that finished, by their queue
        self._ports = self._behind_the_wire()
        self._handlers: Mapping[str, Callable[[dict[str, Any], Callable[[], float]], object]] = {
            "run": self._stage_run,
            "document": self._stage_document,
            "decide": self._decide,
            "email": self._send,
            "sms": self._send,
            "urgent": self._send,
            "receipts": self._record_receipts,
            "preferences": self._go_on_with_change,
            "exceptions": self._record_exception,
        }

    # --- given ------------------------------------------------------------------------------------

    @property
    def mail(self) -> FakeProvider:
        """The e-mail provider."""
        return self.providers["mail"]

    @property
    def text(self) -> FakeProvider:
        """The SMS provider."""
        return self.providers["text"]

    def know(self, *contacts: Contact) -> None:
        """Have contacts stored, whatever was there before."""
        for contact in contacts:
            self.contacts.stored[contact.domain, contact.contact_key] = contact

    def change_contact(self, number: int, **changes: Any) -> None:
        """The customer changes their own record, at any time."""
        key = (DOMAIN, f"C{number:04d}")
        contact = self.contacts.stored[key]
        self.contacts.stored[key] = replace(contact, version=contact.version + 1, **changes)

    def erase(self, number: int, recipient: str = "", who: str = "ann", why: str = "asked") -> Contact:
        """An operator erases a customer, or one holder of an account; the mark that stays."""
        p, blank = self._ports, Contact(DOMAIN, f"C{number:04d}", "", recipient=recipient)
        contact = self.contacts.stored.get((DOMAIN, blank.contact_key), blank)
        ports = {"contacts": p["contacts"], "opt_outs": p["suppressions"], "clock": self.clock}
        return erase_contact(contact, who, why, **ports)

    def provider_for(self, channel: Channel, message_class: MessageClass) -> str:
        """`mail` for e-mail, `text` for SMS, unless the site changes `providers_by_channel`."""
        return self.providers_by_channel[channel]

    # --- when -------------------------------------------------------------------------------------

    def read_file(
        self, name: str, data: bytes, run_id: str = "run-1", rules: YamlRules | None = None
    ) -> list[ExceptionRaised]:
        """A file lands in a run's folder and is read, by the rules that ship or others; what it raised."""
        rules = rules or YamlRules()
        self.folder(run_id).files[name] = data
        before = len(self.exceptions.raised)
        ports = {name: getattr(self, name) for name in ("runs", "due", "exceptions", "clock", "rules")}
        folder, files = self.folder(run_id), MessageFiles(rules.messages)
        read_messages(DOMAIN, run_id, name, folder=folder, files=files, alerts=rules, **ports)
        return self.exceptions.raised[before:]

    def folder(self, run_id: str, domain: str = DOMAIN) -> FakeDropFolder:
        """A run's folder in the drop."""
        return self.folders.setdefault((domain, run_id), FakeDropFolder())

    def drop(self, run_id: str, *rows: Document | str, domain: str = DOMAIN, **stated: Any) -> Seal:
        """Drop a sealed run; a text in place of a document is a record that is rejected for it."""
        folder = self.folder(run_id, domain)
        folder.write_index(rows)
        seal = folder.write_seal(domain, run_id, **stated)
        self.landed(run_id, "seal", domain)
        return seal

    def landed(self, run_id: str, trigger: str, domain: str = DOMAIN) -> None:
        """The drop bucket tells that a seal or a manifest landed."""
        self.queues["run"].send([{"domain": domain, "run_id": run_id, "trigger": trigger}])

    def compose(self, event_id: str, document: Mapping[str, Any], domain: str = DOMAIN) -> None:
        """A single document comes as an event."""
        self.queues["document"].send([{"id": event_id, "domain": domain, "detail": dict(document)}])

    def answer_case(self, case_id: str) -> None:
        """A response to a case is kept, as one is that comes before any notice of the case is known."""
        now = self.clock.now()
        self.early_responses.keep(DOMAIN, case_id, EarlyResponse("responded", "", now.isoformat()), now)

    def control(self, run_id: str, control: Control, domain: str = DOMAIN) -> Run:
        """An operator holds, releases or cancels a run."""
        run = self.runs.get(domain, run_id)
        assert run is not None, f"no run {run_id}"
        return control_run(run, control, "operator", "test", self.control_ports)

    @property
    def control_ports(self) -> ControlPorts:
        """What controlling a run takes; an operator's command is not behind the wire."""
        return ControlPorts(self.runs, FakeRunQueue(self.queues["run"]), self.due, self.clock)

    def respond(self, kind: Response, **about: Any) -> Counter[str]:
        """Some system tells what a customer did."""
        names = ("ledger", "contacts", "runs", "evidence", "records", "journeys", "exceptions")
        return record_response(
            ResponseEvent(kind, DOMAIN, **about, source="portal"),
            **{name: self._ports[name] for name in names},
            early=self._ports["early_responses"],
            rules=self.rules,
            is_holiday=is_holiday,
            clock=self.clock,
        )

    def look(self, notice_id: str | None) -> Look:
        """Somebody, or a mail scanner, looks at a secure link."""
        return look_at_link(
            notice_id,
            ledger=self.ledger,
            records=self.records,
            rules=self.rules,
            contacts=self.contacts,
            tries=self.tries,
            keys=lambda: self.verify_keys,
            clock=self.clock,
        )

    def open(self, notice_id: str | None, given: str = "", language: str = "en") -> Look:
        """The customer presses the button on a link's page."""
        return open_document(
            self.look(notice_id),
            given,
            language,
            portal=self.portal,
            documents=self.documents,
            ledger=self._ports["ledger"],
            runs=self._ports["runs"],
            tries=self.tries,
            keys=lambda: self.verify_keys,
            exceptions=self._ports["exceptions"],
            clock=self.clock,
        )

    @property
    def owner(self) -> OwnerNotices:
        """The notes to owners of changed addresses."""
        p = self._ports
        teller = Teller(
            p["ledger"],
            p["evidence"],
            self.clock,
            _hashed,
            FakeNotes(),
            lambda channel: self._watched_provider(self.providers[self.providers_by_channel[channel]]),
            p["exceptions"],
            self.approved_only,
        )
        ways = NoteWays(
            p["suppressions"], self.addresses, self.clock, self.policy,
            lambda domain, channel: bool(self.off & {domain, channel}),
        )  # fmt: skip
        return OwnerNotices(
            p["contacts"], self.addresses, ways, teller, p["due"], p["exceptions"], self.clock,
            lambda salt, change_id: f"https://documents.example.com/p/undo/{salt}-{change_id}",
        )  # fmt: skip

    @property
    def desk(self) -> ReplyDesk:
        """Where SMS replies arrive."""
        owner, unused = self.owner, cast(Any, None)
        return ReplyDesk(
            news=PortalNews(self.contacts, self.due, lambda: self.exceptions, self.clock),
            opt_outs=self.suppressions, addresses=self.addresses, ways=owner.ways, ledger=unused, rules=unused,
            evidence=self.evidence, exceptions=self.exceptions, hasher=owner.teller.hasher, teller=owner.teller,
            clock=self.clock,
        )  # fmt: skip

    @property
    def book(self) -> AddressBook:
        """Changes of address."""
        return AddressBook(self.owner, (b"code key",))

    def report(self, *receipts: Receipt) -> None:
        """A provider reports; each on its own, as they come."""
        for receipt in receipts:
            self.queues["receipts"].send([{**asdict(receipt), "kind": str(receipt.kind)}])

    def receipt(self, delivered: Delivered, kind: Kind, **changes: Any) -> Receipt:
        """What a provider says of a message that it took."""
        names: dict[str, Any] = {
            "provider": delivered.provider,
            "channel": delivered.channel,
            "kind": kind,
            "at": stamp(self.clock.now()),
            "notice_id": delivered.notice_id,
            "attempt": delivered.attempt,
            "recipient": delivered.to,
            "code": "5.1.1" if kind is Kind.HARD_BOUNCE else "",
        }
        return Receipt(**{**names, **changes})

    def poll(self) -> Polled:
        """The quarter of an hour's look after receipts that did not come."""
        names = (
            "watch", "ledger", "contacts", "early", "runs", "decide_queue", "reputation", "exceptions"
        )  # fmt: skip
        polled = poll_receipts(
            **{name: self._ports[name] for name in names},
            source=self.status_source,
            record=lambda receipts: record_receipts(receipts, **self.receipt_ports()),
            record_early=lambda receipts: record_receipts(receipts, **self.receipt_ports(), keep=False),
            rules=self.rules,
            clock=self.clock,
            receipt_policy=self.receipt_policy,
            limits=Limits(minimum=10),
            time_left=lambda: FUNCTION_SECONDS,
        )
        self.answers.append(("poll", polled))
        return polled

    def receipt_ports(self) -> dict[str, Any]:
        """What `record_receipts` takes."""
        names = (
            "ledger", "contacts", "suppressions", "runs", "decide_queue", "receipt_evidence", "early",
            "reputation", "exceptions",
        )  # fmt: skip
        return {
            **{name: self._ports[name] for name in names},
            "addresses": self.addresses,
            "clock": self.clock,
            "receipt_policy": self.receipt_policy,
        }

    def deliver(self, queue: str, message: Received) -> bool:
        """Hand one message to its function, as a poller does; False if the worker died or failed."""
        source = self.queues[queue]
        source.receive(message)
        started = self.clock.now()

        def time_left() -> float:
            return FUNCTION_SECONDS - (self.clock.now() - started).total_seconds()

        try:
            self.answers.append((queue, self._handlers[queue](message.json(), time_left)))
        except Killed:
            self._bury_worker()
            source.failed(message)
            return False
        except InProgress as busy:
            wait = busy.until.timestamp() - self.clock.machine_time()
            source.failed(message, self.clock.now() + timedelta(seconds=wait + 1))
            return False
        except RunBusy:
            source.failed(message)
            return False
        source.delete(message)
        return True

    def step(self) -> bool:
        """Deliver one of the messages that are ready; False if there is none."""
        ready = [(name, m) for name in _ORDER for m in self.queues[name].ready()]
        if not ready:
            return False
        queue, message = self.chance.choice(ready) if self.chance else ready[0]
        self.deliver(queue, message)
        return True

    def drain(self, limit: int = 5000) -> None:
        """Deliver everything, also what becomes visible only later."""
        for _ in range(limit):
            if not self.step():
                waiting = [m.visible_at for q in self.queues.values() for m in q.messages]
                if not waiting:
                    return
                self.clock.move_to(min(waiting))
        raise AssertionError(f"the queues never run dry: {self._backlog()}")

    def release(self) -> int:
        """The minute's sweep."""
        started = self.clock.now()
        try:
            released = release_due(
                **self.ports_of_a_sweep(),
                time_left=lambda: FUNCTION_SECONDS - (self.clock.now() - started).total_seconds(),
            )
        except Killed:
            self._bury_worker()
            return 0
        self.answers.append(("release", released))
        return released

    def ports_of_a_sweep(self) -> dict[str, Any]:
        """What `release_due` takes."""
        names = ("due", "ledger", "decide_queue", "run_queue")
        ports = {name: self._ports[name] for name in (*names, "look_queue")}
        return {**ports, "clock": self.clock}

    def sweep_journeys(self) -> int:
        """The minute's look for cohorts that need an execution."""
        try:
            return start_journeys(
                journeys=self._ports["journeys"], executions=self._ports["executions"], clock=self.clock
            )
        except Killed:
            self._bury_worker()
            return 0

    def advance(self, cohort: Cohort, generation: int = 1, page: int = 1) -> bool:
        """One page of a cohort, tried again if its worker dies, as the state machine does."""
        started = self.clock.now()
        names = (
            "journeys", "ledger", "history", "contacts", "runs", "decide_queue", "journey_events", "exceptions"
        )  # fmt: skip
        ports = {name: self._ports[name] for name in names}
        ports["events"] = ports.pop("journey_events")
        for _ in range(4):
            try:
                found = advance_journey(
                    cohort,
                    generation,
                    page,
                    **ports,
                    rules=self.rules,
                    is_holiday=is_holiday,
                    clock=self.clock,
                    time_left=lambda: FUNCTION_SECONDS - (self.clock.now() - started).total_seconds(),
                )
            except Killed:
                self._bury_worker()
                continue
            self.answers.append((f"journey, {cohort.journey} step {cohort.step}", found.counts))
            return found.more
        raise AssertionError("the state machine gave up")

    def follow(self, limit: int = 400) -> None:
        """Go on until no journey waits any more: sweeps, executions, what they queue, what is due."""
        for _ in range(limit):
            self.come_to_rest()
            self.sweep_journeys()
            due = self.executions.next_due()
            if due is not None:
                self.clock.move_to(due)
                self.executions.wake(self.clock.now(), self.advance)
            elif self.journeys.open:
                self.clock.move_to(min(self.journeys.open).due - HORIZON)
            else:
                self.come_to_rest()
                if not self.journeys.open:
                    return
        raise AssertionError(f"journeys that never end: {sorted(self.journeys.open)}")

    def follow_until(self, at: datetime, limit: int = 400) -> None:
        """The same up to a moment; what is due at this very hour first."""
        for _ in range(limit):
            self.sweep_journeys()
            self.executions.wake(self.clock.now(), self.advance)
            self.drain()
            if self.clock.now() >= at:
                return
            self.wait_until(min(at, self._next_journey(at)))
        raise AssertionError("time does not move on")

    def _next_journey(self, at: datetime) -> datetime:
        due = [c.due for c in self.journeys.open if c.due > self.clock.now()]
        return min(due, default=at)

    def come_to_rest(self, limit: int = 100) -> None:
        """Go on, over days if need be, until nothing is queued and nothing is due ever again."""
        for _ in range(limit):
            self.drain()
            due = self.due.next_due()
            if due is None:
                return
            self.clock.move_to(due)
            self.clock.advance(seconds=1)
            self.release()
        raise AssertionError(f"something is released again and again: {sorted(self.ledger.due_at)}")

    def wait_until(self, at: datetime, limit: int = 100) -> None:
        """Go on until a moment, with the sweeps that fall due before it."""
        for _ in range(limit):
            self.drain()
            due = self.due.next_due()
            if due is None or due > at:
                self.clock.move_to(at)
                return
            self.clock.move_to(due)
            self.clock.advance(seconds=1)
            self.release()
        raise AssertionError(f"something is released again and again: {sorted(self.ledger.due_at)}")

    # --- then -------------------------------------------------------------------------------------

    @property
    def outbox(self) -> list[Delivered]:
        """Every message that a provider took."""
        return [d for provider in self.providers.values() for d in provider.delivered]

    def told(self, channel: Channel | None = None) -> list[str]:
        """Where messages went, sorted."""
        return sorted(d.to for d in self.outbox if channel in (None, d.channel))

    def run(self, run_id: str, domain: str = DOMAIN) -> Run:
        """A run's record."""
        run = self.runs.get(domain, run_id)
        assert run is not None, f"no run {run_id}"
        return run

    def reconciled(self, run_id: str, domain: str = DOMAIN) -> Reconciliation:
        """A run added up."""
        return reconcile(self.run(run_id, domain), self.runs.outcomes(domain, run_id))

    def outcomes(self, run_id: str, domain: str = DOMAIN) -> dict[str, int]:
        """What a run's records came to, without the zeros; the run must balance."""
        found = self.reconciled(run_id, domain)
        counts = {name: n for name, n in found.outcomes.items() if n}
        assert found.balanced, f"{run_id} does not balance: {counts}, {found.reasons}"
        return counts

    def reasons(self, run_id: str, outcome: str) -> dict[str, int]:
        """Why records of a run ended so."""
        return dict(self.reconciled(run_id).reasons.get(outcome, {}))

    def notice(self, document_id: str, audience: str = "customer", purpose: str = "notice") -> Notice:
        """The notice of a document."""
        found = [
            n
            for n in self.ledger.notices.values()
            if (n.document_id, n.audience, n.purpose) == (document_id, audience, purpose)
        ]
        assert len(found) == 1, f"{len(found)} notices of {document_id} for {audience}"
        return found[0]

    def check(self) -> None:
        """What must hold of every world, whatever happened in it."""
        assert_each_attempt_told_once(self.outbox)
        assert_forward_only(self.ledger.history)
        assert self.exceptions.codes <= ALERT_CODES, "each code belongs to a team (rules/alerts.yaml)"
        dead = {name: len(q.dead) for name, q in self.queues.items() if q.dead}
        assert not dead, f"dead letters: {dead}"
        for delivered in self.outbox:
            attempt = self.ledger.notices[delivered.notice_id].attempt(delivered.attempt)
            assert attempt is not None, f"{delivered.ref} went out, and the ledger does not know it"
            assert attempt.evidence, f"{delivered.ref} went out without proof"

    # --- the functions ----------------------------------------------------------------------------

    def _behind_the_wire(self) -> dict[str, Any]:
        wire = self.wire
        queues = {name: watched(queue, f"{name}_queue", wire) for name, queue in self.queues.items()}
        bus = FakeExceptionBus(queues["exceptions"])
        bus.raised = self.exceptions.raised
        bus.dispatched = self.exceptions.dispatched
        bus.preferences = self.exceptions.preferences
        local = frozenset({"form", "hashes", "reference"})
        services = {
            name: watched(getattr(self, name), name, wire, local=local)
            for name in (
                "contacts", "suppressions", "ledger", "due", "runs", "records", "staging", "evidence", "jobs",
                "incidents", "channels", "journeys", "executions", "history", "journey_events",
                "receipt_evidence", "early", "reputation", "watch", "early_responses",
            )
        }  # fmt: skip
        return {
            **services,
            "exceptions": bus,
            "decide_queue": FakeDecideQueue(queues["decide"]),
            "run_queue": FakeRunQueue(queues["run"]),
            "look_queue": FakeLookQueue(queues["exceptions"], queues["preferences"]),
            "send_queues": FakeSendQueues({name: queues[name] for name in _SEND_QUEUES}),
        }

    def _watched_provider(self, provider: FakeProvider) -> FakeProvider:
        return watched(provider, "provider", self.wire, local=frozenset({"request", "request_bulk", "name"}))

    def _stage_run(self, body: dict[str, Any], time_left: Callable[[], float]) -> None:
        domain, run_id = body["domain"], body["run_id"]
        p = self._ports
        stage_run(
            domain,
            run_id,
            body["trigger"],
            folder=watched(self.folder(run_id, domain), "folder", self.wire),
            staging=p["staging"],
            rules=self.rules,
            runs=p["runs"],
            due=p["due"],
            decide_queue=p["decide_queue"],
            send_queues=p["send_queues"],
            exceptions=p["exceptions"],
            clock=self.clock,
            policy=self.stage_policy,
        )

    def _stage_document(self, body: dict[str, Any], time_left: Callable[[], float]) -> object:
        p = self._ports
        return stage_document(
            body["id"],
            body["domain"],
            body,
            staging=p["staging"],
            rules=self.rules,
            runs=p["runs"],
            decide_queue=p["decide_queue"],
            exceptions=p["exceptions"],
            clock=self.clock,
        )

    def _decide(self, body: dict[str, Any], time_left: Callable[[], float]) -> object:
        p = self._ports
        return decide_notices(
            SlicePointer.from_message(body),
            records=p["records"],
            rules=self.rules,
            contacts=p["contacts"],
            addresses=self.addresses,
            suppressions=p["suppressions"],
            ledger=p["ledger"],
            runs=p["runs"],
            queues=p["send_queues"],
            exceptions=p["exceptions"],
            clock=self.clock,
            provider_for=self.provider_for,
            policy=self.policy,
            early=p["early_responses"],
            journeys=p["journeys"],
            reputation=p["reputation"],
            decide_queue=p["decide_queue"],
            due_index=p["due"],
            is_holiday=is_holiday,
        )

    def _send(self, body: dict[str, Any], time_left: Callable[[], float]) -> object:
        p = self._ports
        job = SendJob.from_message(body)
        provider = self.providers[job.provider]
        return send_notices(
            job,
            records=p["records"],
            rules=self.rules,
            contacts=p["contacts"],
            addresses=self.addresses,
            ledger=p["ledger"],
            runs=p["runs"],
            decide_queue=p["decide_queue"],
            send_queues=p["send_queues"],
            evidence=p["evidence"],
            jobs=p["jobs"],
            watch=p["watch"],
            provider=self._watched_provider(provider),
            wording=self.wording,
            exceptions=p["exceptions"],
            clock=self.clock,
            hasher=_hashed,
            link_for=lambda notice_id: f"https://documents.example.com/d/{notice_id}",
            preferences_for=lambda salt: f"https://documents.example.com/p/{salt}",
            unsubscribe_for=lambda salt, topic: f"https://documents.example.com/u/{salt}-{topic}",
            breaker=self.breakers.setdefault(job.provider, Breaker()),
            rate=self.rate,
            time_left=time_left,
            policy=self.policy,
            journeys=p["journeys"],
            is_holiday=is_holiday,
            switched_off=lambda domain, channel: bool(self.off & {domain, channel}),
            approved_only=self.approved_only,
            early=p["early_responses"],
        )

    def _record_receipts(self, body: dict[str, Any], time_left: Callable[[], float]) -> object:
        lists = {name: tuple(body[name]) for name in ("hashes", "also")}
        receipt = Receipt(**{**body, **lists, "kind": Kind(body["kind"])})
        return record_receipts([receipt], **self.receipt_ports())

    def _go_on_with_change(self, body: dict[str, Any], time_left: Callable[[], float]) -> None:
        look = look_of(body)
        assert look is not None
        self.owner.go_on(look[1])

    def _record_exception(self, body: dict[str, Any], time_left: Callable[[], float]) -> None:
        p = self._ports
        alerting = self.alerting()
        raised = told_by(body, alerting.rules.vocabulary)
        if raised and alert_exceptions(raised, alerting):
            return
        if (news := news_of(body)) is not None:
            covering = Covering(p["runs"], p["staging"], p["records"], alerting)
            follow_run(news, self.rules, p["exceptions"], covering)
        if (receipt := reported_of(body)) is not None:
            alert_reported(receipt, self.known_channels(), alerting)
        if (look := look_of(body)) is not None:
            ports = {name: p[name] for name in ("runs", "exceptions")}
            look_at(*look, self.rules, self.known_channels(), alerting=alerting, **ports)

    def known_channels(self) -> KnownChannels:
        """The teams' channels with what is known of them."""
        return KnownChannels(
            self._ports["channels"], self.channel_book, self._ports["exceptions"], self.clock
        )

    def check_channels(self) -> ChannelsFound:
        """The hourly look."""
        found = check_channels(self.rules, self.known_channels(), self.clock)
        self.answers.append(("channels", found))
        return found

    def alerting(self) -> Alerting:
        """What telling takes."""
        p = self._ports
        return Alerting(
            self.rules,
            p["incidents"],
            self.known_channels(),
            p["due"],
            self.clock,
            lambda i: f"https://x.example/i/{i}",
            last_customer_in(p["runs"]),
        )

    def _bury_worker(self) -> None:
        # A new worker remembers nothing of what the dead one saw of the providers.
        self.kills += 1
        self.breakers.clear()

    def _backlog(self) -> dict[str, int]:
        return {name: len(q.messages) for name, q in self.queues.items() if q.messages}


def assert_each_attempt_told_once(outbox: Iterable[Delivered]) -> None:
    """No provider took two messages of one attempt."""
    seen: set[tuple[str, int]] = set()
    for delivered in outbox:
        key = (delivered.notice_id, delivered.attempt)
        assert key not in seen, f"attempt {delivered.attempt} of {delivered.notice_id} went out twice"
        seen.add(key)


def _hashed(channel: Channel, canonical: str) -> str:
    return f"hash of {channel}:{canonical}"


def _times(attempt: Attempt) -> tuple[str, str, str]:
    """The newest times of what providers said of an attempt: they only grow."""
    return attempt.delivered_at, attempt.undelivered_at, attempt.bounced_at


def assert_forward_only(history: Sequence[Notice]) -> None:
    """No write took an attempt to a lower rank, lost a finished attempt, or broke the chain of events."""
    newest: dict[str, Notice] = {}
    for notice in history:
        assert chain_holds(notice), f"the chain of {notice.notice_id} is broken"
        before = newest.get(notice.notice_id)
        newest[notice.notice_id] = notice
        if before is None:
            assert notice.version == 1
            continue
        assert notice.version == before.version + 1
        assert notice.events[: len(before.events)] == before.events, "events were rewritten"
        for old in before.attempts:
            now = notice.attempt(old.number)
            if now is None:
                # A claim may be withdrawn, since it was certainly not sent; a result never.
                assert old.status == Status.SENDING, f"attempt {old.number} with a result was withdrawn"
            else:
                # A provider that reports bounces itself replaces what mails said.
                old = old.without_mails() if not now.by_mail else old
                assert all(new >= told for told, new in zip(_times(old), _times(now), strict=True))
                said = any(_times(old)) and _times(now) != _times(old)
                assert said or RANK[now.status] >= RANK[old.status], f"{old.status} became {now.status}"
