"""What the values of a record mean: one reader for each kind of value, and one form in which each is kept.

Index readers, single documents, imports, eligibility questions and events of portals use the same readers,
so the same text means the same everywhere. A reader returns the kept form, or raises `ValueRefused` with a
reason that never repeats the value: reasons are counted and logged, values are personal.
"""

from .amounts import (
    amount_and_currency,
    currency_code,
    decimals_of,
    is_plain,
    may_be_credit,
    plain_amount,
)
from .codes import language_tag, team_names, truth, type_key
from .dates import (
    DateOrder,
    birth_date,
    calendar_date,
    day_in,
    far_off,
    instant,
    names_instant,
    refuse_far_instant,
)
from .manner import Manner
from .text import (
    FREE_TEXT,
    ValueRefused,
    clean_path,
    clean_text,
    hints_rounded,
    plain_address,
    plain_key,
    refuse_rounded,
)
from .unset import UNSET, hints_unset, is_unset, known_names
from .zones import NO_HOME, fixed_offset

__all__ = [
    "FREE_TEXT",
    "NO_HOME",
    "UNSET",
    "DateOrder",
    "Manner",
    "ValueRefused",
    "amount_and_currency",
    "birth_date",
    "calendar_date",
    "clean_path",
    "clean_text",
    "currency_code",
    "day_in",
    "decimals_of",
    "far_off",
    "fixed_offset",
    "hints_rounded",
    "hints_unset",
    "instant",
    "is_plain",
    "is_unset",
    "known_names",
    "language_tag",
    "may_be_credit",
    "names_instant",
    "plain_address",
    "plain_amount",
    "plain_key",
    "refuse_far_instant",
    "refuse_rounded",
    "team_names",
    "truth",
    "type_key",
]
