"""The ground truth: every message that a provider took on, whatever it answered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from exnotify.simulators import SimulatedMessage
from exnotify.simulators.timeline import Moment

from ..nature import Nature

Channel = Literal["email", "sms"]
Provider = Literal["opentext", "ses", "sms"]

_LINK = re.compile(r"https?://[^\s\"'<>)]+")


@dataclass(frozen=True)
class Accepted:
    """One message at one address. `at` is epoch seconds of acceptance; `number` counts from 1.

    `ref` is `<notice id>:<attempt>` as the request carries it (OpenText's `ref`, SES's tags, SMS's context).
    `name` names it in draws: the same in a history from which faults were taken away. `place` names the call
    that brought it. `answered`: `ok`, or the kind of conduct that hid the acceptance from the caller; an
    answer that the engine lost afterwards is in the engine's own log, under the same `place`.
    """

    number: int
    name: str
    at: float
    provider: Provider
    channel: Channel
    to: str
    ref: str
    subject: str
    text: str
    html: str = field(repr=False)
    sender: str
    sender_name: str
    job_id: str
    message_id: str
    members: int = 1
    headers: tuple[tuple[str, str], ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    place: str = ""
    answered: str = "ok"

    @property
    def heard(self) -> bool:
        """Whether the provider's answer said that it was accepted."""
        return self.answered in ("ok", "provider_trickles")

    @property
    def notice_id(self) -> str:
        """Our notice's id, as far as the reference holds one."""
        return self.ref.partition(":")[0]

    @property
    def attempt(self) -> int | None:
        """Our attempt's number, as far as the reference holds one."""
        number = self.ref.partition(":")[2]
        return int(number) if number.isascii() and number.isdigit() else None

    @property
    def moment(self) -> datetime:
        """When it was accepted."""
        return datetime.fromtimestamp(self.at, UTC)

    @cached_property
    def links(self) -> tuple[str, ...]:
        """Every address in it, each once: what a scanner fetches."""
        texts = (self.text, self.html, *(value for _, value in self.headers))
        found = (link.rstrip(".,;") for text in texts for link in _LINK.findall(text.replace("&amp;", "&")))
        return tuple(dict.fromkeys(found))

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The paths of its links, each once."""
        return tuple(dict.fromkeys(urlsplit(link).path for link in self.links))

    def header(self, name: str) -> str:
        """A header's value, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def simulated(self) -> SimulatedMessage:
        """The same as the simulators build receipts of it, without its HTML: they say nothing of that."""
        return SimulatedMessage(
            self.number, self.provider, self.channel, self.to, self.sender, self.subject, self.text, self.ref,
            self.job_id, self.message_id, self.moment, self.sender_name, headers=self.headers,
            members=self.members, details=self.details,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Declined:
    """A message that a provider was asked to take at `at` and did not.

    `kind` is the conduct that it met, or the reason. `told`: the caller's answer says so for certain.
    """

    at: float
    provider: Provider
    channel: Channel
    ref: str
    to: str
    kind: str
    told: bool
    place: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """A job that was known again by its `message_id` and not sent twice. `answered` as in `Accepted`."""

    at: float
    job_id: str
    answered: str
    place: str


OPENED: Final = "OPENED"
"""The step of a report that a mail was opened, by whomever."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One thing that a provider told the product at `at` of the message of number `accepted`.

    `step` is the name of a `Step`, or `OPENED`, and happened at `happened_at`. `way` names the output of a
    topic, `aws.ses` for the bus, `mail`, `status` for an answer to the product's own question, or the web
    hook with the status of its answer: after 400 to 499 it did not reach the product, after 500 it may have.
    """

    at: float
    accepted: int
    step: str
    happened_at: float
    way: str
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Ledger:
    """What was accepted, in order. `after` is told each time, to send the receipts that follow."""

    def __init__(self, nature: Nature, after: Callable[[Accepted], None]) -> None:
        self.nature = nature
        self.accepted: list[Accepted] = []
        self.declined: list[Declined] = []
        self.repeats: list[Repeated] = []
        self.reports: list[Reported] = []
        self._reported: set[tuple[int, str]] = set()
        self._after = after
        self._times: Counter[str] = Counter()

    def named(self, provider: Provider, ref: str, to: str) -> str:
        """A name for the next acceptance of this reference at this address."""
        key = f"{provider} {ref} {to}"
        self._times[key] += 1
        return f"{key} #{self._times[key]}"

    def identity(self, what: str, digits: int = 16) -> str:
        """Hexadecimal digits that only the seed and the name decide: for ids that a provider gives."""
        named = f"{self.nature.chance.seed}\0identity {what}"
        return blake2b(named.encode(), digest_size=32).hexdigest()[:digits]

    def take(self, message: Accepted) -> Accepted:
        """Take on a message; it gets its number here."""
        message = replace(message, number=len(self.accepted) + 1)
        self.accepted.append(message)
        self._after(message)
        return message

    def decline(
        self, provider: Provider, channel: Channel, ref: str, to: str, kind: str, *, told: bool
    ) -> None:
        """Write down that a message was not taken on by the call under way."""
        now, place = self.nature.timeline.now, self.nature.place
        self.declined.append(Declined(now, provider, channel, ref, to, kind, told, place))

    def report(self, reported: Reported) -> None:
        """Write down what was told of a message."""
        self.reports.append(reported)
        self._reported.add((reported.accepted, reported.step))

    def report_all(
        self, at: float, message: Accepted, moments: Iterable[Moment], until: float, way: str
    ) -> None:
        """Write down what a document tells beside its own step, until a moment: the steps not told before."""
        for moment in moments:
            happened = message.at + moment.happened
            if happened <= until and (message.number, moment.step.name) not in self._reported:
                self.report(Reported(at, message.number, moment.step.name, happened, way))
