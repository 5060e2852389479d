"""What customers did about the messages that they got, as the checker names it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from simulation.checker.reading import Reading
from simulation.checker.seen import NOBODY_NAMED, Act, Opened, Row, Sent
from simulation.outside.customers import Deed
from simulation.outside.habits import STOPS

from .went_in import Due, paid

_RESPONSES = {"Customer Responded": "responded", "Document Acknowledged": "acknowledged"}
_BUTTONS = {
    "withdraw": "withdraw consent",
    "consent": "give consent",
    "address": "may set address",
}
_WHO = {"domain": "domain", "customer": "customer_key", "recipient": "recipient"}


def deeds_of(
    deeds: Sequence[Deed], sent: Sequence[Sent], notices: Mapping[str, Row], rules: Reading, due: Due
) -> Iterator[Act]:
    """What customers did; of a message whose notice the command does not show, nothing is known."""
    messages = {message.number: message for message in sent}
    for deed in deeds:
        message = messages.get(deed.accepted)
        notice = notices.get(message.notice) if message else None
        if not deed.person or message is None or notice is None:
            continue
        who = {
            "domain": notice["domain"],
            "customer": notice["customer_key"],
            "recipient": notice["recipient"] or NOBODY_NAMED,
        }
        if deed.what.startswith("POST ") and deed.status < 400:
            about = {**who, "document": notice["document_id"]}
            yield from _pressed(deed, message, about, str(notice["document_type"]), rules)
        elif deed.what == "Payment Received":
            yield from paid(deed.at, json.loads(deed.said), due)
        elif deed.what in _RESPONSES:
            about = json.loads(deed.said)
            named = {
                **who,
                "recipient": about.get("recipient") or NOBODY_NAMED,
                "document": about.get("document_id", ""),
            }
            yield Act("respond", deed.at, **named, response=_RESPONSES[deed.what])
        elif deed.what in (*STOPS, "STOP", "START"):
            kind = "opt in" if deed.what == "START" else "opt out"
            yield Act(kind, deed.at, channel="sms", address=deed.address)


def _pressed(deed: Deed, message: Sent, about: dict[str, Any], kind: str, rules: Reading) -> Iterator[Act]:
    """A button of a page: of a document, of the preferences, or the mail program's own."""
    who = {name: about[name] for name in ("domain", "customer", "recipient")}
    if deed.what.startswith("POST /d/") and deed.leads_to:
        yield Act("respond", deed.at, deed.done_at, **about, response="opened")
    elif deed.what.startswith("POST /u/"):
        topic = str(rules.certain(kind, "topic") or "")
        yield Act("opt out", deed.at, deed.done_at, **who, channel=message.channel, topic=topic)
    elif deed.what.startswith("POST /p/"):
        typed = dict(part.partition("=")[::2] for part in deed.said.split(", "))
        if typed.get("action") == "leave":
            for topic in rules.left_as_a_whole():
                yield Act("opt out", deed.at, deed.done_at, **who, topic=topic)
        elif what := _BUTTONS.get(typed.get("action", "")):
            address = {"channel": "email", "address": typed.get("address", "")}
            more: dict[str, Any] = address if what == "may set address" else {}
            yield Act(what, deed.at, deed.done_at, **who, **more)
        elif typed.get("action") == "save":
            yield Act("may set language", deed.at, deed.done_at, **who, language=typed.get("language", ""))
            hours = f"{typed.get('opens', '')}-{typed.get('closes', '')}"
            yield Act("quiet hours", deed.at, deed.done_at, **who, hours=hours if len(hours) > 1 else "")


def opened_by(deeds: Sequence[Deed]) -> list[Opened]:
    """Links to documents that were followed, with the key of the document to which they led."""
    return [
        Opened(deed.accepted, deed.done_at or deed.at, deed.what, _key(deed.leads_to), deed.person)
        for deed in deeds
        if deed.what.startswith("POST /d/") and deed.leads_to
    ]


def _key(address: str) -> str:
    """`drop/retail/r1/output/D1.pdf` of an address in the drop bucket."""
    return unquote(urlsplit(address).path).lstrip("/")
