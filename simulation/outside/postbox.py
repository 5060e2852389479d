"""Hands in the receipts of accepted messages, where and how the real ones arrive.

SES and SMS publish to their topics; SES's events come by EventBridge as well, or as identity feedback;
OpenText pushes its status to the web hook, and pushes again while the answer is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from exnotify.simulators.ses_events import ses_event, stamp
from exnotify.simulators.sms_events import sms_event
from exnotify.simulators.timeline import Moment, Step

from ..nature import Nature
from .accepted import Accepted
from .fates import Fates
from .mails import MAILED, bounce_mail
from .opentext import OpenText
from .ways import Ways

HOOK: Final = "/receipts/opentext"
_PUSHES: Final = 5
"""How often OpenText pushes a status at most; each time after twice as long."""

OPENED: Final = "OPENED"

POST_KINDS: Final[Mapping[str, float]] = {
    "receipt_by_bus_too": 0.05,
    "receipt_as_feedback": 0.05,
    "receipt_as_mail": 0.1,
    "receipt_push_lost": 0.03,
    "receipt_push_forged": 0.01,
}
"""How a receipt comes: beside the topic by EventBridge, without tags as identity feedback, as a bounce mail
(where the site takes them); a push never made; a push by somebody else, without the secret."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One receipt as handed in at `at`: what it says of the message of number `accepted`, in `document`.

    `step` is the name of a `Step`, or `OPENED`. `way` names the output of a topic, `aws.ses` for the bus,
    `mail`, or the web hook with the status of its answer: one of 300 or more did not reach the product.
    """

    at: float
    accepted: int
    step: str
    happened_at: float
    way: str
    document: Mapping[str, Any] = field(repr=False)


class Postbox:
    """Sends what `Fates` says of each message; `reports` is what was handed in."""

    def __init__(
        self,
        nature: Nature,
        ways: Ways,
        fates: Fates,
        opentext: OpenText,
        reply: Callable[[Accepted, str], None],
        *,
        pushes: bool,
        mails: bool,
    ) -> None:
        self._nature = nature
        self._ways = ways
        self._fates = fates
        self._opentext = opentext
        self._reply = reply
        self._pushes = pushes
        self._mails = mails
        self.reports: list[Reported] = []

    def follow(self, message: Accepted) -> None:
        """Have the receipts of a message sent in their time."""
        if (opened := self._fates.of(message).opened) is not None:
            self._nature.timeline.at(message.at + opened, lambda: self._opened(message, opened))
        for number, moment in enumerate(self._fates.told(message)):
            self._nature.timeline.at(message.at + moment.told, self._handing(message, moment, number))

    def _handing(self, message: Accepted, moment: Moment, number: int) -> Callable[[], None]:
        hand_in = {"ses": self._ses, "sms": self._sms, "opentext": self._status}[message.provider]
        return lambda: hand_in(message, moment, f"{message.name} report {number}")

    def _ses(self, message: Accepted, moment: Moment, name: str) -> None:
        chance = self._nature.chance
        event = ses_event(message.simulated(), moment)
        if self._mails and moment.step in MAILED and chance.happens("receipt_as_mail", name):
            self._mail(message, moment, name)
            return
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
            self._status(message, moment, f"{message.name} opened", OPENED)
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
        if kind == "reply":
            # Of an SMS nobody complains: the customer sends STOP.
            self._reply(message, document["messageBody"])
        else:
            self._publish("SmsReceiptsTopicArn", message, moment, document)

    def _publish(
        self, output: str, message: Accepted, moment: Moment, document: Mapping[str, Any], step: str = ""
    ) -> None:
        self._ways.send(self._ways.outputs[output], json.dumps(document))
        self._note(message, moment, output, document, step)

    def _status(self, message: Accepted, moment: Moment, name: str, step: str = "") -> None:
        if not self._pushes:
            return
        chance = self._nature.chance
        # What had happened then: a push that comes late, or after a later one, is as old as it is.
        document = self._opentext.document((message,), until=message.at + moment.happened)
        forged = chance.happens("receipt_push_forged", name)
        if chance.happens("receipt_push_lost", name):
            return

        def note(status: int) -> None:
            if not forged:
                self._note(message, moment, f"{HOOK} {status}", document, step)

        self._ways.task(f"push {name}", lambda: self._push(document, forged, note))

    def _push(self, document: Mapping[str, Any], forged: bool, note: Callable[[int], None]) -> None:
        secret = "not it" if forged else self._secret()
        headers = {"content-type": "application/json", "x-webhook-secret": secret}
        for number in range(_PUSHES):
            answer = self._ways.http("POST", HOOK, headers, json.dumps(document))
            note(answer.status)
            if answer.status < 500:
                return
            self._ways.sleep(30.0 * 2**number)

    def _secret(self) -> str:
        fields = json.loads(self._ways.secret(self._ways.outputs["ReceiptHookSecretArn"]))
        found: str = fields[fields["current"]]
        return found

    def _note(
        self, message: Accepted, moment: Moment, way: str, document: Mapping[str, Any], step: str = ""
    ) -> None:
        now, happened = self._nature.timeline.now, message.at + moment.happened
        named = step or moment.step.name
        self.reports.append(Reported(now, message.number, named, happened, way, document))


_FEEDBACK: Final = frozenset(
    {Step.BOUNCED, Step.FULL, Step.BLOCKED, Step.UNDETERMINED, Step.COMPLAINED, Step.DELIVERED}
)


def _feedback(event: Mapping[str, Any]) -> dict[str, Any]:
    """The same as an identity's feedback: `notificationType`, and no tags."""
    mail = {name: value for name, value in event["mail"].items() if name != "tags"}
    rest = {name: value for name, value in event.items() if name not in ("eventType", "mail")}
    return {"notificationType": event["eventType"], **rest, "mail": mail}
