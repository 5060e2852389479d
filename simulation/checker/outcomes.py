"""What the product says of a notice, against the providers' own record."""

from __future__ import annotations

from collections.abc import Iterator

from .book import Book, seconds
from .claims import claim
from .reading import CONFIRM_HOURS, SILENT_FROM
from .seen import Row, Sent

Contradictions = Iterator[tuple[str, list[str]]]


def _rows(book: Book) -> Iterator[tuple[str, Row, list[Sent]]]:
    """Every record that has a notice, and what was accepted of that notice."""
    for run, rows in book.seen.shown.rows.items():
        for row in rows:
            identity = str(row.get("notice_id") or "")
            if identity and row["outcome"] != "duplicate" and _is_its_own(book, run, row):
                yield run, row, list(book.by_notice.get(identity, ()))


def _is_its_own(book: Book, run: str, row: Row) -> bool:
    """Whether a record's notice is its own, and not taken over by another record since."""
    notice = book.notice(str(row["notice_id"]))
    return not notice or (notice.get("domain"), notice.get("run_id")) == tuple(run.split("/", 1))


def _said(run: str, row: Row) -> tuple[str, str]:
    return f"{run} record {row['position']}", f"shown as {row['outcome']} ({row['reason']})"


def _lines(book: Book, messages: list[Sent]) -> list[str]:
    found = [line for m in messages for line in (book.line(m), *book.reports(m))]
    return found or ["nothing was accepted of it"]


@claim("Who is shown as notified has an accepted message that is not known to have failed.")
def notified_means_accepted(book: Book) -> Contradictions:
    """And the product knows of it: by the answer, or by a report."""
    for run, row, messages in _rows(book):
        if row["outcome"] != "notified":
            continue
        about, said = _said(run, row)
        standing = [m for m in messages if book.fate(m, sure=True) != "failed"]
        if not standing:
            yield about, [said, *_lines(book, messages)]
        elif not any(book.known_to_be_out(m) for m in standing):
            yield about, [said, "no answer and no report says that it was accepted", *_lines(book, messages)]


@claim("Who is shown as failed, suppressed or waiting has no message on its way; a doubt is shown as one.")
def untold_means_not_accepted(book: Book) -> Contradictions:
    """`failed`, `suppressed`, `deferred`: every accepted message of the notice is reported as failed."""
    for run, row, messages in _rows(book):
        if row["outcome"] not in ("failed", "suppressed", "deferred", "rejected"):
            continue
        standing = [m for m in messages if _stands(book, m)]
        if standing:
            about, said = _said(run, row)
            yield about, [said, *_lines(book, standing)]


def _stands(book: Book, message: Sent) -> bool:
    """Whether a message must count as on its way: nobody reported a failure, or surely a delivery after
    it."""
    if not book.ever_failed(message, book.seen.shown.at):
        return True
    return book.fate(message) == book.fate(message, sure=True) == "delivered"


@claim("A document goes on paper beside a message only where that failed, or a rule says so.")
def paper_means_not_accepted(book: Book) -> Contradictions:
    """The rule: what follows a doubt (`on_unconfirmed`) or a silence (`on_no_receipt`) is `paper`, or another
    channel, of which none is left, with `paper_on_failure`."""
    for run, row, messages in _rows(book):
        if row["outcome"] != "paper":
            continue
        late = book.seen.shown.at
        standing = [m for m in messages if not book.ever_failed(m, late)]
        arrived = [m for m in standing if book.fate(m) == "delivered" and m.heard and not book.seen.faults]
        if arrived or not all(_is_printed_by_rule(book, row, m) for m in standing):
            about, said = _said(run, row)
            yield about, [said, *_lines(book, standing), *book.events(str(row["notice_id"]))]


def _is_printed_by_rule(book: Book, row: Row, message: Sent) -> bool:
    """Whether the rule of a document's type may have it printed beside a message that may have arrived."""
    kind = str(row["document_type"])
    at = _printed_at(book, row)

    def prints(key: str, *others: str) -> bool:
        further = book.rules.may(kind, key, *others) and book.rules.may(kind, "paper_on_failure", True)
        return further or book.rules.may(kind, key, "paper")

    # In doubt: the answer was lost, or the worker may have died before it wrote it down.
    in_doubt = (not message.heard or book.seen.faults) and at - message.began >= CONFIRM_HOURS * 3600.0
    if in_doubt and prints("on_unconfirmed", "other_channel", "resend"):
        return True
    return at - message.at >= SILENT_FROM and prints("on_no_receipt", "other_channel")


def _printed_at(book: Book, row: Row) -> float:
    """When a document was last given to paper, as the command shows it; the end of the history where it does
    not say."""
    events = book.notice(str(row["notice_id"])).get("events", ())
    told = [str(event["at"]) for event in events if event["what"] == "paper"]
    return (seconds(told[-1]) if told else None) or book.seen.shown.at


@claim("A doubt is shown only where there is one: an answer was lost, or a worker died.")
def doubt_means_unknown(book: Book) -> Contradictions:
    """And a report that resolves it is heard."""
    for run, row, messages in _rows(book):
        if row["outcome"] != "unconfirmed":
            continue
        about, said = _said(run, row)
        unheard = [m for m in messages if not m.heard]
        vague = [t for t in book.tries.get(str(row["notice_id"]), ()) if not t.refused]
        if not unheard and not vague and not book.seen.faults:
            yield about, [said, *_lines(book, messages)]
        reported = [m for m in messages if book.fate(m, sure=True) == "delivered" and _long_ago(book, m)]
        if reported:
            yield about, [said, *_lines(book, reported)]


def _long_ago(book: Book, message: Sent) -> bool:
    """Whether the newest report of a message had time to be heard."""
    said = book.told.get(message.number, ())
    return bool(said) and max(t.at for t in said if t.sure) + book.seen.slack < book.seen.shown.at


@claim(
    "Every message that a provider accepted belongs to a notice that the command shows, with that attempt."
)
def nothing_is_sent_unrecorded(book: Book) -> Contradictions:
    """By the reference that the request carries."""
    for message in book.sent:
        notice = book.notice(message.notice)
        number = message.ref.partition(":")[2]
        attempts = {str(a["number"]): a for a in notice.get("attempts", ())}
        if not notice:
            yield message.ref, [book.line(message), "the command shows no such notice"]
        elif number not in attempts:
            yield message.ref, [book.line(message), f"the notice has the attempts {sorted(attempts)}"]
        elif attempts[number]["status"] in ("failed", "sending") and _stands(book, message):
            yield message.ref, [book.line(message), f"the attempt is shown as {attempts[number]['status']}"]
