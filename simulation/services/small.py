"""Services that only operators' commands read, as far as they do: their answers are fixed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from .operations import ACCOUNT, Answer, Request


class Fixed:
    """A `Service` that answers each operation it knows in one way, whatever it is asked."""

    def __init__(self, name: str, answers: Mapping[str, Answer]) -> None:
        self.name = name
        self._answers = {operation: json.dumps(answer) for operation, answer in answers.items()}

    def call(self, operation: str, request: Request) -> Answer:
        """See `Service.call`."""
        if operation not in self._answers:
            raise NotImplementedError(f"{self.name}: {operation}")
        answer: Answer = json.loads(self._answers[operation])
        return answer


def callers() -> Fixed:
    """`sts`: an operator."""
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/operator/simulated"
    return Fixed("sts", {"GetCallerIdentity": {"Account": ACCOUNT, "UserId": "operator", "Arn": arn}})


def alarms() -> Fixed:
    """`cloudwatch`: no alarm is on; the simulation's checker looks by itself."""
    return Fixed("cloudwatch", {"DescribeAlarms": {"MetricAlarms": [], "CompositeAlarms": []}})


def stack(resources: Iterable[tuple[str, str, str]]) -> Fixed:
    """`cloudformation`: a stack's resources by logical id, physical id and type."""
    rows = [
        {"LogicalResourceId": logical, "PhysicalResourceId": physical, "ResourceType": kind}
        for logical, physical, kind in resources
    ]
    return Fixed("cloudformation", {"ListStackResources": {"StackResourceSummaries": rows}})
