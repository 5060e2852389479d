"""What was said of a customer's preferences: when, by whom, and which word counts.

A contact keeps the newest statement of each source for each thing that can be said. What counts is a pure
function of these, so neither the order in which statements arrive nor a repetition changes the result.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from .documents import Channel

Source: TypeAlias = Literal["customer", "reply", "operator", "import"]

OUT, IN = "out", "in"

OPT_OUTS: Final = "opt_outs/"
ALL: Final = "*"
"""The topic that stands for every one."""

STARTED: Final = "started/"
"""What a START says beside the topic `*`, by channel: it ends the stops of single topics before it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a source's word is worth beside others.

    `by_time`: the latest of these counts; the others only where none of these said anything. `lifts`: it may
    take the customer's own opt-out back. `rank` breaks a tie of the same second, the highest first.
    """

    rank: int
    by_time: bool
    lifts: bool


SOURCES: Final[Mapping[Source, Standing]] = {
    "customer": Standing(3, by_time=True, lifts=True),  # one click, page, portal (signed in)
    "reply": Standing(3, by_time=True, lifts=True),  # STOP and START, unsubscribed with the provider
    "operator": Standing(2, by_time=True, lifts=False),  # exnotify contact --set
    "import": Standing(1, by_time=False, lifts=False),  # exnotify import
}
"""The written order of sources. Records of a drop come last: what they say is no statement, and holds until
somebody says something (docs/preferences.md)."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that was said.

    `what` is `opt_outs/<topic>/<channel>` or a field of the contact, `value` its text. `at` is when it was
    said (UTC, as `stamped`; empty: nobody knows, before all others), `recorded` when it was stored here.
    `by` names the act or the person, `note` the reason, of a consent its source.
    """

    what: str
    value: str
    at: str
    source: Source
    by: str
    recorded: str = ""
    note: str = ""


Said: TypeAlias = Mapping[tuple[str, Source], Statement]
"""The newest statement of each source for each thing."""

_STRICT: Final = (OUT, "withdrawn", "yes")
"""What a tie goes to: opted out, consent withdrawn, paper required."""


def order(one: Statement) -> tuple[str, bool, int, str, str]:
    """Statements of several sources about one thing from oldest to newest: clocks differ, so the same second
    goes towards the opt-out, then by the rank of the source."""
    strict = one.value.partition(" ")[0] in _STRICT
    return one.at[:19], strict, SOURCES[one.source].rank, one.by, one.value


def _own_order(one: Statement) -> tuple[str, tuple[str, bool, int, str, str]]:
    """Statements of one source about one thing from oldest to newest."""
    return one.at, order(one)


def kept(said: Said, statements: Iterable[Statement]) -> dict[tuple[str, Source], Statement]:
    """What is kept once these statements are heard too: the newest of each source for each thing."""
    found = dict(said)
    for one in statements:
        known = found.get((one.what, one.source))
        if known is None or _own_order(one) > _own_order(known):
            found[one.what, one.source] = one
    return found


def stamped(at: datetime) -> str:
    """A time as statements have it: UTC, with milliseconds unless they are none. As text it sorts by time."""
    utc = at.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond >= 1000 else "seconds")


def second(at: datetime) -> str:
    """A time to the second, UTC."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def spoken_at(text: str, now: datetime) -> str:
    """The time that a word speaks of: never after `now`, and `now` where the word has none."""
    return min(text, stamped(now)) if text else stamped(now)


# --- which word counts --------------------------------------------------------------------------------


def cell(topic: str, channel: Channel) -> str:
    """The name of an opt-out, as a statement's `what`."""
    return f"{OPT_OUTS}{topic}/{channel}"


def topic_and_channel(what: str) -> tuple[str, Channel]:
    """The opt-out that a statement speaks of."""
    topic, _, channel = what.removeprefix(OPT_OUTS).rpartition("/")
    return topic, "sms" if channel == "sms" else "email"


def customers_own(said: Said, what: str) -> Statement | None:
    """The customer's own word on an opt-out.

    STOP and START speak of everything: on the topic `*` they count by time with what the customer chose.
    START takes back what STOP ended of one topic (`SmsStopScope`), not what the customer chose for a topic.
    """
    topic, channel = topic_and_channel(what)
    chosen, reply = said.get((what, "customer")), said.get((what, "reply"))
    if topic != ALL and reply is not None:
        start = said.get((STARTED + channel, "reply"))
        if reply.value == IN or (start is not None and start.at > reply.at):
            reply = None
        elif chosen is not None and chosen.value == OUT:
            return chosen
    both = [one for one in (chosen, reply) if one is not None]
    return max(both, key=order, default=None)


def opted_out(said: Said, what: str) -> Statement | None:
    """The statement by which the customer is opted out; None if the customer is not."""
    own = customers_own(said, what)
    if own is not None and own.value == OUT:
        return own
    others = [one for source in ("operator", "import") if (one := said.get((what, source)))]
    other = max(others, key=order, default=None)
    if other is None or other.value != OUT:
        return None
    return None if own is not None and own.at[:19] > other.at[:19] else other


def counting(said: Said, what: str) -> Statement | None:
    """The statement that counts for a field: the latest of those by time, else the import's.

    A language that was taken back leaves it to the others, imports and then records.
    """
    rows = [one for source in SOURCES if (one := said.get((what, source)))]
    timed = [one for one in rows if SOURCES[one.source].by_time]
    best = max(timed or rows, key=order, default=None)
    if best is not None and what == "language" and not best.value:
        return said.get((what, "import"), best)
    return best


def consent(said: Said) -> Statement | None:
    """The statement about consent that counts, by time (15 USC 7001(c)).

    What the customer withdrew is given again by the customer, or by a later signed paper that an import
    brings; an operator's word does not give it.
    """
    rows = [one for source in SOURCES if (one := said.get(("consent", source)))]
    own = said.get(("consent", "customer"))
    if own is not None and own.value.startswith("withdrawn"):
        rows = [one for one in rows if one.source != "operator" or one.value.startswith("withdrawn")]
    return max(rows, key=order, default=None)
