"""What Exstream must print of a run: the re-run switches, and the rows for a reference file."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.customer_ranges import from_numbers, switches
from exstream_notify.domain.decisions import Why
from exstream_notify.domain.documents import Document, contact_key
from exstream_notify.domain.erasure import earliest, existed_before_erasure
from exstream_notify.domain.journeys import ENDED
from exstream_notify.domain.notices import Notice, Status
from exstream_notify.domain.runs import Run, latest
from exstream_notify.ports import RecordsGone
from exstream_notify.use_cases.slices import pointer_to

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap

COLUMNS = (
    "customer_key", "document_id", "document_type", "customer_in_run", "queue_name", "output_uri", "reason",
    "notice_id", "recipient",
)  # fmt: skip
"""Names without spaces, as Exstream's reference data sources need them."""


def paper_rows(app: "Bootstrap", run: Run) -> list[dict[str, Any]]:
    """The run's documents that end on paper; every field present, empty where unknown, sorted by customer.

    The ledger says which, whatever the rules say today: by the decision, after a failure, or by a journey.
    Each record is there once.
    """
    found: dict[int, Notice] = {}
    known = app.ledger.on_paper(run.name)
    before = _of_earlier_releases(app, run, {notice.origin.position for notice in known})
    # The notice of the document itself leads; of several steps the first.
    for notice in sorted([*known, *before], key=lambda n: (n.purpose != "notice", n.created_at, n.notice_id)):
        found.setdefault(notice.origin.position, notice)
    rows = [_row(document, notice) for notice, document in _with_records(app, found.values())]
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


def _of_earlier_releases(app: "Bootstrap", run: Run, known: Collection[int]) -> Iterator[Notice]:
    """What releases before the ledger's index of paper wrote: each notice of the run says how it ended."""
    words = latest(app.runs.outcomes(run.domain, run.run_id))
    asked = (w.notice_id for position, w in words.items() if w.notice_id and position not in known)
    while ids := list(islice(asked, 1000)):
        for notice in app.ledger.get(ids).values():
            if notice.origin.run != run.name:
                continue
            if notice.status == Status.PAPER:
                yield notice
            elif any(e.what == ENDED and e.detail.endswith(" unanswered paper") for e in notice.events):
                yield replace(notice, purpose="step", why=Why.UNANSWERED)


def _with_records(app: "Bootstrap", notices: Iterable[Notice]) -> Iterator[tuple[Notice, Document | None]]:
    """Each notice with its record; None where that is not stored any more."""
    slices: dict[tuple[str, int], list[Notice]] = {}
    for notice in notices:
        slices.setdefault((notice.origin.part, notice.origin.offset), []).append(notice)
    for several in slices.values():
        try:
            records = dict(app.records.read(pointer_to(several)))
        except RecordsGone:
            records = {}
        for notice in several:
            yield notice, records.get(notice.origin.position)


def _row(document: Document | None, notice: Notice) -> dict[str, Any]:
    number = document.customer_in_run if document else None
    return {
        "customer_key": notice.customer_key,
        "document_id": notice.document_id,
        "document_type": notice.document_type,
        "customer_in_run": number or "",
        "queue_name": (document.queue_name if document else None) or "",
        "output_uri": (document.output_uri if document else None) or "",
        "reason": notice.why,
        "notice_id": notice.notice_id,
        "recipient": notice.recipient,
    }


def rerun_switches(rows: Iterable[Mapping[str, Any]], chars: int) -> list[str]:
    """The engine's switches for the customers of these rows, none longer than `chars`; empty for none."""
    return switches(from_numbers(row["customer_in_run"] for row in rows if row["customer_in_run"]), chars)
