"""Follow-ups on the stack, on a fast clock: a moved date, a switched-off channel, a customer who has changed."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from exnotify.local import LocalCloud
from tests.cli.shell import exnotify

from .conftest import MakeRun, drop, outcomes, record

pytestmark = pytest.mark.slow

NEW_YORK = ZoneInfo("America/New_York")
DUNNED: dict[str, Any] = {
    "document_type": "payment-reminder", "country": "US", "currency": "USD", "amount_due": "100.00",
    "due_date": "2026-12-10", "mobile": "",
}  # fmt: skip


JOURNEY = """
journeys:
  dunning:
    steps:
      - {around_due_date: -P1D, channels: [email], wording: payment-due-soon}
      - {around_due_date: P1D, channels: [email], wording: overdue-notice}
    unanswered: {around_due_date: P14D, end: case, team: collections}
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Two days before reminders of a payment that is due on 10 December; a day without work lasts twenty seconds."""
    site = tmp_path_factory.mktemp("site")
    (site / "rules").mkdir()
    (site / "rules" / "journeys.yaml").write_text(JOURNEY, "utf-8")
    with LocalCloud(at="2026-12-07T20:00:00+00:00", day=20, working_rate=10, site=site) as running:
        yield running


def dunned(number: int, **fields: Any) -> dict[str, Any]:
    return record(number, document_id=f"E{number:06d}-PAY", **{**DUNNED, **fields})


def wait_until(cloud: LocalCloud, moment: str) -> None:
    until = datetime.fromisoformat(moment + "+00:00")
    while cloud.clock.utc() < until:
        time.sleep(0.05)
    assert cloud.deployment().settle(120)


def steps(cloud: LocalCloud, number: int) -> list[tuple[str, str, str]]:
    """Day in New York, subject and address of the steps to a customer, as the provider took them."""
    app = cloud.deployment().app
    purposes = {n.notice_id: n.purpose for n in app.ledger.of_customer("retail", f"E{number:06d}")}
    return sorted(
        (m.sent_at.astimezone(NEW_YORK).date().isoformat(), m.subject, m.to)
        for m in cloud.messages
        if purposes.get(m.ref.partition(":")[0], "notice") != "notice"
    )


def test_steps_fit_the_moment(cloud: LocalCloud, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Customer 1's date moves to January, customer 2's is passed while e-mail is switched off, customer 3 has
    another address and language by then."""
    monkeypatch.setenv("EXNOTIFY_URL", cloud.url)
    english = [dunned(n, language="en") for n in (1, 2, 3)]
    assert outcomes(drop(cloud, make_run("first", english), "first")) == {"notified": 3}
    moved = dunned(1, language="en", due_date="2027-01-20")
    assert outcomes(drop(cloud, make_run("second", [moved]), "second")) == {"duplicate": 1}
    later = record(3, document_id="E000003-INV", document_type="invoice", language="de", mobile="",
                   email="new3@example.com")  # fmt: skip
    assert outcomes(drop(cloud, make_run("third", [later]), "third")) == {"notified": 1}

    assert exnotify("switch", "email", "--off", "--why", "an incident").code == 0
    wait_until(cloud, "2026-12-11T08:00:00")  # the date is over in New York
    assert exnotify("switch", "email", "--on", "--why", "over").code == 0
    wait_until(cloud, "2026-12-11T17:00:00")
    assert steps(cloud, 1) == []
    assert [(day, to) for day, _, to in steps(cloud, 2)] == [("2026-12-11", "e000002@example.com")]
    assert [(day, to) for day, _, to in steps(cloud, 3)] == [("2026-12-11", "new3@example.com")]
    assert "Zahlung" in steps(cloud, 3)[0][1], "in German by now"

    notices = exnotify("notices", "--customer", "E000002", "--json").json
    (soon,) = [n for n in notices if n["purpose"] == "step:dunning:1"]
    assert (soon["status"], soon["why"]) == ("suppressed", "past_date")
    waiting = exnotify("journeys", "--json").json
    assert {row["due_at"][:10] for row in waiting if row["step"] == 1} == {"2027-01-19"}
