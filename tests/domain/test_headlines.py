"""A run in one line: what needs a look first, or how many were notified."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.exceptions import ExceptionRaised, Severity
from exstream_notify.domain.headlines import (
    SAID,
    OtherRuns,
    Particulars,
    Until,
    all_concerns,
    headline,
    in_words,
)
from exstream_notify.domain.notices import Outcome
from exstream_notify.domain.runs import Control, RecordOutcome, Run, RunState, reconcile

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
AT_FIVE = Until(datetime(2026, 11, 20, 17, 5, tzinfo=UTC))
TOMORROW = Until(datetime(2026, 11, 21, 8, 0, tzinfo=UTC))
Ends = dict[str, int]


def line(ends: Ends, *, planned: bool = False, run: dict[str, Any] | None = None, **particulars: Any) -> str:
    """The headline of a run with these ends: `outcome` or `outcome reason`, and how many."""
    records: list[RecordOutcome] = []
    rejected: dict[str, int] = {}
    for end, count in ends.items():
        outcome, _, why = end.partition(" ")
        if outcome == "rejected":
            rejected[why] = count
            continue
        first = len(records) + 1
        records += [RecordOutcome(0, n, Outcome(outcome), why, 1) for n in range(first, first + count)]
    composed = sum(ends.values())
    fields = {"state": RunState.DISPATCHED, "composed": composed, "expected": composed, **(run or {})}
    it = Run("retail", "r1", rejected=rejected, **fields)
    details = Particulars(**{"now": NOW, **particulars})
    return headline(it, reconcile(it, records), details, planned=planned)


def finding(code: str, severity: Severity, text: str, count: int = 1) -> ExceptionRaised:
    return ExceptionRaised(code, severity, "retail", "r1", text, count=count)


def by(*runs: str) -> OtherRuns:
    return OtherRuns(frozenset(runs))


LATE_INDEX = finding("index_not_sealed", "error", "not in the seal, so not read: b.index.csv")
LEFT_OUT = finding("values_left_out", "warning", "1 value left out in 12 records", 12)


@pytest.mark.parametrize(
    ("ends", "particulars", "expected"),
    [
        ({"notified": 60}, {}, "60 of 60 notified"),
        ({"notified": 1}, {}, "1 of 1 notified"),
        (
            {"notified": 57, "paper paper_chosen": 2, "suppressed nothing_due": 1},
            {},
            "57 of 60 notified; 2 on paper: paper chosen; 1 suppressed: nothing due",
        ),
        (
            {"deferred quiet_hours": 60},
            {"until": {"quiet_hours": TOMORROW}},
            "0 of 60 notified; 60 deferred until 2026-11-21 08:00 UTC: quiet hours",
        ),
        ({"notified": 3, "duplicate": 1}, {}, "3 of 4 notified; 1 duplicate"),
        (
            {"notified": 1, "duplicate": 3},
            {"notified_by": {"": by("r0")}},
            "1 of 4 notified; 3 duplicates of run r0",
        ),
        ({}, {}, "no documents, and the seal expects none"),
        (
            {"notified": 60},
            {"findings": [LEFT_OUT]},
            "60 of 60 notified; 1 value left out in 12 records",
        ),
    ],
)
def test_a_clean_run_says_how_many_were_notified(
    ends: Ends, particulars: dict[str, Any], expected: str
) -> None:
    assert line(ends, **particulars) == expected


@pytest.mark.parametrize(
    ("ends", "particulars", "expected"),
    [
        (
            {"deferred provider_down": 42},
            {"until": {"provider_down": AT_FIVE}},
            "42 of 42 deferred until 17:05 UTC: provider down",
        ),
        (
            {"deferred provider_down": 2},
            {"until": {"provider_down": Until(AT_FIVE.earliest, same=False)}},
            "2 of 2 deferred until 17:05 UTC at the earliest: provider down",
        ),
        (
            {"deferred switched_off": 2, "deferred provider_down": 3},
            {"until": {"switched_off": AT_FIVE, "provider_down": TOMORROW}},
            "5 of 5 deferred until 17:05 UTC at the earliest: provider down (3), switched off (2)",
        ),
        ({"deferred wording_not_approved": 1}, {}, "1 of 1 deferred: wording not approved"),
        (
            {"notified": 42, "rejected customer_key: missing": 18},
            {},
            "18 of 60 rejected: customer_key missing; 42 notified",
        ),
        ({"rejected customer_key: missing": 60}, {}, "60 of 60 rejected: customer_key missing"),
        (
            {"notified": 57, "suppressed no_channel": 3},
            {},
            "3 of 60 not notified: no channel that works; 57 notified",
        ),
        (
            {"duplicate": 60},
            {"notified_by": {"": by("billing-11")}},
            "60 of 60 are duplicates of run billing-11 (nobody was notified)",
        ),
        ({"duplicate": 1}, {}, "1 of 1 is a duplicate (nobody was notified)"),
        (
            {"duplicate": 9},
            {"notified_by": {"": by("a", "b")}},
            "9 of 9 are duplicates of runs a and b (nobody was notified)",
        ),
        (
            {"duplicate": 900},
            {"notified_by": {"": OtherRuns(frozenset({"a"}), complete=False)}},
            "900 of 900 are duplicates of run a and others (nobody was notified)",
        ),
        (
            {"notified": 2, "duplicate other_content": 5},
            {"notified_by": {"other_content": by("r0")}},
            "5 duplicates have other content than what was notified by run r0; 2 notified",
        ),
        (
            {"duplicate": 2, "duplicate other_content": 1},
            {"notified_by": {"": by("r0"), "other_content": by("r7")}},
            "1 duplicate has other content than what was notified by run r7; "
            "2 of 3 are duplicates of run r0 (nobody was notified)",
        ),
        (
            {"notified": 1, "duplicate": 1, "duplicate undated": 2},
            {"notified_by": {"": by("r7"), "undated": by("r0")}},
            "2 of 4 are duplicates of run r0, undated: perhaps other documents; 1 notified",
        ),
        (
            {"notified": 2, "duplicate other_content": 1},
            {},
            "1 duplicate has other content than what was notified; 2 notified",
        ),
        ({"failed not_rendered": 1, "notified": 2}, {}, "1 of 3 failed: not rendered; 2 notified"),
        (
            {"unconfirmed connection_lost": 2},
            {},
            "2 of 2 unconfirmed: connection lost",
        ),
        (
            {"notified": 60},
            {"findings": [LATE_INDEX, LEFT_OUT]},
            "not in the seal, so not read: b.index.csv (index_not_sealed); 60 notified;"
            " 1 value left out in 12 records",
        ),
    ],
)
def test_what_needs_a_look_comes_first(ends: Ends, particulars: dict[str, Any], expected: str) -> None:
    assert line(ends, **particulars) == expected


def test_the_worst_three_kinds_are_said_and_the_other_reasons_are_counted() -> None:
    ends = {
        "rejected a: bad": 3, "rejected b: bad": 1, "rejected c: bad": 2, "suppressed no_channel": 1,
        "deferred provider_down": 1, "failed not_rendered": 1, "unconfirmed timeout": 1, "notified": 10,
    }  # fmt: skip
    assert line(ends) == (
        "1 of 20 failed: not rendered; 1 of 20 unconfirmed: timeout;"
        " 6 of 20 rejected: a bad (3), c bad (2); 10 notified; and 3 more reasons"
    )


@pytest.mark.parametrize(
    ("run", "ends", "expected"),
    [
        ({"expected": 8}, {"notified": 6}, "2 customers were not composed; 6 notified"),
        ({"expected": 7}, {"notified": 6}, "1 customer was not composed; 6 notified"),
        ({"state": RunState.REFUSED, "why": "documents: stated 3, found 2"}, {},
         "refused: documents: stated 3, found 2"),
        ({"state": RunState.WAITING, "why": "waiting for 1 of 2 files: b"}, {}, "waiting for 1 of 2 files: b"),
        ({"state": RunState.INCOMPLETE, "why": "waiting for 1 of 2 files: b"}, {},
         "incomplete: waiting for 1 of 2 files: b"),
        ({"state": RunState.STAGED, "composed": 9}, {}, "not dispatched yet, 9 of 9 in flight"),
        ({"composed": 9}, {"notified": 6}, "3 of 9 in flight"),
        ({"composed": 5, "expected": 5}, {"notified": 6}, "6 outcomes for 5 records"),
        ({"state": RunState.STAGED, "control": Control.HOLD, "why": "900 documents", "composed": 900}, {},
         "held, 900 of 900 wait: 900 documents"),
        ({"control": Control.HOLD}, {"notified": 6}, "held; 6 notified"),
        ({"control": Control.HOLD, "composed": 7}, {"notified": 6}, "held, 1 of 7 waits"),
        ({"control": Control.CANCEL}, {"notified": 6, "suppressed run_cancelled": 4},
         "cancelled, 4 of 10 not notified; 6 notified"),
        ({"control": Control.CANCEL, "state": RunState.WAITING}, {}, "cancelled"),
        ({"sealed": False}, {}, "no documents, and no seal says that none were expected"),
    ],
)  # fmt: skip
def test_a_run_s_state_is_said_before_its_records(run: dict[str, Any], ends: Ends, expected: str) -> None:
    assert line(ends, run=run) == expected


@pytest.mark.parametrize(
    ("run", "ends", "expected"),
    [
        ({}, {"notified": 60}, "would notify 60 of 60"),
        ({}, {"notified": 57, "rejected customer_key: missing": 3},
         "would notify 57 of 60; 3 of 60 rejected: customer_key missing"),
        ({"control": Control.HOLD, "why": "900 documents"}, {"notified": 5},
         "would be held: 900 documents; its release would notify 5 of 5"),
        ({}, {"duplicate": 2}, "would notify 0 of 2; 2 of 2 are duplicates (nobody would be notified)"),
        ({"state": RunState.REFUSED, "why": "a: stated 2"}, {}, "would be refused: a: stated 2"),
        ({"state": RunState.WAITING, "why": "waiting for 1 of 2 files: b"}, {},
         "would be waiting for 1 of 2 files: b"),
    ],
)  # fmt: skip
def test_a_plan_says_what_would_happen(run: dict[str, Any], ends: Ends, expected: str) -> None:
    assert line(ends, run=run, planned=True) == expected


def test_no_run_with_customers_who_were_not_notified_is_just_balanced_and_complete() -> None:
    for end in ("failed x", "unconfirmed x", "suppressed no_channel", "duplicate", "deferred provider_down"):
        said = line({end: 3})
        assert "3 of 3" in said
        assert "balanced" not in said


@pytest.mark.parametrize(
    ("code", "severity", "concern"),
    [
        ("index_not_sealed", "error", True),
        ("run_id_reused", "severe", True),
        ("address_refused", "warning", False),
        ("records_rejected", "error", False),  # the outcomes say it
        ("size_mismatch", "severe", False),  # a run that was dispatched has overtaken it
    ],
)
def test_an_open_incident_needs_a_look_unless_the_run_says_it(
    code: str, severity: Severity, concern: bool
) -> None:
    run = Run("retail", "r1", RunState.DISPATCHED, expected=1, composed=1)
    added = reconcile(run, [RecordOutcome(0, 1, Outcome.NOTIFIED)])
    found = all_concerns(added, Particulars(findings=[finding(code, severity, "text", 7)]))
    assert [(str(c.what), c.count, c.of, c.reason) for c in found] == (
        [("incident", 7, 1, code)] if concern else []
    )


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("no_channel", "no channel that works"),
        ("hard_bounce", "hard bounce"),
        ("email: too long", "email too long"),
        ("customer_key: missing", "customer_key missing"),
        ("output_uri: the file is empty", "output_uri: the file is empty"),
        ("SMTP 550: no such user", "SMTP 550: no such user"),
        ("x" * 200, "x" * 99 + "…"),
    ],
)
def test_reasons_are_read_as_words(reason: str, words: str) -> None:
    assert in_words(reason) == words


# --- words, one by one ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("no_channel", "no channel that works"), ("wording_not_approved", "wording not approved"),
        ("deadline_passed", "deadline passed"), ("test_document", "test documents"),
        ("do_not_dun", "customers not to be asked for money"), ("responded", "customers responded before"),
        ("superseded", "superseded by a newer document"), ("switched_off", "switched off"),
        ("reputation", "reputation of the sender too low"), ("unanswered", "no answer from the provider"),
        ("answer_lost", "answer of the provider lost"), ("no_receipt", "no receipt"), ("a_b_c", "a b c"), ("A_b", "A_b"),
        ("field: one two", "field one two"), ("field: one two three", "field: one two three"), ("x" * 100, "x" * 100),
        ("x" * 98 + " yz", "x" * 98 + "…"), ("", ""),
    ],
)  # fmt: skip
def test_every_reason_that_does_not_read_well(reason: str, words: str) -> None:
    assert in_words(reason) == words


def test_codes_of_which_the_run_itself_says_how_they_stand() -> None:
    for code in (
        *(
            "records_rejected",
            "documents_missing",
            "holders_mixed",
            "customers_missing",
            "no_channel",
            "unreached",
        ),
        *(
            "required_unreached",
            "deadline_passed",
            "send_unconfirmed",
            "unconfirmed_at_deadline",
            "provider_down",
        ),
        *(
            "wording_not_approved",
            "duplicate_differs",
            "duplicate_undated",
            "run_all_duplicates",
            "nothing_due",
        ),
        *("seal_unreadable", "seal_without_index", "index_unreadable", "files_missing", "size_mismatch"),
        *("checksum_mismatch", "record_count_mismatch", "document_count_mismatch", "customer_count_mismatch"),
        *(
            "manifest_count_mismatch",
            "manifest_uncounted",
            "trailer_missing",
            "trailer_count_mismatch",
            "no_records",
        ),
        *("domain_unknown", "volume_deviates", "rejects_high", "run_expected", "run_not_sealed"),
    ):
        assert line({"notified": 1}, findings=[finding(code, "severe", "text")]) == "1 of 1 notified", code
    assert len(SAID) == 35


def test_incidents_are_said_the_worst_first_and_warnings_as_far_as_there_is_room() -> None:
    findings = [
        finding("b", "error", "text b"),
        finding("a", "error", "text a"),
        finding("z", "severe", "text z"),
        finding("d", "warning", "text d"),
        finding("c", "warning", "text c"),
        finding("i", "info", "text i"),
    ]
    assert line({"notified": 1}, findings=findings) == "text z (z); 1 notified; text c; and 2 more reasons"
    assert line({"notified": 1}, findings=findings[3:]) == "1 of 1 notified; text c; text d"
    many = [finding(name, "warning", f"text {name}") for name in "dcba"]
    assert line({"notified": 1}, findings=many) == "1 of 1 notified; text a; text b"
    long = finding("l", "warning", "y" * 120)
    assert line({"notified": 1}, findings=[long]) == "1 of 1 notified; " + "y" * 99 + "…"
    assert line({"failed x": 1, "unconfirmed y": 1, "rejected z": 1}, findings=[findings[3]]) == (
        "1 of 3 failed: x; 1 of 3 unconfirmed: y; 1 of 3 rejected: z"
    )


def test_of_several_reasons_two_are_named_and_one_more_is_one() -> None:
    ends = {"failed a": 1, "failed b": 3, "failed c": 2}
    assert line(ends) == "6 of 6 failed: b (3), c (2); and 1 more reason"
    assert line({"failed a": 2, "failed b": 2}) == "4 of 4 failed: a (2), b (2)"
    assert line({"failed ": 2, "failed b": 2}) == "4 of 4 failed: b"


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (AT_FIVE, Until(AT_FIVE.earliest + timedelta(seconds=59)), " until 17:05 UTC"),
        (AT_FIVE, Until(AT_FIVE.earliest + timedelta(minutes=1)), " until 17:05 UTC at the earliest"),
        (AT_FIVE, Until(AT_FIVE.earliest, same=False), " until 17:05 UTC at the earliest"),
        (TOMORROW, AT_FIVE, " until 17:05 UTC at the earliest"),
        (TOMORROW, TOMORROW, " until 2026-11-21 08:00 UTC"),
    ],
)
def test_until_when_records_of_several_reasons_wait(one: Until, other: Until, words: str) -> None:
    ends = {"deferred a": 1, "deferred b": 1}
    for until in ({"a": one, "b": other}, {"a": other, "b": one}):
        assert line(ends, until=until) == f"2 of 2 deferred{words}: a (1), b (1)"
    assert " until 2026-11-20 17:05 UTC" in line(ends, until={"a": AT_FIVE}, now=None)


def test_a_clean_run_says_what_was_decided_in_this_order() -> None:
    ends = {
        "duplicate": 2,
        "suppressed a": 1,
        "suppressed b": 2,
        "paper c": 1,
        "deferred quiet_hours": 1,
        "notified": 3,
    }
    assert line(ends, notified_by={"": by("r2", "r1", "r3")}) == (
        "3 of 10 notified; 1 deferred: quiet hours; 1 on paper: c; 3 suppressed: b (2), a (1);"
        " 2 duplicates of run r1 and others"
    )
    assert (
        line({"duplicate": 1, "notified": 1}, notified_by={"": OtherRuns(frozenset())})
        == "1 of 2 notified; 1 duplicate"
    )
    two = OtherRuns(frozenset({"a", "b"}), complete=False)
    assert line({"duplicate": 2, "notified": 1}, notified_by={"": two}).endswith(
        "2 duplicates of run a and others"
    )


def test_one_undated_duplicate_and_one_other() -> None:
    assert (
        line({"notified": 1, "duplicate undated": 1})
        == "1 of 2 is a duplicate, undated: perhaps other documents; 1 notified"
    )
    assert line({"duplicate": 1}, planned=True) == (
        "would notify 0 of 1; 1 of 1 is a duplicate (nobody would be notified)"
    )
