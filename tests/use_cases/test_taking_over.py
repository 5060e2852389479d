"""The same document in another run: a duplicate, or a notice that the run takes over."""

from collections import Counter
from datetime import timedelta
from typing import Any, Literal

import pytest

from exstream_notify.domain.documents import Document
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.notices import Status
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.runs import Control
from exstream_notify.use_cases.record_receipts import record_receipts
from tests.fakes import LostAnswer, a_document, a_rule
from tests.use_cases.world import DOMAIN, World

NIGHT = "2026-11-20T03:30:00+00:00"
TEAMS = {"audit": "audit@example.com"}


def by_sms(number: int, **changes: Any) -> Document:
    """A document that waits for the morning."""
    return a_document(number, email=None, **changes)


def until_queued(world: World, queue: str) -> None:
    """Go on until something lies on a queue."""
    while not world.queues[queue].ready():
        assert world.step()


def rest(world: World, run_id: str, *documents: Document) -> dict[str, int]:
    """Drop a run, and what became of it."""
    world.drop(run_id, *documents)
    world.come_to_rest()
    return world.outcomes(run_id)


# --- what reached nobody is taken over ------------------------------------------------------------


def test_a_run_that_was_cancelled_at_night_leaves_its_customers_to_the_corrected_one() -> None:
    world = World(at=NIGHT)
    world.drop("run-1", *(by_sms(n) for n in range(1, 4)))
    world.drain()
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()

    assert rest(world, "run-2", *(by_sms(n) for n in range(1, 4))) == {"notified": 3}
    assert world.outcomes("run-1") == {"suppressed": 3}
    assert world.reasons("run-1", "suppressed") == {"run_cancelled": 3}
    events = world.notice("D0001").events
    taken = next(e.detail for e in events if e.what == "taken_over")
    assert taken == "by retail/run-2 record 1, from retail/run-1 record 1"
    assert world.notice("D0001").origin.run == "retail/run-2"
    world.check()


def test_a_run_that_is_being_cancelled_does_not_have_to_be_over() -> None:
    """The corrected run is decided before the cancelled one's slices are."""
    world = World(at=NIGHT)
    world.drop("run-1", by_sms(1))
    world.drain()
    world.control("run-1", Control.CANCEL)
    cancelling = world.queues["run"].ready()
    for message in cancelling:
        world.queues["run"].delete(message)
    assert rest(world, "run-2", by_sms(1)) == {"notified": 1}
    world.queues["run"].send([message.json() for message in cancelling])
    world.come_to_rest()

    assert world.outcomes("run-1") == {"suppressed": 1}
    assert world.reasons("run-1", "suppressed") == {"run_cancelled": 1}
    assert len(world.outbox) == 1
    world.check()


def test_a_customer_without_an_address_is_notified_once_there_is_one() -> None:
    world = World()
    assert rest(world, "run-1", a_document(1, email=None, mobile=None)) == {"suppressed": 1}
    assert rest(world, "run-2", a_document(1)) == {"notified": 1}
    assert rest(world, "run-3", a_document(1)) == {"duplicate": 1}
    assert world.reasons("run-1", "suppressed") == {"no_channel": 1}
    world.check()


def test_a_customer_whom_every_channel_failed_is_notified_at_another_address() -> None:
    world = World()
    world.mail.refuse("c0001@example.com", GiveUp("no_such_address", "recipient"))
    world.text.refuse("+12025550101", GiveUp("no_such_number", "recipient"))
    assert rest(world, "run-1", a_document(1)) == {"failed": 1}

    assert rest(world, "run-2", a_document(1, email="new@example.com")) == {"notified": 1}
    assert world.outcomes("run-1") == {"failed": 1}
    assert [a.number for a in world.notice("D0001").attempts] == [1, 2, 3]
    assert world.told() == ["new@example.com"]
    world.check()


def test_what_waited_beyond_its_deadline_goes_out_with_a_later_run() -> None:
    world = World()
    world.mail.always(TryAgain("throttled"))
    world.text.always(TryAgain("throttled"))
    assert rest(world, "run-1", a_document(1)) == {"failed": 1}
    world.mail.always(None)

    assert rest(world, "run-2", a_document(1)) == {"notified": 1}
    assert world.outcomes("run-1") == {"failed": 1}
    world.check()


def test_a_hard_bounce_of_weeks_ago_leaves_the_notice_to_a_later_run() -> None:
    world = World(a_rule(channels=("email",)))
    assert rest(world, "run-1", a_document(1)) == {"notified": 1}
    world.clock.advance(days=20)
    world.report(world.receipt(world.outbox[0], Kind.HARD_BOUNCE))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"failed": 1}

    assert rest(world, "run-2", a_document(1, email="new@example.com")) == {"notified": 1}
    assert world.told() == ["c0001@example.com", "new@example.com"]
    world.check()


def test_a_record_without_an_address_beside_one_with_it_in_the_same_run() -> None:
    world = World(slice_records=1)

    assert rest(world, "run-1", a_document(1, email=None, mobile=None), a_document(1)) in (
        {"suppressed": 1, "notified": 1},
        {"duplicate": 1, "notified": 1},
    )
    assert len(world.outbox) == 1
    world.check()


# --- what reached somebody, or may have, is not ---------------------------------------------------


@pytest.mark.parametrize("what", ["sent", "in doubt", "paper", "answered"])
def test_what_somebody_has_or_may_have_is_a_duplicate(what: str) -> None:
    world = World()
    changes: dict[str, Any] = {}
    if what == "in doubt":
        world.mail.script(LostAnswer())
    if what == "paper":
        changes = {"delivery_channel": "paper"}
    if what == "answered":
        world.respond("paid", document_id="D0001", customer_key="C0001")
    rest(world, "run-1", a_document(1, **changes))
    before = len(world.outbox)

    outcome = rest(world, "run-2", a_document(1))
    assert outcome == ({"suppressed": 1} if what == "answered" else {"duplicate": 1})
    assert len(world.outbox) == before
    assert world.reasons("run-2", "duplicate") == {}
    world.check()


def test_a_rerun_of_the_same_documents_notifies_nobody_and_raises_nothing() -> None:
    documents = [
        a_document(n, amount_due="10.00", statement_period="2026-11", produced_at="2026-11-19T04:00:00Z")
        for n in range(1, 6)
    ]
    world = World(slice_records=2)
    assert rest(world, "run-1", *documents) == {"notified": 5}
    assert rest(world, "run-2", *reversed(documents)) == {"duplicate": 5}
    assert len(world.outbox) == 5
    assert "duplicate_differs" not in world.exceptions.codes


# --- what waits goes to the run that wanted it as well ---------------------------------------------


def test_a_run_that_was_cancelled_after_another_wanted_the_same_leaves_it_to_that_one() -> None:
    world = World(at=NIGHT)
    world.drop("run-1", *(by_sms(n) for n in range(1, 4)))
    world.drain()
    world.drop("run-2", *(by_sms(n) for n in range(1, 4)))
    world.drain()
    assert world.outcomes("run-2") == {"duplicate": 3}
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"suppressed": 3}
    assert world.outcomes("run-2") == {"notified": 3}
    assert len(world.outbox) == 3
    world.check()


def test_what_waits_for_the_morning_is_sent_once_if_nothing_else_happens() -> None:
    world = World(at=NIGHT)
    world.drop("run-1", by_sms(1))
    world.drain()
    world.drop("run-2", by_sms(1))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1}
    assert world.outcomes("run-2") == {"duplicate": 1}
    assert len(world.outbox) == 1
    world.check()


def test_of_two_runs_that_wait_for_a_notice_one_gets_it() -> None:
    world = World(at=NIGHT)
    for run in ("run-1", "run-2", "run-3"):
        world.drop(run, by_sms(1))
        world.drain()
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()

    found = Counter(world.outcomes("run-2")) + Counter(world.outcomes("run-3"))
    assert found == {"notified": 1, "duplicate": 1}
    assert len(world.outbox) == 1
    world.check()


def test_if_the_run_that_got_it_is_cancelled_too_the_next_one_gets_it() -> None:
    world = World(at=NIGHT)
    for run in ("run-1", "run-2", "run-3"):
        world.drop(run, by_sms(1))
        world.drain()
    for run in ("run-1", "run-2"):
        world.control(run, Control.CANCEL)
        world.drain()
    world.come_to_rest()

    assert [world.outcomes(f"run-{n}") for n in (1, 2, 3)] == [
        {"suppressed": 1},
        {"suppressed": 1},
        {"notified": 1},
    ]
    assert len(world.outbox) == 1
    world.check()


def test_a_send_under_way_that_fails_leaves_the_notice_to_the_run_that_waits() -> None:
    """The same documents in the same moment; the first run's address turns out to be wrong."""
    world = World(a_rule(channels=("email",)))
    world.mail.refuse("c0001@example.com", GiveUp("no_such_address", "recipient"))
    world.drop("run-1", a_document(1))
    world.drop("run-2", a_document(1, email="new@example.com"))
    world.come_to_rest()

    assert len(world.outbox) == 1
    assert Counter(world.outcomes("run-1")) + Counter(world.outcomes("run-2")) in (
        {"failed": 1, "notified": 1},
        {"duplicate": 1, "notified": 1},
    )
    world.check()


# --- races and repeats -----------------------------------------------------------------------------


def test_late_repeats_of_the_cancelled_run_neither_send_nor_take_the_notice_back() -> None:
    """Its slice and its job come once more, from a dead-letter queue, after the other run failed."""
    world = World(at="2026-11-20T15:00:00+00:00")
    world.mail.script(TryAgain("unavailable"))
    world.drop("run-1", a_document(1))
    until_queued(world, "decide")
    piece = world.queues["decide"].ready()[0].json()
    until_queued(world, "email")
    job = world.queues["email"].ready()[0].json()
    world.drain()
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()
    for address in ("c0001@example.com",):
        world.mail.refuse(address, GiveUp("no_such_address", "recipient"))
    world.text.refuse("+12025550101", GiveUp("no_such_number", "recipient"))
    assert rest(world, "run-2", a_document(1)) == {"failed": 1}
    before = world.outcomes("run-1"), world.reasons("run-1", "suppressed")

    world.queues["decide"].send([piece])
    world.queues["email"].send([job])
    world.come_to_rest()
    assert (world.outcomes("run-1"), world.reasons("run-1", "suppressed")) == before
    assert world.outcomes("run-2") == {"failed": 1}
    assert world.notice("D0001").origin.run == "retail/run-2"
    assert world.outbox == []
    world.check()


@pytest.mark.parametrize("taken", [False, True])
def test_a_receipt_for_an_attempt_of_the_run_before_counts_for_the_notice(taken: bool) -> None:
    """It comes while the other run's job is queued: nobody is notified again."""
    world = World(a_rule(channels=("email",)))
    rest(world, "run-1", a_document(1))
    first = world.outbox[0]
    world.report(world.receipt(first, Kind.SOFT_BOUNCE))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"failed": 1}
    world.drop("run-2", a_document(1))
    until_queued(world, "email")
    while taken and world.notice("D0001").origin.run == "retail/run-1":
        assert world.step()
    until_queued(world, "email")
    record_receipts([world.receipt(first, Kind.DELIVERED)], **world.receipt_ports())
    world.come_to_rest()

    assert world.outcomes("run-2") == {"notified" if taken else "duplicate": 1}
    assert len(world.outbox) == 1
    world.check()


def test_two_runs_take_a_notice_over_at_once_and_one_has_it() -> None:
    world = World()
    rest(world, "run-1", a_document(1, email=None, mobile=None))
    for run in ("run-2", "run-3"):
        world.drop(run, a_document(1))
    world.come_to_rest()

    assert Counter(world.outcomes("run-2")) + Counter(world.outcomes("run-3")) == {
        "notified": 1,
        "duplicate": 1,
    }
    assert len(world.outbox) == 1
    world.check()


def cancelled_and_wanted(kill: tuple[int, Literal["before", "after"]] | None = None) -> World:
    """Run 1 waits, run 2 wants the same, run 1 is cancelled: with teams' copies, killed at one call."""
    rule = a_rule(teams=("audit",), team_copy="each")
    world = World(rule, teams=TEAMS, at=NIGHT, slice_records=1)
    if kill is not None:
        world.wire.kill_at(*kill)
    for run in ("run-1", "run-2"):
        world.drop(run, by_sms(1), by_sms(2))
        world.drain()
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()
    return world


def without_an_address_then_with(kill: tuple[int, Literal["before", "after"]] | None = None) -> World:
    """Run 1 finds no address, run 2 has one, and its first provider fails for a while."""
    world = World(slice_records=1)
    if kill is not None:
        world.wire.kill_at(*kill)
    world.drop("run-1", *(a_document(n, email=None, mobile=None) for n in (1, 2)))
    world.come_to_rest()
    world.mail.script(TryAgain("unavailable"))
    world.drop("run-2", a_document(1), a_document(2))
    world.come_to_rest()
    return world


@pytest.mark.parametrize("story", [cancelled_and_wanted, without_an_address_then_with])
@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_call_kills_a_worker(story: Any, when: Literal["before", "after"]) -> None:
    calls = story().wire.number
    for number in range(1, calls + 1):
        world = story((number, when))
        where = f"{story.__name__}, killed {world.wire.killed_at}"
        world.check()
        first, second = world.outcomes("run-1"), world.outcomes("run-2")
        assert first == {"suppressed": 2}, where
        assert sum(second.values()) == 2, where
        assert set(second) <= {"notified", "unconfirmed"}, where
        customers = Counter(d.to for d in world.outbox if d.to != TEAMS["audit"])
        assert max(customers.values(), default=0) <= 1, where
        assert len(customers) >= second.get("notified", 0), where
        assert world.due.next_due() is None, where
    assert calls > 40


# --- internal teams ---------------------------------------------------------------------------------


def test_a_teams_copy_that_the_cancelled_run_kept_waiting_comes_with_the_corrected_one() -> None:
    world = World(a_rule(teams=("audit",), team_copy="each"), teams=TEAMS)
    world.mail.always(TryAgain("unavailable"))
    world.drop("run-1", a_document(1))
    world.drain()
    world.control("run-1", Control.CANCEL)
    world.mail.always(None)
    world.come_to_rest()
    rest(world, "run-2", a_document(1))

    assert world.told("email") == ["audit@example.com", "c0001@example.com"]
    world.check()


# --- duplicates that say something else -----------------------------------------------------------

SAME = {
    "amount_due": "120.50",
    "currency": "USD",
    "statement_period": "2026-10",
    "produced_at": "2026-11-19T04:00:00Z",
    "content_sha256": "aa" * 32,
    "due_date": "2026-12-20",
}


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({}, ""),
        ({"amount_due": "120.5"}, ""),
        ({"produced_at": "2026-11-19T22:15:00Z"}, ""),
        ({"output_uri": "elsewhere/1.pdf"}, ""),
        ({"amount_due": None}, ""),
        ({"amount_due": "99.10"}, "amount"),
        ({"currency": "EUR"}, "amount"),
        ({"statement_period": "2026-11"}, "period"),
        ({"produced_at": "2026-12-19T04:00:00Z"}, "production date"),
        ({"content_sha256": "bb" * 32}, "content"),
        ({"due_date": "2027-01-20"}, "due date"),
        ({"amount_due": "99.10", "due_date": "2027-01-20"}, "amount, due date"),
    ],
)
@pytest.mark.parametrize("at", [NIGHT, "2026-11-20T15:00:00+00:00"])
def test_a_duplicate_that_says_something_else_is_reported(
    change: dict[str, Any], kinds: str, at: str
) -> None:
    """Whether the first run has notified, or its notice waits for the morning."""
    world = World(at=at)
    world.drop("run-1", by_sms(1, **SAME))
    world.drain()
    world.drop("run-2", by_sms(1, **{**SAME, **change}))
    world.come_to_rest()

    assert world.outcomes("run-2") == {"duplicate": 1}
    assert world.reasons("run-2", "duplicate") == ({"other_content": 1} if kinds else {})
    raised = [e for e in world.exceptions.raised if e.code == "duplicate_differs"]
    assert {e.text for e in raised} == (
        {f"duplicates of retail/run-1 that differ from what was notified there: {kinds}"} if kinds else set()
    )
    assert all(e.count == 1 and e.run_id == "run-2" for e in raised)
    assert all("99.10" not in f"{e}" for e in raised)
    world.check()


@pytest.mark.parametrize("slice_records", [1, 10])
def test_two_records_of_one_run_under_one_id_are_reported_if_they_differ(slice_records: int) -> None:
    world = World(slice_records=slice_records)
    rows = (a_document(1, **SAME), a_document(1, **{**SAME, "amount_due": "7.00"}), a_document(1, **SAME))
    assert rest(world, "run-1", *rows) == {"notified": 1, "duplicate": 2}

    assert world.reasons("run-1", "duplicate").get("other_content", 0) >= 1
    assert "duplicate_differs" in world.exceptions.codes
    world.check()


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({}, {"undated": 1}),
        ({"amount_due": "99.10", "currency": "USD"}, {"undated": 1}),
        ({"amount_due": "99.10", "due_date": "2026-12-20"}, {}),
        ({"undated": False}, {}),
    ],
)
def test_a_file_of_a_name_that_another_run_had_is_no_certain_duplicate(
    change: dict[str, Any], reasons: dict[str, int]
) -> None:
    """Unless both are due on one day: next month's statement has another due date, and often the same name."""
    undated = {**dict.fromkeys(("amount_due", "currency", "due_date")), "undated": True}
    world = World()
    rest(world, "october", a_document(1, **{**undated, **change}))
    outcomes = rest(world, "november", a_document(1, **{**undated, **change}), a_document(2, **undated))

    assert outcomes == {"duplicate": 1, "notified": 1}
    assert world.reasons("november", "duplicate") == reasons
    text = "duplicates of retail/october without an id or a date of their own; they may be other documents"
    raised = [(e.text, e.count) for e in world.exceptions.raised if e.code == "duplicate_undated"]
    assert raised == ([(text, 1)] if reasons else [])
    world.check()


def test_a_file_that_one_run_names_twice_is_one_document() -> None:
    world = World(slice_records=1)
    row = a_document(1, undated=True, due_date=None)
    assert rest(world, "run-1", row, row) == {"notified": 1, "duplicate": 1}
    assert not world.reasons("run-1", "duplicate")


# --- deadlines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("queue", ["decide", "email"])
@pytest.mark.parametrize("paper", [False, True])
def test_what_a_dead_letter_queue_kept_for_weeks_is_not_sent(queue: str, paper: bool) -> None:
    rule = a_rule(deadline_hours=72, paper_on_failure=paper, teams=("audit",), team_copy="each")
    world = World(rule, teams=TEAMS)
    world.drop("run-1", a_document(1), a_document(2))
    until_queued(world, queue)
    world.clock.advance(days=20)
    world.come_to_rest()

    assert world.outbox == []
    outcome = "paper" if paper else "failed"
    assert world.outcomes("run-1") == {outcome: 2}
    assert world.reasons("run-1", outcome) == {"deadline_passed": 2}
    assert {"team_not_told"} | (set() if paper else {"deadline_passed"}) <= world.exceptions.codes
    world.check()


def test_a_claim_that_a_dead_worker_left_is_in_doubt_however_late_its_job_comes() -> None:
    def story() -> World:
        world = World(a_rule(on_unconfirmed="alert"))
        world.drop("run-1", a_document(1))
        return world

    rehearsal = story()
    rehearsal.come_to_rest()
    world = story()
    world.wire.kill_at(rehearsal.wire.log.index("provider.send") + 1, "after")
    while not world.kills:
        world.step()
    world.clock.advance(days=20)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"unconfirmed": 1}
    assert len(world.outbox) == 1
    world.check()


def test_a_held_run_counts_from_its_release() -> None:
    world = World(a_rule(deadline_hours=72))
    world.drop("run-1", a_document(1))
    until_queued(world, "decide")
    world.control("run-1", Control.HOLD)
    world.drain()
    world.clock.advance(days=9)
    world.control("run-1", Control.GO)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1}
    world.check()


def test_a_run_that_waited_for_a_corrected_seal_counts_from_when_it_was_accepted() -> None:
    world = World(a_rule(deadline_hours=72))
    folder = world.folder("run-1")
    folder.write_index((a_document(1),))
    folder.write_seal(DOMAIN, "run-1", documents=2)
    world.landed("run-1", "seal")
    world.drain()
    world.clock.advance(days=9)
    folder.write_seal(DOMAIN, "run-1", documents=1)
    world.landed("run-1", "seal")
    world.drain()

    assert world.outcomes("run-1") == {"notified": 1}


def test_a_notice_that_was_taken_over_counts_from_the_new_run() -> None:
    world = World(a_rule(deadline_hours=72), at=NIGHT)
    world.drop("run-1", by_sms(1))
    world.drain()
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()
    world.clock.advance(days=12, hours=-13)
    world.drop("run-2", by_sms(1))
    world.wait_until(world.clock.now() + timedelta(hours=30))

    assert world.outcomes("run-2") == {"notified": 1}
    assert world.notice("D0001").status == Status.SENT
    assert world.notice("D0001").created_at > "2026-12-01"
