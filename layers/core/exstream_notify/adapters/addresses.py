"""E-mail addresses and phone numbers: syntax, canonical form, and where a customer may be."""

from functools import lru_cache
from importlib import resources
from zoneinfo import available_timezones

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberType, number_type, timezone

from ..domain.contacts import Address, Contact
from ..domain.documents import Channel

_NO_SMS = {
    PhoneNumberType.FIXED_LINE: "a fixed line",
    PhoneNumberType.TOLL_FREE: "a toll-free number",
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.UAN: "a company number",
    PhoneNumberType.VOICEMAIL: "a voice mailbox",
}
"""Number types that take no SMS, by libphonenumber's metadata."""


class Addresses:
    """`AddressChecker`. `region` (ISO 3166) reads numbers written without a country code."""

    def __init__(self, region: str = "US") -> None:
        self._region = region

    def check(self, channel: Channel, raw: str, country: str | None) -> Address:
        """See `AddressChecker.check`. Whether a mailbox exists is not asked: a receipt will tell."""
        return _email(raw) if channel == "email" else self._mobile(raw, country)

    def zones(self, contact: Contact) -> tuple[str, ...]:
        """See `AddressChecker.zones`."""
        if contact.time_zone and contact.time_zone in _known_zones():
            return (contact.time_zone,)
        of_number = contact.mobile.zones if contact.mobile else ()
        if contact.country:
            of_country = _country_zones().get(contact.country.upper(), ())
            # A number of the same country narrows a wide country down.
            both = tuple(zone for zone in of_country if zone in of_number)
            if both or of_country:
                return both or of_country
        return of_number

    def _mobile(self, raw: str, country: str | None) -> Address:
        try:
            number = phonenumbers.parse(raw, (country or self._region).upper())
        except phonenumbers.NumberParseException as error:
            return Address(raw, raw, "invalid", str(error))
        if not phonenumbers.is_valid_number(number):
            return Address(raw, raw, "invalid", "no number of its region")
        canonical = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if why := _NO_SMS.get(number_type(number)):
            return Address(canonical, raw, "invalid", why)
        zones = tuple(zone for zone in timezone.time_zones_for_number(number) if zone in _known_zones())
        return Address(canonical, raw, zones=zones)


def _email(raw: str) -> Address:
    try:
        # No provider here takes a local part beyond ASCII (RFC 6531): known now, another channel is chosen.
        parts = validate_email(raw.strip(), check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        return Address(raw, raw, "invalid", str(error))
    # A mailbox's name may by RFC 5321 differ by case; no mail provider of customers lets it.
    local = parts.local_part.lower()
    return Address(f"{local}@{(parts.ascii_domain or parts.domain).lower()}", raw)


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=1)
def _country_zones() -> dict[str, tuple[str, ...]]:
    """Zones by country, from the time zone database's own table."""
    zones: dict[str, list[str]] = {}
    table = resources.files("tzdata.zoneinfo").joinpath("zone1970.tab").read_text("utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            countries, _, zone = line.split("\t")[:3]
            for country in countries.split(","):
                zones.setdefault(country, []).append(zone)
    return {country: tuple(names) for country, names in zones.items()}
