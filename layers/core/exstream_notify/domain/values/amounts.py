"""Amounts of money: which decimal a text means, and how many decimals a currency has."""

import re
import unicodedata
from collections.abc import Mapping

from .manner import Manner
from .text import ValueRefused

# ISO 4217, list one (amendment 176), and codes withdrawn since 2000 that old records may hold.
_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD
CDF CHE CHF CHW CNH CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GGP
GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS IMP INR IRR JEP JMD KES KGS KHR KPW KYD KZT LAK LBP
LKR LRD LSL LTL LVL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR
NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC
SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL
EEK MTL SIT SKK CYP BYR VEF MRO STD ZMK GHC
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
ISO_4217: Mapping[str, int] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    **dict.fromkeys(_FOUR.split(), 4),
}
"""Decimals of each currency by ISO 4217. CLDR's digits differ: those are for cash (RSD, IQD, HUF, COP)."""

_DOLLARS = (
    "USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN", "ARS", "CLP", "COP", "TWD", "BRL", "UYU", "DOP", "JMD",
    "TTD", "BBD", "BSD", "BZD", "BMD", "KYD", "FJD", "GYD", "LRD", "NAD", "SRD", "XCD", "BND", "CUP", "SBD",
)  # fmt: skip
_CROWNS = ("SEK", "NOK", "DKK", "ISK", "CZK")
SIGNS: Mapping[str, tuple[str, ...]] = {
    "€": ("EUR",), "£": ("GBP",), "$": _DOLLARS, "¥": ("JPY", "CNY"), "￥": ("JPY", "CNY"), "₹": ("INR",),
    "US$": ("USD",), "U$S": ("USD",), "C$": ("CAD",), "CA$": ("CAD",), "A$": ("AUD",), "AU$": ("AUD",),
    "NZ$": ("NZD",), "HK$": ("HKD",), "S$": ("SGD",), "R$": ("BRL",), "MX$": ("MXN",), "NT$": ("TWD",),
    "₩": ("KRW",), "₪": ("ILS",), "₫": ("VND",), "₱": ("PHP",), "₴": ("UAH",), "₺": ("TRY",), "₽": ("RUB",),
    "₦": ("NGN",), "₵": ("GHS",), "฿": ("THB",), "₡": ("CRC",), "₲": ("PYG",), "₸": ("KZT",), "₼": ("AZN",),
    "₾": ("GEL",), "ZŁ": ("PLN",), "KČ": ("CZK",), "FT": ("HUF",), "LEI": ("RON",), "KR": _CROWNS,
    "KR.": _CROWNS, "FR": ("CHF", "XOF", "XAF"), "FR.": ("CHF", "XOF", "XAF"), "SFR.": ("CHF",),
    "RS": ("INR", "PKR", "LKR", "NPR", "MUR"), "RS.": ("INR", "PKR", "LKR", "NPR", "MUR"), "R": ("ZAR",),
    "L": ("HNL",), "TL": ("TRY",), "EURO": ("EUR",), "EUROS": ("EUR",),
}  # fmt: skip
"""What stands for a currency beside an amount, in capitals; several where several countries use it."""

# In capitals this code for pence is the one for pounds. Other codes for hundredths (ZAc, ILa, USc) are not in
# ISO 4217, in capitals or not.
_PENCE = "GBp"


def currency_code(value: str) -> str:
    """A code of ISO 4217 in capitals; a sign that only one currency has (`€`) counts as its code."""
    code = value.upper()
    if code in ISO_4217 and value != _PENCE:
        return code
    found = SIGNS.get(code, ())
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueRefused("a sign of several currencies: the code (ISO 4217) is needed")
    raise ValueRefused("not a currency code (ISO 4217)")


_OF_A_CREDIT = re.compile(
    r"\(.*\d.*\)|(?:.*[^\w-])?-\s?[^\d\s-]{0,3}\s?\d.*|.*\d\s*(?:-|CR\b)(?!\s*\d).*|CR\W*\d.*",
    re.IGNORECASE | re.DOTALL,
)


def may_be_credit(value: str) -> bool:
    """Whether an amount has the sign of a credit, though the number itself may be undecided: `-1.000`."""
    text = re.sub("[\u2010-\u2015\u2212]", "-", value.strip())
    return _OF_A_CREDIT.fullmatch(text) is not None


def decimals_of(currency: str) -> int:
    """The decimals of a currency by ISO 4217; two where it is not known."""
    return ISO_4217.get(currency, 2)


_SPACES = " '\u2019\u00a0\u202f\u2009\u2007"
_SPACE = f"[{_SPACES}]"
# What can be read in one way only: pattern, what groups, what stands before the decimals. Two marks, or one
# mark twice, show which of them groups; one, two or four digits behind a mark cannot be a group.
_GROUPED: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), grouping, point)
    for pattern, grouping, point in (
        (r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{1,4}", ",", "."),
        (r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]{1,4}", ".", ","),
        (r"[0-9]{1,3}(?:,[0-9]{3}){2,}", ",", "."),
        (r"[0-9]{1,3}(?:\.[0-9]{3}){2,}", ".", ","),
        (r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]{1,4})?", ",", "."),
        (rf"[0-9]{{1,3}}(?:{_SPACE}[0-9]{{3}})+(?:\.[0-9]{{1,4}})?", _SPACES, "."),
        (rf"[0-9]{{1,3}}(?:{_SPACE}[0-9]{{3}})+,[0-9]{{1,4}}", _SPACES, ","),
        (r"[0-9]+,(?:[0-9]{1,2}|[0-9]{4})|[0-9]{4,},[0-9]{3}", "", ","),
        (r"[0-9]+\.(?:[0-9]{1,2}|[0-9]{4})|[0-9]{4,}\.[0-9]{3}", "", "."),
    )
)
_ONE_MARK = re.compile(r"([0-9]{1,3})([.,])([0-9]{3})")
_DIGITS = re.compile(r"([0-9]+)(?:\.([0-9]{1,4}))?")
_LONGEST = 15
_EXPONENT = re.compile(r"[0-9.,]+[eE][+-]?[0-9]+")
_AROUND = re.compile(
    r"(?P<before>[^\d,+\-()]*?) ?(?P<minus>[+-]?) ?(?P<second>[^\d,+\-()]*?) ?(?P<number>\.?\d(?:.*\d)?)"
    r" ?(?P<after>[^\d]*)",
    re.DOTALL,
)
_PLAIN = re.compile(r"(?:-(?!0+(?:\.0+)?$))?(?:0|[1-9][0-9]{0,14})(?:\.(?:[0-9]{2}|[0-9]{4}))?")

_UNREADABLE = "not a plain amount"


def plain_amount(value: str, currency: str | None = None, manner: Manner | None = None) -> str:
    """An amount as a plain decimal: `1204.50`, `-3.00`, `1200`. See `amount_and_currency`."""
    return amount_and_currency(value, currency, manner)[0]


is_plain = _PLAIN.fullmatch
"""Whether an amount is in its kept form and can be read in one way, whatever its currency."""


def amount_and_currency(
    value: str, currency: str | None = None, manner: Manner | None = None
) -> tuple[str, str | None]:
    """An amount as a plain decimal, and the currency: the record's, else the one beside the amount.

    Grouped amounts are read only where they have one reading: `1,234.50`, `1.234,50`, `1 234,50`, `12,5`.
    One mark with three digits behind it (`1.000`, `1,000`) has two readings, unless the currency has three
    decimals (ISO 4217) or nothing stands before it (`0.500`). Digits alone with a zero before them may have
    decimals that are not written. What may stand around: a sign or code of the record's currency; a minus,
    `CR` or parentheses for a credit, `DR` for a debit. At most 15 digits before and 4 after the point.
    """
    manner = manner or Manner()
    text, decided = _european(value)
    if _EXPONENT.fullmatch(text):
        raise ValueRefused("rounded by a spreadsheet: format the column as text")
    negative = text.startswith("(") and text.endswith(")")
    if negative:
        text = text[1:-1].strip()
    parts = _AROUND.fullmatch(text)
    if parts is None:
        raise ValueRefused(_UNREADABLE)
    after, credits = _credit(parts["after"].strip())
    signs = [parts["minus"] == "-", negative, credits]
    if sum(signs) > 1:
        raise ValueRefused("more than one sign of a credit")
    beside = [name for name in (parts["before"].strip(), parts["second"].strip(), after) if name]
    currency = _agreed(currency, beside)
    number = parts["number"]
    text = _decimal("0" + number if number.startswith(".") else number, currency, manner, decided)
    return ("-" + text if any(signs) and text.strip("0.") else text), currency


def _european(value: str) -> tuple[str, bool]:
    """European digits and marks; and whether an Arabic mark already said which of them is which."""
    text = value.strip().replace("\u2212", "-")
    if text.isascii():
        return text, False
    text = "".join(str(digit) if (digit := unicodedata.decimal(c, None)) is not None else c for c in text)
    if "\u066b" in text:
        return text.replace("\u066c", "").replace("\u066b", "."), True
    if "\u066c" in text:
        if re.search("\u066c(?![0-9]{3}(?![0-9]))", text):
            raise ValueRefused(_UNREADABLE)
        return text.replace("\u066c", ""), True
    return text, False


def _credit(after: str) -> tuple[str, bool]:
    """What is left of the text behind a number, and whether it marks a credit."""
    word = after.upper()
    for mark in ("CR", "DR", "-"):
        if word == mark or (word.startswith(mark) and not word[len(mark) :][:1].isalpha()):
            return after[len(mark) :].strip(), mark != "DR"
        if word.endswith(" " + mark):
            return after[: -len(mark)].strip(), mark != "DR"
    return after, False


def _agreed(currency: str | None, beside: list[str]) -> str | None:
    if len(beside) > 2:
        raise ValueRefused(_UNREADABLE)
    for name in beside:
        code = name.upper()
        meant = (code,) if code in ISO_4217 and name != _PENCE else SIGNS.get(code)
        if meant is None:
            raise ValueRefused(_UNREADABLE)
        if currency is None:
            currency = meant[0] if len(meant) == 1 else None
        elif currency not in meant:
            raise ValueRefused("another currency stands beside the amount")
    return currency


def _decimal(text: str, currency: str | None, manner: Manner, decided: bool) -> str:
    if not decided:
        text = _marked(text, currency, manner)
    digits = _DIGITS.fullmatch(text)
    if digits is None:
        raise ValueRefused(_UNREADABLE)
    whole, fraction = digits.groups()
    whole = whole.lstrip("0") or "0"
    if len(whole) > _LONGEST:
        raise ValueRefused(_UNREADABLE)
    return f"{whole}.{fraction.ljust(2, '0')}" if fraction else whole


def _marked(text: str, currency: str | None, manner: Manner) -> str:
    """The number with a point before its decimals and no other mark; ValueRefused if undecided."""
    if text.isdigit():
        return _implied(text, manner)
    if mark := manner.decimal_mark:
        other = "," if mark == "." else "."
        if re.fullmatch(rf"[0-9]{{1,3}}\{other}[0-9]{{3}}", text):
            return text.replace(other, "")
        if re.fullmatch(rf"[0-9]+\{mark}[0-9]{{1,4}}", text):
            return text.replace(mark, ".")
    elif one := _ONE_MARK.fullmatch(text):
        if one[1].strip("0") and decimals_of(currency or "") != 3:
            what = "point" if one[2] == "." else "comma"
            raise ValueRefused(f"the {what} may mark thousands or decimals")
        return f"{one[1]}.{one[3]}"
    for pattern, grouping, point in _GROUPED:
        if pattern.fullmatch(text):
            if mark and point != mark and point in text:
                raise ValueRefused("the marks are not those of the setting decimal_mark")
            for sign in grouping:
                text = text.replace(sign, "")
            return text.replace(point, ".")
    return text


def _implied(text: str, manner: Manner) -> str:
    """Digits alone: with the site's implied decimals, if it has any."""
    places = manner.implied_decimals
    if places:
        text = text.rjust(places + 1, "0")
        return f"{text[:-places]}.{text[-places:]}"
    if len(text) > 1 and text.startswith("0") and text.strip("0"):
        raise ValueRefused("leading zeros: decimals may be implied (setting implied_decimals)")
    return text
