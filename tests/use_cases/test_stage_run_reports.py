"""What staging says of a run: the words, the severity and the count of each report, the record, and what waits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.exceptions import Unusable
from exstream_notify.domain.holders import Conflicts
from exstream_notify.domain.notices import Outcome
from exstream_notify.domain.runs import (
    Control,
    DomainRule,
    RecordOutcome,
    RunState,
    SealedFile,
    StagePolicy,
)
from exstream_notify.domain.work import SlicePointer
from exstream_notify.ports import StagedFile
from exstream_notify.use_cases.stage_run import values_left_out
from tests.fakes import a_document
from tests.fakes.drops import INDEX, MANIFEST
from tests.use_cases.world import DOMAIN, World


def three(start: int = 1) -> list[Any]:
    """Three documents."""
    return [a_document(n) for n in range(start, start + 3)]


def told(world: World, code: str) -> list[tuple[str, str, str, int]]:
    """The reports of a code: severity, text, part and count."""
    return [(e.severity, e.text, e.part, e.count) for e in world.exceptions.raised if e.code == code]


def second(at: datetime) -> str:
    """A time as the due index has it."""
    return at.isoformat(timespec="seconds")


def arrivals_told(world: World) -> int:
    """How often it was told that a run arrived."""
    return sum(body.get("detail-type") == "Run Arrived" for _, body, _ in world.queues["exceptions"].sent)


def staging_finds(world: World, **changes: Any) -> None:
    """What each file of the run is found to hold beside its records."""
    stage = world.staging.stage

    def staged(*arguments: Any) -> list[StagedFile]:
        return [replace(file, **changes) for file in stage(*arguments)]

    world.staging.stage = staged  # type: ignore[method-assign, assignment]


# --- what is waited for ----------------------------------------------------------------------------


def short_of_files(world: World, number: int, **stated: Any) -> None:
    """A seal that lists an index, and so many documents that are not there."""
    folder = world.folder("run-1")
    folder.write_index(three())
    seal = folder.write_seal(DOMAIN, "run-1", **stated)
    missing = tuple(SealedFile(f"out/{n}.pdf", 1) for n in range(1, number + 1))
    folder.sealed = replace(seal, files=(*seal.files, *missing))
    world.landed("run-1", "seal")
    world.drain()


@pytest.mark.parametrize(
    ("number", "names"),
    [(1, "out/1.pdf"), (3, "out/1.pdf, out/2.pdf, out/3.pdf"), (4, "out/1.pdf, out/2.pdf, out/3.pdf")],
)
def test_missing_files_are_counted_and_the_first_three_named(number: int, names: str) -> None:
    world = World()
    short_of_files(world, number)
    why = f"waiting for {number} of {number + 1} files: {names}"
    assert (world.run("run-1").why, world.run("run-1").sealed) == (why, True)
    world.come_to_rest()

    assert world.run("run-1").state == RunState.INCOMPLETE
    assert told(world, "files_missing") == [("error", why, "run", number)]
    (raised,) = world.exceptions.raised
    assert set(raised.names) == set(names.split(", ")), "masked where a name may be personal"


def test_missing_files_are_looked_for_each_minute_and_at_the_deadline_and_the_record_is_written_once() -> (
    None
):
    world = World(stage_policy=StagePolicy(missing_file_wait=timedelta(seconds=90)))
    start = world.clock.now()
    short_of_files(world, 1)
    first = world.run("run-1")
    assert first.deadline == (start + timedelta(seconds=90)).isoformat()
    assert world.due.waits == {"run:retail/run-1": second(start + timedelta(seconds=60))}

    world.clock.move_to(start + timedelta(seconds=61))
    world.release()
    world.drain()
    assert world.run("run-1") == first
    assert world.due.waits == {"run:retail/run-1": second(start + timedelta(seconds=90))}
    world.clock.move_to(start + timedelta(seconds=90))
    world.release()
    world.drain()
    assert (world.run("run-1").state, world.run("run-1").version) == (RunState.INCOMPLETE, 2)
    assert "run:retail/run-1" not in world.due.waits


def test_an_incomplete_run_expects_what_its_seal_states() -> None:
    world = World()
    short_of_files(world, 1, documents=7, customers_expected=5, customers_processed=3)
    world.come_to_rest()
    assert world.run("run-1").expected == 9
    # The seal again, and still not the file: reported again, nothing else.
    before = world.run("run-1")
    world.landed("run-1", "seal")
    world.come_to_rest()
    assert world.run("run-1") == before
    assert len(told(world, "files_missing")) == 2


def test_a_run_is_said_to_have_arrived_until_it_is_sealed() -> None:
    world = World()
    folder = world.folder("run-1")
    folder.write_index(three(), MANIFEST)
    world.landed("run-1", "manifest")
    world.drain()
    first = arrivals_told(world)
    folder.write_index(three(4))
    folder.write_seal(DOMAIN, "run-1")
    data = folder.files.pop(INDEX)
    world.landed("run-1", "seal")
    world.drain()
    assert (first, arrivals_told(world)) == (1, 2), "the first seal says whose run it is"
    world.landed("run-1", "seal")
    world.drain()
    assert arrivals_told(world) == 2
    folder.files[INDEX] = data


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_a_manifest_alone_waits_for_its_quiet_period_and_another_event_does_not_prolong_it(
    packed: str,
) -> None:
    world = World()
    form, start = world.staging.form, world.clock.now()
    world.staging.form = lambda name: form(name.removesuffix(".gz"))  # type: ignore[method-assign]
    world.folder("run-1").write_index(three(), f"{MANIFEST}{packed}")
    world.landed("run-1", "manifest")
    world.drain()
    run, end = world.run("run-1"), (start + timedelta(seconds=120)).isoformat()
    assert (run.state, run.sealed, run.deadline) == (RunState.WAITING, False, end)
    assert run.why == "quiet period of the unsealed manifest"
    assert world.due.waits == {"run:retail/run-1": second(start + timedelta(seconds=120))}

    world.clock.advance(seconds=119)
    world.landed("run-1", "manifest")
    world.drain()
    assert world.run("run-1") == run
    assert world.due.waits == {"run:retail/run-1": second(start + timedelta(seconds=120))}
    world.clock.advance(seconds=1)
    world.release()
    world.drain()
    done = world.run("run-1")
    assert (done.state, done.sealed, done.deadline, done.why) == (RunState.DISPATCHED, False, "", "")


def test_where_seals_are_wanted_a_manifest_says_so_and_nothing_waits() -> None:
    world = World()
    world.rules.domain_rule = DomainRule(unsealed=False)
    world.folder("run-1").write_index(three(), MANIFEST)
    world.landed("run-1", "manifest")
    world.drain()
    run = world.run("run-1")
    assert (run.state, run.sealed) == (RunState.WAITING, False)
    assert run.why == "no seal, and rules/domains.yaml wants one here"
    assert world.due.waits == {}


@pytest.mark.parametrize("trigger", ["manifest", "seal"])
def test_a_run_cancelled_while_it_waited_is_not_taken(trigger: str) -> None:
    world = World()
    world.folder("run-1").write_index(three(), MANIFEST)
    world.landed("run-1", "manifest")
    world.drain()
    world.control("run-1", Control.CANCEL)
    cancelled = world.run("run-1")
    if trigger == "seal":
        world.folder("run-1").write_seal(DOMAIN, "run-1")
    world.landed("run-1", trigger)
    world.come_to_rest()
    assert world.run("run-1") == cancelled
    assert not world.outbox


# --- why a run is refused --------------------------------------------------------------------------


def test_a_run_without_an_index_says_which_tables_were_perhaps_meant() -> None:
    world = World()
    names = [f"{letter}.csv" for letter in "abcd"]
    world.folder("run-1").files.update({**dict.fromkeys(names, b"x\n"), "notes.txt": b"x"})
    world.folder("run-1").write_seal(DOMAIN, "run-1", customers_expected=4)
    world.landed("run-1", "seal")
    world.drain()
    why = "files: none of the listed files is an index: a.csv, b.csv, c.csv is not named as one"
    run = world.run("run-1")
    assert (run.state, run.why, run.customers_expected) == (RunState.REFUSED, why, 4)
    assert told(world, "seal_without_index") == [("severe", why, "files", 1)]


def test_a_run_with_neither_index_nor_table_says_that_alone() -> None:
    world = World()
    world.folder("run-1").files["notes.txt"] = b"x"
    world.folder("run-1").write_seal(DOMAIN, "run-1")
    world.landed("run-1", "seal")
    world.drain()
    assert world.run("run-1").why == "files: none of the listed files is an index"


@pytest.mark.parametrize(
    ("processed", "code", "part", "text"),
    [
        (4, "manifest_count_mismatch", "customersProcessed", "stated 4, found 3"),
        (None, "manifest_uncounted", "customersProcessed", "stated nothing, found -"),
    ],
)
def test_a_manifest_says_what_it_does_not_prove(
    processed: int | None, code: str, part: str, text: str
) -> None:
    world = World()
    folder = world.folder("run-1")
    folder.write_index(three(), MANIFEST)
    head = b'{"customersProcessed": %s}\n' % (b"null" if processed is None else str(processed).encode())
    folder.files[MANIFEST] = head + folder.files[MANIFEST]
    world.landed("run-1", "manifest")
    world.come_to_rest()
    assert told(world, code) == [("severe", f"{MANIFEST} {part}: {text}", f"{MANIFEST} {part}", 1)]


def test_a_sealed_manifest_needs_no_count_of_its_own() -> None:
    world = World()
    folder = world.folder("run-1")
    folder.write_index(three(), MANIFEST)
    folder.files[MANIFEST] = b'{"customersProcessed": null}\n' + folder.files[MANIFEST]
    seal = folder.write_seal(DOMAIN, "run-1")
    folder.sealed = replace(seal, files=tuple(replace(f, records=None) for f in seal.files))
    world.landed("run-1", "seal")
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}


def test_each_disagreement_is_reported_and_the_record_names_the_first_three() -> None:
    world = World()
    folder = world.folder("run-1")
    folder.write_index(three())
    seal = folder.write_seal(DOMAIN, "run-1", documents=7)
    wrong = replace(seal.files[0], bytes=1, sha256="ab" * 32, records=9)
    folder.sealed = replace(seal, files=(wrong,))
    world.landed("run-1", "seal")
    world.drain()
    codes = [e.code for e in world.exceptions.raised]
    assert codes == [
        *("size_mismatch", "checksum_mismatch", "record_count_mismatch", "document_count_mismatch")
    ]
    texts = [e.text for e in world.exceptions.raised]
    assert world.run("run-1").why == "; ".join(texts[:3])
    assert texts[2:] == [f"{INDEX} records: stated 9, found 3", "documents: stated 7, found 3"]
    assert [e.part for e in world.exceptions.raised][2:] == [f"{INDEX} records", "documents"]
    assert world.run("run-1").fingerprint == folder.sealed.fingerprint


def test_a_refused_seal_is_a_record_with_its_reason() -> None:
    world = World()
    world.folder("run-1").sealed = Unusable(
        "seal_unreadable", "_COMPLETE.json", "not JSON", ["_COMPLETE.json"]
    )
    world.landed("run-1", "seal")
    world.drain()
    run = world.run("run-1")
    assert (run.state, run.why, run.fingerprint) == (RunState.REFUSED, "_COMPLETE.json: not JSON", "")
    assert told(world, "seal_unreadable") == [("severe", run.why, "_COMPLETE.json", 1)]
    assert world.exceptions.raised[0].names == ("_COMPLETE.json",)
    assert arrivals_told(world) == 1, "it came, whatever becomes of it"


# --- what is found in a run that is taken ----------------------------------------------------------


def test_the_record_of_a_run_says_when_it_was_composed_and_taken_and_by_which_files() -> None:
    world = World()
    folder = world.folder("run-1")
    folder.write_index(three())
    folder.modified[INDEX] = "2026-11-20T13:00:00+00:00"
    world.drop("run-1", *three(), started_at="2026-11-20T12:30:00Z", rerun_of="retail/run-0", app="billing")
    world.drain()
    run = world.run("run-1")
    assert (run.composed_at, run.opened_at[:19]) == ("2026-11-20T12:30:00+00:00", "2026-11-20T15:00:00")
    assert (run.rerun_of, run.app, run.customers_expected, run.deadline) == ("retail/run-0", "billing", 0, "")
    assert run.parts == f"parts/retail/run-1/{run.fingerprint[:16]}/"
    assert set(world.staging.found(run.parts)) == {INDEX}
    (arrival,) = world.runs.arrivals(DOMAIN, world.clock.now() - timedelta(1), world.clock.now())
    assert (arrival.run_id, arrival.app) == ("run-1", "billing")


def test_records_that_are_rejected_are_counted_by_reason_the_commonest_first() -> None:
    world = World()
    rows = [*["b: long"] * 2, *["a: long"] * 2, *["c: long"] * 3, "d: long", "output_uri: the file is empty"]
    staging_finds(world, documents_refused=(12,))
    world.drop("run-1", *three(), *rows)
    world.drain()
    text = "8 of 12 records rejected: c: long (3), a: long (2), b: long (2)"
    assert told(world, "records_rejected") == [("error", text, "run", 8)]
    text = f"1 document cannot be opened: the file is empty (1); {INDEX} record 12"
    assert told(world, "documents_missing") == [("error", text, "documents", 1)]


def test_records_are_named_that_have_no_file_ten_of_a_file_and_three_files_at_most() -> None:
    world = World()
    reason, other = "output_uri: the file is empty", "output_uri: no such file in the run's folder"
    for letter in "abcd":
        world.folder("run-1").write_index([a_document(ord(letter)), reason], f"{letter}.index.jsonl")
    staging_finds(world, documents_refused=tuple(range(1, 12)), rejected={reason: 1, other: 2})
    seal = world.folder("run-1").write_seal(DOMAIN, "run-1")
    assert len(seal.files) == 4
    world.landed("run-1", "seal")
    world.drain()
    ten = "record 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"
    places = "; ".join(f"{letter}.index.jsonl {ten}" for letter in "abc")
    text = (
        "12 documents cannot be opened: no such file in the run's folder (8), the file is empty (4); "
        f"{places}"
    )
    assert told(world, "documents_missing") == [("error", text, "documents", 12)]
    assert not told(world, "records_rejected"), "what is reported apart is not counted twice"


def test_documents_that_hold_a_run_are_severe_and_say_so() -> None:
    world = World()
    world.rules.domain_rule = DomainRule(missing_documents="hold")
    staging_finds(world, documents_refused=(4,))
    world.drop("run-1", *three(), "output_uri: the file is empty")
    world.drain()
    text = f"held: 1 document cannot be opened: the file is empty (1); {INDEX} record 4"
    assert told(world, "documents_missing") == [("severe", text, "documents", 1)]
    assert world.run("run-1").why == "1 of 4 documents cannot be opened"


def test_customers_that_the_seal_leaves_out_are_reported_as_an_error_and_errors_alone_as_a_warning() -> None:
    left_out, errors = World(), World()
    left_out.drop("run-1", *three(), customers_expected=5, customers_processed=3, errors=2)
    errors.drop("run-1", *three(), errors=2)
    for world in (left_out, errors):
        world.drain()
    assert told(left_out, "customers_missing") == [("error", "2 of 5 customers were not composed", "run", 2)]
    assert told(errors, "composition_errors") == [("warning", "the run reports 2 errors", "run", 2)]


HELD: Mapping[str, tuple[str, str, str, int]] = {
    "domain_unknown": ("severe", "held: domains.yaml names no domain retail", "domain", 1),
    "volume_deviates": ("severe", "held: 31 documents; the last runs had 200, 200, 200", "run", 31),
    "rejects_high": ("severe", "held: 30 of 31 records rejected: customer_key: missing (30)", "run", 30),
    "exit_status": ("error", "the run ended with exit status 8", "run", 1),
}


def test_every_reason_to_hold_is_in_the_record_its_history_and_a_report() -> None:
    world = World()
    world.rules.domain_rule = DomainRule(unknown=True, hold_on_exit_status=True)
    for number in range(3):
        world.runs.add_volume(DOMAIN, "", f"earlier-{number}", 200)
    world.drop("run-1", *["customer_key: missing"] * 30, a_document(1), exit_status=8)
    world.drain()

    assert {code: told(world, code) for code in HELD} == {code: [row] for code, row in HELD.items()}
    run = world.run("run-1")
    texts = [HELD[code][1].removeprefix("held: ") for code in list(HELD)[:3]]
    assert run.why == "; ".join([*texts, "exit status 8"])
    (row,) = run.history
    assert row == {"at": run.changed_at, "who": "stage_run", "what": "hold", "why": run.why}
    assert arrivals_told(world) == 2, "when it came, and when it was held"


def test_a_run_released_before_it_was_staged_is_not_held_again() -> None:
    world = World()
    short_of_files(world, 1)
    world.control("run-1", Control.HOLD)
    held = world.run("run-1")
    world.rules.domain_rule = DomainRule(unknown=True)
    world.folder("run-1").files["out/1.pdf"] = b"x"
    world.come_to_rest()
    run = world.run("run-1")
    assert (run.control, run.history) == (Control.HOLD, held.history)
    assert run.why == "domains.yaml names no domain retail"


def test_queues_without_a_rule_are_reported_one_by_one_fifty_at_most() -> None:
    world = World()
    world.staging.unmapped = {f"Q{n:02}": n for n in range(1, 53)} | {"A": 7}
    world.drop("run-1", *three())
    world.drain()
    raised = [e for e in world.exceptions.raised if e.code == "queue_unmapped"]
    often = [f"Q{n:02}" for n in range(52, 7, -1)]
    assert [e.queue for e in raised] == [*often, "A", "Q07", "Q06", "Q05", "Q04"]
    assert [(e.part, e.names) for e in raised[:2]] == [("queue Q52", ("Q52",)), ("queue Q51", ("Q51",))]


def test_indexes_beside_the_sealed_ones_are_counted_and_the_first_three_named() -> None:
    world = World()
    world.drop("run-1", *three())
    for letter in "abcd":
        world.folder("run-1").write_index(three(4), f"{letter}.index.jsonl")
        world.folder("run-1").files[f"{letter}.index.txt"] = b"x\n"
    world.drain()
    names = [f"{letter}.index.jsonl" for letter in "abc"]
    assert told(world, "index_not_sealed") == [
        ("error", f"not in the seal, so not read: {', '.join(names)}", "run", 4)
    ]
    names = [f"{letter}.index.txt" for letter in "abc"]
    text = f"not named or placed as an index is, so not read: {', '.join(names)}"
    assert told(world, "index_unrecognised") == [("error", text, "index names", 4)]


def test_addresses_that_records_disagree_about_are_reported_by_their_pairs() -> None:
    world = World()
    staging_finds(world, conflicts=Conflicts(3, 2, ((1, 2), (2, 3)), ((4, 5),)))
    world.drop("run-1", *three())
    world.drain()
    mixed = (
        "2 records rejected: one customer and recipient with different names and addresses: records 4 and 5"
    )
    disputed = "3 records give one customer and recipient different addresses: records 1 and 2, 2 and 3"
    assert told(world, "holders_mixed") == [("error", mixed, "run", 2)]
    assert told(world, "addresses_disputed") == [("warning", disputed, "run", 3)]
    assert world.run("run-1").disputed == 3


def test_values_left_out_of_several_files_are_reported_together() -> None:
    world = World()
    world.folder("run-1").write_index(three(), "a.index.jsonl")
    world.folder("run-1").write_index(three(4), "b.index.jsonl")
    staging_finds(world, left_out={"due_date: not a date": 2, "mobile: too long": 1})
    world.folder("run-1").write_seal(DOMAIN, "run-1")
    world.landed("run-1", "seal")
    world.drain()
    assert world.run("run-1").left_out == {"due_date: not a date": 4, "mobile: too long": 2}
    text = "6 values left out: due_date: not a date (4), mobile: too long (2)"
    assert told(world, "values_left_out") == [("warning", text, "values", 6)]


@pytest.mark.parametrize(
    ("kinds", "rest"), [(5, ""), (6, ", and 1 more reasons"), (8, ", and 3 more reasons")]
)
def test_five_reasons_are_named_and_the_others_counted(kinds: int, rest: str) -> None:
    counts = {f"r{n}": 1 for n in range(kinds, 0, -1)} | {"r0": 3}
    counts.pop(f"r{kinds}")
    raised = values_left_out(DOMAIN, "run-1", counts)
    assert raised.text == f"{kinds + 2} values left out: r0 (3), r1 (1), r2 (1), r3 (1), r4 (1){rest}"
    assert (raised.severity, raised.part, raised.count) == ("warning", "values", kinds + 2)


# --- what comes after a run was taken --------------------------------------------------------------


@pytest.mark.parametrize(("sealed", "code"), [(True, "run_id_reused"), (False, "seal_unreadable")])
def test_a_seal_that_cannot_be_used_says_so_beside_a_run_that_was_taken(sealed: bool, code: str) -> None:
    world = World()
    if sealed:
        world.drop("run-1", *three())
    else:
        world.folder("run-1").write_index(three(), MANIFEST)
        world.landed("run-1", "manifest")
    world.come_to_rest()
    before = world.run("run-1")
    world.folder("run-1").sealed = Unusable("seal_unreadable", "_COMPLETE.json", "not JSON")
    world.landed("run-1", "seal")
    world.come_to_rest()
    text = "a later seal cannot be used: _COMPLETE.json: not JSON"
    assert told(world, code) == [("severe", text, "seal", 1)]
    assert world.run("run-1") == before


def test_a_run_id_used_again_is_reported_under_the_new_content() -> None:
    world = World()
    world.drop("run-1", *three())
    world.come_to_rest()
    seal = world.drop("run-1", *three(4))
    world.come_to_rest()
    text = "the run id was used before with other content; nothing of the new content was read"
    assert told(world, "run_id_reused") == [("severe", text, seal.fingerprint, 1)]


def test_a_held_run_whose_slices_expired_says_how_many_are_left() -> None:
    world = World(slice_records=1)
    world.rules.domain_rule = DomainRule(unknown=True)
    world.drop("run-1", *three())
    world.come_to_rest()
    world.staging._slices[world.run("run-1").parts].pop()
    world.control("run-1", Control.GO)
    world.drain()
    text = "2 of 3 slices are still stored: the run's other customers are not notified"
    assert told(world, "records_gone") == [("error", text, "run", 1)]
    assert len(world.outbox) == 2


def test_a_dispatched_run_whose_slices_expired_says_so_when_it_is_carried_on() -> None:
    world = World(slice_records=1)
    world.drop("run-1", *three())
    world.come_to_rest()
    assert not world.exceptions.raised
    world.staging._slices[world.run("run-1").parts].pop(0)
    world.landed("run-1", "seal")
    world.drain()
    text = "2 of 3 slices are still stored: the run's other customers are not notified"
    assert told(world, "records_gone") == [("error", text, "run", 1)]


def unsealed(world: World, *rows: Any) -> None:
    """A manifest that was taken alone."""
    world.folder("run-1").write_index(rows, MANIFEST)
    world.landed("run-1", "manifest")
    world.come_to_rest()


def sealed_late(world: World, **stated: Any) -> str:
    """Its seal comes; the fingerprint."""
    seal = world.folder("run-1").write_seal(DOMAIN, "run-1", **stated)
    world.landed("run-1", "seal")
    world.come_to_rest()
    return seal.fingerprint


def test_a_late_seal_that_agrees_is_in_the_record() -> None:
    world = World()
    world.rules.domain_rule = DomainRule(exit_statuses=(0, 4))
    unsealed(world, *three())
    before = world.run("run-1")
    stated = {"app": "billing", "rerun_of": "retail/run-0", "customers_expected": 3, "exit_status": 8}
    fingerprint = sealed_late(world, **stated)
    run = world.run("run-1")
    assert (run.sealed, run.sealed_as, run.fingerprint) == (True, fingerprint, before.fingerprint)
    assert (run.app, run.rerun_of, run.expected, run.customers_expected) == ("billing", "retail/run-0", 3, 3)
    assert (run.state, run.why, run.version) == (RunState.DISPATCHED, "", before.version + 1)
    assert told(world, "exit_status") == [("error", "the run ended with exit status 8", "run", 1)]
    assert len(world.outbox) == 3


def test_a_late_seal_that_disagrees_names_three_differences_counts_all_and_is_written_once() -> None:
    world = World()
    unsealed(world, *three())
    files = (SealedFile(MANIFEST, 1, "ab" * 32, 7),)
    sealed_late(world, documents=5, files=files)
    first = world.run("run-1")
    sealed_late(world, documents=5, files=files)
    assert world.run("run-1") == first
    rows = told(world, "late_seal_disagrees")
    assert len(rows) == 2
    severity, text, part, count = rows[0]
    assert (severity, part, count) == ("severe", "late seal", 4)
    assert text.startswith(
        f"the seal came after the run was taken, and disagrees: {MANIFEST} bytes: stated 1, found "
    )
    assert text.endswith(f"{MANIFEST} records: stated 7, found 3")
    assert (first.why, first.expected, first.sealed) == (text, 5, False)


def test_a_cancelled_run_ends_the_deferred_records_and_leaves_the_rest_alone() -> None:
    world = World(at="2026-11-20T03:30:00+00:00", slice_records=3)
    world.drop("run-1", a_document(1), "bad: reason", a_document(2, email=None), a_document(3), a_document(4))
    world.drain()
    before = len(world.queues["decide"].sent)
    world.control("run-1", Control.CANCEL)
    while world.queues["run"].ready():
        world.deliver("run", world.queues["run"].ready()[0])
    named = [SlicePointer.from_message(dict(body)) for _, body, _ in world.queues["decide"].sent[before:]]
    assert [(p.number, p.positions) for p in named] == [(0, (3,))]


@pytest.mark.parametrize(
    ("words", "queued"),
    [
        ([(3, Outcome.NOTIFIED), (2, Outcome.IN_FLIGHT)], []),
        ([(3, Outcome.IN_FLIGHT), (2, Outcome.NOTIFIED)], [1]),
        ([(2, Outcome.IN_FLIGHT), (3, Outcome.NOTIFIED)], []),
        ([(3, Outcome.NOTIFIED), (3, Outcome.IN_FLIGHT)], [1]),
        ([(3, Outcome.DEFERRED)], []),
    ],
)
def test_the_newest_word_on_a_record_says_whether_it_is_open(
    words: Sequence[tuple[int, Outcome]], queued: list[int]
) -> None:
    """Words of jobs come in the order of their names, so an older one may come last."""
    world = World(slice_records=1)
    world.drop("run-1", *three())
    world.come_to_rest()
    for number, (version, outcome) in enumerate(words):
        world.runs.put_job("retail/run-1", f"z{number}", [RecordOutcome(1, 2, outcome, version=version)])
    world.landed("run-1", "seal")
    world.step()
    found = [SlicePointer.from_message(m.json()).number for m in world.queues["decide"].messages]
    assert found == queued


def test_an_index_that_landed_just_before_the_run_was_taken_needs_no_event_of_its_own() -> None:
    """Its event came while nothing said yet that the run was taken, and changed nothing."""
    for call in range(1, 30):
        world = World()
        world.drop("run-1", *three())

        def late(world: World = world) -> None:
            world.folder("run-1").write_index(three(4), "late.index.jsonl")
            world.landed("run-1", "index")
            while world.queues["run"].ready():
                world.deliver("run", world.queues["run"].ready()[0])

        world.wire.interrupt_at(call, late)
        world.come_to_rest()
        if "late.index.jsonl" in world.folder("run-1").files:
            assert {"index_after_seal", "index_not_sealed"} & world.exceptions.codes, call


Wait = Callable[[World], None]
SAVED: Sequence[Wait] = (
    lambda world: short_of_files(world, 1),
    lambda world: unsealed(world, *three()),
)


@pytest.mark.parametrize("given", SAVED)
def test_each_write_of_a_run_is_dated_and_numbered(given: Wait) -> None:
    world = World()
    written = []
    put = world.runs.put

    def kept(run: Any) -> bool:
        written.append((run.version, run.changed_at))
        return put(run)

    world.runs.put = kept  # type: ignore[method-assign]
    given(world)
    assert [version for version, _ in written] == list(range(1, len(written) + 1))
    assert all(at.endswith("+00:00") and len(at) == 25 for _, at in written)
