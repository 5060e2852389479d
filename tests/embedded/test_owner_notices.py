"""Three days and three notes to the owner of an address, from the command line; or a person who decides."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from exnotify.local import LocalCloud
from tests.cli.shell import Done, exnotify

from .conftest import MakeRun, record

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DOMAIN = "owner"
WAIT = 600.0
NOTES = ["address:changed", "address:in_effect", "address:reminder"]
FORGED = {
    "eventType": "Bounce",
    "bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "timestamp": "2026-11-24T20:00:00.000Z",
    },
    "mail": {"tags": {"notice_id": ["REPLACE"]}},
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """Fifteen seconds a day: three days of waiting are less than a minute."""
    providers = {"EmailProvider": "ses", "SmsProvider": "sms"}
    with LocalCloud(at="2026-11-24T15:00:00+00:00", day=15, parameters=providers) as running:
        yield running


@pytest.fixture
def shell(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    monkeypatch.setenv("EXNOTIFY_URL", cloud.url)

    def run(*arguments: object, code: int = 0) -> Done:
        done = exnotify(*arguments)
        assert done.code == code, (done.out, done.err)
        return done

    return run


def key(number: int) -> str:
    return f"E{number:06d}"


def put(shell: Any, folder: Path, number: int, **detail: Any) -> None:
    """The portal says that its customer has a new address, which it proved."""
    path = folder / f"event-{number}.json"
    detail = {"domain": DOMAIN, "customer_key": key(number), "verified": True, **detail}
    path.write_text(json.dumps({"source": "portal", "detail-type": "Preferences Changed", "detail": detail}))
    shell("event", path)


def contact(shell: Any, number: int) -> dict[str, Any]:
    found: dict[str, Any] = shell("contact", key(number), "--domain", DOMAIN, "--json").json
    return found


def until(true: Callable[[], Any], seconds: float = WAIT) -> Any:
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.5)
    return found


def purposes(shell: Any, to: str) -> list[str]:
    return sorted(
        m["purpose"] for m in shell("outbox", "--json").json if m["to"] == to and m["purpose"] in NOTES
    )


def test_a_take_over_takes_three_days_and_three_messages_and_an_unreached_owner_a_person(
    cloud: LocalCloud, shell: Any, make_run: MakeRun, tmp_path: Path
) -> None:
    rows = [record(1, language="en"), record(2, email="bounce2@example.com", mobile=None)]
    rows.append(record(3, email=None, mobile=None))
    # A bounce may come before the run's end is looked at, or after it.
    dropped = exnotify("drop", make_run("run-1", rows), "--domain", DOMAIN, "--run-id", "run-1")
    assert dropped.code in (0, 3), dropped.err
    old, mobile = rows[0]["email"], rows[0]["mobile"]
    (notice,) = [m["notice_id"] for m in shell("outbox", "--json").json if m["to"] == old]
    bounce = tmp_path / "bounce.json"
    recipient = {"bouncedRecipients": [{"emailAddress": old, "status": "5.1.1"}]}
    bounce.write_text(json.dumps({**FORGED, "bounce": {**FORGED["bounce"], **recipient}}))  # type: ignore[dict-item]
    shell("receipt", bounce, "--notice", f"{notice}:1")
    until(lambda: contact(shell, 1)["email"]["status"] == "invalid")

    for number in (1, 2, 3):
        put(shell, tmp_path, number, email=f"new{number}@example.com")
        until(lambda n=number: [c for c in contact(shell, n)["changing"] if c["stage"]])
    (change,) = contact(shell, 1)["changing"]
    waits = datetime.fromisoformat(change["effective_at"]) - datetime.fromisoformat(change["confirmed_at"])
    assert waits.total_seconds() == 72 * 3600
    # The bounce suppressed the old address: what cannot go there goes to the number.
    assert {(row["channel"], row["to"]) for row in change["told"]} == {("sms", mobile)}
    assert "in effect from" in shell("contact", key(1), "--domain", DOMAIN).out
    assert contact(shell, 1)["email"]["value"] == old

    # The third customer has no address: a person decides, and the three days pass all the same.
    assert contact(shell, 3)["changing"][0]["review"] == "asked"
    shell("contact", key(3), "--domain", DOMAIN, "--allow-change", "email", code=2)
    shell("contact", key(3), "--domain", DOMAIN, "--allow-change", "email", "--why", "answered our letter")
    assert not contact(shell, 3)["email"]

    until(lambda: contact(shell, 1)["email"]["value"] == "new1@example.com")
    history = contact(shell, 1)["history"]
    assert history[-1]["at"] >= change["effective_at"]
    assert (purposes(shell, old), purposes(shell, mobile)) == ([], NOTES)
    assert not [m for m in shell("outbox", "--json").json if m["to"] == "new1@example.com"]

    until(lambda: (contact(shell, 3)["email"] or {}).get("value") == "new3@example.com")
    assert contact(shell, 3)["history"][-1]["at"] >= change["effective_at"]

    # Every note to the second customer bounced, or none may go: a person is asked, and nothing takes effect.
    unreached = until(lambda: [c for c in contact(shell, 2)["changing"] if c["review"] == "asked"])[0]
    assert {row["status"] for row in unreached["told"]} <= {"bounced"}
    (asked,) = until(
        lambda: [i for i in shell("incidents", "--json").json if i["code"] == "address_change_unconfirmed"][
            :1
        ]
    )
    assert asked["team"] == "compliance"
    assert contact(shell, 2)["email"]["value"] == "bounce2@example.com"
    shell("contact", key(2), "--domain", DOMAIN, "--undo-change", "email", "--why", "it was somebody else")
    assert not contact(shell, 2)["changing"]
    shell("contact", key(2), "--domain", DOMAIN, "--undo-change", "email", "--why", "again", code=1)
