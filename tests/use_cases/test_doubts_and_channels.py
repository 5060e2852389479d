"""What follows a doubt at its deadline, and how a notice uses more than one channel."""

from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.messages import GiveUp, TryAgain, Unconfirmed
from exstream_notify.domain.notices import Status, finished
from tests.fakes import LostAnswer, a_document, a_rule
from tests.use_cases.world import World

REFUSED = GiveUp("no_such_address", "recipient")
DOWN = TryAgain("service_unavailable")
NIGHT = "2026-11-20T03:30:00+00:00"


def in_doubt(rule: dict[str, Any], *, at: str = "2026-11-20T15:00:00+00:00", **document: Any) -> World:
    """A world whose one e-mail was taken, and its answer lost."""
    world = World(a_rule(**rule), at=at)
    world.mail.script(LostAnswer())
    world.drop("run-1", a_document(1, **document))
    world.drain()
    assert world.outcomes("run-1") == {"unconfirmed": 1}
    return world


# --- at the deadline -------------------------------------------------------------------------------

ROWS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, int], list[str], set[str]]] = {
    # rule, document: outcomes, messages taken, exceptions
    "alert": (
        {"on_unconfirmed": "alert"},
        {},
        {"unconfirmed": 1},
        ["c0001@example.com"],
        {"unconfirmed_at_deadline"},
    ),
    "other channel": (
        {"on_unconfirmed": "other_channel"},
        {},
        {"notified": 1},
        ["+12025550101", "c0001@example.com"],
        set(),
    ),
    "other channel, of which there is none": (
        {"on_unconfirmed": "other_channel"},
        {"mobile": None},
        {"unconfirmed": 1},
        ["c0001@example.com"],
        {"unconfirmed_at_deadline"},
    ),
    "other channel, of which there is none, paper by rule": (
        {"on_unconfirmed": "other_channel", "paper_on_failure": True},
        {"mobile": None},
        {"paper": 1},
        ["c0001@example.com"],
        set(),
    ),
    "paper": ({"on_unconfirmed": "paper"}, {}, {"paper": 1}, ["c0001@example.com"], set()),
    "resend": (
        {"on_unconfirmed": "resend"},
        {},
        {"notified": 1},
        ["c0001@example.com", "c0001@example.com"],
        set(),
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_at_its_deadline_the_rule_says_what_follows(row: str) -> None:
    rule, document, outcomes, told, codes = ROWS[row]
    world = in_doubt(rule, **document)
    start = world.clock.now()
    world.come_to_rest()

    assert world.outcomes("run-1") == outcomes
    assert world.told() == told
    assert world.exceptions.codes - {"send_unconfirmed"} == codes
    assert world.clock.now() - start >= timedelta(hours=24), "a receipt may take a day"
    world.check()


def test_a_receipt_resolves_a_doubt_before_its_deadline() -> None:
    world = in_doubt({"on_unconfirmed": "paper"})
    notice = world.notice("D0001")
    sent = finished(notice, 1, Status.SENT, world.clock.now(), ref="receipt")
    assert sent is not None
    assert not world.ledger.put([sent])
    world.come_to_rest()

    assert world.notice("D0001") == sent
    assert len(world.outbox) == 1


def test_resending_ends_with_the_documents_deadline() -> None:
    world = World(a_rule(on_unconfirmed="resend", deadline_hours=60))
    world.mail.always(LostAnswer())
    world.drop("run-1", a_document(1))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"unconfirmed": 1}
    assert [d.attempt for d in world.outbox] == [1, 2, 3]
    assert "unconfirmed_at_deadline" in world.exceptions.codes
    world.check()


@pytest.mark.parametrize(
    "change",
    [
        {"opt_outs": {"*": ("sms",)}},
        {"opt_outs": {"*": ("email", "sms")}},
        {"mobile": None, "set_by_customer": ("mobile",)},
    ],
)
def test_a_doubt_stays_one_when_the_other_channel_is_closed_meanwhile(change: dict[str, Any]) -> None:
    world = in_doubt({"on_unconfirmed": "other_channel"})
    world.change_contact(1, **change)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"unconfirmed": 1}
    assert "unconfirmed_at_deadline" in world.exceptions.codes


def test_a_doubt_whose_other_channel_waits_for_the_morning_stays_one_if_that_is_closed_by_then() -> None:
    world = in_doubt({"on_unconfirmed": "other_channel"}, at=NIGHT)
    world.wait_until(world.clock.now() + timedelta(hours=24, minutes=5))
    assert world.outcomes("run-1") == {"deferred": 1}
    world.change_contact(1, opt_outs={"*": ("sms",)})
    world.come_to_rest()

    assert world.outcomes("run-1") == {"unconfirmed": 1}


@pytest.mark.parametrize(("hours", "told"), [(26, 1), (20, 0)])
def test_the_other_channel_of_a_doubt_waits_for_the_morning_unless_the_doubt_is_stale(
    hours: int, told: int
) -> None:
    """The deadline of 26 hours is over two hours after the doubt's own, in the night."""
    world = in_doubt({"on_unconfirmed": "other_channel", "deadline_hours": hours}, at=NIGHT)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified" if told else "unconfirmed": 1}
    assert len(world.told("sms")) == told


def test_a_doubt_whose_other_channel_fails_stays_one() -> None:
    world = in_doubt({"on_unconfirmed": "other_channel"})
    world.text.always(GiveUp("no_such_number", "recipient"))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"unconfirmed": 1}
    assert "unreached" in world.exceptions.codes


def test_a_doubt_about_a_document_that_was_replaced_is_not_followed_up() -> None:
    world = in_doubt({"on_unconfirmed": "resend"})
    world.drop("run-2", a_document(1, document_id="D-NEW", supersedes="D0001"))
    world.come_to_rest()

    assert [d.text.split("|")[2] for d in world.outbox] == ["D0001", "D-NEW"]
    assert world.outcomes("run-1") == {"unconfirmed": 1}


# --- fallback --------------------------------------------------------------------------------------


def test_a_customer_who_was_told_is_not_told_on_the_fallback_whatever_looks_again() -> None:
    """A team's copy of the same document was put off: looking at it again must not wake the customer's."""
    world = World(a_rule(teams=("audit",), team_copy="each"), teams={"audit": "audit@example.com"})
    world.mail.refuse("audit@example.com", DOWN)
    world.drop("run-1", a_document(1))
    world.drain()
    assert world.outcomes("run-1") == {"notified": 1}
    world.mail.refuse("audit@example.com", None)
    world.come_to_rest()

    assert world.told() == ["audit@example.com", "c0001@example.com"]
    world.check()


def test_a_fallback_in_the_night_waits_for_the_morning() -> None:
    world = World(at=NIGHT)
    world.mail.always(REFUSED)
    world.drop("run-1", a_document(1))
    world.drain()
    assert world.outcomes("run-1") == {"deferred": 1}
    assert world.reasons("run-1", "deferred") == {"quiet_hours": 1}

    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}
    assert world.notice("D0001").events[-1].at >= "2026-11-20T13:00"


def test_a_fallback_that_is_put_off_stays_on_its_channel() -> None:
    world = World()
    world.mail.script(REFUSED)
    world.text.script(DOWN, DOWN)
    world.drop("run-1", a_document(1))
    world.come_to_rest()

    assert world.told() == ["+12025550101"]
    assert [a.number for a in world.notice("D0001").attempts] == [1, 2]
    assert world.outcomes("run-1") == {"notified": 1}
    world.check()


def test_a_late_failure_uses_the_fallback_that_was_left_over() -> None:
    """A bounce that comes after "sent" (a later capability records it) finds the other channel waiting."""
    world = World()
    world.drop("run-1", a_document(1))
    world.come_to_rest()

    assert world.notice("D0001").waiting == ("sms",)


# --- both channels ---------------------------------------------------------------------------------

BOTH = {"both_channels": True}


def both(at: str = "2026-11-20T15:00:00+00:00", **rule: Any) -> World:
    """A world whose documents are told on both channels."""
    return World(a_rule(**BOTH, **rule), at=at)


def test_both_channels_are_two_attempts_of_one_notice() -> None:
    world = both()
    world.drop("run-1", a_document(1))
    world.come_to_rest()

    assert world.told() == ["+12025550101", "c0001@example.com"]
    assert [(a.number, a.status) for a in world.notice("D0001").attempts] == [
        (1, Status.SENT),
        (2, Status.SENT),
    ]
    assert world.outcomes("run-1") == {"notified": 1}
    world.check()


def test_the_second_channel_waits_for_the_morning_and_the_first_does_not() -> None:
    world = both(NIGHT)
    world.drop("run-1", a_document(1))
    world.drain()
    assert world.told() == ["c0001@example.com"]
    assert world.outcomes("run-1") == {"notified": 1}

    world.come_to_rest()
    assert world.told() == ["+12025550101", "c0001@example.com"]
    assert world.outcomes("run-1") == {"notified": 1}


@pytest.mark.parametrize("answer", [REFUSED, Unconfirmed("read_timeout"), LostAnswer()])
def test_trouble_on_the_first_channel_does_not_keep_the_second(answer: Any) -> None:
    world = both()
    world.mail.script(answer)
    world.drop("run-1", a_document(1))
    world.drain()

    assert world.told("sms") == ["+12025550101"]
    assert world.outcomes("run-1") == {"notified": 1}
    world.come_to_rest()
    world.check()


@pytest.mark.parametrize("answer", [REFUSED, Unconfirmed("read_timeout"), DOWN])
def test_trouble_on_the_second_channel_leaves_the_customer_told(answer: Any) -> None:
    world = both()
    world.text.always(answer)
    world.drop("run-1", a_document(1))
    world.wait_until(world.clock.now() + timedelta(hours=30))
    assert world.outcomes("run-1") == {"notified": 1}

    world.text.always(None)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}
    assert world.told("email") == ["c0001@example.com"]
    world.check()


def test_a_second_channel_that_never_works_is_given_up() -> None:
    world = both()
    world.text.always(DOWN)
    world.drop("run-1", a_document(1))
    world.come_to_rest(limit=300)

    assert world.outcomes("run-1") == {"notified": 1}
    assert not world.due.next_due()


def test_a_second_channel_closed_meanwhile_is_left_out() -> None:
    world = both(NIGHT)
    world.drop("run-1", a_document(1))
    world.drain()
    world.change_contact(1, opt_outs={"*": ("sms",)})
    world.come_to_rest()

    assert world.told() == ["c0001@example.com"]
    assert world.outcomes("run-1") == {"notified": 1}


def test_where_both_fail_it_is_a_failure() -> None:
    world = both()
    world.mail.always(REFUSED)
    world.text.always(REFUSED)
    world.drop("run-1", a_document(1))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"failed": 1}
    assert "unreached" in world.exceptions.codes
