"""Languages, yes and no, teams, and names of types."""

import json
import re
from collections.abc import Iterable, Mapping

from .text import ValueRefused, clean_text
from .unset import UNSET

_SEPARATORS = re.compile(r"[\s_-]+")


def type_key(name: str) -> str:
    """Name of a type, queue, team or status for comparison: `Utility_Bill` is `utility-bill`."""
    return _SEPARATORS.sub("-", name.strip()).strip("-").lower()


_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?")
# ISO 639-2 codes and names that sites write for languages that have a two-letter code.
_LANGUAGE_NAMES: Mapping[str, str] = {
    "eng": "en", "english": "en",
    "spa": "es", "esp": "es", "spanish": "es", "español": "es", "espanol": "es", "castellano": "es",
    "fra": "fr", "fre": "fr", "french": "fr", "français": "fr", "francais": "fr",
    "deu": "de", "ger": "de", "german": "de", "deutsch": "de",
    "ita": "it", "italian": "it", "italiano": "it",
    "por": "pt", "portuguese": "pt", "português": "pt",
    "nld": "nl", "dut": "nl", "dutch": "nl", "nederlands": "nl",
}  # fmt: skip


def language_tag(value: str) -> str:
    """A BCP 47 tag in its usual case: `en`, `en-GB`, `zh-Hant-TW`; a few full names are known."""
    if name := _LANGUAGE_NAMES.get(value.lower()):
        return name
    found = _LANGUAGE.fullmatch(value)
    if found is None:
        raise ValueRefused("not a language tag (BCP 47)")
    language, script, region = found.groups()
    tag = _LANGUAGE_NAMES.get(language.lower(), language.lower())
    if script:
        tag += "-" + script.title()
    if region:
        tag += "-" + region.upper()
    return tag


_TRUE = frozenset({"y", "yes", "true", "t", "1", "on", "x"})
_FALSE = frozenset({"n", "no", "false", "f", "0", "off"})


def truth(value: str) -> bool:
    """Yes or no, as sites write it."""
    word = value.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueRefused("neither yes nor no")


MAX_TEAMS = 20
MAX_TEAM_LENGTH = 64


def team_names(value: str) -> list[str]:
    """Internal teams, separated by `;` or `,`, or as a JSON list: `Credit Risk` is `credit-risk`."""
    names: Iterable[object] = re.split("[;,]", value)
    if value.startswith("["):
        try:
            names = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueRefused("neither names separated by ; nor a JSON list") from None
    teams: dict[str, None] = {}
    for name in names:
        if not isinstance(name, str):
            raise ValueRefused("a team that is not text")
        if len(name) > MAX_TEAM_LENGTH:
            raise ValueRefused(f"a team's name is longer than {MAX_TEAM_LENGTH} characters")
        text = clean_text(name)
        if text not in UNSET and (key := type_key(text)):
            teams[key] = None
    if len(teams) > MAX_TEAMS:
        raise ValueRefused(f"more than {MAX_TEAMS} teams")
    return list(teams)
