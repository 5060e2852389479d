"""What a report proves, by who says it: a mail is believed as far as its reference and its address go."""

from dataclasses import replace
from datetime import datetime

from .notices import Notice, claimed_at
from .receipts import Receipt, Source, stamp
from .references import LIFE


def proven(receipt: Receipt, notice: Notice | None, now: datetime) -> Receipt | None:
    """The receipt as far as it proves what it says, or None if it proves nothing.

    A provider's word counts as it is. A mail's counts if its reference verifies, the attempt that it names
    exists and is not older than a reference lives, and the address that failed is that attempt's: then it
    is about that address alone. A mail dated before its message has a wrong clock: it counts as of now.
    """
    if receipt.said_by == Source.PROVIDER:
        return receipt
    if receipt.said_by != Source.BEARER or receipt.attempt is None or notice is None:
        return None
    attempt, since = notice.attempt(receipt.attempt), claimed_at(notice, receipt.attempt)
    if attempt is None or since is None or now - since > LIFE:
        return None
    if attempt.channel != receipt.channel or not attempt.address or attempt.address not in receipt.hashes:
        return None
    at = receipt.at if receipt.at >= stamp(since) else stamp(now)
    return replace(receipt, at=at, hashes=(attempt.address,), sole=True)


def listed(notice: Notice, receipt: Receipt) -> Receipt:
    """The receipt as the suppression list counts it: a mail at the time of its attempt.

    However often it comes, it is one failure then, and one from before a release does not undo it.
    """
    since = claimed_at(notice, receipt.attempt) if receipt.attempt is not None else None
    if receipt.said_by == Source.PROVIDER or since is None:
        return receipt
    return replace(receipt, at=stamp(since))


def jump(before: int, after: int, limit: int) -> bool:
    """Whether a count that grew has reached the limit, or the limit doubled, and so on.

    So a storm is told a few times with its size, and not once for each mail.
    """
    while limit <= before:
        limit *= 2
    return after >= limit
