"""Told once, and never silent: what was accepted against what had to be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from .book import MOMENT, Book, Given, Key, when
from .claims import claim
from .reading import CONFIRM_HOURS, SILENT_FROM
from .seen import Drop, Row, Sent

Contradictions = Iterator[tuple[str, list[str]]]

ACCOUNTED = ("notified", "suppressed", "deferred", "paper", "duplicate", "rejected", "failed", "unconfirmed")

UNTOLD_CODES = {
    "failed": frozenset(
        {
            "unreached",
            "required_unreached",
            "deadline_passed",
            "not_rendered",
            "send_refused",
            "address_refused",
        }
        | {"records_gone", "content_refused", "sender_refused", "send_spoiled"}
    ),
    "unconfirmed": frozenset({"send_unconfirmed", "unconfirmed_at_deadline"}),
    "no_receipt": frozenset({"unreached", "required_unreached"}),
    "deadline_passed": frozenset({"deadline_passed"}),
    "rejected": frozenset({"records_rejected", "holders_mixed", "documents_missing", "rejects_high"}),
    "no_channel": frozenset({"no_channel", "required_unreached", "unreached"}),
}
"""Codes of the incidents that show it, by outcome or reason (docs/alerts.md, sources; docs/rules.md)."""


@claim("A provider accepts at most one message of each attempt.")
def once_per_attempt(book: Book) -> Contradictions:
    """By the reference that the request carries."""
    seen: dict[str, list[Sent]] = {}
    for message in book.sent:
        seen.setdefault(message.ref, []).append(message)
    for ref, messages in seen.items():
        if len(messages) > 1:
            yield ref, [book.line(message) for message in messages]


@claim(
    "A customer gets a document's notice twice only if the first message certainly failed, or a rule says so."
)
def second_only_after_failure(book: Book) -> Contradictions:
    """Each message of a notice, against all that were accepted before it was handed over."""
    for notice_id, messages in book.by_notice.items():
        if not book.notice(notice_id):
            continue
        for number, later in enumerate(messages[1:], 1):
            for first in messages[:number]:
                if first.ref != later.ref and not _may_follow(book, first, later):
                    lines = [book.line(first), *book.reports(first), book.line(later)]
                    yield notice_id, [*lines, *book.events(notice_id)]


def _may_follow(book: Book, first: Sent, later: Sent) -> bool:
    """Whether a second message may follow the first, by the reports or by the type's rule.

    What was known when the later one was handed over counts: an answer of the provider that came afterwards
    does not make it right.
    """
    kind = str(book.notice(first.notice).get("document_type", ""))
    if book.ever_failed(first, later.at):
        return True
    other = first.channel != later.channel
    if other and book.rules.may(kind, "both_channels", True):
        return True
    waited = later.at - first.at
    late = any(t.said == "delayed" and t.at <= later.at for t in book.told.get(first.number, ()))
    if late and waited >= book.seen.delay_wait and other:
        return True
    if book.fate(first, later.at):
        return False
    # In doubt: the answer was lost, or the worker may have died before it wrote it down.
    in_doubt = not first.heard or book.seen.faults
    follows = ("resend", "other_channel") if other else ("resend",)
    # A provider may accept long after the worker had stopped waiting for its answer.
    doubted = later.at - first.began
    if in_doubt and doubted >= CONFIRM_HOURS * 3600.0 and book.rules.may(kind, "on_unconfirmed", *follows):
        return True
    return other and waited >= SILENT_FROM and book.rules.may(kind, "on_no_receipt", "other_channel")


@claim("Several copies of a document, in one run or in several, notify its customer once.")
def copies_notify_once(book: Book) -> Contradictions:
    """By customer and document, whatever notices the product made of them."""
    groups: dict[tuple[Key, str, str], set[str]] = {}
    for message in book.messages:
        notice = book.notice(message.notice)
        if notice.get("audience") != "customer" or notice.get("purpose") != "notice":
            continue
        for edition in _editions(book, notice):
            key = (book.key_of(notice), edition, str(notice.get("document_type", "")))
            groups.setdefault(key, set()).add(message.notice)
    for (document, _, _), notices in groups.items():
        if document[3] and len(notices) > 1:
            messages = [m for notice in sorted(notices) for m in book.by_notice[notice]]
            standing = {m.notice for m in messages if book.fate(m) != "failed"}
            if len(standing) > 1:
                yield "/".join(document), [book.line(m) for m in messages]


def _editions(book: Book, notice: Row) -> set[str]:
    """The edition that a notice is of: of the record in its own run, as far as that is known."""
    found = [one for one in book.records_of(notice) if one.drop.run_id == notice.get("run_id")]
    return {book.edition(one) for one in found[:1]}


# --- never silent ---------------------------------------------------------------------------------


def _taken(book: Book) -> Iterator[tuple[str, Drop, Row]]:
    """The runs that must be accounted for, each with what counts of its drops and what is shown of it."""
    for run, drops in book.drops.items():
        shown = book.seen.shown.runs.get(run)
        sealed = [drop for drop in drops if drop.sealed_at is not None or drop.event]
        if shown is not None and sealed and shown.get("state") == "dispatched":
            # Of several under one id, the one that was taken: the first of those that have its size.
            fitting = [drop for drop in sealed if len(drop.records) == shown["composed"]]
            yield run, (fitting or sealed)[0], shown


def _codes(book: Book, run: str) -> set[str]:
    """Codes of the incidents of a run, and of those over several runs."""
    domain, _, run_id = run.partition("/")
    return {
        str(code)
        for incident in book.seen.shown.incidents
        if (incident.get("run_id") == run_id and incident.get("domain") == domain)
        or incident.get("run_id") not in {name.partition("/")[2] for name in book.drops}
        for code in incident.get("codes", ())
    }


@claim("Every sealed run is taken, or an incident says why not.")
def every_run_is_taken(book: Book) -> Contradictions:
    """Also a run whose seal, files or counts are wrong: it is shown, with an incident."""
    for run, drops in book.drops.items():
        if drops[0].event:
            continue
        sealed = [drop for drop in drops if drop.sealed_at is not None]
        if not sealed:
            continue
        shown = book.seen.shown.runs.get(run)
        said = f"sealed at {when(sealed[0].sealed_at or 0)} with {len(sealed[0].records)} records"
        if shown is None:
            if not _codes_of_run(book, run):
                yield run, [said, "`exnotify run` does not know it, and no incident names it"]
        elif shown["state"] != "dispatched" and not _codes_of_run(book, run):
            yield run, [said, f"it is {shown['state']} and no incident of the run says so"]
        elif shown["state"] in ("refused", "incomplete", "waiting") and all(drop.complete for drop in drops):
            yield run, [said, f"nothing is wrong with it, and it is {shown['state']}: {shown.get('why', '')}"]


@claim("Other content under the id of a run that was taken is reported.")
def reused_id_is_reported(book: Book) -> Contradictions:
    """Where what is shown is the first content, and another was sealed long after it."""
    for run, drops in book.drops.items():
        shown = {str(row["document_id"]) for row in book.seen.shown.rows.get(run, ())}
        sealed = [drop for drop in drops if drop.sealed_at is not None and not drop.event]
        first = _documents(sealed[0]) if sealed else set()
        for later in sealed[1:]:
            new = _documents(later) - first
            if new and shown & first and not shown & new and not _codes_of_run(book, run):
                said = f"{len(new)} documents came with a seal at {when(later.sealed_at or 0)}"
                yield run, [said, "none of them is shown, and no incident of the run says so"]


def _documents(drop: Drop) -> set[str]:
    found = (Given(drop, record).key[3] for record in drop.records if record.fit)
    return {name for name in found if name}


def _codes_of_run(book: Book, run: str) -> set[str]:
    domain, _, run_id = run.partition("/")
    return {
        str(code)
        for incident in book.seen.shown.incidents
        if incident.get("run_id") == run_id and incident.get("domain") == domain
        for code in incident.get("codes", ())
    }


@claim("Every document of a sealed run is in one outcome, with a reason where its customer was not notified.")
def nobody_is_forgotten(book: Book) -> Contradictions:
    """Record by record: those that were dropped against those that are shown."""
    for run, drop, shown in _taken(book):
        if shown.get("control") == "hold":
            continue
        rows = book.seen.shown.rows.get(run, ())
        rejected = sum(r["outcome"] == "rejected" for r in rows)
        missing = _missing(drop, [row for row in rows if row["outcome"] != "rejected"])
        if len(missing) > rejected:
            yield (
                run,
                [f"{len(missing)} records are not shown, {rejected} are rejected: {', '.join(missing[:5])}"],
            )
        for row in rows:
            if row["outcome"] not in ACCOUNTED:
                yield run, [f"record {row['position']} is {row['outcome']} when all has come to rest"]
            elif (
                row["outcome"] in ("suppressed", "deferred", "paper", "failed", "rejected")
                and not row["reason"]
            ):
                yield run, [f"record {row['position']} is {row['outcome']} without a reason"]


def _missing(drop: Drop, rows: Iterable[Row]) -> list[str]:
    """Documents of a drop that the run's rows do not name as often as they were dropped.

    By customer and document: a holder may be named by other fields, by rule.
    """
    given = Counter((one.key[1], one.key[3]) for one in (Given(drop, record) for record in drop.records))
    named = Counter((str(row["customer_key"]), str(row["document_id"])) for row in rows)
    lacking = Counter({pair: n for pair, n in given.items() if pair[1]}) - named
    return sorted(" ".join(pair) for pair in lacking.elements())


@claim("A record that cannot be used is rejected, and no other.")
def what_is_rejected_is_flawed(book: Book) -> Contradictions:
    """By what the story made wrong with the records of a run."""
    for run, drop, _ in _taken(book):
        rejected = sum(row["outcome"] == "rejected" for row in book.seen.shown.rows.get(run, ()))
        flawed = sum(record.fit is False for record in drop.records)
        perhaps = sum(record.fit is None for record in drop.records)
        if not flawed <= rejected <= flawed + perhaps:
            yield run, [f"{flawed} records cannot be used, {perhaps} perhaps; {rejected} are rejected"]


@claim("Every document that came as an event is shown.")
def every_event_is_taken(book: Book) -> Contradictions:
    """As a notice, or as a record of a run of its own."""
    known = {book.key_of(notice) for notice in book.seen.shown.notices.values()}
    for run, rows in book.seen.shown.rows.items():
        known |= {book.key_of(row, run.partition("/")[0]) for row in rows}
    for drop in book.seen.drops:
        for record in drop.records if drop.event else ():
            key = Given(drop, record).key
            if record.fit and key not in known:
                yield "/".join(key), [f"it came at {when(drop.at)}, and nothing shows it"]


@claim("Where a person must act, an incident says so: failed, in doubt, rejected, nobody reached.")
def who_must_act_is_asked(book: Book) -> Contradictions:
    """By run and outcome; a message that the rule `on_no_receipt` counts as lost is one that nobody got."""
    for run, _, _ in _taken(book):
        codes = _codes(book, run)
        for what, needed in UNTOLD_CODES.items():
            rows = [
                row
                for row in book.seen.shown.rows.get(run, ())
                if what == _kind_of(row) and not _nobody_is_asked(book, run, row)
            ]
            if rows and not codes & needed:
                first = rows[0]
                yield (
                    run,
                    [
                        f"{len(rows)} records are {first['outcome']} ({first['reason']})",
                        f"the first is record {first['position']}",
                        f"incidents: {', '.join(sorted(codes)) or 'none'}",
                        *book.events(str(first.get("notice_id") or "")),
                    ],
                )


def _kind_of(row: Row) -> str:
    """Under which of `UNTOLD_CODES` a record falls, if under any."""
    outcome, reason = str(row["outcome"]), str(row["reason"])
    if outcome == "suppressed" or (outcome == "unconfirmed" and reason in ("no_receipt", "deadline_passed")):
        return reason
    return outcome


def _nobody_is_asked(book: Book, run: str, row: Row) -> bool:
    """Whether a message that did not arrive has no consequence by rule, so nobody is asked about it.

    Its run was cancelled, its customer responded, was erased, or is not asked for money any more
    (docs/journeys.md, do not dun), before what follows a failure was settled. A doubt about an answer is
    reported at once, whatever else is known.
    """
    identity = str(row.get("notice_id") or "")
    notice = book.notice(identity)
    if not book.by_notice.get(identity) and not book.tries.get(identity):
        return False
    if row["outcome"] == "unconfirmed" and row["reason"] != "no_receipt":
        return False
    until = book.settled_at(notice) + MOMENT
    ended = [act for act in book.acts["cancel"] if act.run == run]
    ended += [act for act in (*book.acts["respond"], *book.acts["erase"]) if book.about(act, notice)]
    return any(act.at < until for act in ended) or book.may_be_held(notice, until)


@claim("Incidents count at least those whom nobody notified, and those in doubt.")
def incidents_count_the_untold(book: Book) -> Contradictions:
    """By run, for what is counted under one code each: the incidents that have the code, in sum."""
    for run, _, _ in _taken(book):
        domain, _, run_id = run.partition("/")
        shown = book.seen.shown.rows.get(run, ())
        rows = Counter(str(row["reason"]) for row in shown if _untold(row) and not _counted_apart(book, row))
        for code, number in rows.items():
            incidents = [
                incident
                for incident in book.seen.shown.incidents
                if (incident.get("domain"), incident.get("run_id")) == (domain, run_id)
                and code in incident.get("codes", ())
            ]
            counted = sum(int(incident["count"]) for incident in incidents)
            if incidents and counted < number:
                yield run, [f"{number} records have the reason {code}; its incidents count {counted}"]


def _counted_apart(book: Book, row: Row) -> bool:
    """Whether a record may be of a type whose customers must be reached: then no channel has another code."""
    return row["reason"] == "no_channel" and book.rules.may_be_required(str(row["document_type"]))


def _untold(row: Row) -> bool:
    return (row["outcome"], row["reason"]) in {("failed", "deadline_passed"), ("suppressed", "no_channel")}


@claim("A run's figures are those of the records that were dropped, and they add up.")
def balance_is_true(book: Book) -> Contradictions:
    """Composed, the sum of the outcomes, and the rows."""
    for run, drop, shown in _taken(book):
        said = {name: n for name, n in shown["outcomes"].items() if n}
        dropped = len(drop.records)
        if shown["composed"] != dropped:
            yield run, [f"{dropped} records were dropped, {shown['composed']} are shown as composed"]
        if shown["balanced"] and sum(said.values()) != dropped:
            yield run, [f"shown as balanced: {said}, and {dropped} records were dropped"]
        if shown["balanced"] and said.get("in_flight"):
            yield run, [f"shown as balanced with {said['in_flight']} in flight"]
        if not shown["balanced"] and shown.get("control") == "go":
            yield run, [f"not balanced when all has come to rest: {said} of {dropped}"]
        counted = Counter(str(row["outcome"]) for row in book.seen.shown.rows.get(run, ()))
        if run in book.seen.shown.rows and dict(counted) != said:
            yield run, [f"outcomes {said}", f"rows {dict(counted)}"]


@claim("A corrected run notifies those whom the first one did not.")
def correction_tells_the_rest(book: Book) -> Contradictions:
    """A record counts as a duplicate only if its customer was notified, or may have been, by another one."""
    for run, rows in book.seen.shown.rows.items():
        for row in rows:
            if row["outcome"] == "duplicate" and not _told_elsewhere(book, run, row):
                who = f"{row['customer_key']} {row['document_id']}"
                lines = [f"record {row['position']} ({who}) counts as a duplicate"]
                lines += [
                    f"{other} record {one['position']} is {one['outcome']} ({one['reason']})"
                    for other, one in book.rows.get(str(row["notice_id"]), ())
                    if (other, one["position"]) != (run, row["position"])
                ]
                yield f"{run} record {row['position']}", [*lines, "nothing was accepted for this document"]


def _told_elsewhere(book: Book, run: str, row: Row) -> bool:
    identity = str(row["notice_id"])
    if book.by_notice.get(identity):
        return True
    key = book.key_of(row, run.partition("/")[0])
    if key in book.papers or book.notice(identity).get("status") == "paper":
        return True
    others: Sequence[tuple[str, Row]] = book.rows.get(identity, ())
    return any(
        one["outcome"] in ("unconfirmed", "deferred", "in_flight", "paper")
        for other, one in others
        if (other, one["position"]) != (run, row["position"])
    ) or _doubtful(book, identity)


def _doubtful(book: Book, identity: str) -> bool:
    """Whether some attempt of a notice is shown to be in doubt."""
    return any(attempt["status"] == "unconfirmed" for attempt in book.notice(identity).get("attempts", ()))
