"""Words that nobody approved are not sent where approval is required, and that is never silent."""

from datetime import timedelta

import pytest

from exstream_notify.domain.approvals import Approval
from exstream_notify.domain.notices import Status
from tests.fakes import a_document, a_rule
from tests.use_cases.world import World

LEGAL = Approval("statement", "email", "en", "1", "Legal, J. Doe", "2026-11-01")


def bodies(world: World) -> list[dict[str, object]]:
    return [dict(line.body) for line in world.evidence.lines.values()]


@pytest.mark.parametrize("bulk", [False, True])
def test_what_nobody_approved_waits_and_is_told_once(bulk: bool) -> None:
    world = World(bulk=bulk)
    world.approved_only = True
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    assert world.told() == []
    assert world.outcomes("run-1") == {"deferred": 2}
    assert world.reasons("run-1", "deferred") == {"wording_not_approved": 2}
    assert bodies(world) == [], "nothing is proved that is not sent"

    world.wait_until(world.clock.now() + timedelta(hours=3))
    told = [e for e in world.exceptions.raised if e.code == "wording_not_approved"]
    assert sum(e.count for e in told) == 2, "once for each notice, not at each look"
    assert all("statement in en, version 1" in e.text for e in told)

    world.wording.approvals.append(LEGAL)
    world.wait_until(world.clock.now() + timedelta(hours=1))
    assert world.told() == ["c0001@example.com", "c0002@example.com"]
    assert world.outcomes("run-1") == {"notified": 2}
    world.check()


def test_an_approval_is_of_one_version_channel_and_language() -> None:
    world = World(a_rule(channels=("email",)))
    world.approved_only = True
    world.wording.approvals.append(LEGAL)
    world.wording.versions = {"es": "1", "en": "1"}
    world.drop("run-1", a_document(1), a_document(2, language="es"))
    world.drain()
    assert world.told() == ["c0001@example.com"]
    # One changed word, and the approval is over.
    world.wording.versions = {"en": "2"}
    world.drop("run-2", a_document(3))
    world.drain()
    assert world.told() == ["c0001@example.com"]
    assert world.reasons("run-2", "deferred") == {"wording_not_approved": 1}
    world.check()


def test_the_text_message_needs_an_approval_of_its_own() -> None:
    world = World(a_rule(channels=("sms",)))
    world.approved_only = True
    world.wording.approvals.append(LEGAL)
    world.drop("run-1", a_document(1))
    world.drain()
    assert world.told() == []


def test_what_is_never_approved_ends_at_its_deadline_as_an_exception() -> None:
    world = World()
    world.approved_only = True
    world.drop("run-1", a_document(1))
    world.come_to_rest(limit=1000)
    assert world.told() == []
    assert "deferred" not in world.outcomes("run-1")
    assert {"wording_not_approved", "deadline_passed"} <= world.exceptions.codes
    world.check()


def test_the_proof_names_who_approved_or_that_nobody_did() -> None:
    world = World()
    world.wording.approvals.append(LEGAL)
    world.drop("run-1", a_document(1), a_document(2, language="fr"))
    world.drain()
    assert len(world.told()) == 2, "not required: both go out"
    shown = {str(body["language"]): body["wording_approval"] for body in bodies(world)}
    assert shown == {"en": {"who": LEGAL.who, "when": LEGAL.when, "version": "1"}, "fr": None}


def test_internal_copies_need_no_approval() -> None:
    world = World(a_rule(teams=("branch",), team_copy="each"), teams={"branch": "branch@example.com"})
    world.approved_only = True
    world.drop("run-1", a_document(1))
    world.drain()
    assert world.told() == ["branch@example.com"]


@pytest.mark.parametrize("held", ["approval", "switch"])
def test_what_a_dead_worker_left_is_in_doubt_not_a_dead_letter(held: str) -> None:
    def dropped() -> World:
        world = World()
        world.drop("run-1", a_document(1))
        return world

    probe = dropped()
    probe.drain()
    posting = next(n for n, call in enumerate(probe.wire.log, 1) if call.startswith("provider"))

    world = dropped()
    world.wire.kill_at(posting, "before")
    while not world.kills:
        world.step()
    if held == "approval":
        world.approved_only = True
    else:
        world.off = {"email"}
    world.drain()
    assert world.notice("D0001").status == Status.UNCONFIRMED
    world.check()
