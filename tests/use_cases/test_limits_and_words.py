"""How long the use cases wait and keep, how many they take, and the codes and words that others read."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.decisions import Why
from exstream_notify.domain.notices import Status
from exstream_notify.use_cases import (
    alerting,
    attempt_answers,
    check_channels,
    digest_run,
    digest_steps,
    falls_due,
    journey_pace,
    known_channels,
    mention_once,
    note_ways,
    open_document,
    owing,
    preference_page,
    read_messages,
    record_payment,
    record_reply,
    render_notices,
    settle_reports,
    share_payments,
    start_journeys,
    tell_customer,
    tell_portal,
    tell_team,
)

LIMITS: list[tuple[Any, Any]] = [
    (alerting.TRIES, 8),
    (attempt_answers.CONFIRM_WITHIN, timedelta(days=1)),
    (check_channels.EVERY, timedelta(hours=1)),
    (digest_run.LATEST, timedelta(hours=12)),
    (digest_run.FIRST_DIGEST_LOOK, timedelta(minutes=2)),
    (journey_pace.OFF_PAUSE, timedelta(days=1)),
    (journey_pace.OFF_KEPT, timedelta(days=120)),
    (known_channels.PATIENCE, 20.0),
    (known_channels.RESERVE, 45.0),
    (read_messages.CUSTOMER_CHARS, 60_000),
    (record_reply.CONFIRM_WITHIN, timedelta(minutes=5)),  # 47 CFR 64.1200(a)(12)
    (settle_reports.NAMED_MOST, 5_000),
    (share_payments.SHARED_DAYS, 400),
    (start_journeys.HORIZON, timedelta(days=7)),
    (start_journeys.OVERDUE, timedelta(hours=2)),
    (tell_customer.LEASE, 60.0),
    (tell_portal.AGAIN_AFTER, timedelta(minutes=2)),
    (tell_team.TOOK, 40),
    (tell_team.PAGE_AGAIN, timedelta(minutes=5)),
]

WORDS: list[tuple[Any, Any]] = [
    (attempt_answers.NOT_RENDERED, "not_rendered"),
    (render_notices.NOT_RENDERED, "not_rendered"),
    (open_document.BY_LINK, "by secure link"),
    (record_payment.UNCOUNTED, "payment_uncounted"),
    (record_payment.REOPENED, "payment_reversed"),
    (record_reply.REPLY_SALT, "sms-replies"),
    (record_reply.UNKNOWN_DOMAIN, "replies"),
    (share_payments.UNASSIGNED, "payment_unassigned"),
    (falls_due.UNTOLD, {"quiet", "daily"}),
    (mention_once.ABOUT_CHANNELS, {Why.NO_CHANNEL, "required_unreached", "unreached"}),
    ([str(word) for word in note_ways.Barred], ["stopped", "suppressed", "switched_off"]),
]


@pytest.mark.parametrize(("kept", "stated"), [*LIMITS, *WORDS])
def test_limits_and_words_are_those_that_are_stated(kept: Any, stated: Any) -> None:
    assert kept == stated


def test_a_step_that_went_out_with_anothers_is_told_where_the_message_may_have_arrived() -> None:
    told = {Status.SENT, Status.DELIVERED, Status.DELAYED, Status.UNCONFIRMED}
    assert {status for status in Status if status in digest_steps._TOLD} == told


def test_what_came_of_work_is_nothing_until_something_did() -> None:
    settled = owing.Settled()
    assert (settled.told, settled.reopened, settled.notices, settled.documents) == (Counter(), {}, [], {})
    assert (settled.payments, settled.shares.parts, settled.shares.credit) == ((), {}, {})
    digests = digest_steps.Digests()
    assert (digests.groups, digests.wording, digests.companions) == ({}, "", {})
    posted = preference_page.Posted()
    assert (posted.done, posted.problem, posted.field) == ("", "", "")


def test_a_note_shows_nothing_of_whom_it_is_about() -> None:
    fields = tell_customer.Note.__dataclass_fields__
    hidden = {name for name, each in fields.items() if not each.repr}
    assert hidden == {"to", "salt", "customer_key", "values", "recipient"}
    assert fields["message_class"].default == "transactional"
