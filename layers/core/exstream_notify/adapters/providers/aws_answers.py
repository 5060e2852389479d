"""What the answers common to AWS services, and their absence, mean for an attempt to send.

Codes: "Common Error Types" of the services' API references and botocore's exceptions. AWS documents
that a throttled or unavailable call was not carried out; an internal failure only says that it failed,
so it stays in doubt. A status without an error code was not written by the service itself but by
something in front of it: `http_<status>`. Trouble with account or credentials is *try again*, since
the message is sound and a breaker then defers a run instead of failing it.
"""

from typing import Final

from ...domain.messages import Answer, GiveUp, TryAgain, Unconfirmed
from .errors import AFTER_REPAIR, Row

_THROTTLED: Final = TryAgain("throttled")
_CREDENTIALS: Final = TryAgain("credentials_refused", AFTER_REPAIR)
_INTERNAL: Final = Unconfirmed("service_error")


def _rows(answer: Answer, why: str, *codes: str) -> tuple[Row, ...]:
    return tuple(Row(code, answer, why) for code in codes)


# fmt: off
ROWS: Final[tuple[Row, ...]] = (
    # Before the request: nothing was written.
    *_rows(
        TryAgain("no_connection"), "name or TCP failed",
        "EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError",
    ),
    Row("SSLError", TryAgain("no_connection"), "the handshake failed", "CERTIFICATE_VERIFY_FAILED"),
    *_rows(
        TryAgain("credentials_unavailable", AFTER_REPAIR), "there was nothing to sign with",
        "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError",
        "TokenRetrievalError", "NoAuthTokenError", "NoRegionError", "client_unavailable",
    ),
    *_rows(
        GiveUp("request_malformed"), "refused by the SDK, before the first byte",
        "ParamValidationError", "UnknownServiceError", "InvalidEndpointDiscoveryConfigurationError",
    ),
    # The request was, or may have been, written, and no answer came.
    Row("ReadTimeoutError", Unconfirmed("answer_timeout"), "the request was complete"),
    Row("ConnectionClosedError", Unconfirmed("connection_lost"), "closed before an answer"),
    Row("SSLError", Unconfirmed("connection_lost"), "may also break while the answer is read"),
    Row("HTTPClientError", Unconfirmed("connection_lost"), "any other break on the way"),
    Row("ResponseParserError", Unconfirmed("answer_unreadable"), "an answer that cannot be read"),
    Row("Exception", Unconfirmed("unknown_error"), "whatever else the SDK raises, its parsers' slips too"),
    # Answers of the service.
    *_rows(
        _THROTTLED, "refused unprocessed",
        "ThrottlingException", "Throttling", "ThrottledException", "TooManyRequestsException",
        "RequestThrottled", "RequestThrottledException", "RequestLimitExceeded", "SlowDown", "http_429",
    ),
    *_rows(
        TryAgain("service_down"), "documented: the call failed for a temporary reason",
        "ServiceUnavailable", "ServiceUnavailableException",
    ),
    *_rows(
        _CREDENTIALS, "credentials, clock or signature",
        "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "IncompleteSignatureException",
        "InvalidClientTokenId", "InvalidSignatureException", "MissingAuthenticationToken",
        "MissingAuthenticationTokenException", "NotAuthorized", "OptInRequired", "RequestExpired",
        "SignatureDoesNotMatch", "UnrecognizedClientException",
    ),
    *_rows(
        TryAgain("access_denied", AFTER_REPAIR), "the role, or the account, may not",
        "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "http_401", "http_403",
    ),
    *_rows(
        _INTERNAL, "failed for an unknown reason, at an unknown point",
        "InternalFailure", "InternalServerError", "InternalServerException", "InternalServiceError",
    ),
    *_rows(
        Unconfirmed("answer_timeout"), "which side gave up, and when, is not said",
        "RequestTimeout", "RequestTimeoutException", "http_504",
    ),
    # Anything else, by status.
    Row("answer_without_id", Unconfirmed("answer_unreadable"), "success, but no message id to hold on to"),
    Row("http_408", TryAgain("service_busy"), "the request did not arrive whole (RFC 9110, 15.5.9)"),
    Row("http_413", GiveUp("content_too_large", "content"), "too large"),
    Row("http_503", Unconfirmed("service_down"), "without a code of the service: a balancer's, at any point"),
    Row("http_4xx", GiveUp("request_refused"), "the request is at fault and was not processed"),
    Row("http_5xx", Unconfirmed("service_error"), "it failed at some point of the work; which is not known"),
)
# fmt: on
