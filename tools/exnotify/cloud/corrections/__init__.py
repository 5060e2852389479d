"""Where moto 5.2.5 does other than AWS, or too slowly, corrected: one small function for each.

Each correction replaces named attributes of moto's modules, and is undone when the cloud stops. Every one
has a test in tests/cloud/test_corrections.py, beside one that shows what moto does without it (but for
`queue_time`, which only saves time): when that fails, a new version of moto has made it superfluous.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ..access import AccessControl
from ..clock import Clock
from ..eventbus import EventBus
from . import dynamodb, events, requests, s3, sqs
from .patches import Patches


@contextmanager
def corrected(bus: EventBus, access: AccessControl, clock: Clock) -> Iterator[None]:
    """moto with every correction, for the time of the context."""
    patches = Patches()
    try:
        s3.s3_events(patches, bus)
        s3.object_retention(patches)
        events.rule_delivery(patches, bus)
        events.topic_delivery(patches, access)
        events.topic_limits(patches)
        events.event_sizes(patches)
        events.topic_subscriptions(patches)
        s3.bucket_policies(patches)
        dynamodb.transactions(patches)
        dynamodb.transaction_tokens(patches)
        dynamodb.request_limits(patches)
        sqs.queue_attributes(patches)
        sqs.queue_time(patches)
        sqs.message_sizes(patches)
        sqs.receipt_handles(patches)
        requests.method_lookup(patches)
        if clock.is_virtual:
            events.topic_time(patches, clock)
            s3.object_time(patches, clock)
            sqs.queue_delay(patches, clock)
        yield
    finally:
        for undo in reversed(patches.undo):
            undo()
