"""Words that nobody approved are not sent where approval is required, and that is never silent."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exstream_notify.adapters.rendering.approvals import add_approvals
from exstream_notify.adapters.rendering.brand import Brand
from exstream_notify.adapters.rendering.notes import Notes, named
from exstream_notify.domain.address_changes import NOT_YET
from exstream_notify.domain.approvals import Approval
from exstream_notify.domain.contacts import AddressChange
from exstream_notify.domain.inbound import Reply
from exstream_notify.domain.notices import Origin, Status
from exstream_notify.domain.preferences import PortalChange
from exstream_notify.use_cases.change_preferences import AddressBook
from exstream_notify.use_cases.notify_owner import OwnerNotices, waiting_name
from exstream_notify.use_cases.record_preferences import record_preferences
from exstream_notify.use_cases.record_reply import ReplyDesk
from exstream_notify.use_cases.tell_customer import NotApproved, Note, Teller
from exstream_notify.use_cases.tell_portal import PortalNews
from tests.fakes import (
    FakeAddresses,
    FakeClock,
    FakeContacts,
    FakeDueIndex,
    FakeEvidence,
    FakeExceptionBus,
    FakeLedger,
    FakeProvider,
    a_contact,
    a_document,
    a_rule,
    some_ways,
)
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


# --- notes: codes, confirmations, answers to replies -------------------------------------------------


class Desk:
    """What tells customers at once, with the package's own words and a site's approvals."""

    def __init__(self, site: Path, *, approved_only: bool = True) -> None:
        self.clock, self.evidence, self.exceptions = FakeClock(), FakeEvidence(), FakeExceptionBus()
        self.provider = FakeProvider("text", self.clock)
        self.notes = Notes(Brand("Northwind Bank"), site)
        self.teller = Teller(
            ledger=FakeLedger(),
            evidence=self.evidence,
            clock=self.clock,
            hasher=lambda channel, canonical: f"hash of {channel}:{canonical}",
            notes=self.notes,
            provider_for=lambda channel: self.provider,
            exceptions=self.exceptions,
            approved_only=approved_only,
        )

    def note(self, note: str = "code", language: str = "es") -> Note:
        return Note("n" * 32, f"address:{note}", note, "sms", "+12025550101", "salt", language=language,
                    values={"code": "123456"})  # fmt: skip

    def approve(self, site: Path, note: str, language: str) -> None:
        version = self.notes.version(note, "sms", language)
        add_approvals(site, (Approval(named(note), "sms", language, version, "Legal", "2026-11-01"),))


def test_a_note_in_words_that_nobody_approved_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.approve(tmp_path, "code", "en")
    with pytest.raises(NotApproved):
        desk.teller.tell(desk.note())

    assert (desk.provider.delivered, dict(desk.evidence.lines)) == ([], {})
    (raised,) = desk.exceptions.raised
    assert raised.code == "wording_not_approved"
    words = f"sms: the note code in es, version {desk.notes.version('code', 'sms', 'es')}"
    assert (raised.text, raised.detail) == (words, {"cause": words})
    assert (raised.severity, raised.run_id, raised.part) == ("error", "notes", f"notice {'n' * 32}")


def test_an_approved_note_goes_out_and_its_proof_names_who_approved(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.approve(tmp_path, "code", "es")
    assert desk.teller.tell(desk.note()) == Status.SENT
    (line,) = desk.evidence.lines.values()
    assert line.body["wording_approval"] == {
        "who": "Legal", "when": "2026-11-01", "version": line.body["wording_version"],
    }  # fmt: skip


@pytest.mark.parametrize("changed", ["es: {code: {sms: '{{ brand }}: {{ code }}'}}", "es: {stop: {sms: x}}"])
def test_a_changed_note_needs_another_approval_and_the_others_none(tmp_path: Path, changed: str) -> None:
    desk = Desk(tmp_path)
    desk.approve(tmp_path, "code", "es")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "texts.yaml").write_text(changed, "utf-8")
    after = Desk(tmp_path)
    assert (after.notes.approval("code", "sms", "es") is None) == ("code" in changed)


def test_where_no_approval_is_required_every_note_goes_out(tmp_path: Path) -> None:
    desk = Desk(tmp_path, approved_only=False)
    assert desk.teller.tell(desk.note()) == Status.SENT
    (line,) = desk.evidence.lines.values()
    assert line.body["wording_approval"] is None


def test_a_reply_is_taken_though_its_answer_is_not_approved(tmp_path: Path) -> None:
    class Nobody:
        def at_address(self, channel: str, value: str) -> list[Any]:
            return []

    desk = Desk(tmp_path)
    unused: Any = None
    replies = ReplyDesk(
        news=PortalNews(Nobody(), unused, unused, unused), opt_outs=unused, addresses=FakeAddresses(),
        ways=some_ways(desk.clock), ledger=unused, rules=unused,
        evidence=desk.evidence, exceptions=desk.exceptions, hasher=desk.teller.hasher, teller=desk.teller,
        clock=desk.clock,
    )  # type: ignore[arg-type]  # fmt: skip
    assert replies.record(Reply("r1", "+12025550101", "HELP")) == "help"
    assert desk.provider.delivered == []
    assert desk.exceptions.codes == {"wording_not_approved"}


def test_a_verified_address_waits_until_its_owner_can_be_told_in_approved_words(tmp_path: Path) -> None:
    desk, contacts = Desk(tmp_path), FakeContacts()
    contacts.put([a_contact(1)])
    owner = OwnerNotices(
        contacts, FakeAddresses(), some_ways(desk.clock), desk.teller, FakeDueIndex(FakeLedger()), desk.exceptions,
        desk.clock, lambda salt, change: "https://x",
    )  # fmt: skip
    portal = PortalChange("e1", "retail", "C0001", mobile="+12025550177", verified=True)
    record_preferences(
        portal, contacts=contacts, exceptions=desk.exceptions, clock=desk.clock,
        book=AddressBook(owner, (b"key",)),
    )  # fmt: skip

    def change() -> AddressChange:
        (found,) = contacts.stored["retail", "C0001"].changing
        return found

    assert (change().stage, {row.status for row in change().told}) == (0, {NOT_YET})
    assert desk.exceptions.codes == {"wording_not_approved"}
    desk.clock.advance(hours=1)
    approved = replace(owner, teller=replace(desk.teller, approved_only=False))
    assert approved.go_on(waiting_name(contacts.stored["retail", "C0001"], change()))
    assert (change().stage, {row.status for row in change().told}) == (1, {"sent"})


def test_a_note_is_a_notice_of_its_own_without_a_record(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.approve(tmp_path, "code", "es")
    note = replace(desk.note(), domain="retail", customer_key="C0001", about="change-1", recipient="spouse")
    assert desk.teller.tell(note) == Status.SENT
    (stored,) = desk.teller.ledger.get([note.identity]).values()
    assert (stored.domain, stored.customer_key, stored.recipient) == ("retail", "C0001", "spouse")
    assert (stored.document_id, stored.document_type, stored.purpose) == ("change-1", "code", "address:code")
    assert (stored.audience, stored.due_at) == ("customer", "")
    assert stored.origin == Origin("address:code/change-1", 0, 0, "", 0, 0)
