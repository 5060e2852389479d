"""Schedules: when they are due, and what their firing does."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exnotify.cloud import Clock, EmbeddedCloud, UnknownFunctionError
from exnotify.cloud.schedules import ScheduleError, parse_schedule
from exstream_notify.adapters.clock import SystemClock


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def following(expression: str, start: str, *, zone: str = "UTC") -> str:
    due = parse_schedule(expression, zone).next_after(at(start))
    return datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("expression", "start", "due"),
    [
        ("rate(1 minute)", "2026-03-01 10:00:07", "2026-03-01 10:01:07"),
        ("rate(12 hours)", "2026-03-01 10:00:00", "2026-03-01 22:00:00"),
        ("rate(2 days)", "2026-03-01 10:00:00", "2026-03-03 10:00:00"),
        ("cron(0 8 * * ? *)", "2026-03-01 07:59:59", "2026-03-01 08:00:00"),
        ("cron(0 8 * * ? *)", "2026-03-01 08:00:00", "2026-03-02 08:00:00"),
        ("cron(0/15 * * * ? *)", "2026-03-01 08:01:00", "2026-03-01 08:15:00"),
        ("cron(10,40 6-8/2 ? * MON-FRI *)", "2026-02-27 08:40:00", "2026-03-02 06:10:00"),
        ("cron(0 0 31 * ? *)", "2026-02-01 00:00:00", "2026-03-31 00:00:00"),
        ("cron(0 0 1 JAN ? 2028)", "2026-02-01 00:00:00", "2028-01-01 00:00:00"),
        ("cron(0 12 ? * 1 *)", "2026-03-02 00:00:00", "2026-03-08 12:00:00"),
    ],
)
def test_a_schedule_is_due(expression: str, start: str, due: str) -> None:
    assert following(expression, start) == due


def test_a_schedule_follows_its_zone_through_summer_time() -> None:
    eight = "cron(0 8 * * ? *)"
    assert following(eight, "2026-03-28 12:00:00", zone="Europe/Berlin") == "2026-03-29 06:00:00"
    assert following(eight, "2026-03-27 12:00:00", zone="Europe/Berlin") == "2026-03-28 07:00:00"


def test_a_schedule_of_a_year_that_is_over_is_never_due() -> None:
    assert parse_schedule("cron(0 8 * * ? 2020)").next_after(at("2026-01-01")) == float("inf")


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(1 week)",
        "every minute",
        "cron(0 8 * * ?)",
        "cron(0 8 * * * *)",
        "cron(0 8 ? * ? *)",
        "cron(60 8 * * ? *)",
        "cron(0 8 L * ? *)",
        "cron(0 8 ? * 2#1 *)",
        "cron(0/0 8 * * ? *)",
        "cron(0 9-8 * * ? *)",
    ],
)
def test_what_eventbridge_refuses_or_we_do_not_know_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(expression)


class TestTheClock:
    """What a function computes from EXNOTIFY_CLOCK is what the cloud's clock shows."""

    def test_it_runs_at_its_rate_from_its_start(self) -> None:
        clock = Clock.starting(at="2030-01-01T00:00:00", day=8.64)
        assert clock.rate == 10_000
        assert clock.is_virtual
        assert clock.at_real(clock.real + 1) == at("2030-01-01") + 10_000

    def test_a_zone_in_its_start_counts(self) -> None:
        assert Clock.starting(at="2030-01-01T01:00:00+01:00").virtual == at("2030-01-01")

    def test_without_settings_it_is_real_time(self) -> None:
        clock = Clock.starting()
        assert not clock.is_virtual
        before = time.time()
        assert before <= clock.now() <= time.time()

    @pytest.mark.parametrize("settings", [{"day": 0}, {"day": -1}, {"at": "tomorrow"}])
    def test_nonsense_is_refused(self, settings: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"."):
            Clock.starting(**settings)

    def test_the_contract_with_functions(self) -> None:
        clock = Clock.starting(at="2030-01-01T00:00:00", day=60)
        given = json.loads(clock.as_json())
        real = time.time()
        assert given["virtual"] + (real - given["real"]) * given["rate"] == clock.at_real(real)


@pytest.fixture(scope="module")
def fast(request: pytest.FixtureRequest) -> Iterator[EmbeddedCloud]:
    """A miniature stack in which an hour takes a tenth of a second."""
    template = Path(__file__).parent / "miniature" / "template.yaml"
    with EmbeddedCloud(template, at="2031-05-06T07:08:09Z", day=2.4) as cloud:
        yield cloud


def runs(cloud: EmbeddedCloud) -> int:
    item = cloud.client("dynamodb").get_item(TableName=cloud.outputs["TableName"], Key={"pk": {"S": "sweep"}})
    return int(item.get("Item", {}).get("runs", {"N": "0"})["N"])


def test_a_schedule_fires_by_the_clouds_clock_but_not_faster_than_a_machine_can(
    fast: EmbeddedCloud, wait: Any
) -> None:
    started, before = time.monotonic(), runs(fast)
    wait(lambda: runs(fast) >= before + 3)
    # Each half second five hours pass: five firings that have become one.
    assert runs(fast) - before <= (time.monotonic() - started) / 0.5 + 2


def test_functions_and_events_have_the_clouds_time(fast: EmbeddedCloud) -> None:
    told = fast.invoke("TakeOrdersFunction", {"do": "tell"}).value
    now = SystemClock(told["environment"]["EXNOTIFY_CLOCK"]).now()
    assert abs(now.timestamp() - fast.clock.now()) < 3600
    assert now.year == 2031
    assert fast.tick("SweepFunction").value == {"swept": "Scheduled Event"}
    item = fast.client("dynamodb").get_item(TableName=fast.outputs["TableName"], Key={"pk": {"S": "sweep"}})[
        "Item"
    ]
    event = json.loads(item["lastevent"]["S"])
    assert event["time"].startswith("2031-")
    assert event["source"] == "aws.events"
    assert event["resources"] == ["arn:aws:events:us-east-1:123456789012:rule/exnotify-SweepFunctionEachHour"]


def test_a_function_without_a_schedule_does_not_tick(fast: EmbeddedCloud) -> None:
    with pytest.raises(UnknownFunctionError, match="TakeOrdersFunction has no schedule: SweepFunction has"):
        fast.tick("TakeOrdersFunction")


def test_a_failed_asynchronous_invocation_is_retried_then_goes_to_its_destination(
    fast: EmbeddedCloud, wait: Any
) -> None:
    fast.client("lambda").invoke(
        FunctionName="exnotify-SweepFunction", InvocationType="Event", Payload=b'{"fail": true, "id": 7}'
    )
    sqs = fast.client("sqs")
    url = fast.resource("Failures")
    [message] = wait(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    record = json.loads(message["Body"])
    assert record["requestPayload"] == {"fail": True, "id": 7}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2  # MaximumRetryAttempts: 1
    assert record["responsePayload"]["errorMessage"] == "told to fail"
    assert record["timestamp"].startswith("2031-")


def test_a_fast_clock_is_held_back_while_work_is_under_way_and_never_jumps(tmp_path: Path) -> None:
    clock = Clock.starting("2026-11-20T15:00:00Z", day=2)
    clock.keep_in(tmp_path / "clock.json")
    elsewhere = SystemClock(clock.as_json())
    assert clock.is_paced

    clock.hold(True)
    before = clock.now()
    time.sleep(0.05)
    assert 0 < clock.now() - before < 3_600
    assert abs(elsewhere.now().timestamp() - clock.now()) < 600

    clock.hold(False)
    assert clock.now() >= before
    time.sleep(0.1)
    assert clock.now() - before > 3_600
    assert abs(elsewhere.now().timestamp() - clock.now()) < 43_200
    (tmp_path / "clock.json").unlink()
    assert elsewhere.now().timestamp() > before


def test_a_clock_of_an_ordinary_pace_is_left_alone() -> None:
    assert not Clock.starting(None, None).is_paced
    assert not Clock.starting("2026-11-20T15:00:00Z", day=1440).is_paced
    assert not Clock.starting(None, None, working_rate=10).is_paced


def test_how_far_work_holds_a_clock_back_can_be_chosen() -> None:
    clock = Clock.starting("2026-11-20T15:00:00Z", day=1440, working_rate=10)
    assert clock.is_paced
    for working, seconds in ((True, 10), (False, 60)):
        clock.hold(working)
        assert clock.at_real(1.0) - clock.at_real(0.0) == pytest.approx(seconds)
