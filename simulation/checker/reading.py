"""The rules as the checker reads them: from the YAML files that ship, as data, and from the documentation.

It is a reading of its own: it shares no code with the product, so that a mistake there is not made here as
well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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

SILENT_FROM = 3600.0
"""Seconds without a report after which a message may count as lost: the shortest deadline of a type."""


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
    end: str


class Site:
    """The rules of one deployment: those that ship, with a site's own over them."""

    def __init__(self, own: Mapping[str, Mapping[str, Any]]) -> None:
        documents = _merged(_shipped("rules/documents.yaml"), own.get("documents", {}))
        journeys = _merged(_shipped("rules/journeys.yaml"), own.get("journeys", {}))
        self.defaults: Mapping[str, Any] = documents["defaults"]
        self.types: Mapping[str, Any] = documents["types"]
        self.queues: Mapping[str, str] = documents.get("queues") or {}
        self.journeys: Mapping[str, Mapping[str, Any]] = {
            name: {**journeys["defaults"], **rule}
            for name, rule in journeys["journeys"].items()
            if rule is not None
        }

    def of_type(self, kind: str, key: str) -> Any:
        """What a document type's rule says under a key, without what its account status changes."""
        own = self.types.get(kind) or {}
        return own.get(key, self.defaults.get(key))

    def deadline_hours(self, kind: str) -> float:
        """The longest of its variants: which one counts depends on words that the checker does not read."""
        variants = ((self.types.get(kind) or {}).get("by_account_status") or {}).values()
        hours = [v["deadline_hours"] for v in variants if isinstance(v, Mapping) and "deadline_hours" in v]
        return float(max([self.of_type(kind, "deadline_hours"), *hours]))

    def may_be_required(self, kind: str) -> bool:
        """Whether the customers of a type, or of a variant of it, must be reached."""
        own = self.types.get(kind) or {}
        variants = [v for v in (own.get("by_account_status") or {}).values() if isinstance(v, Mapping)]
        named = [self.of_type(kind, "class"), *(v.get("class") for v in variants)]
        urgent = [self.of_type(kind, "urgent"), *(v.get("urgent") for v in variants)]
        return "regulated" in named or any(urgent)

    def asks_for_payment(self, kind: str) -> bool:
        """Whether a type asks for money that is due."""
        said = self.of_type(kind, "asks_for_payment")
        return bool(said) if said is not None else self.of_type(kind, "class") == "collections"

    def steps(self, journey: str) -> Iterator[Step]:
        """A journey's steps, and its end as the last."""
        rule = self.journeys.get(journey)
        for number, row in enumerate([*rule["steps"], rule["unanswered"]] if rule else [], 1):
            yield Step(
                number,
                duration(row["after"]) if "after" in row else None,
                duration(row["around_due_date"]) if "around_due_date" in row else None,
                bool(row.get("business_days")),
                str(row.get("end") or ""),
            )


class Reading:
    """The rules of a history, of every deployment that there was in it.

    Which of them held for a message depends on when its record was read, so a claim asks what *may* hold,
    or what holds *for certain*.
    """

    def __init__(self, owns: Sequence[Mapping[str, Mapping[str, Any]]] = ()) -> None:
        self._sites = [Site(own) for own in owns or [{}]]

    def type_of(self, fields: Mapping[str, Any]) -> str:
        """The document type of a record: its own, or that of its queue."""
        named = str(fields.get("document_type") or "").strip()
        return named or str(self._sites[0].queues.get(str(fields.get("queue_name") or ""), ""))

    def may(self, kind: str, key: str, *values: object) -> bool:
        """Whether a type's rule may have one of these values."""
        return any(site.of_type(kind, key) in values for site in self._sites)

    def may_be_required(self, kind: str) -> bool:
        """Whether the customers of a type must perhaps be reached."""
        return any(site.may_be_required(kind) for site in self._sites)

    def certain(self, kind: str, key: str) -> Any:
        """What a type's rule says under a key, if all deployments agree; else None."""
        said = [site.of_type(kind, key) for site in self._sites]
        return said[0] if all(one == said[0] for one in said) else None

    def left_as_a_whole(self) -> list[str]:
        """The topics that "unsubscribe from all" ends for certain: none with a regulated type, or one that
        collects (docs/preferences.md, opting out)."""
        kept = {
            str(site.of_type(kind, "topic"))
            for site in self._sites
            for kind in site.types
            if site.of_type(kind, "class") in ("regulated", "collections")
        }
        named = {str(site.of_type(kind, "topic")) for site in self._sites for kind in site.types}
        return sorted(named - kept)

    def deadline(self, kind: str) -> float:
        """So many seconds after its run was taken nothing of a type is sent any more."""
        return max(site.deadline_hours(kind) for site in self._sites) * 3600.0

    def asks_for_payment(self, kind: str) -> bool:
        """Whether a type asks for money for certain."""
        return all(site.asks_for_payment(kind) for site in self._sites)

    def may_ask_for_payment(self, kind: str) -> bool:
        """Whether a type asks for money under some deployment."""
        return any(site.asks_for_payment(kind) for site in self._sites)

    def steps(self, journey: str, number: int) -> list[Step]:
        """What a journey's step of that number may be."""
        return [step for site in self._sites for step in site.steps(journey) if step.number == number]

    def is_about_money(self, journey: str) -> bool:
        """Whether a journey counts from a due date for certain."""
        return all(any(step.around is not None for step in site.steps(journey)) for site in self._sites)

    def stops(self, journey: str) -> frozenset[str]:
        """What ends a journey for certain."""
        said = [frozenset((site.journeys.get(journey) or {}).get("stops") or ()) for site in self._sites]
        return frozenset.intersection(*said)

    def cap(self, journey: str) -> tuple[int, int] | None:
        """So many messages in so many days at most; the widest of the deployments, None for no bound."""
        caps = [(site.journeys.get(journey) or {}).get("cap") for site in self._sites]
        if not all(caps):
            return None
        return max(cap["messages"] for cap in caps if cap), min(cap["days"] for cap in caps if cap)


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
