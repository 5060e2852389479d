"""Runs as the command tells them: names of the JSON, rows, lists of customers, proofs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from exnotify.commands.event import domain_of, events_in
from exnotify.commands.incidents import incident_row
from exnotify.commands.run import safe_cell
from exnotify.commands.tick import folder, logical_id
from exnotify.deployment import Deployment, ReadOnlyClient
from exnotify.errors import CommandError, MisuseError
from exnotify.notices import domains_of, find_notice, notice_row
from exnotify.proof import as_html, filled, proof_of
from exnotify.records import delivery_of
from exnotify.runs import find_run, particulars, report, reused
from exstream_notify.adapters.encryption import EvidenceUnreadable
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incidents import Head, Incident
from exstream_notify.domain.notices import (
    Attempt,
    Notice,
    Outcome,
    Status,
    begun,
    finished,
    head,
)
from exstream_notify.domain.receipts import Kind, Receipt, ReceiptPolicy, applied, stamp
from exstream_notify.domain.runs import RecordOutcome, Run, RunState, reconcile
from tests.fakes.contacts import FakeContacts
from tests.fakes.examples import a_contact, a_notice
from tests.fakes.ledger import FakeLedger

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
RUN = Run("retail", "r1", RunState.DISPATCHED, expected=4, composed=3, rejected={"email: bad": 1}, version=2)


def test_a_run_s_json_has_the_contract_s_names() -> None:
    words = [
        RecordOutcome(0, 1, Outcome.NOTIFIED, version=3),
        RecordOutcome(0, 2, Outcome.PAPER, "no_channel"),
    ]
    told = report(RUN, reconcile(RUN, words), ["i1"])
    contract = {
        "run_id": "r1",
        "domain": "retail",
        "sealed": True,
        "state": "dispatched",
        "expected": 4,
        "composed": 3,
        "outcomes": {
            "notified": 1, "suppressed": 0, "deferred": 0, "paper": 1, "duplicate": 0, "rejected": 1,
            "failed": 0, "unconfirmed": 0, "in_flight": 0,
        },
        "reasons": {"paper": {"no_channel": 1}, "rejected": {"email: bad": 1}},
        "balanced": True,
        "complete": False,
        "clean": False,
        "headline": "1 customer was not composed; 1 of 3 rejected: email bad; 1 notified",
        "needs_look": [
            {"what": "not_composed", "count": 1, "of": 4, "reason": ""},
            {"what": "rejected", "count": 1, "of": 3, "reason": "email: bad"},
        ],
        "incidents": ["i1"],
    }  # fmt: skip
    assert {name: told[name] for name in contract} == contract


def a_ledger(*notices: Notice) -> FakeLedger:
    ledger = FakeLedger()
    ledger.put(notices)
    return ledger


def waiting(number: int, due_at: str) -> Notice:
    return replace(a_notice(), notice_id=f"{number:032x}", version=1, status=Status.DEFERRED, due_at=due_at)


@pytest.mark.parametrize(
    ("dues", "headline", "until"),
    [
        (["2026-11-20T17:05:00+00:00"] * 2, "2 of 2 deferred until 17:05 UTC: provider down", "17:05:00"),
        (
            ["2026-11-20T17:05:00+00:00", "2026-11-20T18:00:00+00:00"],
            "2 of 2 deferred until 17:05 UTC at the earliest: provider down",
            "17:05:00",
        ),
        (
            ["2026-11-20T11:05:10-06:00", "2026-11-20T17:05:40+00:00"],
            "2 of 2 deferred until 17:05 UTC: provider down",
            "17:05:10",
        ),
        # Of the other the ledger says nothing.
        (
            ["2026-11-20T17:05:00+00:00"],
            "2 of 2 deferred until 17:05 UTC at the earliest: provider down",
            "17:05:00",
        ),
    ],
)
def test_until_when_deferred_records_wait_is_in_the_ledger(
    dues: list[str], headline: str, until: str
) -> None:
    run = replace(RUN, composed=2, expected=2, rejected={})
    words = [RecordOutcome(0, n, Outcome.DEFERRED, "provider_down", 1, f"{n:032x}") for n in (1, 2)]
    added = reconcile(run, words)
    ledger = a_ledger(*(waiting(n, due) for n, due in enumerate(dues, 1)))
    told = report(run, added, details=particulars(ledger, run, added, [], NOW))
    assert told["headline"] == headline
    (look,) = told["needs_look"]
    assert look == {
        "what": "deferred", "count": 2, "of": 2, "reason": "provider_down", "until": f"2026-11-20T{until}+00:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("origins", "why", "words"),
    [
        (["retail/r0"] * 3, "", "3 of 3 are duplicates of run r0 (nobody was notified)"),
        (
            ["retail/r0", "retail/r9", "retail/r0"],
            "",
            "3 of 3 are duplicates of runs r0 and r9 (nobody was notified)",
        ),
        (["retail/r0"], "", "3 of 3 are duplicates of run r0 and others (nobody was notified)"),
        (["retail/r1"] * 3, "", "3 of 3 are duplicates (nobody was notified)"),
        (
            ["retail/r0"] * 3,
            "other_content",
            "3 duplicates have other content than what was notified by run r0",
        ),
    ],
)
def test_which_run_notified_the_duplicates_is_in_the_ledger(origins: list[str], why: str, words: str) -> None:
    run = replace(RUN, composed=3, expected=3, rejected={})
    added = reconcile(run, [RecordOutcome(0, n, Outcome.DUPLICATE, why, 1, f"{n:032x}") for n in (1, 2, 3)])
    ledger = a_ledger(
        *(
            replace(told(), notice_id=f"{n:032x}", version=1, origin=replace(a_notice().origin, run=origin))
            for n, origin in enumerate(origins, 1)
        )
    )
    assert report(run, added, details=particulars(ledger, run, added, [], NOW))["headline"] == words


def test_a_drop_of_other_content_under_a_used_run_id_is_not_clean_whatever_the_run_is() -> None:
    run = replace(RUN, composed=1, expected=1, rejected={})
    before = report(run, reconcile(run, [RecordOutcome(0, 1, Outcome.NOTIFIED)]))
    assert before["clean"]
    after = reused(before)
    assert (after["clean"], after["needs_look"][0]["what"]) == (False, "run_id_reused")
    assert "nothing of it was read" in after["headline"]


class _Runs:
    def __init__(self, *runs: Run) -> None:
        self._runs = runs

    def get(self, domain: str, run_id: str) -> Run | None:
        return next((r for r in self._runs if (r.domain, r.run_id) == (domain, run_id)), None)

    def find(self, run_id: str) -> list[Run]:
        return [r for r in self._runs if r.run_id == run_id]


def test_a_run_is_found_by_its_id_and_by_its_whole_name() -> None:
    app: Any = SimpleNamespace(runs=_Runs(RUN, replace(RUN, domain="claims")))
    assert find_run(app, "claims/r1").domain == "claims"
    with pytest.raises(MisuseError, match="claims/r1, retail/r1: say which"):
        find_run(app, "r1")
    with pytest.raises(CommandError, match="there is no run retail/r2"):
        find_run(app, "retail/r2")
    assert find_run(SimpleNamespace(runs=_Runs(RUN)), "r1") is RUN  # type: ignore[arg-type]


def test_an_incident_s_json_has_the_contract_s_names() -> None:
    incident = Incident(
        Head("i1", "retail", "r1", "operations", "seal"), "severe", ("size_mismatch",), 2, "t1", "t2", ("a", "b"),
        ((3, 4),), to_compose=((3, 4),), sample=("a",), where=({"code": "size_mismatch", "part": "r.index.csv"},),
        causes=(ExceptionRaised("size_mismatch", "severe", "retail", "r1", "a", count=2),),
    )  # fmt: skip
    row = incident_row(incident)
    contract = {
        "incident_id": "i1",
        "run_id": "r1",
        "team": "operations",
        "severity": "severe",
        "code": "size_mismatch",
        "count": 2,
        "status": "open",
        "rerun": "-CUSTOMERLIST=3-4",
        "sample": ["a"],
        "where": [{"code": "size_mismatch", "part": "r.index.csv"}],
        "first_seen": "t1",
        "last_seen": "t2",
    }
    assert {name: row[name] for name in contract} == contract
    several = replace(incident, codes=("checksum_mismatch", "size_mismatch"))
    assert (incident_row(several)["code"], incident_row(several)["codes"]) == ("seal", list(several.codes))


# --- notices and their proof ---------------------------------------------------------------------------


def told(*, fails_first: bool = False) -> Notice:
    """A notice that was sent; by SMS after e-mail was refused, if `fails_first`."""
    notice = replace(a_notice(), version=0, status=Status.SENDING, events=(), attempts=())
    channels: tuple[Channel, ...] = ("email", "sms") if fails_first else ("email",)
    for number, channel in enumerate(channels, 1):
        attempt = Attempt(
            number, channel, "opentext", "h", "job", Status.SENDING, evidence=f"e/k.jsonl#{number}"
        )  # type: ignore[arg-type]
        notice = begun(notice, attempt, NOW, ())
        last = number == len(channels)
        done = finished(notice, number, Status.SENT if last else Status.FAILED, NOW, ref=f"x{number}")
        assert done is not None
        notice = done
    return notice


def test_a_notice_s_json_has_the_contract_s_names_and_speaks_of_the_attempt_that_was_sent() -> None:
    row = notice_row(told(fails_first=True))
    assert {
        "notice_id", "status", "channel", "provider", "provider_ref", "customer_key", "document_id", "run_id",
        "purpose", "audience", "attempts", "events",
    } <= set(row)  # fmt: skip
    assert (row["status"], row["channel"], row["provider_ref"]) == ("sent", "sms", "x2")
    assert [a["status"] for a in row["attempts"]] == ["failed", "sent"]
    assert row["chain_holds"] is True


def test_a_notice_is_found_by_id_and_by_reference() -> None:
    notice = replace(told(), notice_id="a" * 32, version=1)
    app: Any = SimpleNamespace(ledger=FakeLedger())
    app.ledger.put([notice])
    assert find_notice(app, "A" * 32 + ":1") == notice
    with pytest.raises(CommandError, match="the ledger has no notice"):
        find_notice(app, "b" * 32)
    with pytest.raises(MisuseError, match="no notice id"):
        find_notice(app, "b")


def test_a_record_s_times_are_of_the_attempt_that_it_tells_of() -> None:
    def passed(hours: int) -> datetime:
        return NOW + timedelta(hours=hours)

    def reported(notice: Notice, kind: Kind, hours: int, number: int, channel: Channel) -> Notice:
        receipt = Receipt("ses", channel, kind, stamp(passed(hours)), notice.notice_id, number)
        after = applied(notice, receipt, passed(hours), ReceiptPolicy())
        assert after is not None
        return after

    def sent(notice: Notice, number: int, channel: Channel, hours: int) -> Notice:
        attempt = Attempt(number, channel, "ses", "hash", "job", Status.SENDING, lease=1.0)
        after = finished(
            begun(notice, attempt, passed(hours), ()), number, Status.SENT, passed(hours), ref=f"m-{number}"
        )
        assert after is not None
        return after

    mail = reported(sent(a_notice(version=0), 1, "email", 0), Kind.DELIVERED, 1, 1, "email")
    told = delivery_of(mail)
    assert (told["channel"], told["sent_at"][11:13], told["delivered_at"][11:13]) == ("email", "15", "16")

    # What bounced later was not delivered, and the text that followed is not either, yet.
    text = sent(reported(mail, Kind.HARD_BOUNCE, 2, 1, "email"), 2, "sms", 3)
    told = delivery_of(text)
    assert (told["channel"], told["sent_at"][11:13], told["delivered_at"]) == ("sms", "18", "")
    assert delivery_of(reported(text, Kind.DELIVERED, 4, 2, "sms"))["delivered_at"][11:13] == "19"


class _Evidence:
    """Evidence of one salt; `lines` by attempt."""

    def __init__(self, salt: str, lines: dict[str, dict[str, Any]]) -> None:
        self._salt = salt
        self._lines = lines

    def read(self, reference: str, ref: str, salt: str) -> dict[str, Any]:
        if salt != self._salt:
            raise EvidenceUnreadable(f"evidence of {ref} does not open")
        return self._lines[ref]


class _NoSuchError(Exception):
    pass


def proving(notice: Notice, *, salt: str | None = None, **line: Any) -> dict[str, Any]:
    """The proof of a notice with one attempt whose evidence is in order but for `line`."""
    chain = head(replace(notice, events=()))
    whole = {
        "ref": f"{notice.notice_id}:1",
        "prepared_at": "t",
        "to": "c@example.com",
        "chain": chain,
        **line,
    }
    contact = a_contact(customer_key=notice.customer_key, domain=notice.domain)
    book = FakeContacts()
    if salt != "erased":
        book.put([replace(contact, version=1)])
    s3 = SimpleNamespace(exceptions=SimpleNamespace(ClientError=_NoSuchError))
    app: Any = SimpleNamespace(
        contacts=book,
        evidence=_Evidence(salt or contact.salt, {f"{notice.notice_id}:1": whole}),
        client=lambda service: s3,
    )
    return proof_of(app, notice)


def test_a_proof_holds_if_chain_and_evidence_do() -> None:
    proof = proving(told(), text="Hello (i1)", inserts=["Ana <b>"])
    assert (proof["holds"], proof["chain_holds"]) == (True, True)
    assert proof["attempts"][0]["evidence"]["to"] == "c@example.com"
    page = as_html(proof)
    assert "The proof holds." in page
    assert "Hello Ana &lt;b&gt;" in page
    assert "<b>" not in page


def test_a_changed_event_breaks_it() -> None:
    notice = told()
    forged = replace(notice.events[0], detail="2 sms opentext job")
    proof = proving(replace(notice, events=(forged, *notice.events[1:])))
    assert (proof["holds"], proof["chain_holds"]) == (False, False)
    assert "The proof does not hold" in as_html(proof)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"ref": "b" * 32 + ":1"}, "of another attempt"),
        ({"chain": "0" * 24}, "not in the ledger's chain"),
        ({"salt": "another"}, "does not open"),
        ({"salt": "erased"}, "the customer's key is gone"),
    ],
)
def test_evidence_that_does_not_fit_breaks_it(changes: dict[str, Any], problem: str) -> None:
    proof = proving(told(), **changes)
    assert (proof["holds"], proof["chain_holds"]) == (False, True)
    assert problem in proof["attempts"][0]["problem"]


def test_an_attempt_without_evidence_breaks_it() -> None:
    notice = told()
    bare = replace(notice, attempts=(replace(notice.attempts[0], evidence=""),))
    assert proving(bare)["attempts"][0]["problem"] == "the ledger names no evidence for it"


def test_inserts_fill_their_own_marks() -> None:
    assert filled("(i1) (i11) (i2)", [str(n) for n in range(1, 12)]) == "1 11 2"
    assert filled("(i1)", None) == "(i1)"


# --- small rules of commands ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ['=HYPERLINK("x")', "+1", "-1", "@x", "\tx"])
def test_a_cell_that_a_spreadsheet_would_compute_is_made_text(text: str) -> None:
    assert safe_cell(text) == "'" + text
    assert (safe_cell("C1"), safe_cell(7)) == ("C1", 7)


def test_scheduled_functions_are_named_by_folder() -> None:
    assert logical_id("release_due") == logical_id("release-due") == "ReleaseDueFunction"
    assert folder("ReleaseDueFunction") == "release_due"


EVENT = '{"source": "exstream", "detail-type": "Document Composed", "detail": {"domain": "retail"}}'


def test_events_are_read_alone_as_a_list_and_as_a_queue_hands_them_on() -> None:
    (event,) = events_in(EVENT, "f")
    assert events_in(f"[{EVENT}, {EVENT}]", "f") == [event, event]
    import json

    assert events_in(json.dumps({"Records": [{"body": EVENT}]}), "f") == [event]


@pytest.mark.parametrize(("status", "domain"), [("complete", "cards"), ("Error", None), ("canceled", None)])
def test_the_event_of_a_job_that_failed_is_no_document(status: str, domain: str | None) -> None:
    job = {"domain": "cards", "status": status}
    event = {"source": "exstream", "detail-type": "Exstream-Generated", "detail": {"exstreamJob": job}}
    assert domain_of(event) == domain


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not JSON"),
        ("[7]", "no EventBridge event"),
        ('{"source": "a"}', "needs source, detail-type and detail"),
        ('{"source": "a", "detail-type": "b", "detail": "c"}', "its detail is no object"),
        ('{"source": "aws.s3", "detail-type": "b", "detail": {}}', "AWS alone sends those"),
        ('{"Records": [{}]}', "is not JSON"),
    ],
)
def test_what_is_no_event_is_refused(text: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        events_in(text, "f")


class _Client:
    def get_object(self) -> str:
        return "read"

    def put_object(self) -> str:
        raise AssertionError("written")


def test_a_read_only_client_cannot_write() -> None:
    client = ReadOnlyClient(_Client())
    assert client.get_object() == "read"
    for name in (
        "put_object",
        "delete_item",
        "send_message_batch",
        "transact_write_items",
        "put_events",
        "invoke",
    ):
        with pytest.raises(PermissionError, match="changes nothing"):
            getattr(client, name)


def test_on_aws_a_customer_s_domain_must_be_said() -> None:
    stack = Deployment("stack x", {}, lambda service: None)
    assert domains_of(stack, "C1", "retail") == ["retail"]
    with pytest.raises(MisuseError, match="--domain"):
        domains_of(cast(Deployment, stack), "C1", None)
