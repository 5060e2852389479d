"""Where a customer may be: zones of the tz database by name, by country and by telephone number."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import resources
from zoneinfo import available_timezones

from ..domain.values import NO_HOME, ValueRefused, fixed_offset


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """The zones in which somebody can live: those of the tz database that are not only an offset."""
    return frozenset(
        name for name in available_timezones() if name.upper() not in NO_HOME and not fixed_offset(name)
    )


@lru_cache(maxsize=1)
def country_zones() -> Mapping[str, tuple[str, ...]]:
    """Zones by country, from the time zone database's own table."""
    zones: dict[str, list[str]] = {}
    table = resources.files("tzdata.zoneinfo").joinpath("zone1970.tab").read_text("utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            countries, _, zone = line.split("\t")[:3]
            for country in countries.split(","):
                zones.setdefault(country, []).append(zone)
    return {country: tuple(names) for country, names in zones.items()}


@lru_cache(maxsize=1)
def _by_any_case() -> Mapping[str, str]:
    """Zones by their names in lower case; Windows' names (CLDR) stand for a zone, too."""
    from babel.core import get_global

    found = {str(name).lower(): str(zone) for name, zone in get_global("windows_zone_mapping").items()}
    found = {name: zone for name, zone in found.items() if zone in known_zones()}
    return found | {name.lower(): name for name in known_zones()}


@lru_cache(maxsize=4096)
def time_zone(written: str) -> str:
    """The zone of the tz database that a text names, in its usual spelling; Windows' names are known.

    Raises `ValueRefused` for anything else. `EST`, `UTC` or `+05:00` is an offset, not where a customer
    lives: the country and the number decide then.
    """
    if written in known_zones():
        return written
    found = _by_any_case().get(written.lower()) or _by_any_case().get(written.lower().replace(" ", "_"))
    if found:
        return found
    if fixed_offset(written):
        raise ValueRefused("a fixed offset, not a time zone in which somebody lives")
    raise ValueRefused("not a zone of the tz database, such as America/Chicago")


def usable_zone(written: str | None) -> str | None:
    """`time_zone`, or None where a text names no zone."""
    try:
        return time_zone(written) if written else None
    except ValueRefused:
        return None


def likely_zones(
    zone: str | None, country: str | None, of_number: Callable[[], tuple[str, ...]]
) -> tuple[str, ...]:
    """Zones in which a customer may be: the profile's, else the country's, else the number's; empty: unknown.

    A number narrows a country with several zones down. It is asked for only where it is needed.
    """
    if found := usable_zone(zone):
        return (found,)
    of_country = country_zones().get((country or "").upper(), ())
    if len(of_country) == 1:
        return of_country
    numbered = of_number()
    # A number of the same country narrows a wide country down.
    return tuple(name for name in of_country if name in numbered) or of_country or numbered
