"""AWS End User Messaging SMS v2 in the AWS JSON 1.0 protocol: SendTextMessage, and what the account says."""

import uuid
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any
from wsgiref.types import WSGIEnvironment

from .aws_wire import ACCOUNT, NotSigned, allowed, problems, region_of
from .base import Simulator
from .behaviours import Conduct, behaviour_of
from .sms_account import SmsAccount
from .wire import Refused, Reply, Request, json_reply

TARGET = "PinpointSMSVoiceV2."
_KIND = "application/x-amz-json-1.0"


class SmsSimulator(Simulator):
    """SendTextMessage. `configuration_sets` are those that exist for it; None: all do."""

    name = "sms"
    configuration_sets: Collection[str] | None = None

    @cached_property
    def account(self) -> SmsAccount:
        """What the account says of itself."""
        return SmsAccount()

    def matches(self, environ: WSGIEnvironment) -> bool:
        """Whether the service is addressed, whatever the operation."""
        return str(environ.get("HTTP_X_AMZ_TARGET", "")).startswith(TARGET)

    def answer(self, request: Request) -> Reply:
        """The operation's answer."""
        operation = request.header("X-Amz-Target").removeprefix(TARGET)
        if request.content_type != _KIND:
            return _error(400, "SerializationException", f"{_KIND} only")
        try:
            region = region_of(request, "sms-voice")
            if described := self.account.answer(operation, request):
                return described
        except NotSigned as error:
            return _error(400, error.code, str(error))
        except ValueError:
            return _error(400, "SerializationException", "the body is not JSON in UTF-8")
        if operation != "SendTextMessage" or request.method != "POST":
            return _error(400, "UnknownOperationException", f"the simulator does not know {operation}")
        fault = self.strike(request.body)
        if fault is Conduct.THROTTLE:
            return self.throttled()
        if fault is Conduct.DOWN:
            return self.unavailable()
        try:
            parameters = request.json()
        except ValueError:
            return _error(400, "SerializationException", "the body is not JSON in UTF-8")
        self.check(parameters)
        self._permitted(request, region, parameters)
        if parameters.get("DryRun"):
            return json_reply(200, {"MessageId": str(uuid.uuid4())}, kind=_KIND)
        chosen = fault or behaviour_of(parameters["DestinationPhoneNumber"]).conduct
        key = repr(parameters.get("Context") or parameters["DestinationPhoneNumber"])
        return self.perform(chosen, key, lambda: self._accept(parameters, request.body))

    def throttled(self) -> Reply:
        """The service's own error."""
        return _error(400, "ThrottlingException", "Rate exceeded")

    def unavailable(self) -> Reply:
        """The common error of AWS services."""
        return _error(
            503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."
        )

    def broken(self) -> Reply:
        """The service's own error."""
        return _error(500, "InternalServerException", "unexpected error", RequestId=str(uuid.uuid4()))

    def refused(self) -> Reply:
        """As for a number on the opt-out list."""
        return _error(
            400,
            "ConflictException",
            "Destination phone number is opted out",
            Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT",
            ResourceType="opted-out-number",
        )

    def check(self, parameters: Any) -> None:
        """Refused where the model, or the service beyond it, says no."""
        found = problems("pinpoint-sms-voice-v2", "SendTextMessage", parameters)
        if not found and "MessageBody" not in parameters:
            found = [("MessageBody", "is missing")]
        if not found and not parameters["DestinationPhoneNumber"].startswith("+"):
            found = [("DestinationPhoneNumber", "is not in E.164 form")]
        if found:
            fields = [{"Name": path.partition(".")[0], "Message": what} for path, what in found]
            reason = "FIELD_VALIDATION_FAILED"
            raise Refused(
                _error(
                    400, "ValidationException", f"{len(found)} fields are wrong", Reason=reason, Fields=fields
                )
            )
        name = parameters.get("ConfigurationSetName", "")
        if name and self.configuration_sets is not None and name not in self.configuration_sets:
            raise Refused(
                _error(
                    400,
                    "ResourceNotFoundException",
                    "the configuration set does not exist",
                    ResourceType="configuration-set",
                    ResourceId=name,
                )
            )

    def _permitted(self, request: Request, region: str, parameters: Mapping[str, Any]) -> None:
        prefix = f"arn:aws:sms-voice:{region}:{ACCOUNT}"
        identity = parameters.get("OriginationIdentity", "")
        kind = (
            "phone-number"
            if identity.startswith("+")
            else "pool"
            if identity.startswith("pool-")
            else "sender-id"
        )
        resources = [f"{prefix}:{kind}/{identity.lstrip('+')}"] if identity else []
        if name := parameters.get("ConfigurationSetName"):
            resources.append(f"{prefix}:configuration-set/{name}")
        for resource in resources:
            if not allowed(request, "sms-voice:SendTextMessage", resource):
                raise Refused(_error(400, "AccessDeniedException", f"not authorized on resource {resource}"))

    def _accept(self, parameters: Mapping[str, Any], body: bytes) -> Reply:
        context = parameters.get("Context", {})
        message_id = str(uuid.uuid4())
        self.keep(
            channel="sms",
            to=parameters["DestinationPhoneNumber"],
            sender=parameters.get("OriginationIdentity", "+12025550199"),
            subject="",
            text=parameters["MessageBody"],
            ref=f"{context.get('notice_id', '')}:{context.get('attempt', '')}".strip(":"),
            job_id=message_id,
            message_id=message_id,
            request=body,
            details=(
                ("message_type", parameters.get("MessageType", "TRANSACTIONAL")),
                ("configuration_set", parameters.get("ConfigurationSetName", "")),
                *((f"context:{name}", value) for name, value in context.items()),
            ),
        )
        return json_reply(200, {"MessageId": message_id}, kind=_KIND)


def _error(status: int, code: str, message: str, **members: object) -> Reply:
    return json_reply(status, {"__type": code, "Message": message, **members}, kind=_KIND)
