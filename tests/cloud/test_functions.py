"""Functions run as on Lambda: environment, context, errors, time-outs, processes."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from exnotify.cloud import EmbeddedCloud, FunctionError, UnknownFunctionError


def test_a_function_sees_lambdas_environment_and_nothing_of_ours(
    hands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAKED", "from the developer's shell")
    for pid in hands.cloud.worker_pids("TakeOrdersFunction"):
        os.kill(pid, signal.SIGKILL)
    seen = hands.tell(do="tell")
    environment = seen["environment"]

    assert "LEAKED" not in environment
    assert "HOME" not in environment
    assert "_X_AMZN_TRACE_ID" not in environment
    assert "EXNOTIFY_CLOCK" not in environment
    assert environment["TABLE"] == hands.cloud.outputs["TableName"]
    assert environment["GREETING"] == "hello, exnotify"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "exnotify-TakeOrdersFunction"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert environment["AWS_ENDPOINT_URL"] == hands.cloud.url
    assert seen["word"] == "from the layer"


def test_the_context_tells_of_the_function_and_its_time(hands: Any) -> None:
    seen = hands.tell(do="tell")
    assert 0 < seen["remaining"] <= 2000
    assert seen["context"] == {
        "function_name": "exnotify-TakeOrdersFunction",
        "memory_limit_in_mb": "256",
        "invoked_function_arn": "arn:aws:lambda:us-east-1:123456789012:function:exnotify-TakeOrdersFunction",
        "log_group_name": "/aws/lambda/exnotify-TakeOrdersFunction",
    }


def test_a_worker_stays_warm(hands: Any) -> None:
    assert hands.tell(do="tell")["pid"] == hands.tell(do="tell")["pid"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("None", None),
        ("{'a': [1, 'ä\\ud800']}", {"a": [1, "ä\ud800"]}),
        ("__import__('decimal').Decimal('1.5')", 1.5),
    ],
)
def test_a_result_is_json(hands: Any, expression: str, value: Any) -> None:
    assert hands.tell(do="return", expression=expression) == value


@pytest.mark.parametrize(
    ("order", "kind", "says"),
    [
        ({"do": "raise"}, "ValueError", "told to: from the layer"),
        ({"do": "return", "expression": "object()"}, "Runtime.MarshalError", "Unable to marshal response"),
        ({"do": "return", "expression": "'x' * 7_000_000"}, "Function.ResponseSizeTooLarge", "exceeded"),
        ({"do": "exit"}, "Runtime.ExitError", "Runtime exited"),
        ({"do": "sleep", "seconds": 60}, "Sandbox.Timedout", "Task timed out after 2.00 seconds"),
    ],
    ids=["raises", "no json", "too large", "exits", "too slow"],
)
def test_a_failure_is_told_as_lambda_tells_it(
    hands: Any, order: dict[str, Any], kind: str, says: str
) -> None:
    with pytest.raises(FunctionError) as caught:
        hands.tell(**order)
    assert caught.value.error["errorType"] == kind
    assert says in caught.value.error["errorMessage"]
    assert hands.tell(do="return", expression="1") == 1  # the next invocation is not concerned


def test_an_exceptions_trace_starts_in_the_handler(hands: Any) -> None:
    outcome = hands.cloud.invoke("TakeOrdersFunction", {"do": "raise"})
    assert "in handler" in outcome.error["stackTrace"][0]
    assert json.loads(outcome.payload) == outcome.error
    assert outcome.error["requestId"] == outcome.request_id


def test_a_process_that_runs_out_of_time_is_gone(hands: Any, wait: Any) -> None:
    hands.tell(do="return", expression="1")
    before = hands.cloud.worker_pids("TakeOrdersFunction")
    with pytest.raises(FunctionError):
        hands.tell(do="sleep", seconds=60)
    gone = set(before) - set(hands.cloud.worker_pids("TakeOrdersFunction"))
    assert len(gone) == 1
    pid = gone.pop()
    wait(lambda: not _runs(pid), seconds=2)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.mark.parametrize("end", ["\n", ""])
def test_what_a_function_prints_is_in_its_log_when_it_ends(hands: Any, end: str) -> None:
    hands.tell(do="print", text=f"a line {end!r}", end=end)
    assert f"a line {end!r}" in hands.cloud.logs("TakeOrdersFunction")
    report = hands.cloud.logs("TakeOrdersFunction")[-1]
    assert report.startswith("REPORT RequestId: ")
    assert "Memory Size: 256 MB" in report


def test_embedded_metrics_are_collected(hands: Any) -> None:
    blob = {
        "_aws": {
            "Timestamp": 1_700_000_000_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Mini",
                    "Dimensions": [["service"]],
                    "Metrics": [{"Name": "Taken", "Unit": "Count"}, {"Name": "Absent"}],
                }
            ],
        },
        "service": "orders",
        "Taken": [1, 2],
    }
    hands.tell(do="print", text=json.dumps(blob))
    hands.tell(do="print", text='{"_aws": "no metric"}')
    metrics = [metric for metric in hands.cloud.metrics() if metric.namespace == "Mini"]
    assert [(metric.name, metric.unit, metric.value) for metric in metrics] == [
        ("Taken", "Count", 1.0),
        ("Taken", "Count", 2.0),
    ]
    assert metrics[0].function == "TakeOrdersFunction"
    assert metrics[0].dimensions == (("service", "orders"),)
    assert metrics[0].time == 1_700_000_000.0


def test_a_function_that_is_not_there(hands: Any) -> None:
    with pytest.raises(UnknownFunctionError, match="no function Nothing"):
        hands.cloud.invoke("Nothing", {})


def test_lambdas_own_address_invokes_too(hands: Any) -> None:
    client = hands.cloud.client("lambda")
    answer = client.invoke(
        FunctionName="exnotify-TakeOrdersFunction", Payload=b'{"do": "return", "expression": "7"}'
    )
    assert json.loads(answer["Payload"].read()) == 7
    assert "FunctionError" not in answer
    failed = client.invoke(FunctionName="exnotify-TakeOrdersFunction", Payload=b'{"do": "raise"}')
    assert failed["FunctionError"] == "Unhandled"
    accepted = client.invoke(
        FunctionName="exnotify-SweepFunction", InvocationType="Event", Payload=b'{"detail-type": "hand"}'
    )
    assert accepted["StatusCode"] == 202
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nothing")


def test_the_layer_and_code_are_all_that_is_added_to_the_path(hands: Any) -> None:
    assert (
        hands.tell(do="return", expression="__import__('importlib.util').util.find_spec('exnotify')") is None
    )


def test_only_one_runs_in_a_process(hands: Any, miniature: Path) -> None:
    with pytest.raises(RuntimeError, match="one embedded cloud runs in this process already"):
        EmbeddedCloud(miniature).start()
    assert hands.tell(do="return", expression="1") == 1  # and the first is none the worse
