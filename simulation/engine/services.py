"""The simulated services of one stack, made of its deployment and joined to each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from simulation.nature import Nature
from simulation.service import Service
from simulation.services.events import EventBridge
from simulation.services.events import Rule as SimulatedRule
from simulation.services.s3 import S3
from simulation.services.s3_objects import Bucket as SimulatedBucket
from simulation.services.s3_objects import Expiry
from simulation.services.secretsmanager import SecretsManager
from simulation.services.sqs import Sqs
from simulation.services.sqs_queues import Queue as SimulatedQueue

from .deployment import Bucket, Deployment

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
        self.secrets = SecretsManager(nature)
        nature.place = "deployment"
        for arn, text in deployment.secrets.items():
            self.secrets.create(arn, arn.rpartition(":")[2].removesuffix("-Sim001"), text)
        self.by_name: dict[str, Service] = {
            service.name: service for service in (self.sqs, self.events, self.s3, self.secrets)
        }

    def call(self, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """A call of the world's own: without time, and nothing goes wrong on its way. Raises Refused."""
        self._nature.place = f"world {service}.{operation}"
        return self.by_name[service].call(operation, request)

    def next_due(self) -> float | None:
        """When the next thing in the ledger's due index is due, in epoch seconds; it may be past."""
        return None

    def moving(self) -> bool:
        """Whether an execution does something just now; those that wait are at rest."""
        return False

    def _deliver(self, arn: str, event: dict[str, Any], name: str) -> None:
        """Hand an event to the target of a rule."""
        if ":lambda:" in arn:
            self._invoke(arn, event, name, None)
        else:
            self.sqs.put(arn, json.dumps(event, separators=(",", ":")), name)


def _bucket(bucket: Bucket) -> SimulatedBucket:
    lock = ((bucket.lock or {}).get("Rule") or {}).get("DefaultRetention")
    return SimulatedBucket(
        bucket.name,
        versioned=bucket.versioned,
        events=bucket.tells_events,
        expiry=tuple(map(_expiry, bucket.lifecycle)),
        lock=(lock["Mode"], int(lock["Days"])) if lock else None,
    )


def _expiry(rule: Mapping[str, Any]) -> Expiry:
    return Expiry(
        rule["Filter"]["Prefix"],
        current=rule.get("Expiration", {}).get("Days"),
        noncurrent=rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
        uploads=rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
    )
