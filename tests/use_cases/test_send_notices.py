"""Sending: claim, proof, hand-over, record; and what each answer of a provider leads to."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from exstream_notify.domain.contacts import Consent
from exstream_notify.domain.messages import GiveUp, TryAgain, Unconfirmed
from exstream_notify.domain.notices import Status, finished
from exstream_notify.domain.runs import latest
from exstream_notify.domain.work import SendJob
from exstream_notify.use_cases.send_notices import DOUBT_LIMIT
from tests.fakes import FakeProvider, LostAnswer, a_document, a_rule, an_address
from tests.use_cases.world import Disorder, World

WITHDRAWN = Consent(False, "all", "1", "2026-11-20T00:00:00+00:00", "portal")
REFUSED = GiveUp("no_such_address", "recipient")
DOWN = TryAgain("service_unavailable")
REGULATED = a_rule(name="policy", wording="policy", message_class="regulated", paper_on_failure=True)


def up_to(world: World, queue: str) -> None:
    """Go on until there is something on a queue."""
    while not world.queues[queue].messages:
        assert world.step(), f"nothing ever lies on {queue}"


# --- the plain way ---------------------------------------------------------------------------------


def test_a_notice_is_claimed_proven_sent_and_recorded() -> None:
    world = World()
    world.drop("run-1", a_document(1, content_sha256="ab" * 32))
    world.come_to_rest()

    notice = world.notice("D0001")
    (attempt,) = notice.attempts
    (sent,) = world.outbox
    assert (notice.status, attempt.status, attempt.ref) == (Status.SENT, Status.SENT, "mail-1")
    assert [e.what for e in notice.events] == ["claimed", "sent"]
    assert sent.ref == f"{notice.notice_id}:1"
    assert sent.text == f"statement|en|D0001|https://documents.example.com/d/{notice.notice_id}"
    assert attempt.address == "hash of email:c0001@example.com"
    proof = world.evidence.lines[attempt.evidence]
    assert proof.ref == sent.ref
    assert proof.salt == world.contacts.stored["retail", "C0001"].salt
    assert proof.body["to"] == "c0001@example.com"
    assert proof.body["text"] == sent.text
    assert proof.body["content_sha256"] == "ab" * 32
    assert proof.body["wording_version"] == "1"


def test_proof_comes_before_the_claim_and_the_claim_before_the_send() -> None:
    for bulk, calls in ((False, ["provider.send"]), (True, ["jobs.put", "provider.send"])):
        world = World(bulk=bulk)
        world.drop("run-1", a_document(1), a_document(2))
        up_to(world, "email")
        before = len(world.wire.log)
        world.come_to_rest()
        order = [name for name in world.wire.log[before:] if name in ("evidence.write", "ledger.put", *calls)]

        assert order[:3] == ["evidence.write", "ledger.put", calls[0]]
        assert order[-1] == "ledger.put"


def test_a_notice_without_a_link_has_none() -> None:
    world = World(a_rule(link="reference"))
    world.drop("run-1", a_document(1))
    world.come_to_rest()

    assert world.outbox[0].text == "statement|en|D0001|-"


@pytest.mark.parametrize(
    ("document", "contact", "spoken"),
    [
        ("de", {}, "de"),
        ("de", {"language": "fr"}, "de"),
        ("de", {"language": "fr", "set_by_customer": ("language",)}, "fr"),
        ("pt", {}, "en"),
        (None, {"language": "es"}, "es"),
    ],
)
def test_the_language_is_the_customers_own_choice_else_the_documents(
    document: str | None, contact: dict[str, object], spoken: str
) -> None:
    world = World()
    world.drop("run-1", a_document(1, language=document))
    up_to(world, "email")
    if contact:
        world.change_contact(1, **contact)
    world.come_to_rest()

    assert world.outbox[0].text.split("|")[1] == spoken


def test_pace_is_kept_to_the_providers_rate() -> None:
    world = World(rate=2.0)
    world.drop("run-1", *(a_document(n) for n in range(1, 21)))
    up_to(world, "email")
    start = world.clock.now()
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 20}
    assert (world.clock.now() - start).total_seconds() >= 9.5


def test_what_does_not_fit_into_a_workers_time_is_queued_anew() -> None:
    world = World(rate=1.0)
    world.drop("run-1", *(a_document(n) for n in range(1, 41)))
    up_to(world, "email")
    (message,) = world.queues["email"].messages
    world.deliver("email", message)
    first = len(world.outbox)
    (rest,) = world.queues["email"].messages
    assert 0 < first < 40
    assert len(SendJob.from_message(rest.json()).members) == 40 - first

    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 40}
    assert len(world.outbox) == 40
    world.check()


def test_a_slow_provider_is_no_reason_to_run_out_of_time_in_the_middle() -> None:
    """Each send takes seven seconds: the worker stops in time, and claims no more than it can send."""
    world = World(rate=10.0, takes=7.0)
    world.drop("run-1", *(a_document(n) for n in range(1, 13)))
    up_to(world, "email")
    start = world.clock.now()
    (message,) = world.queues["email"].messages
    world.deliver("email", message)
    assert world.clock.now() - start < timedelta(seconds=60)

    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 12}
    assert len(world.outbox) == 12
    world.check()


# --- bulk ------------------------------------------------------------------------------------------


def test_a_bulk_job_is_one_post_and_each_members_own_proof() -> None:
    world = World(bulk=True)
    world.drop("run-1", *(a_document(n) for n in range(1, 31)))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 30}
    assert len(world.mail.posted) == 1
    assert len({d.text for d in world.outbox}) == 30, "each has inserts of its own"
    (shared,) = world.evidence.shared
    for delivered in world.outbox:
        attempt = world.ledger.notices[delivered.notice_id].attempts[0]
        assert world.evidence.lines[attempt.evidence].body["shared_content"] == shared
    (stored,) = world.jobs.stored.values()
    assert stored[1] == world.mail.posted[0]


@pytest.mark.parametrize(("bulk", "most"), [(True, 45), (False, 161)])
def test_a_slice_of_a_hundred_takes_few_calls(bulk: bool, most: int) -> None:
    """From seal to outcome, every service's calls together, with new customers; the posts are a hundred."""
    world = World(bulk=bulk)
    world.drop("run-1", *(a_document(n) for n in range(1, 101)))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 100}
    assert world.wire.number <= most


def test_regulated_documents_go_one_by_one() -> None:
    world = World(REGULATED, bulk=True)
    world.drop("run-1", *(a_document(n, document_type="policy") for n in range(1, 4)))
    world.come_to_rest()

    assert len(world.mail.posted) == 3
    assert not world.jobs.stored


def test_what_cannot_share_words_goes_by_itself() -> None:
    world = World(a_rule(), a_rule(name="invoice", wording="invoice", link="reference"), bulk=True)
    world.wording.alone.add("D0003")
    world.drop(
        "run-1",
        *(a_document(n) for n in range(1, 4)),
        a_document(4, language="de"),
        a_document(5, language="de"),
        a_document(6, document_type="invoice"),
    )
    world.come_to_rest()
    sizes = sorted(len(json.loads(request.body)["destinations"]) for request in world.mail.posted)

    assert world.outcomes("run-1") == {"notified": 6}
    assert sizes == [1, 1, 2, 2]


def test_a_member_that_spoils_a_bulk_job_is_refused_alone() -> None:
    world = World(REGULATED, a_rule(), bulk=True)
    world.mail.unsendable["c0002@example.com"] = GiveUp("address_invalid", "recipient")
    world.drop("run-1", *(a_document(n, mobile=None) for n in range(1, 5)))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 3, "failed": 1}
    assert "c0002@example.com" not in world.told()
    world.check()


def test_a_redelivered_bulk_job_that_is_in_doubt_is_posted_as_it_was() -> None:
    world = World(bulk=True, deduplicates=True)
    world.drop("run-1", a_document(1), a_document(2), a_document(3))
    up_to(world, "email")
    _kill_at_first(world, "provider.send", "after")
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 3}
    assert len(world.outbox) == 3
    first, second = world.mail.posted
    assert first == second


def test_one_left_over_of_a_bulk_job_is_not_told_by_itself_a_second_time() -> None:
    """Its companions opted out meanwhile, so this time it would go alone, under another message id."""
    world = World(bulk=True, deduplicates=True)
    world.drop("run-1", a_document(1), a_document(2))
    up_to(world, "email")
    _kill_at_first(world, "provider.send", "after")
    world.step()
    world.change_contact(2, opt_outs={"*": ("email", "sms")})
    world.come_to_rest()

    world.check()
    assert world.told() == ["c0001@example.com", "c0002@example.com"]
    assert world.notice("D0001").status == Status.SENT


def test_a_job_that_was_not_stored_was_perhaps_never_posted() -> None:
    world = World(bulk=True, deduplicates=True)
    world.drop("run-1", a_document(1), a_document(2))
    up_to(world, "email")
    _kill_at_first(world, "jobs.put", "before")
    world.come_to_rest()

    assert world.outcomes("run-1") == {"unconfirmed": 2}
    assert not world.outbox


def _kill_at_first(world: World, call: str, when: Literal["before", "after"]) -> None:
    """Have the worker die at its first call of that name, as a rehearsal without a kill numbers it."""
    rehearsal = World(bulk=True, deduplicates=True)
    rehearsal.drop("run-1", *(a_document(n) for n in range(1, world.run("run-1").composed + 1)))
    rehearsal.come_to_rest()
    world.wire.kill_at(rehearsal.wire.log.index(call) + 1, when)


def test_a_copy_that_read_while_another_worker_sent_does_not_overwrite_what_that_worker_reported() -> None:
    """It meets claims of the other and comes back; the rest of the members is no report about the job."""
    world = World(slice_records=DOUBT_LIMIT + 2)
    world.drop("run-1", *(a_document(n) for n in range(1, DOUBT_LIMIT + 3)))
    up_to(world, "email")
    (message,) = world.queues["email"].messages
    copy = replace(message)
    world.deliver("email", message)
    finished_ledger = world.ledger.notices
    claimed = {
        n.notice_id: n for n in world.ledger.history if n.status == Status.SENDING and n.origin.position > 10
    }
    assert len(claimed) == 2
    watched = dict(world.watch.watched)

    world.queues["email"].messages.append(copy)
    world.ledger.notices = finished_ledger | claimed  # as the copy read it, before the other was done
    assert not world.deliver("email", copy), "it comes back"
    world.ledger.notices = finished_ledger

    assert world.outcomes("run-1") == {"notified": DOUBT_LIMIT + 2}
    assert world.watch.watched == watched


def test_a_copy_that_comes_back_reports_what_is_known_already() -> None:
    """Should it never be done, the run says exactly which members are open."""
    rehearsal = World(slice_records=DOUBT_LIMIT + 2)
    rehearsal.drop("run-1", *(a_document(n) for n in range(1, DOUBT_LIMIT + 3)))
    rehearsal.come_to_rest()
    sends = [number for number, name in enumerate(rehearsal.wire.log, 1) if name == "provider.send"]

    world = World(slice_records=DOUBT_LIMIT + 2)
    world.drop("run-1", *(a_document(n) for n in range(1, DOUBT_LIMIT + 3)))
    up_to(world, "email")
    (message,) = world.queues["email"].messages
    copy = replace(message)
    world.wire.kill_at(sends[DOUBT_LIMIT], "after")  # the first one of those that are claimed later
    assert not world.deliver("email", message)
    world.queues["email"].messages.append(copy)
    assert not world.deliver("email", copy), "the dead worker's claims are still held"

    known = latest(world.runs.outcomes("retail", "run-1"))
    assert Counter(str(o.outcome) for o in known.values())["notified"] == DOUBT_LIMIT
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": DOUBT_LIMIT, "unconfirmed": 2}


# --- answers ---------------------------------------------------------------------------------------


def test_a_provider_that_is_down_puts_a_notice_off_and_a_later_release_sends_it() -> None:
    world = World()
    world.mail.script(DOWN, DOWN)
    world.drop("run-1", a_document(1))
    world.drain()
    assert world.outcomes("run-1") == {"deferred": 1}
    assert world.reasons("run-1", "deferred") == {"provider_down": 1}
    assert world.notice("D0001").attempts == ()
    start = world.clock.now()

    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}
    # Five minutes, then ten.
    assert timedelta(minutes=15) <= world.clock.now() - start < timedelta(minutes=17)
    assert [a.number for a in world.notice("D0001").attempts] == [1]
    assert world.exceptions.codes == {"provider_down"}


def test_a_provider_that_says_when_to_come_back_is_left_alone_until_then() -> None:
    world = World()
    world.mail.script(TryAgain("throttled", retry_after=3000.0))
    world.drop("run-1", a_document(1))
    world.drain()
    start = world.clock.now()
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1}
    assert world.clock.now() - start >= timedelta(seconds=3000)


def test_an_outage_of_hours_loses_nothing_and_wears_out_no_receive_count() -> None:
    world = World(slice_records=10)
    world.mail.always(DOWN)
    world.drop("run-1", *(a_document(n) for n in range(1, 41)))
    world.wait_until(world.clock.now() + timedelta(hours=9))
    assert world.outcomes("run-1") == {"deferred": 40}
    assert len(world.mail.posted) < 300, "an open circuit breaker leaves the provider alone"

    world.mail.always(None)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 40}
    assert len(world.outbox) == 40
    world.check()


def test_an_open_breaker_puts_a_whole_job_off_without_a_call() -> None:
    world = World(slice_records=10)
    world.mail.script(*[DOWN] * 5)
    world.drop("run-1", *(a_document(n) for n in range(1, 31)))
    world.drain()

    assert world.outcomes("run-1") == {"deferred": 30}
    assert len(world.mail.posted) == 5
    assert world.incidents.count("provider_down") == 30
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 30}


def test_a_provider_that_does_not_answer_opens_the_breaker_too() -> None:
    """Otherwise a day of time-outs would leave every single notice in doubt."""
    world = World(slice_records=10)
    world.mail.always(Unconfirmed("read_timeout"))
    world.drop("run-1", *(a_document(n) for n in range(1, 31)))
    world.drain()

    assert world.outcomes("run-1") == {"unconfirmed": 5, "deferred": 25}


def test_refusals_do_not_open_the_breaker() -> None:
    world = World(a_rule(channels=("email",)))
    world.mail.script(DOWN, DOWN, DOWN, DOWN, REFUSED, DOWN, *[REFUSED] * 3)
    world.drop("run-1", *(a_document(n) for n in range(1, 10)))
    world.drain()

    assert world.outcomes("run-1") == {"deferred": 5, "failed": 4}


def test_a_refused_address_falls_back_to_the_other_channel() -> None:
    world = World()
    world.mail.refuse("c0001@example.com", REFUSED)
    world.drop("run-1", a_document(1))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1}
    assert world.told() == ["+12025550101"]
    attempts = world.notice("D0001").attempts
    assert [(a.number, a.channel, a.status) for a in attempts] == [
        (1, "email", Status.FAILED),
        (2, "sms", Status.SENT),
    ]
    assert attempts[0].why == "no_such_address"
    assert world.exceptions.codes == {"address_refused"}
    world.check()


def test_a_message_that_cannot_become_a_request_fails_by_itself() -> None:
    world = World(a_rule(channels=("email",)))
    world.mail.unsendable["c0002@example.com"] = GiveUp("subject_has_control_characters", "content")
    world.drop("run-1", *(a_document(n) for n in range(1, 4)))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 2, "failed": 1}
    assert world.reasons("run-1", "failed") == {"subject_has_control_characters": 1}
    assert {"send_refused", "unreached"} <= world.exceptions.codes


@pytest.mark.parametrize(
    ("paper", "outcome", "why"), [(True, "paper", "no_channel"), (False, "failed", "no_such_number")]
)
def test_when_every_channel_fails_it_is_paper_by_rule_or_an_exception(
    paper: bool, outcome: str, why: str
) -> None:
    world = World(a_rule(paper_on_failure=paper))
    world.mail.always(REFUSED)
    world.text.always(GiveUp("no_such_number", "recipient"))
    world.drop("run-1", a_document(1, customer_in_run=17))
    world.come_to_rest()

    assert world.outcomes("run-1") == {outcome: 1}
    assert world.reasons("run-1", outcome) == {why: 1}
    told = [e for e in world.exceptions.raised if e.code == "unreached"]
    assert [e.customers_in_run for e in told] == ([] if paper else [(17,)])


def test_a_customer_who_withdrew_consent_meanwhile_gets_paper_after_a_failure() -> None:
    world = World()
    world.mail.refuse("c0001@example.com", REFUSED)
    world.drop("run-1", a_document(1))
    up_to(world, "email")
    (message,) = world.queues["email"].messages
    world.deliver("email", message)
    world.change_contact(1, paper_required=True)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"paper": 1}
    assert not world.outbox


# --- between the decision and the sending ----------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "outcomes", "told"),
    [
        ({"opt_outs": {"*": ("email",)}}, {"notified": 1}, ["+12025550101"]),
        ({"opt_outs": {"*": ("email", "sms")}}, {"suppressed": 1}, []),
        ({"paper_required": True}, {"paper": 1}, []),
        ({"consent": WITHDRAWN}, {"paper": 1}, []),
        ({"email": None, "set_by_customer": ("email",)}, {"notified": 1}, ["+12025550101"]),
    ],
)
def test_what_the_customer_says_meanwhile_holds(
    change: dict[str, object], outcomes: dict[str, int], told: list[str]
) -> None:
    world = World()
    world.drop("run-1", a_document(1))
    up_to(world, "email")
    world.change_contact(1, **change)
    world.come_to_rest()

    assert world.outcomes("run-1") == outcomes
    assert world.told() == told
    world.check()


def test_an_address_that_changed_meanwhile_is_the_one_that_is_written_to() -> None:
    world = World()
    world.drop("run-1", a_document(1))
    up_to(world, "email")
    contact = world.contacts.stored["retail", "C0001"]
    assert contact.email is not None
    world.change_contact(1, email=replace(contact.email, value="new@example.com"))
    world.come_to_rest()

    assert world.told() == ["new@example.com"]


def test_an_sms_that_queued_into_the_night_waits_for_the_morning() -> None:
    """Decided at a quarter to nine in the evening; a long queue before it (47 CFR 64.1200(c)(1))."""
    world = World(at="2026-11-21T01:45:00+00:00")
    world.drop("run-1", a_document(1, email=None))
    up_to(world, "sms")
    world.clock.advance(minutes=40)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1}
    sent = world.notice("D0001").events[-1]
    assert sent.at >= "2026-11-21T13:00", "eight in New York"
    world.check()


# --- deliveries that come twice --------------------------------------------------------------------


def test_a_job_delivered_twice_is_sent_once() -> None:
    world = World(disorder=Disorder(seed=3, duplicates=1.0, late=0.0))
    world.drop("run-1", *(a_document(n) for n in range(1, 6)))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 5}
    assert len(world.outbox) == 5
    world.check()


@pytest.mark.parametrize("bulk", [False, True])
def test_two_workers_with_the_same_job_meet_at_every_call(bulk: bool) -> None:
    """Whenever the second comes in, nobody is told twice, and nothing ends in doubt."""
    calls = 0
    while True:
        calls += 1
        world = World(bulk=bulk)
        world.drop("run-1", *(a_document(n) for n in range(1, 15)))
        up_to(world, "email")
        (message,) = world.queues["email"].messages
        world.queues["email"].send([message.json()])
        last = world.wire.number + calls
        world.wire.interrupt_at(last, world.step)
        world.deliver("email", message)
        if world.wire.number < last:
            break
        world.come_to_rest()
        assert world.outcomes("run-1") == {"notified": 14}, world.wire.log[last - 1]
        assert len(world.outbox) == 14
        world.check()
    assert calls > 8


def test_a_worker_that_still_holds_a_claim_is_waited_for() -> None:
    world = World()
    world.drop("run-1", a_document(1))
    up_to(world, "email")
    (message,) = world.queues["email"].messages
    world.queues["email"].send([message.json()])
    (_, copy) = world.queues["email"].messages
    # The copy is dealt with while the first worker is about to hand over.
    rehearsal = World()
    rehearsal.drop("run-1", a_document(1))
    rehearsal.come_to_rest()
    results: list[bool] = []
    at = rehearsal.wire.log.index("provider.send") + 1
    world.wire.interrupt_at(at, lambda: results.append(world.deliver("email", copy)))
    world.deliver("email", message)

    assert results == [False]
    assert copy in world.queues["email"].messages
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}
    assert len(world.outbox) == 1


def test_claimed_at_once_are_no_more_than_may_be_in_doubt() -> None:
    world = World()
    world.drop("run-1", *(a_document(n) for n in range(1, 31)))
    up_to(world, "email")
    (message,) = world.queues["email"].messages
    world.wire.kill_at(world.wire.number + 6, "after")
    world.deliver("email", message)

    sending = [n for n in world.ledger.notices.values() if n.status == Status.SENDING]
    assert len(sending) == DOUBT_LIMIT


def test_a_lost_answer_is_not_sent_again() -> None:
    world = World()
    world.mail.script(LostAnswer())
    world.drop("run-1", a_document(1))
    world.drain()

    assert world.outcomes("run-1") == {"unconfirmed": 1}
    assert world.exceptions.codes == {"send_unconfirmed"}
    world.come_to_rest()
    assert len(world.outbox) == 1


@pytest.mark.parametrize("answer", [DOWN, REFUSED])
@pytest.mark.parametrize("bulk", [False, True])
def test_a_refusal_on_the_second_hand_over_does_not_unsay_the_first(
    answer: TryAgain | GiveUp, bulk: bool
) -> None:
    """The worker died after the provider took the job; handed over again, the provider is down."""
    world = World(bulk=bulk, deduplicates=True)
    world.drop("run-1", a_document(1), a_document(2))
    rehearsal = World(bulk=bulk, deduplicates=True)
    rehearsal.drop("run-1", a_document(1), a_document(2))
    rehearsal.come_to_rest()
    world.wire.kill_at(rehearsal.wire.log.index("provider.send") + 1, "after")
    while not world.kills:
        world.step()
    world.mail.always(answer)
    world.drain()
    world.mail.always(None)
    world.come_to_rest()

    world.check()
    assert len(world.told("email")) == len(set(world.told("email")))
    found = world.outcomes("run-1")
    assert found.get("unconfirmed", 0) >= 1
    assert not {"failed", "deferred", "in_flight"} & set(found)


# --- whoever else writes meanwhile -----------------------------------------------------------------


@pytest.mark.parametrize("answer", [DOWN, REFUSED, Unconfirmed("read_timeout"), None])
def test_a_receipt_that_is_faster_than_the_answer_stands(
    answer: TryAgain | GiveUp | Unconfirmed | None,
) -> None:
    world = World()
    if answer is not None:
        world.mail.script(answer)
    world.drop("run-1", a_document(1))

    def receipt() -> None:
        sent = finished(world.notice("D0001"), 1, Status.SENT, world.clock.now(), ref="receipt")
        assert sent is not None
        assert not world.ledger.put([sent])

    _interrupt_at_first(world, "provider.send", receipt)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1}
    assert [a.ref for a in world.notice("D0001").attempts] == ["receipt"]
    assert len(world.outbox) == (answer is None)
    world.check()


def test_what_is_handed_over_again_goes_where_the_claim_says() -> None:
    """Killed before the hand-over; the address changes; the claim has the old one's hash."""
    world = World(deduplicates=True)
    world.drop("run-1", a_document(1))
    rehearsal = World()
    rehearsal.drop("run-1", a_document(1))
    rehearsal.come_to_rest()
    world.wire.kill_at(rehearsal.wire.log.index("provider.send") + 1, "before")
    while not world.kills:
        world.step()
    world.change_contact(1, email=an_address("new@example.com"), set_by_customer=("email",))
    world.come_to_rest()

    assert world.told() == []
    assert world.outcomes("run-1") == {"unconfirmed": 1}


def test_what_is_in_doubt_at_one_provider_is_not_handed_to_another() -> None:
    """The site changed providers; only the first knows whether it has seen the message."""
    world = World(bulk=True, deduplicates=True)
    world.providers["post"] = FakeProvider("post", world.clock, deduplicates=True, supports_bulk=True)
    world.drop("run-1", a_document(1), a_document(2))
    rehearsal = World(bulk=True)
    rehearsal.drop("run-1", a_document(1), a_document(2))
    rehearsal.come_to_rest()
    world.wire.kill_at(rehearsal.wire.log.index("provider.send") + 1, "after")
    while not world.kills:
        world.step()
    world.queues["email"].messages.clear()
    world.providers_by_channel["email"] = "post"
    world.clock.advance(minutes=10)
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert world.providers["post"].posted == []
    assert world.outcomes("run-1") == {"unconfirmed": 2}
    world.check()


def _interrupt_at_first(world: World, call: str, other: Callable[[], None]) -> None:
    """Have something happen just before the first call of that name."""
    rehearsal = World()
    rehearsal.drop("run-1", a_document(1))
    rehearsal.come_to_rest()
    world.wire.interrupt_at(rehearsal.wire.log.index(call) + 1, other)
