"""The ways to a team: SNS topic, e-mail and SMS through the notification providers, Slack, Microsoft Teams,
PagerDuty, a web hook, and whatever Apprise knows.

Slack, Teams, PagerDuty and the web hook are one JSON document each, posted here: Apprise has their
addresses built in, gives no reason for a failure, and cannot make PagerDuty's incident the same one again
(`dedup_key`), so it serves for the many others. Where a team's channels lead stands in one secret:

    {"slack": "https://hooks…", "slack/compliance": "https://hooks…", "pagerduty/it": "ROUTING KEY",
     "teams": "https://…", "webhook": "https://…", "webhook_secret": "…", "apprise/it": "mattermost://…"}

`channel/team` beats `channel`. Nothing personal is in an alert, so nothing personal leaves from here.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from html import escape
from typing import Any
from urllib.parse import urlsplit

from ..domain.documents import Channel
from ..domain.incidents import ALERT_REF, Alert, What
from ..domain.messages import Accepted, Content, GiveUp, Message
from ..domain.sms_text import fold, parts
from ..ports import ChannelAnswer, Provider
from .kept import Kept
from .observability import count, logger
from .rules import YamlRules

SENT = ChannelAnswer("sent")
ABSENT = ChannelAnswer("absent")
TRIES = 3
PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PAGER_SEVERITY = {"info": "info", "warning": "warning", "error": "error", "severe": "critical"}
_TOPIC_KEPT = 300.0


def _failed(why: str) -> ChannelAnswer:
    return ChannelAnswer("failed", why)


class Channels:
    """`AlertChannels`. Each is tried three times where a later try may succeed, then it has failed."""

    def __init__(
        self,
        rules: YamlRules,
        addresses: Callable[[], Mapping[str, str]],
        *,
        topics: Mapping[str, str],
        sns: Callable[[], Any],
        provider: Callable[[Channel], Provider],
        sleep: Callable[[float], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._rules = rules
        self._addresses = addresses
        self._topics = topics
        self._sns = sns
        self._provider = provider
        self._sleep = sleep
        self._now = now
        self._subscribed: dict[str, Kept[bool]] = {}
        self._http: Any = None
        self._ways: Mapping[str, Callable[[str, Alert], ChannelAnswer]] = {
            "sns": self._by_topic,
            "email": self._by_email,
            "sms": self._by_sms,
            "slack": self._by_slack,
            "teams": self._by_teams,
            "pagerduty": self._by_pagerduty,
            "webhook": self._by_webhook,
            "apprise": self._by_apprise,
        }

    def tell(self, channel: str, team: str, alert: Alert) -> ChannelAnswer:
        """See `AlertChannels.tell`."""
        try:
            answer = self._ways[channel](team, alert)
        except Exception as error:
            # Whatever it is, the next channel has to be tried. Its text may hold an address.
            answer = _failed(type(error).__name__)
        if answer.outcome == "failed":
            logger.warning(
                "alert channel failed",
                extra={"channel": channel, "team": team, "incident": alert.key, "why": answer.why},
            )
            count({"alert_channel_failed": 1})
        elif answer.outcome == "sent":
            count({"alert_sent": 1})
            if alert.what == What.ESCALATED:
                count({"incidents_unacknowledged": 1})
        return answer

    def last_resort(self, alert: Alert, why: str) -> None:
        """See `AlertChannels.last_resort`: a log line and a metric that an alarm of its own watches."""
        logger.error(
            "alert reached nobody",
            extra={"incident": alert.key, "team": alert.team, "severity": alert.severity, "why": why},
        )
        count({"alert_undelivered": 1})

    # --- AWS and the notification providers ---------------------------------------------------------

    def _by_topic(self, team: str, alert: Alert) -> ChannelAnswer:
        arn = self._topics.get(team)
        if not arn or not self._has_subscribers(arn):
            return ABSENT
        self._sns().publish(TopicArn=arn, Subject=topic_subject(alert.title), Message=alert.text())
        return SENT

    def _has_subscribers(self, arn: str) -> bool:
        """A topic without subscribers takes everything and tells nobody."""

        def confirmed() -> bool:
            attributes = self._sns().get_topic_attributes(TopicArn=arn)["Attributes"]
            return int(attributes.get("SubscriptionsConfirmed", 0)) > 0

        if arn not in self._subscribed:
            self._subscribed[arn] = Kept(confirmed, _TOPIC_KEPT, self._now)
        return self._subscribed[arn].get()

    def _by_email(self, team: str, alert: Alert) -> ChannelAnswer:
        to = self._rules.team_address(team)
        content = Content(alert.text(), subject=shortened(alert.title, 150), html=as_html(alert))
        return self._by_provider("email", to, content, alert) if to else ABSENT

    def _by_sms(self, team: str, alert: Alert) -> ChannelAnswer:
        to = self._rules.team_mobile(team)
        title = fold(alert.title)
        lengths = range(110, 49, -1)
        texts = (f"{shortened(title, length)} {alert.link}".strip() for length in lengths)
        text = next((text for text in texts if parts(text) == 1), f"{shortened(title, 50)} {alert.link}")
        return self._by_provider("sms", to, Content(text), alert) if to else ABSENT

    def _by_provider(self, channel: Channel, to: str, content: Content, alert: Alert) -> ChannelAnswer:
        provider = self._provider(channel)
        message = Message(f"{ALERT_REF}{alert.key}:{alert.number}", channel, to, "transactional", content)
        request = provider.request(message)
        answer = request if isinstance(request, GiveUp) else next(iter(provider.send([request])))
        # In doubt the next channel is told too: an alert twice is better than none.
        return SENT if isinstance(answer, Accepted) else _failed(f"{provider.name}: {answer.reason}")

    # --- chat, pager, web hook ----------------------------------------------------------------------

    def _by_slack(self, team: str, alert: Alert) -> ChannelAnswer:
        text = alert.text().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return self._post(self._address("slack", team), {"text": text, "unfurl_links": False})

    def _by_teams(self, team: str, alert: Alert) -> ChannelAnswer:
        facts = [{"title": name, "value": value} for name, value in alert.facts]
        body: list[dict[str, Any]] = [
            {"type": "TextBlock", "text": alert.title, "weight": "bolder", "wrap": True},
            {"type": "FactSet", "facts": facts},
        ]
        body += [{"type": "TextBlock", "text": line, "wrap": True} for line in (*alert.samples, *alert.rerun)]
        card: dict[str, Any] = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": body,
        }
        if alert.link:
            card["actions"] = [{"type": "Action.OpenUrl", "title": "Acknowledge", "url": alert.link}]
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return self._post(self._address("teams", team), {"type": "message", "attachments": [attachment]})

    def _by_pagerduty(self, team: str, alert: Alert) -> ChannelAnswer:
        key = self._address("pagerduty", team)
        if not key:
            return ABSENT
        event = {
            "routing_key": key,
            "event_action": "resolve" if alert.what == What.RESOLVED else "trigger",
            "dedup_key": alert.key,
            "payload": {
                "summary": shortened(alert.title, 1024),
                "source": "exstream-notify",
                "severity": _PAGER_SEVERITY[alert.severity],
                "custom_details": {**dict(alert.facts), "samples": alert.samples, "rerun": alert.rerun},
            },
            "links": [{"href": alert.link, "text": "Acknowledge"}] if alert.link else [],
        }
        return self._post(self._addresses().get("pagerduty_url") or PAGERDUTY, event)

    def _by_webhook(self, team: str, alert: Alert) -> ChannelAnswer:
        document = {
            "incident_id": alert.key,
            "alert": alert.number,
            "what": str(alert.what),
            "team": alert.team,
            "severity": alert.severity,
            "title": alert.title,
            "facts": dict(alert.facts),
            "samples": alert.samples,
            "rerun": alert.rerun,
            "runbook": alert.runbook,
            "link": alert.link,
            "text": alert.text(),
        }
        return self._post(self._address("webhook", team), document, self._addresses().get("webhook_secret"))

    def _by_apprise(self, team: str, alert: Alert) -> ChannelAnswer:
        address = self._address("apprise", team)
        if not address:
            return ABSENT
        import apprise

        way = apprise.Apprise()
        if not way.add(address):
            return _failed("Apprise does not know that address")
        for number in range(TRIES):
            if way.notify(title=alert.title, body=alert.text(), body_format=apprise.NotifyFormat.TEXT):
                return SENT
            self._sleep(0.5 * 2**number)
        return _failed("Apprise gives no reason")

    def _address(self, channel: str, team: str) -> str:
        addresses = self._addresses()
        return addresses.get(f"{channel}/{team}") or addresses.get(channel) or ""

    def _post(self, url: str, document: Mapping[str, Any], secret: str | None = None) -> ChannelAnswer:
        """Post a document; server errors, throttling and lost connections are tried again."""
        if not url:
            return ABSENT
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            return _failed("the address is not https")
        body = json.dumps(document, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "exstream-notify"}
        if secret:
            signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Exnotify-Signature"] = f"sha256={signature}"
        why = ""
        for number in range(TRIES):
            if number:
                self._sleep(0.5 * 2**number)
            why, again = self._posted(url, body, headers)
            if not why:
                return SENT
            if not again:
                break
        return _failed(why)

    def _posted(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[str, bool]:
        """Why a post failed (empty: it did not), and whether a further try may succeed."""
        import httpx

        if self._http is None:
            self._http = httpx.Client(timeout=httpx.Timeout(5.0, connect=3.0), follow_redirects=False)
        try:
            answer = self._http.post(url, content=body, headers=dict(headers))
        except httpx.HTTPError as error:
            return type(error).__name__, True
        if answer.status_code < 300:
            return "", False
        return f"HTTP {answer.status_code}", answer.status_code in (
            408,
            425,
            429,
        ) or answer.status_code >= 500


TOPIC_SUBJECT_MAX = 99
"""SNS takes subjects of less than 100 characters: "Publish", Amazon SNS API reference."""


def topic_subject(title: str) -> str:
    """An alert's title as the subject of an SNS message: printable ASCII in one line, never empty.

    The API reference allows UTF-8 by now; subscriptions by e-mail have long had ASCII only. What does not
    fit is in the message, which starts with the whole title.
    """
    ascii_only = fold(title).encode("ascii", "replace").decode()
    line = " ".join("".join(c if c.isprintable() else " " for c in ascii_only).split())
    return shortened(line, TOPIC_SUBJECT_MAX) or "Alert"


def shortened(text: str, limit: int) -> str:
    """The text in at most `limit` characters; three dots say that some are missing."""
    return text if len(text) <= limit else f"{text[: limit - 3].rstrip()}..."


def as_html(alert: Alert) -> str:
    """An alert as a plain page: a heading, its facts as a table, lists, one link."""
    rows = "".join(
        '<tr><th scope="row" style="text-align:left;vertical-align:top;padding:2px 12px 2px 0">'
        f"{escape(name)}</th>"
        f"<td>{escape(value)}</td></tr>"
        for name, value in alert.facts
    )
    parts = [f"<h1 style='font-size:18px'>{escape(alert.title)}</h1>", f"<table>{rows}</table>"]
    if alert.samples:
        items = "".join(f"<li>{escape(sample)}</li>" for sample in alert.samples)
        parts.append(f"<p>Examples (masked):</p><ul>{items}</ul>")
    if alert.rerun:
        items = "".join(f"<li><code>{escape(line)}</code></li>" for line in alert.rerun)
        parts.append(f"<p>Compose again with:</p><ul>{items}</ul>")
    if alert.link:
        parts.append(f'<p><a href="{escape(alert.link)}">Acknowledge</a></p>')
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>'
        f"{escape(alert.title)}</title></head>"
        f"<body style='font:15px/1.5 sans-serif'>{''.join(parts)}</body></html>"
    )
