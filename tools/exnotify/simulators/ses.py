"""Amazon SES v2: `POST /v2/email/outbound-emails` (SendEmail with simple content); its account."""

import re
import uuid
from collections.abc import Collection, Mapping
from email.errors import MessageParseError
from email.header import decode_header, make_header
from email.headerregistry import Address, HeaderRegistry
from email.utils import parseaddr
from functools import cached_property, lru_cache
from typing import Any
from wsgiref.types import WSGIEnvironment

from .aws_wire import ACCOUNT, NotSigned, allowed, problems, region_of
from .base import Simulator
from .behaviours import Conduct, behaviour_of, first_unusual
from .ses_account import SesAccount
from .store import pack
from .wire import Refused, Reply, Request, json_reply

PATH = "/v2/email/outbound-emails"
RECIPIENTS_MAX = 50
MESSAGE_MAX = 40_000_000
"""Bytes, after encoding."""
LOCAL_MAX = 64
"""Characters of an address before its @."""

_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_OWN_HEADERS = frozenset(
    {"from", "to", "cc", "bcc", "reply-to", "sender", "subject", "date", "message-id", "mime-version"}
    | {"return-path", "content-type", "content-transfer-encoding"}
)
_MAKE_HEADER = HeaderRegistry()


class SesSimulator(Simulator):
    """SendEmail. `configuration_sets` are those that exist for it; None: all do."""

    name = "ses"
    configuration_sets: Collection[str] | None = None

    @cached_property
    def account(self) -> SesAccount:
        """What the account says of itself."""
        return SesAccount()

    def matches(self, environ: WSGIEnvironment) -> bool:
        """Whether the path is one of the operations'."""
        path = environ.get("PATH_INFO", "")
        return path == PATH or self.account.matches(path)

    def answer(self, request: Request) -> Reply:
        """The operation's answer."""
        if request.path != PATH:
            return self.account.answer(request)
        if request.method != "POST":
            return _error(405, "MethodNotAllowedException", "POST only")
        try:
            region = region_of(request, "ses")
        except NotSigned as error:
            return _error(403, error.code, str(error))
        fault = self.strike(request.body)
        if fault is Conduct.THROTTLE:
            return self.throttled()
        if fault is Conduct.DOWN:
            return self.unavailable()
        try:
            parameters = request.json()
        except ValueError:
            return _error(400, "SerializationException", "the body is not JSON in UTF-8")
        sender = self.check(parameters)
        self._permitted(request, region, sender, parameters)
        addresses = [a for rows in parameters["Destination"].values() for a in rows]
        chosen = fault or first_unusual(behaviour_of(bare(address)).conduct for address in addresses)
        return self.perform(
            chosen,
            repr(parameters.get("EmailTags", addresses)),
            lambda: self._accept(parameters, sender, addresses, request.body),
        )

    def throttled(self) -> Reply:
        """As when the sending rate is exceeded."""
        return _error(429, "TooManyRequestsException", "Maximum sending rate exceeded.")

    def unavailable(self) -> Reply:
        """The common error of AWS services."""
        return _error(
            503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."
        )

    def broken(self) -> Reply:
        """The common error of AWS services."""
        return _error(
            500, "InternalFailure", "The request processing has failed because of an unknown error."
        )

    def refused(self) -> Reply:
        """As for an address that cannot be one."""
        return _error(400, "BadRequestException", "Missing final '@domain'")

    def check(self, parameters: Any) -> Address:
        """The sender; Refused where the model, or the service beyond it, says no."""
        found = problems("sesv2", "SendEmail", parameters)
        if found:
            raise Refused(_error(400, "BadRequestException", f"{found[0][0]} {found[0][1]}"))
        content = parameters["Content"]
        if set(content) != {"Simple"}:
            raise Refused(_error(400, "BadRequestException", "the simulator knows simple content only"))
        recipients = [a for rows in parameters.get("Destination", {}).values() for a in rows]
        if not 1 <= len(recipients) <= RECIPIENTS_MAX:
            raise Refused(_error(400, "BadRequestException", "Recipient count must be 1 to 50."))
        for recipient in recipients:
            _address(recipient)
        for row in parameters.get("EmailTags", ()):
            if not (_TAG.fullmatch(row["Name"]) and _TAG.fullmatch(row["Value"])):
                raise Refused(_error(400, "BadRequestException", "Invalid tag name or value."))
        simple = content["Simple"]
        if not simple["Body"]:
            raise Refused(_error(400, "BadRequestException", "Body is empty."))
        for part in (simple["Subject"], *simple["Body"].values()):
            try:
                part["Data"].encode(part.get("Charset", "ascii"))
            except (UnicodeEncodeError, LookupError):
                raise Refused(_error(400, "BadRequestException", "Data is not in its charset.")) from None
        if _CONTROL.search(simple["Subject"]["Data"]):
            raise Refused(_error(400, "BadRequestException", "Subject has control characters."))
        for header in simple.get("Headers", ()):
            if header["Name"].lower() in _OWN_HEADERS:
                raise Refused(_error(400, "BadRequestException", f"Header {header['Name']} is not allowed."))
        name = parameters.get("ConfigurationSetName", "")
        if name and self.configuration_sets is not None and name not in self.configuration_sets:
            raise Refused(_error(404, "NotFoundException", f"Configuration set <{name}> does not exist."))
        if "FromEmailAddress" not in parameters:
            raise Refused(_error(400, "BadRequestException", "FromEmailAddress is missing."))
        if returns := parameters.get("FeedbackForwardingEmailAddress"):
            _return_path(returns)
        return _address(parameters["FromEmailAddress"])

    def _permitted(
        self, request: Request, region: str, sender: Address, parameters: Mapping[str, Any]
    ) -> None:
        prefix = f"arn:aws:ses:{region}:{ACCOUNT}"
        resources = [f"{prefix}:identity/{sender.domain}"]
        if name := parameters.get("ConfigurationSetName"):
            resources.append(f"{prefix}:configuration-set/{name}")
        for resource in resources:
            if not allowed(request, "ses:SendEmail", resource):
                text = f"not authorized to perform `ses:SendEmail' on resource `{resource}'"
                raise Refused(_error(403, "AccessDeniedException", text))

    def _accept(
        self, parameters: Mapping[str, Any], sender: Address, addresses: list[str], body: bytes
    ) -> Reply:
        simple = parameters["Content"]["Simple"]
        tags = {row["Name"]: row["Value"] for row in parameters.get("EmailTags", ())}
        message_id = f"{int(self.now().timestamp() * 1000):016x}-{uuid.uuid4()}-000000"
        replies = ", ".join(parameters.get("ReplyToAddresses", ()))
        headers = tuple((row["Name"], row["Value"]) for row in simple.get("Headers", ()))
        for address in addresses:
            self.keep(
                channel="email",
                to=bare(address),
                sender=sender.addr_spec,
                sender_name=sender.display_name,
                subject=simple["Subject"]["Data"],
                text=simple["Body"].get("Text", {}).get("Data", ""),
                packed_html=pack(simple["Body"].get("Html", {}).get("Data", "")),
                headers=((("Reply-To", replies),) if replies else ()) + headers,
                ref=f"{tags.get('notice_id', '')}:{tags.get('attempt', '')}".strip(":"),
                job_id=message_id,
                message_id=message_id,
                request=body,
                members=len(addresses),
                details=(
                    ("configuration_set", parameters.get("ConfigurationSetName", "")),
                    ("return_path", parameters.get("FeedbackForwardingEmailAddress", "")),
                    *((f"tag:{name}", value) for name, value in tags.items()),
                ),
            )
        return json_reply(200, {"MessageId": message_id})


@lru_cache(1024)
def _address(text: str) -> Address:
    """One mailbox, its name decoded; Refused if it is none."""
    if not text.isascii():
        raise Refused(_error(400, "BadRequestException", "Illegal address"))
    try:
        header: Any = _MAKE_HEADER("to", text)
        # Not the header's own display name: the parser leaves the space between adjacent encoded words.
        name = str(make_header(decode_header(parseaddr(text)[0])))
    except (ValueError, LookupError, MessageParseError):
        # The parser of the standard library gives up on hostile addresses in several ways.
        raise Refused(_error(400, "BadRequestException", "Illegal address")) from None
    if header.defects or len(header.addresses) != 1 or not header.addresses[0].domain:
        raise Refused(_error(400, "BadRequestException", "Missing final '@domain'"))
    if _CONTROL.search(name):
        raise Refused(_error(400, "BadRequestException", "Illegal address"))
    return Address(display_name=name, addr_spec=header.addresses[0].addr_spec)


def _return_path(text: str) -> None:
    """Refused for what a mail server would not take as a path (RFC 5321, 4.5.3.1.1)."""
    address = _address(text)
    if address.addr_spec != text or len(address.username) > LOCAL_MAX:
        raise Refused(_error(400, "BadRequestException", "Illegal return path"))


def bare(text: str) -> str:
    """The address of one mailbox, without its name; Refused if it is none."""
    return _address(text).addr_spec


def _error(status: int, code: str, message: str) -> Reply:
    return json_reply(status, {"message": message}, ("x-amzn-ErrorType", code))
