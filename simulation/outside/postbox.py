"""Hands in the receipts of accepted messages, where and how the real ones arrive.

SES and SMS publish to their topics; SES's events come by EventBridge as well, or as identity feedback.
OpenText's are pushed (`pushes`), or asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from exnotify.simulators.ses_events import ses_event, stamp
from exnotify.simulators.sms_events import sms_event
from exnotify.simulators.timeline import Moment, Step

from .accepted import OPENED, Accepted, Ledger, Reported
from .fates import Fates
from .forms import ses_form, sms_form
from .mails import MAILED, bounce_mail
from .pushes import Pushes
from .ways import Ways

POST_KINDS: Final[Mapping[str, float]] = {
    "receipt_by_bus_too": 0.05,
    "receipt_as_feedback": 0.05,
    "receipt_as_mail": 0.1,
}
"""How a receipt of SES comes: beside the topic by EventBridge, without tags as identity feedback, as a bounce
mail (where the site takes them)."""


class Postbox:
    """Sends what `Fates` says of each message, and writes it down in the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        ways: Ways,
        fates: Fates,
        pushes: Pushes,
        reply: Callable[[Accepted, str], None],
        *,
        mails: bool,
    ) -> None:
        self._ledger = ledger
        self._nature = ledger.nature
        self._ways = ways
        self._fates = fates
        self._pushes = pushes
        self._reply = reply
        self._mails = mails

    def follow(self, message: Accepted) -> None:
        """Have the receipts of a message sent in their time."""
        if (opened := self._fates.of(message).opened) is not None:
            self._nature.timeline.at(message.at + opened, lambda: self._opened(message, opened))
        for number, moment in enumerate(self._fates.told(message)):
            self._nature.timeline.at(message.at + moment.told, self._handing(message, moment, number))

    def _handing(self, message: Accepted, moment: Moment, number: int) -> Callable[[], None]:
        hand_in = {"ses": self._ses, "sms": self._sms, "opentext": self._pushes.push}[message.provider]
        return lambda: hand_in(message, moment, f"{message.name} report {number}")

    def _ses(self, message: Accepted, moment: Moment, name: str) -> None:
        chance = self._nature.chance
        event = ses_event(message.simulated(), moment)
        if self._mails and moment.step in MAILED and chance.happens("receipt_as_mail", name):
            self._mail(message, moment, name)
            return
        ses_form(event, message, moment.step, chance)
        if moment.step in _FEEDBACK and chance.happens("receipt_as_feedback", name):
            event = _feedback(event)
        self._publish("SesReceiptsTopicArn", message, moment, event)
        if "eventType" in event and chance.happens("receipt_by_bus_too", name):
            self._ways.put_event("aws.ses", f"Email {event['eventType']}", event)
            self._note(message, moment, "aws.ses", event)

    def _opened(self, message: Accepted, after: float) -> None:
        """A picture or a link of a mail was fetched; the provider cannot tell by whom."""
        moment = Moment(Step.SENT, after, after)
        if message.provider == "opentext" and message.channel == "email":
            self._pushes.push(message, moment, f"{message.name} opened", OPENED)
        elif message.provider == "ses":
            at = datetime.fromtimestamp(message.at + after, UTC)
            opened = {"timestamp": stamp(at), "ipAddress": "192.0.2.7", "userAgent": "proxy"}
            mail = ses_event(message.simulated(), moment)["mail"]
            event = {"eventType": "Open", "open": opened, "mail": mail}
            self._publish("SesReceiptsTopicArn", message, moment, event, OPENED)

    def _mail(self, message: Accepted, moment: Moment, name: str) -> None:
        """A bounce that comes to the return path, in the place of an event."""
        form = self._nature.chance.below(f"form {name}", 2)
        mail = bounce_mail(message, moment.step, message.at + moment.happened, form)
        key = f"mail/{message.message_id}-{self._nature.chance.below(f'mail {name}', 10**9)}.eml"
        self._ways.put_object(self._ways.outputs["BounceMailBucketName"], key, mail)
        self._note(message, moment, "mail", {"key": key, "mail": mail.decode()})

    def _sms(self, message: Accepted, moment: Moment, name: str) -> None:
        document, kind = sms_event(message.simulated(), moment)
        sms_form(document, message, moment.step, self._nature.chance)
        if kind == "reply":
            self._reply(message, document["messageBody"])
        else:
            self._publish("SmsReceiptsTopicArn", message, moment, document)

    def _publish(
        self, output: str, message: Accepted, moment: Moment, document: Mapping[str, Any], step: str = ""
    ) -> None:
        self._ways.send(self._ways.outputs[output], json.dumps(document))
        self._note(message, moment, output, document, step)

    def _note(
        self, message: Accepted, moment: Moment, way: str, document: Mapping[str, Any], step: str = ""
    ) -> None:
        happened, named = message.at + moment.happened, step or moment.step.name
        self._ledger.report(
            Reported(self._nature.timeline.now, message.number, named, happened, way, document)
        )


_FEEDBACK: Final = frozenset(
    {Step.BOUNCED, Step.FULL, Step.BLOCKED, Step.UNDETERMINED, Step.COMPLAINED, Step.DELIVERED}
)


def _feedback(event: Mapping[str, Any]) -> dict[str, Any]:
    """The same as an identity's feedback: `notificationType`, and no tags."""
    mail = {name: value for name, value in event["mail"].items() if name != "tags"}
    rest = {name: value for name, value in event.items() if name not in ("eventType", "mail")}
    return {"notificationType": event["eventType"], **rest, "mail": mail}
