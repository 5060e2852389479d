"""What each report means, row by row; what of it is written into a notice and onto the suppression list."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from exstream_notify.domain.documents import Channel
from exstream_notify.domain.notices import Attempt, Event, Notice, Status, begun, finished, head
from exstream_notify.domain.preferences import MAY_LEAVE
from exstream_notify.domain.receipts import (
    ADDRESS_RANK,
    ADDRESS_STATUS,
    EXSTREAM_EVENTS,
    INLINE_LIMIT,
    LISTED,
    MEANINGS,
    OPENTEXT_FAILURES,
    SILENT,
    SMS_EVENTS,
    SMS_FAILED,
    SMS_FAILURES,
    SMS_STATES,
    Kind,
    Receipt,
    ReceiptPolicy,
    Source,
    Suppression,
    allowed_from,
    anchor,
    applied,
    attempt_of,
    concerns,
    is_followed,
    kept_in,
    knows,
    moment,
    outranked,
    released,
    stamp,
    stopped_from,
    suppressed_by,
    without_topics,
)
from tests.fakes import a_notice

NOW = datetime(2026, 11, 20, 15, 0, 0, 250_000, tzinfo=UTC)
POLICY = ReceiptPolicy()

# kind: status, suppressed as, still usable, next channel, whose fault, code of an exception
ROWS = """
sent                 sent        no        usable  -     nobody    -
delivered            delivered   no        usable  -     nobody    -
delayed              delayed     no        usable  -     nobody    -
hard_bounce          bounced     hard      -       next  recipient -
soft_bounce          undelivered soft      usable  next  recipient -
gave_up              undelivered no        usable  next  carrier   -
content_refused      undelivered no        usable  next  content   content_refused
policy_refused       undelivered no        usable  next  us        sender_refused
carrier_refused      undelivered no        usable  next  carrier   -
our_fault            undelivered no        usable  next  us        send_spoiled
not_delivered        undelivered no        usable  next  nobody    -
echo_bounce          bounced     echo      -       next  recipient -
echo_complaint       bounced     echo      -       next  recipient -
complaint            complained  complaint -       -     recipient -
not_spam             -           no        usable  -     nobody    -
undetermined         -           no        usable  -     nobody    -
composer_undelivered undelivered soft      usable  next  recipient -
composer_failed      undelivered no        usable  next  us        -
unsubscribed         -           opt_out   usable  -     nobody    -
auth_report          -           no        usable  -     us        -
opened               -           no        usable  -     nobody    -
auto_reply           -           no        usable  -     nobody    -
challenge            -           no        usable  -     recipient challenge_mail
unknown              -           no        usable  -     nobody    receipt_unknown
"""


def test_every_kind_means_what_its_row_says() -> None:
    table = [
        [
            str(kind),
            str(meaning.status or "-"),
            meaning.suppress,
            "usable" if meaning.retry else "-",
            "next" if meaning.fall_back else "-",
            meaning.fault,
            meaning.alert or "-",
        ]
        for kind, meaning in MEANINGS.items()
    ]
    assert table == [row.split() for row in ROWS.split("\n") if row]
    assert [row[0] for row in table] == list(Kind)


def test_what_claims_something_is_what_moves_a_notice_or_an_address() -> None:
    claims = {str(kind) for kind, meaning in MEANINGS.items() if meaning.claims}
    rows = [row.split() for row in ROWS.split("\n") if row]
    assert claims == {row[0] for row in rows if row[1] != "-" or row[2] != "no"}


def test_states_of_text_messages_mean_what_the_providers_pages_say() -> None:
    """AWS End User Messaging SMS, "Event types"; OpenText's own states and those of SMPP 3.4, appendix B."""
    by_kind = {
        kind: {name for name, meant in SMS_EVENTS.items() if meant is kind}
        for kind in set(SMS_EVENTS.values())
    }
    assert by_kind == {
        Kind.DELIVERED: {
            *("TEXT_DELIVERED", "MEDIA_DELIVERED", "RCS_DELIVERED", "RCS_READ"),
            *("VOICE_ANSWERED", "VOICE_COMPLETED"),
        },
        Kind.SENT: {
            *("TEXT_SUCCESSFUL", "TEXT_QUEUED", "TEXT_PENDING", "TEXT_SENT"),
            *("MEDIA_SUCCESSFUL", "MEDIA_QUEUED", "MEDIA_PENDING"),
            *("RCS_QUEUED", "RCS_SENT", "RCS_FALLEN_BACK_TO_SMS", "VOICE_INITIATED", "VOICE_RINGING"),
        },
    }
    assert {
        **dict.fromkeys(("confirmed", "delivered", "delivrd"), Kind.DELIVERED),
        "pending": Kind.DELAYED,
        **dict.fromkeys(("enroute", "accepted", "acceptd"), Kind.SENT),
    } == SMS_STATES
    assert {name.partition("_")[2] for name in SMS_FAILURES if name.startswith("TEXT_")} == {
        *("UNREACHABLE", "CARRIER_UNREACHABLE", "TTL_EXPIRED", "UNKNOWN", "INVALID", "INVALID_MESSAGE"),
        *("BLOCKED", "CARRIER_BLOCKED", "SPAM", "PROTECT_BLOCKED"),
    }
    assert {name.partition("_")[2] for name in SMS_FAILURES if name.startswith("MEDIA_")} == {
        *("UNREACHABLE", "CARRIER_UNREACHABLE", "TTL_EXPIRED", "UNKNOWN", "INVALID", "INVALID_MESSAGE"),
        *("BLOCKED", "CARRIER_BLOCKED", "SPAM"),
        *("FILE_INACCESSIBLE", "FILE_TYPE_UNSUPPORTED", "FILE_SIZE_EXCEEDED"),
    }
    assert {name for name in SMS_FAILURES if not name.startswith(("TEXT_", "MEDIA_"))} == {
        *("RCS_FAILED", "RCS_TTL_EXPIRED", "RCS_PROTECT_BLOCKED"),
        *("VOICE_BUSY", "VOICE_NO_ANSWER", "VOICE_FAILED", "VOICE_TTL_EXPIRED"),
    }
    assert {
        *("expired", "rejected", "rejectd", "blocked", "undeliverable", "undelivered", "undeliv"),
        *("failed", "failure", "error", "deleted", "invalid"),
    } == SMS_FAILED


def test_small_tables_say_what_they_say() -> None:
    assert {"Error", "Cancelled", "Expired"} == OPENTEXT_FAILURES
    assert dict(EXSTREAM_EVENTS) == {"-NDLV": Kind.COMPOSER_UNDELIVERED, "-Failed": Kind.COMPOSER_FAILED}
    assert {Kind.OPENED, Kind.UNKNOWN} == SILENT
    assert {"soft", "hard", "complaint", "echo"} == LISTED
    assert ADDRESS_STATUS == {
        "soft": "soft",
        "hard": "invalid",
        "echo": "invalid",
        "complaint": "complained",
        "opt_out": "opted_out",
    }
    assert ADDRESS_RANK == {"ok": 0, "soft": 1, "invalid": 2, "complained": 3, "opted_out": 4}
    assert list(Source) == ["provider", "bearer", "anybody"]


def test_which_classes_of_messages_a_customer_may_leave() -> None:
    assert MAY_LEAVE == {"marketing": True, "transactional": True, "collections": False, "regulated": False}


def test_what_a_site_sets_has_these_defaults() -> None:
    assert asdict(POLICY) == {
        "soft_limit": 3,
        "soft_window": timedelta(days=7),
        "soft_rest": timedelta(days=30),
        "delay_wait": timedelta(hours=4),
        "keep_unmatched": timedelta(hours=24),
        "unproven_limit": 20,
    }


# --- which attempt --------------------------------------------------------------------------------------


def an_attempt(number: int, channel: Channel = "email", **changes: object) -> Attempt:
    values = {"address": f"hash-{number}", "status": Status.SENT, "ref": f"ref-{number}", **changes}
    return Attempt(number, channel, "ses", job="job", lease=1.0, **values)  # type: ignore[arg-type]


def a_receipt(kind: Kind = Kind.HARD_BOUNCE, **changes: object) -> Receipt:
    return Receipt(**{"provider": "ses", "channel": "email", "kind": kind, "at": stamp(NOW), **changes})  # type: ignore[arg-type]


THREE = a_notice(
    version=1,
    status=Status.SENT,
    attempts=(an_attempt(1), an_attempt(2, "sms"), an_attempt(3), an_attempt(4)),
)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ({"attempt": 3}, 3),
        ({"attempt": 9}, None),
        ({"attempt": 1, "ref": "ref-4", "hashes": ("hash-4",)}, 1),  # a number decides
        ({"ref": "ref-1"}, 1),
        ({"ref": "ref-3", "hashes": ("hash-1",)}, 3),  # a reference outranks an address
        ({"ref": "ref-unknown", "hashes": ("x", "hash-1")}, 1),
        ({"hashes": ("hash-3",)}, 3),
        ({"hashes": ("hash-2",)}, 4),  # the address of another channel says nothing here
        ({"ref": "ref-2"}, 4),
        ({}, 4),  # the last of the channel
        ({"channel": "sms"}, 2),
    ],
)
def test_a_receipt_finds_its_attempt(said: dict[str, object], number: int | None) -> None:
    found = attempt_of(THREE, a_receipt(**said))
    assert (found.number if found else None) == number


def test_without_an_attempt_of_the_channel_there_is_none() -> None:
    assert attempt_of(replace(THREE, attempts=(an_attempt(2, "sms"),)), a_receipt(ref="ref-2")) is None


def test_of_attempts_with_one_reference_or_address_the_newest_is_meant() -> None:
    twins = replace(THREE, attempts=(an_attempt(1), an_attempt(2, ref="ref-1", address="hash-1")))
    for said in ({"ref": "ref-1"}, {"hashes": ("hash-1",)}):
        found = attempt_of(twins, a_receipt(**said))
        assert found is not None
        assert found.number == 2


def test_whose_report_it_is_counts_in_a_message_to_several_only() -> None:
    attempt = an_attempt(1)
    other = ("hash of somebody else",)
    assert concerns(attempt, a_receipt(hashes=other))
    assert not concerns(attempt, a_receipt(sole=False, hashes=other))
    assert concerns(attempt, a_receipt(sole=False, hashes=(*other, "hash-1")))
    assert concerns(attempt, a_receipt(sole=False))
    assert concerns(None, a_receipt(sole=False, hashes=other))


@pytest.mark.parametrize(
    ("receipt", "attempt", "expected"),
    [
        # What SES itself reports, a mail neither confirms nor delays; nor does it replace a failure.
        (a_receipt(Kind.DELIVERED, said_by=Source.BEARER), an_attempt(1), True),
        (a_receipt(Kind.DELAYED, said_by=Source.BEARER), an_attempt(1), True),
        (a_receipt(Kind.SENT, said_by=Source.ANYBODY), an_attempt(1), True),
        (a_receipt(said_by=Source.BEARER), an_attempt(1), False),
        (a_receipt(said_by=Source.BEARER), an_attempt(1, status=Status.BOUNCED, bounced_at=stamp(NOW)), True),
        (
            a_receipt(said_by=Source.BEARER),
            an_attempt(1, status=Status.BOUNCED, bounced_at=stamp(NOW), by_mail=True),
            False,
        ),
        # The provider's own word, and that about what another provider sent, counts.
        (a_receipt(Kind.DELIVERED), an_attempt(1, status=Status.BOUNCED), False),
        (
            a_receipt(Kind.DELIVERED, said_by=Source.BEARER),
            replace(an_attempt(1), provider="opentext"),
            False,
        ),
    ],
)
def test_a_mail_is_outranked_by_a_provider_that_reports(
    receipt: Receipt, attempt: Attempt, expected: bool
) -> None:
    assert outranked(replace(THREE, attempts=(attempt,)), receipt) is expected
    assert not outranked(replace(THREE, attempts=()), receipt)


# --- what is written ------------------------------------------------------------------------------------


def sent() -> Notice:
    attempt = an_attempt(1, status=Status.SENDING, ref="")
    notice = finished(
        begun(a_notice(version=0), attempt, NOW, ("sms",)), 1, Status.SENT, NOW, ref="message-1"
    )
    assert notice is not None
    return notice


def test_the_event_of_a_receipt_names_attempt_provider_code_reason_identity_and_evidence() -> None:
    receipt = a_receipt(attempt=1, code="5.1.1", reason="user unknown")
    notice = applied(sent(), receipt, NOW, POLICY, "evidence/receipts/x.jsonl#3")
    assert notice is not None
    event = notice.events[-1]
    assert event.what == "receipt hard_bounce"
    assert event.detail == f"1 ses 5.1.1 user unknown #{receipt.identity} evidence/receipts/x.jsonl#3"
    assert knows(notice, receipt)
    assert kept_in(notice, receipt) == "evidence/receipts/x.jsonl#3"
    stranger = a_receipt(attempt=7)
    unmoved = applied(notice, stranger, NOW, POLICY)
    assert unmoved is not None
    assert unmoved.events[-1].detail == f"- ses #{stranger.identity}"
    assert kept_in(unmoved, stranger) == ""
    assert kept_in(sent(), receipt) == ""


def test_receipts_that_say_the_same_are_one_and_mails_are_one_in_whatever_words() -> None:
    same = a_receipt(notice_id="n", attempt=1, ref="r", code="c", hashes=("h",))
    assert same.identity == replace(same, raw="elsewhere", reason="other words").identity
    for change in (
        {"notice_id": "m"},
        {"attempt": 2},
        {"channel": "sms"},
        {"ref": "s"},
        {"code": "d"},
        {"at": stamp(NOW + timedelta(milliseconds=1))},
        {"hashes": ("i",)},
        {"kind": Kind.SOFT_BOUNCE},
        {"provider": "sms"},
    ):
        assert replace(same, **change).identity != same.identity, change  # type: ignore[arg-type]
    mail = replace(same, said_by=Source.BEARER)
    for words in ({"ref": "s"}, {"code": "d"}, {"at": "2030-01-01T00:00:00.000Z"}):
        assert replace(mail, **words).identity == mail.identity  # type: ignore[arg-type]
    assert mail.identity != same.identity
    assert replace(mail, hashes=("i",)).identity != mail.identity
    assert len(mail.identity) == 12


def test_what_came_of_a_receipt_is_anything_but_further_receipts() -> None:
    first, second = a_receipt(attempt=1), a_receipt(Kind.COMPLAINT, attempt=1)
    notice = applied(sent(), first, NOW, POLICY)
    assert notice is not None
    assert not is_followed(notice, first)
    more = applied(notice, second, NOW, POLICY)
    assert more is not None
    assert not is_followed(more, first)
    followed = begun(more, an_attempt(2, "sms", status=Status.SENDING), NOW, ())
    assert is_followed(followed, first)
    assert is_followed(followed, second)
    assert not is_followed(followed, a_receipt(Kind.NOT_SPAM, attempt=1))


def test_a_second_delay_does_not_begin_the_wait_anew() -> None:
    """A provider that reports each hour would put the next channel off for ever."""
    once = applied(sent(), a_receipt(Kind.DELAYED, attempt=1), NOW, POLICY)
    assert once is not None
    assert once.due_at == "2026-11-20T19:00:00+00:00", "whole seconds: these are compared as text"
    later = NOW + timedelta(hours=1)
    twice = applied(once, a_receipt(Kind.DELAYED, attempt=1, at=stamp(later)), later, POLICY)
    assert twice is not None
    assert twice.due_at == once.due_at


@pytest.mark.parametrize(
    ("until", "due"),
    [
        ("2026-11-20T16:00:00.000Z", "2026-11-20T16:00:00+00:00"),  # it gives up sooner
        ("2026-11-20T15:00:00.250Z", "2026-11-20T19:00:00+00:00"),  # now: that is over
        ("2026-11-20T14:00:00.000Z", "2026-11-20T19:00:00+00:00"),
        ("2026-11-21T15:00:00.000Z", "2026-11-20T19:00:00+00:00"),  # later than we wait
        ("tomorrow", "2026-11-20T19:00:00+00:00"),
    ],
)
def test_a_delay_is_waited_for_until_the_provider_gives_up(until: str, due: str) -> None:
    notice = applied(sent(), a_receipt(Kind.DELAYED, attempt=1, until=until), NOW, POLICY)
    assert notice is not None
    assert notice.due_at == due


def test_a_place_in_the_chain_is_named_whole() -> None:
    assert set(anchor(sent())) == {"notice_id", "version", "head"}
    assert anchor(sent())["notice_id"] == sent().notice_id
    assert anchor(sent())["version"] == sent().version


# --- the suppression list -------------------------------------------------------------------------------


def entry(*receipts: Receipt, start: Suppression | None = None) -> Suppression:
    found = start or Suppression("email", "hash-1")
    for receipt in receipts:
        found = suppressed_by(found, receipt, POLICY)
    return found


def later(hours: float) -> str:
    return stamp(NOW + timedelta(hours=hours))


def test_the_history_of_an_address_has_every_change_with_who_and_why() -> None:
    soft = [a_receipt(Kind.SOFT_BOUNCE, at=later(hours), code="4.2.2") for hours in (0, 1, 2)]
    hard = a_receipt(Kind.HARD_BOUNCE, at=later(3), code="5.1.1", provider="opentext")
    listed = entry(*soft, hard)
    lifted = released(listed, "anna (operator)", "the customer called", NOW + timedelta(hours=4))
    stopped = stopped_from(lifted, "sms reply 7", NOW + timedelta(hours=5))
    allowed = allowed_from(stopped, "sms reply 8", NOW + timedelta(hours=6))
    assert [dict(row) for row in allowed.history] == [
        {"at": later(2), "what": "soft", "who": "ses", "why": "4.2.2"},
        {"at": later(3), "what": "hard", "who": "opentext", "why": "5.1.1"},
        {"at": later(4), "what": "released", "who": "anna (operator)", "why": "the customer called"},
        {"at": later(5), "what": "stopped", "who": "sms reply 7", "why": ""},
        {"at": later(6), "what": "allowed", "who": "sms reply 8", "why": ""},
    ]
    assert allowed.version == 7, "each change is one version on"
    assert (stopped.stopped, allowed.stopped) == ("sms reply 7", "")
    assert (listed.reason, listed.source, listed.at, listed.expires) == ("hard", "opentext", later(3), "")


def test_a_history_keeps_the_last_twenty() -> None:
    found = Suppression("email", "hash-1")
    for number in range(25):
        found = stopped_from(found, f"stop {number}", NOW + timedelta(hours=2 * number))
        found = allowed_from(found, f"start {number}", NOW + timedelta(hours=2 * number + 1))
    assert len(found.history) == 20
    assert (found.history[0]["who"], found.history[-1]["who"]) == ("stop 15", "start 24")


def test_softly_an_address_rests_for_its_time_from_the_failure_that_completed_it() -> None:
    rows = [a_receipt(Kind.SOFT_BOUNCE, at=later(hours)) for hours in (0, 24, 7 * 24)]
    found = entry(*rows)
    assert (found.reason, found.at, found.expires) == ("soft", later(168), "2026-12-27T15:00:00+00:00")
    assert found.failures == tuple(row.at for row in rows)
    just_outside = entry(*rows[:2], a_receipt(Kind.SOFT_BOUNCE, at=later(168.001)))
    assert (just_outside.reason, just_outside.version) == ("", 3)
    end = datetime(2026, 12, 27, 15, tzinfo=UTC)
    assert found.in_force(end - timedelta(seconds=1))
    assert not found.in_force(end)


def test_a_weaker_reason_leaves_a_stronger_one_with_its_source() -> None:
    complaint = entry(a_receipt(Kind.COMPLAINT, provider="ses"))
    for kind in (Kind.HARD_BOUNCE, Kind.ECHO_BOUNCE):
        newer = entry(a_receipt(kind, at=later(1), provider="mail"), start=complaint)
        assert (newer.reason, newer.source, newer.at) == ("complaint", "ses", later(1))
        assert newer.history == complaint.history
        assert entry(a_receipt(kind, at=later(-1)), start=complaint) is complaint
    echo = entry(a_receipt(Kind.ECHO_BOUNCE))
    assert entry(a_receipt(Kind.HARD_BOUNCE), start=echo).reason == "hard"
    assert entry(a_receipt(Kind.COMPLAINT), start=entry(a_receipt())).reason == "complaint"


def test_many_soft_failures_are_remembered_within_bounds() -> None:
    found = entry(*(a_receipt(Kind.SOFT_BOUNCE, at=later(200 * n)) for n in range(20)))
    assert found.failures == tuple(later(200 * n) for n in range(8, 20))
    assert entry(a_receipt(Kind.SOFT_BOUNCE, at=later(200 * 19)), start=found) is found


def test_a_release_lifts_what_happened_until_then_and_forgets_soft_failures() -> None:
    watched = entry(a_receipt(Kind.SOFT_BOUNCE))
    lifted = released(watched, "anna", "asked", NOW)
    assert (lifted.failures, lifted.released_at) == ((), later(0))
    assert lifted.released
    assert entry(a_receipt(), start=lifted) is lifted, "at that moment: not newer"
    again = entry(a_receipt(at=later(1)), start=lifted)
    assert (again.reason, again.released) == ("hard", False)


def test_stops_and_starts_count_in_the_order_in_which_they_were_said() -> None:
    empty = Suppression("sms", "hash-2")
    start = allowed_from(empty, "reply 2", NOW)
    assert start.history[-1]["what"] == "allowed", "kept, since an earlier stop may come late"
    assert stopped_from(start, "reply 1", NOW - timedelta(hours=1)) is start
    assert stopped_from(start, "reply 3", NOW).stopped == "reply 3", "at one moment a stop counts"
    stop = stopped_from(start, "reply 3", NOW + timedelta(hours=1))
    assert stop.in_force(NOW)
    assert stopped_from(stop, "reply 4", NOW + timedelta(hours=2)) is stop
    assert allowed_from(stop, "reply 5", NOW) is stop
    assert allowed_from(stop, "reply 5", NOW + timedelta(hours=1)) is stop, "at one moment a stop counts"
    assert allowed_from(start, "reply 2", NOW) is start
    assert allowed_from(start, "reply 6", NOW) is not start


def test_topics_that_a_holder_left_add_up() -> None:
    one = without_topics(Suppression("email", "hash-1"), ["offers"], "mail 1", NOW)
    both = without_topics(one, ["bills"], "mail 2", NOW)
    assert both.topics == ("bills", "offers")
    assert without_topics(both, ["offers"], "mail 3", NOW) is both
    assert [row["what"] for row in both.history] == ["opted out", "opted out"]
    assert (both.stopped, both.version) == ("", 2)
    stopped = stopped_from(one, "reply", NOW)
    assert without_topics(stopped, ["bills"], "mail", NOW).stopped == "reply"


# --- time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T15:00:00.250Z", "2026-11-20T15:00:00.250Z"),
        ("2026-11-20T10:00:00-05:00", "2026-11-20T15:00:00.000Z"),
        ("2026-11-20T15:00:00", "2026-11-20T15:00:00.000Z"),
        ("yesterday", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_a_time_is_read_in_utc_or_not_at_all(text: str, expected: str | None) -> None:
    found = moment(text)
    assert (stamp(found) if found else None) == expected


# --- whole notices -----------------------------------------------------------------------------------------


def after(before: Notice, what: str, detail: str, **changes: object) -> Notice:
    event = Event("2026-11-20T15:00:00.250+00:00", what, detail, head(before))
    return replace(before, version=before.version + 1, events=(*before.events, event), **changes)  # type: ignore[arg-type]


def in_state(status: Status, attempt: Attempt, **changes: object) -> Notice:
    return replace(sent(), status=status, attempts=(attempt,), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "kind", "expected"),
    [
        # attempt and notice before; the receipt; then status, why and due_at of the notice, status, why of the attempt
        ((Status.SENT, {}), Kind.DELIVERED, ("delivered", "", "", "delivered", "")),
        ((Status.SENT, {"due_at": "x"}), Kind.DELIVERED, ("delivered", "", "x", "delivered", "")),
        ((Status.SENT, {}), Kind.HARD_BOUNCE, ("bounced", "hard_bounce", "", "bounced", "hard_bounce")),
        ((Status.SENT, {}), Kind.COMPLAINT, ("complained", "complaint", "", "complained", "complaint")),
        ((Status.SENT, {}), Kind.DELAYED, ("delayed", "delayed", "2026-11-20T19:00:00+00:00", "delayed", "delayed")),
        ((Status.DELAYED, {"due_at": "x", "why": "delayed"}), Kind.DELIVERED, ("delivered", "", "", "delivered", "")),
        ((Status.DELAYED, {"due_at": "x"}), Kind.SOFT_BOUNCE, ("undelivered", "soft_bounce", "", "undelivered", "soft_bounce")),
        ((Status.UNCONFIRMED, {"due_at": "x"}), Kind.SENT, ("sent", "", "", "sent", "")),
        ((Status.UNCONFIRMED, {"due_at": "x", "why": "timeout"}), Kind.NOT_DELIVERED, ("undelivered", "not_delivered", "", "undelivered", "not_delivered")),
        ((Status.FAILED, {"due_at": "x"}), Kind.DELIVERED, ("delivered", "", "", "delivered", "")),
    ],
)  # fmt: skip
def test_the_whole_notice_after_a_receipt(
    before: tuple[Status, dict[str, object]], kind: Kind, expected: tuple[str, str, str, str, str]
) -> None:
    status, changes = before
    attempt = an_attempt(1, status=status, ref="")
    notice = in_state(status, attempt, **changes)
    receipt = a_receipt(kind, attempt=1, ref="m-9")
    overall, why, due_at, stands, reason = expected
    at = {"delivered": "delivered_at", "bounced": "bounced_at", "undelivered": "undelivered_at"}.get(stands)
    told = replace(attempt, status=Status(stands), why=reason, ref="m-9", **({at: receipt.at} if at else {}))
    assert applied(notice, receipt, NOW, POLICY) == after(
        notice,
        f"receipt {kind}",
        f"1 ses #{receipt.identity}",
        attempts=(told,),
        status=Status(overall),
        why=why,
        due_at=due_at,
    )


def test_a_receipt_that_moves_nothing_is_kept_as_an_event_if_it_says_something() -> None:
    notice = sent()
    stray = a_receipt(Kind.HARD_BOUNCE, attempt=7)
    assert applied(notice, stray, NOW, POLICY) == after(
        notice, "receipt hard_bounce", f"- ses #{stray.identity}"
    )
    assert applied(notice, a_receipt(Kind.SENT, attempt=7), NOW, POLICY) is None
    assert applied(notice, a_receipt(Kind.SENT, attempt=1), NOW, POLICY) is None
    for kind in (Kind.OPENED, Kind.UNKNOWN):
        assert applied(notice, a_receipt(kind, attempt=1), NOW, POLICY) is None
    reply = a_receipt(Kind.AUTO_REPLY, attempt=1)
    assert applied(notice, reply, NOW, POLICY) == after(
        notice, "receipt auto_reply", f"1 ses #{reply.identity}"
    )
    bounced = applied(notice, a_receipt(attempt=1, at=stamp(NOW)), NOW, POLICY)
    assert bounced is not None
    earlier = a_receipt(Kind.DELIVERED, attempt=1, at=stamp(NOW - timedelta(hours=1)))
    late = applied(bounced, earlier, NOW, POLICY)
    assert late is not None
    assert (late.status, late.attempts[0].delivered_at, late.why) == (
        Status.BOUNCED,
        earlier.at,
        "hard_bounce",
    )
    kept = applied(
        in_state(Status.SENT, an_attempt(1, ref="own")), a_receipt(attempt=1, ref="other"), NOW, POLICY
    )
    assert kept is not None
    assert kept.attempts[0].ref == "own"


def test_what_waits_for_another_attempt_and_what_has_ended_stays() -> None:
    deferred = in_state(Status.DEFERRED, an_attempt(1), due_at="x", why="provider_down")
    failed = applied(deferred, a_receipt(attempt=1), NOW, POLICY)
    assert failed is not None
    assert (failed.status, failed.due_at, failed.why) == (Status.DEFERRED, "x", "provider_down")
    unconfirmed = in_state(Status.DEFERRED, an_attempt(1, status=Status.UNCONFIRMED), due_at="x")
    still = applied(unconfirmed, a_receipt(Kind.NOT_DELIVERED, attempt=1), NOW, POLICY)
    assert still is not None
    assert still.due_at == "x"
    for kind, status in ((Kind.DELIVERED, Status.DELIVERED), (Kind.COMPLAINT, Status.COMPLAINED)):
        told = applied(deferred, a_receipt(kind, attempt=1), NOW, POLICY)
        assert told is not None
        assert (told.status, told.due_at) == (status, "")
    for status in (Status.SUPERSEDED, Status.SUPPRESSED, Status.PAPER):
        ended = applied(in_state(status, an_attempt(1), why="x"), a_receipt(attempt=1), NOW, POLICY)
        assert ended is not None
        assert (ended.status, ended.why, ended.attempts[0].status) == (status, "x", Status.BOUNCED)


def test_of_a_full_notice_only_what_moves_it_and_what_mails_say_is_written() -> None:
    rows = tuple(Event("t", "receipt undetermined", f"1 #{n}", "x") for n in range(INLINE_LIMIT))
    full = replace(sent(), events=rows)
    room = replace(sent(), events=(*rows[1:], Event("t", "sent", "", "x")))
    quiet = a_receipt(Kind.UNDETERMINED, attempt=1)
    assert INLINE_LIMIT == 100
    assert applied(full, quiet, NOW, POLICY) is None
    assert applied(room, quiet, NOW, POLICY) is not None
    assert applied(full, a_receipt(attempt=1), NOW, POLICY) is not None
    assert applied(full, replace(quiet, said_by=Source.BEARER), NOW, POLICY) is not None


def test_a_failure_that_its_provider_reports_replaces_those_of_mails() -> None:
    def told(notice: Notice, receipt: Receipt) -> Attempt:
        found = applied(notice, receipt, NOW, POLICY)
        assert found is not None
        return found.attempts[0]

    mailed = told(sent(), a_receipt(provider="mail", attempt=1, said_by=Source.BEARER))
    assert (mailed.status, mailed.by_mail, mailed.bounced_at) == (Status.BOUNCED, True, stamp(NOW))
    soft = a_receipt(Kind.SOFT_BOUNCE, attempt=1, at=stamp(NOW + timedelta(hours=1)))
    own = told(in_state(Status.BOUNCED, mailed), soft)
    assert (own.status, own.by_mail, own.bounced_at, own.undelivered_at) == (
        Status.UNDELIVERED,
        False,
        "",
        soft.at,
    )
    other = told(in_state(Status.BOUNCED, mailed), replace(soft, provider="opentext"))
    assert (other.status, other.by_mail) == (Status.BOUNCED, True)
    opentext = replace(an_attempt(1), provider="opentext")
    found = told(
        in_state(Status.SENT, opentext), a_receipt(provider="mail", attempt=1, said_by=Source.BEARER)
    )
    assert (found.status, found.by_mail) == (Status.BOUNCED, False)
    delayed = in_state(Status.SENT, replace(opentext, by_mail=False))
    assert (
        told(delayed, a_receipt(Kind.DELAYED, provider="mail", attempt=1, said_by=Source.BEARER)).by_mail
        is False
    )


def test_an_identity_is_as_it_ever_was() -> None:
    """A changed one would count each receipt that comes again a second time."""
    same = a_receipt(
        notice_id="n", attempt=1, ref="r", code="c", hashes=("h",), at="2026-11-20T15:00:00.000Z"
    )
    assert same.identity == "ad669df27b71"
    assert replace(same, said_by=Source.BEARER).identity == "3a0f65447cf0"
