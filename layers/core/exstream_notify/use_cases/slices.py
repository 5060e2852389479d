"""Where records stand in their slices, what their runs are told of them, and how a record is read again."""

from collections.abc import Iterable, Sequence

from ..domain.documents import Document
from ..domain.identity import job_id
from ..domain.notices import Notice, Origin
from ..domain.runs import RecordOutcome
from ..domain.work import SlicePointer
from ..ports import Records, RecordsGone, RunBook


def origin_of(pointer: SlicePointer, position: int) -> Origin:
    """Where a record of this slice stands."""
    return Origin(pointer.run, pointer.number, position, pointer.part, pointer.offset, pointer.length)


def tell_run(runs: RunBook, run: str, what: str, outcomes: Sequence[RecordOutcome]) -> None:
    """Tell a run what became of records of it, found by `what`; nothing where there are none.

    Under a name made of what is told: what a slower worker knew never takes the place of what a faster one
    said, a repeat replaces itself, and of two that differ the higher version counts (domain/runs.py).
    """
    if outcomes:
        said = sorted(f"{o.slice_number}:{o.position}:{o.version}:{o.outcome}" for o in outcomes)
        runs.put_job(run, job_id(run, outcomes[0].slice_number, what, said), outcomes)


def outcome_of(notice: Notice) -> RecordOutcome:
    """What a notice's own record is told as."""
    o = notice.origin
    return RecordOutcome(
        o.slice_number, o.position, notice.outcome, notice.why, notice.version, notice.notice_id
    )


def pointer_to(notices: Sequence[Notice]) -> SlicePointer:
    """A pointer to the records of these notices, all of one slice, to be looked at again."""
    origin = notices[0].origin
    domain, _, run_id = origin.run.partition("/")
    positions = tuple(sorted({n.origin.position for n in notices}))
    return SlicePointer(
        domain,
        run_id,
        origin.slice_number,
        origin.part,
        origin.offset,
        origin.length,
        count=len(positions),
        first=positions[0],
        kind="digests" if notices[0].purpose == "digest" else "documents",
        positions=positions,
        purpose=notices[0].purpose if notices[0].rule_version else "notice",
        version=notices[0].rule_version,
        notices=tuple(sorted(n.notice_id for n in notices)),
    )


def pointers_to(origins: Iterable[Origin]) -> list[SlicePointer]:
    """Pointers to these records, those of one slice together."""
    slices: dict[tuple[str, int], list[Origin]] = {}
    for origin in origins:
        slices.setdefault((origin.run, origin.slice_number), []).append(origin)
    found = []
    for rows in slices.values():
        o = rows[0]
        domain, _, run_id = o.run.partition("/")
        positions = tuple(sorted({row.position for row in rows}))
        found.append(
            SlicePointer(
                domain, run_id, o.slice_number, o.part, o.offset, o.length, len(positions), positions[0],
                positions=positions,
            )
        )  # fmt: skip
    return found


def document_of(notice: Notice, records: Records) -> Document | None:
    """The newest record of a notice's document; None where there is none any more."""
    origin = notice.record
    if not origin.part:
        return None
    try:
        return dict(records.read(pointers_to([origin])[0])).get(origin.position)
    except RecordsGone:
        return None
