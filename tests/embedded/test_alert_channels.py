"""Channels that are dead, that ask to wait, that bounce, and a pager that answers, on the project's own stack."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from exnotify.catcher import Played
from exnotify.local import LocalCloud
from exstream_notify.domain.channels import ChannelState, alert_ref
from exstream_notify.domain.incidents import Head

pytestmark = pytest.mark.slow

SECRET = "s1gning-secret"
ROUTING_KEY = "R0UT1NGKEY"


@pytest.fixture(scope="module", autouse=True)
def _channels(cloud: LocalCloud) -> None:
    """The teams have chat, a web hook and a pager, before any function has read where they lead."""
    chat = f"{cloud.url}/chat"
    fields = {
        "slack": f"{chat}/slack",
        "webhook": f"{chat}/hook",
        "pagerduty": ROUTING_KEY,
        "pagerduty_url": f"{chat}/pagerduty",
        "pagerduty_webhook_secret": f"the-secret-before {SECRET}",
    }
    cloud.client("secretsmanager").put_secret_value(
        SecretId=cloud.resource("AlertChannels"), SecretString=json.dumps(fields)
    )


def report(cloud: LocalCloud, run: str, line: str) -> None:
    """The engine says something of a run."""
    bucket = cloud.deployment().settings.drop_bucket
    cloud.client("s3").put_object(
        Bucket=bucket, Key=f"drop/retail/{run}/engine.dat", Body=f"{line}\n".encode()
    )


def until(found: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What is found in the end."""
    ends = time.monotonic() + seconds
    while not (one := found()) and time.monotonic() < ends:
        time.sleep(0.2)
    assert one
    return one


def head(cloud: LocalCloud, run: str, domain: str = "retail") -> Head:
    """The head of a run's one incident."""
    incidents = cloud.deployment().app.incidents
    return until(lambda: [i.head for i in incidents.of_run(domain, run) if i.head.alerts])[0]  # type: ignore[no-any-return]


def test_a_queue_that_is_subscribed_to_a_team_s_topic_hears_its_alerts(cloud: LocalCloud) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    queue = sqs.create_queue(QueueName="compliance-desk")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=cloud.resource("ComplianceTopic"), Protocol="sqs", Endpoint=arn)

    report(cloud, "report-1", "EX005217E (3) The disclosure of Anna Kowalczyk is missing")
    assert "sns sent" in head(cloud, "report-1").history[-1]["why"]
    (message,) = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    told = json.loads(message["Body"])
    assert "in retail/report-1: new" in told["Subject"]
    assert "-CUSTOMERLIST=3" in told["Message"]
    assert "Kowalczyk" not in message["Body"]


def state(cloud: LocalCloud, channel: str, team: str) -> ChannelState:
    """What is known of a channel."""
    app = cloud.deployment().app
    return app.channel_book.states().get((team, channel), ChannelState(team, channel))


def test_a_dead_chat_is_passed_over_and_it_hears_of_that_by_another_way(cloud: LocalCloud) -> None:
    cloud.catcher.play("slack", Played(404, "no_service"))
    report(cloud, "broken-1", "EX005551E (1) broken")

    said = head(cloud, "broken-1").history[-1]["why"]
    assert "slack dead (HTTP 404 no_service)" in said
    assert "webhook sent" in said
    assert state(cloud, "slack", "operations").dead_since
    told = until(lambda: [a for a in cloud.catcher.alerts if a["facts"]["Run"] == "alerts/slack"])
    assert (told[0]["team"], told[0]["facts"]["Codes"]) == ("it", "channel_dead")
    assert "/chat/slack" not in json.dumps(told)
    posts = [p for p in cloud.catcher.posted("slack") if "broken-1" in p["text"]]
    assert len(posts) == 1, "it is not tried again"

    cloud.catcher.play("slack", Played(200))
    report(cloud, "broken-2", "EX005552E (1) broken")
    assert "slack sent" in head(cloud, "broken-2").history[-1]["why"]
    until(lambda: head(cloud, "slack", "alerts").status == "resolved")


def test_a_chat_that_asks_to_wait_a_moment_is_waited_for(cloud: LocalCloud) -> None:
    cloud.deployment().settle(30)
    cloud.catcher.play("slack", Played(429, "rate_limited", {"Retry-After": "1"}, 1))
    report(cloud, "limit-1", "EX005553E (1) broken")
    assert "slack sent" in head(cloud, "limit-1").history[-1]["why"]
    assert len([p for p in cloud.catcher.posted("slack") if "limit-1" in p["text"]]) == 2

    cloud.catcher.play("slack", Played(429, "rate_limited", {"Retry-After": "3600"}, 1))
    report(cloud, "limit-2", "EX005554E (1) broken")
    assert "slack waits (HTTP 429, asks to wait until" in head(cloud, "limit-2").history[-1]["why"]
    report(cloud, "limit-3", "EX005555E (1) broken")
    assert "webhook sent" in head(cloud, "limit-3").history[-1]["why"]
    assert not [p for p in cloud.catcher.posted("slack") if "limit-3" in p["text"]]


def from_pagerduty(cloud: LocalCloud, body: bytes, secret: str = SECRET) -> int:
    """PagerDuty calls the web hook; the status of the answer."""
    signed = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(  # noqa: S310
        cloud.deployment().outputs["PagerDutyHookUrl"],
        data=body,
        headers={"Content-Type": "application/json", "X-PagerDuty-Signature": f"v1={'0' * 64},v1={signed}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def an_event(kind: str, key: str) -> bytes:
    """An event of a web hook v3."""
    agent = {"id": "PLH1HKV", "summary": "Dana Müller", "type": "user_reference"}
    data = {"id": "Q1", "type": "incident", "incident_key": key, "resolve_reason": None}
    event = {
        "id": "01DRF6BV78",
        "event_type": kind,
        "resource_type": "incident",
        "occurred_at": datetime.now(UTC).isoformat(),
        "agent": agent,
        "data": data,
    }
    return json.dumps({"event": event}, ensure_ascii=False).encode()


def pages(cloud: LocalCloud, run: str) -> list[tuple[str, str]]:
    """Actions and keys that PagerDuty was sent for a run's incident."""
    found = head(cloud, run).incident_id
    events = cloud.catcher.posted("pagerduty")
    return [(e["event_action"], e["dedup_key"]) for e in events if e["dedup_key"].startswith(found)]


def test_whoever_acknowledges_in_pagerduty_has_the_incident(cloud: LocalCloud) -> None:
    report(cloud, "mail-1", "EX005556S stopped")
    found = head(cloud, "mail-1")
    ((action, key),) = pages(cloud, "mail-1")
    assert (action, ROUTING_KEY in key) == ("trigger", False)

    body = an_event("incident.acknowledged", key)
    assert from_pagerduty(cloud, body, "another") == 401
    assert head(cloud, "mail-1").status == "open"
    assert [from_pagerduty(cloud, body) for _ in range(2)] == [202, 202]
    acknowledged = head(cloud, "mail-1")
    assert (acknowledged.status, acknowledged.answer_by) == ("acknowledged", "")
    assert [e["who"] for e in acknowledged.history if e["what"] == "acknowledged"] == ["PagerDuty (PLH1HKV)"]
    assert "Müller" not in json.dumps(acknowledged.history, ensure_ascii=False)

    assert from_pagerduty(cloud, an_event("incident.resolved", key)) == 202
    until(lambda: head(cloud, "mail-1").status == "resolved")
    assert from_pagerduty(cloud, an_event("pagey.ping", "")) == 202
    assert from_pagerduty(cloud, an_event("incident.acknowledged", f"{found.incident_id}-x.00000000")) == 202
    assert head(cloud, "mail-1").status == "resolved"
    assert not [line for line in cloud.logs("AnswerPagerFunction") if "Error" in line or "Müller" in line]


def test_whoever_acknowledges_here_has_it_in_pagerduty(cloud: LocalCloud) -> None:
    report(cloud, "mail-2", "EX005557S stopped")
    head(cloud, "mail-2")
    # Chat still waits: another team's alert asked it to, and they share the address.
    (alert,) = until(lambda: [a for a in cloud.catcher.alerts if a["facts"]["Run"] == "retail/mail-2"])
    with urllib.request.urlopen(alert["link"], data=b"name=Ann", timeout=30):  # noqa: S310
        pass
    acted = until(lambda: [action for action, _ in pages(cloud, "mail-2") if action == "acknowledge"], 120)
    assert acted == ["acknowledge"]


def test_an_alert_that_bounced_is_told_on_the_next_channel(cloud: LocalCloud) -> None:
    cloud.catcher.play("pagerduty", Played(400, '{"errors":["Invalid routing key"]}'))
    report(cloud, "returned-1", "EX005558S stopped")
    found = head(cloud, "returned-1")
    assert "pagerduty dead (HTTP 400 invalid routing key)" in found.history[-1]["why"]
    ref, _, number = alert_ref(found.incident_id, found.team, 1).partition(":")
    address = f"{found.team}@example.com"
    mail = {
        "timestamp": "2026-11-24T20:00:00.000Z",
        "messageId": "m-1",
        "source": "notices@example.com",
        "destination": [address],
        "tags": {"notice_id": [ref], "attempt": [number]},
    }
    bounce = {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "timestamp": "2026-11-24T20:00:09.000Z",
        "feedbackId": "f-1",
        "bouncedRecipients": [
            {"emailAddress": address, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
        ],
    }
    cloud.client("sqs").send_message(
        QueueUrl=cloud.resource("ReceiptQueue"),
        MessageBody=json.dumps({"eventType": "Bounce", "mail": mail, "bounce": bounce}),
    )
    noted = until(lambda: [e for e in head(cloud, "returned-1").history if "did not reach" in e["what"]])
    assert (noted[0]["what"], "hard_bounce" in noted[0]["why"]) == (f"email did not reach {found.team}", True)
    assert state(cloud, "email", found.team).dead_since
    assert not [line for line in cloud.logs("RecordReceiptFunction") if "AccessDenied" in line]
    assert not [line for line in cloud.logs("AlertExceptionFunction") if "AccessDenied" in line]


def test_the_hourly_look_counts_what_is_dead(cloud: LocalCloud) -> None:
    cloud.client("sqs").send_message(
        QueueUrl=cloud.resource("ExceptionQueue"),
        MessageBody=json.dumps({"look": {"kind": "channels", "name": "now"}}),
    )
    lines = until(lambda: [line for line in cloud.logs("AlertExceptionFunction") if "ChannelsDead" in line])
    assert json.loads(lines[-1])["ChannelsDead"][0] > 0
    until(lambda: state(cloud, "webhook", "compliance").probed_at)
    assert state(cloud, "webhook", "compliance").probe == "405"
    assert not state(cloud, "webhook", "compliance").dead_since
