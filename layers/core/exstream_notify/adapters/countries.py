"""Countries as sites write them: `US`, `usa`, `840`, `U.S.A.` and `Vereinigte Staaten` are one code."""

from collections.abc import Mapping
from functools import lru_cache

from ..domain.values import ValueRefused

_LANGUAGES = ("en", "es", "fr", "de")


@lru_cache(maxsize=1024)
def country_code(written: str) -> str:
    """The ISO 3166 two-letter code of a country's code or name; what nobody knows comes back in capitals.

    Babel's data knows three letters, three digits, former codes and names; it is asked only for what is not
    a two-letter code already.
    """
    text = written.replace(".", "").strip()
    code = text.upper()
    if code == "EL":
        return "GR"  # the European Union's own for Greece
    if len(code) == 2 and code != "UK":
        return code
    from babel.core import get_global

    found = get_global("territory_aliases").get(code, ())
    return found[0] if len(found) == 1 else _names().get(text.casefold(), code)


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    from babel import Locale

    return {
        str(name).casefold(): str(code)
        for language in _LANGUAGES
        for code, name in Locale(language).territories.items()
        if len(code) == 2 and code.isalpha()
    }


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    from importlib import resources

    # The tz database's own table of ISO 3166; Kosovo has a code of its users only.
    table = resources.files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text("utf-8")
    return frozenset(line[:2] for line in table.splitlines() if line and not line.startswith("#")) | {"XK"}


@lru_cache(maxsize=1024)
def known_country(written: str) -> str:
    """`country_code`, if that is a country of ISO 3166; `ValueRefused` otherwise."""
    code = country_code(written)
    if code not in _codes():
        raise ValueRefused("not a code (ISO 3166) or name of a country, such as US")
    return code
