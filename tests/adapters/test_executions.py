"""Executions of journeys: what they are started with, and whether one runs."""

import json
from typing import Any

import pytest

from exstream_notify.adapters.states import StepFunctions
from exstream_notify.domain.journeys import Cohort

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:FollowUp"
COHORT = Cohort("2026-11-27T15", "retail", "dunning", 2)


class Client:
    """Step Functions with one execution."""

    class exceptions:  # noqa: N801 - boto3's name
        class ExecutionAlreadyExists(Exception):
            pass

        class ExecutionDoesNotExist(Exception):
            pass

    def __init__(self, status: str = "", taken: bool = False) -> None:
        self.status, self.taken = status, taken
        self.asked: list[dict[str, Any]] = []

    def start_execution(self, **given: Any) -> None:
        self.asked.append(given)
        if self.taken:
            raise self.exceptions.ExecutionAlreadyExists

    def describe_execution(self, **given: Any) -> dict[str, str]:
        self.asked.append(given)
        if not self.status:
            raise self.exceptions.ExecutionDoesNotExist
        return {"status": self.status}


def test_an_execution_knows_its_cohort() -> None:
    client = Client()
    assert StepFunctions(client, ARN).start(COHORT, 3)
    [given] = client.asked
    assert (given["stateMachineArn"], given["name"]) == (ARN, COHORT.execution(3))
    assert json.loads(given["input"]) == {
        "domain": "retail",
        "journey": "dunning",
        "step": 2,
        "hour": "2026-11-27T15",
        "due_at": "2026-11-27T15:00:00Z",
        "generation": 3,
        "page": 1,
    }
    assert not StepFunctions(Client(taken=True), ARN).start(COHORT, 3)


@pytest.mark.parametrize(
    ("status", "runs"), [("RUNNING", True), ("SUCCEEDED", False), ("FAILED", False), ("", False)]
)
def test_whether_an_execution_runs(status: str, runs: bool) -> None:
    client = Client(status)
    assert StepFunctions(client, ARN).runs(COHORT, 3) is runs
    execution = "arn:aws:states:us-east-1:123456789012:execution:FollowUp:"
    assert client.asked == [{"executionArn": execution + COHORT.execution(3)}]
