"""What is kept between invocations is read again in time, though the instance was frozen or its clock set back."""

import pytest

from exstream_notify.adapters.kept import Kept


class Source:
    """Counts how often it is read."""

    def __init__(self) -> None:
        self.read = 0
        self.fails = False

    def __call__(self) -> int:
        """The number of this reading."""
        if self.fails:
            raise OSError("not to be had")
        self.read += 1
        return self.read


def test_a_value_is_read_once_and_again_after_its_time() -> None:
    source, now = Source(), [1_800_000_000.0]
    kept = Kept(source, 60.0, lambda: now[0])
    assert source.read == 0
    assert [kept.get(), kept.get()] == [1, 1]
    now[0] += 59.9
    assert kept.get() == 1
    now[0] += 0.1
    assert kept.get() == 2
    assert kept.fresh() == 3
    assert kept.get() == 3


@pytest.mark.parametrize("passes", [3600.0, -1.0, -3600.0])
def test_a_freeze_or_a_clock_that_was_set_back_has_it_read_again(passes: float) -> None:
    source, now = Source(), [1_800_000_000.0]
    kept = Kept(source, 60.0, lambda: now[0])
    kept.get()

    now[0] += passes

    assert kept.get() == 2
    now[0] += 59.0
    assert kept.get() == 2


def test_what_cannot_be_read_again_is_not_used_any_longer() -> None:
    source, now = Source(), [1_800_000_000.0]
    kept = Kept(source, 60.0, lambda: now[0])
    kept.get()
    now[0] += 60.0
    source.fails = True

    for _ in range(2):
        with pytest.raises(OSError, match="not to be had"):
            kept.get()
    source.fails = False
    assert kept.get() == 2
