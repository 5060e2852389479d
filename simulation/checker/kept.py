"""What is kept, and what comes to rest: incidents, dead letters, erasures, records of bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .book import NOTICE, Book, seconds, when
from .claims import claim
from .seen import Row

Contradictions = Iterator[tuple[str, list[str]]]

ALERTED = frozenset({"error", "severe"})

NO_ALERT = frozenset(
    {"no_channel", "unreached", "address_unusable", "address_refused", "alert_storm", "daily_list"}
    | {"alerts_resolved", "team_unreached", "channel_dead"}
)
"""Codes and families of which a team gets a list, or nothing, instead of an alert (docs/alerts.md, noise)."""

MOST_EVENTS, EVENTS_AN_ATTEMPT = 25, 8
"""Events of a notice: so many at most, and so many more with each attempt, report, response and act."""

MOST_BYTES, BYTES_AN_EVENT = 4_000, 500
"""Bytes stored of a notice: so many at most, and so many more with each event."""


@claim("An incident counts what happened: each report once, however often it was delivered.")
def incidents_count_true(book: Book) -> Contradictions:
    """Reports of the composer and of other systems, by run and code."""
    wanted: Counter[tuple[str, str, str]] = Counter()
    for report in book.seen.reports:
        wanted[report.domain, report.run, report.code] += report.count
    for (domain, run, code), count in wanted.items():
        found = [
            i
            for i in book.seen.shown.incidents
            if i.get("domain") == domain and i.get("run_id") == run and code in i.get("codes", ())
        ]
        about = f"{domain}/{run} {code}"
        if not found:
            yield about, [f"reported {count} times, and no incident shows it"]
        elif len(found[0].get("codes", ())) == 1:
            shown = sum(int(i["count"]) for i in found)
            if shown != count:
                yield about, [f"reported {count} times, shown {shown} times", *_lines(found)]
        elif sum(int(i["count"]) for i in found) < count:
            yield about, [f"reported {count} times, shown fewer times", *_lines(found)]


@claim("There is one incident of a run, code and team.")
def incidents_are_not_doubled(book: Book) -> Contradictions:
    """Open ones: a resolved one may be followed by another."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for incident in book.seen.shown.incidents:
        if incident.get("status") != "resolved":
            for code in incident.get("codes", ()):
                key: tuple[str, ...] = (
                    str(incident.get("domain")),
                    str(incident.get("run_id")),
                    str(incident.get("team")),
                    str(code),
                )
                found.setdefault(key, []).append(incident)
    for named, incidents in found.items():
        if len(incidents) > 1:
            yield " ".join(named), _lines(incidents)


@claim("The team of every open incident that is an error was alerted.")
def teams_are_told(book: Book) -> Contradictions:
    """Except for what comes as a daily list, or joins a storm's summary."""
    left = [post.at for post in book.seen.posts]
    left += [message.at for message in book.seen.sent if not NOTICE.fullmatch(message.ref)]
    storms = any("alert_storm" in i.get("codes", ()) for i in book.seen.shown.incidents)
    for incident in book.seen.shown.incidents:
        codes = set(incident.get("codes", ()))
        quiet = codes & NO_ALERT or incident.get("severity") not in ALERTED or incident.get("muted_until")
        seen_at = seconds(str(incident.get("first_seen") or "")) or 0.0
        if (
            quiet
            or storms
            or incident.get("status") != "open"
            or seen_at + book.seen.slack > book.seen.shown.at
        ):
            continue
        if not incident.get("alerts"):
            yield str(incident["incident_id"]), ["no alert is shown", *_lines([incident])]
        elif not any(at >= seen_at - 1 for at in left):
            yield str(incident["incident_id"]), ["no alert left for any team since", *_lines([incident])]


@claim("Dead letters are shown by an open incident.")
def dead_letters_are_shown(book: Book) -> Contradictions:
    """By the name of the queue."""
    said = [
        str(place)
        for incident in book.seen.shown.incidents
        if "dead_letters" in incident.get("codes", ()) and incident.get("status") != "resolved"
        for place in (*incident.get("sample", ()), *incident.get("where", ()))
    ]
    for queue, number in book.seen.shown.dead.items():
        name = queue.removesuffix("DeadLetters").removesuffix("-dead")
        if number and not any(name in text for text in said):
            yield queue, [f"{number} letters, and no open incident names the queue", *said[:5]]


def _lines(incidents: list[Row]) -> list[str]:
    return [
        f"incident {i.get('incident_id')} of {i.get('team')}: "
        f"{', '.join(i.get('codes', ()))} × {i.get('count')}, {i.get('status')}"
        for i in incidents
    ]


# --- rest -----------------------------------------------------------------------------------------


@claim(
    "When faults stop, everything comes to rest: what waits has a time in the future, or waits for a person."
)
def everything_comes_to_rest(book: Book) -> Contradictions:
    """Queues, notices, runs and journeys."""
    shown = book.seen.shown
    limit = shown.at - book.seen.slack
    for queue, number in shown.waiting.items():
        if number:
            yield queue, [f"{number} messages still wait"]
    for identity, notice in shown.notices.items():
        status, due = notice.get("status"), seconds(str(notice.get("due_at") or ""))
        if status == "sending" or any(a["status"] == "sending" for a in notice.get("attempts", ())):
            yield identity, ["shown as being sent", *_last(notice)]
        elif status == "deferred" and _waits_for_nothing(book, notice, due, limit):
            yield (
                identity,
                [
                    f"deferred until {when(due) if due else 'no time at all'}: {notice.get('why')}",
                    *_last(notice),
                ],
            )
        elif status == "unconfirmed" and due is not None and due < limit:
            yield identity, [f"in doubt, to be looked at by {when(due)}", *_last(notice)]
    for run, row in shown.runs.items():
        if row.get("state") in ("waiting", "staged") and row.get("control") == "go":
            due = seconds(str(row.get("deadline") or ""))
            if due is None or due < limit:
                yield run, [f"it is {row['state']}: {row.get('why') or 'no reason'}"]
    for row in shown.journeys:
        due = seconds(str(row.get("due_at") or ""))
        if due is not None and due < limit and not row.get("off"):
            yield (
                f"{row.get('domain')}/{row.get('journey')}",
                [f"step {row.get('step')} was due at {when(due)}"],
            )


def _waits_for_nothing(book: Book, notice: Row, due: float | None, limit: float) -> bool:
    """Whether a deferred notice has no time left to wait for; what a held run waits for is a person."""
    run = book.seen.shown.runs.get(f"{notice.get('domain')}/{notice.get('run_id')}", {})
    if run.get("control") in ("hold", "cancel"):
        return False
    return due is None or due < limit


def _last(notice: Row) -> list[str]:
    return [f"{e['at']} {e['what']} {e['detail']}" for e in list(notice.get("events", ()))[-3:]]


@claim("What is stored of a notice grows with its attempts, reports and acts, and not with time.")
def records_are_bounded(book: Book) -> Contradictions:
    """The number of its events, and its bytes."""
    for identity, notice in book.seen.shown.notices.items():
        messages = book.by_notice.get(identity, ())
        reports = sum(len(book.told.get(m.number, ())) for m in messages)
        acts = sum(book.about(act, notice) for acts in book.acts.values() for act in acts)
        works = len(messages) + len(book.tries.get(identity, ())) + len(notice.get("attempts", ()))
        most = MOST_EVENTS + EVENTS_AN_ATTEMPT * works + 2 * reports + 4 * acts
        events = len(notice.get("events", ()))
        if events > most:
            told = Counter(str(e["what"]) for e in notice["events"])
            yield identity, [f"{events} events, {most} at most", f"{dict(told.most_common(5))}"]
        size = book.seen.shown.sizes.get(identity, 0)
        if size > MOST_BYTES + BYTES_AN_EVENT * most:
            yield identity, [f"{size} bytes with {events} events"]


@claim("A notice's events form one unbroken chain.")
def chains_hold(book: Book) -> Contradictions:
    """As the command says."""
    for identity, notice in book.seen.shown.notices.items():
        if notice.get("chain_holds") is False:
            yield identity, _last(notice)


# --- erasure and legal hold -----------------------------------------------------------------------


@claim("What was erased cannot be opened any more, and what is under a legal hold can.")
def erasure_and_hold_are_kept(book: Book) -> Contradictions:
    """The proofs of a customer's notices; an erasure under a legal hold is refused."""
    holds = list(book.spans("legal hold"))
    for act in book.seen.acts:
        if act.kind != "erase" or act.done is None:
            continue
        held = [hold for hold, start, end in holds if start < act.at < end and hold.customer == act.customer]
        if act.ok and held:
            yield (
                f"{act.domain}/{act.customer}",
                [f"erased at {when(act.at)} under a legal hold of {when(held[0].at)}"],
            )
        for identity, proof in book.seen.shown.evidence.items():
            notice = book.notice(identity)
            began = seconds(str(notice.get("created_at") or "")) or 0.0
            if not book.about(act, notice) or began >= act.at:
                continue
            if act.ok and (opened := _opened(proof)):
                word = f"attempt {opened[0]} can still be opened"
            elif not act.ok and proof.get("erased"):
                word = "the proof cannot be opened, though the erasure was refused"
            else:
                continue
            yield identity, [f"{when(act.at)} erasure of {act.customer}", word]


def _opened(proof: Row) -> list[int]:
    """The attempts whose evidence a proof shows; of what was never handed over there is none."""
    return [int(attempt["number"]) for attempt in proof.get("attempts", ()) if attempt["evidence"]]
