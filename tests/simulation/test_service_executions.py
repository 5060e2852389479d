"""Simulated Step Functions and SNS: executions on virtual time, names used once, limits; topics to queues."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from moto import mock_aws

from exnotify.cloud.asl import DATA_BYTES, parse_definition
from exnotify.cloud.functions import Outcome
from exnotify.cloud.machines import HISTORY_LIMIT, NAME_KEPT, YEAR, MachineSpec
from exstream_notify.use_cases.advance_journey import MAX_PAGES
from simulation.nature import Chance, Nature, Timeline
from simulation.service import Refused
from simulation.services.sns import Sns, Topic
from simulation.services.stepfunctions import StepFunctions
from tests.needs import ROOT

START = 1_800_000_000.0
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:follow-up"
INPUT = {
    "domain": "d",
    "journey": "j",
    "step": "1",
    "hour": "h",
    "due_at": "2027-01-15T09:00:00Z",
    "generation": 1,
    "page": 1,
}
DUE = 1_800_003_600.0
DEFINITION = (
    (ROOT / "statemachines/follow_up.asl.json")
    .read_text()
    .replace("${Partition}", "aws")
    .replace("${AdvanceJourneyFunctionArn}", "advance")
)

Answer = Callable[[Any, int], Any]
"""What the function returns, or the error it raises, by its payload and the number of the invocation."""


def nature(**rates: float) -> Nature:
    return Nature(Timeline(START), Chance("1", rates), "start")


def machine(**states: Any) -> str:
    return json.dumps({"StartAt": next(iter(states)), "States": {**states, "Done": {"Type": "Succeed"}}})


class World:
    """A machine, the function that it runs, the events that it puts."""

    def __init__(self, answer: Answer, definition: str = DEFINITION, world: Nature | None = None) -> None:
        self.nature = world or nature()
        self.names: list[str] = []
        self.moments: list[float] = []
        self.events: list[Any] = []
        self.answer = answer
        self.takes = 1.0
        self.failing = False
        spec = MachineSpec("M", "follow-up", MACHINE, "role", parse_definition(definition))
        self.states = StepFunctions(self.nature, [spec], self._invoke, self._put)

    def _invoke(self, arn: str, payload: Any, name: str, then: Callable[[Outcome], None]) -> None:
        self.names.append(name)
        self.moments.append(self.nature.timeline.now)
        result = self.answer(payload, len(self.names))
        error = (
            {"errorType": type(result).__name__, "errorMessage": "x"}
            if isinstance(result, Exception)
            else None
        )
        outcome = Outcome("r", json.dumps(None if error else result), error, self.takes)
        self.nature.timeline.after(self.takes, lambda: then(outcome))

    def _put(self, request: dict[str, Any]) -> dict[str, Any]:
        self.events += request["Entries"]
        rows = [
            {"ErrorCode": "InternalFailure"} if self.failing else {"EventId": "1"} for _ in request["Entries"]
        ]
        return {"FailedEntryCount": len(rows) * self.failing, "Entries": rows}

    def start(self, name: str = "one", data: Any = INPUT) -> str:
        request = {"stateMachineArn": MACHINE, "name": name, "input": json.dumps(data)}
        return str(self.states.call("StartExecution", request)["executionArn"])

    def describe(self, arn: str) -> dict[str, Any]:
        return self.states.call("DescribeExecution", {"executionArn": arn})

    def rest(self) -> None:
        while self.nature.timeline.step():
            pass

    def run(self, data: Any = INPUT) -> dict[str, Any]:
        arn = self.start(data=data)
        self.rest()
        return self.describe(arn)


def _refused(call: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.code


def _pages(payload: Any, number: int) -> Any:
    return {**payload, "page": payload["page"] + 1, "more": payload["page"] < 3}


def test_the_follow_up_waits_for_its_hour_then_takes_page_after_page() -> None:
    world = World(_pages)
    told = world.run()
    assert (told["status"], json.loads(told["output"])["page"]) == ("SUCCEEDED", 4)
    assert len(world.names) == len(set(world.names)) == 3
    assert DUE <= world.moments[0] < DUE + 1
    assert world.states.active == 0


def test_a_page_that_fails_is_tried_again_with_growing_pauses_then_raised_as_an_exception() -> None:
    world = World(lambda payload, number: ValueError())
    told = world.run()
    assert (told["status"], told["error"]) == ("FAILED", "journey_failed")
    pauses = [
        round(later - earlier - world.takes)
        for earlier, later in zip(world.moments, world.moments[1:], strict=False)
    ]
    assert pauses == [5, 10, 20, 40, 80, 160]
    (event,) = world.events
    assert event["DetailType"] == "Exception Raised"
    assert json.loads(event["Detail"])["text"].endswith("cannot be looked after: ValueError")
    assert len(set(world.names)) == 7


def test_an_event_that_the_bus_refuses_is_put_again() -> None:
    world = World(lambda payload, number: ValueError())
    world.failing = True
    assert world.run()["error"] == "EventBridge.FailedEntry"
    assert len(world.events) == 7


def test_a_function_that_does_not_answer_in_time_has_failed_and_its_answer_counts_no_more() -> None:
    world = World(_pages)
    world.takes = 961.0
    world.start(data={**INPUT, "page": 3})
    world.rest()
    assert len(world.names) == 7
    assert world.events


def test_an_answer_that_is_lost_runs_the_page_again() -> None:
    world = World(_pages, world=nature(task_lost=0.5))
    assert world.run()["status"] == "SUCCEEDED"
    assert len(world.names) > 3


def test_a_name_is_used_once_in_ninety_days() -> None:
    world = World(_pages)
    arn = world.start()
    assert world.start() == arn
    assert _refused(lambda: world.start(data={**INPUT, "page": 2})) == "ExecutionAlreadyExists"
    world.rest()
    assert len(world.names) == 3
    assert _refused(world.start) == "ExecutionAlreadyExists"
    world.nature.timeline.now += NAME_KEPT
    assert _refused(lambda: world.describe(arn)) == "ExecutionDoesNotExist"
    world.start()
    world.rest()
    assert len(set(world.names)) == 6


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"name": "a b"}, "InvalidName"),
        ({"name": "x" * 81}, "InvalidName"),
        ({"input": "{"}, "InvalidExecutionInput"),
        ({"input": json.dumps("x" * DATA_BYTES)}, "ValidationException"),
        ({"stateMachineArn": "arn:other"}, "StateMachineDoesNotExist"),
    ],
)
def test_a_start_is_refused(request_: dict[str, str], code: str) -> None:
    world = World(_pages)
    about = {"stateMachineArn": MACHINE, "name": "one", "input": "{}", **request_}
    assert _refused(lambda: world.states.call("StartExecution", about)) == code


def test_a_history_ends_at_25000_events_and_the_pages_of_one_execution_stay_below() -> None:
    def more(payload: Any, number: int) -> Any:
        return {**payload, "more": number != MAX_PAGES}

    assert World(more).run()["status"] == "SUCCEEDED"
    endless = World(lambda payload, number: {**payload, "more": True})
    told = endless.run()
    assert (told["status"], told["error"]) == ("FAILED", "States.Runtime")
    assert len(endless.names) * 7 == pytest.approx(HISTORY_LIMIT, abs=7)
    assert not endless.events


def test_an_output_of_more_than_256_kb_fails_the_execution_whatever_catches() -> None:
    world = World(lambda payload, number: "x" * DATA_BYTES)
    told = world.run()
    assert (told["status"], told["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert not world.events


def test_an_execution_lasts_a_year() -> None:
    world = World(_pages, machine(A={"Type": "Wait", "Seconds": int(YEAR) + 1, "Next": "Done"}))
    told = world.run()
    assert told["status"] == "TIMED_OUT"
    assert told["stopDate"].timestamp() == START + YEAR


def test_a_stopped_execution_does_nothing_more_and_lists_say_so() -> None:
    world = World(_pages)
    arn, other = world.start(), world.start("two")
    world.nature.timeline.step()
    world.states.call("StopExecution", {"executionArn": arn, "error": "e", "cause": "c"})
    world.rest()
    assert (world.describe(arn)["status"], world.describe(arn)["error"]) == ("ABORTED", "e")
    assert all(name.startswith("two") for name in world.names)
    about = {"stateMachineArn": MACHINE, "maxResults": 1}
    page = world.states.call("ListExecutions", about)
    assert [row["executionArn"] for row in page["executions"]] == [other]
    page = world.states.call("ListExecutions", {**about, "nextToken": page["nextToken"]})
    assert [row["status"] for row in page["executions"]] == ["ABORTED"]
    assert world.states.call("ListExecutions", {**about, "statusFilter": "RUNNING"})["executions"] == []


def test_what_a_function_returns_after_the_stop_counts_no_more() -> None:
    world = World(_pages)
    arn = world.start()
    while not world.names:
        world.nature.timeline.step()
    world.states.call("StopExecution", {"executionArn": arn})
    world.rest()
    assert len(world.names) == 1
    assert "output" not in world.describe(arn)
    assert world.states.active == 0


def test_a_description_may_be_some_seconds_old() -> None:
    world = World(_pages, world=nature(states_stale=1.0))
    arn = world.start()
    assert _refused(lambda: world.describe(arn)) == "ExecutionDoesNotExist"
    while world.states.executions[arn].status == "RUNNING":
        world.nature.timeline.step()
    assert world.describe(arn)["status"] == "RUNNING"
    world.nature.timeline.now += 11
    assert world.describe(arn)["status"] == "SUCCEEDED"


# ---- SNS ----


def test_a_message_comes_in_the_envelope_of_motos() -> None:
    with mock_aws():
        sns, sqs = (
            boto3.client(name, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
            for name in ("sns", "sqs")
        )
        topic = sns.create_topic(Name="receipts")["TopicArn"]
        url = sqs.create_queue(QueueName="queue")["QueueUrl"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:queue")
        message = {"TopicArn": topic, "Message": '{"a": "ä"}', "Subject": "s"}
        sns.publish(**message)
        theirs = json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    came: list[str] = []
    world = nature()
    service = Sns(
        world,
        [Topic(topic, (("arn:queue", False), ("arn:raw", True)))],
        lambda queue, text, name: came.append(text),
    )
    service.call("Publish", message)
    while world.timeline.step():
        pass
    came.sort(key=len)
    assert came[0] == message["Message"]
    ours = json.loads(came[1])
    assert ours.keys() == theirs.keys()
    for name in ("Type", "TopicArn", "Subject", "Message"):
        assert ours[name] == theirs[name]


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ({"Message": "x" * 262_145}, "InvalidParameter"),
        ({"Message": ""}, "InvalidParameter"),
        ({"Message": "x", "Subject": "x" * 100}, "InvalidParameter"),
        ({"Message": "x", "Subject": "a\nb"}, "InvalidParameter"),
        ({"Message": "x", "TopicArn": "arn:none"}, "NotFound"),
    ],
)
def test_a_topic_refuses(about: dict[str, str], code: str) -> None:
    service = Sns(nature(), [Topic("arn:topic")], lambda queue, text, name: None)
    assert _refused(lambda: service.call("Publish", {"TopicArn": "arn:topic", **about})) == code
    assert service.published == []


@pytest.mark.parametrize(
    ("fault", "times", "least"), [("none", 1, 0.0), ("topic_twice", 2, 0.0), ("topic_late", 1, 60.0)]
)
def test_a_message_arrives_once_or_more(fault: str, times: int, least: float) -> None:
    world = nature(**{fault: 1.0})
    came: list[str] = []
    service = Sns(
        world,
        [Topic("arn:topic", (("arn:queue", True),), people=2)],
        lambda queue, text, name: came.append(text),
    )
    service.call(
        "PublishBatch", {"TopicArn": "arn:topic", "PublishBatchRequestEntries": [{"Id": "1", "Message": "a"}]}
    )
    world.timeline.step()
    assert world.timeline.now >= START + least
    while world.timeline.step():
        pass
    assert came == ["a"] * times
    assert (
        service.call("GetTopicAttributes", {"TopicArn": "arn:topic"})["Attributes"]["SubscriptionsConfirmed"]
        == "3"
    )
