"""Of several in one message, what becomes of the first keeps none of the others from what is theirs."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.contacts import Consent
from exstream_notify.domain.debt_hold import DebtHold
from exstream_notify.domain.journeys import Delay, JourneyRule, Step
from exstream_notify.domain.receipts import Kind
from tests.fakes import FakeRules, a_document, a_rule
from tests.fakes.wire import Killed
from tests.use_cases.test_other_writers import notified, report
from tests.use_cases.world import World

Change = Callable[[World], object]
HELD = DebtHold(("operator",), "2026-11-20T14:00:00Z", "operator ann", "a letter")
WITHDRAWN = Consent(False, "all", "1", "2026-11-20T14:00:00+00:00", "portal")
BEFORE_SENDING: dict[str, tuple[Change, str]] = {
    "erased": (lambda w: w.erase(1), "suppressed"),
    "has no address any more": (lambda w: w.change_contact(1, email=None, mobile=None, set_by_customer=("email", "mobile")), "suppressed"),
    "wants paper": (lambda w: w.change_contact(1, paper_required=True), "paper"),
    "took the consent back": (lambda w: w.change_contact(1, consent=WITHDRAWN), "paper"),
    "opted out": (lambda w: w.change_contact(1, opt_outs={"*": ("email", "sms")}), "suppressed"),
    "is not to be dunned": (lambda w: w.change_contact(1, debt_hold=HELD), "suppressed"),
}  # fmt: skip


@pytest.mark.parametrize("name", BEFORE_SENDING)
def test_of_a_job_whose_first_customer_changed_since_the_decision_the_others_are_notified(name: str) -> None:
    change, ended = BEFORE_SENDING[name]
    world = World(a_rule(message_class="collections"))
    world.drop("run-1", *(a_document(n) for n in range(1, 4)))
    while not world.queues["email"].messages:
        world.step()
    change(world)
    world.come_to_rest()
    assert world.told() == ["c0002@example.com", "c0003@example.com"]
    assert world.outcomes("run-1") == {"notified": 2, ended: 1}
    world.check()


def test_of_a_job_whose_first_text_would_come_at_night_the_others_go_out() -> None:
    world = World(a_rule(channels=("sms",)))
    world.drop("run-1", *(a_document(n) for n in range(1, 4)))
    while not world.queues["sms"].messages:
        world.step()
    world.change_contact(1, time_zone="Asia/Tokyo", set_by_customer=("time_zone",))
    world.drain()
    assert world.told() == ["+12025550102", "+12025550103"]
    world.come_to_rest()
    assert world.told() == ["+12025550101", "+12025550102", "+12025550103"]


def test_of_a_job_with_copies_a_team_without_address_keeps_nobody_back() -> None:
    rule = a_rule(teams=("audit", "claims"), team_copy="each")
    world = World(rule, teams={"audit": "audit@example.com", "claims": "claims@example.com"})
    world.drop("run-1", a_document(1), a_document(2))
    while not world.queues["email"].messages:
        world.step()
    del world.rules.teams["audit"]
    world.come_to_rest()
    assert world.told() == [
        "c0001@example.com",
        "c0002@example.com",
        "claims@example.com",
        "claims@example.com",
    ]


def test_what_a_slow_provider_leaves_no_time_for_is_queued_again_once() -> None:
    """Three seconds a message: of a worker's sixty it keeps 45, so it begins one batch of ten; of these, six go out
    and four are deferred for lack of time. The rest of the job is queued again whole."""
    world = World(takes=3.0)
    world.drop("run-1", *(a_document(n) for n in range(1, 26)))
    world.come_to_rest()
    assert [len(body["members"]) for _, body, _ in world.queues["email"].sent] == [25, 15, 5, 4, 4]
    assert world.told() == [f"c{n:04d}@example.com" for n in range(1, 26)]
    assert world.outcomes("run-1") == {"notified": 25}


def test_two_customers_with_two_documents_each_get_their_own_in_one_message() -> None:
    step = Step(Delay(days=3), channels=("email",), wording="one", digest="several")
    journey = JourneyRule("reminder", ("statement",), (step,))
    world = World(site_rules=FakeRules(a_rule(), journeys=(journey,)))
    whose = {1: "C0001", 2: "C0002", 3: "C0001", 4: "C0002", 5: "C0005"}
    world.drop("run-1", *(a_document(n, customer_key=key) for n, key in whose.items()))
    world.follow()
    sent = {(n.customer_key, tuple(sorted(world.ledger.notices[i].document_id for i in n.together)))
            for n in world.ledger.notices.values() if n.rule_version and n.attempts}  # fmt: skip
    assert sent == {("C0001", ("D0001", "D0003")), ("C0002", ("D0002", "D0004")), ("C0005", ())}
    assert sorted(d.text.split("|")[0] for d in world.outbox if d.text.startswith(("one", "sev"))) == [
        "one",
        "several",
        "several",
    ]


def test_behind_a_receipt_that_says_no_worse_a_worse_one_still_marks_the_address() -> None:
    world = notified()
    world.change_contact(1, email=replace(world.contacts.stored["retail", "C0001"].email, status="invalid"))  # type: ignore[type-var]
    mail = world.outbox[0]
    earlier = (world.clock.now() - timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    report(world, world.receipt(mail, Kind.HARD_BOUNCE, at=earlier), world.receipt(mail, Kind.COMPLAINT))
    email = world.contacts.stored["retail", "C0001"].email
    assert email is not None
    assert (email.status, email.why) == ("complained", "complaint")


def test_the_evidence_of_a_receipt_whose_worker_died_is_written_with_its_repeat() -> None:
    world = notified()
    delivered = world.receipt(world.outbox[0], Kind.DELIVERED)
    world.wire.kill_on("receipt_evidence.anchor", "before")
    with pytest.raises(Killed):
        report(world, delivered)
    assert world.receipt_evidence.objects == {}
    report(world, delivered)
    notice = world.notice("D0001")
    place = notice.events[-1].detail.split()[-1]
    (row,) = world.receipt_evidence.objects[place]
    assert {name: row[name] for name in ("notice_id", "version", "receipts")} == {
        "notice_id": notice.notice_id, "version": notice.version, "receipts": [],
    }  # fmt: skip


def test_what_was_replaced_is_remembered_for_ninety_days() -> None:
    world = World()
    world.drop("run-1", a_document(1, document_id="D-NEW", supersedes="D0001"))
    world.drain()
    (until,) = world.early_responses.until.values()
    assert until - world.clock.now() < timedelta(days=90) <= until - world.clock.now() + timedelta(seconds=1)
    assert set(world.runs.early.values()) == {until}


def test_members_of_a_job_are_decided_again_each_once_and_in_their_order() -> None:
    world = World(a_rule(both_channels=True))
    world.drop("run-1", *(a_document(n) for n in range(1, 4)))
    world.drain()
    again: list[Any] = [body["positions"] for _, body, _ in world.queues["decide"].sent if body["positions"]]
    assert again == [(1, 2, 3)]


@pytest.mark.parametrize(("without_channel", "reported"), [("other", True), ("skip", False)])
def test_that_a_customer_has_no_channel_is_reported_unless_the_rule_skips_them(
    without_channel: Any, reported: bool
) -> None:
    world = World(a_rule(without_channel=without_channel))
    world.drop("run-1", a_document(1, email=None, mobile=None))
    world.come_to_rest()
    assert world.reasons("run-1", "suppressed") == {"no_channel": 1}
    assert ("no_channel" in world.exceptions.codes) == reported


def test_a_reminder_that_asks_for_no_money_goes_out_although_nothing_is_due() -> None:
    step = Step(Delay(days=3), channels=("email",), wording="reminder")
    world = World(
        site_rules=FakeRules(a_rule(), journeys=(JourneyRule("reminder", ("statement",), (step,)),))
    )
    world.drop("run-1", a_document(1, amount_due="0.00", currency="USD"))
    world.follow()
    assert [d.text.split("|")[0] for d in world.outbox] == ["statement", "reminder"]
