"""Bounce mails: RFC 3464 and RFC 5965 where a mailer follows them, and what the others write.

Standard reports are read field by field. For the rest flufl.bounce's detectors, which know many mailers'
own layouts, find addresses; sentences that are data (`rules/bounce_mails.yaml`) tell bounces from
automatic replies, challenges and ordinary mail, and why a mailer gave up. Everything is bounded: bytes,
header lines, parts and depth; a mail beyond them is read as text.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parseaddr, parsedate_to_datetime
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import Any, Final

import yaml

from ...domain.receipts import SES_COMPLAINTS, Kind, enhanced_kind, scrubbed, stamp
from ...domain.references import found_in

READ_LIMIT: Final = 1_000_000
"""Bytes of a mail that are read: reports stand in front, the returned message behind them."""

HEADER_LINES: Final = 1_000
PARTS: Final = 60
NESTING: Final = 12
TEXT_LIMIT: Final = 60_000
RECIPIENTS: Final = 50
BLOCKS: Final = 20_000
"""Blank lines: each block of a delivery report becomes an object of its own."""

FIELD_LIMIT: Final = 10_000
"""Bytes of a header field that has parameters: Python's parser of those is quadratic."""

DETECTED_LINES: Final = 20_000
DETECTED_LINE: Final = 500
"""Lines that flufl.bounce gets, and characters of each: its expressions are quadratic in a line's length."""

_PACKAGE = Path(__file__).parents[2] / "rules" / "bounce_mails.yaml"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Told:
    """What a mail says of one recipient. `address` is as written, empty where it is not; `also` are other
    names of the same recipient that the report gives."""

    kind: Kind
    address: str = field(default="", repr=False)
    code: str = ""
    reason: str = ""
    also: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class MailReading:
    """A mail, read. `told` is empty for one that reports nothing: `kind` then says what it is.

    `reference` is what has the form of ours (domain/references.py), as it was found.
    """

    kind: Kind | None
    told: tuple[Told, ...]
    at: str
    reference: str = ""
    reporter: str = ""

    @property
    def is_bounce(self) -> bool:
        """Whether it says that something was not delivered, for good or for now."""
        return any(row.kind not in _NO_BOUNCE for row in self.told)


_NO_BOUNCE: Final = frozenset(
    {
        Kind.DELIVERED,
        Kind.SENT,
        Kind.OPENED,
        Kind.AUTO_REPLY,
        Kind.CHALLENGE,
        Kind.COMPLAINT,
        Kind.NOT_SPAM,
        Kind.AUTH_REPORT,
    }
)


class Phrases:
    """The sentences of `bounce_mails.yaml`, a site's own laid over them, compiled when first asked for."""

    def __init__(self, site: Path | None = None) -> None:
        self._files = [_PACKAGE, *([site / "bounce_mails.yaml"] if site is not None else [])]

    @cached_property
    def _data(self) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for path in self._files:
            if path.exists():
                merged |= yaml.load(path.read_text("utf-8"), _Loader) or {}  # noqa: S506 - a safe loader
        return merged

    @cached_property
    def _compiled(self) -> dict[str, re.Pattern[str]]:
        return {name: _any_of(rows) for name, rows in self._data.items() if isinstance(rows, list)}

    @cached_property
    def kinds(self) -> list[tuple[Kind, re.Pattern[str]]]:
        """Why a mailer gave up, in the order of the file."""
        return [(Kind(name), _any_of(rows)) for name, rows in self._data["kinds"].items()]

    def found(self, name: str, text: str) -> bool:
        """Whether one of a list's phrases is in the text, which is in lower case."""
        return self._compiled[name].search(text) is not None

    def kind_of(self, text: str) -> Kind | None:
        """The first kind with a phrase in the text."""
        return next((kind for kind, pattern in self.kinds if pattern.search(text)), None)


def _any_of(phrases: list[str]) -> re.Pattern[str]:
    parts = []
    for phrase in phrases:
        anchored = phrase.startswith("^")
        plain = phrase.removeprefix("^").lower()
        start = "^" if anchored else r"(?<![a-z0-9])" if plain[0].isascii() and plain[0].isalnum() else ""
        end = r"(?![a-z0-9])" if len(plain) <= 4 and plain.isascii() and plain[-1].isalnum() else ""
        parts.append(start + re.escape(plain).replace(r"\ ", r"\s+") + end)
    return re.compile("|".join(parts), re.MULTILINE)


def read_mail(data: bytes, phrases: Phrases) -> MailReading:
    """Read a mail, whatever it is; never fails on what a sender wrote."""
    mail = _parsed(data)
    return _Reader(mail, phrases).read()


# --- bounded parsing -------------------------------------------------------------------------------------

_BOUNDARY = re.compile(rb"boundary\s*=", re.IGNORECASE)
_CONTENT_FIELD = re.compile(rb"^content-[a-z-]{1,40}:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)


def _is_bounded(data: bytes) -> bool:
    """Whether a mail can be read as a tree in a time that grows with its size alone."""
    return (
        len(_BOUNDARY.findall(data)) <= NESTING
        and data.count(b"\n--") <= 40 * PARTS
        and data.count(b"\n\n") <= BLOCKS
        and all(len(field) <= FIELD_LIMIT for field in _CONTENT_FIELD.findall(data))
    )


def _parsed(data: bytes) -> Message:
    """The mail as a tree, or flat where the tree would be too deep, too wide or broken."""
    data = data[:READ_LIMIT]
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    if b"\n" not in data[:100_000]:
        data = data.replace(b"\r", b"\n")  # ends of lines as old Macintoshes wrote them
    data = data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").lstrip(b"\n")
    head, blank, body = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if len(lines) > HEADER_LINES:
        head = b"\n".join(lines[:HEADER_LINES])
    if _is_bounded(data):
        try:
            return message_from_bytes(head + blank + body, policy=compat32)
        except (ValueError, LookupError, RecursionError, TypeError, AttributeError):
            pass
    flat = BytesHeaderParser(policy=compat32).parsebytes(head + b"\n\n")
    del flat["Content-Type"], flat["Content-Transfer-Encoding"]
    flat.set_payload(body.decode("latin-1"))
    return flat


def _parts(mail: Message, depth: int = 0) -> Iterator[Message]:
    """Parts in order, down to bounds; what is inside a returned message is left alone."""
    yield mail
    payload = mail.get_payload()
    if not isinstance(payload, list) or depth >= NESTING:
        return
    kind = mail.get_content_type()
    if depth and kind in ("message/rfc822", "message/global", "message/partial"):
        return
    for part in payload[:PARTS]:
        if isinstance(part, Message):
            yield from _parts(part, depth + 1)


def _for_detectors(mail: Message) -> Message:
    """The mail, or a copy of it with fewer and shorter lines where it has too many or too long ones."""
    texts = [text for part in mail.walk() if isinstance(text := part.get_payload(), str)]
    lines = [len(line) for text in texts for line in text.splitlines()]
    if len(lines) <= DETECTED_LINES and max(lines, default=0) <= DETECTED_LINE:
        return mail
    short, left = deepcopy(mail), DETECTED_LINES
    for part in short.walk():
        text = part.get_payload()
        if isinstance(text, str):
            kept = [line[:DETECTED_LINE] for line in text.splitlines()[:left]]
            left -= len(kept)
            part.set_payload("\n".join(kept))
    return short


def _text_of(part: Message) -> str:
    try:
        raw = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        raw = None
    if not isinstance(raw, bytes):
        plain = part.get_payload()
        return plain[:TEXT_LIMIT] if isinstance(plain, str) else ""
    raw = raw[:TEXT_LIMIT]
    charset = part.get_content_charset() or "utf-8"
    for name in (charset, "utf-8", "latin-1"):
        try:
            return raw.decode(name)
        except (LookupError, UnicodeError, ValueError):
            continue
    return raw.decode("latin-1")


def _header(mail: Message, name: str, limit: int = 2_000) -> str:
    wanted = name.lower()
    raw = next((str(v) for k, v in mail.raw_items() if k.lower() == wanted), "")[:limit]
    if "=?" in raw:
        with contextlib.suppress(ValueError, LookupError, UnicodeError):
            raw = str(make_header(decode_header(raw)))
    elif not raw.isascii():
        for charset in ("utf-8", "iso-2022-jp", "latin-1"):
            try:
                raw = raw.encode("ascii", "surrogateescape").decode(charset)
                break
            except (UnicodeError, LookupError):
                continue
    return " ".join(raw.split())


_TAG = re.compile(r"<[a-z/!][^<>]{0,2000}>", re.I)
_UNSEEN = ("style", "script", "head")


def _plain(html: str) -> str:
    lowered = html.lower()
    for name in _UNSEEN:
        start, end = lowered.find(f"<{name}"), lowered.find(f"</{name}>")
        if 0 <= start < end:
            html, lowered = html[:start] + html[end:], lowered[:start] + lowered[end:]
    return unescape(
        _TAG.sub(" ", html.replace("<br", "\n<br").replace("</p", "\n</p").replace("</div", "\n</div"))
    )


# --- reading ---------------------------------------------------------------------------------------------

_EMAIL: Final = r"[^\s<>()\[\]:;,\"'`|]{1,64}@[a-z0-9.-]{1,255}"
_ENHANCED: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_SMTP: Final = re.compile(r"(?<![\d.\-/:])([45][0-9]{2})(?=[ \-#:>])")
_MARKED: Final = re.compile(
    r"^\W{0,12}(?:to|for|rcpt to|recipient|address|failed recipient|user|e-?mail|adresse?|destinat\w+)?"
    r"\W{0,6}"
    rf"({_EMAIL})",
    re.IGNORECASE | re.MULTILINE,
)
_ANYWHERE: Final = re.compile(rf"({_EMAIL})", re.IGNORECASE)
_ENVELOPE: Final = ("To", "Delivered-To", "X-Original-To", "Envelope-To")
"""Where a mail was addressed to: the return path of ours that it came back by."""
_ORIGINAL: Final = re.compile(
    r"^[ \t>]*-*[ \t]*(?:-+ ?(?:original message|returned message|this is a copy|original message follows|"
    r"unsent message|message header|message headers|begin original|included is a copy|below this line|"
    r"below is a copy|ursprüngliche|mensaje original|message original|original-nachricht)|"
    r"received: (?:from|by)|return-path: ?<)",
    re.IGNORECASE,
)
_LINE: Final = 200
"""Characters of a line that are looked at where an expression could go back and forth on a longer one."""


class _Reader:
    """One mail while it is read."""

    def __init__(self, mail: Message, phrases: Phrases) -> None:
        self.mail = mail
        self.phrases = phrases
        self.parts = list(_parts(mail))[: 2 * PARTS]
        self.subject = _header(mail, "Subject").lower()
        self.sender = _header(mail, "From").lower()
        self.kinds = {part.get_content_type() for part in self.parts}

    def read(self) -> MailReading:
        steps = (
            self._feedback, self._challenge, self._status, self._disposition, self._reply, self._bounce,
        )  # fmt: skip
        for step in steps:
            told = step()
            if told:
                return self._reading(told[0].kind, told)
        return self._reading(None, ())

    def _reading(self, kind: Kind | None, told: tuple[Told, ...]) -> MailReading:
        returned = "\n".join((*(str(self.mail.get(name, "")) for name in _ENVELOPE), self._returned()))
        return MailReading(kind, told[:RECIPIENTS], self._at(), found_in(returned), _domain(self.sender))

    def _at(self) -> str:
        """When it came in, by our own mail service, whose `Received` field is the first one; else its date.

        The date is of a stranger's clock: one that is slow would put a bounce before the delivery that it
        takes back.
        """
        received = str(self.mail.get("Received", "")).rpartition(";")[2]
        return _moment_of(received) or _moment_of(str(self.mail.get("Date", "")))

    def _returned(self) -> str:
        """Everything in which a reference of ours may come back, as text."""
        rows = [str((self.mail.get("X-Notice-Id") and f"X-Notice-Id: {self.mail.get('X-Notice-Id')}") or "")]
        size = 0
        for part in self.parts[1:] if self.mail.is_multipart() else self.parts:
            payload = part.get_payload()
            if part.get_content_type() in ("message/rfc822", "message/global") and isinstance(payload, list):
                for inner in (one for one in payload[:1] if isinstance(one, Message)):
                    rows.append("\n".join(f"{k}: {v}" for k, v in list(inner.items())[:200]))
                    rows += [_text_of(p) for p in list(_parts(inner))[:6] if not p.is_multipart()]
            elif not part.is_multipart():
                rows.append(_text_of(part))
            size += len(rows[-1])
            if size > 4 * TEXT_LIMIT:
                break
        return "\n".join(rows)

    @cached_property
    def text(self) -> str:
        """What the mailer wrote itself, without the message that it returns."""
        texts, htmls = [], []
        for part in self.parts:
            kind = part.get_content_type()
            if part.is_multipart():
                continue
            if kind == "text/html":
                htmls.append(_plain(_text_of(part)))
            elif (kind.startswith("text/") and kind != "text/rfc822-headers") or len(self.parts) == 1:
                texts.append(_text_of(part))
        whole = "\n".join(texts if any(t.strip() for t in texts) else htmls)[:TEXT_LIMIT]
        size = 0
        for line in whole.splitlines(keepends=True):
            # The first lines may name what is returned below; a returned message never stands there.
            if size >= 80 and _ORIGINAL.match(line[:_LINE]):
                return whole[:size]
            size += len(line)
        return whole

    def _feedback(self) -> tuple[Told, ...]:
        """RFC 5965, and the older forms of complaints."""
        report = str(self.mail.get_param("report-type", "") or "").lower()
        part = next((p for p in self.parts if p.get_content_type() == "message/feedback-report"), None)
        if part is None and report == "feedback-report":
            part = self.mail
        if part is None:
            if self.mail.get("X-HmXmrOriginalRecipient"):
                return (Told(Kind.COMPLAINT, str(self.mail["X-HmXmrOriginalRecipient"]), "abuse"),)
            if re.search(
                r"(?:complaint about (?:message|email|spam) from|abuse report|email feedback report)",
                self.subject,
            ):
                return (Told(Kind.COMPLAINT, self._first_recipient(), "abuse"),)
            return ()
        fields = _fields(_flat(part))
        feedback = fields.get("feedback-type", "abuse").lower()
        if feedback.startswith("dmarc"):
            feedback = "auth-failure"
        kind = SES_COMPLAINTS.get(feedback, Kind.COMPLAINT)
        who = fields.get("original-rcpt-to") or fields.get("removal-recipient") or self._first_recipient()
        return (Told(kind, _bare(who), feedback),)

    def _first_recipient(self) -> str:
        match = re.search(r"^to:[ \t]*(.+)$", self._returned(), re.I | re.M)
        return _bare(match[1]) if match else ""

    def _status(self) -> tuple[Told, ...]:
        """RFC 3464, also where its part has lost its type."""
        told: list[Told] = []
        texts = [
            _flat(p)
            for p in self.parts
            if p.get_content_type().startswith(("message/delivery-status", "message/global-delivery"))
        ]
        if not texts:
            texts = [
                t
                for p in self.parts
                if not p.is_multipart()
                and p.get_content_type() != "text/rfc822-headers"
                and (t := _text_of(p))
                and _LOOSE.search(t)
            ][:1]
        for text in texts:
            for block in re.split(r"\n[ \t]*\n", text):
                fields = _fields(block)
                if "final-recipient" in fields or "original-recipient" in fields:
                    told.append(self._recipient(fields))
        return tuple(dict.fromkeys(told))

    def _recipient(self, fields: Mapping[str, str]) -> Told:
        diagnostic = fields.get("diagnostic-code", "")
        action = fields.get("action", "").lower()
        code = (_ENHANCED.search(fields.get("status", "")) or _ENHANCED.search(diagnostic) or [""])[0]
        inner = _ENHANCED.search(diagnostic)
        if inner and code.endswith(".0.0") and not inner[0].startswith("2"):
            code = inner[0]
        address = _bare(fields.get("original-recipient") or "") or _bare(fields.get("final-recipient", ""))
        if action == "delayed":
            kind = Kind.DELAYED
        elif action in ("delivered", "relayed", "expanded") or (not action and code.startswith("2.")):
            kind = Kind.DELIVERED if action != "relayed" else Kind.SENT
        else:
            kind = self._failure(code, f"{diagnostic}\n{self.text if len(diagnostic) < 30 else ''}")
        return Told(kind, address, code, scrubbed(diagnostic))

    def _failure(self, code: str, text: str) -> Kind:
        """Why it failed: by the code where it says more than its class, else by the words."""
        said = self.phrases.kind_of(text.lower())
        if said is Kind.DELAYED:
            said = next(
                (k for k, p in self.phrases.kinds if k is not Kind.DELAYED and p.search(text.lower())), None
            )
        by_code = enhanced_kind(code) if code and not code.startswith("2") else None
        vague = code.endswith(".0.0") or code in ("", "5.1.0", "5.2.0", "5.5.0", "5.3.0", "5.4.0", "4.4.0")
        if by_code is None or vague:
            if said is not None:
                return said
            smtp = _SMTP.search(text)
            if by_code is None and smtp:
                return Kind.SOFT_BOUNCE if smtp[1].startswith("4") else Kind.HARD_BOUNCE
            return by_code or Kind.UNDETERMINED
        if by_code is Kind.HARD_BOUNCE and said in (
            Kind.SOFT_BOUNCE,
            Kind.POLICY_REFUSED,
            Kind.CONTENT_REFUSED,
        ):
            # Mailers that say 5.1.1 or 5.2.1 of a full mailbox or of spam are many; the words are nearer.
            return Kind.HARD_BOUNCE if code == "5.1.1" and said is not Kind.SOFT_BOUNCE else said
        if by_code is Kind.POLICY_REFUSED and said is Kind.HARD_BOUNCE and code in ("5.7.1", "4.7.1"):
            unknown = re.search(
                r"user unknown|unknown user|no such|does not exist|invalid recipient", text, re.I
            )
            return Kind.HARD_BOUNCE if unknown else by_code
        return by_code

    def _disposition(self) -> tuple[Told, ...]:
        """RFC 8098: read receipts, which say nothing of delivery that we could use."""
        if "rejected" in f"{self.subject} {_header(self.mail, 'Auto-Submitted')}".lower():
            return ()
        if "message/disposition-notification" in self.kinds or re.match(
            r"(?:read|not read|gelesen|lu|leído)\s*:", self.subject
        ):
            return (Told(Kind.OPENED, "", "mdn"),)
        return ()

    def _challenge(self) -> tuple[Told, ...]:
        """A service that holds mail until its sender proves to be a person; some send it as a report."""
        if self._from_daemon() or self.mail.get("X-Failed-Recipients"):
            return ()
        failing = self.phrases.found("subjects", self.subject)
        if self.phrases.found("challenges", self.subject) or (
            not failing and self.phrases.found("challenges", self.text.lower()[:4_000])
        ):
            return (Told(Kind.CHALLENGE, self._writer()),)
        return ()

    def _reply(self) -> tuple[Told, ...]:
        """Automatic replies (RFC 3834), unless the mail is plainly of a mail system."""
        daemon = self._from_daemon()
        failing = self.phrases.found("subjects", self.subject)
        if self.mail.get("X-Failed-Recipients") or (daemon and failing):
            return ()
        precedence = _header(self.mail, "Precedence").lower().replace("-", "_")
        auto = _header(self.mail, "Auto-Submitted").lower()
        marked = (
            any(self.mail.get(name) for name in _AUTO_HEADERS)
            or "auto_reply" in precedence
            or auto.startswith(("auto-replied", "auto-generated"))
        )
        if self.phrases.found("auto_replies", self.subject) or (marked and not daemon and not failing):
            return (Told(Kind.AUTO_REPLY, self._writer()),)
        return ()

    def _writer(self) -> str:
        return parseaddr(_header(self.mail, "From"))[1]

    def _from_daemon(self) -> bool:
        path = str(self.mail.get("Return-Path", "x")).strip()
        return (
            path in ("<>", "< >", "")
            or path.lower().startswith("<mailer-daemon")
            or not self.sender.strip("<> ")
            or self.phrases.found("daemons", self.sender)
        )

    def _bounce(self) -> tuple[Told, ...]:
        """A mailer's own words."""
        failed = _addresses(_header(self.mail, "X-Failed-Recipients", 8_000))
        text = self.text
        lowered = text.lower()
        signs = (
            2 * bool(failed)
            + self._from_daemon()
            + self.phrases.found("subjects", self.subject)
            + self.phrases.found("bodies", lowered)
        )
        report = self.mail.get_content_type() == "multipart/report"
        if signs + report < 2 or not (failed or report or self._from_machine(text)):
            return ()
        worded = self.phrases.found("bodies", lowered) or self.phrases.kind_of(lowered)
        if signs + report == 2 and not (failed or report or worded or _ENHANCED.search(text)):
            return ()
        found = failed or self._detected() or self._written(text)
        if not found and not (report or signs >= 3):
            return ()
        return tuple(
            self._why(address, text)
            for address in (
                found
                or [
                    "",
                ]
            )[:RECIPIENTS]
        )

    def _from_machine(self, text: str) -> bool:
        """Whether anything but words says so: a person, too, may write of a delivery that failed."""
        return (
            self._from_daemon()
            or _header(self.mail, "Auto-Submitted").lower() not in ("", "no")
            or bool(self.kinds & {"message/rfc822", "text/rfc822-headers"})
            or bool(_ENHANCED.search(text) or _SMTP.search(text))
        )

    def _why(self, address: str, text: str) -> Told:
        where = text.lower().find(address.lower()) if address else -1
        near = text[max(0, where - 300) : where + 1_500] if where >= 0 else text[:4_000]
        enhanced = next((c for c in _ENHANCED.findall(near) if not c.startswith("2")), "")
        delayed = self.phrases.kinds[0]
        if (
            delayed[0] is Kind.DELAYED
            and delayed[1].search(text.lower())
            and not re.search(r"permanent|given up|giving up|fatal", text, re.I)
        ):
            return Told(Kind.DELAYED, address, enhanced)
        smtp = _SMTP.search(near)
        kind = self._failure(enhanced, near)
        if kind is Kind.UNDETERMINED and near is not text:
            kind = self._failure(enhanced, text)
        return Told(kind, address, enhanced or (smtp[1] if smtp else ""), _sentence(near, address))

    def _detected(self) -> list[str]:
        """Addresses by flufl.bounce, which knows the layouts of many mailers."""
        from flufl.bounce import all_failures

        try:
            temporary, permanent = all_failures(_for_detectors(self.mail))
        except Exception:
            # A stranger's mail may break any of its readers: what is found by our own rules still counts.
            return []
        found = [a.decode("utf-8", "replace") for a in sorted(permanent or temporary)]
        return [a for a in found if "@" in a][:RECIPIENTS]

    def _written(self, text: str) -> list[str]:
        """Addresses that stand by themselves, else any, that are not the mailer's or ours."""
        own = {_bare(_header(self.mail, name)).lower() for name in ("From", "To", "Reply-To", "Return-Path")}
        for pattern in (_MARKED, _ANYWHERE):
            found = [m.rstrip(".").lower() for m in pattern.findall(text[:20_000])]
            found = [a for a in dict.fromkeys(found) if a not in own and not self.phrases.found("daemons", a)]
            if found:
                return found[:RECIPIENTS] if pattern is _MARKED else found[:1]
        return []


def _moment_of(text: str) -> str:
    """A date as mails have it (RFC 5322, 3.3), as receipts are compared; empty if it is none with a zone."""
    try:
        at = parsedate_to_datetime(text)
        return stamp(at) if at.tzinfo else ""
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


_AUTO_HEADERS: Final = (
    "X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Response-From", "X-AutoReply-From",
    "X-Mail-Autoreply", "X-Cisco-AutoReply", "X-Autogenerated",
)  # fmt: skip
_LOOSE: Final = re.compile(r"^final-recipient:[ \t]*(?:rfc822|utf-8|x400|unknown|dns)?", re.I | re.M)


def _flat(part: Message) -> str:
    payload = part.get_payload()
    if isinstance(payload, list):
        blocks = []
        for block in payload[: 4 * PARTS]:
            if isinstance(block, Message):
                head = "\n".join(f"{k}: {v}" for k, v in list(block.items())[:100])
                inner = block.get_payload()
                blocks.append(head + ("\n" + inner if isinstance(inner, str) else ""))
        return "\n\n".join(blocks)[:TEXT_LIMIT]
    return _text_of(part)


def _fields(block: str) -> dict[str, str]:
    """Header fields of a block, folded lines joined; the first of a name counts."""
    found: dict[str, str] = {}
    name = ""
    for line in block.splitlines()[:300]:
        if line[:1] in " \t" and name:
            found[name] = f"{found[name]} {line.strip()}"[:1_000]
            continue
        key, colon, value = line.partition(":")
        name = key.strip().lower()
        if colon and name and " " not in name and name not in found:
            found[name] = value.strip()[:1_000]
        else:
            name = ""
    return found


def _bare(text: str) -> str:
    """The address in a field such as `rfc822; name@example.com` or `Name <name@example.com>`."""
    match = _ANYWHERE.search(text.partition(";")[2] or text)
    return match[1].strip(".<>") if match else ""


def _addresses(text: str) -> list[str]:
    return [a.strip(".<>") for a in _ANYWHERE.findall(text)][:RECIPIENTS]


def _domain(sender: str) -> str:
    return _bare(sender).rpartition("@")[2]


def _sentence(text: str, address: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    worded = [line for line in lines if _ENHANCED.search(line) or _SMTP.search(line)]
    return scrubbed(" ".join((worded or [line for line in lines if line != address])[:2]))
