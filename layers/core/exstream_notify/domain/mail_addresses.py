"""E-mail addresses in what mail systems write: read whole, as RFC 5322 and 6531 write them, or not at all.

A report that names `o'brien@example.com` speaks of nobody else, so no address is ever cut: not at an
apostrophe, not where its domain is of another script, not at a limit. Whether a mailbox can exist is not
asked here. Every function takes time in proportion to its text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

LOCAL_LIMIT: Final = 64
DOMAIN_LIMIT: Final = 255
"""Octets (RFC 5321, 4.5.3.1). What is longer is no address; it is masked all the same."""

PLACES: Final = 2_000
"""So many `@` of a text are looked at for addresses."""

_WINDOW: Final = 1_000
"""Characters before an `@` that are looked at."""

# Other scripts (RFC 6531) without their punctuation, spaces, arrows and controls, which end an address.
_OTHER = (
    r"\u00aa\u00b5\u00ba\u00c0-\u0589\u0591-\u05bd\u05bf-\u05f2\u0610-\u061a\u0620-\u0669\u066e-\u06d3"
    r"\u06d5-\u0963\u0966-\u109f\u10a0-\u10fa\u10fc-\u167f\u1681-\u17d3\u17dc-\u1fff\u200c\u200d"
    r"\u2c00-\u2dff\u3005-\u3007\u3021-\u303a\u3041-\u30fa\u30fc-\ud7ff\uf900-\ufaff\ufb00-\ufdff"
    r"\ufe70-\ufefc\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc\U00010000-\U0003fffd"
)
_ATEXT = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.\-{_OTHER}]"
_RUN_BACK = re.compile(rf"{_ATEXT}*")
_QUOTED_BACK = re.compile(r'"((?:"\\|[^"\r\n]){1,80}?)"(?!\\)')
"""A quoted local part (RFC 5322, 3.2.4), read from its end."""
_DOMAIN = re.compile(
    rf"\[[0-9A-Za-z.:-]{{2,80}}\]|[A-Za-z0-9_{_OTHER}](?:[A-Za-z0-9_\-{_OTHER}]|\.(?=[A-Za-z0-9_{_OTHER}]))*"
)

# Scripts that are written without spaces between words: an address of ASCII letters ends where they begin.
_SPACELESS = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17d3\u2e80-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003fffd"
)
_WORDS_BEHIND = re.compile(rf"(?<=[A-Za-z])[{_SPACELESS}][^.]*\Z")
_WORDS_BEFORE = re.compile(rf"[{_SPACELESS}](?=[A-Za-z0-9][\x21-\x7e]*\Z)")

_PAIRS = {"'": "'", "`": "`'", "*": "*", "|": "|", "{": "}", "/": "/", "=": "=", "~": "~"}
"""Characters of a local part that mailers also put around whole addresses."""
_NAMED = re.compile(
    r"(?:to|from|rcpt|rcptto|recipient|email|e-mail|addr|address|mailto|orig_to|smtp|user)=", re.I
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something with an `@` stands in a text; `address` is empty if it is none."""

    start: int
    end: int
    address: str = field(default="", repr=False)


def places(text: str, most: int = PLACES) -> Iterator[Place]:
    """The first `@` of a text, at most so many, with what belongs to each; none overlaps another."""
    at, before, done = text.find("@"), -1, 0
    for _ in range(most):
        if at < 0:
            return
        place = _place(text, before + 1, at)
        if place.end - place.start > 1:
            yield Place(max(place.start, done), place.end, place.address if place.start >= done else "")
            done = place.end
        before, at = at, text.find("@", at + 1)


def addresses_in(text: str) -> list[str]:
    """The addresses that stand whole in a text, as written, each once."""
    return list(dict.fromkeys(place.address for place in places(text) if place.address))


def address_in(field_value: str) -> str:
    """The address of a field such as `rfc822; name@example.com` or `Name <name@example.com>`; else empty.

    Angle brackets decide where there are some; a source route (RFC 5321, 4.1.2) is left out.
    """
    found = list(places(field_value))
    bracketed = [p for p in found if p.address and _is_bracketed(field_value, p.start, p.end)]
    return next((p.address for p in [*bracketed, *found] if p.address), "")


def without_addresses(text: str, instead: str) -> str:
    """A text with every address, and everything else around an `@`, replaced."""
    rows, done = [], 0
    for place in places(text, len(text)):
        rows += [text[done : place.start], instead]
        done = place.end
    return "".join([*rows, text[done:]])


def _place(text: str, least: int, at: int) -> Place:
    """What belongs to the `@` at a place; `least` is behind the `@` before it."""
    domain = _DOMAIN.match(text, at + 1)
    end = domain.end() if domain else at + 1
    back = text[max(least, at - _WINDOW) : at][::-1]
    quoted = _QUOTED_BACK.match(back)
    run = quoted or _RUN_BACK.match(back)
    start = at - (run.end() if run else 0)
    chained = (start == least and least > 0 and start < at) or text[end : end + 1] == "@"
    if domain is None or start == at or chained:
        return Place(start, end)
    if not _is_bracketed(text, start, end):
        start, end = _trimmed(text, start, at, end)
    local, host = text[start:at], text[at + 1 : end]
    fits = 0 < _octets(local) <= LOCAL_LIMIT + 2 * bool(quoted) and 0 < _octets(host) <= DOMAIN_LIMIT
    return Place(start, end, f"{local}@{host}" if fits else "")


def _is_bracketed(text: str, start: int, end: int) -> bool:
    return text[end : end + 1] == ">" and text[max(start - 1, 0) : start] in ("<", ":", ",")


def _trimmed(text: str, start: int, at: int, end: int) -> tuple[int, int]:
    """Without what a sentence puts around an address: quotes, emphasis, names of fields, words."""
    end -= len(text[at + 1 : end]) - len(text[at + 1 : end].rstrip("-_."))
    host = text[at + 1 : end]
    words = _WORDS_BEHIND.search(host)
    if words and "." in host[: words.start()]:
        end = at + 1 + words.start()
    if text[at + 1 : end].isascii():
        words = _WORDS_BEFORE.search(text[start:at])
        start += words.end() if words else 0
    while start < at and (text[start] == "." or text[end : end + 1] in tuple(_PAIRS.get(text[start], ""))):
        end_sign = text[start] != "."
        start += 1
        if end_sign and text[start] not in _PAIRS:
            break
    named = _NAMED.match(text, start, at)
    return (named.end() if named else start), end


def _octets(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


# --- what an address stands for --------------------------------------------------------------------------

_STANDS_FOR: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"prvs=[0-9a-z]{1,20}=([^@]+)@([^@]+)", re.I), r"\1@\2"),
    (re.compile(r"prvs=([^@/]+)/[0-9a-z]{1,20}@([^@]+)", re.I), r"\1@\2"),
    (re.compile(r"(?:btv1==[^=@]+==|msprvs1=[^=@]+=)([^@]+)@([^@]+)", re.I), r"\1@\2"),
    (re.compile(r"SRS0[=+-][^=@]+=[^=@]+=([^=@]+)=([^@]+)@[^@]+", re.I), r"\2@\1"),
    (re.compile(r"SRS1[=+-][^=@]+=[^=@]+==[^=@]+=[^=@]+=([^=@]+)=([^@]+)@[^@]+", re.I), r"\2@\1"),
    (re.compile(r"([^%@]+)%([^%@]+\.[^%@]+)@[^@]+"), r"\1@\2"),
    (re.compile(r"([^!@]+\.[^!@]+)!([^!@]+)@[^@]+"), r"\2@\1"),
)
"""BATV (draft-levine-smtp-batv), SRS (the rewriting that forwarders do for SPF), the percent sign and the
exclamation mark of old relays (RFC 1123, 5.2.16)."""

_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")
_XTEXT_UTF8: Final = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
_ENCAPSULATED: Final = re.compile(r"IMCEASMTP-([^@]+)@[^@]+", re.I)


def forms_of(address: str) -> tuple[str, ...]:
    """Other addresses that this one stands for: the mailbox behind a tag, a relay or an encoding.

    Encodings: xtext (RFC 3461, 4), its form for other scripts (RFC 6533, 3), Exchange's IMCEASMTP.
    """
    found = [pattern.sub(into, address) for pattern, into in _STANDS_FOR if pattern.fullmatch(address)]
    capsule = _ENCAPSULATED.fullmatch(address)
    if capsule:
        found.append(_decoded(capsule[1]))
    elif _XTEXT.search(address) or _XTEXT_UTF8.search(address):
        found.append(_decoded(address))
    return tuple(dict.fromkeys(f for f in found if f != address and addresses_in(f) == [f]))


def _decoded(text: str) -> str:
    text = _XTEXT_UTF8.sub(lambda match: _character(match[1]), text)
    return _XTEXT.sub(lambda match: _character(match[1]), text)


def _character(digits: str) -> str:
    code = int(digits, 16)
    return chr(code) if 0x20 < code < 0xD800 or 0xE000 <= code < 0x110000 else " "
