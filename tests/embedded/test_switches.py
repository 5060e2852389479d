"""A channel switched off while a run is being sent: what is queued waits with its reason, and goes out later.

On a clock sixty times as fast, so that what is put off by five minutes comes back after five seconds. Workers
are paced in real seconds, and look at the switches every `KEEP` real seconds.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from exnotify.dropping import prepare, upload
from exnotify.local import LocalCloud
from exstream_notify.adapters.dynamodb.switches import KEEP
from exstream_notify.domain.notices import Status
from tests.cli.shell import exnotify

from .conftest import MakeRun, record

pytestmark = pytest.mark.slow

RECORDS = 120
RATE = 3  # e-mails a second, of both workers together


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    """One e-mail at a time, slowly enough that most of a run is still queued when somebody has seen it."""
    parameters = {"EmailProvider": "ses", "EmailRate": str(RATE), "EmailConcurrency": "2"}
    with LocalCloud(at="2026-11-24T15:00:00+00:00", day=1440, parameters=parameters) as running:
        monkeypatch.setenv("EXNOTIFY_URL", running.url)
        yield running


def wait(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def outcomes() -> Counter[str]:
    return Counter(exnotify("run", "retail/wrong", "--json").json["outcomes"])


def test_what_is_queued_waits_with_its_reason_and_goes_out_when_it_is_on_again(
    switched: LocalCloud, make_run: MakeRun
) -> None:
    folder = make_run("wrong", [record(n, mobile=None) for n in range(1, RECORDS + 1)])
    upload(switched.deployment(), prepare(folder, domain="retail", run_id="wrong", sealed=True))
    wait(lambda: len(switched.messages) > 3, 60, "the run is not being sent")

    assert exnotify("switch", "email", "--off", "--why", "wrong sender").code == 0
    time.sleep(KEEP + 5)
    at_rest = len(switched.messages)
    assert at_rest < RECORDS, "switched off too late for this test"
    wait(lambda: outcomes()["in_flight"] == 0, 60, "what is queued is not put off")
    told = exnotify("run", "retail/wrong", "--json").json
    assert told["outcomes"]["notified"] == at_rest
    assert told["outcomes"]["deferred"] == RECORDS - at_rest
    assert told["reasons"]["deferred"] == {"switched_off": RECORDS - at_rest}
    assert told["balanced"]

    plan = exnotify(
        "plan", make_run("later", [record(900, mobile=None)]), "--domain", "retail", "--json"
    ).json
    assert plan["reasons"]["deferred"] == {"switched_off": 1}, "a plan says what would happen now"

    # Looked at again meanwhile, several times, and put off again: nothing goes out, nothing is lost.
    time.sleep(12)
    assert len(switched.messages) == at_rest
    waiting = [
        notice
        for n in range(1, RECORDS + 1)
        for notice in switched.deployment().app.ledger.of_customer("retail", f"E{n:06d}")
        if notice.status == Status.DEFERRED
    ]
    assert len(waiting) == RECORDS - at_rest
    assert {sum(event.detail == "switched_off" for event in n.events) for n in waiting} == {1}
    assert max(n.pauses.count for n in waiting if n.pauses) > 1, "counted, not written again"

    assert exnotify("switch", "email", "--on").code == 0
    limit = KEEP + 30 + 2 * RECORDS / RATE
    wait(lambda: outcomes()["notified"] == RECORDS, limit, f"not all went out: {outcomes()}")
    assert set(Counter(m.to for m in switched.messages).values()) == {1}, "each customer once"
    history = exnotify("switch", "--json").json
    assert history["off"] == []
    assert [(row["name"], row["off"], row["why"]) for row in history["history"]] == [
        ("email", True, "wrong sender"),
        ("email", False, ""),
    ]
    letters = {n: d for n, d in switched.state()["queues"].items() if n.endswith("DeadLetters")}
    assert letters, "the template's dead-letter queues are called so"
    assert not [name for name, depth in letters.items() if any(depth.values())]
