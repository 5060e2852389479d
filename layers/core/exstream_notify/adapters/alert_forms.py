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
256 KB: switches that do not fit are left out, and shown by `exnotify incidents`."""


def as_json(document: Mapping[str, Any]) -> bytes:
    """A document as it is posted."""
    return json.dumps(document, ensure_ascii=False).encode()


def fitting(alert: Alert, largest: int, made: Callable[[Alert], bytes]) -> bytes:
    """An alert's body with as many of its switches as fit."""
    body = made(alert)
    for lines in (5, 1, 0):
        if len(body) <= largest:
            break
        rerun = (*alert.rerun[:lines], "more: exnotify incidents shows every switch")
        body = made(replace(alert, rerun=rerun))
    return body


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
