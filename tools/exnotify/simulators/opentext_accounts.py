"""Who may use OpenText Notifications: users, clients and their tokens."""

import secrets
import threading
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qs, unquote_plus

from .wire import Reply, Request, json_reply


class Accounts:
    """Knows users and client ids with their secrets (None: everybody with any) and issues tokens.

    Tokens live `lifetime` seconds by the clock `now`; `token` makes one. Safe under threads.
    """

    def __init__(
        self,
        known: Mapping[str, str] | None,
        lifetime: float,
        now: Callable[[], datetime],
        token: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        self._make = token
        self.known = known
        self.lifetime = lifetime
        self.issued = 0
        self._now = now
        self._lock = threading.Lock()
        self._tokens: dict[str, datetime] = {}

    def expire(self) -> None:
        """Make all tokens invalid, as a restart of the provider's identity service would."""
        with self._lock:
            self._tokens.clear()

    def admits(self, request: Request) -> bool:
        """Whether the request proves who sends it: HTTP Basic, or a token that lives."""
        scheme, _, value = request.header("Authorization").partition(" ")
        if scheme.lower() == "bearer":
            with self._lock:
                until = self._tokens.get(value)
            return until is not None and self._now() < until
        return scheme.lower() == "basic" and self._knows(_pair(value))

    def token(self, request: Request) -> Reply:
        """The token endpoint's answer (RFC 6749, 4.4 and 5.2)."""
        if request.method != "POST":
            return json_reply(405, {"error": "invalid_request"}, ("Allow", "POST"))
        if request.content_type != "application/x-www-form-urlencoded":
            return json_reply(400, {"error": "invalid_request"})
        form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return json_reply(400, {"error": "unsupported_grant_type"})
        scheme, _, value = request.header("Authorization").partition(" ")
        client: tuple[str, str] | None = (form.get("client_id", ""), form.get("client_secret", ""))
        if scheme.lower() == "basic":
            pair = _pair(value)
            client = (unquote_plus(pair[0]), unquote_plus(pair[1])) if pair else None
        if not self._knows(client):
            return json_reply(401, {"error": "invalid_client"}, ("WWW-Authenticate", "Basic"))
        answer = {"access_token": self._issue(), "token_type": "Bearer", "expires_in": int(self.lifetime)}
        return json_reply(200, answer, ("Cache-Control", "no-store"))

    def _issue(self) -> str:
        token, now = self._make(), self._now()
        with self._lock:
            self.issued += 1
            self._tokens = {t: until for t, until in self._tokens.items() if until > now}
            self._tokens[token] = now + timedelta(seconds=self.lifetime)
        return token

    def _knows(self, pair: tuple[str, str] | None) -> bool:
        if pair is None or not pair[0]:
            return False
        if self.known is None:
            return True
        secret = self.known.get(pair[0])
        return secret is not None and secrets.compare_digest(secret.encode(), pair[1].encode())


def _pair(value: str) -> tuple[str, str] | None:
    try:
        name, colon, secret = b64decode(value, validate=True).decode("utf-8").partition(":")
    except ValueError:
        return None
    return (name, secret) if colon else None
