"""The simulated services of one stack, made of its deployment and joined to each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from simulation.nature import Nature
from simulation.service import Service
from simulation.services.dynamodb import DynamoDB, Table
from simulation.services.events import EventBridge
from simulation.services.events import Rule as SimulatedRule
from simulation.services.s3 import S3
from simulation.services.s3_objects import Bucket as SimulatedBucket
from simulation.services.s3_objects import Expiry
from simulation.services.secretsmanager import SecretsManager
from simulation.services.small import alarms, callers, stack
from simulation.services.sns import Sns, Topic
from simulation.services.sqs import Sqs
from simulation.services.sqs_queues import Queue as SimulatedQueue
from simulation.services.stepfunctions import StepFunctions

from .deployment import Bucket, Deployment

OVERDUE = 300.0

Invoke = Callable[[str, Any, str, Callable[[Any], None] | None], None]


class Services:
    """All services. `attend(queue, moment)` is told when a message becomes visible; `invoke(arn, event, name,
    then)` runs a function, without waiting where `then` is None."""

    def __init__(
        self, deployment: Deployment, nature: Nature, attend: Callable[[str, float], None], invoke: Invoke
    ) -> None:
        self._invoke = invoke
        self._nature = nature
        self.sqs = Sqs(
            nature,
            [SimulatedQueue.deployed(q.name, q.arn, q.url, q.attributes) for q in deployment.queues.values()],
            attend,
        )
        rules = [
            SimulatedRule.deployed(
                rule.name,
                {
                    "EventPattern": rule.pattern,
                    "State": "ENABLED" if rule.enabled else "DISABLED",
                    "Targets": rule.targets,
                },
            )
            for rule in deployment.rules.values()
        ]
        self.events = EventBridge(nature, [rule for rule in rules if rule], self._deliver)
        self.s3 = S3(nature, map(_bucket, deployment.buckets.values()), self.events.emit)
        tables = [Table.from_template(name, properties) for name, properties in deployment.tables.items()]
        self.dynamodb = DynamoDB(nature, tables)
        self._notices = deployment.outputs["NoticesTableName"]
        self.secrets = SecretsManager(nature)
        nature.place = "deployment"
        for arn, text in deployment.secrets.items():
            self.secrets.create(arn, arn.rpartition(":")[2].removesuffix("-Sim001"), text)
        self.sns = Sns(nature, [_topic(arn, deployment) for arn in deployment.topics], self.sqs.put)
        self.states = StepFunctions(
            nature, deployment.machines, invoke, lambda request: self.events.call("PutEvents", request)
        )
        simulated: tuple[Service, ...] = (
            self.sqs, self.events, self.s3, self.secrets, self.dynamodb, self.sns, self.states,
            callers(), alarms(), stack(deployment.resources),
        )  # fmt: skip
        self.by_name = {service.name: service for service in simulated}

    def call(self, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """A call of the world's own: without time, and nothing goes wrong on its way. Raises Refused."""
        self._nature.place = f"world {service}.{operation}"
        return self.by_name[service].call(operation, request)

    def next_due(self, sought: Callable[[str], bool] = lambda key: True) -> float | None:
        """When the next thing in the ledger's due index is due, of those whose key is sought; epoch seconds.

        What is overdue by more than `OVERDUE` seconds does not count: no look takes it.
        """
        since = self._nature.timeline.now - OVERDUE
        hour = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H")
        found: float | None = None
        for slot in sorted(self.dynamodb.slots(self._notices, "due"), reverse=True):
            # Slots are named by their hour, or by a kind (`watch#1`), which sorts behind all hours.
            by_hour = slot[:1].isdigit()
            if by_hour and slot < hour:
                break
            for item in self.dynamodb.newest(self._notices, "due", slot):
                if "due_at" in item and sought(item["pk"]["S"]):
                    moment = _epoch(item["due_at"]["S"])
                    if moment > since and (found is None or moment < found):
                        found = moment
        return found

    def moving(self) -> bool:
        """Whether an execution does something just now; those that wait are at rest."""
        return self.states.active > 0

    def _deliver(self, arn: str, event: dict[str, Any], name: str) -> None:
        """Hand an event to the target of a rule."""
        if ":lambda:" in arn:
            self._invoke(arn, event, name, None)
        else:
            self.sqs.put(arn, json.dumps(event, separators=(",", ":")), name)


@lru_cache(maxsize=4096)
def _epoch(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _bucket(bucket: Bucket) -> SimulatedBucket:
    lock = ((bucket.lock or {}).get("Rule") or {}).get("DefaultRetention")
    return SimulatedBucket(
        bucket.name,
        versioned=bucket.versioned,
        events=bucket.tells_events,
        expiry=tuple(map(_expiry, bucket.lifecycle)),
        lock=(lock["Mode"], int(lock["Days"])) if lock else None,
    )


def _topic(arn: str, deployment: Deployment) -> Topic:
    """A topic with its queues; a team reads one that has none."""
    queues = tuple((s.queue_arn, s.raw) for s in deployment.subscriptions if s.topic_arn == arn)
    return Topic(arn, queues, people=0 if queues else 1)


def _expiry(rule: Mapping[str, Any]) -> Expiry:
    return Expiry(
        rule["Filter"]["Prefix"],
        current=rule.get("Expiration", {}).get("Days"),
        noncurrent=rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
        uploads=rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
    )
