"""PagerDuty's web hook (v3): who may call it, and what its events say of pages of ours.

Sources: PagerDuty developer documentation, "Webhooks Overview", "Verifying Signatures", "Behavior". An answer
of 4xx is not tried again there, and three of them in a row switch the hook off for a day.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from ..domain.pager import PAGER_EVENTS, PagerEvent, page_of
from ..domain.receipts import moment, stamp

SECRET: Final = "pagerduty_webhook_secret"  # noqa: S105 - the name of a field
SIGNATURES: Final = 20
"""Signatures of one request that are compared; PagerDuty sends one for each secret of a subscription."""

_ID: Final = re.compile(r"[A-Z0-9]{1,20}")
_USER: Final = "user_reference"


class PagerUnusable(Exception):
    """A signed request that is not an event as documented; the text has nothing of it."""


def raw_body(body: str | None, encoded: bool) -> bytes:
    """The bytes that were posted, as an HTTP API hands them on; what is no Base64 is nothing."""
    try:
        return base64.b64decode(body or "", validate=True) if encoded else (body or "").encode()
    except (binascii.Error, ValueError):
        return b""


def signed_for(body: bytes, header: str, fields: Mapping[str, str]) -> frozenset[str]:
    """The teams whose secret signed the body; `""` stands for all teams, an empty set for a forged request.

    `fields` are those of the secret AlertChannels: `pagerduty_webhook_secret`, or the same with `/team`.
    While a secret is replaced, a field holds both, with a space between them. Compared in constant time.
    """
    given = [part.strip().removeprefix("v1=") for part in header.split(",")[:SIGNATURES] if "v1=" in part]
    teams = set()
    for name, secrets in fields.items():
        field, _, team = name.partition("/")
        if field != SECRET or not isinstance(secrets, str):
            continue
        for secret in secrets.split():
            wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
            genuine = [hmac.compare_digest(wanted, one.encode()) for one in given]
            if any(genuine):
                teams.add(team)
    return frozenset(teams)


def event_of(body: bytes, teams: frozenset[str]) -> PagerEvent | None:
    """What a signed body says; None for a ping, another kind of event, and incidents that are not ours.

    PagerUnusable where it has another form. Of whoever did it only the id is kept. A secret of one team
    speaks for its pages alone.
    """
    try:
        event = json.loads(body)["event"]
        kind = str(event["event_type"])
        if kind not in PAGER_EVENTS:
            return None
        data: Mapping[str, Any] = event["data"]
        at = moment(str(event["occurred_at"]))
        agent: Mapping[str, Any] = event.get("agent") or {}
        reason: Mapping[str, Any] = data.get("resolve_reason") or {}
        found = page_of(str(data.get("incident_key") or ""))
        who, merged = _user(agent), reason.get("type") == "merge_resolve_reason"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PagerUnusable(f"not in the form of an event: {type(error).__name__}") from None
    if at is None:
        raise PagerUnusable("the event has no time")
    if found is None or not ({found[2], ""} & teams):
        return None
    incident_id, page, team = found
    return PagerEvent(incident_id, page, team, kind, stamp(at), who, merged)


def _user(agent: Mapping[str, Any]) -> str:
    """The id of a user; empty for anything else, such as the integration that we resolve it by."""
    identity = str(agent.get("id") or "")
    return identity if agent.get("type") == _USER and _ID.fullmatch(identity) else ""
