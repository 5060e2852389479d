"""Bounce mails: what mailers send back to the return path, in the forms that they write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from exnotify.simulators.timeline import Step

from .accepted import Accepted

_SAID: Final[Mapping[Step, tuple[str, str]]] = {
    Step.BOUNCED: ("5.1.1", "550 5.1.1 <{to}>: user unknown"),
    Step.FULL: ("4.2.2", "452 4.2.2 <{to}>: mailbox full"),
    Step.BLOCKED: ("5.7.1", "554 5.7.1 message refused for its content"),
    Step.EXPIRED: ("4.4.7", "421 4.4.7 message expired"),
    Step.UNDETERMINED: ("5.0.0", "550 5.0.0 it did not work"),
}
"""Of each failure: the status (RFC 3463), and what the remote server said."""

MAILED: Final = frozenset(_SAID)
"""The steps of which mailers write."""


def _report(original: str, to: str, status: str, said: str) -> tuple[str, str]:
    """RFC 3464."""
    parts = (
        ("text/plain; charset=utf-8", "Your message could not be delivered."),
        (
            "message/delivery-status",
            f"Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; {to}\nAction: failed\n"
            f"Status: {status}\nDiagnostic-Code: smtp; {said}",
        ),
        ("message/rfc822", original),
    )
    body = "".join(f"--b1\nContent-Type: {kind}\n\n{text}\n\n" for kind, text in parts)
    kind = 'multipart/report; report-type=delivery-status; boundary="b1"'
    return f"MIME-Version: 1.0\nContent-Type: {kind}", f"{body}--b1--\n"


def _plain(original: str, to: str, status: str, said: str) -> tuple[str, str]:
    """As qmail writes it."""
    words = (
        "Hi. This is the qmail-send program at mx.example.net.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{to}>:\n{said} (#{status})\n\n--- Below this line is a copy of the message.\n\n"
    )
    return "Content-Type: text/plain; charset=utf-8", words + original


_FORMS: Final[tuple[Callable[[str, str, str, str], tuple[str, str]], ...]] = (_report, _plain)


def bounce_mail(message: Accepted, step: Step, at: float, form: int) -> bytes:
    """The mail that comes back for a message; `form` chooses how it is written."""
    status, said = _SAID[step]
    date = format_datetime(datetime.fromtimestamp(at, UTC))
    headers = "".join(f"{name}: {value}\n" for name, value in message.headers)
    original = (
        f"From: {message.sender}\nTo: {message.to}\nSubject: {message.subject}\n{headers}"
        f"Message-ID: <{message.message_id}@example.com>\n\n{message.text}\n"
    )
    head, body = _FORMS[form % len(_FORMS)](original, message.to, status, said.format(to=message.to))
    returns = dict(message.details).get("return_path") or message.sender
    return (
        f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: {returns}\n"
        f"Subject: Undelivered Mail Returned to Sender\nDate: {date}\n{head}\n\n{body}"
    ).encode()
