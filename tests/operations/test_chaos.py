"""Chaos: what counts as told twice and as lost, and a small run of it; `make chaos` plays the large ones."""

import os
import signal
import time
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from exnotify.operations import chaos
from exnotify.operations.chaos import Killer, Result, compared, endure, main, records, row


@pytest.mark.parametrize(
    ("outcome", "accepted", "twice", "lost"),
    [
        ("notified", 1, False, False),
        ("notified", 2, True, False),
        ("notified", 0, False, True),
        ("unconfirmed", 1, False, False),
        ("unconfirmed", 0, False, False),
        ("unconfirmed", 2, True, False),
        ("deferred", 0, False, False),
        ("deferred", 1, False, True),
        ("failed", 0, False, False),
        ("failed", 1, False, True),
        ("in_flight", 0, False, True),
        ("in_flight", 1, False, True),
    ],
)
def test_what_the_run_says_is_held_against_what_was_accepted(
    outcome: str, accepted: int, twice: bool, lost: bool
) -> None:
    found = compared(["K1"], {"K1": accepted}, {"K1": outcome})
    assert found == (["K1"] if twice else [], ["K1"] if lost else [])


def test_a_customer_of_whom_the_run_says_nothing_is_lost() -> None:
    assert compared(["K1", "K2"], {"K1": 1}, {"K1": "notified"}) == ([], ["K2"])


@pytest.mark.parametrize(
    "changes",
    [{"balanced": False}, {"asked": False}, {"twice": ["K1"]}, {"lost": ["K1"]}, {"dead": 1}],
)
def test_one_thing_wrong_is_a_run_that_did_not_pass(changes: dict[str, Any]) -> None:
    assert Result(1, 10, balanced=True).passed
    assert not Result(1, 10, **{"balanced": True, **changes}).passed


def test_the_table_says_what_is_wrong() -> None:
    good = Result(
        3, 1000, Counter(SendNoticesFunction=50), 990, outcomes={"notified": 990, "unconfirmed": 10}
    )
    assert row(good).split()[:7] == ["3", "1000", "50", "990", "0", "0", "0"]
    assert "NO: stalled" in row(Result(3, 1000, ended="stalled"))
    assert "no incident is open" in row(Result(3, 1000, balanced=True, asked=False))


def test_records_are_of_their_seed_and_each_customer_has_an_address_of_their_own() -> None:
    rows = records(3, 1000)
    assert rows == records(3, 1000) != records(4, 1000)
    for where in ("email", "mobile"):
        addresses = [row[where] for row in rows if where in row]
        assert len(set(addresses)) == len(addresses) > 800
    assert all("email" in row or "mobile" in row for row in rows)


def test_only_workers_that_are_at_work_are_killed_and_so_many_as_are_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))
    monkeypatch.setattr(chaos, "_PAUSE", 0.0)
    busy = iter([[], [("SendNoticesFunction", 7)], [], [("StageRunFunction", 8)], [("StageRunFunction", 9)]])
    cloud = SimpleNamespace(messages=[1] * 100, busy_workers=lambda: next(busy))
    killer = Killer(cast("Any", cloud), seed=1, number=3, messages=100)
    with killer.at_work():
        while killer.killed.total() < 3:
            time.sleep(0.01)
    assert killed == [(7, signal.SIGKILL), (8, signal.SIGKILL), (9, signal.SIGKILL)]
    assert killer.killed == {"SendNoticesFunction": 1, "StageRunFunction": 2}


def test_kills_that_are_left_do_not_wait_for_messages_that_never_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "kill", lambda pid, number: None)
    monkeypatch.setattr(chaos, "_PAUSE", 0.0)
    monkeypatch.setattr(chaos, "_STILL", 0.05)
    cloud = SimpleNamespace(messages=[1], busy_workers=lambda: [("SendNoticesFunction", 7)])
    killer = Killer(cast("Any", cloud), seed=1, number=4, messages=100)
    deadline = time.monotonic() + 10
    with killer.at_work():
        while killer.killed.total() < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert killer.killed.total() == 4


def test_fewer_kills_than_wanted_are_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        chaos,
        "endure",
        lambda seed, documents, kills: Result(seed, documents, Counter(F=seed), balanced=True),
    )
    assert main(["--seeds", "5", "--documents", "10", "--kills", "5"]) == 0
    assert main(["--seeds", "5,4", "--documents", "10", "--kills", "5"]) == 1
    assert "killed: 9 F" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["--seeds", "1-3"])
    assert ended.value.code == 2
    assert "numbers with commas between them" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_endures_its_kills() -> None:
    result = endure(7, 24, 3)
    assert result.passed, result
    assert result.killed.total() == 3
    assert sum(result.outcomes.values()) == 24
    assert result.accepted >= result.outcomes["notified"]
