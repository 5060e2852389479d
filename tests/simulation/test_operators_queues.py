"""Operators' commands find the simulated stack's queues: dead letters are read and sent back."""

from exnotify.deployment import Deployment
from exnotify.redriving import DeadLetters, redrive
from simulation.engine.cloud import Cloud
from simulation.nature import Chance, Nature, Timeline
from simulation.services.sqs_queues import Queue


def test_dead_letters_are_sent_back() -> None:
    with Cloud(Nature(Timeline(1_800_000_000.0), Chance("1"), "")) as cloud:
        letters, source = (_queue(cloud, name) for name in ("ReplyDeadLetters", "ReplyQueue"))
        cloud.send(letters.url, "what nobody can read")
        cloud.run_until(cloud.timeline.now + 60)

        def act(target: Deployment) -> tuple[int, int]:
            return redrive(DeadLetters.of(target, "ReplyQueue"), lambda letter: True, rate=10)

        done = cloud.operator("an operator redrives", act)
        sent: list[str] = []
        while not done.done or source.messages:
            sent += [m.body for m in source.messages.values() if m.body not in sent]
            cloud.run_until(cloud.timeline.now + 0.02)
    assert done.error is None
    assert done.value == (1, 0)
    assert sent == ["what nobody can read"]


def _queue(cloud: Cloud, name: str) -> Queue:
    return cloud.services.sqs.queues[f"exnotify-{name}"]
