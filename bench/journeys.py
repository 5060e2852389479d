"""What a million customers in journeys cost beside their messages: joining, waking, ending, by real counts.

The real handler of `advance_journey` runs over canned services on cohorts whose members were written by
the real adapter. Units, sizes and CPU are counted; state transitions are those of the state machine.
"""

from __future__ import annotations

import json
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from exstream_notify.adapters.dynamodb.contacts import contact_item
from exstream_notify.adapters.dynamodb.ledger import to_item
from exstream_notify.domain.contacts import Address, Contact
from exstream_notify.domain.identity import notice_id
from exstream_notify.domain.journeys import Member, cohort_at
from exstream_notify.domain.notices import Attempt, Notice, Origin, Status, begun, finished, opened
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.join_journeys import enrol

from .bill import ASSUMED_WAITS, CORE_FACTOR, FULL_CORE_MB, MILLION
from .canned import CannedCloud
from .functions import environment, load, logging_to_standard_output
from .notices import DAYTIME
from .prices import PRICES
from .report import Sheet
from .template import functions, physical_name, tables
from .usage import Usage

MEMBERS = 1000
_NAMES = {"POWERTOOLS_SERVICE_NAME": "bench", "POWERTOOLS_METRICS_NAMESPACE": "Bench"}
JOURNEY = "renewal-reminder"
TRANSITIONS_A_PAGE = 2
"""AdvancePage and IsThereMore; beside them a cohort has its start, wait and end, which no count reaches."""

_NOW = datetime.fromtimestamp(DAYTIME["virtual"], UTC)


class _Context:
    function_name = "advance_journey"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:advance_journey"
    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 290_000


@dataclass(frozen=True, slots=True)
class Woken:
    """A phase over `members`: what it used, CPU seconds, pages."""

    title: str
    members: int
    usage: Usage
    cpu: float
    pages: int


def measure() -> list[Woken]:
    """Joining, waking with a cap and without, and the end, of a thousand members each."""
    cloud = CannedCloud(tables())
    with cloud.installed(), environment(_NAMES), logging_to_standard_output():
        module = load("advance_journey", {"EXNOTIFY_CLOCK": json.dumps(DAYTIME)})
        app = module.app
        rule = app.rules.journeys()[JOURNEY]
        found = []
        _seed(cloud)
        for step, title in ((1, "a step is due: nobody has answered"), (3, "the end: nobody has answered")):
            cohort = cohort_at("retail", rule, step, _NOW)
            app.journeys.keep_rule(rule)
            start, cpu = cloud.usage.copy(), time.process_time()
            for number in range(MEMBERS // 100):
                pointer = SlicePointer("retail", "bench", number, "parts/x", 0, 60_000, 100, number * 100)
                members = [_member(n) for n in range(number * 100, number * 100 + 100)]
                enrol({cohort: members}, rule, pointer, app.journeys)
            if step == 1:
                found.append(
                    Woken(
                        "joining, once a journey", MEMBERS, cloud.usage - start, time.process_time() - cpu, 0
                    )
                )
            event: dict[str, Any] = {
                "hour": cohort.hour, "domain": "retail", "journey": JOURNEY, "step": step, "generation": 1,
                "page": 1, "more": True,
            }  # fmt: skip
            start, cpu = cloud.usage.copy(), time.process_time()
            while event["more"]:
                with redirect_stdout(StringIO()):
                    event = module.handler(event, _Context())
            used = cloud.usage - start
            found.append(Woken(title, MEMBERS, used, time.process_time() - cpu, event["page"] - 1))
    return found


def _key(number: int) -> str:
    return f"C{number:07d}"


def _member(number: int) -> Member:
    base = (_NOW - timedelta(days=7)).isoformat(timespec="minutes")
    identity = notice_id("retail", _key(number), f"D{number:07d}", document_type="renewal-notice")
    return Member(identity, number, base, "2026-12-01", "US")


def _seed(cloud: CannedCloud) -> None:
    """The notices as they stand after they were sent, and their customers."""
    sent = _NOW - timedelta(days=7)
    notices, contacts = [], []
    for number in range(MEMBERS):
        origin = Origin("retail/bench", number // 100, number, "parts/x", 0, 60_000)
        fresh = Notice(
            _member(number).notice_id, "retail", _key(number), f"D{number:07d}", "renewal-notice", "notice",
            "customer", origin, Status.SENDING, version=0,
        )  # fmt: skip
        attempt = Attempt(1, "email", "opentext", "a" * 32, "b" * 24, Status.SENDING, 1.0, evidence="e" * 60)
        told = finished(
            begun(opened(fresh, sent, "job"), attempt, sent, ("sms",)), 1, Status.SENT, sent, ref="x" * 20
        )
        if told is None:
            raise RuntimeError("the notice does not move on")
        notices.append(to_item(told))
        address = Address(f"c{number}@example.com", f"c{number}@example.com")
        contact = Contact("retail", _key(number), "f" * 32, 1, email=address)
        contacts.append(contact_item(f"retail#{_key(number)}", contact))
    cloud.tables.seed(physical_name("NoticesTable"), notices)
    cloud.tables.seed(physical_name("ContactsTable"), contacts)


def sheet(found: list[Woken]) -> Sheet:
    """Dollars a million members, by phase."""
    memory = functions()["advance_journey"].memory
    rows = []
    for one in found:
        times = MILLION / one.members
        units = {name: one.usage.units.get(name, 0.0) * times for name in PRICES}
        waits = sum(ASSUMED_WAITS.get(name, 0.006) * n for name, n in one.usage.calls.items())
        seconds = (one.cpu * CORE_FACTOR / min(1.0, memory / FULL_CORE_MB) + waits) * times
        services = sum(PRICES[name].of(amount) for name, amount in units.items())
        duration = PRICES["lambda_gb_seconds"].of(seconds * memory / 1024)
        requests = PRICES["lambda_requests"].of(one.pages * times)
        machine = PRICES["state_transitions"].of(one.pages * TRANSITIONS_A_PAGE * times)
        whole = services + duration + requests + machine
        rows.append(
            (
                one.title,
                f"{one.usage.calls.total() / one.members:.3f}",
                f"{units['dynamodb_write'] / MILLION:.3f}",
                f"{units['dynamodb_read'] / MILLION:.3f}",
                f"{one.pages * TRANSITIONS_A_PAGE * times:,.0f}",
                f"{seconds / (one.pages * times):.1f}" if one.pages else "-",
                f"{whole:.2f}",
            )
        )
    return Sheet(
        "A million customers in journeys",
        (
            "phase", "calls a member", "writes a member", "reads a member", "state transitions",
            "seconds a page",
            "US dollars a million",
        ),
        rows,
        (
            "Beside the messages: a step that goes out is a notice and costs what the bill says of one. "
            "With the cap of the rules that ship, which asks the ledger for each customer that would be "
            "reminded; who has answered costs two reads. One execution a cohort, whatever its size; a page "
            "is up to a thousand members, and two transitions.",
        ),
    )  # fmt: skip
