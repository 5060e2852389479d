"""Receipts on the embedded cloud: real functions, topics, web hook and bucket, from the template."""

import json
import random
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exnotify.courier import PushRefusedError, hook_secret_of, push
from exnotify.deployment import Deployment
from exnotify.local import LocalCloud
from exnotify.proof import as_html, proof_of
from exnotify.receipts import PLACEHOLDER, Parcel, hand_in, parcels, reference_to
from exstream_notify.domain import identity
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.notices import Notice, Status, chain_holds
from exstream_notify.domain.receipts import Kind, Receipt, ReceiptPolicy, applied
from exstream_notify.domain.references import made
from tests.receipts.bounce_mails import REFERENCE, dsn

from .conftest import MakeRun, drop, outcomes, record

pytestmark = pytest.mark.slow

ADDRESS = "c100001@example.com"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """At ten in the morning in New York, with SES and SMS; deliveries come twice and in any order."""
    chaos = frozenset({"duplicates", "reorder"})
    parameters = {"EmailProvider": "ses", "SmsProvider": "sms"}
    with LocalCloud(at="2026-11-24T15:00:00+00:00", chaos=chaos, seed=5, parameters=parameters) as running:
        yield running


def notice_of(app: Any, domain: str, key: str) -> Notice:
    (notice,) = [n for n in app.ledger.of_customer(domain, key) if n.audience == "customer"]
    return notice  # type: ignore[no-any-return]


def until(check: Any, seconds: float = 60.0) -> None:
    """Wait for something that comes by itself."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.2)


def test_an_address_that_bounces_is_told_by_sms_within_seconds(cloud: LocalCloud, make_run: MakeRun) -> None:
    rows = [
        record(1, email="bounce@example.com"),
        record(2),
        record(3, email="bounce3@example.com", mobile=""),
    ]
    drop(cloud, make_run("bouncing", rows), "bouncing", "bouncing")
    app = cloud.deployment().app
    until(lambda: notice_of(app, "bouncing", "E000001").status == Status.DELIVERED)
    first = notice_of(app, "bouncing", "E000001")
    assert [(a.channel, a.status) for a in first.attempts] == [("email", "bounced"), ("sms", "delivered")]
    contact = app.contacts.get("bouncing", ["E000001"])["E000001"]
    assert contact.email is not None
    assert contact.email.status == "invalid"
    until(lambda: notice_of(app, "bouncing", "E000002").status == Status.DELIVERED)
    until(lambda: notice_of(app, "bouncing", "E000003").status == Status.BOUNCED)

    again = drop(
        cloud,
        make_run("again", [record(1, document_id="D2", email="bounce@example.com")]),
        "again",
        "bouncing",
    )
    assert outcomes(again) == {"notified": 1}
    texts = [m for m in cloud.messages if m.channel == "sms"]
    assert len(texts) == 2
    proof = proof_of(app, first, thorough=True)
    assert proof["holds"]
    assert proof["anchors"]
    assert len(proof["receipts"]) >= 2
    assert [row["delivered"] for row in proof["delivery"]] == [False, True]
    assert "What this does not show" in as_html(proof)


def test_a_proof_shows_what_was_changed(cloud: LocalCloud, make_run: MakeRun) -> None:
    from dataclasses import replace

    from exstream_notify.domain.notices import Event, chain_start, event_hash

    drop(cloud, make_run("tampered", [record(9, email="c9@example.com")]), "tampered", "tampered")
    app = cloud.deployment().app
    until(lambda: notice_of(app, "tampered", "E000009").status == Status.DELIVERED)
    notice = notice_of(app, "tampered", "E000009")
    # The anchor that the newest event names is written right behind the event.
    until(lambda: proof_of(app, notice, thorough=True)["holds"])

    def chained(events: Any) -> Notice:
        """As somebody would who knows the code: every hash made anew."""
        before, made = chain_start(notice), []
        for event in events:
            made.append(Event(event.at, event.what, event.detail, before))
            before = event_hash(made[-1])
        return replace(notice, events=tuple(made))

    later = [replace(e, at="2026-11-25T00:00:00.000+00:00") if e.what == "sent" else e for e in notice.events]
    for forged in (
        chained(later),
        chained(notice.events[:1] + notice.events[2:]),
        chained(reversed(notice.events)),
    ):
        assert chain_holds(forged)
        assert not proof_of(app, forged)["holds"]
    assert not proof_of(app, chained(notice.events[:-1]), thorough=True)["holds"], "cut short"

    # What the evidence keeps of a receipt is told as the chain has it, or the proof does not hold.
    named = re.findall(r"evidence/receipts/\S+", " ".join(e.detail for e in notice.events))[-1]
    place = {"Bucket": cloud.outputs["EvidenceBucketName"], "Key": named}
    s3 = cloud.client("s3")
    kept = s3.get_object(**place)["Body"].read()
    (told,) = [r for row in app.receipt_evidence.read(named) for r in row["receipts"]][-1:]
    for word, other in (
        (told["kind"], "complaint"), (told["at"], "2026-01-01T00:00:00.000Z"), (told["ref"], "another"),
        (told["identity"], "0" * 12), (told["reason"], "no such user"), ("{", "["),
    ):  # fmt: skip
        s3.put_object(**place, Body=kept.replace(word.encode(), other.encode()))
        assert not proof_of(app, notice)["holds"], word
    s3.put_object(**place, Body=kept)
    assert proof_of(app, notice)["holds"]


def test_a_forged_push_is_refused_and_a_genuine_one_is_taken(cloud: LocalCloud) -> None:
    deployment = cloud.deployment()
    url = deployment.outputs["ReceiptHookUrl"]
    with pytest.raises(PushRefusedError) as refused:
        push(url, "a guess", {"job_id": "x", "deliveries": []})
    assert refused.value.status == 401
    secret = hook_secret_of(deployment.client, deployment.outputs["ReceiptHookSecretArn"])
    with pytest.raises(PushRefusedError) as unreadable:
        push(url, secret, {"no": "status"})
    assert unreadable.value.status == 400
    assert push(url, secret, {"job_id": "x", "deliveries": []}) == 202
    assert any("without the secret" in line for line in cloud.logs("TakeReceiptFunction"))


def a_bounce(address: str, reference: str = PLACEHOLDER) -> list[Parcel]:
    """A mail that says that an address does not exist, and brings back that reference."""
    return parcels(dsn().replace(REFERENCE, reference).replace(ADDRESS, address).encode(), "x.eml", None)


def test_what_anybody_can_send_silences_nobody(cloud: LocalCloud, make_run: MakeRun) -> None:
    rows = [record(n, email=f"silent.forged{n}@example.com", mobile="") for n in (1, 2, 3)]
    drop(cloud, make_run("forged", rows), "forged", "forged")
    deployment = cloud.deployment()
    app = deployment.app
    first, second, third = (notice_of(app, "forged", f"E{n:06d}") for n in (1, 2, 3))
    computed = identity.notice_id("forged", "E000001", "E000001-STA", document_type="statement")
    assert computed == first.notice_id
    link = token_of(cloud, "silent.forged1@example.com")
    others = reference_to(deployment, f"{second.notice_id}:1")
    guesses = ["x", computed, f"{computed}:1", made(computed, 1, 1, b"a guess"), link, others,
               reference_to(deployment, f"{computed}:2"), others[:-3] + "aaa"]  # fmt: skip
    many = "\n\nFinal-Recipient: rfc822; silent.forged2@example.com\nAction: failed\nStatus: 5.1.1\n"
    for guess in guesses:
        for _ in range(4):
            hand_in(deployment, a_bounce("silent.forged1@example.com", guess)[0])
    # A customer has the reference of a mail of their own, and other customers' addresses.
    hand_in(
        deployment,
        a_bounce("silent.forged1@example.com" + many, reference_to(deployment, third.notice_id))[0],
    )
    assert deployment.settle(120)
    assert [notice_of(app, "forged", f"E{n:06d}") for n in (1, 2, 3)] == [first, second, third]
    addresses: set[tuple[Channel, str]] = {("email", row["email"]) for row in rows}
    assert not app.suppressions.suppressed(addresses)
    assert not any(entry.version for entry in app.suppressions.entries(hashes_of(app, addresses)).values())
    contacts = app.contacts.get("forged", [row["customer_key"] for row in rows])
    assert {c.email.status for c in contacts.values() if c.email} == {"ok"}
    assert not app.early.waiting(100)
    assert "unproven_mail" in {code for incident in app.incidents.all() for code in incident.codes}

    again = [{**row, "document_id": f"D{n}"} for n, row in enumerate(rows)]
    assert outcomes(drop(cloud, make_run("next", again), "next", "forged")) == {"notified": 3}

    hand_in(deployment, a_bounce("silent.forged1@example.com")[0], f"{first.notice_id}:1")
    until(lambda: notice_of_run(app, first).status == Status.BOUNCED)
    until(lambda: proof_of(app, notice_of_run(app, first), thorough=True)["holds"])
    assert app.suppressions.suppressed(addresses) == {("email", "silent.forged1@example.com")}


def notice_of_run(app: Any, notice: Notice) -> Notice:
    return app.ledger.get([notice.notice_id])[notice.notice_id]  # type: ignore[no-any-return]


def hashes_of(app: Any, addresses: set[tuple[Channel, str]]) -> list[tuple[Channel, str]]:
    return [(channel, one) for channel, value in addresses for one in app.suppressions.hashes(channel, value)]


def token_of(cloud: LocalCloud, address: str) -> str:
    """The secure link that went to an address."""
    (message,) = [m for m in cloud.messages if m.to == address]
    return "/d/" + message.text.partition("/d/")[2].split()[0].rstrip(".,)")


def test_what_is_no_receipt_is_kept_and_told_of_and_stops_nobody(
    cloud: LocalCloud, make_run: MakeRun
) -> None:
    drop(
        cloud,
        make_run("poison", [record(7, email="silent.poison@example.com", mobile="")]),
        "poison",
        "poison",
    )
    deployment = cloud.deployment()
    app = deployment.app
    notice = notice_of(app, "poison", "E000007")
    (good,) = a_bounce("silent.poison@example.com")
    bomb = (
        b"From: x@example.com\n"
        + b"X-Filler: y\n" * 10_000
        + b"\n"
        + b"Content-Type: message/rfc822\n\n" * 5_000
    )
    huge = b"From: x@example.com\nSubject: hello\n\n" + b"A" * 12_000_000
    sqs, queue = deployment.client("sqs"), deployment.outputs["ReceiptQueueUrl"]
    for body in ("", "{", '{"eventType": "From Tomorrow", "mail": {}}', "[" * 50_000):
        sqs.send_message(QueueUrl=queue, MessageBody=body or " ")
    for mail in (bomb, huge):
        hand_in(deployment, parcels(mail, "bomb.eml", None)[0])
    hand_in(deployment, good, notice.notice_id)
    until(lambda: notice_of(app, "poison", "E000007").status == Status.BOUNCED)
    deployment.settle(60)
    kept = app.client("s3").list_objects_v2(Bucket=app.settings.work_bucket, Prefix="receipts/unread/")
    assert kept["KeyCount"] >= 6
    assert "receipt_unknown" in {code for i in app.incidents.all() for code in i.codes}
    assert not [
        line for line in cloud.logs("RecordReceiptFunction") if "Traceback" in line or "@example.com" in line
    ]


# --- in disorder -----------------------------------------------------------------------------------------

_KINDS: tuple[tuple[str, Kind], ...] = (
    *[("delivered", Kind.DELIVERED)] * 6, ("hard", Kind.HARD_BOUNCE), ("full", Kind.SOFT_BOUNCE),
    ("complaint", Kind.COMPLAINT), ("delay", Kind.DELAYED), ("policy", Kind.POLICY_REFUSED),
)  # fmt: skip


def event(kind: str, notice_id: str, address: str, at: datetime) -> dict[str, Any]:
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    row = {
        "emailAddress": address,
        "status": {"hard": "5.1.1", "full": "4.2.2", "policy": "5.7.1"}.get(kind, "4.4.1"),
    }
    bounce = {"bouncedRecipients": [row], "timestamp": stamp}
    parts: dict[str, dict[str, Any]] = {
        "delivered": {"eventType": "Delivery", "delivery": {"timestamp": stamp, "recipients": [address]}},
        "hard": {
            "eventType": "Bounce",
            "bounce": {**bounce, "bounceType": "Permanent", "bounceSubType": "General"},
        },
        "policy": {
            "eventType": "Bounce",
            "bounce": {**bounce, "bounceType": "Permanent", "bounceSubType": "General"},
        },
        "full": {
            "eventType": "Bounce",
            "bounce": {**bounce, "bounceType": "Transient", "bounceSubType": "MailboxFull"},
        },
        "complaint": {
            "eventType": "Complaint",
            "complaint": {"complainedRecipients": [row], "timestamp": stamp},
        },
        "delay": {
            "eventType": "DeliveryDelay",
            "deliveryDelay": {"delayedRecipients": [row], "timestamp": stamp},
        },
    }
    mail = {"messageId": "m", "source": "notices@example.com", "destination": [address], "timestamp": stamp,
            "tags": {"notice_id": [notice_id], "attempt": ["1"]}}  # fmt: skip
    return {**parts[kind], "mail": mail}


@pytest.mark.timeout(1200)
def test_receipts_in_disorder_end_as_the_ordered_stream_does(cloud: LocalCloud, make_run: MakeRun) -> None:
    """On the embedded cloud: 600 receipts of which a third come twice, shuffled, some before their send."""
    chance = random.Random(17)
    start = datetime(2026, 11, 24, 15, tzinfo=UTC)
    app = cloud.deployment().app
    rows = [record(n, email=f"silent{n}@example.com", mobile="") for n in range(1, 91)]
    drop(cloud, make_run("first", rows[:60]), "first", "many")
    ids = {n: notice_id_of(n) for n in range(1, 91)}
    assert notice_of(app, "many", "E000001").notice_id == ids[1]
    ordered = []
    for number in range(450):
        target, (kind, meaning) = chance.randrange(1, 91), chance.choice(_KINDS)
        ordered.append((number, target, kind, meaning))
    mixed = [*ordered, *ordered[:150]]
    assert len(mixed) == 600
    chance.shuffle(mixed)
    publish(cloud.deployment(), mixed[:300], ids, start)
    assert cloud.deployment().settle(600)
    drop(cloud, make_run("second", rows[60:]), "second", "many")
    publish(cloud.deployment(), mixed[300:], ids, start)
    assert cloud.deployment().settle(600)
    for _ in range(8):
        cloud.tick("PollReceiptsFunction")
        cloud.deployment().settle(100)
        if not app.early.waiting(10_000):
            break
    channel: Channel = "email"
    stored = app.ledger.get(list(ids.values()))
    for n, notice_id in ids.items():
        if not stored[notice_id].attempts:
            # What came before its send had suppressed the address already.
            assert n > 60
            assert stored[notice_id].status == Status.SUPPRESSED
            continue
        plain = sent_only(stored[notice_id])
        for number, target, _, kind in ordered:
            if target == n:
                receipt = Receipt("ses", channel, kind, f"{number:05d}", notice_id=notice_id, attempt=1)
                plain = applied(plain, receipt, start, ReceiptPolicy()) or plain
        assert stored[notice_id].attempts[0].status == plain.attempts[0].status, n
        assert chain_holds(stored[notice_id])
        hard = {kind for _, target, _, kind in ordered if target == n} & {
            Kind.HARD_BOUNCE,
            Kind.COMPLAINT,
        }
        if hard:
            wanted = {(channel, f"silent{n}@example.com")}
            assert app.suppressions.suppressed(wanted) == wanted, n


def notice_id_of(number: int) -> str:
    return identity.notice_id("many", f"E{number:06d}", f"E{number:06d}-STA", document_type="statement")


def sent_only(notice: Notice) -> Notice:
    """The notice as it stood when its first attempt was sent."""
    from dataclasses import replace

    times = dict.fromkeys(("delivered_at", "undelivered_at", "bounced_at"), "")
    first = replace(notice.attempts[0], status=Status.SENT, **times)
    return replace(notice, attempts=(first,), status=Status.SENT, events=notice.events[:2], due_at="")


def publish(deployment: Deployment, rows: Any, ids: dict[int, str], start: datetime) -> None:
    sns, topic = deployment.client("sns"), deployment.outputs["SesReceiptsTopicArn"]
    for first in range(0, len(rows), 10):
        entries = [
            {
                "Id": str(place),
                "Message": json.dumps(
                    event(kind, ids[target], f"silent{target}@example.com", start + timedelta(seconds=number))
                ),
            }
            for place, (number, target, kind, _) in enumerate(rows[first : first + 10])
        ]
        sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
