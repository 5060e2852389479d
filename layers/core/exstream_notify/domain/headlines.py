"""What a run came to, in one line that is exactly true: what needs a look first, the worst first."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .decisions import Why
from .exceptions import RANK, ExceptionRaised
from .notices import Outcome
from .run_codes import HOLDS, NOT_THERE, REFUSALS
from .runs import Concern, Look, Reconciliation, Run

_BY_OUTCOME = frozenset(
    {
        "records_rejected", "documents_missing", "holders_mixed", "customers_missing", "no_channel",
        "unreached", "required_unreached", "deadline_passed", "send_unconfirmed", "unconfirmed_at_deadline",
        "provider_down", "wording_not_approved", "duplicate_differs", "duplicate_undated",
        "run_all_duplicates", "nothing_due",
    }
)  # fmt: skip

# A run that went on afterwards has overtaken what its state said.
SAID = _BY_OUTCOME | REFUSALS | HOLDS | NOT_THERE
"""Exception codes of which the run itself says how they stand now: no concern of their own."""

_WORDS: Mapping[str, str] = {
    Why.NO_CHANNEL: "no channel that works",
    Why.NOT_APPROVED: "wording not approved",
    Why.DEADLINE_PASSED: "deadline passed",
    Why.TEST_DOCUMENT: "test documents",
    Why.DO_NOT_DUN: "customers not to be asked for money",
    Why.RESPONDED: "customers responded before",
    Why.SUPERSEDED: "superseded by a newer document",
    Why.SWITCHED_OFF: "switched off",
    Why.REPUTATION: "reputation of the sender too low",
    Why.UNANSWERED: "no answer from the provider",
    Why.ANSWER_LOST: "answer of the provider lost",
    Why.NO_RECEIPT: "no receipt",
}
"""Reasons whose name alone does not read well; others are read with spaces for underscores."""

_PARTS = 3
_REASONS = 2
_LONGEST = 100

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_OF_FIELD = re.compile(r"([a-z][a-z0-9_]*): (?=\S+(?: \S+)?$)")


@dataclass(frozen=True, slots=True)
class Until:
    """Until when deferred records wait. `earliest` is UTC; `same`: all of them until that minute."""

    earliest: datetime
    same: bool = True

    def joined(self, other: "Until") -> "Until":
        """The earlier of both."""
        apart = abs(self.earliest - other.earliest) >= timedelta(minutes=1)
        return Until(min(self.earliest, other.earliest), self.same and other.same and not apart)


@dataclass(frozen=True, slots=True)
class OtherRuns:
    """Runs by id; `complete` says that no further ones are possible."""

    ids: frozenset[str]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Particulars:
    """What the ledger and the incidents add to a reconciliation.

    `until` is by reason of deferral. `notified_by` are the runs that notified this run's duplicates, by the
    reason that the duplicates have. `findings` are one exception for each code of
    the run's incidents that nobody resolved. `now` decides whether a time needs its date.
    """

    until: Mapping[str, Until] = field(default_factory=dict)
    notified_by: Mapping[str, "OtherRuns"] = field(default_factory=dict)
    findings: Sequence[ExceptionRaised] = ()
    now: datetime | None = None


NONE = Particulars()


def all_concerns(added: Reconciliation, particulars: Particulars = NONE) -> tuple[Concern, ...]:
    """What needs a look by the records, and by open incidents of severity error or severe."""
    found = [f for f in particulars.findings if f.code not in SAID and RANK[f.severity] >= RANK["error"]]
    found.sort(key=lambda f: (-RANK[f.severity], f.code))
    of = sum(added.outcomes.values())
    return (*added.needs_look, *(Concern(Look.INCIDENT, f.count, of, f.code) for f in found))


def headline(
    run: Run, added: Reconciliation, particulars: Particulars = NONE, *, planned: bool = False
) -> str:
    """The run in one line; `planned` words it as what would happen."""
    concerns = all_concerns(added, particulars)
    parts, rest = _worst(concerns, added, particulars, planned=planned)
    notified = added.outcomes[Outcome.NOTIFIED]
    if planned and run.composed:
        would = f"would notify {notified} of {run.composed}"
        held = next((c for c in concerns if c.what == Look.HELD), None)
        if held:
            parts = [part for part in parts if not part.startswith("held")]
            would = f"would be held{_after(held.reason)}; its release {would}"
        parts.insert(0, would)
    elif not concerns:
        parts.insert(0, f"{notified} of {run.composed} notified" if run.composed else _NO_DOCUMENTS)
    elif notified and added.balanced:
        parts.append(f"{notified} notified")
    if not concerns:
        parts += _decisions(added, particulars)
    notes = sorted(
        (f for f in particulars.findings if f.severity == "warning" and f.code not in SAID),
        key=lambda f: f.code,
    )
    if len(parts) < _PARTS:
        parts += [_cut(f.text) for f in notes[: _PARTS - len(parts)]]
    if rest:
        parts.append(f"and {rest} more {'reason' if rest == 1 else 'reasons'}")
    return "; ".join(parts)


_NO_DOCUMENTS = "no documents, and the seal expects none"


def _worst(
    concerns: Sequence[Concern], added: Reconciliation, particulars: Particulars, *, planned: bool
) -> tuple[list[str], int]:
    """The worst concerns in words, those of one kind together, and how many reasons are left unsaid."""
    kinds: dict[Look, list[Concern]] = {}
    for concern in concerns:
        kinds.setdefault(concern.what, []).append(concern)
    said = list(kinds.items())[:_PARTS]
    words = [_words(what, several, particulars, planned=planned) for what, several in said]
    shown = sum(1 if what == Look.INCIDENT else min(len(several), _REASONS) for what, several in said)
    return words, len(concerns) - shown


def _words(what: Look, several: Sequence[Concern], particulars: Particulars, *, planned: bool) -> str:
    """Concerns of one kind in words."""
    count, of, first = sum(c.count for c in several), several[0].of, several[0]
    share = f"{count} of {of}"
    if what in _RECORDS:
        return f"{share} {_RECORDS[what]}{_reasons((c.reason, c.count) for c in several)}"
    match what:
        case Look.CANCELLED:
            return (f"cancelled, {share} not notified" if count else "cancelled") + _after(first.reason)
        case Look.HELD:
            waits = f"held, {share} {'waits' if count == 1 else 'wait'}" if count else "held"
            return waits + _after(first.reason)
        case Look.REFUSED | Look.INCOMPLETE | Look.WAITING:
            be = "would be " if planned else ""
            # A reason such as "waiting for 1 of 2 files" says the state itself.
            return be + (first.reason if first.reason.startswith(what) else f"{what}{_after(first.reason)}")
        case Look.STAGED:
            return f"not dispatched yet, {share} in flight"
        case Look.UNBALANCED:
            return f"{count} outcomes for {of} records"
        case Look.OTHER_CONTENT:
            have = _number(count, "duplicate has", "duplicates have")
            return f"{have} other content than what was notified{_by_runs(particulars, 'by', what)}"
        case Look.UNDATED:
            are = "is a duplicate" if count == 1 else "are duplicates"
            return f"{share} {are}{_by_runs(particulars, 'of', what)}, undated: perhaps other documents"
        case Look.NOT_COMPOSED:
            return _number(count, "customer was not composed", "customers were not composed")
        case Look.DEFERRED:
            wait = _until([c.reason for c in several], particulars)
            return f"{share} deferred{wait}{_reasons((c.reason, c.count) for c in several)}"
        case Look.DUPLICATES:
            are = "is a duplicate" if count == 1 else "are duplicates"
            nobody = "nobody would be notified" if planned else "nobody was notified"
            return f"{share} {are}{_by_runs(particulars, 'of', '')} ({nobody})"
        case Look.EMPTY:
            return "no documents, and no seal says that none were expected"
        case _:
            found = next(f for f in particulars.findings if f.code == first.reason)
            return f"{_cut(found.text)} ({found.code})"


_RECORDS: Mapping[Look, str] = {
    Look.IN_FLIGHT: "in flight",
    Look.FAILED: "failed",
    Look.UNCONFIRMED: "unconfirmed",
    Look.REJECTED: "rejected",
    Look.NOT_NOTIFIED: "not notified",
}
"""Kinds of concern that say no more than how many records, and why."""

_DECIDED: Mapping[Outcome, str] = {
    Outcome.DEFERRED: "deferred",
    Outcome.PAPER: "on paper",
    Outcome.SUPPRESSED: "suppressed",
}


def _decisions(added: Reconciliation, particulars: Particulars) -> list[str]:
    """What became of a clean run's records that were not notified now."""
    found = []
    for outcome, words in _DECIDED.items():
        if count := added.outcomes[outcome]:
            reasons = added.reasons.get(outcome, {})
            wait = _until(reasons, particulars) if outcome == Outcome.DEFERRED else ""
            found.append(f"{count} {words}{wait}{_reasons(reasons.items())}")
    if count := added.outcomes[Outcome.DUPLICATE]:
        found.append(_number(count, "duplicate", "duplicates") + _by_runs(particulars, "of", ""))
    return found


def _reasons(counted: Iterable[tuple[str, int]]) -> str:
    """The most frequent reasons after a colon, each with its number where there are several."""
    rows = sorted(((why, n) for why, n in counted if why), key=lambda row: (-row[1], row[0]))
    if len(rows) == 1:
        return f": {in_words(rows[0][0])}"
    return _after(", ".join(f"{in_words(why)} ({n})" for why, n in rows[:_REASONS]))


def in_words(reason: str) -> str:
    """A reason as people read it: `no_channel` is "no channel that works", `email: bad` is "email bad".

    The colon stays before more than two words: `output_uri: the file is empty`.
    """
    if reason in _WORDS:
        return _WORDS[reason]
    if _NAME.fullmatch(reason):
        return _cut(reason.replace("_", " "))
    return _cut(_OF_FIELD.sub(r"\1 ", reason, count=1))


def _until(reasons: Iterable[str], particulars: Particulars) -> str:
    """Until when records of these reasons wait, where the ledger says so."""
    waits = [particulars.until[reason] for reason in reasons if reason in particulars.until]
    if not waits:
        return ""
    wait = waits[0]
    for other in waits[1:]:
        wait = wait.joined(other)
    today = particulars.now is not None and particulars.now.date() == wait.earliest.date()
    at = wait.earliest.strftime("%H:%M UTC" if today else "%Y-%m-%d %H:%M UTC")
    return f" until {at}" + ("" if wait.same else " at the earliest")


def _by_runs(particulars: Particulars, preposition: str, reason: str) -> str:
    """The runs that notified the duplicates of a reason; nothing where the ledger does not say."""
    found = particulars.notified_by.get(reason)
    if found is None or not found.ids:
        return ""
    runs = sorted(found.ids)
    if len(runs) == 1 and found.complete:
        return f" {preposition} run {runs[0]}"
    if len(runs) == 2 and found.complete:
        return f" {preposition} runs {runs[0]} and {runs[1]}"
    return f" {preposition} run {runs[0]} and others"


def _number(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _after(reason: str) -> str:
    return f": {reason}" if reason else ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"
