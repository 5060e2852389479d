"""A document that replaces another: the old one is not told any more, in whatever order they come."""

from dataclasses import asdict, replace
from itertools import permutations

import pytest

from exstream_notify.domain.documents import Document
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.notices import Outcome, Status
from exstream_notify.domain.runs import Control
from tests.fakes import a_document, a_rule
from tests.use_cases.world import World

NIGHT = "2026-11-20T03:30:00+00:00"
OLD = a_document(1)
NEW = a_document(1, document_id="D-NEW", supersedes="D0001")


def documents(world: World) -> list[str]:
    """Which documents customers were told of."""
    return sorted(d.text.split("|")[2] for d in world.outbox)


def test_the_old_one_first_and_told_stays_told() -> None:
    world = World()
    world.drop("run-1", OLD)
    world.come_to_rest()
    world.drop("run-2", NEW)
    world.come_to_rest()

    assert documents(world) == ["D-NEW", "D0001"]
    assert world.outcomes("run-1") == {"notified": 1}
    assert world.notice("D0001").superseded_by == "D-NEW"


def test_the_new_one_first_keeps_the_old_one_from_ever_being_told() -> None:
    world = World()
    world.drop("run-2", NEW)
    world.come_to_rest()
    world.drop("run-1", OLD)
    world.come_to_rest()

    assert documents(world) == ["D-NEW"]
    assert world.outcomes("run-1") == {"suppressed": 1}
    assert world.reasons("run-1", "suppressed") == {"superseded": 1}
    assert world.notice("D0001").status == Status.SUPERSEDED


def test_both_in_one_run_in_either_order() -> None:
    for rows in permutations((OLD, NEW, a_document(2))):
        for slice_records in (1, 3):
            world = World(slice_records=slice_records)
            world.drop("run-1", *rows)
            world.come_to_rest()
            # Whether the old one was on its way already is a matter of slices; the new one is told.
            assert documents(world) in (["D-NEW", "D0002"], ["D-NEW", "D0001", "D0002"])
            assert sum(world.outcomes("run-1").values()) == 3
            world.check()


def test_a_chain_leaves_the_newest() -> None:
    third = a_document(1, document_id="D-NEWEST", supersedes="D-NEW")
    for order in permutations((OLD, NEW, third)):
        world = World(at=NIGHT)
        for number, document in enumerate(order):
            world.drop(f"run-{number}", a_document(1, **_only_sms(document)))
            world.drain()
        world.come_to_rest()

        assert documents(world) == ["D-NEWEST"], [d.document_id for d in order]
        world.check()


def _only_sms(document: object) -> dict[str, object]:
    names = ("document_id", "supersedes")
    return {"email": None, **{name: getattr(document, name) for name in names}}


def test_one_that_waits_for_the_morning_is_dropped_and_its_run_says_so() -> None:
    world = World(at=NIGHT)
    world.drop("run-1", a_document(1, email=None))
    world.drain()
    world.drop("run-2", a_document(1, email=None, document_id="D-NEW", supersedes="D0001"))
    world.drain()

    assert world.outcomes("run-1") == {"suppressed": 1}
    assert world.reasons("run-1", "suppressed") == {"superseded": 1}
    world.come_to_rest()
    assert documents(world) == ["D-NEW"]


def test_one_whose_job_is_queued_is_dropped() -> None:
    world = World()
    world.drop("run-1", OLD)
    while not world.queues["email"].messages:
        world.step()
    (held_back,) = world.queues["email"].messages
    world.queues["email"].receive(held_back)
    world.drop("run-2", NEW)
    while not world.outbox:
        world.step()
    world.come_to_rest()

    assert documents(world) == ["D-NEW"]
    assert world.outcomes("run-1") == {"suppressed": 1}


def test_one_that_an_outage_catches_after_it_was_superseded_is_not_tried_again() -> None:
    """Claimed; superseded; the provider says it is down; the outage ends."""
    world = World()
    world.mail.script(TryAgain("unavailable"))
    world.drop("run-1", OLD)
    rehearsal = World()
    rehearsal.drop("run-1", OLD)
    rehearsal.come_to_rest()

    def supersede() -> None:
        world.drop("run-2", NEW)
        for queue in ("run", "decide"):
            (message,) = world.queues[queue].ready()
            world.deliver(queue, message)

    world.wire.interrupt_at(rehearsal.wire.log.index("provider.send") + 1, supersede)
    world.come_to_rest()

    assert documents(world) == ["D-NEW"]
    assert world.notice("D0001").outcome == Outcome.SUPPRESSED
    assert world.outcomes("run-1") == {"suppressed": 1}
    world.check()


@pytest.mark.parametrize("paper", [False, True])
def test_one_that_failed_is_neither_sent_otherwise_nor_printed(paper: bool) -> None:
    """Refused by e-mail; before its fallback is decided, the new document comes."""
    world = World(a_rule(paper_on_failure=paper))
    world.mail.script(GiveUp("no_such_address", "recipient"))
    world.drop("run-1", OLD)
    while not any(n.status == Status.FAILED for n in world.ledger.notices.values()):
        world.step()
    (look,) = world.queues["decide"].ready()
    world.queues["decide"].receive(look)
    world.drop("run-2", NEW)
    world.come_to_rest()

    assert documents(world) == ["D-NEW"]
    assert world.outcomes("run-1") == {"suppressed": 1}
    assert "unreached" not in world.exceptions.codes


def test_internal_copies_of_the_old_one_are_dropped_too() -> None:
    world = World(a_rule(teams=("audit",), team_copy="each"), teams={"audit": "audit@example.com"})
    world.drop("run-2", NEW)
    world.come_to_rest()
    world.drop("run-1", OLD)
    world.come_to_rest()

    assert world.told().count("audit@example.com") == 1


def test_a_test_document_replaces_nothing() -> None:
    world = World()
    world.drop("run-1", a_document(1, document_id="T", supersedes="D0001", test_flag=True))
    world.come_to_rest()
    world.drop("run-2", OLD)
    world.come_to_rest()

    assert documents(world) == ["D0001"]


def test_a_document_cannot_replace_itself() -> None:
    world = World()
    world.drop("run-1", a_document(1, supersedes="D0001"))
    world.come_to_rest()

    assert world.outcomes("run-1") == {"notified": 1}


def test_a_cancelled_run_replaces_nothing() -> None:
    world = World()
    world.drop("run-1", NEW)
    while not world.queues["decide"].messages:
        world.step()
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()
    world.drop("run-2", OLD)
    world.come_to_rest()

    assert documents(world) == ["D0001"]


def test_replacing_goes_on_when_the_worker_dies_at_any_call() -> None:
    number = 0
    while True:
        number += 1
        world = World(at=NIGHT)
        world.drop("run-1", a_document(1, email=None))
        world.drain()
        world.drop("run-2", a_document(1, email=None, document_id="D-NEW", supersedes="D0001"))
        world.wire.kill_at(world.wire.number + number, "after")
        world.come_to_rest()
        if not world.kills:
            break
        # Killed right after the provider took it, the new one is in doubt: taken once all the same.
        assert documents(world) in (["D-NEW"], []), world.wire.killed_at
        assert world.outcomes("run-1") == {"suppressed": 1}, world.wire.killed_at
        world.check()
    assert number > 20


# --- whatever the old one's type and edition ------------------------------------------------------


RULES = (a_rule(notify_on_new_content=True), a_rule(name="letter", topic="letters", wording="letter"))
CORRECTED = a_document(1, document_id="D-NEW", supersedes="D0001", content_sha256="bb" * 32)
OLD_ONES = {
    "of another edition": a_document(1, content_sha256="aa" * 32),
    "of another type": a_document(1, document_type="letter"),
    "known by a file name": a_document(1, edition="period:2026-10", statement_period="2026-10"),
    "without content": a_document(1),
}


@pytest.mark.parametrize("old", OLD_ONES.values(), ids=list(OLD_ONES))
def test_an_old_one_that_comes_later_is_superseded(old: Document) -> None:
    world = World(*RULES)
    world.drop("run-1", CORRECTED)
    world.come_to_rest()
    world.drop("run-2", old, a_document(2))
    world.come_to_rest()

    assert documents(world) == ["D-NEW", "D0002"]
    assert world.reasons("run-2", "suppressed") == {"superseded": 1}
    world.check()


@pytest.mark.parametrize("old", OLD_ONES.values(), ids=list(OLD_ONES))
@pytest.mark.parametrize("teams", [(), ("audit",)])
def test_an_old_one_that_waits_is_superseded_with_its_teams_copies(
    old: Document, teams: tuple[str, ...]
) -> None:
    rules = [a_rule(**{**asdict(r), "teams": teams, "team_copy": "each"}) for r in RULES]
    world = World(*rules, at=NIGHT, teams={"audit": "audit@example.com"})
    world.mail.always(TryAgain("unavailable"))
    world.drop("run-1", replace(old, email=None))
    world.drain()
    world.drop("run-2", replace(CORRECTED, email=None))
    world.drain()
    world.mail.always(None)
    world.come_to_rest()

    assert [d.text.split("|")[2] for d in world.outbox if d.channel == "sms"] == ["D-NEW"]
    assert world.outcomes("run-1") == {"suppressed": 1}
    copies = [d.text for d in world.outbox if d.to == "audit@example.com"]
    assert len(copies) == len(teams)
    assert not any("D0001" in text for text in copies)
    world.check()


def test_one_that_queues_while_it_is_replaced_is_not_sent() -> None:
    """Its job lies in the queue, so the ledger does not know it yet."""
    world = World(*RULES)
    world.drop("run-1", OLD_ONES["of another type"])
    while not world.queues["email"].ready():
        world.step()
    parked = world.queues["email"].ready()
    for message in parked:
        world.queues["email"].delete(message)
    world.drop("run-2", CORRECTED)
    world.come_to_rest()
    world.queues["email"].send([message.json() for message in parked])
    world.come_to_rest()

    assert documents(world) == ["D-NEW"]
    assert world.reasons("run-1", "suppressed") == {"superseded": 1}
    world.check()


def test_another_customers_document_of_that_id_stays() -> None:
    world = World(*RULES)
    world.drop("run-1", CORRECTED)
    world.come_to_rest()
    world.drop("run-2", a_document(2, document_id="D0001"), a_document(1, recipient="second"))
    world.come_to_rest()

    assert world.outcomes("run-2") == {"notified": 2}


def test_next_months_file_of_a_superseded_name_is_another_document() -> None:
    world = World(*RULES)
    late = replace(CORRECTED, produced_at="2026-11-19T04:00:00Z")
    world.drop("run-1", late)
    world.come_to_rest()
    december = a_document(1, edition="day:2026-12-19", produced_at="2026-12-19T04:00:00Z")
    october = a_document(1, edition="day:2026-11-01", produced_at="2026-11-01T04:00:00Z")
    world.drop("run-2", december, october)
    world.come_to_rest()

    assert world.outcomes("run-2") == {"notified": 1, "suppressed": 1}


def test_a_file_name_is_superseded_in_its_newest_edition_only() -> None:
    world = World(*RULES)
    for month in ("09", "10"):
        row = a_document(1, edition=f"period:2026-{month}", statement_period=f"2026-{month}")
        world.drop(f"run-{month}", row)
        world.come_to_rest()
    world.drop("run-2", CORRECTED)
    world.come_to_rest()

    found = {n.origin.run: n.superseded_by for n in world.ledger.notices.values() if n.attempts}
    assert found == {"retail/run-09": "", "retail/run-10": "D-NEW", "retail/run-2": ""}
