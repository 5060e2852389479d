"""Amazon SES v2, SendEmail, as a service of the account: its limits, its refusals, what it takes on."""

from __future__ import annotations

import copy
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.headerregistry import Address
from typing import Any

from exnotify.simulators import Faults, MessageStore
from exnotify.simulators.ses import SesSimulator, bare
from exnotify.simulators.ses_account import SesAccount
from exnotify.simulators.wire import Refused as WireRefused

from ..service import Refused
from .accepted import Accepted, Ledger
from .conduct import ADDRESS_REFUSED, Weather, refuse_or_break


class Rate:
    """A limit by the second. `most` None: no limit."""

    def __init__(self, most: float | None, now: Callable[[], float]) -> None:
        self.most = most
        self._now = now
        self._recent: deque[float] = deque()

    def exceeded(self, number: int = 1) -> bool:
        """Whether so many more within this second are too many; else they count."""
        now = self._now()
        while self._recent and self._recent[0] <= now - 1.0:
            self._recent.popleft()
        if self.most is not None and len(self._recent) + number > self.most:
            return True
        self._recent.extend([now] * number)
        return False


class Ses:
    """The service `sesv2`: SendEmail with simple content, and what the account says of itself.

    `rate` is the account's limit a second, `daily` its quota of 24 hours; None: none.
    """

    name = "sesv2"

    def __init__(
        self, ledger: Ledger, weather: Weather, *, rate: float | None = None, daily: int | None = None
    ) -> None:
        self._ledger = ledger
        self._weather = weather
        self._nature = ledger.nature
        self.account = SesAccount()
        self._checks = SesSimulator(MessageStore(1), Faults(0))
        self.rate = Rate(rate, lambda: self._nature.timeline.now)
        self.daily = daily
        self._accepted_at: deque[float] = deque()

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """See `Service.call`. Raises Broken, too."""
        if operation != "SendEmail":
            return self._described(operation, request)
        with as_service():
            sender = self._checks.check(request)
            recipients = [bare(a) for rows in request["Destination"].values() for a in rows]
        self._limits(request, recipients)
        for address in recipients:
            if self._nature.chance.happens(ADDRESS_REFUSED, f"ses {address}"):
                self._decline(request, recipients, ADDRESS_REFUSED)
                raise Refused("BadRequestException", "Illegal address")
        row, message_id = self._weather.meet(
            "ses", "ses", lambda place, answered: self._accept(request, sender, recipients, place, answered)
        )
        if row is not None:
            if row.accepts == "no":
                self._decline(request, recipients, row.kind, row.tells("ses"))
            refuse_or_break(row, "ses")
        return {"MessageId": message_id}

    def _limits(self, request: Mapping[str, Any], recipients: list[str]) -> None:
        now = self._nature.timeline.now
        while self._accepted_at and self._accepted_at[0] <= now - 86_400:
            self._accepted_at.popleft()
        if self.daily is not None and len(self._accepted_at) >= self.daily:
            self._decline(request, recipients, "daily_quota")
            raise Refused("TooManyRequestsException", "Daily message quota exceeded.", 429)
        if self.rate.exceeded():
            self._decline(request, recipients, "rate_limit")
            raise Refused("TooManyRequestsException", "Maximum sending rate exceeded.", 429)

    def _accept(
        self,
        request: Mapping[str, Any],
        sender: Address,
        recipients: list[str],
        place: str,
        answered: str,
    ) -> str:
        simple = request["Content"]["Simple"]
        tags, ref = _tags(request), _ref(request)
        names = [self._ledger.named("ses", ref, address) for address in recipients]
        message_id = f"{self._ledger.identity(names[0])}-000000"
        replies = ", ".join(request.get("ReplyToAddresses", ()))
        headers = tuple((header["Name"], header["Value"]) for header in simple.get("Headers", ()))
        for name, address in zip(names, recipients, strict=True):
            self._accepted_at.append(self._nature.timeline.now)
            self._ledger.take(
                Accepted(
                    number=0,
                    name=name,
                    at=self._nature.timeline.now,
                    provider="ses",
                    channel="email",
                    to=address,
                    ref=ref,
                    subject=simple["Subject"]["Data"],
                    text=simple["Body"].get("Text", {}).get("Data", ""),
                    html=simple["Body"].get("Html", {}).get("Data", ""),
                    sender=sender.addr_spec,
                    sender_name=sender.display_name,
                    job_id=message_id,
                    message_id=message_id,
                    members=len(recipients),
                    headers=((("Reply-To", replies),) if replies else ()) + headers,
                    details=(
                        ("configuration_set", request.get("ConfigurationSetName", "")),
                        ("return_path", request.get("FeedbackForwardingEmailAddress", "")),
                        *((f"tag:{key}", value) for key, value in tags.items()),
                    ),
                    place=place,
                    answered=answered,
                )
            )
        return message_id

    def _decline(
        self, request: Mapping[str, Any], recipients: list[str], kind: str, told: bool = True
    ) -> None:
        for address in recipients:
            self._ledger.decline("ses", "email", _ref(request), address, kind, told=told)

    def _described(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answers: Mapping[str, Callable[[], Any]] = {
            "GetAccount": lambda: self.account.account,
            "GetEmailIdentity": lambda: self.account.identities.get(request["EmailIdentity"]),
            "GetConfigurationSetEventDestinations": lambda: self._destinations(request),
        }
        if operation not in answers:
            raise NotImplementedError(f"sesv2 {operation}")
        found: dict[str, Any] | None = answers[operation]()
        if found is None:
            raise Refused("NotFoundException", "does not exist", 404)
        return copy.deepcopy(found)

    def _destinations(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        rows = self.account.event_destinations.get(request["ConfigurationSetName"])
        return None if rows is None else {"EventDestinations": rows}


def _tags(request: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Name"]: tag["Value"] for tag in request.get("EmailTags", ())}


def _ref(request: Mapping[str, Any]) -> str:
    tags = _tags(request)
    return f"{tags.get('notice_id', '')}:{tags.get('attempt', '')}".strip(":")


@contextmanager
def as_service() -> Iterator[None]:
    """A refusal of a simulator on the wire, as a service's."""
    try:
        yield
    except WireRefused as refused:
        told = json.loads(refused.reply.body)
        code = dict(refused.reply.headers).get("x-amzn-ErrorType") or told.pop("__type")
        text = told.pop("message", "") or told.pop("Message", "")
        raise Refused(code, text, refused.reply.status, **told) from None
