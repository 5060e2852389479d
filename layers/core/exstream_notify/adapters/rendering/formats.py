"""Dates, money and numbers as a customer writes them: Babel's locale data, formatted once or cheaply.

Babel is imported when the first value is formatted, and asked for what repeats (dates, periods, the
shape of a currency in a locale) only once. Anything it does not know is told by None, never guessed.
"""

import re
from collections.abc import Callable
from copy import copy
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from ...domain import values
from ..countries import country_code

if TYPE_CHECKING:
    from babel import Locale

DateStyle = Literal["long", "medium"]

_ISO_639_2 = {"eng": "en", "spa": "es", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de"}
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z]{4})?(?:[-_]([A-Za-z]{2}))?(?:[-_.@].*)?")
_PLAIN_AMOUNT = re.compile(r"[+-]?\d{1,15}(\.\d{1,6})?", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_QUARTER = re.compile(r"([1-9]\d{3})-?Q([1-4])", re.ASCII)
_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})\s*(?:/|-|–|to|\.\.)\s*(\d{4}-\d{2}-\d{2})", re.ASCII)


def split_tag(tag: str | None) -> tuple[str, str]:
    """Language and region of a tag such as `en`, `es-MX`, `de_AT`, `spa`; empty where it names none."""
    match = _TAG.fullmatch((tag or "").strip())
    if match is None:
        return "", ""
    language = match[1].lower()
    return _ISO_639_2.get(language, language), (match[2] or "").upper()


@lru_cache(maxsize=1024)
def locale_for(language: str, country: str | None, tag: str | None, default_territory: str) -> str:
    """The locale for a language where the customer lives.

    The territory is the record's country, else the region of its language tag if that is the same
    language, else the language's default; the first that there is locale data for.
    """
    from babel.localedata import exists

    tag_language, region = split_tag(tag)
    wanted = (
        country_code(country or ""),
        region if tag_language == language else "",
        default_territory,
    )
    for territory in wanted:
        if re.fullmatch(r"[A-Z]{2}", territory) and exists(f"{language}_{territory}"):
            return f"{language}_{territory}"
    return language if exists(language) else "en_US"


def text_direction(language: str) -> str:
    """`ltr` or `rtl`."""
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(language).text_direction)
    except (UnknownLocaleError, ValueError):
        return "ltr"


@lru_cache(maxsize=4096)
def format_day(iso: str, locale: str, style: DateStyle) -> str | None:
    """An ISO 8601 date, or the date of a time stamp; None if it is neither."""
    day = _day(iso)
    if day is None:
        return None
    from babel.dates import format_date

    return format_date(day, style, locale=_locale(locale))


@lru_cache(maxsize=1024)
def format_period(text: str, locale: str) -> str | None:
    """A month, a quarter or a range of dates in ISO 8601; None for any other way to name a period."""
    from babel.dates import format_interval, format_skeleton

    text = text.strip()
    if match := _MONTH.fullmatch(text):
        day = _day(f"{match[1]}-{match[2]}-01")
        return format_skeleton("yMMMM", day, locale=_locale(locale)) if day else None
    if match := _QUARTER.fullmatch(text):
        return format_skeleton("yQQQQ", date(int(match[1]), int(match[2]) * 3, 1), locale=_locale(locale))
    if match := _RANGE.fullmatch(text):
        start, end = _day(match[1]), _day(match[2])
        if start and end and start <= end:
            return str(format_interval(start, end, "yMMMd", locale=_locale(locale)))
    return None


def parse_amount(text: str | None) -> Decimal | None:
    """A plain decimal; None for anything else."""
    if not text or _PLAIN_AMOUNT.fullmatch(text.strip()) is None:
        return None
    try:
        return Decimal(text.strip())
    except InvalidOperation:  # pragma: no cover - the pattern admits only decimals
        return None


@lru_cache(maxsize=256)
def currency_code(currency: str | None) -> str:
    """The ISO 4217 code, if that is what it is; else empty."""
    try:
        return values.currency_code((currency or "").strip())
    except values.ValueRefused:
        return ""


def format_money(amount: Decimal, currency: str, locale: str, *, code_only: bool = False) -> str:
    """An amount with its currency's sign; never rounded.

    It has the decimals of ISO 4217 (without a currency two), or more where the amount says more: CLDR's
    digits are for cash, which leaves them out for several currencies. `code_only` writes the ISO code
    (`EUR 12.50`), for alphabets that lack the sign.
    """
    digits = values.decimals_of(currency)
    written = -int(amount.as_tuple().exponent)
    if written > digits:
        digits = max(digits, -int(amount.normalize().as_tuple().exponent))
    return _money_format(currency, locale, code_only, digits)(amount)


def format_count(number: int, locale: str) -> str:
    """A whole number."""
    from babel.numbers import format_decimal

    return str(format_decimal(number, locale=_locale(locale)))


@lru_cache(maxsize=512)
def _money_format(currency: str, locale: str, code_only: bool, digits: int) -> Callable[[Decimal], str]:
    """A formatter that says what Babel says, at a tenth of its cost.

    Babel walks its pattern anew for each number (some 50 µs). Where it groups by threes in European
    digits, as one probe shows, Python's own formatting gives the number and the probe the rest.
    """
    from babel.numbers import format_currency, format_decimal

    place = _locale(locale)
    shape = copy(place.currency_formats["standard"])
    shape.frac_prec = (digits, digits)
    pattern = "#,##0" + ("." + "0" * digits if digits else "")

    def by_babel(amount: Decimal) -> str:
        if currency and code_only:
            return f"{currency} {format_decimal(amount, pattern, locale=place)}"
        if currency:
            return _apart(format_currency(amount, currency, shape, locale=place, currency_digits=False))
        return str(format_decimal(amount, pattern, locale=place))

    unit = Decimal(1).scaleb(-digits)
    probe = Decimal("1234567.891").quantize(unit)
    symbols = place.number_symbols.get("latn", {})
    if currency and not code_only:
        decimal_mark = symbols.get("currencyDecimal", symbols.get("decimal", "."))
        group_mark = symbols.get("currencyGroup", symbols.get("group", ","))
    else:
        decimal_mark, group_mark = symbols.get("decimal", "."), symbols.get("group", ",")
    marks = str.maketrans({",": group_mark, ".": decimal_mark})

    def number(amount: Decimal) -> str:
        return f"{amount.quantize(unit, ROUND_HALF_EVEN):,f}".translate(marks)

    before, found, after = by_babel(probe).partition(number(probe))
    if not found or by_babel(Decimal("1234")) != before + number(Decimal("1234")) + after:
        return by_babel
    return lambda amount: before + number(amount) + after


def _apart(money: str) -> str:
    """With a space between a currency's letters and the digits (CLDR currencySpacing), as Babel omits it."""
    return _LETTER_BESIDE_DIGIT.sub("\u00a0", money)


@lru_cache(maxsize=64)
def _locale(name: str) -> "Locale":
    from babel import Locale

    return Locale.parse(name)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
