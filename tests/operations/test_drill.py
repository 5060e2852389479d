"""The table of faults: it covers the alarms, and its quickest rows are tried here; `make drill` tries all."""

import pytest

from exnotify.operations import watch
from exnotify.operations.drill import FAULTS, drill

# What no fault of the base can cause, and why.
NOT_DRILLED = {
    "Throttles": "reserves no concurrency: nothing here throttles a function",
    "Duration": "a function near its time-out takes minutes of real time",
    "Executions": "no fault for it is written yet: tests/cloud/test_state_machines.py fails executions",
    "ServerErrors": "no fault for it is written yet: tests/cloud/test_http_api.py provokes one",
    "RunMissing": "no fault for it is written yet: tests/use_cases tell the exception behind it",
    "ReceiptsMissing": "no fault for it is written yet: a deadline is days away",
    "IncidentsUnacknowledged": "no fault for it is written yet: tests/use_cases escalate",
    "AlertUndelivered": "no fault for it is written yet: tests/adapters tell the metric",
    "BounceRate": "no fault for it is written yet: it takes a hundred mails at least",
    "ComplaintRate": "no fault for it is written yet: it takes a thousand mails at least",
}


def test_every_kind_of_alarm_is_tripped_by_a_fault_or_says_why_not() -> None:
    tripped = {name for fault in FAULTS for name in fault.fires}
    for name, _ in watch.descriptions():
        drilled = any(one == name or one.endswith(name) for one in tripped)
        assert drilled != (name in NOT_DRILLED), name


def test_every_expected_alarm_is_one_of_the_templates() -> None:
    template = watch.read(watch.TEMPLATE.read_text("utf-8"))
    names = {name.removesuffix("Alarm") for name in watch.alarms(template)}
    assert {alarm for fault in FAULTS for alarm in fault.fires} <= names


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a seal lies where no run is", "the ledger is denied to the sweeper"])
def test_a_fault_trips_its_alarms_and_no_other_and_all_go_off_again(name: str) -> None:
    (fault,) = [fault for fault in FAULTS if fault.name == name]
    result = drill(fault)
    assert result.passed, result
