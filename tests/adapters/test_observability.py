"""What functions log of notices can be found by id, and no line grows without bound."""

import json

import pytest

from exstream_notify.adapters import observability
from exstream_notify.adapters.observability import NOTICES_A_LINE, failures_logged, log_notices
from exstream_notify.adapters.rules import RulesInvalid, YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.use_cases.record_response import PerhapsUnseen


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(autouse=True)
def to_standard_output(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Current:
        def write(self, text: str) -> int:
            print(text, end="")
            return len(text)

        def flush(self) -> None: ...

    for handler in observability.logger.handlers:
        monkeypatch.setattr(handler, "stream", Current())


def test_every_id_is_in_one_line_and_the_counts_in_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    ids = [f"{n:032x}" for n in range(2 * NOTICES_A_LINE + 1)]
    log_notices("decided", [*ids, ids[0]], run="retail/run-1", notified=3)
    found = lines(capsys)
    assert [len(line["notices"]) for line in found] == [100, 100, 1]  # type: ignore[arg-type]
    assert [id for line in found for id in line["notices"]] == ids, "in order"  # type: ignore[attr-defined]
    assert [line.get("run") for line in found] == ["retail/run-1", None, None]
    assert {line["message"] for line in found} == {"decided"}


def test_of_a_failure_only_what_cannot_be_personal_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    @failures_logged
    def fail(error: Exception) -> None:
        raise error

    for error in (RulesInvalid("documents.yaml: line 2: link_days"), ValueError("Zoë")):
        with pytest.raises(type(error)):
            fail(error)
    rules, other = lines(capsys)
    assert (rules["error"], rules["why"]) == ("RulesInvalid", "documents.yaml: line 2: link_days")
    assert "why" not in other
    assert "Zoë" not in str(other)


def test_what_comes_back_on_purpose_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    def later() -> None:
        raise PerhapsUnseen

    with pytest.raises(PerhapsUnseen):
        failures_logged(later)()
    (line,) = lines(capsys)
    assert (line["level"], line["why"]) == ("INFO", "PerhapsUnseen")


def test_of_a_long_way_to_an_error_its_end_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    def deeper(left: int) -> None:
        if not left:
            raise KeyError("C1")
        deeper(left - 1)

    with pytest.raises(KeyError):
        failures_logged(deeper)(20)
    (found,) = [line for line in lines(capsys) if "way" in line]
    way = found["way"]
    assert isinstance(way, list)
    assert len(way) == 8
    assert {place.split()[1] for place in way} == {"deeper"}
    assert way[-1] != way[-2], "the last is where it was raised"
    assert "C1" not in str(found)


def test_what_touched_no_notice_is_still_told(capsys: pytest.CaptureFixture[str]) -> None:
    log_notices("response", set(), told={"unmatched": 1})
    (line,) = lines(capsys)
    assert (line["notices"], line["told"]) == ([], {"unmatched": 1})


# --- metrics ------------------------------------------------------------------------------------------------


def metric(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The one metric line, without its time and its description."""
    (line,) = lines(capsys)
    return {name: value for name, value in line.items() if name not in ("_aws", "service", "function_name")}


def test_requests_are_counted_by_client(capsys: pytest.CaptureFixture[str]) -> None:
    observability.count_for("client", "portal", {"Customers": 3, "Refused": 1})
    found = [{k: v for k, v in line.items() if k not in ("_aws", "service")} for line in lines(capsys)]
    assert found == [
        {"client": "portal", "Requests": [1.0]},
        {"client": "portal", "Customers": [3.0]},
        {"client": "portal", "Refused": [1.0]},
    ]


def test_a_rate_has_its_own_dimensions(capsys: pytest.CaptureFixture[str]) -> None:
    observability.rate("BounceRate", 2.5, channel="email", sender="notices@example.com")
    assert metric(capsys) == {"BounceRate": [2.5], "channel": "email", "sender": "notices@example.com"}


def test_exceptions_are_counted_by_code(capsys: pytest.CaptureFixture[str]) -> None:
    observability.count_exceptions("records_rejected", 4)
    assert metric(capsys) == {"ExceptionsRaised": [4.0], "code": "records_rejected"}


def test_each_exception_is_logged_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    observability.metrics.clear_metrics()
    raised = [
        ExceptionRaised("records_rejected", "error", "retail", "run-1", "x", part="a.csv", count=3),
        ExceptionRaised("run_held", "warning", "retail", "run-2", "y", part="run", count=1),
    ]
    observability.log_exceptions(raised, ["i1"], YamlRules(), lambda name: f"<{name}>")
    found = [line for line in lines(capsys) if line.get("message") == "exception"]
    names = ("code", "domain", "run_id", "part", "count", "incidents")
    assert [tuple(line[name] for name in names) for line in found] == [
        ("records_rejected", "<retail>", "<run-1>", "a.csv", 3, ["i1"]),
        ("run_held", "<retail>", "<run-2>", "run", 1, ["i1"]),
    ]
    told = observability.metrics.metric_set
    counts = {name: row["Value"] for name, row in told.items()}
    assert (counts["ExceptionError"], counts["ExceptionWarning"]) == ([3.0], [1.0])
    observability.metrics.clear_metrics()


def test_names_of_counts_become_names_of_metrics() -> None:
    observability.metrics.clear_metrics()
    observability.count({"paper": 3, "in_flight": 1}, "Decided")
    assert {name: row["Value"] for name, row in observability.metrics.metric_set.items()} == {
        "DecidedPaper": [3.0],
        "DecidedInFlight": [1.0],
    }
    observability.metrics.clear_metrics()
