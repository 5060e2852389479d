"""Working days by country (`SA`), by region (`DE-BY`) and by the site's own list."""

from collections.abc import Collection
from datetime import date
from functools import lru_cache

from ..domain.due_days import Holidays


@lru_cache(maxsize=1024)
def known_place(written: str) -> str:
    """The place whose calendar is known: a region, else its country; empty where neither is.

    Source: the `holidays` library, by ISO 3166-1 and ISO 3166-2 codes.
    """
    # Imported when a rule first asks: most functions never do.
    from holidays import country_holidays

    place = written.strip().upper()
    country, _, region = place.partition("-")
    try:
        known = country_holidays(country)
    except NotImplementedError:
        return ""
    return place if region in known.subdivisions else country


def is_day_off(place: str, day: date, added: Collection[date] = (), removed: Collection[date] = ()) -> bool:
    """Whether nobody works on a day in a country or region: its weekend, a public holiday, or the site's own.

    A place that nobody knows has a weekend on Saturday and Sunday, and no holidays.
    """
    if day in added:
        return True
    if day in removed:
        return False
    known = known_place(place) if place else ""
    if not known:
        return day.weekday() > 4
    from .expectation_rules import is_day_off as by_country

    country, _, region = known.partition("-")
    return by_country(Holidays(country, region), day)
