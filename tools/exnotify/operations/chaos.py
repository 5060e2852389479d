"""Chaos: a run under duplicates, disorder and failing providers, whose workers are killed while they work.

Each seed has an embedded cloud of its own, as `exnotify up --chaos duplicates,reorder,faults` starts it. A
run is dropped, and workers are killed (SIGKILL) at random moments in the middle of an invocation, whatever
function they run. Afterwards what the simulated providers accepted is compared with what the run says, for
each customer. Only workers are killed: tables and queues are in the memory of the embedded cloud itself,
which stands for AWS.
"""

import argparse
import json
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..dropping import prepare, upload
from ..following import Expected, follow
from ..local import LocalCloud
from ..records import records_of
from ..runs import added_up, find_run, state_of
from ..simulators import SimulatedMessage

AT = "2026-11-24T15:00:00+00:00"
"""Ten in the morning in New York: nothing waits for the day."""

CHAOS = frozenset({"duplicates", "reorder", "faults"})
PARAMETERS: Mapping[str, str] = {"ProviderOverrides": "email/transactional=ses,sms/transactional=sms"}
"""Both ways of sending: transactional types one by one by SES and SMS, all others by OpenText."""

TYPES = ("statement", "secure-correspondence", "claim-letter", "payment-reminder")
_TOLD = frozenset({"notified", "unconfirmed"})
_TO_ACT = frozenset({"unconfirmed", "failed"})
_AREAS = ("201", "203", "206", "212", "213", "214", "215", "216", "305", "312", "313", "314", "404", "415")
_STALL = 900.0  # real seconds without movement after which a run counts as stuck
_SETTLE = 900.0  # real seconds for receipts, deferred notices and what they cause
_LOOK = 1.0
_STEP = 0.02
_PAUSE = 1.0  # real seconds at most between a kill's turn and the kill
_STILL = 3.0  # real seconds without a new message after which kills are no longer waited for
_BEFORE, _ENDS = 0.1, 0.8  # from before anything is out until four fifths are: what is in doubt never comes


@dataclass(slots=True)
class Result:
    """What became of one seed's run.

    `killed` are the functions whose workers were killed; `accepted` the customers' messages that the
    providers accepted; `twice` the customers with more than one; `lost` those of whom the run says what the
    providers contradict, or nothing (`compared`); `outcomes` as the run shows them, `asked` whether an
    incident is open where somebody must act, `dead` the messages in dead-letter queues.
    """

    seed: int
    documents: int
    killed: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    twice: Sequence[str] = ()
    lost: Sequence[str] = ()
    outcomes: Mapping[str, int] = field(default_factory=dict)
    balanced: bool = False
    asked: bool = True
    ended: str = ""
    dead: int = 0
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the run is balanced, nobody was told twice, nobody was lost and every doubt is shown."""
        return self.balanced and self.asked and not (self.twice or self.lost or self.dead)


def compared(
    keys: Iterable[str], accepted: Mapping[str, int], outcomes: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """Customers with more than one accepted message, and customers who are lost.

    Lost: without a message although the run says `notified`; with one although it says something else than
    `notified` or `unconfirmed`; without any outcome, or still in flight.
    """
    twice, lost = [], []
    for key in keys:
        outcome, messages = outcomes.get(key, "in_flight"), accepted.get(key, 0)
        if messages > 1:
            twice.append(key)
        if (
            outcome == "in_flight"
            or (outcome == "notified" and not messages)
            or (messages and outcome not in _TOLD)
        ):
            lost.append(key)
    return twice, lost


def records(seed: int, number: int) -> list[dict[str, Any]]:
    """Records of so many customers; some have only an e-mail address, some only a mobile number."""
    chance = random.Random(f"{seed}:records")  # noqa: S311 - reproducible on purpose
    rows = []
    for n in range(1, number + 1):
        row = {
            "customer_key": f"K{n:06d}",
            "document_id": f"K{n:06d}-{seed}",
            "document_type": TYPES[n % len(TYPES)],
            "customer_in_run": str(n),
            "email": f"k{n:06d}@example.com",
            "mobile": f"+1{_AREAS[n // 100 % len(_AREAS)]}55501{n % 100:02d}",
            "language": chance.choice(("en", "es", "fr", "de")),
            "time_zone": "America/New_York",
            "reference_no": f"REF-{n:08d}",
            "case_id": f"C-{n:06d}",
            "case_type": "claim",
            "amount_due": f"{n}.50",
            "currency": "USD",
            "due_date": "2026-12-24",
        }
        for missing in chance.choices(((), ("email",), ("mobile",)), (70, 15, 15))[0]:
            del row[missing]
        rows.append(row)
    return rows


class Killer:
    """Kills `number` workers in the middle of an invocation, at moments that a seed draws.

    Each kill has its turn once so many messages are out, from none to nearly all of `messages`, and then
    waits a moment, so that kills are spread over the whole run on any machine. Where no message comes any
    more, since the rest is in doubt, those that are left follow each other.
    """

    def __init__(self, cloud: LocalCloud, seed: int, number: int, messages: int) -> None:
        self.killed: Counter[str] = Counter()
        self._cloud = cloud
        self._random = random.Random(f"{seed}:kills")  # noqa: S311 - reproducible on purpose
        self._turns = sorted(self._random.uniform(-_BEFORE, _ENDS) * messages for _ in range(number))
        self._over = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Kills while the block runs."""
        thread = threading.Thread(target=self._run, name="killer", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _run(self) -> None:
        for turn in self._turns:
            before, since = 0, time.monotonic()
            while (out := len(self._cloud.messages)) < turn:
                if out != before:
                    before, since = out, time.monotonic()
                if (out and time.monotonic() - since > _STILL) or self._over.wait(_STEP):
                    break
            if self._over.wait(self._random.uniform(0, _PAUSE)):
                return
            while not self._kill():
                if self._over.wait(_STEP):
                    return

    def _kill(self) -> bool:
        """Kill one of the workers that are at work; whether there was one."""
        busy = self._cloud.busy_workers()
        if not busy:
            return False
        function, pid = self._random.choice(busy)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.killed[function] += 1
        return True


def endure(seed: int, documents: int, kills: int) -> Result:
    """Drop a run of so many documents, and kill so many workers while it goes out."""
    started = time.monotonic()
    rows = records(seed, documents)
    result = Result(seed, documents)
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud(at=AT, seed=seed, chaos=CHAOS, parameters=PARAMETERS) as cloud,
    ):
        name = f"chaos-{seed}"
        (source := Path(folder) / name).mkdir()
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (source / f"{name}.index.jsonl").write_text(lines, "utf-8")
        killer = Killer(cloud, seed, kills, documents)
        target = cloud.deployment()
        run = prepare(source, domain="retail", run_id=name, sealed=True)
        with killer.at_work():
            expected = Expected(upload(target, run))
            followed = follow(target, "retail", name, expected=expected, stall=_STALL)
        _settle(cloud, name)
        result.killed = killer.killed
        result.ended = str(followed.end)
        found = find_run(target.app, f"retail/{name}")
        told = state_of(target.app, found)
        result.balanced = told["balanced"]
        result.outcomes = {outcome: count for outcome, count in told["outcomes"].items() if count}
        result.asked = bool(told["incidents"]) or not _TO_ACT & result.outcomes.keys()
        accepted = _by_customer(rows, cloud.messages)
        result.accepted = accepted.total()
        said = {row.customer_key: row.outcome for row in records_of(target.app, found)}
        result.twice, result.lost = compared((row["customer_key"] for row in rows), accepted, said)
        queues = cloud.state()["queues"]
        result.dead = sum(sum(d.values()) for name, d in queues.items() if name.endswith("DeadLetters"))
    result.seconds = time.monotonic() - started
    return result


def _settle(cloud: LocalCloud, run_id: str) -> None:
    """Until nothing is queued, deferred or runs, and no receipt is due soon."""
    app = cloud.deployment().app
    deadline = time.monotonic() + _SETTLE
    while time.monotonic() < deadline:
        cloud.idle(max(deadline - time.monotonic(), 0))
        deferred = added_up(app, find_run(app, f"retail/{run_id}")).outcomes["deferred"]
        if not deferred and not (cloud.courier and cloud.courier.waiting(60)) and cloud.state()["idle"]:
            return
        time.sleep(_LOOK)


def _by_customer(rows: Iterable[Mapping[str, Any]], messages: Iterable[SimulatedMessage]) -> Counter[str]:
    """Accepted messages by customer key; what teams got is left out."""
    owners = {
        row[where]: row["customer_key"] for row in rows for where in ("email", "mobile") if where in row
    }
    return Counter(owners[message.to] for message in messages if message.to in owners)


_HEAD = (
    "seed",
    "documents",
    "kills",
    "accepted",
    "doubles",
    "losses",
    "dead letters",
    "balanced",
    "s",
    "outcomes",
)
_FORM = "{:>6}{:>11}{:>7}{:>10}{:>9}{:>8}{:>14}  {:<10}{:>5}  {}"


def row(result: Result) -> str:
    """A line of the table."""
    outcomes = ", ".join(f"{count} {name}" for name, count in result.outcomes.items())
    return _FORM.format(
        result.seed,
        result.documents,
        result.killed.total(),
        result.accepted,
        len(result.twice),
        len(result.lost),
        result.dead,
        "yes" if result.balanced else f"NO: {result.ended}",
        f"{result.seconds:.0f}",
        outcomes if result.asked else f"{outcomes}; no incident is open",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """`make chaos`, `python -m exnotify.operations.chaos [--seeds 1,2,3] [--documents N] [--kills N]`.

    Prints the table. Exit code 1 if a run is not balanced, a customer was told twice or is lost, or fewer
    workers were killed than wanted.
    """
    parser = argparse.ArgumentParser(
        prog="exnotify.operations.chaos", description="kill workers while a run goes out"
    )
    parser.add_argument("--seeds", default="1,2,3", help="one run for each (1,2,3)")
    parser.add_argument("--documents", type=int, default=1000, help="in each run (1000)")
    parser.add_argument("--kills", type=int, default=50, help="in each run (50)")
    given = parser.parse_args(arguments)
    try:
        seeds = [int(seed) for seed in given.seeds.split(",")]
    except ValueError:
        parser.error(f"--seeds {given.seeds!r}: numbers with commas between them")
    # What the cloud warns of is what is done to it.
    logging.getLogger("exnotify").setLevel(logging.ERROR)
    print(_FORM.format(*_HEAD).rstrip(), flush=True)
    wrong, killed = 0, Counter[str]()
    for seed in seeds:
        result = endure(seed, given.documents, given.kills)
        print(row(result), flush=True)
        for what, keys in (("told twice", result.twice), ("lost", result.lost)):
            if keys:
                print(f"{what}: {', '.join(keys[:20])}", flush=True)
        killed += result.killed
        wrong += not result.passed or result.killed.total() < given.kills
    print("killed: " + (", ".join(f"{count} {name}" for name, count in killed.most_common()) or "none"))
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
