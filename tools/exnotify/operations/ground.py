"""Where faults of the drill happen: a running cloud, and hands to work with."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from ..dropping import prepare, upload
from ..local import LocalCloud
from ..redriving import DeadLetters, redrive

AT = "2026-11-24T15:00:00+00:00"
"""Ten in the morning in New York: nothing waits for the day."""

DAY = 720.0
"""Real seconds of a cloud's day: a minute lasts half of one."""

WORKING = 10.0
"""Seconds of the cloud's clock in a real one, while work is under way."""

_STEP = 0.2

Cure = Callable[[], None]


@dataclass
class Ground:
    """Where a fault happens: a running cloud, and hands to work with."""

    cloud: LocalCloud
    folder: Path
    number: int = 0
    #: Nobody is on call: alerts stay unanswered.
    unanswered: threading.Event = field(default_factory=threading.Event)
    #: The drill is over, and so is the duty.
    over: threading.Event = field(default_factory=threading.Event)

    def record(self, **fields: Any) -> dict[str, Any]:
        """One more customer's statement."""
        self.number += 1
        return {
            "customer_key": f"D{self.number:06d}",
            "document_id": f"D{self.number:06d}-STA",
            "document_type": "statement",
            "email": f"d{self.number:06d}@example.com",
            "time_zone": "America/New_York",
            **fields,
        }

    def drop(
        self,
        name: str,
        *records: Mapping[str, Any],
        without: str = "",
        spoil: bool = False,
        sealed: bool = True,
    ) -> None:
        """Drop a run; `without` leaves a listed file out, `spoil` changes the index after the seal."""
        source = self.folder / name
        source.mkdir(parents=True)
        index = source / f"{name}.index.jsonl"
        index.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
        if without:
            (source / without).write_text(json.dumps(self.record()) + "\n", "utf-8")
        run = prepare(source, domain="retail", run_id=name, sealed=sealed)
        if spoil:
            index.write_text(index.read_text("utf-8").replace("D0", "E0", 1), "utf-8")
        if without:
            run = replace(run, files=tuple(file for file in run.files if file.name != without))
        upload(self.cloud.deployment(), run)

    def chat(self, path: str) -> None:
        """Where the teams' web hook is; empty: it is not set up."""
        channels = {"webhook": f"{self.cloud.url}{path}"} if path else {}
        secret = self.cloud.resource("AlertChannels")
        self.cloud.client("secretsmanager").put_secret_value(
            SecretId=secret, SecretString=json.dumps(channels)
        )

    def put(self, queue: str, body: str) -> None:
        """A message on a queue, as anybody could send it."""
        self.cloud.client("sqs").send_message(QueueUrl=self.cloud.resource(queue), MessageBody=body)

    def document(self) -> None:
        """One more customer's statement, as a single document's event."""
        detail = {**self.record(), "domain": "retail"}
        event = {"source": "exstream", "detail-type": "Document Composed", "detail": detail, "time": AT}
        self.put("DocumentQueue", json.dumps({**event, "id": detail["document_id"]}))

    def event(self, source: str, kind: str, **detail: Any) -> None:
        """An event on the default bus."""
        entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}
        self.cloud.client("events").put_events(Entries=[entry])

    def file(self, key: str, body: bytes) -> None:
        """An object in the drop bucket."""
        bucket = self.cloud.deployment().settings.drop_bucket
        self.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def open(self, url: str, form: bytes | None = None) -> int:
        """The status of a page, as a browser gets it; with a form it is posted."""
        method = "GET" if form is None else "POST"
        return httpx.request(method, url, content=form, timeout=60, trust_env=False).status_code

    def told(self, run_id: str, number: int) -> bool:
        """Whether so many of a run's customers were told."""
        outcomes = self.cloud.deployment().app.runs.outcomes("retail", run_id)
        return sum(outcome.outcome == "notified" for outcome in outcomes) >= number

    def deny(self, role: str, service: str) -> Cure:
        """Take a service's actions out of a role, as a wrong change of the template would."""
        iam, name = self.cloud.client("iam"), self.cloud.resource(role)
        before = iam.get_role_policy(RoleName=name, PolicyName="least")["PolicyDocument"]

        def kept(statement: Mapping[str, Any]) -> bool:
            actions = statement["Action"]
            return not any(
                a.startswith(service) for a in ([actions] if isinstance(actions, str) else actions)
            )

        def write(document: Mapping[str, Any]) -> None:
            iam.put_role_policy(RoleName=name, PolicyName="least", PolicyDocument=json.dumps(document))
            self.cloud.policies_changed()

        write({**before, "Statement": [s for s in before["Statement"] if kept(s)]})
        return lambda: write(before)

    def redrive(self, queue: str) -> None:
        """Send back what lies in dead letters."""
        redrive(DeadLetters.of(self.cloud.deployment(), queue), lambda letter: True, rate=1000)

    def purge(self, queue: str) -> None:
        """Throw away what lies in a queue."""
        self.cloud.client("sqs").purge_queue(QueueUrl=self.cloud.resource(queue))

    def wait(self, condition: Callable[[], bool], seconds: float = 120.0) -> None:
        """Until the condition holds. TimeoutError otherwise."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("the fault could not be caused")
            time.sleep(_STEP)


@dataclass(frozen=True)
class Fault:
    """One failure. `cause` makes it and returns its cure; `fires` are the alarms that must come on.

    `rules` are the site's own, by file; `working` is how many of the cloud's seconds a real one lasts at most
    while messages wait.
    """

    name: str
    cause: Callable[[Ground], Cure]
    fires: frozenset[str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    working: float = WORKING
