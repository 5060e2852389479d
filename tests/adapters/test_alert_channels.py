"""The ways to a team, against a web server on this machine."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exstream_notify.adapters.alert_channels import Channels, topic_subject
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.incidents import Alert, What
from exstream_notify.domain.sms_text import parts
from tests.fakes import FakeClock, FakeProvider

ALERT = Alert(
    "1" * 32,
    2,
    What.GROWN,
    "operations",
    "severe",
    "[SEVERE] EX000001S × 9 in retail/run-1: ten times as many",
    (("Team", "operations"), ("What happened", "<b>x</b> & y")),
    ("Field ‹value› empty",),
    ("-CUSTOMERLIST=2,7,14-50",),
    "docs/runbook.md#composition",
    "https://documents.example.com/i/token",
)


class Hook:
    """A server that keeps what it is posted and answers as told, one status after the other."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posted.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def document(self) -> Any:
        """The latest body."""
        return json.loads(self.posted[-1][2])


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A web hook."""
    found = Hook()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def channels(addresses: dict[str, str], **more: Any) -> Channels:
    """Channels with these addresses; no waits."""
    given: dict[str, Any] = {
        "topics": {},
        "sns": lambda: None,
        "provider": lambda channel: FakeProvider("mail", FakeClock()),
        "sleep": lambda seconds: None,
    }
    rules = more.pop("rules", None) or YamlRules()
    return Channels(rules, lambda: addresses, **{**given, **more})


@pytest.mark.parametrize("channel", ["slack", "teams", "webhook", "pagerduty"])
def test_every_channel_carries_what_to_do(channel: str, hook: Hook) -> None:
    key = "R0UT1NG" if channel == "pagerduty" else f"{hook.url}/hook"
    answer = channels({channel: key, "pagerduty_url": f"{hook.url}/enqueue"}).tell(
        channel, "operations", ALERT
    )

    assert answer.outcome == "sent"
    text = json.dumps(hook.document, ensure_ascii=False)
    for words in ("-CUSTOMERLIST=2,7,14-50", "EX000001S", "Field ‹value› empty", ALERT.link):
        assert words in text


def test_a_teams_own_address_beats_the_channels(hook: Hook) -> None:
    found = channels({"webhook": f"{hook.url}/all", "webhook/compliance": f"{hook.url}/mine"})
    for team in ("compliance", "operations"):
        found.tell("webhook", team, ALERT)

    assert [path for path, _, _ in hook.posted] == ["/mine", "/all"]


def test_a_pager_hears_of_one_incident_until_it_is_resolved(hook: Hook) -> None:
    found = channels({"pagerduty/it": "KEY", "pagerduty_url": f"{hook.url}/enqueue"})
    found.tell("pagerduty", "it", ALERT)
    assert (hook.document["event_action"], hook.document["payload"]["severity"]) == ("trigger", "critical")
    first = hook.document["dedup_key"]
    found.tell("pagerduty", "it", replace(ALERT, what=What.RESOLVED, number=3))
    assert (hook.document["event_action"], hook.document["dedup_key"]) == ("resolve", first)


def test_chat_markup_is_escaped(hook: Hook) -> None:
    channels({"slack": f"{hook.url}/s"}).tell("slack", "it", ALERT)
    assert "&lt;b&gt;x&lt;/b&gt; &amp; y" in hook.document["text"]


def test_a_hook_can_tell_that_it_is_us(hook: Hook) -> None:
    channels({"webhook": f"{hook.url}/w", "webhook_secret": "s3cret"}).tell("webhook", "it", ALERT)
    _, headers, body = hook.posted[-1]
    wanted = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["x-exnotify-signature"] == f"sha256={wanted}"


@pytest.mark.parametrize(
    ("statuses", "outcome", "tries"),
    [
        ([503, 429, 200], "sent", 3),
        ([500, 500, 500], "failed", 3),
        ([404], "dead", 1),
        ([302], "failed", 1),
    ],
)
def test_what_may_pass_is_tried_again(hook: Hook, statuses: list[int], outcome: str, tries: int) -> None:
    hook.statuses = list(statuses)
    answer = channels({"webhook": f"{hook.url}/w"}).tell("webhook", "it", ALERT)
    assert (answer.outcome, len(hook.posted)) == (outcome, tries)


def test_a_hook_that_is_gone_fails_and_its_address_is_in_no_reason() -> None:
    answer = channels({"webhook": "http://127.0.0.1:9/secret-path"}).tell("webhook", "it", ALERT)
    assert answer.outcome == "failed"
    assert "secret" not in answer.why


def test_an_address_elsewhere_has_to_be_https() -> None:
    answer = channels({"slack": "http://hooks.example.com/x"}).tell("slack", "it", ALERT)
    assert (answer.outcome, answer.why) == ("failed", "the address is not https")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Apprise imports what Python 3.13 has dropped
def test_apprise_carries_it_to_the_many_others(hook: Hook) -> None:
    address = hook.url.replace("http://", "json://")
    assert channels({"apprise/it": f"{address}/any"}).tell("apprise", "it", ALERT).outcome == "sent"
    assert ALERT.title in json.dumps(hook.document, ensure_ascii=False)
    assert channels({"apprise": "nosuch://x"}).tell("apprise", "it", ALERT).outcome == "failed"


def test_what_is_not_set_up_is_passed_over() -> None:
    found = channels({"slack": ""})
    for channel in ("sns", "sms", "slack", "teams", "webhook", "pagerduty", "apprise"):
        assert found.tell(channel, "operations", ALERT).outcome == "absent", channel
    assert found.tell("email", "nobody", ALERT).outcome == "absent"


def test_by_e_mail_it_goes_through_the_notification_provider() -> None:
    provider = FakeProvider("mail", FakeClock())
    found = channels({}, provider=lambda channel: provider)
    assert found.tell("email", "operations", ALERT).outcome == "sent"
    (mail,) = provider.delivered
    assert mail.to == "operations@example.com"


def test_by_sms_it_is_one_part_and_its_link_is_whole(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text('teams: {it: {mobile: "+12025550100"}}\n')
    provider = FakeProvider("sms", FakeClock())
    found = channels({}, rules=YamlRules(tmp_path), provider=lambda channel: provider)
    for title in (ALERT.title, ALERT.title * 4):
        assert found.tell("sms", "it", replace(ALERT, title=title)).outcome == "sent"
    for text in (message.text for message in provider.delivered):
        assert parts(text) == 1
        assert text.startswith("[SEVERE] EX000001S x 9 in retail/run-1")
        assert text.endswith(f" {ALERT.link}")


class Topic:
    """SNS, as far as it is used."""

    def __init__(self, confirmed: int) -> None:
        self.confirmed = confirmed
        self.published: list[dict[str, str]] = []

    def get_topic_attributes(self, **_: str) -> dict[str, Any]:
        """How many listen."""
        return {"Attributes": {"SubscriptionsConfirmed": str(self.confirmed)}}

    def publish(self, **message: str) -> None:
        """Keep it."""
        self.published.append(message)


@pytest.mark.parametrize(("confirmed", "outcome"), [(0, "absent"), (1, "sent")])
def test_a_topic_that_nobody_listens_to_is_not_set_up(confirmed: int, outcome: str) -> None:
    topic = Topic(confirmed)
    found = channels({}, topics={"it": "arn"}, sns=lambda: topic)
    assert found.tell("sns", "it", ALERT).outcome == outcome
    assert len(topic.published) == confirmed
    assert all("EX000001S x 9" in m["Subject"] for m in topic.published)


@given(st.text(max_size=250))
@example("a\x00b\x7fc")
@example("\r\n\t")
def test_a_subject_is_what_sns_takes_whatever_the_title(title: str) -> None:
    subject = topic_subject(title)
    assert 1 <= len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()
    assert subject == subject.strip()


def test_a_subject_that_is_cut_says_so_and_the_message_has_the_whole_title() -> None:
    alert = replace(ALERT, title="[SEVERE] " + "many words " * 30 + "the end")
    topic = Topic(1)
    channels({}, topics={"it": "arn"}, sns=lambda: topic).tell("sns", "it", alert)
    (message,) = topic.published
    assert message["Subject"].endswith("...")
    assert message["Message"].startswith(alert.title)
    assert topic_subject("x" * 99) == "x" * 99
    assert topic_subject("x" * 100) == "x" * 96 + "..."
