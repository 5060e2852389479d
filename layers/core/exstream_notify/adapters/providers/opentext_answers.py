"""What OpenText Notifications' answers, and their absence, mean for an attempt.

The service's error bodies are not public, so a row goes by HTTP status (RFC 9110) and by how far the
request got. Two principles: what is wrong with the account, its credentials or its set-up is *try
again*, since the message is sound and a breaker then defers a run instead of failing it; and where
a request may have reached the service, only a status that says "not processed" takes the doubt away.
"""

from typing import Final

from ...domain.messages import GiveUp, TryAgain, Unconfirmed
from .errors import AFTER_REPAIR, Row

_WRONG_ADDRESS: Final = TryAgain("address_of_service_wrong", AFTER_REPAIR)
_CREDENTIALS: Final = TryAgain("credentials_refused", AFTER_REPAIR)

# fmt: off
TABLE: Final[tuple[Row, ...]] = (
    # No connection: nothing was written.
    Row("ConnectError", TryAgain("no_connection"), "name, TCP or TLS failed before the request"),
    Row("ConnectTimeout", TryAgain("no_connection"), "TCP or TLS did not come up in time"),
    Row("PoolTimeout", TryAgain("no_connection"), "no connection of ours was free"),
    Row("ProxyError", TryAgain("no_connection"), "the proxy opened no tunnel"),
    Row("UnsupportedProtocol", _WRONG_ADDRESS, "no such scheme; never connected"),
    Row("LocalProtocolError", GiveUp("request_malformed"), "refused on our side, before the first byte"),
    # Something was, or may have been, written, and no answer came.
    Row("WriteTimeout", Unconfirmed("write_timeout"), "how much arrived is not known"),
    Row("WriteError", Unconfirmed("connection_lost"), "how much arrived is not known"),
    Row("ReadTimeout", Unconfirmed("answer_timeout"), "the request was complete"),
    Row("ReadError", Unconfirmed("connection_lost"), "the request was complete"),
    Row("RemoteProtocolError", Unconfirmed("connection_lost"), "closed, or garbage, instead of an answer"),
    Row("DecodingError", Unconfirmed("answer_unreadable"), "the answer's status cannot be trusted alone"),
    Row("TransportError", Unconfirmed("connection_lost"), "any other break on the way"),
    Row("Exception", Unconfirmed("unknown_error"), "whatever else: the request may be out"),
    # The token endpoint is asked before the request: nothing was sent.
    Row("token_refused", _CREDENTIALS, "client id or secret (RFC 6749, 5.2)"),
    Row("token_unavailable", TryAgain("token_unavailable"), "the token endpoint did not answer as it should"),
    Row("credentials_unavailable", TryAgain("credentials_unavailable", AFTER_REPAIR), "no secret"),
    # Answers.
    Row("answer_without_job", Unconfirmed("answer_unreadable"), "success, but no job id to hold on to"),
    Row("http_301", _WRONG_ADDRESS, "a redirect is not followed with credentials"),
    Row("http_302", _WRONG_ADDRESS, "as 301"),
    Row("http_307", _WRONG_ADDRESS, "as 301"),
    Row("http_308", _WRONG_ADDRESS, "as 301"),
    Row("http_3xx", Unconfirmed("redirected"), "303 would mean: done, look elsewhere (RFC 9110, 15.4.4)"),
    Row("http_400", GiveUp("request_refused"), "the service says that it cannot process it"),
    Row("http_401", _CREDENTIALS, "also with fresh credentials"),
    Row("http_402", TryAgain("account_refused", AFTER_REPAIR), "account"),
    Row("http_403", TryAgain("account_refused", AFTER_REPAIR), "the account may not; the message is sound"),
    Row("http_404", _WRONG_ADDRESS, "wrong host, or a path not enabled for us"),
    Row("http_407", TryAgain("no_connection", AFTER_REPAIR), "our own proxy refused"),
    Row("http_408", TryAgain("service_busy"), "the request did not arrive whole (RFC 9110, 15.5.9)"),
    Row("http_409", Unconfirmed("conflict"), "perhaps a message_id seen before, so perhaps on its way"),
    Row("http_413", GiveUp("content_too_large", "content"), "too large"),
    Row("http_421", TryAgain("no_connection"), "wrong server; not processed (RFC 9110, 15.5.20)"),
    Row("http_422", GiveUp("content_refused", "content"), "understood and refused"),
    Row("http_425", TryAgain("service_busy"), "refused unprocessed (RFC 8470, 5.2)"),
    Row("http_429", TryAgain("throttled"), "refused unprocessed (RFC 6585, 4)"),
    Row("http_499", Unconfirmed("gateway_gave_up"), "a gateway's private code for a lost client"),
    Row("http_4xx", GiveUp("request_refused"), "the request is at fault: not processed (RFC 9110, 15.5)"),
    Row("http_501", _WRONG_ADDRESS, "not implemented"),
    Row("http_503", TryAgain("service_down"), "with Retry-After it is a deliberate refusal", "retry-after"),
    Row("http_503", Unconfirmed("service_down"), "without, gateways also say it after the service broke off"),
    Row("http_505", _WRONG_ADDRESS, "HTTP version"),
    Row("http_5xx", Unconfirmed("service_error"), "it failed at some point of the work; which is not known"),
)
# fmt: on
