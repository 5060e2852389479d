"""How a request proves who sends it: HTTP Basic (RFC 7617) or OAuth2 client credentials (RFC 6749, 4.4)."""

from __future__ import annotations

import re
import threading
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote_plus

from ...domain.elapsed import lasts
from .credentials import CredentialsSource

if TYPE_CHECKING:
    import httpx

_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
_DEFAULT_LIFETIME = 300.0
"""Seconds a token is taken to live where the endpoint does not say (RFC 6749 leaves it open)."""


class NotAuthorised(Exception):
    """No credentials to send with, so nothing was sent; `code` is the row in the table of answers."""

    def __init__(self, code: str, status: int = 0) -> None:
        super().__init__(f"{code} {status or ''}".strip())
        self.code = code


class Authorisation(Protocol):
    """Makes the Authorization header, and makes it anew after a refusal. Safe under threads."""

    def header(self, client: httpx.Client) -> str:
        """The header's value; NotAuthorised if there is none to be had."""

    def refused(self, header: str) -> None:
        """The service refused this value: the next `header` starts afresh, once for all threads."""


class Basic:
    """User and password, read once, and again after a refusal (the secret may have been rotated)."""

    def __init__(self, credentials: CredentialsSource) -> None:
        self._credentials = credentials
        self._lock = threading.Lock()
        self._header = ""

    def __repr__(self) -> str:
        return "Basic()"

    def header(self, client: httpx.Client) -> str:
        """`Basic` and the base64 of user and password."""
        with self._lock:
            if not self._header:
                self._header = basic_header(self._credentials)
            return self._header

    def refused(self, header: str) -> None:
        """Read the secret again next time."""
        with self._lock:
            if self._header == header:
                self._header = ""


class OAuth2:
    """A bearer token from the tenant's token endpoint, kept until `margin` seconds before it expires.

    `now` is epoch seconds: unlike a monotonic clock it goes on while a function is frozen. The client
    authenticates by HTTP Basic, which every server must take (RFC 6749, 2.3.1).
    """

    def __init__(
        self,
        token_url: str,
        credentials: CredentialsSource,
        now: Callable[[], float],
        margin: float = 60.0,
        scope: str = "",
    ) -> None:
        self._token_url = token_url
        self._credentials = credentials
        self._now = now
        self._margin = margin
        self._scope = scope
        self._lock = threading.Lock()
        self._header = ""
        self._fetched_at = 0.0
        self._usable = 0.0

    def __repr__(self) -> str:
        return f"OAuth2(token_url={self._token_url!r})"

    def header(self, client: httpx.Client) -> str:
        """`Bearer` and a token that still lives for a while; one thread fetches, the others wait."""
        with self._lock:
            if not self._header or not lasts(self._fetched_at, self._usable, self._now()):
                token, lifetime = self._fetch(client)
                self._header = f"Bearer {token}"
                self._fetched_at = self._now()
                self._usable = max(lifetime - self._margin, lifetime / 2)
            return self._header

    def refused(self, header: str) -> None:
        """Drop the token, unless another thread already has a newer one."""
        with self._lock:
            if self._header == header:
                self._header = ""

    def _fetch(self, client: httpx.Client) -> tuple[str, float]:
        import httpx

        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        # Client id and secret are form-encoded before they are joined (RFC 6749, 2.3.1).
        headers = {
            "Authorization": basic_header(self._credentials, quote_plus),
            "Accept": "application/json",
        }
        try:
            answer = client.post(self._token_url, data=form, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise NotAuthorised("token_unavailable") from None
        if answer.status_code in (400, 401, 403):
            raise NotAuthorised("token_refused", answer.status_code)
        try:
            document: Any = answer.json()
            token, lifetime = document["access_token"], float(document.get("expires_in", _DEFAULT_LIFETIME))
            usable = _TOKEN.fullmatch(token) is not None and 0 < lifetime < float("inf")
        except (ValueError, KeyError, TypeError, AttributeError):
            usable = False
        if answer.status_code != 200 or not usable:
            raise NotAuthorised("token_unavailable", answer.status_code)
        return token, lifetime


def basic_header(credentials: CredentialsSource, encode: Callable[[str], str] = str) -> str:
    """The value of a Basic Authorization header; NotAuthorised if the secret cannot be read."""
    try:
        known = credentials()
        if ":" in encode(known.name) or not known.name:
            raise ValueError("a user name has no colon (RFC 7617, 2)")
        pair = f"{encode(known.name)}:{encode(known.secret)}".encode()
    except Exception:
        # Whatever the secret store raises: nothing was sent, and the store's text is not repeated.
        raise NotAuthorised("credentials_unavailable") from None
    return f"Basic {b64encode(pair).decode('ascii')}"
