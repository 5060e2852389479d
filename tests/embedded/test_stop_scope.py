"""SmsStopScope=topic: STOP ends the topic of the last text, not everything."""

from collections.abc import Iterator

import pytest

from exnotify.local import LocalCloud
from tests.cli.shell import exnotify

from .conftest import MakeRun, drop, outcomes, record

pytestmark = pytest.mark.slow

DOMAIN = "desk"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    parameters = {"EmailProvider": "ses", "SmsProvider": "sms", "SmsStopScope": "topic"}
    with LocalCloud(at="2026-11-24T20:00:00+00:00", parameters=parameters) as running:
        yield running


def test_stop_ends_only_the_topic_where_the_site_says_so(
    cloud: LocalCloud, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXNOTIFY_URL", cloud.url)
    number = "+12025550183"

    def dropped(name: str, kind: str) -> dict[str, int]:
        row = record(8, mobile=number, email="", document_id=f"E000008-{name}", document_type=kind)
        found: dict[str, int] = outcomes(drop(cloud, make_run(name, [row]), name, DOMAIN))
        return found

    def stops() -> object:
        return cloud.deployment().app.contacts.get(DOMAIN, ["E000008"])["E000008"].opt_outs

    assert dropped("statement-1", "statement") == {"notified": 1}
    assert exnotify("reply", number, "STOP").code == 0
    assert stops() == {"statements": ("sms",)}
    assert cloud.deployment().app.suppressions.suppressed([("sms", number)]) == set()
    assert "of this kind" in [m.text for m in cloud.messages if m.to == number][-1]
    assert dropped("bill-1", "utility-bill") == {"notified": 1}
    assert dropped("statement-2", "statement") != {"notified": 1}
    # A second STOP, now that the last text was a bill, ends bills too; START takes both back.
    assert exnotify("reply", number, "stop").code == 0
    assert stops() == {"statements": ("sms",), "bills": ("sms",)}
    assert exnotify("reply", number, "START").code == 0
    assert stops() is None
    assert dropped("statement-3", "statement") == {"notified": 1}
