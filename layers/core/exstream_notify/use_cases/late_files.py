"""What lands in a run's folder after the run was taken, or beside the files that it names."""

import re
from collections.abc import Iterable, Mapping, Sequence

from ..domain.exceptions import ExceptionRaised
from ..domain.runs import (
    Disagreement,
    FoundFile,
    Run,
    Seal,
    compare_file,
    compare_totals,
)
from ..ports import DropFolder, DropObject, Staging

_LOOKS_LIKE_INDEX = re.compile(
    r"(^|.*[._-])index(\..+)?|.*\.index\..*|.*\.(jsonl|psv)(\.gz|\.zip)?", re.IGNORECASE
)
_TABLE = re.compile(r".*\.(csv|tsv|json|xlsx?)(\.gz|\.zip)?", re.IGNORECASE)


def resembles_index(name: str, *, alone: bool = False) -> bool:
    """Whether a file that is not an index by its name was perhaps meant as one (`x.index.txt`).

    `alone`: the run has no other index, so that any table (`x.csv`) may have been meant.
    """
    name = name.rpartition("/")[2]
    return bool(_LOOKS_LIKE_INDEX.fullmatch(name) or (alone and _TABLE.fullmatch(name)))


def unread_indexes(
    folder: DropFolder, staging: Staging, listed: Iterable[str], read: Sequence[str]
) -> list[DropObject]:
    """The indexes in a run's folder that are not among the files `listed`, so that nobody reads them.

    `read` are the names of those that are read: a native manifest beside a site's own index is not missed.
    """
    names = set(listed)
    own = any(staging.form(name) not in (None, "native") for name in read)
    return [
        found
        for name, found in folder.list().items()
        if name not in names and (form := staging.form(name)) and not (own and form == "native")
    ]


def late_findings(
    run: Run, folder: DropFolder, staging: Staging, found: Mapping[str, FoundFile], *, replaced: bool = True
) -> list[ExceptionRaised]:
    """Indexes that landed or, with `replaced`, were replaced after the run was taken.

    `found` are the files as they were then; one without a checksum was there and reported, and not read.
    The report counts all of them each time, so that it takes the place of the one before.
    """
    read = [name for name, file in found.items() if file.sha256 and staging.form(name)]
    late = [
        o.name
        for o in unread_indexes(folder, staging, read, read)
        if o.name not in found or (not found[o.name].sha256 and found[o.name].etag != o.etag)
    ]
    changed = changed_files(folder, staging, [found[name] for name in read]) if replaced else []
    raised = []
    if late:
        text = f"landed after the run was taken, so not read: {', '.join(sorted(late)[:3])}"
        raised.append(
            ExceptionRaised(
                "index_after_seal",
                "error",
                run.domain,
                run.run_id,
                text,
                part="index landed",
                count=len(late),
                names=tuple(late),
            )
        )
    if changed:
        raised.append(
            ExceptionRaised(
                "run_id_reused",
                "severe",
                run.domain,
                run.run_id,
                reused_text(changed),
                part="index replaced",
                count=len(changed),
                names=tuple(changed),
            )
        )
    return raised


def reused_text(changed: Sequence[str]) -> str:
    """What is said of files that are others than those that the run was taken with."""
    names = ", ".join(sorted(changed)[:3])
    return f"the run id was used before with other content; this was not read: {names}"


def changed_files(folder: DropFolder, staging: Staging, found: Iterable[FoundFile]) -> list[str]:
    """Of these files those that have other content now; one that is gone is not among them.

    The ETag says that a file is as it was. Where it differs, the content is read again: the same file
    uploaded in other parts has another ETag.
    """
    changed = []
    for before in found:
        now = folder.head(before.name)
        if now is None or now.etag == before.etag:
            continue
        if staging.hash(folder, before.name) != (before.bytes, before.sha256):
            changed.append(before.name)
    return changed


def compare_late_seal(
    seal: Seal, run: Run, folder: DropFolder, staging: Staging, found: Mapping[str, FoundFile]
) -> list[Disagreement]:
    """A seal against a run that was taken from its native manifest alone, before the seal came."""
    wrong: list[Disagreement] = []
    for listed in seal.files:
        before = found.get(listed.name)
        if before is None and staging.form(listed.name) not in (None, "native"):
            place = f"{listed.name} in the seal"
            wrong.append(Disagreement("late_seal_disagrees", place, "an index", "not read"))
        elif folder.head(listed.name) is None and before is None:
            wrong.append(Disagreement("late_seal_disagrees", listed.name, "a file", "nothing"))
        elif before is not None:
            wrong += compare_file(listed, before.bytes, before.sha256, before.records)
        else:
            size, sha256 = staging.hash(folder, listed.name)
            wrong += compare_file(listed, size, sha256, None)
    named = {file.name for file in seal.files}
    wrong += [
        Disagreement("late_seal_disagrees", f"{name} in the seal", "nothing", "read")
        for name, file in found.items()
        if file.sha256 and name not in named
    ]
    customers = [f.customers for f in found.values() if f.customers is not None]
    return wrong + compare_totals(seal, run.composed, sum(customers) if customers else None)
