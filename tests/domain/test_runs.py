"""A run: what must agree with its seal, how large it may be, and how it adds up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.notices import Outcome
from exstream_notify.domain.run_codes import HOLDS, NOT_SEALED, NOT_THERE, REFUSALS
from exstream_notify.domain.runs import (
    Control,
    Disagreement,
    DomainRule,
    FoundFile,
    RecordOutcome,
    Run,
    RunState,
    Seal,
    SealedFile,
    StagePolicy,
    Trailer,
    compare_file,
    compare_totals,
    content_of,
    counted_from,
    customers_missing,
    expected_documents,
    latest,
    nobody_new,
    reconcile,
    rejects_are_high,
    stated_size,
    volume_deviates,
)
from exstream_notify.domain.values import Manner

SHA = "ab" * 32
FILE = SealedFile("billing.index.jsonl", 1200, SHA, 10)
SEAL = Seal("run-1", "retail", (FILE,), customers_expected=10, customers_processed=10, documents=10)


# --- the codes that say how a run stands --------------------------------------------------------


def test_which_codes_are_over_once_a_run_is_taken_released_or_there() -> None:
    refused = """
        seal_unreadable seal_without_index index_unreadable files_missing size_mismatch checksum_mismatch
        record_count_mismatch document_count_mismatch customer_count_mismatch manifest_count_mismatch
        manifest_uncounted trailer_missing trailer_count_mismatch no_records
    """
    assert set(refused.split()) == REFUSALS
    assert {"domain_unknown", "volume_deviates", "rejects_high"} == HOLDS
    assert {"run_expected", "run_not_sealed"} == NOT_THERE == {"run_expected", NOT_SEALED}


# --- what the seal says ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sealed", "found", "codes"),
    [
        (FILE, (1200, SHA, 10), []),
        (FILE, (1201, SHA, 10), ["size_mismatch"]),
        (FILE, (1200, "cd" * 32, 10), ["checksum_mismatch"]),
        (FILE, (1200, SHA, 9), ["record_count_mismatch"]),
        (FILE, (0, "cd" * 32, 0), ["size_mismatch", "checksum_mismatch", "record_count_mismatch"]),
        # capital letters are the same checksum
        (replace(FILE, sha256=SHA.upper()), (1200, SHA, 10), []),
        # a file that is no index has no records to count
        (FILE, (1200, SHA, None), []),
        # what the seal does not say cannot disagree
        (SealedFile("x"), (7, SHA, 3), []),
        # nought is said, too
        (SealedFile("x", bytes=0, records=0), (1, SHA, 1), ["size_mismatch", "record_count_mismatch"]),
    ],
)
def test_a_file_against_the_seal(
    sealed: SealedFile, found: tuple[int, str, int | None], codes: list[str]
) -> None:
    assert [d.code for d in compare_file(sealed, *found)] == codes


def test_a_disagreement_says_where_what_was_stated_and_what_was_found() -> None:
    (found,) = compare_file(FILE, 1201, SHA, 10)

    assert str(found) == "billing.index.jsonl bytes: stated 1200, found 1201"


@pytest.mark.parametrize(
    ("stated", "records", "customers", "codes"),
    [
        ({}, 10, 10, []),
        ({}, 9, 10, ["document_count_mismatch"]),
        ({}, 10, 9, ["customer_count_mismatch"]),
        ({}, 10, None, []),
        ({"documents": None}, 9, 10, []),
        ({"customers_processed": None}, 10, 9, []),
        (
            {"documents": 0, "customers_processed": 0},
            1,
            1,
            ["document_count_mismatch", "customer_count_mismatch"],
        ),
    ],
)
def test_totals_against_the_seal(
    stated: dict[str, int | None], records: int, customers: int | None, codes: list[str]
) -> None:
    assert [d.code for d in compare_totals(replace(SEAL, **stated), records, customers)] == codes  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expected", "processed", "missing"),
    [(10, 10, 0), (10, 8, 2), (8, 10, 0), (None, 8, 0), (10, None, 0), (10, 0, 10)],
)
def test_customers_left_out_count_as_documents_expected(
    expected: int | None, processed: int | None, missing: int
) -> None:
    seal = replace(SEAL, customers_expected=expected, customers_processed=processed)

    assert customers_missing(seal) == missing
    assert expected_documents(seal, 20) == 20 + missing


def test_a_fingerprint_is_of_the_content() -> None:
    other = SealedFile("letters.index.jsonl", 5, SHA, 1)
    two = replace(SEAL, files=(FILE, other))

    assert SEAL.fingerprint == replace(SEAL, app="other", run_id="run-2", errors=3).fingerprint
    assert two.fingerprint == replace(SEAL, files=(other, FILE)).fingerprint
    different = {
        SEAL.fingerprint,
        two.fingerprint,
        replace(SEAL, documents=11).fingerprint,
        replace(SEAL, customers_expected=None).fingerprint,
        replace(SEAL, files=(replace(FILE, sha256="cd" * 32),)).fingerprint,
        replace(SEAL, files=(replace(FILE, bytes=1201),)).fingerprint,
        replace(SEAL, files=(replace(FILE, name="b"),)).fingerprint,
    }
    assert len(different) == 7


# --- volume ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("documents", "earlier", "limit", "strange"),
    [
        (100_000, [], 50, False),
        (100_000, [1000, 1000], 50, False),
        (1000, [1000, 1000, 1000], 50, False),
        (1500, [1000, 1000, 1000], 50, False),
        (1501, [1000, 1000, 1000], 50, True),
        (500, [1000, 1000, 1000], 50, False),
        (499, [1000, 1000, 1000], 50, True),
        (0, [1000, 1000, 1000], 50, True),
        # small runs vary
        (99, [10, 10, 10], 50, False),
        (110, [10, 10, 10], 50, True),
        # one earlier outlier does not make the rule
        (1000, [1000, 1000, 90_000], 50, False),
        (90_000, [1000, 1000, 90_000], 50, True),
        # a median between two
        (1200, [700, 900, 1100, 1300], 20, False),
        (1201, [700, 900, 1100, 1300], 20, True),
    ],
)
def test_a_run_far_from_the_usual_size(
    documents: int, earlier: Sequence[int], limit: int, strange: bool
) -> None:
    assert volume_deviates(documents, earlier, limit) is strange


# --- adding up ------------------------------------------------------------------------------------

RUN = Run("retail", "run-1", RunState.DISPATCHED, expected=4, composed=4)


def said(position: int, outcome: Outcome, version: int = 1, why: str = "") -> RecordOutcome:
    """What a slice or a job said of a record."""
    return RecordOutcome(0, position, outcome, why, version)


def test_a_run_whose_records_all_ended_balances() -> None:
    found = reconcile(
        replace(RUN, rejected={"email: too long": 1}),
        [said(1, Outcome.NOTIFIED), said(2, Outcome.PAPER, why="no_channel"), said(4, Outcome.DUPLICATE)],
    )

    assert {k: n for k, n in found.outcomes.items() if n} == {
        "notified": 1,
        "paper": 1,
        "duplicate": 1,
        "rejected": 1,
    }
    assert found.reasons == {"paper": {"no_channel": 1}, "rejected": {"email: too long": 1}}
    assert (found.balanced, found.complete, found.clean) == (True, True, False)
    assert set(found.outcomes) == set(Outcome)


def test_a_record_nobody_spoke_of_is_in_flight() -> None:
    found = reconcile(RUN, [said(1, Outcome.NOTIFIED)])

    assert found.outcomes["in_flight"] == 3
    assert not found.balanced


def test_one_that_is_said_to_be_in_flight_is_counted_once() -> None:
    found = reconcile(RUN, [said(n, Outcome.IN_FLIGHT, 0) for n in range(1, 5)])

    assert found.outcomes["in_flight"] == 4
    assert not found.balanced


def test_more_outcomes_than_records_is_no_balance() -> None:
    assert not reconcile(RUN, [said(n, Outcome.NOTIFIED) for n in range(1, 6)]).balanced


@pytest.mark.parametrize("state", [s for s in RunState if s != RunState.DISPATCHED])
def test_only_a_dispatched_run_can_balance_or_be_complete(state: RunState) -> None:
    found = reconcile(replace(RUN, state=state), [said(n, Outcome.NOTIFIED) for n in range(1, 5)])

    assert (found.balanced, found.complete) == (False, False)


def test_a_run_without_records_balances() -> None:
    assert reconcile(replace(RUN, composed=0, expected=0), []).balanced


def test_a_balanced_run_can_be_incomplete() -> None:
    found = reconcile(replace(RUN, expected=6), [said(n, Outcome.NOTIFIED) for n in range(1, 5)])

    assert (found.balanced, found.complete) == (True, False)


def test_the_newest_word_counts_and_of_equals_the_later() -> None:
    words = [
        said(1, Outcome.IN_FLIGHT, 0),
        said(1, Outcome.NOTIFIED, 2),
        said(1, Outcome.IN_FLIGHT, 1),
        said(2, Outcome.SUPPRESSED, 1),
        said(2, Outcome.DUPLICATE, 1),
    ]

    assert {p: o.outcome for p, o in latest(words).items()} == {1: "notified", 2: "duplicate"}


@given(
    composed=st.integers(0, 12),
    rejected=st.integers(0, 3),
    words=st.lists(
        st.tuples(st.integers(1, 12), st.sampled_from(list(Outcome)), st.integers(0, 4)), max_size=40
    ),
)
def test_outcomes_add_up_to_what_was_composed_unless_there_are_too_many(
    composed: int, rejected: int, words: list[tuple[int, Outcome, int]]
) -> None:
    run = replace(RUN, composed=composed, rejected={"why": rejected} if rejected else {})
    found = reconcile(run, [said(*word) for word in words])
    known = len({position for position, _, _ in words}) + rejected

    assert sum(found.outcomes.values()) == max(composed, known)
    assert found.balanced == (known == composed and not found.outcomes["in_flight"])
    # Told again, in any order of slices and jobs, the same: nothing drifts.
    again = reconcile(run, [said(*word) for word in [*words, *words]])
    assert again == found


# --- what needs a look ----------------------------------------------------------------------------


def words(*ends: tuple[int, Outcome, str]) -> list[RecordOutcome]:
    """Outcomes of consecutive records: so many of each outcome and reason."""
    every = [(outcome, why) for count, outcome, why in ends for _ in range(count)]
    return [RecordOutcome(0, n, outcome, why, 1, f"{n:032x}") for n, (outcome, why) in enumerate(every, 1)]


CLEAN: list[tuple[tuple[int, Outcome, str], ...]] = [
    ((4, Outcome.NOTIFIED, ""),),
    ((3, Outcome.NOTIFIED, ""), (1, Outcome.DUPLICATE, "")),
    ((4, Outcome.DEFERRED, "quiet_hours"),),
    ((4, Outcome.PAPER, "paper_chosen"),),
    ((3, Outcome.NOTIFIED, ""), (1, Outcome.PAPER, "no_channel")),
    ((4, Outcome.SUPPRESSED, "nothing_due"),),
    ((1, Outcome.NOTIFIED, ""), (2, Outcome.SUPPRESSED, "opted_out"), (1, Outcome.SUPPRESSED, "responded")),
    ((3, Outcome.DUPLICATE, ""), (1, Outcome.DEFERRED, "quiet_hours")),
]


@pytest.mark.parametrize("ends", CLEAN)
def test_what_was_notified_or_decided_is_clean(ends: tuple[tuple[int, Outcome, str], ...]) -> None:
    found = reconcile(RUN, words(*ends))

    assert (found.needs_look, found.clean, found.balanced) == ((), True, True)


LOOKS: list[tuple[tuple[tuple[int, Outcome, str], ...], list[tuple[str, int, str]]]] = [
    (((4, Outcome.FAILED, "not_rendered"),), [("failed", 4, "not_rendered")]),
    (((3, Outcome.NOTIFIED, ""), (1, Outcome.FAILED, "")), [("failed", 1, "")]),
    (((3, Outcome.NOTIFIED, ""), (1, Outcome.UNCONFIRMED, "timeout")), [("unconfirmed", 1, "timeout")]),
    (
        ((3, Outcome.NOTIFIED, ""), (1, Outcome.DUPLICATE, "other_content")),
        [("other_content", 1, "other_content")],
    ),
    (
        ((3, Outcome.NOTIFIED, ""), (1, Outcome.DUPLICATE, "undated")),
        [("undated", 1, "undated")],
    ),
    (((3, Outcome.NOTIFIED, ""), (1, Outcome.SUPPRESSED, "no_channel")), [("not_notified", 1, "no_channel")]),
    (((4, Outcome.DEFERRED, "provider_down"),), [("deferred", 4, "provider_down")]),
    (
        ((2, Outcome.DEFERRED, "quiet_hours"), (2, Outcome.DEFERRED, "switched_off")),
        [("deferred", 2, "switched_off")],
    ),
    (((4, Outcome.DEFERRED, "wording_not_approved"),), [("deferred", 4, "wording_not_approved")]),
    (((4, Outcome.DUPLICATE, ""),), [("duplicates", 4, "")]),
    (((3, Outcome.DUPLICATE, ""), (1, Outcome.SUPPRESSED, "superseded")), [("duplicates", 3, "")]),
    (
        ((4, Outcome.DUPLICATE, "other_content"),),
        [("other_content", 4, "other_content")],
    ),
    (
        ((1, Outcome.FAILED, "b"), (2, Outcome.FAILED, "a"), (1, Outcome.DEFERRED, "provider_down")),
        [("failed", 2, "a"), ("failed", 1, "b"), ("deferred", 1, "provider_down")],
    ),
    (((3, Outcome.NOTIFIED, ""), (1, Outcome.IN_FLIGHT, "")), [("in_flight", 1, "")]),
    (((5, Outcome.NOTIFIED, ""),), [("unbalanced", 5, "")]),
]


@pytest.mark.parametrize(("ends", "looks"), LOOKS)
def test_what_nobody_decided_needs_a_look(
    ends: tuple[tuple[int, Outcome, str], ...], looks: list[tuple[str, int, str]]
) -> None:
    found = reconcile(RUN, words(*ends))

    assert [(str(c.what), c.count, c.reason) for c in found.needs_look] == looks
    assert {c.of for c in found.needs_look} == {4}
    assert not found.clean


SOME = words((2, Outcome.NOTIFIED, ""), (1, Outcome.DEFERRED, "quiet_hours"))


@pytest.mark.parametrize(
    ("changes", "looks"),
    [
        ({"rejected": {"customer_key: missing": 1}}, [("rejected", 1, 4, "customer_key: missing")]),
        (
            {"expected": 6, "rejected": {"email: bad": 1}},
            [("not_composed", 2, 6, ""), ("rejected", 1, 4, "email: bad")],
        ),
        ({"control": Control.HOLD, "why": "900 documents"}, [("held", 2, 4, "900 documents")]),
        (
            {"control": Control.HOLD, "why": "old", "history": ({"what": "hold", "why": "mine"},)},
            [("held", 2, 4, "mine")],
        ),
        (
            {"control": Control.HOLD, "why": "old", "history": ({"what": "hold", "why": ""},)},
            [("held", 2, 4, "")],
        ),
        ({"control": Control.CANCEL}, [("cancelled", 2, 4, "")]),
        ({"state": RunState.STAGED}, [("staged", 1, 4, "")]),
        (
            {"state": RunState.REFUSED, "composed": 0, "why": "a: stated 2"},
            [("refused", 0, 0, "a: stated 2")],
        ),
        ({"state": RunState.INCOMPLETE, "composed": 0}, [("incomplete", 0, 0, "")]),
        ({"state": RunState.WAITING, "composed": 0}, [("waiting", 0, 0, "")]),
    ],
)
def test_a_run_s_own_state_needs_a_look(
    changes: dict[str, Any], looks: list[tuple[str, int, int, str]]
) -> None:
    found = reconcile(replace(RUN, **changes), SOME)

    assert [(str(c.what), c.count, c.of, c.reason) for c in found.needs_look] == looks
    assert not found.clean


def test_a_run_without_documents_is_clean_only_if_a_seal_expects_none() -> None:
    empty = replace(RUN, composed=0, expected=0)

    assert reconcile(empty, []).clean
    assert [c.what for c in reconcile(replace(empty, sealed=False), []).needs_look] == ["empty"]
    assert [c.what for c in reconcile(replace(empty, expected=3), []).needs_look] == ["not_composed"]


def test_of_each_reason_a_hundred_notices_are_named_at_most() -> None:
    run = replace(RUN, composed=303, expected=303)
    found = reconcile(
        run,
        words(
            (150, Outcome.DEFERRED, "provider_down"), (150, Outcome.NOTIFIED, ""), (3, Outcome.DUPLICATE, "")
        ),
    )

    assert {name: {why: len(ids) for why, ids in r.items()} for name, r in found.examples.items()} == {
        "deferred": {"provider_down": 100},
        "duplicate": {"": 3},
    }


@given(
    ends=st.lists(
        st.tuples(
            st.sampled_from(list(Outcome)),
            st.sampled_from(
                ["", "quiet_hours", "provider_down", "no_channel", "other_content", "nothing_due"]
            ),
        ),
        max_size=8,
    ),
    rejected=st.integers(0, 2),
    missing=st.integers(0, 2),
    control=st.sampled_from(list(Control)),
)
def test_a_clean_run_has_nobody_whom_nobody_decided_about(
    ends: list[tuple[Outcome, str]], rejected: int, missing: int, control: Control
) -> None:
    composed = len(ends) + rejected
    run = replace(
        RUN,
        composed=composed,
        expected=composed + missing,
        control=control,
        rejected={"bad": rejected} if rejected else {},
    )
    found = reconcile(run, [RecordOutcome(0, n, o, w, 1) for n, (o, w) in enumerate(ends, 1)])

    never = {Outcome.FAILED, Outcome.UNCONFIRMED, Outcome.IN_FLIGHT, Outcome.REJECTED}
    spoiled = (
        rejected
        or missing
        or control != Control.GO
        or any(o in never for o, _ in ends)
        or any((o, w) == (Outcome.SUPPRESSED, "no_channel") for o, w in ends)
        or any(o == Outcome.DUPLICATE and w in ("other_content", "undated") for o, w in ends)
        or any(o == Outcome.DEFERRED and w != "quiet_hours" for o, w in ends)
    )
    told = {Outcome.NOTIFIED, Outcome.DEFERRED, Outcome.PAPER}
    only_duplicates = any(o == Outcome.DUPLICATE for o, _ in ends) and not any(o in told for o, _ in ends)
    assert found.clean is not bool(spoiled or only_duplicates)
    if found.clean:
        assert (found.balanced, found.complete) == (True, True)


@pytest.mark.parametrize(
    ("rejected", "records", "high"),
    [
        (0, 0, False),
        (24, 24, False),
        (25, 25, True),
        (25, 250, False),
        (25, 249, True),
        (100_000, 1_000_000, False),
        (100_001, 1_000_000, True),
    ],
)
def test_rejects_count_from_twenty_five_on_and_above_the_limit(
    rejected: int, records: int, high: bool
) -> None:
    assert rejects_are_high(rejected, records, 10) is high


def test_the_identity_of_a_runs_content_is_that_of_its_bytes() -> None:
    files = [FoundFile("a", 1, "e1", "aa", 3), FoundFile("b", 2, "e2", "bb")]
    same = [FoundFile("b", 2, "other", "bb"), FoundFile("a", 1, "parts-2", "aa", None)]
    assert content_of(files) == content_of(same)
    for changed in (
        FoundFile("a", 1, "e1", "ab"),
        FoundFile("a2", 1, "e1", "aa"),
        FoundFile("a", 2, "e1", "aa"),
    ):
        assert content_of([changed, files[1]]) != content_of(files)


# --- each limit ------------------------------------------------------------------------------------


def entry(what: str, at: str = "2026-11-20T10:00:00+00:00", why: str = "") -> dict[str, str]:
    return {"what": what, "at": at, "why": why}


FIRST, THEN, LAST = (f"2026-11-20T{hour}:00:00+00:00" for hour in (11, 12, 13))


@pytest.mark.parametrize(
    ("history", "since"),
    [
        ([], "09"),
        ([entry("go", FIRST)], "09"),  # nothing was held
        ([entry("hold", FIRST)], "09"),
        ([entry("hold", FIRST), entry("go", THEN)], "12"),
        ([entry("hold", FIRST), entry("looked at", THEN), entry("go", LAST)], "13"),
        ([entry("hold", FIRST), entry("go", THEN), entry("go", LAST)], "12"),
        ([entry("hold", FIRST), entry("go", FIRST), entry("hold", THEN), entry("go", LAST)], "13"),
    ],
)
def test_deadlines_count_from_the_opening_or_the_last_release(
    history: list[dict[str, str]], since: str
) -> None:
    run = replace(RUN, opened_at="2026-11-20T09:00:00+00:00", history=tuple(history))
    assert counted_from(run) == datetime(2026, 11, 20, int(since), tzinfo=UTC)
    assert counted_from(replace(run, opened_at="")) is None
    assert counted_from(None) is None


@pytest.mark.parametrize(
    ("trailer", "row", "count"),
    [
        (Trailer("T", 2), ["T", "12"], 12),
        (Trailer("T", 2, count_adds=2), ["T", "count: 12 rows"], 10),
        (Trailer("T", 3), ["T", "12"], None),
        (Trailer("T", None), ["T", "12"], None),
        (Trailer("T9", 1), ["T912"], 12),
        (Trailer("T9", 2), ["T9", "T912"], 912),
        (Trailer("T", 2), ["T", " 12 "], 12),
        (Trailer("T", 2), ["T", "1 2"], None),
        (Trailer("T", 2), ["T", ""], None),
        (Trailer("T", 2), ["T", "1" * 15], int("1" * 15)),
        (Trailer("T", 2), ["T", "1" * 16], None),
    ],
)
def test_the_number_of_records_that_a_trailer_states(
    trailer: Trailer, row: list[str], count: int | None
) -> None:
    assert trailer.count_of(row) == count
    assert Trailer("T").required


@pytest.mark.parametrize(
    ("seal", "customers", "processed", "words"),
    [
        ({}, 0, [], "10 documents"),
        ({"documents": None}, 0, [], "10 customers_expected"),
        ({"documents": 0, "customers_expected": 0}, 0, [], "10 customers_processed"),
        (
            {"documents": None, "customers_expected": None, "customers_processed": None},
            0,
            [2, None, 3],
            "5 customers_processed",
        ),
        ({"documents": None, "customers_expected": None, "customers_processed": None}, 4, [], "10 records"),
        (
            {"documents": None, "customers_expected": None, "customers_processed": None, "files": ()},
            4,
            [None],
            "4 customers whose queues no rule maps",
        ),
        (
            {"documents": None, "customers_expected": None, "customers_processed": None, "files": ()},
            0,
            [],
            "",
        ),
    ],
)
def test_what_a_run_without_a_record_says_that_it_holds(
    seal: dict[str, Any], customers: int, processed: list[int | None], words: str
) -> None:
    assert stated_size(replace(SEAL, **seal), customers, processed) == words


@pytest.mark.parametrize(
    ("ends", "nobody"),
    [
        (((4, Outcome.DUPLICATE, ""),), True),
        (((3, Outcome.DUPLICATE, ""), (1, Outcome.SUPPRESSED, "x")), True),
        *(
            (((3, Outcome.DUPLICATE, ""), (1, outcome, "")), False)
            for outcome in (
                Outcome.NOTIFIED,
                Outcome.DEFERRED,
                Outcome.PAPER,
                Outcome.UNCONFIRMED,
                Outcome.IN_FLIGHT,
                Outcome.FAILED,
            )
        ),
        (((4, Outcome.SUPPRESSED, "x"),), False),
    ],
)
def test_whether_a_run_notified_nobody_new(ends: tuple[tuple[int, Outcome, str], ...], nobody: bool) -> None:
    assert nobody_new(reconcile(RUN, words(*ends))) is nobody


def test_the_last_word_of_a_hold_or_a_cancellation_says_why() -> None:
    history = (
        entry("hold", why="first"),
        entry("go", why="on"),
        entry("hold", why="second"),
        entry("looked", why="x"),
    )
    held = reconcile(replace(RUN, control=Control.HOLD, history=history, why="the run's"), SOME)
    assert [c.reason for c in held.needs_look] == ["second"]
    cancelled = reconcile(
        replace(RUN, control=Control.CANCEL, history=history, why="the run's"),
        words((2, Outcome.SUPPRESSED, "run_cancelled"), (1, Outcome.DEFERRED, "quiet_hours")),
    )
    assert [(c.count, c.reason) for c in cancelled.needs_look] == [(4, "the run's")]


def test_how_a_domain_writes_its_values() -> None:
    assert DomainRule().manner("Europe/Vienna") == Manner(zone="Europe/Vienna")
    rule = DomainRule(dates="mdy", implied_decimals=2, decimal_mark=",", utc_midnight="date", time_zone="UTC")
    assert rule.manner("Europe/Vienna") == Manner("mdy", 2, ",", "date", "UTC")
    assert DomainRule() == DomainRule(
        unsealed=True,
        encoding=None,
        exit_statuses=(0,),
        hold_on_exit_status=False,
        seal_within_minutes=240,
        missing_documents="reject",
        unknown=False,
        multi_line_fields=False,
        payments_without_document="oldest_due",
    )
    policy = StagePolicy()
    assert (policy.missing_file_wait, policy.quiet_period) == (timedelta(minutes=60), timedelta(seconds=120))
    assert (policy.volume_limit_percent, policy.reject_limit_percent) == (50, 10)


def test_fingerprints_are_as_they_ever_were() -> None:
    """A changed one would take every seal that comes again for another."""
    assert SEAL.fingerprint == "57bfa5532769ac6f8f0b501dff9bde74"
    assert content_of([FoundFile("a", 1, "e1", "aa", 3)]) == "151e41252f6fe10fa8344e43d584348a"


@pytest.mark.parametrize(("code", "place", "stated", "found"), [
    ("document_count_mismatch", "documents", "10", "9"),
    ("customer_count_mismatch", "customers_processed", "10", "8"),
])  # fmt: skip
def test_totals_that_disagree_say_which(code: str, place: str, stated: str, found: str) -> None:
    assert Disagreement(code, place, stated, found) in compare_totals(SEAL, 9, 8)
    assert len(compare_totals(SEAL, 9, 8)) == 2
