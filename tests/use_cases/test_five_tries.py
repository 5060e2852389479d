"""Every writer makes five tries against others who are faster, then leaves the work to its next delivery.

What each does while others write is in the tests of its rule; here is how often, and what it says at the end.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from exstream_notify.domain.debt_hold import DebtHold
from exstream_notify.domain.documents import Document
from exstream_notify.domain.journeys import Delay, JourneyRule, Step
from exstream_notify.domain.notices import Status, happened
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.runs import Control
from exstream_notify.use_cases.control_journeys import stop_notices
from exstream_notify.use_cases.hold_collection import HoldPorts, dun_again, hold_collection
from exstream_notify.use_cases.release_address import release_address
from tests.fakes import FakeRules, a_contact, a_document, a_rule
from tests.use_cases.test_other_writers import (
    change_contact,
    change_notice,
    change_suppression,
    interfere,
    notified,
)
from tests.use_cases.test_owner_notices import change_address, known
from tests.use_cases.world import DOMAIN, World

NIGHT = "2026-11-20T03:30:00+00:00"
HOLD = DebtHold(("operator",), "2026-11-20T14:00:00Z", "operator ann", "an attorney's letter")
JOURNEY = JourneyRule("reminder", ("statement",), (Step(Delay(days=2), end="event"),))


@dataclass(frozen=True)
class Writer:
    """Somebody who writes through `port` while others make `change`; the last of its tries is write `last`."""

    port: str
    change: Callable[[World], Callable[[], None]]
    given: Callable[[], World]
    acts: Callable[[World], object]
    came: Callable[[World], object]
    says: str
    last: int = 5


def change_run(world: World) -> Callable[[], None]:
    def change() -> None:
        run = world.run("run-1")
        world.runs._runs[run.name] = replace(run, version=run.version + 1, app="another")

    return change


def hold_ports(world: World) -> HoldPorts:
    return HoldPorts(world.contacts, world.ledger, world.rules, world.exceptions, world.clock)


def lifts(world: World, channel: Any = "email") -> object:
    ports: dict[str, Any] = {
        "contacts": world.contacts,
        "suppressions": world.suppressions,
        "bus": world.exceptions,
    }
    return release_address(
        world.contacts.stored[DOMAIN, "C0001"], channel, "ann", "called", clock=world.clock, **ports
    )


def decides(world: World, *documents: Document) -> None:
    world.drop("run-2", *documents)
    while world.queues["run"].ready():
        world.step()
    for message in world.queues["decide"].ready():
        world._decide(message.json(), lambda: 60.0)
        world.queues["decide"].delete(message)


def waiting() -> World:
    world = World(at=NIGHT)
    world.drop("run-1", a_document(1, email=None))
    world.drain()
    return world


def bounced() -> World:
    world = notified()
    world.report(world.receipt(world.outbox[0], Kind.HARD_BOUNCE))
    world.drain()
    return world


def held() -> World:
    world = notified()
    assert hold_collection(DOMAIN, "C0001", HOLD, hold_ports(world))
    return world


def queued() -> World:
    world = World()
    world.drop("run-1", a_document(1))
    while not world.queues["email"].ready():
        world.step()
    return world


def change_claim(world: World) -> Callable[[], None]:
    """As `change_notice`, once there is a notice."""
    change = change_notice(world)
    return lambda: change() if world.ledger.notices else None


def sends(world: World) -> None:
    (message,) = world.queues["email"].ready()
    world._send(message.json(), lambda: 600.0)


def silent() -> World:
    world = World(a_rule(deadline_hours=24))
    world.drop("run-1", a_document(1))
    world.drain()
    world.clock.advance(hours=25)
    return world


def unanswered() -> World:
    world = World(site_rules=FakeRules(a_rule(), journeys=(JOURNEY,)))
    world.drop("run-1", a_document(1))
    world.drain()
    return world


def follows(world: World) -> None:
    world.follow_until(datetime.fromisoformat("2026-11-23T15:00:00+00:00"))


def status_of(name: str = "D0001") -> Callable[[World], object]:
    return lambda world: world.notice(name).status


def last_event(world: World) -> object:
    event = world.notice("D0001").events[-1]
    return event.what, event.detail


def of_contact(name: str) -> Callable[[World], object]:
    return lambda world: getattr(world.contacts.stored[DOMAIN, "C0001"], name)


def email_status(world: World) -> object:
    email = world.contacts.stored[DOMAIN, "C0001"].email
    return email and email.status


WRITERS = {
    "stops a journey": Writer(
        "ledger", change_notice, notified,
        lambda w: stop_notices([w.notice("D0001")], "ann", "a call", ledger=w.ledger, clock=w.clock),
        last_event, "notices kept changing under five attempts to write to them",
    ),
    "controls a run": Writer(
        "runs", change_run, notified, lambda w: w.control("run-1", Control.CANCEL), lambda w: w.run("run-1").control,
        "run retail/run-1 kept changing",
    ),
    "hears a record": Writer(
        "contacts", change_contact, notified, lambda w: decides(w, a_document(1, document_id="D2", postcode="10001")),
        of_contact("postcode"), "contacts kept changing under five attempts to update them",
    ),
    "decides over another run's notice": Writer(
        "ledger", change_notice, waiting, lambda w: decides(w, a_document(1, email=None)),
        lambda w: [heir.run for heir in w.notice("D0001").heirs],
        "notices of another run kept changing under five attempts to decide on them", last=6,  # it has no tombstones
    ),
    "supersedes": Writer(
        "ledger", change_notice, waiting,
        lambda w: decides(w, a_document(1, document_id="D2", email=None, supersedes="D0001")), status_of(),
        "notices to supersede kept changing under five attempts", last=10,
    ),
    "holds collection": Writer(
        "contacts", change_contact, notified, lambda w: hold_collection(DOMAIN, "C0001", HOLD, hold_ports(w)),
        lambda w: w.contacts.stored[DOMAIN, "C0001"].debt_hold is not None,
        "a contact of retail kept changing under five attempts to hold it",
    ),
    "lifts a hold": Writer(
        "contacts", change_contact, held, lambda w: dun_again(DOMAIN, "C0001", "ann", "settled", hold_ports(w)),
        lambda w: w.contacts.stored[DOMAIN, "C0001"].debt_hold.lifted_at,  # type: ignore[union-attr]
        "a contact of retail kept changing under five attempts to lift its hold",
    ),
    "erases": Writer(
        "contacts", change_contact, notified, lambda w: w.erase(1), of_contact("erased_by"),
        "the contact kept changing under five attempts to erase it",
    ),
    "records a response": Writer(
        "ledger", change_notice, notified,
        lambda w: w.respond("responded", customer_key="C0001", document_id="D0001", event_id="e"),
        lambda w: w.notice("D0001").responses, "a notice kept changing under five attempts to record a response",
    ),
    "releases an entry": Writer(
        "suppressions", change_suppression, bounced, lifts, email_status,
        "a suppression kept changing under five attempts to lift it",
    ),
    "releases a mark": Writer(
        "contacts", change_contact, bounced, lifts, email_status,
        "the contact kept changing under five attempts to change it",
    ),
    "records a send": Writer(  # the claim, the record, and five tries
        "ledger", change_claim, queued, sends, status_of(),
        "a notice kept changing under five attempts to record its result", last=7,
    ),
    "finds a receipt overdue": Writer(
        "ledger", change_notice, silent, lambda w: w.poll(), lambda w: w.notice("D0001").events[-1].what,
        "notices kept changing under five attempts to say that their receipt is overdue",
    ),
    "ends a journey": Writer(
        "ledger", change_notice, unanswered, follows, last_event,
        "notices kept changing under five attempts to end their journey", last=6,  # nothing is given up
    ),
}  # fmt: skip


def undisturbed(writer: Writer) -> object:
    world = writer.given()
    writer.acts(world)
    return writer.came(world)


@pytest.mark.parametrize("name", WRITERS)
def test_the_last_try_counts(name: str) -> None:
    writer = WRITERS[name]
    world = writer.given()
    calls = interfere(getattr(world, writer.port), writer.last - 1, writer.change(world))
    writer.acts(world)
    assert len(calls) == writer.last - 1
    assert writer.came(world) == undisturbed(writer)


@pytest.mark.parametrize("name", WRITERS)
def test_one_more_is_left_to_the_next_delivery(name: str) -> None:
    writer = WRITERS[name]
    world = writer.given()
    interfere(getattr(world, writer.port), writer.last, writer.change(world))
    with pytest.raises((RuntimeError, ExceptionGroup)) as raised:
        writer.acts(world)
    error = raised.value
    (alone,) = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    assert str(alone) == writer.says


@pytest.mark.parametrize("times", [4, 5])
def test_what_a_note_to_the_owner_came_to_is_recorded_at_the_fifth_try(times: int) -> None:
    world = known()
    world.know(a_contact(1, mobile=None))
    claims: list[int] = []
    write = world.ledger.put

    def put(notices: Any) -> Any:
        for notice in notices:
            stored = world.ledger.notices.get(notice.notice_id)
            if stored is not None and stored.status == Status.SENDING and len(claims) < times:
                claims.append(1)
                noted = happened(stored, world.clock.now(), "note", "another writer")
                world.ledger.notices[notice.notice_id] = replace(noted, version=stored.version + 1)
        return write(notices)

    world.ledger.put = put  # type: ignore[method-assign]
    if times == 5:
        with pytest.raises(
            RuntimeError, match="a note kept changing under five attempts to record its result"
        ):
            change_address(world)
    else:
        change_address(world)
        assert {n.status for n in world.ledger.notices.values()} == {Status.SENT}
