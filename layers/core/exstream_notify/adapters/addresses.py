"""E-mail addresses and phone numbers: syntax, canonical form, and where a customer may be."""

import re

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberType, number_type, timezone

from ..domain.contacts import Address, Contact
from ..domain.documents import Channel
from ..domain.values import ValueRefused, plain_address
from .zones import known_zones, likely_zones

_NO_SMS = {
    PhoneNumberType.FIXED_LINE: "a fixed line",
    PhoneNumberType.TOLL_FREE: "a toll-free number",
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.UAN: "a company number",
    PhoneNumberType.VOICEMAIL: "a voice mailbox",
}
"""Number types that take no SMS, by libphonenumber's metadata."""

_MORE_THAN_A_NUMBER = re.compile(r"\d.*(?:[^\W\d_]|[#,;/*&~])")
"""Letters or signs behind the first digit: an extension (`x12`, `ext. 5`, `;ext=5`) or another number."""


class Addresses:
    """`AddressChecker`. `region` (ISO 3166) reads numbers written without a country code."""

    def __init__(self, region: str = "US") -> None:
        self._region = region

    def check(self, channel: Channel, raw: str, country: str | None) -> Address:
        """See `AddressChecker.check`. Whether a mailbox exists is not asked: a receipt will tell."""
        try:
            plain = plain_address(raw)
        except ValueRefused as refused:
            return Address(raw, raw, "invalid", str(refused))
        return _email(raw, plain) if channel == "email" else self._mobile(raw, plain, country)

    def zones(self, contact: Contact) -> tuple[str, ...]:
        """See `AddressChecker.zones`."""
        number = contact.mobile
        return likely_zones(contact.time_zone, contact.country, lambda: number.zones if number else ())

    def zones_of_number(self, raw: str, country: str | None) -> tuple[str, ...]:
        """The zones in which a telephone number may be; none if it cannot be used."""
        return self.check("sms", raw, country).zones

    def _mobile(self, raw: str, plain: str, country: str | None) -> Address:
        if _MORE_THAN_A_NUMBER.search(plain):
            return Address(raw, raw, "invalid", "an extension, or more than one number")
        try:
            number = phonenumbers.parse(plain, (country or self._region).upper())
        except phonenumbers.NumberParseException as error:
            return Address(raw, raw, "invalid", str(error))
        if not phonenumbers.is_valid_number(number):
            return Address(raw, raw, "invalid", "no number of its region")
        if number.extension:
            return Address(raw, raw, "invalid", "an extension, or more than one number")
        canonical = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if why := _NO_SMS.get(number_type(number)):
            return Address(canonical, raw, "invalid", why)
        zones = tuple(zone for zone in timezone.time_zones_for_number(number) if zone in known_zones())
        return Address(canonical, raw, zones=zones)


def _email(raw: str, plain: str) -> Address:
    try:
        # No provider here takes a local part beyond ASCII (RFC 6531): known now, another channel is chosen.
        parts = validate_email(plain, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        return Address(raw, raw, "invalid", str(error))
    # A mailbox's name may by RFC 5321 differ by case; no mail provider of customers lets it.
    local = parts.local_part.lower()
    return Address(f"{local}@{(parts.ascii_domain or parts.domain).lower()}", raw)
