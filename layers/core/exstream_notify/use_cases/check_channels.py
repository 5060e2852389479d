"""Look at every team's channels: would anybody hear of an incident?"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ..domain.channels import ChannelState, wants_probe
from ..domain.incidents import Urgency
from ..ports import AlertRules, Clock, DueIndex
from .known_channels import KnownChannels

EVERY: Final = timedelta(hours=1)
"""How often all channels are looked at; a channel that has said nothing for a day is probed then."""

_PROBE_SECONDS: Final = 30.0
"""Seconds of the function's time that a probe leaves alone: what is not probed now is an hour later."""

_URGENCIES: Final[tuple[Urgency, ...]] = ("normal", "urgent")


def expect_channels(placed: set[str], *, due: DueIndex, clock: Clock) -> None:
    """Lay the next look into the due index; `placed` as for `expect_runs`."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0) + EVERY
    name = hour.isoformat(timespec="seconds")
    if name not in placed:
        due.wait("channels", name, hour)
        placed.add(name)


@dataclass(frozen=True, slots=True)
class ChannelsFound:
    """What one look found: channels that are set up and dead, and teams that nothing reaches."""

    dead: tuple[ChannelState, ...]
    unreached: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """For the metrics."""
        return {"channels_dead": len(self.dead), "teams_unreached": len(self.unreached)}


def check_channels(rules: AlertRules, channels: KnownChannels, clock: Clock) -> ChannelsFound:
    """Look at each channel of each line of each team that alerts may go to; nobody is sent anything.

    A team is unreached where no channel of its normal, or of its urgent, lines is set up and alive: that is
    reported as an exception, and when it ends too. What is stored is read once, and again after each probe,
    which changes what is known of every team that shares the address.
    """
    stored = channels.read()
    states: dict[tuple[str, str], ChannelState] = {}
    unreached: list[str] = []
    for team in rules.alert_teams:
        missing: list[str] = []
        for urgency in _URGENCIES:
            alive = False
            for channel in dict.fromkeys(c for line in rules.telling(team, urgency) for c in line):
                key = (team, channel)
                if key not in states:
                    states[key] = channels.state(channel, team, stored)
                    if _is_to_be_probed(states[key], channels, clock.now()):
                        states[key] = channels.probed(states[key])
                        stored = channels.read()
                alive |= bool(states[key].address) and not states[key].dead_since
            if not alive:
                missing.append(urgency)
        _note_team(channels.team_state(team, stored), missing, channels, clock.now())
        if missing:
            unreached.append(team)
    dead = tuple(state for state in states.values() if state.address and state.dead_since)
    return ChannelsFound(dead, tuple(unreached))


def _is_to_be_probed(state: ChannelState, channels: KnownChannels, now: datetime) -> bool:
    return bool(state.address) and wants_probe(state, now) and channels.time_left() > _PROBE_SECONDS


def _note_team(before: ChannelState, missing: list[str], channels: KnownChannels, now: datetime) -> None:
    """Report a team that becomes unreached, or is reached again."""
    if bool(missing) == bool(before.dead_since):
        return
    at = now.isoformat(timespec="seconds") if missing else ""
    why = f"none is set up and alive for {' and '.join(missing)} alerts" if missing else ""
    channels.note(before, replace(before, dead_since=at, why=why))
