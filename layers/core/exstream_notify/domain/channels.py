"""What is known of the channels to a team: which of them are dead, by their answers, receipts and probes."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from .documents import Channel
from .exceptions import ExceptionRaised
from .incidents import ALERT_REF
from .receipts import Kind, Receipt

DOMAIN: Final = "alerts"
"""Stands for the domain in incidents about channels."""

REPORTED: Final = frozenset({"email", "sms"})
"""Channels whose provider accepts a message first and reports later whether it arrived."""

SOFT_LIMIT: Final = 3
SOFT_SPAN: Final = timedelta(hours=1)
SOFT_WINDOW: Final = timedelta(days=7)
"""A channel is dead after this many soft failures in a row that span an hour or more: an outage of minutes is
not a dead address. Failures more than the window apart are not in a row."""

DEAD_REST: Final = timedelta(days=1)
"""How often an alert is still sent to an address that bounced: a receipt may show that it works again."""

SEEN_AGAIN: Final = timedelta(hours=1)
"""How old the last success may be before a further one is stored."""

PROBE_AFTER: Final = timedelta(days=1)
"""A channel that has said nothing for this long is probed, where that is harmless."""

WAIT_MOST: Final = timedelta(days=1)
"""The longest that a service's `Retry-After` is believed."""

TEAM: Final = "*"
"""Stands for the channel in what is known of a team as a whole."""

Outcome = Literal["sent", "absent", "failed", "dead", "waits", "delivered", "answered"]
"""What became of an alert, or of a probe:

sent: accepted. absent: not set up. failed: not accepted, a later try may succeed. dead: the address will
never work. waits: the service asks to wait. delivered: a receipt says that it arrived. answered: a probe has
an HTTP status, which alone proves nothing.
"""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """One channel of one team, as its answers show it. Times are UTC, ISO 8601; empty: never.

    `address` is a fingerprint: what is known of an address does not hold for the next one. `failing_since`
    and `failures` count soft failures in a row. `probe` is the HTTP status that a probe had while it was
    alive.
    """

    team: str
    channel: str
    address: str = ""
    sent_at: str = ""
    failed_at: str = ""
    why: str = ""
    dead_since: str = ""
    failing_since: str = ""
    failures: int = 0
    wait_until: str = ""
    probed_at: str = ""
    probe: str = ""

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.channel} of {self.team}" if self.channel != TEAM else self.team


def fingerprint(address: str) -> str:
    """Tells one address from the next, and is neither an address nor a token; empty for none."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()[:8] if address else ""


def known(state: ChannelState | None, team: str, channel: str, address: str) -> ChannelState:
    """What is known of a team's channel at its present address."""
    if state is None or state.address != address:
        return ChannelState(team, channel, address)
    return state


def after(state: ChannelState, outcome: Outcome, why: str, until: str, at: str) -> ChannelState:
    """The state after an answer or a receipt; the same object where it says nothing worth storing."""
    proves = outcome == "delivered" or (outcome == "sent" and state.channel not in REPORTED)
    if proves:
        alive = replace(state, dead_since="", failing_since="", failures=0, wait_until="", why="", sent_at=at)
        return state if replace(alive, sent_at=state.sent_at) == state and _recent(state, at) else alive
    match outcome:
        case "sent":
            return state if _recent(state, at) else replace(state, sent_at=at, wait_until="")
        case "dead":
            return replace(state, dead_since=state.dead_since or at, failed_at=at, why=why, failures=0)
        case "failed":
            return _failed(state, why, at)
        case "waits":
            return replace(state, wait_until=max(until, state.wait_until), why=why)
    return state


def _recent(state: ChannelState, at: str) -> bool:
    return bool(state.sent_at) and _apart(state.sent_at, at) < SEEN_AGAIN


def _failed(state: ChannelState, why: str, at: str) -> ChannelState:
    in_row = bool(state.failed_at) and state.failures and _apart(state.failed_at, at) <= SOFT_WINDOW
    since = state.failing_since if in_row else at
    number = state.failures + 1 if in_row else 1
    dead = number >= SOFT_LIMIT and _apart(since, at) >= SOFT_SPAN
    return replace(
        state,
        failing_since=since,
        failures=number,
        failed_at=at,
        why=why,
        dead_since=state.dead_since or (at if dead else ""),
    )


_GONE: Final = frozenset({"403", "404", "410"})


def after_probe(state: ChannelState, outcome: Outcome, why: str, at: str) -> ChannelState:
    """The state after a probe; `why` is its HTTP status where it `answered`.

    Many servers answer 404 or 403 to everything but a POST. So such a status means a dead address only where
    no alert was accepted there yet, or where the probe had another status while alerts were accepted.
    """
    probed = replace(state, probed_at=at)
    if outcome != "answered":
        return replace(after(probed, outcome, why, "", at), probed_at=at)
    differs = not state.sent_at or (state.probe and state.probe != why)
    if why in _GONE and differs:
        return after(probed, "dead", f"HTTP {why} to a probe", "", at)
    if state.dead_since and (why in _GONE or not state.why.endswith("to a probe")):
        return probed  # dead by the answer to an alert: only an alert shows that it is alive again
    return replace(probed, probe=why, dead_since="", failing_since="", failures=0, why="")


def wants_probe(state: ChannelState, now: datetime) -> bool:
    """Whether a channel has said nothing for so long that it is to be probed."""
    heard = max(state.sent_at, state.probed_at)
    return not heard or now - datetime.fromisoformat(heard) >= PROBE_AFTER


def is_resting(state: ChannelState, now: datetime) -> bool:
    """Whether an address that bounced was tried again lately: then not even one alert goes there.

    One that only failed, as while a provider is down, is tried with each alert.
    """
    tried = max(state.sent_at, state.failed_at)
    return bool(state.channel in REPORTED and state.dead_since and not state.failures and tried) and (
        now - datetime.fromisoformat(tried) < DEAD_REST
    )


def _apart(first: str, second: str) -> timedelta:
    return abs(datetime.fromisoformat(second) - datetime.fromisoformat(first))


# --- exceptions -----------------------------------------------------------------------------------


def changed_exceptions(before: ChannelState, now: ChannelState) -> list[ExceptionRaised]:
    """The report that a channel died, or is alive again; none where neither changed.

    One incident per kind of channel, so that a chat service that is gone for five teams is one cause.
    """
    if bool(before.dead_since) == bool(now.dead_since):
        return []
    dead = bool(now.dead_since)
    if now.channel == TEAM:
        code, run = "team_unreached", "unreached"
        text = f"no channel reaches {now.team}: {now.why}" if dead else f"{now.team} is reached again"
    else:
        code, run = "channel_dead", now.channel
        text = f"{now.name} is dead: {now.why}" if dead else f"{now.name} works again"
    return [ExceptionRaised(code, "error", DOMAIN, run, text, part=now.team, count=int(dead))]


# --- receipts of alerts ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlertReceipt:
    """What a provider reports about an alert: `reached` None where the message is neither here nor there.

    `team` is a hash of its name, `address` the fingerprint of where the report says it went; empty: not told.
    """

    incident_id: str
    number: int
    channel: Channel
    team: str
    outcome: Outcome
    reached: bool | None
    why: str
    address: str = ""

    @property
    def key(self) -> str:
        """The same for every report of one alert on one channel."""
        return f"{self.number} {self.channel} {self.team}"


_REF: Final = re.compile(rf"{ALERT_REF}([0-9a-f]{{32}})-([0-9a-f]{{8}})")


def team_mark(team: str) -> str:
    """A team's name in a reference, which providers limit to letters, digits and 64 characters."""
    return hashlib.sha256(team.encode()).hexdigest()[:8]


def alert_ref(incident_id: str, team: str, number: int) -> str:
    """The reference of an alert that goes out through a notification provider."""
    return f"{ALERT_REF}{incident_id}-{team_mark(team)}:{number}"


def alert_receipts(receipts: Iterable[Receipt]) -> list[AlertReceipt]:
    """What receipts say of our own alerts: those that arrived and those that did not."""
    found = []
    for receipt in receipts:
        match = _REF.fullmatch(receipt.notice_id)
        if match is None or receipt.attempt is None:
            continue
        meaning = receipt.meaning
        reached: bool | None = None
        if receipt.kind is Kind.DELIVERED:
            outcome, reached = "delivered", True
        elif meaning.suppress in ("hard", "echo", "complaint", "opt_out"):
            # Whoever complains has read the alert; the next one will not get through.
            outcome, reached = "dead", None if receipt.kind is Kind.COMPLAINT else False
        elif meaning.fall_back:
            outcome, reached = "failed", False
        else:
            continue
        why = f"{receipt.kind} {receipt.code}".strip()
        found.append(
            AlertReceipt(
                match[1],
                receipt.attempt,
                receipt.channel,
                match[2],
                outcome,  # type: ignore[arg-type]
                reached,
                why,
                fingerprint(receipt.recipient),
            )
        )
    return found
