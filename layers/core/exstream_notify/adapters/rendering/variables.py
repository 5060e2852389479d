"""What wording may say of a document: a whitelist of values, cleaned and formatted.

Records come from outside, and mail programs act on what they find: control characters, bidirectional
overrides and line breaks are taken out of every value, words that look like web addresses are not
shown, and no value contains the full account number, wherever the record had it. `verify_*` fields,
addresses and keys have no variable at all.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from ...domain.documents import Channel, Document
from ...domain.second_step import OF_ACCOUNT
from ...domain.sms_text import alphabet, fold
from ...domain.values import day_in
from ..zones import likely_zones
from .formats import currency_code, format_day, format_money, format_period, parse_amount
from .texts import LanguageTexts

Place = Literal["subject", "mail", "sms", "team_subject", "team_mail"]

VARIABLES: Mapping[str, str] = {
    "brand": "the company's name; in an SMS its short name",
    "support": "the support contact",
    "document": "what the document is called",
    "link": "the secure link",
    "preferences_link": "where the customer chooses how to be told",
    "reference": "the reference number",
    "first_name": "given name",
    "last_name": "family name",
    "account": "the last four characters of the account number",
    "amount": "the amount due with its currency, if it is above zero",
    "due_date": "the due date, unless the amount due is zero or less",
    "period": "the statement period",
    "account_status": "the account's status, in the words of `common.account_status`",
    "stage": "the stage, as the record has it",
    "days_past_due": "days past due, if above zero",
    "case_id": "the case number",
    "case_type": "the kind of case, in the words of `common.case_type`",
    "respond_by": "the date to respond by",
    "issued_on": "the day the document was produced",
    "opt_out": "how to stop these texts, in SMS of types with `sms_opt_out_notice: true`",
    "domain": "the composer's domain",
    "team": "the internal team",
    "run": "the run's id",
    "count": "documents that the message is about, where they are several",
    "total": "documents in all",
    "waiting": "documents of the run that still wait to be sent",
}
"""Every variable there is, with its meaning."""

CONSTANT = frozenset({"brand", "support", "opt_out"})
"""The same for every document."""

_TEAM = frozenset(
    {"brand", "document", "reference", "domain", "issued_on", "team", "run", "total", "waiting"}
)

ALLOWED: Mapping[Place, frozenset[str]] = {
    # A subject and its preheader show on locked screens: no amount, no account, no name.
    "subject": frozenset({"brand", "document"}),
    "mail": frozenset(VARIABLES) - {"opt_out", "domain", "team", "run", "total", "waiting"},
    "sms": frozenset(
        {"brand", "document", "link", "reference", "opt_out", "amount", "due_date", "respond_by", "count"}
    ),
    "team_subject": _TEAM,
    "team_mail": _TEAM,
}
"""Which variables may stand where. Internal teams see nothing personal but the reference number."""

SMS_DETAILS = frozenset({"amount", "due_date", "respond_by"})
"""Document content, in an SMS only where the brand says so."""

_NAME, _TEXT = 60, 64  # the longest that is still believed to be one, in characters
_LEAST_ACCOUNT = 5  # of a shorter number, the last four would be all or nearly all
_BLANKS = re.compile(r"\s+")
_LINK = re.compile(r"://|www\.", re.IGNORECASE)
_LIKE_A_LINK = re.compile(r"://|@|\.\w{2,}")
_SEPARATORS = re.compile(r"[\s./_-]+")


@dataclass(slots=True)
class Source:
    """Where values come from: a document, and the manner in which its customer reads."""

    document: Document
    texts: LanguageTexts
    locale: str
    channel: Channel
    link: str | None = None
    preferences_link: str | None = None
    account: str = field(init=False)
    amount: Decimal | None = field(init=False)

    def __post_init__(self) -> None:
        self.account = _bare(self.document.account_number)
        self.amount = parse_amount(self.document.amount_due)


def values_of(source: Source, wanted: Collection[str]) -> dict[str, str]:
    """The wanted variables that this document gives; in an SMS spelt in the GSM alphabet if possible."""
    found = {name: value for name in wanted if (value := _VALUES[name](source))}
    if source.channel == "sms":
        return {name: value if name == "link" else fold(value) for name, value in found.items()}
    return found


def presence(document: Document) -> tuple[bool, ...]:
    """Which values a document gives, told cheaply from its fields: nearly always right."""
    d = document
    amount = parse_amount(d.amount_due)
    return (
        bool(d.first_name),
        bool(d.last_name),
        bool(d.reference_no),
        bool(_last_four(_bare(d.account_number), d)),
        amount is not None and amount > 0,
        amount is None or amount > 0,
        bool(d.due_date),
        bool(d.statement_period),
        bool(d.account_status),
        bool(d.stage),
        bool(d.days_past_due and d.days_past_due > 0),
        bool(d.case_id),
        bool(d.case_type),
        bool(d.respond_by),
        bool(d.produced_at),
        d.together > 1,
    )


def clean(value: str | None, longest: int = _TEXT) -> str:
    """One line of visible text; empty if there is none, or too much to be what it claims to be."""
    if not value:
        return ""
    if not value.isprintable():
        value = "".join(map(_visible, value))
    if "  " in value or value[:1] == " " or value[-1:] == " ":
        value = _BLANKS.sub(" ", value).strip()
    return value if len(value) <= longest else ""


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    # Joiners shape the letters of some scripts; all other format characters hide or reorder text.
    return "" if category in ("Cf", "Cs", "Co", "Cn") and character not in "\u200c\u200d" else character


def _bare(value: str | None) -> str:
    """Without what people put between the digits; capitals, to be compared."""
    return _SEPARATORS.sub("", clean(value)).upper() if value else ""


def _last_four(account: str, document: Document) -> str:
    if len(account) < _LEAST_ACCOUNT:
        return ""
    # Not if these are the very characters that the customer is asked for as proof of identity.
    kept = document.verify_last4 or ""
    proof = kept.endswith(OF_ACCOUNT) or _bare(kept)[-4:] == account[-4:]
    return "" if kept and proof else account[-4:]


def _words(s: Source, value: str | None) -> str:
    """Free text from the record, without a link in it and without the account number."""
    text = clean(value)
    if not text or _LINK.search(text):
        return ""
    number = s.account.lstrip("0")
    if len(number) >= _LEAST_ACCOUNT and number in _bare(text):
        tail = _last_four(s.account, s.document)
        return f"…{tail}" if tail else ""
    return text


def _name(s: Source, value: str | None) -> str:
    text = _words(s, value)
    return "" if len(text) > _NAME or _LIKE_A_LINK.search(text) else text


def _amount(s: Source) -> str:
    if s.amount is None or s.amount <= 0:
        return ""
    currency = currency_code(s.document.currency)
    money = format_money(s.amount, currency, s.locale)
    if s.channel == "sms" and alphabet(fold(money)) != "gsm":
        return format_money(s.amount, currency, s.locale, code_only=True)
    return money


def _day(s: Source, iso: str | None) -> str:
    return format_day(iso, s.locale, "medium" if s.channel == "sms" else "long") or "" if iso else ""


def _issued_on(document: Document) -> str | None:
    """The day on which the document was produced, where its customer lives if that is known.

    Midnight UTC is a record's bare date.
    """
    moment = document.produced_at
    if not moment or moment.endswith("T00:00:00Z"):
        return moment
    zones = likely_zones(document.time_zone, document.country, tuple)
    return day_in(moment, zones, "UTC") if zones else moment


def _due_date(s: Source) -> str:
    nothing_due = s.amount is not None and s.amount <= 0
    return "" if nothing_due else _day(s, s.document.due_date)


def _period(s: Source) -> str:
    words = _words(s, s.document.statement_period)
    return format_period(words, s.locale) or words if words else ""


def _label(s: Source, labels: str, value: str | None) -> str:
    key = clean(value).lower().replace(" ", "-").replace("_", "-")
    known = s.texts.common.get(labels) or {}
    return str(known.get(key) or "") if key else ""


def _days_past_due(s: Source) -> str:
    days = s.document.days_past_due
    return str(days) if days is not None and days > 0 else ""


_VALUES: Mapping[str, Callable[[Source], str]] = {
    "document": lambda s: clean(s.texts.document_name(s.document.document_type)),
    "link": lambda s: s.link or "",
    "preferences_link": lambda s: s.preferences_link or "",
    "reference": lambda s: _words(s, s.document.reference_no),
    "first_name": lambda s: _name(s, s.document.first_name),
    "last_name": lambda s: _name(s, s.document.last_name),
    "account": lambda s: _last_four(s.account, s.document),
    "amount": _amount,
    "due_date": _due_date,
    "period": _period,
    "account_status": lambda s: _label(s, "account_status", s.document.account_status),
    "stage": lambda s: _words(s, s.document.stage),
    "days_past_due": _days_past_due,
    "case_id": lambda s: _words(s, s.document.case_id),
    "case_type": lambda s: _label(s, "case_type", s.document.case_type),
    "respond_by": lambda s: _day(s, s.document.respond_by),
    "issued_on": lambda s: _day(s, _issued_on(s.document)),
    "domain": lambda s: _words(s, s.document.domain),
    "count": lambda s: str(s.document.together) if s.document.together > 1 else "",
    **dict.fromkeys(("team", "run", "total", "waiting"), lambda _: ""),  # a digest's, which has no document
}
