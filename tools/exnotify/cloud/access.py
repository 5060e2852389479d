"""Who may do what in the embedded cloud: identities, policies, refusals.

Every request is checked against the policies of the role that signed it and the policy of the bucket or
queue it touches. The administrator's key may do everything. Signatures are not verified: the access key id
alone says who calls, since nothing but this machine can reach the cloud.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from .actions import Need, Place, UnknownActionError, needs
from .aws_request import AwsRequest, split_s3_path
from .permissions import Caller, Context, Decision, Statement, evaluate, parse

#: Credentials of the administrator: the deployer, the command line and tests use them.
ADMIN_ACCESS_KEY = "AKIAEXNOTIFYLOCALADM"
ADMIN_SECRET_KEY = "only-good-on-this-machine"  # noqa: S105 - opens nothing but the embedded cloud


class PolicyStore(Protocol):
    """Where identities and their policies are kept."""

    place: Place

    def role_of(self, access_key: str) -> tuple[str, str] | None:
        """Role name and session ARN behind an access key id."""

    def role_documents(self, role: str) -> list[str]:
        """The role's policy documents, as JSON."""

    def resource_document(self, resource: str) -> str | None:
        """The policy on a bucket or queue, as JSON."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed a request; `role` is empty for the administrator."""

    arn: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused."""

    code: str
    message: str


class AccessControl:
    """Decides on requests by the deployed policies."""

    def __init__(self, store: PolicyStore) -> None:
        self._store = store
        self._admin = Identity(f"arn:aws:iam::{store.place.account}:user/administrator")
        self._identities: dict[str, Identity] = {ADMIN_ACCESS_KEY: self._admin}
        self._statements: dict[str, tuple[Statement, ...]] = {}

    def forget(self) -> None:
        """Reads every policy anew; call it after a policy has changed."""
        self._statements = {}

    def identity(self, access_key: str) -> Identity | None:
        """Who the access key id belongs to; None if nobody."""
        known = self._identities.get(access_key)
        if known is None:
            session = self._store.role_of(access_key)
            if session is None:
                return None
            known = self._identities[access_key] = Identity(arn=session[1], role=session[0])
        return known

    def allowed(
        self, access_key: str | None, action: str, resource: str = "*", context: Context | None = None
    ) -> bool:
        """Whether the holder of an access key id may do `action` on `resource`."""
        identity = self.identity(access_key or "")
        return identity is not None and self._permits(identity, Need(action, resource, context or {}))

    def service_allowed(self, service: str, action: str, resource: str, source_arn: str) -> bool:
        """Whether an AWS service (`events.amazonaws.com`) may act on a queue or bucket for `source_arn`."""
        context = self._context(Need(action, resource, {"aws:SourceArn": source_arn}))
        statements = self._resource_statements(resource)
        return evaluate(statements, Caller(service=service), action, resource, context) is Decision.ALLOW

    def role_allowed(self, role: str, action: str, resource: str) -> bool:
        """Whether a role, whoever assumes it, may do `action` on `resource`."""
        arn = f"arn:aws:sts::{self._store.place.account}:assumed-role/{role}/any"
        return self._permits(Identity(arn, role), Need(action, resource))

    def check(self, request: AwsRequest) -> Refusal | None:
        """None if the request may go on."""
        identity = self.identity(request.access_key)
        if identity is None:
            code = "InvalidAccessKeyId" if request.service == "s3" else "UnrecognizedClientException"
            return Refusal(
                code, f"The access key id {request.access_key} is not known to the embedded cloud."
            )
        if request.operation == "GetCallerIdentity":  # always allowed, even against a Deny
            return None
        try:
            needed = needs(request, self._store.place)
        except UnknownActionError as unknown:
            return None if not identity.role else Refusal("AccessDenied", f"unknown here: {unknown}")
        for need in needed:
            if not self._permits(identity, need):
                return Refusal(_DENIED.get(request.service, "AccessDeniedException"), _denial(identity, need))
        return None

    def hides_absence(self, request: AwsRequest) -> bool:
        """Whether a missing object must look forbidden: S3 says 404 only to who may list the bucket."""
        identity = self.identity(request.access_key)
        bucket, key = split_s3_path(request.path)
        if identity is None or not key or request.method not in ("GET", "HEAD"):
            return False
        return not self._permits(identity, Need("s3:ListBucket", f"arn:aws:s3:::{bucket}"))

    def _permits(self, identity: Identity, need: Need) -> bool:
        caller = Caller(arn=identity.arn)
        context = self._context(need, identity)
        by_resource = evaluate(
            self._resource_statements(need.resource), caller, need.action, need.resource, context
        )
        if by_resource is Decision.DENY:
            return False
        if not identity.role:
            return True
        by_role = evaluate(self._role_statements(identity.role), caller, need.action, need.resource, context)
        return by_role is not Decision.DENY and Decision.ALLOW in (by_role, by_resource)

    def _context(self, need: Need, identity: Identity | None = None) -> dict[str, str]:
        place = self._store.place
        given = {
            # The loopback stands for TLS: nothing on the way could read along.
            "aws:SecureTransport": "true",
            "aws:RequestedRegion": place.region,
            "aws:SourceAccount": place.account,
            **need.context,
        }
        if identity is not None:
            del given["aws:SourceAccount"]
            given |= {"aws:PrincipalArn": identity.arn, "aws:PrincipalAccount": place.account}
        return {key.lower(): value for key, value in given.items()}

    def _role_statements(self, role: str) -> tuple[Statement, ...]:
        return self._compiled(f"role/{role}", lambda: self._store.role_documents(role))

    def _resource_statements(self, resource: str) -> tuple[Statement, ...]:
        if not resource.startswith(("arn:aws:s3:", "arn:aws:sqs:")):
            return ()
        owner = resource.partition("/")[0]
        return self._compiled(owner, lambda: [d for d in (self._store.resource_document(owner),) if d])

    def _compiled(self, key: str, documents: "_Documents") -> tuple[Statement, ...]:
        if key not in self._statements:
            compiled = [statement for text in documents() for statement in parse(json.loads(text))]
            self._statements[key] = tuple(compiled)
        return self._statements[key]


class _Documents(Protocol):
    def __call__(self) -> Sequence[str]: ...


_DENIED = {"s3": "AccessDenied", "sqs": "AccessDenied", "iam": "AccessDenied", "sts": "AccessDenied"}


def _denial(identity: Identity, need: Need) -> str:
    return (
        f"User: {identity.arn} is not authorized to perform: {need.action} on resource: {need.resource} "
        "because no identity-based policy allows it, or a policy denies it"
    )


def refuse(refusal: Refusal, protocol: str, method: str = "POST") -> Response:
    """The refusal as the service's protocol puts it."""
    code, message = refusal.code, refusal.message
    request_id = secrets.token_hex(16)
    headers: Mapping[str, str] = {"x-amzn-requestid": request_id}
    if protocol == "s3":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>"
            f"<RequestId>{request_id}</RequestId></Error>"
        )
        return Response("" if method == "HEAD" else body, 403, {**headers, "content-type": "application/xml"})
    if protocol == "query":
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
            f"<Message>{escape(message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return Response(body, 403, {**headers, "content-type": "text/xml"})
    if protocol == "cbor":
        cbor = b"\xa2" + _cbor("__type") + _cbor(code) + _cbor("message") + _cbor(message)
        kind = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return Response(cbor, 403, {**headers, **kind})
    text = json.dumps({"__type": code, "message": message, "Message": message})
    kind = {"content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code}
    return Response(text, 400 if protocol == "json" else 403, {**headers, **kind})


def _cbor(text: str) -> bytes:
    data = text.encode()
    return b"\x79" + len(data).to_bytes(2, "big") + data  # a text string with a 16-bit length
