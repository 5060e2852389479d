"""Stories of what goes wrong inside: words, records, workers, teams; everything left is compared with an
approved file."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from syrupy.assertion import SnapshotAssertion

from exstream_notify.domain.approvals import Approval
from exstream_notify.domain.documents import Channel, Document
from exstream_notify.domain.messages import Content, GiveUp, TryAgain
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.runs import Control
from exstream_notify.use_cases.watch_runs import watch_runs
from tests.fakes import FakeProvider, LostAnswer, a_document, a_rule
from tests.use_cases.remains import remains_of
from tests.use_cases.stories import NIGHT, Words, documents, played
from tests.use_cases.world import DOMAIN, World

REGULATED = a_rule(name="policy", wording="policy", message_class="regulated", paper_on_failure=True)
BOTH = a_rule(name="both", wording="both", both_channels=True)
NEWS = a_rule(name="news", wording="news", message_class="marketing", topic="news")
COPIED = a_rule(name="copied", wording="copied", teams=("audit",), team_copy="each")
OPENING = a_rule(name="opening", wording="opening", teams=("claims", "audit"), team_copy="digest")


class Impersonal(ValueError):
    """An error whose text may be shown."""

    impersonal = True


class Failing(Words):
    """Words that some documents, and all of one wording, make fail."""

    def render(self, wording: str, channel: Channel, document: Document, **how: Any) -> Content:
        """See `Wording.render`."""
        if document.document_id in ("D0002", "D0007") and channel == "email":
            raise Impersonal("en.yaml: the amount is no number")
        if document.document_id == "D0003":
            raise ValueError(f"about {document.email}")
        return super().render(wording, channel, document, **how)

    def render_bulk(
        self, wording: str, channel: Channel, documents: Any, links: Any, language: str, **how: Any
    ) -> Any:
        """See `Wording.render_bulk`."""
        if any(d.document_id in ("D0002", "D0007") for d in documents):
            raise Impersonal("en.yaml: the amount is no number")
        return super().render_bulk(wording, channel, documents, links, language, **how)

    def version(self, wording: str, channel: Channel, language: str) -> str:
        """See `Wording.version`."""
        if wording == "both":
            raise KeyError(wording)
        return super().version(wording, channel, language)


def until_jobs(world: World, queue: str = "email") -> None:
    while not world.queues[queue].messages:
        assert world.step()


def after(world: World, **time: float) -> None:
    world.wait_until(world.clock.now() + timedelta(**time))


@contextmanager
def without_records(world: World) -> Iterator[None]:
    """Records are not stored any more, for good."""
    yield
    world.records.slices.clear()
    world.records.digests.clear()


def test_words_that_fail(approved: SnapshotAssertion) -> None:
    """Documents whose words cannot be made fail alone, by mail, in bulk and in copies."""
    world = played(a_rule(), REGULATED, BOTH, COPIED)
    world.wording = Failing()
    kinds = ("statement", "statement", "policy", "both", "copied", "statement", "copied")
    world.drop("run-1", *documents(*kinds))
    world.come_to_rest()
    bulk = played(a_rule(), bulk=True)
    bulk.wording = Failing()
    bulk.drop("run-1", *documents(*["statement"] * 7))
    bulk.come_to_rest()
    for one in (world, bulk):
        one.check()
    assert remains_of(world) + "\nIN BULK\n" + remains_of(bulk) == approved


def test_words_that_nobody_approved(approved: SnapshotAssertion) -> None:
    """Where approval is required, messages wait for it; what goes to teams does not."""
    world = played(a_rule(), COPIED, NEWS, REGULATED)
    world.approved_only = True
    approval = Approval("policy", "email", "en", "1", "ann", "2026-11-01")
    world.wording.approvals = [approval]
    world.drop("run-1", *documents("statement", "copied", "policy", "policy", d4={"language": "fr"}))
    after(world, hours=9)
    world.wording.approvals += [
        Approval(w, "email", "en", "1", "bob", "2026-11-20") for w in ("statement", "copied")
    ]
    world.come_to_rest()
    world.check()
    assert remains_of(world, evidence=True) == approved


def test_records_that_are_gone(approved: SnapshotAssertion) -> None:
    """Records are deleted while notices wait for the morning, in jobs, and as digests; one customer is erased."""
    world = played(a_rule(), COPIED, OPENING, BOTH, at=NIGHT, slice_records=2)
    rows = documents(
        "statement",
        "copied",
        "statement",
        "opening",
        "both",
        "statement",
        d1={"email": None},
        d3={"email": None},
    )
    world.mail.script(*[TryAgain("unavailable")] * 5)
    with without_records(world):
        world.drop("run-1", *rows)
        until_jobs(world)
    world.erase(3)
    world.come_to_rest()
    assert remains_of(world) == approved


def test_killed_workers_and_a_provider_that_remembers(approved: SnapshotAssertion) -> None:
    """Workers die after a post: what a provider de-duplicates is submitted again, in bulk and one by one."""
    world = played(a_rule(), REGULATED, bulk=True, deduplicates=True)
    world.wire.kill_on("provider.send", "after")
    world.drop("run-1", *documents("statement", "statement", "policy", "statement"))
    world.come_to_rest()
    world.wire.kill_on("ledger.put", "after")
    world.drop("run-2", a_document(11), a_document(12, document_type="policy"))
    world.come_to_rest()
    single = played(a_rule(), BOTH, deduplicates=True)
    single.wire.kill_on("provider.send", "after")
    single.drop("run-1", *documents("statement", "both", "statement"))
    single.come_to_rest()
    forgetful = played(a_rule(), BOTH)
    forgetful.wire.kill_on("provider.send", "after")
    forgetful.drop("run-1", *documents("statement", "both"))
    forgetful.come_to_rest()
    for one in (world, single, forgetful):
        one.check()
    told = [remains_of(world), "ONE BY ONE", remains_of(single), "WITHOUT A MEMORY", remains_of(forgetful)]
    assert "\n".join(told) == approved


def test_a_slow_provider(approved: SnapshotAssertion) -> None:
    """More messages than a worker has time for: the rest is queued again, and none goes out twice."""
    world = played(a_rule(), takes=4.0, rate=0.5)
    world.drop("run-1", *documents(*["statement"] * 9))
    world.mail.script(LostAnswer(), TryAgain("throttled"), GiveUp("blocked", "content"))
    world.come_to_rest()
    world.check()
    assert remains_of(world, backstage=True) == approved


def test_teams_that_cannot_be_told(approved: SnapshotAssertion) -> None:
    """The mailbox of a team is down for days, another is refused, and a run with copies is cancelled."""
    world = played(COPIED, OPENING)
    world.mail.refuse("audit@example.com", TryAgain("unavailable"))
    world.mail.refuse("claims@example.com", GiveUp("no_such_address", "recipient"))
    world.drop("run-1", *documents("copied", "opening", "copied", d3={"internal_teams": ("claims",)}))
    after(world, hours=30)
    world.drop("run-2", a_document(7, document_type="copied"), a_document(8, document_type="opening"))
    after(world, hours=1)
    world.control("run-2", Control.CANCEL)
    world.come_to_rest(limit=400)
    assert remains_of(world) == approved


def test_customers_who_answer_while_messages_wait(approved: SnapshotAssertion) -> None:
    """Answers, opt-outs, payments and other documents come between decision and sending, and at night."""
    world = played(
        a_rule(), BOTH, REGULATED, a_rule(name="bill", wording="bill", message_class="collections"), at=NIGHT
    )
    only_sms = {"email": None}
    rows = documents(
        "statement", "statement", "both", "bill", "statement", "statement", "both", "policy", "statement",
        d1={**only_sms, "case_id": "K-1"}, d2={"case_id": "K-2"}, d4={"amount_due": "50.00", "currency": "USD"},
        d5=only_sms, d6=only_sms, d7={"case_id": "K-7"}, d9=only_sms,
    )  # fmt: skip
    world.drop("run-1", *rows)
    until_jobs(world)
    world.answer_case("K-2")
    world.respond(
        "paid", customer_key="C0004", document_id="D0004", amount="20.00", currency="USD", event_id="e-1"
    )
    world.change_contact(8, paper_required=True)
    world.drain()
    world.respond("responded", case_id="K-1", event_id="e-2")
    world.respond("opened", customer_key="C0007", document_id="D0007", event_id="e-3")
    world.change_contact(5, opt_outs={"*": ("sms",)}, set_by_customer=("opt_outs",))
    world.change_contact(9, mobile=None)
    world.drop("run-2", a_document(6, document_id="D-NEW", email=None, supersedes="D0006"))
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved


def test_news_that_come_late(approved: SnapshotAssertion) -> None:
    """A bounce weeks later, a doubt that is superseded, a release after the deadline, and jobs that lay for days."""
    short = a_rule(name="short", wording="short", deadline_hours=6, teams=("audit",), team_copy="each")
    paper = a_rule(name="paper", wording="paper", deadline_hours=6, paper_on_failure=True, channels=("sms",))
    world = played(
        a_rule(),
        REGULATED,
        short,
        paper,
        a_rule(name="resend", wording="resend", on_unconfirmed="resend", deadline_hours=6),
    )
    world.mail.script(LostAnswer(), LostAnswer())
    world.drop("run-1", *documents("statement", "resend", "statement", "policy", "short"))
    world.drain()
    world.drop("run-2", a_document(1, document_id="D-NEW", supersedes="D0001"))
    world.drop("run-3", a_document(11, document_type="paper"), a_document(12, document_type="short"))
    until_jobs(world)
    world.control("run-3", Control.HOLD)
    world.drain()
    after(world, days=20)
    for number in (3, 4):
        delivered = next(d for d in world.outbox if d.to == f"c000{number}@example.com")
        world.report(world.receipt(delivered, Kind.HARD_BOUNCE))
    world.control("run-3", Control.GO)
    world.come_to_rest()
    assert remains_of(world) == approved


def test_a_notice_that_two_runs_want(approved: SnapshotAssertion) -> None:
    """The run that has it is cancelled, fails, or is in doubt: the other takes it over, or stays a duplicate."""
    world = played(a_rule(), a_rule(name="letter", wording="letter", channels=("email",)), COPIED, at=NIGHT)
    rows = documents("statement", "letter", "copied", "letter", d1={"email": None})
    world.mail.script(GiveUp("no_such_address", "recipient"))
    world.drop("run-1", *rows)
    until_jobs(world)
    world.drop(
        "run-2",
        *documents(
            "statement",
            "letter",
            "copied",
            "letter",
            d1={"email": None, "amount_due": "9.00"},
            d4={"email": "new@example.com"},
        ),
    )
    world.drain()
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()
    world.drop("run-3", *rows)
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved


def test_marketing_needs_one_click(approved: SnapshotAssertion) -> None:
    """A provider that cannot take headers gets no marketing; other mails go out without them."""
    world = played(a_rule(), NEWS, a_rule(name="dunning", wording="dunning", message_class="collections"))
    world.providers["mail"] = FakeProvider("mail", world.clock, supports_headers=False)
    world.drop("run-1", *documents("statement", "news", "dunning"))
    world.come_to_rest()
    assert remains_of(world) == approved


def test_runs_that_are_watched(approved: SnapshotAssertion) -> None:
    """The hourly look at open runs: repeated, stuck, sending and unreached ones."""
    world = played(a_rule(channels=("email",)))
    world.drop("run-1", *documents("statement", "statement"))
    world.come_to_rest()
    world.drop("run-2", *documents("statement", "statement"))
    world.come_to_rest()
    world.drop("run-3", *(a_document(n, email=None, mobile=None) for n in range(20, 60)))
    world.come_to_rest()
    world.drop("run-4", a_document(70), a_document(71))
    until_jobs(world)
    looks = []
    for hours in (0, 2, 30, 24 * 40):
        world.clock.advance(hours=hours)
        found = watch_runs(
            runs=world.runs, exceptions=world.exceptions, clock=world.clock, time_left=lambda: 100.0
        )
        looks.append(
            (found.counts(), found.silent, found.unbalanced, found.unreached, found.ahead, found.complete)
        )
    world.answers += [(f"look {n}", look) for n, look in enumerate(looks, 1)]
    assert f"{DOMAIN}/run-4" in looks[1][1]
    assert remains_of(world) == approved


def test_messages_that_lay_for_days(approved: SnapshotAssertion) -> None:
    """What is decided, or sent, after its deadline is paper or a failure; teams are not told of it either."""
    short = a_rule(name="short", wording="short", deadline_hours=6, teams=("audit",), team_copy="each")
    paper = a_rule(name="paper", wording="paper", deadline_hours=6, paper_on_failure=True)
    world = played(a_rule(), short, paper, OPENING)
    kinds = ("short", "paper", "opening", "statement", "short")
    world.release()
    world.drop("run-1", *documents(*kinds))
    world.step()
    world.clock.advance(hours=80)
    world.drain()
    world.drop("run-2", *(a_document(10 + n, document_type=kind) for n, kind in enumerate(kinds, 1)))
    until_jobs(world)
    world.clock.advance(hours=80)
    world.come_to_rest()
    assert remains_of(world) == approved


def test_what_changes_between_two_tries(approved: SnapshotAssertion) -> None:
    """Answers that only a subject names, paper wanted after a refusal, two documents that replace one, copies of a
    cancelled run."""
    world = played(a_rule(), REGULATED, BOTH, COPIED, at=NIGHT)
    only_sms = {"email": None}
    world.mail.refuse("c0002@example.com", GiveUp("no_such_address", "recipient"))
    world.mail.refuse("audit@example.com", TryAgain("unavailable"))
    rows = documents(
        "statement", "policy", "statement", "copied", "statement", "both",
        d1={**only_sms, "case_id": "K-1"}, d2={"mobile": None}, d3=only_sms, d5={**only_sms, "amount_due": "10.00", "currency": "USD"},
    )  # fmt: skip
    world.drop("run-1", *rows)
    world.drain()
    world.answer_case("K-1")
    world.drop(
        "run-2",
        a_document(3, document_id="D-A", email=None, supersedes="D0003"),
        a_document(3, document_id="D-B", email=None, supersedes="D0003"),
    )
    world.drain()
    world.change_contact(6, paper_required=True)
    world.drop(
        "run-3",
        a_document(4, document_type="copied"),
        a_document(5, email=None, amount_due="12.00", currency="USD"),
    )
    world.drain()
    world.control("run-1", Control.CANCEL)
    world.mail.refuse("audit@example.com", None)
    world.come_to_rest()
    world.drop(
        "run-4", a_document(4, document_type="copied"), a_document(2, document_type="policy", mobile=None)
    )
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved
