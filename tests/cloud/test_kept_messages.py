"""What `exnotify up --data DIR` keeps: a second one goes on behind the first, and writes nothing over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from exnotify.local import _Archive
from exnotify.simulators.store import SimulatedMessage


def a_message(number: int, text: str) -> SimulatedMessage:
    at = datetime(2026, 11, 20, 15, tzinfo=UTC)
    return SimulatedMessage(
        number, "sms", "sms", "+12025550101", "+12025550100", "", text, "n:1", "j", "m", at
    )


def kept(folder: Path) -> list[str]:
    return [path.name for path in sorted(folder.iterdir())]


def test_a_second_one_goes_on_behind_the_first(tmp_path: Path) -> None:
    for texts in (("one", "two"), ("three", "four", "five"), ("six",)):
        archive = _Archive(tmp_path)
        for number, text in enumerate(texts, 1):
            archive.keep(a_message(number, text), ())
    assert kept(tmp_path) == [f"{n:06d}.txt" for n in range(1, 7)]
    words = [(tmp_path / name).read_text("utf-8").split()[-1] for name in kept(tmp_path)]
    assert words == ["one", "two", "three", "four", "five", "six"]


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "000041.eml").write_text("an earlier one")
    _Archive(tmp_path).keep(a_message(1, "new"), ())
    assert kept(tmp_path) == ["000041.eml", "000042.txt", "notes.txt"]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_two_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    archives = [_Archive(tmp_path), _Archive(tmp_path)]
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda n: archives[n % 2].keep(a_message(n, f"text-{n}"), ()), range(40)))
    words = {(tmp_path / name).read_text("utf-8").split()[-1] for name in kept(tmp_path)}
    assert words == {f"text-{n}" for n in range(40)}
