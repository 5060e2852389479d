"""An export on demand, fetched and checked."""

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

from .errors import CommandError

if TYPE_CHECKING:
    from .deployment import Deployment

FUNCTION = "ExportPreferencesFunction"


def export_now(
    target: "Deployment", domain: str, *, timeout: float = 900
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Start an export, wait until it stands, and fetch a domain's files. CommandError if it does not come.

    An export that finds nothing changed leaves the one before: then that is what is fetched.
    """
    from .commands.tick import run_scheduled

    started = run_scheduled(target, FUNCTION)
    wait_for(target, str(started["export"]), int(started["segments"]), timeout)
    return fetch(target, domain)


def wait_for(target: "Deployment", export: str, segments: int, timeout: float) -> None:
    """Until every segment is sorted and merged; the queue of steps is then empty."""
    deadline = time.monotonic() + timeout
    store, sqs = target.app.exports, target.client("sqs")
    while time.monotonic() < deadline:
        if len(store.sorted_segments(export)) == segments and _drained(sqs, target.settings.export_queue_url):
            return
        time.sleep(0.2)
    raise CommandError(f"export {export} did not finish within {timeout:g} seconds: look at its dead letters")


def _drained(sqs: Any, url: str) -> bool:
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]
    return not any(int(answer[name]) for name in names)


def fetch(target: "Deployment", domain: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A domain's control file and the files that it names, each checked against its checksum."""
    control = target.app.exports.control(domain)
    if control is None:
        raise CommandError(f"domain {domain} has no export: no customer of it is known")
    files: dict[str, bytes] = {}
    for name, told in control["files"].items():
        if name == "rows":
            continue
        body = target.client("s3").get_object(Bucket=target.settings.export_bucket, Key=told["name"])["Body"]
        data: bytes = body.read()
        if hashlib.sha256(data).hexdigest() != told["sha256"]:
            raise CommandError(f"{told['name']} is not what its control file says: export again")
        files[name] = data
    return json.loads(json.dumps(control)), files
