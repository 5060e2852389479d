"""The message that a report returns: where it begins in a mailer's text, and everything a reference is in."""

import re
from collections.abc import Iterator
from typing import Final

from .parsing import RETURNED, Part, parsed, without_tags

RETURNED_LIMIT: Final = 200_000
"""Characters in which a reference of ours is looked for."""

_MESSAGES: Final = 6
"""Returned messages, one inside another, that are opened."""

_FIELDS: Final = frozenset(
    {
        "to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-rcpt-to",
        "apparently-to", "resent-to", "x-forwarded-to", "x-delivered-to", "original-recipient",
        "x-failed-recipients", "x-original-message-id", "x-notice-id", "in-reply-to", "references",
        "received",
    }
)  # fmt: skip
"""Fields of the report itself in which what we sent, or where we wanted it back, may stand."""

_HEAD_LIMIT: Final = 50_000
_ORIGINAL: Final = re.compile(
    r"^[ \t>]*-*[ \t]*(?:-+ ?(?:original message|returned message|this is a copy|original message follows|"
    r"unsent message|undelivered message|message header|message headers|begin original|begin message|"
    r"included is a copy|below this line|below is a copy|start of the message|original mail|original headers|"
    r"forwarded message|ursprüngliche|mensaje original|mensagem original|messaggio originale|"
    r"message original|message d'origine|original-nachricht|originalmeddelande|исходное|oorspronkelijk|"
    r"původní|元のメッセージ|原始邮件|原始郵件|원본)|"
    r"original message:?[ \t]*$|received: (?:from|by|\(qmail)|return-path: ?<|message-id: ?<)",
    re.IGNORECASE,
)
_LINE: Final = 200
"""Characters of a line that are looked at."""

_OWN: Final = 80
"""Characters that a mailer writes at least: the first lines may name what is returned below."""


def without_original(text: str) -> str:
    """A mailer's own text, up to the message that it returns; the same object if it returns none."""
    size = 0
    for line in text.splitlines(keepends=True):
        if size >= _OWN and _ORIGINAL.match(line[:_LINE]):
            return text[:size]
        size += len(line)
    return text


def returned_text(mail: Part) -> str:
    """Everything in which a reference of ours may come back, bounded.

    Fields of the report, a blank line, then what is attached, quoted or written below.
    """
    head = "\n".join(f"{key}: {value}" for key, value in mail.headers if key in _FIELDS)[:_HEAD_LIMIT]
    rows, left = [head, ""], RETURNED_LIMIT - _HEAD_LIMIT
    for text in _texts(mail, [_MESSAGES]):
        rows.append(text[:left])
        left -= len(text) + 1
        if left <= 0:
            break
    return "\n".join(rows)


def _texts(mail: Part, messages: list[int]) -> Iterator[str]:
    """The texts of a mail's parts; returned messages first, with their heads."""
    leaves = [part for part in mail.walk() if not part.parts]
    for part in leaves:
        if part is not mail and part.is_message and part.kind not in RETURNED:
            yield "\n".join(f"{key}: {value}" for key, value in part.headers)
    for part in leaves:
        if part.kind in RETURNED and messages[0] > 0:
            messages[0] -= 1
            encoded = any(k == "content-transfer-encoding" and v.lower() in _ENCODED for k, v in part.headers)
            inner = parsed(part.text.encode("utf-8", "replace") if encoded else part.body)
            yield "\n".join(f"{key}: {value}" for key, value in inner.headers)
            yield from _texts(inner, messages)
    for part in leaves:
        if part.kind == "text/html":
            yield without_tags(part.text)
        if part.kind.startswith(("text/", "message/", "multipart/")) and part.kind not in RETURNED:
            yield part.text


_ENCODED: Final = ("base64", "quoted-printable")
