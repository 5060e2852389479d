"""What an SES account says of itself: GetAccount, GetEmailIdentity, GetConfigurationSetEventDestinations.

Answers are kept in the API's own shapes, for whoever runs the simulator to change as an operator would.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .aws_wire import ACCOUNT, NotSigned, allowed, region_of
from .wire import Reply, Request, json_reply

EVENTS = ("SEND", "REJECT", "BOUNCE", "COMPLAINT", "DELIVERY", "RENDERING_FAILURE", "DELIVERY_DELAY")

_PATH = re.compile(
    r"/v2/email/(account|identities/(?P<identity>[^/]+)|configuration-sets/(?P<set>[^/]+)/event-destinations)"
)


@dataclass
class SesAccount:
    """An account; by default out of the sandbox, without limits, with nothing set up.

    `identities` are answers of GetEmailIdentity by domain, `event_destinations` those of each configuration
    set by its name.
    """

    account: dict[str, Any] = field(
        default_factory=lambda: {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": True,
            "SendQuota": {"Max24HourSend": -1.0, "MaxSendRate": 1000.0, "SentLast24Hours": 0.0},
            "SendingEnabled": True,
        }
    )
    identities: dict[str, dict[str, Any]] = field(default_factory=dict)
    event_destinations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def verify(self, domain: str) -> None:
        """Have a domain verified, with Easy DKIM done."""
        self.identities[domain] = {
            "IdentityType": "DOMAIN",
            "FeedbackForwardingStatus": True,
            "VerifiedForSendingStatus": True,
            "VerificationStatus": "SUCCESS",
            "DkimAttributes": {
                "SigningEnabled": True,
                "Status": "SUCCESS",
                "Tokens": [f"token{n}" for n in (1, 2, 3)],
                "SigningAttributesOrigin": "AWS_SES",
            },
        }

    def publish(self, configuration_set: str, topic: str) -> None:
        """Have a configuration set publish its events to a topic."""
        self.event_destinations[configuration_set] = [
            {
                "Name": "receipts",
                "Enabled": True,
                "MatchingEventTypes": list(EVENTS),
                "SnsDestination": {"TopicArn": topic},
            }
        ]

    def matches(self, path: str) -> bool:
        """Whether a path is one of these operations'."""
        return _PATH.fullmatch(path) is not None

    def answer(self, request: Request) -> Reply:
        """The answer to a request whose path matches."""
        found = _PATH.fullmatch(request.path)
        try:
            region = region_of(request, "ses")
        except NotSigned as error:
            return _error(403, error.code, str(error))
        if found is None or request.method != "GET":
            return _error(405, "MethodNotAllowedException", "the simulator reads accounts only")
        prefix = f"arn:aws:ses:{region}:{ACCOUNT}"
        if name := unquote(found["identity"] or ""):
            return _told(request, "GetEmailIdentity", f"{prefix}:identity/{name}", self.identities.get(name))
        if name := unquote(found["set"] or ""):
            rows = self.event_destinations.get(name)
            told = None if rows is None else {"EventDestinations": rows}
            resource = f"{prefix}:configuration-set/{name}"
            return _told(request, "GetConfigurationSetEventDestinations", resource, told)
        return _told(request, "GetAccount", "*", self.account)


def _told(request: Request, operation: str, resource: str, answer: dict[str, Any] | None) -> Reply:
    if not allowed(request, f"ses:{operation}", resource):
        return _error(
            403, "AccessDeniedException", f"not authorized to perform `ses:{operation}' on {resource}"
        )
    if answer is None:
        return _error(404, "NotFoundException", f"{resource.rpartition('/')[2]} does not exist.")
    return json_reply(200, answer)


def _error(status: int, code: str, message: str) -> Reply:
    return json_reply(status, {"message": message}, ("x-amzn-ErrorType", code))
