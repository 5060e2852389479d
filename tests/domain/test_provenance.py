"""A mail proves what its reference, its attempt and its address prove; a provider's own word outranks it."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.notices import LOST, Attempt, Notice, Status, begun, finished
from exstream_notify.domain.provenance import jump, listed, proven
from exstream_notify.domain.receipts import (
    Kind,
    Receipt,
    ReceiptPolicy,
    Source,
    Suppression,
    applied,
    outranked,
    released,
    stamp,
    suppressed_by,
)
from exstream_notify.domain.references import LIFE
from tests.fakes import a_notice

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
POLICY = ReceiptPolicy()


def sent(provider: str = "ses") -> Notice:
    """A notice with one e-mail and, after it, one SMS."""
    notice = a_notice(version=0)
    for number, channel in enumerate(("email", "sms"), 1):
        attempt = Attempt(number, channel, provider, f"hash-{channel}", "job", Status.SENDING)  # type: ignore[arg-type]
        notice = begun(notice, attempt, NOW, ())
        notice = finished(notice, number, Status.SENT, NOW) or notice
    return notice


def mail(kind: Kind = Kind.HARD_BOUNCE, hours: float = 1, **changes: object) -> Receipt:
    """What a mail says that brought back the e-mail's reference and names its address."""
    values: dict[str, object] = {
        "notice_id": a_notice().notice_id, "attempt": 1, "hashes": ("hash-email",), "said_by": Source.BEARER,
    }  # fmt: skip
    return Receipt("mail", "email", kind, stamp(NOW + timedelta(hours=hours)), **{**values, **changes})  # type: ignore[arg-type]


def ses(kind: Kind, hours: float = 1) -> Receipt:
    """What SES says of the e-mail."""
    at = stamp(NOW + timedelta(hours=hours))
    return Receipt("ses", "email", kind, at, notice_id=a_notice().notice_id, attempt=1)


def test_a_mail_with_all_of_it_is_about_that_attempts_address_alone() -> None:
    named = mail(hashes=("another", "hash-email"), sole=False)
    found = proven(named, sent(), NOW + LIFE)
    assert found == replace(named, hashes=("hash-email",), sole=True)


def test_a_mail_from_before_its_message_has_a_wrong_clock() -> None:
    now = NOW + timedelta(hours=5)
    early = proven(mail(hours=-3), sent(), now)
    assert early is not None
    assert (early.at, early.identity) == (stamp(now), mail(hashes=("hash-email",)).identity)


@pytest.mark.parametrize(
    "forged",
    [
        mail(said_by=Source.ANYBODY),
        mail(attempt=None),
        mail(attempt=2),
        mail(attempt=3),
        mail(hashes=()),
        mail(hashes=("hash-other",)),
        mail(attempt=2, hashes=("hash-sms",)),
        mail(hashes=("",)),
    ],
)
def test_without_one_of_them_it_proves_nothing(forged: Receipt) -> None:
    assert proven(forged, sent(), NOW) is None


def test_nor_about_a_notice_that_nobody_knows_or_that_is_long_past() -> None:
    assert proven(mail(), None, NOW) is None
    assert proven(mail(), sent(), NOW + LIFE + timedelta(seconds=1)) is None
    assert proven(mail(), a_notice(), NOW) is None
    never = replace(sent(), events=())
    assert proven(mail(), never, NOW) is None


@given(st.sampled_from(Kind), st.booleans())
def test_a_providers_word_counts_as_it_is(kind: Kind, known: bool) -> None:
    told = ses(kind)
    assert proven(told, sent() if known else None, NOW + timedelta(days=400)) is told


def test_all_mails_that_say_the_same_of_one_attempt_are_one() -> None:
    first = mail()
    for other in (mail(hours=50), mail(code="5.1.2"), mail(reason="gone"), mail(raw="s3://mails/other")):
        assert other.identity == first.identity
    for another in (
        mail(Kind.SOFT_BOUNCE),
        mail(attempt=2),
        mail(hashes=("hash-other",)),
        mail(notice_id="x"),
    ):
        assert another.identity != first.identity


# --- order ----------------------------------------------------------------------------------------------


def after(notice: Notice, *receipts: Receipt) -> Notice:
    """The notice after these, as they come."""
    for receipt in receipts:
        notice = applied(notice, receipt, NOW + timedelta(days=1), POLICY) or notice
    return notice


FAILED = [Kind.HARD_BOUNCE, Kind.SOFT_BOUNCE, Kind.NOT_DELIVERED, Kind.COMPLAINT]


@pytest.mark.parametrize("mailed", [*FAILED, Kind.POLICY_REFUSED])
@pytest.mark.parametrize("said", FAILED)
@pytest.mark.parametrize("hours", [0.5, 2])
def test_the_failure_that_ses_reports_stands_whenever_it_comes(
    said: Kind, mailed: Kind, hours: float
) -> None:
    delivered = ses(Kind.DELIVERED, 0.1)
    alone = after(sent(), delivered, ses(said, hours)).attempt(1)
    for receipts in itertools.permutations([delivered, ses(said, hours), mail(mailed), mail(mailed, 30)]):
        assert after(sent(), *receipts).attempt(1) == alone


@pytest.mark.parametrize("mailed", [Kind.HARD_BOUNCE, Kind.SOFT_BOUNCE, Kind.POLICY_REFUSED])
def test_a_mail_and_a_delivery_end_by_the_time_of_the_event(mailed: Kind) -> None:
    for receipts in itertools.permutations([ses(Kind.DELIVERED, 0.5), mail(mailed, 2)]):
        assert after(sent(), *receipts).attempts[0].status in LOST
    for receipts in itertools.permutations([ses(Kind.DELIVERED, 2), mail(mailed, 0.5)]):
        assert after(sent(), *receipts).attempts[0].status == Status.DELIVERED


def test_only_a_failure_outranks_a_mail() -> None:
    assert not outranked(after(sent(), ses(Kind.SENT), ses(Kind.DELAYED)), mail())
    assert not outranked(after(sent(), ses(Kind.DELIVERED)), mail())
    assert outranked(after(sent(), ses(Kind.DELIVERED), ses(Kind.SOFT_BOUNCE)), mail())
    assert not outranked(after(sent(), mail(Kind.SOFT_BOUNCE)), mail())
    assert not outranked(after(sent(), ses(Kind.SOFT_BOUNCE)), ses(Kind.HARD_BOUNCE))
    assert after(sent(), ses(Kind.DELAYED), mail()).attempts[0].status == Status.BOUNCED


def test_of_a_provider_that_hears_of_no_bounces_the_later_word_stands() -> None:
    delivered = replace(ses(Kind.DELIVERED), provider="opentext")
    for receipts in itertools.permutations([delivered, mail(hours=2)]):
        bounced = after(sent("opentext"), *receipts).attempts[0]
        assert (bounced.status, bounced.why) == (Status.BOUNCED, "hard_bounce")
    for receipts in itertools.permutations([delivered, mail(hours=0.5)]):
        assert after(sent("opentext"), *receipts).attempts[0].status == Status.DELIVERED


# --- the suppression list -------------------------------------------------------------------------------


def entry(*receipts: Receipt, start: Suppression | None = None) -> Suppression:
    """The address's entry after these."""
    found = start or Suppression("email", "hash-email")
    for receipt in receipts:
        found = suppressed_by(found, listed(sent(), receipt), POLICY)
    return found


def test_softly_one_attempt_fails_once_however_many_mails_say_so() -> None:
    assert len(entry(*(mail(Kind.SOFT_BOUNCE, hours) for hours in range(20))).failures) == 1


def test_a_mail_about_a_message_from_before_a_release_does_not_undo_it() -> None:
    bounced = entry(mail())
    assert bounced.in_force(NOW)
    lifted = released(bounced, "operator", "the customer called", NOW + timedelta(hours=2))
    assert entry(mail(hours=100), start=lifted) == lifted
    assert entry(ses(Kind.HARD_BOUNCE, 100), start=lifted).in_force(NOW + timedelta(days=5))


# --- a jump ---------------------------------------------------------------------------------------------


def test_many_are_told_a_few_times_with_their_number() -> None:
    counts = list(itertools.accumulate([1] * 1_000))
    told = [n for n in counts if jump(n - 1, n, 20)]
    assert told == [20, 40, 80, 160, 320, 640]
    assert not jump(0, 19, 20)
    assert jump(0, 500, 20)
    assert jump(39, 41, 20)


def test_a_mail_dated_as_its_message_keeps_its_time() -> None:
    assert proven(mail(hours=0), sent(), NOW + timedelta(hours=5)) == mail(hours=0, hashes=("hash-email",))


def test_the_suppression_list_counts_a_mail_at_the_time_of_its_attempt() -> None:
    notice = sent()
    assert listed(notice, mail(hours=50)) == replace(mail(), at=stamp(NOW))
    assert listed(notice, mail(hours=50, said_by=Source.ANYBODY)).at == stamp(NOW)
    for as_it_is in (ses(Kind.HARD_BOUNCE, 50), mail(hours=50, attempt=None), mail(hours=50, attempt=9)):
        assert listed(notice, as_it_is) is as_it_is
