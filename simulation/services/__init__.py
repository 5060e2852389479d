"""The AWS services of one account, in memory, on virtual time; what goes wrong in them is drawn by kind."""

from collections.abc import Mapping
from typing import Final

FAULTS: Final[Mapping[str, str]] = {
    "sqs_partial": "an entry of a batch of messages fails, now and then though it was taken",
    "sqs_late": "a message can be received only minutes or hours after it was sent",
    "sqs_twice": "a message is received while another has it, or after it was deleted",
    "poll_partial": "fewer messages are received than there are",
    "events_partial": "an entry of a batch of events fails",
    "event_twice": "a rule's target gets an event twice",
    "event_late": "a rule's target gets an event minutes or hours later",
    "topic_twice": "a subscriber gets a message twice",
    "topic_late": "a subscriber gets a message minutes or hours later",
    "task_lost": "a state machine misses the answer of a function that succeeded",
    "states_stale": "an execution is described as it was some seconds ago",
    "s3_conflict": "a conditional write is refused because another one is under way",
    "dynamodb_stale": "an eventually consistent read is late",
    "dynamodb_index_lag": "an index is late with a write",
    "dynamodb_ttl_late": "an expired item is deleted late",
    "dynamodb_unprocessed": "a part of a batch is left over",
    "dynamodb_conflict": "another transaction holds an item",
    "dynamodb_throttled": "an item of a transaction is throttled",
}
"""By kind, what happens."""
