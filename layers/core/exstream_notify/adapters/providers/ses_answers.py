"""What Amazon SES v2's answers to SendEmail mean for an attempt.

Codes: the errors of SendEmail in the service's model; texts: "Amazon SES email sending errors".
"""

from typing import Final

from ...domain.messages import GiveUp, TryAgain
from . import aws_answers
from .errors import AFTER_REPAIR, Row

_ACCOUNT: Final = TryAgain("account_refused", AFTER_REPAIR)
_ADDRESS: Final = GiveUp("address_refused", "recipient")

# fmt: off
TABLE: Final[tuple[Row, ...]] = (
    Row("TooManyRequestsException", TryAgain("daily_quota", AFTER_REPAIR), "wait up to ten minutes", "daily"),
    Row("ThrottlingException", TryAgain("daily_quota", AFTER_REPAIR), "wait up to ten minutes", "daily"),
    Row("LimitExceededException", TryAgain("daily_quota", AFTER_REPAIR), "a quota of the account"),
    Row("AccountSuspendedException", _ACCOUNT, "the account, not the message"),
    Row("SendingPausedException", _ACCOUNT, "paused, until resumed"),
    Row("MailFromDomainNotVerifiedException", TryAgain("sender_not_verified", AFTER_REPAIR), "DNS to mend"),
    Row("NotFoundException", TryAgain("set_up_missing", AFTER_REPAIR), "no such configuration set or tenant"),
    Row("MessageRejected", GiveUp("identity_not_verified"), "sandbox: sender or recipient", "not verified"),
    Row("MessageRejected", GiveUp("content_refused", "content"), "invalid content"),
    Row("BadRequestException", _ADDRESS, "the address", "missing final '@domain'"),
    Row("BadRequestException", _ADDRESS, "the address", "illegal address"),
    Row("BadRequestException", _ADDRESS, "the address", "local address contains"),
    Row("BadRequestException", _ADDRESS, "the address", "invalid domain name"),
    Row("BadRequestException", GiveUp("content_too_large", "content"), "size", "message length"),
    Row("BadRequestException", GiveUp("request_refused"), "anything else in the request"),
    *aws_answers.ROWS,
)
# fmt: on
