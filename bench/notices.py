"""Deciding and sending: service calls, CPU and wall per notice, beside the plain handler, in one run.

The real handlers of `functions/` run with the real adapters over canned services. After each slice of
a hundred the plain handler has its turn with as many notices, and the ratio of their CPU is taken slice
by slice, so that other load on the machine strikes both. Garbage is collected between turns.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from . import samples
from .canned import OPENTEXT, CannedCloud
from .functions import Spent, Worker, environment, load, load_file, logging_to_standard_output
from .template import ROOT, Table, functions, physical_name, tables
from .usage import Usage

SECRETS: Mapping[str, Mapping[str, str]] = {
    "Peppers": {"current": "1", "1": "pepper" * 7},
    "LinkKeys": {"current": "1", "1": "linkkey" * 6},
    "ReferenceKeys": {"current": "1", "1": "reference" * 4},
    "UnsubscribeKeys": {"current": "1", "1": "unsubscribe" * 4},
    "EvidenceMaster": {"current": "1", "1": "master" * 7},
    "OpenTextCredentials": {"username": "example", "password": "example"},
}

PLAIN_TABLES = {name: Table(("id",)) for name in ("plain-contacts", "plain-suppressions", "plain-notices")}
PLAIN_QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/PlainQueue"
PLAIN_ENVIRONMENT = {
    "PLAIN_CONTACTS_TABLE": "plain-contacts",
    "PLAIN_SUPPRESSIONS_TABLE": "plain-suppressions",
    "PLAIN_NOTICES_TABLE": "plain-notices",
    "PLAIN_OPENTEXT_USER": "example",
    "PLAIN_OPENTEXT_PASSWORD": "example",
}

DAYTIME = {"real": 0.0, "virtual": 1_795_536_000.0, "rate": 0.0}
"""Tuesday 24 November 2026, 16:00 UTC: no quiet hours in America."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is measured: documents, provider, and whether the customers are known already.

    `calls` and `cpu_ratio` are the targets, None where there is none.
    """

    name: str
    title: str
    maker: samples.Maker
    provider: str
    known: bool = True
    calls: float | None = None
    cpu_ratio: float | None = None


SCENARIOS = (
    Scenario("one by one", "statements, SES", samples.statement, "ses", True, 3.1, 0.5),
    Scenario("bulk", "statements, OpenText", samples.statement, "opentext", True, 0.2, 0.1),
    Scenario("mixed", "five types in four languages by turns, OpenText", samples.mixed, "opentext"),
    Scenario(
        "regulated", "claim letters one by one, OpenText", samples.claim_letter, "opentext", True, 3.1, 0.5
    ),
    Scenario("one by one, new", "as the first, no customer known", samples.statement, "ses", False, 3.1, 0.5),
    Scenario("bulk, new", "as the second, no customer known", samples.statement, "opentext", False),
)


@dataclass(slots=True)
class Result:
    """A scenario's figures, over `notices` of ours and as many of the plain handler's."""

    scenario: Scenario
    notices: int
    decide: Spent = field(default_factory=Spent)
    send: Spent = field(default_factory=Spent)
    plain: Spent = field(default_factory=Spent)
    decide_usage: Usage = field(default_factory=Usage)
    send_usage: Usage = field(default_factory=Usage)
    plain_usage: Usage = field(default_factory=Usage)
    ratios: list[float] = field(default_factory=list)
    stored: Mapping[str, float] = field(default_factory=dict)

    @property
    def usage(self) -> Usage:
        """What deciding and sending used, and queueing the slices."""
        return self.decide_usage + self.send_usage

    @property
    def calls(self) -> float:
        """Service calls per notice, the provider's and the event source mappings' included."""
        return self.usage.calls.total() / self.notices

    @property
    def plain_calls(self) -> float:
        """The plain handler's."""
        return self.plain_usage.calls.total() / self.notices

    @property
    def cpu(self) -> float:
        """CPU seconds per notice."""
        return (self.decide.cpu + self.send.cpu) / self.notices

    @property
    def plain_cpu(self) -> float:
        """The plain handler's."""
        return self.plain.cpu / self.notices

    @property
    def cpu_ratio(self) -> float:
        """Our CPU over the plain handler's, the median over the slices."""
        return median(self.ratios)


class _Site:
    """One deployed stack with canned services, and the plain handler beside it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.cloud = CannedCloud({**tables(), **PLAIN_TABLES})
        self.cloud.secrets = {physical_name(name): fields for name, fields in SECRETS.items()}
        settings = {
            "EMAIL_PROVIDER": scenario.provider,
            "OPENTEXT_URL": OPENTEXT,
            # No pacing: what a provider allows is no property of the code.
            "EMAIL_CONCURRENCY": "1",
            "EMAIL_RATE": "1000000",
            "EXNOTIFY_CLOCK": json.dumps(DAYTIME),
        }
        self.decide = self._worker("decide_notices", load("decide_notices", settings).handler)
        self.sender = load("send_notices", settings)
        self.send = self._worker("send_notices", self.sender.handler)
        own = functions()["send_notices"].environment
        plain = load_file(
            ROOT / "bench" / "plain_handler.py", {**own, **settings, **PLAIN_ENVIRONMENT}, "bench_plain"
        )
        self.plain = Worker(self.cloud, plain.handler, "plain", memory=512, timeout=60, batch=10)

    def _worker(self, name: str, handler: Any) -> Worker:
        function = functions()[name]
        return Worker(
            self.cloud, handler, name, memory=function.memory, timeout=function.timeout, batch=function.batch
        )

    def decided(self, run: str, first: int, count: int) -> Spent:
        """Stage and decide so many notices; what deciding took. The jobs then wait to be sent."""
        numbers = range(first, first + count)
        bucket = physical_name("WorkBucket")
        bodies, pointers = samples.stage(run, self.scenario.maker, numbers, f"parts/retail/{run}/0/")
        self.cloud.objects |= {f"{bucket}/{key}": body for key, body in bodies.items()}
        self.sender.app.decide_queue.send_slices(pointers)
        gc.collect()
        return sum(self.decide.drain(physical_name("DecideQueue")), Spent())

    def sent(self) -> Spent:
        """Send the next slice's job."""
        gc.collect()
        before = self.cloud.sent
        spent = self.send.take(physical_name("EmailQueue"))
        self._check(before)
        return spent

    def plain_sent(self, run: str, first: int) -> Spent:
        """The plain handler's turn with as many notices as a slice has."""
        numbers = range(first, first + samples.SLICE_RECORDS)
        documents = [self.scenario.maker(run, number) for number in numbers]
        self.cloud.tables.seed(
            "plain-contacts",
            (
                {"id": {"S": f"{d.domain}#{d.customer_key}"}, "email": {"S": d.email}, "opt_outs": {"L": []}}
                for d in documents
                if d.email
            ),
        )
        self.cloud.queues[PLAIN_QUEUE] = [(json.dumps(samples.record(d)), "") for d in documents]
        before = self.cloud.sent
        gc.collect()
        spent = sum(self.plain.drain(PLAIN_QUEUE), Spent())
        self._check(before)
        return spent

    def _check(self, before: int) -> None:
        if (reached := self.cloud.sent - before) != samples.SLICE_RECORDS:
            raise RuntimeError(f"{reached} of {samples.SLICE_RECORDS} notices reached the provider")


@contextmanager
def _site(scenario: Scenario) -> Iterator[_Site]:
    site = _Site(scenario)
    with site.cloud.installed(), environment({}), logging_to_standard_output():
        yield site


def run_scenario(scenario: Scenario, slices: int, rounds: int) -> Result:
    """Measure one scenario: `rounds` times so many slices, the plain handler's turn after each slice."""
    each = slices * samples.SLICE_RECORDS
    result = Result(scenario, rounds * each)
    with _site(scenario) as site:
        # Warm: rules read, templates compiled, secrets fetched.
        site.decided("warm", 10_000_000, samples.SLICE_RECORDS)
        site.sent()
        site.plain_sent("warm", 10_000_000)
        if scenario.known:
            site.decided("before", 0, rounds * each)
            for _ in range(rounds * slices):
                site.sent()
        for first in range(0, rounds * each, each):
            start = site.cloud.usage.copy()
            decided = site.decided("run", first, each)
            result.decide_usage += site.cloud.usage - start
            result.decide += decided
            for number in range(first, first + each, samples.SLICE_RECORDS):
                start = site.cloud.usage.copy()
                sent = site.sent()
                middle = site.cloud.usage.copy()
                plain = site.plain_sent("run", number)
                result.send_usage += middle - start
                result.plain_usage += site.cloud.usage - middle
                result.send += sent
                result.plain += plain
                result.ratios.append((decided.cpu / slices + sent.cpu) / plain.cpu)
        result.stored = _stored(site.cloud)
    return result


def _stored(cloud: CannedCloud) -> dict[str, float]:
    """Mean bytes: of a ledger item, of a contact, and of evidence and bulk jobs for each notice."""
    notices = cloud.tables.sizes(physical_name("NoticesTable"))
    contacts = cloud.tables.sizes(physical_name("ContactsTable"))
    sums = {
        name: sum(len(body) for key, body in cloud.objects.items() if key.startswith(prefix))
        for name, prefix in (
            ("evidence", f"{physical_name('EvidenceBucket')}/"),
            ("jobs", f"{physical_name('WorkBucket')}/jobs/"),
            ("parts", f"{physical_name('WorkBucket')}/parts/"),
        )
    }
    return {
        "notice": sum(notices) / len(notices),
        "contact": sum(contacts) / len(contacts),
        **{name: total / len(notices) for name, total in sums.items()},
    }


def measure(*, quick: bool = False) -> list[Result]:
    """All scenarios: 2,000 notices each, in two rounds of ten slices (`quick`: 200, in one of two)."""
    slices, rounds = (2, 1) if quick else (10, 2)
    return [run_scenario(scenario, slices, rounds) for scenario in SCENARIOS]
