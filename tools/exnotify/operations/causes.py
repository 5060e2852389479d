"""How each fault of the drill is caused, and cured."""

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from exstream_notify.domain.exceptions import ExceptionRaised

from .ground import Cure, Ground


def provider(**faults: Any) -> Callable[[Ground], Cure]:
    """The provider of e-mail misbehaves in a way of the simulator's."""

    def cause(ground: Ground) -> Cure:
        ground.cloud.simulators.faults.set("opentext", **faults)
        ground.drop("provider", *(ground.record() for _ in range(3)))
        return ground.cloud.simulators.faults.clear

    return cause


def table_denied(ground: Ground) -> Cure:
    """The decision may not use its tables, and a run comes."""
    allow = ground.deny("DecideNoticesRole", "dynamodb:")
    ground.drop("denied", ground.record(), ground.record())

    def cure() -> None:
        allow()
        ground.redrive("DecideQueue")

    return cure


def many_fail(ground: Ground) -> Cure:
    """Single documents cannot be staged."""
    allow = ground.deny("StageDocumentRole", "s3:")
    for _ in range(12):
        ground.document()

    def cure() -> None:
        allow()
        ground.redrive("DocumentQueue")

    return cure


def poison(ground: Ground) -> Cure:
    """A message that its function cannot read."""
    ground.put("DecideQueue", '{"this is": "no slice"}')
    return lambda: ground.purge("DecideDeadLetters")


def killed(ground: Ground) -> Cure:
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


def stopped(ground: Ground) -> Cure:
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


def shut_out(queue: str, then: Callable[[Ground], None]) -> Callable[[Ground], Cure]:
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


def drop_one(ground: Ground) -> None:
    """A run of one customer."""
    ground.drop("shut-out", ground.record())


def message_file(ground: Ground) -> None:
    """A message file of the composer."""
    ground.file("drop/retail/shut-out/engine.dat", b"EX007777W (1) something is missing\n")


def delivery_failed(ground: Ground) -> None:
    """The composer tells that it could not deliver."""
    ground.event("exstream", "Exstream-Email-Failed", reason="unknown")


def schedules_denied(ground: Ground) -> Cure:
    """What runs by a rate may not read what it looks at."""
    reads = {"ReleaseDue": "dynamodb:", "StartJourneys": "dynamodb:", "WatchRuns": "dynamodb:"}
    reads |= {"PollReceipts": "dynamodb:", "ReportDeadLetters": "sqs:GetQueueAttributes"}
    cures = [ground.deny(f"{name}Role", service) for name, service in reads.items()]

    def cure() -> None:
        for allow in cures:
            allow()

    return cure


def file_missing(ground: Ground) -> Cure:
    """The seal names a file that is not there."""
    ground.drop("missing", ground.record(), without="late.index.jsonl")
    return lambda: None


def spoiled(ground: Ground) -> Cure:
    """The index was changed after its seal."""
    ground.drop("spoiled", ground.record(), spoil=True)
    return lambda: None


def misplaced(ground: Ground) -> Cure:
    """A seal in a folder that is no run's."""
    ground.file("drop/too/deep/by/far/_COMPLETE.json", b"{}")
    return lambda: None


def many_unreached(ground: Ground) -> Cure:
    """Three in ten have no channel."""
    without = (ground.record(email="") for _ in range(12))
    ground.drop("unreached", *without, *(ground.record() for _ in range(28)))
    return lambda: None


def word_lost(ground: Ground) -> Cure:
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


def throttled(function: str, work: Callable[[Ground], None], purged: str = "") -> Callable[[Ground], Cure]:
    """Somebody reserves no concurrency for a function, and there is work for it.

    `purged` is a queue of such work that the cure takes away.
    """

    def cause(ground: Ground) -> Cure:
        api, name = ground.cloud.client("lambda"), ground.cloud.resource(function)
        api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        work(ground)

        def cure() -> None:
            if purged:
                ground.purge(purged)
            api.delete_function_concurrency(FunctionName=name)

        return cure

    return cause


def urgent_run(ground: Ground) -> None:
    """A run of two final demands."""
    urgent = {
        "document_type": "final-demand",
        "amount_due": "12.00",
        "currency": "USD",
        "due_date": "2026-12-24",
    }
    ground.drop("urgent", *(ground.record(**urgent) for _ in range(2)))


def export_step(ground: Ground) -> None:
    """A step of an export."""
    ground.put("ExportQueue", "{}")


def execution_denied(ground: Ground) -> Cure:
    """A reminder's execution may not call the function that reminds."""
    allow = ground.deny("FollowUpRole", "lambda:")
    ground.drop("reminded", ground.record())
    return allow


def page_denied(ground: Ground) -> Cure:
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


def run_missing(ground: Ground) -> Cure:
    """The calendar's run (rules of the site) does not come; it is late, not lost."""
    return lambda: ground.drop("billing", ground.record())


def not_sealed(ground: Ground) -> Cure:
    """A run without its seal."""
    ground.drop("unsealed", ground.record(), sealed=False)
    return lambda: None


def no_receipts(ground: Ground) -> Cure:
    """A run of which the provider never tells what became of it."""
    ground.drop("silent", *(ground.record(email=f"silent-{n}@example.com") for n in range(25)))
    return lambda: None


def unanswered(ground: Ground) -> Cure:
    """An engine stops, and nobody is on call."""
    ground.unanswered.set()
    ground.file("drop/retail/stopped/engine.dat", b"EX001111S stopped\n")
    return ground.unanswered.clear


def team_unreached(ground: Ground) -> Cure:
    """The only channel of a team (rules of the site) loses its address, after a look that found it."""
    ground.wait(lambda: any("TeamsUnreached" in line for line in ground.cloud.logs("AlertExceptionFunction")))
    ground.chat("")
    for pid in ground.cloud.worker_pids("AlertExceptionFunction"):
        os.kill(pid, signal.SIGKILL)  # a worker keeps a secret for five minutes
    return lambda: ground.chat("/chat/hook")


def alerts_lost(ground: Ground) -> Cure:
    """The chat's address is wrong, and the provider that would take the e-mail is down."""
    ground.chat("/chat/moved")
    ground.cloud.simulators.faults.set("opentext", down=True)
    ground.file("drop/retail/warned/engine.dat", b"EX007777W (1) something is missing\n")
    return ground.cloud.simulators.faults.clear


def bounces(ground: Ground) -> Cure:
    """A run with old addresses, whose customers are told by SMS then; the next run's are good."""
    old = [ground.record(email=f"bounce-{n}@example.com", mobile=f"+1202555{100 + n:04d}") for n in range(6)]
    ground.drop("old", *old, *(ground.record() for _ in range(54)))
    return lambda: ground.drop("good", *(ground.record() for _ in range(80)))


def complaints(ground: Ground) -> Cure:
    """One of forty calls it spam; then nobody of a large run does."""
    ground.drop("spam", ground.record(email="complain-1@example.com"), *(ground.record() for _ in range(39)))
    return lambda: ground.drop("wanted", *(ground.record() for _ in range(1100)))
