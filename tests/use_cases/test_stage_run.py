"""Taking a run: what must agree before anything goes out, and what may still come afterwards."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.exceptions import Unusable
from exstream_notify.domain.runs import (
    Control,
    Disagreement,
    DomainRule,
    RunState,
    Seal,
    SealedFile,
    StagePolicy,
    stated_size,
)
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.stage_run import values_left_out
from tests.fakes import a_document, a_rule
from tests.fakes.drops import INDEX, MANIFEST
from tests.use_cases.world import DOMAIN, World


def raised(world: World, code: str) -> list[str]:
    """The texts of the exceptions of a code."""
    return [e.text for e in world.exceptions.raised if e.code == code]


def three(start: int = 1) -> list[Any]:
    """Three documents."""
    return [a_document(n) for n in range(start, start + 3)]


# --- the seal --------------------------------------------------------------------------------------


def test_a_sealed_run_is_staged_and_dispatched() -> None:
    world = World(slice_records=2)
    seal = world.drop("run-1", *three(), "email: too long", app="billing", customers_expected=5)
    world.drain()

    run = world.run("run-1")
    assert (run.state, run.control, run.sealed, run.app) == (RunState.DISPATCHED, Control.GO, True, "billing")
    assert (run.composed, run.expected, run.slices) == (4, 4, 2)
    assert run.rejected == {"email: too long": 1}
    assert run.fingerprint == seal.fingerprint
    assert world.runs.volumes(DOMAIN, "billing") == [4]
    assert not world.queues["run"].messages


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"bytes": 1}, "size_mismatch"),
        ({"sha256": "ab" * 32}, "checksum_mismatch"),
        ({"records": 2}, "record_count_mismatch"),
    ],
)
def test_a_file_that_disagrees_with_its_seal_stops_the_run(change: dict[str, Any], code: str) -> None:
    world = World()
    folder = world.folder("run-1")
    folder.write_index(three())
    seal = folder.write_seal(DOMAIN, "run-1")
    folder.sealed = replace(seal, files=(replace(seal.files[0], **change),))
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert world.run("run-1").state == RunState.REFUSED
    assert not world.outbox
    assert len(raised(world, code)) == 1
    # The corrected seal is taken.
    folder.sealed = seal
    world.landed("run-1", "seal")
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}


def test_a_document_file_that_is_listed_is_checked_as_well() -> None:
    world = World()
    folder = world.folder("run-1")
    folder.write_index(three())
    folder.files["output/Email/a.pdf"] = b"%PDF"
    seal = folder.write_seal(DOMAIN, "run-1")
    folder.files["output/Email/a.pdf"] = b"%PDX"
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert len(seal.files) == 2
    assert world.run("run-1").state == RunState.REFUSED
    (text,) = raised(world, "checksum_mismatch")
    assert text.startswith("output/Email/a.pdf sha256")


def test_a_run_says_how_much_of_it_is_marketing() -> None:
    world = World(a_rule(), a_rule(name="offer", message_class="marketing", topic="offers", wording="offer"))
    world.drop("run-1", *three(), a_document(4, document_type="offer"), a_document(5, document_type="offer"))
    world.drain()

    assert (world.run("run-1").composed, world.run("run-1").optional) == (5, 2)


def test_a_seal_without_an_index_is_refused() -> None:
    world = World()
    world.folder("run-1").files["notes.txt"] = b"nothing"
    world.folder("run-1").write_seal(DOMAIN, "run-1")
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert world.run("run-1").state == RunState.REFUSED
    assert raised(world, "seal_without_index")


def test_an_index_that_cannot_be_read_is_refused_and_says_where() -> None:
    world = World()
    world.folder("run-1").files[INDEX] = b"{half a rec"
    world.folder("run-1").write_seal(DOMAIN, "run-1")
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert world.run("run-1").state == RunState.REFUSED
    assert world.run("run-1").why == f"{INDEX}: not JSON"


def test_an_unusable_seal_is_refused_and_a_good_one_then_taken() -> None:
    world = World()
    folder = world.folder("run-1")
    folder.write_index(three())
    folder.sealed = Unusable("seal_unreadable", "_COMPLETE.json", "not JSON")
    world.landed("run-1", "seal")
    world.come_to_rest()
    assert world.run("run-1").state == RunState.REFUSED

    folder.write_seal(DOMAIN, "run-1")
    world.landed("run-1", "seal")
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}


def test_the_same_seal_again_changes_nothing() -> None:
    world = World()
    world.drop("run-1", *three())
    world.come_to_rest()
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 3}
    assert len(world.outbox) == 3
    assert not world.exceptions.raised


def test_a_run_of_rejected_records_only_is_no_trouble_to_carry_on() -> None:
    world = World()
    world.drop("run-1", "customer_key: missing", "customer_key: missing")
    world.come_to_rest()
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert world.outcomes("run-1") == {"rejected": 2}


def test_the_same_seal_again_resumes_what_is_missing() -> None:
    """A dead letter, thrown away by mistake: the seal, dropped again, makes it good."""
    world = World(slice_records=1)
    world.drop("run-1", a_document(1), "bad: reason", a_document(2), "bad: reason", a_document(3))
    while not world.queues["decide"].messages:
        world.step()
    lost = world.queues["decide"].messages[-1]
    world.queues["decide"].delete(lost)
    world.come_to_rest()
    assert not world.reconciled("run-1").balanced

    world.landed("run-1", "seal")
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3, "rejected": 2}
    assert len(world.outbox) == 3


def test_resuming_queues_only_what_is_open() -> None:
    world = World(slice_records=1)
    world.drop("run-1", *three())
    while len(world.queues["decide"].messages) < 3:
        world.step()
    world.queues["decide"].delete(world.queues["decide"].messages[1])
    world.come_to_rest()
    world.landed("run-1", "seal")
    while not world.queues["decide"].messages:
        world.step()

    (message,) = world.queues["decide"].messages
    assert SlicePointer.from_message(message.json()).number == 1


def test_a_record_behind_a_rejected_one_is_resumed_too() -> None:
    """Positions count the rejected as well, so the last of a slice lies beyond its number of documents."""
    world = World(slice_records=3)
    world.drop("run-1", a_document(1), "bad: reason", a_document(2), a_document(3, email=None))
    while not world.queues["sms"].messages:
        world.step()
    world.queues["sms"].messages.clear()
    world.come_to_rest()
    assert world.reconciled("run-1").outcomes["in_flight"] == 1

    world.landed("run-1", "seal")
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3, "rejected": 1}
    assert len(world.outbox) == 3


def test_other_content_under_a_used_run_id_is_refused_and_harms_nothing() -> None:
    world = World()
    world.drop("run-1", *three())
    world.come_to_rest()
    world.drop("run-1", *three(4))
    world.come_to_rest()

    assert len(raised(world, "run_id_reused")) == 1
    assert world.outcomes("run-1") == {"notified": 3}
    assert len(world.outbox) == 3


def test_a_broken_seal_over_a_good_one_is_told_and_harms_nothing() -> None:
    world = World()
    world.drop("run-1", *three())
    world.come_to_rest()
    world.folder("run-1").sealed = Unusable("seal_unreadable", "_COMPLETE.json", "not JSON")
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert world.run("run-1").state == RunState.DISPATCHED
    assert raised(world, "run_id_reused")


# --- files that come late --------------------------------------------------------------------------


def a_late_run(world: World) -> bytes:
    """A seal whose index is not there yet; its bytes."""
    folder = world.folder("run-1")
    folder.write_index(three())
    folder.write_seal(DOMAIN, "run-1")
    data = folder.files.pop(INDEX)
    world.landed("run-1", "seal")
    return data


def test_a_listed_file_that_is_missing_is_waited_for() -> None:
    world = World()
    data = a_late_run(world)
    world.drain()
    assert (world.run("run-1").state, world.run("run-1").why) == (
        RunState.WAITING,
        f"waiting for 1 of 1 files: {INDEX}",
    )

    world.wait_until(world.clock.now() + timedelta(minutes=10))
    world.folder("run-1").files[INDEX] = data
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}
    assert not raised(world, "files_missing")


def test_a_file_that_never_comes_makes_the_run_incomplete_and_somebody_is_told() -> None:
    world = World()
    data = a_late_run(world)
    start = world.clock.now()
    world.come_to_rest()

    assert world.run("run-1").state == RunState.INCOMPLETE
    assert timedelta(minutes=60) <= world.clock.now() - start <= timedelta(minutes=62)
    assert raised(world, "files_missing") == [f"waiting for 1 of 1 files: {INDEX}"]
    # It may still come, with the seal again.
    world.folder("run-1").files[INDEX] = data
    world.landed("run-1", "seal")
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}


def test_a_corrected_seal_is_waited_for_anew() -> None:
    world = World()
    a_late_run(world)
    world.wait_until(world.clock.now() + timedelta(minutes=50))
    folder = world.folder("run-1")
    seal = folder.seal()
    assert seal is not None
    folder.sealed = replace(seal, files=(*seal.files, SealedFile("other.index.jsonl", 1)))
    world.landed("run-1", "seal")
    world.wait_until(world.clock.now() + timedelta(minutes=50))

    assert world.run("run-1").state == RunState.WAITING


# --- the native manifest alone ---------------------------------------------------------------------


def an_unsealed_run(world: World, *rows: Any, processed: Any = ...) -> None:
    """A native manifest without a seal; `processed` is what its count says."""
    folder = world.folder("run-1")
    folder.write_index(rows, MANIFEST)
    if processed is not ...:
        head = b'{"customersProcessed": %s}\n' % str(processed if processed is not None else "null").encode()
        folder.files[MANIFEST] = head + folder.files[MANIFEST]
    world.landed("run-1", "manifest")


def test_a_manifest_alone_counts_after_its_quiet_period() -> None:
    world = World()
    an_unsealed_run(world, *three())
    world.drain()
    assert world.run("run-1").state == RunState.WAITING
    assert not world.outbox

    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}
    assert not world.run("run-1").sealed


def test_a_manifest_that_still_grows_starts_its_quiet_period_anew() -> None:
    world = World()
    an_unsealed_run(world, a_document(1))
    world.wait_until(world.clock.now() + timedelta(seconds=100))
    an_unsealed_run(world, *three())
    world.wait_until(world.clock.now() + timedelta(seconds=100))
    assert not world.outbox

    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}


@pytest.mark.parametrize(
    ("processed", "code"), [(4, "manifest_count_mismatch"), (None, "manifest_uncounted")]
)
def test_a_manifest_that_does_not_prove_itself_whole_is_refused(processed: int | None, code: str) -> None:
    world = World()
    an_unsealed_run(world, *three(), processed=processed)
    world.come_to_rest()

    assert world.run("run-1").state == RunState.REFUSED
    assert raised(world, code)
    assert not world.outbox


def test_a_domain_that_wants_seals_waits_for_one() -> None:
    world = World()
    world.rules.domain_rule = DomainRule(unsealed=False)
    an_unsealed_run(world, *three())
    world.come_to_rest()
    assert world.run("run-1").state == RunState.WAITING
    assert not world.outbox

    world.folder("run-1").write_seal(DOMAIN, "run-1")
    world.landed("run-1", "seal")
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}
    assert world.run("run-1").sealed


def test_a_manifest_changed_after_dispatch_is_refused() -> None:
    world = World()
    an_unsealed_run(world, *three())
    world.come_to_rest()
    an_unsealed_run(world, *three(4))
    world.come_to_rest()

    assert raised(world, "run_id_reused")
    assert len(world.outbox) == 3


def test_a_manifest_beside_a_sites_own_index_is_not_read() -> None:
    world = World()
    folder = world.folder("run-1")
    folder.write_index(three())
    folder.write_index(three(4), MANIFEST)
    folder.write_seal(DOMAIN, "run-1")
    world.landed("run-1", "manifest")
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 3}
    assert world.told() == [f"c000{n}@example.com" for n in (1, 2, 3)]
    assert not world.exceptions.raised


def test_an_index_that_the_seal_does_not_list_is_told() -> None:
    world = World()
    world.drop("run-1", *three())
    world.folder("run-1").write_index(three(4), "late.index.jsonl")
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 3}
    assert raised(world, "index_not_sealed") == ["not in the seal, so not read: late.index.jsonl"]
    (told,) = [e for e in world.exceptions.raised if e.code == "index_not_sealed"]
    assert "late.index.jsonl" in told.names, "a name that somebody chose is masked where it may be personal"


# --- findings --------------------------------------------------------------------------------------


def test_customers_left_out_make_the_run_incomplete() -> None:
    world = World()
    world.drop("run-1", *three(), customers_expected=5, customers_processed=3, errors=2)
    world.come_to_rest()

    found = world.reconciled("run-1")
    assert (found.balanced, found.complete) == (True, False)
    assert world.run("run-1").expected == 5
    assert raised(world, "customers_missing") == ["2 of 5 customers were not composed"]
    assert not raised(world, "composition_errors"), "the errors are those of the customers left out"


def test_errors_of_the_composer_are_told() -> None:
    world = World()
    world.drop("run-1", *three(), errors=2)
    world.come_to_rest()

    assert raised(world, "composition_errors") == ["the run reports 2 errors"]


@pytest.mark.parametrize(("holds", "told"), [(False, 3), (True, 0)])
def test_an_exit_status_that_is_not_fine(holds: bool, told: int) -> None:
    world = World()
    world.rules.domain_rule = DomainRule(exit_statuses=(0, 4), hold_on_exit_status=holds)
    world.drop("run-1", *three(), exit_status=8)
    world.come_to_rest()
    assert len(world.outbox) == told
    assert raised(world, "exit_status") == ["the run ended with exit status 8"]
    if holds:
        world.control("run-1", Control.GO)
        world.come_to_rest()
        assert world.outcomes("run-1") == {"notified": 3}


def test_findings_are_told_also_when_the_worker_dies_on_the_way() -> None:
    """Killed at every call of the staging: the rejects and the missing customers are never forgotten."""
    number = 0
    while True:
        number += 1
        world = World()
        world.drop("run-1", *three(), "bad: reason", customers_expected=6, customers_processed=4)
        (message,) = world.queues["run"].messages
        world.wire.kill_at(number, "after")
        if world.deliver("run", message):
            break
        world.come_to_rest()
        assert raised(world, "records_rejected"), world.wire.killed_at
        assert raised(world, "customers_missing"), world.wire.killed_at
        assert world.runs.volumes(DOMAIN, "") == [4], world.wire.killed_at
    assert number > 10


# --- volume ----------------------------------------------------------------------------------------


def with_usual_volume(world: World, documents: int) -> None:
    """Three runs of that size came before."""
    for n in range(3):
        world.runs.add_volume(DOMAIN, "billing", f"earlier-{n}", documents)


def test_a_run_far_from_the_usual_size_holds_itself_until_somebody_releases_it() -> None:
    world = World()
    with_usual_volume(world, 200)
    world.drop("run-1", *three(), app="billing")
    world.come_to_rest()
    run = world.run("run-1")
    assert (run.state, run.control) == (RunState.STAGED, Control.HOLD)
    assert run.why == "3 documents; the last runs had 200, 200, 200"
    assert [(row["who"], row["what"]) for row in run.history] == [("stage_run", "hold")]
    assert raised(world, "volume_deviates")
    assert not world.outbox

    world.control("run-1", Control.GO)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}
    # Released, so it is one of the usual runs from now on.
    assert world.runs.volumes(DOMAIN, "billing") == [200, 200, 200, 3]


def test_the_usual_size_is_of_the_same_kind_of_run() -> None:
    world = World()
    with_usual_volume(world, 200)
    world.drop("run-1", *three(), app="letters")
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 3}


def test_a_wrong_run_is_cancelled_and_the_right_one_notifies() -> None:
    world = World()
    with_usual_volume(world, 200)
    world.drop("run-1", *three(), app="billing")
    world.come_to_rest()
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"suppressed": 3}

    world.drop("run-2", *three(), app="letters")
    world.come_to_rest()
    assert world.outcomes("run-2") == {"notified": 3}


def test_two_workers_on_one_run_do_not_stage_it_in_two_ways() -> None:
    """The second finds the record changed under it, and comes back later."""
    for call in range(1, 12):
        world = World(slice_records=1)
        world.drop("run-1", *three())
        world.landed("run-1", "seal")
        world.wire.interrupt_at(call, world.step)
        world.come_to_rest()

        assert world.outcomes("run-1") == {"notified": 3}
        assert len(world.outbox) == 3


@pytest.mark.parametrize("sends", [1, 2, 3])
def test_a_worker_killed_while_it_dispatches_leaves_nothing_behind(sends: int) -> None:
    """More slices than one call takes: some are queued, some are not; all are queued again."""
    world = World(slice_records=1)
    world.drop("run-1", *(a_document(n) for n in range(1, 26)))
    (message,) = world.queues["run"].messages
    # Found by playing it once: the numbers of the calls that queue ten slices each.
    rehearsal = World(slice_records=1)
    rehearsal.drop("run-1", *(a_document(n) for n in range(1, 26)))
    rehearsal.deliver("run", rehearsal.queues["run"].messages[0])
    calls = [n for n, name in enumerate(rehearsal.wire.log, 1) if name == "decide_queue.send"]
    world.wire.kill_at(calls[sends - 1], "after")
    assert not world.deliver("run", message)
    assert len(calls) == 3

    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 25}
    assert len(world.outbox) == 25


def test_waits_are_parameters() -> None:
    world = World(stage_policy=StagePolicy(timedelta(minutes=5), timedelta(seconds=10), 10))
    start = world.clock.now()
    a_late_run(world)
    world.come_to_rest()

    assert world.clock.now() - start < timedelta(minutes=7)


# --- what a run says that it holds, and what was found ---------------------------------------------------


@pytest.mark.parametrize(
    "stated",
    [{"documents": 0, "customers_processed": 3}, {"customers_expected": 3}, {"customers_processed": 1}],
)
def test_a_sealed_run_that_says_it_holds_something_and_yields_nothing_is_refused(
    stated: dict[str, int],
) -> None:
    world = World()
    folder = world.folder("run-1")
    folder.write_index([])
    folder.write_seal(DOMAIN, "run-1", **stated)
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert world.run("run-1").state == RunState.REFUSED
    (text,) = raised(world, "no_records")
    assert text.endswith("found no record")


def test_a_sealed_run_of_nobody_that_says_so_is_taken() -> None:
    world = World()
    world.folder("run-1").write_index([])
    world.folder("run-1").write_seal(DOMAIN, "run-1", documents=0, customers_processed=0)
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert world.run("run-1").state == RunState.DISPATCHED
    assert not raised(world, "no_records")


@pytest.mark.parametrize(
    ("seal", "customers", "processed", "said"),
    [
        (Seal("r", "d", (SealedFile("a"),)), 0, [None], ""),
        (Seal("r", "d", (SealedFile("a"),)), 5, [5], "5 customers_processed"),
        (Seal("r", "d", (SealedFile("a"),)), 5, [None], "5 customers whose queues no rule maps"),
        (Seal("r", "d", (SealedFile("a", records=2),)), 0, [], "2 records"),
        (Seal("r", "d", (SealedFile("a"),), documents=4, customers_expected=3), 0, [], "4 documents"),
    ],
)
def test_what_a_run_says_of_its_size(
    seal: Seal, customers: int, processed: list[int | None], said: str
) -> None:
    assert stated_size(seal, customers, processed) == said


def test_what_a_file_states_otherwise_refuses_the_run() -> None:
    world = World()
    wrong = Disagreement("trailer_count_mismatch", "a.index.psv trailer", "4 rows", "3")
    stage = world.staging.stage
    world.staging.stage = lambda *args: [replace(f, disagreements=(wrong,)) for f in stage(*args)]  # type: ignore[method-assign]
    world.drop("run-1", *three())
    world.come_to_rest()

    assert world.run("run-1").state == RunState.REFUSED
    assert raised(world, "trailer_count_mismatch") == ["a.index.psv trailer: stated 4 rows, found 3"]
    assert not world.outbox


@pytest.mark.parametrize(("count", "text"), [(1, "1 value left out: x (1)"), (3, "3 values left out: x (3)")])
def test_values_left_out_are_counted_in_words(count: int, text: str) -> None:
    assert values_left_out(DOMAIN, "run-1", {"x": count}).text == text
