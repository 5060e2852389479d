"""What receipts need of DynamoDB, in memory and on real engines: the fakes promise no more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exstream_notify.adapters.dynamodb.contacts import DynamoSuppressions
from exstream_notify.adapters.dynamodb.receipts import (
    DynamoDeliveryWatch,
    DynamoEarlyReceipts,
    DynamoReputation,
    receipt_body,
    receipt_from,
)
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.receipts import (
    Kind,
    Receipt,
    ReceiptPolicy,
    Source,
    Suppression,
    released,
    suppressed_by,
)
from exstream_notify.domain.watching import Watched
from tests.adapters.conftest import Tables

NOW = datetime.now(UTC).replace(microsecond=0)
PEPPERS = {"1": b"old", "2": b"new"}
EMAIL: Channel = "email"


def a_receipt(number: int = 1, **changes: Any) -> Receipt:
    values: dict[str, Any] = {
        "provider": "ses", "channel": EMAIL, "kind": Kind.HARD_BOUNCE, "at": f"2026-11-20T15:00:{number:02d}.000Z",
        "notice_id": f"{number:032x}", "attempt": 1, "hashes": ("h1", "h2"), "recipient": "c1@example.com",
    }  # fmt: skip
    return Receipt(**{**values, **changes})


@pytest.fixture
def suppressions(tables: Tables) -> DynamoSuppressions:
    return DynamoSuppressions(tables.client, tables.suppressions, lambda: PEPPERS)


def test_an_entry_comes_back_as_it_was_and_holds_for_every_spelling(suppressions: DynamoSuppressions) -> None:
    address = "c1@example.com"
    current, old = suppressions.hashes(EMAIL, address)
    assert current != old
    entry = suppressed_by(Suppression(EMAIL, current), a_receipt(), ReceiptPolicy())
    assert suppressions.put([entry]) == set()
    assert suppressions.put([entry]) == set(), "a write whose answer was lost counts as done"
    assert suppressions.entries([(EMAIL, current), (EMAIL, "none")]) == {
        (EMAIL, current): entry,
        (EMAIL, "none"): Suppression(EMAIL, "none"),
    }
    assert suppressions.suppressed([(EMAIL, address), ("sms", address)]) == {(EMAIL, address)}

    lifted = released(entry, "operator", "called", NOW)
    assert suppressions.put([replace(lifted, version=lifted.version + 1)]) == {(EMAIL, current)}
    assert suppressions.put([lifted]) == set()
    assert suppressions.suppressed([(EMAIL, address)]) == set()


def test_an_entry_under_an_old_pepper_still_holds(suppressions: DynamoSuppressions) -> None:
    _, old = suppressions.hashes(EMAIL, "c2@example.com")
    suppressions.put([Suppression(EMAIL, old, "hard", "ses", "2026", version=1)])
    assert suppressions.suppressed([(EMAIL, "c2@example.com")])


def test_what_is_only_watched_or_has_expired_does_not_count(suppressions: DynamoSuppressions) -> None:
    for number, changes in enumerate(
        (
            {"failures": ("2026-11-20T15:00:00Z",)},
            {"reason": "soft", "at": "2026", "expires": (NOW - timedelta(days=1)).isoformat()},
        )
    ):
        address = f"watched{number}@example.com"
        entry = Suppression(EMAIL, suppressions.hashes(EMAIL, address)[0], version=1, **changes)  # type: ignore[arg-type]
        suppressions.put([entry])
        assert suppressions.suppressed([(EMAIL, address)]) == set()
        assert suppressions.entries([(EMAIL, entry.address)])[EMAIL, entry.address] == entry


def test_early_receipts_wait_without_their_address(tables: Tables) -> None:
    early = DynamoEarlyReceipts(tables.client, tables.notices)
    receipts = [a_receipt(n) for n in range(5)]
    early.keep(receipts, NOW)
    early.keep(receipts[:2], NOW + timedelta(hours=1))
    waiting = early.waiting(100)
    assert {r.identity for r, _ in waiting} == {r.identity for r in receipts}
    assert {since for _, since in waiting} == {NOW}, "kept once, since the first time"
    assert "example.com" not in str(tables.client.scan(TableName=tables.notices))
    early.give_up(receipts[:2])
    early.forget(receipts[2:4])
    assert [r.identity for r, _ in early.waiting(100)] == [receipts[4].identity]
    early.forget(receipts[4:])


def test_a_receipt_comes_back_as_it_was_but_for_its_address() -> None:
    receipt = a_receipt(
        code="5.1.1", reason="no such user", said_by=Source.BEARER, also=("b@example.com",), sole=False
    )
    assert receipt_from(receipt_body(receipt)) == replace(receipt, recipient="", also=())
    assert receipt_from(receipt_body(receipt)).identity == receipt.identity


def test_watched_jobs_come_due_by_themselves(tables: Tables) -> None:
    watch = DynamoDeliveryWatch(tables.client, tables.notices)
    job = Watched(
        "job-1", EMAIL, "ses", NOW.isoformat(), (NOW + timedelta(hours=24)).isoformat(), ("a" * 32,)
    )
    watch.add(job)
    watch.add(job)
    assert watch.due(NOW, 10) == []
    assert watch.due(NOW + timedelta(hours=24), 10) == [job]
    others = [
        replace(job, job=f"job-{n}", deadline=(NOW + timedelta(hours=n)).isoformat()) for n in range(2, 9)
    ]
    for other in others:
        watch.add(other)
    assert watch.due(NOW + timedelta(hours=25), 3) == others[:3], "those that are due first"
    for watched in (job, *others):
        watch.done(watched)
    assert watch.due(NOW + timedelta(hours=25), 10) == []
    only_sms = DynamoDeliveryWatch(tables.client, tables.notices, ["sms"])
    only_sms.add(job)
    assert watch.due(NOW + timedelta(hours=25), 10) == []


def test_what_an_earlier_release_kept_of_mails_waits_for_nothing(tables: Tables) -> None:
    early = DynamoEarlyReceipts(tables.client, tables.notices)
    mail, told = a_receipt(7, provider="mail"), a_receipt(8)
    early.keep([mail, told], NOW)
    assert [receipt.identity for receipt, _ in early.waiting(100)] == [told.identity]
    early.forget([mail, told])
    assert receipt_from({**receipt_body(told), "trusted": True}) == replace(told, recipient="")


def test_what_mails_claim_is_counted_by_the_hour_and_in_no_rate(tables: Tables) -> None:
    reputation = DynamoReputation(tables.client, tables.notices)
    before, hour = reputation.last_day(NOW), NOW - timedelta(hours=2)
    assert [reputation.count_unproven(hour, number) for number in (3, 20, 1)] == [3, 23, 24]
    assert reputation.count_unproven(hour + timedelta(hours=1), 2) == 2
    assert reputation.last_day(NOW) == before


def test_counts_add_up_over_a_day(tables: Tables) -> None:
    reputation = DynamoReputation(tables.client, tables.notices)
    for hours in (0, 5, 23, 30):
        reputation.add(
            EMAIL, "notices@example.com", NOW - timedelta(hours=hours), {"delivered": 10, "bounces": 1}
        )
    reputation.add("sms", "+12025550199", NOW, {"delivered": 3})
    assert reputation.last_day(NOW) == {
        (EMAIL, "notices@example.com"): {"delivered": 30, "bounces": 3},
        ("sms", "+12025550199"): {"delivered": 3},
    }
    now = [1_800_000_000.0]
    sender = DynamoReputation(tables.client, tables.notices, lambda: now[0])
    assert sender.stopped() == {}
    reputation.stop({EMAIL: "too many"})
    assert sender.stopped() == {}, "known for a minute"
    now[0] += 60.0
    assert sender.stopped() == {EMAIL: "too many"}
