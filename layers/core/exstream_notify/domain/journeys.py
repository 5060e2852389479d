"""Follow-up journeys: when a step is due, who is in it, and what ends it.

Members of one journey, step and due hour are a cohort: they are woken together, by one execution of
the state machine, however many they are. A journey is about one notice; its steps are notices of
their own, of purpose `step:<journey>:<number>`, decided and sent like any other.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo

from .documents import Channel, Document, DocumentRule
from .notices import REACHED, Attempt, Notice, Origin, Response, Status
from .payments import nothing_due

Stop = Literal["opened", "responded", "paid", "acknowledged", "opted_out"]
End = Literal["event", "paper", "case"]
Anchor = Literal["notice", "due_date"]
OnPaper = Literal["skip", "paper"]
WithoutChannel = Literal["other", "skip"]
IsHoliday = Callable[[str, date], bool]
"""Whether nobody works on a day, for its weekend or a public holiday, in a country (ISO 3166-1) or a region
(ISO 3166-2, such as `DE-BY`); the empty place has a weekend on Saturday and Sunday and no holiday."""

STOPPED = "journey stopped"
RESUMED = "journey resumed"
ENDED = "journey ended"
"""Events of the notice that a journey is about; the last one's detail begins with the journey's name."""

_STEP = "step:"
LATE = timedelta(days=1)
"""By so much a step that went out late puts off those that follow it."""

FIRST_ZONE, LAST_ZONE = timedelta(hours=14), timedelta(hours=12)
"""How far the first zone is ahead of UTC, and the last one behind it."""

_LONGEST_PAUSE = 400  # days looked ahead for a business day: a calendar without one is a mistake in it


@dataclass(frozen=True, slots=True)
class Delay:
    """An ISO 8601 duration, kept by calendar parts: a month is a month, not 30 days."""

    months: int = 0
    days: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One reminder; the last of a journey is its end and has `end` in place of words.

    `anchor` is what `delay` counts from: the notice's sending or the document's due date (negative:
    before it). With `business_days` its days are working days, and it never falls on another. `digest` are
    the words for several documents of one customer that are due together; empty: each is a message.
    `on_paper` says what becomes of it for a customer who gets paper by now, `without_channel` for one who
    has none of its channels: the type's other channel, or nothing.
    """

    delay: Delay
    anchor: Anchor = "notice"
    business_days: bool = False
    channels: tuple[Channel, ...] = ()
    wording: str = ""
    urgent: bool = False
    end: End | None = None
    team: str = ""
    on_paper: OnPaper = "skip"
    without_channel: WithoutChannel = "other"
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many messages of ours to one customer within so many days, whatever they are about."""

    messages: int
    days: int


@dataclass(frozen=True, slots=True)
class JourneyRule:
    """A journey as rules/journeys.yaml has it. `hour` is when due-date steps wake, in UTC.

    `fair_time` is how long after its notice a document that was overdue already has at least, to the end.
    `country` may be a region. `kept_as` is the version under which a running journey's rule was kept; a
    later release may know more fields, and would give it another.
    """

    name: str
    documents: tuple[str, ...]
    steps: tuple[Step, ...]
    stops: tuple[Stop, ...] = ("responded", "paid", "acknowledged", "opted_out")
    only_requires_ack: bool = False
    country: str = ""
    hour: int = 15
    cap: Cap | None = None
    changes_apply_to: Literal["new", "running"] = "new"
    asks_for_payment: bool | None = None
    kept_as: str = ""
    fair_time: Delay = Delay(days=14)

    @property
    def counts_working_days(self) -> bool:
        """Whether a calendar matters to it."""
        return any(step.business_days for step in self.steps)

    @property
    def hands_over(self) -> bool:
        """Whether its end gives the customer to others, a team or the printer, so that it must come."""
        return self.steps[-1].end in ("case", "paper")

    @property
    def follows_payment(self) -> bool:
        """Whether its steps ask for money: by the rule's word, else where one is counted from a due date."""
        if self.asks_for_payment is None:
            return any(step.anchor == "due_date" for step in self.steps)
        return self.asks_for_payment

    @property
    def version(self) -> str:
        """Twelve hex characters that name what the rule says; a change of a word is another version."""
        if self.kept_as:
            return self.kept_as
        return hashlib.blake2b(
            json.dumps(rule_body(self), sort_keys=True).encode(), digest_size=6
        ).hexdigest()


def most_days(step: Step) -> int:
    """Calendar days after its anchor by which a step is due: 31 a month, seven for five working ones.

    Zero for a step before its due date. Holidays come on top.
    """
    days = -(-step.delay.days * 7 // 5) if step.business_days else step.delay.days
    return max(0, 31 * step.delay.months + days + -(-step.delay.seconds // 86400))


def rule_body(rule: JourneyRule) -> dict[str, Any]:
    """The rule as JSON."""
    return {name: value for name, value in asdict(rule).items() if name != "kept_as"}


def rule_from(body: Mapping[str, Any]) -> JourneyRule:
    """The rule from JSON."""
    steps = tuple(
        Step(**{**step, "delay": Delay(**step["delay"]), "channels": tuple(step["channels"])})
        for step in body["steps"]
    )
    cap = Cap(**body["cap"]) if body["cap"] else None
    listed = {name: tuple(body[name]) for name in ("documents", "stops")}
    fair = {"fair_time": Delay(**body["fair_time"])} if "fair_time" in body else {}
    return JourneyRule(**{**body, **listed, **fair, "steps": steps, "cap": cap})


# --- cohorts and members -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Cohort:
    """Who is woken together. `hour` is `2026-11-27T15`, UTC; `step` counts from 1."""

    hour: str
    domain: str
    journey: str
    step: int

    @property
    def due(self) -> datetime:
        """When it wakes."""
        return datetime.fromisoformat(f"{self.hour}:00:00+00:00")

    @property
    def name(self) -> str:
        """Its name in a key."""
        return f"{self.hour}#{self.domain}#{self.journey}#{self.step}"

    @classmethod
    def from_name(cls, name: str) -> "Cohort":
        """Back from its name."""
        hour, domain, journey, step = name.split("#")
        return cls(hour, domain, journey, int(step))

    def execution(self, generation: int) -> str:
        """The name of its execution: at most 80 characters of those Step Functions takes.

        A closed execution's name cannot be used again for 90 days, so each start counts on.
        """
        about = hashlib.blake2b(self.name.encode(), digest_size=6).hexdigest()
        text = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in self.journey)[:36]
        return f"{self.hour}-{text}-{self.step}-{about}-{generation}"


@dataclass(frozen=True, slots=True)
class Member:
    """One notice in a cohort, with what its next steps' times are made of: no contact data.

    `base` is when its customer was told (ISO 8601, UTC); `due_date`, `country` (or region) and `zone` are
    empty if unknown. `asked` is when the step that waits was first put off by the cap (ISO 8601, UTC).
    `corrections` counts the corrections of its document (domain/corrections.py) that it knows of.
    """

    notice_id: str
    position: int
    base: str
    due_date: str = ""
    country: str = ""
    zone: str = ""
    asked: str = ""
    corrections: int = 0

    @property
    def was_overdue(self) -> bool:
        """Whether its due date was past, where the customer is, when the notice went out."""
        told = datetime.fromisoformat(self.base).astimezone(_zone_of(self)).date()
        return bool(self.due_date) and told > date.fromisoformat(self.due_date[:10])


@dataclass(frozen=True, slots=True)
class MemberRow:
    """The members of one slice: one item for up to a hundred, since each write costs by the kilobyte.

    `name` tells the job that wrote it, so that a repeat replaces itself; `version` pins the rule.
    """

    name: str
    version: str
    run: str
    slice_number: int
    part: str
    offset: int
    length: int
    members: tuple[Member, ...]


def cohort_at(domain: str, rule: JourneyRule, step: int, due: datetime) -> Cohort:
    """The cohort of a step that is due then: the first full hour that is not before it."""
    hour = due.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if hour < due:
        hour += timedelta(hours=1)
    return Cohort(hour.strftime("%Y-%m-%dT%H"), domain, rule.name, step)


def joins(rule: JourneyRule, document: Document, demanded: bool = False) -> bool:
    """Whether a document's notice begins this journey.

    One that follows a payment does not begin where nothing is due; `demanded`: the document's own type
    asks for payment.
    """
    if document.test_flag or document.document_type not in rule.documents:
        return False
    if (demanded or rule.follows_payment) and nothing_due(document):
        return False
    return document.requires_ack or not rule.only_requires_ack


def first_step(
    rule: JourneyRule, member: Member, now: datetime, is_holiday: IsHoliday
) -> tuple[int, datetime] | None:
    """Number and time of the first step that is still to come; None where no step has a time.

    A reminder of a due date that is past already when the notice goes out is left out: nobody wants
    "three days left" a day before. Of a document that is overdue by then no step follows within a day of its
    notice. The end always comes.
    """
    soonest = now + LATE if member.was_overdue else now
    for number, step in enumerate(rule.steps, 1):
        due = due_at(rule, step, member, is_holiday)
        if due is None:
            continue
        if step.end or due > (soonest if step.anchor == "due_date" else now):
            return number, max(due, now)
    return None


def next_step(
    rule: JourneyRule, member: Member, done: int, now: datetime, is_holiday: IsHoliday, *, told: bool = True
) -> tuple[int, datetime] | None:
    """The same after step `done`; one that an outage made late comes at once.

    Where `done` itself went out more than a day late, since somebody had stopped the journey perhaps, the
    next one keeps its distance from it: a last call is not to follow its reminder within the hour, nor the
    end the last call. `told`: whether `done` went out at all.
    """
    found = _from(rule, member, done + 1, now, is_holiday)
    if found is None or not told:
        return found
    # What the cap puts off leaves the steps after it where they are.
    sent = datetime.fromisoformat(member.asked) if member.asked else now
    before, following = rule.steps[done - 1], rule.steps[found[0] - 1]
    meant = due_at(rule, before, member, is_holiday)
    if meant is None or before.anchor != following.anchor or sent - meant < LATE:
        return found
    planned = due_at(rule, following, member, is_holiday) or found[1]
    then = (planned + (sent - meant)).astimezone(_zone_of(member))
    if following.business_days:
        place = member.country or rule.country
        then = _business_days(then, 0, lambda day: not is_holiday(place, day))
    return found[0], max(found[1], then.astimezone(UTC))


def is_past(step: Step, member: Member, now: datetime) -> bool:
    """Whether a reminder of a due date comes after that date, wherever the customer may be.

    Nobody wants "three days left" then. The customer's own day is asked at the decision (domain/moments.py).
    """
    return _is_past(step, member, now - LAST_ZONE)


def may_be_past(step: Step, member: Member, now: datetime) -> bool:
    """Whether it comes after that date somewhere, so that the customer's own day may be past it."""
    return _is_past(step, member, now + FIRST_ZONE)


def _is_past(step: Step, member: Member, now: datetime) -> bool:
    return (
        step.anchor == "due_date"
        and _hours(step.delay) < 0
        and bool(member.due_date)
        and now.date() > date.fromisoformat(member.due_date[:10])
    )


def _from(
    rule: JourneyRule, member: Member, start: int, now: datetime, is_holiday: IsHoliday
) -> tuple[int, datetime] | None:
    for number in range(start, len(rule.steps) + 1):
        due = due_at(rule, rule.steps[number - 1], member, is_holiday)
        if due is not None:
            return number, max(due, now)
    return None


def due_at(rule: JourneyRule, step: Step, member: Member, is_holiday: IsHoliday) -> datetime | None:
    """When a step is due for a member, in UTC; None where it hangs on a due date that is not known.

    Days are those of the customer's zone. The end of what began overdue leaves the rule's fair time.
    """
    zone, place = _zone_of(member), member.country or rule.country

    def works(day: date) -> bool:
        return not is_holiday(place, day)

    def moved(start: datetime, delay: Delay) -> datetime:
        if not step.business_days:
            return _later(start, delay)
        return _business_days(_later(start, replace(delay, days=0)), delay.days, works)

    if step.anchor == "notice":
        start = datetime.fromisoformat(member.base)
        local = start.astimezone(zone) if step.business_days else start
        return moved(local, step.delay).astimezone(UTC)
    if not member.due_date:
        return None
    at = moved(datetime.combine(date.fromisoformat(member.due_date[:10]), time(rule.hour), UTC), step.delay)
    at -= at.astimezone(zone).date() - at.date()
    if step.end and member.was_overdue:
        at = max(at, _later(datetime.fromisoformat(member.base), rule.fair_time)).astimezone(zone)
        at = _business_days(at, 0, works) if step.business_days else at
    return at.astimezone(UTC)


def _later(start: datetime, delay: Delay) -> datetime:
    return _add_months(start, delay.months) + timedelta(days=delay.days, seconds=delay.seconds)


def _zone_of(member: Member) -> tzinfo:
    return ZoneInfo(member.zone) if member.zone else UTC


def _business_days(start: datetime, days: int, works: Callable[[date], bool]) -> datetime:
    """So many working days on, or back; none at all still moves off a day that is none.

    A reminder before a date moves to the working day before, one after it to the one after.
    """
    one = timedelta(days=1 if days >= 0 else -1)
    at, left = start, abs(days)
    for _ in range(abs(days) * 3 + _LONGEST_PAUSE):
        if not left and works(at.date()):
            return at
        at += one
        if left and works(at.date()):
            left -= 1
    raise ValueError("no business day was found")


def _add_months(start: datetime, months: int) -> datetime:
    if not months:
        return start
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    for day in (start.day, 30, 29, 28):
        try:
            return start.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError("no such month")


# --- what ends it --------------------------------------------------------------------------------


def why_stopped(rule: JourneyRule, notice: Notice | None) -> str:
    """Why a member gets no further step, as the notice that the journey is about tells; empty: it goes on.

    That an operator stopped it is not among these: such a member is put aside, and can be resumed.
    """
    if notice is None:
        return "no_notice"
    if notice.superseded_by or notice.status == Status.SUPERSEDED:
        return "superseded"
    if rule.follows_payment and notice.corrections and notice.corrections[-1].nothing_due:
        return "nothing_due"
    answered: Sequence[Response] = notice.responses
    stopped = next((kind for kind in answered if kind in rule.stops), "")
    return stopped or ("" if went_out(notice) else "not_told")


def went_out(notice: Notice) -> bool:
    """Whether the customer was told, or perhaps was: a reminder is a message of its own, no repeat."""
    return notice.reached or notice.in_doubt


def is_stopped(notice: Notice) -> bool:
    """Whether an operator stopped the journeys of this notice: the last word counts."""
    for event in reversed(notice.events):
        if event.what in (STOPPED, RESUMED):
            return event.what == STOPPED
    return False


def has_ended(rule: JourneyRule, notice: Notice) -> bool:
    """Whether this journey's end is on record."""
    return any(e.what == ENDED and e.detail.split(" ")[0] == rule.name for e in notice.events)


def told_at(notice: Notice) -> list[datetime]:
    """When messages of a notice went out: its claims that were neither withdrawn nor refused."""
    return _claimed_at(
        notice, [a for a in notice.attempts if a.status not in (Status.FAILED, Status.SENDING)]
    )


def counted_from(notice: Notice) -> datetime:
    """When its customer was told, as far as anybody knows: the journey's days count from then.

    The first message that arrived, or that was accepted and not reported as failed. A message in doubt, or
    reported as late, counts only where no other one went out.
    """
    known = [a for a in notice.attempts if a.status in REACHED and a.status != Status.DELAYED]
    perhaps = [a for a in notice.attempts if a.status in (Status.DELAYED, Status.UNCONFIRMED)]
    began = _claimed_at(notice, known) or _claimed_at(notice, perhaps) or told_at(notice)
    return min(began, default=None) or datetime.fromisoformat(notice.created_at)


def as_told(member: Member, notice: Notice) -> Member:
    """The member counted from when its customer was told, where a later message did that; else the same.

    A cohort is joined when a message goes out. It may turn out not to have arrived, and another channel tells
    the customer days later.
    """
    base = as_base(counted_from(notice))
    return replace(member, base=base) if base > member.base else member


def as_base(at: datetime) -> str:
    """A moment as a member keeps it: in UTC, to the minute, so that two compare as texts."""
    return at.astimezone(UTC).isoformat(timespec="minutes")


def _claimed_at(notice: Notice, attempts: Collection[Attempt]) -> list[datetime]:
    numbers = {str(attempt.number) for attempt in attempts}
    return [
        datetime.fromisoformat(e.at)
        for e in notice.events
        if e.what == "claimed" and e.detail.split(" ")[0] in numbers
    ]


def capped_until(cap: Cap | None, told: Sequence[datetime], now: datetime) -> datetime | None:
    """When the next message would be within the cap, or None if it is now. `told` in any order."""
    if cap is None:
        return None
    window = timedelta(days=cap.days)
    recent = sorted(at for at in told if at > now - window)
    if len(recent) < cap.messages:
        return None
    return recent[len(recent) - cap.messages] + window


# --- steps as notices ----------------------------------------------------------------------------


def step_purpose(journey: str, number: int) -> str:
    """The purpose of a step's notice."""
    return f"{_STEP}{journey}:{number}"


def step_of(purpose: str) -> tuple[str, int] | None:
    """Journey and step of a purpose, or None if it is no step's."""
    if not purpose.startswith(_STEP):
        return None
    journey, _, number = purpose.removeprefix(_STEP).rpartition(":")
    return journey, int(number)


def records_of(notice: Notice) -> tuple[Origin, ...]:
    """The records of a notice's document: its own, and those that corrected it."""
    return notice.origin, *(correction.origin for correction in notice.corrections)


def is_step_of(step: Notice, notice: Notice) -> bool:
    """Whether a notice is a journey's step about this one, by the record that both came from."""
    records = {(o.run, o.slice_number, o.position) for o in records_of(notice)}
    mine = (step.origin.run, step.origin.slice_number, step.origin.position) in records
    return mine and step.audience == "customer" and step_of(step.purpose) is not None


def step_rule(rule: DocumentRule, journey: JourneyRule, number: int) -> DocumentRule:
    """The document's rule as it is for a step: channels and words of its own, and no copies to teams.

    That nobody could be reached by a reminder is no reason to print the document: its own end is.
    """
    step = journey.steps[number - 1]
    channels = step.channels or rule.channels
    others = tuple(c for c in rule.channels if c not in channels)
    return replace(
        rule,
        channels=channels,
        reserve=others if step.without_channel == "other" else (),
        without_channel=step.without_channel,
        on_paper=step.on_paper,
        wording=step.wording or rule.wording,
        urgent=step.urgent,
        both_channels=False,
        team_copy="none",
        teams=(),
        paper_on_failure=False,
        on_unconfirmed="alert",
        on_no_receipt="ignore" if rule.on_no_receipt == "ignore" else "alert",
        asks_for_payment=rule.demands_payment or journey.follows_payment,
        deadline_hours=_patience(journey, number) or rule.deadline_hours,
        purpose=step_purpose(journey.name, number),
    )


def _patience(journey: JourneyRule, number: int) -> int:
    """Hours for which a step may wait for its window: until the next one that counts from the same day."""
    step, *later = journey.steps[number - 1 :]
    following = next((s for s in later if s.anchor == step.anchor), None)
    return (_hours(following.delay) - _hours(step.delay)) if following else 0


def _hours(delay: Delay) -> int:
    return (delay.months * 30 + delay.days) * 24 + delay.seconds // 3600
