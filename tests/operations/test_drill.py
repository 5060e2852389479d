"""The table of faults: it covers the alarms, and its quickest rows are tried here; `make drill` tries all."""

import pytest

from exnotify.local import ROOT
from exnotify.operations.drill import drill
from exnotify.operations.faults import FAULTS
from tests.container.sam import load_template


def test_every_alarm_is_tripped_by_a_fault() -> None:
    resources = load_template(ROOT / "monitoring.yaml")["Resources"]
    alarms = {n.removesuffix("Alarm") for n, r in resources.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
    assert alarms == {name for fault in FAULTS for name in fault.fires}


def test_a_fault_is_called_by_its_name() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names)


def test_every_expected_alarm_is_one_of_the_template() -> None:
    resources = load_template(ROOT / "monitoring.yaml")["Resources"]
    names = {name.removesuffix("Alarm") for name in resources if name.endswith("Alarm")}
    assert {alarm for fault in FAULTS for alarm in fault.fires} <= names


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a seal lies where no run is", "a rule may not reach the run queue"])
def test_a_fault_trips_its_alarms_and_no_other_and_all_go_off_again(name: str) -> None:
    (fault,) = [fault for fault in FAULTS if fault.name == name]
    result = drill(fault)
    assert result.passed, result
