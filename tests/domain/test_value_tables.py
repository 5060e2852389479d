"""The tables of values row by row, by hand: currencies, signs, languages, words for yes, no and nothing."""

import pytest

from exstream_notify.domain.values import (
    Manner,
    ValueRefused,
    amount_and_currency,
    birth_date,
    calendar_date,
    clean_text,
    currency_code,
    day_in,
    far_off,
    instant,
    is_unset,
    known_names,
    plain_amount,
)
from exstream_notify.domain.values.amounts import ISO_4217, SIGNS, decimals_of, is_plain, may_be_credit
from exstream_notify.domain.values.codes import MAX_TEAMS, language_tag, team_names, truth, type_key
from exstream_notify.domain.values.dates import names_instant, refuse_far_instant
from exstream_notify.domain.values.text import hints_rounded
from exstream_notify.domain.values.unset import UNSET
from exstream_notify.domain.values.zones import NO_HOME, fixed_offset

# --- amounts ----------------------------------------------------------------------------------------------------


def test_the_decimals_of_currencies_are_those_of_iso_4217() -> None:
    by_decimals = {n: {code for code, decimals in ISO_4217.items() if decimals == n} for n in (0, 3, 4)}
    assert by_decimals == {
        0: {
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        },
        3: {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"},
        4: {"CLF", "UYW"},
    }
    assert {decimals_of(code) for code in ("USD", "EUR", "GBP", "HUF", "CZK", "XYZ", "")} == {2}
    assert set(ISO_4217.values()) == {0, 2, 3, 4}


DOLLARS = (
    "USD CAD AUD NZD HKD SGD MXN ARS CLP COP TWD BRL UYU DOP JMD TTD BBD BSD BZD BMD KYD FJD GYD LRD NAD SRD XCD "
    "BND CUP SBD"
)
ONE = (
    "€ EUR, £ GBP, ₹ INR, US$ USD, U$S USD, C$ CAD, CA$ CAD, A$ AUD, AU$ AUD, NZ$ NZD, HK$ HKD, S$ SGD, R$ BRL, "
    "MX$ MXN, NT$ TWD, ₩ KRW, ₪ ILS, ₫ VND, ₱ PHP, ₴ UAH, ₺ TRY, ₽ RUB, ₦ NGN, ₵ GHS, ฿ THB, ₡ CRC, ₲ PYG, ₸ KZT, "
    "₼ AZN, ₾ GEL, zł PLN, Kč CZK, Ft HUF, lei RON, SFr. CHF, R ZAR, L HNL, TL TRY, euro EUR, Euros EUR"
)
SEVERAL = (
    f"$ {DOLLARS}, ¥ JPY CNY, ￥ JPY CNY, kr SEK NOK DKK ISK CZK, kr. SEK NOK DKK ISK CZK, Fr CHF XOF XAF, "
    "Fr. CHF XOF XAF, Rs INR PKR LKR NPR MUR, Rs. INR PKR LKR NPR MUR"
)


def test_every_sign_of_a_currency() -> None:
    rows = [row.split() for row in f"{ONE}, {SEVERAL}".split(", ")]
    assert {sign.upper(): tuple(codes) for sign, *codes in rows} == SIGNS
    for sign, code in (row.split() for row in ONE.split(", ")):
        assert currency_code(sign) == code
        assert amount_and_currency(f"4.50 {sign}") == ("4.50", code)
        assert amount_and_currency(f"{sign} 4.50", code) == ("4.50", code)
    for row in SEVERAL.split(", "):
        sign, *codes = row.split()
        with pytest.raises(ValueRefused, match="a sign of several currencies"):
            currency_code(sign)
        assert amount_and_currency(f"4.50 {sign}") == ("4.50", None)
        for code in codes:
            assert amount_and_currency(f"4.50 {sign}", code) == ("4.50", code)
        with pytest.raises(ValueRefused, match="another currency"):
            amount_and_currency(f"4.50 {sign}", "EUR")


@pytest.mark.parametrize("code", ["GBp", "GBx", "ZAc", "ILa", "USc", "USx", "EUc", "AUc", "CAc"])
def test_a_hundredth_of_a_currency_is_not_the_currency(code: str) -> None:
    with pytest.raises(ValueRefused, match="not a currency code"):
        currency_code(code)
    with pytest.raises(ValueRefused, match="not a plain amount"):
        amount_and_currency(f"450 {code}")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0", "0"), ("7", "7"), ("1204.5", "1204.50"), ("12,5", "12.50"), ("12,50", "12.50"), ("1.2345", "1.2345"),
        ("1,2345", "1.2345"), ("1,234.5", "1234.50"), ("1.234,5", "1234.50"), ("1.234,5678", "1234.5678"),
        ("1,234,567", "1234567"), ("1.234.567", "1234567"), ("1,234,567.89", "1234567.89"), ("1.234.567,89", "1234567.89"),
        ("12,34,567", "1234567"), ("12,34", "12.34"), ("1,23,456.7", "123456.70"), ("12,34,567.89", "1234567.89"), ("1 234", "1234"), ("1 234.50", "1234.50"),
        ("1 234,50", "1234.50"), ("1'234.50", "1234.50"), ("1\u202f234,50", "1234.50"), ("1\u2009234", "1234"),
        ("1\u2007234", "1234"), ("1\u00a0234", "1234"), ("1234,567", "1234.567"), ("1234.567", "1234.567"),
        (".5", "0.50"), ("0.500", "0.500"), ("000.5", "0.50"), ("+4.50", "4.50"), ("- 4.50", "-4.50"),
        ("-$4.50", "-4.50"), ("$-4.50", "-4.50"), ("4.50-", "-4.50"), ("4.50 -", "-4.50"), ("4.50cr", "-4.50"),
        ("4.50 DR", "4.50"), ("4.50DR", "4.50"), ("4.50 USD CR", "-4.50"), ("(USD 4.50)", "-4.50"), ("0.00-", "0.00"),
        ("123456789012345.12", "123456789012345.12"), ("00004.50", "4.50"), ("00", "0"),
    ],
)  # fmt: skip
def test_an_amount_in_every_form_of_one_reading(written: str, kept: str) -> None:
    assert plain_amount(written, "USD") == kept
    assert bool(is_plain(kept)) is (kept not in ("1234.567", "0.500"))


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("1.234", "the point may mark"), ("1,234", "the comma may mark"), ("10,000", "the comma may mark"),
        ("01", "leading zeros"), ("1234567890123456", "not a plain"), ("1.23456", "not a plain"),
        ("1 23", "not a plain"), ("1,2,3", "not a plain"), ("1.2.3", "not a plain"),
        ("1,234.56789", "not a plain"), ("", "not a plain"), ("-", "not a plain"), ("USD", "not a plain"),
        ("4.50 DRX", "not a plain"), ("--4", "not a plain"), ("(4.50) -", "not a plain"), ("-4.50 CR", "more than one sign"),
        ("4.50 EUR USD CAD", "not a plain"), ("1e5", "spreadsheet"), ("1,5E+10", "spreadsheet"), ("4.50 EUR", "another currency"),
    ],
)  # fmt: skip
def test_an_amount_that_is_refused_says_why(written: str, why: str) -> None:
    with pytest.raises(ValueRefused, match=why):
        plain_amount(written, "USD")


@pytest.mark.parametrize(
    ("written", "manner", "kept"),
    [
        ("1.234", Manner(decimal_mark="."), "1.234"),
        ("1,234", Manner(decimal_mark="."), "1234"),
        ("1,234", Manner(decimal_mark=","), "1.234"),
        ("1.234", Manner(decimal_mark=","), "1234"),
        ("1234,5", Manner(decimal_mark=","), "1234.50"),
        ("1.234,5", Manner(decimal_mark=","), "1234.50"),
        ("1.234.567", Manner(decimal_mark=","), "1234567"),
        ("12345", Manner(implied_decimals=2), "123.45"),
        ("5", Manner(implied_decimals=2), "0.05"),
        ("12", Manner(implied_decimals=3), "0.012"),
        ("007", Manner(implied_decimals=2), "0.07"),
        ("12345", Manner(implied_decimals=0), "12345"),
    ],
)
def test_a_site_says_how_it_writes(written: str, manner: Manner, kept: str) -> None:
    assert plain_amount(written, "USD", manner) == kept


@pytest.mark.parametrize(("written", "mark"), [("1,234.50", ","), ("1.234,50", "."), ("1 234,50", ".")])
def test_marks_against_the_setting_are_refused(written: str, mark: str) -> None:
    with pytest.raises(ValueRefused, match="decimal_mark"):
        plain_amount(written, "USD", Manner(decimal_mark=mark))  # type: ignore[arg-type]


def test_arabic_digits_and_marks() -> None:
    assert plain_amount("١٢٣٤") == "1234"
    assert plain_amount("١٬٢٣٤٬٥٦٧٫٨٩") == "1234567.89"
    assert plain_amount("١٬٢٣٤") == "1234"
    for refused in ("١٬٢٣", "١٬٢٣٤٥"):
        with pytest.raises(ValueRefused, match="not a plain amount"):
            plain_amount(refused)


@pytest.mark.parametrize(
    ("written", "credit"),
    [
        ("-1.000", True), ("(1.000)", True), ("1.000-", True), ("1.000 CR", True), ("CR 1.000", True), ("\u22121.000", True),
        ("EUR -1.000", True), ("- EUR 1.000", True), ("1.000", False), ("1.000 DR", False), ("12-2026", False),
        ("A-1", False), ("", False), ("credit", False),
    ],
)  # fmt: skip
def test_the_sign_of_a_credit_on_an_amount_that_is_undecided(written: str, credit: bool) -> None:
    assert may_be_credit(written) is credit


# --- words ------------------------------------------------------------------------------------------------------


def test_yes_and_no_as_sites_write_them() -> None:
    assert {
        word: truth(word)
        for word in ["y", "YES", "true", "T", "1", "on", "x", "n", "No", "FALSE", "f", "0", "off"]
    } == {
        **dict.fromkeys(["y", "YES", "true", "T", "1", "on", "x"], True),
        **dict.fromkeys(["n", "No", "FALSE", "f", "0", "off"], False),
    }
    for word in ("", "2", "maybe", "ja"):
        with pytest.raises(ValueRefused, match="neither yes nor no"):
            truth(word)


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        *((word, "en") for word in ("en", "EN", "eng", "English")),
        *((word, "es") for word in ("es", "spa", "esp", "Spanish", "Español", "espanol", "castellano")),
        *((word, "fr") for word in ("fr", "fra", "fre", "French", "Français", "francais")),
        *((word, "de") for word in ("de", "deu", "ger", "German", "DEUTSCH")),
        *((word, "it") for word in ("it", "ita", "Italian", "italiano")),
        *((word, "pt") for word in ("pt", "por", "Portuguese", "português")),
        *((word, "nl") for word in ("nl", "nld", "dut", "Dutch", "nederlands")),
        ("en_gb", "en-GB"), ("eng-us", "en-US"), ("zh-hant-tw", "zh-Hant-TW"), ("ZH_HANS", "zh-Hans"), ("es-419", "es-419"),
        ("pol", "pol"),
    ],
)  # fmt: skip
def test_languages(written: str, tag: str) -> None:
    assert language_tag(written) == tag


@pytest.mark.parametrize("written", ["e", "engl", "en-", "en-GBR", "en GB", "12", ""])
def test_what_is_no_language(written: str) -> None:
    with pytest.raises(ValueRefused, match="not a language tag"):
        language_tag(written)


def test_teams() -> None:
    assert team_names("Credit Risk; claims,Claims ;NULL;-") == ["credit-risk", "claims"]
    assert team_names('["Credit Risk", "it"]') == ["credit-risk", "it"]
    twenty = ";".join(f"t{n}" for n in range(MAX_TEAMS))
    assert len(team_names(twenty)) == 20
    assert team_names("x" * 64) == ["x" * 64]
    for written, why in (
        (f"{twenty};one more", "more than 20 teams"),
        ("x" * 65, "longer than 64 characters"),
        ("[1]", "not text"),
        ('["a"', "neither names"),
    ):
        with pytest.raises(ValueRefused, match=why):
            team_names(written)
    assert type_key(" Utility_Bill -x- ") == "utility-bill-x"


NOTHING = [
    "null",
    "NULL",
    "nil",
    "none",
    "None",
    "nan",
    "na",
    "NA",
    "n/a",
    "N/A",
    "n.a.",
    "n.a",
    "N.V.",
    "k.a.",
    "nul",
    "undefined",
    "#NULL!",
    "#value!",
    "#NAME?",
    "#div/0!",
    "#n/a",
    "#REF!",
    "#num!",
    "(null)",
    "<null>",
    "[null]",
    "{null}",
    "'null'",
    '"null"',
    "\\null",
    "#null",
    "(N/A)",
    "\\N",
    "\\n",
    "\\",
    "?",
    ".",
    "..",
    "...",
    "…",
    "−",
    "-",
    "--",
    "------------",
    "_",
    "__",
    "–",
    "—",
    "NULL;NULL",
]


@pytest.mark.parametrize(
    "text",
    [*NOTHING[:-1], "NULL NULL", "null, null", "null,null", "not available", "Not Available", "no value"],
)
def test_every_text_for_nothing(text: str) -> None:
    assert is_unset(text)
    assert text in UNSET


@pytest.mark.parametrize(
    "text",
    ["0", "n", "x", "----x", "-" * 13, "nullx", "(null", "NULL null", "NULL;NULL", "novalue", "....", "??"],
)
def test_what_says_something(text: str) -> None:
    assert not is_unset(text)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (("ana", "null"), ("ana", "null")),
        (("McAna", "Null"), ("McAna", "Null")),
        (("McAna", "NULL"), ("McAna", "")),
        (("A", "Null"), ("A", "")),  # one letter has no style
        (("Ana", "Nil"), ("Ana", "Nil")),
        (("Ana", "Na"), ("Ana", "Na")),
        (("Ana", "Nan"), ("Ana", "Nan")),
        (("Ana", "N/A"), ("Ana", "")),
        (("Na", "Okafor"), ("Na", "Okafor")),
        (("Nil", "Okafor"), ("Nil", "Okafor")),
        (("Null", "Okafor"), ("", "Okafor")),
        (("Ana Null", "Okafor"), ("Ana Null", "Okafor")),
        (("Ana, NULL", "Okafor"), ("Ana", "Okafor")),
        (("Ana undefined", "Okafor"), ("Ana", "Okafor")),
        (("Ana", ""), ("Ana", "")),
        (("", ""), ("", "")),
    ],
)
def test_names_beside_words_for_nothing(written: tuple[str, str], kept: tuple[str, str]) -> None:
    assert known_names(*written) == kept


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        ("1E-5", True),
        ("1e-5", True),
        ("1+1", True),
        ("1#", True),
        ("1.5", True),
        ("1,5", True),
        ("1E5", False),
        ("A-1", False),
    ],
)
def test_a_longer_text_that_may_hold_what_a_spreadsheet_rounded(text: str, hints: bool) -> None:
    assert hints_rounded(text) is hints


@pytest.mark.parametrize("char", ["\x81", "\x8d", "\x8f", "\x90", "\x9d"])
def test_a_byte_that_windows_1252_does_not_define_is_named(char: str) -> None:
    with pytest.raises(ValueRefused, match="a byte without a character in Windows-1252"):
        clean_text(f"a{char}b")
    with pytest.raises(ValueRefused, match=r"^holds a control character$"):
        clean_text("a\x80b")


def test_zones_that_are_only_an_offset() -> None:
    names = (
        "ACDT ACST ADT AEDT AEST AKDT AKST AST BST CDT CEST CST EAT EDT EEST EST GMT GMT0 GREENWICH HADT HAST HDT HKT "
        "HST IST JST KST MDT MSK MST NDT NST NZDT NZST PDT PST SAST SGT UCT UNIVERSAL UTC WAT WEST WIB Z ZULU LOCAL "
        "LOCALTIME FACTORY POSIXRULES"
    )
    assert set(names.split()) == NO_HOME
    others = "est Etc/GMT SystemV/X posix/Europe/Berlin right/Europe/Berlin UTC/x GMT/x +5 -05:30 UTC+5 GMT-0530 <+05>-5 EST5"
    assert all(map(fixed_offset, others.split()))
    assert not any(map(fixed_offset, ("Europe/Berlin", "US/Eastern", "America/New_York", "CET", "Etcetera")))


# --- days -------------------------------------------------------------------------------------------------------

FIRST_AND_LAST = (
    "0001-01-01 1111-11-11 1601-01-01 1753-01-01 1800-01-01 1858-11-17 1899-12-30 1899-12-31 1900-01-01 1900-12-31 "
    "1901-01-01 1904-01-01 2049-12-31 2050-12-31 2079-06-06 2099-01-01 2099-12-31 2199-12-31 2222-02-02 2299-12-31 "
    "2999-12-31 3000-01-01 3000-12-31 9999-01-01 9999-12-30 9999-12-31"
)


@pytest.mark.parametrize("day", FIRST_AND_LAST.split())
def test_the_first_and_the_last_day_of_a_system_is_no_date(day: str) -> None:
    for read in (calendar_date, birth_date):
        with pytest.raises(ValueRefused, match="a placeholder, not a date"):
            read(day)


@pytest.mark.parametrize("day", ["1970-01-01", "1969-12-31"])
def test_the_first_second_of_unix_time_is_a_birthday_only(day: str) -> None:
    assert birth_date(day) == day
    for read in (calendar_date, instant):
        with pytest.raises(ValueRefused, match="a placeholder, not a date"):
            read(day)
    with pytest.raises(ValueRefused, match="a placeholder, not a date"):
        day_in(f"{day}T12:00:00Z", ["UTC"], "UTC")


@pytest.mark.parametrize(
    ("written", "order", "day"),
    [
        ("2026-12-31", "iso", "2026-12-31"), ("20261231", "iso", "2026-12-31"), ("12/31/2026", "mdy", "2026-12-31"),
        ("31.12.2026", "dmy", "2026-12-31"), ("1-2-2026", "mdy", "2026-01-02"), ("1-2-2026", "dmy", "2026-02-01"),
        ("2026-12-31", "dmy", "2026-12-31"), ("2026-12-31T10:00", "iso", "2026-12-31"), ("20261231 1000", "iso", "2026-12-31"),
        ("2026-12-31+01:00", "iso", "2026-12-31"), ("12/31/2026Z", "mdy", "2026-12-31"), ("1900-01-02", "iso", "1900-01-02"),
        ("2199-12-30", "iso", "2199-12-30"), ("12/31/2026 11:59 p.m.", "mdy", "2026-12-31"),
    ],
)  # fmt: skip
def test_a_day_in_every_form(written: str, order: str, day: str) -> None:
    assert calendar_date(written, order) == day  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "order", "why"),
    [
        ("12/31/2026", "iso", "needs the dates setting"), ("31/12/2026", "mdy", "no such day"), ("2026-02-29", "iso", "no such day"),
        ("12/31.2026", "mdy", r"^not a date$"), ("today", "iso", r"^not an ISO 8601 date$"), ("today", "dmy", r"^not a date$"),
        ("2200-01-02", "iso", "outside the years"), ("1899-06-06", "iso", "outside the years"), ("00/00/00", "mdy", "placeholder"),
        ("2026-12-31T", "iso", "not an ISO 8601 time"), ("2026-12-31T25:00", "iso", "not an ISO 8601 time"),
        ("2026-12-31 13:00 AM", "iso", "not a time of day"), ("2026-12-31 0:30 AM", "iso", "not a time of day"),
        ("2026-12-31T10:00Z", "iso", "a moment"),
    ],
)  # fmt: skip
def test_a_day_that_is_refused_says_why(written: str, order: str, why: str) -> None:
    with pytest.raises(ValueRefused, match=why):
        calendar_date(written, order)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-12-31T10:00:05Z", "2026-12-31T10:00:05Z"), ("2026-12-31T10:00+02:00", "2026-12-31T08:00:00Z"),
        ("2026-12-31T10:00", "2026-12-31T10:00:00Z"), ("2026-12-31", "2026-12-31T00:00:00Z"),
        ("2026-12-31 12:05 AM", "2026-12-31T00:05:00Z"), ("2026-12-31 12:05 pm", "2026-12-31T12:05:00Z"),
        ("2026-12-31 1:05:07 PM", "2026-12-31T13:05:07Z"), ("2026-12-31 11:05 a.m.", "2026-12-31T11:05:00Z"),
    ],
)  # fmt: skip
def test_a_moment_in_every_form(written: str, moment: str) -> None:
    assert instant(written) == moment


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("2026-12-31T10:00Z", True),
        ("2026-12-31T10:00", False),
        ("2026-12-31Z", False),
        ("2026-12-31Tx", False),
        ("", False),
    ],
)
def test_whether_a_date_field_names_a_moment(written: str, names: bool) -> None:
    assert names_instant(written) is names


@pytest.mark.parametrize(
    ("day", "base", "birth", "far"),
    [
        ("2031-11-26", "2026-11-23", False, False),  # 1,830 days
        ("2031-11-28", "2026-11-23", False, True),
        ("2016-11-15", "2026-11-23", False, False),
        ("2016-11-12", "2026-11-23", False, True),
        ("2026-11-23", "2026-11-23", True, False),
        ("2026-11-24", "2026-11-23", True, True),
        ("1906-10-01", "2026-11-23", True, False),
        ("1906-08-01", "2026-11-23", True, True),
    ],
)
def test_how_far_is_far(day: str, base: str, birth: bool, far: bool) -> None:
    assert far_off(day, base, birth=birth) is far


@pytest.mark.parametrize(
    ("moment", "far"),
    [
        ("2028-11-23T10:00:00Z", False),
        ("2028-11-30T10:00:00Z", True),
        ("1976-11-23", False),
        ("1976-01-01", True),
    ],
)
def test_a_production_time_years_away_is_refused(moment: str, far: bool) -> None:
    if not far:
        refuse_far_instant(moment, "2026-11-23")
        return
    with pytest.raises(ValueRefused, match="years away from today"):
        refuse_far_instant(moment, "2026-11-23")


@pytest.mark.parametrize("written", ["USD 4.50 US$", "US$ -USD 4.50"])
def test_a_currency_may_stand_on_two_sides(written: str) -> None:
    assert amount_and_currency(written, "USD")[1] == "USD"
    with pytest.raises(ValueRefused, match="not a plain amount"):
        amount_and_currency("USD -USD 4.50 USD", "USD")


@pytest.mark.parametrize("first", ["NULL,", ", NULL", ";NULL", "NULL, NULL"])
def test_marks_beside_a_word_for_nothing_make_no_name(first: str) -> None:
    assert known_names(first, "Okafor") == ("", "Okafor")
