"""Passes to a customer's own pages: what stands in a token's sixteen bytes, and what it is good for.

A contact is named by a handle that only its secret salt gives: no address, no customer key, and nothing
that outlives the contact's erasure. The other four bytes say what the pass is for: the day it was made
(preferences), the topic (unsubscribe), the change (undo). Each use is a purpose of its own in the MAC.
"""

import hashlib
from collections.abc import Iterable
from datetime import date

PREFERENCES = "preferences"
UNSUBSCRIBE = "unsubscribe"
UNDO = "undo"

_EPOCH = date(2020, 1, 1)
_HANDLE_CHARS = 24  # 12 bytes


def handle_of(salt: str) -> str:
    """The contact's handle: 96 bits, 24 hex characters, one way from its salt."""
    return hashlib.blake2b(salt.encode(), digest_size=_HANDLE_CHARS // 2, person=b"handle").hexdigest()


def preferences_id(salt: str, day: date) -> str:
    """What a preferences token carries: the handle and the day it was made."""
    return handle_of(salt) + f"{(day - _EPOCH).days:08x}"


def made_on(token_id: str) -> date:
    """The day a preferences token was made; ValueError for one that no calendar has."""
    try:
        return date.fromordinal(_EPOCH.toordinal() + int(token_id[_HANDLE_CHARS:], 16))
    except OverflowError as error:
        raise ValueError("no day of any calendar") from error


def unsubscribe_id(salt: str, topic: str) -> str:
    """What an unsubscribe token carries: the handle and which topic; it never expires."""
    return handle_of(salt) + _short(topic)


def topic_in(token_id: str, topics: Iterable[str]) -> str | None:
    """The topic that an unsubscribe token names, or None if there is no such topic any more."""
    return next((topic for topic in topics if _short(topic) == token_id[_HANDLE_CHARS:]), None)


def undo_id(salt: str, change_id: str) -> str:
    """What an undo token carries: the handle and which change."""
    return handle_of(salt) + _short(change_id)


def change_in(token_id: str, change_ids: Iterable[str]) -> str | None:
    """The change that an undo token names."""
    return next((one for one in change_ids if _short(one) == token_id[_HANDLE_CHARS:]), None)


def handle_in(token_id: str) -> str:
    """The handle in a token's id."""
    return token_id[:_HANDLE_CHARS]


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
