"""Names of time zones that only name an offset: nobody lives there, and no summer time reaches them."""

import re

_ABBREVIATIONS = """
ACDT ACST ADT AEDT AEST AKDT AKST AST BST CDT CEST CST EAT EDT EEST EST GMT GMT0 GREENWICH HADT HAST HDT
HKT HST IST JST KST MDT MSK MST NDT NST NZDT NZST PDT PST SAST SGT UCT UNIVERSAL UTC WAT WEST WIB Z ZULU
LOCAL LOCALTIME FACTORY POSIXRULES
"""
NO_HOME = frozenset(_ABBREVIATIONS.split())
"""Abbreviations of an offset; several of them mean different offsets in different countries."""

_OFFSET = re.compile(
    r"(?:(?:UTC|GMT|UCT|Z)\s*)?[+\-\u2212]\s*\d{1,2}(?::?\d{2})?(?::?\d{2})?"
    r"|<[+-]?\w+>[+-]?\d{1,2}.*|[A-Z]{3,4}[+-]?\d{1,2}",
    re.IGNORECASE,
)
_FOLDERS = ("etc/", "systemv/", "posix/", "right/", "utc/", "gmt/")


def fixed_offset(name: str) -> bool:
    """Whether a zone's name is only an offset: `EST`, `UTC`, `Etc/GMT+5`, `+05:00`, `GMT+1`, `posix/…`."""
    return name.upper() in NO_HOME or name.lower().startswith(_FOLDERS) or _OFFSET.fullmatch(name) is not None
