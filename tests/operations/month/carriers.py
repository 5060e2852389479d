"""Mail and SMS in played time: what they take, what they report of it later, and what they answer on bad days."""

import json
import random
from collections.abc import Callable
from typing import Any

from exstream_notify.domain.documents import Channel
from exstream_notify.domain.messages import Accepted
from tests.fakes import Delivered, FakeProvider

from .stack import MonthStack

_STATES = {"delivered": "Delivery", "bounced": "Bounce", "complained": "Complaint"}


class Carrier(FakeProvider):
    """Takes messages as told, and has each reported on the receipt queue within minutes.

    `fate` decides what becomes of a message: delivered, bounced, complained or nothing at all.
    """

    def __init__(self, channel: Channel, stack: MonthStack, fate: Callable[[Delivered], str]) -> None:
        super().__init__("ses" if channel == "email" else "sms", stack.clock, supports_headers=True)
        self.taken = 0
        self.fate = fate
        self.last: list[Delivered] = []
        self._channel = channel
        self._stack = stack
        self._chance = random.Random(channel)

    def _take(self, body: dict[str, object], answer: Accepted | None = None) -> Accepted:
        accepted = super()._take(body, answer)
        for one in self.delivered:
            self.taken += 1
            if fate := self.fate(one):
                wait = self._chance.uniform(2, 30) if fate == "delivered" else self._chance.uniform(60, 7200)
                self._stack.later(wait, lambda one=one, fate=fate: self._report(one, fate))  # type: ignore[misc]
        self.last = [*self.last, *self.delivered][-200:]
        self.delivered.clear()
        self._jobs.clear()
        del self.posted[:-1]
        return accepted

    def _report(self, one: Delivered, fate: str) -> None:
        event = self._ses(one, fate) if self._channel == "email" else self._sms(one, fate)
        self._stack.queues["ReceiptQueue"].put(json.dumps(event))

    def _ses(self, one: Delivered, fate: str) -> dict[str, Any]:
        at = self._stack.clock.now().isoformat(timespec="milliseconds")
        who = {
            "emailAddress": one.to,
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
        said: dict[str, Any] = {
            "delivered": {"delivery": {"timestamp": at, "recipients": [one.to], "smtpResponse": "250 ok"}},
            "bounced": {
                "bounce": {
                    "bounceType": "Permanent", "bounceSubType": "NoEmail", "bouncedRecipients": [who],
                    "timestamp": at, "feedbackId": one.ref,
                }
            },
            "complained": {
                "complaint": {
                    "complainedRecipients": [{"emailAddress": one.to}], "timestamp": at, "feedbackId": one.ref,
                    "complaintSubType": None, "complaintFeedbackType": "abuse",
                }
            },
        }[fate]  # fmt: skip
        tags = {"notice_id": [one.notice_id], "attempt": [str(one.attempt)]}
        mail = {
            "timestamp": at,
            "messageId": one.ref,
            "source": "notices@example.com",
            "destination": [one.to],
            "tags": tags,
        }
        return {"eventType": _STATES[fate], **said, "mail": mail}

    def _sms(self, one: Delivered, fate: str) -> dict[str, Any]:
        arrived = fate == "delivered"
        return {
            "eventType": "TEXT_DELIVERED" if arrived else "TEXT_INVALID",
            "eventTimestamp": round(self._stack.clock.seconds * 1000),
            "isFinal": True,
            "messageStatus": "DELIVERED" if arrived else "INVALID",
            "messageId": one.ref,
            "originationPhoneNumber": "+12025550199",
            "destinationPhoneNumber": one.to,
            "context": {"notice_id": one.notice_id, "attempt": str(one.attempt)},
        }
