"""Files that land or change after a run was taken, and a seal that comes after it."""

import pytest

from exstream_notify.domain.runs import Disagreement, FoundFile, Run, RunState, Seal, SealedFile
from exstream_notify.use_cases.late_files import (
    compare_late_seal,
    late_findings,
    resembles_index,
    reused_text,
)
from tests.fakes.drops import INDEX, FakeDropFolder
from tests.use_cases.world import World


def test_three_of_the_files_that_changed_are_named() -> None:
    said = "the run id was used before with other content; this was not read: "
    assert reused_text(["d", "b", "a", "c"]) == f"{said}a, b, c"
    assert reused_text(["b"]) == f"{said}b"


@pytest.mark.parametrize(
    ("name", "alone", "resembles"),
    [
        ("x.index.txt", False, True), ("index.csv", False, True), ("my-index", False, True), ("index", False, True),
        ("a/x.jsonl.gz", False, True), ("x.PSV", False, True), ("reindex", False, False), ("x.csv", False, False),
        ("x.csv", True, True), ("x.xlsx", True, True), ("x.xls.zip", True, True), ("x.pdf", True, False),
        ("index/x.pdf", False, False),
    ],
)  # fmt: skip
def test_what_was_perhaps_meant_as_an_index(name: str, alone: bool, resembles: bool) -> None:
    assert resembles_index(name, alone=alone) is resembles


RUN = Run("retail", "run-1", RunState.DISPATCHED, composed=3)
SHA = "ab" * 32


def late(seal: Seal, *found: FoundFile, folder: FakeDropFolder | None = None) -> list[Disagreement]:
    return compare_late_seal(
        seal, RUN, folder or FakeDropFolder(), World().staging, {file.name: file for file in found}
    )


def test_a_late_seal_must_name_what_was_read_and_nothing_else() -> None:
    read = FoundFile(INDEX, 10, "e", SHA, 3)
    unread = FoundFile("note.txt", 10, "e", "")
    seal = Seal("run-1", "retail", (SealedFile(INDEX, 10, SHA, 3),), documents=3)
    assert late(seal, read, unread) == []
    assert [str(d) for d in late(Seal("run-1", "retail", (), documents=3), read, unread)] == [
        f"{INDEX} in the seal: stated nothing, found read"
    ]
    named = Seal("run-1", "retail", (SealedFile("gone.log"), SealedFile("other.index.jsonl")), documents=3)
    assert [(d.code, d.place) for d in late(named)] == [
        ("late_seal_disagrees", "gone.log"),
        ("late_seal_disagrees", "other.index.jsonl in the seal"),
    ]


def test_only_an_index_that_was_read_can_have_been_replaced() -> None:
    world, folder = World(), FakeDropFolder()
    names = (INDEX, "note.txt", "new.index.jsonl", "seen.index.jsonl")
    folder.files.update(dict.fromkeys(names, b"{}"))
    found = {
        INDEX: FoundFile(INDEX, 10, "other", SHA, 3),
        "note.txt": FoundFile("note.txt", 10, "other", SHA),
        "seen.index.jsonl": FoundFile("seen.index.jsonl", 2, folder.list()["seen.index.jsonl"].etag, ""),
    }
    late, replaced = late_findings(RUN, folder, world.staging, found)
    assert (late.code, late.severity, late.count, late.names) == (
        "index_after_seal", "error", 1, ("new.index.jsonl",),
    )  # fmt: skip
    assert late.text == "landed after the run was taken, so not read: new.index.jsonl"
    assert (replaced.code, replaced.severity, replaced.names) == ("run_id_reused", "severe", (INDEX,))
    assert (late.part, replaced.part) == ("index landed", "index replaced")
    assert [e.code for e in late_findings(RUN, folder, world.staging, found, replaced=False)] == [
        "index_after_seal"
    ]
