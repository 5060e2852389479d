"""What AWS End User Messaging SMS v2's answers to SendTextMessage mean for an attempt.

Codes, and reasons in `detail`: the errors of SendTextMessage in the service's model. A destination
that is blocked or opted out is the recipient's, an origination identity or country that we have not
set up is ours.
"""

from typing import Final

from ...domain.messages import GiveUp, TryAgain
from . import aws_answers
from .errors import AFTER_REPAIR, Row

_QUOTA: Final = "ServiceQuotaExceededException"
_INVALID: Final = "ValidationException"
_CONFLICT: Final = "ConflictException"
_ACCOUNT: Final = TryAgain("account_refused", AFTER_REPAIR)
_SET_UP: Final = TryAgain("set_up_missing", AFTER_REPAIR)
_SENDER: Final = GiveUp("sender_not_usable")

# fmt: off
TABLE: Final[tuple[Row, ...]] = (
    Row(_QUOTA, TryAgain("spend_limit", AFTER_REPAIR), "raised, or next month", "MONTHLY_SPEND_LIMIT"),
    Row(_QUOTA, TryAgain("daily_quota", AFTER_REPAIR), "a limit of the account"),
    Row("AccessDeniedException", _ACCOUNT, "account", "ACCOUNT_DISABLED"),
    Row("AccessDeniedException", _ACCOUNT, "account", "INSUFFICIENT_ACCOUNT_REPUTATION"),
    Row("ResourceNotFoundException", _SET_UP, "no such number, pool or set"),
    Row(_INVALID, GiveUp("country_not_enabled"), "our set-up", "COUNTRY_NOT_ENABLED"),
    Row(_INVALID, GiveUp("country_not_enabled"), "our set-up", "DESTINATION_COUNTRY_BLOCKED"),
    Row(_INVALID, GiveUp("country_not_enabled"), "our set-up", "INTERNATIONAL_SENDING_NOT_SUPPORTED"),
    Row(_INVALID, _SENDER, "our number", "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY"),
    Row(_INVALID, _SENDER, "our number", "SENDER_ID_"),
    Row(_INVALID, GiveUp("price_over_limit"), "our limit", "PRICE_OVER_THRESHOLD"),
    Row(_INVALID, GiveUp("content_too_large", "content"), "the text", "MAXIMUM_SIZE_EXCEEDED"),
    Row(_INVALID, GiveUp("address_refused", "recipient"), "the number", "DestinationPhoneNumber"),
    Row(_INVALID, GiveUp("content_refused", "content"), "the text", "MessageBody"),
    Row(_INVALID, GiveUp("request_refused"), "anything else in the request"),
    Row(_CONFLICT, GiveUp("opted_out", "recipient"), "said STOP", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
    Row(_CONFLICT, GiveUp("identity_not_verified"), "sandbox", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED"),
    Row(_CONFLICT, GiveUp("blocked_by_protect"), "our protect configuration", "BLOCKED_BY_PROTECT"),
    Row(_CONFLICT, _SENDER, "none of our numbers fits", "NO_ORIGINATION_IDENTITIES_FOUND"),
    Row(_CONFLICT, _SENDER, "our number's type", "MESSAGE_TYPE_MISMATCH"),
    Row(_CONFLICT, _SENDER, "our number", "NUMBER_CAPABILITIES_MISMATCH"),
    Row(_CONFLICT, _SET_UP, "a number or pool still pending", "RESOURCE_NOT_ACTIVE"),
    Row(_CONFLICT, GiveUp("request_refused"), "any other state that forbids it"),
    *aws_answers.ROWS,
)
# fmt: on
