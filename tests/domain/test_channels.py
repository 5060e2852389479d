"""What is known of a channel, by the answers it gives, the receipts of what it took, and probes."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from exstream_notify.domain.channels import (
    AlertReceipt,
    ChannelState,
    Outcome,
    after,
    after_probe,
    alert_receipts,
    alert_ref,
    changed_exceptions,
    fingerprint,
    is_resting,
    known,
    team_mark,
    wants_probe,
)
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.receipts import Kind, Receipt

START = datetime.fromisoformat("2026-11-20T01:00:00+00:00")


def at(minutes: float) -> str:
    """So many minutes after the start."""
    return (START + timedelta(minutes=minutes)).isoformat(timespec="seconds")


def state(channel: str = "slack", **changes: object) -> ChannelState:
    return ChannelState("it", channel, "a1", **changes)  # type: ignore[arg-type]


def heard(before: ChannelState, *told: tuple[float, Outcome]) -> ChannelState:
    """The state after answers, each so many minutes after the start."""
    for minutes, outcome in told:
        before = after(before, outcome, str(outcome), at(minutes + 1), at(minutes))
    return before


@pytest.mark.parametrize(
    ("channel", "told", "dead"),
    [
        ("slack", [(0, "dead")], True),
        ("slack", [(0, "dead"), (5, "sent")], False),
        ("slack", [(0, "failed"), (1, "failed"), (2, "failed"), (3, "failed")], False),
        ("slack", [(0, "failed"), (30, "failed"), (60, "failed")], True),
        ("slack", [(0, "failed"), (30, "failed"), (40, "sent"), (70, "failed")], False),
        ("slack", [(0, "failed"), (30, "failed"), (60 * 24 * 8, "failed")], False),
        ("slack", [(0, "waits"), (30, "waits"), (90, "waits")], False),
        # What a mail provider accepts has not arrived.
        ("email", [(0, "dead"), (5, "sent")], True),
        ("email", [(0, "dead"), (5, "sent"), (6, "delivered")], False),
        ("sms", [(0, "failed"), (1, "sent"), (40, "failed"), (41, "sent"), (80, "failed")], True),
        ("email", [(0, "failed"), (40, "delivered"), (80, "failed"), (120, "failed")], False),
    ],
)
def test_a_channel_is_dead_by_its_word_or_after_failures_in_a_row(
    channel: str, told: list[tuple[float, Outcome]], dead: bool
) -> None:
    assert bool(heard(state(channel), *told).dead_since) is dead


def test_what_is_known_of_an_address_does_not_hold_for_the_next_one() -> None:
    dead = heard(state(), (0, "dead"))
    assert known(dead, "it", "slack", "a1") is dead
    assert known(dead, "it", "slack", "b2") == ChannelState("it", "slack", "b2")


def test_successes_within_an_hour_are_not_stored_again() -> None:
    first = heard(state(), (0, "sent"))
    assert heard(first, (59, "sent")) is first
    assert heard(first, (61, "sent")).sent_at == at(61)
    failed = heard(first, (10, "failed"))
    assert heard(failed, (11, "sent")).failures == 0, "but what changes something is"


def test_a_wait_is_kept_until_it_is_over() -> None:
    assert heard(state(), (0, "waits")).wait_until == at(1)
    assert heard(state(), (0, "waits"), (2, "sent")).wait_until == ""


@pytest.mark.parametrize(
    ("before", "outcome", "why", "dead"),
    [
        (state(), "answered", "404", True),
        (state(), "answered", "410", True),
        (state(), "answered", "403", True),
        (state(), "answered", "405", False),
        (state(), "answered", "400", False),
        (state(), "answered", "200", False),
        (state(), "answered", "503", False),
        # A server that answers 404 to anything but a POST, and takes alerts.
        (state(sent_at=at(0)), "answered", "404", False),
        (state(sent_at=at(0), probe="404"), "answered", "404", False),
        (state(sent_at=at(0), probe="405"), "answered", "404", True),
        (state("sns"), "dead", "no subscription is left", True),
        (state("sns", dead_since=at(0), why="no subscription is left"), "sent", "", False),
        # Dead by the answer to an alert: only an alert shows that it is alive.
        (state(dead_since=at(0), why="HTTP 410"), "answered", "200", True),
        (state(dead_since=at(0), why="HTTP 404 to a probe"), "answered", "405", False),
        (state(), "failed", "ConnectError", False),
        (state(), "absent", "", False),
    ],
)
def test_what_a_probe_says(before: ChannelState, outcome: Outcome, why: str, dead: bool) -> None:
    probed = after_probe(before, outcome, why, at(60))
    assert bool(probed.dead_since) is dead
    assert probed.probed_at == at(60)


def test_a_probe_that_nobody_answers_for_hours_is_a_dead_channel() -> None:
    probed = state()
    for hour in range(3):
        probed = after_probe(probed, "failed", "ConnectError", at(60 * hour))
    assert probed.dead_since


def test_a_channel_that_said_nothing_for_a_day_is_probed() -> None:
    now = START + timedelta(days=1)
    assert wants_probe(state(), now)
    assert wants_probe(state(sent_at=at(0)), now)
    assert not wants_probe(state(sent_at=at(1)), now)
    assert not wants_probe(state(sent_at=at(0), probed_at=at(2)), now)


def test_an_address_that_bounced_rests_a_day_and_a_hook_does_not() -> None:
    later = START + timedelta(hours=23)
    assert is_resting(heard(state("email"), (0, "dead")), later)
    assert not is_resting(heard(state("email"), (0, "dead")), later + timedelta(hours=2))
    assert not is_resting(heard(state("slack"), (0, "dead")), later)


def test_death_and_return_are_reported_once_and_nothing_else_is() -> None:
    alive, dead = state(), heard(state(), (0, "dead"))
    (died,) = changed_exceptions(alive, dead)
    (back,) = changed_exceptions(dead, alive)
    assert (died.code, died.run_id, died.part, died.count) == ("channel_dead", "slack", "it", 1)
    assert (back.code, back.run_id, back.part, back.count) == ("channel_dead", "slack", "it", 0)
    assert changed_exceptions(dead, heard(dead, (5, "dead"))) == []
    assert changed_exceptions(alive, heard(alive, (0, "failed"))) == []


def test_a_fingerprint_is_no_address() -> None:
    assert fingerprint("https://hooks.example.com/T0/B0/secret") == fingerprint(
        " HTTPS://hooks.example.com/t0/b0/secret"
    )
    assert len(fingerprint("oncall@example.com")) == 8
    assert fingerprint("") == ""


INCIDENT = "a" * 32


def receipt(kind: Kind, ref: str = "", **changes: object) -> Receipt:
    notice, _, number = (ref or alert_ref(INCIDENT, "it", 3)).partition(":")
    given = {"notice_id": notice, "attempt": int(number), "recipient": "it@example.com", "code": "5.1.1"}
    return Receipt("ses", "email", kind, at(0), **{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "outcome", "reached"),
    [
        (Kind.HARD_BOUNCE, "dead", False),
        (Kind.ECHO_BOUNCE, "dead", False),
        (Kind.COMPLAINT, "dead", None),
        (Kind.SOFT_BOUNCE, "failed", False),
        (Kind.GAVE_UP, "failed", False),
        (Kind.OUR_FAULT, "failed", False),
        (Kind.POLICY_REFUSED, "failed", False),
        (Kind.CARRIER_REFUSED, "failed", False),
        (Kind.DELIVERED, "delivered", True),
    ],
)
def test_what_a_receipt_says_of_an_alert(kind: Kind, outcome: str, reached: bool | None) -> None:
    (found,) = alert_receipts([receipt(kind)])
    assert (found.outcome, found.reached) == (outcome, reached)
    assert (found.incident_id, found.number, found.team) == (INCIDENT, 3, team_mark("it"))
    assert "example.com" not in repr(found)


@pytest.mark.parametrize("kind", [Kind.SENT, Kind.DELAYED, Kind.OPENED, Kind.AUTO_REPLY])
def test_other_receipts_say_nothing_of_an_alert(kind: Kind) -> None:
    assert alert_receipts([receipt(kind)]) == []


def test_a_receipt_of_a_notice_is_none_of_an_alert() -> None:
    assert alert_receipts([receipt(Kind.HARD_BOUNCE, f"{INCIDENT}:1")]) == []


@pytest.mark.parametrize("team", ["it", "Ünïcode team", "x" * 200])
def test_a_reference_is_one_that_every_provider_takes(team: str) -> None:
    from exstream_notify.adapters.providers.text import split_ref

    identity, number = split_ref(alert_ref(INCIDENT, team, 9999))
    assert len(identity) <= 64
    assert identity == identity.lower()
    assert number == "9999"


# --- whole states ----------------------------------------------------------------------------------------------

LATER = at(120)
ALL = ChannelState(
    "it", "slack", "a1", at(0), at(1), "old", at(2), at(3), 2, at(4), at(5), "405"
)  # each field has something


@pytest.mark.parametrize(
    ("outcome", "changes"),
    [
        (
            "sent",
            {
                "dead_since": "",
                "failing_since": "",
                "failures": 0,
                "wait_until": "",
                "why": "",
                "sent_at": LATER,
            },
        ),
        (
            "delivered",
            {
                "dead_since": "",
                "failing_since": "",
                "failures": 0,
                "wait_until": "",
                "why": "",
                "sent_at": LATER,
            },
        ),
        ("dead", {"failed_at": LATER, "why": "why", "failures": 0}),
        ("failed", {"failures": 3, "failed_at": LATER, "why": "why"}),
        ("waits", {"wait_until": at(130), "why": "why"}),
        ("absent", {}),
        ("answered", {}),
    ],
)
def test_the_whole_state_after_an_answer(outcome: Outcome, changes: dict[str, object]) -> None:
    assert after(ALL, outcome, "why", at(130), LATER) == replace(ALL, **changes)  # type: ignore[arg-type]


def test_a_mail_that_was_accepted_ends_a_wait_and_nothing_else() -> None:
    mail = replace(ALL, channel="email")
    assert after(mail, "sent", "", "", LATER) == replace(mail, sent_at=LATER, wait_until="")
    assert after(mail, "sent", "", "", at(59)) is mail, "within an hour of the last one"
    assert after(mail, "sent", "", "", at(60)) == replace(mail, sent_at=at(60), wait_until="")
    first = replace(mail, sent_at="")
    assert after(first, "sent", "", "", at(1)) == replace(first, sent_at=at(1), wait_until="")
    assert after(mail, "waits", "busy", at(1), LATER).wait_until == at(4), "the longer wait"


def test_a_dead_channel_keeps_since_when_it_is() -> None:
    assert after(state(), "dead", "gone", "", at(7)) == state(dead_since=at(7), failed_at=at(7), why="gone")
    failing = state(failed_at=at(0), failing_since=at(0), failures=2)
    assert after(failing, "failed", "w", "", at(59)).dead_since == ""
    assert after(failing, "failed", "w", "", at(60)) == state(
        failed_at=at(60), failing_since=at(0), failures=3, why="w", dead_since=at(60)
    )
    week = 7 * 24 * 60
    assert after(failing, "failed", "w", "", at(week)).failures == 3
    assert after(failing, "failed", "w", "", at(week + 1)) == state(
        failed_at=at(week + 1), failing_since=at(week + 1), failures=1, why="w"
    )


@pytest.mark.parametrize(
    ("before", "outcome", "why", "expected"),
    [
        (ALL, "answered", "405", {"probe": "405", "why": "old", "dead_since": at(2), "failures": 2}),
        (
            replace(ALL, why="HTTP 404 to a probe"),
            "answered",
            "200",
            {"probe": "200", "why": "", "dead_since": "", "failing_since": "", "failures": 0},
        ),
        (
            replace(ALL, why="HTTP 404 to a probe", probe="404"),
            "answered",
            "404",
            {},  # no other status than it had while alerts were accepted
        ),
        (
            replace(ALL, dead_since="", probe=""),
            "answered",
            "410",
            {"probe": "410", "why": "", "failures": 0, "failing_since": ""},
        ),
        (
            replace(ALL, dead_since=""),
            "answered",
            "410",
            {"dead_since": LATER, "failed_at": LATER, "why": "HTTP 410 to a probe", "failures": 0},
        ),
        (ALL, "failed", "ConnectError", {"failures": 3, "failed_at": LATER, "why": "ConnectError"}),
    ],
)
def test_the_whole_state_after_a_probe(
    before: ChannelState, outcome: Outcome, why: str, expected: dict[str, object]
) -> None:
    assert after_probe(before, outcome, why, LATER) == replace(before, **{"probed_at": LATER, **expected})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "rests"),
    [
        ({}, True),
        ({"channel": "slack"}, False),
        ({"dead_since": ""}, False),
        ({"failures": 1}, False),  # while a provider is down it is tried with each alert
        ({"failed_at": ""}, False),
        ({"failed_at": "", "sent_at": at(0)}, True),
        ({"failed_at": at(-60), "sent_at": at(0)}, True),  # the later of both
        ({"failed_at": at(-1)}, False),
    ],
)
def test_which_addresses_rest(changes: dict[str, object], rests: bool) -> None:
    bounced = state("sms", dead_since=at(0), failed_at=at(0))
    now = START + timedelta(days=1, seconds=-1)
    assert is_resting(replace(bounced, **changes), now) is rests  # type: ignore[arg-type]
    assert not is_resting(bounced, START + timedelta(days=1))


def test_death_and_return_in_words() -> None:
    dead = heard(state(), (0, "dead"))
    team = replace(dead, channel="*", why="email: dead")
    assert [changed_exceptions(state(), dead)[0].text, changed_exceptions(dead, state())[0].text] == [
        "slack of it is dead: dead",
        "slack of it works again",
    ]
    (gone,) = changed_exceptions(state("*"), team)
    assert gone == ExceptionRaised(
        "team_unreached",
        "error",
        "alerts",
        "unreached",
        "no channel reaches it: email: dead",
        part="it",
        count=1,
    )
    (back,) = changed_exceptions(team, state("*"))
    assert (back.text, back.count) == ("it is reached again", 0)
    assert (dead.name, team.name) == ("slack of it", "it")


def test_a_receipt_of_an_alert_as_a_whole() -> None:
    others = [
        receipt(Kind.HARD_BOUNCE, f"{INCIDENT}:1"),
        receipt(Kind.SENT),
        receipt(Kind.DELIVERED, attempt=None),
    ]
    assert alert_receipts([*others, receipt(Kind.HARD_BOUNCE)]) == [
        AlertReceipt(
            INCIDENT,
            3,
            "email",
            team_mark("it"),
            "dead",
            False,
            "hard_bounce 5.1.1",
            fingerprint("it@example.com"),
        )
    ]
    (bare,) = alert_receipts([receipt(Kind.DELIVERED, code="", recipient="")])
    assert (bare.why, bare.address, bare.key) == ("delivered", "", f"3 email {team_mark('it')}")
    assert alert_receipts([receipt(Kind.HARD_BOUNCE, attempt=None)]) == []
    assert alert_ref(INCIDENT, "it", 3) == f"incident-{INCIDENT}-{team_mark('it')}:3"
