"""The forms of alerts.yaml and messages.yaml."""

import re
from collections.abc import Iterator, Mapping
from datetime import time
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from ..domain.exceptions import ExceptionRaised, Severity
from ..domain.incidents import AlertRule, Group, Urgency
from ..domain.rollups import DailyRule, StormRule
from .drop_names import refusal

CHANNELS = ("sns", "email", "sms", "slack", "teams", "pagerduty", "webhook", "apprise")


CAUSE_QUIET_MINUTES = 1440
"""How long nothing is reported of a cause over several runs before it is over, unless its code says it."""


def known_zone(name: str) -> str:
    """The name of a time zone; ValueError if there is none of that name."""
    try:
        ZoneInfo(name)
    except Exception as error:
        raise ValueError("no time zone of that name") from error
    return name


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Entry(_Strict):
    """What an exception's code, or a route, says; None: nothing."""

    team: str | None = None
    family: str | None = None
    severity: Severity | None = None
    urgency: Urgency | None = None
    group: Group | None = None
    quiet_minutes: int | None = Field(default=None, ge=1, le=43_200)
    ack_minutes: int | None = Field(default=None, ge=0, le=43_200)
    ack_lasts_minutes: int | None = Field(default=None, ge=0, le=43_200)
    rerun: bool | None = None
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


class _Storm(_Strict):
    per_minute: int = Field(ge=1, le=1000)
    per_hour: int = Field(ge=1, le=1000)
    quiet_minutes: int = Field(ge=5, le=1440)


class _Daily(_Strict):
    at: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    zone: str

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        return known_zone(name)


class _Team(_Strict):
    storm: _Storm | None = None
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
    ack_lasts_minutes: int = Field(default=0, ge=0, le=43_200)
    rerun: bool = True


class _Family(_Strict):
    means: str = ""
    advice: str = ""
    runbook: str = Field(default="", pattern=r"^[a-z0-9-]*$")
    joins: str = ""
    rerun: bool | None = None


class Alerts(_Strict):
    """alerts.yaml."""

    default: _Entry
    storm: _Storm
    daily: _Daily
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
        group: Group = found.get("group") or "run"
        return AlertRule(
            team,
            words.joins or family,
            told,
            urgency,
            group,
            self.chains(team, urgency),
            found.get("ack_minutes", brings.ack_minutes) or None,
            self._team(team, "escalation") or (),
            found.get("means") or words.means or default.means,
            found.get("advice") or words.advice or default.advice,
            f"{runbook}#{words.runbook or default.runbook}",
            group == "run" and self._is_cured_by_rerun(found.get("rerun"), words, told),
            found.get("ack_lasts_minutes", brings.ack_lasts_minutes) or None,
            found.get("quiet_minutes", CAUSE_QUIET_MINUTES) if group == "cause" else None,
        )

    def _is_cured_by_rerun(self, said: bool | None, words: _Family, severity: Severity) -> bool:
        """Whether composing again cures it: the entry says so, else its family and its severity both do."""
        if said is not None:
            return said
        default = self.families.get("default", _Family()).rerun is not False
        family = default if words.rerun is None else words.rerun
        return family and self.severities.get(severity, _SeverityRule()).rerun

    def storm_of(self, team: str) -> StormRule:
        """How many alerts a team gets one by one."""
        own = self.teams.get(team)
        return StormRule(**((own and own.storm) or self.storm).model_dump())

    def daily_rule(self) -> DailyRule:
        """When daily lists are told."""
        return DailyRule(time.fromisoformat(self.daily.at), self.daily.zone)

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


def _arrives(glob: str) -> str:
    if why := refusal(glob):
        raise ValueError(why)
    return glob


_Globs = tuple[Annotated[str, AfterValidator(_arrives)], ...]


_RUN_SUMMARY = re.compile(
    r"(?:[a-z]*(?:run|job|batch|engine|exstream)[._ -]?)?summary(?:\.(?:txt|json|xml))?"
)
"""Documents may be summaries, too ("account_summary.xml"): these names are a run's."""

_TYPE_CHARS = 5
"""Characters of a glob that says no more than a type, as `*.dat` does."""


class MessageRules(_Strict):
    """messages.yaml."""

    ignored: tuple[str, ...]
    exceptions: _Globs
    deliveries: _Globs
    summary: _Globs
    messages: _Globs
    xml_messages: _Globs
    started: tuple[str, ...]
    encoding: str | None
    unpacked_megabytes: int = Field(ge=1, le=1_048_576)
    columns: Mapping[str, tuple[str, ...]]
    delivered: tuple[str, ...]
    delivery_codes: Mapping[str, Literal["delivery_failed", "delivery_partial"]]
    severities: Mapping[str, Severity]
    summary_keys: Mapping[Literal["exit_status", "errors", "customers", "status"], tuple[str, ...]]
    summary_failed: tuple[str, ...]
    summary_succeeded: tuple[str, ...]

    @field_validator("encoding")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        from .index.source import known_encoding  # a parser of XML with it, which few functions need

        if name is not None and known_encoding(name) is None:
            raise ValueError("no encoding that is read here")
        return name

    def kind(self, name: str) -> str | None:
        """What a file of a run's folder is: the name of the list that its name fits, or None."""
        kind = self._list_of(name.rpartition("/")[2])
        return None if kind == "ignored" else kind

    def speaks(self, name: str) -> bool:
        """Whether a file below a run's folder, where the documents are, is the composer's own: its name says
        more than a type that documents may have, too."""
        plain = name.rpartition("/")[2].lower().removesuffix(".gz")
        kind = self.kind(plain)
        if kind == "summary":
            return _RUN_SUMMARY.fullmatch(plain) is not None
        if kind == "messages":
            return self._precision(plain, kind) > _TYPE_CHARS
        return kind in ("exceptions", "deliveries", "xml_messages")

    def names_one(self, name: str) -> bool:
        """Whether a file of a run's folder is the composer's own, be it read or ignored here."""
        return self._list_of(name) is not None

    def names_message_file(self, name: str) -> bool:
        """The same, but for indexes and manifests."""
        return self._list_of(name) not in (None, "started")

    def _list_of(self, name: str) -> str | None:
        plain = name.lower().removesuffix(".gz")
        kinds = ("exceptions", "deliveries", "summary", "started", "xml_messages", "messages")
        found = ((kind, self._precision(plain, kind)) for kind in kinds)
        kind, precision = next((pair for pair in found if pair[1]), (None, 0))
        return "ignored" if self._precision(plain, "ignored") > precision else kind

    def _precision(self, name: str, kind: str) -> int:
        """How many characters of a name the most precise glob of a list spells out; 0 if none fits."""
        fitting = (glob for glob in getattr(self, kind) if fnmatchcase(name, glob.lower()))
        return max((len(glob) - glob.count("*") for glob in fitting), default=0)


def _split(chain: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in chain.split(">"))
