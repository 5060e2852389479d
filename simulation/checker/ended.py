"""Nothing after the end: what was handed over by workers that began after somebody had ended it.

The grace is the same everywhere: a worker reads what holds when it begins, so what it hands over may still go
out (docs/preferences.md, erasure; docs/rules.md, "before means before the claim"). One that begins `MOMENT`
after the act was done, or the history's slack after it was said in an event, must obey.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from .book import MOMENT, Book, document_of, seconds, when
from .claims import claim
from .seen import Act, Row, Sent

DAY = 86_400.0

Contradictions = Iterator[tuple[str, list[str]]]


def _after(
    book: Book, kind: str, meant: Callable[[Act, Row, Sent], bool], *, lasting: bool = False
) -> Contradictions:
    """Messages that an act forbids, handed over by workers that began after it."""
    spans = (
        list(book.spans(kind))
        if lasting
        else [(act, book.holds_from(act), float("inf")) for act in book.acts[kind]]
    )
    if not spans:
        return
    for message in book.messages:
        notice = book.notice(message.notice)
        for act, start, end in spans:
            if start < message.began < end and meant(act, notice, message):
                yield (
                    message.ref,
                    [_line(act), f"a worker began at {when(message.began)}", book.line(message)],
                )


def _line(act: Act) -> str:
    named = (
        act.domain,
        act.run,
        act.customer,
        act.document,
        act.case,
        act.channel,
        act.topic,
        act.journey,
        act.response,
    )
    done = f", done at {when(act.done)}" if act.done is not None else ""
    return f"{when(act.at)} {act.kind} {' '.join(filter(None, named))}{done}"


def _is_step(notice: Row) -> bool:
    return str(notice.get("purpose", "")).startswith("step:")


def _is_ours(notice: Row) -> bool:
    """Whether it is about a document, to its customer: not a code, a note or an answer to a reply."""
    return notice.get("audience") == "customer" and (notice.get("purpose") == "notice" or _is_step(notice))


@claim("Nothing is sent on a channel or for a domain that is switched off.")
def switched_off_is_silent(book: Book) -> Contradictions:
    """A channel's name, or a domain's. Alerts to teams go on."""

    def meant(act: Act, notice: Row, message: Sent) -> bool:
        return act.channel in ("", message.channel) and act.domain in ("", notice.get("domain"))

    yield from _after(book, "switch off", meant, lasting=True)


@claim("Nothing of a run is sent while it is held, nor after it was cancelled, nor is it followed up.")
def stopped_runs_are_silent(book: Book) -> Contradictions:
    """A record that another run took over is that run's."""

    def meant(act: Act, notice: Row, message: Sent) -> bool:
        held_step = act.kind == "hold" and _is_step(notice)
        return not held_step and f"{notice.get('domain')}/{notice.get('run_id')}" == act.run

    yield from _after(book, "hold", meant, lasting=True)
    yield from _after(book, "cancel", meant)


@claim("Nothing that existed before goes to a customer who was erased.")
def erased_is_silent(book: Book) -> Contradictions:
    """A record that was composed later begins anew."""

    def meant(act: Act, notice: Row, message: Sent) -> bool:
        if not book.about(act, notice):
            return False
        made = [
            datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
            for one in book.records_of(notice)
            if (text := str(one.record.fields.get("produced_at") or "")).count("T")
        ]
        return all(at < act.at for at in made) or not made

    yield from _after(book, "erase", meant)


@claim("Nothing about a topic is sent on a channel that its customer ended.")
def opted_out_is_silent(book: Book) -> Contradictions:
    """A stopped number is everybody's; a customer's opt-out is of the topics and channels that it names."""

    def meant(act: Act, notice: Row, message: Sent) -> bool:
        if not _is_ours(notice) or act.channel not in ("", message.channel):
            return False
        if act.address:
            return act.address == message.address
        topic = book.rules.certain(str(notice.get("document_type", "")), "topic")
        return book.about(act, notice) and act.topic in ("", "*", topic)

    yield from _after(book, "opt out", meant, lasting=True)


@claim("Who wants paper, or took the consent to electronic delivery back, gets no message.")
def paper_is_silent(book: Book) -> Contradictions:
    """Until they want messages again."""

    def meant(act: Act, notice: Row, message: Sent) -> bool:
        return _is_ours(notice) and book.about(act, notice)

    yield from _after(book, "want paper", meant, lasting=True)
    yield from _after(book, "withdraw consent", meant, lasting=True)


@claim("Who responded gets no further channel, no reminder and no notice of it.")
def responded_is_silent(book: Book) -> Contradictions:
    """Which responses end what: docs/rules.md (responses), the journey's own `stops` (docs/journeys.md)."""

    def meant(act: Act, notice: Row, message: Sent) -> bool:
        if not _is_ours(notice) or not book.about(act, notice):
            return False
        early = not any(one.drop.at < act.at for one in book.records_of(notice))
        if early and not (act.customer and act.document):
            return False  # it was about what had been dropped before
        if _is_step(notice):
            return act.response in book.rules.stops(str(notice["purpose"]).split(":")[1])
        return act.response in ("responded", "acknowledged", "paid")

    yield from _after(book, "respond", meant)


@claim("Who must not be asked for money is not asked.")
def held_debt_is_silent(book: Book) -> Contradictions:
    """Notices of class collections, and steps of journeys that count from a due date."""

    def meant(act: Act, notice: Row, message: Sent) -> bool:
        if act.customer != notice.get("customer_key") or act.domain not in ("", notice.get("domain")):
            return False
        if _is_step(notice):
            return book.rules.is_about_money(str(notice["purpose"]).split(":")[1])
        kind = str(notice.get("document_type", ""))
        return book.rules.asks_for_payment(kind) or book.rules.certain(kind, "class") == "collections"

    yield from _after(book, "do not dun", meant, lasting=True)


@claim("No reminder is sent of a journey that an operator stopped.")
def stopped_journeys_are_silent(book: Book) -> Contradictions:
    """Of a customer, a document, a run, or a whole journey."""

    def meant(act: Act, notice: Row, message: Sent) -> bool:
        journey = str(notice.get("purpose", "")).split(":")[1] if _is_step(notice) else ""
        return _is_step(notice) and act.journey in ("", journey) and book.about(act, notice)

    yield from _after(book, "stop journey", meant, lasting=True)


@claim("A notice goes out before its type's deadline, and a fallback soon after what made it necessary.")
def deadline_is_kept(book: Book) -> Contradictions:
    """Counted from when the run was taken or last released (docs/rules.md, `deadline_hours`). A fallback
    counts from what happened last: a message, its report, or the deadline of the message before it."""
    for notice_id, messages in book.by_notice.items():
        notice = book.notice(notice_id)
        if notice.get("purpose") != "notice" or notice.get("audience") != "customer":
            continue
        begins = _taken_at(book, notice)
        if begins is None:
            continue
        hours = book.rules.deadline(str(notice.get("document_type", "")))
        for number, message in enumerate(messages):
            limit = begins + hours + MOMENT
            if number:
                news = [
                    t.at for m in messages[:number] for t in book.told.get(m.number, ()) if t.at < message.at
                ]
                # It may have to wait for a receipt until the deadline, then for the customer's day.
                limit = (
                    max([begins, messages[number - 1].at, *news]) + 2 * hours + 1.5 * DAY + book.seen.slack
                )
            if message.began > limit:
                late = f"a worker began at {when(message.began)}"
                yield notice_id, [f"the deadline was {when(limit)}", late, book.line(message)]
                break


def _taken_at(book: Book, notice: Row) -> float | None:
    """When the deadlines of a notice's run begin; None where the run is not shown."""
    run = f"{notice.get('domain')}/{notice.get('run_id')}"
    shown = book.seen.shown.runs.get(run)
    if shown is None:
        return None
    taken = [seconds(str(shown.get("opened_at") or "")) or 0.0]
    taken += [drop.sealed_at or drop.at for drop in book.drops.get(run, ())]
    return max([*taken, *(act.done or act.at for act in book.acts["release"] if act.run == run)])


@claim("Nobody is told of a document after they were told of the one that supersedes it.")
def superseded_is_silent(book: Book) -> Contradictions:
    """Notices and steps of the old document, handed over by workers that began after the new one's
    message."""
    for given in book.seen.drops:
        for record in given.records:
            old = str(record.fields.get("supersedes") or "")
            if not old:
                continue
            whose = (
                given.domain,
                str(record.fields.get("customer_key")),
                str(record.fields.get("recipient") or ""),
            )
            new = [m.at for m in book.by_document.get((*whose, document_of(record.fields)), ())]
            if not new:
                continue
            for message in book.by_document.get((*whose, old), ()):
                if message.began > min(new) + MOMENT:
                    yield (
                        message.ref,
                        [f"the new document was told of at {when(min(new))}", book.line(message)],
                    )
