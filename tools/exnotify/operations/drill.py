"""The drill: every failure caused for real in the embedded cloud, and the alarms that it trips.

Each fault has a cloud of its own, on a clock sixty times as fast. It is caused, the alarms that come on are
compared with those that should, it is repaired, and everything must go off again. `FAULTS` is the table; a
new fault is one more row.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from exstream_notify.domain.exceptions import ExceptionRaised

from ..cloud.alarms import State
from ..dropping import prepare, upload
from ..local import LocalCloud
from ..redriving import DeadLetters, redrive

_AT = "2026-11-24T15:00:00+00:00"  # ten in the morning in New York: nothing waits for the day
_DAY = 1440.0  # real seconds: a minute lasts one
_FIRES = 150.0  # real seconds at most until the alarms are on
_CLEARS = 180.0
_LINGER = 4.0  # real seconds in which nothing else may come on
_STEP = 0.2

Cure = Callable[[], None]


@dataclass
class Ground:
    """Where a fault happens: a running cloud, and hands to work with."""

    cloud: LocalCloud
    folder: Path
    number: int = 0
    _exit: ExitStack = field(default_factory=ExitStack)

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

    def drop(self, name: str, *records: Mapping[str, Any], without: str = "", spoil: bool = False) -> None:
        """Drop a run; `without` leaves a listed file out, `spoil` changes the index after the seal."""
        source = self.folder / name
        source.mkdir(parents=True)
        index = source / f"{name}.index.jsonl"
        index.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
        if without:
            (source / without).write_text(json.dumps(self.record()) + "\n", "utf-8")
        run = prepare(source, domain="retail", run_id=name, sealed=True)
        if spoil:
            index.write_text(index.read_text("utf-8").replace("D0", "E0", 1), "utf-8")
        if without:
            run = replace(run, files=tuple(file for file in run.files if file.name != without))
        upload(self.cloud.deployment(), run)

    def put(self, queue: str, body: str) -> None:
        """A message on a queue, as anybody could send it."""
        self.cloud.client("sqs").send_message(QueueUrl=self.cloud.resource(queue), MessageBody=body)

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

    def wait(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Until the condition holds. TimeoutError otherwise."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("the fault could not be caused")
            time.sleep(_STEP)


@dataclass(frozen=True)
class Fault:
    """One failure. `cause` makes it and returns its cure; `fires` are the alarms that must come on."""

    name: str
    cause: Callable[[Ground], Cure]
    fires: frozenset[str]
    parameters: Mapping[str, str] = field(default_factory=dict)


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
        detail = {**ground.record(), "domain": "retail"}
        event = {"source": "exstream", "detail-type": "Document Composed", "detail": detail, "time": _AT}
        event["id"] = str(detail["document_id"])
        ground.put("DocumentQueue", json.dumps(event))

    def cure() -> None:
        allow()
        ground.redrive("DocumentQueue")

    return cure


def _poison(ground: Ground) -> Cure:
    ground.put("DecideQueue", '{"this is": "no slice"}')
    return lambda: ground.purge("DecideDeadLetters")


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

    return cure


def _stopped(ground: Ground) -> Cure:
    """A function hangs: it neither ends nor fails, and its queue grows old."""
    exception = ExceptionRaised("records_rejected", "info", "retail", "drill", "tried", detail={})
    message = json.dumps({"detail-type": "Exception Raised", "detail": exception.to_detail()})
    ground.put("ExceptionQueue", message)
    ground.wait(lambda: bool(ground.cloud.worker_pids("AlertExceptionFunction")))
    ground.wait(lambda: bool(ground.cloud.state()["idle"]))
    pids = ground.cloud.worker_pids("AlertExceptionFunction")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    ground.put("ExceptionQueue", message)

    def cure() -> None:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    return cure


def _rule_shut_out(ground: Ground) -> Cure:
    sqs, url = ground.cloud.client("sqs"), ground.cloud.resource("RunQueue")
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    document = json.loads(before)
    document["Statement"] = [s for s in document["Statement"] if s["Effect"] == "Deny"]

    def write(policy: str) -> None:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        ground.cloud.policies_changed()

    write(json.dumps(document))
    ground.drop("shut-out", ground.record())

    def cure() -> None:
        write(before)
        ground.redrive("RunQueue")

    return cure


def _sweep_denied(ground: Ground) -> Cure:
    allow = ground.deny("ReleaseDueRole", "dynamodb:")

    def cure() -> None:
        allow()
        # What was on its way when the role was right again has to land first.
        time.sleep(2 * _LINGER)
        ground.purge("ReleaseFailures")

    return cure


def _file_missing(ground: Ground) -> Cure:
    ground.drop("missing", ground.record(), without="late.index.jsonl")
    return lambda: None


def _spoiled(ground: Ground) -> Cure:
    ground.drop("spoiled", ground.record(), spoil=True)
    return lambda: None


def _misplaced(ground: Ground) -> Cure:
    bucket = ground.cloud.deployment().settings.drop_bucket
    ground.cloud.client("s3").put_object(Bucket=bucket, Key="drop/too/deep/by/far/_COMPLETE.json", Body=b"{}")
    return lambda: None


def _nobody(ground: Ground) -> Cure:
    ground.drop("nobody", ground.record(email=""), ground.record())
    return lambda: None


def _word_lost(ground: Ground) -> Cure:
    """A run's word is lost, and hours go by: it no longer adds up."""
    ground.drop("lost", ground.record(), ground.record())
    runs = ground.cloud.deployment().app.runs

    def told() -> bool:
        return sum(o.outcome == "notified" for o in runs.outcomes("retail", "lost")) == 2

    ground.wait(told)
    ground.wait(lambda: bool(ground.cloud.state()["idle"]))
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


FAULTS = (
    Fault("provider down", _provider(down=True), frozenset({"ProviderFailing"})),
    Fault("provider throttles everything", _provider(throttle=1.0), frozenset({"ProviderFailing"})),
    Fault("provider's answers are lost", _provider(drop=1.0), frozenset({"Unconfirmed"})),
    Fault(
        "a table is denied to decide_notices",
        _table_denied,
        frozenset({"DecideDeadLettersDepth", "RunSilent"}),
    ),
    Fault(
        "the work bucket is denied to stage_document",
        _many_fail,
        frozenset({"MessagesFailing", "DocumentDeadLettersDepth"}),
    ),
    Fault("poison message", _poison, frozenset({"DecideDeadLettersDepth"})),
    Fault("function killed again and again", _killed, frozenset({"DecideNoticesFunctionErrors"})),
    Fault("function hangs", _stopped, frozenset({"ExceptionQueueAge"})),
    Fault(
        "a rule may not reach its queue",
        _rule_shut_out,
        frozenset({"RunSealedRuleFailed", "RunDeadLettersDepth"}),
    ),
    Fault(
        "the ledger is denied to the sweeper",
        _sweep_denied,
        frozenset({"ReleaseDueFunctionErrors", "ReleaseFailuresDepth"}),
    ),
    Fault(
        "a sealed file never comes",
        _file_missing,
        frozenset({"RunUnusable"}),
        {"MissingFileMinutes": "2"},
    ),
    Fault("the index is not what was sealed", _spoiled, frozenset({"RunUnusable"})),
    Fault("a seal lies where no run is", _misplaced, frozenset({"RunHeld"})),
    Fault("a customer has no channel", _nobody, frozenset({"NobodyReached"})),
    Fault("a run no longer adds up", _word_lost, frozenset({"RunUnbalanced"})),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """How one fault went: alarms that came on, alarms that stayed on, seconds of real time."""

    fault: str
    expected: tuple[str, ...]
    fired: tuple[str, ...]
    stayed: tuple[str, ...]
    seconds: float
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether exactly the expected alarms came on, and all went off."""
        return not self.problem and self.fired == self.expected and not self.stayed


def drill(fault: Fault) -> Result:
    """Cause one fault, see what comes on, cure it, see that all goes off."""
    started = time.monotonic()
    expected = tuple(sorted(fault.fires))
    problem = ""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud(at=_AT, day=_DAY, parameters=fault.parameters) as cloud,
    ):
        ground = Ground(cloud, Path(folder))
        try:
            cure = fault.cause(ground)
            _until(lambda: fault.fires <= _fired(cloud), _FIRES)
            time.sleep(_LINGER)
            cure()
            _until(lambda: not cloud.watcher.firing(), _CLEARS)
            time.sleep(_LINGER)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        fired, stayed = _fired(cloud), {_short(name) for name in cloud.watcher.firing()}
    return Result(
        fault.name, expected, tuple(sorted(fired)), tuple(sorted(stayed)), time.monotonic() - started, problem
    )


def _fired(cloud: LocalCloud) -> set[str]:
    composite = {row["alarm"] for row in cloud.alarms() if row["composite"]}
    return {
        _short(change.name)
        for change in cloud.watcher.changes()
        if change.state == State.ALARM and change.name not in composite
    }


def _short(name: str) -> str:
    return name.partition("-")[2]


def _until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(_STEP)


def _drill(name: str) -> Result:
    return drill(next(fault for fault in FAULTS if fault.name == name))


def main() -> int:
    """`make drill`, `python -m exnotify.operations.drill [--jobs N] [FAULT...]`: prints the table.

    Exit code 1 if a row is not as it should be.
    """
    parser = argparse.ArgumentParser(description="cause every failure and watch the alarms")
    parser.add_argument("--jobs", type=int, default=2, help="clouds at once")
    parser.add_argument("faults", nargs="*", help="only faults whose name contains one of these")
    arguments = parser.parse_args()
    names = [
        fault.name
        for fault in FAULTS
        if not arguments.faults or any(part in fault.name for part in arguments.faults)
    ]
    print(f"{'fault':<46}{'alarms':<60}{'off again':<11}{'s':>5}", flush=True)
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
    line = f"{result.fault:<46}{', '.join(words):<60}{off:<11}{result.seconds:5.0f}"
    return f"{line}  {result.problem}" if result.problem else line


if __name__ == "__main__":
    sys.exit(main())
