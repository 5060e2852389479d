"""What a report says as a reason, without what is personal in it: ledger and evidence keep it for good."""

import re
import unicodedata
from typing import Final

from .mail_addresses import without_addresses
from .receipts import MARK

_ADDRESS: Final = "(address)"
_NUMBER: Final = "(number)"

_SPACE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_AT: Final = re.compile(
    r"(?<=[\w.\"'-]) ?(?:=40|%40|&#64;|&#x40;|&commat;|\(at\)|\[at\]|\uff20|\ufe6b| @) ?(?=[\w\[])",
    re.IGNORECASE,
)
"""How else an at sign is written: encoded, spelled out against robots, in full width."""

_NUMBERS: Final = re.compile(
    r"\+?\d(?:[ ()/-]{0,3}\d){6,}"
    # Apart by dots, where it is no IP address and no code.
    r"|(?<![\d.])(?!(?:\d{1,3}\.){3}\d{1,3}(?![\d.]))\+?\d{2,4}(?:\.\d{2,4}){2,}(?![\d.])"
)
_NAMED: Final = re.compile(
    r"(?:\"[^\"]{1,80}\"|'[^']{1,80}'|[^\W\d_a-z][\w'.-]{0,30}(?:,? [^\W\d_a-z][\w'.-]{0,30}){1,3})"
    r"(?=[ ]?[<(\[]{1,2}\(address\))"
)
"""A name in front of its address: `"Ann Example" <…>`, `User Ann Example (…)`."""

_HONOURED: Final = re.compile(
    r"\b(?i:mrs?|ms|miss|dr|herrn?|frau|monsieur|madame|mme|señora?|sra?|signora?|sig|dhr|mevr|pan[ií]?)\.? +"
    r"[^\W\d_a-z][\w'-]{0,30}(?: +[^\W\d_a-z][\w'-]{0,30}){0,2}"
)
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_NO_NAMES: Final = frozenset(
    {"user", "users", "account", "mailbox", "address", "recipient", "host", "mail", "info", "smtp"}
)


def scrubbed(text: object, limit: int = 200, address: str = "") -> str:
    """A reason without addresses, numbers and names, on one line, short.

    `address` is whose reason it is: the words of its local part are its holder's name, however written.
    """
    whole = str(text or "")
    plain = _SPACE.sub(" ", whole[: 4 * limit]).strip()
    if len(whole) > 4 * limit:
        plain = plain.rpartition(" ")[0]  # the limit may have cut an address, whose half nobody would mask
    plain = without_addresses(_AT.sub("@", plain), _ADDRESS)
    plain = _nameless(plain, address.rpartition("@")[0])
    plain = _HONOURED.sub("(name)", _NAMED.sub("(name)", plain))
    return _NUMBERS.sub(_NUMBER, plain).replace(MARK, "")[:limit]


def _nameless(text: str, local: str) -> str:
    """The text without a local part, and without the words of it."""
    if len(local) > 2 and local.lower() not in _NO_NAMES:
        text = re.sub(rf"(?<!\w){re.escape(local)}(?!\w|@)", _ADDRESS, text, flags=re.IGNORECASE)
    words = {form for word in _WORD.findall(local) for form in _forms(word)}
    names = (words | _forms("".join(_WORD.findall(local)))) - _NO_NAMES
    return _WORD.sub(lambda word: _ADDRESS if names & _forms(word[0]) else word[0], text) if names else text


def _forms(word: str) -> set[str]:
    """A word without accents, and with umlauts as two letters: Müller is muller and mueller."""
    lowered = word.lower()
    german = lowered.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    return {_bare(lowered), _bare(german)} - {""}


def _bare(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
