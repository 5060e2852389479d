"""The runs expected in domains.yaml, the site's holidays, and why an expectation is refused."""

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from ..domain.due_days import DAYS, LAST, DueDays, Holidays
from ..domain.expectations import DEFAULT_WITHIN, ExpectedRun, shortest_gap
from .triggers import NAME

_FIRST_OF_RUN_ID = string.ascii_lowercase + string.digits
_IN_RUN_ID = _FIRST_OF_RUN_ID + "._=-"
_PIECE = re.compile(r"\[!?\]?[^\]]*\]|.", re.S)
_LONGEST_RUN_ID = 128

_SPAN = date(2024, 1, 1), date(2025, 1, 31)
"""Where due days are looked for that no date names, a leap year: a verdict must not change with the clock."""


def _quoted(value: object) -> object:
    if isinstance(value, bool | int | float):
        raise ValueError("is not read as text by YAML: put it in quotes")  # 06:00 is 360, NO is false
    return value


def _counted(value: object) -> object:
    return LAST if value == "last" else value


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


_Time = Annotated[str, BeforeValidator(_quoted), Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
_Text = Annotated[str, BeforeValidator(_quoted)]
_MonthDay = Annotated[int, BeforeValidator(_counted), Field(ge=-31, le=31)]
_BusinessDay = Annotated[int, BeforeValidator(_counted), Field(ge=-23, le=23)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SiteHolidays(_Strict):
    """`holidays` of domains.yaml: days off beside the public holidays, and holidays on which work goes on."""

    added: tuple[date, ...] = ()
    removed: tuple[date, ...] = ()


class Expected(_Strict):
    """One expected run of domains.yaml."""

    domain: _Text = Field(pattern=NAME)
    name: _Text = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    by: Annotated[tuple[_Time, ...], BeforeValidator(_listed), Field(min_length=1)]
    zone: _Text
    app: _Text = ""
    run: _Text = "*"
    days: tuple[_Text, ...] = DAYS
    every_weeks: int = Field(1, ge=1, le=52)
    first: date | None = None
    month_days: tuple[_MonthDay, ...] = ()
    month_business_days: tuple[_BusinessDay, ...] = ()
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ()
    dates: tuple[date, ...] = ()
    short_months: Literal["last", "skip"] = "last"
    business_days: bool = False
    on_day_off: Literal["skip", "next", "previous"] | None = None
    country: Annotated[_Text, Field(pattern=r"^[A-Z]{2}$")] = "US"
    subdivision: _Text = ""
    within_minutes: int | None = Field(None, ge=1, le=10_080)
    tolerance_minutes: int = Field(0, ge=0, le=2_880)

    @field_validator("days")
    @classmethod
    def _are_days(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [day for day in days if day not in DAYS]:
            raise ValueError(f"{unknown[0]!r} is not a day: write {', '.join(DAYS)}")
        return days

    @field_validator("month_days", "month_business_days")
    @classmethod
    def _count_from_one(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if 0 in days:
            raise ValueError("0 is not a day: count from 1, or from the end of the month with -1")
        return days

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("is not a time zone: write one such as Europe/London") from error
        return name

    def to_domain(self, domain: str, holidays: SiteHolidays) -> ExpectedRun:
        """As the domain has it; `domain` is its name as domains.yaml spells it."""
        keeps = bool(self.business_days or self.on_day_off)
        days = DueDays(
            self.days,
            self.every_weeks,
            self.first,
            self.month_days,
            self.month_business_days,
            self.months,
            self.dates,
            self.short_months == "skip",
            (self.on_day_off or "skip") if keeps else "due",
            Holidays(self.country, self.subdivision, holidays.added, holidays.removed),
        )
        by = tuple(map(time.fromisoformat, self.by))
        within = self.within_minutes or DEFAULT_WITHIN
        return ExpectedRun(
            domain, self.name, by, self.zone, self.app, self.run, days, within, self.tolerance_minutes
        )


# --- what can never be met ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an expectation can never be met, or not be judged; `field` is the key that says so."""

    field: str
    why: str


def usable(
    one: Expected, holidays: SiteHolidays, domains: Sequence[str] | None, today: date | None
) -> ExpectedRun | Refusal:
    """The expectation, or why it is refused.

    `domains` are those that the site takes runs of, None for any. With `today` dates that have all passed
    are refused too: only by who deploys, since a function that runs for years must not refuse them one day.
    """
    refusal = next(_wrong_words(one), None) or _unknown_place(one)
    if refusal:
        return refusal
    known = {name.lower(): name for name in domains or (one.domain,)}
    if one.domain.lower() not in known:
        return Refusal(
            "domain", f"the file names no such domain: there is {', '.join(sorted(known.values()))}"
        )
    expected = one.to_domain(known[one.domain.lower()], holidays)
    start, end = (min(one.dates), max(one.dates)) if one.dates else _SPAN
    if not one.dates and one.first:
        start, end = (max(day, one.first + (day - start)) for day in _SPAN)
    if not any(expected.days.between(start, end, is_day_off)):
        return Refusal(_chosen(one) or "days", "no day is left on which it is due")
    if today and one.dates and max(one.dates) < today:
        return Refusal("dates", "all of them have passed")
    return _fitting(one, expected, shortest_gap(expected, is_day_off, start, end))


def _fitting(one: Expected, expected: ExpectedRun, gap: int | None) -> ExpectedRun | Refusal:
    """The expectation with a window in which no run can meet two."""
    if gap is None:
        return expected
    if one.within_minutes and one.within_minutes > gap:
        return Refusal("within_minutes", f"a run could meet two, which are {gap} minutes apart")
    if one.tolerance_minutes >= gap:
        return Refusal("tolerance_minutes", f"the next one is due {gap} minutes later, before it is over")
    return replace(expected, within_minutes=min(expected.within_minutes, gap))


_KINDS = ("days", "month_days", "month_business_days", "dates")
_ONLY_WITH: Mapping[str, tuple[str, ...]] = {
    "every_weeks": ("days",),
    "short_months": ("month_days",),
    "months": ("days", "month_days", "month_business_days"),
    "first": ("days", "month_days", "month_business_days"),
}


def _chosen(one: Expected) -> str:
    return next((kind for kind in _KINDS if kind in one.model_fields_set), "")


def _wrong_words(one: Expected) -> Iterator[Refusal]:
    given = one.model_fields_set
    kinds = [kind for kind in _KINDS if kind in given]
    kind = _chosen(one) or "days"
    if len(kinds) > 1:
        yield Refusal(kinds[1], f"goes not with {kinds[0]}: choose one, or list two expectations")
    if not getattr(one, kind):
        yield Refusal(kind, "no day is left on which it is due")
    for field, with_ in _ONLY_WITH.items():
        if field in given and kind not in with_:
            yield Refusal(field, f"goes only with {' or '.join(with_)}")
    if one.every_weeks > 1 and one.first is None:
        yield Refusal("every_weeks", "needs `first`: a day of the week that is counted from")
    if one.on_day_off and "business_days" in given and not one.business_days:
        yield Refusal("on_day_off", "contradicts `business_days: false`")
    if len(set(one.by)) < len(one.by):
        yield Refusal("by", "a time is there twice")
    if why := _impossible_run(one.run):
        yield Refusal("run", why)


def _impossible_run(glob: str) -> str:
    """Why no run id can fit a glob; empty if one can."""
    pieces = _PIECE.findall(glob.lower())
    for number, piece in enumerate(pieces):
        possible = _IN_RUN_ID if number else _FIRST_OF_RUN_ID
        if piece != "*" and not any(fnmatchcase(c, piece) for c in possible):
            return (
                f"no run id {'contains' if number else 'begins with'} {piece!r}: it has letters, digits, "
                "'.', '_', '=' and '-', the first a letter or digit"
            )
    if not pieces or len(pieces) - pieces.count("*") > _LONGEST_RUN_ID:
        return f"a run id has 1 to {_LONGEST_RUN_ID} characters"
    return ""


def _unknown_place(one: Expected) -> Refusal | None:
    """Whether the holidays library knows country and subdivision, where either is used or stated."""
    used = one.business_days or one.on_day_off or one.month_business_days
    if not used and not one.model_fields_set & {"country", "subdivision"}:
        return None
    from holidays import country_holidays

    try:
        known = country_holidays(one.country)
    except NotImplementedError:
        return Refusal(
            "country", f"no holidays of {one.country} are known: write a country's ISO 3166 code, such as GB"
        )
    if one.subdivision and one.subdivision not in (*known.subdivisions, *known.subdivisions_aliases):
        there = ", ".join(known.subdivisions) or "none"
        return Refusal(
            "subdivision", f"no holidays of {one.subdivision} in {one.country} are known: there is {there}"
        )
    return None


# --- the calendar ---------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def is_day_off(holidays: Holidays, day: date) -> bool:
    """Whether a day is off: by the site's own list, else a weekend day or public holiday of the country.

    Weekends are the country's own (Friday and Saturday in Saudi Arabia), as are Saturdays on which work
    makes up for a holiday. Source: the `holidays` library.
    """
    if day in holidays.added:
        return True
    if day in holidays.removed:
        return False
    return not _calendar(holidays.country, holidays.subdivision).is_working_day(day)


@cache
def _calendar(country: str, subdivision: str) -> Any:
    import holidays

    return holidays.country_holidays(country, subdiv=subdivision or None)
