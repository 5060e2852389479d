"""A history with what the claims look up in it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

from .reading import Reading
from .seen import ENDS, NOBODY_NAMED, Act, Drop, Record, Row, Seen, Sent, Told, Try

K = TypeVar("K")
V = TypeVar("V")

Key = tuple[str, str, str, str]
"""A document of a customer: domain, customer, recipient, document id."""

REACHED = frozenset({"delivered", "accepted", "opened", "complained", "delayed"})
"""What a report says only of a message that the provider has."""

NOTICE = re.compile(r"[0-9a-f]{32}:\d+")
"""The reference of a notice's attempt; alerts to teams have others."""

MOMENT = 60.0
"""Seconds after an act within which a worker may still start with what it knew before (a switch holds
within a minute; what a function keeps of the tables' answers is seconds old)."""


def when(at: float) -> str:
    """A moment as people read it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(text: str) -> float | None:
    """A moment from the command's JSON; None where there is none."""
    return datetime.fromisoformat(text).timestamp() if text else None


def document_of(fields: Mapping[str, Any]) -> str:
    """A document's id as the documentation derives it (DESIGN, the drop): `document_id`, else the file's name
    without its extension, else the archive's reference, else the content's hash."""
    if named := fields.get("document_id"):
        return str(named)
    if path := str(fields.get("output_uri") or ""):
        name = path.replace("\\", "/").rsplit("/", 1)[-1]
        base, dot, _ = name.rpartition(".")
        return base if dot and base else name
    return str(fields.get("archive_ref") or fields.get("content_sha256") or "")


@dataclass(frozen=True, slots=True)
class Given:
    """A record where it was dropped."""

    drop: Drop
    record: Record

    @property
    def key(self) -> Key:
        """Whose document it is."""
        fields = self.record.fields
        return (
            self.drop.domain,
            str(fields.get("customer_key") or ""),
            str(fields.get("recipient") or ""),
            document_of(fields),
        )


class Book:
    """Look-ups over one history."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.rules = Reading(seen.rules)
        self.acts: dict[str, list[Act]] = defaultdict(list)
        for act in sorted(seen.acts, key=lambda act: act.at):
            # What ends an act may have done so although whoever gave the command was not told.
            if act.ok or act.kind in ENDS.values():
                self.acts[act.kind].append(act)
        self.sent: Sequence[Sent] = sorted((s for s in seen.sent if NOTICE.fullmatch(s.ref)), key=_at)
        """What was accepted of notices, in the order of time."""
        self.told: dict[int, list[Told]] = defaultdict(list)
        for told in sorted(seen.told, key=lambda told: told.at):
            if told.trusted:
                self.told[told.number].append(told)

    # --- messages -----------------------------------------------------------------------------

    @cached_property
    def messages(self) -> Sequence[Sent]:
        """What was accepted of notices that the command shows, in the order of time."""
        return [s for s in self.sent if s.notice in self.seen.shown.notices]

    @cached_property
    def by_notice(self) -> Mapping[str, Sequence[Sent]]:
        """Accepted messages by notice id."""
        return _grouped((s.notice, s) for s in self.sent)

    @cached_property
    def tries(self) -> Mapping[str, Sequence[Try]]:
        """What was not accepted, by notice id."""
        return _grouped((one.notice, one) for one in self.seen.tries if one.ref)

    def notice(self, identity: str) -> Row:
        """A notice as shown; empty where the command does not know it."""
        return self.seen.shown.notices.get(identity, {})

    def to_customer(self, message: Sent) -> bool:
        """Whether a message is one to a customer about a document: its notice, or a journey's step."""
        notice = self.notice(message.notice)
        purpose = str(notice.get("purpose", ""))
        return notice.get("audience") == "customer" and (purpose == "notice" or purpose.startswith("step:"))

    def fate(self, message: Sent, until: float | None = None, *, sure: bool = False) -> str:
        """What became of an accepted message, by the reports that the product had by then: `failed`,
        `delivered`, `complained`, or empty where nobody said. What happened later stands; of one time the
        failure. `sure`: by the reports alone that it had for certain."""
        said = [t for t in self.told.get(message.number, ()) if until is None or t.at <= until]
        said = [t for t in said if t.sure or not sure]
        if any(t.said == "complained" for t in said):
            return "complained"
        ends = [t for t in said if t.said in ("failed", "delivered")]
        if not ends:
            return ""
        return max(ends, key=lambda t: (t.happened, t.said == "failed")).said

    def ever_failed(self, message: Sent, until: float) -> bool:
        """Whether a report said by then that it failed, whatever another one said."""
        return any(t.said == "failed" and t.at <= until for t in self.told.get(message.number, ()))

    def known_to_be_out(self, message: Sent, until: float | None = None) -> bool:
        """Whether the product was told by then that the provider has it: by the answer, a report, or a reader
        who followed its link."""
        said = (t.said for t in self.told.get(message.number, ()) if until is None or t.at <= until)
        if message.heard is not False or any(word in REACHED or word == "failed" for word in said):
            return True
        opened = (one for one in self.seen.opened if one.number == message.number and one.person)
        return any(until is None or one.at <= until for one in opened)

    # --- records ------------------------------------------------------------------------------

    @cached_property
    def drops(self) -> Mapping[str, Sequence[Drop]]:
        """Drops by run, in the order of time."""
        return _grouped((drop.run, drop) for drop in sorted(self.seen.drops, key=lambda drop: drop.at))

    @cached_property
    def given(self) -> Mapping[Key, Sequence[Given]]:
        """Records by document, in the order in which they were dropped."""
        rows = (
            Given(drop, record)
            for drop in sorted(self.seen.drops, key=lambda d: d.at)
            for record in drop.records
        )
        return _grouped((one.key, one) for one in rows)

    @cached_property
    def by_contact(self) -> Mapping[tuple[str, str, str], Sequence[Given]]:
        """Records by domain, customer and recipient, in the order in which they were dropped."""
        return _grouped((key[:3], one) for key, given in self.given.items() for one in given)

    @cached_property
    def by_document(self) -> Mapping[Key, Sequence[Sent]]:
        """Accepted messages to customers by the document that they are about."""
        mine = (m for m in self.messages if self.to_customer(m))
        return _grouped((self.key_of(self.notice(m.notice)), m) for m in mine)

    @cached_property
    def _recipients(self) -> Mapping[tuple[str, str, str], Sequence[str]]:
        """The recipients that records name, by domain, customer and document."""
        return _grouped(((key[0], key[1], key[3]), key[2]) for key in self.given)

    def key_of(self, notice: Row, domain: str = "") -> Key:
        """Whose document a notice is about, or a record as shown, in a domain.

        Where holders are told apart by other fields, a hash of them is the recipient (docs/rules.md,
        `holders`): it stands for the only recipient that records of the document name.
        """
        domain = domain or str(notice.get("domain", ""))
        customer, document = str(notice.get("customer_key", "")), str(notice.get("document_id", ""))
        recipient = str(notice.get("recipient") or "")
        named = self._recipients.get((domain, customer, document), ())
        if named and recipient not in named:
            recipient = min(named)
        return domain, customer, recipient, document

    def records_of(self, notice: Row) -> Sequence[Given]:
        """The records that a notice may be about: those of its document, the ones of its run first."""
        found = self.given.get(self.key_of(notice), ())
        return sorted(found, key=lambda one: one.drop.run_id != notice.get("run_id"))

    def edition(self, one: Given) -> str:
        """What makes of two records of one id two documents (DESIGN, the ledger): new content where the
        type's rule says so; the period, content or day where only a file's name is known."""
        fields = one.record.fields
        content = str(fields.get("content_sha256") or "")
        if fields.get("document_id"):
            new = self.rules.may(self.rules.type_of(fields), "notify_on_new_content", True)
            return content if new else ""
        return str(fields.get("statement_period") or content or str(fields.get("produced_at") or "")[:10])

    @cached_property
    def rows(self) -> Mapping[str, Sequence[tuple[str, Row]]]:
        """Records as shown, with their run, by notice id."""
        rows = ((run, row) for run, listed in self.seen.shown.rows.items() for row in listed)
        return _grouped((str(row["notice_id"]), (run, row)) for run, row in rows if row.get("notice_id"))

    @cached_property
    def papers(self) -> frozenset[Key]:
        """Documents that are printed."""
        printed = self.seen.shown.paper.items()
        return frozenset(self.key_of(row, run.partition("/")[0]) for run, rows in printed for row in rows)

    # --- acts ---------------------------------------------------------------------------------

    def holds_from(self, act: Act) -> float:
        """From when on an act must be obeyed by whoever begins to work."""
        return (act.done + MOMENT) if act.done is not None else act.at + self.seen.slack

    def spans(self, kind: str) -> Iterator[tuple[Act, float, float]]:
        """Acts of a lasting kind: each with the time from which it must be obeyed, and until when."""
        for act in self.acts[kind]:
            ends = [end.at for end in self.acts[ENDS[kind]] if end.at >= act.at and _same(act, end)]
            yield act, self.holds_from(act), min(ends, default=float("inf"))

    def about(self, act: Act, notice: Row) -> bool:
        """Whether an act is about a notice: nothing that it names is another's."""
        run = f"{notice.get('domain', '')}/{notice.get('run_id', '')}"
        pairs = (
            (act.domain, notice.get("domain")),
            (act.run, run),
            (act.customer, notice.get("customer_key")),
            (act.document, notice.get("document_id")),
        )
        if any(said and said != have for said, have in pairs):
            return False
        # As records name the holder, or as the product tells holders apart, which its own pages know.
        holders = (self.key_of(notice)[2] or NOBODY_NAMED, notice.get("recipient"))
        if act.recipient and act.recipient not in holders:
            return False
        if not act.case:
            return True
        return any(one.record.fields.get("case_id") == act.case for one in self.records_of(notice))

    def may_be_held(self, notice: Row, at: float) -> bool:
        """Whether a notice asks for money, and its customer was perhaps under a hold of collection then."""
        kind = str(notice.get("document_type", ""))
        if not self.rules.may_ask_for_payment(kind) and not self.rules.may(kind, "class", "collections"):
            return False

        def mine(*kinds: str) -> list[Act]:
            acts = (act for kind in kinds for act in self.acts[kind] if act.at < at)
            return [
                act
                for act in acts
                if act.customer == notice.get("customer_key") and act.domain in ("", notice.get("domain"))
            ]

        lifted = [act.at for act in mine("dun again") if self.holds_from(act) + MOMENT < at]
        return any(not any(end > act.at for end in lifted) for act in mine("do not dun", "may not dun"))

    def settled_at(self, notice: Row) -> float:
        """When what follows a failure of a notice was settled for the last time, as the command shows it; the
        end of the history where it was not."""
        told = [str(e["at"]) for e in notice.get("events", ()) if str(e["what"]).startswith("settled")]
        return (seconds(told[-1]) if told else None) or self.seen.shown.at

    # --- evidence -----------------------------------------------------------------------------

    def line(self, message: Sent) -> str:
        """A message as evidence shows it."""
        notice = self.notice(message.notice)
        what = " ".join(
            str(notice[name])
            for name in ("domain", "customer_key", "document_id", "purpose")
            if notice.get(name)
        )
        heard = "" if message.heard is not False else ", the answer was lost"
        whom = f"{message.channel} to {message.address}"
        return f"{when(message.at)} {message.provider} accepted {whom} as {message.ref} ({what}){heard}"

    def events(self, identity: str, most: int = 12) -> list[str]:
        """The newest events of a notice as the command shows them, as evidence."""
        notice = self.notice(identity)
        about = f"{notice.get('document_type')}, shown as {notice.get('status')} {notice.get('why') or ''}"
        return [about] + [
            f"{e['at']} {e['what']} {e['detail']}" for e in list(notice.get("events", ()))[-most:]
        ]

    def reports(self, message: Sent) -> list[str]:
        """What was reported about a message, as evidence."""
        return [
            f"{when(t.at)} reported of {message.ref}: {t.said}, which happened at {when(t.happened)}"
            for t in self.told.get(message.number, ())
        ]


def _at(message: Sent) -> tuple[float, int]:
    return message.at, message.number


def _same(act: Act, end: Act) -> bool:
    """Whether an act ends another one: it names nothing else."""
    names = ("domain", "run", "customer", "recipient", "channel", "topic", "journey", "document", "address")
    return all(getattr(end, name) in ("", getattr(act, name)) for name in names)


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    found: dict[K, list[V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
