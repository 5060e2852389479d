"""State machines: what is refused, what each state does, tries and catches, and the API around them."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from exnotify.cloud.asl import (
    DATA_BYTES,
    DefinitionError,
    StateError,
    at_path,
    chosen,
    filled,
    handling,
    parse_definition,
    placed,
    state_output,
    wait_until,
)
from exnotify.cloud.aws_request import AwsRequest
from exnotify.cloud.clock import Clock
from exnotify.cloud.functions import Outcome, ThrottledError
from exnotify.cloud.machines import HISTORY_LIMIT, NAME_KEPT, YEAR, Machines, MachineSpec
from exstream_notify.use_cases.advance_journey import MAX_PAGES
from tests.needs import ROOT
from tests.npm import installed

FOLLOW_UP = ROOT / "statemachines" / "follow_up.asl.json"
WAIT = {"Type": "Wait", "Seconds": 1, "Next": "Done"}


def machine(**states: Any) -> str:
    return json.dumps({"StartAt": next(iter(states)), "States": {**states, "Done": {"Type": "Succeed"}}})


# ---- definitions ----


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not JSON"),
        (json.dumps({"StartAt": "A", "States": {}}), "there are none"),
        (json.dumps({"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}), "no state 'B'"),
        (machine(A={"Type": "Map", "Next": "Done"}), "type Map is not known"),
        (machine(A={"Type": "Parallel", "Next": "Done"}), "type Parallel is not known"),
        (machine(A={**WAIT, "Color": "red"}), "Color is not known"),
        (machine(A={**WAIT, "Next": "Gone"}), "no state 'Gone'"),
        (machine(A={**WAIT, "SecondsPath": "$.x"}), "exactly one of"),
        (machine(A={**WAIT, "QueryLanguage": "JSONata"}), "JSONata is not known"),
        (machine(A={"Type": "Wait", "TimestampPath": "$..due", "Next": "Done"}), "no reference path"),
        (machine(A={"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Next": "Done"}), "sqs"),
        (machine(A={"Type": "Pass", "Parameters": {"a.$": "States.UUID()"}, "Next": "Done"}), "States.UUID"),
        (machine(A={"Type": "Choice", "Choices": [{"Variable": "$.a", "Next": "Done"}]}), "one comparison"),
        (
            machine(A={"Type": "Pass", "Next": "Done"}, B={"Type": "Pass", "Next": "Done"}),
            "B is never reached",
        ),
        (
            machine(
                A={
                    "Type": "Task",
                    "Resource": "arn:aws:states:::lambda:invoke",
                    "Catch": [
                        {"ErrorEquals": ["States.ALL"], "Next": "Done"},
                        {"ErrorEquals": ["Other"], "Next": "Done"},
                    ],
                    "Next": "Done",
                }
            ),
            "stands alone, and last",
        ),
    ],
)
def test_what_is_not_known_is_refused_by_name(text: str, complaint: str) -> None:
    with pytest.raises(DefinitionError, match=complaint.replace("(", r"\(")):
        parse_definition(text)


def test_the_follow_up_machine_is_known_here() -> None:
    definition = parse_definition(follow_up())
    task = definition["States"]["AdvancePage"]
    assert task["Catch"][0]["ErrorEquals"] == ["States.ALL"]
    # Scheduled, started, succeeded and the state's entry and exit; entry and exit of the choice.
    tries = task["Retry"][0]["MaxAttempts"]
    assert MAX_PAGES * 7 + tries * 3 + 20 < 25_000


@pytest.mark.browser  # needs npm, as that does
def test_the_follow_up_machine_passes_a_validator_of_the_language(tmp_path: Path) -> None:
    filled_in = tmp_path / FOLLOW_UP.name
    filled_in.write_text(follow_up(), "utf-8")
    package = installed(ROOT / "tests" / "asl_validator", "asl-validator")
    command = ["node", str(package / "dist" / "bin" / "asl-validator.js"), "--json-path"]
    done = subprocess.run([*command, str(filled_in)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    broken = follow_up().replace('"Default": "Done"', '"Default": "Nowhere"')
    definition = ["node", command[1], "--json-definition", broken]
    assert subprocess.run(definition, capture_output=True, timeout=60, check=False).returncode != 0


# ---- data ----


@pytest.mark.parametrize(
    ("template", "data", "result"),
    [
        ({"a": 1}, {}, {"a": 1}),
        ({"a.$": "$.b.c"}, {"b": {"c": [1]}}, {"a": [1]}),
        ({"a.$": "$"}, {"x": 1}, {"a": {"x": 1}}),
        ({"l": [{"a.$": "$.b[1]"}]}, {"b": [1, 2]}, {"l": [{"a": 2}]}),
        ({"a.$": "States.Format('{} of {}', $.n, $.t)"}, {"n": 3, "t": "x"}, {"a": "3 of x"}),
        ({"a.$": r"States.Format('it\'s \{{}\}', $.n)"}, {"n": True}, {"a": "it's {true}"}),
    ],
)
def test_a_template_is_filled(template: Any, data: Any, result: Any) -> None:
    assert filled(template, data) == result


def test_a_path_that_leads_nowhere_fails_beyond_every_catch() -> None:
    with pytest.raises(StateError) as failure:
        at_path("$.a.b", {"a": {}})
    assert handling({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "X"}]}, failure.value, {}) is None


@pytest.mark.parametrize(
    ("state", "output"),
    [
        ({}, {"r": 1}),
        ({"ResultPath": None}, {"i": 0}),
        ({"ResultPath": "$.a.b"}, {"i": 0, "a": {"b": {"r": 1}}}),
        ({"OutputPath": "$.r"}, 1),
        ({"ResultSelector": {"s.$": "$.r"}}, {"s": 1}),
    ],
)
def test_results_go_where_the_state_says(state: dict[str, Any], output: Any) -> None:
    assert state_output(state, {"i": 0}, {"r": 1}) == output
    assert placed("$", {"i": 0}, 5) == 5


def test_choices() -> None:
    state = {
        "Choices": [
            {"Variable": "$.n", "NumericGreaterThan": 5, "Next": "Big"},
            {"Variable": "$.more", "BooleanEquals": True, "Next": "More"},
        ],
        "Default": "Rest",
    }
    assert chosen(state, {"n": 6, "more": False}) == "Big"
    assert chosen(state, {"n": 5, "more": True}) == "More"
    assert chosen(state, {"n": 5, "more": "true"}) == "Rest", "a text is no truth"
    with pytest.raises(StateError, match="NoChoiceMatched"):
        chosen({"Choices": state["Choices"]}, {"n": 0, "more": False})


@pytest.mark.parametrize(
    ("state", "data", "until"),
    [
        ({"Seconds": 5}, {}, 105.0),
        ({"SecondsPath": "$.s"}, {"s": 7}, 107.0),
        ({"Timestamp": "1970-01-01T00:02:00Z"}, {}, 120.0),
        ({"TimestampPath": "$.t"}, {"t": "1970-01-01T01:02:00+01:00"}, 120.0),
    ],
)
def test_waits(state: dict[str, Any], data: Any, until: float) -> None:
    assert wait_until(state, data, 100.0) == until
    with pytest.raises(StateError, match="no timestamp"):
        wait_until({"Timestamp": "tomorrow"}, {}, 0.0)


def test_tries_double_their_pause_up_to_a_limit_then_the_error_is_caught() -> None:
    state = {
        "Retry": [
            {"ErrorEquals": ["Busy"], "MaxAttempts": 0},
            {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 5, "MaxAttempts": 3, "MaxDelaySeconds": 12},
        ],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Told"}],
    }
    pauses = [handling(state, StateError("Odd", ""), {1: done}) for done in range(4)]
    assert [h.pause for h in pauses[:3] if h] == [5, 10, 12]
    assert pauses[3] is not None
    assert (pauses[3].next, pauses[3].result_path) == ("Told", "$.e")
    busy = handling(state, StateError("Busy", ""), {})
    assert busy is not None
    assert busy.next == "Told"


# ---- executions ----

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


class Stage:
    """Machines on a clock of their own pace, with a function that a test writes."""

    def __init__(self, definition: str, function: Callable[[Any], Outcome], *, allowed: bool = True) -> None:
        self.events: list[dict[str, Any]] = []
        self.measured: list[tuple[str, str]] = []
        self.clock = Clock.starting("2026-11-20T00:00:00Z", 4.0)
        self.lock = threading.Lock()
        self.machines = Machines(
            self.clock,
            lambda arn, event: function(event),
            self._put,
            lambda role, action, resource: allowed,
            "bus",
            lambda metric, machine: self.measured.append((metric, machine)),
        )
        self.machines.add(MachineSpec("M", "m", ARN, "role", parse_definition(definition)))

    def _put(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.events += entries
        return {"FailedEntryCount": 0, "Entries": []}

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        request = AwsRequest("states", "us-east-1", "k", "POST", "/", {}, {}, b"", operation, parameters)
        answer = self.machines.answer(request)
        return {"status_code": answer.status_code, **json.loads(answer.get_data())}

    def run(self, name: str, data: Any, *, seconds: float = 10.0) -> dict[str, Any]:
        arn = self.call("StartExecution", stateMachineArn=ARN, name=name, input=json.dumps(data))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.call("DescribeExecution", executionArn=arn["executionArn"])
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.02)
        raise AssertionError("it does not end")


@contextmanager
def stage(definition: str, function: Callable[[Any], Outcome], *, allowed: bool = True) -> Iterator[Stage]:
    found = Stage(definition, function, allowed=allowed)
    found.machines.start()
    try:
        yield found
    finally:
        found.machines.stop()


def says(value: Any) -> Outcome:
    return Outcome("id", json.dumps(value), None, 0.0)


def follow_up() -> str:
    text = FOLLOW_UP.read_text("utf-8").replace("${AdvanceJourneyFunctionArn}", FUNCTION)
    return text.replace("${Partition}", "aws")


ABOUT = {
    "domain": "retail", "journey": "j", "step": 1, "hour": "2026-11-20T06",
    "due_at": "2026-11-20T06:00:00Z", "generation": 1, "page": 1,
}  # fmt: skip


def test_the_follow_up_machine_waits_on_the_clock_and_goes_page_by_page() -> None:
    seen: list[tuple[str, int]] = []

    def advance(event: Any) -> Outcome:
        seen.append((on.clock.utc().isoformat()[:13], event["page"]))
        return says({**event, "page": event["page"] + 1, "more": event["page"] < 3})

    with stage(follow_up(), advance) as on:
        ended = on.run("one", ABOUT)
        kinds = [
            e["type"] for e in on.call("GetExecutionHistory", executionArn=ended["executionArn"])["events"]
        ]
    assert ended["status"] == "SUCCEEDED"
    assert [page for _, page in seen] == [1, 2, 3]
    assert seen[0][0] >= "2026-11-20T06"
    assert kinds.count("TaskSucceeded") == 3
    assert kinds[0] == "ExecutionStarted"
    assert kinds[-1] == "ExecutionSucceeded"


def test_waiting_is_rest() -> None:
    with stage(machine(A={"Type": "Wait", "Seconds": 864_000, "Next": "Done"}), says) as on:
        on.call("StartExecution", stateMachineArn=ARN, name="long")
        time.sleep(0.3)
        assert on.machines.running == 0
        assert on.call("ListExecutions", stateMachineArn=ARN, statusFilter="RUNNING")["executions"]


def test_a_page_that_keeps_failing_ends_in_an_exception_and_a_failed_execution() -> None:
    def broken(event: Any) -> Outcome:
        return Outcome("id", "{}", {"errorType": "KeyError", "errorMessage": "x"}, 0.0)

    with stage(follow_up(), broken) as on:
        ended = on.run("fails", ABOUT)
    assert (ended["status"], ended["error"]) == ("FAILED", "journey_failed")
    (entry,) = on.events
    detail = json.loads(entry["Detail"])
    assert (entry["Source"], detail["code"], detail["domain"]) == ("exnotify", "journey_failed", "retail")
    assert "KeyError" in detail["text"]
    assert on.measured == [("ExecutionsStarted", ARN), ("ExecutionsFailed", ARN)]


def test_a_throttled_function_is_tried_again() -> None:
    tries: list[int] = []

    def busy(event: Any) -> Outcome:
        tries.append(1)
        if len(tries) == 1:
            raise ThrottledError("no room")
        return says({**event, "more": False})

    with stage(follow_up(), busy) as on:
        assert on.run("throttled", ABOUT)["status"] == "SUCCEEDED"
    assert on.measured == [("ExecutionsStarted", ARN), ("ExecutionsSucceeded", ARN)]


def test_the_exception_that_it_raises_is_one_that_we_take() -> None:
    from exstream_notify.adapters.triggers import exception_of

    state = parse_definition(follow_up())["States"]["RaiseException"]
    (entry,) = filled(state["Parameters"], {**ABOUT, "failure": {"Error": "X", "Cause": ""}})["Entries"]
    assert exception_of({"detail": entry["Detail"]}).code == "journey_failed"


def test_a_function_that_fails_once_is_tried_again() -> None:
    tries: list[int] = []

    def once(event: Any) -> Outcome:
        tries.append(1)
        return (
            says({**event, "more": False}) if len(tries) > 1 else Outcome("i", "{}", {"errorType": "E"}, 0.0)
        )

    with stage(follow_up(), once) as on:
        assert on.run("again", ABOUT)["status"] == "SUCCEEDED"
    assert len(tries) == 2


def test_a_role_without_the_permission_cannot_call() -> None:
    with stage(follow_up(), says, allowed=False) as on:
        ended = on.run("denied", ABOUT)
    assert ended["status"] == "FAILED"
    assert on.events == []


def test_a_name_is_taken_for_ninety_days_after_the_end() -> None:
    with stage(machine(A={"Type": "Pass", "Next": "Done"}), says) as on:
        first = on.run("name", {"a": 1})
        assert (
            on.call("StartExecution", stateMachineArn=ARN, name="name")["__type"] == "ExecutionAlreadyExists"
        )
        assert on.run("other", {})["status"] == "SUCCEEDED"
        on.machines._executions[first["executionArn"]].stopped = on.clock.now() - NAME_KEPT - 1
        assert on.run("name", {"a": 2})["output"] == '{"a": 2}'


def test_a_running_name_with_the_same_input_is_the_same_start() -> None:
    with stage(machine(A={"Type": "Wait", "Seconds": 86_400_000, "Next": "Done"}), says) as on:
        arns = {
            on.call("StartExecution", stateMachineArn=ARN, name="n", input="{}").get("executionArn")
            for _ in range(2)
        }
        assert len(arns) == 1
        other = on.call("StartExecution", stateMachineArn=ARN, name="n", input='{"a": 1}')
        assert other["__type"] == "ExecutionAlreadyExists"
        (arn,) = arns
        on.call("StopExecution", executionArn=arn)
        assert on.call("DescribeExecution", executionArn=arn)["status"] == "ABORTED"


def test_a_history_ends_at_25000_events() -> None:
    again = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.on", "BooleanEquals": True, "Next": "A"}],
        "Default": "Done",
    }
    with stage(machine(A={"Type": "Pass", "Next": "B"}, B=again), says) as on:
        ended = on.run("endless", {"on": True})
        (execution,) = on.machines._executions.values()
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert HISTORY_LIMIT <= len(execution.history) <= HISTORY_LIMIT + 2


def test_an_output_of_more_than_256_kb_fails_whatever_catches_and_such_an_input_starts_nothing() -> None:
    with stage(follow_up(), lambda event: says("x" * DATA_BYTES)) as on:
        ended = on.run("large", {**ABOUT, "due_at": "2026-11-19T00:00:00Z"})
        large = json.dumps({"a": "x" * DATA_BYTES})
        refused = on.call("StartExecution", stateMachineArn=ARN, name="input", input=large)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert on.events == []
    assert refused["__type"] == "ValidationException"


def test_an_execution_lasts_a_year() -> None:
    with stage(machine(A={"Type": "Wait", "Seconds": 2 * YEAR, "Next": "Done"}), says) as on:
        arn = on.call("StartExecution", stateMachineArn=ARN, name="n", input="{}")["executionArn"]
        execution = on.machines._executions[arn]
        while execution.waits_until is None or not on.machines._waiting:
            time.sleep(0.01)
        assert [due for due, _, _ in on.machines._waiting] == [execution.started + YEAR]
        execution.started -= YEAR
        on.machines._schedule(execution, on.clock.now())
        while execution.status == "RUNNING":
            time.sleep(0.01)
    assert execution.status == "TIMED_OUT"


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("StartExecution", {"stateMachineArn": "arn:x"}, "StateMachineDoesNotExist"),
        ("StartExecution", {"stateMachineArn": ARN, "name": "a b"}, "InvalidName"),
        ("StartExecution", {"stateMachineArn": ARN, "name": "a" * 81}, "InvalidName"),
        ("StartExecution", {"stateMachineArn": ARN, "input": "{"}, "InvalidExecutionInput"),
        ("DescribeExecution", {"executionArn": "arn:y"}, "ExecutionDoesNotExist"),
        ("CreateActivity", {}, "UnknownOperationException"),
    ],
)
def test_bad_requests_are_answered_as_step_functions_does(
    operation: str, parameters: dict[str, Any], code: str
) -> None:
    with stage(machine(A={"Type": "Pass", "Next": "Done"}), says) as on:
        answer = on.call(operation, **parameters)
    assert (answer["status_code"], answer["__type"]) == (400, code)
