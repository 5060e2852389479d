"""Incoming mail, read: whom it says was not reached and why, or what else it is."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Final

from ....domain.mail_addresses import address_in, addresses_in, forms_of
from ....domain.receipts import SES_COMPLAINTS, Kind, stamp
from ....domain.references import found_in
from ....domain.verdicts import Group, Report, Verdicts
from .layouts import Layout
from .parsing import TEXT_LIMIT, Part, parsed
from .phrases import Phrases, folded
from .reports import RECIPIENTS, Row, feedback_fields, loose_status, status_rows, status_text
from .returned import returned_text, without_original
from .telling import ENHANCED, NOTES, SMTP, Told, judged
from .writers import Writer


@dataclass(frozen=True, slots=True)
class MailReading:
    """A mail, read. `told` is empty for one that reports nothing: `kind` then is None.

    `by_person`: nothing but words says what it is, so a person wrote it. `references` have the form of ours
    (domain/references.py), wherever in the mail they came back.
    """

    kind: Kind | None
    told: tuple[Told, ...]
    at: str
    references: tuple[str, ...] = ()
    reporter: str = ""
    by_person: bool = False

    @property
    def is_bounce(self) -> bool:
        """Whether it says that something was not delivered, for good or for now."""
        return any(row.kind not in _NO_BOUNCE for row in self.told)

    @property
    def unusable(self) -> str:
        """Why it makes no receipt; empty if it does."""
        if self.told:
            return ""
        if self.by_person:
            return "a mail that a person wrote: for a team to read"
        return "a program's mail that is neither bounce nor report as far as it can be read"


_NO_BOUNCE: Final = frozenset(
    {
        Kind.DELIVERED, Kind.SENT, Kind.OPENED, Kind.AUTO_REPLY, Kind.CHALLENGE, Kind.COMPLAINT,
        Kind.NOT_SPAM, Kind.AUTH_REPORT,
    }
)  # fmt: skip


def read_mail(data: bytes, phrases: Phrases, verdicts: Verdicts) -> MailReading:
    """Read a mail, whatever it is; never fails on what a sender wrote."""
    return _Reader(parsed(data), phrases, verdicts).read()


_ABUSE: Final = re.compile(r"complaint about (?:message|email|spam) from|abuse report|email feedback report")


class _Reader:
    """One mail while it is read."""

    def __init__(self, mail: Part, phrases: Phrases, verdicts: Verdicts) -> None:
        self.mail = mail
        self.phrases = phrases
        self.verdicts = verdicts
        self.parts = list(mail.walk())
        self.writer = Writer(mail, phrases)

    def read(self) -> MailReading:
        steps: tuple[Callable[[], tuple[Told, ...]], ...] = (
            self._feedback, self._challenge, self._status, self._disposition, self._reply, self._loose,
            self._bounce,
        )  # fmt: skip
        told = next((found for step in steps if (found := step())), ())
        return MailReading(
            told[0].kind if told else None,
            told[:RECIPIENTS],
            self._at(),
            found_in(self.returned),
            reporter=self.writer.address.rpartition("@")[2],
            by_person=not told and self.writer.is_person,
        )

    def _at(self) -> str:
        """When it came in, by our own mail service, whose `Received` field is the first one; else its date.

        The date is of a stranger's clock: one that is slow would put a bounce before the delivery that it
        takes back.
        """
        received = "".join(self.mail.all_of("received")[:1]).rpartition(";")[2]
        return _moment_of(received) or _moment_of(self.mail.header("date"))

    # --- texts ---

    @cached_property
    def returned(self) -> str:
        """Everything in which a reference of ours may come back."""
        return returned_text(self.mail)

    @cached_property
    def _whole(self) -> str:
        """The text parts, with the message that some mailers return as text."""
        plain = list(_bounded(p.text for p in self._texts if p.kind != "text/html"))
        if not any(text.strip() for text in plain) or not addresses_in("\n".join(plain)):
            plain += _bounded(p.plain for p in self._texts if p.kind == "text/html")
        return "\n".join(plain)[:TEXT_LIMIT]

    @cached_property
    def _texts(self) -> list[Part]:
        inner = (part for part in self.parts[1:] if not part.parts and not part.is_message)
        leaves = [self.mail] if not self.mail.parts else list(inner)
        return [part for part in leaves if part.kind.startswith(("text/", "multipart/"))] or leaves[:1]

    @cached_property
    def text(self) -> str:
        """What the mailer wrote itself, without the message that it returns."""
        return without_original(self._whole)

    @cached_property
    def layout(self) -> Layout:
        """The mailer's text with the addresses in it."""
        return Layout(self.text)

    @cached_property
    def folded(self) -> str:
        """The mailer's text as phrases are compared."""
        return folded(self.text)

    @cached_property
    def failed(self) -> list[str]:
        """Whom the mail's head names as failed."""
        return addresses_in(self.mail.header("x-failed-recipients", 8_000))

    @cached_property
    def expected(self) -> tuple[str, ...]:
        """The recipients of the message that is returned, as its own head has them."""
        behind = self.returned.partition("\n\n")[2]
        return tuple(dict.fromkeys(a for row in _TO.findall(behind)[:20] for a in addresses_in(row)))[
            :RECIPIENTS
        ]

    # --- steps ---

    def _feedback(self) -> tuple[Told, ...]:
        """RFC 5965, and the older forms of complaints."""
        part = next((p for p in self.parts if p.kind == "message/feedback-report"), None)
        if part is None and self.mail.parameters.get("report-type", "").lower() == "feedback-report":
            part = self.mail
        if part is None:
            return self._older_feedback()
        fields = feedback_fields(part)
        feedback = fields.get("feedback-type", "abuse").lower()
        if feedback.startswith("dmarc"):
            feedback = "auth-failure"
        who = fields.get("original-rcpt-to") or fields.get("removal-recipient") or ""
        address = address_in(who) or next(iter(self.expected), "")
        return (
            Told(SES_COMPLAINTS.get(feedback, Kind.COMPLAINT), address, feedback[:40], "", forms_of(address)),
        )

    def _older_feedback(self) -> tuple[Told, ...]:
        if self.mail.has("x-hmxmroriginalrecipient"):
            return (Told(Kind.COMPLAINT, address_in(self.mail.header("x-hmxmroriginalrecipient")), "abuse"),)
        if not self.writer.returns_message or self.writer.subject_answers:
            return ()
        named = re.search(r"^x-hmxmroriginalrecipient:[ \t]*(\S+)", self.returned, re.I | re.M)
        if named:
            return (Told(Kind.COMPLAINT, address_in(named[1]), "abuse"),)
        if _ABUSE.search(self.writer.subject) and self.phrases.found("complainers", self.writer.sender):
            return (Told(Kind.COMPLAINT, next(iter(self.expected), ""), "abuse"),)
        return ()

    def _status(self) -> tuple[Told, ...]:
        """RFC 3464; a person may pass on a part of a report."""
        if not self.writer.is_machine:
            return ()
        return self._told(status_rows(status_text(self.parts)))

    def _loose(self) -> tuple[Told, ...]:
        """RFC 3464 where its part has lost its type; a person may pass such a text on."""
        if not self.writer.is_machine:
            return ()
        return self._told(status_rows(loose_status(self.text)))

    def _disposition(self) -> tuple[Told, ...]:
        """RFC 8098: read receipts, which say nothing of delivery that we could use."""
        if "rejected" in f"{self.writer.subject} {self.writer.auto_submitted}":
            return ()
        if any(part.kind == "message/disposition-notification" for part in self.parts):
            return (Told(Kind.OPENED, "", "mdn"),)
        return ()

    def _challenge(self) -> tuple[Told, ...]:
        """A service that holds mail until its sender proves to be a person; some send it as a report."""
        writer = self.writer
        if writer.is_daemon or writer.names_failed or (writer.subject_answers and not writer.is_machine):
            return ()
        in_subject = self.phrases.found("challenges", writer.subject)
        in_text = not writer.fails_in_subject and self.phrases.found("challenges", self.folded[:4_000])
        if (in_subject and in_text) or ((in_subject or in_text) and writer.is_machine):
            return (Told(Kind.CHALLENGE, writer.address),)
        return ()

    def _reply(self) -> tuple[Told, ...]:
        """Automatic replies (RFC 3834): marked, or with a subject that only programs write."""
        writer = self.writer
        if writer.names_failed or writer.is_report or (writer.is_daemon and writer.fails_in_subject):
            return ()
        replies = writer.replies_in_subject
        marked = writer.is_marked and not writer.is_daemon and not self._is_bounce_like
        hints = writer.hints_reply or (writer.is_answer and not writer.has_no_name)
        hinted = writer.has_null_path and hints and not writer.fails_in_subject
        return (Told(Kind.AUTO_REPLY, writer.address),) if replies or marked or hinted else ()

    @cached_property
    def _is_bounce_like(self) -> bool:
        """Says in its subject that it is a bounce, and returns the message or an answer's code.

        Of an address that takes no answer words are enough; in an answer they name somebody.
        """
        return self.writer.fails_in_subject and (
            self.writer.returns_message
            or (
                self.writer.has_no_name
                and (self._names_somebody or not self.writer.auto_submitted.startswith("auto-replied"))
                and self.phrases.found("bodies", self.folded)
            )
            or bool(ENHANCED.search(self.text[:8_000]) or SMTP.search(self.text[:8_000]))
            or self.text is not self._whole
        )

    def _bounce(self) -> tuple[Told, ...]:
        """A mailer's own words."""
        writer = self.writer
        if not writer.is_machine or writer.is_list or not (self.failed or self._fails()):
            return ()
        expected = frozenset(a.lower() for a in self.expected)
        rows = [self.layout.near(a) for a in self.failed[:RECIPIENTS]]
        rows = rows or self.layout.rows(self._is_strange, expected)
        if not rows:
            # A gateway that wraps another system's report into one of its own.
            rows = [row for row in status_rows(loose_status(self.returned)) if row.address]
        if not rows:
            rows = [self.layout.near(address) for address in self._in_subject]
        if not rows and len(self.expected) == 1:
            rows = [self.layout.near(self.expected[0])]
        rows = rows or [Row(answer=self.text[:NOTES], own=True)]
        if self._waits():
            rows = [replace(row, action="delayed") for row in rows]
        return self._told(rows)

    def _fails(self) -> bool:
        """Whether a mail system's words, codes and form agree that something was not delivered."""
        writer = self.writer
        in_subject = writer.fails_in_subject or self.phrases.found("delayed", writer.subject)
        in_body = self.phrases.found("bodies", self.folded) or self.phrases.found("delayed", self.folded)
        coded = bool(ENHANCED.search(self.text) or SMTP.search(self.text))
        returned = writer.returns_message or self.text is not self._whole
        if not coded and self.phrases.found("arrivals", f"{writer.subject} {self.folded}"):
            return False
        if not (in_subject or in_body):
            # In words or a language that the phrases do not know.
            return writer.is_daemon and ((coded and returned) or self._denies_address)
        named = writer.may_return and bool(self._in_subject or self._names_somebody)
        signs = in_subject + in_body + coded + returned + (named or "daemon" in writer.sender)
        return writer.is_report or signs >= (2 if writer.has_no_name else 3)

    @cached_property
    def _names_somebody(self) -> bool:
        """Whether the mailer's text names an address that is neither its own nor ours."""
        return bool(self.layout.rows(self._is_strange, frozenset()))

    @property
    def _denies_address(self) -> bool:
        """A short text without a return path, whose words prove that the address is wrong."""
        if not self.writer.has_null_path or len(self.text) > NOTES:
            return False
        return self.verdicts.group_of(Report("email", self.text)) is Group.ADDRESS

    def _waits(self) -> bool:
        return self.phrases.found("delayed", self.folded) and not self.phrases.found("final", self.folded)

    def _is_strange(self, address: str) -> bool:
        """Whether an address is neither the mailer's nor ours."""
        lowered = address.lower()
        return lowered not in self._own and not self.phrases.found("daemons", lowered.partition("@")[0])

    @property
    def _in_subject(self) -> list[str]:
        """The address that the subject names."""
        return [a for a in addresses_in(self.mail.header("subject")) if self._is_strange(a)][:1]

    @cached_property
    def _own(self) -> frozenset[str]:
        names = (
            "from",
            "to",
            "reply-to",
            "return-path",
            "delivered-to",
            "x-original-to",
            "sender",
            "errors-to",
        )
        return frozenset(a.lower() for name in names for a in addresses_in(self.mail.header(name)))

    # --- results ---

    def _told(self, rows: list[Row]) -> tuple[Told, ...]:
        return tuple(dict.fromkeys(self._judged(row) for row in rows[:RECIPIENTS]))

    def _judged(self, row: Row) -> Told:
        if not row.address and (known := self.failed or list(self.expected)) and len(known) == 1:
            row = replace(row, address=known[0], also=forms_of(known[0]))
        if row.is_mute and row.address and row.action != "delayed":
            near = (self.layout.near(address) for address in [row.address, *row.also][:3])
            said = next((one.answer for one in near if not one.is_mute), "")
            row = replace(row, answer=f"{row.answer}\n{said}".strip())
        return judged(row, self.verdicts, self.text)


_TO: Final = re.compile(r"^[ \t>|]*(?:to|x-original-to|delivered-to)[ \t]*:[ \t]*([^\n]{1,500})", re.I | re.M)


def _bounded(texts: Iterator[str]) -> Iterator[str]:
    left = TEXT_LIMIT
    for text in texts:
        yield text[:left]
        left -= len(text)
        if left <= 0:
            return


def _moment_of(text: str) -> str:
    """A date as mails have it (RFC 5322, 3.3), as receipts are compared; empty if it is none with a zone."""
    try:
        at = parsedate_to_datetime(text[:200])
        return stamp(at) if at.tzinfo else ""
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
