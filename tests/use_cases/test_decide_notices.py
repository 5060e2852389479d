"""Deciding a slice: contacts, duplicates, repeats, and what is told of it."""

from dataclasses import replace
from typing import Any

import pytest

from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.messages import GiveUp
from exstream_notify.domain.work import SendJob
from exstream_notify.use_cases.decide_notices import merged_contacts, update_contacts
from tests.fakes import FakeAddresses, FakeClock, FakeContacts, a_contact, a_document, a_rule
from tests.use_cases.world import DOMAIN, World

NIGHT = "2026-11-20T03:30:00+00:00"


def stored(world: World, number: int = 1) -> Contact:
    """A customer's contact."""
    return world.contacts.stored[DOMAIN, f"C{number:04d}"]


def decide_again(world: World) -> None:
    """Deliver every slice of the run once more, as a queue may."""
    pointers = list(world.staging.slices(DOMAIN, "run-1", world.run("run-1").parts))
    world.queues["decide"].send([pointer.to_message() for pointer in pointers])


# --- contacts --------------------------------------------------------------------------------------


def test_a_customer_never_seen_is_kept() -> None:
    world = World()
    world.drop("run-1", a_document(1, language="es"))
    world.come_to_rest()

    contact = stored(world)
    assert (contact.version, contact.language) == (1, "es")
    assert len(contact.salt) == 32


def test_several_documents_of_one_customer_are_one_write() -> None:
    world = World()
    world.drop(
        "run-1",
        a_document(1, document_id="A", mobile=None),
        a_document(1, document_id="B", email=None),
    )
    world.come_to_rest()

    contact = stored(world)
    assert contact.version == 1
    assert contact.email is not None
    assert contact.mobile is not None
    assert world.wire.calls["contacts.put"] == 1


def test_a_test_document_changes_no_contact() -> None:
    world = World()
    world.know(a_contact())
    world.drop(
        "run-1", a_document(1, email="tester@example.com", test_flag=True), a_document(2, test_flag=True)
    )
    world.come_to_rest()

    assert world.contacts.stored == {(DOMAIN, "C0001"): a_contact()}
    assert world.outcomes("run-1") == {"suppressed": 2}


class Contested(FakeContacts):
    """A contact book in which somebody else is faster, so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times = times

    def put(self, contacts: Any) -> list[str]:
        """Another writer's change comes first."""
        if self._times:
            self._times -= 1
            for contact in contacts:
                known = self.stored.get((contact.domain, contact.customer_key))
                other = replace(contact, email=None, mobile=None) if known is None else known
                version = known.version + 1 if known else 1
                self.stored[contact.domain, contact.customer_key] = replace(
                    other, version=version, paper_required=True
                )
        return super().put(contacts)


@pytest.mark.parametrize("times", [1, 4])
def test_another_writers_change_is_never_written_over(times: int) -> None:
    contacts = Contested(times)
    found = update_contacts([a_document(1)], contacts, FakeAddresses(), FakeClock())

    contact = contacts.stored[DOMAIN, "C0001"]
    assert found == {"C0001": contact}
    assert contact.paper_required, "what the other wrote"
    assert contact.email is not None, "and what the record says"
    assert contact.version == times + 1


def test_a_contact_that_never_stands_still_is_given_up_loudly() -> None:
    with pytest.raises(RuntimeError, match="kept changing"):
        update_contacts([a_document(1)], Contested(5), FakeAddresses(), FakeClock())


def test_merging_stores_nothing() -> None:
    contacts = FakeContacts()
    known, changed = merged_contacts([a_document(1)], contacts, FakeAddresses().check, FakeClock())

    assert known == changed
    assert known["C0001"].email is not None
    assert not contacts.stored


def test_no_documents_ask_nothing() -> None:
    assert update_contacts([], FakeContacts(), FakeAddresses(), FakeClock()) == {}


def test_a_suppressed_address_gets_nothing() -> None:
    world = World()
    world.suppressions.addresses.add(("email", "c0001@example.com"))
    world.drop("run-1", a_document(1, email="C0001@Example.com"), a_document(2, mobile=None))
    world.come_to_rest()

    assert world.told() == ["+12025550101", "c0002@example.com"]


# --- duplicates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("slice_records", [1, 2, 3, 10])
@pytest.mark.parametrize("at", ["2026-11-20T15:00:00+00:00", NIGHT])
def test_a_document_that_stands_in_a_run_twice_is_told_once(slice_records: int, at: str) -> None:
    world = World(slice_records=slice_records, at=at)
    document = a_document(1, email=None)
    world.drop("run-1", document, a_document(2), document, document)
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 2, "duplicate": 2}
    assert len(world.outbox) == 2
    world.check()


@pytest.mark.parametrize("at", ["2026-11-20T15:00:00+00:00", NIGHT])
@pytest.mark.parametrize(
    "document", [{}, {"email": None}, {"delivery_channel": "paper"}, {"test_flag": True}]
)
def test_slices_decided_again_add_up_to_the_same(at: str, document: dict[str, Any]) -> None:
    """Also with a duplicate in the slice, and whatever had been decided the first time."""
    world = World(at=at)
    world.drop("run-1", a_document(1, **document), a_document(1, **document), a_document(2))
    world.drain()
    before = world.outcomes("run-1")
    decide_again(world)
    world.drain()
    assert world.outcomes("run-1") == before

    world.come_to_rest()
    decide_again(world)
    world.come_to_rest()
    assert sum(world.outcomes("run-1").values()) == 3
    assert world.outcomes("run-1")["duplicate"] == 1
    world.check()


def test_a_preference_that_changes_between_two_deliveries_tells_nobody_twice() -> None:
    world = World()
    world.drop("run-1", a_document(1))
    world.drain()
    world.change_contact(1, channel_order=("sms", "email"))
    decide_again(world)
    world.come_to_rest()

    assert world.told() == ["c0001@example.com"]
    assert world.outcomes("run-1") == {"notified": 1}


def test_the_same_document_in_another_run_is_a_duplicate_where_the_first_notified() -> None:
    for changes in ({}, {"delivery_channel": "paper"}):
        world = World()
        world.drop("run-1", a_document(1, **changes))
        world.come_to_rest()
        world.drop("run-2", a_document(1))
        world.come_to_rest()

        assert world.outcomes("run-2") == {"duplicate": 1}
        assert len(world.outbox) == (0 if changes else 1)


def test_new_content_notifies_again_where_the_rule_lets_it() -> None:
    for again, told in ((True, 2), (False, 1)):
        world = World(a_rule(notify_on_new_content=again))
        for run, content in (("run-1", "aa"), ("run-2", "bb"), ("run-3", "aa")):
            world.drop(run, a_document(1, content_sha256=content * 32))
            world.come_to_rest()

        assert len(world.outbox) == told
        assert world.outcomes("run-3") == {"duplicate": 1}


def test_a_test_document_does_not_stand_in_the_way_of_the_real_one() -> None:
    world = World()
    world.drop("run-1", a_document(1, test_flag=True))
    world.come_to_rest()
    world.drop("run-2", a_document(1))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"suppressed": 1}
    assert world.outcomes("run-2") == {"notified": 1}


def test_customers_of_two_domains_do_not_meet() -> None:
    world = World()
    world.drop("run-1", a_document(1))
    world.drop("run-1", a_document(1, domain="claims"), domain="claims")
    world.come_to_rest()

    assert world.outcomes("run-1") == world.outcomes("run-1", "claims") == {"notified": 1}
    assert len(world.outbox) == 2


# --- jobs and what is told -------------------------------------------------------------------------


def test_jobs_are_by_channel_provider_and_urgency_and_the_same_again() -> None:
    world = World(a_rule(), a_rule(name="demand", wording="demand", urgent=True))
    world.drop(
        "run-1",
        a_document(1),
        a_document(2, email=None),
        a_document(3, document_type="demand"),
        a_document(4),
    )
    jobs: dict[str, set[str]] = {}
    for _ in range(2):
        while not world.queues["urgent"].messages:
            world.step()
        for queue in ("email", "sms", "urgent"):
            for message in world.queues[queue].messages:
                job = SendJob.from_message(message.json())
                assert job.pointer.positions == ()
                jobs.setdefault(queue, set()).add(f"{job.job_id} {[m.position for m in job.members]}")
            world.queues[queue].messages.clear()
        decide_again(world)

    assert {queue: len(found) for queue, found in jobs.items()} == {"email": 1, "sms": 1, "urgent": 1}
    assert next(iter(jobs["email"])).endswith("[1, 4]")


def test_customers_who_cannot_be_reached_are_told_as_a_list_to_compose_again() -> None:
    world = World()
    nobody = {"email": None, "mobile": None}
    world.drop(
        "run-1",
        a_document(1, customer_in_run=7, **nobody),
        a_document(2),
        a_document(3, customer_in_run=9, **nobody),
    )
    world.come_to_rest()

    (raised,) = world.exceptions.raised
    assert (raised.code, raised.count, raised.customers_in_run) == ("no_channel", 2, (7, 9))
    assert "C0001" not in str(raised), "nothing personal"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "no_channel"),
        ({"message_class": "collections"}, "no_channel"),
        ({"message_class": "regulated"}, "required_unreached"),
        ({"urgent": True}, "required_unreached"),
    ],
)
@pytest.mark.parametrize("email", [None, "gone@example.com"])
def test_who_has_to_be_reached_and_is_not_is_reported_apart(
    changes: dict[str, Any], code: str, email: str | None
) -> None:
    world = World(a_rule(channels=("email",), **changes))
    world.mail.always(GiveUp("mailbox_unknown") if email else None)
    world.drop("run-1", a_document(1, email=email, mobile=None))
    world.come_to_rest()

    found = world.exceptions.codes & {"no_channel", "unreached", "required_unreached"}
    assert found == {"unreached" if email and code == "no_channel" else code}


def test_a_customer_without_a_number_in_the_run_is_counted_but_never_to_be_composed_by_its_position() -> None:
    world = World()
    nobody = {"email": None, "mobile": None}
    world.drop("run-1", a_document(1), a_document(2, customer_in_run=9, **nobody), a_document(3, **nobody))
    world.come_to_rest()

    (raised,) = world.exceptions.raised
    assert (raised.count, raised.customers_in_run) == (2, (9,))


def test_a_slice_of_a_held_run_is_left_undecided() -> None:
    world = World()
    world.drop("run-1", a_document(1))
    while not world.queues["decide"].messages:
        world.step()
    world.control("run-1", world.run("run-1").control.HOLD)
    world.drain()

    assert not world.ledger.notices
    assert not world.contacts.stored
