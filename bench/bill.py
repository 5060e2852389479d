"""The bill for a million notices, from measured counts, sizes and CPU; and whether ten million fit.

What was measured (calls, capacity units by real item sizes, bytes, CPU) is multiplied with list prices;
what canned services cannot tell (how long a real one takes to answer) is an assumption that stands in
`ASSUMED_WAITS` and in the result. The provider's own fee is left out, and so is what a stack costs
while nothing happens, which is listed apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exstream_notify.adapters.index.parts import PART_BYTES, SLICE_RECORDS

from .notices import Result
from .prices import PRICES
from .template import alarm_metrics, alarms, composite_alarms, dashboards, functions, keys, queues, secrets
from .usage import Usage

MILLION = 1_000_000
TARGET = 4.50

ASSUMED_WAITS: Mapping[str, float] = {
    "dynamodb.GetItem": 0.004,
    "dynamodb.PutItem": 0.006,
    "dynamodb.BatchGetItem": 0.012,
    "dynamodb.TransactWriteItems": 0.025,
    "s3.GetObject": 0.030,
    "s3.PutObject": 0.040,
    "sqs.SendMessageBatch": 0.010,
    "events.PutEvents": 0.015,
    "secretsmanager.GetSecretValue": 0.010,
    "ses.SendEmail": 0.060,
    "opentext.emails": 0.150,
    "opentext.sms": 0.150,
}
"""Seconds that a function waits for an answer, by operation, within a region; OpenText over the internet."""

CORE_FACTOR = 1.5
"""For safety, a Lambda core of arm64 is taken to need this many times the CPU measured here."""

FULL_CORE_MB = 1769
"""Memory at which a function has one whole core (Lambda developer guide); below it, a share."""

PLATFORM_LOG_BYTES = 350
"""Lambda's own START, END and REPORT lines of an invocation."""

RECEIPT_EVENT_BYTES = 150
"""What a receipt adds to a ledger item: one event of the chain."""

RECORD_MONTHS = 4
JOB_MONTHS = 1
LOG_MONTHS = 3
EVIDENCE_MONTHS = 12
"""How long things lie, in months: the template's 120, 30 and 90 days; evidence for the year we count."""

METRICS = 16
"""Custom metrics: outcomes decided and sent, releases, exceptions, cold starts."""

POLLERS = 5
POLL_SECONDS = 20
"""Lambda's long polling of an idle queue: so many pollers, each asking this often."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the bill: quantity for a million notices, and US dollars."""

    what: str
    quantity: float
    unit: str
    usd: float


def _line(what: str, price: str, amount: float) -> Line:
    return Line(what, amount, PRICES[price].unit, PRICES[price].of(amount))


def _seconds(function: str, cpu: float, usage: Usage) -> float:
    """How long the function runs for CPU seconds and calls measured here."""
    share = min(1.0, functions()[function].memory / FULL_CORE_MB)
    waits = sum(ASSUMED_WAITS.get(name, 0.0) * times for name, times in usage.calls.items())
    return cpu * CORE_FACTOR / share + waits


def bill(result: Result, staging_rate: float) -> list[Line]:
    """The lines for a million notices of this scenario. `staging_rate`: records a second of CPU."""
    times = MILLION / result.notices
    usage = result.usage

    def used(unit: str) -> float:
        return usage.units.get(unit, 0.0) * times

    duration = {
        "decide_notices": _seconds("decide_notices", result.decide.cpu, result.decide_usage) * times,
        "send_notices": _seconds("send_notices", result.send.cpu, result.send_usage) * times,
        "stage_run": staging_seconds(MILLION, staging_rate, result.stored["parts"]),
    }
    gb_seconds = {name: seconds * functions()[name].memory / 1024 for name, seconds in duration.items()}
    parts = MILLION * result.stored["parts"]
    logs = used("log_bytes") + PLATFORM_LOG_BYTES * used("invocations")
    receipt_writes = math.ceil((result.stored["notice"] + RECEIPT_EVENT_BYTES) / 1024)
    return [
        _line("Ledger, contacts, runs: writes, with indexes", "dynamodb_write", used("dynamodb_write")),
        _line("Ledger, contacts, suppressions, runs: reads", "dynamodb_read", used("dynamodb_read")),
        _line("One receipt each: write", "dynamodb_write", MILLION * receipt_writes),
        _line("One receipt each: read", "dynamodb_read", MILLION),
        _line("One receipt each: queue, ten a batch", "sqs_requests", MILLION * 0.3),
        _line("Evidence, bulk jobs, parts: PUT", "s3_put", used("s3_put") + parts / PART_BYTES),
        _line("Records: GET", "s3_get", used("s3_get")),
        _line(
            f"Evidence: {EVIDENCE_MONTHS} months",
            "s3_storage",
            MILLION * result.stored["evidence"] * EVIDENCE_MONTHS,
        ),
        _line(f"Parts: {RECORD_MONTHS} months", "s3_storage", parts * RECORD_MONTHS),
        _line(f"Bulk jobs: {JOB_MONTHS} month", "s3_storage", MILLION * result.stored["jobs"] * JOB_MONTHS),
        _line("Queues", "sqs_requests", used("sqs_requests")),
        _line("Functions: requests", "lambda_requests", used("invocations")),
        *(_line(f"Functions: {name}", "lambda_gb_seconds", amount) for name, amount in gb_seconds.items()),
        _line("Events of our own", "eventbridge_events", used("eventbridge_events")),
        _line("Logs and metrics' lines: ingestion", "logs", logs),
        _line(f"Logs: {LOG_MONTHS} months", "logs_storage", logs * LOG_MONTHS),
        _line("To the provider, over the internet", "transfer_out_bytes", used("transfer_out_bytes")),
    ]


def total(lines: Sequence[Line]) -> float:
    """The sum in US dollars."""
    return sum(line.usd for line in lines)


def standing(result: Result) -> list[Line]:
    """What a month costs beside the notices: the stack at rest, and a million notices in the ledger."""
    ledger = MILLION * (result.stored["notice"] + 100 + 180)
    polls = queues() * POLLERS * 30 * 86400 / POLL_SECONDS
    return [
        _line("A million notices in the ledger, with index", "dynamodb_storage", ledger),
        _line("Their point-in-time recovery", "dynamodb_recovery", ledger),
        _line("Empty receives of Lambda's pollers", "sqs_requests", polls),
        _line("Secrets", "secrets", secrets()),
        _line("Keys", "keys", keys()),
        _line("Custom metrics", "metrics", METRICS),
        _line("Metrics that alarms read", "alarm_metrics", alarm_metrics()),
        _line("Composite alarms", "composite_alarms", composite_alarms()),
        _line("Dashboard", "dashboards", dashboards()),
    ]


ALARMS, ALARMS_USD = 60, 10.00
"""What a stack's alarms may come to: their number, and US dollars a month."""


def alarms_bill() -> tuple[int, float]:
    """The stack's alarms and what they cost a month: each metric that one reads, and each composite alarm."""
    metrics, composite = PRICES["alarm_metrics"], PRICES["composite_alarms"]
    return alarms(), metrics.of(alarm_metrics()) + composite.of(composite_alarms())


TEN_MILLION = 10 * MILLION
PART_PUT_SECONDS = 0.16
"""Putting a part of 8 MB."""

READ_BYTES_PER_SECOND = 60e6
"""One S3 stream within a region."""


def staging_seconds(records: int, rate: float, part_bytes: float, index_bytes: float = 500.0) -> float:
    """How long `stage_run` takes, one step after the other: CPU, reading, putting parts, queueing slices.

    `rate` is records a second of CPU as measured; `part_bytes` and `index_bytes` are bytes a record.
    """
    return (
        records / rate * CORE_FACTOR
        + records * index_bytes / READ_BYTES_PER_SECOND
        + records * part_bytes / PART_BYTES * PART_PUT_SECONDS
        + records / SLICE_RECORDS / 10 * ASSUMED_WAITS["sqs.SendMessageBatch"]
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether ten million documents fit one `stage_run`: seconds and MB, beside what it has."""

    form: str
    rate: float
    seconds: float
    seconds_allowed: int
    memory: float
    memory_allowed: int
    messages: int
    queue_calls: int

    @property
    def fits(self) -> bool:
        """Within both limits."""
        return self.seconds <= self.seconds_allowed and self.memory <= self.memory_allowed


def ten_million(form: str, rate: float, index_bytes: float, memory: float, part_bytes: float) -> Fit:
    """Ten million records in one index of that form."""
    function = functions()["stage_run"]
    slices = math.ceil(TEN_MILLION / SLICE_RECORDS)
    seconds = staging_seconds(TEN_MILLION, rate, part_bytes, index_bytes)
    return Fit(form, rate, seconds, function.timeout, memory, function.memory, slices, math.ceil(slices / 10))
