"""What an SMS account says of itself: tier, spend limits, numbers, keywords, configuration sets.

Rows are kept in the API's own shapes, for whoever runs the simulator to change as an operator would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .aws_wire import ACCOUNT, allowed, problems
from .wire import Reply, Request, json_reply

SERVICE = "pinpoint-sms-voice-v2"
_KIND = "application/x-amz-json-1.0"
_SINCE = 1764374400
"""When everything was made: seconds since 1970."""

Rows = list[dict[str, Any]]


@dataclass
class SmsAccount:
    """An account; by default out of the sandbox, with nothing set up. `keywords` are by number's ARN."""

    attributes: Rows = field(default_factory=lambda: [{"Name": "ACCOUNT_TIER", "Value": "PRODUCTION"}])
    spend_limits: Rows = field(
        default_factory=lambda: [
            {
                "Name": "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT",
                "EnforcedLimit": 10_000,
                "MaxLimit": 10_000,
                "Overridden": False,
            }
        ]
    )
    numbers: Rows = field(default_factory=list)
    pools: Rows = field(default_factory=list)
    sender_ids: Rows = field(default_factory=list)
    keywords: dict[str, Rows] = field(default_factory=dict)
    configuration_sets: Rows = field(default_factory=list)

    def lease(self, number: str, replies: str, region: str) -> None:
        """Have a short code's rate on a number, two-way to a topic, with self-managed opt-outs."""
        identity = f"phone-{number.lstrip('+')}"
        arn = f"arn:aws:sms-voice:{region}:{ACCOUNT}:phone-number/{identity}"
        self.numbers.append(
            {
                "PhoneNumberArn": arn,
                "PhoneNumberId": identity,
                "PhoneNumber": number,
                "Status": "ACTIVE",
                "IsoCountryCode": "US",
                "MessageType": "TRANSACTIONAL",
                "NumberCapabilities": ["SMS"],
                "NumberType": "SHORT_CODE",
                "MonthlyLeasingPrice": "0.00",
                "TwoWayEnabled": True,
                "TwoWayChannelArn": replies,
                "SelfManagedOptOutsEnabled": True,
                "OptOutListName": "Default",
                "DeletionProtectionEnabled": False,
                "MessagingLimits": {"RateLimits": {"SMS": 1000}},
                "CreatedTimestamp": _SINCE,
            }
        )
        self.keywords[arn] = [
            {"Keyword": "HELP", "KeywordMessage": "Help", "KeywordAction": "AUTOMATIC_RESPONSE"},
            {"Keyword": "STOP", "KeywordMessage": "Stopped", "KeywordAction": "OPT_OUT"},
        ]

    def publish(self, configuration_set: str, topic: str, region: str) -> None:
        """Have a configuration set publish its events to a topic."""
        self.configuration_sets.append(
            {
                "ConfigurationSetArn": (
                    f"arn:aws:sms-voice:{region}:{ACCOUNT}:configuration-set/{configuration_set}"
                ),
                "ConfigurationSetName": configuration_set,
                "EventDestinations": [
                    {
                        "EventDestinationName": "receipts",
                        "Enabled": True,
                        "MatchingEventTypes": ["TEXT_ALL"],
                        "SnsDestination": {"TopicArn": topic},
                    }
                ],
                "CreatedTimestamp": _SINCE,
            }
        )

    def answer(self, operation: str, request: Request) -> Reply | None:
        """The answer to a describing operation; None where it is another one."""
        rows_of = _OPERATIONS.get(operation)
        if rows_of is None:
            return None
        parameters = request.json()
        if found := problems(SERVICE, operation, parameters):
            return _error(
                "ValidationException", f"{found[0][0]} {found[0][1]}", Reason="FIELD_VALIDATION_FAILED"
            )
        if not allowed(request, f"sms-voice:{operation}", "*"):
            return _error("AccessDeniedException", f"not authorized to perform sms-voice:{operation}")
        told = rows_of(self, parameters)
        if told is None:
            return _error(
                "ResourceNotFoundException", "what is asked for does not exist", ResourceType="resource"
            )
        return json_reply(200, told, kind=_KIND)


_Operation = Callable[[SmsAccount, Mapping[str, Any]], dict[str, Any] | None]


def _listed(under: str, rows: Callable[[SmsAccount], Rows], asked: str = "", key: str = "") -> _Operation:
    """All rows, or those asked for by their key: one that does not exist is an error."""

    def answer(account: SmsAccount, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        found, wanted = rows(account), parameters.get(asked, ())
        if wanted:
            found = [row for row in found if row[key] in wanted]
        return None if len(found) < len(wanted) else {under: found}

    return answer


def _keywords(account: SmsAccount, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    identity = parameters["OriginationIdentity"]
    rows = account.keywords.get(identity)
    return None if rows is None else {"OriginationIdentity": identity, "Keywords": rows}


_OPERATIONS: Mapping[str, _Operation] = {
    "DescribeAccountAttributes": _listed("AccountAttributes", lambda account: account.attributes),
    "DescribeSpendLimits": _listed("SpendLimits", lambda account: account.spend_limits),
    "DescribePhoneNumbers": _listed(
        "PhoneNumbers", lambda account: account.numbers, "PhoneNumberIds", "PhoneNumberId"
    ),
    "DescribePools": _listed("Pools", lambda account: account.pools, "PoolIds", "PoolId"),
    "DescribeSenderIds": _listed("SenderIds", lambda account: account.sender_ids),
    "DescribeKeywords": _keywords,
    "DescribeConfigurationSets": _listed(
        "ConfigurationSets",
        lambda account: account.configuration_sets,
        "ConfigurationSetNames",
        "ConfigurationSetName",
    ),
}


def _error(code: str, message: str, **members: object) -> Reply:
    return json_reply(400, {"__type": code, "Message": message, **members}, kind=_KIND)
