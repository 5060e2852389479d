"""The follow-up state machine's executions."""

import json
from typing import Any

from ..domain.journeys import Cohort


class StepFunctions:
    """`Executions` of one state machine."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def start(self, cohort: Cohort, generation: int) -> bool:
        """See `Executions.start`. A start with the same name and input as one that runs succeeds again."""
        about = {
            "domain": cohort.domain,
            "journey": cohort.journey,
            "step": cohort.step,
            "hour": cohort.hour,
            "due_at": cohort.due.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "generation": generation,
            "page": 1,
        }
        try:
            self._client.start_execution(
                stateMachineArn=self._arn, name=cohort.execution(generation), input=json.dumps(about)
            )
        except self._client.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def runs(self, cohort: Cohort, generation: int) -> bool:
        """See `Executions.runs`."""
        machine, _, name = self._arn.rpartition(":")
        arn = f"{machine.replace(':stateMachine', ':execution')}:{name}:{cohort.execution(generation)}"
        try:
            answer = self._client.describe_execution(executionArn=arn)
        except self._client.exceptions.ExecutionDoesNotExist:
            return False
        return bool(answer["status"] == "RUNNING")
