"""Send a team's alerts by its channels, keep its pages up to date, and record what becomes of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ..domain.alert_words import Alert
from ..domain.channels import AlertReceipt, team_mark
from ..domain.incident_states import noted
from ..domain.incidents import Head, What
from ..domain.pager import paged, pages_to_tell, whose_page
from ..ports import AlertChannels

TOOK = 40
"""Channels that are remembered to have taken an alert of one incident."""

PAGE_AGAIN = timedelta(minutes=5)
"""When a page that could not be updated is tried again."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What became of one alert: by channel in words, and whether any took it."""

    said: str
    sent: bool
    why: str
    took: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()

    def kept(self, head: Head, what: What) -> Head:
        """The head with the channels that took the alert, and the pages that were made or closed."""
        head = replace(head, took=(*head.took, *self.took)[-TOOK:])
        for page in self.pages:
            head = paged(head, page, "resolve" if what == What.RESOLVED else "trigger")
        return head


def tell_team(alert: Alert, chains: Sequence[Sequence[str]], channels: AlertChannels) -> Reached:
    """Every line of channels, each until one takes it. A channel in several lines gets the alert once."""
    outcomes: dict[str, str] = {}
    took: list[str] = []
    pages: list[str] = []
    for chain in chains:
        for channel in chain:
            if channel not in outcomes:
                answer = channels.tell(channel, alert.team, alert)
                plain = answer.outcome in ("sent", "absent")
                outcomes[channel] = answer.outcome if plain else f"{answer.outcome} ({answer.why})"
                if answer.outcome == "sent":
                    took.append(took_key(alert.number, channel, alert.team))
                    pages += [answer.page] if answer.page else []
            if outcomes[channel] == "sent":
                break
    said = ", ".join(f"{channel} {outcome}" for channel, outcome in outcomes.items() if outcome != "absent")
    return Reached(said, bool(took), said or "no channel is set up", tuple(took), tuple(pages))


def took_key(number: int, channel: str, team: str) -> str:
    """Names an alert on a channel as its receipts do (`AlertReceipt.key`)."""
    return f"{number} {channel} {team_mark(team)}"


def chains_after(receipt: AlertReceipt, chains: Sequence[Sequence[str]], head: Head) -> list[tuple[str, ...]]:
    """What is left of each line behind the channel that did not reach the team.

    A line is done where a channel behind it took the same alert, as far as anybody knows.
    """
    took = {entry for entry in head.took if entry != receipt.key}
    left = []
    for chain in chains:
        if receipt.channel not in chain:
            continue
        rest = tuple(chain[chain.index(receipt.channel) + 1 :])
        if rest and not any(f"{receipt.number} {channel} {receipt.team}" in took for channel in rest):
            left.append(rest)
    return left


def told_pages(head: Head, channels: AlertChannels, at: str) -> tuple[Callable[[Head], Head], bool]:
    """Tell pages that somebody has the incident, or that it is over: what to write of it, and whether a page
    is to be told again later.

    It goes wherever a page was made, whatever the team's rules and channels are by now.
    """
    notes: list[Callable[[Head], Head]] = []
    again = False
    for page, action in pages_to_tell(head):
        answer = channels.tell_page(page, action, head.incident_id)
        if answer.outcome in ("failed", "waits"):
            again = True
            continue

        def note(h: Head, page: str = page, action: str = action, outcome: str = answer.outcome) -> Head:
            h = paged(h, page, action)  # type: ignore[arg-type]
            team = whose_page(page)[0]
            if outcome == "sent":
                return noted(h, at, "alerts", f"PagerDuty of {team}: {action}")
            return noted(h, at, "alerts", f"PagerDuty of {team} could not be told: {action}", outcome)

        notes.append(note)

    def noted_all(head: Head) -> Head:
        for one in notes:
            head = one(head)
        return head

    return noted_all, again
