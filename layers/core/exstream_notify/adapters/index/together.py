"""Values of a record that need more than one field, or the site's manner: amounts, days, keys."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import TypeAlias

from ...domain.values import (
    Manner,
    ValueRefused,
    amount_and_currency,
    birth_date,
    calendar_date,
    currency_code,
    day_in,
    far_off,
    instant,
    is_plain,
    names_instant,
    plain_address,
    plain_key,
    refuse_far_instant,
    refuse_rounded,
)
from ..countries import known_country
from ..zones import likely_zones, usable_zone
from .faults import Fault
from .record import DATE_FIELDS, KEYS, Memo, Normalised

ADDRESSES = ("email", "mobile")
_DATED = (*DATE_FIELDS, "verify_birth_date")

_NUMBER_STARTS = "0123456789+-#"

Fields: TypeAlias = Mapping[str | None, str]
Today: TypeAlias = Callable[[], date]
NumberZones: TypeAlias = Callable[[str, str | None], tuple[str, ...]]


class Together:
    """Reads what one field alone does not say, for one site.

    `manner` is how the site writes values, `today` the day from which dates of records without
    `produced_at` may not be far, which the attribute says as ISO 8601; `number_zones` finds the zones of a
    telephone number in a country.
    """

    def __init__(self, manner: Manner, today: Today, number_zones: NumberZones | None) -> None:
        self._manner = manner
        order = manner.dates
        self._days = Memo(lambda value: calendar_date(value, order))
        self._others = {
            "produced_at": Memo(lambda value: instant(value, order)),
            "verify_birth_date": Memo(lambda value: birth_date(value, order)),
        }
        self.today = today().isoformat()
        self._number_zones = number_zones

    def read(self, record: Fields, faults: list[Fault]) -> Fields:
        """The record with what needs more than one field, or the site's manner, in its kept form.

        Nearly every record is there already, which a few looks show. What is at fault stays, and is added to
        `faults`.
        """
        changed: dict[str | None, str] = {}
        for field in KEYS:
            key = record.get(field)
            if key is not None and not key.isalnum() and (key[0] in _NUMBER_STARTS or not key.isascii()):
                self._read_key(field, key, changed, faults)
        for field in ADDRESSES:
            if (address := record.get(field)) is not None and not address.isascii():
                changed[field] = plain_address(address)
        amount = record.get("amount_due")
        if amount is not None and (self._manner.implied_decimals or not is_plain(amount)):
            self._read_amount(amount, record, changed, faults)
        iso = self._manner.dates == "iso"
        for field in DATE_FIELDS:
            day = record.get(field)
            if day is not None and not (iso and len(day) == 10):
                self._read_day(field, day, record, changed, faults)
        if not iso:
            for field, memo in self._others.items():
                if (day := record.get(field)) is not None:
                    try:
                        changed[field] = memo[day]
                    except ValueRefused as refused:
                        faults.append(Fault(field, str(refused)))
        return {**record, **changed} if changed else record

    def _read_key(self, field: str, key: str, changed: dict[str | None, str], faults: list[Fault]) -> None:
        try:
            refuse_rounded(key)
            if not key.isascii():
                changed[field] = plain_key(key)
        except ValueRefused as refused:
            faults.append(Fault(field, str(refused)))

    def _read_amount(
        self, amount: str, record: Fields, changed: dict[str | None, str], faults: list[Fault]
    ) -> None:
        currency = None
        if written := record.get("currency"):
            try:
                currency = currency_code(written)
            except ValueRefused:
                currency = None  # reported by its own field
        try:
            changed["amount_due"], named = amount_and_currency(amount, currency, self._manner)
        except ValueRefused as refused:
            faults.append(Fault("amount_due", str(refused)))
        else:
            if named and named != currency:
                changed["currency"] = named

    def _read_day(
        self,
        field: str,
        day: str,
        record: Fields,
        changed: dict[str | None, str],
        faults: list[Fault],
    ) -> None:
        manner = self._manner
        try:
            if names_instant(day):
                zones = self._zones_of(record)
                changed[field] = day_in(day, zones, manner.zone, manner.dates, manner.utc_midnight)
            else:
                changed[field] = self._days[day]
        except ValueRefused as refused:
            faults.append(Fault(field, str(refused)))

    def _zones_of(self, record: Fields) -> tuple[str, ...]:
        """Where the record's customer may be, found as it is for quiet hours."""
        try:
            country = known_country(record["country"]) if record.get("country") else None
        except ValueRefused:
            country = None
        mobile = record.get("mobile")

        def of_number() -> tuple[str, ...]:
            return self._number_zones(mobile, country) if mobile and self._number_zones else ()

        return likely_zones(usable_zone(record.get("time_zone")), country, of_number)

    def far_dates(self, found: Normalised) -> list[Fault]:
        """The dates that lie years away from the day on which the document was produced."""
        faults: list[Fault] = []
        base = found.get("produced_at")
        if base is not None:
            try:
                if base[:4] != self.today[:4]:
                    refuse_far_instant(base, self.today)
            except ValueRefused as refused:
                faults.append(Fault("produced_at", str(refused)))
                base = None
        for field in _DATED:
            day = found.get(field)
            if day is not None and (base is None or day[:4] != base[:4]):
                birth = field == "verify_birth_date"
                if far_off(day, (base or self.today)[:10], birth=birth):
                    faults.append(Fault(field, "years away from the production date"))
        return faults
