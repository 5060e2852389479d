"""The customers of a story: the same people in all its runs, so that what they did once counts later."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.nature import Chance

_NAMES = (
    ("Søren", "Dubois"), ("Zoë", "Çelik"), ("Renée", "Müller"), ("Björn", "Ó Súilleabháin"),
    ("Ana", "Van der Berg"), ("José", "Núñez"), ("Ícaro", "Yılmaz"), ("Niamh", "Kowalski"),
    ("Kofi", "Nguyễn"), ("Marta", "Weiß"), ("Li", "Na"), ("Ada", "O'Brien"),
)  # fmt: skip

_PLACES = (
    ("America/New_York", "US", "202", "USD"),
    ("America/Chicago", "US", "312", "USD"),
    ("America/Denver", "US", "303", "USD"),
    ("America/Los_Angeles", "US", "213", "USD"),
    ("Europe/Berlin", "DE", "202", "EUR"),
    ("Asia/Tokyo", "JP", "202", "JPY"),
)
"""Zone, country, area code of the mobile (555-0100 to 555-0199 are reserved in each), currency."""

_AREAS = tuple(dict.fromkeys(area for _, _, area, _ in _PLACES))


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer of a domain. What is empty, they have not, or records do not name it."""

    key: str
    first_name: str
    last_name: str
    language: str
    time_zone: str
    country: str
    currency: str
    email: str
    mobile: str

    def fields(self) -> dict[str, str]:
        """What every record of the customer says of them."""
        told = {
            "customer_key": self.key,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "email": self.email,
            "mobile": self.mobile,
            "language": self.language,
            "time_zone": self.time_zone,
            "country": self.country,
        }
        return {name: value for name, value in told.items() if value}


class Cast:
    """Customers by domain and number; each is the same whenever asked for."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance

    def customer(self, domain: str, number: int) -> Customer:
        """The customer of that number, from 0; the first 400 of all domains have mobiles of their own."""
        chance, who = self._chance, f"customer {domain} {number}"
        key = f"{domain[:1].upper()}{number:05d}"
        zone, country, area, currency = _PLACES[self._place(who)]
        first, last = chance.one_of(f"{who} name", _NAMES)
        has = chance.one_of(f"{who} has", ("both",) * 14 + ("email",) * 3 + ("mobile",) * 2 + ("neither",))
        home = _AREAS.index(area) if number < 100 else number // 100 % len(_AREAS)
        return Customer(
            key=key,
            first_name=first,
            last_name=last,
            language=chance.one_of(f"{who} language", ("en", "en", "en", "es", "fr", "de", "pt")),
            time_zone="" if chance.likely(f"{who} no zone", 0.1) else zone,
            country="" if chance.likely(f"{who} no country", 0.2) else country,
            currency=currency,
            email=f"{key.lower()}@example.com" if has in ("both", "email") else "",
            mobile=f"+1{_AREAS[home]}55501{number % 100:02d}" if has in ("both", "mobile") else "",
        )

    def _place(self, who: str) -> int:
        """Most are at home; a few live where it is night when others work."""
        return self._chance.one_of(f"{who} place", (0, 0, 0, 0, 1, 1, 2, 3, 3, 4, 4, 5))
