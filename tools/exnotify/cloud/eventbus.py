"""EventBridge as it delivers: S3's events, matching rules, target permissions, dead letters."""

import itertools
import json
import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from .access import AccessControl
from .clock import Clock
from .emulator import ACCOUNT, Emulator

logger = logging.getLogger(__name__)

PRINCIPAL = "events.amazonaws.com"

Event = dict[str, Any]

# moto's names of what happened to an object, with the event's reason: "EventBridge event message structure",
# S3 user guide. moto tells of deletions too, but not of delete markers: those events are left out.
_REASONS = {
    "s3:ObjectCreated:Put": "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
}
#: Detail types of S3 that the embedded cloud emits; a rule on any other is refused at deployment.
OBJECT_DETAIL_TYPES = frozenset({"Object Created"})


def as_matched(value: Any) -> Any:
    """An event as EventBridge matches it: a pattern looks into objects within an array ("Event patterns",
    EventBridge user guide: matching on arrays; aws/event-ruler flattens them). moto does not.

    An array of objects becomes one object with all values of each name.
    """
    if isinstance(value, Mapping):
        return {name: as_matched(inner) for name, inner in value.items()}
    if isinstance(value, list) and value and all(isinstance(inner, Mapping) for inner in value):
        names = dict.fromkeys(name for inner in value for name in inner)
        found = {name: [inner[name] for inner in value if name in inner] for name in names}
        return {name: as_matched(values if len(values) > 1 else values[0]) for name, values in found.items()}
    return value


class EventBus:
    """Carries events from their sources to the targets of the rules that match.

    `invoke(function_arn, event)` starts a function asynchronously.
    """

    def __init__(
        self,
        emulator: Emulator,
        access: AccessControl,
        clock: Clock,
        invoke: Callable[[str, Any], None],
        may_invoke: Callable[[str, str, str], bool],
        measure: Callable[[str, str], None] = lambda metric, rule: None,
    ) -> None:
        self._emulator = emulator
        self._access = access
        self._clock = clock
        self._invoke = invoke
        self._may_invoke = may_invoke
        self._measure = measure  # told of a metric of AWS/Events, and the rule that it is about
        self._sequence = itertools.count(1)

    def route(self, rule: Any, event: Mapping[str, Any]) -> None:
        """Delivers an event to the targets of one of moto's rules, if the rule is enabled and matches."""
        # moto takes a rule without a pattern (a schedule) to match every event.
        if rule.state != "ENABLED" or not rule.event_pattern.dump():
            return
        message = self._message(event)
        if rule.event_pattern.matches_event(as_matched(message)):
            for target in rule.targets:
                self.send(target, rule.arn, message)

    def send(self, target: Mapping[str, Any], rule_arn: str, message: Event) -> None:
        """Hands an event to one target of a rule; to the target's dead-letter queue if it may not."""
        arn = str(target["Arn"])
        body = _input(target, message)
        if self._hand_over(arn, rule_arn, body):
            return
        rule = rule_arn.rpartition("/")[2]
        self._measure("FailedInvocations", rule)
        letters = target.get("DeadLetterConfig", {}).get("Arn")
        if letters and self._may_send(letters, rule_arn):
            logger.warning("%s may not act on %s: the event went to %s", rule_arn, arn, letters)
            self._enqueue(letters, body)
        else:
            if letters:
                self._measure("InvocationsFailedToBeSentToDlq", rule)
            logger.warning(
                "%s may not act on %s, as on AWS: the event is lost (no policy allows it)", rule_arn, arn
            )

    def object_event(self, name: str, bucket: Any, key: Any) -> None:
        """What S3 tells EventBridge about an object, if the bucket has EventBridge on."""
        configured = bucket.notification_configuration
        if configured is None or configured.event_bridge is None or name not in _REASONS:
            return
        from moto.events.models import events_backends

        backend = events_backends[ACCOUNT][self._emulator.region]
        event = self._object_message(_REASONS[name], bucket, key)
        for rule in list(backend.event_buses["default"].rules.values()):  # S3 knows no other bus
            self.route(rule, event)

    # ----

    def _hand_over(self, arn: str, rule_arn: str, body: Event | str) -> bool:
        if ":lambda:" in arn:
            if not self._may_invoke(PRINCIPAL, arn, rule_arn):
                return False
            self._invoke(arn, json.loads(body) if isinstance(body, str) else body)
            return True
        if not self._may_send(arn, rule_arn):
            return False
        self._enqueue(arn, body)
        return True

    def _may_send(self, queue_arn: str, rule_arn: str) -> bool:
        return self._access.service_allowed(PRINCIPAL, "sqs:SendMessage", queue_arn, rule_arn)

    def _enqueue(self, queue_arn: str, body: Event | str) -> None:
        text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
        with self._emulator.lock:
            self._emulator.sqs().send_message(queue_arn.rpartition(":")[2], text)

    def _message(self, event: Mapping[str, Any]) -> Event:
        return {
            "version": "0",
            "id": event.get("id") or str(uuid.uuid4()),
            "detail-type": event["detail-type"],
            "source": event["source"],
            "account": ACCOUNT,
            "time": self._clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._emulator.region,
            "resources": event.get("resources", []),
            "detail": event["detail"],
        }

    def _object_message(self, reason: str, bucket: Any, key: Any) -> Event:
        number = next(self._sequence)
        described: Event = {"key": key.name, "size": key.size, "etag": key.etag.strip('"')}
        if bucket.is_versioned:
            described["version-id"] = key.version_id
        described["sequencer"] = f"{number:018X}"
        return {
            "id": str(uuid.uuid4()),
            "detail-type": "Object Created",
            "source": "aws.s3",
            "resources": [bucket.arn],
            "detail": {
                "version": "0",
                "bucket": {"name": bucket.name},
                "object": described,
                "request-id": f"{number:016X}",
                "requester": ACCOUNT,
                "source-ip-address": "127.0.0.1",
                "reason": reason,
            },
        }


def _input(target: Mapping[str, Any], message: Event) -> Event | str:
    if "Input" in target:
        return str(target["Input"])
    value: Any = message
    for name in str(target.get("InputPath", "$")).split(".")[1:]:
        value = value.get(name, {}) if isinstance(value, Mapping) else {}
    return value if isinstance(value, (dict, str)) else json.dumps(value)
