"""List prices of AWS, us-east-1, in US dollars, without free tiers, discounts or taxes.

As publicly listed by `AS_OF`; they change seldom and mostly downwards: check before relying on a sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

AS_OF = "2026-06"
REGION = "us-east-1"
GB = 1e9


@dataclass(frozen=True, slots=True)
class Price:
    """What `per` units cost."""

    what: str
    usd: float
    per: float
    unit: str

    def of(self, amount: float) -> float:
        """The price of so many units, in US dollars."""
        return self.usd * amount / self.per


PRICES: Mapping[str, Price] = {
    "dynamodb_write": Price("DynamoDB, on demand: write request units", 0.625, 1e6, "units"),
    "dynamodb_read": Price("DynamoDB, on demand: read request units", 0.125, 1e6, "units"),
    "dynamodb_storage": Price("DynamoDB: storage, standard class", 0.25, GB, "byte-months"),
    "dynamodb_recovery": Price("DynamoDB: point-in-time recovery", 0.20, GB, "byte-months"),
    "s3_put": Price("S3 Standard: PUT, LIST", 0.005, 1e3, "requests"),
    "s3_get": Price("S3 Standard: GET", 0.0004, 1e3, "requests"),
    "s3_storage": Price("S3 Standard: storage, first 50 TB", 0.023, GB, "byte-months"),
    "sqs_requests": Price(
        "SQS: standard queue, with the surcharge of message groups", 0.50, 1e6, "requests of 64 KB"
    ),
    "lambda_requests": Price("Lambda: requests", 0.20, 1e6, "requests"),
    "lambda_gb_seconds": Price("Lambda: duration, arm64, first tier", 0.0000133334, 1, "GB-seconds"),
    "state_transitions": Price("Step Functions: state transitions, standard", 0.025, 1e3, "transitions"),
    "eventbridge_events": Price("EventBridge: custom events", 1.00, 1e6, "events of 64 KB"),
    "logs": Price("CloudWatch Logs: ingestion, standard class", 0.50, GB, "bytes"),
    "logs_storage": Price("CloudWatch Logs: storage", 0.03, GB, "byte-months"),
    "metrics": Price("CloudWatch: custom metrics", 0.30, 1, "metric-months"),
    "alarm_metrics": Price("CloudWatch: alarms, standard resolution", 0.10, 1, "alarm-metric-months"),
    "composite_alarms": Price("CloudWatch: composite alarms", 0.50, 1, "alarm-months"),
    "dashboards": Price("CloudWatch: dashboards", 3.00, 1, "dashboard-months"),
    "secrets": Price("Secrets Manager: secrets", 0.40, 1, "secret-months"),
    "keys": Price("KMS: customer managed keys, before their first rotation", 1.00, 1, "key-months"),
    "secret_calls": Price("Secrets Manager: calls", 0.05, 1e4, "calls"),
    "transfer_out_bytes": Price("Data transfer out to the internet, first 10 TB", 0.09, GB, "bytes"),
}
"""By the unit's name in `bench.usage`."""
