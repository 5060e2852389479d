"""A role given to another function's code fails at its first call."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exnotify.cloud.functions import Credentials
from exnotify.local import ROOT, LocalCloud
from tests.container.sam import load_template

pytestmark = pytest.mark.slow

RESOURCES: dict[str, Any] = load_template(ROOT / "template.yaml")["Resources"]
FUNCTIONS = [n for n, r in RESOURCES.items() if r["Type"] == "AWS::Serverless::Function"]
_FURTHER = 5


class Swapped(LocalCloud):
    """The stack as it is, but every function runs under the role of another, some places further.

    Neighbours share work, and with it rights: the one that starts journeys and the one that advances them
    read the same table.

    A template with such roles is refused at deployment, here as on AWS, because no mapping may read its
    queue then; so the roles are handed on where Lambda assumes them.
    """

    def _assume(self, role_arn: str, session: str) -> Credentials:
        roles = [self.resource(RESOURCES[f]["Properties"]["Role"]["Fn::GetAtt"][0]) for f in FUNCTIONS]
        head, _, name = role_arn.rpartition("/")
        following = roles[(roles.index(name) + _FURTHER) % len(roles)]
        return super()._assume(f"{head}/{following}", session)


@pytest.fixture(scope="module")
def swapped() -> Iterator[LocalCloud]:
    with Swapped() as running:
        yield running


def events_of(function: str) -> list[Any]:
    """The event files whose records come from a queue that feeds the function, or its schedule's."""
    feeding = RESOURCES[function]["Properties"].get("Events", {}).values()
    queues = {e["Properties"]["Queue"]["Fn::GetAtt"][0] for e in feeding if e["Type"] == "SQS"}
    found = []
    for path in sorted((ROOT / "events").glob("*.json")):
        event = json.loads(Path(path).read_text("utf-8"))
        source = (event.get("Records") or [{}])[0].get("eventSourceARN", "")
        if any(queue in source for queue in queues):
            found.append(event)
    if any(e["Type"] == "Schedule" for e in feeding):
        found.append({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})
    return found


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if events_of(f)])
def test_a_role_given_to_another_functions_code_fails_at_its_first_call(
    swapped: LocalCloud, function: str
) -> None:
    for event in events_of(function):
        outcome = swapped.invoke(function, event)
        failed = outcome.error is not None or bool((outcome.value or {}).get("batchItemFailures"))
        assert failed, outcome.payload
    text = "\n".join(swapped.logs(function))
    assert "AccessDenied" in text or "ClientError" in text, text[-2000:]
