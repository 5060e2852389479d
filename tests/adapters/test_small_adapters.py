"""The clock, the counter of tries and the clients of the eligibility API, value by value."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exstream_notify.adapters.clock import SystemClock
from exstream_notify.adapters.dynamodb.responses import DynamoTries
from exstream_notify.adapters.eligibility_api import RequestRefused, client_of

TOKENS = {"portal": "a" * 16, "branch": "b" * 20, "weak": "short"}


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ("Bearer " + "a" * 16, "portal"),
        ("bearer  " + "b" * 20 + " ", "branch"),
        ("BEARER " + "b" * 20, "branch"),
        ("Basic " + "a" * 16, None),
        ("Bearer short", None),  # a token that anybody could guess opens nothing
        ("Bearer " + "c" * 16, None),
        ("Bearer", None),
        ("a" * 16, None),
        ("", None),
        (None, None),
    ],
)
def test_a_bearer_token_is_one_clients(header: str | None, client: str | None) -> None:
    if client is not None:
        assert client_of(header, TOKENS) == client
        return
    with pytest.raises(RequestRefused, match="a bearer token of a known client is needed") as refused:
        client_of(header, TOKENS)
    assert refused.value.status == 401


def test_a_count_of_tries_is_kept_for_a_year_from_now() -> None:
    asked: list[dict[str, Any]] = []

    class Client:
        def update_item(self, **given: Any) -> Any:
            asked.append(given)
            return {"Attributes": {"tries": {"N": str(len(asked))}}}

    now = datetime(2026, 11, 20, tzinfo=UTC)
    assert DynamoTries(Client(), "notices", lambda: now).count(["a", "b"]) == [1, 2]  # type: ignore[arg-type]
    assert [row["Key"] for row in asked] == [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}]
    kept = int(asked[0]["ExpressionAttributeValues"][":e"]["N"]) - now.timestamp()
    assert 365 * 86_400 <= kept <= 366 * 86_400


# --- the clock ----------------------------------------------------------------------------------------------


def test_without_a_setting_it_is_the_machines_time() -> None:
    clock = SystemClock("")
    assert abs(clock.now().timestamp() - time.time()) < 5
    assert clock.now().tzinfo is UTC
    assert abs(clock.machine_time() - time.time()) < 5
    assert len(clock.random_id()) == 32
    assert clock.random_id() != clock.random_id()


def test_the_embedded_cloud_sets_another_time_and_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_010.0)
    clock = SystemClock(json.dumps({"real": 1_000.0, "virtual": 50_000.0, "rate": 60.0}))
    assert clock.now() == datetime.fromtimestamp(50_600, UTC)
    assert clock.machine_time() == 1_010.0


def test_a_pace_that_changes_is_read_anew_until_the_cloud_has_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000.0)
    place = tmp_path / "pace.json"
    first = {"real": 1_000.0, "virtual": 0.0, "rate": 1.0, "file": str(place)}
    clock = SystemClock(json.dumps(first))
    place.write_text(json.dumps({**first, "virtual": 500.0}))
    assert clock.now().timestamp() == 500.0
    place.unlink()
    assert clock.now().timestamp() == 500.0


def test_the_setting_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setenv("EXNOTIFY_CLOCK", json.dumps({"real": 0.0, "virtual": 77.0, "rate": 1.0}))
    assert SystemClock().now().timestamp() == 77.0
