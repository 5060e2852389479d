"""The forms of an alert: the documents that chat services and web hooks take, and how large they may be."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from ..domain.alert_words import Alert

LARGEST: Final[Mapping[str, int]] = {
    "slack": 36_000,
    "teams": 26_000,
    "pagerduty": 500_000,
    "webhook": 1_000_000,
    "sns": 250_000,
}
"""Bytes of an alert. The services take 40,000 characters, 28 KB, 512 KB, what the site's own hook takes, and
256 KB: switches that do not fit are left out, then long facts are cut; `exnotify incidents` shows all."""

_FACT_CHARS = (4000, 1000, 250, 100)
"""How long a fact may be where an alert does not fit, one after the other. The least of them always fits."""


def as_json(document: Mapping[str, Any]) -> bytes:
    """A document as it is posted."""
    return json.dumps(document, ensure_ascii=False).encode()


def fitting(alert: Alert, largest: int, made: Callable[[Alert], bytes]) -> bytes:
    """An alert's body with as many of its switches as fit, and with long facts cut where it must be."""
    body = made(alert)
    for lines in (5, 1, 0) if alert.rerun else ():
        if len(body) <= largest:
            break
        rerun = (*alert.rerun[:lines], "more: exnotify incidents shows every switch")
        body = made(replace(alert, rerun=rerun))
    for chars in _FACT_CHARS:
        if len(body) <= largest:
            break
        alert = _cut(alert, chars)
        body = made(alert)
    return body


def _cut(alert: Alert, chars: int) -> Alert:
    """An alert with no text longer than that, and without its switches, which nobody may shorten."""

    def short(text: str) -> str:
        return text if len(text) <= chars else f"{text[:chars]} … (exnotify incidents shows all)"

    return replace(
        alert,
        title=short(alert.title),
        facts=tuple((name, short(value)) for name, value in alert.facts),
        samples=tuple(map(short, alert.samples)),
        rerun=("exnotify incidents shows every switch",) if alert.rerun else (),
    )


def card(alert: Alert) -> Mapping[str, Any]:
    """An alert as a message of Microsoft Teams."""
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
    return {"type": "message", "attachments": [attachment]}


def document(alert: Alert) -> Mapping[str, Any]:
    """An alert as the site's own web hook gets it."""
    return {
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
