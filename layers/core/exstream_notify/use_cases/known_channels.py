"""The teams' channels with what is known of them: a dead one ends no line, and a wait is kept."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from ..domain.alert_words import Alert
from ..domain.channels import (
    TEAM,
    ChannelState,
    Outcome,
    after,
    after_probe,
    changed_exceptions,
    fingerprint,
    is_resting,
    known,
)
from ..domain.pager import Action
from ..ports import ChannelAnswer, ChannelBook, ChannelWays, Clock, ExceptionBus

PATIENCE = 20.0
"""Seconds that one alert may wait for a service that asks to: others wait behind it."""

States: TypeAlias = Mapping[tuple[str, str], ChannelState]
"""What is stored of all channels, by team and channel."""

RESERVE = 45.0
"""Seconds of the function's time that are left to the further channels, and to writing down what was told."""


class KnownChannels:
    """`AlertChannels` over the ways that are set up.

    A dead channel is tried once with each alert, since it may be repaired; an address that bounced, once a
    day. Either way its line goes on to the next channel until an answer or a receipt shows that it is alive.
    Its death and its return are reported as exceptions: once, since only a change is.
    """

    def __init__(
        self,
        ways: ChannelWays,
        book: ChannelBook,
        exceptions: ExceptionBus,
        clock: Clock,
        time_left: Callable[[], float] = lambda: RESERVE + PATIENCE,
    ) -> None:
        self._ways = ways
        self._book = book
        self._exceptions = exceptions
        self._clock = clock
        self.time_left = time_left

    def tell(self, channel: str, team: str, alert: Alert) -> ChannelAnswer:
        """See `AlertChannels.tell`."""
        before = self.state(channel, team)
        now = self._clock.now()
        wait = before.wait_until
        if wait and (left := datetime.fromisoformat(wait) - now) > timedelta():
            return ChannelAnswer("waits", f"asks to wait until {wait}", left.total_seconds())
        if is_resting(before, now):
            return ChannelAnswer("dead", f"since {before.dead_since}: {before.why}")
        patience = min(PATIENCE, self.time_left() - RESERVE)
        failing = bool(before.failures or before.dead_since)
        answer = self._ways.tell(channel, team, alert, max(patience, 0.0), failing=failing)
        until = (self._clock.now() + timedelta(seconds=answer.wait)).isoformat(timespec="seconds")
        state = self.note(before, after(before, answer.outcome, answer.why, until, self._at()))
        if answer.outcome == "sent" and state.dead_since and not state.failures:
            return ChannelAnswer("dead", f"sent, but dead since {state.dead_since}: {state.why}")
        if answer.outcome == "waits":
            return replace(answer, why=f"{answer.why}, asks to wait until {until}")
        return answer

    def tell_page(self, page: str, action: Action, incident_id: str) -> ChannelAnswer:
        """See `AlertChannels.tell_page`."""
        return self._ways.tell_page(page, action, incident_id)

    def last_resort(self, alert: Alert, why: str) -> None:
        """See `AlertChannels.last_resort`."""
        self._ways.last_resort(alert, why)

    def read(self) -> States:
        """What is stored of all channels, for a caller that asks for many of them."""
        return self._book.states()

    def state(self, channel: str, team: str, states: States | None = None) -> ChannelState:
        """What is known of a channel at its present address; nothing where that cannot be read.

        `states`: as they were read just now; they are read if there are none.
        """
        try:
            address = self._ways.address(channel, team)
            states = self.read() if states is None else states
            state = known(states.get((team, channel)), team, channel, address)
            # A service asks whoever shares the address to wait.
            same = (s.wait_until for s in states.values() if (s.channel, s.address) == (channel, address))
            return replace(state, wait_until=max(same, default=""))
        except Exception:
            # An alert has to go out whether or not anything is known of its channel.
            return ChannelState(team, channel)

    def team_state(self, team: str, states: States) -> ChannelState:
        """What these states say of a team as a whole: dead where nothing reaches it."""
        return known(states.get((team, TEAM)), team, TEAM, fingerprint(team))

    def heard(self, channel: str, team: str, outcome: Outcome, why: str, address: str) -> None:
        """Note what a receipt says of the address; nothing where the team's is another one by now."""
        state = self.state(channel, team)
        if state.address and address in ("", state.address):
            self.note(state, after(state, outcome, why, "", self._at()))

    def probed(self, state: ChannelState) -> ChannelState:
        """Probe a channel, and note what comes of it."""
        answer = self._ways.probe(state.channel, state.team)
        return self.note(state, after_probe(state, answer.outcome, answer.why, self._at()))

    def note(self, before: ChannelState, now: ChannelState) -> ChannelState:
        """Store a state and report what changed; never raises, since whoever asks is telling an alert."""
        if now is before or not now.address:
            return now
        try:
            for one, after_it in ((before, now), *self._siblings(before, now)):
                # Reported before it is stored: a worker that dies in between reports it again.
                self._exceptions.raise_exceptions(changed_exceptions(one, after_it))
                self._book.save(after_it)
        except Exception:
            return now
        return now

    def _siblings(self, before: ChannelState, now: ChannelState) -> list[tuple[ChannelState, ChannelState]]:
        """The same channel of other teams that share the address: it is dead or alive for all of them."""
        if bool(before.dead_since) == bool(now.dead_since):
            return []
        return [
            (other, replace(now, team=other.team))
            for other in self._book.states().values()
            if (other.channel, other.address) == (now.channel, now.address) and other.team != now.team
        ]

    def _at(self) -> str:
        return self._clock.now().isoformat(timespec="seconds")
