"""Record what providers report: ledger, suppression, contact, the next channel, reputation, evidence."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..domain.channels import alert_receipts
from ..domain.contacts import Contact, with_entries
from ..domain.deferring import follow_up
from ..domain.documents import Channel
from ..domain.erasure import began, existed_before_erasure
from ..domain.exceptions import ExceptionRaised
from ..domain.hearing import Voice, heard, one_write
from ..domain.identity import job_id
from ..domain.incidents import ALERT_REF
from ..domain.notices import LOST, Notice, Status
from ..domain.provenance import jump, listed, proven
from ..domain.receipts import (
    ADDRESS_RANK,
    ADDRESS_STATUS,
    LISTED,
    Kind,
    Receipt,
    ReceiptPolicy,
    Source,
    anchor,
    applied,
    attempt_of,
    concerns,
    is_followed,
    kept_in,
    knows,
    moment,
    outranked,
    suppressed_by,
)
from ..domain.statements import ALL, OUT, spoken_at, stamped
from ..ports import (
    AddressChecker,
    Clock,
    ContactBook,
    DecideQueue,
    EarlyReceipts,
    ExceptionBus,
    Ledger,
    ReceiptBus,
    ReceiptEvidence,
    Reputation,
    RunBook,
    SuppressionList,
)
from .slices import outcome_of, pointer_to, tell_run
from .tell_portal import tell_portal

_Lifted = Mapping[tuple[Channel, str], str]
"""When addresses were last released, by channel and hash; empty for one that never was."""

_TRIES = 5
_TEXTS: Mapping[str, str] = {
    "content_refused": "messages refused for their content or size",
    "sender_refused": "messages refused by policy: our sender's reputation or authentication",
    "send_spoiled": "messages that could not be sent as we gave them",
    "challenge_mail": "mails that ask our sender to prove itself",
    "receipt_unknown": "messages on the receipt queue that could not be used; kept in the work bucket",
    "receipt_unmatched": "receipts for notices that the ledger does not know",
    "team_not_told": "copies for internal teams that bounced",
    "unproven_mail": "reports by mail within an hour that prove nothing, and that changed nothing",
}
_BOUNCES = frozenset({Kind.HARD_BOUNCE})
"""What counts as a bounce in a sender's rate, as SES counts it: echoes of lists and soft failures do not."""


@dataclass(slots=True)
class _Batch:
    """What one batch of receipts comes to."""

    now: datetime
    counts: Counter[str] = field(default_factory=Counter)
    rates: dict[tuple[Channel, str, str], Counter[str]] = field(default_factory=dict)
    alerts: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    again: dict[tuple[str, int, str, str], list[Notice]] = field(default_factory=dict)
    words: dict[str, list[Notice]] = field(default_factory=dict)
    written: dict[str, tuple[Notice, list[Receipt]]] = field(default_factory=dict)
    repeated: dict[str, dict[str, Notice]] = field(default_factory=dict)
    teams: dict[str, list[str]] = field(default_factory=dict)
    claims: int = 0


def record_receipts(
    receipts: Sequence[Receipt],
    *,
    ledger: Ledger,
    contacts: ContactBook,
    addresses: AddressChecker,
    suppressions: SuppressionList,
    runs: RunBook,
    decide_queue: DecideQueue,
    receipt_evidence: ReceiptEvidence,
    early: EarlyReceipts,
    reputation: Reputation,
    exceptions: ReceiptBus,
    clock: Clock,
    receipt_policy: ReceiptPolicy,
    keep: bool = True,
) -> Counter[str]:
    """Record receipts, in any order and however often they come; how many of each kind were new.

    What follows outside the ledger is done before the ledger's write, or again for a receipt that it
    holds already, so a worker that dies leaves nothing undone. What was done before the write is not done
    again: the customer may have changed it since. Of an erased customer's address only complaints are
    written. A provider's receipt for an unknown notice still
    says something of its address; it is kept for later (unless `keep` is False: it was kept before). One for
    an alert of ours is told to those who alert. A mail that proves nothing is counted alone
    (domain/provenance.py).
    """
    batch = _Batch(clock.now())
    wanted = {r.notice_id for r in receipts if r.notice_id}
    stored = ledger.get(wanted) if wanted else {}
    told = _believed([_hashed(r, addresses, suppressions) for r in receipts], stored, batch)
    normal = sorted({r.identity: r for r in told}.values(), key=lambda r: (r.at, r.identity))
    batch.counts["repeated"] += len(told) - len(normal)
    by_notice: dict[str, list[Receipt]] = {}
    for receipt in normal:
        if receipt.notice_id in stored:
            by_notice.setdefault(receipt.notice_id, []).append(receipt)
        else:
            _count_stranger(receipt, batch)
    strangers = [r for r in normal if r.notice_id not in stored]
    unmatched = [r for r in strangers if r.notice_id and not r.notice_id.startswith(ALERT_REF)]
    if unmatched and keep:
        early.keep(unmatched, batch.now)
    batch.counts["unmatched"] += len(unmatched)

    exceptions.alerts_reported(alert_receipts(strangers))
    fresh = _fresh(by_notice, stored, batch)
    exceptions.raise_exceptions(_exceptions(batch.alerts))
    known = _customers(fresh, stored, contacts)
    fresh = _without_erased(fresh, stored, known)
    lifted = _suppress(strangers, fresh, stored, suppressions, receipt_policy)
    _mark_contacts(fresh, stored, lifted, known, contacts, suppressions, exceptions, batch.now)
    reference = receipt_evidence.reference()
    _write(by_notice, stored, ledger, reference, receipt_policy, batch)
    # Before what may fail and be repeated: a repeat counts nothing, since the ledger has the receipt by then.
    for (channel, sender, at), counts in batch.rates.items():
        reputation.add(channel, sender, moment(at) or batch.now, counts)
    _keep_evidence(batch, receipt_evidence, reference)
    _follow(batch, decide_queue, runs)
    exceptions.raise_exceptions(
        _exceptions({("team_not_told", run): ids for run, ids in batch.teams.items()})
    )
    _tell_unproven(batch, reputation, exceptions, receipt_policy)
    return batch.counts


def record_batch(
    messages: Mapping[str, Sequence[Receipt]], record: Callable[[Sequence[Receipt]], Counter[str]]
) -> tuple[Counter[str], dict[str, Exception]]:
    """Record what a batch of messages brought, together; if that fails, each message by itself.

    The counts, and the messages that failed with why: one that cannot be recorded stops no other.
    """
    try:
        return record([receipt for rows in messages.values() for receipt in rows]), {}
    except Exception as error:
        if len(messages) == 1:
            return Counter(), {next(iter(messages)): error}
    counts: Counter[str] = Counter()
    failed: dict[str, Exception] = {}
    for name, rows in messages.items():
        try:
            counts += record(rows)
        except Exception as error:
            failed[name] = error
    return counts, failed


def unread(name: str, why: str, key: str) -> ExceptionRaised:
    """The report of a message on the receipt queue that cannot be used: why, and where it is kept."""
    text = f"{_TEXTS['receipt_unknown']}: {why}"
    return ExceptionRaised(
        "receipt_unknown", "warning", "unknown", "none", text, part=f"message {name}", detail={"kept": key}
    )


def _hashed(receipt: Receipt, addresses: AddressChecker, suppressions: SuppressionList) -> Receipt:
    """The receipt with its address canonical and hashed, as the rest of us knows addresses."""
    if receipt.hashes or not (receipt.recipient or receipt.also):
        return receipt
    checked = [
        addresses.check(receipt.channel, name, None) for name in (receipt.recipient, *receipt.also) if name
    ]
    usable = dict.fromkeys(one.value for one in checked if one.status != "invalid")
    if not usable:
        return receipt
    hashes = tuple(h for value in usable for h in suppressions.hashes(receipt.channel, value))
    return replace(receipt, recipient=next(iter(usable)), also=(), hashes=hashes)


def _believed(receipts: Sequence[Receipt], stored: Mapping[str, Notice], batch: _Batch) -> list[Receipt]:
    """What counts: every word of a provider, and of the mails those that prove what they say."""
    kept = []
    for receipt in receipts:
        notice = stored.get(receipt.notice_id)
        believed = proven(receipt, notice, batch.now)
        if believed is None:
            batch.counts["unproven"] += 1
            batch.claims += receipt.meaning.claims
        elif notice is not None and outranked(notice, believed):
            batch.counts["outranked"] += 1
        else:
            kept.append(believed)
    return kept


def _tell_unproven(
    batch: _Batch, reputation: Reputation, exceptions: ExceptionBus, policy: ReceiptPolicy
) -> None:
    """Count what mails claim and do not prove, and have a person look when an hour brings much of it."""
    if not batch.claims:
        return
    hour = reputation.count_unproven(batch.now, batch.claims)
    if jump(hour - batch.claims, hour, policy.unproven_limit):
        code, part = "unproven_mail", f"mails of {batch.now:%Y-%m-%dT%H}"
        raised = ExceptionRaised(code, "warning", "unknown", "none", _TEXTS[code], part=part, count=hour)
        exceptions.raise_exceptions([raised])


def _fresh(
    by_notice: Mapping[str, Sequence[Receipt]], stored: Mapping[str, Notice], batch: _Batch
) -> dict[str, list[Receipt]]:
    """The receipts that their notices do not hold yet, with what is alerted about them noted."""
    fresh = {
        identity: [receipt for receipt in rows if not knows(stored[identity], receipt)]
        for identity, rows in by_notice.items()
    }
    for identity, rows in fresh.items():
        for receipt in rows:
            _alert(receipt, stored[identity].origin.run, batch)
    return fresh


_Known = Mapping[str, dict[str, Contact]]
"""Contacts by domain, then contact key."""


def _customers(
    by_notice: Mapping[str, Sequence[Receipt]], stored: Mapping[str, Notice], contacts: ContactBook
) -> _Known:
    """The contacts of the customers of whose addresses the receipts say something."""
    wanted: dict[str, set[str]] = {}
    for identity, rows in by_notice.items():
        notice = stored[identity]
        if notice.audience == "customer" and any(r.meaning.suppress != "no" for r in rows):
            wanted.setdefault(notice.domain, set()).add(notice.contact_key)
    return {domain: contacts.get(domain, keys) for domain, keys in wanted.items()}


def _without_erased(
    by_notice: Mapping[str, list[Receipt]], stored: Mapping[str, Notice], known: _Known
) -> dict[str, list[Receipt]]:
    """The receipts without those about customers who were erased after the notice; their complaints stay,
    since those are wishes of whoever has the address."""
    left = {}
    for identity, rows in by_notice.items():
        notice = stored[identity]
        contact = known.get(notice.domain, {}).get(notice.contact_key)
        gone = notice.audience == "customer" and existed_before_erasure(contact, began(notice))
        left[identity] = [r for r in rows if not gone or r.meaning.suppress == "complaint"]
    return left


def _count_stranger(receipt: Receipt, batch: _Batch) -> None:
    batch.counts[str(receipt.kind)] += 1
    _alert(receipt, "unknown/none", batch)


def _alert(receipt: Receipt, run: str, batch: _Batch) -> None:
    if code := receipt.meaning.alert:
        batch.alerts.setdefault((code, run), []).append(receipt.identity)


def _exceptions(alerts: Mapping[tuple[str, str], Sequence[str]]) -> list[ExceptionRaised]:
    raised = []
    for (code, run), identities in alerts.items():
        domain, _, run_id = run.partition("/")
        part = f"receipts {job_id(run, 0, code, sorted(identities))}"
        raised.append(
            ExceptionRaised(code, "warning", domain, run_id, _TEXTS[code], part=part, count=len(identities))
        )
    return raised


def _suppress(
    strangers: Sequence[Receipt],
    by_notice: Mapping[str, Sequence[Receipt]],
    stored: Mapping[str, Notice],
    suppressions: SuppressionList,
    policy: ReceiptPolicy,
) -> _Lifted:
    """Write what the receipts say of addresses; by the attempt's own hash where that is known.

    When each address was last released: what happened before that marks nothing.
    """
    said: dict[tuple[Channel, str], list[Receipt]] = {}
    for receipt in strangers:
        if receipt.meaning.suppress in LISTED and receipt.hashes:
            said.setdefault((receipt.channel, receipt.hashes[0]), []).append(receipt)
    for identity, rows in by_notice.items():
        for receipt in rows:
            if receipt.meaning.suppress not in LISTED:
                continue
            attempt = attempt_of(stored[identity], receipt)
            ours = attempt is not None and concerns(attempt, receipt)
            address = attempt.address if attempt is not None and ours else (receipt.hashes or ("",))[0]
            if address:
                said.setdefault((receipt.channel, address), []).append(listed(stored[identity], receipt))
    left, lifted = said, dict[tuple[Channel, str], str]()
    if not said:
        return lifted
    for _ in range(_TRIES):
        known = suppressions.entries(left)
        changed = []
        for key, rows in left.items():
            before = after = known[key]
            lifted[key] = before.released_at
            for receipt in rows:
                after = suppressed_by(after, receipt, policy)
            if after is not before:
                changed.append(replace(after, version=before.version + 1))
        failed = suppressions.put(changed) if changed else set()
        if not failed:
            return lifted
        left = {key: said[key] for key in failed}
    raise RuntimeError("a suppression kept changing under five attempts to write it")


def _mark_contacts(
    by_notice: Mapping[str, Sequence[Receipt]],
    stored: Mapping[str, Notice],
    lifted: _Lifted,
    found: _Known,
    contacts: ContactBook,
    suppressions: SuppressionList,
    bus: ReceiptBus,
    now: datetime,
) -> None:
    """Give the customer's address the status that the receipts say, if it is still the address written to.

    The portal hears of it first: a worker that dies before the write does both again.
    """
    said: dict[str, dict[str, list[tuple[Receipt, str]]]] = {}
    for identity, rows in by_notice.items():
        notice = stored[identity]
        for receipt in rows:
            attempt = attempt_of(notice, receipt)
            if receipt.meaning.suppress == "no" or attempt is None or not concerns(attempt, receipt):
                continue
            if listed(notice, receipt).at <= lifted.get((receipt.channel, attempt.address), ""):
                continue
            if notice.audience == "customer":
                customers = said.setdefault(notice.domain, {})
                customers.setdefault(notice.contact_key, []).append((receipt, attempt.address))
    for domain, customers in said.items():
        known, left = found[domain], set(customers)
        for _ in range(_TRIES):
            changed = {
                key: after
                for key, contact in known.items()
                if key in left
                and (after := _marked(contact, customers[key], suppressions, now)) is not contact
            }
            told = [(known[key], after) for key, after in changed.items()]
            tell_portal(told, "receipt", bus, now.isoformat(timespec="seconds"))
            left = set(contacts.put(list(changed.values()))) if changed else set()
            if not left:
                break
            known = contacts.get(domain, left)
        else:
            raise RuntimeError("a contact kept changing under five attempts to mark its address")


def _marked(
    contact: Contact, said: Sequence[tuple[Receipt, str]], suppressions: SuppressionList, now: datetime
) -> Contact:
    after = contact
    for receipt, attempted in said:
        address = after.address(receipt.channel)
        if address is None or attempted not in suppressions.hashes(receipt.channel, address.value):
            continue
        if receipt.meaning.suppress == "opt_out":
            after = _unsubscribed(after, receipt, now)
            if not after.opted_out(receipt.channel, ALL):
                continue  # the customer came back later than that
        status = ADDRESS_STATUS[receipt.meaning.suppress]
        if receipt.kind is Kind.ECHO_COMPLAINT:
            status = "complained"
        if ADDRESS_RANK[status] <= ADDRESS_RANK[address.status]:
            continue
        name = "email" if receipt.channel == "email" else "mobile"
        entry = {
            "at": now.isoformat(timespec="seconds"),
            "who": receipt.provider,
            "field": f"{name} status",
            "from": address.status,
            "to": status,
            "why": f"{receipt.kind} {receipt.code}".strip(),
        }
        after = replace(
            after,
            **{name: replace(address, status=status, why=entry["why"])},  # type: ignore[arg-type]
            changed_at=entry["at"],
            history=with_entries(after, entry),
        )
    return one_write(contact, after)


def _unsubscribed(contact: Contact, receipt: Receipt, now: datetime) -> Contact:
    """The contact after its customer unsubscribed from everything with the provider."""
    at = moment(receipt.at)
    voice = Voice("reply", f"receipt {receipt.provider}", spoken_at(stamped(at) if at else "", now), now)
    return heard(contact, voice.opts(OUT, [ALL], [receipt.channel]), now)


def _write(
    by_notice: Mapping[str, Sequence[Receipt]],
    stored: Mapping[str, Notice],
    ledger: Ledger,
    reference: str,
    policy: ReceiptPolicy,
    batch: _Batch,
) -> None:
    left = {identity: stored[identity] for identity in by_notice}
    for _ in range(_TRIES):
        changed: dict[str, tuple[Notice, Notice, list[Receipt]]] = {}
        for identity, before in left.items():
            after, new = before, []
            for receipt in by_notice[identity]:
                moved = applied(after, receipt, batch.now, policy, reference)
                if moved is not None:
                    after = moved
                    new.append(receipt)
            if new:
                due_at = follow_up(after, batch.now) if _calls_for_more(before, after) else after.due_at
                after = replace(after, version=before.version + 1, due_at=due_at)
                changed[identity] = (before, after, new)
            _note_repeated(before, by_notice[identity], batch)
        blocked = ledger.put([after for _, after, _ in changed.values()]) if changed else {}
        for identity, (before, after, new) in changed.items():
            if identity not in blocked:
                _note(before, after, new, batch)
        left = blocked
        if not left:
            return
    raise RuntimeError("a notice kept changing under five attempts to record its receipts")


def _note(before: Notice, after: Notice, new: list[Receipt], batch: _Batch) -> None:
    batch.written[after.notice_id] = (after, new)
    for receipt in new:
        batch.counts[str(receipt.kind)] += 1
        name = "bounces" if receipt.kind in _BOUNCES else str(receipt.kind)
        if name in ("bounces", "complaint", "delivered"):
            key = (receipt.channel, receipt.sender or receipt.provider, receipt.at[:13] + ":00:00Z")
            batch.rates.setdefault(key, Counter())[name] += 1
    if before.outcome != after.outcome:
        batch.words.setdefault(after.origin.run, []).append(after)
    if _calls_for_more(before, after):
        _go_on(after, batch)


def _calls_for_more(before: Notice, after: Notice) -> bool:
    """Whether a change calls for the next channel, paper or an exception: then it is due with its write."""
    return after.status in LOST and (before.status != after.status or before.attempts != after.attempts)


def _note_repeated(notice: Notice, receipts: Sequence[Receipt], batch: _Batch) -> None:
    """A receipt that the ledger holds already: what follows the ledger's write may not have been done.

    Where something came of it, it was: a mail that is sent again weeks later starts nothing anew.
    """
    for receipt in receipts:
        if not knows(notice, receipt):
            continue
        batch.counts["repeated"] += 1
        if place := kept_in(notice, receipt):
            batch.repeated.setdefault(place, {})[notice.notice_id] = notice
        if any(event.what == str(Status.UNCONFIRMED) for event in notice.events):
            # It may have resolved the doubt, and its run may not have been told.
            batch.words.setdefault(notice.origin.run, []).append(notice)
        if receipt.meaning.fall_back and notice.status in LOST and not is_followed(notice, receipt):
            batch.words.setdefault(notice.origin.run, []).append(notice)
            _go_on(notice, batch)


def _go_on(notice: Notice, batch: _Batch) -> None:
    if not notice.origin.part:
        return  # a note, of no record: whoever sent it looks at how it stands
    if notice.audience == "customer":
        batch.again.setdefault(together(notice), []).append(notice)
    else:
        batch.teams.setdefault(notice.origin.run, []).append(notice.notice_id)


def _keep_evidence(batch: _Batch, evidence: ReceiptEvidence, reference: str) -> None:
    if batch.written:
        rows = [
            {
                **anchor(notice),
                "at": batch.now.isoformat(timespec="milliseconds"),
                "receipts": list(map(_row, new)),
            }
            for notice, new in batch.written.values()
        ]
        evidence.anchor(reference, rows)
    for place, notices in batch.repeated.items():
        at = batch.now.isoformat(timespec="milliseconds")
        evidence.anchor(
            place, [{**anchor(n), "at": at, "receipts": []} for n in notices.values()], again=True
        )


def _row(receipt: Receipt) -> dict[str, object]:
    """A receipt as the evidence keeps it: nothing personal in it, and all that its identity is made of."""
    names = ["provider", "channel", "at", "attempt", "code", "reason", "ref", "raw"]
    names += ["said_by"] if receipt.said_by != Source.PROVIDER else []
    return {
        "identity": receipt.identity,
        "kind": str(receipt.kind),
        "who": next(iter(receipt.hashes), ""),
        **{name: value for name in names if (value := getattr(receipt, name)) not in ("", None)},
    }


def _follow(batch: _Batch, decide_queue: DecideQueue, runs: RunBook) -> None:
    if batch.again:
        decide_queue.send_slices([pointer_to(notices) for notices in batch.again.values()])
    for run, notices in batch.words.items():
        newest = {n.notice_id: n for n in notices if (n.audience, n.purpose) == ("customer", "notice")}
        tell_run(runs, run, "receipts", [outcome_of(notice) for notice in newest.values()])


def together(notice: Notice) -> tuple[str, int, str, str]:
    """What notices that one pointer names have in common: a journey's steps are looked at by themselves."""
    origin = notice.origin
    return origin.run, origin.slice_number, notice.purpose, notice.rule_version
