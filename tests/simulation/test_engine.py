"""The simulator's engine: the real functions on simulated services, in one thread, on virtual time."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.event_handler.api_gateway import BaseRouter
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from exnotify.commands.tick import run_scheduled
from exnotify.errors import CommandError
from simulation.engine.calls import Calls, Defect
from simulation.engine.client import Client
from simulation.engine.deployment import deployed
from simulation.engine.surroundings import Lock, entering
from simulation.engine.tasks import Process, Tasks
from simulation.nature import Chance, Nature, Timeline
from simulation.service import Refused
from tests.simulation.nights import BAD_NIGHT, RUN, bad_night, cloud, drop, shown

ROOT = Path(__file__).parents[2]


# ---- the main job ----


def test_a_run_is_staged_decided_and_sent_by_the_real_functions() -> None:
    with cloud() as world:
        drop(world, 3)
        assert world.come_to_rest()
        told = shown(world, "run", RUN)
        assert told["outcomes"]["notified"] == 3
        assert told["headline"] == "3 of 3 notified"
    sent = world.outside.accepted
    assert sorted(message.to for message in sent) == [f"customer{n}@example.com" for n in range(3)]
    assert world.functions.failed == []


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_a_bad_night_sends_each_attempt_once_and_comes_to_rest(seed: str) -> None:
    with cloud(seed, BAD_NIGHT) as world:
        drop(world, 5)
        world.run_until(world.timeline.now + 3600)
        assert world.come_to_rest()
        told = shown(world, "run", RUN)
        assert told["balanced"]
    attempts = Counter(message.ref for message in world.outside.accepted)
    assert set(attempts.values()) <= {1}
    assert len(world.nature.chance.happened) > 20


def test_a_seed_gives_the_same_history_in_every_process() -> None:
    path = os.pathsep.join(str(ROOT / part) for part in ("layers/core", "tools", "."))
    environ = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "4711"}
    command = [sys.executable, "-m", "tests.simulation.nights", "7"]
    other = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
    here, another = bad_night("7"), bad_night("8")
    told, _ = other.communicate()
    assert told.strip() == here
    assert another != here


def test_a_link_opens_the_document() -> None:
    with cloud() as world:
        drop(world, 1)
        world.come_to_rest()
        (message,) = world.outside.accepted
        link = next(link for link in message.links if "/d/" in link)
        page = world.http("GET", link, {"user-agent": "a browser"})
        assert page.status == 200
        assert "<form" in page.body


def test_an_operator_holds_a_run_and_releases_it() -> None:
    with cloud() as world:
        drop(world, 2)
        while not world.look(["run", RUN]).out:
            world.run_until(world.timeline.now + 0.1)
        held = world.command("hold", ["run", RUN, "--hold", "--why", "a look first"])
        world.run_until(world.timeline.now + 3600)
        assert held.value.code == 0
        before = len(world.outside.accepted)
        freed = world.command("release", ["run", RUN, "--release", "--why", "it is fine"])
        world.come_to_rest()
        assert freed.value.code == 0
        assert shown(world, "run", RUN)["outcomes"]["notified"] == 2
    assert (before, len(world.outside.accepted)) == (0, 2)


# ---- calls ----


class Counting:
    """A service that counts, and refuses what it is told to."""

    name = "dynamodb"

    def __init__(self) -> None:
        self.called: list[str] = []

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.called.append(operation)
        if operation == "PutItem":
            raise Refused("ConditionalCheckFailedException", "The conditional request failed", Item={"a": 1})
        if operation == "Scan":
            raise NotImplementedError("Scan")
        return {"Count": len(self.called)}


def made(
    rates: dict[str, float] | None = None, allowed: frozenset[str] | None = None
) -> tuple[Timeline, Tasks, Calls, Counting]:
    timeline = Timeline(0.0)
    tasks = Tasks(timeline, lambda process: None)
    service = Counting()
    calls = Calls(
        tasks, Nature(timeline, Chance("1", rates, allowed)), {"dynamodb": service, "sesv2": service}
    )
    return timeline, tasks, calls, service


def ran(timeline: Timeline, tasks: Tasks, act: Any) -> Any:
    task = tasks.start("a task", Process("a process", {}), act)
    while timeline.step():
        pass
    return task


def client(calls: Calls, attempts: int = 4, service: str = "dynamodb") -> Client:
    return Client(service, calls.call, "us-east-1", attempts, lambda parameters, seconds: "")


def test_an_error_answer_is_the_class_that_the_client_names() -> None:
    timeline, tasks, calls, _ = made()
    task = ran(timeline, tasks, lambda: client(calls).put_item(TableName="t"))
    assert isinstance(task.error, client(calls).exceptions.ConditionalCheckFailedException)
    assert isinstance(task.error, ClientError)
    assert task.error.response["Item"] == {"a": 1}


@pytest.mark.parametrize("fault", ["throttled", "server_error", "lost_answer"])
def test_a_client_tries_as_often_as_it_is_set(fault: str) -> None:
    timeline, tasks, calls, service = made({fault: 1.0})
    task = ran(timeline, tasks, lambda: client(calls, 4).get_item(TableName="t"))
    assert isinstance(task.error, ClientError | ConnectionClosedError | ReadTimeoutError)
    tries = [name for name in calls.nature.chance.happened if name.startswith(fault)]
    assert len(tries) == 4
    expected = {"throttled": {0}, "lost_answer": {4}, "server_error": set(range(5))}
    assert len(service.called) in expected[fault]


def test_a_client_of_one_try_tries_once() -> None:
    timeline, tasks, calls, service = made({"lost_answer": 1.0})
    task = ran(timeline, tasks, lambda: client(calls, 1, "sesv2").send_email())
    assert isinstance(task.error, ConnectionClosedError | ReadTimeoutError)
    assert service.called == ["SendEmail"]
    assert [row.what for row in calls.observed] == ["answer lost"]


@pytest.mark.parametrize(
    ("fault", "effects"), [("crash_before", 0), ("crash_after", 1), ("crash_between", 1)]
)
def test_a_crash_ends_the_process_and_nothing_swallows_it(fault: str, effects: int) -> None:
    # The first call alone: what comes after it must do nothing though no fault happens to it.
    timeline, tasks, calls, service = made({fault: 1.0}, frozenset({f"{fault} a task #1 dynamodb.GetItem"}))
    after: list[str] = []

    def act() -> None:
        while True:
            try:
                client(calls).get_item(TableName="t")
            except Exception:
                after.append("went on")
            finally:
                client(calls).delete_item(TableName="t")

    task = ran(timeline, tasks, act)
    assert task.done
    assert after == []
    assert len(service.called) == effects


def test_what_a_service_does_not_know_ends_the_history() -> None:
    timeline, tasks, calls, _ = made()

    def act() -> str:
        try:
            client(calls).scan(TableName="t")
        except Exception:
            return "taken for an answer"
        return "answered"

    task = ran(timeline, tasks, act)
    assert task.value is None
    assert isinstance(calls.defect, Defect)


# ---- instances and time ----


def test_each_process_has_its_own_clock_and_environment() -> None:
    with cloud() as world:
        seen: list[tuple[float, str | None]] = []

        def act() -> None:
            seen.append((time.time() - world.timeline.now, os.environ.get("NAME")))
            time.sleep(5)
            seen.append((time.time() - world.timeline.now, os.environ.get("NAME")))

        began = world.timeline.now
        for name, skew in (("one", 0.75), ("two", -0.5)):
            world.tasks.start(name, Process(name, {b"NAME": name.encode()}, skew), act)
        world.run_until(began + 4)
        assert len(seen) == 2
        world.run_until(began + 6)
    assert [(round(skew, 3), name) for skew, name in seen] == [(0.75, "one"), (-0.5, "two")] * 2
    assert os.environ.get("NAME") is None


@pytest.mark.parametrize("frozen", [0.0, 1.0])
def test_an_operator_runs_a_function_and_waits_for_its_answer(frozen: float) -> None:
    with cloud(rates={"frozen": frozen}) as world:
        task = world.operator("a look", lambda target: run_scheduled(target, "ReleaseDueFunction"))
        world.run_until(world.timeline.now + 4 * 3600)
        assert world.calls.defect is None
    if frozen:
        assert isinstance(task.error, CommandError)
        assert "release_due failed" in str(task.error)
    else:
        assert task.error is None
        assert task.value


def test_an_invocation_beyond_its_time_out_is_killed() -> None:
    with cloud(rates={"frozen": 1.0}) as world:
        ended: list[Any] = []
        world.functions.invoke("ReleaseDueFunction", {}, "a look", ended.append)
        world.run_until(world.timeline.now + 4 * 3600)
    assert ended[0].error["errorType"] == "Sandbox.Timedout"
    assert ended[0].seconds < 60 + 5


def test_a_message_that_is_not_dealt_with_comes_back_until_it_is_a_dead_letter() -> None:
    with cloud(rates={"crash_before": 1.0}) as world:
        world.put_event("exstream", "Document Composed", {"domain": "bank", "customer_key": "C1"})
        world.run_until(world.timeline.now + 4 * 3600)
        tried = {name.split(" ")[1] for name in world.nature.chance.happened if " stage_document:" in name}
        queues = world.services.sqs.queues.values()
        (dead,) = (queue for queue in queues if queue.name.endswith("DocumentDeadLetters"))
    assert sorted(int(name.rpartition(":")[2]) for name in tried) == [1, 2, 3, 4, 5]
    assert len(dead.messages) == 1


def test_idle_schedules_slow_down_and_whatever_happens_wakes_them() -> None:
    with cloud(keep_log=True) as world:
        day = world.timeline.now + 86_400
        world.run_until(day)
        idle = fired(world)
        drop(world, 1)
        world.run_until(day + 600)
    assert idle < 200
    assert fired(world) - idle >= 4


def fired(world: Any) -> int:
    return len({row.split(" ")[1] for row in world.calls.log if " release_due@" in f" {row.split(' ')[1]}"})


def test_the_deployment_is_the_templates() -> None:
    found = deployed()
    assert found.functions["SendNoticesFunction"].environment["POWERTOOLS_SERVICE_NAME"] == "exstream-notify"
    email = next(m for m in found.mappings if m.queue.endswith("EmailQueue"))
    assert (email.batch_size, email.partial_responses) == (1, True)
    assert found.failures["ReleaseDueFunction"].on_failure.endswith("ReleaseFailures")  # type: ignore[union-attr]
    assert found.tables["exnotify-NoticesTable"]["TimeToLiveSpecification"]["AttributeName"] == "expires"


def test_two_functions_that_answer_at_once_keep_their_own_requests() -> None:
    """Powertools keeps the request under way on a class, of which a real function has one to itself."""
    with asking() as (enter, one, other):
        enter(one)
        BaseRouter.current_event = "one's"  # type: ignore[assignment]
        enter(other)
        assert BaseRouter.current_event is None
        BaseRouter.current_event = "the other's"  # type: ignore[assignment]
        enter(one)
        assert BaseRouter.current_event == "one's"
        enter(other)
        assert BaseRouter.current_event == "the other's"


@contextmanager
def asking() -> Iterator[tuple[Callable[[Process | None], None], Process, Process]]:
    """Two processes, and what puts one in force; afterwards this process is as before."""
    environ: Any = os.environ
    enter, out, err = entering(SimpleNamespace(skew=0.0), sys.stdout), sys.stdout, sys.stderr  # type: ignore[arg-type]
    kept = dict(environ._data)
    try:
        yield enter, Process("one", dict(kept)), Process("other", dict(kept))
    finally:
        enter(None)
        sys.stdout, sys.stderr = out, err


def test_a_sleep_is_the_same_with_and_without_a_bound() -> None:
    def told(bounded: bool) -> list[tuple[str, float]]:
        timeline, tasks, _, _ = made()
        timeline.until = 100.0 if bounded else 0.0
        seen: list[tuple[str, float]] = []

        def act(name: str, seconds: float) -> Any:
            def acted() -> None:
                for _ in range(4):
                    tasks.sleep(seconds)
                    seen.append((name, timeline.now))

            return acted

        for name, seconds in (("one", 1.0), ("two", 2.5), ("three", 0.75)):
            tasks.start(name, Process(name, {}), act(name, seconds))
        while timeline.step():
            pass
        return seen

    assert told(True) == told(False)
    assert len(told(True)) == 12


def test_who_waits_for_a_lock_goes_on_when_it_is_given_back_also_by_a_dead_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timeline, tasks, _, _ = made()
    monkeypatch.setattr(Lock, "tasks", tasks, raising=False)
    lock, seen = Lock(), list[tuple[str, float]]()
    steps = Counter[str]()

    def act(name: str, seconds: float) -> Any:
        def acted() -> None:
            with lock:
                seen.append((name, timeline.now))
                tasks.sleep(seconds)
                steps[name] += 1

        return acted

    frozen = Process("frozen", {})
    tasks.start("first", frozen, act("first", 5_000.0))
    for name in ("second", "third"):
        tasks.start(name, Process(name, {}), act(name, 10.0))
    timeline.at(1_200.0, lambda: tasks.kill(frozen))
    events = 0
    while timeline.step():
        events += 1
    assert seen == [("first", 0.0), ("second", 1_200.0), ("third", 1_210.0)]
    assert steps == {"second": 1, "third": 1}
    assert events < 20, "nobody looks again and again"


@pytest.mark.parametrize(
    ("item", "standing", "told"),
    [
        ({"pk": {"S": "a"}}, False, [False]),
        ({"pk": {"S": "a"}}, True, [True]),
        ({"pk": {"S": "incident:8aed"}}, False, [True]),
        ({"pk": {"S": "channels:2026-11-20T16:00:00+00:00"}}, False, []),
    ],
)
def test_what_is_told_again_and_again_wakes_no_schedule(item: Any, standing: bool, told: list[bool]) -> None:
    timeline, tasks, calls, _ = made()
    found: list[bool] = []
    calls.stirred = found.append
    task = tasks.start("a", Process("a", {}), lambda: client(calls).update_item(TableName="t", Key=item))
    task.standing = standing
    while timeline.step():
        pass
    assert task.error is None
    assert found == told
