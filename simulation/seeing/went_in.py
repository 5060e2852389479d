"""What went in: runs and records as dropped, what people and systems did, what the composer reported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from simulation.checker.seen import ENDS, IN_PART, NOBODY_NAMED, Act, Drop, Record, Report
from simulation.stories.acts import Command, DropRun, PutEvent, Reply
from simulation.stories.acts import Record as Written
from simulation.stories.performing import Deed
from simulation.stories.records import FLAWS, OTHER_ADDRESS, OTHER_NAME

from .imported import imported

CHANNELS = ("email", "sms")

HOLDING = frozenset({"deceased", "chapter 7", "ptp", "payment plan", "disputed"})
"""Account statuses of stories that forbid to ask for money (docs/journeys.md, do not dun)."""

STOPS = frozenset({"STOP", "stop", "Stop!", "please unsubscribe me", "ARRET", "CANCEL", "STOP, wrong number"})
"""Texts of stories that end all text messages to their number; START allows them again."""


# --- runs ------------------------------------------------------------------------------------------


def drops_of(deeds: Sequence[Deed]) -> list[Drop]:
    """Every run, and every single document, in the order in which they came."""
    return [drop for deed in deeds for drop in _drops(deed)]


def _drops(deed: Deed) -> Iterator[Drop]:
    act = deed.act
    if isinstance(act, DropRun):
        whole = act.replaced is None and not act.stated and bool(act.records)
        doubtful = _doubtful(act.records)
        records = [Record(record.fields, _fit(record, doubtful)) for record in act.records]
        sealed_at = None if act.sealed_after is None else deed.ended
        yield Drop(act.domain, act.run_id, deed.began, records, sealed_at, complete=whole)
    elif isinstance(act, PutEvent) and act.detail_type == "Document Composed":
        fields = {name: str(value) for name, value in act.detail.items() if name != "domain"}
        yield Drop(str(act.detail["domain"]), "event", deed.began, [Record(fields)], None, event=True)


def _doubtful(records: Sequence[Written]) -> frozenset[str | None]:
    """The customers whose records contradict each other."""
    flaws = (OTHER_NAME, OTHER_ADDRESS)
    return frozenset(record.fields.get("customer_key") for record in records if record.flaw in flaws)


def _fit(record: Written, doubtful: Collection[str | None]) -> bool | None:
    """Whether a record can be used; of two that contradict each other perhaps neither can."""
    if record.fields.get("customer_key") in doubtful:
        return None
    flaw = FLAWS.get(record.flaw)
    return flaw is None or not flaw.rejected


# --- people and systems ----------------------------------------------------------------------------


def acts_of(deeds: Sequence[Deed]) -> list[Act]:
    """What operators, customers and systems did, in order."""
    reversed_ = {
        str(deed.act.detail.get("reversal_of"))
        for deed in deeds
        if isinstance(deed.act, PutEvent) and deed.act.detail_type == "Payment Reversed"
    }
    due = amounts_of(deeds)
    found: list[Act] = []
    counted: set[str] = set()
    files: set[str] = set()
    for deed in deeds:
        if deed.line[:1] == ("import",):
            found += _imported(deed, found, files)
        elif deed.line:
            found += _commanded(deed)
        elif isinstance(deed.act, Reply):
            kind = "opt out" if deed.act.text in STOPS else "opt in" if deed.act.text == "START" else ""
            if kind:
                found.append(Act(kind, deed.began, channel="sms", address=deed.act.number))
        elif isinstance(deed.act, DropRun):
            found += _stated(deed.act, deed.began)
        elif isinstance(deed.act, PutEvent):
            payment = str(deed.act.detail.get("payment_id") or "")
            said = None if payment in counted else _SAID.get(deed.act.detail_type)
            made = said(deed.began, deed.act.detail, due) if said else []
            counted |= {payment} if payment and made else set()
            if payment in reversed_:
                made = [replace(act, response=IN_PART) for act in made]
            found += made
    return found


_HARDSHIP = ("dispute", "died")
"""Words of responses of stories that put their customer under a hold of collection."""


def _stated(run: DropRun, at: float) -> Iterator[Act]:
    """Records whose account status puts their customers under a hold, if their run is taken."""
    for record in run.records:
        if record.fields.get("account_status") in HOLDING:
            yield Act("may not dun", at, domain=run.domain, customer=record.fields.get("customer_key", ""))


Due = Mapping[tuple[str, str], set[str]]
"""The amounts due by domain and document."""

Says = Callable[[float, Mapping[str, Any], Due], list[Act]]


def amounts_of(deeds: Sequence[Deed]) -> Due:
    """What each document's records say is due."""
    found: dict[tuple[str, str], set[str]] = {}
    for drop in drops_of(deeds):
        for record in drop.records:
            key = drop.domain, record.fields.get("document_id", "")
            found.setdefault(key, set()).add(record.fields.get("amount_due", ""))
    return found


_NAMES = {
    "domain": "domain", "customer_key": "customer", "recipient": "recipient", "document_id": "document",
    "case_id": "case",
}  # fmt: skip


def _named(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {ours: str(detail[theirs]) for theirs, ours in _NAMES.items() if detail.get(theirs)}


def _responded(at: float, detail: Mapping[str, Any], due: Due) -> list[Act]:
    who = {"recipient": NOBODY_NAMED, **_named(detail)}
    found = [Act("respond", at, **who, response="responded")]
    if any(word in str(detail["response"]) for word in _HARDSHIP):
        found.append(Act("may not dun", at, domain=who["domain"], customer=who.get("customer", "")))
    return found


def _acknowledged(at: float, detail: Mapping[str, Any], due: Due) -> list[Act]:
    who = {"recipient": NOBODY_NAMED, **_named(detail)}
    return [Act("respond", at, **who, response="acknowledged")]


def paid(at: float, detail: Mapping[str, Any], due: Due) -> list[Act]:
    """A payment ends what is about a document for certain only if it names the document, pays all of it and
    is not taken back."""
    amounts = due.get((str(detail["domain"]), str(detail.get("document_id", ""))))
    response = "paid" if amounts == {str(detail["amount"])} else IN_PART
    return [Act("respond", at, **_named(detail), response=response, amount=str(detail["amount"]))]


def _status(at: float, detail: Mapping[str, Any], due: Due) -> list[Act]:
    if detail["account_status"] not in HOLDING:
        return []
    return [Act("do not dun", at, **_named(detail))]


def _preferences(at: float, detail: Mapping[str, Any], due: Due) -> list[Act]:
    """The opt-outs that an event states are all that the customer has from then on."""
    who, found = {"recipient": NOBODY_NAMED, **_named(detail)}, list[Act]()
    if "opt_outs" in detail:
        found.append(Act("opt in", at, **who))
        for topic, channels in detail["opt_outs"].items():
            found += [Act("opt out", at, **who, channel=c, topic=topic) for c in channels]
    if "language" in detail:
        found.append(Act("set language", at, **who, language=detail["language"]))
    if "email" in detail and detail.get("verified"):
        found.append(Act("set address", at, **who, channel="email", address=detail["email"]))
    elif "email" in detail:
        found.append(Act("may set address", at, **who, channel="email", address=detail["email"]))
    if "paper_required" in detail:
        found.append(Act("want paper" if detail["paper_required"] else "want no paper", at, **who))
    if "consent" in detail:
        found.append(Act("give consent" if detail["consent"]["given"] else "withdraw consent", at, **who))
    if "quiet_hours" in detail:
        found.append(Act("quiet hours", at, **who, hours="-".join(detail["quiet_hours"])))
    return found


_SAID: Mapping[str, Says] = {
    "Customer Responded": _responded,
    "Document Acknowledged": _acknowledged,
    "Payment Received": paid,
    "Account Status Changed": _status,
    "Preferences Changed": _preferences,
}


# --- operators -------------------------------------------------------------------------------------


def _commanded(deed: Deed) -> list[Act]:
    """What a command line means. One that was refused did nothing; one that was killed, or failed on a fault,
    may have done it: then what it allows counts, and what it forbids does not."""
    line = deed.line
    options = _options(line)
    meaning = _MEANINGS.get(line[0])
    meant = meaning(line, options) if meaning else []
    refused, done = _came_to(deed)
    if refused:
        return []
    sure = done is not None
    return [Act(kind, deed.began, done, **about) for kind, about in meant if sure or kind in _ALLOWS]


def _came_to(deed: Deed) -> tuple[bool, float | None]:
    """Whether a command was refused, and when it was done for certain."""
    failed = "AWS refuses or does not answer" in deed.said
    return deed.code in (1, 2) and not failed, None if failed else deed.ended


def _imported(deed: Deed, before: Sequence[Act], files: set[str]) -> list[Act]:
    """What an imported file means. One that is read again says nothing new: it keeps its first time."""
    refused, done = _came_to(deed)
    if refused or not isinstance(deed.act, Command) or "--apply" not in deed.line:
        return []
    made: list[Act] = []
    for text in deed.act.files.values():
        again = text in files
        made += imported(_options(deed.line)["--domain"], text, deed.began, done, before)
        files.add(text)
        if again:
            made = [act for act in made if act.kind not in _FIRST_TIME]
    return made


_FIRST_TIME = frozenset({"opt out", "want paper", "want no paper"})
"""What a file says for the time of its first import only."""

_ALLOWS = frozenset({*ENDS.values(), "may set address", "may set language"})
"""Acts that allow something that was forbidden before."""

Meant = list[tuple[str, dict[str, Any]]]


def _options(line: Sequence[str]) -> dict[str, str]:
    """The options of a line with their values; a flag has none."""
    found: dict[str, str] = {}
    for number, word in enumerate(line):
        if word.startswith("--"):
            value = line[number + 1] if number + 1 < len(line) else ""
            found[word] = "" if value.startswith("--") else value
    return found


def _run(line: Sequence[str], options: Mapping[str, str]) -> Meant:
    kinds = {"--hold": "hold", "--release": "release", "--cancel": "cancel"}
    return [(kind, {"run": line[1]}) for option, kind in kinds.items() if option in options]


def _switch(line: Sequence[str], options: Mapping[str, str]) -> Meant:
    kind = "switch off" if "--off" in options else "switch on"
    return [(kind, {"channel" if line[1] in CHANNELS else "domain": line[1]})]


def _journeys(line: Sequence[str], options: Mapping[str, str]) -> Meant:
    names = {"--run": "run", "--journey": "journey", "--customer": "customer", "--domain": "domain"}
    about = {ours: options[theirs] for theirs, ours in names.items() if theirs in options}
    return [("stop journey" if line[1] == "stop" else "resume journey", about)]


def _contact(line: Sequence[str], options: Mapping[str, str]) -> Meant:
    account = {"customer": line[1], "domain": options.get("--domain", "")}
    who = {**account, "recipient": options.get("--recipient") or NOBODY_NAMED}
    flags = {"--do-not-dun": "do not dun", "--dun-again": "dun again"}
    found: Meant = [(kind, account) for option, kind in flags.items() if option in options]
    if "--erase" in options:
        found.append(("erase", who))
    field, _, value = options.get("--set", "").partition("=")
    match field:
        case "opt_out":
            found.append(("opt out", {**who, "channel": value}))
        case "opt_outs" if not value:
            found.append(("opt in", who))
        case "language":
            found.append(("set language", {**who, "language": value}))
        case "email":
            found.append(("set address", {**who, "channel": "email", "address": value}))
        case "paper_required":
            found.append(("want paper" if value == "yes" else "want no paper", who))
        case "consent":
            found.append(("give consent" if value == "yes" else "withdraw consent", who))
        case "legal_hold":
            found.append(("legal hold" if value else "legal hold ended", who))
    return found


_MEANINGS: Mapping[str, Callable[[Sequence[str], Mapping[str, str]], Meant]] = {
    "run": _run,
    "switch": _switch,
    "journeys": _journeys,
    "contact": _contact,
}
"""What each command does, as the checker names it."""


# --- the composer ----------------------------------------------------------------------------------


def reports_of(deeds: Sequence[Deed]) -> list[Report]:
    """What the engine's message files say: a code, and how many times."""
    found: list[Report] = []
    for deed in deeds:
        if not isinstance(deed.act, DropRun):
            continue
        lines = deed.act.beside.get("ExstreamMessages.dat", "").splitlines()
        for code in ("EX004120E", "EX003004S"):
            if count := sum(code in line for line in lines):
                severity = "severe" if code.endswith("S") else "error"
                found.append(Report(deed.began, deed.act.domain, deed.act.run_id, code, count, severity))
    return found
