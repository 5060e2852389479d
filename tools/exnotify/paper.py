"""What Exstream must print of a run: the re-run switch, and the rows for a reference file."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.notices import Outcome
from exstream_notify.domain.runs import Run, latest

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap

COLUMNS = (
    "customer_key", "document_id", "document_type", "customer_in_run", "queue_name", "output_uri", "reason",
    "notice_id",
)  # fmt: skip
"""Names without spaces, as Exstream's reference data sources need them."""


def paper_rows(app: "Bootstrap", run: Run) -> list[dict[str, Any]]:
    """The run's documents that end on paper; every field present, empty where unknown, sorted by customer."""
    words = {
        position: word
        for position, word in latest(app.runs.outcomes(run.domain, run.run_id)).items()
        if word.outcome == Outcome.PAPER
    }
    if not words or not run.parts:
        return []
    rows = []
    for pointer in app.staging.slices(run.domain, run.run_id, run.parts):
        numbers = range(pointer.first, pointer.first + pointer.count)
        if pointer.kind != "documents" or not any(number in words for number in numbers):
            continue
        for position, document in app.records.read(pointer):
            if position in words:
                rows.append(
                    {
                        "customer_key": document.customer_key,
                        "document_id": document.document_id,
                        "document_type": document.document_type,
                        "customer_in_run": document.customer_in_run or "",
                        "queue_name": document.queue_name or "",
                        "output_uri": document.output_uri or "",
                        "reason": words[position].why,
                        "notice_id": words[position].notice_id,
                    }
                )
    return sorted(rows, key=lambda row: (row["customer_key"], row["document_id"]))


def customer_list(numbers: Iterable[Any]) -> str:
    """The engine's switch for these customers of the run, `-CUSTOMERLIST=2,7,14-50`; empty for none."""
    wanted = sorted({int(number) for number in numbers if number})
    ranges: list[list[int]] = []
    for number in wanted:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    listed = ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)
    return f"-CUSTOMERLIST={listed}" if listed else ""
