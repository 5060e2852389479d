"""A run's files: documents that are not there, indexes that come late, seals that come late or state little."""

from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.domain.exceptions import ExceptionRaised, Unusable
from exstream_notify.domain.runs import Control, DomainRule, RunState, Seal, SealedFile, StagePolicy
from tests.fakes import a_document
from tests.fakes.drops import INDEX, MANIFEST
from tests.use_cases.world import DOMAIN, World


def raised(world: World, code: str) -> list[ExceptionRaised]:
    """The exceptions of a code, the latest of each part."""
    return list({(e.part): e for e in world.exceptions.raised if e.code == code}.values())


def three(start: int = 1) -> list[Any]:
    """Three documents."""
    return [a_document(n) for n in range(start, start + 3)]


# --- documents that customers could not open -------------------------------------------------------

FILES = {"out/1.pdf": b"%PDF", "out/2.pdf": b"", "out/M\u00fcller.pdf": b"%PDF", "out/4.PDF": b"%PDF"}
PATHS = ["out/1.pdf", "out/2.pdf", "out/Mu\u0308ller.pdf", "out/4.pdf", "out/5.pdf", "_COMPLETE.json"]


def a_run_with_files(world: World) -> None:
    world.staging.opening = frozenset({a_document(1).document_type})
    world.folder("run-1").files.update(FILES)
    world.drop("run-1", *(a_document(n, output_uri=path) for n, path in enumerate(PATHS, 1)))
    world.come_to_rest()


def test_a_record_whose_document_cannot_be_opened_is_rejected_before_anybody_is_notified() -> None:
    world = World()
    a_run_with_files(world)

    assert world.told() == ["c0001@example.com"]
    assert world.outcomes("run-1") == {"notified": 1, "rejected": 5}
    assert world.run("run-1").rejected == {
        "output_uri: the file is empty": 1,
        "output_uri: the file is there under another Unicode form": 1,
        "output_uri: the file is there in other letter case": 1,
        "output_uri: no such file in the run's folder": 1,
        "output_uri: names a file of the run itself": 1,
    }
    (told,) = raised(world, "documents_missing")
    assert (told.count, told.severity) == (5, "error")
    assert f"{INDEX} record 2, 3, 4, 5, 6" in told.text
    assert not any(path in told.text for path in PATHS), "a file's name may hold an account number"


def test_customers_whose_records_name_one_file_are_all_rejected() -> None:
    world = World()
    world.staging.opening = frozenset({a_document(1).document_type})
    world.folder("run-1").files.update(FILES)
    paths = ["out/1.pdf", "out/4.PDF", "out/1.pdf"]
    world.drop("run-1", *(a_document(n, output_uri=path) for n, path in enumerate(paths, 1)))
    world.come_to_rest()

    assert world.told() == ["c0002@example.com"]
    assert world.run("run-1").rejected == {"output_uri: records of different customers name this file": 2}
    assert [told.count for told in raised(world, "documents_missing")] == [2]


def test_a_domain_can_have_the_run_held_instead() -> None:
    world = World()
    world.rules.domain_rule = DomainRule(missing_documents="hold")
    a_run_with_files(world)

    assert world.run("run-1").control == Control.HOLD
    assert world.run("run-1").why == "5 of 6 documents cannot be opened"
    assert world.told() == []
    (told,) = raised(world, "documents_missing")
    assert told.severity == "severe"
    world.control("run-1", Control.GO)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1, "rejected": 5}, "released, they stay rejected"


def test_a_run_whose_documents_are_all_there_says_nothing_and_is_not_held() -> None:
    world = World()
    world.rules.domain_rule = DomainRule(missing_documents="hold")
    world.staging.opening = frozenset({a_document(1).document_type})
    world.folder("run-1").files["out/1.pdf"] = b"%PDF"
    world.drop("run-1", a_document(1, output_uri="out/1.pdf"), a_document(2))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 2}
    assert not world.exceptions.raised


# --- too many rejects ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("good", "bad", "limit", "held"),
    [
        (35, 25, 10, True),
        (36, 24, 10, False),  # fewer than 25 never count
        (0, 24, 10, False),
        (225, 25, 10, False),  # ten per cent is not above ten per cent
        (224, 25, 10, True),
        (35, 25, 50, False),
    ],
)
def test_a_run_that_rejects_too_much_holds_itself(good: int, bad: int, limit: int, held: bool) -> None:
    world = World(stage_policy=StagePolicy(reject_limit_percent=limit))
    rows = [a_document(n) for n in range(1, good + 1)]
    reasons = ["amount_due: not a plain amount"] * (bad - 1) + ["customer_key: missing"]
    world.drop("run-1", *rows, *reasons)
    world.come_to_rest()

    assert (world.run("run-1").control == Control.HOLD) is held
    assert len(world.outbox) == (0 if held else good)
    assert len(raised(world, "rejects_high")) == held
    if held:
        text = f"{bad} of {good + bad} records rejected: amount_due: not a plain amount ({bad - 1}), customer_key"
        assert text in raised(world, "rejects_high")[0].text
        assert text in world.run("run-1").why
        world.control("run-1", Control.GO)
        world.come_to_rest()
        assert len(world.outbox) == good


def test_every_reason_to_hold_is_said() -> None:
    world = World()
    world.rules.domain_rule = DomainRule(unknown=True, hold_on_exit_status=True)
    world.drop("run-1", *["customer_key: missing"] * 30, a_document(1), exit_status=8)
    world.come_to_rest()

    why = world.run("run-1").why
    assert "domains.yaml names no domain retail" in why
    assert "30 of 31 records rejected" in why
    assert "exit status 8" in why
    assert {"domain_unknown", "rejects_high", "exit_status"} <= set(world.exceptions.codes)
    assert not world.outbox


# --- domains that the site does not name -----------------------------------------------------------


def test_an_event_of_an_unknown_domain_is_held_until_it_is_released() -> None:
    world = World()
    world.rules.domain_rule = DomainRule(unknown=True)
    document = {"customer_key": "C0001", "document_id": "D0001", "document_type": "statement"}
    world.compose("e-1", document | {"email": "c0001@example.com"})
    world.come_to_rest()
    assert world.told() == []
    assert len(raised(world, "domain_unknown")) == 1

    world.control("event-e-1", Control.GO)
    world.come_to_rest()
    assert world.told() == ["c0001@example.com"]


# --- indexes that come late ------------------------------------------------------------------------


def test_an_index_that_lands_after_the_run_was_taken_is_reported_once() -> None:
    world = World()
    world.drop("run-1", *three())
    world.landed("run-1", "index")
    world.come_to_rest()
    assert not world.exceptions.raised, "the event of its own index comes late"

    for number in (1, 2):
        world.folder("run-1").write_index(three(7 * number), f"late{number}.index.jsonl")
        world.landed("run-1", "index")
        world.landed("run-1", "index")
        world.come_to_rest()

    (told,) = raised(world, "index_after_seal")
    assert told.count == 2
    assert told.text == "landed after the run was taken, so not read: late1.index.jsonl, late2.index.jsonl"
    assert world.outcomes("run-1") == {"notified": 3}


def test_an_index_that_was_there_and_not_sealed_is_not_reported_twice() -> None:
    world = World()
    world.drop("run-1", *three())
    world.folder("run-1").write_index(three(4), "other.index.jsonl")
    world.landed("run-1", "index")
    world.come_to_rest()
    world.landed("run-1", "index")
    world.come_to_rest()

    assert len(raised(world, "index_not_sealed")) == 1
    assert not raised(world, "index_after_seal")


def test_an_index_that_lands_while_the_run_is_staged_is_reported() -> None:
    """Its own event comes before the run's record says that it was taken, so nobody looks then."""
    world = World()
    world.drop("run-1", *three())
    for call in range(1, 30):
        world = World()
        world.drop("run-1", *three())

        def late(world: World = world) -> None:
            world.folder("run-1").write_index(three(4), "late.index.jsonl")

        world.wire.interrupt_at(call, late)
        world.come_to_rest()
        world.landed("run-1", "index")
        world.come_to_rest()
        found = {"index_after_seal", "index_not_sealed"} & set(world.exceptions.codes)
        if "late.index.jsonl" in world.folder("run-1").files:
            assert found, call


def test_an_index_that_is_replaced_is_other_content_and_the_same_one_again_is_not() -> None:
    world = World()
    world.drop("run-1", *three())
    world.come_to_rest()
    folder = world.folder("run-1")
    folder.etags[INDEX] = "other-parts"
    world.landed("run-1", "index")
    world.come_to_rest()
    assert not world.exceptions.raised, "uploaded in other parts"

    folder.write_index(three(4))
    world.landed("run-1", "index")
    world.come_to_rest()
    (told,) = raised(world, "run_id_reused")
    assert told.text == f"the run id was used before with other content; this was not read: {INDEX}"
    assert world.outcomes("run-1") == {"notified": 3}


def test_an_index_beside_an_unsealed_manifest_is_reported_when_it_comes_late() -> None:
    world = World()
    world.folder("run-1").write_index(three(), MANIFEST)
    world.landed("run-1", "manifest")
    world.come_to_rest()
    world.folder("run-1").write_index(three(4))
    world.landed("run-1", "index")
    world.come_to_rest()

    assert raised(world, "index_after_seal")
    assert world.outcomes("run-1") == {"notified": 3}


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("name", ["a.index.txt", "b.index.CSV.zip", "c-index.csv", "index.psv", "d.jsonl"])
def test_a_file_that_was_perhaps_meant_as_an_index_is_reported(name: str, sealed: bool) -> None:
    world = World()
    if sealed:
        world.folder("run-1").files[name] = b"x\n"
    world.drop("run-1", *three())
    world.folder("run-1").files[name] = b"x\n"
    world.come_to_rest()

    (told,) = raised(world, "index_unrecognised")
    assert name in told.text
    assert name in told.names
    assert world.outcomes("run-1") == {"notified": 3}


def test_output_in_a_queue_that_no_rule_maps_is_reported_and_the_run_goes_on() -> None:
    world = World()
    world.staging.unmapped = {"Email_Statments": 2, "Archive": 7}
    world.drop("run-1", *three())
    world.come_to_rest()

    told = [e for e in world.exceptions.raised if e.code == "queue_unmapped"]
    assert [(e.queue, e.count, e.severity) for e in told] == [
        ("Archive", 7, "warning"),
        ("Email_Statments", 2, "warning"),
    ]
    assert told[0].text == "nobody is notified of the output in queue Archive, which no rule maps (7)"
    assert world.outcomes("run-1") == {"notified": 3}


@pytest.mark.parametrize(
    "name", ["data.csv", "notes.txt", "ExstreamMessages.dat", "reindex.pdf", "exceptions.psv"]
)
def test_another_file_beside_an_index_is_not(name: str) -> None:
    world = World()
    world.folder("run-1").files[name] = b"x\n"
    world.drop("run-1", *three())
    world.come_to_rest()

    assert not world.exceptions.raised


def test_a_seal_without_an_index_names_what_was_perhaps_meant() -> None:
    world = World()
    world.folder("run-1").files["billing.csv"] = b"x\n"
    world.folder("run-1").write_seal(DOMAIN, "run-1")
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert (
        world.run("run-1").why
        == "files: none of the listed files is an index: billing.csv is not named as one"
    )


# --- seals that state little -----------------------------------------------------------------------


def bare(world: World, *rows: Any) -> None:
    """A run whose seal states names and nothing else."""
    folder = world.folder("run-1")
    folder.write_index(rows)
    folder.sealed = Seal("run-1", DOMAIN, (SealedFile(INDEX),))
    world.landed("run-1", "seal")


def test_other_content_under_a_seal_without_checksums_is_refused() -> None:
    world = World()
    bare(world, *three())
    world.come_to_rest()
    bare(world, *three(4))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 3}
    (told,) = raised(world, "run_id_reused")
    assert (told.severity, INDEX in told.text) == ("severe", True)


def test_the_same_content_under_a_seal_without_checksums_resumes() -> None:
    world = World(slice_records=1)
    bare(world, *three())
    while not world.queues["decide"].messages:
        world.step()
    world.queues["decide"].delete(world.queues["decide"].messages[-1])
    world.come_to_rest()
    bare(world, *three())
    world.folder("run-1").etags[INDEX] = "other-parts"
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 3}
    assert len(world.outbox) == 3
    assert not world.exceptions.raised


def test_other_content_is_taken_as_long_as_nobody_was_notified_of_the_first() -> None:
    world = World()
    folder = world.folder("run-1")
    folder.files[INDEX] = b"{half a rec"
    folder.sealed = Seal("run-1", DOMAIN, (SealedFile(INDEX),))
    world.landed("run-1", "seal")
    world.come_to_rest()
    assert world.run("run-1").state == RunState.REFUSED

    bare(world, *three())
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}


# --- seals that come late --------------------------------------------------------------------------


def an_unsealed_run(world: World, *rows: Any) -> None:
    """A native manifest that was taken after its quiet period."""
    world.folder("run-1").write_index(rows, MANIFEST)
    world.landed("run-1", "manifest")
    world.come_to_rest()
    assert (world.run("run-1").sealed, len(world.outbox)) == (False, len(rows))


def seal_late(world: World, **stated: Any) -> None:
    world.folder("run-1").write_seal(DOMAIN, "run-1", **stated)
    world.landed("run-1", "seal")
    world.come_to_rest()


def test_a_seal_after_the_quiet_period_makes_the_run_sealed() -> None:
    world = World()
    an_unsealed_run(world, *three())
    seal_late(world, app="billing", customers_expected=5, customers_processed=3, errors=2)

    run = world.run("run-1")
    assert (run.sealed, run.app, run.expected) == (True, "billing", 5)
    assert not world.reconciled("run-1").complete
    (told,) = raised(world, "customers_missing")
    assert told.text == "2 of 5 customers were not composed"
    assert {e.code for e in world.exceptions.raised} == {"customers_missing"}
    assert len(world.outbox) == 3
    (arrival,) = world.runs.arrivals(DOMAIN, world.clock.now() - timedelta(1), world.clock.now())
    assert arrival.app == "billing"
    assert arrival.at.isoformat() <= run.opened_at  # when its files came, not its seal


def test_a_late_seal_again_and_then_another_one() -> None:
    world = World()
    an_unsealed_run(world, *three())
    seal_late(world)
    seal_late(world)
    assert not world.exceptions.raised

    world.folder("run-1").write_index(three(4), MANIFEST)
    seal_late(world)
    assert raised(world, "run_id_reused")
    assert len(world.outbox) == 3


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"documents": 4}, "documents: stated 4, found 3"),
        ({"customers_processed": 5}, "customers_processed: stated 5, found 3"),
        ({"files": (SealedFile(MANIFEST, 1),)}, f"{MANIFEST} bytes: stated 1"),
        ({"files": (SealedFile(MANIFEST, None, "ab" * 32),)}, f"{MANIFEST} sha256"),
        ({"files": (SealedFile(MANIFEST, None, None, 7),)}, f"{MANIFEST} records: stated 7, found 3"),
        (
            {"files": (SealedFile("a.index.jsonl"),)},
            "a.index.jsonl in the seal: stated an index, found not read",
        ),
        ({"files": (SealedFile(MANIFEST), SealedFile("b.pdf"))}, "b.pdf: stated a file, found nothing"),
    ],
)
def test_a_late_seal_that_disagrees_says_what_it_disagrees_about(stated: dict[str, Any], said: str) -> None:
    world = World()
    an_unsealed_run(world, *three())
    for _ in range(2):
        seal_late(world, **stated)

    assert {e.code for e in world.exceptions.raised} == {"late_seal_disagrees"}
    (told,) = raised(world, "late_seal_disagrees")
    assert said in told.text
    assert not world.run("run-1").sealed
    assert said in world.run("run-1").why
    assert len(world.outbox) == 3


def test_a_late_seal_that_states_more_documents_leaves_the_run_incomplete() -> None:
    world = World()
    an_unsealed_run(world, *three())
    seal_late(world, documents=5)

    assert not world.reconciled("run-1").complete
    # Corrected, it is taken.
    seal_late(world, documents=3)
    assert world.run("run-1").sealed
    assert world.reconciled("run-1").complete


def test_a_late_seal_that_cannot_be_read_is_reported_as_that() -> None:
    world = World()
    an_unsealed_run(world, *three())
    world.folder("run-1").sealed = Unusable("seal_unreadable", "_COMPLETE.json", "not JSON")
    world.landed("run-1", "seal")
    world.come_to_rest()

    assert {e.code for e in world.exceptions.raised} == {"seal_unreadable"}


def test_a_late_seal_of_a_held_run_leaves_it_held() -> None:
    world = World()
    world.rules.domain_rule = DomainRule(unknown=True)
    world.folder("run-1").write_index(three(), MANIFEST)
    world.landed("run-1", "manifest")
    world.come_to_rest()
    seal_late(world)
    assert (world.run("run-1").control, world.run("run-1").sealed) == (Control.HOLD, True)
    assert not world.outbox

    world.control("run-1", Control.GO)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 3}


def test_the_same_manifest_uploaded_in_other_parts_is_the_same_run() -> None:
    world = World()
    an_unsealed_run(world, *three())
    world.folder("run-1").etags[MANIFEST] = "other-parts"
    world.landed("run-1", "manifest")
    world.come_to_rest()

    assert not world.exceptions.raised
    assert world.run("run-1").state == RunState.DISPATCHED
