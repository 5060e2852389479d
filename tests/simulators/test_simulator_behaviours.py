"""Who misbehaves how; and faults of a whole provider."""

import json
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from exnotify.simulators import BEHAVIOURS, Behaviour, Conduct, Fate, Fault, Faults, Simulators, behaviour_of

ORDINARY = Behaviour("", "")


def test_each_word_and_each_number_means_one_thing() -> None:
    assert len({row.word for row in BEHAVIOURS}) == len({row.digits for row in BEHAVIOURS}) == len(BEHAVIOURS)
    assert all(row.word.isalpha() and len(row.digits) == 2 and row.digits.isdigit() for row in BEHAVIOURS)


def test_the_table_has_every_conduct_and_every_fate() -> None:
    assert {row.conduct for row in BEHAVIOURS} == set(Conduct)
    assert {row.fate for row in BEHAVIOURS} == set(Fate)


@pytest.mark.parametrize("row", BEHAVIOURS, ids=lambda row: row.word)
def test_each_row_by_address_and_by_number(row: Behaviour) -> None:
    for address in (
        "{}@example.com",
        "{}-7@example.com",
        "{}+x@example.com",
        "{}.ann@example.com",
        "{}12@example.com",
    ):
        assert behaviour_of(address.format(row.word)) == row
    assert behaviour_of(f"{row.word.upper()}@example.com") == row
    assert behaviour_of(f"+130255501{row.digits}") == row


@pytest.mark.parametrize("row", BEHAVIOURS, ids=lambda row: row.word)
def test_nobody_misbehaves_by_chance(row: Behaviour) -> None:
    for address in (
        f"{row.word}er@example.com",
        f"ann.{row.word}@example.com",
        f"ann@{row.word}.example.com",
    ):
        assert behaviour_of(address) == ORDINARY
    assert behaviour_of(f"+120255501{row.digits}") == ORDINARY
    assert behaviour_of(f"+130255502{row.digits}") == ORDINARY


@pytest.mark.parametrize("number", range(100))
def test_the_numbers_of_the_examples_all_behave(number: int) -> None:
    assert behaviour_of(f"+120255501{number:02}") == ORDINARY


# ---- Faults ----


def test_no_fault_unless_switched_on() -> None:
    faults = Faults()
    assert [faults.draw("ses", str(n).encode()) for n in range(100)] == [None] * 100


@settings(max_examples=30)
@given(st.floats(0, 0.3), st.floats(0, 0.3), st.floats(0, 0.3), st.integers(0, 5))
def test_faults_come_as_often_as_asked(throttle: float, hang: float, drop: float, seed: int) -> None:
    faults = Faults(seed)
    faults.set("ses", throttle=throttle, hang=hang, drop=drop)
    drawn = [faults.draw("ses", str(n).encode()) for n in range(1000)]
    for fault, share in ((Fault.THROTTLE, throttle), (Fault.HANG, hang), (Fault.DROP, drop)):
        assert abs(drawn.count(fault) / 1000 - share) < 0.08


def test_chance_depends_on_the_seed_and_not_on_the_order_of_threads() -> None:
    def run(seed: int, order: list[int]) -> dict[int, list[Fault | None]]:
        faults = Faults(seed)
        faults.set("opentext", throttle=0.5)
        found: dict[int, list[Fault | None]] = {n: [] for n in order}

        def work(numbers: list[int]) -> None:
            for n in numbers:
                found[n] += [faults.draw("opentext", str(n).encode()) for _ in range(4)]

        threads = [threading.Thread(target=work, args=(order[k::4],)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    forward, backward = run(1, list(range(200))), run(1, list(range(199, -1, -1)))
    assert forward == backward
    assert run(2, list(range(200))) != forward


def test_a_throttled_message_gets_through_in_the_end() -> None:
    faults = Faults()
    faults.set("ses", throttle=0.5)
    assert all(None in [faults.draw("ses", str(n).encode()) for _ in range(30)] for n in range(50))


def test_each_provider_has_its_own_faults() -> None:
    faults = Faults()
    faults.set("sms", down=True)
    assert (faults.draw("sms", b""), faults.draw("ses", b"")) == (Fault.DOWN, None)
    faults.clear()
    assert faults.draw("sms", b"") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"throttle": 1.1},
        {"throttle": -0.1},
        {"throttle": "0.1"},
        {"throttle": True},
        {"throttle": float("nan")},
        {"down": 1},
        {"throttle": 0.6, "drop": 0.6},
        {"slow": 1000},
        {"on_fire": True},
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, Any]) -> None:
    faults = Faults()
    with pytest.raises(ValueError):  # noqa: PT011
        faults.set("ses", **changes)
    assert faults.all() == {}


def test_faults_are_switched_over_http(simulators: Simulators) -> None:
    client = Client(simulators)
    answer = client.post("/simulators/faults", json={"ses": {"throttle": 0.25}, "sms": {"down": True}})
    assert answer.status_code == 200
    assert client.get("/simulators/faults").json["ses"]["throttle"] == 0.25
    assert simulators.faults.of("sms").down is True
    assert client.delete("/simulators/faults").json["sms"]["down"] is False
    assert simulators.faults.of("sms").down is False


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"fax": {}}', "application/json", 400),
        (b'{"ses": 1}', "application/json", 400),
        (b'{"ses": {"throttle": 2}}', "application/json", 400),
        (b'{"ses": {"unknown": 2}}', "application/json", 400),
    ],
)
def test_switches_refuse_what_they_do_not_know(
    simulators: Simulators, body: bytes, kind: str, status: int
) -> None:
    answer = Client(simulators).post("/simulators/faults", data=body, content_type=kind)
    assert answer.status_code == status
    assert json.loads(answer.data)["error"]
    assert simulators.faults.all() == {}
