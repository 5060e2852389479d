"""The records that notices came from."""

from collections.abc import Sequence

from ..domain.documents import Document
from ..domain.notices import Notice
from ..domain.work import SlicePointer
from ..ports import Records, RecordsGone


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


def document_of(notice: Notice, records: Records) -> Document | None:
    """The record that a notice came from; None where there is none any more."""
    if not notice.origin.part:
        return None
    try:
        return dict(records.read(pointer_to([notice]))).get(notice.origin.position)
    except RecordsGone:
        return None
