"""The web hook that a provider pushes its status to: who may, how much, and into which pieces it goes on."""

import base64
import binascii
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..providers.opentext_status import StatusUnreadable, decode_status
from .reading import ReceiptUnusable

BODY_LIMIT = 6_000_000
"""Bytes; more than API Gateway hands on anyway could not be one push."""

_PIECE = 50
"""Deliveries in one message of the queue, which is well below what SQS takes."""


def authorised(headers: Mapping[str, str], secrets: Mapping[str, str]) -> bool:
    """Whether the request brings one of the hook's secrets, in constant time.

    As `X-Webhook-Secret`, as `Authorization: Bearer`, or as the password of HTTP Basic: how a push can be
    signed is not public, so each way that a portal may offer is taken. Several secrets hold at once
    while one is replaced.
    """
    given = headers.get("x-webhook-secret", "")
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        given = value.strip()
    elif scheme.lower() == "basic":
        try:
            given = base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            given = ""
    found = False
    for name, secret in secrets.items():
        if name != "current" and secret:
            found |= hmac.compare_digest(given.encode(), secret.encode())
    return found


def pieces(body: str) -> Iterator[dict[str, Any]]:
    """A pushed status document in pieces for the queue; a list of documents is fine. `ReceiptUnusable`."""
    if len(body) > BODY_LIMIT:
        raise ReceiptUnusable("larger than a status document is")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ReceiptUnusable("not JSON") from None
    documents = document if isinstance(document, list) else [document]
    for one in documents:
        try:
            decode_status(one)
        except (StatusUnreadable, AttributeError, TypeError) as error:
            raise ReceiptUnusable(str(error)) from error
    for one in documents:
        deliveries = one.get("deliveries") or []
        for start in range(0, len(deliveries), _PIECE):
            yield {**one, "deliveries": deliveries[start : start + _PIECE]}
