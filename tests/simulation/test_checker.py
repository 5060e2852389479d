"""The checker: a good history passes every claim, and each claim finds what contradicts it."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulation import checker
from simulation.checker.claims import CLAIMS
from simulation.checker.reading import Reading, duration, in_hours, zones_of
from simulation.checker.seen import Act, Drop, Opened, Post, Published, Report, Row, Told, Try
from tests.simulation.checker_log import (
    DAY,
    START,
    Spoil,
    acted,
    also,
    both,
    dropped,
    event,
    good,
    identity,
    incident,
    incidents_as,
    iso,
    notice,
    notices_as,
    other,
    proof,
    record,
    records_as,
    rows_of,
    runs_as,
    sent,
    shown,
    told,
    untold,
    with_incident,
    without_incident,
)

HOUR = 3600.0
ONE, TWO = "retail/one", "retail/two"
DROPS = good().drops
HASH = "f2ef15ad3861ef8f"
"""A recipient of a site that tells holders apart by other fields."""


def drop(*more: Drop) -> Spoil:
    """The history with more drops."""
    return lambda seen: replace(seen, drops=(*seen.drops, *more))


def published(*more: Published) -> Spoil:
    """The history with more events for others."""
    return lambda seen: replace(seen, published=(*seen.published, *more))


def steps_at(first: float, second: float) -> Spoil:
    """The history with both reminders at other times."""
    return both(
        other(4, purpose="step:dunning:1", at=START + first, began=START + first),
        other(4, purpose="step:dunning:2", at=START + second, began=START + second),
    )


def opened(led_to: str) -> Spoil:
    """The history with the first message's link opened once more."""
    return lambda seen: replace(seen, opened=(*seen.opened, Opened(110, START + 950, "https://x", led_to)))


def lasting(kind: str, **about: Any) -> Spoil:
    """An act that was done ten seconds after the start."""
    return acted(Act(kind, START + 10, START + 11, domain="retail", **about))


def late(number: int, attempt: int = 1) -> Spoil:
    """A message whose worker began after such an act."""
    return other(number, attempt, began=START + 200, at=START + 202)


def erased(at: float, *, ok: bool = True) -> Act:
    """Customer 1 is erased."""
    return Act("erase", START + at, START + at + 5, ok, domain="retail", customer="R00001")


def proven(shown_as: Row) -> Spoil:
    """The proof of customer 1's notice is shown like this."""
    return lambda seen: shown(evidence={**seen.shown.evidence, identity(1): shown_as})(seen)


CORRECTION = Drop("retail", "two-b", START + 60 * HOUR, (record(4, "payment-reminder", amount_due="99.00",
    produced_at="2026-12-03T04:00:00Z"),), START + 60 * HOUR)  # fmt: skip
NEW = record(7, customer_key="R00001", email="r00001@example.com", supersedes="D-1")
TOLD_OF_NEW = both(
    drop(Drop("retail", "new", START + HOUR, (NEW,), START + HOUR)),
    also(sent(7, 2 * HOUR, text="", address="r00001@example.com")),
    lambda seen: shown(
        notices={**seen.shown.notices, identity(7): notice(7, "sent", customer_key="R00001", run_id="new")}
    )(seen),
)


def tried(number: int, *, refused: bool = True, content: bool = False) -> Spoil:
    """The history with a message that was not accepted a minute after the start."""
    one = Try(START + 59, "ses", "email", f"{identity(number)}:1", refused=refused, content=content)
    return lambda seen: replace(seen, tries=(*seen.tries, one))


def reminded(number: int, at: float) -> Spoil:
    """The history with a reminder of a statement."""
    step = "step:unread-statement:1"
    return both(
        also(sent(number, at, purpose=step)),
        lambda seen: shown(
            notices={**seen.shown.notices, identity(number, step): notice(number, "sent", purpose=step)}
        )(seen),
    )


def unreached(*acts: Act, kind: str = "claim-letter") -> Spoil:
    """Customer 6's message failed, and what follows was settled after ten minutes; nobody was asked."""
    return both(
        without_incident("required_unreached"),
        tried(6, refused=True),
        records_as(6, document_type=kind),
        rows_of(6, document_type=kind),
        notices_as(6, document_type=kind, events=[event(START + 600, "settled failed", "refused")]),
        acted(*acts),
    )


def answered(at: float) -> Act:
    """Customer 6 responds."""
    return Act("respond", START + at, customer="R00006", document="D-6", response="responded")


def debt(kind: str, at: float) -> Act:
    """A hold of customer 6's collection, or its end."""
    return Act(kind, START + at, START + at + 1, domain="retail", customer="R00006")


def printed(number: int, at: float, *, heard: bool = True, **rule: object) -> Spoil:
    """A customer's message of which nobody hears, and its document printed so many seconds after the start;
    `rule` is what the site says of claim letters."""
    site = {"documents": {"types": {"claim-letter": rule}}}
    return both(
        untold(number * 100 + 10),
        also(sent(number, 60, heard=heard, subject="", text="")),
        rows_of(number, outcome="paper", reason="no_channel"),
        notices_as(number, status="paper", attempts=[{"number": 1, "status": "undelivered"}],
                   events=[event(START + 60, "claimed"), event(START + at, "paper", "no_channel")]),
        lambda seen: replace(seen, rules=(site,)),
    )  # fmt: skip


SPOILT: Mapping[str, Sequence[Spoil]] = {
    "once_per_attempt": (also(sent(1, 70)), also(replace(sent(2, 640, attempt=2), channel="sms"))),
    "second_only_after_failure": (
        untold(210),
        both(untold(210), told(Told(210, START + 601, START + 290, "failed"))),
        also(sent(1, 3 * DAY, attempt=2, channel="sms")),
        also(sent(5, 2 * HOUR, attempt=2, channel="sms")),
        both(untold(210), told(Told(210, START + 300, START + 290, "failed", trusted=False))),
    ),
    "copies_notify_once": (
        both(
            also(replace(sent(1, DAY), number=999, ref="f" * 32 + ":1")),
            lambda seen: shown(
                notices={**seen.shown.notices, "f" * 32: {**notice(1, "sent"), "run_id": "two"}}
            )(seen),
        ),
        both(
            also(replace(sent(2, DAY), number=999, ref="e" * 32 + ":1")),
            lambda seen: shown(notices={**seen.shown.notices, "e" * 32: notice(2, "sent")})(seen),
        ),
    ),
    "every_run_is_taken": (
        drop(Drop("retail", "lost", START, DROPS[0].records, START + 2)),
        runs_as(TWO, state="waiting"),
        runs_as(state="refused"),
    ),
    "nobody_is_forgotten": (
        lambda seen: shown(rows={**seen.shown.rows, ONE: seen.shown.rows[ONE][:-1]})(seen),
        rows_of(6, outcome="in_flight"),
        rows_of(6, reason=""),
        rows_of(2, document_id="D-1"),
    ),
    "what_is_rejected_is_flawed": (
        rows_of(6, outcome="rejected", reason="customer_key missing"),
        lambda seen: replace(seen, drops=(replace(DROPS[0], records=tuple(
            replace(r, fit=n != 2) for n, r in enumerate(DROPS[0].records))), *DROPS[1:])),
    ),
    "every_event_is_taken": (
        drop(Drop("retail", "event-x", START, (record(9),), None, event=True)),
        drop(Drop("retail", "event-y", START, (record(1, recipient="spouse"),), None, event=True)),
    ),
    "paper_is_silent": (
        both(lasting("want paper", customer="R00001"), late(1)),
        acted(Act("withdraw consent", START, START, customer="R00004")),
    ),
    "who_must_act_is_asked": (
        without_incident("required_unreached"),
        unreached(answered(DAY)),
        unreached(replace(answered(500), recipient=HASH)),
        unreached(replace(answered(300), recipient="spouse")),
        unreached(debt("do not dun", 20)),
        unreached(debt("do not dun", DAY), kind="overdue-notice"),
        unreached(debt("may not dun", 20), debt("dun again", 60), kind="overdue-notice"),
        both(rows_of(6, outcome="unconfirmed", reason="no_receipt"), without_incident("required_unreached")),
        rows_of(5, outcome="unconfirmed", reason="deadline_passed"),
        both(
            without_incident("unconfirmed_at_deadline"),
            acted(Act("respond", START + 90, customer="R00005", document="D-5", response="responded")),
        ),
        without_incident("unconfirmed_at_deadline"),
        rows_of(1, outcome="rejected", reason="customer_key missing"),
    ),
    "balance_is_true": (
        runs_as(composed=5),
        runs_as(outcomes={"notified": 5}),
        runs_as(outcomes={"notified": 4, "unconfirmed": 1, "failed": 1}),
        runs_as(balanced=False),
        lambda seen: replace(seen, drops=(DROPS[0], replace(DROPS[1], records=DROPS[1].records * 2))),
    ),
    "correction_tells_the_rest": (
        dropped(1),
        rows_of(6, outcome="duplicate"),
    ),
    "notified_means_accepted": (
        dropped(1),
        told(Told(110, START + 2 * HOUR, START + HOUR, "failed")),
        both(untold(110), other(1, heard=False), lambda seen: replace(seen, opened=())),
    ),
    "untold_means_not_accepted": (
        rows_of(1, outcome="failed", reason="refused"),
        rows_of(4, outcome="deferred", reason="provider_down"),
        rows_of(5, outcome="suppressed", reason="responded"),
        also(sent(6, 60)),
    ),
    "paper_means_not_accepted": (
        rows_of(1, outcome="paper", reason="paper_chosen"),
        both(untold(310), told(Told(310, START + 300, START + 290, "delivered"))),
        printed(6, 73 * HOUR),  # its answer was heard, and of silence the type says nothing
        printed(6, 600, on_no_receipt="other_channel"),  # long before anybody could call it silent
        printed(6, 600, heard=False),
        printed(6, 73 * HOUR, on_no_receipt="other_channel", paper_on_failure=False),
        printed(6, 73 * HOUR, heard=False, on_unconfirmed="alert"),
    ),
    "doubt_means_unknown": (
        other(5, heard=True),
        told(Told(510, START + HOUR, START + HOUR, "delivered")),
    ),
    "nothing_is_sent_unrecorded": (
        also(replace(sent(1, 60), number=999, ref="d" * 32 + ":1")),
        also(sent(1, 60, attempt=2)),
        notices_as(1, attempts=[{"number": 1, "status": "failed"}]),
    ),
    "switched_off_is_silent": (
        both(lasting("switch off", channel="email"), late(1)),
        both(acted(Act("switch off", START + 10, START + 11, domain="retail")), late(2, 2)),
    ),
    "stopped_runs_are_silent": (
        both(lasting("cancel", run=ONE), late(1)),
        both(lasting("hold", run=ONE), late(5)),
        lasting("cancel", run=ONE),
    ),
    "erased_is_silent": (
        both(acted(erased(10)), late(1)),
        acted(replace(erased(300), customer="R00004")),
    ),
    "opted_out_is_silent": (
        both(lasting("opt out", customer="R00001", channel="email", topic="statements"), late(1)),
        lasting("opt out", customer="R00002", channel="sms", topic="*"),
        acted(Act("opt out", START - HOUR, address="+12025550102", channel="sms")),
    ),
    "responded_is_silent": (
        both(acted(Act("respond", START + 10, START + 11, customer="R00002", response="responded"))),
        acted(Act("respond", START + DAY, domain="retail", customer="R00004", response="paid")),
        both(acted(Act("respond", START + 10, START + 11, case="CASE-000006", response="responded")),
             also(sent(6, 200))),
    ),
    "held_debt_is_silent": (
        acted(Act("do not dun", START + DAY, START + DAY, domain="retail", customer="R00004")),
        both(lasting("do not dun", customer="R00004"), late(4)),
    ),
    "stopped_journeys_are_silent": (
        acted(Act("stop journey", START + DAY, START + DAY, domain="retail", customer="R00004")),
        acted(Act("stop journey", START + 7 * DAY, START + 7 * DAY, journey="dunning")),
    ),
    "deadline_is_kept": (
        other(1, at=START + 80 * HOUR, began=START + 80 * HOUR),
        other(5, at=START + 73 * HOUR, began=START + 73 * HOUR),
        other(2, 2, at=START + 20 * DAY, began=START + 20 * DAY),
    ),
    "superseded_is_silent": (
        both(TOLD_OF_NEW, other(1, at=START + 3 * HOUR, began=START + 3 * HOUR)),
        both(TOLD_OF_NEW, told(Told(110, START + 3 * HOUR, START + 3 * HOUR, "failed")),
             also(sent(1, 4 * HOUR, attempt=2, channel="sms"))),
    ),
    "address_is_the_customers": (
        other(1, address="r00002@example.com"),
        other(2, 2, address="+12025550199"),
    ),
    "old_address_is_silent": (
        both(acted(Act("set address", START + 10, START + 11, customer="R00001", channel="email",
                       address="new@example.com")), late(1)),
        both(acted(Act("set address", START + 10, START + 11, customer="R00002", channel="sms",
                       address="+12025550188"))),
    ),
    "nobody_elses_data": (
        other(1, text="Reference REF-00000002"),
        other(1, html="<p>r00002@example.com</p>"),
        other(1, text=f"account {DROPS[0].records[0].fields['account_number']}"),
    ),
    "language_is_the_customers": (
        other(1, subject="Ihr Kontoauszug liegt bereit"),
        records_as(4, language="fr"),
        acted(Act("set language", START - DAY, START - DAY, customer="R00004", language="de")),
        acted(Act("import language", START - DAY, START - DAY, customer="R00004", language="de")),
        # a customer's own word stands before an import, whichever comes first
        acted(Act("set language", START - DAY, START - DAY, customer="R00004", language="de"),
              Act("import language", START - HOUR, START - HOUR, customer="R00004", language="en")),
    ),
    "link_opens_the_document": (
        opened("drop/retail/one/output/D-2.pdf"),
        opened("drop/retail/three/output/D-1.pdf"),
    ),
    "amounts_are_the_newest": (
        other(1, text="Amount due: $122.50"),
        drop(CORRECTION),
        both(drop(CORRECTION), other(4, purpose="step:dunning:2", text="$124.50")),
        both(
            acted(Act("respond", START + DAY, customer="R00004", document="D-9", response="paid in part", amount="24.50")),
            other(4, purpose="step:dunning:2", text="Amount due: $100.00"),
        ),
    ),
    "texts_are_discreet": (
        other(2, 2, text="Dear Dubois, your statement is ready."),
        other(2, 2, text="Statement for DUBOIS: $122.50"),
    ),
    "texts_go_by_day": (
        other(2, 2, at=START + 12 * HOUR, began=START + 12 * HOUR),
        records_as(2, time_zone="Asia/Tokyo"),
        acted(Act("quiet hours", START - DAY, START - DAY, customer="R00002", hours="12:00-18:00")),
    ),
    "steps_come_in_order": (
        steps_at(14 * DAY, 6 * DAY),
        both(
            also(replace(sent(4, 15 * DAY), number=999, ref="c" * 32 + ":1")),
            lambda seen: shown(
                notices={**seen.shown.notices, "c" * 32: notice(4, "sent", purpose="step:dunning:2")}
            )(seen),
        ),
    ),
    "steps_come_in_time": (
        steps_at(6 * DAY, 8 * DAY),
        steps_at(13 * DAY, 14 * DAY),
        dropped(4),
        reminded(1, 9 * DAY),
        both(  # the text of the third day told the customer, and not the e-mail, which bounced
            untold(110),
            told(Told(110, START + 90, START + 80, "failed")),
            also(sent(1, 3 * DAY, attempt=2, channel="sms")),
            reminded(1, 11 * DAY),
        ),
        records_as(4, due_date="2026-12-25"),
    ),
    "nothing_after_the_journeys_end": (
        published(Published(START + DAY, "Journey Unanswered", {"journey": "dunning", "notice_id": identity(4)})),
        other(4, purpose="step:dunning:2", at=START + 30 * DAY, began=START + 30 * DAY),
    ),
    "journeys_end_once": (
        published(replace(good().published[0], detail={**good().published[0].detail, "event_id": "e2"})),
        published(replace(good().published[0], at=START, detail={"journey": "dunning", "notice_id": identity(4)})),
    ),
    "cap_is_kept": (
        lambda seen: replace(
            seen,
            sent=(*seen.sent, *(sent(4, 5 * DAY + n, attempt=n, subject="") for n in range(2, 8))),
        ),
        lambda seen: replace(
            seen,
            sent=(*seen.sent, *(sent(4, 13 * DAY + n, attempt=n, subject="") for n in range(2, 7))),
        ),
    ),
    "incidents_count_true": (
        incidents_as("missing_data", count=4),
        incidents_as("missing_data", count=2),
        without_incident("missing_data"),
        lambda seen: replace(seen, reports=(*seen.reports, Report(START, "retail", "one", "EX004120E"))),
    ),
    "incidents_count_the_untold": tuple(
        both(
            rows_of(5, outcome=outcome, reason=reason),
            rows_of(2, outcome=outcome, reason=reason),
            lambda seen, reason=reason: shown(
                incidents=[*seen.shown.incidents, incident(reason, count=1)]
            )(seen),
        )
        for outcome, reason in (("failed", "deadline_passed"), ("suppressed", "no_channel"))
    ),
    "reused_id_is_reported": (
        drop(Drop("retail", "two", START + 2 * DAY, (record(61), record(62)), START + 2 * DAY)),
        drop(Drop("retail", "two", START + DAY + HOUR, (record(61),), START + DAY + HOUR)),
    ),
    "incidents_are_not_doubled": (
        lambda seen: shown(incidents=[*seen.shown.incidents, incident("missing_data")])(seen),
        lambda seen: shown(
            incidents=[*seen.shown.incidents, incident("unconfirmed_at_deadline", team="compliance")]
        )(seen),
    ),
    "teams_are_told": (
        incidents_as("missing_data", alerts=0),
        lambda seen: replace(seen, posts=()),
        lambda seen: replace(seen, posts=(Post(START, "slack", "before"),)),
    ),
    "dead_letters_are_shown": (
        shown(dead={"SendEmailQueueDeadLetters": 2}),
        lambda seen: shown(
            dead={"DecideQueueDeadLetters": 1},
            incidents=[*seen.shown.incidents, incident("dead_letters", sample=["DecideQueue: 1"], status="resolved")],
        )(seen),
    ),
    "everything_comes_to_rest": (
        shown(waiting={"DecideQueue": 3}),
        notices_as(1, status="sending"),
        notices_as(1, status="deferred", why="provider_down"),
        notices_as(1, status="deferred", due_at=iso(START + DAY)),
        notices_as(5, due_at=iso(START + DAY)),
        runs_as(state="staged"),
        shown(journeys=[{"due_at": iso(START), "domain": "retail", "journey": "dunning", "step": 1, "off": False}]),
    ),
    "records_are_bounded": (
        notices_as(1, events=[event(START + n, "released") for n in range(80)]),
        shown(sizes={identity(1): 90_000}),
    ),
    "chains_hold": (notices_as(1, chain_holds=False), notices_as(4, "step:dunning:1", chain_holds=False)),
    "next_channel_follows": (
        notices_as(6, waiting=["sms"]),
        notices_as(3, status="bounced", waiting=["sms"]),
    ),
    "silence_is_noticed": (
        without_incident("no_receipt_at_deadline"),
        incidents_as("no_receipt_at_deadline", count=1),
        lambda seen: replace(seen, rules=({"documents": {"defaults": {"on_no_receipt": "other_channel"}}},)),
    ),
    "incidents_count_the_sends": (
        notices_as(5, events=[event(START + 60, "claimed"), event(START + 90, "unconfirmed", "1 answer_lost")]),
        tried(6, content=True),
    ),
    "certain_answers_count": (
        both(rows_of(6, outcome="unconfirmed", reason="answer_lost"), tried(6)),
        both(dropped(5), tried(5)),
    ),
    "same_content_is_no_news": tuple(
        both(
            drop(replace(DROPS[1], at=START + 2 * DAY, sealed_at=START + 2 * DAY)),
            lambda seen, code=code: shown(
                incidents=[*seen.shown.incidents, incident(code, run_id="two")]
            )(seen),
        )
        for code in ("run_id_reused", "late_seal_disagrees")
    ),
    "erasure_and_hold_are_kept": (
        acted(erased(HOUR)),
        both(acted(erased(HOUR)), proven(proof(False, True))),
        both(acted(erased(HOUR)), proven(proof(False, True, erased=True))),
        both(acted(Act("legal hold", START, START, domain="retail", customer="R00001")), acted(erased(HOUR))),
        both(
            acted(erased(HOUR, ok=False)), proven(proof(False, erased=True))
        ),
    ),
}  # fmt: skip
"""By claim: histories that contradict it, each by one fault."""


def test_a_good_history_passes_every_claim() -> None:
    assert [str(violation) for violation in checker.check(good())] == []


@pytest.mark.parametrize(
    ("claim", "spoil"),
    [
        pytest.param(claim, spoil, id=f"{claim}-{n}")
        for claim, spoils in SPOILT.items()
        for n, spoil in enumerate(spoils)
    ],
)
def test_a_claim_finds_what_contradicts_it(claim: str, spoil: Spoil) -> None:
    found = checker.check(spoil(good()), only={claim})
    assert found, "nothing was found"
    assert all(violation.claim == claim and violation.evidence for violation in found)


def test_every_claim_is_tried_with_two_faults() -> None:
    assert {claim for claim, spoils in SPOILT.items() if len(spoils) >= 2} == set(CLAIMS)


ALLOWED: Mapping[str, Spoil] = {
    "a second channel after a report that came in time": told(Told(210, START + 200, START + 190, "failed")),
    "another channel for a doubt after a day, by the type's rule": both(
        also(sent(6, 60, heard=False, text="")),
        also(sent(6, 26 * HOUR, attempt=2, channel="sms", text="")),
        notices_as(6, statuses=("unconfirmed", "sent"), status="sent",
                   attempts=[{"number": 1, "status": "unconfirmed"}, {"number": 2, "status": "sent"}]),
        rows_of(6, outcome="notified", reason=""),
    ),
    "a worker that had begun before the run was cancelled": acted(
        Act("cancel", START + 30 * DAY, START + 30 * DAY, run=ONE)
    ),
    "a message handed over while the customer was being erased": both(
        acted(Act("erase", START + 55, START + 59, domain="retail", customer="R00001")),
        proven(proof(False, erased=True)),
    ),
    "an erased customer of whose notice nothing was handed over": both(
        acted(Act("erase", START + 55, START + 59, domain="retail", customer="R00001")), proven(proof())
    ),
    "an erased customer who came back, and has a new key": both(
        acted(Act("erase", START + 55, START + 59, domain="retail", customer="R00001")), proven(proof(False))
    ),
    "an erasure of one holder, and the evidence of another": acted(
        Act("erase", START + HOUR, START + HOUR, domain="retail", customer="R00001", recipient="spouse")
    ),
    "an opt-out that was said in an event a moment before": acted(
        Act("opt out", START + 590, customer="R00002", channel="sms", topic="statements")
    ),
    "a switch that was on again": both(lasting("switch off", channel="email"),
                                       acted(Act("switch on", START + 12, channel="email", domain="retail"))),
    "a held run that was released before its deadline": both(
        acted(Act("hold", START + 700, START + 701, run=ONE), Act("release", START + 70 * HOUR, run=ONE)),
        lambda seen: replace(seen, sent=tuple(
            replace(m, at=m.at + 70 * HOUR, began=m.began + 70 * HOUR) if m.ref == f"{identity(1)}:1" else m
            for m in seen.sent), told=()),
        lambda seen: replace(seen, told=good().told),
    ),
    "a response before what follows a failure was settled": unreached(answered(300)),
    "a response of a holder whom a hash of the record's fields names": both(
        notices_as(6, recipient="72f85ec8eba159cc"),
        unreached(replace(answered(300), recipient="72f85ec8eba159cc")),
    ),
    "a failed demand to a customer who is not asked for money": unreached(
        debt("do not dun", 300), kind="overdue-notice"
    ),
    "a failed message to a holder told apart by a hash, whose page knows it": both(
        unreached(replace(answered(500), recipient=HASH)), notices_as(6, recipient=HASH)
    ),
    "a message to an address that such a holder typed": both(
        notices_as(6, recipient=HASH), other(6, address="moved@example.com"),
        acted(Act("may set address", START - DAY, domain="retail", customer="R00006", recipient=HASH,
                  channel="email", address="moved@example.com")),
    ),
    "a failed demand to a customer under a hold that was lifted later": unreached(
        debt("may not dun", 20), debt("dun again", 900), kind="overdue-notice"
    ),
    "a message that counts as lost, since no report of it came": both(
        rows_of(5, outcome="unconfirmed", reason="no_receipt"), without_incident("unconfirmed_at_deadline")
    ),
    "a reminder after a doubt about a message that did not go out": both(
        dropped(5),
        tried(5, refused=False),
        notices_as(5, events=[event(START + 60, "unconfirmed", "1 answer_lost")]),
        with_incident("send_unconfirmed"),
        reminded(5, 11 * DAY),
    ),
    "a reminder that is counted from the text, since the e-mail bounced": both(
        untold(110),
        told(Told(110, START + 90, START + 80, "failed")),
        also(sent(1, 3 * DAY, attempt=2, channel="sms", text="")),
        notices_as(1, statuses=("bounced", "sent"), status="sent",
                   attempts=[{"number": 1, "status": "bounced"}, {"number": 2, "status": "sent"}]),
        reminded(1, 14 * DAY),
    ),
    "a payment in part, and what is left of it": both(
        acted(Act("respond", START + DAY, customer="R00004", document="D-4", response="paid in part", amount="24.50")),
        other(4, purpose="step:dunning:2", text="Amount due: $100.00"),
    ),
    "a document that came again with another due date": drop(
        Drop("retail", "three", START + 2 * DAY, (record(4, "payment-reminder", due_date="2026-12-11"),), None)
    ),
    "paper beside a silent message, by the type's rule": printed(6, 73 * HOUR, on_no_receipt="paper"),
    "paper beside a silent message that no other channel follows": printed(
        6, 73 * HOUR, on_no_receipt="other_channel"
    ),
    "paper beside a doubt that no other channel follows": printed(6, 25 * HOUR, heard=False),
    "a second channel that came too late for a silent message": both(
        rows_of(5, outcome="unconfirmed", reason="deadline_passed"),
        without_incident("unconfirmed_at_deadline"),
        with_incident("deadline_passed"),
    ),
    "a doubt where a worker died that had been refused": both(
        rows_of(6, outcome="unconfirmed", reason="answer_lost"), tried(6),
        lambda seen: replace(seen, senders_died=True, faults=True),
    ),
    "other content under a run's id, which is reported": both(
        drop(Drop("retail", "two", START + 2 * DAY, (record(61),), START + 2 * DAY)),
        lambda seen: shown(
            incidents=[*seen.shown.incidents, incident("run_id_reused", run_id="two")]
        )(seen),
    ),
    "a failure that was looked at": notices_as(
        6, waiting=["sms"], events=[event(START + 60, "failed"), event(START + 90, "settled failed")]
    ),
    "an imported language, which a record does not replace": both(
        records_as(4, language="fr"),
        acted(Act("import language", START - DAY, START - DAY, customer="R00004", language="en")),
    ),
    "an import that was perhaps done": acted(
        Act("import language", START - DAY, customer="R00004", language="de")
    ),
    "an imported language of a customer who was erased": acted(
        Act("import language", START - 2 * DAY, START - 2 * DAY, customer="R00004", language="de"),
        Act("erase", START - 9 * DAY, START - 9 * DAY, customer="R00004"),
    ),
    "a message refused before it was sent": lambda seen: replace(
        seen, tries=(Try(START + 59, "ses", "email", f"{identity(1)}:1", refused=True),)
    ),
}  # fmt: skip


@pytest.mark.parametrize("spoil", [pytest.param(spoil, id=name) for name, spoil in ALLOWED.items()])
def test_what_the_documentation_allows_passes(spoil: Spoil) -> None:
    assert [str(violation) for violation in checker.check(spoil(good()))] == []


# --- mutations of a good history ------------------------------------------------------------------


@pytest.mark.parametrize("number", range(len(good().sent)))
@pytest.mark.parametrize("fault", ["lost", "twice", "at night", "to somebody else", "weeks later"])
def test_no_change_of_an_accepted_message_goes_unseen(number: int, fault: str) -> None:
    seen = good()
    message = seen.sent[number]
    changed = {
        "lost": (),
        "twice": (message, replace(message, number=999)),
        "at night": (replace(message, at=START + 16 * HOUR, began=START + 16 * HOUR),),
        "to somebody else": (replace(message, address="r09999@example.com"),),
        "weeks later": (replace(message, at=START + 39 * DAY, began=START + 39 * DAY),),
    }[fault]
    found = checker.check(replace(seen, sent=(*seen.sent[:number], *changed, *seen.sent[number + 1 :])))
    harmless = {("lost", 7), ("lost", 1), ("lost", 2), ("lost", 3), ("lost", 5), ("lost", 6)}
    by_night = fault == "at night" and message.channel == "email" and "step" not in str(message.ref)
    if (fault, number) in harmless or by_night:
        return
    assert found


@pytest.mark.parametrize(
    "outcome", ["notified", "suppressed", "deferred", "paper", "duplicate", "failed", "unconfirmed"]
)
@pytest.mark.parametrize("number", range(1, 7))
def test_no_other_outcome_goes_unseen(number: int, outcome: str) -> None:
    before = good().shown.rows[ONE][number - 1]["outcome"]
    found = checker.check(rows_of(number, outcome=outcome, reason="whatever")(good()))
    # A copy counts as a duplicate wherever something was accepted; paper follows a doubt by rule.
    allowed = outcome == before or (outcome == "duplicate" and number != 6)
    allowed |= (number, outcome) in {(3, "failed"), (3, "suppressed"), (3, "deferred"), (6, "suppressed")}
    allowed |= (number, outcome) in {(6, "deferred"), (6, "paper")}
    assert bool(found) or allowed


# --- the reading of the rules ---------------------------------------------------------------------


def test_durations_are_read() -> None:
    assert duration("P7D").days == 7
    assert duration("-P3D").days == -3
    assert duration("PT36H").total_seconds() == 36 * HOUR
    with pytest.raises(ValueError, match="no duration"):
        duration("soon")


def test_a_customers_day_is_that_of_every_place_where_they_may_be() -> None:
    assert zones_of({"time_zone": "Asia/Tokyo", "country": "US"}, "+12025550101") == ("Asia/Tokyo",)
    assert zones_of({"country": "JP"}, "+12025550101") == ("Asia/Tokyo",)
    assert zones_of({}, "+12025550101") == ("America/New_York",)
    assert in_hours(START, ())
    assert not in_hours(START, ("Asia/Tokyo",))
    assert in_hours(START, ("Asia/Tokyo", "America/New_York"))


# --- trusts nothing -------------------------------------------------------------------------------


def test_the_checker_imports_nothing_of_the_product() -> None:
    rooms = list(Path(checker.__file__).parent.glob("*.py"))
    assert rooms
    for room in rooms:
        for node in ast.walk(ast.parse(room.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not [
                name for name in names if name.split(".")[0] in ("exstream_notify", "exnotify", "functions")
            ]


def test_a_violation_says_what_was_claimed_and_seen() -> None:
    (found,) = checker.check(also(sent(1, 70))(good()), only={"once_per_attempt"})
    text = str(found)
    assert text.startswith(f"once_per_attempt: {identity(1)}:1")
    assert "A provider accepts at most one message of each attempt." in text
    assert text.count("ses accepted email to r00001@example.com") == 2


def test_an_amount_without_decimals_is_its_records() -> None:
    yen = both(records_as(1, amount_due="27", currency="JPY"), other(1, text="金額: ￥27"))
    assert checker.check(yen(good()), only={"amounts_are_the_newest"}) == []
    wrong = both(yen, other(1, text="金額: ￥28"))
    assert checker.check(wrong(good()), only={"amounts_are_the_newest"})


def test_unsubscribing_from_all_ends_no_topic_that_must_reach_its_customer() -> None:
    assert Reading().left_as_a_whole() == ["bills", "correspondence", "statements"]
    offers = {"documents": {"types": {"offer": {"class": "marketing", "topic": "offers"}}}}
    assert Reading([offers]).left_as_a_whole() == ["bills", "correspondence", "offers", "statements"]
    regulated = {"documents": {"types": {"statement": {"class": "regulated"}}}}
    assert Reading([{}, regulated]).left_as_a_whole() == ["bills", "correspondence"]
