"""Where records stand in their slices, and how a notice's record is read again."""

from collections.abc import Iterable, Sequence

from ..domain.documents import Document
from ..domain.notices import Notice, Origin
from ..domain.work import SlicePointer
from ..ports import Records, RecordsGone


def origin_of(pointer: SlicePointer, position: int) -> Origin:
    """Where a record of this slice stands."""
    return Origin(pointer.run, pointer.number, position, pointer.part, pointer.offset, pointer.length)


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
