"""EventBridge and SNS: what is delivered, and whether it may be."""

import logging
from datetime import UTC
from typing import Any

from ..access import AccessControl
from ..clock import Clock
from ..eventbus import EventBus
from .patches import Patches

logger = logging.getLogger(__name__)


def rule_delivery(patches: Patches, bus: EventBus) -> None:
    """A disabled rule fires, a scheduled rule matches every event, queue policies count for nothing."""
    from moto.events.models import Rule

    def send_to_targets(rule: Any, original_event: Any, transform_input: bool = True) -> None:
        bus.route(rule, original_event)

    patches.set(Rule, "send_to_targets", send_to_targets)


def topic_delivery(patches: Patches, access: AccessControl) -> None:
    """A topic reaches a queue whatever the queue's policy says."""
    from moto.sns.models import Subscription

    original = Subscription.publish

    def publish(subscription: Any, *args: Any, **kwargs: Any) -> None:
        topic, queue = subscription.topic.arn, subscription.endpoint
        if subscription.protocol == "sqs" and not access.service_allowed(
            "sns.amazonaws.com", "sqs:SendMessage", queue, topic
        ):
            logger.warning(
                "%s may not send to %s, as on AWS: the message is lost (no policy allows it)", topic, queue
            )
            return
        original(subscription, *args, **kwargs)

    patches.set(Subscription, "publish", publish)


def topic_subscriptions(patches: Patches) -> None:
    """moto always reports a topic without subscriptions; here each subscription counts as confirmed."""
    from moto.sns.models import SNSBackend

    original = SNSBackend.get_topic

    def get_topic(backend: Any, arn: str) -> Any:
        topic = original(backend, arn)
        subscriptions = backend.subscriptions.values()
        topic.subscriptions_confimed = sum(s.topic.arn == topic.arn for s in subscriptions)
        return topic

    patches.set(SNSBackend, "get_topic", get_topic)


_SUBJECT_MAX = 99
_BYTES_MAX = 256 * 1024


def topic_time(patches: Patches, clock: Clock) -> None:
    """A topic dates what it delivers by the cloud's clock."""
    from moto.sns import models

    def timestamp() -> str:
        return clock.utc().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    patches.set(models, "iso_8601_datetime_with_milliseconds", timestamp)


def topic_limits(patches: Patches) -> None:
    """A subject of 100 characters passes, or one with line breaks, or a message whose characters take more
    than 256 KB: "Publish", Amazon SNS API reference."""
    from moto.sns.exceptions import InvalidParameterValue
    from moto.sns.models import SNSBackend

    original = SNSBackend.publish

    def publish(backend: Any, *args: Any, **kwargs: Any) -> Any:
        subject = kwargs.get("subject")
        if subject is not None and not (1 <= len(subject) <= _SUBJECT_MAX and subject.isprintable()):
            raise InvalidParameterValue("Invalid parameter: Subject")
        if len(str(kwargs.get("message") or (args[0] if args else "")).encode()) > _BYTES_MAX:
            raise InvalidParameterValue("Invalid parameter: Message too long")
        return original(backend, *args, **kwargs)

    patches.set(SNSBackend, "publish", publish)


def event_sizes(patches: Patches) -> None:
    """Events of any size pass; AWS refuses a request with more than 256 KB of them: "Calculating PutEvents
    event entry size", EventBridge user guide."""
    from moto.events.exceptions import ValidationException
    from moto.events.models import EventsBackend

    original = EventsBackend.put_events

    def put_events(backend: Any, events: list[dict[str, Any]]) -> Any:
        if sum(map(_entry_size, events)) > _BYTES_MAX:
            raise ValidationException("Total size of the entries in the request is over the limit.")
        return original(backend, events)

    patches.set(EventsBackend, "put_events", put_events)


def _entry_size(event: dict[str, Any]) -> int:
    texts = [event.get(name) or "" for name in ("Source", "DetailType", "Detail")]
    time = 14 if event.get("Time") else 0
    return time + sum(len(str(text).encode()) for text in (*texts, *(event.get("Resources") or ())))
