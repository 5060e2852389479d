"""rules/journeys.yaml as validated data, and what only it needs: ISO 8601 durations, holidays."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..domain.documents import Channel
from ..domain.journeys import Cap, Delay, End, JourneyRule, OnPaper, Step, Stop, WithoutChannel
from .calendars import is_day_off, known_place


def _delay(text: str) -> Delay:
    """`P7D`, `-P3D`, `P1M`, `PT36H`; ValueError for what is no ISO 8601 duration."""
    import isodate  # type: ignore[import-untyped]

    try:
        found = isodate.parse_duration(text)
    except (isodate.ISO8601Error, TypeError) as error:
        raise ValueError("not an ISO 8601 duration, such as P7D, -P3D or PT36H") from error
    months = 0
    if isinstance(found, isodate.Duration):
        months = int(found.years * 12 + found.months)
        found = found.tdelta
    seconds = int(found.total_seconds())
    days = int(seconds / 86400)
    return Delay(months, days, seconds - days * 86400)


class _Timed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    after: str | None = None
    around_due_date: str | None = None
    business_days: bool = False

    @field_validator("after", "around_due_date")
    @classmethod
    def _duration(cls, value: str | None) -> str | None:
        if value is not None:
            _delay(value)
        return value

    @model_validator(mode="after")
    def _one_anchor(self) -> "_Timed":
        if (self.after is None) == (self.around_due_date is None):
            raise ValueError("either after or around_due_date is needed")
        if self.after is not None and self.after.startswith("-"):
            raise ValueError("nothing comes before the notice: around_due_date may be negative")
        delay = _delay(self.after or self.around_due_date or "")
        if self.business_days and (delay.months or delay.seconds):
            raise ValueError("business days are counted in whole days, such as P5D")
        return self

    def fields(self) -> dict[str, Any]:
        """As a step's."""
        return {
            "delay": _delay(self.after or self.around_due_date or ""),
            "anchor": "notice" if self.after is not None else "due_date",
            "business_days": self.business_days,
        }


class _Step(_Timed):
    channels: tuple[Channel, ...] = ()
    wording: str = Field(min_length=1)
    digest: str = ""
    urgent: bool = False
    on_paper: OnPaper | None = None
    without_channel: WithoutChannel | None = None


class _End(_Timed):
    end: End
    team: str = ""

    @model_validator(mode="after")
    def _has_team(self) -> "_End":
        if (self.end == "case") != bool(self.team):
            raise ValueError("a case names its team, and nothing else does")
        return self


class _Cap(BaseModel):
    model_config = ConfigDict(extra="forbid")

    messages: int = Field(ge=1)
    days: int = Field(ge=1, le=365)


class JourneyModel(BaseModel):
    """One journey as the file has it."""

    model_config = ConfigDict(extra="forbid")

    documents: tuple[str, ...] = Field(min_length=1)
    steps: tuple[_Step, ...] = Field(min_length=1)
    unanswered: _End
    stops: tuple[Stop, ...]
    only_requires_ack: bool
    country: str = Field(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")
    hour: int = Field(ge=0, le=23)
    cap: _Cap | None
    changes_apply_to: Literal["new", "running"]
    asks_for_payment: bool | None = None
    on_paper: OnPaper = "skip"
    without_channel: WithoutChannel = "other"
    fair_time: str = "P14D"

    @field_validator("country")
    @classmethod
    def _calendar_is_known(cls, place: str) -> str:
        if place and known_place(place) != place:
            raise ValueError(
                f"no calendar of {place} is known: write a country, such as DE, or a region, DE-BY"
            )
        return place

    @field_validator("fair_time")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        if value.startswith("-"):
            raise ValueError("no time comes before the notice")
        _delay(value)
        return value

    @model_validator(mode="after")
    def _one_after_the_other(self) -> "JourneyModel":
        for anchor in ("notice", "due_date"):
            delays = [
                (f["delay"].months * 30 + f["delay"].days) * 86400 + f["delay"].seconds
                for step in (*self.steps, self.unanswered)
                if (f := step.fields())["anchor"] == anchor
            ]
            if delays != sorted(delays) or len(set(delays)) < len(delays):
                raise ValueError("steps come one after the other, the end last")
        return self

    def rule(self, name: str) -> JourneyRule:
        """As the domain has it."""
        steps = [
            Step(
                **s.fields(),
                channels=s.channels,
                wording=s.wording,
                digest=s.digest,
                urgent=s.urgent,
                on_paper=s.on_paper or self.on_paper,
                without_channel=s.without_channel or self.without_channel,
            )
            for s in self.steps
        ]
        steps.append(Step(**self.unanswered.fields(), end=self.unanswered.end, team=self.unanswered.team))
        return JourneyRule(
            name=name,
            documents=self.documents,
            steps=tuple(steps),
            stops=self.stops,
            only_requires_ack=self.only_requires_ack,
            country=self.country,
            hour=self.hour,
            cap=Cap(self.cap.messages, self.cap.days) if self.cap else None,
            changes_apply_to=self.changes_apply_to,
            asks_for_payment=self.asks_for_payment,
            fair_time=_delay(self.fair_time),
        )


def is_holiday(place: str, day: date) -> bool:
    """See `IsHoliday` (domain/journeys.py), without a site's own days."""
    return is_day_off(place, day)
