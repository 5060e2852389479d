"""The same thing said in other forms: what providers and the servers behind them say of one step.

The first form of each is the simulators' own. Which one a message gets is drawn by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exnotify.simulators.timeline import Step

from ..nature import Chance
from .accepted import Accepted

_Bounce = tuple[str, str, str, str]

_SES: Final[Mapping[Step, tuple[_Bounce, ...]]] = {
    Step.BOUNCED: (
        ("Permanent", "NoEmail", "5.1.1", "smtp; 550 5.1.1 user unknown"),
        (
            "Permanent",
            "General",
            "5.1.1",
            "smtp; 550 5.1.1 The email account that you tried to reach does not exist",
        ),
        (
            "Permanent",
            "General",
            "5.1.10",
            "smtp; 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found",
        ),
        ("Permanent", "General", "5.4.1", "smtp; 550 5.4.1 Recipient address rejected: Access denied"),
    ),
    Step.FULL: (
        ("Transient", "MailboxFull", "4.2.2", "smtp; 452 4.2.2 mailbox full"),
        ("Transient", "MailboxFull", "5.2.2", "smtp; 552 5.2.2 The recipient's mailbox is over quota"),
    ),
    Step.BLOCKED: (
        ("Transient", "ContentRejected", "5.6.0", "smtp; 554 5.6.0 content rejected"),
        ("Permanent", "General", "5.7.1", "smtp; 554 5.7.1 message refused by policy"),
        ("Transient", "MessageTooLarge", "5.3.4", "smtp; 552 5.3.4 message too big for system"),
    ),
    Step.EXPIRED: (
        ("Transient", "General", "4.4.7", "smtp; 421 4.4.7 message expired"),
        ("Transient", "CustomTimeoutExceeded", "4.4.7", "smtp; 550 4.4.7 message expired"),
    ),
}
"""Type, subtype, status and diagnostic code of an SES bounce."""

_SMS: Final[Mapping[Step, tuple[tuple[str, str, bool], ...]]] = {
    Step.SENT: (
        ("QUEUED", "Message is queued for delivery", False),
        ("SUCCESSFUL", "Message has been accepted by the carrier", False),
    ),
    Step.DELIVERED: (
        ("DELIVERED", "Message has been accepted by phone", True),
        ("SUCCESSFUL", "Message has been accepted by the carrier", True),
    ),
    Step.FULL: (
        ("UNREACHABLE", "Destination unreachable", True),
        ("CARRIER_UNREACHABLE", "Carrier is unreachable", True),
    ),
    Step.BLOCKED: (
        ("CARRIER_BLOCKED", "Message has been blocked by the carrier", True),
        ("BLOCKED", "Phone has blocked SMS", True),
        ("SPAM", "Message marked as spam", True),
        ("INVALID_MESSAGE", "Message body is invalid", True),
    ),
}
"""State, description and finality of an SMS event."""

_DSN: Final[Mapping[tuple[int, int, int], tuple[tuple[int, int, int, str], ...]]] = {
    (5, 1, 1): ((5, 1, 1, "user unknown"), (5, 1, 10, "recipient not found"), (5, 1, 1, "no such mailbox")),
    (4, 2, 2): ((4, 2, 2, "mailbox full"), (5, 2, 2, "over quota")),
    (5, 6, 0): ((5, 6, 0, "content rejected"), (5, 7, 1, "message refused by policy")),
}
"""Class, subject, detail and words of OpenText's e-mail events, by those of the simulator."""


def ses_form(event: dict[str, Any], message: Accepted, step: Step, chance: Chance) -> None:
    """Say an SES event in another form."""
    if step in _SES and "bounce" in event:
        kind, subtype, status, words = chance.one_of(f"form {message.name} {step.name}", _SES[step])
        event["bounce"] |= {"bounceType": kind, "bounceSubType": subtype}
        for row in event["bounce"]["bouncedRecipients"]:
            row |= {"status": status, "diagnosticCode": words}


def sms_form(event: dict[str, Any], message: Accepted, step: Step, chance: Chance) -> None:
    """Say an SMS event in another form."""
    if step in _SMS:
        state, words, final = chance.one_of(f"form {message.name} {step.name}", _SMS[step])
        event |= {"eventType": f"TEXT_{state}", "messageStatus": state}
        event |= {"messageStatusDescription": words, "isFinal": final}


def opentext_form(row: Mapping[str, Any], message: Accepted, chance: Chance) -> None:
    """Say the e-mail events of a delivery in another form."""
    for event in row["events"].get("email_delivery_events", {}).get("dsn", ()):
        code = (event["class"], event["subject"], event["detail"])
        if code in _DSN:
            names = ("class", "subject", "detail", "message")
            found = chance.one_of(f"form {message.name} {code}", _DSN[code])
            event |= dict(zip(names, found, strict=True))
