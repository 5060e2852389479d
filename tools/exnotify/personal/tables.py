"""Places of the tables: notices, early responses, members of journeys, incidents."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.erased import ERASED, Person, redacted
from exstream_notify.domain.notices import Former, Notice, Origin
from exstream_notify.domain.payments import Debt
from exstream_notify.domain.responses import document_alone

from .work_bucket import Rows

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap
    from exstream_notify.domain.exceptions import ExceptionRaised
    from exstream_notify.domain.incidents import Head, Report
    from exstream_notify.domain.journeys import Cohort, Member, MemberRow

_TRIES = 5
_ALL = 1_000_000


@dataclass(frozen=True)
class _TablePlace:
    app: "Bootstrap"
    person: Person

    @cached_property
    def notices(self) -> dict[str, Notice]:
        """The customer's notices, and the copies that teams got of them, by id."""
        found = self.app.ledger.of_customer(self.person.domain, self.person.customer_key)
        mine = (n for n in found if n.recipient == self.person.recipient)
        return {n.notice_id: n for n in mine if self.person.existed(n.created_at)}


class Notices(_TablePlace):
    """The ledger's notices: keys, hashes and times stay."""

    def held(self) -> Rows:
        """See `Place.held`; with each attempt's evidence, opened."""
        from ..notices import notice_row
        from ..proof import opened, salts_of

        for notice in self.notices.values():
            salts = salts_of(self.app, notice)
            row: dict[str, Any] = {**notice_row(notice), "case_id": notice.case_id, "evidence": []}
            for attempt in notice.attempts:
                try:
                    ref = f"{notice.notice_id}:{attempt.number}"
                    line = opened(self.app, attempt.evidence, ref, salts) if attempt.evidence else None
                except Exception as error:  # a line that does not open is told, and the rest is written
                    line = {"unreadable": type(error).__name__}
                row["evidence"].append(line)
            yield row

    def scrub(self) -> int:
        """See `Place.scrub`."""
        left = list(self.notices.values())
        changed = 0
        for _ in range(_TRIES):
            after = [made for n in left if (made := redacted(n, self.person)) is not n]
            blocked = self.app.ledger.put(after) if after else {}
            changed += len(after) - len(blocked)
            left = list(blocked.values())
            if not left:
                return changed
        raise RuntimeError("a notice kept changing: run the command again")


class EarlyResponses(_TablePlace):
    """Responses and payments that came before their notice; another holder's are not this one's.

    Payments are the account's: where it has other holders, they count for those, and stay.
    """

    @cached_property
    def _subjects(self) -> list[str]:
        """Documents and cases that are this customer's alone: a response may name nothing else."""
        ledger, domain = self.app.ledger, self.person.domain
        documents = {n.document_id for n in self.notices.values()}
        cases = {n.case_id for n in self.notices.values()} - {""}
        mine = [document_alone(one) for one in documents if self._alone(ledger.of_document(domain, one))]
        return [*mine, *(one for one in cases if self._alone(ledger.of_case(domain, one)))]

    def _alone(self, notices: Iterable[Notice]) -> bool:
        return all(n.contact_key == self.person.contact_key for n in notices)

    @cached_property
    def _others(self) -> list[Notice]:
        """Notices of the account's other holders."""
        found = self.app.ledger.of_customer(self.person.domain, self.person.customer_key)
        return [n for n in found if n.recipient != self.person.recipient]

    def held(self) -> Rows:
        """See `Place.held`."""
        person = self.person
        found = self.app.early_responses.of_customer(person.domain, person.customer_key, self._subjects)
        for key, kept in found.items():
            if kept.recipient in ("", person.recipient):
                payments = tuple(p for p in kept.payments if p.customer_key in ("", person.customer_key))
                debts = tuple(debt for debt in kept.debts if not self._others or self._is_debt(debt))
                yield {"key": key, **asdict(replace(kept, payments=payments, debts=debts))}

    def scrub(self) -> int:
        """See `Place.scrub`."""
        return self.app.early_responses.forget(
            self.person, self._subjects, payments_too=not self._others, is_debt=self._is_debt
        )

    def _is_debt(self, debt: Debt) -> bool:
        """Whether it is this customer's; a case of several holders is nobody's alone."""
        mine = any(debt.is_of(n.document_id, n.case_id) for n in self.notices.values())
        return mine and not any(debt.is_of(n.document_id, n.case_id) for n in self._others)


class Journeys(_TablePlace):
    """Members of the follow-ups: which step is next, and when."""

    def _rows(self) -> "Iterator[tuple[Cohort, MemberRow]]":
        slices = {(o.run, o.slice_number) for n in self.notices.values() for o in _origins(n)}
        for state in self.app.journeys.cohorts(datetime.max.replace(tzinfo=UTC)) if slices else ():
            if state.cohort.domain == self.person.domain:
                for row in self.app.journeys.rows(state.cohort, slices):
                    if self._mine(row):
                        yield state.cohort, row

    def _aside(self) -> "Iterator[tuple[str, Cohort, MemberRow]]":
        """Rows that were put aside, of a notice or of a whole run."""
        runs = {o.run for n in self.notices.values() for o in _origins(n)}
        for under in (*self.notices, *runs):
            for cohort, row in self.app.journeys.parked(under):
                if self._mine(row):
                    yield under, cohort, row

    def _gathered(self) -> "Iterator[tuple[Cohort, str, list[MemberRow]]]":
        """Rows that wait for the customer's other documents, with what they wait under."""
        for state in self.app.journeys.cohorts(datetime.max.replace(tzinfo=UTC)) if self.notices else ():
            if state.cohort.domain == self.person.domain:
                for whose, rows in self.app.journeys.gathered(state.cohort, _ALL).items():
                    if any(self._mine(row) for row in rows):
                        yield state.cohort, whose, rows

    def _mine(self, row: "MemberRow") -> "list[Member]":
        return [m for m in row.members if m.notice_id in self.notices]

    def _bare(self, row: "MemberRow") -> "MemberRow":
        """The row without what describes the customer's bill."""
        mine = self._mine(row)
        members = (replace(m, due_date="", country="", zone="") if m in mine else m for m in row.members)
        return replace(row, members=tuple(members))

    def held(self) -> Rows:
        """See `Place.held`."""
        gathered = (("", cohort, row) for cohort, _, rows in self._gathered() for row in rows)
        for under, cohort, row in (*(("", *found) for found in self._rows()), *self._aside(), *gathered):
            for member in self._mine(row):
                yield {
                    "journey": cohort.journey,
                    "next_step": cohort.step,
                    "due_at": cohort.due.isoformat(timespec="seconds"),
                    "stopped": bool(under),
                    **asdict(member),
                }

    def scrub(self) -> int:
        """See `Place.scrub`. A member stays until its step, which ends it."""
        changed = 0
        for under, cohort, row in (*(("", *found) for found in self._rows()), *self._aside()):
            if (bare := self._bare(row)) != row:
                changed += self.app.journeys.amend(cohort, bare, under)
        for cohort, whose, rows in self._gathered():
            if (bare_rows := [self._bare(row) for row in rows]) != rows:
                changed += self.app.journeys.amend_gathered(cohort, whose, rows, bare_rows)
        return changed


def _origins(notice: Notice) -> tuple[Origin | Former, ...]:
    """The records that a notice has or had: its journeys' members stand beside one of them."""
    return notice.origin, *notice.former, *notice.heirs, *(c.origin for c in notice.corrections)


class Incidents(_TablePlace):
    """Reports that name the customer's notices: what is left of their samples goes."""

    def _reports(self) -> "Iterator[tuple[str, Report]]":
        for incident in self.app.incidents.all():
            for report in self.app.incidents.reports(incident.incident_id):
                if self._concerns(report.exception):
                    yield incident.incident_id, report

    def _concerns(self, raised: "ExceptionRaised") -> bool:
        """By a notice of the customer or the contact's handle, else by its words."""
        told = " ".join((raised.part, *raised.detail.values()))
        marks = [*self.notices, *filter(None, (self.person.handle,))]
        said = " ".join((raised.text, *raised.samples))
        return any(mark in told for mark in marks) or self.person.named_in(said)

    def held(self) -> Rows:
        """See `Place.held`."""
        for incident_id, report in self._reports():
            raised = report.exception
            yield {
                "incident_id": incident_id,
                "code": raised.code,
                "text": raised.text,
                "samples": list(raised.samples),
                "detail": dict(raised.detail),
                "first_seen": report.first_seen,
                "last_seen": report.last_seen,
            }
        for head in self._heads():
            said = [dict(entry) for entry in head.history if self._named_by(entry)]
            yield {"incident_id": head.incident_id, "history": said}

    def scrub(self) -> int:
        """See `Place.scrub`."""
        changed = 0
        for incident_id, report in self._reports():
            raised = report.exception
            text = ERASED if self.person.named_in(raised.text) else raised.text
            bare = replace(raised, samples=(), text=text)
            if bare != raised:
                changed += self.app.incidents.record(incident_id, bare, report.last_seen)
        for head in self._heads():
            history = tuple({**e, "why": ERASED} if self._named_by(e) else e for e in head.history)
            if not self.app.incidents.save(replace(head, history=history, version=head.version + 1)):
                raise RuntimeError("an incident changed meanwhile: run the command again")
            changed += 1
        return changed

    def _heads(self) -> "Iterator[Head]":
        """Heads of incidents in whose history somebody named the customer."""
        for incident in self.app.incidents.all():
            head = self.app.incidents.head(incident.incident_id)
            if head is not None and any(self._named_by(entry) for entry in head.history):
                yield head

    def _named_by(self, entry: Mapping[str, str]) -> bool:
        return self.person.named_in(entry.get("why", "")) and self.person.existed(entry.get("at", ""))
