"""Values of a few lines: approvals, answers, several documents as one, what an erasure ends, corrections."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.approvals import Approval
from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.corrections import as_corrected, changes, corrected, row_at, step_after
from exstream_notify.domain.debt_hold import DebtHold
from exstream_notify.domain.documents import DocumentRule
from exstream_notify.domain.erasure import (
    began,
    composed,
    earliest,
    erased,
    existed_before_erasure,
    is_gone,
)
from exstream_notify.domain.holds import ErasureForbidden, refuse_if_held
from exstream_notify.domain.inbound import Reply
from exstream_notify.domain.journeys import Delay, JourneyRule, Member, MemberRow, Step
from exstream_notify.domain.messages import (
    Accepted,
    Answer,
    BulkMember,
    Content,
    GiveUp,
    Message,
    SentRequest,
    TryAgain,
    Unconfirmed,
    combined,
)
from exstream_notify.domain.notices import Correction, Event, Origin, head
from exstream_notify.domain.payments import NO_PAYMENTS, Fact, with_facts
from exstream_notify.domain.records import (
    RunFolder,
    content_edition,
    content_identity,
    file_edition,
    is_named_by_file,
    is_undated,
    own_identity,
    path_in_run,
    queue_of,
    stem,
)
from exstream_notify.domain.runs import Run, RunState
from exstream_notify.domain.together import as_one
from exstream_notify.domain.values import ValueRefused
from tests.fakes import a_contact, a_document, a_notice, a_rule

NOW = datetime(2026, 11, 20, 15, 0, 0, 250_400, UTC)
AT = "2026-11-20T15:00:00.250+00:00"


def test_the_proof_of_an_approval_names_who_when_and_which_version() -> None:
    approval = Approval("statement", "email", "en", "0123", "legal", "2026-11-01")
    assert approval.proof == {"who": "legal", "when": "2026-11-01", "version": "0123"}


def test_a_legal_hold_forbids_an_erasure_by_its_matter() -> None:
    refuse_if_held(a_contact())
    with pytest.raises(ErasureForbidden, match=r"^a legal hold stands: matter 7$"):
        refuse_if_held(a_contact(legal_hold="matter 7"))


DOUBT, LATER_DOUBT, SENT = Unconfirmed("timeout"), Unconfirmed("hang"), Accepted("m-1")
AGAIN, NEVER = TryAgain("busy"), GiveUp("refused")


@pytest.mark.parametrize(
    ("answers", "together"),
    [
        ([], Unconfirmed("no_answer")),
        ([SENT], SENT),
        ([AGAIN, NEVER], NEVER),
        ([AGAIN, SENT], SENT),
        ([DOUBT, SENT], SENT),
        ([DOUBT, NEVER], DOUBT),
        ([DOUBT, AGAIN], DOUBT),
        ([AGAIN, DOUBT, LATER_DOUBT, NEVER], DOUBT),
        ([SENT, DOUBT], DOUBT),
    ],
)
def test_what_the_answers_of_several_tries_say_together(answers: list[Answer], together: Answer) -> None:
    assert combined(iter(answers)) == together


def test_nothing_personal_stands_in_what_is_logged_of_a_message() -> None:
    personal = "anna@example.com"
    for value in (
        Message("r", "email", personal, "transactional", Content(personal)),
        BulkMember("r", personal, (personal,)),
        SentRequest("https://x", personal.encode()),
        Reply("1", personal, personal),
    ):
        assert "anna" not in repr(value)
    assert asdict(Content("t")) == {"text": "t", "subject": "", "html": ""}
    assert (AGAIN.retry_after, NEVER.whose) == (None, "us")
    assert (
        Message("r", "sms", "x", "transactional", Content("t")).headers == SentRequest("u", b"").headers == ()
    )


# --- several documents as one ---------------------------------------------------------------------------------


def test_several_documents_as_one_say_what_they_have_in_common() -> None:
    first = a_document(
        1,
        amount_due="10.50",
        currency="USD",
        due_date="2026-12-10",
        respond_by="2026-12-20",
        account_number="A1",
        account_status="late",
        days_past_due=3,
        reference_no="R",
        statement_period="Oct",
        stage="1",
        case_id="K",
        case_type="t",
    )
    second = replace(first, document_id="D2", amount_due="4.5", due_date="2026-12-01", respond_by=None)
    gone = dict.fromkeys(
        (
            "account_status",
            "days_past_due",
            "reference_no",
            "statement_period",
            "stage",
            "case_id",
            "case_type",
        )
    )
    assert as_one([first, second]) == replace(
        first, together=2, amount_due="15.00", due_date="2026-12-01", respond_by="2026-12-20", **gone
    )
    assert as_one([first, replace(second, currency="EUR")]).amount_due is None
    assert as_one([first, replace(second, amount_due=None)]).amount_due is None
    assert as_one([first, replace(second, account_number="A2")]).account_number is None
    undated = replace(first, due_date=None, respond_by=None)
    assert (as_one([undated]).due_date, as_one([undated]).respond_by, as_one([undated]).together) == (
        None,
        None,
        1,
    )


# --- what an erasure ends -------------------------------------------------------------------------------------


def test_what_stays_of_an_erased_customer() -> None:
    contact = a_contact(recipient="R1", language="de", debt_hold=DebtHold(("disputed",), "x", "run-1"))
    assert erased(contact, "ann", "asked", NOW) == Contact(
        "retail",
        "C0001",
        "",
        2,
        changed_at=AT,
        recipient="R1",
        erased_at=AT,
        erased_by="ann",
        erased_why="asked",
        debt_hold=DebtHold(("kept from an erasure",), AT, "ann"),
    )
    assert erased(a_contact(), "ann", "asked", NOW).debt_hold is None
    lifted = a_contact(debt_hold=DebtHold(("disputed",), "x", "run-1", lifted_at="y"))
    assert erased(lifted, "ann", "asked", NOW).debt_hold is None


def test_the_earliest_time_known_of_a_record_and_of_a_notice() -> None:
    one, two, three = (datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2, 3))
    assert earliest(["", "2026-11-02", "2026-11-01T00:00:00Z", "never"]) == one
    assert earliest(["", "never"]) is None
    run = Run("retail", "run-1", RunState.STAGED, opened_at=three.isoformat(), composed_at=two.isoformat())
    document = a_document(1, produced_at=one.isoformat())
    assert composed(document, run) == one
    assert composed(replace(document, produced_at=None), run) == two
    assert composed(replace(document, produced_at=None), replace(run, composed_at="")) == three
    assert composed(document, None) == one
    assert composed(replace(document, produced_at=None), None) is None
    events = (Event(two.isoformat(), "deferred", "", ""), Event(one.isoformat(), "sent", "", ""))
    assert began(a_notice(created_at=three.isoformat(), events=events)) == two
    assert began(a_notice(created_at=one.isoformat(), events=events)) == one
    assert began(a_notice()) is None


ERASED = erased(a_contact(), "ann", "asked", NOW)
AGAIN_KNOWN = replace(ERASED, salt="new")
ERASURE = datetime.fromisoformat(AT)


@pytest.mark.parametrize(
    ("contact", "at", "before", "gone"),
    [
        (None, None, False, True),
        (a_contact(), None, False, False),
        (a_contact(), ERASURE, False, False),
        (ERASED, ERASURE + timedelta(days=1), False, True),
        (ERASED, ERASURE, True, True),
        (AGAIN_KNOWN, None, True, True),
        (AGAIN_KNOWN, ERASURE, True, True),
        (AGAIN_KNOWN, ERASURE + timedelta(microseconds=1), False, False),
    ],
)
def test_what_existed_before_an_erasure_is_gone(
    contact: Contact | None, at: datetime | None, before: bool, gone: bool
) -> None:
    assert existed_before_erasure(contact, at) is before
    assert is_gone(contact, at) is gone


# --- corrections ----------------------------------------------------------------------------------------------

BEFORE = a_document(
    1, amount_due="100.00", currency="USD", due_date="2026-12-10", produced_at="2026-11-10T10:00:00Z"
)


def rule_of(document: Any) -> DocumentRule:
    return a_rule(skip="settled" if document.account_status == "paid" else "")


@pytest.mark.parametrize(
    ("later", "what"),
    [
        ({}, ()),
        ({"amount_due": "100.0"}, ()),
        ({"amount_due": "90.00"}, ("amount",)),
        ({"amount_due": None}, ()),
        ({"amount_due": None, "in_credit": True}, ("amount",)),
        ({"currency": "EUR"}, ("amount",)),
        ({"currency": None}, ()),
        ({"due_date": "2026-12-11"}, ("due date",)),
        ({"due_date": None}, ()),
        ({"account_status": "paid"}, ("account status",)),
        ({"account_status": "late"}, ()),
        (
            {"due_date": "x", "amount_due": "1", "account_status": "paid"},
            ("due date", "amount", "account status"),
        ),
        ({"amount_due": "90.00", "produced_at": "2026-11-10T09:59:59Z"}, ()),  # it was produced before
        ({"amount_due": "90.00", "produced_at": "2026-11-10T10:00:00"}, ("amount",)),
        ({"amount_due": "90.00", "produced_at": None}, ("amount",)),
    ],
)
def test_what_a_later_record_says_otherwise(later: dict[str, Any], what: tuple[str, ...]) -> None:
    assert changes(BEFORE, replace(BEFORE, **later), rule_of) == what


OTHER = Origin("retail/run-2", 3, 77, "part", 500, 900)
HALF = with_facts(NO_PAYMENTS, [Fact("payment", "p", "", "50.00", "USD")])


@pytest.mark.parametrize(
    ("later", "payments", "responses", "correction", "after"),
    [
        ({"amount_due": "90.00"}, NO_PAYMENTS, ("paid",), Correction(OTHER, "2026-12-10"), ("paid",)),
        ({"amount_due": "40.00"}, HALF, ("opened",), Correction(OTHER, "2026-12-10"), ("opened", "paid")),
        ({"amount_due": "90.00"}, HALF, ("paid", "opened"), Correction(OTHER, "2026-12-10"), ("opened",)),
        ({"amount_due": "0"}, NO_PAYMENTS, (), Correction(OTHER, "2026-12-10", nothing_due=True), ()),
        ({"account_status": "paid"}, NO_PAYMENTS, (), Correction(OTHER, "2026-12-10", nothing_due=True), ()),
        ({"due_date": "2026-12-24"}, NO_PAYMENTS, (), Correction(OTHER, "2026-12-24"), ()),
    ],
)
def test_a_notice_with_a_correction(
    later: dict[str, Any], payments: Any, responses: Any, correction: Correction, after: Sequence[str]
) -> None:
    record = replace(BEFORE, **later)
    first = Correction(replace(OTHER, position=5), "2026-12-01")
    notice = a_notice(version=3, payments=payments, responses=responses, corrections=(first,))
    detail = f"{', '.join(changes(BEFORE, record, rule_of))} by retail/run-2 record 77"
    assert corrected(notice, OTHER, BEFORE, record, rule_of, NOW) == replace(
        notice,
        version=4,
        corrections=(first, correction),
        responses=tuple(after),
        events=(Event(AT, "corrected", detail, head(notice)),),
    )


def test_a_member_knows_the_newest_correction() -> None:
    member = Member("n", 1, AT, "2026-12-10")
    both = (Correction(OTHER, "2026-12-01"), Correction(replace(OTHER, position=9), "2026-12-24"))
    notice = a_notice(corrections=both)
    newest = replace(member, position=9, due_date="2026-12-24", corrections=2)
    assert as_corrected(member, notice) == newest
    assert as_corrected(replace(member, corrections=1), notice) == newest
    assert as_corrected(newest, notice) is None
    assert as_corrected(member, a_notice()) is None
    row = MemberRow("name", "v", "run", 1, "p", 0, 1, (member,))
    assert row_at(row, OTHER, newest) == MemberRow(
        "name", "v", "retail/run-2", 3, "part", 500, 900, (newest,)
    )


def no_holiday(_place: str, _day: date) -> bool:
    return False


SOON, DUE, OVERDUE = (Step(Delay(days=days), "due_date") for days in (-3, 0, 3))
END = Step(Delay(days=20), "due_date", end="event")
JOURNEY = JourneyRule("j", (), (SOON, DUE, OVERDUE, END))


@pytest.mark.parametrize(
    ("due_date", "done", "now", "found"),
    [
        ("2026-12-10", 0, "2026-11-20T15:00", (1, "2026-12-07T15:00")),
        ("2026-12-10", 0, "2026-12-08T15:00", (1, "2026-12-08T15:00")),  # not sent yet: at once
        ("2026-12-10", 0, "2026-12-12T15:00", (2, "2026-12-12T15:00")),
        ("2026-11-19", 0, "2026-12-12T15:00", (3, "2026-12-12T15:00")),
        ("2026-12-10", 1, "2026-12-08T14:59", (2, "2026-12-10T15:00")),
        ("2026-12-10", 1, "2026-12-08T15:00", (2, "2026-12-11T15:00")),  # a day late: it keeps its distance
        ("2026-12-10", 3, "2026-12-13T15:00", (4, "2026-12-30T15:00")),
    ],
)
def test_the_step_that_follows_by_the_corrected_date(
    due_date: str, done: int, now: str, found: tuple[int, str]
) -> None:
    member = Member("n", 1, "2026-11-20T15:00:00+00:00", due_date)
    at = datetime.fromisoformat(now + "+00:00")
    assert step_after(JOURNEY, member, done, at, no_holiday) == (
        found[0],
        datetime.fromisoformat(found[1] + "+00:00"),
    )


def test_without_a_due_date_no_step_of_it_follows() -> None:
    member = Member("n", 1, "2026-11-20T15:00:00+00:00")
    assert step_after(JOURNEY, member, 0, NOW, no_holiday) is None
    also = replace(JOURNEY, steps=(*JOURNEY.steps, Step(Delay(days=1))))
    assert step_after(also, member, 0, NOW, no_holiday) == (5, datetime(2026, 11, 21, 15, tzinfo=UTC))


# --- a record's file and identity -----------------------------------------------------------------------------

FOLDER = RunFolder("box", "drop/retail/run-1/")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("output/q/a.pdf", "output/q/a.pdf"),
        ("a", "a"),
        ("output\\q\\a.pdf", "output/q/a.pdf"),
        ("./output/./q/a.pdf", "output/q/a.pdf"),
        ("output//q///a.pdf", "output/q/a.pdf"),
        ("s3://box/drop/retail/run-1/output/a.pdf", "output/a.pdf"),
        ("a%20b.pdf", "a%20b.pdf"),
        (".hidden", ".hidden"),
        ("a..b/c..d", "a..b/c..d"),
    ],
)
def test_a_path_in_the_runs_folder(value: str, path: str) -> None:
    assert path_in_run(value, FOLDER) == path


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("/etc/passwd", "leaves the run's folder"),
        ("\\\\server\\share", "leaves the run's folder"),
        ("C:\\a.pdf", "leaves the run's folder"),
        ("https://x/a.pdf", "leaves the run's folder"),
        ("s3://other/drop/retail/run-1/a.pdf", "leaves the run's folder"),
        ("s3://box/drop/retail/run-2/a.pdf", "leaves the run's folder"),
        ("a/../../b", "leaves the run's folder"),
        ("a/..", "leaves the run's folder"),
        ("%2e%2e/a", "leaves the run's folder"),
        ("%252e%252e%255ca", "leaves the run's folder"),
        ("a/", "names no file"),
        (".", "names no file"),
        ("a%00b", "holds a control character"),
        ("a%e2%80%aeb", "holds a control character"),
        ("%2525252525252561", "percent-encoded too many times"),
    ],
)
def test_a_path_that_is_refused_says_why(value: str, why: str) -> None:
    with pytest.raises(ValueRefused, match=why):
        path_in_run(value, FOLDER)
    with pytest.raises(ValueRefused):
        path_in_run("s3://box/drop/retail/run-1/a.pdf")


def test_the_queue_is_the_folder_below_output() -> None:
    assert [queue_of(path) for path in ("output/Q/a", "OUTPUT/Q/x/a", "output/a", "input/Q/a")] == [
        "Q",
        "Q",
        None,
        None,
    ]
    assert [stem(path) for path in ("a/b.c.pdf", "a/b", ".hidden", "a.")] == ["b.c", "b", ".hidden", "a"]


@pytest.mark.parametrize(
    ("record", "identity", "by_file", "edition", "undated"),
    [
        ({"document_id": "D1", "output_uri": "o/a.pdf"}, "D1", False, "", False),
        ({"output_uri": "o/a.pdf"}, "a", True, "", True),
        ({"output_uri": "o/a.pdf", "statement_period": "Oct 2026"}, "a", True, "period:oct-2026", False),
        (
            {"output_uri": "o/a.pdf", "content_sha256": "AB", "produced_at": "2026-11-20T10"},
            "a",
            True,
            "content:ab",
            False,
        ),
        ({"output_uri": "o/a.pdf", "produced_at": "2026-11-20T10:00"}, "a", True, "day:2026-11-20", False),
        ({"archive_ref": "X17", "content_sha256": "ab"}, "X17", False, "", False),
        ({"archive_ref": "x/17"}, "x/17", True, "", True),
        ({"archive_ref": "x\\17"}, "x\\17", True, "", True),
        ({"archive_ref": "letter.pdf"}, "letter.pdf", True, "", True),
        ({"archive_ref": "v1.2"}, "v1.2", False, "", False),
        ({"archive_ref": "a.toolong"}, "a.toolong", False, "", False),
        ({"content_sha256": "ab"}, "ab", False, "", False),
        ({"amount_due": "1"}, None, False, "", True),
        ({"statement_period": "Oct"}, None, False, "", False),
        ({"produced_at": "2026-11-20"}, None, False, "", False),
    ],
)
def test_what_identifies_a_record(
    record: dict[str, str], identity: str | None, by_file: bool, edition: str, undated: bool
) -> None:
    assert own_identity(record) == identity
    assert is_named_by_file(record) is by_file
    assert file_edition(record) == edition
    assert is_undated(record) is undated
    assert content_edition("ABc") == "content:abc"


def test_the_identity_of_what_a_record_says() -> None:
    """What is delivered, and where, is no part of it; and it never changes."""
    record = {"customer_key": "C1", "document_type": "statement", "amount_due": "1"}
    assert content_identity(record) == "record-3981996b6dcb5adba385b67dc480a33b"
    assert content_identity({**record, "email": "x", "output_uri": "y"}) == content_identity(record)
    names = [
        "customer_key",
        "document_type",
        "queue_name",
        "reference_no",
        "account_number",
        "amount_due",
        "currency",
        "due_date",
        "statement_period",
        "stage",
        "case_id",
        "case_type",
        "respond_by",
        "supersedes",
    ]
    found = {content_identity({**record, name: "another"}) for name in names}
    assert len(found | {content_identity(record)}) == len(names) + 1
