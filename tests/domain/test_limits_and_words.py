"""Limits that operators, customers and providers meet, and the words that stored rows, events and links hold.

A limit that changes changes what somebody sees, and a word that changes is not found any more in what is stored.
"""

from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain import (
    acknowledgements,
    address_changes,
    alert_words,
    channels,
    composer_messages,
    contacts,
    customer_ranges,
    debt,
    decisions,
    deferring,
    documents,
    due,
    erased,
    erasure,
    expectations,
    export,
    flapping,
    form_tokens,
    hearing,
    holders,
    incident_states,
    incidents,
    journeys,
    known_codes,
    links,
    mail_addresses,
    masking,
    notices,
    pager,
    passes,
    payments,
    portal_news,
    receipts,
    records,
    references,
    responses,
    rollups,
    run_codes,
    runs,
    second_step,
    sharing,
    statements,
    takeover,
    telling,
    verdicts,
    watching,
)
from exstream_notify.domain.notices import Status

#: How long something lasts, waits or is kept.
TIMES = [
    (address_changes.CODE_LIFE, timedelta(minutes=15)),
    (address_changes.UNDO_WITHIN, timedelta(days=3)),
    (address_changes.TRY_AGAIN, timedelta(hours=1)),
    (address_changes.PATIENCE, timedelta(days=1)),
    (address_changes.LOCKED_FOR, timedelta(days=1)),
    (channels.SOFT_SPAN, timedelta(hours=1)),
    (channels.SOFT_WINDOW, timedelta(days=7)),
    (channels.DEAD_REST, timedelta(days=1)),
    (channels.SEEN_AGAIN, timedelta(hours=1)),
    (channels.PROBE_AFTER, timedelta(days=1)),
    (channels.WAIT_MOST, timedelta(days=1)),
    (deferring.FOLLOW_UP, timedelta(minutes=15)),
    (expectations.AHEAD, timedelta(days=367)),
    (flapping.WINDOW, timedelta(days=1)),
    (form_tokens.LIFE, timedelta(hours=2)),
    (incident_states.RETRY, timedelta(minutes=1)),
    (incident_states.RETRY_MOST, timedelta(minutes=15)),
    (incidents.SETTLE, timedelta(seconds=30)),
    (incidents.SENDING, timedelta(seconds=90)),
    (journeys.LATE, timedelta(days=1)),
    (references.LIFE, timedelta(days=14)),
    (responses.UNDATED, timedelta(days=3)),
    (rollups.GATHERING, timedelta(seconds=30)),
    (rollups.RESOLVED_TOGETHER, timedelta(minutes=5)),
    (sharing.LOOK_BACK, timedelta(days=120)),
    (telling.AFTER_LEAP, timedelta(hours=1)),
    (watching.POLL_AFTER, timedelta(hours=20)),
    (watching.POLL_AGAIN, timedelta(hours=20)),
    (watching.POLL_UNTIL, timedelta(hours=66)),
    (watching.FORGOTTEN_AFTER, timedelta(hours=66)),
]

#: How many are taken, kept or shown; a length is one in characters.
COUNTS = [
    (address_changes.CODE_TRIES, 5),
    (address_changes.CODES_A_DAY, 3),
    (alert_words.RUNS, 12),
    (alert_words.QUEUES, 12),
    (alert_words.RERUN_LINES, 20),
    (channels.SOFT_LIMIT, 3),
    (composer_messages.CODES, 500),
    (composer_messages.HEADS, 8),
    (contacts.MAX_HISTORY, 300),
    (customer_ranges.SWITCH_CHARS, 1000),
    (customer_ranges.HIGHEST, 16777215),
    (due.SHARDS, 4),
    (expectations.DEFAULT_WITHIN, 720),
    (holders.NAME_WORDS, 3),
    (holders.PAIRS_NAMED, 3),
    (incident_states.HISTORY, 60),
    (incident_states.COVERED_CHARS, 100000),
    (incidents.SAMPLES, 3),
    (incidents.PARTS, 100),
    (known_codes.KEPT, 2000),
    (mail_addresses.LOCAL_LIMIT, 64),
    (mail_addresses.DOMAIN_LIMIT, 255),
    (mail_addresses.PLACES, 2000),
    (masking.SAMPLE_CHARS, 160),
    (masking.LOOKED_AT, 400),
    (masking.SAMPLES, 3),
    (masking.COMMON_TO, 10),
    (masking.SHARE, 0.9),
    (masking.KEPT, 64),
    (pager.PAGES, 60),
    (payments.MAX_FACTS, 200),
    (payments.MAX_FOLDED, 400),
    (receipts.INLINE_LIMIT, 100),
    (references.FOUND, 10),
    (references.LENGTH, 46),
    (references.LOCAL_LENGTH, 17),
    (responses.EARLY_DAYS, 90),
    (responses.MAX_PAYMENT_EVENTS, 100),
    (rollups.LAPSES, 3),
    (rollups.LINES, 40),
    (runs.HISTORY_LENGTH, 10),
    (runs.HISTORY_NEEDED, 3),
    (runs.VOLUME_FLOOR, 100),
    (runs.REJECTS_NEEDED, 25),
    (second_step.TRIES, 5),
    (telling.LEAP, 100),
    (verdicts.TEXT_LIMIT, 1000),
    (telling.GROWTH, (2, 5, 10)),
    (telling.GROWTH_FLAPPING, (100,)),
]

#: What stored rows, events, links, logs and headers are told apart by.
WORDS = [
    (acknowledgements.UNASSIGNED, "acknowledgement_unassigned"),
    (address_changes.NOT_YET, "not_yet"),
    (address_changes.WAITS, "quiet_hours"),
    (channels.DOMAIN, "alerts"),
    (channels.TEAM, "*"),
    (composer_messages.OTHER_CODES, "engine_messages"),
    (customer_ranges.SWITCH, "-CUSTOMERLIST="),
    (debt.HELD, "collection_held"),
    (debt.MENTIONED, "hardship_mentioned"),
    (debt.STATUS_UNKNOWN, "account_status_unknown"),
    (erased.ERASED, "erased"),
    (erasure.KEPT_HOLD, "kept from an erasure"),
    (export.NOBODY, "-"),
    (
        holders.MIXED_REASON,
        "another record of this customer and recipient has another name and another address",
    ),
    (incidents.NO_RUN, "none"),
    (incidents.EVERYWHERE, "all"),
    (journeys.STOPPED, "journey stopped"),
    (journeys.RESUMED, "journey resumed"),
    (journeys.ENDED, "journey ended"),
    (links.INCIDENT, "incident"),
    (masking.MASK, "…"),
    (masking.WITHHELD, "‹text withheld›"),
    (notices.CLAIMED, "claimed"),
    (notices.RELEASED, "released"),
    (notices.NO_RECEIPT, "no_receipt"),
    (notices.CORRECTED, "corrected"),
    (notices.REDACTED, "erased:"),
    (passes.PREFERENCES, "preferences"),
    (passes.UNSUBSCRIBE, "unsubscribe"),
    (passes.UNDO, "undo"),
    (receipts.MARK, "#"),
    (references.HEADER, "X-Notice-Id"),
    (responses.IN_PART, "paid in part"),
    (responses.PAID_AGAIN, "paid again"),
    (responses.REVERSED, "payment reversed"),
    (responses.MOVED, "payment moved"),
    (run_codes.NOT_SEALED, "run_not_sealed"),
    (runs.EVENT_RUN, "event-"),
    (runs.OTHER_CONTENT, "other_content"),
    (runs.UNDATED, "undated"),
    (runs.STILL_WAITING, "*waiting"),
    (second_step.OF_ACCOUNT, ".account"),
    (statements.OPT_OUTS, "opt_outs/"),
    (statements.ALL, "*"),
    (statements.STARTED, "started/"),
    (takeover.TAKEN_OVER, "taken_over"),
    (takeover.CLAIMED_BY, "also_wanted_by"),
]


@pytest.mark.parametrize(("kept", "stated"), [*TIMES, *COUNTS, *WORDS])
def test_limits_and_words_are_those_that_are_stated(kept: Any, stated: Any) -> None:
    assert kept == stated


#: Names of fields, kinds and channels, in the order in which they are asked where that matters.
NAMES: list[tuple[Any, str | list[Any]]] = [
    (decisions.PAPER_CHANNELS, "letter mail paper post postal print"),
    (documents.STAGED_FIELDS, "edition disputed in_credit undated together"),
    (
        erased.KEPT_FIELDS,
        "pos customer_key recipient document_id document_type edition content_sha256 produced_at customer_in_run"
        " internal_teams supersedes test_flag disputed undated",
    ),
    (channels.REPORTED, "email sms"),
    (hearing.CHANNELS, "email sms"),
    (hearing.FIELDS, "language channel_order quiet_hours paper_required"),
    (incidents.URGENCIES, "quiet daily normal urgent"),
    (links.PLACES, "document_id reference archive_ref document_type case_id domain language notice_id"),
    (
        pager.PAGER_EVENTS,
        "incident.acknowledged incident.delegated incident.escalated incident.reassigned incident.reopened"
        " incident.resolved incident.unacknowledged",
    ),
    (portal_news.LOST, "invalid complained opted_out"),
    (receipts.LISTED, "complaint echo hard soft"),
    (receipts.REPORTS_BOUNCES, "ses"),
    (records.IDENTITY_FIELDS, "document_id output_uri archive_ref content_sha256"),
    (responses.OF_PAYMENTS, ["paid", "paid again", "paid in part", "payment moved", "payment reversed"]),
    (rollups.LISTS, "alerts_resolved daily_list"),
    (rollups.KINDS, "alert_storm alerts_resolved daily_list"),
    (second_step.CONCEALED, "verify_birth_date verify_last4"),
    (receipts.FAILURES, [Status.BOUNCED, Status.COMPLAINED, Status.UNDELIVERED]),
    (notices.LOST, [Status.BOUNCED, Status.FAILED, Status.UNDELIVERED]),
    (notices.REACHED, [Status.COMPLAINED, Status.DELAYED, Status.DELIVERED, Status.SENT]),
]


@pytest.mark.parametrize(("kept", "stated"), NAMES)
def test_names_are_those_that_are_stated(kept: Any, stated: Any) -> None:
    names = stated.split() if isinstance(stated, str) else stated
    assert kept == (frozenset(names) if isinstance(kept, frozenset) else tuple(names))


def test_the_columns_of_a_preference_file_keep_their_places() -> None:
    assert export.Layout((), {}, "paper").columns == (
        *("customer_key", "known", "language", "time_zone", "country", "email_status", "mobile_status"),
        *(
            "channel_order",
            "opt_outs",
            "quiet_from",
            "quiet_to",
            "paper_required",
            "consent",
            "consent_scope",
        ),
        *("consent_version", "consent_at", "consent_source", "customer_queues", "recipient"),
    )
