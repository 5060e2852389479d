"""Whether alarms can do what they promise: some sources report too seldom, and SQS hides some ages."""

from collections.abc import Mapping
from typing import Any

MATH_METRICS = 10
"""Metrics that an alarm's expression may read ("Alarms on math expressions", CloudWatch user guide)."""

HIDDEN_AFTER = 2
"""Visibility time-outs until a message was given out three times, which is when SQS leaves it out of
ApproximateAgeOfOldestMessage ("Available CloudWatch metrics for Amazon SQS")."""


DELAY = 180
"""Seconds that a metric may come late. FILL fills its newest points meanwhile, again and again ("Using metric
math", CloudWatch user guide)."""


def can_fire(name: str, row: Mapping[str, Any], metrics: int) -> None:
    """Raise ValueError for an alarm that cannot come on, or that comes on between two reports.

    `every` is how often the source speaks, in seconds, or `once`: the fault may be reported a single time.
    """
    period, every = int(row["period"]), row["every"]
    enough, of = (int(number) for number in row["points"].split(" of "))
    if metrics > MATH_METRICS:
        raise ValueError(f"{name}: {metrics} metrics, and an alarm reads {MATH_METRICS} at most")
    if "FILL" in row.get("expression", row.get("each", "")) and of - DELAY // period < enough:
        raise ValueError(f"{name}: of {of} data points FILL makes up the newest, and {enough} must be real")
    if period * of > (604_800 if period >= 3600 else 86_400):
        raise ValueError(f"{name}: an alarm looks at a day at most, or at a week by hours")
    missing = row.get("missing", "notBreaching")
    if every == "once":
        if enough > 1:
            raise ValueError(f"{name}: a single report never makes {enough} data points")
        if missing == "breaching":
            raise ValueError(f"{name}: without a fault it would be on")
        return
    reported = of if period >= every else period * of // every
    if reported < enough:
        raise ValueError(
            f"{name}: {enough} of {of} data points, and its source reports {reported} in that time"
        )
    if missing == "breaching" and period < every:
        raise ValueError(f"{name}: between two reports it would be on")


def is_covered(name: str, queue: Mapping[str, Any], promise: int) -> None:
    """Raise ValueError for a queue whose messages could all fail for longer than its promise, unseen.

    Messages that keep failing leave the queue's age; then the dead letters have to come within the promise.
    `queue` are its properties, `promise` is in seconds.
    """
    visibility = int(queue["VisibilityTimeout"])
    dead_after = visibility * int(queue["RedrivePolicy"]["maxReceiveCount"])
    if promise >= HIDDEN_AFTER * visibility and dead_after > promise:
        raise ValueError(
            f"{name}: messages that keep failing leave its age after {HIDDEN_AFTER * visibility} seconds, "
            f"and are dead letters after {dead_after}: its promise of {promise} is not watched"
        )
