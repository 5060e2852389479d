"""An operator lifts what providers said of an address, and not what its holder said."""

from dataclasses import replace

import pytest

from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.receipts import Suppression, stopped_from
from exstream_notify.use_cases.release_address import NothingToRelease, release_address
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeContacts, FakeSuppressions
from tests.fakes.examples import a_contact, an_address
from tests.fakes.exceptions import FakeExceptionBus

from .test_other_writers import interfere

HASH = "hash of sms:+12025550101"


def release(suppressions: FakeSuppressions) -> int:
    contacts = FakeContacts()
    contacts.put([a_contact()])
    return len(
        release_address(
            a_contact(), "sms", "operator", "called", contacts=contacts, suppressions=suppressions,
            bus=FakeExceptionBus(), clock=FakeClock(),
        )[1]
    )  # fmt: skip


def stopped(**changes: str) -> FakeSuppressions:
    clock = FakeClock()
    suppressions = FakeSuppressions(now=clock.now)
    entry = Suppression("sms", HASH, **changes)  # type: ignore[arg-type]
    suppressions.put([stopped_from(entry, "sms reply in-1", clock.now())])
    return suppressions


def test_a_customers_own_stop_cannot_be_released_and_leaves_no_trace_of_a_release() -> None:
    suppressions = stopped()
    before = dict(suppressions.stored)

    with pytest.raises(
        NothingToRelease,
        match=r"^the customer stopped it \(sms reply in-1\), and only they can start it again$",
    ):
        release(suppressions)
    assert suppressions.stored == before


def test_beside_a_stop_a_bounce_is_released_and_the_stop_stands() -> None:
    suppressions = stopped(reason="hard", at="2026-11-20T10:00:00.000Z")

    assert release(suppressions) == 1
    assert suppressions.suppressed([("sms", "+12025550101")])


def marked(status: str) -> FakeContacts:
    contacts = FakeContacts()
    first = {"at": "2026-11-01T00:00:00+00:00", "who": "import", "field": "language", "from": "", "to": "en"}
    mobile = an_address("+12025550101", status=status, why="hard_bounce 5.1.1")
    contacts.put([a_contact(mobile=mobile, history=(first,))])
    return contacts


def lift(contacts: FakeContacts, suppressions: FakeSuppressions, channel: Channel = "sms") -> Contact:
    bus = FakeExceptionBus()
    (contact,) = contacts.stored.values()
    after, _ = release_address(
        contact, channel, "ann (operator)", "the customer called", contacts=contacts,
        suppressions=suppressions, bus=bus, clock=FakeClock(),
    )  # fmt: skip
    return after


@pytest.mark.parametrize("times", [0, 1, 4])
def test_a_release_is_written_behind_what_was_there_whoever_else_writes(times: int) -> None:
    contacts, clock = marked("invalid"), FakeClock()
    suppressions = FakeSuppressions(now=clock.now)
    suppressions.put([Suppression("sms", HASH, reason="hard", at="2026-11-20T10:00:00.000Z", version=1)])

    def other() -> None:
        (place,) = contacts.stored
        known = contacts.stored[place]
        contacts.stored[place] = replace(known, version=known.version + 1, country="CA")

    interfere(contacts, times, other)
    after = lift(contacts, suppressions)
    assert after.mobile is not None
    assert (after.mobile.status, after.mobile.why, after.country) == ("ok", "", "CA" if times else None)
    assert after.version == times + 2
    assert after.changed_at == "2026-11-20T15:00:00+00:00"
    assert [(row["field"], row["who"], row["from"], row["to"], row.get("why")) for row in after.history] == [
        ("language", "import", "", "en", None),
        ("mobile status", "ann (operator)", "invalid", "ok", "the customer called"),
    ]
    assert contacts.stored["retail", "C0001"] == after
    assert not suppressions.suppressed([("sms", "+12025550101")])


def test_a_mark_without_an_entry_is_released_too() -> None:
    assert lift(marked("soft"), FakeSuppressions(now=FakeClock().now)).mobile.status == "ok"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("status", "channel", "why"),
    [
        ("ok", "sms", "the address for sms is neither suppressed nor marked"),
        ("opted_out", "sms", r"the customer unsubscribed \(hard_bounce 5.1.1\), and only they can come back"),
    ],
)
def test_what_cannot_be_released_says_why(status: str, channel: Channel, why: str) -> None:
    with pytest.raises(NothingToRelease, match=why):
        lift(marked(status), FakeSuppressions(now=FakeClock().now), channel)


def test_without_an_address_there_is_nothing_to_release() -> None:
    contacts = FakeContacts()
    contacts.put([a_contact(email=None)])
    with pytest.raises(NothingToRelease, match="there is no address for email"):
        lift(contacts, FakeSuppressions(), "email")
