"""What must follow when something did not arrive: a next channel, a word of silence, a true count."""

from __future__ import annotations

from collections.abc import Iterator

from .book import Book, seconds, when
from .claims import claim
from .seen import Row, Sent

Contradictions = Iterator[tuple[str, list[str]]]

LOST = frozenset({"failed", "undelivered", "bounced"})
"""Statuses of a notice that reached nobody."""

SILENT = "no_receipt_at_deadline"

GRACE = 3 * 3600.0
"""Seconds that a receipt has at least after its message, and that the look at it takes."""

STOPPED = frozenset({"hold", "cancel"})


def _customers(book: Book) -> Iterator[tuple[str, Row]]:
    """Notices of runs to customers, of runs that nobody stopped."""
    for identity, notice in book.seen.shown.notices.items():
        run = book.seen.shown.runs.get(f"{notice.get('domain')}/{notice.get('run_id')}", {})
        mine = notice.get("audience") == "customer" and notice.get("purpose") == "notice"
        if mine and run.get("control") not in STOPPED:
            yield identity, notice


def _what(notice: Row) -> list[str]:
    return [f"{e['at']} {e['what']} {e['detail']}" for e in list(notice.get("events", ()))[-4:]]


@claim("Where a message reached nobody, the next channel follows, or a look says that none does.")
def next_channel_follows(book: Book) -> Contradictions:
    """A notice that failed and still has a channel is due, or was settled."""
    for identity, notice in _customers(book):
        if notice["status"] not in LOST or not notice.get("waiting") or notice.get("due_at"):
            continue
        newest = notice["events"][-1]
        at = seconds(str(newest["at"])) or 0.0
        if not newest["what"].startswith("settled") and at + book.seen.slack < book.seen.shown.at:
            waits = f"it is {notice['status']}, and {', '.join(notice['waiting'])} is never tried"
            yield identity, [waits, *_what(notice)]


def _silent(book: Book) -> Iterator[tuple[str, Row, Sent]]:
    """Newest messages whose acceptance was heard, of which nobody said anything until long after their
    deadline."""
    now = book.seen.shown.at
    erased = {(act.domain, act.customer) for act in book.acts["erase"]}
    spoken = {told.number for told in book.seen.told}
    for identity, notice in _customers(book):
        messages = book.by_notice.get(identity, ())
        if not messages or (notice["domain"], notice["customer_key"]) in erased:
            continue
        message = messages[-1]
        begins = seconds(str(notice.get("created_at") or "")) or message.at
        limit = max(begins + book.rules.deadline(str(notice["document_type"])), message.at) + GRACE
        if message.heard and message.number not in spoken and limit + book.seen.slack < now:
            yield identity, notice, message


@claim("A message of which nobody hears is noticed at its deadline, as its type's rule says.")
def silence_is_noticed(book: Book) -> Contradictions:
    """Counted by an incident, or followed by another channel or paper."""
    counted = _counted(book, SILENT)
    alerted: list[str] = []
    for identity, notice, message in _silent(book):
        wish = book.rules.certain(str(notice["document_type"]), "on_no_receipt")
        if wish == "alert" and notice["status"] == "sent":
            alerted.append(book.line(message))
        elif wish in ("other_channel", "paper") and notice["status"] == "sent":
            yield (
                identity,
                [book.line(message), f"the rule is {wish}, and it is shown as sent", *_what(notice)],
            )
    if len(alerted) > counted:
        yield SILENT, [f"{len(alerted)} messages are silent, incidents count {counted}", *alerted[:5]]


def _counted(book: Book, code: str) -> int:
    """What all incidents that have a code count, of whatever run: those of several are put together."""
    return sum(int(i["count"]) for i in book.seen.shown.incidents if code in i.get("codes", ()))


@claim("Incidents count every send in doubt, and every one that a provider refused for its content.")
def incidents_count_the_sends(book: Book) -> Contradictions:
    """All together, by code: a doubt that a notice shows, and a refusal that the provider remembers."""
    doubts, refused = list[str](), list[str]()
    for identity, notice in book.seen.shown.notices.items():
        if notice.get("audience") != "customer":
            continue
        if any(event["what"] == "unconfirmed" for event in notice["events"]):
            doubts.append(identity)
        failed = {f"{identity}:{a['number']}" for a in notice["attempts"] if a["status"] == "failed"}
        if any(one.content and one.refused and one.ref in failed for one in book.tries.get(identity, ())):
            refused.append(identity)
    for code, found in (("send_unconfirmed", doubts), ("send_refused", refused)):
        if len(found) > (counted := _counted(book, code)):
            yield code, [f"{len(found)} notices, {counted} counted by incidents", *found[:5]]


@claim("What a provider refused in so many words, and nobody else was asked, is no doubt.")
def certain_answers_count(book: Book) -> Contradictions:
    """Also where the worker that heard it was slow; not where one was killed, or handed it over again."""
    if book.seen.senders_died:
        return
    for run, rows in book.seen.shown.rows.items():
        for row in rows:
            identity = str(row.get("notice_id") or "")
            tries = book.tries.get(identity, ())
            if row["outcome"] != "unconfirmed" or book.by_notice.get(identity) or not tries:
                continue
            notice = book.notice(identity)
            again = any(event["what"] == "resubmitted" for event in notice.get("events", ()))
            if not again and all(one.refused and one.heard for one in tries):
                said = [
                    f"{when(one.at)} {one.provider} refused {one.ref}, and the worker heard it"
                    for one in tries
                ]
                yield f"{run} record {row['position']}", [*said, *_what(notice)]


@claim("The same content once more under a run's id is no news: nobody is alerted of another.")
def same_content_is_no_news(book: Book) -> Contradictions:
    """Runs that were dropped again as they were, sealed or not."""
    wrong = {"run_id_reused", "late_seal_disagrees"}
    for run, drops in book.drops.items():
        first = [record.fields for record in drops[0].records]
        if len(drops) < 2 or any([r.fields for r in d.records] != first or not d.complete for d in drops):
            continue
        domain, _, run_id = run.partition("/")
        for incident in book.seen.shown.incidents:
            codes = wrong.intersection(incident.get("codes", ()))
            if codes and (incident.get("domain"), incident.get("run_id")) == (domain, run_id):
                yield (
                    run,
                    [f"{len(drops)} times the same {len(first)} records", f"{', '.join(sorted(codes))}"],
                )
