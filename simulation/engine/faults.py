"""What may go wrong between the product and the services, by kind: one table.

What a service does by itself (unprocessed keys, a message twice, an event late) is the service's own, and
what a provider answers is `simulation.outside`'s. A rate that a profile leaves out is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KINDS: Final[Mapping[str, str]] = {
    "crash_before": "the process is gone before a call had an effect",
    "crash_after": "the process is gone after a call had its effect, and before it had the answer",
    "crash_between": "the process is gone when it has the answer",
    "throttled": "a call is refused because there were too many; the client tries again",
    "server_error": "a call is answered with status 500, with or without its effect; the client tries again",
    "lost_answer": "a call has its effect and the connection breaks; the client tries again",
    "slow": "a call takes seconds",
    "frozen": "the process stands still for minutes, before the call's effect or after it",
    "stalled": "the process stands still for a minute or two: longer than a lease, shorter than its time-out",
    "cold": "a function's instance is lost, so a new one starts",
    "redelivered": "the poller does not delete messages that were dealt with",
    "poll_partial": "a poll brings fewer messages than there are",
    "schedule_missed": "a schedule does not fire",
    "invoked_twice": "an asynchronous invocation, or one by a schedule, happens twice",
}

OF_EXCHANGES: Final = ("crash_before", "crash_after", "crash_between", "slow", "frozen", "stalled")
"""What may happen to an exchange over HTTP; what goes wrong on its way is `outside`'s."""

OF_SENDS: Final = (*OF_EXCHANGES, "lost_answer")
"""What may happen to a call of a provider within AWS, beside what `outside` has it answer."""

OF_CALLS: Final = (*OF_SENDS, "throttled", "server_error")
"""What may happen to a call of any other service. Of one call at most one does."""

THROTTLED: Final[Mapping[str, tuple[str, int]]] = {
    "dynamodb": ("ThrottlingException", 400),
    "s3": ("SlowDown", 503),
    "sqs": ("ThrottlingException", 400),
    "events": ("ThrottlingException", 400),
    "stepfunctions": ("ThrottlingException", 400),
    "secretsmanager": ("ThrottlingException", 400),
    "sns": ("Throttled", 429),
}
"""How a service refuses a call too many: its code and its status. The providers' own are in `outside`."""

SERVER_ERROR: Final[Mapping[str, str]] = {
    "dynamodb": "InternalServerError",
    "s3": "InternalError",
    "sqs": "InternalError",
    "events": "InternalException",
    "stepfunctions": "InternalServerError",
    "secretsmanager": "InternalServiceError",
    "sns": "InternalError",
}

TRIED_AGAIN: Final = frozenset({
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException",
    "TooManyRequestsException", "ProvisionedThroughputExceededException", "TransactionInProgressException",
    "RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled",
    "SlowDown", "PriorRequestNotComplete", "RequestTimeout", "RequestTimeoutException",
})  # fmt: skip
"""Codes after which botocore's standard mode tries again (botocore.retries.standard)."""

STATUSES_TRIED_AGAIN: Final = frozenset({500, 502, 503, 504})
