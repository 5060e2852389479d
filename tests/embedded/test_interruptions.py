"""Night, and workers that are killed: on stacks of their own, since only one runs in a process."""

import os
import signal
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from exnotify.following import End
from exnotify.local import LocalCloud

from .conftest import MakeRun, drop, outcomes, record, told

pytestmark = pytest.mark.slow


def test_an_sms_in_the_night_waits_for_the_morning(make_run: MakeRun) -> None:
    with LocalCloud(at="2026-11-25T03:30:00+00:00", day=60) as night:
        followed = drop(night, make_run("night", [record(401, email="")]), "night")
        assert outcomes(followed) == {"deferred": 1}
        assert not len(night.messages)
        deadline = time.monotonic() + 90
        while not any(m.channel == "sms" for m in night.messages) and time.monotonic() < deadline:
            time.sleep(0.5)
        (message,) = [m for m in night.messages if m.channel == "sms"]
        # 08:00 in New York is 13:00 UTC; an accelerated minute passes in a few hundredths of a second.
        assert night.deployment().app.ledger.of_customer("retail", "E000401")[0].status == "sent"
        sent_hour = message.sent_at.hour
        assert sent_hour >= 13, message.sent_at
        assert night.idle(30)


@pytest.mark.parametrize(
    ("at", "morning"),
    [
        ("2026-11-01T02:30:00+00:00", "2026-11-01T13:00:00+00:00"),  # clocks go back in this night
        ("2027-03-14T03:30:00+00:00", "2027-03-14T12:00:00+00:00"),  # and forward in this one
    ],
)
def test_an_sms_waits_until_eight_over_a_change_of_clocks_and_not_for_who_opted_out(
    make_run: MakeRun, at: str, morning: str
) -> None:
    """22:30 in New York: two customers wait, one of them wants no SMS any more before it is eight."""
    with LocalCloud(at=at, day=60) as night:
        rows = [record(411, email="", mobile="+12025550111"), record(412, email="", mobile="+12025550112")]
        assert outcomes(drop(night, make_run("clocks", rows), "clocks")) == {"deferred": 2}
        app = night.deployment().app
        contact = app.contacts.get("retail", ["E000412"])["E000412"]
        app.contacts.put([replace(contact, version=contact.version + 1, opt_outs={"*": ("sms",)})])
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            (waited,) = app.ledger.of_customer("retail", "E000412")
            # The team's alert about the one whom nothing reached is a message too, and can be the first.
            customers = [m for m in night.messages if m.channel == "sms"]
            if customers and waited.status == "suppressed":
                break
            time.sleep(0.5)
        (message,) = customers
        assert message.to == "+12025550111"
        opens = datetime.fromisoformat(morning)
        # A sweep each minute, its spread, and workers: some accelerated minutes.
        assert timedelta(0) <= message.sent_at - opens < timedelta(hours=1)
        assert waited.why == "no_channel", "there is no address for the other one"


def test_a_worker_killed_in_the_middle_tells_nobody_twice(make_run: MakeRun) -> None:
    parameters = {"EmailProvider": "ses", "EmailRate": "100"}
    with LocalCloud(at="2026-11-24T20:00:00+00:00", parameters=parameters) as cloud:
        folder = make_run("killed", [record(n) for n in range(501, 701)])
        stop = threading.Event()
        killed: list[int] = []

        def kill() -> None:
            # Twice, each time once some more messages of the run are out.
            for least in (15, 90):
                while len(cloud.messages) < least and not stop.wait(0.02):
                    pass
                for pid in cloud.worker_pids("SendNoticesFunction")[:1]:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            followed = drop(cloud, folder, "killed")
        finally:
            stop.set()
            killer.join()
        assert killed
        assert followed.end == End.BALANCED, followed
        found = outcomes(followed)
        assert set(found) <= {"notified", "unconfirmed"}
        assert sum(found.values()) == 200
        messages = told(cloud, "e000")
        assert max(messages.values()) == 1
        # At most a handful claimed together is in doubt for each kill, and all others were told.
        assert found.get("unconfirmed", 0) <= 10 * len(killed)
        assert len(messages) >= found["notified"]
