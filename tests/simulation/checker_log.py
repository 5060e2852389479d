"""A history written by hand, in which nothing is wrong: the checker's tests spoil one thing at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from simulation.checker.seen import (
    Act,
    Drop,
    Opened,
    Post,
    Published,
    Record,
    Report,
    Row,
    Seen,
    Sent,
    Shown,
    Told,
)

DAY = 86_400.0
START = datetime(2026, 12, 1, 15, tzinfo=UTC).timestamp()
"""A Tuesday, ten in the morning in New York."""


def iso(at: float) -> str:
    """A moment as the command shows it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def record(number: int, kind: str = "statement", **fields: str) -> Record:
    """Customer `number`'s document of a type; an empty value takes a field out."""
    key = f"R{number:05d}"
    made = {
        "customer_key": key,
        "document_id": f"D-{number}",
        "document_type": kind,
        "email": f"{key.lower()}@example.com",
        "mobile": f"+120255501{number:02d}",
        "last_name": "Dubois",
        "language": "en",
        "time_zone": "America/New_York",
        "account_number": f"{8_792_174 + number * 7_919:012d}",
        "reference_no": f"REF-{number:08d}",
        "amount_due": f"{120 + number}.50",
        "currency": "USD",
        "due_date": "2026-12-20",
        "produced_at": "2026-12-01T04:00:00Z",
        "output_uri": f"output/D-{number}.pdf",
        **fields,
    }
    return Record({name: value for name, value in made.items() if value})


def identity(number: int, purpose: str = "notice") -> str:
    """The notice id of customer `number`'s document."""
    return f"{number:08x}" + f"{sum(purpose.encode()):024x}"


def proof(*opens: bool, erased: bool = False) -> Row:
    """The proof of a notice: whether the evidence of each of its attempts opens."""
    attempts = [
        {"number": number, "evidence": {"to": "r1@example.com"} if opened else None, "erased": erased}
        for number, opened in enumerate(opens, 1)
    ]
    return {"erased": erased, "attempts": attempts}


def event(at: float, what: str, detail: str = "") -> Row:
    """An event of a notice."""
    return {"at": iso(at), "what": what, "detail": detail, "before": ""}


def notice(number: int, status: str, *, kind: str = "statement", **fields: Any) -> Row:
    """A notice as the command shows it; `statuses` are its attempts'."""
    statuses: Sequence[str] = fields.pop("statuses", (status,))
    purpose = fields.get("purpose", "notice")
    return {
        "notice_id": identity(number, purpose),
        "status": status,
        "why": "",
        "domain": "retail",
        "customer_key": f"R{number:05d}",
        "recipient": "",
        "document_id": f"D-{number}",
        "document_type": kind,
        "run_id": "one",
        "position": number,
        "purpose": purpose,
        "audience": "customer",
        "attempts": [{"number": n, "status": s, "why": ""} for n, s in enumerate(statuses, 1)],
        "events": [event(START + 60, "claimed", "1 email ses job"), event(START + 61, "sent", "1 ref")],
        "chain_holds": True,
        "due_at": "",
        "created_at": iso(START + 60),
        **fields,
    }


def row(number: int, outcome: str, *, kind: str = "statement", reason: str = "", **fields: Any) -> Row:
    """A record of the run as the command shows it."""
    return {
        "position": number,
        "customer_key": f"R{number:05d}",
        "recipient": "",
        "document_id": f"D-{number}",
        "document_type": kind,
        "outcome": outcome,
        "reason": reason,
        "notice_id": identity(number),
        **fields,
    }


def sent(number: int, at: float, *, attempt: int = 1, channel: str = "email", **fields: Any) -> Sent:
    """A message to customer `number`, accepted so many seconds after the start."""
    key = f"R{number:05d}"
    to = f"{key.lower()}@example.com" if channel == "email" else f"+120255501{number:02d}"
    purpose = fields.pop("purpose", "notice")
    text = f"Your statement is ready. Amount due: ${120 + number}.50"
    made: dict[str, Any] = {
        "number": number * 100 + attempt * 10 + (purpose != "notice"),
        "at": START + at,
        "began": START + at - 2,
        "provider": "ses" if channel == "email" else "sms",
        "channel": channel,
        "address": to,
        "ref": f"{identity(number, purpose)}:{attempt}",
        "subject": "Your statement is ready" if channel == "email" else "",
        "text": text,
        **fields,
    }
    return Sent(**made)


def run(outcomes: Mapping[str, int], **fields: Any) -> Row:
    """The run as the command shows it."""
    return {
        "run_id": "one",
        "domain": "retail",
        "state": "dispatched",
        "control": "go",
        "why": "",
        "deadline": "",
        "composed": sum(outcomes.values()),
        "outcomes": outcomes,
        "balanced": True,
        "opened_at": iso(START + 5),
        **fields,
    }


def incident(code: str, count: int = 1, **fields: Any) -> Row:
    """An open incident of the run."""
    return {
        "incident_id": f"run-{code}",
        "domain": "retail",
        "run_id": "one",
        "team": "operations",
        "severity": "error",
        "codes": [code],
        "count": count,
        "status": "open",
        "alerts": 1,
        "muted_until": "",
        "sample": [],
        "where": [],
        "first_seen": iso(START + 90),
        **fields,
    }


RECORDS = (
    record(1),
    record(2),
    record(3, "policy-document"),
    record(4, "payment-reminder", due_date="2026-12-10"),
    record(5),
    record(6, "claim-letter", case_id="CASE-000006", amount_due="", due_date=""),
)


def good() -> Seen:
    """A run of six, a copy of one of them, and what followed: nothing in it contradicts a claim.

    1 is notified by email. 2 bounces, and gets a text. 3 goes on paper after a bounce. 4 is notified, reminded
    twice and ends as a case. 5's answer was lost and nothing was ever reported: in doubt. 6 is refused: failed.
    Nobody hears of the messages to 2 and 4. A second run has the first document again.
    """
    two = Drop("retail", "two", START + DAY, (RECORDS[0],), START + DAY + 5)
    steps = ("step:dunning:1", "step:dunning:2")
    return Seen(
        drops=(Drop("retail", "one", START, RECORDS, START + 2), two),
        reports=(Report(START + 30, "retail", "one", "missing_data", 3),),
        sent=(
            sent(1, 60),
            sent(2, 60),
            sent(2, 600, attempt=2, channel="sms"),
            sent(3, 61, subject="Your policy documents have been issued"),
            sent(4, 62, subject="Payment reminder"),
            sent(4, 6 * DAY, purpose=steps[0], subject="Payment reminder"),
            sent(4, 14 * DAY, purpose=steps[1], subject="Payment reminder"),
            sent(5, 63, heard=False),
        ),
        told=(
            Told(110, START + 90, START + 80, "delivered"),
            Told(210, START + 300, START + 290, "failed"),
            Told(310, START + 300, START + 290, "failed"),
        ),
        opened=(Opened(110, START + 900, "https://x", "drop/retail/one/output/D-1.pdf"),),
        posts=(Post(START + 92, "slack", "missing data", "operations"),),
        published=(
            Published(
                START + 27 * DAY,
                "Journey Unanswered",
                {"event_id": "e1", "journey": "dunning", "notice_id": identity(4)},
            ),
        ),
        shown=Shown(
            at=START + 40 * DAY,
            runs={
                "retail/one": run({"notified": 3, "paper": 1, "unconfirmed": 1, "failed": 1}),
                "retail/two": run({"duplicate": 1}, run_id="two", opened_at=iso(START + DAY + 9)),
            },
            rows={
                "retail/one": [
                    row(1, "notified"),
                    row(2, "notified"),
                    row(3, "paper", kind="policy-document", reason="no_channel"),
                    row(4, "notified", kind="payment-reminder"),
                    row(5, "unconfirmed", reason="answer_lost"),
                    row(6, "failed", kind="claim-letter", reason="refused"),
                ],
                "retail/two": [row(1, "duplicate")],
            },
            notices={
                n["notice_id"]: n
                for n in (
                    notice(1, "delivered"),
                    notice(2, "sent", statuses=("bounced", "sent")),
                    notice(3, "paper", kind="policy-document", statuses=("bounced",), why="no_channel"),
                    notice(4, "sent", kind="payment-reminder"),
                    *(notice(4, "sent", kind="payment-reminder", purpose=step) for step in steps),
                    notice(5, "unconfirmed"),
                    notice(6, "failed", kind="claim-letter"),
                )
            },
            incidents=[
                incident("missing_data", 3),
                incident("required_unreached", team="compliance"),
                incident("unconfirmed_at_deadline", team="compliance"),
                incident("no_receipt_at_deadline", 3, team="compliance"),
            ],
            paper={"retail/one": [row(3, "paper", kind="policy-document")]},
            evidence={identity(n): proof(True) for n in range(1, 7)},
        ),
    )


# --- one thing spoilt -----------------------------------------------------------------------------

Spoil = Callable[[Seen], Seen]


def shown(**changes: Any) -> Spoil:
    """The history with another view of the command."""
    return lambda seen: replace(seen, shown=replace(seen.shown, **changes))


def acted(*acts: Act) -> Spoil:
    """The history with more acts."""
    return lambda seen: replace(seen, acts=(*seen.acts, *acts))


def also(*messages: Sent) -> Spoil:
    """The history with more accepted messages."""
    return lambda seen: replace(seen, sent=(*seen.sent, *messages))


def other(number: int, attempt: int = 1, *, purpose: str = "notice", **changes: Any) -> Spoil:
    """The history with one message changed."""
    ref = f"{identity(number, purpose)}:{attempt}"
    return lambda seen: replace(
        seen, sent=tuple(replace(m, **changes) if m.ref == ref else m for m in seen.sent)
    )


def dropped(number: int, attempt: int = 1) -> Spoil:
    """The history without a message."""
    ref = f"{identity(number)}:{attempt}"
    return lambda seen: replace(seen, sent=tuple(m for m in seen.sent if m.ref != ref))


def untold(number: int) -> Spoil:
    """The history without the reports of a message."""
    return lambda seen: replace(seen, told=tuple(t for t in seen.told if t.number != number))


def told(*reports: Told) -> Spoil:
    """The history with more reports."""
    return lambda seen: replace(seen, told=(*seen.told, *reports))


def rows_of(number: int, run_name: str = "retail/one", **changes: Any) -> Spoil:
    """The history with one record shown otherwise; its run's figures follow."""

    def spoil(seen: Seen) -> Seen:
        rows = [dict(r) | (changes if r["position"] == number else {}) for r in seen.shown.rows[run_name]]
        outcomes: dict[str, int] = {}
        for one in rows:
            outcomes[one["outcome"]] = outcomes.get(one["outcome"], 0) + 1
        runs = dict(seen.shown.runs)
        runs[run_name] = {**runs[run_name], "outcomes": outcomes}
        return shown(rows={**seen.shown.rows, run_name: rows}, runs=runs)(seen)

    return spoil


def runs_as(run_name: str = "retail/one", **changes: Any) -> Spoil:
    """The history with a run shown otherwise."""
    return lambda seen: shown(runs={**seen.shown.runs, run_name: {**seen.shown.runs[run_name], **changes}})(
        seen
    )


def notices_as(number: int, purpose: str = "notice", **changes: Any) -> Spoil:
    """The history with a notice shown otherwise."""
    name = identity(number, purpose)
    return lambda seen: shown(notices={**seen.shown.notices, name: {**seen.shown.notices[name], **changes}})(
        seen
    )


def incidents_as(code: str, **changes: Any) -> Spoil:
    """The history with an incident shown otherwise."""
    return lambda seen: shown(
        incidents=[{**i, **changes} if code in i["codes"] else i for i in seen.shown.incidents]
    )(seen)


def with_incident(code: str) -> Spoil:
    """The log with one more incident, of one customer."""
    return lambda seen: shown(incidents=(*seen.shown.incidents, incident(code)))(seen)


def without_incident(code: str) -> Spoil:
    """The history without an incident."""
    return lambda seen: shown(incidents=[i for i in seen.shown.incidents if code not in i["codes"]])(seen)


def records_as(number: int, **changes: str) -> Spoil:
    """The history with one record dropped otherwise, in its first run."""

    def spoil(seen: Seen) -> Seen:
        first, *rest = seen.drops
        records = tuple(
            Record({**r.fields, **changes}) if r.fields["document_id"] == f"D-{number}" else r
            for r in first.records
        )
        return replace(seen, drops=(replace(first, records=records), *rest))

    return spoil


def both(*spoils: Spoil) -> Spoil:
    """One change after the other."""

    def spoil(seen: Seen) -> Seen:
        for one in spoils:
            seen = one(seen)
        return seen

    return spoil
