"""The ways to a team: SNS topic, e-mail and SMS through the notification providers, Slack, Microsoft Teams,
PagerDuty, a web hook, and whatever Apprise knows.

Slack, Teams, PagerDuty and the web hook are one JSON document each, posted here: Apprise has their
addresses built in, gives no reason for a failure, and cannot make PagerDuty's incident the same one again
(`dedup_key`), so it serves for the many others. Where a team's channels lead stands in one secret:

    {"slack": "https://hooks…", "slack/compliance": "https://hooks…", "pagerduty/it": "ROUTING KEY",
     "teams": "https://…", "webhook": "https://…", "webhook_secret": "…", "apprise/it": "mattermost://…"}

`channel/team` beats `channel`. Nothing personal is in an alert, so nothing personal leaves from here. What an
answer to a post means is in alert_posts.py, what is known of a channel in use_cases/known_channels.py.
"""

import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from typing import Any

from ..domain.alert_words import Alert
from ..domain.channels import alert_ref, fingerprint
from ..domain.documents import Channel
from ..domain.incidents import What
from ..domain.messages import Accepted, Content, GiveUp, Message
from ..domain.pager import Action, dedup_key, page_key, whose_page
from ..domain.sms_text import fold, parts
from ..ports import ChannelAnswer, Provider
from .alert_forms import LARGEST, as_json, card, document, fitting
from .alert_posts import TRIES, Posts
from .deadline import within
from .kept import Kept
from .observability import count, logger
from .rules import YamlRules

SENT = ChannelAnswer("sent")
ABSENT = ChannelAnswer("absent")
PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"

_PAGER_SEVERITY = {"info": "info", "warning": "warning", "error": "error", "severe": "critical"}
_TOPIC_KEPT = 300.0

LONGEST_POST = 20.0
"""Seconds that one channel may take for an alert, beside the wait that its service asks for. Three tries that
nobody answers take 18; a line of four such channels still leaves time to write down what was told."""

FAILING_POST = 6.0
"""The same of one that failed before: one try that nobody answers, or three that are refused."""

_LONGEST = {"email": 40.0, "sms": 40.0}
"""The notification providers confirm more carefully."""


def _failed(why: str) -> ChannelAnswer:
    return ChannelAnswer("failed", why)


class Channels:
    """`ChannelWays`. Each is tried three times where a later try may succeed, then it has failed."""

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
        self._posts = Posts(sleep, now)
        self._now = now
        self._subscribed: dict[str, Kept[ChannelAnswer]] = {}
        self._ways: Mapping[str, Callable[[str, Alert, float], ChannelAnswer]] = {
            "sns": self._by_topic,
            "email": self._by_email,
            "sms": self._by_sms,
            "slack": self._by_slack,
            "teams": self._by_teams,
            "pagerduty": self._by_pagerduty,
            "webhook": self._by_webhook,
            "apprise": self._by_apprise,
        }

    def tell(
        self, channel: str, team: str, alert: Alert, patience: float = 0.0, *, failing: bool = False
    ) -> ChannelAnswer:
        """See `ChannelWays.tell`."""
        try:
            longest = _LONGEST.get(channel, FAILING_POST if failing else LONGEST_POST)
            before = self._posts.waited
            answer = within(
                longest,
                lambda: self._ways[channel](team, alert, patience),
                lambda: self._posts.waited - before,
            )
        except Exception as error:
            # Whatever it is, the next channel has to be tried. Its text may hold an address.
            answer = _failed(type(error).__name__)
        if answer.outcome in ("failed", "dead", "waits"):
            logger.warning(
                "alert channel failed",
                extra={
                    "channel": channel,
                    "team": team,
                    "incident": alert.key,
                    "outcome": answer.outcome,
                    "why": answer.why,
                },
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

    def address(self, channel: str, team: str) -> str:
        """See `ChannelWays.address`."""
        if channel == "sns":
            return fingerprint(self._topics.get(team, ""))
        if channel == "email":
            return fingerprint(self._rules.team_address(team) or "")
        if channel == "sms":
            return fingerprint(self._rules.team_mobile(team) or "")
        return fingerprint(self._address(channel, team))

    def probe(self, channel: str, team: str) -> ChannelAnswer:
        """See `ChannelWays.probe`.

        A topic says how many listen. A web hook is asked with HEAD. Slack, a workflow of Teams, PagerDuty and
        the services behind Apprise take any request as a message or refuse it, and a mailbox cannot be asked.
        """
        try:
            if channel == "sns":
                return self._listeners(self._topics.get(team, ""))
            if channel != "webhook":
                return ABSENT
            address = self._address(channel, team)
            return within(LONGEST_POST, lambda: self._posts.probe(address))
        except Exception as error:
            return _failed(type(error).__name__)

    def tell_page(self, page: str, action: Action, incident_id: str) -> ChannelAnswer:
        """See `AlertChannels.tell_page`."""
        team, again = whose_page(page)
        try:
            key = self._address("pagerduty", team)
            if not key or page != page_key(team, fingerprint(key), again):
                return ABSENT
            event = {"routing_key": key, "event_action": action, "dedup_key": dedup_key(incident_id, page)}
            body = as_json(event)
            return within(LONGEST_POST, lambda: self._posted("pagerduty", self._pagerduty(), body, 0.0))
        except Exception as error:
            return _failed(type(error).__name__)

    # --- AWS and the notification providers ---------------------------------------------------------

    def _by_topic(self, team: str, alert: Alert, patience: float) -> ChannelAnswer:
        arn = self._topics.get(team, "")
        heard = self._listeners(arn)
        if heard.outcome != "sent":
            return heard
        text = fitting(alert, LARGEST["sns"], lambda a: a.text().encode()).decode()
        try:
            self._sns().publish(TopicArn=arn, Subject=topic_subject(alert.title), Message=text)
        except Exception as error:
            if _is_gone(error):
                return ChannelAnswer("dead", "the topic is gone")
            raise
        return SENT

    def _listeners(self, arn: str) -> ChannelAnswer:
        """A topic without subscribers takes everything and tells nobody."""

        def asked() -> ChannelAnswer:
            try:
                attributes = self._sns().get_topic_attributes(TopicArn=arn)["Attributes"]
            except Exception as error:
                if _is_gone(error):
                    return ChannelAnswer("dead", "the topic is gone")
                raise
            confirmed, pending, deleted = (
                int(attributes.get(f"Subscriptions{state}", 0))
                for state in ("Confirmed", "Pending", "Deleted")
            )
            if confirmed:
                return SENT
            if pending:
                return ChannelAnswer("dead", "nobody has confirmed a subscription")
            return ChannelAnswer("dead", "no subscription is left") if deleted else ABSENT

        if not arn:
            return ABSENT
        if arn not in self._subscribed:
            self._subscribed[arn] = Kept(asked, _TOPIC_KEPT, self._now)
        return self._subscribed[arn].get()

    def _by_email(self, team: str, alert: Alert, patience: float) -> ChannelAnswer:
        to = self._rules.team_address(team)
        content = Content(alert.text(), subject=shortened(alert.title, 150), html=as_html(alert))
        return self._by_provider("email", to, content, alert, team) if to else ABSENT

    def _by_sms(self, team: str, alert: Alert, patience: float) -> ChannelAnswer:
        to = self._rules.team_mobile(team)
        title = fold(alert.title)
        lengths = range(110, 49, -1)
        texts = (f"{shortened(title, length)} {alert.link}".strip() for length in lengths)
        text = next((text for text in texts if parts(text) == 1), f"{shortened(title, 50)} {alert.link}")
        return self._by_provider("sms", to, Content(text), alert, team) if to else ABSENT

    def _by_provider(
        self, channel: Channel, to: str, content: Content, alert: Alert, team: str
    ) -> ChannelAnswer:
        provider = self._provider(channel)
        ref = alert_ref(alert.key, team, alert.number)
        request = provider.request(Message(ref, channel, to, "transactional", content))
        answer = request if isinstance(request, GiveUp) else next(iter(provider.send([request])))
        if isinstance(answer, Accepted):
            return SENT
        why = f"{provider.name}: {answer.reason}"
        if isinstance(answer, GiveUp) and answer.whose == "recipient":
            return ChannelAnswer("dead", why)
        # In doubt the next channel is told too: an alert twice is better than none.
        return _failed(why)

    # --- chat, pager, web hook ----------------------------------------------------------------------

    def _by_slack(self, team: str, alert: Alert, patience: float) -> ChannelAnswer:
        def message(alert: Alert) -> Mapping[str, Any]:
            text = alert.text().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            return {"text": text, "unfurl_links": False}

        return self._post_alert("slack", team, alert, message, patience)

    def _by_teams(self, team: str, alert: Alert, patience: float) -> ChannelAnswer:
        return self._post_alert("teams", team, alert, card, patience)

    def _by_pagerduty(self, team: str, alert: Alert, patience: float) -> ChannelAnswer:
        key = self._address("pagerduty", team)
        if not key:
            return ABSENT
        page = page_key(team, fingerprint(key), alert.again)

        def event(alert: Alert) -> Mapping[str, Any]:
            return {
                "routing_key": key,
                "event_action": "resolve" if alert.what == What.RESOLVED else "trigger",
                "dedup_key": dedup_key(alert.key, page),
                "payload": {
                    "summary": shortened(alert.title, 1024),
                    "source": "exstream-notify",
                    "severity": _PAGER_SEVERITY[alert.severity],
                    "custom_details": {**dict(alert.facts), "samples": alert.samples, "rerun": alert.rerun},
                },
                "links": [{"href": alert.link, "text": "Acknowledge"}] if alert.link else [],
            }

        body = fitting(alert, LARGEST["pagerduty"], lambda a: as_json(event(a)))
        return replace(self._posted("pagerduty", self._pagerduty(), body, patience), page=page)

    def _pagerduty(self) -> str:
        return self._addresses().get("pagerduty_url") or PAGERDUTY

    def _by_webhook(self, team: str, alert: Alert, patience: float) -> ChannelAnswer:
        return self._post_alert("webhook", team, alert, document, patience)

    def _by_apprise(self, team: str, alert: Alert, patience: float) -> ChannelAnswer:
        address = self._address("apprise", team)
        if not address:
            return ABSENT
        import apprise

        # It logs an address that it does not know, token included.
        logging.getLogger("apprise").disabled = True
        way = apprise.Apprise()
        if not way.add(address):
            return ChannelAnswer("dead", "Apprise does not know that address")
        for number in range(TRIES):
            if way.notify(title=alert.title, body=alert.text(), body_format=apprise.NotifyFormat.TEXT):
                return SENT
            self._sleep(0.5 * 2**number)
        return _failed("Apprise gives no reason")

    def _address(self, channel: str, team: str) -> str:
        addresses = self._addresses()
        found = addresses.get(f"{channel}/{team}") or addresses.get(channel) or ""
        return str(found).strip()  # pasted into the secret, perhaps with a line end

    def _post_alert(
        self,
        channel: str,
        team: str,
        alert: Alert,
        made: Callable[[Alert], Mapping[str, Any]],
        patience: float,
    ) -> ChannelAnswer:
        body = fitting(alert, LARGEST[channel], lambda a: as_json(made(a)))
        return self._posted(channel, self._address(channel, team), body, patience)

    def _posted(self, channel: str, url: str, body: bytes, patience: float) -> ChannelAnswer:
        headers = {"Content-Type": "application/json", "User-Agent": "exstream-notify"}
        secret = self._addresses().get("webhook_secret")
        if channel == "webhook" and secret:
            signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Exnotify-Signature"] = f"sha256={signature}"
        return self._posts.post(channel, url, body, headers, patience)


def _is_gone(error: Exception) -> bool:
    """Whether SNS knows no such topic."""
    code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
    return code in ("NotFound", "NotFoundException")


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
