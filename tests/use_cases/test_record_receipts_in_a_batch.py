"""Several receipts at once: each counts for itself; what is reported, counted, kept as proof and handed on."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.notices import Status
from exstream_notify.domain.receipts import Kind, Receipt, ReceiptPolicy, Source, stamp
from exstream_notify.domain.statements import stamped
from exstream_notify.use_cases.record_receipts import record_batch, record_receipts, together, unread
from tests.fakes import a_document, a_rule
from tests.use_cases.test_other_writers import change_contact, change_notice, interfere
from tests.use_cases.world import DOMAIN, World


def told(documents: int = 2, **rule: Any) -> World:
    """So many customers, notified by e-mail."""
    world = World(a_rule(**rule))
    world.drop("run-1", *(a_document(n) for n in range(1, documents + 1)))
    world.drain()
    return world


def of(world: World, number: int, kind: Kind, **changes: Any) -> Receipt:
    """What is reported of the message to a customer."""
    delivered = next(d for d in world.outbox if d.to == f"c{number:04d}@example.com")
    return world.receipt(delivered, kind, **changes)


def record(world: World, *receipts: Receipt, **ports: Any) -> dict[str, int]:
    """Recorded together; the counts without the zeros."""
    counts = record_receipts(receipts, **{**world.receipt_ports(), **ports})
    return {name: number for name, number in counts.items() if number}


def raised(world: World) -> list[tuple[Any, ...]]:
    return [(e.code, e.severity, e.domain, e.run_id, e.text, e.count) for e in world.exceptions.raised]


# --- what is reported ------------------------------------------------------------------------------

TEXTS = {
    Kind.CONTENT_REFUSED: ("content_refused", "messages refused for their content or size"),
    Kind.POLICY_REFUSED: (
        *("sender_refused", "messages refused by policy: our sender's reputation or authentication"),
    ),
    Kind.OUR_FAULT: ("send_spoiled", "messages that could not be sent as we gave them"),
    Kind.CHALLENGE: ("challenge_mail", "mails that ask our sender to prove itself"),
    Kind.UNKNOWN: (
        *("receipt_unknown", "messages on the receipt queue that could not be used; kept in the work bucket"),
    ),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_what_a_person_has_to_see_is_reported_by_run_with_its_number(kind: Kind) -> None:
    world = told()
    world.drop("run-2", a_document(3))
    world.drain()
    record(world, *(of(world, n, kind) for n in (1, 2, 3)))
    code, text = TEXTS[kind]
    assert raised(world)[:2] == [
        (code, "warning", "retail", "run-1", text, 2),
        (code, "warning", "retail", "run-2", text, 1),
    ]
    assert all(e.part.startswith("receipts ") for e in world.exceptions.raised[:2])
    assert len({e.part for e in world.exceptions.raised[:2]}) == 2


def test_of_an_unknown_notice_it_is_reported_as_of_no_run() -> None:
    world = told()
    stranger = of(world, 1, Kind.OUR_FAULT, notice_id="f" * 32)
    assert record(world, stranger) == {"our_fault": 1, "unmatched": 1}
    assert [row[2:4] + row[5:] for row in raised(world)] == [("unknown", "none", 1)]
    assert [r.notice_id for r, _ in world.early.kept.values()] == ["f" * 32]
    world.early.kept.clear()
    record(world, stranger, keep=False)
    assert world.early.kept == {}, "it was kept before"


def test_a_message_that_cannot_be_used_is_reported_with_why_and_where_it_is_kept() -> None:
    e = unread("m-1", "no JSON", "receipts/unread/m-1")
    text = "messages on the receipt queue that could not be used; kept in the work bucket: no JSON"
    assert (e.code, e.severity, e.domain, e.run_id) == ("receipt_unknown", "warning", "unknown", "none")
    assert (e.text, e.part, e.detail, e.count) == (text, "message m-1", {"kept": "receipts/unread/m-1"}, 1)


def test_copies_for_teams_that_bounced_are_reported_by_run() -> None:
    world = World(a_rule(teams=("uw",), team_copy="each"), teams={"uw": "uw@example.com"})
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    copies = [d for d in world.outbox if d.to == "uw@example.com"]
    record(world, *(world.receipt(d, Kind.HARD_BOUNCE) for d in copies))
    text = "copies for internal teams that bounced"
    assert ("team_not_told", "warning", "retail", "run-1", text, 2) in raised(world)
    assert not world.queues["decide"].messages, "no customer's channel follows"


# --- counts ----------------------------------------------------------------------------------------


def test_what_is_new_what_was_known_and_what_is_of_nobody_is_counted_apart() -> None:
    world = told(3)
    first, second = of(world, 1, Kind.DELIVERED), of(world, 2, Kind.DELIVERED)
    assert record(world, first, first, second) == {"delivered": 2, "repeated": 1}
    alert = of(world, 3, Kind.DELIVERED, notice_id="incident-1")
    nobody = of(world, 3, Kind.DELIVERED, notice_id="")
    assert record(world, first, alert, nobody, of(world, 3, Kind.DELAYED)) == {
        "repeated": 1,
        "delivered": 2,
        "delayed": 1,
    }
    assert world.early.kept == {}, "of alerts and of no notice nothing is kept for later"


def test_a_receipt_that_is_known_keeps_no_other_from_being_recorded() -> None:
    world = told(4)
    record(world, *(of(world, n, Kind.DELIVERED) for n in (1, 2)))
    record(world, *(of(world, n, Kind.DELIVERED) for n in (1, 2, 3, 4)))
    found = [world.notice(f"D000{n}").attempts[0].delivered_at for n in (1, 2, 3, 4)]
    assert all(found)


def test_of_one_notice_the_new_receipt_before_a_known_one_hides_none() -> None:
    world = told()
    known = of(world, 1, Kind.DELIVERED)
    record(world, known)
    before = of(world, 1, Kind.DELAYED, at=stamp(world.clock.now() - timedelta(minutes=5)))
    assert record(world, before, known) == {"delayed": 1, "repeated": 1}
    assert record(world, before, known) == {"repeated": 2}


def test_rates_count_bounces_complaints_and_deliveries_by_sender_and_by_the_hour_they_happened() -> None:
    world = told(5)
    early = stamp(world.clock.now() - timedelta(hours=3))
    record(
        world,
        of(world, 1, Kind.DELIVERED, sender="news@example.com"),
        of(world, 2, Kind.HARD_BOUNCE, at=early),
        of(world, 3, Kind.COMPLAINT),
        of(world, 4, Kind.DELAYED),
        of(world, 5, Kind.DELIVERED),
    )
    now = world.clock.now().replace(minute=0, second=0, microsecond=0)
    assert world.reputation.counts == {
        ("email", "news@example.com", now): {"delivered": 1},
        ("email", "mail", now - timedelta(hours=3)): {"bounces": 1},
        ("email", "mail", now): {"complaint": 1, "delivered": 1},
    }


# --- what is kept as proof -------------------------------------------------------------------------


def test_the_proof_has_each_notices_receipts_without_anything_personal() -> None:
    world = told()
    at = stamp(world.clock.now())
    record(world, of(world, 1, Kind.HARD_BOUNCE, reason="unknown user", ref="r-1", raw="mails/1"))
    ((reference, rows),) = world.receipt_evidence.objects.items()
    (row,) = rows
    notice = world.notice("D0001")
    assert row["notice_id"] == notice.notice_id
    assert row["at"] == world.clock.now().isoformat(timespec="milliseconds")
    kept: dict[str, Any] = next(iter(row["receipts"]))  # type: ignore[call-overload]
    known = world.receipt_ports()["suppressions"].hashes("email", "c0001@example.com")
    assert {name: value for name, value in kept.items() if name != "identity"} == {
        "provider": "mail",
        "channel": "email",
        "kind": "hard_bounce",
        "who": known[0],
        "at": at,
        "attempt": 1,
        "code": "5.1.1",
        "reason": "unknown user",
        "ref": "r-1",
        "raw": "mails/1",
    }
    assert notice.events[-1].report or reference


def test_a_batch_in_which_all_is_known_writes_no_new_proof() -> None:
    world = told()
    receipt = of(world, 1, Kind.DELIVERED)
    record(world, receipt)
    before = dict(world.receipt_evidence.objects)
    record(world, receipt)
    assert world.receipt_evidence.objects == before
    place = next(iter(before))
    world.receipt_evidence.objects.clear()
    record(world, receipt)
    ((again, rows),) = world.receipt_evidence.objects.items()
    assert (again, [row["receipts"] for row in rows]) == (place, [[]]), "a proof that was lost is there again"


# --- what follows ----------------------------------------------------------------------------------


def test_what_bounced_goes_back_to_the_decision_by_slice_in_one_pointer_and_is_due_meanwhile() -> None:
    world = told(3)
    record(world, *(of(world, n, Kind.HARD_BOUNCE) for n in (1, 3)), of(world, 2, Kind.DELIVERED))
    (message,) = world.queues["decide"].messages
    assert message.json()["positions"] == [1, 3]
    due = world.clock.now() + timedelta(minutes=15)
    assert world.notice("D0001").due_at == due.isoformat(timespec="seconds")
    assert world.notice("D0002").due_at == ""
    assert together(world.notice("D0001")) == together(world.notice("D0003"))


def test_a_contact_is_marked_once_for_two_receipts_with_the_worse_one() -> None:
    world = told()
    version = world.contacts.stored[DOMAIN, "C0001"].version
    record(world, of(world, 1, Kind.HARD_BOUNCE), of(world, 1, Kind.COMPLAINT))
    contact = world.contacts.stored[DOMAIN, "C0001"]
    assert contact.email is not None
    assert (contact.email.status, contact.version) == ("complained", version + 1)
    now = world.clock.now().isoformat(timespec="seconds")
    assert contact.changed_at == now
    rows = [(r["at"], r["who"], r["field"], r["from"], r["to"], r["why"]) for r in contact.history]
    assert rows[-1][:4] == (now, "mail", "email status", rows[-1][3])
    assert {row[4] for row in rows} <= {"invalid", "complained"}


def test_an_address_that_is_not_the_customers_any_more_is_listed_and_the_new_one_stays() -> None:
    world = told()
    contact = world.contacts.stored[DOMAIN, "C0001"]
    assert contact.email is not None
    new = Counter(version=contact.version + 1)
    world.change_contact(1, email=type(contact.email)("new@example.com", "new@example.com"))
    record(world, of(world, 1, Kind.HARD_BOUNCE), of(world, 2, Kind.HARD_BOUNCE))
    after, other = (world.contacts.stored[DOMAIN, f"C000{n}"] for n in (1, 2))
    assert after.email is not None
    assert other.email is not None
    assert (after.email.status, after.version) == ("ok", new["version"])
    assert other.email.status == "invalid", "the other customer's is marked all the same"
    assert len(world.suppressions.stored) == 2


@pytest.mark.parametrize("at", ["", "2026-11-20T14:00:00Z"])
def test_who_unsubscribes_at_the_provider_is_unsubscribed_from_all_on_that_channel(at: str) -> None:
    world = told()
    record(world, of(world, 1, Kind.UNSUBSCRIBED, **({"at": at} if at else {})))
    contact = world.contacts.stored[DOMAIN, "C0001"]
    assert contact.opted_out("email", "*")
    assert not contact.opted_out("sms", "*")
    said = contact.statements[-1]
    assert said.by == "receipt mail"
    if at:
        assert datetime.fromisoformat(said.at) == datetime.fromisoformat(at)


def test_an_unsubscription_at_a_time_that_nobody_can_read_was_said_when_it_came() -> None:
    world = told()
    record(world, of(world, 1, Kind.UNSUBSCRIBED, at="yesterday"))
    contact = world.contacts.stored[DOMAIN, "C0001"]
    assert contact.opted_out("email", "*")
    assert contact.statements[-1].at == stamped(world.clock.now())


def test_further_names_of_a_recipient_are_hashed_with_the_first_and_empty_ones_are_none() -> None:
    world = told()
    asked: list[str] = []
    check = world.addresses.check

    def counted(channel: Any, raw: str, country: Any) -> Any:
        asked.append(raw)
        return check(channel, raw, country)

    world.addresses.check = counted  # type: ignore[method-assign]
    record(world, of(world, 1, Kind.HARD_BOUNCE, recipient="", also=("C0001@example.com", "no address")))
    assert asked == ["C0001@example.com", "no address"]
    (entry,) = world.suppressions.stored.values()
    assert entry.address == "hash of email:c0001@example.com"


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_mails_that_prove_nothing_are_reported_when_an_hour_passes_the_limit(limit: int) -> None:
    world = told()
    mails = [
        Receipt(
            "mail", "email", Kind.HARD_BOUNCE, stamp(world.clock.now()), f"{n}" * 32, said_by=Source.ANYBODY
        )
        for n in (1, 2)
    ]
    policy = ReceiptPolicy(unproven_limit=limit)
    counts = record(world, *mails, receipt_policy=policy)
    assert counts == {"unproven": 2}
    text = "reports by mail within an hour that prove nothing, and that changed nothing"
    found = [row for row in raised(world) if row[0] == "unproven_mail"]
    row = ("unproven_mail", "warning", "unknown", "none", text, 2)
    assert found == ([row] if limit <= 2 else [])
    assert all(e.part == f"mails of {world.clock.now():%Y-%m-%dT%H}" for e in world.exceptions.raised)


# --- messages of a queue ---------------------------------------------------------------------------


def test_a_batch_is_recorded_together_and_one_by_one_only_where_that_fails() -> None:
    rows = {name: [Receipt("ses", "email", Kind.SENT, "2026")] for name in ("a", "b")}
    calls: list[int] = []

    def fine(receipts: Any) -> Counter[str]:
        calls.append(len(receipts))
        return Counter(sent=len(receipts))

    assert record_batch(rows, fine) == (Counter(sent=2), {})
    assert calls == [2]

    def failing(receipts: Any) -> Counter[str]:
        calls.append(len(receipts))
        raise ValueError("no")

    calls.clear()
    counts, failed = record_batch({"a": rows["a"]}, failing)
    assert (counts, [str(error) for error in failed.values()], calls) == ({}, ["no"], [1])


@pytest.mark.parametrize(("port", "says"), [("ledger", "notice"), ("contacts", "contact")])
def test_five_tries_are_made_against_other_writers(port: str, says: str) -> None:
    change = {"ledger": change_notice, "contacts": change_contact}[port]
    for times in (4, 5):
        world = told(1)
        interfere(getattr(world, port), times, change(world))
        if times == 4:
            record(world, of(world, 1, Kind.HARD_BOUNCE))
            assert world.notice("D0001").attempts[0].status == Status.BOUNCED
        else:
            with pytest.raises(RuntimeError, match=f"a {says} kept changing under five attempts"):
                record(world, of(world, 1, Kind.HARD_BOUNCE))
