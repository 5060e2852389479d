"""What Exstream must print of a run: the re-run switches, and the rows for a reference file."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.customer_ranges import from_numbers, switches
from exstream_notify.domain.documents import Document, contact_key
from exstream_notify.domain.erasure import earliest, existed_before_erasure
from exstream_notify.domain.identity import notice_id
from exstream_notify.domain.journeys import step_purpose
from exstream_notify.domain.notices import Outcome, Status, notice_id_of
from exstream_notify.domain.runs import Run, latest

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap

COLUMNS = (
    "customer_key", "document_id", "document_type", "customer_in_run", "queue_name", "output_uri", "reason",
    "notice_id", "recipient",
)  # fmt: skip
"""Names without spaces, as Exstream's reference data sources need them."""


def paper_rows(app: "Bootstrap", run: Run) -> list[dict[str, Any]]:
    """The run's documents that end on paper; every field present, empty where unknown, sorted by customer.

    By the decision or after a failure the run's own outcome says so; where a journey ended there, the
    ledger's record of its last step does.
    """
    if not run.parts:
        return []
    words = latest(app.runs.outcomes(run.domain, run.run_id))
    ends = _paper_ends(app)
    rows = []
    for pointer in app.staging.slices(run.domain, run.run_id, run.parts):
        if pointer.kind != "documents":
            continue
        numbers = range(pointer.first, pointer.first + pointer.count)
        if not ends and not any(n in words and words[n].outcome == Outcome.PAPER for n in numbers):
            continue
        documents = app.records.read(pointer)
        after_journeys = _ended_on_paper(app, documents, ends)
        for position, document in documents:
            word = words.get(position)
            if word is not None and word.outcome == Outcome.PAPER:
                rows.append(_row(document, word.why, word.notice_id))
            elif position in after_journeys:
                rows.append(_row(document, *after_journeys[position]))
    return sorted(rows, key=lambda row: (row["customer_key"], row["document_id"], row["recipient"]))


def without_erased(app: "Bootstrap", run: Run, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without those of customers who were erased after the run was composed."""
    keys = {contact_key(row["customer_key"], row["recipient"]) for row in rows}
    known = app.contacts.get(run.domain, keys) if keys else {}
    since = earliest((run.composed_at, run.opened_at))
    return [
        row
        for row in rows
        if not existed_before_erasure(known.get(contact_key(row["customer_key"], row["recipient"])), since)
    ]


def _paper_ends(app: "Bootstrap") -> Mapping[str, Sequence[str]]:
    """By document type the purposes of the last steps that lead to paper."""
    ends: dict[str, list[str]] = {}
    for rule in app.rules.journeys().values():
        for number, step in enumerate(rule.steps, 1):
            if step.end == "paper":
                for kind in rule.documents:
                    ends.setdefault(kind, []).append(step_purpose(rule.name, number))
    return ends


def _ended_on_paper(
    app: "Bootstrap", documents: Iterable[tuple[int, Document]], ends: Mapping[str, Sequence[str]]
) -> dict[int, tuple[str, str]]:
    """By position reason and notice of those whose journey ended on paper."""
    asked: dict[str, int] = {}
    for position, document in documents:
        for purpose in ends.get(document.document_type, ()):
            first = notice_id_of(document, app.rules.for_document(document))
            key = (document.domain, document.customer_key, document.document_id)
            whose = document.recipient or ""
            asked[notice_id(*key, recipient=whose, edition=first, purpose=purpose)] = position
    found = app.ledger.get(asked)
    return {asked[n.notice_id]: (n.why, n.notice_id) for n in found.values() if n.status == Status.PAPER}


def _row(document: Document, reason: str, notice: str) -> dict[str, Any]:
    return {
        "customer_key": document.customer_key,
        "document_id": document.document_id,
        "document_type": document.document_type,
        "customer_in_run": document.customer_in_run or "",
        "queue_name": document.queue_name or "",
        "output_uri": document.output_uri or "",
        "reason": reason,
        "notice_id": notice,
        "recipient": document.recipient or "",
    }


def rerun_switches(rows: Iterable[Mapping[str, Any]], chars: int) -> list[str]:
    """The engine's switches for the customers of these rows, none longer than `chars`; empty for none."""
    return switches(from_numbers(row["customer_in_run"] for row in rows if row["customer_in_run"]), chars)
