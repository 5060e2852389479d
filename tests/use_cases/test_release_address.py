"""An operator lifts what providers said of an address, and not what its holder said."""

import pytest

from exstream_notify.domain.receipts import Suppression, stopped_from
from exstream_notify.use_cases.release_address import NothingToRelease, release_address
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeContacts, FakeSuppressions
from tests.fakes.examples import a_contact
from tests.fakes.exceptions import FakeExceptionBus

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

    with pytest.raises(NothingToRelease, match="sms reply in-1"):
        release(suppressions)
    assert suppressions.stored == before


def test_beside_a_stop_a_bounce_is_released_and_the_stop_stands() -> None:
    suppressions = stopped(reason="hard", at="2026-11-20T10:00:00.000Z")

    assert release(suppressions) == 1
    assert suppressions.suppressed([("sms", "+12025550101")])
