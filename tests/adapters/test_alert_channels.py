"""The ways to a team, against a web server on this machine."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import example, given
from hypothesis import strategies as st

from exstream_notify.adapters.alert_channels import Channels, topic_subject
from exstream_notify.adapters.alert_posts import retry_after
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.alert_words import Alert
from exstream_notify.domain.incidents import What
from exstream_notify.domain.messages import GiveUp
from exstream_notify.domain.sms_text import parts
from exstream_notify.ports import ChannelAnswer
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
        self.headers: dict[str, str] = {}
        self.body = b""
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posted.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                self.answer(hook.body)

            def do_HEAD(self) -> None:
                self.answer(b"")

            def answer(self, body: bytes) -> None:
                self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
                for name, value in {**hook.headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

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
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,))
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
    assert channels({"apprise": "nosuch://x"}).tell("apprise", "it", ALERT).outcome == "dead"


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

    def __init__(self, confirmed: int, *, pending: int = 0, deleted: int = 0, gone: str = "") -> None:
        self.confirmed = confirmed
        self.others = {"SubscriptionsPending": str(pending), "SubscriptionsDeleted": str(deleted)}
        self.gone = gone
        self.published: list[dict[str, str]] = []

    def get_topic_attributes(self, **_: str) -> dict[str, Any]:
        """How many listen."""
        self._fail("get")
        return {"Attributes": {"SubscriptionsConfirmed": str(self.confirmed), **self.others}}

    def publish(self, **message: str) -> None:
        """Keep it."""
        self._fail("publish")
        self.published.append(message)

    def _fail(self, call: str) -> None:
        if call in self.gone:
            raise ClientError({"Error": {"Code": "NotFound"}}, call)


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


# --- what is dead, and what asks to wait ----------------------------------------------------------------


def answered(hook: Hook, channel: str, status: int, body: str = "") -> ChannelAnswer:
    """What a channel's answer comes to."""
    hook.statuses, hook.body = [status], body.encode()
    address = "R0UT1NG" if channel == "pagerduty" else f"{hook.url}/T0/B0/t0ken"
    found = channels({channel: address, "pagerduty_url": f"{hook.url}/enqueue"})
    return found.tell(channel, "it", ALERT)


@pytest.mark.parametrize(
    ("channel", "status", "body", "outcome"),
    [
        *(("webhook", status, "", "dead") for status in (401, 403, 404, 410)),
        *(("webhook", status, "", "failed") for status in (400, 405, 413, 422)),
        ("webhook", 400, "no_service", "failed"),
        ("slack", 404, "no_service", "dead"),
        ("slack", 404, "no_active_hooks", "dead"),
        ("slack", 410, "channel_is_archived", "dead"),
        ("slack", 403, "invalid_token", "dead"),
        ("slack", 403, "action_prohibited", "dead"),
        ("slack", 400, "user_not_found", "dead"),
        ("slack", 400, "no_text", "failed"),
        ("slack", 400, "invalid_payload", "failed"),
        ("teams", 404, '{"error":{"code":"WorkflowNotFound"}}', "dead"),
        ("teams", 400, '{"error":{"code":"WorkflowTriggerIsNotEnabled"}}', "dead"),
        ("teams", 200, "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 404 with", "dead"),
        ("teams", 200, "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413 with", "failed"),
        ("teams", 200, "1", "sent"),
        ("pagerduty", 202, '{"status":"success"}', "sent"),
        ("pagerduty", 400, '{"status":"invalid event","errors":["Invalid routing key"]}', "dead"),
        ("pagerduty", 400, '{"status":"invalid event","errors":["\'payload.summary\' is missing or blank"]}', "failed"),
        ("pagerduty", 403, "", "failed"),
    ],
)  # fmt: skip
def test_an_answer_that_says_that_the_address_is_dead(
    hook: Hook, channel: str, status: int, body: str, outcome: str
) -> None:
    answer = answered(hook, channel, status, body)
    assert answer.outcome == outcome
    assert len(hook.posted) == 1, "it is not tried again"
    assert "t0ken" not in answer.why
    assert "R0UT1NG" not in answer.why


def test_the_reason_has_words_of_ours_alone(hook: Hook) -> None:
    assert answered(hook, "slack", 404, "no_service of xoxb-1234").why == "HTTP 404 no_service"
    assert answered(hook, "webhook", 410, "ann@example.com").why == "HTTP 410"


NOW = datetime.fromisoformat("2026-11-20T12:00:00+00:00")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("999999999", 86_400.0),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("Friday, 20-Nov-26 12:01:00 GMT", 60.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e3", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after(text, NOW.timestamp()) == seconds


@pytest.mark.parametrize("channel", ["slack", "teams", "webhook", "pagerduty"])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("after", "outcome", "tries", "slept"),
    [
        ("3", "sent", 2, [3.0]),
        ("Fri, 20 Nov 2026 12:00:07 GMT", "sent", 2, [7.0]),
        ("11", "waits", 1, []),
        ("nonsense", "sent", 2, [1.0]),
    ],
)
def test_a_service_that_asks_to_wait_is_waited_for_or_left(
    hook: Hook, channel: str, status: int, after: str, outcome: str, tries: int, slept: list[float]
) -> None:
    hook.statuses, hook.headers = [status], {"Retry-After": after}
    waited: list[float] = []
    address = "R0UT1NG" if channel == "pagerduty" else f"{hook.url}/hook"
    found = channels(
        {channel: address, "pagerduty_url": f"{hook.url}/enqueue"}, sleep=waited.append, now=NOW.timestamp
    )
    answer = found.tell(channel, "it", ALERT, 10.0)
    assert (answer.outcome, len(hook.posted), waited) == (outcome, tries, slept)
    if outcome == "waits":
        assert answer.wait == 11.0


def test_the_waits_of_one_alert_are_no_longer_than_it_may_wait(hook: Hook) -> None:
    hook.statuses, hook.headers = [429, 429], {"Retry-After": "6"}
    answer = channels({"slack": f"{hook.url}/s"}).tell("slack", "it", ALERT, 10.0)
    assert (answer.outcome, len(hook.posted)) == ("waits", 2)


@pytest.mark.parametrize(
    ("topic", "outcome"),
    [
        (Topic(0), "absent"),
        (Topic(0, pending=1), "dead"),
        (Topic(0, deleted=1), "dead"),
        (Topic(1, pending=1, deleted=1), "sent"),
        (Topic(1, gone="get"), "dead"),
        (Topic(1, gone="publish"), "dead"),
    ],
)
def test_a_topic_that_lost_its_subscribers_or_is_gone_is_dead(topic: Topic, outcome: str) -> None:
    found = channels({}, topics={"it": "arn"}, sns=lambda: topic)
    assert found.tell("sns", "it", ALERT).outcome == outcome
    assert not any("arn" in one for one in found.tell("sns", "it", ALERT).why.split())


def test_a_probe_posts_nothing(hook: Hook) -> None:
    hook.statuses = [405]
    found = channels({"webhook": f"{hook.url}/w", "slack": f"{hook.url}/s", "pagerduty": "KEY"})
    assert found.probe("webhook", "it") == ChannelAnswer("answered", "405")
    for channel in ("slack", "pagerduty", "teams", "apprise", "email", "sms"):
        assert found.probe(channel, "it").outcome == "absent", channel
    assert hook.posted == []
    gone = channels({"webhook": "http://127.0.0.1:9/secret-path"}).probe("webhook", "it")
    assert (gone.outcome, "secret" in gone.why) == ("failed", False)


def test_an_address_that_the_provider_refuses_is_dead() -> None:
    provider = FakeProvider("mail", FakeClock())
    provider.request = lambda message: GiveUp("address_not_usable", "recipient")  # type: ignore[method-assign]
    assert channels({}, provider=lambda channel: provider).tell("email", "it", ALERT).outcome == "dead"


@pytest.mark.parametrize(("channel", "limit"), [("slack", 40_000), ("teams", 28_672), ("pagerduty", 524_288)])
def test_an_alert_is_as_large_as_the_service_takes(hook: Hook, channel: str, limit: int) -> None:
    large = replace(ALERT, rerun=tuple(f"-CUSTOMERLIST={'7,' * 50_000}" for _ in range(20)), title="é" * 3000)
    address = "KEY" if channel == "pagerduty" else f"{hook.url}/hook"
    found = channels({channel: address, "pagerduty_url": f"{hook.url}/enqueue"})
    assert found.tell(channel, "it", large).outcome == "sent"
    assert len(hook.posted[-1][2]) <= limit
    assert "exnotify incidents shows every switch" in hook.posted[-1][2].decode()
    if channel == "pagerduty":
        assert len(hook.document["payload"]["summary"]) <= 1024


@pytest.mark.parametrize(
    "long",
    [
        {"facts": tuple((f"fact {n}", "EX000001S, " * 40_000) for n in range(14))},
        {"title": "é" * 600_000},
        {"samples": ("words " * 100_000,) * 3},
    ],
)
@pytest.mark.parametrize(("channel", "limit"), [("slack", 40_000), ("teams", 28_672), ("pagerduty", 524_288)])
def test_whatever_is_long_in_an_alert_the_service_takes_it(
    hook: Hook, channel: str, limit: int, long: dict[str, Any]
) -> None:
    address = "KEY" if channel == "pagerduty" else f"{hook.url}/hook"
    found = channels({channel: address, "pagerduty_url": f"{hook.url}/enqueue"})
    assert found.tell(channel, "it", replace(ALERT, **long)).outcome == "sent"
    assert len(hook.posted[-1][2]) <= limit
    if channel != "pagerduty" or "title" not in long:
        assert "exnotify incidents shows all" in hook.posted[-1][2].decode()


# --- PagerDuty: one page an incident, team and service -------------------------------------------------------


def test_each_team_has_a_page_of_its_own_also_at_a_shared_service(hook: Hook) -> None:
    found = channels({"pagerduty": "KEY", "pagerduty/claims": "OTHER", "pagerduty_url": f"{hook.url}/e"})
    pages = [found.tell("pagerduty", team, ALERT).page for team in ("it", "management", "claims", "it")]
    keys = [json.loads(body)["dedup_key"] for _, _, body in hook.posted]
    assert pages[0] == pages[3]
    assert len(set(pages)) == len(set(keys)) == 3
    assert keys == [f"{ALERT.key}-{page}" for page in pages]
    assert not any("KEY" in key or "OTHER" in key for key in keys)


def test_an_incident_opened_again_is_a_new_page(hook: Hook) -> None:
    found = channels({"pagerduty": "KEY", "pagerduty_url": f"{hook.url}/e"})
    pages = [found.tell("pagerduty", "it", replace(ALERT, again=again)).page for again in (0, 1, 2)]
    assert [json.loads(body)["dedup_key"] for _, _, body in hook.posted] == [
        f"{ALERT.key}-{p}" for p in pages
    ]
    assert len(set(pages)) == 3
    for page in pages:
        assert found.tell_page(page, "resolve", ALERT.key).outcome == "sent"
        assert hook.document["dedup_key"] == f"{ALERT.key}-{page}"


def test_a_page_is_told_where_it_was_made_and_not_at_another_service(hook: Hook) -> None:
    addresses = {"pagerduty/it": "KEY", "pagerduty_url": f"{hook.url}/e"}
    found = channels(addresses)
    page = found.tell("pagerduty", "it", ALERT).page
    assert found.tell_page(page, "acknowledge", ALERT.key).outcome == "sent"
    assert hook.document == {
        "routing_key": "KEY", "event_action": "acknowledge", "dedup_key": f"{ALERT.key}-{page}"
    }  # fmt: skip
    addresses["pagerduty/it"] = "NEW KEY"
    assert found.tell_page(page, "resolve", ALERT.key).outcome == "absent"
    assert len(hook.posted) == 2
