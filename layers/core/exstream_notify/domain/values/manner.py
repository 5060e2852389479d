"""How one site writes values where a value alone does not say it."""

from dataclasses import dataclass
from typing import Literal

from .dates import DateOrder


@dataclass(frozen=True, slots=True)
class Manner:
    """A domain's settings (rules/domains.yaml) for values that can be read in two ways.

    `dates`: the order of day and month apart from ISO 8601. `implied_decimals`: how many of the last digits
    of an amount without any mark are decimals; None, none are. `decimal_mark`: the mark before the decimals;
    None, only an amount shows it. `utc_midnight`: what a date field with exactly midnight UTC says, a `date`
    or an `instant`; None, the record's date is used only where both are the same day. `zone`: the site's own
    zone, for customers whose zone is not known.
    """

    dates: DateOrder = "iso"
    implied_decimals: int | None = None
    decimal_mark: Literal[".", ","] | None = None
    utc_midnight: Literal["date", "instant"] | None = None
    zone: str = "America/New_York"
