"""Dates, money and periods as customers write them."""

import re
import unicodedata
from decimal import Decimal

import pytest
from babel import Locale
from babel.numbers import format_currency, format_decimal
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.rendering.formats import (
    DateStyle,
    currency_code,
    format_day,
    format_money,
    format_period,
    locale_for,
    parse_amount,
    split_tag,
    text_direction,
)
from exstream_notify.domain.values import decimals_of

LOCALES = (
    "en_US en_GB en_IN en_ZA en_CA es_ES es_MX es_US fr_FR fr_CA fr_CH de_DE de_AT de_CH it_IT pl_PL ar_EG"
)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en", ("en", "")),
        ("EN", ("en", "")),
        ("es-MX", ("es", "MX")),
        ("de_at", ("de", "AT")),
        ("fr_CA.UTF-8", ("fr", "CA")),
        ("spa", ("es", "")),
        ("ger", ("de", "")),
        ("zh-Hant-TW", ("zh", "TW")),
        (" en-GB ", ("en", "GB")),
        ("Spanish", ("", "")),
        ("", ("", "")),
        (None, ("", "")),
        ("<script>", ("", "")),
    ],
)
def test_language_tags(tag: str | None, expected: tuple[str, str]) -> None:
    assert split_tag(tag) == expected


@pytest.mark.parametrize(
    ("language", "country", "tag", "default", "expected"),
    [
        ("en", None, None, "US", "en_US"),
        ("en", "GB", "en-AU", "US", "en_GB"),
        ("en", "uk", None, "US", "en_GB"),
        ("en", None, "en-AU", "US", "en_AU"),
        ("es", "MX", "es", "ES", "es_MX"),
        ("fr", "CH", "fr-FR", "FR", "fr_CH"),
        ("de", "FR", None, "DE", "de_DE"),  # there is no German of France
        ("de", "FR", "de-AT", "DE", "de_AT"),
        ("en", None, "pt-BR", "US", "en_US"),  # the region of another language says nothing
        ("en", "Germany", None, "US", "en_DE"),
        ("en", "Ruritania", None, "US", "en_US"),
        ("en", "../..", None, "US", "en_US"),
        ("it", None, None, "", "it"),
        ("xx", None, None, "XX", "en_US"),
    ],
)
def test_the_locale(language: str, country: str | None, tag: str | None, default: str, expected: str) -> None:
    assert locale_for(language, country, tag, default) == expected


@pytest.mark.parametrize(
    ("iso", "locale", "style", "expected"),
    [
        ("2026-12-26", "en_US", "long", "December 26, 2026"),
        ("2026-12-26", "en_GB", "long", "26 December 2026"),
        ("2026-12-26", "es_ES", "long", "26 de diciembre de 2026"),
        ("2026-12-26", "fr_FR", "long", "26 décembre 2026"),
        ("2026-12-26", "de_DE", "medium", "26.12.2026"),
        ("2026-12-26T23:59:59Z", "en_US", "medium", "Dec 26, 2026"),
        ("2026-02-30", "en_US", "long", None),
        ("soon", "en_US", "long", None),
        ("12/26/2026", "en_US", "long", None),
    ],
)
def test_days(iso: str, locale: str, style: DateStyle, expected: str | None) -> None:
    assert format_day(iso, locale, style) == expected


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("2026-11", "en_US", "November 2026"),
        ("2026-11", "es_ES", "noviembre de 2026"),
        ("2026-Q4", "en_US", "4th quarter 2026"),
        ("2026Q1", "de_DE", "1. Quartal 2026"),
        ("2026-10-01/2026-10-31", "en_GB", "1–31 Oct 2026"),
        ("2026-10-15 - 2026-11-14", "de_DE", "15. Okt. – 14. Nov. 2026"),
        ("2026-11-14/2026-10-15", "en_US", None),
        ("2026-13", "en_US", None),
        ("0000-01", "en_US", None),
        ("October bill run", "en_US", None),
    ],
)
def test_periods(text: str, locale: str, expected: str | None) -> None:
    told = format_period(text, locale)
    assert (told and told.replace("\u2009", " ")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1204.50", Decimal("1204.50")),
        (" 12 ", Decimal(12)),
        ("-3.10", Decimal("-3.10")),
        ("1,204.50", None),
        ("1e5", None),
        ("NaN", None),
        ("١٢", None),
        ("", None),
        (None, None),
        ("9" * 16, None),
    ],
)
def test_amounts(text: str | None, expected: Decimal | None) -> None:
    assert parse_amount(text) == expected


@pytest.mark.parametrize(
    ("raw", "code"),
    [("usd", "USD"), ("€", "EUR"), ("$", ""), ("XYZ", ""), ("EURO", "EUR"), ("", ""), (None, "")],
)
def test_currencies(raw: str | None, code: str) -> None:
    assert currency_code(raw) == code


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "expected"),
    [
        ("2375.99", "USD", "en_US", "$2,375.99"),
        ("2375.99", "USD", "en_GB", "US$2,375.99"),
        ("2375.99", "EUR", "de_DE", "2.375,99\u00a0€"),
        ("2375.99", "EUR", "fr_FR", "2\u202f375,99\u00a0€"),
        ("1234567.5", "INR", "en_IN", "₹12,34,567.50"),
        ("2375.5", "JPY", "en_US", "¥2,375.5"),
        ("2375.5", "KWD", "en_US", "KWD\u00a02,375.500"),
        ("2375.5", "", "es_ES", "2.375,50"),
    ],
)
def test_money(amount: str, currency: str, locale: str, expected: str) -> None:
    assert format_money(Decimal(amount), currency, locale) == expected


@given(
    st.decimals(0, 10**13, places=3),
    st.sampled_from(LOCALES.split()),
    st.sampled_from(["USD", "EUR", "GBP", "CHF", "JPY", "KWD", "PLN", "MXN", "INR"]),
)
def test_money_is_told_as_babel_tells_it(amount: Decimal, locale: str, currency: str) -> None:
    place = Locale.parse(locale)
    amount = amount.quantize(Decimal(1).scaleb(-decimals_of(currency)))
    told = format_money(amount, currency, locale)
    assert told.replace("\u00a0", "") == format_currency(amount, currency, locale=place).replace("\u00a0", "")
    assert not re.search(r"[A-Z]\d|\d[A-Z]", told)
    cents = amount.quantize(Decimal("0.01"))
    assert format_money(cents, "", locale) == format_decimal(cents, "#,##0.00", locale=place)


@pytest.mark.parametrize("locale", LOCALES.split())
@pytest.mark.parametrize(
    ("amount", "currency", "digits"),
    [
        ("4321.60", "RSD", "4321.60"), ("0.30", "RSD", "0.30"), ("12.5", "ALL", "12.50"),
        ("1234.567", "IQD", "1234.567"), ("99.01", "LBP", "99.01"), ("7.35", "MGA", "7.35"),
        ("8765.43", "COP", "8765.43"), ("8765.43", "HUF", "8765.43"), ("1500", "JPY", "1500"),
        ("1500.00", "JPY", "1500"), ("1500.25", "JPY", "1500.25"), ("12.345", "USD", "12.345"),
        ("12.3400", "USD", "12.34"), ("0.05", "CHF", "0.05"), ("12.5", "", "12.50"), ("12.345", "", "12.345"),
    ],
)  # fmt: skip
def test_money_has_the_records_decimals_or_iso_4217s(
    amount: str, currency: str, digits: str, locale: str
) -> None:
    for code_only in (False, True):
        told = format_money(Decimal(amount), currency, locale, code_only=code_only)
        figures = "".join(
            str(unicodedata.decimal(c)) for c in told if unicodedata.decimal(c, None) is not None
        )
        assert figures == digits.replace(".", "")


def test_the_code_alone_is_plain_enough_for_any_alphabet() -> None:
    assert format_money(Decimal("1234.5"), "INR", "en_US", code_only=True) == "INR 1,234.50"
    assert format_money(Decimal("1234.5"), "", "en_US", code_only=True) == "1,234.50"
    assert format_money(Decimal("123456.5"), "", "en_IN", code_only=True) == "123,456.50"


def test_text_direction() -> None:
    assert [text_direction(x) for x in ("en", "ar", "xx")] == ["ltr", "rtl", "ltr"]
