"""The due index: what is put under a slot is found by whoever walks the hours."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.due import SHARDS, slot, slots

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("item", "shard"), [("00" * 15 + "ff", 3), ("ff" * 15 + "00", 0), ("ff" * 15 + "0a", 2), ("01", 1)]
)
def test_a_slot_is_the_hour_and_a_shard_that_the_end_of_the_id_gives(item: str, shard: int) -> None:
    assert slot(item, "2026-11-20T12:59:59+00:00") == f"2026-11-20T12#{shard}"
    assert SHARDS == 4, "what is stored is found under the number that it was stored with"


@pytest.mark.parametrize(
    "item", ["", "x", "3", "run:retail/run-é", "run:retail/RUN-AB", "watermark", "run-x7", "run-7x"]
)
def test_what_has_no_hexadecimal_end_lies_in_the_first_shard(item: str) -> None:
    assert slot(item, "2026-11-20T12:00:00+00:00") == "2026-11-20T12#0"


def test_slots_run_from_hour_to_hour_oldest_first() -> None:
    found = list(slots(NOON - timedelta(minutes=1), NOON + timedelta(hours=1)))

    assert found == [f"2026-11-20T{hour}#{shard}" for hour in ("11", "12", "13") for shard in range(SHARDS)]


def test_the_hours_run_over_midnight_and_years_end() -> None:
    found = list(slots(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), datetime(2027, 1, 1, 0, 10, tzinfo=UTC)))

    assert {name[:13] for name in found} == {"2026-12-31T23", "2027-01-01T00"}


@given(
    item=st.binary(min_size=16, max_size=16).map(bytes.hex) | st.text(max_size=10),
    due=st.integers(0, 14 * 24 * 3600),
    back=st.integers(0, 7200),
    on=st.integers(0, 7200),
)
def test_what_is_due_in_between_is_walked_over(item: str, due: int, back: int, on: int) -> None:
    at = NOON + timedelta(seconds=due)
    walked = list(slots(at - timedelta(seconds=back), at + timedelta(seconds=on)))

    assert walked.count(slot(item, at.isoformat(timespec="seconds"))) == 1
