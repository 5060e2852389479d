"""What a decision means for whoever composes: channel, why, and which output queues to route to."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Literal

from .contacts import Address, Contact
from .decisions import Decision, Defer, Paper, Policy, Send, Suppress, against, decide
from .documents import Channel, Document, DocumentRule
from .quiet_hours import Window

Way = Literal["email", "sms", "paper", "none"]


@dataclass(frozen=True, slots=True)
class Excluded:
    """A channel of the type's rule that is not used, and what speaks against it."""

    channel: Channel
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would become of one document of one customer, now.

    `why` is empty where the customer is told; `not_before` (ISO 8601, UTC) is set where it waits for
    the customer's day; `fallback` are the channels that follow if the first one fails.
    """

    document_type: str
    channel: Way
    why: str = ""
    detail: str = ""
    not_before: str = ""
    fallback: tuple[Channel, ...] = ()
    both: bool = False
    excluded: tuple[Excluded, ...] = ()
    queues: tuple[str, ...] = ()


def verdict(
    decision: Decision,
    rule: DocumentRule,
    contact: Contact,
    suppressed: Collection[Channel],
    queues: Mapping[str, Sequence[str]],
    paper_queue: str,
) -> Verdict:
    """A decision in words. `queues` are the composer's output queues by document type."""
    excluded = tuple(
        Excluded(channel, reason)
        for channel in rule.channels
        if (reason := against(channel, rule, contact, suppressed))
    )
    told = Verdict(rule.name, "none", excluded=excluded)
    electronic = tuple(queues.get(rule.name, ()))
    match decision:
        case Send(channels=channels, both=both):
            return replace(told, channel=channels[0], fallback=channels[1:], both=both, queues=electronic)
        case Defer(until=until, why=why):
            # Only a text message waits for the hour, and it is then the first channel that is left.
            at = until.astimezone(UTC).isoformat(timespec="seconds")
            return replace(told, channel="sms", why=str(why), not_before=at, queues=electronic)
        case Paper(why=why, detail=detail):
            return replace(told, channel="paper", why=str(why), detail=detail, queues=(paper_queue,))
        case Suppress(why=why, detail=detail):
            return replace(told, why=str(why), detail=detail)


def queues_by_type(queues: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Output queues by document type, from the rules' types by queue."""
    found: dict[str, list[str]] = {}
    for queue, kind in queues.items():
        found.setdefault(kind, []).append(queue)
    return {kind: tuple(sorted(names)) for kind, names in found.items()}


def customer_queues(verdicts: Iterable[Verdict], separator: str = ",") -> str:
    """What SYS_CustomerQueues gets: each queue once, in order of its name."""
    return separator.join(sorted({queue for one in verdicts for queue in one.queues}))


ALWAYS = Policy(Window(time.min, time.max), ("UTC",))
NOON = datetime(2000, 1, 1, 12, tzinfo=UTC)


def standing_decision(
    rule: DocumentRule, document: Document, contact: Contact, suppressed: Collection[Channel]
) -> Decision:
    """The same decision whatever the hour: what a file may say that is read later."""
    timeless = replace(contact, quiet_hours=None)
    return decide(rule, document, timeless, suppressed, ("UTC",), NOON, ALWAYS)


def status_of(address: Address | None, blocked: bool) -> str:
    """An address's status as others see it: `none`, `suppressed`, or its own."""
    if address is None:
        return "none"
    return "suppressed" if blocked and address.usable else address.status
