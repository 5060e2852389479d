"""What proves that a post comes from the page that we showed: signed, for one page, for two hours.

It names the contact's version that the page showed, so a post of an old page changes nothing unseen and
the same post again is noticed. There are no cookies, so there is nothing that a foreign page could ride on.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

LIFE = timedelta(hours=2)


def make_form_token(key: bytes, page_token: str, version: int, now: datetime) -> str:
    """The hidden field of a form."""
    text = f"{int(now.timestamp())}.{version}"
    return f"{text}.{_mac(key, page_token, text)}"


def read_form_token(keys: Iterable[bytes], page_token: str, token: str, now: datetime) -> int | None:
    """The version that the page showed; None for a token that is not ours, of another page, or too old.

    `keys` are the current one and those before it: a page that was shown before a rotation is good still.
    """
    text, _, mac = token.rpartition(".")
    ours = [hmac.compare_digest(mac.encode(), _mac(key, page_token, text).encode()) for key in keys]
    if not any(ours):
        return None
    made, _, version = text.partition(".")
    at = datetime.fromtimestamp(int(made), UTC)
    return int(version) if now - LIFE <= at <= now + timedelta(minutes=5) else None


def same_site(origin: str | None, fetch_site: str | None, site: str) -> bool:
    """Whether a browser says that a post comes from our own page, or says nothing (RFC 6454, Fetch Metadata).

    `Origin: null` is what a page sends whose Referrer-Policy is no-referrer, as ours is, and what a frame
    without an origin sends: Sec-Fetch-Site tells them apart, and for browsers without it the form's token.
    """
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return False
    return origin is None or origin == "null" or origin.rstrip("/") == site.rstrip("/")


def _mac(key: bytes, page_token: str, text: str) -> str:
    return hmac.new(key, f"form\0{page_token}\0{text}".encode(), hashlib.sha256).hexdigest()[:32]
