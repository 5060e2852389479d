"""Countries as sites write them: `US`, `usa`, `840`, `U.S.A.` and `Vereinigte Staaten` are one code."""

from collections.abc import Mapping
from functools import lru_cache

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
