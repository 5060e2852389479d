"""AWS End User Messaging SMS v2, SendTextMessage, as a service of the account.

It keeps its own list of numbers that said STOP, as carriers and AWS do whether we understood or not: a
message to one of them is refused until the number says START.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from exnotify.simulators import Faults, MessageStore
from exnotify.simulators.sms import SmsSimulator
from exnotify.simulators.sms_account import SmsAccount
from exnotify.simulators.sms_parts import encoding_and_parts

from ..service import Refused
from .accepted import Accepted, Ledger
from .conduct import ADDRESS_REFUSED, Weather, refuse_or_break
from .ses import Rate, as_service

_OPTED_OUT: Final = "DESTINATION_PHONE_NUMBER_OPTED_OUT"
_STOPS: Final = frozenset(
    {"ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD", "UNSUBSCRIBE"}
)
_STARTS: Final = frozenset({"START", "UNSTOP"})


class Sms:
    """The service `pinpoint-sms-voice-v2`. `rate` is message parts a second; None: no limit.

    `opted_out` are the numbers that may not be texted: with `carrier_stops`, those that sent one of the words
    on which AWS and carriers stop a number by themselves.
    """

    name = "pinpoint-sms-voice-v2"

    def __init__(
        self, ledger: Ledger, weather: Weather, *, rate: float | None = None, carrier_stops: bool = False
    ) -> None:
        self._ledger = ledger
        self._weather = weather
        self._nature = ledger.nature
        self.account = SmsAccount()
        self._checks = SmsSimulator(MessageStore(1), Faults(0))
        self.rate = Rate(rate, lambda: self._nature.timeline.now)
        self.opted_out: set[str] = set()
        self._carrier_stops = carrier_stops

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """See `Service.call`. Raises Broken, too."""
        if operation != "SendTextMessage":
            return self._described(operation, request)
        with as_service():
            self._checks.check(request)
        if request.get("DryRun"):
            return {"MessageId": self._ledger.identity(f"dry {self._nature.place}", 32)}
        self._refuse(request)
        row, message_id = self._weather.meet(
            "sms", "sms", lambda place, answered: self._accept(request, place, answered)
        )
        if row is not None:
            if row.accepts == "no":
                self._decline(request, row.kind, row.tells("sms"))
            refuse_or_break(row, "sms")
        return {"MessageId": message_id}

    def _refuse(self, request: Mapping[str, Any]) -> None:
        """What is refused for the account or the number; Refused."""
        to = request["DestinationPhoneNumber"]
        _, parts = encoding_and_parts(request["MessageBody"])
        if self.rate.exceeded(parts):
            self._decline(request, "rate_limit")
            raise Refused("ThrottlingException", "Rate exceeded")
        if to in self.opted_out:
            self._decline(request, "opted_out")
            raise Refused("ConflictException", "the number is opted out", Reason=_OPTED_OUT)
        if self._nature.chance.happens(ADDRESS_REFUSED, f"sms {to}"):
            self._decline(request, ADDRESS_REFUSED)
            fields = [{"Name": "DestinationPhoneNumber", "Message": "is not valid"}]
            raise Refused(
                "ValidationException", "1 field is wrong", Reason="INVALID_PARAMETER", Fields=fields
            )

    def _decline(self, request: Mapping[str, Any], kind: str, told: bool = True) -> None:
        to = request["DestinationPhoneNumber"]
        self._ledger.decline("sms", "sms", _ref(request), to, kind, told=told)

    def hear(self, number: str, words: str) -> None:
        """A number sent a text to us."""
        word = words.strip(" .!").upper()
        if word in _STOPS and self._carrier_stops:
            self.opted_out.add(number)
        elif word in _STARTS:
            self.opted_out.discard(number)

    def _accept(self, request: Mapping[str, Any], place: str, answered: str) -> str:
        context, to = request.get("Context", {}), request["DestinationPhoneNumber"]
        ref = _ref(request)
        name = self._ledger.named("sms", ref, to)
        message_id = self._ledger.identity(name, 32)
        self._ledger.take(
            Accepted(
                number=0,
                name=name,
                at=self._nature.timeline.now,
                provider="sms",
                channel="sms",
                to=to,
                ref=ref,
                subject="",
                text=request["MessageBody"],
                html="",
                sender=request.get("OriginationIdentity", ""),
                sender_name="",
                job_id=message_id,
                message_id=message_id,
                details=(
                    ("message_type", request.get("MessageType", "TRANSACTIONAL")),
                    ("configuration_set", request.get("ConfigurationSetName", "")),
                    ("time_to_live", str(request.get("TimeToLive", ""))),
                    *((f"context:{key}", value) for key, value in context.items()),
                ),
                place=place,
                answered=answered,
            )
        )
        return message_id

    def _described(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        rows = {
            "DescribeAccountAttributes": ("AccountAttributes", self.account.attributes),
            "DescribeSpendLimits": ("SpendLimits", self.account.spend_limits),
            "DescribePhoneNumbers": ("PhoneNumbers", self.account.numbers),
            "DescribePools": ("Pools", self.account.pools),
            "DescribeSenderIds": ("SenderIds", self.account.sender_ids),
            "DescribeConfigurationSets": ("ConfigurationSets", self.account.configuration_sets),
        }
        if operation not in rows or request:
            raise NotImplementedError(f"{self.name} {operation} with {sorted(request)}")
        under, found = rows[operation]
        return {under: copy.deepcopy(found)}


def _ref(request: Mapping[str, Any]) -> str:
    context = request.get("Context", {})
    return f"{context.get('notice_id', '')}:{context.get('attempt', '')}".strip(":")
