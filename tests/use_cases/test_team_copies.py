"""Internal teams: each document, or one digest of a run; also when the provider is down."""

from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.notices import Status
from exstream_notify.domain.runs import Control
from tests.fakes import LostAnswer, a_document, a_rule
from tests.use_cases.world import World

DOWN = TryAgain("service_unavailable")
TEAMS = {"underwriting": "underwriting@example.com", "claims": "claims@example.com"}
EACH = a_rule(name="policy", wording="policy", teams=("underwriting",), team_copy="each")
DIGEST = a_rule(name="opening", wording="opening", teams=("underwriting",), team_copy="digest")


def a_world(**changes: Any) -> World:
    """Policies are told to underwriting one by one, account openings in a digest."""
    return World(EACH, DIGEST, a_rule(), teams=TEAMS, **changes)


def copies(world: World) -> list[str]:
    """What teams were sent."""
    return [d.text for d in world.outbox if d.to in TEAMS.values()]


# --- each ------------------------------------------------------------------------------------------


def test_a_team_and_whoever_the_record_names_are_told_of_each_document() -> None:
    world = a_world()
    world.drop("run-1", a_document(1, document_type="policy", internal_teams=("claims", "underwriting")))
    world.come_to_rest()

    assert world.told() == ["c0001@example.com", "claims@example.com", "underwriting@example.com"]
    assert copies(world) == ["team-copy|en|D0001|-"] * 2
    assert world.outcomes("run-1") == {"notified": 1}, "copies are no records of the run"
    world.check()


@pytest.mark.parametrize(
    "document", [{"email": None, "mobile": None}, {"delivery_channel": "paper"}, {"email": None}]
)
def test_a_team_is_told_whatever_becomes_of_the_customer(document: dict[str, Any]) -> None:
    world = a_world(at="2026-11-20T03:30:00+00:00")
    world.drop("run-1", a_document(1, document_type="policy", **document))
    world.drain()

    assert world.told("email") == ["underwriting@example.com"]


def test_a_test_document_is_not_told_to_teams() -> None:
    world = a_world()
    world.drop("run-1", a_document(1, document_type="policy", test_flag=True))
    world.come_to_rest()

    assert not world.outbox


def test_a_team_is_told_once_whatever_comes_again() -> None:
    world = a_world()
    for run in ("run-1", "run-2"):
        world.drop(run, a_document(1, document_type="policy"), a_document(1, document_type="policy"))
        world.landed(run, "seal")
        world.come_to_rest()

    assert len(copies(world)) == 1
    assert world.outcomes("run-2") == {"duplicate": 2}


def test_a_team_nobody_knows_is_told_to_operations() -> None:
    world = a_world()
    world.drop(
        "run-1", *(a_document(n, document_type="policy", internal_teams=("astrology",)) for n in (1, 2))
    )
    world.come_to_rest()

    (raised,) = world.exceptions.raised
    assert (raised.code, raised.count) == ("team_unknown", 2)


def test_a_copy_that_an_outage_put_off_is_sent_later() -> None:
    world = a_world()
    world.mail.always(DOWN)
    world.drop("run-1", a_document(1, document_type="policy"))
    world.drain()
    world.mail.always(None)
    world.come_to_rest()

    assert world.told() == ["c0001@example.com", "underwriting@example.com"]
    assert world.notice("D0001", "team:underwriting").status == Status.SENT
    world.check()


@pytest.mark.parametrize("answer", [LostAnswer(), GiveUp("refused", "recipient")])
def test_a_copy_in_doubt_or_refused_is_told_and_left_at_that(answer: Any) -> None:
    world = a_world()
    world.mail.refuse("underwriting@example.com", answer)
    world.drop("run-1", a_document(1, document_type="policy"))
    world.come_to_rest()

    assert world.exceptions.codes <= {"send_unconfirmed", "address_refused"}
    assert world.exceptions.raised
    assert world.due.next_due() is None
    assert world.outcomes("run-1") == {"notified": 1}


def test_a_copy_that_cannot_be_sent_for_days_is_given_up_and_told() -> None:
    world = a_world()
    world.mail.refuse("underwriting@example.com", DOWN)
    world.drop("run-1", a_document(1, document_type="policy"))
    world.come_to_rest(limit=200)

    assert world.notice("D0001", "team:underwriting").status == Status.FAILED
    assert "team_not_told" in world.exceptions.codes
    assert world.told() == ["c0001@example.com"]


def test_a_team_that_left_the_rules_while_its_copy_waited_is_told_to_operations() -> None:
    world = a_world()
    world.mail.refuse("underwriting@example.com", DOWN)
    world.drop("run-1", a_document(1, document_type="policy"))
    world.drain()
    del world.rules.teams["underwriting"]
    world.come_to_rest()

    assert "team_unknown" in world.exceptions.codes
    assert world.notice("D0001", "team:underwriting").status == Status.FAILED


def test_a_copy_settled_by_two_workers_at_once_says_nothing_of_the_customer() -> None:
    world = a_world()
    world.mail.refuse("underwriting@example.com", LostAnswer())
    world.drop("run-1", a_document(1, document_type="policy"))
    world.drain()
    world.clock.advance(hours=25)
    world.release()
    (look,) = world.queues["decide"].messages
    world.queues["decide"].send([look.json()])
    start = len(world.wire.log)
    rehearsed = ("runs.with_early", "records.read", "ledger.get", "contacts.get", "suppressions.suppressed")

    def the_other() -> None:
        world.clock.advance(seconds=1)
        world.step()

    world.wire.interrupt_at(start + len(rehearsed) + 1, the_other)
    world.deliver("decide", look)
    assert tuple(world.wire.log[start : start + 6]) == (*rehearsed, "ledger.put")
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1}


def test_copies_and_customers_never_share_a_bulk_content() -> None:
    world = a_world(bulk=True)
    world.drop("run-1", *(a_document(n, document_type="policy") for n in range(1, 4)))
    world.come_to_rest()

    assert {d.text.split("|")[0] for d in world.outbox if d.to.startswith("c0")} == {"policy"}
    assert {text.split("|")[0] for text in copies(world)} == {"team-copy"}
    assert len(copies(world)) == 3


# --- digest ----------------------------------------------------------------------------------------


def openings(count: int, **changes: Any) -> list[Any]:
    """Account openings."""
    return [a_document(n, document_type="opening", **changes) for n in range(1, count + 1)]


def test_a_team_gets_one_digest_of_a_run_with_counts_and_nothing_personal() -> None:
    world = a_world(slice_records=2)
    world.drop("run-1", *openings(5), a_document(9), a_document(8, document_type="policy"))
    world.come_to_rest()

    assert "digest|underwriting|run-1|opening=5" in copies(world)
    assert len(copies(world)) == 2, "the digest, and a copy of the policy"
    assert world.outcomes("run-1") == {"notified": 7}
    world.check()


def test_a_team_that_the_records_name_gets_a_digest_of_those() -> None:
    world = a_world()
    world.drop("run-1", *openings(2), a_document(3, document_type="opening", internal_teams=("claims",)))
    world.come_to_rest()

    assert sorted(copies(world)) == [
        "digest|claims|run-1|opening=1",
        "digest|underwriting|run-1|opening=3",
    ]


def test_the_same_drop_under_another_run_id_tells_the_team_nothing_new() -> None:
    world = a_world()
    world.drop("run-1", *openings(3))
    world.come_to_rest()
    world.drop("run-2", *openings(3))
    world.come_to_rest()

    assert copies(world) == ["digest|underwriting|run-1|opening=3"]


def test_the_seal_again_tells_the_team_nothing_new() -> None:
    world = a_world()
    world.drop("run-1", *openings(3))
    world.come_to_rest()
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert len(copies(world)) == 1


def test_a_digest_that_an_outage_put_off_is_sent_later() -> None:
    world = a_world()
    world.mail.refuse("underwriting@example.com", DOWN)
    world.drop("run-1", *openings(3))
    world.wait_until(world.clock.now() + timedelta(hours=2))
    assert not copies(world)
    world.mail.refuse("underwriting@example.com", None)
    world.come_to_rest()

    assert copies(world) == ["digest|underwriting|run-1|opening=3"]
    assert world.due.next_due() is None
    world.check()


def test_a_digest_that_cannot_be_sent_for_days_is_given_up_and_told() -> None:
    world = a_world()
    world.mail.refuse("underwriting@example.com", DOWN)
    world.drop("run-1", *openings(3))
    world.come_to_rest(limit=200)

    assert "team_not_told" in world.exceptions.codes


def test_a_digest_in_doubt_is_told_and_left_at_that() -> None:
    world = a_world()
    world.mail.refuse("underwriting@example.com", LostAnswer())
    world.drop("run-1", *openings(3))
    world.come_to_rest()

    assert len(copies(world)) == 1
    assert "send_unconfirmed" in world.exceptions.codes


def test_a_digest_of_a_run_that_was_held_before_it_went_out_goes_out_with_its_release() -> None:
    world = a_world()
    world.drop("run-1", *openings(3))
    while not world.queues["decide"].messages:
        world.step()
    world.control("run-1", Control.HOLD)
    world.come_to_rest()
    assert not world.outbox
    world.control("run-1", Control.GO)
    world.come_to_rest()

    assert copies(world) == ["digest|underwriting|run-1|opening=3"]
    assert world.outcomes("run-1") == {"notified": 3}


def test_a_digest_of_a_cancelled_run_is_not_sent_and_waits_for_nothing() -> None:
    world = a_world()
    world.mail.always(DOWN)
    world.drop("run-1", *openings(3))
    world.drain()
    world.control("run-1", Control.CANCEL)
    world.mail.always(None)
    world.come_to_rest()

    assert not world.outbox
    assert world.due.next_due() is None


def test_a_single_document_has_its_digest_too() -> None:
    world = a_world()
    detail = {"customer_key": "C0001", "document_id": "D0001", "document_type": "opening"}
    for _ in range(2):
        world.compose("e-1", {**detail, "email": "c0001@example.com"})
    world.come_to_rest()

    assert copies(world) == ["digest|underwriting|event-e-1|opening=1"]
    assert world.outcomes("event-e-1") == {"notified": 1}


def test_a_digest_counts_what_was_notified_by_this_run_and_not_what_was_dropped() -> None:
    world = a_world(slice_records=2)
    world.drop("run-1", *openings(2))
    world.come_to_rest()
    world.drop(
        "run-2",
        *openings(3),
        a_document(4, document_type="opening", email=None, mobile=None),
        a_document(5, document_type="opening", delivery_channel="paper"),
        a_document(6, document_type="opening", test_flag=True),
        a_document(3, document_type="opening"),
    )
    world.come_to_rest()

    assert copies(world) == ["digest|underwriting|run-1|opening=2", "digest|underwriting|run-2|opening=1"]
    world.check()


def test_a_run_of_duplicates_sends_no_digest() -> None:
    world = a_world()
    for run in ("run-1", "run-2"):
        world.drop(run, *openings(3))
        world.come_to_rest()

    assert copies(world) == ["digest|underwriting|run-1|opening=3"]


def test_a_digest_waits_for_what_waits_until_the_morning() -> None:
    world = a_world(at="2026-11-20T03:30:00+00:00")
    rows = openings(3)
    world.drop("run-1", *rows[:2], a_document(3, document_type="opening", email=None))
    world.wait_until(world.clock.now() + timedelta(hours=4))
    assert not copies(world)
    world.come_to_rest()

    assert copies(world) == ["digest|underwriting|run-1|opening=3"]


def test_a_digest_does_not_wait_for_ever_and_says_what_is_missing() -> None:
    world = a_world()
    world.text.always(DOWN)
    world.drop("run-1", *openings(2), a_document(3, document_type="opening", email=None))
    world.wait_until(world.clock.now() + timedelta(hours=11))
    assert not copies(world)
    world.wait_until(world.clock.now() + timedelta(hours=2))
    assert copies(world) == ["digest|underwriting|run-1|opening=2|*waiting=1"]
    world.text.always(None)
    world.come_to_rest()

    assert len(copies(world)) == 1, "once a run and team"
    assert world.outcomes("run-1") == {"notified": 3}
    world.check()


def test_what_a_run_takes_over_is_in_its_own_digest() -> None:
    world = a_world()
    world.mail.always(DOWN)
    world.drop("run-1", *openings(3))
    world.drain()
    world.control("run-1", Control.CANCEL)
    world.mail.always(None)
    world.come_to_rest()
    world.drop("run-2", *openings(3))
    world.come_to_rest()

    assert copies(world) == ["digest|underwriting|run-2|opening=3"]


def test_a_look_that_comes_twice_sends_one_digest() -> None:
    world = a_world()
    world.drop("run-1", *openings(3))
    world.come_to_rest()
    for _ in range(2):
        world.landed("run-1", "digests")
        world.landed("run-1", "seal")
        world.come_to_rest()

    assert copies(world) == ["digest|underwriting|run-1|opening=3"]
