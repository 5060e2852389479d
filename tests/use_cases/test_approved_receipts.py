"""Stories of receipts, bounces and what follows, with everything that they leave compared with an approved file."""

from datetime import timedelta
from typing import Any

from syrupy.assertion import SnapshotAssertion

from exstream_notify.domain.receipts import Kind, Receipt, Source, stamp
from exstream_notify.use_cases.release_address import release_address
from tests.fakes import FakeProvider, a_document, a_rule
from tests.use_cases.remains import remains_of
from tests.use_cases.stories import documents, played
from tests.use_cases.world import DOMAIN, World

REGULATED = a_rule(name="policy", wording="policy", message_class="regulated", paper_on_failure=True)
LETTER = a_rule(name="letter", wording="letter", channels=("email",), urgent=True)
COPIED = a_rule(name="copied", wording="copied", teams=("audit",), team_copy="each")


def told(world: World, number: int, kind: Kind, **changes: object) -> Receipt:
    """What is reported of the newest message to a customer."""
    mine = {f"c{number:04d}@example.com", f"+1202555{100 + number:04d}"}
    delivered = [d for d in world.outbox if d.to in mine][-1]
    hashes = (f"hash of {delivered.channel}:{delivered.to}",)
    return world.receipt(delivered, kind, **{"hashes": hashes, **changes})


def test_each_kind_of_receipt(approved: SnapshotAssertion) -> None:
    """A message for each kind, the first of them reported twice; one falls back and bounces again."""
    world = played(a_rule(), REGULATED, LETTER)
    kinds = [kind for kind in Kind if kind not in (Kind.UNKNOWN, Kind.SENT)]
    types = ["policy" if n % 5 == 3 else "letter" if n % 5 == 4 else "statement" for n in range(len(kinds))]
    world.drop("run-1", *documents(*types))
    world.drain()
    world.clock.advance(minutes=7)
    receipts = [
        told(world, n, kind, reason="in words", sender="news@example.com") for n, kind in enumerate(kinds, 1)
    ]
    world.report(receipts[0], *receipts)
    world.drain()
    world.report(
        told(world, 3, Kind.HARD_BOUNCE), told(world, 4, Kind.HARD_BOUNCE, sole=False, hashes=("another",))
    )
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved


def test_receipts_out_of_order(approved: SnapshotAssertion) -> None:
    """Before the record, after a fallback, of strangers, by mail, and of an address that was released."""
    world = played(a_rule(), COPIED, REGULATED, LETTER)
    stranger = Receipt(
        "mail", "email", Kind.DELIVERED, "2026-11-20T14:00:00.000Z", notice_id="f" * 32, attempt=1, ref="x"
    )
    nameless = Receipt(
        "mail", "email", Kind.HARD_BOUNCE, "2026-11-20T14:00:00.000Z", hashes=("hash of email:z",)
    )
    world.report(stranger, nameless)
    world.drain()
    world.drop("run-1", *documents("statement", "copied", "policy", "statement", "letter", "statement"))
    world.drain()
    world.clock.advance(minutes=3)
    late = told(world, 1, Kind.DELIVERED, at=stamp(world.clock.now() + timedelta(minutes=5)))
    copy = next(d for d in world.outbox if d.to == "audit@example.com")
    for_mail = {"said_by": Source.BEARER, "raw": "mails/1"}
    world.report(
        told(world, 1, Kind.HARD_BOUNCE),
        told(world, 4, Kind.DELAYED, until=stamp(world.clock.now() + timedelta(hours=30))),
        told(world, 6, Kind.SOFT_BOUNCE, **for_mail),
        told(world, 3, Kind.HARD_BOUNCE, said_by=Source.ANYBODY),
        told(world, 5, Kind.COMPLAINT),
        world.receipt(copy, Kind.HARD_BOUNCE),
    )
    world.drain()
    world.report(late, told(world, 6, Kind.HARD_BOUNCE), told(world, 6, Kind.DELIVERED))
    world.drain()
    ports: dict[str, Any] = {
        "contacts": world.contacts,
        "suppressions": world.suppressions,
        "bus": world.exceptions,
    }
    contact = world.contacts.stored[DOMAIN, "C0001"]
    release_address(contact, "email", "ann", "the customer called", clock=world.clock, **ports)
    world.drop("run-2", a_document(1, document_id="D-NEXT"), a_document(5, document_id="D-FIVE", mobile=None))
    world.drain()
    world.clock.advance(hours=5)
    world.poll()
    world.come_to_rest()
    world.clock.advance(hours=25)
    world.poll()
    world.come_to_rest()
    world.check()
    assert remains_of(world, evidence=True) == approved


def test_silence_until_the_deadline(approved: SnapshotAssertion) -> None:
    """No receipt comes: a provider that answers is asked, and each type follows its own rule."""
    world = played(
        a_rule(deadline_hours=24),
        a_rule(name="ad", wording="ad", on_no_receipt="ignore", deadline_hours=24),
        a_rule(name="claim", wording="claim", on_no_receipt="other_channel", deadline_hours=24),
        a_rule(
            name="policy", wording="policy", on_no_receipt="paper", paper_on_failure=True, deadline_hours=24
        ),
    )
    world.providers["opentext"] = FakeProvider("opentext", world.clock)
    world.providers_by_channel["email"] = "opentext"
    world.drop("run-1", *documents("ad", "statement", "claim", "policy", "statement", "statement"))
    world.drain()
    first = world.notice("D0002").attempts[0].ref
    world.status_source.receipts[first] = [told(world, 2, Kind.DELIVERED, ref=first)]
    for hours in (5, 16, 4, 2):
        world.clock.advance(hours=hours)
        world.poll()
        world.drain()
    world.report(told(world, 5, Kind.DELIVERED))
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved


def test_many_bounces_stop_a_channel(approved: SnapshotAssertion) -> None:
    """Bounces and complaints above the limit: marketing waits until they are fewer."""
    world = played(a_rule(), a_rule(name="news", wording="news", message_class="marketing", topic="news"))
    world.drop("run-1", *documents(*["statement"] * 12))
    world.drain()
    world.report(*(told(world, n, Kind.HARD_BOUNCE if n < 4 else Kind.DELIVERED) for n in range(1, 13)))
    world.drain()
    world.poll()
    world.drop("run-2", a_document(20, document_type="news"), a_document(21))
    world.drain()
    world.wait_until(world.clock.now() + timedelta(hours=3))
    world.clock.advance(hours=25)
    world.poll()
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved


def test_mails_that_prove_nothing(approved: SnapshotAssertion) -> None:
    """Anybody's mails are counted, and looked at by a person from a limit on; a bearer's are believed in part."""
    world = played(a_rule(), REGULATED)
    world.drop("run-1", *documents("statement", "statement", "policy"))
    world.drain()
    anybody = {"said_by": Source.ANYBODY, "raw": "mails/1"}
    for _ in range(21):
        world.report(told(world, 1, Kind.HARD_BOUNCE, **anybody))
    world.report(told(world, 1, Kind.OPENED, **anybody))
    for kind in (Kind.DELIVERED, Kind.NOT_DELIVERED, Kind.COMPLAINT, Kind.UNSUBSCRIBED):
        world.report(told(world, 2, kind, said_by=Source.BEARER, raw=f"mails/{kind}"))
    world.report(told(world, 3, Kind.HARD_BOUNCE, said_by=Source.BEARER, raw="mails/2"))
    world.come_to_rest()
    world.check()
    assert remains_of(world, evidence=True) == approved
