"""Reminders: each step at most once, in order, in its time, and none after the end; texts only by day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from .book import Book, Key, seconds, when
from .claims import claim
from .reading import LEGAL_HOURS, Step, day_in, in_hours, zones_of
from .seen import Row, Sent

Contradictions = Iterator[tuple[str, list[str]]]

UNDER_WAY = 60.0
"""Seconds that a text which was handed over by day may take until it is accepted."""

EARLY = timedelta(days=8)
"""So much earlier a step counted in working days may come before a due date: weekends and holidays lie
between."""

CLOCKS = 3600.0
"""Seconds by which a step may seem early: cohorts wake at full hours, and instances' clocks differ."""


@claim("A text goes to a customer only by day, where the customer is: 8 to 21, or the customer's own hours.")
def texts_go_by_day(book: Book) -> Contradictions:
    """Counted from when it was handed over: at its acceptance, or when its worker began."""
    for message in book.messages:
        notice = book.notice(message.notice)
        if message.channel != "sms" or not book.to_customer(message):
            continue
        zones = _zones(book, notice, message)
        hours = _own_hours(book, notice, message)
        if any(in_hours(at, zones, hours) for at in (message.at, message.at - UNDER_WAY, message.began)):
            continue
        yield message.ref, [book.line(message), f"the customer is in {', '.join(zones) or 'New York'}"]


def _zones(book: Book, notice: Row, message: Sent) -> tuple[str, ...]:
    """Every zone that the customer may be in, by what records said of them."""
    found: list[str] = []
    for one in book.by_contact.get(book.key_of(notice)[:3], ()):
        if one.drop.at <= message.at:
            found += zones_of(one.record.fields, message.address)
    return tuple(dict.fromkeys(found))


def _own_hours(book: Book, notice: Row, message: Sent) -> tuple[time, time]:
    """The customer's own hours within the legal ones, where they hold for certain."""
    acts = [
        a for a in book.acts["quiet hours"] if book.about(a, notice) and book.holds_from(a) < message.began
    ]
    if not acts or not acts[-1].hours:
        return LEGAL_HOURS
    opens, closes = (time.fromisoformat(text) for text in acts[-1].hours.split("-"))
    narrowed = max(opens, LEGAL_HOURS[0]), min(closes, LEGAL_HOURS[1])
    return narrowed if narrowed[0] < narrowed[1] else LEGAL_HOURS


# --- steps ----------------------------------------------------------------------------------------


def _steps(book: Book) -> Mapping[tuple[Key, str], Sequence[tuple[int, Sent]]]:
    """Accepted messages of steps by document and journey, in the order of time."""
    found: dict[tuple[Key, str], list[tuple[int, Sent]]] = {}
    for message in book.messages:
        notice = book.notice(message.notice)
        purpose = str(notice.get("purpose", ""))
        if purpose.startswith("step:") and notice.get("audience") == "customer":
            _, journey, number = purpose.split(":")
            found.setdefault((book.key_of(notice), journey), []).append((int(number), message))
    return found


@claim("The steps of a journey come in order, each once.")
def steps_come_in_order(book: Book) -> Contradictions:
    """By customer, document and journey; a step's own fallback is not another step."""
    for (key, journey), steps in _steps(book).items():
        latest = 0
        notices: dict[int, str] = {}
        for number, message in steps:
            about = f"{'/'.join(key)} {journey}"
            other = notices.setdefault(number, message.notice)
            if other != message.notice and len({_edition(book, n) for n in (other, message.notice)}) == 1:
                yield about, [f"step {number} has two notices", *(book.line(m) for _, m in steps)]
            if number < latest:
                yield about, [f"step {number} after step {latest}", *(book.line(m) for _, m in steps)]
            latest = max(latest, number)


def _edition(book: Book, identity: str) -> str:
    notice = book.notice(identity)
    return next((book.edition(one) for one in book.records_of(notice)), "")


@claim("No step comes before its time, and none that announces a date after that date.")
def steps_come_in_time(book: Book) -> Contradictions:
    """Counted from when the document's notice reached its customer, or may have, or from its due date."""
    for (key, journey), steps in _steps(book).items():
        for number, message in steps:
            rules = book.rules.steps(journey, number)
            about = f"{'/'.join(key)} {journey} step {number}"
            told = _told(book, key, message)
            if told is None or not rules:
                yield about, ["no such step follows an accepted notice, nor a doubt", book.line(message)]
                continue
            times = [_earliest(book, step, told, message) for step in rules]
            earliest = min((at for at in times if at is not None), default=0.0)
            if None not in times and message.at < earliest - CLOCKS:
                yield about, [f"it is not due before {when(earliest)}", book.line(message)]
            dates = _due_dates(book, message)
            announces = all(step.around is not None and step.around < timedelta(0) for step in rules)
            if announces and dates:
                today = day_in(message.began, _zones(book, book.notice(message.notice), message))
                if today > max(dates):
                    yield about, [f"the date that it announces is past: {max(dates)}", book.line(message)]


def _told(book: Book, key: Key, step: Sent) -> float | None:
    """When the customer was told of a step's document, or perhaps was, as far as could be known before the
    step was handed over; None: never."""
    before = (m for m in book.by_document.get(key, ()) if m.at <= step.at)
    firsts = [m for m in before if book.notice(m.notice).get("purpose") == "notice"]
    known = step.began - book.seen.slack
    if firsts:
        standing = [m for m in firsts if book.fate(m, known, sure=True) != "failed"]
        return (standing or firsts)[0].began
    doubts = [
        seconds(str(event["at"]))
        for notice in book.seen.shown.notices.values()
        if notice.get("purpose") == "notice" and book.key_of(notice) == key
        for event in notice.get("events", ())
        if event["what"] == "unconfirmed"
    ]
    return min((at for at in doubts if at is not None and at < step.at), default=None)


def _earliest(book: Book, step: Step, told: float, message: Sent) -> float | None:
    """The first moment at which a step may be due; working days are counted as days, so it may be later."""
    if step.after is not None:
        return told + step.after.total_seconds()
    dates = _due_dates(book, message)
    if step.around is None or not dates:
        return None
    before = step.business_days and step.around < timedelta(0)
    start = datetime.combine(min(dates), time(), UTC) + step.around - (EARLY if before else timedelta(days=1))
    return start.timestamp()


def _due_dates(book: Book, message: Sent) -> list[date]:
    """The due dates that records of a message's document said until then."""
    found = []
    for one in book.records_of(book.notice(message.notice)):
        text = str(one.record.fields.get("due_date") or "")
        if one.drop.at <= message.at and text:
            try:
                found.append(date.fromisoformat(text))
            except ValueError:
                continue
    return found


@claim("Nothing of a journey is sent after its end.")
def nothing_after_the_journeys_end(book: Book) -> Contradictions:
    """The end that was published: `Journey Unanswered`."""
    for end in book.seen.published:
        if end.kind != "Journey Unanswered":
            continue
        journey = str(end.detail.get("journey"))
        about = book.notice(str(end.detail.get("notice_id")))
        if not about:
            continue
        for _, message in _steps(book).get((book.key_of(about), journey), ()):
            if message.began > end.at + CLOCKS:
                yield message.ref, [f"{when(end.at)} the journey {journey} ended", book.line(message)]


@claim("A journey's end is published once, however often it is told.")
def journeys_end_once(book: Book) -> Contradictions:
    """Repeats of an event have its `event_id`."""
    ends: dict[tuple[str, str], dict[str, float]] = {}
    for end in book.seen.published:
        if end.kind == "Journey Unanswered":
            named = str(end.detail.get("notice_id")), str(end.detail.get("journey"))
            ends.setdefault(named, {}).setdefault(str(end.detail.get("event_id")), end.at)
    for (notice, journey), told in ends.items():
        if len(told) > 1:
            yield f"{notice} {journey}", [f"{when(at)} ended, as event {name}" for name, at in told.items()]


@claim("Reminders keep to their journey's cap: so many messages to a customer in so many days.")
def cap_is_kept(book: Book) -> Contradictions:
    """One more than the cap is allowed, since two journeys that wake together do not see each other."""
    contacts: dict[tuple[str, str, str], list[Sent]] = {}
    for message in book.messages:
        if book.to_customer(message):
            contacts.setdefault(book.key_of(book.notice(message.notice))[:3], []).append(message)
    for messages in contacts.values():
        for number, message in enumerate(messages):
            purpose = str(book.notice(message.notice).get("purpose", ""))
            cap = book.rules.cap(purpose.split(":")[1]) if purpose.startswith("step:") else None
            if cap is None:
                continue
            most, days = cap
            start = message.began - days * 86_400.0
            recent = {
                m.ref
                for m in messages[:number]
                if m.at > start and m.at < message.began and m.ref != message.ref
            }
            if len(recent) > most:
                yield (
                    message.ref,
                    [f"{len(recent)} messages in {days} days before it", book.line(message)],
                )
