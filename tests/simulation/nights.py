"""Small histories for tests of the engine: one run of statements, whatever goes wrong meanwhile."""

import json
import sys
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from simulation.engine.cloud import Cloud, Settings
from simulation.nature import Chance, Nature, Timeline

START = 1_760_000_000.0
RUN = "bank/R1"

BAD_NIGHT: Mapping[str, float] = {
    "crash_before": 0.01, "crash_after": 0.01, "crash_between": 0.01, "throttled": 0.02, "server_error": 0.02,
    "lost_answer": 0.02, "slow": 0.02, "frozen": 0.002, "cold": 0.2, "redelivered": 0.1, "poll_partial": 0.2,
    "schedule_missed": 0.1, "invoked_twice": 0.1, "sqs_twice": 0.05, "event_twice": 0.1,
    "dynamodb_conflict": 0.05, "dynamodb_unprocessed": 0.1, "dynamodb_stale": 0.2,
}  # fmt: skip


def cloud(
    seed: str = "1",
    rates: Mapping[str, float] | None = None,
    allowed: frozenset[str] | None = None,
    **more: Any,
) -> Cloud:
    """A cloud at the beginning of its history."""
    return Cloud(Nature(Timeline(START), Chance(seed, rates, allowed)), Settings(**more))


def drop(cloud: Cloud, documents: int) -> None:
    """A sealed run of statements arrives."""
    rows = [
        {
            "customer_key": f"C{number}",
            "document_id": f"D{number}",
            "document_type": "statement",
            "email": f"customer{number}@example.com",
            "first_name": "Ada",
            "language": "en",
        }
        for number in range(documents)
    ]
    body = "".join(json.dumps(row) + "\n" for row in rows).encode()
    file = {
        "name": "a.index.jsonl",
        "bytes": len(body),
        "sha256": sha256(body).hexdigest(),
        "records": documents,
    }
    seal = {
        "schema_version": 1, "run_id": "R1", "domain": "bank", "app": "statements",
        "started_at": "2025-10-09T08:00:00Z", "ended_at": "2025-10-09T08:10:00Z", "exit_status": 0,
        "customers_expected": documents, "customers_processed": documents, "documents": documents, "errors": 0,
        "files": [file],
    }  # fmt: skip
    bucket = cloud.outputs["DropBucketName"]
    cloud.put_object(bucket, f"drop/{RUN}/a.index.jsonl", body)
    cloud.put_object(bucket, f"drop/{RUN}/_COMPLETE.json", json.dumps(seal).encode())


def shown(cloud: Cloud, *line: str) -> Any:
    """What a command shows as JSON."""
    return json.loads(cloud.look([*line, "--json"]).out)


def bad_night(seed: str) -> str:
    """The digest of all calls of a bad night, to be compared with the same one in another process."""
    with cloud(seed, BAD_NIGHT) as world:
        drop(world, 12)
        world.run_until(world.timeline.now + 7200)
        return world.digest


if __name__ == "__main__":
    print(bad_night(sys.argv[1]))
