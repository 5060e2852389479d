"""What amounts, dates, keys, names and zones mean: row by row."""

import pytest

from exstream_notify.adapters.zones import time_zone
from exstream_notify.domain.values import (
    Manner,
    ValueRefused,
    amount_and_currency,
    birth_date,
    calendar_date,
    clean_path,
    clean_text,
    currency_code,
    day_in,
    far_off,
    instant,
    is_unset,
    known_names,
    plain_address,
    plain_amount,
    plain_key,
    refuse_rounded,
)


@pytest.mark.parametrize(
    ("written", "currency", "kept"),
    [
        ("7.125", "KWD", "7.125"),
        ("7,125", "TND", "7.125"),
        ("0.125", "USD", "0.125"),
        ("0,125", None, "0.125"),
        ("4321.125", "USD", "4321.125"),
        ("4321,125", "USD", "4321.125"),
        ("7.1255", None, "7.1255"),
        ("$4,321.50", "USD", "4321.50"),
        ("-$4.50", "CAD", "-4.50"),
        ("4.321,50 €", "EUR", "4321.50"),
        ("Rs. 3,20,000.00", "INR", "320000.00"),
        ("98.50-", "USD", "-98.50"),
        ("98.50CR", "USD", "-98.50"),
        ("98.50 DR", "USD", "98.50"),
        ("(98.50)", "USD", "-98.50"),
        ("98.50 CR USD", "USD", "-98.50"),
        ("\u221298.50", "USD", "-98.50"),
        ("٩٨٫٥٠", "EGP", "98.50"),
        ("٤٬٣٢١", "EGP", "4321"),
        ("CHF 4’321.50", "CHF", "4321.50"),
        ("0000000", "USD", "0"),
        ("-0.00", "USD", "0.00"),
    ],
)
def test_an_amount_with_its_currency_has_one_reading(written, currency, kept):
    assert plain_amount(written, currency) == kept


@pytest.mark.parametrize(
    ("written", "currency", "reason"),
    [
        ("7.125", "USD", "the point may mark"),
        ("7.125", None, "the point may mark"),
        ("7,125", "EUR", "the comma may mark"),
        ("$7.125", None, "the point may mark"),
        ("-712.500", "JPY", "the point may mark"),
        ("000000098050", "USD", "leading zeros"),
        ("098050", "USD", "leading zeros"),
        ("9.8E+03", "USD", "rounded by a spreadsheet"),
        ("98.50 EUR", "USD", "another currency"),
        ("€98.50", "USD", "another currency"),
        ("(98.50-)", "USD", "more than one sign"),
        ("98.-", "CHF", "not a plain"),
        ("about 98", "USD", "not a plain"),
    ],
)
def test_an_amount_in_doubt_is_refused_without_being_repeated(written, currency, reason):
    with pytest.raises(ValueRefused, match=reason) as refused:
        plain_amount(written, currency)
    assert written not in str(refused.value)


def test_the_site_says_what_an_amount_alone_does_not():
    assert plain_amount("000000098050", "USD", Manner(implied_decimals=2)) == "980.50"
    assert plain_amount("5-", "USD", Manner(implied_decimals=2)) == "-0.05"
    assert plain_amount("980.50", "USD", Manner(implied_decimals=2)) == "980.50"
    assert plain_amount("7.125", "EUR", Manner(decimal_mark=",")) == "7125"
    assert plain_amount("7.125", "EUR", Manner(decimal_mark=".")) == "7.125"
    with pytest.raises(ValueRefused, match="decimal_mark"):
        plain_amount("7,125.50", "EUR", Manner(decimal_mark=","))


def test_the_currency_beside_an_amount_counts_where_the_record_has_none():
    assert amount_and_currency("EUR 4.50") == ("4.50", "EUR")
    assert amount_and_currency("$4.50") == ("4.50", None)


@pytest.mark.parametrize(
    ("written", "code"), [("usd", "USD"), ("€", "EUR"), ("Kwd", "KWD"), ("GBP", "GBP"), ("₹", "INR")]
)
def test_currencies(written, code):
    assert currency_code(written) == code


@pytest.mark.parametrize("written", ["$", "kr", "GBp", "QQQ", "EURX", "12"])
def test_what_is_not_one_currency_is_refused(written):
    with pytest.raises(ValueRefused):
        currency_code(written)


@pytest.mark.parametrize(
    "written",
    [
        "0000-00-00", "00000000", "0001-01-01", "1753-01-01", "18991230", "1899-12-31", "1900-01-01",
        "1970-01-01", "1970-01-01T00:00:00", "2099-12-31", "2999-12-31", "9999-12-31", "99991231",
    ],
)  # fmt: skip
def test_a_placeholder_is_not_a_date(written):
    with pytest.raises(ValueRefused, match="placeholder"):
        calendar_date(written)
    with pytest.raises(ValueRefused, match="placeholder"):
        instant(written)


@pytest.mark.parametrize(
    ("written", "order"),
    [("12/31/9999", "mdy"), ("31.12.2099", "dmy"), ("00/00/0000", "mdy"), ("01/01/1900 00:00:00", "mdy")],
)
def test_a_placeholder_in_the_sites_order_is_not_a_date_either(written, order):
    with pytest.raises(ValueRefused, match="placeholder"):
        calendar_date(written, order)


def test_people_are_born_on_days_that_are_placeholders_elsewhere():
    assert birth_date("1970-01-01") == "1970-01-01"
    assert birth_date("1958-03-04T00:00:00+02:00") == "1958-03-04"
    with pytest.raises(ValueRefused, match="placeholder"):
        birth_date("1900-01-01")


@pytest.mark.parametrize(
    ("written", "zones", "day"),
    [
        ("2027-02-09T23:00:00Z", ["Europe/Berlin"], "2027-02-10"),
        ("2027-02-10T00:00:00+01:00", ["Europe/Berlin"], "2027-02-10"),
        ("2027-02-10T04:59:59Z", ["America/New_York"], "2027-02-09"),
        ("20270210T045959Z", ["America/New_York"], "2027-02-09"),
        ("2027-02-10 04:59:59 -0500", ["America/New_York"], "2027-02-10"),
        ("2027-02-10T17:00:00Z", ["America/New_York", "Pacific/Honolulu"], "2027-02-10"),
        ("2027-02-10T06:00:00Z", ["America/New_York", "Pacific/Honolulu"], "2027-02-10"),  # the site's
        ("2027-02-10T00:00:00Z", ["Europe/Berlin"], "2027-02-10"),
        ("2027-02-10T23:30:00Z", [], "2027-02-11"),
    ],
)
def test_a_moment_is_a_day_where_its_customer_lives(written, zones, day):
    assert day_in(written, zones, "Europe/Berlin") == day


@pytest.mark.parametrize(
    ("written", "zone", "as_date", "as_moment"),
    [
        ("2027-02-10T00:00:00Z", "America/New_York", "2027-02-10", "2027-02-09"),
        ("2027-02-10T00:00:00.000+00:00", "America/Chicago", "2027-02-10", "2027-02-09"),
        ("2027-02-10T23:59:59Z", "Asia/Tokyo", "2027-02-10", "2027-02-11"),
    ],
)
def test_midnight_utc_is_read_only_as_the_site_says(written, zone, as_date, as_moment):
    with pytest.raises(ValueRefused, match="utc_midnight"):
        day_in(written, [zone], zone)
    assert day_in(written, [zone], zone, utc_midnight="date") == as_date
    assert day_in(written, [zone], zone, utc_midnight="instant") == as_moment


def test_a_clock_without_an_offset_is_its_own_day_and_a_moment_is_not_cut():
    assert calendar_date("2027-02-10T23:59:59") == "2027-02-10"
    assert calendar_date("2027-02-10Z") == "2027-02-10"
    assert calendar_date("02/10/2027 12:00:00 AM", "mdy") == "2027-02-10"
    assert instant("02/10/2027 12:05 PM", "mdy") == "2027-02-10T12:05:00Z"
    with pytest.raises(ValueRefused, match="moment"):
        calendar_date("2027-02-10T23:59:59Z")


@pytest.mark.parametrize(
    ("day", "birth", "far"),
    [
        ("2031-11-20", False, False),
        ("2032-02-01", False, True),
        ("2017-01-01", False, False),
        ("2016-01-01", False, True),
        ("1931-05-05", True, False),
        ("2027-01-01", True, True),
    ],
)
def test_years_away_from_the_production_date(day, birth, far):
    assert far_off(day, "2026-11-23", birth=birth) is far


@pytest.mark.parametrize(
    "text",
    ["NULL", "null", "Null", "\\N", "N/A", "n/a", "#N/A", "None", "nil", "NaN", "(null)", "-", "--", "undefined",
     "<NULL>", "NULL NULL", ""],
)  # fmt: skip
def test_words_for_no_value(text):
    assert is_unset(text)


def test_codes_that_look_like_no_value_stay():
    assert not is_unset("NA", "country")
    assert not is_unset("na", "language")
    assert is_unset("N/A", "country")
    assert is_unset("NULL", "language")
    assert not is_unset("NO", "country")
    assert not is_unset("0")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (("NULL", "NULL"), ("", "")),
        (("null", "None"), ("", "")),
        (("Null", "Null"), ("", "")),
        (("N/A", "Okafor"), ("", "Okafor")),
        (("\\N", "Okafor"), ("", "Okafor")),
        (("Ines", "Null"), ("Ines", "Null")),
        (("INES", "NULL"), ("INES", "NULL")),
        (("Ines", "NULL"), ("Ines", "")),
        (("Ines", "NaN"), ("Ines", "")),
        (("Ines", "None"), ("Ines", "None")),
        (("Ines", "undefined"), ("Ines", "")),
        (("Nan", "Okafor"), ("Nan", "Okafor")),
        (("None", "Okafor"), ("", "Okafor")),
        (("NA", "OKAFOR"), ("", "OKAFOR")),
        (("NULL NULL", "null"), ("", "")),
        (("Ines NULL", "Okafor"), ("Ines", "Okafor")),
        (("", "Null"), ("", "")),
    ],
)
def test_nobody_is_called_null_unless_a_real_name_stands_beside_it(written, kept):
    assert known_names(*written) == kept


@pytest.mark.parametrize("key", ["1.00001E+11", "1,00001E+11", "1E+05", "2.5e12", "########"])
def test_a_key_that_a_spreadsheet_rounded_is_refused(key):
    with pytest.raises(ValueRefused, match="spreadsheet"):
        refuse_rounded(key)


@pytest.mark.parametrize("key", ["100001000000", "1E05", "9E12", "A-1E+05", "12.5", "K#1"])
def test_a_key_that_only_looks_like_it_passes(key):
    refuse_rounded(key)


def test_invisible_characters_go_and_joiners_stay_where_letters_need_them():
    assert clean_text("\u202aAna\u202c\u200b No\u00advak\ufeff") == "Ana Novak"
    assert clean_text("Ana\u00a0Novak") == "Ana Novak"
    assert clean_text("علی\u200cرضا") == "علی\u200cرضا"
    assert clean_text("क्\u200dष") == "क्\u200dष"
    assert clean_text("An\u200da") == "Ana"
    assert plain_key("K\u200d1\u2060") == "K1"
    assert plain_address("ａ\u200e１@example.com") == "a1@example.com"
    assert clean_path("output/a\u200bb.pdf") == "output/a\u200bb.pdf"
    with pytest.raises(ValueRefused):
        clean_path("output/\u202efdp.a")


@pytest.mark.parametrize(
    "written",
    ["EST", "MST", "HST", "EDT", "CST", "PST", "GMT", "UTC", "Z", "utc", "Etc/GMT+5", "Etc/UTC", "+05:00", "-0500",
     "GMT+1", "UTC+05:30", "SystemV/EST5", "posix/America/New_York", "EST5", "Zulu"],
)  # fmt: skip
def test_an_offset_is_not_where_somebody_lives(written):
    with pytest.raises(ValueRefused, match="fixed offset"):
        time_zone(written)


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("US/Eastern", "US/Eastern"),
        ("america/new_york", "America/New_York"),
        ("Eastern Standard Time", "America/New_York"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("CET", "CET"),
    ],
)
def test_zones_by_name(written, zone):
    assert time_zone(written) == zone


def test_a_zone_that_nobody_knows_is_refused():
    with pytest.raises(ValueRefused, match="tz database"):
        time_zone("Mars/Phobos")


@pytest.mark.parametrize(
    ("written", "kept"),
    [("(12.00)", "-12.00"), ("( 12.00 )", "-12.00"), ("-12.00", "-12.00"), ("12.00 CR", "-12.00")],
)
def test_a_credit_is_written_in_one_of_these_ways(written, kept):
    assert amount_and_currency(written, "USD") == (kept, "USD")


@pytest.mark.parametrize("written", ["(12.00", "12.00)", "(-12.00)", "(12.00) CR"])
def test_half_a_sign_of_a_credit_or_two_are_refused(written):
    with pytest.raises(ValueRefused):
        amount_and_currency(written, "USD")


@pytest.mark.parametrize("path", ["a\x07b.pdf", "a\u202eb.pdf"])
def test_a_path_has_no_control_characters(path):
    with pytest.raises(ValueRefused, match="control character"):
        clean_path(path)


@pytest.mark.parametrize(
    "written", ["USD 4.50 USD USD", "4.50 credits", "XYZ 4.50", "$ 4.50 points", "c 4.50"]
)
def test_what_stands_around_an_amount_is_a_currency(written):
    with pytest.raises(ValueRefused):
        amount_and_currency(written, "USD")
