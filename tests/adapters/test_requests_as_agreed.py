"""What each table, bucket and queue is asked, to the last parameter, and what comes of the answers.

Its approved file is the list as it was agreed: under the name of a case each request on a line of its
own, then what the method returned. A condition, key, index or limit that changes, changes the list.
"""

import io
import json
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from exstream_notify.adapters.dynamodb.channels import DynamoChannelBook
from exstream_notify.adapters.dynamodb.contacts import DynamoContacts, DynamoSuppressions
from exstream_notify.adapters.dynamodb.incidents import DynamoIncidents
from exstream_notify.adapters.dynamodb.journeys import DynamoJourneys
from exstream_notify.adapters.dynamodb.ledger import DynamoDueIndex, DynamoLedger
from exstream_notify.adapters.dynamodb.opt_outs import DynamoOptOuts
from exstream_notify.adapters.dynamodb.receipts import (
    DynamoDeliveryWatch,
    DynamoEarlyReceipts,
    DynamoReputation,
    receipt_body,
)
from exstream_notify.adapters.dynamodb.responses import DynamoEarlyResponses, DynamoTries
from exstream_notify.adapters.dynamodb.runs import DynamoRuns
from exstream_notify.adapters.dynamodb.switches import DynamoSwitches
from exstream_notify.adapters.receipts.keeping import S3ReceiptEvidence, UnreadReceipts, mail_loader
from exstream_notify.adapters.s3 import S3Documents, S3DropFolder, S3Evidence, S3Jobs, S3Records
from exstream_notify.adapters.sqs import (
    EventBridgeExceptions,
    EventBridgeJourneys,
    SqsDecideQueue,
    SqsLookQueue,
    SqsQueue,
    SqsRunQueue,
    SqsSendQueues,
)
from exstream_notify.domain.channels import AlertReceipt, ChannelState
from exstream_notify.domain.contacts import Address, AddressChange, Consent, Told
from exstream_notify.domain.debt_hold import DebtHold
from exstream_notify.domain.erased import Person
from exstream_notify.domain.exceptions import ExceptionRaised, FileRead
from exstream_notify.domain.expectations import Arrival
from exstream_notify.domain.incidents import EVERYWHERE, Head, IncidentStatus
from exstream_notify.domain.journeys import Cohort, Delay, JourneyRule, MemberRow, Step, rule_body
from exstream_notify.domain.journeys import Member as JourneyMember
from exstream_notify.domain.messages import BulkJob, BulkMember, Content, SentRequest
from exstream_notify.domain.notices import Attempt, Correction, Event, Former, Origin, Outcome, Pauses, Status
from exstream_notify.domain.payments import Debt, Fact, Payments
from exstream_notify.domain.receipts import Kind, Receipt, Source, Suppression
from exstream_notify.domain.responses import EarlyPayment, EarlyResponse
from exstream_notify.domain.rollups import Bookmark
from exstream_notify.domain.runs import DigestRow, RecordOutcome, Run, RunState
from exstream_notify.domain.statements import Statement
from exstream_notify.domain.watching import Watched
from exstream_notify.domain.work import Member, Parked, SendJob, SlicePointer
from exstream_notify.ports import EvidenceLine
from tests.fakes import a_contact, a_notice

NOW = datetime(2026, 11, 20, 15, 0, 30, 250_000, tzinfo=UTC)
PEPPERS = {"1": b"old", "2": b"new"}
POINTER = SlicePointer("retail", "run-1", 3, "parts/retail/run-1/00000.jsonl", 10, 200, 2, 5)
JOB = SendJob("j1", POINTER, "email", "ses", False, (Member("a" * 32, 5), Member("b" * 32, 6, attempt=2)))


class Refused(Exception):
    """ConditionalCheckFailedException, NoSuchKey or a ClientError with this status."""

    def __init__(self, status: int = 400, code: str = "") -> None:
        super().__init__("refused")
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}, "Error": {"Code": code}}


class Conflict(Exception):
    """TransactionConflictException."""


class Cancelled(Exception):
    """TransactionCanceledException."""

    response: Mapping[str, Any] = {"CancellationReasons": []}


DEFAULTS: Mapping[str, Any] = {
    "query": {"Items": []},
    "scan": {"Items": []},
    "batch_get_item": {"Responses": {}},
}


class Client:
    """Keeps every request and gives these answers in turn, then such as say that there is nothing."""

    exceptions = SimpleNamespace(
        ConditionalCheckFailedException=Refused,
        TransactionConflictException=Conflict,
        TransactionCanceledException=Cancelled,
        NoSuchKey=Refused,
        ClientError=Refused,
    )

    def __init__(self) -> None:
        self.answers: deque[Any] = deque()
        self.lines: list[str] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(*named: str, **request: Any) -> Any:
            shown = json.dumps(request, ensure_ascii=False, sort_keys=True, default=_shown)
            self.lines.append(f"  {' '.join((operation, *named))} {shown}")
            answer = self.answers.popleft() if self.answers else DEFAULTS.get(operation, {})
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def _shown(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else str(value)


def _short(value: Any) -> str:
    """A value without the fields that have their defaults."""
    if is_dataclass(value) and not isinstance(value, type):
        given = (
            f"{f.name}={_short(told)}" for f in fields(value) if (told := getattr(value, f.name)) != f.default
        )
        return f"{type(value).__name__}({', '.join(given)})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_short(name)}: {_short(told)}" for name, told in value.items()) + "}"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(_short, value))) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_short, value)) + "]"
    return repr(value.value if isinstance(value, Enum) else value)


class Agreed:
    """Plays cases and writes down what was asked and what came of it."""

    def __init__(self) -> None:
        self.client = Client()
        self.text: list[str] = []

    def case(self, name: str, call: Callable[[], Any], *answers: Any, in_order: bool = True) -> None:
        self.client.answers.extend(answers)
        self.client.lines.clear()
        found = call()
        found = list(found) if isinstance(found, Iterator) else found
        lines = self.client.lines if in_order else sorted(self.client.lines)
        self.text += [name, *lines, f"  = {_short(found)}"]
        assert not self.client.answers, f"{name}: answers that nobody asked for"


def items(*rows: Mapping[str, Any], more: Any = None) -> dict[str, Any]:
    return {"Items": list(rows), **({"LastEvaluatedKey": more} if more else {})}


def found_in(table: str, *rows: Mapping[str, Any]) -> dict[str, Any]:
    return {"Responses": {table: list(rows)}}


def key(pk: str, sk: str = "") -> dict[str, Any]:
    return {"pk": {"S": pk}, **({"sk": {"S": sk}} if sk else {})}


# --- cases ----------------------------------------------------------------------------------------------

FULL = a_notice(
    status=Status.PAPER,
    why="no_channel",
    version=2,
    attempts=(
        Attempt(1, "email", "ses", "h1", "j1", Status.SENT, 1.5, "ref", "why", "evidence#1"),
        Attempt(2, "sms", "sms", "h2", "j2", Status.UNDELIVERED, delivered_at="d", undelivered_at="u", bounced_at="b", by_mail=True),
    ),
    events=(Event("t1", "decided", "paper", "0"), Event("t2", "receipt", "x", "1", "sent")),
    waiting=("email", "sms"),
    due_at="2026-11-20T15:00:00+00:00",
    superseded_by="D2",
    created_at="2026-11-19T15:00:00+00:00",
    responses=("paid", "acknowledged"),
    case_id="K1",
    link_revoked="t",
    rule_version="v1",
    payments=Payments((Fact("payment", "p1", "", "5.00", "USD"), Fact("reversal", "r1", "p1", "5.00", "USD", True, True)), (("USD", "1.00"),), ("p0",)),
    recipient="R1",
    facts="f",
    former=(Former("retail/run-0", 1, 2, Outcome.NOTIFIED, "w", 1),),
    heirs=(Origin("retail/run-2", 1, 2, "p", 3, 4),),
    corrections=(Correction(Origin("retail/run-3", 1, 2, "p", 3, 4), "2026-12-01", True),),
    together=("n1", "n2"),
    pauses=Pauses("closed", 2, "t1", "t2", 1, "t3", "c1"),
)  # fmt: skip


def ledger(agreed: Agreed) -> None:
    from exstream_notify.adapters.dynamodb.ledger import to_item

    book, due = DynamoLedger(agreed.client, "notices"), DynamoDueIndex(agreed.client, "notices")
    plain = a_notice()
    agreed.case("a new notice", lambda: book.put([plain]))
    agreed.case("a notice with all that it can have", lambda: book.put([FULL]))
    agreed.case(
        "a notice whose write was lost",
        lambda: book.put([plain]),
        Refused(),
        found_in("notices", to_item(plain)),
    )
    other = replace(plain, why="another")
    agreed.case(
        "a notice that another wrote",
        lambda: book.put([plain]),
        Refused(),
        found_in("notices", to_item(other)),
    )
    agreed.case("a notice that is gone", lambda: book.put([plain]), Refused(), found_in("notices"))
    agreed.case("two notices at once", lambda: book.put([plain, replace(FULL, notice_id="f" * 32)]))
    agreed.case("notices by id", lambda: book.get(["b", "a"]), found_in("notices", to_item(FULL), key("x")))
    agreed.case("no notices", lambda: book.get([]))
    pages = (
        items(key("b"), more=key("b")),
        items(key("a")),
        found_in("notices", to_item(FULL), to_item(plain)),
    )
    agreed.case("of a customer, over two pages", lambda: book.of_customer("retail", "C1"), *pages)
    orders = [
        to_item(a_notice(notice_id=name, created_at=at)) for name, at in (("a", "2"), ("c", "1"), ("b", "1"))
    ]
    agreed.case(
        "oldest first",
        lambda: [n.notice_id for n in book.of_customer("retail", "C1")],
        items(*map(key, "abc")),
        found_in("notices", *orders),
    )
    agreed.case("of a document", lambda: book.of_document("retail", "D1"))
    agreed.case("of a case", lambda: book.of_case("retail", "K1"))
    rows = [items(key(FULL.notice_id)), found_in("notices", to_item(FULL)), *[items()] * 15]
    agreed.case("on paper", lambda: [n.notice_id for n in book.on_paper("retail/run-1")], *rows)

    since, until = NOW - timedelta(hours=1), NOW
    agreed.case("due", lambda: due.due(since, until), items(key("a"), more=key("a")), items(key("b")))
    agreed.case("wait", lambda: due.wait("control", "retail/run-1", NOW))
    agreed.case("wait, kept", lambda: due.wait("control", "retail/run-1", NOW, keep=True), Refused())
    agreed.case("wait for a run", lambda: due.wait_for_run("retail", "run-1", NOW))
    look = SlicePointer("retail", "run-1", 2, "part", 3, 4, 5, 6, positions=(6, 7))
    agreed.case("wait for a look", lambda: due.wait_for_look("name", look, NOW))
    waiting = {**key("look:name"), "pointer": {"S": json.dumps(look.to_message())}}
    agreed.case("looks that are due", lambda: due.looks_due(["a", "look:name"]), found_in("notices", waiting))
    agreed.case("no looks that are due", lambda: due.looks_due(["a", "run:x/y"]))
    ids = ["run:retail/run-1", "a" * 32, "run:x/y/z"]
    agreed.case("runs that are due", lambda: due.runs_due(ids))
    agreed.case("what waits", lambda: due.waiting(["cover:x", "nonsense:y", "plain", "run:retail/run-1"]))
    agreed.case("forget", lambda: due.forget(["a", "b"], NOW), Refused(), {})
    agreed.case("no watermark", due.watermark)
    mark = {**key("watermark"), "at": {"S": NOW.isoformat()}}
    agreed.case("a watermark", due.watermark, found_in("notices", mark))
    agreed.case("set a watermark", lambda: due.set_watermark(NOW))


CONTACT = a_contact(
    email=Address("c1@example.com", "C1@example.com", "bad", "hard", "customer", ("Europe/Berlin",), "h"),
    channel_order=("sms", "email"),
    opt_outs={"news": ("email",)},
    language="de",
    paper_required=True,
    consent=Consent(True, "all", "v1", "t", "portal"),
    set_by_customer=("email",),
    history=({"what": "x"},),
    quiet_hours=("21:00", "08:00"),
    changing=(
        AddressChange("c1", "email", Address("n@example.com", "n@example.com"), "code", "t1", "t2", "portal", 1, "t3", "t4", 2, (Told("asked", "sms", "h", "t", "sent", "n1"),), "asked"),
    ),
    codes_sent=("t",),
    legal_hold="why",
    statements=(Statement("email", "x", "t", "import", "who"),),
    debt_hold=DebtHold(("dispute",), "t", "who", "why", "t2"),
)  # fmt: skip


def contacts(agreed: Agreed) -> None:
    from exstream_notify.adapters.dynamodb.contacts import contact_item

    book = DynamoContacts(agreed.client, "contacts", lambda: ("2", PEPPERS))
    plain = DynamoContacts(agreed.client, "contacts")
    stored = contact_item("retail#C0001", CONTACT)
    agreed.case("a contact with all that it can have", lambda: book.put([CONTACT]))
    agreed.case("a contact without peppers", lambda: plain.put([replace(a_contact(2), version=3, salt="")]))
    agreed.case("a contact that another wrote", lambda: book.put([a_contact(1)]), Refused())
    agreed.case("contacts", lambda: book.get("retail", ["C0002", "C0001"]), found_in("contacts", stored))
    agreed.case(
        "by handle", lambda: book.by_handle("h1"), items(key("retail#C0001")), found_in("contacts", stored)
    )
    agreed.case("by no handle", lambda: book.by_handle("h1"))
    answers = (items(key("retail#C0001")), items(key("retail#C0002")))
    other = contact_item("retail#C0002", a_contact(2))
    agreed.case(
        "at an address",
        lambda: [c.contact_key for c in book.at_address("email", "c1@example.com")],
        *answers,
        found_in("contacts", stored, other),
        in_order=False,  # each pepper's hash is asked for, the newest or the oldest first
    )
    tombstone = {**key("#erased#x"), "v": {"N": "1"}}
    agreed.case(
        "all contacts of a segment",
        lambda: [c.contact_key for c in book.scan(1, 4)],
        items(tombstone, more=tombstone["pk"]),
        items(stored),
    )

    lists = DynamoSuppressions(agreed.client, "suppressions", lambda: PEPPERS)
    first = lists.hashes("email", "a@example.com")
    now = {"released": {"S": "t"}}
    rows = (
        {**key(f"email#{first[0]}"), "expires": {"N": "1"}},
        {**key(f"email#{first[1]}"), **now},
    )
    agreed.case("no suppressions asked for", lambda: lists.suppressed([]))
    agreed.case(
        "suppressions that hold no more",
        lambda: lists.suppressed([("email", "a@example.com")]),
        found_in("suppressions", *rows),
    )
    agreed.case(
        "a suppression that holds",
        lambda: lists.suppressed([("email", "a@example.com")]),
        found_in("suppressions", key(f"email#{first[1]}")),
    )
    many = DynamoSuppressions(agreed.client, "s", lambda: {"9": b"a", "10": b"b"})
    agreed.case("the tenth pepper is newer than the ninth", lambda: many.hashes("sms", "+1"))
    for name, entry in {
        "hard": Suppression("email", "h1", "hard", "ses", "t", version=1, history=({"a": "b"},)),
        "soft, with an end": Suppression("email", "h1", "soft", "ses", "t", "2026-12-01T00:00:00+00:00", ("t",), version=2),
        "watched": Suppression("email", "h1", at="t", failures=("t1", "t2"), version=1),
        "watched without a time": Suppression("email", "h1", at="t0", version=1),
        "released": Suppression("email", "h1", "hard", released_at="t9", source="op", version=3),
        "stopped": Suppression("sms", "h1", "hard", stopped="t", expires="2026-12-01T00:00:00+00:00", topics=("x",), version=1),
    }.items():  # fmt: skip
        agreed.case(f"suppression: {name}", lambda entry=entry: lists.put([entry]))  # type: ignore[misc]
    by_hand = {**key("email#h1"), "v": {"N": "4"}}
    agreed.case(
        "a suppression put in by hand",
        lambda: lists.entries([("email", "h1")]),
        found_in("suppressions", by_hand),
    )
    agreed.case("no entries", lambda: lists.entries([]))

    stops = DynamoOptOuts(agreed.client, "suppressions", lambda: {"2": b"new"})
    own = stops.hashes("sms", "+12025550100")[0]
    body = {"S": json.dumps({"stopped": "t", "source": "x"})}
    stopped = {**key(f"sms#{own}"), "v": {"N": "1"}, "body": body}
    agreed.case(
        "stop",
        lambda: stops.stop("sms", "+12025550100", "sms", NOW),
        found_in("suppressions"),
        found_in("suppressions"),
        {},
        found_in("suppressions", stopped),
    )
    agreed.case(
        "stopped already",
        lambda: stops.stop("sms", "+12025550100", "sms", NOW),
        found_in("suppressions", stopped),
    )
    agreed.case(
        "stopped by whom", lambda: stops.stopped_by("sms", "+12025550100"), found_in("suppressions", stopped)
    )

    topics = {**key(f"sms#{own}"), "v": {"N": "2"}, "body": {"S": json.dumps({"topics": ["news"]})}}
    agreed.case(
        "stop topics",
        lambda: stops.stop_topics("sms", "+12025550100", ["news"], "sms", NOW),
        found_in("suppressions"),
    )
    agreed.case(
        "stop topics that are stopped",
        lambda: stops.stop_topics("sms", "+12025550100", ["news"], "sms", NOW),
        found_in("suppressions", topics),
    )
    older = DynamoOptOuts(agreed.client, "suppressions", lambda: PEPPERS)
    newest, oldest = older.hashes("sms", "+12025550100")
    both = found_in(
        "suppressions",
        {**topics, **key(f"sms#{newest}"), "v": {"N": "6"}},
        {**stopped, **key(f"sms#{oldest}"), "v": {"N": "7"}},
    )
    agreed.case(
        "allow, under every pepper",
        lambda: older.allow("sms", "+12025550100", "portal", NOW),
        both,
        both,
        {},
        found_in("suppressions"),
    )
    agreed.case("allow what nobody stopped", lambda: older.allow("sms", "+12025550100", "portal", NOW))
    other_entry = {**stopped, "v": {"N": "9"}}
    agreed.case(
        "a suppression that keeps changing",
        lambda: _told(lambda: stops.stop_topics("sms", "+12025550100", ["x"], "sms", NOW)),
        *[found_in("suppressions", topics), Refused(), found_in("suppressions", other_entry)] * 5,
    )
    entry = Suppression("email", "h1", "hard", "ses", "t", version=1)
    same = {**key("email#h1"), "v": {"N": "1"}, "body": {"S": '{"reason":"hard","source":"ses","at":"t"}'}}
    agreed.case(
        "a suppression whose write was lost",
        lambda: lists.put([entry]),
        Refused(),
        found_in("suppressions", same),
    )
    changed = {**same, "v": {"N": "2"}}
    agreed.case(
        "a suppression that another wrote",
        lambda: lists.put([entry]),
        Refused(),
        found_in("suppressions", changed),
    )


def journeys(agreed: Agreed) -> None:
    cohort, later = (
        Cohort("2026-11-20T15", "retail", "reminder", 1),
        Cohort("2026-11-21T15", "retail", "reminder", 2),
    )
    member = JourneyMember("a" * 32, 5, "2026-11-20", "2026-12-01", "US", "America/New_York", "t", 1)
    row = MemberRow(
        "row-1", "v1", "retail/run-1", 6, "p", 1, 2, (member, JourneyMember("b" * 32, 6, "2026-11-20"))
    )
    item = {
        "sk": {"S": f"{cohort.name}#row-1"},
        "name": {"S": "row-1"},
        "version": {"S": "v1"},
        "body": {"S": json.dumps([["retail/run-1", 6, "p", 1, 2], [["b" * 32, 6, "2026-11-20"]]])},
    }
    book = DynamoJourneys(agreed.client, "journeys", lambda: NOW)
    agreed.case("enrol in a cohort that is due", lambda: book.enrol(cohort, [row]), {}, Refused())
    agreed.case("enrol again: noted anew", lambda: book.enrol(cohort, [row]))
    agreed.case("enrol in a later cohort", lambda: book.enrol(later, [row]))
    agreed.case("enrol again: noted before", lambda: book.enrol(later, [row]))
    states = items(
        {**key("cohorts", cohort.name), "generation": {"N": "2"}, "started": {"BOOL": True}},
        more=key("x", "y"),
    )
    rest = items({**key("cohorts", later.name), "generation": {"N": "0"}, "started": {"BOOL": False}})
    done = {"Item": {"generation": {"N": "7"}}}
    agreed.case("cohorts", lambda: book.cohorts(NOW), states, rest, done)
    agreed.case("cohorts that never were", lambda: book.cohorts(NOW), rest, {})
    members = (items(item), items(), items(item, more=key("x", "y")), items(item))
    agreed.case("all cohorts", book.all_cohorts, items(states["Items"][0]), *members, items())
    agreed.case(
        "rows of slices",
        lambda: book.rows(cohort, [("retail/run-1", 6), ("x", 2)]),
        items(item, {**item, "name": {"S": "row-2"}}),
    )
    agreed.case("rows of other slices", lambda: book.rows(cohort, [("retail/run-2", 6)]), items(item))
    agreed.case("amend", lambda: book.amend(cohort, row))
    agreed.case("amend what is aside", lambda: book.amend(cohort, row, "retail/run-1"))
    agreed.case("amend what is gone", lambda: book.amend(cohort, row), Refused())
    agreed.case("started", lambda: book.started(cohort, 3))
    agreed.case("reopen what is done", lambda: book.reopen(cohort, 4), Refused())
    agreed.case("members", lambda: book.members(cohort, 1), items(item, item))
    agreed.case("leave", lambda: book.leave(cohort, [row]))
    agreed.case("finish", lambda: book.finish(later, 5))
    agreed.case("finish with a late row", lambda: book.finish(cohort, 5), {}, {}, items(item))
    agreed.case("park", lambda: book.park("n1", cohort, row))
    agreed.case("park until", lambda: book.park("n1", cohort, row, NOW))
    agreed.case("parked", lambda: book.parked("n1"), items(item))
    agreed.case("unpark", lambda: book.unpark("n1", cohort, [row]))
    agreed.case("gather", lambda: book.gather(later, "C1", [row]))
    agreed.case("amend gathered", lambda: book.amend_gathered(cohort, "C1", [row], [row]))
    agreed.case(
        "amend gathered that is gone", lambda: book.amend_gathered(cohort, "C1", [row], [row]), Refused()
    )
    text = json.dumps(["row-1", "v1", ["retail/run-1", 6, "p", 1, 2], []])
    agreed.case(
        "gathered", lambda: book.gathered(cohort, 2), items({**key("x", "C1"), "members": {"SS": [text]}})
    )
    agreed.case("scatter", lambda: book.scatter(cohort, ["C1", "C2"]))
    words = items({"body": {"S": '{"who": "x"}'}})
    agreed.case("stop a run", lambda: book.stop_run("retail/run-1", {"who": "y"}), words)
    agreed.case("words of a run", lambda: book.run_words("retail/run-1"), words)
    switched = {"Item": {"body": {"S": '[{"who": "x"}]'}}}
    agreed.case("switch", lambda: book.switch("reminder", {"who": "y"}), switched)
    agreed.case("switched", lambda: book.switched("reminder"), {})
    rule = JourneyRule("reminder", ("statement",), (Step(Delay(days=2)),))
    agreed.case("keep a rule", lambda: book.keep_rule(rule))
    agreed.case("keep it again", lambda: book.keep_rule(rule))
    agreed.case("a rule that is known", lambda: book.rule("reminder", rule.version) == rule)
    other = DynamoJourneys(agreed.client, "journeys", lambda: NOW)
    body = json.dumps(rule_body(rule))
    agreed.case(
        "a rule that another kept",
        lambda: other.rule("reminder", "v1") == rule,
        {"Item": {"body": {"S": body}}},
    )
    agreed.case("a rule that nobody kept", lambda: book.rule("reminder", "v0"), {})


def responses(agreed: Agreed) -> None:
    book = DynamoEarlyResponses(agreed.client, "notices")
    fact = Fact("payment", "p1", "", "5.00", "USD", True)
    agreed.case(
        "keep",
        lambda: book.keep(
            "retail", "D1", EarlyResponse("paid", "d", "t", "C1", "D1", recipient="R1", versions=("1",)), NOW
        ),
    )
    agreed.case("keep of nobody", lambda: book.keep("retail", "D1", EarlyResponse("opened", "", "t"), NOW))  # type: ignore[arg-type]
    agreed.case(
        "keep a payment",
        lambda: book.keep_payment("retail", "D1", EarlyPayment(fact, "t", "C1", "D1", "r"), NOW),
    )
    agreed.case(
        "keep one more than there may be",
        lambda: book.keep_payment("retail", "D1", EarlyPayment(fact, "t"), NOW),
        Refused(),
    )
    debt = Debt(
        "k", Decimal("5.10"), "USD", "2026-12-01", NOW, "p", False, True, None, ("s",), (("p1", "1", "n"),)
    )
    agreed.case("register", lambda: book.register("retail", "D1", debt))
    agreed.case("register of no amount", lambda: book.register("retail", "D1", Debt("k", None, "", "", NOW)))
    payments = [
        json.dumps(["payment", "p2", "", "1.00", "USD", False, "t", "C1", "D1", "r"]),
        json.dumps(["payment", "p1", "", "1.00", "USD", False, "t", "C2", "D1"]),
    ]
    mine, other = (
        json.dumps([name, left, "USD", "2026-12-01", NOW.isoformat(), "p", True, False, ["s"], parts])
        for name, left, parts in (("mine", "5.00", [["a", "b", "c"]]), ("other", None, None))
    )
    item = {
        **key("early:retail#D1"),
        "kind": {"S": "paid"},
        "detail": {"S": "d"},
        "at": {"S": "t"},
        "customer_key": {"S": "C1"},
        "document_id": {"S": "D1"},
        "recipient": {"S": "R1"},
        "versions": {"S": '["1"]'},
        "payments": {"SS": payments},
        "debts": {"L": [{"S": mine}, {"S": other}]},
    }
    agreed.case("on subjects", lambda: book.on("retail", ["D1", "D2"]), found_in("notices", item))
    agreed.case(
        "on a bare subject", lambda: book.on("retail", ["D1"]), found_in("notices", key("early:retail#D1"))
    )
    found = (items(key("early:retail#D1"), key("n1"), more=key("n1")), items(key("early:retail#D3")))
    agreed.case(
        "of a customer", lambda: book.of_customer("retail", "C1", ["D2"]), *found, found_in("notices")
    )
    agreed.case("of a customer without any", lambda: book.of_customer("retail", "C1"))
    person = Person("retail", "C1", "R1")

    def forget(row: Mapping[str, Any], *answers: Any, **given: Any) -> None:
        agreed.case(
            f"forget {', '.join(given) or 'all'}",
            lambda: book.forget(person, ["D1"], **given),
            items(),
            found_in("notices", row),
            *answers,
        )

    forget({**item, "payments": {"SS": payments[:1]}})
    forget(item)
    forget(item, payments_too=False)
    forget({**item, "kind": {"S": "superseded"}})
    forget({**item, "payments": {"SS": payments[:1]}, "recipient": {"S": "R2"}})
    forget({**item, "payments": {"SS": payments[1:]}}, is_debt=lambda debt: debt.key == "mine")
    again = {**item, "debts": {"L": [{"S": mine}]}}
    forget(
        {**item, "payments": {"SS": payments[1:]}},
        Refused(),
        found_in("notices", again),
        is_debt=lambda debt: debt.key == "mine",
    )
    agreed.case(
        "forget debts that keep changing",
        lambda: _told(lambda: book.forget(person, ["D1"], is_debt=lambda debt: True)),
        items(),
        found_in("notices", {**item, "payments": {"SS": payments[1:]}}),
        *[Refused(), found_in("notices", item)] * 5,
    )
    tries = DynamoTries(agreed.client, "notices", lambda: NOW)
    agreed.case(
        "count", lambda: tries.count(["a", "b"]), *({"Attributes": {"tries": {"N": n}}} for n in ("1", "4"))
    )
    rows = [{**key(name), "tries": {"N": number}} for name, number in (("a", "2"), ("b", "10"))]
    agreed.case("highest", lambda: tries.highest(["a", "b"]), found_in("notices", *rows))
    agreed.case("highest of none", lambda: tries.highest(["a"]))
    agreed.case("clear", lambda: tries.clear(["a", "b"]))


def _told(call: Callable[[], Any]) -> str:
    try:
        call()
    except RuntimeError as error:
        return str(error)
    return ""


RUN = Run("retail", "run-1", RunState.STAGED, version=2, changed_at="t", history=({"what": "x"},))


def runs(agreed: Agreed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exstream_notify.adapters.dynamodb.runs.random.getrandbits", lambda bits: bits)
    book = DynamoRuns(agreed.client, "runs")
    agreed.case("a run", lambda: book.put(RUN))
    stored = {**key("run-1", "retail#run"), "v": {"N": "2"}, "body": {"S": _body_of(agreed.client.lines[0])}}
    agreed.case("a new run", lambda: book.put(replace(RUN, version=1, changed_at="")))
    agreed.case("a run that another wrote", lambda: book.put(RUN), Refused())
    agreed.case("get a run", lambda: book.get("retail", "run-1"), {"Item": stored})
    agreed.case("no run", lambda: book.get("retail", "run-1"))
    early = {**key("early#retail", "early")}
    agreed.case(
        "a run and what came early",
        lambda: book.with_early("retail", "run-1"),
        found_in("runs", stored, early),
    )
    agreed.case("no run and nothing early", lambda: book.with_early("retail", "run-1"), found_in("runs"))
    agreed.case("keep early", lambda: book.keep_early("retail", NOW))
    agreed.case("find", lambda: book.find("run-1"), items(stored, more=key("x", "y")), items(stored))
    agreed.case("open runs", book.open, items(stored, stored), {"Item": stored}, {})
    agreed.case("settle", lambda: book.settle(RUN))
    agreed.case("settle what changed", lambda: book.settle(RUN), Refused())
    outcomes = [RecordOutcome(3, 5, Outcome.NOTIFIED, "w", 1, "n1"), RecordOutcome(3, 6, Outcome.PAPER)]
    agreed.case(
        "put a slice", lambda: book.put_slice(POINTER, outcomes, [DigestRow("policy", ("uw",), (1, 2))])
    )
    agreed.case("put a slice without digests", lambda: book.put_slice(POINTER, outcomes))
    rows = [{"digests": {"S": '[["policy", ["uw"], [1, 2]]]'}}, {"words": {"S": "[]"}}]
    agreed.case("digests", lambda: book.digests("retail", "run-1"), items(*rows))
    agreed.case("put a job", lambda: book.put_job("retail/run-1", "j1", outcomes))
    words = [{"words": {"S": '[[3, 5, "notified", "w", 1, "n1"]]'}}, {"x": {}}]
    agreed.case("outcomes", lambda: book.outcomes("retail", "run-1"), items(words[1], words[0]))
    parked = {"job": {"S": json.dumps(JOB.to_message())}, "mark": {"S": "m1"}}
    agreed.case("park", lambda: book.park(JOB))
    agreed.case("parked", lambda: book.parked("retail", "run-1"), items(parked, {"job": parked["job"]}))
    agreed.case("unpark", lambda: book.unpark([Parked(JOB, "m1"), Parked(JOB, "")]), Refused(), {})
    agreed.case("arrived", lambda: book.arrived("Retail", "run-1", "app", NOW))
    agreed.case("came late", lambda: book.came_late("Retail", Arrival("run-1", "app", NOW), "e1"))
    at = [
        {**key("x", f"run-{n}"), "app": {"S": "app"}, "at": {"S": (NOW + timedelta(hours=n)).isoformat()}}
        for n in (-30, 0, 1)
    ]
    at[1]["late_for"] = {"SS": ["e1"]}
    agreed.case(
        "arrivals",
        lambda: book.arrivals("Retail", NOW - timedelta(hours=24), NOW),
        items(at[0]),
        items(at[1], at[2]),
    )
    volumes = {"Item": {"rows": {"S": json.dumps([["run-0", 1], ["run-1", 2]])}}}
    agreed.case("volumes", lambda: book.volumes("retail", "app"), volumes)
    agreed.case("no volumes", lambda: book.volumes("retail", "app"))
    agreed.case("add a volume", lambda: book.add_volume("retail", "app", "run-1", 9), volumes)


def _body_of(line: str) -> str:
    body: str = json.loads(line.strip().partition(" ")[2])["Item"]["body"]["S"]
    return body


def incidents(agreed: Agreed) -> None:
    book = DynamoIncidents(agreed.client, "incidents")
    raised = ExceptionRaised(
        "EX1", "error", "retail", "run-1", "text", part="é" * 600, customers_in_run=(1, 2), samples=("s",), said_at="2026-11-20T14:00:00+00:00"
    )  # fmt: skip
    at = NOW.isoformat(timespec="seconds")
    agreed.case("record", lambda: book.record("i1", replace(raised, part="run", said_at=""), at))
    agreed.case("record of a long part", lambda: book.record("i1", raised, at))
    agreed.case("record what was said before", lambda: book.record("i1", raised, at), Refused())
    head = Head(
        "i1", "retail", "run-1", "it", "EX", version=2, told_at=at, told_codes=("EX1",), history=("h",)
    )
    agreed.case("save a head", lambda: book.save(head))
    body = json.loads(agreed.client.lines[0].strip().partition(" ")[2])["Item"]["body"]["S"]
    resolved = replace(head, version=1, status=IncidentStatus.RESOLVED, told_at="", summed_at="")
    agreed.case("save a resolved head", lambda: book.save(resolved))
    agreed.case("save a head that another wrote", lambda: book.save(head), Refused())
    stored = {**key("i1", ".head"), "body": {"S": body}}
    agreed.case("a head", lambda: book.head("i1"), {"Item": stored})
    agreed.case("no head", lambda: book.head("i1"))
    report = {
        **key("i1", "EX1#run"),
        "first_seen": {"S": at},
        "last_seen": {"S": at},
        "body": {"S": json.dumps(replace(raised, part="run", said_at="").to_detail())},
    }
    agreed.case("reports", lambda: book.reports("i1"), items(stored, more=key("x", "y")), items(report))
    agreed.case("get", lambda: book.get("i1"), {"Item": stored}, items(stored, report))
    agreed.case("get none", lambda: book.get("i1"))
    agreed.case(
        "open in",
        lambda: book.open_in("retail"),
        items(key("i1", ".head"), more=key("x", "y")),
        items(key("i2", ".head")),
    )
    agreed.case("no bookmark", lambda: book.bookmark("b1"))
    agreed.case("save a bookmark", lambda: book.save_bookmark(Bookmark("b1", version=1)))
    mark = {"Item": {"body": {"S": json.dumps({"key": "b1", "version": 3, "sent": ["t"]})}}}
    agreed.case("a bookmark", lambda: book.bookmark("b1"), mark)
    rows = (
        stored,
        report,
        {**key("b1", ".bookmark")},
        {**key(".channels", "x")},
        {**stored, **key("i3", ".head")},
    )
    agreed.case(
        "all",
        lambda: [i.incident_id for i in book.all()],
        items(*rows[:3], more=key("x", "y")),
        items(*rows[3:]),
    )
    agreed.case("of a run", lambda: [i.incident_id for i in book.of_run("retail", "run-1")], items(*rows))
    agreed.case(
        "of another run", lambda: [i.incident_id for i in book.of_run("retail", "run-2")], items(*rows)
    )

    everywhere = json.loads(body) | {"domain": EVERYWHERE, "run_id": "x", "covered": "of an earlier release"}
    shared = {**key("i9", ".head"), "body": {"S": json.dumps(everywhere)}}
    second = {**report, **key("i9", "EX1#b"), "first_seen": {"S": "2026-11-20T14:00:00+00:00"}}
    of_both = (shared, second, {**report, **key("i9", "EX1#a")})
    agreed.case(
        "of a run, with a cause over several", lambda: book.of_run("retail", "run-1"), items(*of_both)
    )

    channels = DynamoChannelBook(agreed.client, "incidents")
    agreed.case("save a channel", lambda: channels.save(ChannelState("it", "slack", "a1", failures=2)))
    states = [
        {
            **key(".channels", "it/slack"),
            "team": {"S": "it"},
            "channel": {"S": "slack"},
            "failures": {"N": "2"},
            "new": {"S": "x"},
        },
        {**key(".channels", "it/sms"), "team": {"S": "it"}, "channel": {"S": "sms"}},
    ]
    agreed.case("channels", channels.states, items(states[0], more=key("x", "y")), items(states[1]))

    clock = [0.0]
    switches = DynamoSwitches(agreed.client, "runs", lambda: clock[0])
    body_off = {
        "off": {"sms": {"at": "t", "who": "w", "why": "y"}},
        "history": [{"name": f"n{n}"} for n in range(50)],
    }
    off = {"Item": {"switches": {"S": json.dumps(body_off)}, "v": {"N": "4"}}}
    agreed.case(
        "is anything off", lambda: (switches.off("retail", "email"), switches.off("retail", "sms")), off
    )
    clock[0] = 19.9
    agreed.case("still known", lambda: switches.off("sms", "email"))
    clock[0] = 20.1
    agreed.case("asked again", lambda: switches.off("retail", "sms"), {})
    agreed.case("all that is off", switches.all, off)
    agreed.case("history of switches", lambda: len(switches.history()), off)
    agreed.case(
        "switch off for the first time",
        lambda: switches.switch("email", off=True, who="w", why="y", at="t"),
        {},
        {},
    )
    agreed.case(
        "switch off what is off", lambda: switches.switch("sms", off=True, who="w", why="y", at="t"), off
    )
    agreed.case(
        "switch on, overtaken",
        lambda: switches.switch("sms", off=False, who="w", why="y", at="t"),
        off,
        Refused(),
        {},
    )
    agreed.case("switch on", lambda: switches.switch("sms", off=False, who="w", why="y", at="t"), off, {})


def receipts(agreed: Agreed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exstream_notify.adapters.dynamodb.receipts.time.time", NOW.timestamp)
    early = DynamoEarlyReceipts(agreed.client, "notices")
    receipt = Receipt(
        "ses", "email", Kind.HARD_BOUNCE, "t", "n1", 2, "ann@example.com", ("h1",), said_by=Source.BEARER
    )
    agreed.case(
        "keep early receipts", lambda: early.keep([receipt, replace(receipt, at="u")], NOW), Refused(), {}
    )
    body = {"S": json.dumps(receipt_body(receipt))}
    rows = [
        {**key(f"early#{n}"), "due_at": {"S": at}, "body": body}
        for n, at in (("a", "2026-11-20T16:00:00+00:00"), ("b", "2026-11-20T15:00:00+00:00"))
    ]
    mail = {
        **key("early#m"),
        "due_at": {"S": "2026-11-20T15:00:00+00:00"},
        "body": {"S": json.dumps({**receipt_body(receipt), "provider": "mail"})},
    }
    agreed.case(
        "early receipts",
        lambda: early.waiting(2),
        items(rows[0], more=key("x")),
        items(rows[1], rows[1]),
        *[items()] * 3,
        found_in("notices", *rows, mail),
    )
    agreed.case("forget early receipts", lambda: early.forget([receipt]))
    agreed.case("give up early receipts", lambda: early.give_up([receipt]))

    watch = DynamoDeliveryWatch(agreed.client, "notices", ["email"])
    job = Watched(
        "j1", "email", "opentext", NOW.isoformat(), (NOW + timedelta(hours=1)).isoformat(), ("n1",), 2
    )
    agreed.case("watch", lambda: watch.add(job))
    agreed.case("watch what nobody reports", lambda: watch.add(replace(job, channel="sms")))
    stored = {
        **key("watch#j1"),
        "due_at": {"S": "t"},
        "body": {"S": _item_body(agreed, lambda: watch.add(job))},
    }
    agreed.case(
        "watched jobs", lambda: watch.due(NOW, 3), items(stored), *[items()] * 3, found_in("notices", stored)
    )
    agreed.case("watched no more", lambda: watch.done(job))

    clock = [0.0]
    rates = DynamoReputation(agreed.client, "notices", lambda: clock[0])
    agreed.case(
        "add to rates", lambda: rates.add("email", "n@example.com", NOW, {"delivered": 2, "bounces": 1})
    )
    hours = [
        {**key("rates#email#2026-11-20T15"), "delivered|n@example.com": {"N": "2"}, "expires": {"N": "9"}},
        {**key("rates#email#2026-11-20T14"), "delivered|n@example.com": {"N": "3"}},
        {**key("rates#sms#2026-11-20T14"), "delivered|": {"N": "1"}},
    ]
    agreed.case("rates of a day", lambda: rates.last_day(NOW), found_in("notices", *hours))
    agreed.case(
        "count what mails claim", lambda: rates.count_unproven(NOW, 3), {"Attributes": {"mails": {"N": "5"}}}
    )
    agreed.case("nothing stopped", rates.stopped, {})
    clock[0] = 59.0
    agreed.case("known for a minute", rates.stopped)
    clock[0] = 61.0
    agreed.case("stopped", rates.stopped, {"Item": {"body": {"S": '{"email": "too many"}'}}})
    agreed.case("stop a channel", lambda: rates.stop({"email": "too many"}))

    evidence = S3ReceiptEvidence(agreed.client, "evidence", lambda: NOW, lambda: "x" * 30)
    agreed.case("name of evidence", evidence.reference)
    agreed.case("anchor", lambda: evidence.anchor("e/1", [{"a": 1}, {"b": 2}]))
    agreed.case("anchor again", lambda: evidence.anchor("e/1", [{"a": 1}], again=True), Refused(412))
    agreed.case("anchor again, at once", lambda: evidence.anchor("e/1", [{"a": 1}], again=True), Refused(409))
    for again, status in ((False, 412), (True, 503)):
        agreed.client.answers.append(Refused(status))
        with pytest.raises(Refused):
            evidence.anchor("e/1", [{"a": 1}], again=again)
    agreed.case("read evidence", lambda: evidence.read("e/1"), {"Body": io.BytesIO(b'{"a":1}\n\n{"b":2}\n')})
    agreed.case("read none", lambda: evidence.read("e/1"), Refused())
    unread = UnreadReceipts(agreed.client, "work")
    agreed.case("keep what is no receipt", lambda: unread.keep("sqs:1/..é_-" + "a" * 90, "body é"))
    agreed.case("keep what has no name", lambda: unread.keep("::", "half \ud83d"))
    agreed.case(
        "load a mail", lambda: mail_loader(agreed.client, "mails")("mails", "m1"), {"Body": io.BytesIO(b"x")}
    )


def _item_body(agreed: Agreed, call: Callable[[], Any]) -> str:
    agreed.client.lines.clear()
    call()
    body: str = json.loads(agreed.client.lines[0].strip().partition(" ")[2])["Item"]["body"]["S"]
    return body


def buckets(agreed: Agreed) -> None:
    folder = S3DropFolder(agreed.client, "drop", "retail", "run-1")
    stored = {"ContentLength": 7, "LastModified": NOW, "ETag": '"e1"'}
    agreed.case("head", lambda: folder.head("a.index.jsonl"), stored)
    agreed.case("head of nothing", lambda: folder.head("a"), Refused(404))
    agreed.case("no seal", folder.seal, Refused(404))
    agreed.client.answers.append(Refused(403))
    with pytest.raises(Refused):
        folder.head("a")
    seal = json.dumps({"run_id": "run-1", "domain": "retail", "files": [{"name": "a.index.jsonl"}]}).encode()
    agreed.case("a seal", folder.seal, stored, {"Body": io.BytesIO(seal)})
    agreed.case("open", lambda: folder.open("a").read(), {"Body": io.BytesIO(b"x")})

    class Pages:
        """A paginator of two pages, of which the second may have nothing."""

        def paginate(self, **request: Any) -> Iterator[Any]:
            agreed.client.lines.append(f"  paginate {json.dumps(request, sort_keys=True)}")
            row = {"Key": "drop/retail/run-1/a", "Size": 3, "LastModified": NOW, "ETag": '"e"'}
            yield {"Contents": [row]}
            yield {"CommonPrefixes": []}
            yield {"Contents": [{**row, "Key": "drop/retail/run-1/b/drop/retail/run-1/c"}]}

    agreed.case("list", folder.list, Pages())
    agreed.case("files below", folder.files_below, Pages())

    records = S3Records(agreed.client, "work")
    row = {
        "pos": 5,
        "customer_key": "C1",
        "document_id": "D1",
        "document_type": "statement",
        "internal_teams": ["uw"],
    }
    data = json.dumps(row).encode() + b"\n\n"
    agreed.case("read a slice", lambda: records.read(POINTER), {"Body": io.BytesIO(data)})
    agreed.case("read it again", lambda: len(records.read(POINTER)))
    other = replace(POINTER, length=POINTER.length + 1)
    agreed.case("read another", lambda: len(records.read(other)), {"Body": io.BytesIO(b"")})
    digest = b'{"pos": 1, "team": "uw", "counts": {"policy": 2}}\n'
    agreed.case("read digests", lambda: records.read_digests(POINTER), {"Body": io.BytesIO(digest)})
    agreed.case("a part that is gone", lambda: _gone(lambda: records.read(other)), Refused())

    jobs = S3Jobs(agreed.client, "work")
    request = SentRequest("https://x", b"\x00body", (("A", "b"),))
    members = (BulkMember("n:1", "a@example.com", ()), BulkMember("m:1", "b@example.com", ()))
    agreed.case(
        "put a job",
        lambda: jobs.put("b1", BulkJob("b1", "email", "transactional", Content("w"), members), request),
    )
    posted = json.loads(agreed.client.lines[0].partition(" put_object ")[2])["Body"].encode()
    agreed.case("get a job", lambda: jobs.get("b1"), {"Body": io.BytesIO(posted)})
    agreed.case("no job", lambda: jobs.get("b1"), Refused())

    documents = S3Documents(agreed.client, "drop", lambda path: path.endswith(".index.jsonl"))
    url = "https://drop.s3.example.com/key?x=1"
    agreed.case("origin", lambda: documents.origin, url)
    for path, inline in (
        ("out/D1.pdf", True), ("out/D1.PDF", False), ("out/D1.txt", True), ("out/D1.png", True), ("out/D1.jpg", True),
        ("out/D1.jpeg", True), ("out/D1.tif", True), ("out/D1.tiff", True), ("out/D1.html", True), ("out/D1.htm", True),
        ("out/D1.xml", True), ("out/D1.docx", True), ("out/D1.zip", True), ("out/D1.exe", True), ("out/D1", True),
    ):  # fmt: skip
        agreed.case(
            f"address of {path}, inline {inline}",
            lambda path=path, inline=inline: documents.address(
                "retail/run-1", path, "Your statement", inline=inline, language="en"
            ),  # type: ignore[misc]
            {},
            url,
        )
    agreed.case(
        "a name that is none",
        lambda: documents.address("r/1", "a.pdf", "..é..", inline=True, language="en"),
        {},
        url,
    )
    agreed.case(
        "a long name",
        lambda: documents.address("r/1", "a.bin", "x" * 100, inline=True, language="en"),
        {},
        url,
    )
    agreed.case(
        "no document",
        lambda: documents.address("r/1", "a.pdf", "n", inline=True, language="en"),
        Refused(404),
    )
    with pytest.raises(ValueError, match="names a file of the run itself"):
        documents.address("r/1", "a.index.jsonl", "n", inline=True, language="en")

    class Plain:
        """Seals nothing, so that what is sealed can be seen."""

        def seal(self, salt: str, ref: str, data: bytes) -> str:
            return f"{salt} {ref} {zlib.decompress(data).decode()}"

        def open(self, salt: str, ref: str, sealed: str) -> bytes:
            assert sealed.startswith(f"{salt} {ref} ")
            return zlib.compress(sealed.removeprefix(f"{salt} {ref} ").encode())

    store = S3Evidence(agreed.client, "evidence", Plain(), lambda: NOW, lambda: "0123456789")  # type: ignore[arg-type]
    lines = [
        EvidenceLine("n:1", "s1", "t", {"to": "a", "shared_content": "c1"}),
        EvidenceLine("m:1", "s2", "t", {"to": "b"}),
    ]
    agreed.case(
        "write evidence", lambda: store.write("job", lines, {"c1": Content("text", "subject", "html")})
    )
    written = json.loads(agreed.client.lines[0].partition(" put_object ")[2])["Body"].encode()
    agreed.case(
        "read evidence", lambda: store.read("e/x.jsonl#1", "n:1", "s1"), {"Body": io.BytesIO(written)}
    )
    agreed.case(
        "read other evidence", lambda: store.read("e/x.jsonl#2", "m:1", "s2"), {"Body": io.BytesIO(written)}
    )


def _gone(call: Callable[[], Any]) -> str:
    from exstream_notify.ports import RecordsGone

    with pytest.raises(RecordsGone) as gone:
        call()
    return str(gone.value)


def queues(agreed: Agreed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exstream_notify.adapters.sqs.random.randint", lambda low, high: 100 * low + high)
    client = agreed.client
    queue = SqsQueue(client, "url")
    agreed.case("send", lambda: queue.send([("g", {"a": "é"}), ("h", {"b": 2})]))
    agreed.case("send, spread", lambda: queue.send([("g", {"a": 1})], spread=9.9))
    for seconds in (-5, 0, 1.5, 43_198.5, 43_199, 50_000):
        agreed.case(f"come back after {seconds}", lambda seconds=seconds: queue.come_back("h", seconds))  # type: ignore[misc]
    for code in (
        "InvalidParameterValue",
        "ReceiptHandleIsInvalid",
        "AWS.SimpleQueueService.MessageNotInflight",
    ):
        monkeypatch.setattr("exstream_notify.adapters.sqs.ClientError", Refused)
        agreed.case(f"come back: {code}", lambda: queue.come_back("h", 1), Refused(code=code))
    client.answers.append(Refused(code="AccessDenied"))
    with pytest.raises(Refused):
        queue.come_back("h", 1)
    agreed.case("slices to decide", lambda: SqsDecideQueue(client, "decide").send_slices([POINTER], spread=0))
    sends = SqsSendQueues(client, {"email": "e", "sms": "s", "urgent": "u"})
    urgent = replace(JOB, urgent=True)
    agreed.case("jobs", lambda: sends.send_jobs([JOB, replace(JOB, channel="sms"), urgent]))
    agreed.case("a job comes back", lambda: sends.come_back("sms", "h", 2))
    agreed.case(
        "runs",
        lambda: SqsRunQueue(client, "runs").send_runs([("retail", "run 1"), ("é", "x" * 200)], "digests"),
    )
    agreed.case("a run again", lambda: SqsRunQueue(client, "runs").send_runs([("retail", "run-1")]))
    looks = SqsLookQueue(client, "looks", {"cover": "own"})
    agreed.case("looks", lambda: looks.send_looks([("incident", "a"), ("cover", "b"), ("incident", "c")]))

    bus = EventBridgeExceptions(client, lambda text: f"<{text}>" if text else "")
    raised = [
        ExceptionRaised("EX1", "error", "retail", "run-1", "one"),
        ExceptionRaised("EX2", "severe", "retail", "run-1", "two"),
    ]
    agreed.case("exceptions, the severe first", lambda: bus.raise_exceptions(raised))
    agreed.case("run arrived", lambda: bus.run_arrived("retail", "run-1"))
    agreed.case("preferences changed", lambda: bus.preferences_changed([{"a": 1}]))
    agreed.case("file read", lambda: bus.file_read(FileRead("retail", "run-1", "a.dat", ("x",), "t")))
    agreed.case("run dispatched", lambda: bus.run_dispatched("retail", "run-1"))
    agreed.case(
        "alerts reported",
        lambda: bus.alerts_reported([AlertReceipt("i", 1, "email", "it", "dead", False, "w")]),
    )
    agreed.case("unanswered", lambda: EventBridgeJourneys(client).unanswered([{"n": 1}]))


def test_everything_is_asked_as_it_was_agreed(
    approved: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed = Agreed()
    for group in (ledger, contacts, journeys, responses, incidents, buckets):
        agreed.text.append(f"--- {group.__name__} ---")
        group(agreed)
    for changed in (runs, receipts, queues):
        agreed.text.append(f"--- {changed.__name__} ---")
        changed(agreed, monkeypatch)
    assert "\n".join((*agreed.text, "")) == approved
