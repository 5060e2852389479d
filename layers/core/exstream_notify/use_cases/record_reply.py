"""Take an SMS reply: stop, start, help, or words for the team."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ..domain.contacts import Contact
from ..domain.exceptions import ExceptionRaised
from ..domain.hearing import Voice, heard
from ..domain.identity import notice_id
from ..domain.inbound import Reply
from ..domain.notices import Notice
from ..domain.passes import handle_of
from ..domain.replies import WORDS, Meaning, ReplyWords, meaning_of
from ..domain.statements import ALL, OUT, Statement, spoken_at
from ..ports import (
    AddressChecker,
    Clock,
    Evidence,
    EvidenceLine,
    ExceptionBus,
    Hasher,
    NoticesOfCustomer,
    OptOutList,
    Rules,
)
from .note_ways import Barred, NoteWays
from .tell_customer import NotApproved, Note, Teller
from .tell_portal import PortalNews

REPLY_SALT = "sms-replies"
"""Keys the evidence of replies by nobody that we know."""

UNKNOWN_DOMAIN = "replies"
CONFIRM_WITHIN = timedelta(minutes=5)
"""How long after a reply its answer counts as one: 47 CFR 64.1200(a)(12) says it of the answer to a STOP."""

_TRIES = 5


@dataclass(frozen=True, slots=True)
class ReplyDesk:
    """All that taking a reply needs. `scope` says what STOP ends: `all` texts, or the `topic` it answers;
    `words` are what replies are understood by."""

    news: PortalNews
    opt_outs: OptOutList
    addresses: AddressChecker
    ledger: NoticesOfCustomer
    rules: Rules
    evidence: Evidence
    exceptions: ExceptionBus
    hasher: Hasher
    ways: NoteWays
    teller: Teller
    clock: Clock
    scope: Literal["all", "topic"] = "all"
    words: ReplyWords = WORDS

    def record(self, reply: Reply) -> Meaning:
        """Carry out what the reply asks for; safe to repeat. A number that several share acts for all.

        The change is stored before its confirmation goes out, so that nobody is told what is not so;
        a repeat tells it only where the change is this reply's own. Where no text may go, a STOP holds
        all the same, and any other reply goes to the team. Raises NotToldYet.
        """
        number = self.addresses.check("sms", reply.number, None)
        if not number.usable:
            # A short code or an operator's own number: nobody to answer, nothing to stop.
            self._to_the_team(reply, [], "unknown_sender")
            return "free"
        holders = self.news.contacts.at_address("sms", number.value)
        meaning = meaning_of(reply.text, self.words)
        now = self.clock.now()
        voice = Voice("reply", f"sms reply {reply.reply_id}", spoken_at(reply.at, now), now)
        if meaning == "stop":
            topic = self._topic(holders, number.value)
            stopped = self._stop(holders, topic, number.value, voice)
            if stopped:
                self._tell(reply, "stop_topic" if topic else "stop", number.value, holders)
        elif meaning == "start":
            if self._start(holders, number.value, voice):
                self._tell(reply, "start", number.value, holders)
        elif meaning == "help":
            self._tell(reply, "help", number.value, holders)
        else:
            self._to_the_team(reply, holders, "")
        return meaning

    def _stop(self, holders: Sequence[Contact], topic: str | None, number: str, voice: Voice) -> bool:
        ours = self._change(holders, voice.opts(OUT, [topic or ALL], ["sms"]), voice)
        if topic is None:
            # Kept by number too: it holds for whoever has the number later, and if nobody has it now.
            at = datetime.fromisoformat(voice.at)
            ours |= self.opt_outs.stop("sms", number, voice.by, at) or (
                self.opt_outs.stopped_by("sms", number) == voice.by
            )
        return ours

    def _start(self, holders: Sequence[Contact], number: str, voice: Voice) -> bool:
        # Released last: a worker that dies in between leaves the number stopped, and the repeat goes on.
        ours = self._change(holders, voice.starts("sms"), voice)
        at = datetime.fromisoformat(voice.at)
        return self.opt_outs.allow("sms", number, voice.by, at) or ours

    def _change(self, holders: Sequence[Contact], statements: Sequence[Statement], voice: Voice) -> bool:
        """Have every holder's contact hear what was said; whether it changed anything, now or by an earlier
        delivery of this reply."""
        ours = False
        for holder in holders:
            contact: Contact | None = holder
            for _ in range(_TRIES):
                if contact is None or contact.is_erased:
                    break
                after = heard(contact, statements, voice.now)
                if after is contact or self.news.put(contact, after):
                    ours |= _last_by(after) == voice.by
                    break
                found = self.news.contacts.get(holder.domain, [holder.contact_key])
                contact = found.get(holder.contact_key)
            else:
                raise RuntimeError("a contact kept changing under five attempts to stop its messages")
        return ours

    def _topic(self, holders: Sequence[Contact], number: str) -> str | None:
        """The topic of the last SMS to this number, where the site stops topics; None: everything."""
        if self.scope == "all":
            return None
        address = self.hasher("sms", number)
        sent = [
            notice
            for holder in holders
            for notice in self.ledger.of_customer(holder.domain, holder.customer_key)
            if notice.purpose == "notice"
            and notice.recipient == holder.recipient
            and any(a.channel == "sms" and a.address == address for a in notice.attempts)
        ]
        if not sent:
            return None
        # A receipt of an older one may be newer: what counts is when each was sent.
        last: Notice = max(sent, key=lambda n: (_claimed_at(n), n.notice_id))
        try:
            return self.rules.of_type(last.document_type).topic
        except KeyError:
            return None

    def _tell(self, reply: Reply, note: str, number: str, holders: Sequence[Contact]) -> None:
        first = next(iter(holders), None)
        if why := self._barred(reply, note, number, holders):
            if note not in _OF_STOP:
                self._to_the_team(reply, holders, why)
            return
        answer = Note(
            notice_id("", "", reply.reply_id, purpose=f"reply:{note}"),
            f"reply:{note}",
            note,
            "sms",
            number,
            first.salt if first else REPLY_SALT,
            first.domain if first else UNKNOWN_DOMAIN,
            first.customer_key if first else "",
            reply.reply_id,
            first.language if first else None,
            recipient=first.recipient if first else "",
        )
        # What the reply asked for is done; an answer that waits for an approval would come days late.
        with suppress(NotApproved):
            self.teller.tell(answer)

    def _barred(self, reply: Reply, note: str, number: str, holders: Sequence[Contact]) -> str:
        """Why no text answers the reply; empty if one does.

        The answer to a STOP alone may go to a stopped number. A late one only goes out in the customer's day.
        """
        first = next(iter(holders), None)
        domain = first.domain if first else UNKNOWN_DOMAIN
        late = bool(reply.at) and self.clock.now() - datetime.fromisoformat(reply.at) > CONFIRM_WITHIN
        if note in _OF_STOP:
            return "late" if late else Barred.OFF if self.ways.off(domain, "sms") else ""
        # A START has just taken back what the holders had stopped.
        known: Sequence[Contact | None] = (holders if note != "start" else ()) or (None,)
        barred = next((b for h in known if (b := self.ways.barred(h, "sms", number, domain))), None)
        # Nobody's number still tells where it may be.
        who = first or Contact(domain, "", "", mobile=self.addresses.check("sms", number, None))
        if barred is None and late and self.ways.opens(who) is not None:
            return "late"
        return barred or ""

    def _to_the_team(self, reply: Reply, holders: Sequence[Contact], why: str) -> None:
        """The words are kept as evidence, sealed; the team gets the reference and the contact's handle, which
        open them as long as the contact is not erased."""
        first = next(iter(holders), None)
        now = self.clock.now()
        identity = notice_id("", "", reply.reply_id, purpose="reply:free")
        body: dict[str, object] = {"from": reply.number, "to": reply.destination, "text": reply.text}
        line = EvidenceLine(
            f"{identity}:0", first.salt if first else REPLY_SALT, now.isoformat(timespec="seconds"), body
        )
        (reference,) = self.evidence.write(identity[:24], [line], {})
        self.exceptions.raise_exceptions(
            [
                ExceptionRaised(
                    "sms_reply",
                    "warning",
                    first.domain if first else UNKNOWN_DOMAIN,
                    "sms-replies",
                    "a customer's reply to a text message waits for a person",
                    part=f"reply {identity}",
                    detail={
                        "reply": identity,
                        "evidence": reference,
                        "customers": str(len(holders)),
                        **({"contact": handle_of(first.salt)} if first else {}),
                        **({"why": why} if why else {}),
                    },
                )
            ]
        )


_OF_STOP = frozenset({"stop", "stop_topic"})
"""The notes that confirm a STOP."""


def _last_by(contact: Contact) -> str:
    """By whom the contact's opt-outs were changed last."""
    return next((e["who"] for e in reversed(contact.history) if e["field"] == "opt_outs"), "")


def _claimed_at(notice: Notice) -> str:
    """When its newest attempt was claimed, just before it was sent; empty if none was."""
    return max((event.at for event in notice.events if event.what == "claimed"), default="")
