"""Customers, and the machines that read their mail before them.

A customer knows the message that arrived, and what its records said of it (`meet`): nothing else. What it
does is drawn by kind for each message; each act is a `Deed`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from ..nature import Nature
from .accepted import Accepted
from .conduct import ignore
from .sms import Sms
from .ways import Answer, Ways

_FORM: Final = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


@dataclass(frozen=True, slots=True)
class Person:
    """What a customer knows of itself, from the newest record that named its address."""

    domain: str
    fields: Mapping[str, str]

    def answer_to(self, kind: str) -> str:
        """The right answer to a second step, as the person types it; empty if the person does not know.

        `kind` is the step's name, or the `autocomplete` of its field.
        """
        name = {"bday": "verify_birth_date", "birth_date": "verify_birth_date"}.get(kind)
        if name is None:
            name = "postcode" if kind in ("postcode", "postal-code") else "verify_last4"
        known = self.fields.get(name, "")
        return known or (self.fields.get("account_number", "")[-4:] if name == "verify_last4" else "")


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done about the message of number `accepted`.

    `at` is when it was begun, `done_at` when an answer came; None: none came, or none is given. `kind` is of
    `habits.HABITS`. `what` is the request (`POST /d/…`), the event's detail type, or the text of an SMS;
    `said` what was typed in it. `status` is the answer's, `leads_to` where it leads. `person`: no machine.
    """

    at: float
    accepted: int
    kind: str
    address: str
    what: str
    done_at: float | None = None
    status: int = 0
    leads_to: str = ""
    said: str = ""
    person: bool = True


@dataclass(frozen=True, slots=True)
class Habit:
    """Something that some do about a message, between so many seconds after it arrived.

    `share`: of how many messages in a bad night. `channel` and `link`: of which messages, empty for all;
    `link` as `Visit.links` takes it.
    """

    share: float
    earliest: float
    latest: float
    act: Callable[[Visit], None]
    channel: str = ""
    link: str = ""


class Customers:
    """Everybody who gets messages; `deeds` is what they did, in the order of answers, else of doing."""

    def __init__(
        self, nature: Nature, ways: Ways, sms: Sms, accepted: list[Accepted], habits: Mapping[str, Habit]
    ) -> None:
        self.nature = nature
        self.ways = ways
        self.accepted = accepted
        self._sms = sms
        self._habits = habits
        self._people: dict[str, Person] = {}
        self._texts: Counter[str] = Counter()
        self.deeds: list[Deed] = []

    def meet(self, domain: str, record: Mapping[str, str]) -> None:
        """Have whoever is at a record's addresses know what the record says of them."""
        for name in ("email", "mobile"):
            if address := str(record.get(name, "")):
                self._people[address.lower()] = Person(domain, {k: str(v) for k, v in record.items()})

    def receive(self, message: Accepted) -> None:
        """A message has arrived: have whatever follows happen in its time."""
        chance, timeline = self.nature.chance, self.nature.timeline
        pages = {"", *(_kind_of(path) for path in message.paths)}
        for kind, habit in self._habits.items():
            fits = habit.channel in ("", message.channel) and habit.link in pages
            if fits and chance.happens(kind, message.name):
                wait = chance.uniform(f"wait {kind} {message.name}", habit.earliest, habit.latest)
                timeline.after(wait, self._task(kind, message, habit.act))

    def _task(self, kind: str, message: Accepted, act: Callable[[Visit], None]) -> Callable[[], None]:
        visit = Visit(self, kind, message, self._people.get(message.to.lower()))
        return lambda: ignore(self.ways.task(f"{kind} {message.name}", lambda: act(visit)))

    def complain(self, message: Accepted, words: str) -> None:
        """Of an SMS nobody complains to the provider: the customer sends STOP."""
        Visit(self, "fate_complained", message, None).text(words)

    def hand_in(self, message: Accepted, words: str) -> None:
        """Send an SMS back, as the service publishes it; the carrier hears it as well."""
        self._texts[message.name] += 1
        reply = {
            "originationNumber": message.to,
            "destinationNumber": message.sender,
            "messageKeyword": words.split()[0].upper(),
            "messageBody": words,
            "inboundMessageId": f"in-{message.message_id}-{self._texts[message.name]}",
            "previousPublishedMessageId": message.message_id,
        }
        self._sms.hear(message.to, words)
        self.ways.send(self.ways.outputs["SmsRepliesTopicArn"], json.dumps(reply))


def _kind_of(path: str) -> str:
    """A page's path without its token."""
    return path.rpartition("/")[0] + "/"


@dataclass(slots=True)
class Visit:
    """One customer, or one machine, about one message."""

    customers: Customers
    kind: str
    message: Accepted
    person: Person | None

    def note(self, what: str, **more: Any) -> None:
        """Write down what is done; what waited for an answer says when it began (`at`)."""
        about = {"accepted": self.message.number, "kind": self.kind, "address": self.message.to, "what": what}
        self.customers.deeds.append(Deed(**{"at": self.now, **about, **more}))

    @property
    def now(self) -> float:
        """The time, in epoch seconds."""
        return self.customers.nature.timeline.now

    def links(self, prefix: str) -> list[str]:
        """The paths of the message's links to pages of one kind: `/d/`, `/p/`, `/p/undo/`, `/u/`, `/i/`."""
        return [path for path in self.message.paths if _kind_of(path) == prefix]

    def ask(
        self, method: str, path: str, form: list[tuple[str, str]] | None = None, *, person: bool = True
    ) -> Answer:
        """Ask for a page, or post a form, and wait for the answer."""
        began = self.now
        headers = {**(_FORM if form is not None else {}), "accept-language": "en"}
        body = urlencode(form or [])
        answer = self.customers.ways.http(method, path, headers, body)
        said = ", ".join(f"{name}={value}" for name, value in form or () if name != "form")
        self.note(
            f"{method} {path}",
            at=began,
            done_at=self.now,
            status=answer.status,
            leads_to=answer.headers.get("location", ""),
            said=said,
            person=person,
        )
        return answer

    def text(self, words: str) -> None:
        """Send an SMS back."""
        self.note(words)
        self.customers.hand_in(self.message, words)

    def event(self, source: str, detail_type: str, **detail: str) -> None:
        """Have the portal, or the billing system, tell what this customer did there."""
        if self.person is None:
            return
        known = self.person.fields
        named = {
            name: known[name] for name in ("customer_key", "recipient", "document_id") if known.get(name)
        }
        whole = {"domain": self.person.domain, **named, **detail}
        self.customers.ways.put_event(source, detail_type, whole)
        self.note(detail_type, said=json.dumps(whole))
