"""What functions log of notices can be found by id, and no line grows without bound."""

import json

import pytest

from exstream_notify.adapters import observability
from exstream_notify.adapters.observability import NOTICES_A_LINE, failures_logged, log_notices
from exstream_notify.adapters.rules import RulesInvalid


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
    assert sorted(id for line in found for id in line["notices"]) == ids  # type: ignore[attr-defined]
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


def test_what_touched_no_notice_is_still_told(capsys: pytest.CaptureFixture[str]) -> None:
    log_notices("response", set(), told={"unmatched": 1})
    (line,) = lines(capsys)
    assert (line["notices"], line["told"]) == ([], {"unmatched": 1})
