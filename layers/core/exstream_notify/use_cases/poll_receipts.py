"""Look after receipts that did not come: ask, match early ones, speak up at deadlines, watch reputations."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ..domain.decisions import Why
from ..domain.deferring import follow_up
from ..domain.documents import Channel
from ..domain.erasure import began, existed_before_erasure
from ..domain.exceptions import ExceptionRaised
from ..domain.identity import job_id
from ..domain.notices import Attempt, Notice, Status, happened, standing
from ..domain.receipts import Receipt, ReceiptPolicy
from ..domain.reputation import Limits, Rates, over, rates_of
from ..domain.watching import Watched, looked_at
from ..ports import (
    Clock,
    ContactBook,
    DecideQueue,
    DeliveryWatch,
    EarlyReceipts,
    ExceptionBus,
    Ledger,
    Reputation,
    Rules,
    RunBook,
    StatusSource,
)
from .record_receipts import together
from .slices import outcome_of, pointer_to, tell_run

Record = Callable[[Sequence[Receipt]], Counter[str]]
"""`record_receipts` with its ports."""

OVERDUE = "overdue"
"""The event of a notice whose receipt did not come by its deadline."""

SILENT = "no_receipt_at_deadline"

_OPEN = frozenset({Status.SENT, Status.DELAYED})
_ASK = 10
"""Jobs asked for in one go; about that many is what OpenText recommends."""

_JOBS = 100
"""Jobs read from the index at once."""

_EARLY = 500
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Polled:
    """What one look came to."""

    looked_at: int
    asked: int
    recorded: int
    matched: int
    given_up: int
    overdue: int
    rates: tuple[Rates, ...]


def poll_receipts(
    *,
    watch: DeliveryWatch,
    ledger: Ledger,
    contacts: ContactBook,
    source: StatusSource,
    record: Record,
    record_early: Record,
    early: EarlyReceipts,
    rules: Rules,
    runs: RunBook,
    decide_queue: DecideQueue,
    reputation: Reputation,
    exceptions: ExceptionBus,
    clock: Clock,
    receipt_policy: ReceiptPolicy,
    limits: Limits,
    time_left: Callable[[], float],
) -> Polled:
    """One look at everything whose time has come; safe to repeat, and what is left over waits for the next.

    A provider that can be asked is asked before a deadline is said to have passed. What one job, or one part
    of the look, cannot do holds up none of the others: an ExceptionGroup at the end says what failed.
    """
    now = clock.now()
    counts: Counter[str] = Counter()
    failed: list[Exception] = []

    def look_at(watched: Watched) -> None:
        waiting = _open(watched, ledger)
        if watched.askable and waiting:
            refs = sorted({attempt.ref for _, attempt in waiting if attempt.ref})
            for start in range(0, len(refs), _ASK):
                receipts, _ = source.receipts_of(watched.channel, refs[start : start + _ASK])
                counts["asked"] += len(refs[start : start + _ASK])
                counts["recorded"] += sum(n for kind, n in record(receipts).items() if kind != "repeated")
            waiting = _open(watched, ledger)
        if waiting and not watched.late and datetime.fromisoformat(watched.deadline) <= now:
            counts["overdue"] += len(waiting)
            waiting = _speak_up(
                watched, waiting, ledger, contacts, rules, runs, decide_queue, exceptions, now
            )
        left = looked_at(watched, now, tuple(notice.notice_id for notice, _ in waiting))
        if left is None:
            watch.done(watched)
        else:
            watch.add(left)

    for watched in _all_due(watch, now):
        if time_left() < 15:
            break
        counts["looked at"] += 1
        try:
            look_at(watched)
        except Exception as error:
            failed.append(error)
    matched = given_up = 0
    try:
        matched, given_up = _match_early(early, ledger, record_early, exceptions, now, receipt_policy)
    except Exception as error:
        failed.append(error)
    rates = _check_reputation(reputation, exceptions, limits, now)
    if failed:
        raise ExceptionGroup("what waits for receipts was not all looked at", failed)
    return Polled(
        counts["looked at"],
        counts["asked"],
        counts["recorded"],
        matched,
        given_up,
        counts["overdue"],
        rates,
    )


def _all_due(watch: DeliveryWatch, now: datetime) -> Iterator[Watched]:
    """Every job that is due, page by page, each once: what was just put off may still be in the index."""
    seen: set[str] = set()
    while fresh := [watched for watched in watch.due(now, _JOBS) if watched.job not in seen]:
        seen.update(watched.job for watched in fresh)
        yield from fresh


def _open(watched: Watched, ledger: Ledger) -> list[tuple[Notice, Attempt]]:
    """The job's notices that nobody has said anything final of, with the attempt."""
    return _open_of(ledger.get(watched.notices).values(), watched)


def _open_of(notices: Iterable[Notice], watched: Watched) -> list[tuple[Notice, Attempt]]:
    found = []
    for notice in notices:
        if notice.status not in _OPEN:
            continue
        mine = [a for a in notice.attempts if a.provider == watched.provider and a.status in _OPEN]
        if mine:
            found.append((notice, mine[-1]))
    return sorted(found, key=lambda row: row[0].notice_id)


def _speak_up(
    watched: Watched,
    waiting: Sequence[tuple[Notice, Attempt]],
    ledger: Ledger,
    contacts: ContactBook,
    rules: Rules,
    runs: RunBook,
    decide_queue: DecideQueue,
    exceptions: ExceptionBus,
    now: datetime,
) -> list[tuple[Notice, Attempt]]:
    """What the type's rule says of a notice without a receipt at its deadline; those that go on waiting.

    What moves lies in the due index with its write, so what follows is not lost with this worker.
    """
    silent: dict[str, list[Notice]] = {}
    moved: dict[str, Notice] = {}
    left = waiting
    for _ in range(_TRIES):
        overdue = (_overdue(notice, attempt, watched, rules, now) for notice, attempt in left)
        late = {notice.notice_id: notice for notice in overdue if notice is not None}
        blocked = ledger.put(list(late.values())) if late else {}
        moved |= {key: after for key, after in late.items() if key not in blocked}
        # Something else happened to them meanwhile: the time of those still open is over all the same.
        left = _open_of(blocked.values(), watched)
        if not left:
            break
    else:
        raise RuntimeError("notices kept changing under five attempts to say that their receipt is overdue")
    report = f"{SILENT} {watched.job}"
    for notice, _ in waiting:
        notice = moved.get(notice.notice_id, notice)
        if any(event.report == report for event in notice.events):
            silent.setdefault(notice.origin.run, []).append(notice)
    exceptions.raise_exceptions(
        [
            ExceptionRaised(
                SILENT,
                "error",
                *_run(run),
                "notices sent, and neither delivered nor bounced by their deadline",
                part=f"watch {watched.job}",
                count=len(notices),
            )
            for run, rows in silent.items()
            if (notices := _living(rows, contacts))
        ]
    )
    groups: dict[tuple[str, int, str, str], list[Notice]] = {}
    lost = {key: notice for key, notice in moved.items() if notice.why == Why.NO_RECEIPT}
    for notice in lost.values():
        groups.setdefault(together(notice), []).append(notice)
    for (run, _, purpose, _), notices in groups.items():
        if purpose != "notice":
            continue  # a later step is no record of the run
        tell_run(runs, run, "overdue", [outcome_of(notice) for notice in notices])
    if groups:
        decide_queue.send_slices([pointer_to(notices) for notices in groups.values()])
    return [row for row in waiting if row[0].notice_id not in lost]


def _overdue(
    notice: Notice, attempt: Attempt, watched: Watched, rules: Rules, now: datetime
) -> Notice | None:
    """The notice with an attempt that counts as lost, or is reported, since its receipt did not come in time;
    None where its type's rule wants neither, or another look has reported it."""
    wish = rules.of_type(notice.document_type).on_no_receipt
    if wish == "alert" and not any(event.report.startswith(f"{SILENT} ") for event in notice.events):
        return happened(
            notice, now, OVERDUE, f"{attempt.number} no receipt", report=f"{SILENT} {watched.job}"
        )
    if wish in ("ignore", "alert"):
        return None
    lost = replace(attempt, status=Status.UNDELIVERED, why=str(Why.NO_RECEIPT))
    attempts = tuple(lost if a.number == attempt.number else a for a in notice.attempts)
    return happened(
        replace(notice, waiting=notice.waiting if wish == "other_channel" else ()),
        now,
        OVERDUE,
        f"{attempt.number} no receipt",
        attempts=attempts,
        status=notice.status if notice.superseded_by else standing(attempts),
        why=str(Why.NO_RECEIPT),
        due_at=follow_up(notice, now),
    )


def _living(notices: Sequence[Notice], contacts: ContactBook) -> list[Notice]:
    """Notices of one run without those of erased customers: nobody has anything left to do about them."""
    known = contacts.get(notices[0].domain, {n.contact_key for n in notices})
    return [n for n in notices if not existed_before_erasure(known.get(n.contact_key), began(n))]


def _run(run: str) -> tuple[str, str]:
    domain, _, run_id = run.partition("/")
    return domain, run_id


def _match_early(
    early: EarlyReceipts,
    ledger: Ledger,
    record: Record,
    exceptions: ExceptionBus,
    now: datetime,
    policy: ReceiptPolicy,
) -> tuple[int, int]:
    """Try receipts again whose notice was unknown; report those that waited long enough."""
    waiting = early.waiting(_EARLY)
    if not waiting:
        return 0, 0
    known = ledger.get({receipt.notice_id for receipt, _ in waiting})
    matched = [receipt for receipt, _ in waiting if receipt.notice_id in known]
    if matched:
        record(matched)
        early.forget(matched)
    old = [r for r, since in waiting if r.notice_id not in known and now - since >= policy.keep_unmatched]
    if old:
        part = f"receipts {job_id('unknown', 0, 'unmatched', sorted(r.identity for r in old))}"
        exceptions.raise_exceptions(
            [
                ExceptionRaised(
                    "receipt_unmatched",
                    "warning",
                    "unknown",
                    "none",
                    "receipts for notices that the ledger does not know",
                    part=part,
                    count=len(old),
                )
            ]
        )
        early.give_up(old)
    return len(matched), len(old)


def _check_reputation(
    reputation: Reputation, exceptions: ExceptionBus, limits: Limits, now: datetime
) -> tuple[Rates, ...]:
    """Stop marketing on a channel whose sender is over a limit, and let it go on when none is any more."""
    rates = tuple(
        rates_of(channel, sender, counts)
        for (channel, sender), counts in sorted(reputation.last_day(now).items())
    )
    stops: dict[Channel, str] = {}
    for row in rates:
        if why := over(row, limits):
            stops[row.channel] = why
    before: Mapping[Channel, str] = reputation.stopped()
    if set(stops) != set(before):
        reputation.stop(stops)
    exceptions.raise_exceptions(
        [
            ExceptionRaised(
                "reputation_low",
                "severe",
                "unknown",
                "none",
                f"{channel}: {why} over 24 hours; marketing on this channel is stopped",
                part=f"{channel} {now.astimezone(UTC).date().isoformat()}",
            )
            for channel, why in stops.items()
            if channel not in before
        ]
    )
    return rates
