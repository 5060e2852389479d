"""What a channel is asked, and what is noted of its answer."""

from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.channels import ChannelState, fingerprint
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.ports import ChannelAnswer
from exstream_notify.use_cases.known_channels import PATIENCE, RESERVE, KnownChannels
from tests.fakes import FakeClock
from tests.fakes.exceptions import FakeChannelBook

ALERT: Any = "the alert"
AT = "2026-11-20T15:00:00+00:00"
ADDRESS = fingerprint("it@example.com")


class Asked:
    """Ways and an exception bus: what they were asked, and one answer to all."""

    def __init__(self, *answers: ChannelAnswer) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[Any, ...]] = []
        self.raised: list[ExceptionRaised] = []

    def address(self, channel: str, team: str) -> str:
        """See `ChannelWays.address`."""
        return ADDRESS

    def tell(self, channel: str, team: str, alert: Any, patience: float, *, failing: bool) -> ChannelAnswer:
        """See `ChannelWays.tell`."""
        self.calls.append((channel, team, alert, patience, failing))
        return self.answers.pop(0)

    def raise_exceptions(self, exceptions: list[ExceptionRaised]) -> None:
        """See `ExceptionBus.raise_exceptions`."""
        self.raised += exceptions


def known(asked: Asked, *states: ChannelState, time_left: float = RESERVE + PATIENCE) -> KnownChannels:
    book = FakeChannelBook()
    for state in states:
        book.save(state)
    ports: Any = asked
    return KnownChannels(ports, book, ports, FakeClock(), lambda: time_left)


def state(channel: str = "slack", team: str = "it", **changes: Any) -> ChannelState:
    return ChannelState(team, channel, ADDRESS, **changes)


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        ({}, False),
        ({"failures": 1, "failed_at": AT}, True),
        ({"dead_since": AT}, True),
        ({"sent_at": AT}, False),
    ],
)
def test_a_channel_that_failed_or_is_dead_is_asked_as_such(changes: dict[str, Any], failing: bool) -> None:
    asked = Asked(ChannelAnswer("sent"))
    assert known(asked, state(**changes)).tell("slack", "it", ALERT) == ChannelAnswer("sent")
    assert asked.calls == [("slack", "it", ALERT, PATIENCE, failing)]


@pytest.mark.parametrize(
    ("time_left", "patience"), [(RESERVE + 1000, PATIENCE), (RESERVE + 2, 2), (RESERVE, 0), (RESERVE - 9, 0)]
)
def test_a_channel_gets_no_more_time_than_the_function_can_spare(time_left: float, patience: float) -> None:
    asked = Asked(ChannelAnswer("sent"))
    known(asked, time_left=time_left).tell("slack", "it", ALERT)
    assert asked.calls[0][3] == patience


def test_what_asks_to_wait_says_until_when_and_is_not_asked_before() -> None:
    asked = Asked(ChannelAnswer("waits", "HTTP 429", 600.0))
    channels = known(asked)
    until = "2026-11-20T15:10:00+00:00"
    assert channels.tell("slack", "it", ALERT) == ChannelAnswer(
        "waits", f"HTTP 429, asks to wait until {until}", 600.0
    )
    assert channels.tell("slack", "it", ALERT) == ChannelAnswer(
        "waits", f"asks to wait until {until}", 599.75
    )
    assert len(asked.calls) == 1


def test_an_address_that_bounced_lately_is_not_asked() -> None:
    asked = Asked()
    resting = state(
        "email", dead_since="2026-11-19T15:00:01+00:00", failed_at="2026-11-19T15:00:01+00:00", why="bounced"
    )
    answer = known(asked, resting).tell("email", "it", ALERT)
    assert answer == ChannelAnswer("dead", "since 2026-11-19T15:00:01+00:00: bounced")
    assert asked.calls == []


def test_a_mail_that_was_taken_does_not_prove_that_a_dead_address_is_alive() -> None:
    asked = Asked(ChannelAnswer("sent"))
    dead = state(
        "email", dead_since="2026-11-01T00:00:00+00:00", failed_at="2026-11-01T00:00:00+00:00", why="bounced"
    )
    answer = known(asked, dead).tell("email", "it", ALERT)
    assert answer == ChannelAnswer("dead", "sent, but dead since 2026-11-01T00:00:00+00:00: bounced")
    assert asked.raised == []


def test_a_post_that_was_taken_does_and_is_reported_for_every_team_at_that_address() -> None:
    asked = Asked(ChannelAnswer("sent"))
    channels = known(
        asked,
        *(state(team=team, dead_since=AT, why="HTTP 404") for team in ("it", "claims")),
        ChannelState("billing", "slack", "another", dead_since=AT),
    )
    assert channels.tell("slack", "it", ALERT) == ChannelAnswer("sent")
    assert [(e.code, e.part, e.count, e.text) for e in asked.raised] == [
        ("channel_dead", "it", 0, "slack of it works again"),
        ("channel_dead", "claims", 0, "slack of claims works again"),
    ]
    assert {team: s.dead_since for (team, _), s in channels.read().items()} == {
        "it": "",
        "claims": "",
        "billing": AT,
    }


@pytest.mark.parametrize(("address", "noted"), [("", True), (ADDRESS, True), ("another", False)])
def test_a_receipt_counts_for_the_address_that_the_team_has_now(address: str, noted: bool) -> None:
    asked = Asked()
    channels = known(asked)
    channels.heard("email", "it", "dead", "bounced", address)
    assert bool(channels.read()) is noted
    assert [e.text for e in asked.raised] == (["email of it is dead: bounced"] if noted else [])


def test_who_shares_the_address_waits_as_long_as_it_asked_anybody_to() -> None:
    now = FakeClock().now()
    until = [(now + timedelta(minutes=n)).isoformat(timespec="seconds") for n in (5, 9)]
    channels = known(
        Asked(),
        state(wait_until=until[0]),
        state(team="claims", wait_until=until[1]),
        ChannelState("billing", "slack", "another", wait_until="2099"),
        state("teams", wait_until="2099"),
    )
    assert channels.state("slack", "it").wait_until == until[1]
    assert channels.state("slack", "it", {}).wait_until == ""
