"""The drill: every failure caused for real in the embedded cloud, and the alarms that it trips.

Each fault has a cloud of its own, whose clock is fast while nothing happens, and so much slower while work is
under way that a busy machine does not look like a slow stack. The fault is caused, the alarms that come on
are compared with those that should, it is repaired, and everything must go off again. Meanwhile somebody is
on call who acknowledges each incident by the link in its alert. `FAULTS` is the table; a new fault is one
more row.
"""

import argparse
import json
import logging
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import yaml

from exstream_notify.domain.exceptions import ExceptionRaised

from ..cloud.alarms import State
from ..dropping import prepare, upload
from ..local import LocalCloud
from ..redriving import DeadLetters, redrive
from .monitoring import NESTED
from .watch import read

_AT = "2026-11-24T15:00:00+00:00"  # ten in the morning in New York: nothing waits for the day
_DAY = 720.0  # real seconds: a minute lasts half of one
_WORKING = 10.0  # seconds of the cloud's clock in a real one, while work is under way
_ANSWER = 1.0  # real seconds between looks of who is on call
_FIRES = 240.0  # real seconds at most until the alarms are on
_CLEARS = 240.0
_LINGER = 4.0  # real seconds in which nothing else may come on
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

    def put(self, queue: str, body: str) -> None:
        """A message on a queue, as anybody could send it."""
        self.cloud.client("sqs").send_message(QueueUrl=self.cloud.resource(queue), MessageBody=body)

    def document(self) -> None:
        """One more customer's statement, as a single document's event."""
        detail = {**self.record(), "domain": "retail"}
        event = {"source": "exstream", "detail-type": "Document Composed", "detail": detail, "time": _AT}
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

    `rules` are the site's own, by file; `day` is how many real seconds a day lasts, `working` how many of the
    cloud's seconds a real one at most while messages wait.
    """

    name: str
    cause: Callable[[Ground], Cure]
    fires: frozenset[str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    day: float = _DAY
    working: float = _WORKING


def _provider(**faults: Any) -> Callable[[Ground], Cure]:
    def cause(ground: Ground) -> Cure:
        ground.cloud.simulators.faults.set("opentext", **faults)
        ground.drop("provider", *(ground.record() for _ in range(3)))
        return ground.cloud.simulators.faults.clear

    return cause


def _table_denied(ground: Ground) -> Cure:
    allow = ground.deny("DecideNoticesRole", "dynamodb:")
    ground.drop("denied", ground.record(), ground.record())

    def cure() -> None:
        allow()
        ground.redrive("DecideQueue")

    return cure


def _many_fail(ground: Ground) -> Cure:
    allow = ground.deny("StageDocumentRole", "s3:")
    for _ in range(12):
        ground.document()

    def cure() -> None:
        allow()
        ground.redrive("DocumentQueue")

    return cure


def _poison(queue: str) -> Callable[[Ground], Cure]:
    def cause(ground: Ground) -> Cure:
        ground.put(f"{queue}Queue", '{"this is": "nothing that it reads"}')
        return lambda: ground.purge(f"{queue}DeadLetters")

    return cause


def _killed(ground: Ground) -> Cure:
    """Every worker of a function is killed as soon as it lives, for a while."""
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.01):
            for pid in ground.cloud.worker_pids("DecideNoticesFunction"):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    for number in range(3):
        ground.drop(f"killed{number}", ground.record())
        time.sleep(1.2)

    def cure() -> None:
        over.set()
        killer.join()
        ground.redrive("DecideQueue")

    return cure


def _stopped(ground: Ground) -> Cure:
    """A function hangs: it neither ends nor fails, and its queue grows old."""
    exception = ExceptionRaised("records_rejected", "info", "retail", "drill", "tried", detail={})
    message = json.dumps({"detail-type": "Exception Raised", "detail": exception.to_detail()})
    ground.put("ExceptionQueue", message)
    ground.wait(lambda: bool(ground.cloud.worker_pids("AlertExceptionFunction")))
    ground.wait(lambda: not ground.cloud.under_way())
    pids = ground.cloud.worker_pids("AlertExceptionFunction")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    ground.put("ExceptionQueue", message)

    def cure() -> None:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    return cure


def _shut_out(queue: str, then: Callable[[Ground], None]) -> Callable[[Ground], Cure]:
    """A queue's policy no longer lets the rules in that feed it."""

    def cause(ground: Ground) -> Cure:
        sqs, url = ground.cloud.client("sqs"), ground.cloud.resource(queue)
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
        document = json.loads(before)
        document["Statement"] = [s for s in document["Statement"] if s["Effect"] == "Deny"]

        def write(policy: str) -> None:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
            ground.cloud.policies_changed()

        write(json.dumps(document))
        then(ground)

        def cure() -> None:
            write(before)
            ground.redrive(queue)

        return cure

    return cause


def _drop_one(ground: Ground) -> None:
    ground.drop("shut-out", ground.record())


def _message_file(ground: Ground) -> None:
    ground.file("drop/retail/shut-out/engine.dat", b"EX007777W (1) something is missing\n")


def _delivery_failed(ground: Ground) -> None:
    ground.event("exstream", "Exstream-Email-Failed", reason="unknown")


def _schedules_denied(ground: Ground) -> Cure:
    """What runs by a rate may not read what it looks at."""
    reads = {"ReleaseDue": "dynamodb:", "StartJourneys": "dynamodb:", "WatchRuns": "dynamodb:"}
    reads |= {"PollReceipts": "dynamodb:", "ReportDeadLetters": "sqs:GetQueueAttributes"}
    cures = [ground.deny(f"{name}Role", service) for name, service in reads.items()]

    def cure() -> None:
        for allow in cures:
            allow()

    return cure


def _file_missing(ground: Ground) -> Cure:
    ground.drop("missing", ground.record(), without="late.index.jsonl")
    return lambda: None


def _spoiled(ground: Ground) -> Cure:
    ground.drop("spoiled", ground.record(), spoil=True)
    return lambda: None


def _misplaced(ground: Ground) -> Cure:
    ground.file("drop/too/deep/by/far/_COMPLETE.json", b"{}")
    return lambda: None


def _many_unreached(ground: Ground) -> Cure:
    """Three in ten have no channel."""
    without = (ground.record(email="") for _ in range(12))
    ground.drop("unreached", *without, *(ground.record() for _ in range(28)))
    return lambda: None


def _word_lost(ground: Ground) -> Cure:
    """A run's word is lost, and hours go by: it no longer adds up."""
    ground.drop("lost", ground.record(), ground.record())
    runs = ground.cloud.deployment().app.runs
    ground.wait(lambda: ground.told("lost", 2))
    ground.wait(lambda: not ground.cloud.under_way())
    run = runs.get("retail", "lost")
    if run is None:
        raise TimeoutError("the run has no record")
    client, table = ground.cloud.client("dynamodb"), ground.cloud.outputs["RunsTableName"]
    rows = client.query(
        TableName=table,
        KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
        ExpressionAttributeValues={":p": {"S": "lost"}, ":s": {"S": "retail#word#"}},
    )["Items"]
    whole = rows[0]
    words = json.loads(whole["words"]["S"])
    client.put_item(TableName=table, Item={**whole, "words": {"S": json.dumps([*words[:1]])}})
    slices = client.query(
        TableName=table,
        KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
        ExpressionAttributeValues={":p": {"S": "lost"}, ":s": {"S": "retail#slice#"}},
    )["Items"]
    for row in slices:
        client.delete_item(TableName=table, Key={"pk": row["pk"], "sk": row["sk"]})
    earlier = (ground.cloud.clock.utc() - timedelta(hours=6)).isoformat(timespec="seconds")
    runs.put(replace(run, changed_at=earlier, version=run.version + 1))

    def cure() -> None:
        for row in (*slices, whole):
            client.put_item(TableName=table, Item=row)

    return cure


def _throttled(function: str, work: Callable[[Ground], None]) -> Callable[[Ground], Cure]:
    """Somebody reserves no concurrency for a function, and there is work for it."""

    def cause(ground: Ground) -> Cure:
        api, name = ground.cloud.client("lambda"), ground.cloud.resource(function)
        api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        work(ground)
        return lambda: api.delete_function_concurrency(FunctionName=name)

    return cause


def _urgent_run(ground: Ground) -> None:
    urgent = {
        "document_type": "final-demand",
        "amount_due": "12.00",
        "currency": "USD",
        "due_date": "2026-12-24",
    }
    ground.drop("urgent", *(ground.record(**urgent) for _ in range(2)))


def _export_step(ground: Ground) -> None:
    ground.put("ExportQueue", "{}")


def _execution_denied(ground: Ground) -> Cure:
    """A reminder's execution may not call the function that reminds."""
    allow = ground.deny("FollowUpRole", "lambda:")
    ground.drop("reminded", ground.record())
    return allow


def _page_denied(ground: Ground) -> Cure:
    """Customers open their links, and go on trying."""
    ground.drop("opened", ground.record())
    ground.wait(lambda: ground.told("opened", 1))
    link = next(
        found[0]
        for message in ground.cloud.messages
        if (found := re.search(r"http\S+/d/[\w-]+", message.text))
    )
    allow = ground.deny("OpenDocumentRole", "dynamodb:")
    over = threading.Event()

    def knock() -> None:
        while not over.wait(0.1):
            ground.open(link)

    customers = threading.Thread(target=knock, daemon=True)
    customers.start()

    def cure() -> None:
        allow()
        over.set()
        customers.join()

    return cure


def _run_missing(ground: Ground) -> Cure:
    """The calendar's run (rules of the site) does not come; it is late, not lost."""
    return lambda: ground.drop("billing", ground.record())


def _not_sealed(ground: Ground) -> Cure:
    ground.drop("unsealed", ground.record(), sealed=False)
    return lambda: None


def _no_receipts(ground: Ground) -> Cure:
    ground.drop("silent", *(ground.record(email=f"silent-{n}@example.com") for n in range(25)))
    return lambda: None


def _unanswered(ground: Ground) -> Cure:
    ground.unanswered.set()
    ground.file("drop/retail/stopped/engine.dat", b"EX001111S stopped\n")
    return ground.unanswered.clear


def _alerts_lost(ground: Ground) -> Cure:
    """The chat's address is wrong, and the provider that would take the e-mail is down."""
    ground.cloud.client("secretsmanager").put_secret_value(
        SecretId=ground.cloud.resource("AlertChannels"),
        SecretString=json.dumps({"webhook": f"{ground.cloud.url}/chat/moved"}),
    )
    ground.cloud.simulators.faults.set("opentext", down=True)
    ground.file("drop/retail/warned/engine.dat", b"EX007777W (1) something is missing\n")
    return ground.cloud.simulators.faults.clear


def _bounces(ground: Ground) -> Cure:
    """A run with old addresses, whose customers are told by SMS then; the next run's are good."""
    old = [ground.record(email=f"bounce-{n}@example.com", mobile=f"+1202555{100 + n:04d}") for n in range(6)]
    ground.drop("old", *old, *(ground.record() for _ in range(54)))
    return lambda: ground.drop("good", *(ground.record() for _ in range(80)))


def _complaints(ground: Ground) -> Cure:
    """One of forty calls it spam; after a day that is over."""
    ground.drop("spam", ground.record(email="complain-1@example.com"), *(ground.record() for _ in range(39)))
    return lambda: None


_REMINDER = {"after": "PT1M", "channels": ["email"], "wording": "unread-reminder"}
_EXPECTED = {"domain": "retail", "name": "billing", "by": "11:00", "zone": "America/New_York"}

_QUICK = 120.0  # for faults that take hours in which messages wait and nothing else happens

FAULTS = (
    Fault("provider down", _provider(down=True), frozenset({"ProviderFailing"})),
    Fault("provider throttles everything", _provider(throttle=1.0), frozenset({"ProviderFailing"})),
    Fault(
        "a table is denied to decide_notices",
        _table_denied,
        frozenset({"SendingDeadLetters", "RunSilent"}),
    ),
    Fault(
        "the work bucket is denied to stage_document",
        _many_fail,
        frozenset({"IntakeDeadLetters"}),
    ),
    Fault("poison message", _poison("Decide"), frozenset({"SendingDeadLetters"})),
    Fault("a customer's change cannot be read", _poison("Preference"), frozenset({"AnswersDeadLetters"})),
    Fault(
        "function killed again and again",
        _killed,
        frozenset({"SendingDeadLetters", "RunSilent"}),
    ),
    Fault("function hangs", _stopped, frozenset({"AlertingLate"})),
    Fault(
        "a rule may not reach the run queue",
        _shut_out("RunQueue", _drop_one),
        frozenset({"IntakeRules", "IntakeDeadLetters"}),
    ),
    Fault(
        "a rule may not reach the message file queue",
        _shut_out("MessageFileQueue", _message_file),
        frozenset({"AlertingRules", "AlertingDeadLetters"}),
    ),
    Fault(
        "a rule may not reach the receipt queue",
        _shut_out("ReceiptQueue", _delivery_failed),
        frozenset({"AnswersRules", "AnswersDeadLetters"}),
    ),
    Fault(
        "what runs by a rate is denied what it reads",
        _schedules_denied,
        frozenset(
            f"{name}FunctionFailing"
            for name in ("ReleaseDue", "StartJourneys", "WatchRuns", "PollReceipts", "ReportDeadLetters")
        ),
    ),
    Fault(
        "a sealed file never comes",
        _file_missing,
        frozenset({"RunUnusable"}),
        {"MissingFileMinutes": "2"},
    ),
    Fault("the index is not what was sealed", _spoiled, frozenset({"RunUnusable"})),
    Fault("a seal lies where no run is", _misplaced, frozenset({"RunHeld"})),
    Fault("three in ten have no channel", _many_unreached, frozenset({"NobodyReached"})),
    Fault("a run no longer adds up", _word_lost, frozenset({"RunUnbalanced"})),
    Fault(
        "stage_run gets no concurrency",
        _throttled("StageRunFunction", _drop_one),
        frozenset({"IntakeLate"}),
        working=_QUICK,
    ),
    Fault(
        "send_notices gets no concurrency",
        _throttled("SendNoticesFunction", _urgent_run),
        frozenset({"SendingLate", "RunSilent"}),
        working=_QUICK,
    ),
    Fault(
        "export_preferences gets no concurrency",
        _throttled("ExportPreferencesFunction", _export_step),
        frozenset({"AnswersLate"}),
        working=_QUICK,
    ),
    Fault(
        "an execution may not call its function",
        _execution_denied,
        frozenset({"FollowUpMachineExecutions"}),
        rules={"journeys": {"journeys": {"unread-statement": {"steps": [_REMINDER]}}}},
    ),
    Fault("the ledger is denied to open_document", _page_denied, frozenset({"HttpApiServerErrors"})),
    Fault(
        "an expected run does not come",
        _run_missing,
        frozenset({"RunMissing"}),
        rules={"domains": {"expected": [_EXPECTED]}},
    ),
    Fault(
        "a run is never sealed",
        _not_sealed,
        frozenset({"RunMissing"}),
        rules={"domains": {"defaults": {"seal_within_minutes": 5}}},
    ),
    Fault(
        "no receipt comes",
        _no_receipts,
        frozenset({"ReceiptsMissing"}),
        rules={"documents": {"types": {"statement": {"deadline_hours": 1}}}},
    ),
    Fault("nobody answers an alert", _unanswered, frozenset({"AlertUndelivered"})),
    Fault("an alert reaches nobody", _alerts_lost, frozenset({"AlertUndelivered"})),
    Fault(
        "a run's addresses bounce",
        _bounces,
        frozenset({"BounceRate"}),
        {"ReputationMinimum": "50"},
    ),
    Fault(
        "a customer calls it spam",
        _complaints,
        frozenset({"ComplaintRate"}),
        {"ReputationMinimum": "20", "EmailProvider": "ses"},
        day=_DAY / 12,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """How one fault went: alarms that came on, pages, alarms that stayed on, seconds of real time."""

    fault: str
    expected: tuple[str, ...]
    fired: tuple[str, ...]
    paged: tuple[str, ...]
    stayed: tuple[str, ...]
    seconds: float
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether exactly the expected alarms came on, each page came once, and all went off."""
        pages = tuple(sorted({_page_of(name) for name in self.expected}))
        return not self.problem and (self.fired, self.paged, self.stayed) == (self.expected, pages, ())


@cache
def _pages() -> Mapping[str, str]:
    resources = read(NESTED.read_text("utf-8"))["Resources"]
    return {n.removesuffix("Alarm"): r["Metadata"]["Watch"].get("page", "") for n, r in resources.items()}


def _page_of(alarm: str) -> str:
    """The alarm that pages for another: a composite one, or itself."""
    return _pages()[alarm] or alarm


def drill(fault: Fault) -> Result:
    """Cause one fault, see what comes on, cure it, see that all goes off."""
    started = time.monotonic()
    expected = tuple(sorted(fault.fires))
    problem = ""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud(
            at=_AT,
            day=fault.day,
            working_rate=fault.working,
            parameters=fault.parameters,
            site=_site(Path(folder), fault.rules),
        ) as cloud,
    ):
        ground = Ground(cloud, Path(folder))
        on_call = threading.Thread(target=_answer, args=(ground,), daemon=True)
        on_call.start()
        try:
            cure = fault.cause(ground)
            _until(lambda: fault.fires <= _fired(cloud), _FIRES)
            time.sleep(_LINGER)
            cure()
            _until(lambda: not cloud.watcher.firing(), _CLEARS, lasting=_LINGER)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        fired, stayed = _fired(cloud), {_short(name) for name in cloud.watcher.firing()}
        paged = [_short(c.name) for c in cloud.watcher.changes() if c.state == State.ALARM]
        paged = [name for name in paged if name not in fired or _page_of(name) == name]
        ground.over.set()
        on_call.join()
    return Result(
        fault.name,
        expected,
        tuple(sorted(fired)),
        tuple(sorted(paged)),
        tuple(sorted(stayed)),
        time.monotonic() - started,
        problem,
    )


def _site(folder: Path, rules: Mapping[str, Any]) -> Path:
    """A site's folder with rules of its own."""
    site = folder / "site"
    (site / "rules").mkdir(parents=True)
    for name, content in rules.items():
        (site / "rules" / f"{name}.yaml").write_text(yaml.safe_dump(content), "utf-8")
    return site


def _answer(ground: Ground) -> None:
    """Whoever is on call acknowledges each incident that is told."""
    answered = 0
    while not ground.over.wait(_ANSWER):
        while not ground.unanswered.is_set() and answered < len(ground.cloud.catcher.alerts):
            if link := ground.cloud.catcher.alerts[answered]["link"]:  # none where it is over
                ground.open(link, b"name=On+call")
            answered += 1


def _fired(cloud: LocalCloud) -> set[str]:
    composite = {row["alarm"] for row in cloud.alarms() if row["composite"]}
    return {
        _short(change.name)
        for change in cloud.watcher.changes()
        if change.state == State.ALARM and change.name not in composite
    }


def _short(name: str) -> str:
    return name.partition("-")[2]


def _until(condition: Callable[[], bool], seconds: float, lasting: float = 0.0) -> None:
    """Until the condition has held for so long, at most `seconds` and what it lasts."""
    started = since = time.monotonic()
    while since - started < seconds:
        if not condition():
            since = time.monotonic()
        elif time.monotonic() - since >= lasting:
            return
        time.sleep(_STEP)


def _drill(name: str) -> Result:
    # What the cloud warns of is the fault.
    logging.getLogger("exnotify").setLevel(logging.ERROR)
    return drill(next(fault for fault in FAULTS if fault.name == name))


def main() -> int:
    """`make drill`, `python -m exnotify.operations.drill [--jobs N] [FAULT...]`: prints the table.

    Exit code 1 if a row is not as it should be.
    """
    parser = argparse.ArgumentParser(description="cause every failure and watch the alarms")
    parser.add_argument("--jobs", type=int, default=3, help="clouds at once")
    parser.add_argument("faults", nargs="*", help="only faults whose name contains one of these")
    arguments = parser.parse_args()
    names = [
        fault.name
        for fault in FAULTS
        if not arguments.faults or any(part in fault.name for part in arguments.faults)
    ]
    print(f"{'fault':<46}{'alarms':<60}{'pages':<40}{'off again':<11}{'s':>5}", flush=True)
    wrong = 0
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        for result in pool.map(_drill, names):
            print(_row(result), flush=True)
            wrong += not result.passed
    print(f"{len(names)} faults, {wrong} with other alarms than expected")
    return 1 if wrong else 0


def _row(result: Result) -> str:
    fired, expected = set(result.fired), set(result.expected)
    words = [
        *(name for name in result.fired if name in expected),
        *(f"UNEXPECTED {name}" for name in sorted(fired - expected)),
        *(f"NOT {name}" for name in sorted(expected - fired)),
    ]
    off = ", ".join(result.stayed) if result.stayed else "yes"
    pages = ", ".join(result.paged)
    line = f"{result.fault:<46}{', '.join(words):<60}{pages:<40}{off:<11}{result.seconds:5.0f}"
    return f"{line}  {result.problem}" if result.problem else line


if __name__ == "__main__":
    sys.exit(main())
