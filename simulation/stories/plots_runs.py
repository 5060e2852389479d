"""Plots about runs: dropped, repeated, corrected, held, cancelled, late, half there, wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .acts import Act, Record
from .records import TYPES
from .stage import DAY, HOUR, MINUTE, Stage

_COUNTS = ("started_at", "ended_at", "customers_expected", "customers_processed", "documents", "errors")


def plain(stage: Stage) -> list[Act]:
    """A run, as most are."""
    return [stage.run(stage.domain())]


def repeated(stage: Stage) -> list[Act]:
    """The same run is dropped again, perhaps while the first is under way, perhaps under another id."""
    run = stage.run(stage.domain())
    acts: list[Act] = [run, stage.again(run, stage.after("again", 1, 2 * DAY))]
    if stage.likely("other id", 0.4):
        acts.append(stage.again(run, stage.after("other id again", 1, DAY), run_id=f"{run.run_id}-copy"))
    if stage.likely("third", 0.3):
        acts.append(stage.again(run, stage.after("third time", 1, 3 * DAY)))
    return acts


def refused_then_corrected(stage: Stage) -> list[Act]:
    """The seal disagrees with the index; a corrected one comes under the same id."""
    run = stage.run(stage.domain())
    wrong = stage.one_of(
        "wrong", ({"documents": len(run.records) + 1}, {"customers_processed": 0, "documents": 0})
    )
    return [replace(run, stated=wrong), stage.again(run, stage.after("corrected", 20, 8 * HOUR))]


def corrected_too_late(stage: Stage) -> list[Act]:
    """Other content under the id of a run that was dispatched already: it must be refused."""
    run = stage.run(stage.domain())
    other = stage.run(run.domain, suffix="-more")
    changed = replace(run, records=(*run.records, *other.records))
    return [run, stage.again(changed, stage.after("changed", MINUTE, DAY))]


def bare_seal(stage: Stage) -> list[Act]:
    """A seal that names its files and states nothing of them; perhaps the same comes again, perhaps other
    content."""
    run = stage.run(stage.domain(), form="jsonl", files=1, manifest=False)
    unsaid = dict.fromkeys(_COUNTS)
    bare = replace(run, stated={**unsaid, "files": [{"name": "part0.index.jsonl"}]})
    if stage.likely("other content", 0.6):
        other = stage.run(run.domain, suffix="-other")
        return [bare, stage.again(bare, stage.after("other", MINUTE, DAY), records=other.records)]
    return [bare, stage.again(bare, stage.after("same", MINUTE, DAY))]


def corrected_under_another_id(stage: Stage) -> list[Act]:
    """A run that left customers out; what it left out follows as another run, with what it had."""
    whole = stage.run(stage.domain())
    half = len(whole.records) // 2
    first = replace(
        whole, records=whole.records[:half] or whole.records, not_composed=len(whole.records) - half
    )
    wait = stage.after("rest", 10 * MINUTE, DAY)
    rest = replace(whole, run_id=f"{whole.run_id}-rest", at=whole.at + wait)
    return [first, replace(rest, stated={"rerun_of": first.run_id} if stage.likely("names it", 0.6) else {})]


def held(stage: Stage) -> list[Act]:
    """An operator holds a run, at any moment of it, and releases it later, or never."""
    run = stage.run(stage.domain())
    hold = stage.after("hold", 1, HOUR)
    acts: list[Act] = [run, stage.types(hold, "run", run.name, "--hold", "--why", "looks wrong")]
    if stage.likely("released", 0.85):
        release = hold + stage.after("release", 1, 5 * DAY)
        acts.append(stage.types(release, "run", run.name, "--release", "--why", "it was right"))
    return acts


def wavered(stage: Stage) -> list[Act]:
    """An operator holds a run while it is sent, releases it, and holds it again, within minutes."""
    run = stage.run(stage.domain())
    acts: list[Act] = [run]
    at = stage.after("first hold", 1, 2 * MINUTE)
    for n in range(3):
        acts.append(stage.types(at, "run", run.name, "--hold", "--why", "looks wrong"))
        at += stage.after(f"release {n}", 1, 10 * MINUTE)
        acts.append(stage.types(at, "run", run.name, "--release", "--why", "it was right"))
        at += stage.after(f"hold {n}", 1, 5 * MINUTE)
    return acts


def cancelled(stage: Stage) -> list[Act]:
    """A run is cancelled, at any moment of it, and replaced by one with another id or none."""
    run = stage.run(stage.domain())
    cancel = stage.after("cancel", 1, 4 * HOUR)
    acts: list[Act] = [run]
    if stage.likely("held first", 0.4):
        acts.append(stage.types(cancel / 2, "run", run.name, "--hold", "--why", "looks wrong"))
    acts.append(stage.types(cancel, "run", run.name, "--cancel", "--why", "wrong amounts"))
    if stage.likely("replaced", 0.8):
        wait = cancel + stage.after("replacement", 1, DAY)
        acts.append(stage.again(run, wait, run_id=f"{run.run_id}-new"))
    return acts


def superseding(stage: Stage) -> list[Act]:
    """A second run's documents supersede the first's."""
    run = stage.run(stage.domain())
    newer = tuple(_superseding(record) for record in run.records if not record.flaw)
    wait = stage.after("newer", 1, 3 * DAY)
    return [run, stage.again(run, wait, run_id=f"{run.run_id}-v2", records=newer)] if newer else [run]


def _superseding(record: Record) -> Record:
    old = record.fields["document_id"]
    place = record.fields["output_uri"].replace(".pdf", "-v2.pdf")
    changes = {"document_id": f"{old}-v2", "supersedes": old, "output_uri": place}
    fields = {**record.fields, **changes}
    del fields["content_sha256"]
    return Record(fields)


def sealed_late(stage: Stage) -> list[Act]:
    """The seal comes long after the index, or never."""
    late = stage.after("seal", MINUTE, 9 * HOUR)
    return [stage.run(stage.domain(), sealed_after=None if stage.likely("never", 0.15) else late)]


def manifest_alone(stage: Stage) -> list[Act]:
    """Cloud-native: a manifest and no seal; later perhaps a seal after all, or the manifest once more."""
    run = replace(stage.run(stage.domain()), form="native", files=1, manifest=False, sealed_after=None)
    acts: list[Act] = [run]
    wait = stage.after("then", 10, HOUR)
    if stage.likely("sealed", 0.4):
        acts.append(stage.again(run, wait, sealed_after=0.0))
    elif stage.likely("again", 0.3):
        acts.append(stage.again(run, wait))
    return acts


def index_replaced(stage: Stage) -> list[Act]:
    """After the seal another index is uploaded over the first: the seal's checksums do not fit any more."""
    run = stage.run(stage.domain())
    other = stage.run(run.domain, suffix="-other", most=len(run.records))
    return [replace(run, replaced=other.records, replaced_after=stage.after("replaced", 0.2, HOUR))]


def empty(stage: Stage) -> list[Act]:
    """Nothing was composed."""
    run = stage.run(stage.domain())
    return [
        replace(
            run, records=(), files=1, form="csv", manifest=False, not_composed=stage.one_of("missing", (0, 3))
        )
    ]


def file_missing(stage: Stage) -> list[Act]:
    """The seal lists a file that is not there; it comes too late, or in time."""
    run = replace(stage.run(stage.domain()), manifest=False)
    listed = {"files": [{"name": "part9.index.jsonl", "bytes": 10}]}
    return [replace(run, stated=listed), stage.again(run, stage.after("whole", MINUTE, 3 * HOUR))]


def composer_says(stage: Stage) -> list[Act]:
    """Customers were left out, and the engine's messages and summary say so; some are composed again."""
    run = stage.run(stage.domain(), not_composed=stage.one_of("missing", (1, 2, 5)))
    first = len(run.records) + 1
    numbers = range(first, first + run.not_composed)
    lines = [f"11/20/2026 04:10:0{n % 10} EX004120E ({n}) Required field is empty" for n in numbers]
    severe = ["EX003004S Cannot open the data file"] if stage.likely("severe", 0.2) else []
    beside = {"ExstreamMessages.dat": "\n".join([*lines, *severe]) + "\n"}
    if stage.likely("summary", 0.5):
        beside["run.summary.txt"] = (
            f"Customers: {first - 1}\nErrors: {len(lines)}\nExit status: {8 if severe else 0}\n"
        )
    if stage.likely("rows", 0.3):
        beside["exceptions.psv"] = "customer|queue|code|reason\n" + f"{first}|Manual_Review|MD01|no address\n"
    status = {"exit_status": 8} if severe else {}
    acts: list[Act] = [replace(run, beside=beside, stated=status)]
    if stage.likely("composed again", 0.5):
        later = stage.run(run.domain, suffix="-rerun", at=stage.after("rerun", HOUR, DAY), most=3)
        acts.append(replace(later, stated={"rerun_of": run.run_id}))
    return acts


def single_documents(stage: Stage) -> list[Act]:
    """Documents that come alone, as events; some twice, some by the engine's own name for it."""
    domain, acts = stage.domain(), list[Act]()
    for n in range(1 + stage.one_of("how many", (0, 1, 3, 7))):
        at = stage.after(f"document {n}", 1, HOUR)
        number = stage.chance.below(f"{stage.name} whose {n}", 12)
        record = stage.record(f"-{n}", domain, number, stage.one_of(f"type {n}", TYPES[domain]), at)
        told = {name: value for name, value in record.fields.items() if name != "output_uri"}
        acts.append(stage.event(at, "exstream", "Document Composed", domain=domain, **told))
        if stage.likely(f"twice {n}", 0.2):
            acts.append(stage.event(at + stage.after(f"second {n}", 1, DAY), "exstream", "Document Composed",
                                    domain=domain, **told))  # fmt: skip
    return acts


def failures(stage: Stage) -> list[Act]:
    """What fails in Exstream, is missing, or breaks a rule: told by events, with a run or without one."""
    domain, run_id = stage.domain(), stage.name
    step = {"name": "Compose", "status": "error", "messages": ["EX004120E (2) Required field is empty"]}
    flow = {"flowInstanceId": "f-7", "status": "error", "flowSteps": [step]}
    kinds: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("Composition Failed", {"code": "EX003004S", "text": "cannot open the data file"}),
        ("Compliance Exception", {"document_type": "policy-document", "queue": "Compliance", "count": 2}),
        ("Missing Data", {"customers_in_run": "2,7,14-16", "text": "no address"}),
        ("Flow Instance Changed", {"externalId": run_id, "flowInstance": flow}),
        ("Exception Raised", {"code": "EX004120E", "part": "night", "count": 3}),
    )
    acts: list[Act] = []
    for n in range(1 + stage.chance.below(f"{stage.name} number", 3)):
        kind, detail = stage.one_of(f"kind {n}", kinds)
        at = stage.after(f"failure {n}", 1, DAY)
        named = {"run_id": run_id} if stage.likely(f"run {n}", 0.6) else {}
        acts.append(stage.event(at, "exstream", kind, domain=domain, **named, **detail))
        if stage.likely(f"repeat {n}", 0.3):
            acts.append(stage.event(at + MINUTE, "exstream", kind, domain=domain, **named, **detail))
    if stage.likely("composed after all", 0.5):
        acts.append(replace(stage.run(domain, at=HOUR), run_id=run_id))
    return acts
