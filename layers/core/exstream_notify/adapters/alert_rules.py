"""The forms of alerts.yaml, messages.yaml and of the runs expected in domains.yaml."""

from collections.abc import Iterator, Mapping
from datetime import date, time
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..domain.exceptions import ExceptionRaised, Severity
from ..domain.expectations import DAYS, ExpectedRun
from ..domain.incidents import AlertRule, Urgency

CHANNELS = ("sns", "email", "sms", "slack", "teams", "pagerduty", "webhook", "apprise")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Entry(_Strict):
    """What an exception's code, or a route, says; None: nothing."""

    team: str | None = None
    family: str | None = None
    severity: Severity | None = None
    urgency: Urgency | None = None
    group: Literal["run", "day"] | None = None
    ack_minutes: int | None = Field(default=None, ge=0, le=43_200)
    means: str | None = None
    advice: str | None = None


class _When(_Strict):
    code: str = "*"
    family: str = "*"
    queue: str | None = None
    document_type: str | None = None
    domain: str = "*"

    def fits(self, exception: ExceptionRaised, family: str) -> bool:
        """Whether a route holds; one on queue or type needs an exception that names one."""
        pairs = (
            (self.code, exception.code),
            (self.family, family),
            (self.domain, exception.domain),
            (self.queue, exception.queue),
            (self.document_type, exception.document_type),
        )
        return all(glob is None or fnmatchcase(value, glob) for glob, value in pairs)


class _Route(_Entry):
    when: _When


class _Team(_Strict):
    normal: tuple[str, ...] | None = None
    urgent: tuple[str, ...] | None = None
    escalation: tuple[str, ...] | None = None
    mobile: str | None = Field(None, pattern=r"^\+[1-9][0-9]{6,14}$")
    samples: Literal["masked", "none"] | None = None

    @field_validator("normal", "urgent")
    @classmethod
    def _known(cls, chains: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for chain in chains or ():
            for channel in _split(chain):
                if channel not in CHANNELS:
                    raise ValueError(f"{channel!r} is no channel: there is {', '.join(CHANNELS)}")
        return chains


class _SeverityRule(_Strict):
    urgency: Urgency = "normal"
    ack_minutes: int = Field(default=0, ge=0, le=43_200)


class _Family(_Strict):
    means: str = ""
    advice: str = ""
    runbook: str = Field(default="", pattern=r"^[a-z0-9-]*$")
    rerun: bool = True


class Alerts(_Strict):
    """alerts.yaml."""

    default: _Entry
    severities: Mapping[Severity, _SeverityRule]
    codes: Mapping[str, _Entry]
    routes: tuple[_Route, ...] = ()
    teams: Mapping[str, _Team]
    families: Mapping[str, _Family] = Field(default_factory=dict)
    rerun_chars: int = Field(1000, ge=40, le=100_000)

    @field_validator("teams")
    @classmethod
    def _has_default(cls, teams: Mapping[str, _Team]) -> Mapping[str, _Team]:
        if "default" not in teams or not (teams["default"].normal and teams["default"].urgent):
            raise ValueError("`default` with normal and urgent channels is needed")
        return teams

    def route(self, exception: ExceptionRaised, severity: Severity | None, runbook: str) -> AlertRule:
        """The rule of an exception: the code's entry, the team that it names itself, and every route that
        fits, each laid over what was before.

        `severity` stands for the whole incident's in what it brings (urgency, time to answer); the section
        of the family is one of the book at `runbook`.
        """
        found: dict[str, Any] = self.default.model_dump(exclude_none=True)
        found |= self.codes.get(exception.code, _Entry()).model_dump(exclude_none=True)
        if exception.team:
            found["team"] = exception.team
        for route in self.routes:
            if route.when.fits(exception, found.get("family", exception.code)):
                found |= route.model_dump(exclude_none=True, exclude={"when"})
        family = found.get("family") or exception.code
        told = found.get("severity") or exception.severity
        brings = self.severities.get(severity or told, _SeverityRule())
        default = self.families.get("default", _Family())
        words = self.families.get(family, default)
        team = found.get("team") or "operations"
        urgency = found.get("urgency") or brings.urgency
        return AlertRule(
            team,
            family,
            told,
            urgency,
            found.get("group") or "run",
            self.chains(team, urgency),
            found.get("ack_minutes", brings.ack_minutes) or None,
            self._team(team, "escalation") or (),
            found.get("means") or words.means or default.means,
            found.get("advice") or words.advice or default.advice,
            f"{runbook}#{words.runbook or default.runbook}",
            words.rerun,
        )

    def chains(self, team: str, urgency: Urgency) -> tuple[tuple[str, ...], ...]:
        """A team's channels."""
        lines = self._team(team, "urgent" if urgency == "urgent" else "normal") or ()
        return tuple(_split(line) for line in lines)

    def mobile(self, team: str) -> str | None:
        """The number that a team's SMS go to."""
        found = self.teams.get(team)
        return found.mobile if found else None

    def shows_samples(self, team: str) -> bool:
        """Whether masked texts may be shown to a team, in its alerts and in its incidents."""
        return bool(self._team(team, "samples") != "none")

    def named_teams(self) -> Iterator[str]:
        """Every team that an alert may go to."""
        entries = (self.default, *self.codes.values(), *self.routes)
        yield from (entry.team for entry in entries if entry.team)
        for name, team in self.teams.items():
            yield from team.escalation or ()
            if name != "default":
                yield name

    def _team(self, team: str, field: str) -> Any:
        own = getattr(self.teams.get(team), field, None)
        return getattr(self.teams["default"], field) if own is None else own


class MessageRules(_Strict):
    """messages.yaml."""

    ignored: tuple[str, ...]
    exceptions: tuple[str, ...]
    deliveries: tuple[str, ...]
    summary: tuple[str, ...]
    messages: tuple[str, ...]
    xml_messages: tuple[str, ...]
    started: tuple[str, ...]
    encoding: str | None
    columns: Mapping[str, tuple[str, ...]]
    delivered: tuple[str, ...]
    delivery_codes: Mapping[str, Literal["delivery_failed", "delivery_partial"]]
    severities: Mapping[str, Severity]
    summary_keys: Mapping[str, tuple[str, ...]]

    @field_validator("encoding")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        from .index.source import known_encoding  # a parser of XML with it, which few functions need

        if name is not None and known_encoding(name) is None:
            raise ValueError("no encoding that is read here")
        return name

    def kind(self, name: str) -> str | None:
        """What a file of a run's folder is: the name of the list that its name fits, or None."""
        kind = self._list_of(name)
        return None if kind == "ignored" else kind

    def names_one(self, name: str) -> bool:
        """Whether a file of a run's folder is the composer's own, be it read or ignored here."""
        return self._list_of(name) is not None

    def names_message_file(self, name: str) -> bool:
        """The same, but for indexes and manifests."""
        return self._list_of(name) not in (None, "started")

    def _list_of(self, name: str) -> str | None:
        plain = name.lower().removesuffix(".gz")
        kinds = ("ignored", "exceptions", "deliveries", "summary", "started", "xml_messages", "messages")
        for kind in kinds:
            if any(fnmatchcase(plain, glob.lower()) for glob in getattr(self, kind)):
                return kind
        return None


class Expected(_Strict):
    """One expected run of domains.yaml."""

    domain: str
    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    by: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    zone: str
    app: str = ""
    run: str = "*"
    days: tuple[str, ...] = DAYS
    within_minutes: int = Field(720, ge=1, le=10_080)
    tolerance_minutes: int = Field(0, ge=0, le=2_880)
    business_days: bool = False
    country: str = Field("US", pattern=r"^[A-Z]{2}$")

    @field_validator("days")
    @classmethod
    def _are_days(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [day for day in days if day not in DAYS]:
            raise ValueError(f"{unknown[0]!r} is no day: there is {', '.join(DAYS)}")
        return days

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except Exception as error:
            raise ValueError("no time zone of that name") from error
        return name

    def to_domain(self) -> ExpectedRun:
        """As the domain has it."""
        return ExpectedRun(**{**self.model_dump(), "by": time.fromisoformat(self.by)})


def is_day_off(country: str, day: date) -> bool:
    """Saturday, Sunday, or a public holiday of that country."""
    return day.weekday() >= 5 or day in _holidays(country)


@cache
def _holidays(country: str) -> Any:
    import holidays

    return holidays.country_holidays(country)


def _split(chain: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in chain.split(">"))
