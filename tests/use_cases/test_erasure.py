"""Erasure is final: from its moment on nothing is sent to a customer from anything that existed before it,
and nothing of them comes back."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.holds import ErasureForbidden
from exstream_notify.domain.inbound import Reply
from exstream_notify.domain.journeys import ENDED, Delay, End, JourneyRule, Step
from exstream_notify.domain.links import LinkState
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.notices import Status
from exstream_notify.domain.preferences import PortalChange
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.responses import subjects_of
from exstream_notify.domain.runs import Control
from exstream_notify.use_cases.answer_eligibility import Question, answer_eligibility
from exstream_notify.use_cases.erase_contact import KEPT
from exstream_notify.use_cases.record_preferences import record_preferences
from exstream_notify.use_cases.slices import pointer_to
from tests.fakes import FakeDecideQueue, FakeRules, a_contact, a_document, a_rule
from tests.fakes.drops import INDEX
from tests.fakes.providers import LostAnswer
from tests.scenarios.shipped import shipped
from tests.use_cases.world import DOMAIN, Disorder, World

DAY = "2026-11-20T15:00:00+00:00"
NIGHT = "2026-11-20T03:30:00+00:00"
TEAMS = {"audit": "audit@example.com"}
_ENDS: tuple[tuple[End, str], ...] = (("event", "statement"), ("paper", "policy"), ("case", "both"))
JOURNEYS = tuple(
    JourneyRule(
        f"until-{end}",
        (kind,),
        (Step(Delay(days=2), wording="reminder"), Step(Delay(days=4), end=end, team="care")),
        stops=("paid",),
    )
    for end, kind in _ENDS
)
RULES = (
    a_rule(),
    a_rule(
        name="policy", message_class="regulated", paper_on_failure=True, teams=("audit",), team_copy="each"
    ),
    a_rule(name="both", both_channels=True),
    a_rule(name="doubt", channels=("email",), on_unconfirmed="paper"),
    a_rule(name="opening", teams=("audit",), team_copy="digest"),
)
KINDS = tuple(rule.name for rule in RULES)


def a_world(at: str = DAY, **changes: Any) -> World:
    return World(site_rules=FakeRules(*RULES, journeys=JOURNEYS, teams=TEAMS), at=at, **changes)


def sent_to(world: World, number: int = 1) -> list[str]:
    """Where messages to a customer went."""
    mine = {f"c{number:04d}@example.com", f"+1202555{100 + number:04d}"}
    return [message.to for message in world.outbox if message.to in mine]


def stored(world: World, number: int = 1) -> Contact:
    return world.contacts.stored[DOMAIN, f"C{number:04d}"]


def assert_mark(world: World, number: int = 1) -> None:
    """Nothing is known of the customer but the erasure."""
    mark = stored(world, number)
    assert mark.is_erased
    assert mark == replace(
        Contact(DOMAIN, mark.customer_key, "", mark.version, changed_at=mark.changed_at),
        erased_at=mark.changed_at,
        erased_by="ann",
        erased_why="asked",
    )


# --- every path ends ----------------------------------------------------------------------------------


def waits_for_the_morning(world: World) -> None:
    world.drop("run-1", a_document(1, email=None))
    world.drain()


def waits_for_an_outage(world: World) -> None:
    world.mail.script(TryAgain("unavailable"))
    world.drop("run-1", a_document(1))
    world.drain()


def waits_while_switched_off(world: World) -> None:
    world.off |= {"email", "sms"}
    world.drop("run-1", a_document(1))
    world.drain()
    world.off.clear()


def lies_on_the_decide_queue(world: World) -> None:
    world.drop("run-1", a_document(1))
    world.step()


def lies_on_a_send_queue(world: World) -> None:
    world.drop("run-1", a_document(1))
    world.step()
    world.step()


def is_about_to_fall_back(world: World) -> None:
    world.mail.refuse("c0001@example.com", GiveUp("no_such_address", "recipient"))
    lies_on_a_send_queue(world)
    world.step()
    assert world.notice("D0001").status == Status.FAILED


def is_in_a_held_run(world: World) -> None:
    lies_on_the_decide_queue(world)
    world.control("run-1", Control.HOLD)
    world.drain()


def has_its_job_parked(world: World) -> None:
    lies_on_a_send_queue(world)
    world.control("run-1", Control.HOLD)
    world.drain()


PATHS: dict[Callable[[World], None], str] = {
    waits_for_the_morning: NIGHT,
    waits_for_an_outage: DAY,
    waits_while_switched_off: DAY,
    lies_on_the_decide_queue: DAY,
    lies_on_a_send_queue: DAY,
    is_about_to_fall_back: DAY,
    is_in_a_held_run: DAY,
    has_its_job_parked: DAY,
}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_what_waits_ends_as_erased(path: Callable[[World], None]) -> None:
    world = a_world(PATHS[path])
    path(world)
    raised = list(world.exceptions.raised)
    world.erase(1)
    world.clock.advance(seconds=60)
    if world.run("run-1").control == Control.HOLD:
        world.control("run-1", Control.GO)
    world.follow()

    assert sent_to(world) == []
    assert world.outcomes("run-1") == {"suppressed": 1}
    assert world.reasons("run-1", "suppressed") == {"erased": 1}
    assert (world.notice("D0001").status, world.notice("D0001").why) == ("suppressed", "erased")
    assert world.exceptions.raised == raised
    assert_mark(world)
    world.check()


def test_copies_to_internal_teams_end_too() -> None:
    world = a_world()
    world.off.add("email")
    world.drop("run-1", a_document(1, document_type="policy"), a_document(2, document_type="policy"))
    world.drain()
    world.erase(1)
    world.off.clear()
    world.come_to_rest()

    assert Counter(world.told()) == Counter({"c0002@example.com": 1, "audit@example.com": 1})
    assert world.notice("D0001", "team:audit").why == "erased"


def test_a_digest_counts_nobody_who_was_erased() -> None:
    world = a_world()
    world.drop("run-1", *(a_document(n, document_type="opening") for n in (1, 2, 3)))
    world.erase(1)
    world.come_to_rest()
    (digest,) = [message.text for message in world.outbox if message.to == "audit@example.com"]
    assert digest == "digest|audit|run-1|opening=2"


def test_what_an_erased_record_replaces_is_not_remembered() -> None:
    world = a_world()
    world.drop("run-1", a_document(1, supersedes="D-OLD"))
    world.erase(1)
    world.come_to_rest()
    assert {n.document_id for n in world.ledger.notices.values()} == {"D0001"}
    assert not world.early_responses.on(DOMAIN, subjects_of(a_document(1, document_id="D-OLD")))


def test_what_had_failed_for_good_before_stays_as_it_was() -> None:
    world = a_world()
    for provider, address in ((world.mail, "c0001@example.com"), (world.text, "+12025550101")):
        provider.refuse(address, GiveUp("no_such_address", "recipient"))
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"failed": 1}
    world.erase(1)
    world.clock.advance(seconds=60)
    FakeDecideQueue(world.queues["decide"]).send_slices([pointer_to([world.notice("D0001")])])
    world.come_to_rest()
    assert world.outcomes("run-1") == {"failed": 1}


def test_the_other_channel_of_a_message_that_went_out_is_not_tried() -> None:
    world = a_world(NIGHT)
    world.drop("run-1", a_document(1, document_type="both"))
    world.drain()
    assert world.told() == ["c0001@example.com"]
    world.erase(1)
    world.follow()
    assert sent_to(world) == ["c0001@example.com"]
    assert world.outcomes("run-1") == {"notified": 1}


def test_a_doubt_stays_a_doubt_and_nothing_follows_it() -> None:
    world = a_world()
    world.mail.script(LostAnswer())
    world.drop("run-1", a_document(1, document_type="doubt"))
    world.drain()
    assert world.notice("D0001").status == Status.UNCONFIRMED
    before = world.exceptions.codes
    world.erase(1)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"unconfirmed": 1}
    assert world.exceptions.codes == before
    assert (world.notice("D0001").why, world.notice("D0001").due_at) == ("erased", "")


def test_another_run_does_not_take_over_what_was_known_before() -> None:
    world = a_world(NIGHT)
    world.drop("run-1", a_document(1, email=None))
    world.drain()
    world.erase(1)
    world.clock.advance(seconds=60)
    world.control("run-1", Control.CANCEL)
    world.drop("run-2", a_document(1))
    world.come_to_rest()
    assert sent_to(world) == []
    assert world.reasons("run-2", "suppressed") == {"erased": 1}


def test_a_document_that_ended_as_erased_is_not_sent_by_a_later_run() -> None:
    world = a_world()
    is_in_a_held_run(world)
    world.erase(1)
    world.clock.advance(seconds=60)
    world.control("run-1", Control.GO)
    world.come_to_rest()
    world.clock.advance(seconds=60)
    world.drop("run-2", a_document(1), a_document(1, document_id="D2"))
    world.come_to_rest()
    assert world.reasons("run-2", "suppressed") == {"erased": 1}
    assert len(sent_to(world)) == 1, "the other document is news"


@pytest.mark.parametrize("stated", [{}, {"produced_at": "2026-11-20T14:00:00Z"}])
def test_a_run_that_lands_after_the_erasure_is_as_old_as_what_it_holds(stated: dict[str, str]) -> None:
    world = a_world()
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    world.erase(1)
    world.clock.advance(seconds=3600)
    if not stated:
        # The files lay in the drop before.
        world.folder("run-2").modified[INDEX] = "2026-11-20T14:59:00+00:00"
    world.drop("run-2", a_document(1, document_id="D2", **stated))
    world.come_to_rest()
    assert world.reasons("run-2", "suppressed") == {"erased": 1}
    assert_mark(world)


def test_a_seal_says_when_the_run_began() -> None:
    world = a_world()
    world.erase(1)
    world.clock.advance(seconds=3600)
    world.drop("run-1", a_document(1), started_at="2026-11-20T15:59:00+02:00")
    world.drop("run-2", a_document(1, document_id="D2"), started_at="2026-11-20T15:59:00+00:00")
    world.come_to_rest()
    assert world.reasons("run-1", "suppressed") == {"erased": 1}
    assert world.outcomes("run-2") == {"notified": 1}


def test_an_event_from_a_dead_letter_queue_is_as_old_as_when_it_was_sent() -> None:
    world = a_world()
    world.erase(1)
    world.clock.advance(seconds=86400)
    detail = {"customer_key": "C0001", "document_type": "statement", "email": "c0001@example.com"}
    for number, at in ((1, "2026-11-20T14:00:00Z"), (2, "2026-11-21T14:00:00Z")):
        body = {
            "id": f"e{number}",
            "domain": DOMAIN,
            "time": at,
            "detail": {**detail, "document_id": f"D{number}"},
        }
        world.queues["document"].send([body])
    world.come_to_rest()
    assert world.reasons("event-e1", "suppressed") == {"erased": 1}
    assert world.outcomes("event-e2") == {"notified": 1}


def test_what_waits_for_a_record_that_is_gone_ends_as_erased_and_is_not_reported() -> None:
    world = a_world(NIGHT)
    world.drop("run-1", a_document(1, email=None))
    world.drain()
    world.erase(1)
    world.records.slices.clear()
    world.come_to_rest()
    assert world.reasons("run-1", "suppressed") == {"erased": 1}
    assert world.exceptions.raised == []


def test_others_whose_records_are_gone_are_reported_as_ever() -> None:
    world = a_world()
    world.off |= {"email", "sms"}
    world.drop("run-1", *(a_document(n, document_type="policy") for n in (1, 2)))
    world.drain()
    world.erase(1)
    world.records.slices.clear()
    world.off.clear()
    world.come_to_rest()
    assert world.outcomes("run-1") == {"suppressed": 1, "failed": 1}
    assert sum(e.count for e in world.exceptions.raised if e.code == "records_gone") == 1


def test_a_duplicate_that_differs_is_not_reported_of_an_erased_customer() -> None:
    world = a_world()
    world.drop("run-0", a_document(1, document_id="D2", amount_due="10.00"))
    world.drain()
    world.drop("run-1", a_document(1, amount_due="10.00"), a_document(1, amount_due="11.00"))
    world.drop("run-2", a_document(1, document_id="D2", amount_due="12.00"))
    world.erase(1)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"suppressed": 1, "duplicate": 1}
    assert world.outcomes("run-2") == {"duplicate": 1}
    assert world.exceptions.raised == []


# --- whoever comes back -------------------------------------------------------------------------------


def test_a_later_record_makes_the_contact_anew_and_what_was_before_stays_ended() -> None:
    world = a_world(NIGHT)
    world.drop("run-1", a_document(1, email=None))
    world.drain()
    salt = stored(world).salt
    mark = world.erase(1)
    world.clock.advance(seconds=60)
    world.drop("run-2", a_document(1, document_id="D2", email="new@example.com", mobile=None))
    world.come_to_rest()

    anew = stored(world)
    assert (anew.erased_at, anew.is_erased) == (mark.erased_at, False)
    assert anew.salt not in ("", salt)
    assert anew.mobile is None
    assert world.told() == ["new@example.com"]
    assert world.reasons("run-1", "suppressed") == {"erased": 1}
    world.erase(1)
    assert_mark(world)


def test_a_record_without_news_makes_the_contact_anew_too() -> None:
    world = a_world()
    world.erase(1)
    world.clock.advance(seconds=60)
    bare = a_document(1, email=None, mobile=None, time_zone=None)
    world.drop("run-1", bare)
    world.come_to_rest()
    assert stored(world).salt
    assert world.reasons("run-1", "suppressed") == {"no_channel": 1}


def test_opt_outs_of_a_topic_are_kept_for_whoever_has_the_address() -> None:
    world = a_world()
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    world.change_contact(1, opt_outs={"statements": ("email",), "*": ("sms",)})
    world.erase(1)
    world.clock.advance(seconds=60)
    shared = {"email": "c0001@example.com", "mobile": "+12025550101"}
    world.drop("run-2", a_document(7, **shared), a_document(8))
    world.come_to_rest()

    assert stored(world, 7).opt_outs == {"statements": ("email",)}
    assert stored(world, 7).history[-1]["who"] == KEPT
    assert stored(world, 8).opt_outs is None
    assert len(sent_to(world)) == 1, "the first run's"
    assert not [e for e in world.suppressions.stored.values() if "c0001" in str(e.history)]


def test_eligibility_says_of_an_erased_customer_what_the_following_drop_does() -> None:
    world = shipped()
    world.know(a_contact(1, opt_outs={"statements": ("email",)}))
    world.erase(1)
    world.clock.advance(seconds=60)
    document, rules = a_document(1), YamlRules()
    (answer,) = answer_eligibility(
        [Question(document, ("statement",))], rules=rules, contacts=world.contacts,
        addresses=world.addresses, suppressions=world.suppressions, clock=world.clock, policy=world.policy,
    )  # fmt: skip
    assert (answer.known, answer.verdicts[0].channel) == (False, "sms")
    assert_mark(world)
    world.drop("run-1", document)
    world.come_to_rest()
    assert world.told() == ["+12025550101"]


def test_one_holder_of_an_account_is_erased_and_the_others_stay() -> None:
    world = a_world(NIGHT)
    holders = [
        a_document(1, recipient=name, email=None, mobile=f"+120255501{n}")
        for n, name in ((11, "A"), (12, "B"))
    ]
    world.drop("run-1", *holders)
    world.drain()
    world.erase(1, "A")
    world.come_to_rest()
    assert world.told() == ["+12025550112"]
    assert world.reasons("run-1", "suppressed") == {"erased": 1}


# --- what comes in ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.HARD_BOUNCE, Kind.COMPLAINT])
def test_a_late_receipt_starts_nothing_and_only_a_complaint_is_kept(kind: Kind) -> None:
    world = a_world()
    world.drop("run-1", a_document(1, document_type="policy"))
    world.drain()
    (message,) = [m for m in world.outbox if m.to == "c0001@example.com"]
    world.erase(1)
    world.clock.advance(seconds=60)
    world.report(world.receipt(message, kind))
    world.follow()

    assert len(sent_to(world)) == 1
    assert bool(world.suppressions.stored) is (kind is Kind.COMPLAINT)
    assert Status.PAPER not in {n.status for n in world.ledger.notices.values()}
    assert world.exceptions.raised == []
    assert_mark(world)


def test_no_receipt_by_the_deadline_of_an_erased_customers_notice_is_nobodys_work() -> None:
    world = a_world()
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    world.erase(1)
    world.clock.advance(seconds=73 * 3600)
    world.poll()
    (raised,) = [e for e in world.exceptions.raised if e.code == "no_receipt_at_deadline"]
    assert raised.count == 1


@pytest.mark.parametrize("kind", ["statement", "policy", "both"])
def test_a_journey_ends_with_the_reason_and_without_paper_case_or_event(kind: str) -> None:
    world = a_world()
    world.drop("run-1", a_document(1, document_type=kind))
    world.come_to_rest()
    count = len(world.outbox)
    world.erase(1)
    world.follow()

    assert len(world.outbox) == count
    (end,) = [e for e in world.notice("D0001").events if e.what == ENDED]
    assert end.detail.endswith(" erased")
    assert world.exceptions.raised == []
    assert world.journey_events.told == []
    assert {n.purpose for n in world.ledger.notices.values()} == {"notice"}


def test_a_link_leads_nowhere_as_a_forged_one() -> None:
    world = a_world()
    world.drop("run-1", a_document(1, output_uri="a.pdf"))
    world.come_to_rest()
    first = world.notice("D0001").notice_id
    assert world.look(first).state != LinkState.UNKNOWN
    world.erase(1)
    assert world.look(first) == world.look(None)
    assert world.open(first).state == LinkState.UNKNOWN
    world.clock.advance(seconds=60)
    world.drop("run-2", a_document(1, document_id="D2"))
    world.come_to_rest()
    assert world.look(first).state == LinkState.UNKNOWN, "also once the customer came back"


@pytest.mark.parametrize("kind", ["responded", "paid", "acknowledged"])
def test_a_response_about_before_is_not_kept(kind: Any) -> None:
    world = a_world()
    world.drop("run-1", a_document(1, case_id="K-1"))
    world.come_to_rest()
    world.erase(1)
    ledger, proofs = dict(world.ledger.notices), len(world.evidence.lines)
    world.clock.advance(seconds=60)
    for about in ({"customer_key": "C0001"}, {"document_id": "D0001"}, {"case_id": "K-1"}):
        assert world.respond(kind, **about) == {"erased": 1}
    early = {"customer_key": "C0001", "document_id": "D9"}
    assert world.respond(kind, **early, at="2026-11-20T14:00:00Z") == {"erased": 1}
    assert (world.ledger.notices, len(world.evidence.lines)) == (ledger, proofs)
    assert world.respond(kind, **early, at="2026-11-20T15:00:30Z") == {"early": 1}


def test_the_portals_word_of_before_is_not_taken_and_is_no_exception() -> None:
    world = a_world()
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    world.erase(1)
    world.clock.advance(seconds=60)
    ports: dict[str, Any] = {
        "contacts": world.contacts,
        "exceptions": world.exceptions,
        "clock": world.clock,
        "book": world.book,
    }
    change = PortalChange("p1", DOMAIN, "C0001", language="fr", email="other@example.com")
    assert record_preferences(replace(change, at="2026-11-20T14:59:59Z"), **ports) == "erased"
    assert world.exceptions.raised == []
    later = replace(change, at="2026-11-20T15:00:30Z")
    assert record_preferences(later, **ports) == "unknown_customer"
    assert_mark(world)


# --- races --------------------------------------------------------------------------------------------


def test_a_slice_that_read_the_contact_before_does_not_revive_it() -> None:
    world = a_world()
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    world.drop("run-2", a_document(1, document_id="D2", email="new@example.com"))
    world.step()
    put = world.contacts.put

    def erased_meanwhile(contacts: Any) -> list[str]:
        world.contacts.put = put  # type: ignore[method-assign]
        world.erase(1)
        return put(contacts)

    world.contacts.put = erased_meanwhile  # type: ignore[method-assign]
    count = len(world.outbox)
    world.follow()
    assert len(world.outbox) == count
    assert world.reasons("run-2", "suppressed") == {"erased": 1}
    assert_mark(world)


def test_erased_at_any_call_of_a_run_the_contact_stays_erased() -> None:
    before: list[int] = []

    def told(interrupted_at: int = 0) -> World:
        world = a_world()

        def erase() -> None:
            before.append(len(sent_to(world)))
            world.erase(1)

        world.wire.interrupt_at(interrupted_at, erase)
        world.drop("run-1", a_document(1, document_type="policy"), a_document(2))
        world.follow()
        return world

    for number in range(1, told().wire.number + 1):
        world = told(number)
        # The message that was just being handed over may have gone out, and no other.
        assert len(sent_to(world)) - before[-1] <= 1
        assert sum(world.outcomes("run-1").values()) == 2
        assert_mark(world)
        world.check()


def test_a_stop_that_meets_the_erasure_changes_the_mark_in_nothing() -> None:
    world = a_world()
    world.know(a_contact(1))
    put = world.contacts.put

    def erased_meanwhile(contacts: Any) -> list[str]:
        world.contacts.put = put  # type: ignore[method-assign]
        world.erase(1)
        return put(contacts)

    world.contacts.put = erased_meanwhile  # type: ignore[method-assign]
    assert world.desk.record(Reply("r1", "+12025550101", "STOP")) == "stop"
    assert_mark(world)
    assert world.suppressions.stopped_by("sms", "+12025550101")


def test_a_bulk_job_with_an_erased_customer_in_it_is_not_posted_again() -> None:
    world = a_world(bulk=True, deduplicates=True)
    world.drop("run-1", a_document(1), a_document(2))
    world.step()
    world.step()
    posted = world.wire.number
    world.wire.kill_at(posted + _calls_to_the_post(world), "before")
    world.step()
    assert world.kills == 1
    assert world.outbox == []
    assert world.notice("D0001").status == Status.SENDING
    world.erase(1)
    world.come_to_rest()
    assert sent_to(world) == []
    assert world.outcomes("run-1")["unconfirmed"] == 2


def _calls_to_the_post(world: World) -> int:
    """How many calls a like world makes from the job's delivery to the provider's call."""
    like = a_world(bulk=True, deduplicates=True)
    like.drop("run-1", a_document(1), a_document(2))
    like.step()
    like.step()
    before = like.wire.number
    like.step()
    log = like.wire.log[before:]
    return next(n for n, name in enumerate(log, 1) if name.startswith("provider."))


# --- the erasure itself -------------------------------------------------------------------------------


def test_a_legal_hold_forbids_it_and_twice_is_fine() -> None:
    world = a_world()
    world.know(a_contact(1, legal_hold="case 17"))
    with pytest.raises(ErasureForbidden, match="case 17"):
        world.erase(1)
    assert stored(world) == a_contact(1, legal_hold="case 17")
    world.change_contact(1, legal_hold="")
    mark = world.erase(1)
    world.clock.advance(seconds=60)
    assert world.erase(1, who="bob") == mark == stored(world)


def test_killed_at_every_call_it_is_done_by_doing_it_again() -> None:
    known = a_contact(1, opt_outs={"statements": ("email", "sms"), "bills": ("sms",), "*": ("sms",)})
    whole = a_world()
    whole.know(known)
    whole.erase(1)
    for number in range(1, whole.wire.number + 1):
        for where in ("before", "after"):
            world = a_world()
            world.know(known)
            world.wire.kill_at(number, where)
            with pytest.raises(BaseException, match=r"."):
                world.erase(1)
            world.erase(1)
            assert_mark(world)
            found = {place: (e.stopped, e.topics) for place, e in world.suppressions.stored.items()}
            assert found == {place: (e.stopped, e.topics) for place, e in whole.suppressions.stored.items()}


# --- whatever happens ---------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
    steps=st.integers(0, 30),
    hours=st.sampled_from([0, 1, 12, 50, 100]),
    trouble=st.lists(
        st.sampled_from(
            [None, TryAgain("unavailable"), GiveUp("no_such_address", "recipient"), LostAnswer()]
        ),
        max_size=4,
    ),
    bounced=st.booleans(),
    held=st.booleans(),
    at=st.sampled_from([DAY, NIGHT]),
    seed=st.integers(0, 9),
)
def test_whenever_a_customer_is_erased_nothing_follows(
    kinds: list[str],
    steps: int,
    hours: int,
    trouble: list[Any],
    bounced: bool,
    held: bool,
    at: str,
    seed: int,
) -> None:
    world = a_world(at, disorder=Disorder(seed))
    world.mail.script(*trouble)
    rows = [a_document(1, document_id=f"A{n}", document_type=kind) for n, kind in enumerate(kinds)]
    world.drop("run-1", *rows, a_document(2))
    for _ in range(steps):
        world.step()
    if hours:
        world.follow_until(world.clock.now() + timedelta(hours=hours))
    if held and world.runs.get(DOMAIN, "run-1") is not None:
        world.control("run-1", Control.HOLD)
        world.drain()
    mark, before = world.erase(1), len(sent_to(world))
    delivered = [message for message in world.outbox if message.to.startswith(("c0001", "+12025550101"))]
    if world.runs.get(DOMAIN, "run-1") is not None and held:
        world.control("run-1", Control.GO)
    if bounced:
        world.report(*(world.receipt(message, Kind.HARD_BOUNCE) for message in delivered))
    world.follow()

    assert len(sent_to(world)) == before
    assert stored(world) == mark
    assert datetime.fromisoformat(mark.erased_at) <= world.clock.now()
    assert not [n for n in world.ledger.notices.values() if n.customer_key == "C0001" and n.due_at]
    assert world.reconciled("run-1").balanced
    world.check()
