"""How a stored notice stands for another record of its document, and what is compared."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from exstream_notify.domain.decisions import Why
from exstream_notify.domain.documents import Document
from exstream_notify.domain.notices import (
    Attempt,
    Event,
    Former,
    Notice,
    Origin,
    Outcome,
    Status,
    chain_holds,
    head,
    opened,
)
from exstream_notify.domain.runs import RecordOutcome, latest
from exstream_notify.domain.takeover import (
    Standing,
    differences,
    doubts,
    facts_of,
    left_to,
    may_correct,
    may_take_over,
    outcome_for,
    standing_of,
    taken_over,
    wanted_also,
)
from tests.fakes import a_document, a_notice

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
OTHER = Origin("retail/run-2", 3, 77, "parts/retail/run-2/00000.jsonl", 500, 900)


def stored(status: Status, *attempts: Status, **changes: Any) -> Notice:
    """A notice of run 1 in the ledger, with attempts that ended so."""
    made = tuple(Attempt(n, "email", "mail", "hash", "job", attempt) for n, attempt in enumerate(attempts, 1))
    return opened(a_notice(status=status, attempts=made, **changes), NOW, "x")


def cancelled(*runs: str) -> Any:
    return lambda run: run in runs


@pytest.mark.parametrize(
    ("notice", "standing"),
    [
        *((stored(s, s), Standing.REACHED) for s in (Status.SENT, Status.DELIVERED, Status.DELAYED)),
        (stored(Status.COMPLAINED, Status.COMPLAINED), Standing.REACHED),
        (stored(Status.UNCONFIRMED, Status.UNCONFIRMED), Standing.REACHED),
        (stored(Status.FAILED, Status.UNCONFIRMED, Status.FAILED), Standing.REACHED),
        (stored(Status.SUPPRESSED, Status.UNCONFIRMED, why="responded"), Standing.REACHED),
        (stored(Status.PAPER, why="no_channel"), Standing.REACHED),
        (stored(Status.PAPER, Status.BOUNCED), Standing.REACHED),
        (stored(Status.SENDING, Status.SENDING), Standing.BUSY),
        (stored(Status.SENDING, Status.FAILED, Status.SENDING), Standing.BUSY),
        (stored(Status.DEFERRED, why="quiet_hours"), Standing.WAITS),
        (stored(Status.FAILED, Status.FAILED, waiting=("sms",)), Standing.WAITS),
        (stored(Status.FAILED, Status.FAILED), Standing.ENDED),
        (stored(Status.BOUNCED, Status.BOUNCED), Standing.ENDED),
        (stored(Status.UNDELIVERED, Status.FAILED, Status.UNDELIVERED), Standing.ENDED),
        *(
            (stored(Status.SUPPRESSED, why=str(why)), Standing.ENDED)
            for why in (Why.NO_CHANNEL, Why.RUN_CANCELLED, Why.OPTED_OUT, Why.NO_CONSENT, Why.ACCOUNT_STATUS)
        ),
        (stored(Status.FAILED, why="deadline_passed"), Standing.ENDED),
        (stored(Status.SUPPRESSED, why="responded", responses=("paid",)), Standing.ANSWERED),
        (stored(Status.SUPERSEDED, superseded_by="D2"), Standing.ANSWERED),
        (stored(Status.SUPERSEDED, Status.SENT, superseded_by="D2"), Standing.REACHED),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_how_a_notice_stands(notice: Notice, standing: Standing) -> None:
    assert standing_of(notice) == standing
    assert may_take_over(notice, OTHER, cancelled()) is (standing == Standing.ENDED)
    takes = standing in (Standing.ENDED, Standing.WAITS)
    assert may_take_over(notice, OTHER, cancelled(notice.origin.run)) is takes
    assert not may_take_over(notice, notice.origin, cancelled(notice.origin.run))
    assert (wanted_also(notice, OTHER, NOW) is not None) is (standing in (Standing.WAITS, Standing.BUSY))
    outcome = outcome_for(notice, OTHER)
    assert outcome.outcome == (Outcome.SUPPRESSED if standing == Standing.ANSWERED else Outcome.DUPLICATE)


def test_what_is_taken_over_keeps_its_past_and_is_never_taken_back() -> None:
    before = stored(Status.FAILED, Status.BOUNCED, why="no_such_address")
    after = taken_over(before, OTHER, a_document(1, case_id="K-1"), NOW)

    assert (after.version, after.attempts, after.origin) == (before.version, before.attempts, OTHER)
    assert (after.status, after.why, after.waiting, after.due_at) == (Status.DEFERRED, "", (), "")
    assert chain_holds(after)
    assert after.events[-1].detail == "by retail/run-2 record 77, from retail/run-1 record 1"
    old = outcome_for(after, before.origin)
    assert (old.outcome, old.why, old.version) == (Outcome.FAILED, "no_such_address", before.version + 1)
    assert not may_take_over(replace(after, status=Status.FAILED), before.origin, cancelled())


def test_what_a_cancelled_run_had_waiting_ended_as_cancelled() -> None:
    before = stored(Status.DEFERRED, why="quiet_hours", due_at="2026-11-20T17:00:00+00:00")
    after = taken_over(before, OTHER, a_document(1), NOW, cancelled=True)

    old = outcome_for(after, before.origin)
    assert (old.outcome, old.why) == (Outcome.SUPPRESSED, "run_cancelled")
    said_before = outcome_for(before, before.origin)
    for told in itertools.permutations((said_before, old)):
        assert latest(told)[old.position] == old, "in whatever order the run's outcomes are read"


def test_a_record_that_waits_is_written_once_and_gets_what_reached_nobody() -> None:
    waits = stored(Status.DEFERRED)
    wanted = wanted_also(waits, OTHER, NOW)
    assert wanted is not None
    assert wanted_also(wanted, OTHER, NOW) is None
    assert left_to(wanted) == ()
    assert left_to(replace(wanted, status=Status.SUPPRESSED)) == (OTHER,)
    sent = replace(wanted, attempts=stored(Status.SENT, Status.SENT).attempts, status=Status.SENT)
    assert left_to(sent) == ()
    assert taken_over(replace(wanted, status=Status.SUPPRESSED), OTHER, a_document(1), NOW).heirs == ()


FULL = a_document(
    1,
    amount_due="120.50",
    currency="USD",
    statement_period="Oct 2026",
    produced_at="2026-11-19T04:00:00Z",
    content_sha256="aa" * 32,
    due_date="2026-12-20",
    output_uri="output/a/1.pdf",
)


@pytest.mark.parametrize(
    ("document", "of_one_run", "kinds"),
    [
        (FULL, True, ()),
        (replace(FULL, statement_period="OCT  2026"), True, ()),
        (replace(FULL, output_uri="output/b/1.pdf"), False, ()),
        (replace(FULL, output_uri="output/b/1.pdf"), True, ("file",)),
        (replace(FULL, amount_due="120.51"), False, ("amount",)),
        (replace(FULL, amount_due="0"), False, ("amount",)),
        (a_document(1), True, ()),
        (replace(FULL, first_name="Ana", last_name="Novák"), True, ()),
    ],
)
def test_what_differs(document: Document, of_one_run: bool, kinds: tuple[str, ...]) -> None:
    assert differences(facts_of(FULL), document, of_one_run=of_one_run) == kinds


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        (("Ana", "Novák"), ()),
        (("A.", "NOVAK"), ()),
        (("Ana", None), ()),
        (("Ben", "Novák"), ("name",)),
        (("Ben", "Okafor"), ("name",)),
        (("Ana", "Okafor"), ("name",)),
    ],
)
def test_another_persons_record_is_not_a_repeat(name: tuple[str, str | None], kinds: tuple[str, ...]) -> None:
    ana = a_document(1, first_name="Ana", last_name="Novák")
    other = a_document(1, first_name=name[0], last_name=name[1])
    assert differences(facts_of(ana), other) == kinds


def test_facts_show_no_value_and_are_nobody_elses() -> None:
    facts = facts_of(FULL)

    assert len(facts) == 6 * 7
    assert "120" not in facts
    assert "2026" not in facts
    other = facts_of(replace(FULL, customer_key="C0002"))
    assert not {facts[n : n + 7] for n in range(0, 42, 7)} & {other[n : n + 7] for n in range(0, 42, 7)}
    assert differences("", FULL) == ()


def test_no_receipt_in_time_is_a_doubt_until_somebody_says_that_it_failed() -> None:
    silent = Attempt(1, "email", "mail", "hash", "job", Status.UNDELIVERED, why=str(Why.NO_RECEIPT))
    notice = opened(a_notice(status=Status.UNDELIVERED, attempts=(silent,), why="no_receipt"), NOW, "x")

    assert notice.outcome == Outcome.UNCONFIRMED
    assert standing_of(notice) == Standing.REACHED
    assert not may_take_over(notice, OTHER, cancelled(notice.origin.run))

    failed = replace(silent, undelivered_at="2026-11-21T10:00:00+00:00")
    notice = replace(notice, attempts=(failed,))
    assert notice.outcome == Outcome.FAILED
    assert standing_of(notice) == Standing.ENDED


FACTS = facts_of(FULL)


def test_a_notice_that_is_taken_over_is_compared_as_a_whole() -> None:
    third = replace(OTHER, position=78)
    before = replace(
        stored(Status.FAILED, Status.BOUNCED, why="hard_bounce", waiting=("sms",), case_id="K-0"),
        due_at="2026-11-20T17:00:00+00:00",
        former=(Former("retail/run-0", 0, 5, Outcome.FAILED, "x", 3),),
        heirs=(third, replace(OTHER, part="elsewhere")),
    )
    at = NOW.replace(microsecond=250_400)
    after = taken_over(before, OTHER, replace(FULL, case_id="K-1"), at)
    told = "2026-11-20T15:00:00.250+00:00"
    detail = "by retail/run-2 record 77, from retail/run-1 record 1"
    assert after == replace(
        before,
        origin=OTHER,
        status=Status.DEFERRED,
        why="",
        waiting=(),
        due_at="",
        created_at=told,
        case_id="K-1",
        facts=FACTS,
        former=(*before.former, Former("retail/run-1", 0, 1, Outcome.FAILED, "hard_bounce", 2)),
        heirs=(third,),
        events=(*before.events, Event(told, "taken_over", detail, head(before))),
    )
    gone = taken_over(replace(before, facts="kept"), OTHER, None, at)
    assert (gone.case_id, gone.facts) == ("K-0", "kept"), "the record cannot be read any more"
    assert taken_over(before, OTHER, FULL, at).case_id == ""


@pytest.mark.parametrize(
    ("notice", "origin", "outcome"),
    [
        (
            stored(Status.FAILED, Status.FAILED, why="refused"),
            a_notice().origin,
            (0, 1, Outcome.FAILED, "refused", 1),
        ),
        (stored(Status.SENT, Status.SENT), OTHER, (3, 77, Outcome.DUPLICATE, "why", 1)),
        (stored(Status.SUPERSEDED), OTHER, (3, 77, Outcome.SUPPRESSED, "superseded", 1)),
        (stored(Status.DEFERRED, superseded_by="D2"), OTHER, (3, 77, Outcome.SUPPRESSED, "superseded", 1)),
        (stored(Status.SUPPRESSED, responses=("paid",)), OTHER, (3, 77, Outcome.SUPPRESSED, "responded", 1)),
        (
            stored(Status.SENT, former=(Former("retail/run-2", 3, 77, Outcome.PAPER, "no_channel", 9),)),
            OTHER,
            (3, 77, Outcome.PAPER, "no_channel", 9),
        ),
        # Another slice, another position or another run is another record.
        (
            stored(Status.SENT, former=(Former("retail/run-2", 4, 77, Outcome.PAPER, "no_channel", 9),)),
            OTHER,
            (3, 77, Outcome.DUPLICATE, "why", 1),
        ),
    ],
)
def test_what_a_stored_notice_means_for_a_record(
    notice: Notice, origin: Origin, outcome: tuple[int, int, Outcome, str, int]
) -> None:
    assert outcome_for(notice, origin, "why") == RecordOutcome(*outcome, notice.notice_id)


def test_a_record_is_told_by_run_slice_and_position() -> None:
    notice = stored(Status.FAILED, Status.FAILED)
    ours = notice.origin
    assert not may_take_over(notice, replace(ours, part="moved", offset=9, length=1), cancelled())
    for other in ({"run": "retail/run-9"}, {"slice_number": 1}, {"position": 2}):
        assert may_take_over(notice, replace(ours, **other), cancelled())


def test_a_record_that_waits_is_named_in_an_event() -> None:
    waits = stored(Status.DEFERRED)
    wanted = wanted_also(waits, OTHER, NOW)
    assert wanted is not None
    assert (wanted.version, wanted.heirs) == (waits.version + 1, (OTHER,))
    assert wanted.events[-1] == Event(
        "2026-11-20T15:00:00.000+00:00", "also_wanted_by", "retail/run-2 record 77", head(waits)
    )
    both = wanted_also(wanted, replace(OTHER, position=78), NOW)
    assert both is not None
    assert [heir.position for heir in both.heirs] == [77, 78]
    assert left_to(replace(both, status=Status.SUPERSEDED)) == both.heirs
    assert left_to(both) == ()


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        ({}, False),
        ({"amount_due": "120.5"}, False),  # the same amount
        ({"amount_due": "120.51"}, True),
        ({"currency": "EUR"}, True),
        ({"amount_due": None}, False),  # what it does not say stays as it was
        ({"due_date": "2026-12-21"}, True),
        ({"due_date": None}, False),
        ({"statement_period": "Nov 2026", "output_uri": "b", "content_sha256": "bb" * 32}, False),
        ({"in_credit": True}, True),
    ],
)
def test_which_documents_may_correct(changes: dict[str, Any], may: bool) -> None:
    assert may_correct(FACTS, replace(FULL, **changes)) is may
    assert may_correct("", replace(FULL, **changes)), "nothing is known of the first"
    assert may_correct(facts_of(a_document(1)), FULL), "the first said none"


@pytest.mark.parametrize(
    ("changes", "run", "found"),
    [
        ({}, "retail/run-2", ("", ())),
        (
            {"amount_due": "1", "due_date": "2026-01-01"},
            "retail/run-2",
            ("other_content", ("amount", "due date")),
        ),
        ({"output_uri": "b"}, "retail/run-2", ("", ())),
        ({"output_uri": "b"}, "retail/run-1", ("other_content", ("file",))),
        ({"undated": True}, "retail/run-2", ("", ())),  # both have one due date
        ({"undated": True, "due_date": None}, "retail/run-2", ("undated", ())),
        ({"undated": True, "due_date": None}, "retail/run-1", ("", ())),
        ({"undated": False, "due_date": None}, "retail/run-2", ("", ())),
    ],
)
def test_why_a_duplicate_may_be_another_document(
    changes: dict[str, Any], run: str, found: tuple[str, tuple[str, ...]]
) -> None:
    notice = stored(Status.SENT, Status.SENT, facts=FACTS)
    assert doubts(notice, replace(OTHER, run=run), replace(FULL, **changes)) == found
    undated = replace(notice, facts=facts_of(replace(FULL, due_date=None)))
    assert doubts(undated, OTHER, replace(FULL, undated=True))[0] == "undated"


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"content_sha256": "bb" * 32}, ("content",)),
        ({"amount_due": "120.5"}, ()),
        ({"amount_due": "120"}, ("amount",)),
        ({"amount_due": "1205.0"}, ("amount",)),
        ({"currency": None}, ("amount",)),
        ({"statement_period": "Nov 2026"}, ("period",)),
        ({"produced_at": "2026-11-19T23:00:00Z"}, ()),  # the day counts
        ({"produced_at": "2026-11-20T04:00:00Z"}, ("production date",)),
        ({"due_date": "2026-12-21"}, ("due date",)),
        ({"amount_due": "1", "content_sha256": "bb" * 32}, ("content", "amount")),
    ],
)
def test_each_kind_of_difference(changes: dict[str, Any], kinds: tuple[str, ...]) -> None:
    assert differences(FACTS, replace(FULL, **changes)) == kinds


def test_whole_amounts_differ_by_their_noughts() -> None:
    hundred = a_document(1, amount_due="100")
    assert differences(facts_of(hundred), a_document(1, amount_due="10")) == ("amount",)
    assert differences(facts_of(hundred), a_document(1, amount_due="100.00")) == ()
