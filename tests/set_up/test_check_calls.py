"""No AWS call of an adapter goes untested, and none with a parameter that the SDK's model refuses."""

from typing import Any

import check_newest_sdk
import pytest
from botocore.exceptions import ParamValidationError
from check_calls import Call, faults, written
from check_newest_sdk import Outcome

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.settings import Settings
from exstream_notify.adapters.sqs import SqsQueue
from tests import validated_calls


def test_the_calls_are_read_off_the_code() -> None:
    found = written()

    assert len(found) > 70
    for call in (
        Call("dynamodb/batches.py", "_rows", "batch_get_item"),
        Call("s3.py", "S3DropFolder.list", "list_objects_v2"),
        Call("s3.py", "S3Documents._presigned", "get_object"),
        Call("providers/ses.py", "Ses.send", "send_email"),
        Call("bootstrap.py", "Bootstrap.dead_letters", "get_queue_attributes"),
    ):
        assert call in found


def test_a_call_that_no_test_made_is_a_fault_and_a_refused_one_too() -> None:
    calls = [list(call) for call in sorted(written())]

    assert faults({"sdk_calls": calls}) == []
    assert faults({"sdk_calls": calls[1:]}) == [
        f"{calls[0][0]}: {calls[0][1]} calls {calls[0][2]}, and no test in this process does"
    ]
    assert faults({"sdk_calls": calls, "sdk_refused": ["it"]}) == ["refused by the SDK's model: it"]
    assert len(faults({})) == len(calls)


def test_a_parameter_that_the_model_refuses_fails_the_test_in_which_it_is_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(validated_calls, "refused", {})
    client = Bootstrap(Settings.from_environment({})).client("sqs")

    queue = SqsQueue(client, "https://sqs.us-east-1.amazonaws.com/1/queue")
    wrong: Any = 5
    with pytest.raises(ParamValidationError, match="ReceiptHandle"):
        queue.come_back(wrong, 1.0)

    assert list(validated_calls.refused) == [
        Call("sqs.py", "SqsQueue.come_back", "change_message_visibility")
    ]


def test_the_newest_sdk_warns_and_says_when_it_could_not_be_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Outcome("1.99.0").line == "botocore 1.99.0: all passed"
    line = Outcome("1.99.0", ("tests/adapters/test_it.py::test_one", "another")).line
    assert line == "EARLY WARNING: 2 faults with botocore 1.99.0: tests/adapters/test_it.py::test_one"

    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    outcome = check_newest_sdk.newest()
    assert outcome.version == ""
    assert outcome.line.startswith("not tested: ERROR: No matching distribution found")
    assert check_newest_sdk.main() == check_newest_sdk.UNAVAILABLE
