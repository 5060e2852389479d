"""The site that the month is played for: its functions as they are, over the fakes in place of AWS.

`MonthApp` is the functions' own Bootstrap. Whatever it would fetch from AWS is in memory; everything else (rules,
channels of the teams, readers of receipts and message files, pages) is what the functions run with. What it
neither has nor makes without AWS ends the month, since no client is made here.
"""

import importlib.util
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from exnotify.local import ROOT
from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.secrets import Secret
from exstream_notify.adapters.settings import Settings
from exstream_notify.domain.documents import Channel
from tests.fakes import (
    FakeAddresses,
    FakeChannelBook,
    FakeClock,
    FakeContacts,
    FakeDecideQueue,
    FakeDeliveryWatch,
    FakeDocuments,
    FakeDropFolder,
    FakeDueIndex,
    FakeEarlyReceipts,
    FakeEarlyResponses,
    FakeEvidence,
    FakeExceptionBus,
    FakeExecutions,
    FakeIncidents,
    FakeJobs,
    FakeJourneyBook,
    FakeLedger,
    FakeLookQueue,
    FakeProvider,
    FakeReceiptEvidence,
    FakeRecords,
    FakeReputation,
    FakeRunBook,
    FakeSendQueues,
    FakeStaging,
    FakeStatusSource,
    FakeSuppressions,
    FakeTries,
    FakeWording,
)

from .queueing import Queue

TEAMS = {
    name: f"{name}@example.com"
    for name in (
        "operations",
        "compliance",
        "it",
        "management",
        "collections",
        "onboarding",
        "underwriting",
        "claims",
    )
}
SETTINGS = Settings(
    email_provider="ses",
    sms_provider="sms",
    email_concurrency=10,
    sms_concurrency=2,
    sms_sender="+12025550199",
    link_host="documents.example.com",
    alert_topics=",".join(f"{team}=arn:aws:sns:us-east-1:123456789012:{team}" for team in TEAMS),
    drop_bucket="drop",
    work_bucket="work",
)
ENVIRONMENT = {
    "POWERTOOLS_SERVICE_NAME": "exstream-notify",
    "POWERTOOLS_METRICS_NAMESPACE": "ExstreamNotify",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "AWS_DEFAULT_REGION": "us-east-1",
}
_KEYS = {"current": "1", "1": "a key of the month"}


class Denied(Exception):
    """What a role without a permission gets to hear."""


class Topics:
    """SNS: a topic per team with one subscriber; `dead` teams' topics refuse."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str, str]] = []
        self.dead: set[str] = set()

    def publish(self, TopicArn: str, Subject: str, Message: str, **_: Any) -> dict[str, str]:  # noqa: N803
        """See SNS's Publish."""
        team = TopicArn.rpartition(":")[2]
        if team in self.dead:
            raise Denied(team)
        self.published.append((team, Subject, Message))
        return {"MessageId": str(len(self.published))}

    def get_topic_attributes(self, TopicArn: str) -> dict[str, Any]:  # noqa: N803
        """See SNS's GetTopicAttributes."""
        return {"Attributes": {"SubscriptionsConfirmed": "1", "SubscriptionsPending": "0"}}


class Router:
    """The rules of the default bus for our own events: severe ones have a queue of their own."""

    def __init__(self, severe: Queue, others: Queue) -> None:
        self._severe = severe
        self._others = others
        self.raised: Counter[str] = Counter()

    def send(self, bodies: Sequence[Mapping[str, Any]], **_: Any) -> None:
        """Route each event."""
        for body in bodies:
            detail = body.get("detail", {})
            self.raised[str(detail.get("code", body.get("detail-type", "")))] += 1
            (self._severe if detail.get("severity") == "severe" else self._others).send([body])


class RunQueue:
    """`RunQueue`, in the form that the function reads."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def send_runs(self, runs: Sequence[tuple[str, str]], trigger: str = "again") -> None:
        """See `RunQueue.send_runs`."""
        for domain, run_id in runs:
            self._queue.send([{"stage": {"domain": domain, "run_id": run_id, "trigger": trigger}}])


class SendQueues(FakeSendQueues):
    """`SendQueues`, whose messages may come back early."""

    def come_back(self, queue: str, receipt: str, seconds: float) -> None:
        """See `SqsSendQueues.come_back`."""
        self._queues[queue].hasten(receipt, seconds)  # type: ignore[attr-defined]


class ExpiringBook(FakeRunBook):
    """A run book from which runs expire."""

    def forget(self, name: str) -> None:
        """A run's rows have expired."""
        for rows in (self._slices, self._digests, self._jobs, self._parked):
            rows.pop(name, None)
        self._runs.pop(name, None)
        self._settled.pop(name, None)


class MonthLedger(FakeLedger):
    """A ledger without a history, that tells what was written as the real one does."""

    def __init__(self) -> None:
        super().__init__(history=False)

    def written(self) -> set[str]:
        """See `DynamoLedger.written`: for the log lines, which nobody reads here."""
        return set()


def port(name: str) -> Any:
    """A port that is in memory, unless the running function's role may not use it."""

    def get(self: "MonthApp") -> Any:
        if name in self.denied.get(self.running, ()):
            raise Denied(name)
        return self.ports[name]

    return property(get)


class MonthApp(Bootstrap):
    """See the module. `running` is the function whose turn it is; `denied` what roles may not use."""

    def __init__(self, clock: FakeClock, queues: Mapping[str, Queue], site: Path) -> None:
        super().__init__(SETTINGS.model_copy(update={"site_dir": str(site)}), self._no_client, clock)  # type: ignore[arg-type]
        self.running = ""
        self.asked_for: set[str] = set()  # clients of AWS, by the function that asked: a port is missing here
        self.denied: dict[str, set[str]] = {}
        self.queues = queues
        self.topics_of_teams = Topics()
        self.folders: dict[tuple[str, str], FakeDropFolder] = {}
        self.bus = Router(queues["SevereQueue"], queues["ExceptionQueue"])
        self.mail = FakeProvider("ses", clock, supports_headers=True)
        self.text = FakeProvider("sms", clock)
        self.alerts = FakeProvider("ses", clock)
        ledger, records = MonthLedger(), FakeRecords()
        exceptions, looks = self.bus, queues["ExceptionQueue"]
        sends = {"email": queues["EmailQueue"], "sms": queues["SmsQueue"], "urgent": queues["UrgentQueue"]}
        self.ports: dict[str, Any] = {
            "contacts": (contacts := FakeContacts()),
            "profiles": contacts,
            "suppressions": (suppressions := FakeSuppressions(now=clock.now)),
            "opt_outs": suppressions,
            "addresses": FakeAddresses(),
            "ledger": ledger,
            "due": FakeDueIndex(ledger),
            "runs": ExpiringBook(),
            "records": records,
            "staging": (staging := FakeStaging(records)),
            "staged": staging,
            "evidence": FakeEvidence(),
            "jobs": FakeJobs(),
            "wording": FakeWording(),
            "journeys": FakeJourneyBook(),
            "executions": FakeExecutions(),
            "incidents": FakeIncidents(),
            "channel_book": FakeChannelBook(),
            "early_responses": FakeEarlyResponses(),
            "tries": FakeTries(),
            "documents": _Documents(),
            "receipt_evidence": FakeReceiptEvidence(),
            "early": FakeEarlyReceipts(),
            "reputation": FakeReputation(),
            "watch": FakeDeliveryWatch(),
            "status_source": FakeStatusSource(clock),
            "exceptions": FakeExceptionBus(exceptions),  # type: ignore[arg-type]
            "decide_queue": FakeDecideQueue(queues["DecideQueue"]),  # type: ignore[arg-type]
            "run_queue": RunQueue(queues["RunQueue"]),
            "send_queues": SendQueues(sends),  # type: ignore[arg-type]
            "look_queue": FakeLookQueue(looks, queues["PreferenceQueue"]),  # type: ignore[arg-type]
            "switches": _Switches(),
            "unread_receipts": _Unread(),
            "export_queue": _Exports(),
        }

    contacts, profiles, suppressions, opt_outs = map(
        port, ("contacts", "profiles", "suppressions", "opt_outs")
    )
    addresses, ledger, due, runs, records = map(port, ("addresses", "ledger", "due", "runs", "records"))
    staging, staged, evidence, jobs, wording = map(port, ("staging", "staged", "evidence", "jobs", "wording"))
    journeys, executions, incidents = map(port, ("journeys", "executions", "incidents"))
    channel_book = port("channel_book")
    early_responses, tries, documents = map(port, ("early_responses", "tries", "documents"))
    receipt_evidence, early, reputation = map(port, ("receipt_evidence", "early", "reputation"))
    watch, status_source, exceptions = map(port, ("watch", "status_source", "exceptions"))
    decide_queue, run_queue, send_queues = map(port, ("decide_queue", "run_queue", "send_queues"))
    look_queue, switches, unread_receipts = map(port, ("look_queue", "switches", "unread_receipts"))
    export_queue = port("export_queue")

    def _no_client(self, service: str) -> Any:
        self.asked_for.add(f"{self.running}: {service}")
        raise AssertionError(f"the month has no {service}")

    def client(self, service: str) -> Any:
        """SNS for the teams' topics; nothing else."""
        return self.topics_of_teams if service == "sns" else super().client(service)

    def folder(self, domain: str, run_id: str) -> FakeDropFolder:  # type: ignore[override]
        """A run's folder in the drop."""
        return self.folders.setdefault((domain, run_id), FakeDropFolder())

    def _secret(self, name: str) -> Secret:
        fields = {} if name == self.settings.alert_channels_secret and name else _KEYS
        return Secret(lambda: _Kept(fields), name, self.clock.machine_time)

    def _provider(self, name: str, reference_for: Any = None) -> Any:
        if reference_for is None:
            return self.alerts  # an alert belongs to no notice
        return self.mail if name == "ses" else self.text

    @cached_property
    def hasher(self) -> Callable[[Channel, str], str]:
        """As the fakes' suppression list hashes."""
        return lambda channel, canonical: f"hash of {channel}:{canonical}"

    def dead_letters(self) -> dict[str, int]:
        """How many messages lie in each dead-letter queue; see `Bootstrap.dead_letters`."""
        if "dead_letters" in self.denied.get(self.running, ()):
            raise Denied("dead_letters")
        return {name: len(queue.letters) for name, queue in self.queues.items() if queue.reported}


class _Documents(FakeDocuments):
    origin = "https://drop.s3.us-east-1.amazonaws.com"


class _Kept:
    def __init__(self, fields: Mapping[str, str]) -> None:
        self._text = json.dumps(dict(fields))

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        return {"SecretString": self._text}


class _Switches:
    def off(self, domain: str, channel: str) -> bool:
        return False


class _Unread:
    def keep(self, name: str, body: str) -> str:
        return f"receipts/unread/{name}"


class _Exports:
    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda *args, **kwargs: 0


def handlers(app: MonthApp, folders: Mapping[str, str]) -> dict[str, Callable[[Any, Any], Any]]:
    """Each function's handler by logical id, its module loaded anew and wired to `app`.

    The environment stays as it is set here: a month has a process of its own.
    """
    os.environ.update(ENVIRONMENT)
    found: dict[str, Callable[[Any, Any], Any]] = {}
    for name, folder in folders.items():
        module = _loaded(f"month_{name}", ROOT / folder / "app.py")
        module.app = app  # type: ignore[attr-defined]
        found[name] = module.handler
    return found


def _loaded(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
