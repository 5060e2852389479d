"""What each channel is given, to the last field, what of it is logged and counted, and how long it is tried."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from exstream_notify.adapters import alert_channels, alert_posts
from exstream_notify.adapters.alert_channels import Channels, as_html, shortened
from exstream_notify.adapters.alert_forms import LARGEST, as_json, card, document, fitting
from exstream_notify.adapters.alert_posts import DEAD, Posts, retry_after
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.alert_words import Alert
from exstream_notify.domain.incidents import What
from exstream_notify.domain.messages import Accepted, GiveUp, TryAgain, Unconfirmed
from exstream_notify.domain.pager import page_key
from exstream_notify.ports import ChannelAnswer
from tests.fakes import FakeClock, FakeProvider

ALERT = Alert(
    "1" * 32,
    2,
    What.GROWN,
    "operations",
    "severe",
    "[SEVERE] EX000001S × 9: <b> & more",
    (("Team", "operations"), ("What happened", "<b>x</b> & y")),
    ("Field ‹value› empty",),
    ("-CUSTOMERLIST=2,7", "-CUSTOMERLIST=9"),
    "docs/runbook.md#composition",
    'https://documents.example.com/i/"token"',
)
BARE = replace(ALERT, samples=(), rerun=(), link="")


# --- documents ------------------------------------------------------------------------------------------


def test_a_card_of_teams() -> None:
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": ALERT.title, "weight": "bolder", "wrap": True},
            {
                "type": "FactSet",
                "facts": [
                    {"title": "Team", "value": "operations"},
                    {"title": "What happened", "value": "<b>x</b> & y"},
                ],
            },
            {"type": "TextBlock", "text": "Field ‹value› empty", "wrap": True},
            {"type": "TextBlock", "text": "-CUSTOMERLIST=2,7", "wrap": True},
            {"type": "TextBlock", "text": "-CUSTOMERLIST=9", "wrap": True},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": "Acknowledge", "url": ALERT.link}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": content}
    assert card(ALERT) == {"type": "message", "attachments": [attachment]}
    bare: Any = card(BARE)
    assert "actions" not in bare["attachments"][0]["content"]
    assert len(bare["attachments"][0]["content"]["body"]) == 2


def test_a_document_of_a_web_hook() -> None:
    assert document(ALERT) == {
        "incident_id": "1" * 32,
        "alert": 2,
        "what": "grown",
        "team": "operations",
        "severity": "severe",
        "title": ALERT.title,
        "facts": {"Team": "operations", "What happened": "<b>x</b> & y"},
        "samples": ALERT.samples,
        "rerun": ALERT.rerun,
        "runbook": "docs/runbook.md#composition",
        "link": ALERT.link,
        "text": ALERT.text(),
    }
    assert as_json({"é": 1}) == '{"é": 1}'.encode()


def test_an_alert_as_a_page() -> None:
    page = as_html(ALERT)
    assert page.startswith('<!doctype html><html lang="en"><head><meta charset="utf-8"><title>[SEVERE] ')
    assert page.endswith("</p></body></html>")
    title = "[SEVERE] EX000001S × 9: &lt;b&gt; &amp; more"
    assert f"<title>{title}</title>" in page
    assert f"<h1 style='font-size:18px'>{title}</h1><table><tr><th scope=\"row\"" in page
    assert ">Team</th><td>operations</td></tr>" in page
    assert ">What happened</th><td>&lt;b&gt;x&lt;/b&gt; &amp; y</td></tr></table>" in page
    assert "<p>Examples (masked):</p><ul><li>Field ‹value› empty</li></ul>" in page
    lines = "<li><code>-CUSTOMERLIST=2,7</code></li><li><code>-CUSTOMERLIST=9</code></li>"
    assert f"<p>Compose again with:</p><ul>{lines}</ul>" in page
    assert '<p><a href="https://documents.example.com/i/&quot;token&quot;">Acknowledge</a></p>' in page
    bare = as_html(BARE)
    assert not any(part in bare for part in ("<p>", "<ul>", "<a "))


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [("x" * 5, 5, "xxxxx"), ("x" * 6, 5, "xx..."), ("a bcdef", 5, "a..."), ("", 5, "")],
)
def test_a_text_that_is_cut_ends_in_dots(text: str, limit: int, short: str) -> None:
    assert shortened(text, limit) == short


def test_what_each_service_takes() -> None:
    assert LARGEST == {
        "slack": 36_000,
        "teams": 26_000,
        "pagerduty": 500_000,
        "webhook": 1_000_000,
        "sns": 250_000,
    }


def test_switches_are_left_out_before_facts_are_cut() -> None:
    many = replace(ALERT, rerun=tuple(f"-CUSTOMERLIST={n:06}" for n in range(10)))
    made: list[Alert] = []

    def body(alert: Alert) -> bytes:
        made.append(alert)
        return as_json(document(alert))

    def shown(largest: int, alert: Alert = many) -> Alert:
        made.clear()
        assert fitting(alert, largest, body) == as_json(document(made[-1]))
        return made[-1]

    more = "more: exnotify incidents shows every switch"
    sizes = {
        lines: len(as_json(document(replace(many, rerun=(*many.rerun[:lines], more))))) for lines in (5, 1, 0)
    }
    whole = len(as_json(document(many)))
    assert shown(whole) == many
    assert shown(whole - 1).rerun == (*many.rerun[:5], more)
    assert shown(sizes[5]).rerun == (*many.rerun[:5], more)
    assert shown(sizes[5] - 1).rerun == (*many.rerun[:1], more)
    assert shown(sizes[1] - 1).rerun == (more,)
    assert shown(sizes[0]).rerun == (more,)
    cut = shown(sizes[0] - 1)
    assert cut.rerun == ("exnotify incidents shows every switch",)
    assert cut.facts == ALERT.facts
    long = replace(BARE, title="t" * 5000, facts=(("a", "f" * 5000), ("b", "g" * 900)), samples=("s" * 5000,))
    ends = " … (exnotify incidents shows all)"
    for largest, chars in (
        *((100_000, 5000), (31_000, 4000), (20_000, 1000), (7_500, 250), (2_400, 100), (1, 100)),
    ):
        found = shown(largest, long)
        assert found.title == ("t" * 5000 if chars == 5000 else "t" * chars + ends), largest
        assert found.facts[0] == ("a", "f" * 5000 if chars == 5000 else "f" * chars + ends)
        assert found.facts[1] == ("b", "g" * 900 if chars >= 900 else "g" * chars + ends)
        assert found.samples == ("s" * 5000 if chars == 5000 else "s" * chars + ends,)
        assert found.rerun == ()


# --- ways -----------------------------------------------------------------------------------------------


class Wire:
    """What is posted, and the answers in turn; 200 when there are no more."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if self.answers else httpx.Response(200)
        if isinstance(answer, Exception):
            raise answer
        body = httpx.ByteStream(answer.content)  # as it comes over a connection: read once
        return httpx.Response(answer.status_code, headers=answer.headers, stream=body)

    @property
    def document(self) -> Any:
        return json.loads(self.asked[-1].content)


class Seen:
    """Log lines and metrics."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, Mapping[str, Any]]] = []
        self.counts: list[Mapping[str, int]] = []

    def warning(self, text: str, extra: Mapping[str, Any]) -> None:
        self.lines.append(("warning", text, extra))

    def error(self, text: str, extra: Mapping[str, Any]) -> None:
        self.lines.append(("error", text, extra))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    found = Seen()
    monkeypatch.setattr(alert_channels, "logger", found)
    monkeypatch.setattr(alert_channels, "count", found.counts.append)
    return found


def channels(addresses: dict[str, str], wire: Wire | None = None, **more: Any) -> Channels:
    given: dict[str, Any] = {
        "topics": {},
        "sns": lambda: None,
        "provider": lambda channel: FakeProvider("mail", FakeClock()),
        "sleep": lambda seconds: None,
        "now": lambda: 0.0,
    }
    found = Channels(more.pop("rules", None) or YamlRules(), lambda: addresses, **{**given, **more})
    if wire is not None:
        found._posts._http = httpx.Client(transport=httpx.MockTransport(wire))
    return found


def test_slack_gets_its_text_without_previews(seen: Seen) -> None:
    wire = Wire()
    answer = channels({"slack": " https://hooks.example.com/s\n"}, wire).tell("slack", "it", ALERT)
    assert answer == ChannelAnswer("sent")
    text = ALERT.text().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert wire.document == {"text": text, "unfurl_links": False}
    (request,) = wire.asked
    assert str(request.url) == "https://hooks.example.com/s", "without the line end that somebody pasted"
    assert {name: request.headers[name] for name in ("content-type", "user-agent", "accept-encoding")} == {
        "content-type": "application/json",
        "user-agent": "exstream-notify",
        "accept-encoding": "identity",
    }
    assert "x-exnotify-signature" not in request.headers
    assert (seen.counts, seen.lines) == ([{"alert_sent": 1}], [])


@pytest.mark.parametrize(
    ("severity", "pager"),
    [("info", "info"), ("warning", "warning"), ("error", "error"), ("severe", "critical")],
)
def test_pagerduty_gets_an_event(severity: Any, pager: str, seen: Seen) -> None:
    wire = Wire()
    alert = replace(ALERT, severity=severity, title="t" * 1025)
    answer = channels({"pagerduty": "KEY"}, wire).tell("pagerduty", "it", alert)
    assert (answer.outcome, len(answer.page) > 8) == ("sent", True)
    assert str(wire.asked[0].url) == "https://events.pagerduty.com/v2/enqueue"
    assert wire.document == {
        "routing_key": "KEY",
        "event_action": "trigger",
        "dedup_key": f"{ALERT.key}-{answer.page}",
        "payload": {
            "summary": "t" * 1021 + "...",
            "source": "exstream-notify",
            "severity": pager,
            "custom_details": {
                "Team": "operations",
                "What happened": "<b>x</b> & y",
                "samples": ["Field ‹value› empty"],
                "rerun": ["-CUSTOMERLIST=2,7", "-CUSTOMERLIST=9"],
            },
        },
        "links": [{"href": ALERT.link, "text": "Acknowledge"}],
    }
    channels({"pagerduty": "KEY"}, wire).tell("pagerduty", "it", replace(BARE, what=What.RESOLVED))
    assert (wire.document["event_action"], wire.document["links"]) == ("resolve", [])


def test_only_the_sites_own_hook_is_signed(seen: Seen) -> None:
    wire = Wire()
    found = channels(
        {"webhook": "https://h.example.com/w", "slack": "https://h.example.com/s", "webhook_secret": "s3"},
        wire,
    )
    found.tell("slack", "it", ALERT)
    assert "x-exnotify-signature" not in wire.asked[0].headers
    found.tell("webhook", "it", ALERT)
    signed = hmac.new(b"s3", wire.asked[1].content, hashlib.sha256).hexdigest()
    assert wire.asked[1].headers["x-exnotify-signature"] == f"sha256={signed}"


def test_an_escalation_that_is_sent_is_counted(seen: Seen) -> None:
    found = channels({"slack": "https://h.example.com/s"}, Wire())
    found.tell("slack", "it", replace(ALERT, what=What.ESCALATED))
    assert seen.counts == [{"alert_sent": 1}, {"incidents_unacknowledged": 1}]


@pytest.mark.parametrize(
    ("answers", "outcome", "why"),
    [
        ([httpx.Response(400)], "failed", "HTTP 400"),
        ([httpx.Response(404, text="no_team")], "dead", "HTTP 404 no_team"),
        ([httpx.Response(429, headers={"Retry-After": "5"})], "waits", "HTTP 429"),
        ([httpx.ReadError("to s3cret")] * 3, "failed", "ReadError"),
    ],
)
def test_a_channel_that_fails_is_logged_and_counted(
    answers: list[Any], outcome: str, why: str, seen: Seen
) -> None:
    answer = channels({"slack": "https://h.example.com/s"}, Wire(*answers)).tell("slack", "it", ALERT)
    assert (answer.outcome, answer.why) == (outcome, why)
    told = {"channel": "slack", "team": "it", "incident": ALERT.key, "outcome": outcome, "why": why}
    assert (seen.lines, seen.counts) == (
        [("warning", "alert channel failed", told)],
        [{"alert_channel_failed": 1}],
    )


def test_what_goes_wrong_in_a_way_is_its_failure_by_name_alone(seen: Seen) -> None:
    def broken(channel: str) -> Any:
        raise LookupError("ann@example.com")

    found = channels({}, provider=broken)
    assert found.tell("email", "operations", ALERT) == ChannelAnswer("failed", "LookupError")
    assert "ann@" not in str(seen.lines)
    absent = channels({})
    assert absent.tell("slack", "it", ALERT) == ChannelAnswer("absent")
    assert seen.counts == [{"alert_channel_failed": 1}], "what is not set up is no failure"


def test_the_last_resort_is_a_line_and_a_metric(seen: Seen) -> None:
    channels({}).last_resort(ALERT, "nobody")
    told = {"incident": ALERT.key, "team": "operations", "severity": "severe", "why": "nobody"}
    assert (seen.lines, seen.counts) == (
        [("error", "alert reached nobody", told)],
        [{"alert_undelivered": 1}],
    )


def test_a_mail_has_both_forms_and_a_reference_of_the_alert(seen: Seen) -> None:
    provider = FakeProvider("mail", FakeClock())
    alert = replace(ALERT, title="t" * 151)
    assert (
        channels({}, provider=lambda channel: provider).tell("email", "operations", alert).outcome == "sent"
    )
    (asked,) = provider.asked
    assert (asked.channel, asked.to, asked.message_class) == (
        "email",
        "operations@example.com",
        "transactional",
    )
    assert (asked.content.subject, asked.content.text) == ("t" * 147 + "...", alert.text())
    assert asked.content.html == as_html(alert)
    other = FakeProvider("mail", FakeClock())
    channels({}, provider=lambda channel: other).tell("email", "operations", replace(alert, number=3))
    assert other.asked[0].ref != asked.ref


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Accepted("r"), ChannelAnswer("sent")),
        (GiveUp("address_refused", "recipient"), ChannelAnswer("dead", "mail: address_refused")),
        (GiveUp("content_refused", "content"), ChannelAnswer("failed", "mail: content_refused")),
        (TryAgain("throttled"), ChannelAnswer("failed", "mail: throttled")),
        (Unconfirmed("lost"), ChannelAnswer("failed", "mail: lost")),
    ],
)
def test_a_providers_answer_about_an_alert(answer: Any, told: ChannelAnswer, seen: Seen) -> None:
    provider = FakeProvider("mail", FakeClock())
    provider.always(answer)
    assert channels({}, provider=lambda channel: provider).tell("email", "operations", ALERT) == told
    unsendable = FakeProvider("mail", FakeClock())
    unsendable.unsendable["operations@example.com"] = GiveUp("address_invalid", "recipient")
    found = channels({}, provider=lambda channel: unsendable).tell("email", "operations", ALERT)
    assert found == ChannelAnswer("dead", "mail: address_invalid")


def test_addresses_are_told_apart_by_their_fingerprints() -> None:
    found = channels({"slack": "https://a", "slack/it": "https://b"}, topics={"it": "arn:1"})
    names = [("sns", "it"), ("slack", "it"), ("slack", "operations"), ("email", "operations")]
    prints = [found.address(*name) for name in names]
    assert len(set(prints)) == len(prints)
    assert not any("arn" in one or "http" in one or "@" in one for one in prints)
    nothing = {
        found.address(*name) for name in (("sns", "x"), ("teams", "it"), ("email", "x"), ("sms", "it"))
    }
    assert len(nothing) == 1


def test_a_hook_is_asked_with_head_and_the_others_not_at_all() -> None:
    wire = Wire(httpx.Response(405), httpx.ConnectError("x"))
    found = channels({"webhook": "https://h.example.com/w", "slack": "https://h.example.com/s"}, wire)
    assert found.probe("webhook", "it") == ChannelAnswer("answered", "405")
    assert wire.asked[0].method == "HEAD"
    assert found.probe("webhook", "it") == ChannelAnswer("failed", "ConnectError")
    assert found.probe("slack", "it") == ChannelAnswer("absent")
    assert found.probe("email", "operations") == ChannelAnswer("absent")
    assert channels({}).probe("webhook", "it") == ChannelAnswer("absent")
    assert channels({"webhook": "http://h.example.com"}).probe("webhook", "it") == ChannelAnswer(
        "failed", "the address is not https"
    )
    broken = channels({}, topics={"it": "arn"}, sns=lambda: 1 / 0)
    assert broken.probe("sns", "it") == ChannelAnswer("failed", "ZeroDivisionError")


class Topic:
    """SNS; counts how often it is asked."""

    def __init__(self, **subscriptions: str) -> None:
        self.subscriptions = subscriptions
        self.asked: list[str] = []
        self.published: list[dict[str, str]] = []

    def get_topic_attributes(self, TopicArn: str) -> dict[str, Any]:  # noqa: N803
        self.asked.append(TopicArn)
        return {"Attributes": self.subscriptions}

    def publish(self, **message: str) -> None:
        self.published.append(message)


def test_a_topic_is_asked_for_its_listeners_every_five_minutes(seen: Seen) -> None:
    clock, topic = [0.0], Topic(SubscriptionsConfirmed="1")
    found = channels({}, topics={"it": "arn"}, sns=lambda: topic, now=lambda: clock[0])
    for at, asked in ((0.0, 1), (299.0, 1), (301.0, 2)):
        clock[0] = at
        assert found.tell("sns", "it", ALERT) == ChannelAnswer("sent")
        assert topic.asked == ["arn"] * asked
    assert topic.published[0] == {
        "TopicArn": "arn",
        "Subject": "[SEVERE] EX000001S x 9: <b> & more",
        "Message": ALERT.text(),
    }


@pytest.mark.parametrize(
    ("subscriptions", "answer"),
    [
        ({}, ChannelAnswer("absent")),
        ({"SubscriptionsConfirmed": "1", "SubscriptionsPending": "1"}, ChannelAnswer("sent")),
        ({"SubscriptionsPending": "1"}, ChannelAnswer("dead", "nobody has confirmed a subscription")),
        ({"SubscriptionsDeleted": "2"}, ChannelAnswer("dead", "no subscription is left")),
    ],
)
def test_who_listens_to_a_topic(subscriptions: dict[str, str], answer: ChannelAnswer) -> None:
    topic = Topic(**subscriptions)
    assert channels({}, topics={"it": "arn"}, sns=lambda: topic).probe("sns", "it") == answer


def test_a_page_of_another_key_or_team_is_not_told() -> None:
    wire = Wire()
    found = channels({"pagerduty": "KEY"}, wire)
    page = found.tell("pagerduty", "it", ALERT).page
    assert found.tell_page(page, "resolve", ALERT.key) == ChannelAnswer("sent")
    assert wire.document == {
        "routing_key": "KEY",
        "event_action": "resolve",
        "dedup_key": f"{ALERT.key}-{page}",
    }
    assert found.tell_page(page_key("it", "ffffffff"), "resolve", ALERT.key) == ChannelAnswer("absent")
    assert channels({}, wire).tell_page(page, "resolve", ALERT.key) == ChannelAnswer("absent")
    assert len(wire.asked) == 2
    refused = channels({"pagerduty": "KEY"}, Wire(httpx.Response(404)))
    assert refused.tell_page(page, "resolve", ALERT.key) == ChannelAnswer("dead", "HTTP 404")


@pytest.mark.parametrize(
    ("channel", "failing", "longest"),
    [
        ("slack", False, 20.0),
        ("slack", True, 6.0),
        ("email", False, 40.0),
        ("email", True, 40.0),
        ("sms", False, 40.0),
    ],
)
def test_how_long_a_channel_may_take(
    channel: str, failing: bool, longest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def within(seconds: float, call: Any, waited: Any = None) -> ChannelAnswer:
        asked.append(seconds)
        return ChannelAnswer("absent")

    monkeypatch.setattr(alert_channels, "within", within)
    channels({}).tell(channel, "it", ALERT, failing=failing)
    assert asked == [longest]


# --- posts ----------------------------------------------------------------------------------------------


def posts(wire: Wire) -> tuple[Posts, list[float]]:
    slept: list[float] = []
    found = Posts(slept.append, lambda: 0.0)
    found._http = httpx.Client(transport=httpx.MockTransport(wire))
    return found, slept


def post(found: Posts, patience: float = 10.0, channel: str = "webhook") -> ChannelAnswer:
    return found.post(channel, "https://h.example.com/w", b"{}", {}, patience)


@pytest.mark.parametrize(
    ("statuses", "answer", "slept"),
    [
        ([200], ChannelAnswer("sent"), []),
        ([299], ChannelAnswer("sent"), []),
        ([300], ChannelAnswer("failed", "HTTP 300"), []),
        ([408, 425, 429], ChannelAnswer("failed", "HTTP 429"), [1.0, 2.0]),
        ([500, 599, 200], ChannelAnswer("sent"), [1.0, 2.0]),
        ([500, 400], ChannelAnswer("failed", "HTTP 400"), [1.0]),
        ([499], ChannelAnswer("failed", "HTTP 499"), []),
    ],
)
def test_what_may_pass_is_tried_three_times(
    statuses: list[int], answer: ChannelAnswer, slept: list[float]
) -> None:
    wire = Wire(*map(httpx.Response, statuses))
    found, pauses = posts(wire)
    assert post(found) == answer
    assert (pauses, len(wire.asked), found.waited) == (slept, len(statuses), 0.0)


@pytest.mark.parametrize(
    ("asked", "patience", "answer", "slept"),
    [
        (["4", "6"], 10.0, ChannelAnswer("sent"), [4.0, 6.0]),
        (["4", "7"], 10.0, ChannelAnswer("waits", "HTTP 503", 7.0), [4.0]),
        (["10"], 10.0, ChannelAnswer("sent"), [10.0]),
        (["11"], 10.0, ChannelAnswer("waits", "HTTP 503", 11.0), []),
        (["1", "1", "1"], 10.0, ChannelAnswer("waits", "HTTP 503", 1.0), [1.0, 1.0]),
        (["0", "0"], 0.0, ChannelAnswer("sent"), [0.0, 0.0]),
    ],
)
def test_a_wait_that_is_asked_for(
    asked: list[str], patience: float, answer: ChannelAnswer, slept: list[float]
) -> None:
    wire = Wire(*(httpx.Response(503, headers={"Retry-After": one}) for one in asked))
    found, pauses = posts(wire)
    assert post(found, patience) == answer
    assert (pauses, found.waited) == (slept, sum(slept))


def test_of_an_answer_so_much_is_looked_at() -> None:
    for size, why in ((4096 - len("no_team"), "HTTP 400 no_team"), (4096, "HTTP 400")):
        found, _ = posts(Wire(httpx.Response(400, content="x" * size + "no_team")))
        assert post(found, channel="slack").why == why
    found, _ = posts(Wire(*[httpx.Response(500, text="no_team")] * 3))
    assert post(found, channel="slack") == ChannelAnswer("failed", "HTTP 500"), "it may only be ill"


def test_every_word_of_a_dead_address() -> None:
    assert (
        DEAD["webhook"].statuses == DEAD["slack"].statuses == DEAD["teams"].statuses == {401, 403, 404, 410}
    )
    assert DEAD["pagerduty"].statuses == {401, 404, 410}
    for channel, words in {
        "slack": (
            *(
                "account_inactive",
                "action_prohibited",
                "channel_is_archived",
                "channel_not_found",
                "invalid_token",
            ),
            *(
                "no_active_hooks",
                "no_service_id",
                "no_service",
                "no_team",
                "posting_to_general_channel_denied",
            ),
            *("team_disabled", "token_revoked", "user_not_found"),
        ),
        "teams": ("WorkflowTriggerIsNotEnabled", "WorkflowNotFound", "TriggerNotEnabled"),
        "pagerduty": ("invalid routing key", "invalid key", "routing_key"),
        "webhook": (),
    }.items():
        for word in words:
            found, _ = posts(Wire(httpx.Response(400, text=f"<{word.upper()}>")))
            assert post(found, channel=channel) == ChannelAnswer("dead", f"HTTP 400 {word}")
        found, _ = posts(Wire(httpx.Response(400, text="another word")))
        assert post(found, channel=channel) == ChannelAnswer("failed", "HTTP 400")


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("", ChannelAnswer("absent")),
        ("http://h.example.com", ChannelAnswer("failed", "the address is not https")),
        ("ftp://h.example.com", ChannelAnswer("failed", "the address is not https")),
        ("https://h.example.com", ChannelAnswer("sent")),
        ("http://localhost:1", ChannelAnswer("sent")),
        ("http://127.0.0.1:1", ChannelAnswer("sent")),
        ("http://[::1]:1", ChannelAnswer("sent")),
    ],
)
def test_an_address_is_https_or_this_machine(url: str, answer: ChannelAnswer) -> None:
    found, _ = posts(Wire())
    assert found.post("webhook", url, b"", {}, 0.0) == answer


def test_what_a_client_of_posts_is_made_with(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []
    client = httpx.Client(transport=httpx.MockTransport(Wire()))
    monkeypatch.setattr(alert_posts, "time", None)
    monkeypatch.setattr(httpx, "Client", lambda **given: made.append(given) or client)
    found = Posts(lambda _: None, lambda: 0.0)
    assert (post(found), post(found)) == (ChannelAnswer("sent"), ChannelAnswer("sent"))
    assert made == [{"timeout": httpx.Timeout(5.0, connect=3.0), "follow_redirects": False}]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("86400", 86_400.0),
        ("86401", 86_400.0),
        ("1234567890", None),
        ("Thu, 01 Jan 1970 00:00:05", 5.0),
        ("Thu, 01 Jan 1970 00:00:05 +0000", 5.0),
    ],
)
def test_a_wait_is_a_day_at_most(text: str, seconds: float | None) -> None:
    assert retry_after(text, 0.0) == seconds
