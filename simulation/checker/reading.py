"""The rules as the checker reads them: from the YAML files that ship, as data, and from the documentation.

It is a reading of its own: it shares no code with the product, so that a mistake there is not made here as
well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

SHIPPED = Path(__file__).parents[2] / "layers" / "core" / "exstream_notify"
LEGAL_HOURS = (time(8), time(21))
"""Local times between which a text message may go out (47 CFR 64.1200(c)(1); docs of quiet hours)."""

CONFIRM_HOURS = 24
"""A message in doubt waits so long for a receipt before its type's rule says what follows (docs/rules.md)."""


@cache
def _shipped(place: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((SHIPPED / place).read_text("utf-8"))
    return found


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Laid over, key by key: a mapping is merged, anything else is replaced (docs/rules.md)."""
    out = dict(below)
    for name, value in above.items():
        old = out.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        out[name] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return out


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a journey. `after` counts from the notice, `around` from the due date; the other one is
    None."""

    number: int
    after: timedelta | None
    around: timedelta | None
    business_days: bool
    wording: str
    end: str


class Reading:
    """The rules of a history: those that ship with a site's own over them."""

    def __init__(self, own: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._own = own or {}
        documents = self._file("documents")
        self._defaults: Mapping[str, Any] = documents["defaults"]
        self._types: Mapping[str, Any] = documents["types"]
        self.queues: Mapping[str, str] = documents.get("queues") or {}
        self.journeys: Mapping[str, Any] = {
            name: {**self._file("journeys")["defaults"], **rule}
            for name, rule in self._file("journeys")["journeys"].items()
            if rule is not None
        }

    def _file(self, name: str) -> Mapping[str, Any]:
        return _merged(_shipped(f"rules/{name}.yaml"), self._own.get(name, {}))

    def type_of(self, fields: Mapping[str, Any]) -> str:
        """The document type of a record: its own, or that of its queue."""
        named = str(fields.get("document_type") or "").strip()
        return named or str(self.queues.get(str(fields.get("queue_name") or ""), ""))

    def rule(self, kind: str, key: str, status: str = "") -> Any:
        """What a document type's rule says under a key; `status` is the record's account status."""
        own = self._types.get(kind) or {}
        by_status = own.get("by_account_status") or {}
        variant = by_status.get(status) or {}
        for source in (variant, own, self._defaults):
            if key in source:
                return source[key]
        return None

    def channels(self, kind: str) -> Sequence[str]:
        """Its channels, in order."""
        return tuple(self.rule(kind, "channels"))

    def deadline(self, kind: str, status: str = "") -> float:
        """So many seconds after its run was taken nothing of it is sent any more: the longest of its
        variants, since which one counts depends on words that the checker does not read."""
        hours = [self.rule(kind, "deadline_hours")]
        hours += [
            variant["deadline_hours"]
            for variant in ((self._types.get(kind) or {}).get("by_account_status") or {}).values()
            if isinstance(variant, Mapping) and "deadline_hours" in variant
        ]
        return float(max(hours)) * 3600.0

    def asks_for_payment(self, kind: str) -> bool:
        """Whether a type asks for money that is due."""
        said = self.rule(kind, "asks_for_payment")
        return bool(said) if said is not None else self.rule(kind, "class") == "collections"

    def steps(self, journey: str) -> Sequence[Step]:
        """A journey's steps, and its end as the last."""
        rule = self.journeys.get(journey)
        if rule is None:
            return ()
        rows = [*rule["steps"], rule["unanswered"]]
        return tuple(
            Step(
                number,
                duration(row["after"]) if "after" in row else None,
                duration(row["around_due_date"]) if "around_due_date" in row else None,
                bool(row.get("business_days")),
                str(row.get("wording") or ""),
                str(row.get("end") or ""),
            )
            for number, row in enumerate(rows, 1)
        )

    def stops(self, journey: str) -> frozenset[str]:
        """What ends a journey."""
        rule = self.journeys.get(journey) or {}
        return frozenset(rule.get("stops") or ())


_DURATION = re.compile(r"(-?)P(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def duration(text: str) -> timedelta:
    """An ISO 8601 duration; a month counts its least, 28 days."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"no duration: {text!r}")
    months, weeks, days, hours, minutes, seconds = (int(group or 0) for group in found.groups()[1:])
    length = timedelta(days=28 * months + 7 * weeks + days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if found[1] else length


# --- where and when a customer is -----------------------------------------------------------------


@cache
def _zones_of_countries() -> Mapping[str, tuple[str, ...]]:
    zones: dict[str, list[str]] = {}
    table = resources.files("tzdata.zoneinfo").joinpath("zone1970.tab").read_text("utf-8")
    for line in table.splitlines():
        if not line.startswith("#"):
            countries, _, zone = line.split("\t")[:3]
            for country in countries.split(","):
                zones.setdefault(country, []).append(zone)
    return {country: tuple(names) for country, names in zones.items()}


def zones_of(fields: Mapping[str, Any], number: str) -> tuple[str, ...]:
    """Where a customer may be: the record's zone, else the country's, narrowed by the number's; empty:
    unknown."""
    if named := str(fields.get("time_zone") or ""):
        return (named,)
    of_country = _zones_of_countries().get(str(fields.get("country") or "").upper(), ())
    if len(of_country) == 1:
        return of_country
    numbered = _zones_of_number(number)
    return tuple(z for z in of_country if z in numbered) or of_country or numbered


@cache
def _zones_of_number(number: str) -> tuple[str, ...]:
    import phonenumbers
    from phonenumbers import timezone

    try:
        found = timezone.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone for zone in found if zone != "Etc/Unknown")


def in_hours(at: float, zones: Sequence[str], hours: tuple[time, time] = LEGAL_HOURS) -> bool:
    """Whether it is day somewhere where the customer may be; a customer in unknown zones is in New York."""
    moment = datetime.fromtimestamp(at, UTC)
    places = zones or ("America/New_York",)
    return any(hours[0] <= moment.astimezone(ZoneInfo(zone)).time() < hours[1] for zone in places)


def day_in(at: float, zones: Sequence[str]) -> date:
    """The customer's day at a moment: the earliest of those that it may be."""
    moment = datetime.fromtimestamp(at, UTC)
    return min(moment.astimezone(ZoneInfo(zone)).date() for zone in zones or ("America/New_York",))


# --- words ----------------------------------------------------------------------------------------


@cache
def subjects() -> Mapping[str, frozenset[str]]:
    """The languages in which a subject of an e-mail is written, by subject."""
    found: dict[str, set[str]] = {}
    for file in sorted((SHIPPED / "wording").glob("*.yaml")):
        for words in (yaml.safe_load(file.read_text("utf-8")).get("types") or {}).values():
            subject = words.get("subject") if isinstance(words, Mapping) else None
            for one in [subject] if isinstance(subject, str) else subject or []:
                found.setdefault(one, set()).add(file.stem)
    return {subject: frozenset(languages) for subject, languages in found.items()}


@cache
def languages() -> frozenset[str]:
    """The languages that have words."""
    return frozenset(file.stem for file in (SHIPPED / "wording").glob("*.yaml"))
