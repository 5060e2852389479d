"""Numbers that their holders stopped, on the Suppressions table as in the template."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from exstream_notify.adapters.dynamodb.contacts import DynamoSuppressions
from exstream_notify.adapters.dynamodb.opt_outs import DynamoOptOuts
from exstream_notify.domain.receipts import Suppression
from tests.adapters.conftest import Tables

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
LATER, LAST = NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)
OLD, CURRENT = b"old pepper", b"current pepper"
_NUMBERS = itertools.count(1)


def a_number() -> str:
    return f"+12025550{next(_NUMBERS):03d}"


def listed(tables: Tables, *peppers: bytes) -> DynamoOptOuts:
    """The list under these peppers, the last of them current."""
    known = {str(number): pepper for number, pepper in enumerate(peppers or (CURRENT,), 1)}
    return DynamoOptOuts(tables.client, tables.suppressions, lambda: known)


def test_a_stop_holds_until_it_is_allowed_again_and_both_say_whether_they_did_it(tables: Tables) -> None:
    outs, number = listed(tables), a_number()
    assert outs.stopped_by("sms", number) is None
    assert outs.stop("sms", number, "sms reply 1", NOW)
    assert not outs.stop("sms", number, "sms reply 2", NOW)
    assert outs.stopped_by("sms", number) == "sms reply 1"
    assert outs.suppressed([("sms", number), ("email", number)]) == {("sms", number)}

    assert not outs.allow("sms", number, "sms reply 3", NOW), "the same moment goes to the stop"
    assert outs.allow("sms", number, "sms reply 3", LATER)
    assert not outs.allow("sms", number, "sms reply 4", LATER)
    assert outs.stopped_by("sms", number) is None
    assert outs.suppressed([("sms", number)]) == set()
    assert outs.stop("sms", number, "sms reply 5", LAST)
    assert outs.stopped_by("sms", number) == "sms reply 5"


def test_a_stop_under_an_older_pepper_holds_and_is_allowed_again(tables: Tables) -> None:
    number = a_number()
    listed(tables, OLD).stop("sms", number, "sms reply 1", NOW)
    outs = listed(tables, OLD, CURRENT)
    assert outs.stopped_by("sms", number) == "sms reply 1"
    assert not outs.stop("sms", number, "sms reply 2", NOW), "it stands already"
    assert outs.allow("sms", number, "sms reply 3", LATER)
    assert outs.suppressed([("sms", number)]) == set()


def test_a_stop_that_comes_late_does_not_end_what_was_started_after_it(tables: Tables) -> None:
    outs, number = listed(tables), a_number()
    assert not outs.allow("sms", number, "sms reply 2", LATER)
    assert outs.suppressed([("sms", number)]) == set(), "a START alone suppresses nothing"

    assert not outs.stop("sms", number, "sms reply 1", NOW)
    assert outs.stopped_by("sms", number) is None
    assert outs.stop("sms", number, "sms reply 3", LAST)
    assert not outs.allow("sms", number, "sms reply 2", LATER)
    assert outs.stopped_by("sms", number) == "sms reply 3"


@pytest.mark.parametrize("expires", ["", "2026-11-27T15:00:00+00:00"])
def test_a_stop_stands_beside_a_bounce_and_each_ends_by_itself(tables: Tables, expires: str) -> None:
    outs, number = listed(tables), a_number()
    (place,) = [("sms", one) for one in outs.hashes("sms", number)]
    bounced = Suppression("sms", place[1], reason="hard", source="receipt", expires=expires, version=1)
    assert outs.put([bounced]) == set()
    assert outs.stop("sms", number, "sms reply 1", NOW)
    assert outs.stopped_by("sms", number) == "sms reply 1"
    # The bounce's own end is no end of the stop: the table deletes nothing.
    assert "expires" not in tables.client.get_item(
        TableName=tables.suppressions, Key={"pk": {"S": f"sms#{place[1]}"}}
    ).get("Item", {"expires": "gone"})
    assert outs.allow("sms", number, "sms reply 2", LATER)
    entry = outs.entries([place])[place]
    assert (entry.reason, entry.expires, entry.stopped) == ("hard", expires, "")


def test_what_a_stop_wrote_every_reader_of_the_list_heeds_and_no_number_stands_there(tables: Tables) -> None:
    number = a_number()
    listed(tables).stop("sms", number, "sms reply 1", NOW)
    reader = DynamoSuppressions(tables.client, tables.suppressions, lambda: {"1": CURRENT})
    assert reader.suppressed([("sms", number)]) == {("sms", number)}
    items = tables.client.scan(TableName=tables.suppressions)["Items"]
    assert number not in str(items)
    assert number[1:] not in str(items)


def test_topics_stand_beside_a_stop_and_suppress_nothing_by_themselves(tables: Tables) -> None:
    outs, number = listed(tables, OLD, CURRENT), a_number()

    def topics() -> set[str]:
        entries = outs.entries([("sms", one) for one in outs.hashes("sms", number)]).values()
        return {topic for entry in entries for topic in entry.topics}

    for names in (["bills"], ["statements", "bills"], ["bills"]):
        outs.stop_topics("sms", number, names, "erasure by ann", NOW)
    assert topics() == {"bills", "statements"}
    assert outs.suppressed([("sms", number)]) == set()
    assert outs.stopped_by("sms", number) is None
    outs.stop("sms", number, "sms reply 1", NOW)
    assert (topics(), outs.suppressed([("sms", number)])) == ({"bills", "statements"}, {("sms", number)})
    assert outs.allow("sms", number, "sms reply 2", NOW + timedelta(seconds=1))
    assert topics() == {"bills", "statements"}, "a START takes back what a STOP stopped"


class Meddled(DynamoOptOuts):
    """Somebody else writes the entry just before the first write."""

    meddle = True

    def put(self, entries: list[Suppression]) -> set[tuple[str, str]]:  # type: ignore[override]
        if self.meddle:
            self.meddle = False
            other = [
                Suppression(e.channel, e.address, reason="complaint", source="receipt", version=e.version)
                for e in entries
            ]
            assert super().put(other) == set()
        return super().put(entries)  # type: ignore[return-value]


def test_a_complaint_that_comes_at_the_same_moment_is_kept(tables: Tables) -> None:
    number = a_number()
    outs = Meddled(tables.client, tables.suppressions, lambda: {"1": CURRENT})
    assert outs.stop("sms", number, "sms reply 1", NOW)
    (place,) = [("sms", one) for one in outs.hashes("sms", number)]
    entry = outs.entries([place])[place]  # type: ignore[list-item,index]
    assert (entry.reason, entry.stopped) == ("complaint", "sms reply 1")
