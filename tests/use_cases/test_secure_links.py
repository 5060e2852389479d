"""Behind a secure link: looking changes nothing, opening counts once, and who does not know is locked out."""

from dataclasses import replace
from typing import Any

import pytest

from exstream_notify.domain.links import LinkState
from exstream_notify.domain.responses import revoked
from exstream_notify.domain.second_step import TRIES, conceal
from tests.fakes import a_document, a_notice, a_rule
from tests.use_cases.world import DOMAIN, World

FILE = "output/Email_Letters/D0001.pdf"


def asking(world: World, number: int = 1, **fields: str) -> dict[str, str]:
    """The fields of a record as staging keeps them."""
    record = {"customer_key": f"C{number:04d}", **fields}
    version, keys = world.verify_keys
    conceal(record, DOMAIN, version, keys[version])
    return {name: value for name, value in record.items() if name != "customer_key"}


def told(step: str = "none", documents: int = 1, **changes: str) -> World:
    world = World(a_rule(second_step=step, **changes))
    rows = [
        a_document(
            n, customer_key="C0001", output_uri=f"output/Email_Letters/D{n:04d}.pdf",
            email=f"c{n:04d}@example.com", **asking(world, verify_last4="1809", postcode="10001"),
        )
        for n in range(1, documents + 1)
    ]  # fmt: skip
    world.drop("run-1", *rows)
    world.come_to_rest()
    world.documents.files.update(f"{DOMAIN}/run-1/{row.output_uri}" for row in rows)
    return world


def link(world: World, document: str = "D0001") -> str:
    return world.notice(document).notice_id


def test_any_number_of_looks_changes_nothing() -> None:
    world = told("last4")
    before = (world.notice("D0001"), dict(world.tries.counts), len(world.exceptions.raised))

    assert {world.look(link(world)).state for _ in range(100)} == {LinkState.ASKS}

    assert (world.notice("D0001"), dict(world.tries.counts), len(world.exceptions.raised)) == before


def test_opening_leads_to_the_file_in_the_runs_own_folder_and_counts_once() -> None:
    world = told()
    found = [world.open(link(world)) for _ in range(3)]

    assert {f.state for f in found} == {LinkState.OPENED}
    assert found[0].leads_to == f"https://drop.example.com/{DOMAIN}/run-1/{FILE}?inline=statement-2026-11-20"
    assert world.notice("D0001").responses == ("opened",)
    assert [e.what for e in world.notice("D0001").events].count("opened") == 1
    world.check()


def test_the_portal_gets_quoted_values_and_never_the_customers_key() -> None:
    world = World(a_rule())
    world.drop(
        "run-1",
        a_document(1, document_id="D/../1?x=#&", reference_no="REF 1"),
        a_document(2, document_id=".."),
    )
    world.come_to_rest()
    world.portal = "https://portal.example.com/d/{document_id}/view?ref={reference}"

    address = world.open(link(world, "D/../1?x=#&")).leads_to
    assert address == "https://portal.example.com/d/D%2F..%2F1%3Fx%3D%23%26/view?ref=REF%201"
    assert world.open(link(world, "..")).leads_to == "https://portal.example.com/d/-/view?ref="


@pytest.mark.parametrize(
    "uri", ["../other/D.pdf", "/etc/passwd", "a/%2e%2e/%2e%2e/b.pdf", "s3://other/x.pdf", None]
)
def test_what_lies_outside_the_runs_folder_is_not_there(uri: str | None) -> None:
    world = World(a_rule())
    world.drop("run-1", a_document(1, output_uri=uri))
    world.come_to_rest()

    assert world.open(link(world)).state == LinkState.MISSING
    assert world.notice("D0001").responses == ()
    assert world.exceptions.codes == {"document_missing"}


def test_a_link_that_there_is_not_looks_like_a_forged_one() -> None:
    world = told()

    assert world.look("f" * 32) == world.look(None) == world.open("f" * 32) == world.open(None)


@pytest.mark.parametrize("state", [LinkState.EXPIRED, LinkState.REVOKED, LinkState.SUPERSEDED])
def test_a_link_that_ended_opens_nothing(state: LinkState) -> None:
    world = told()
    notice = world.notice("D0001")
    if state == LinkState.EXPIRED:
        world.clock.advance(days=59)
        assert world.look(link(world)).state == LinkState.READY
        world.clock.advance(days=1)
    elif state == LinkState.REVOKED:
        world.ledger.put([revoked(notice, "sent to the wrong customer", world.clock.now())])
    else:
        world.drop("run-2", a_document(2, customer_key="C0001", supersedes="D0001"))
        world.come_to_rest()

    assert world.open(link(world)).state == state
    assert world.notice("D0001").responses == ()
    world.check()


def test_the_right_answer_opens_and_clears_the_count() -> None:
    world = told("last4")
    wrong = [world.open(link(world), "0000").state for _ in range(TRIES - 1)]

    assert set(wrong) == {LinkState.WRONG}
    assert world.open(link(world), " 18 09 ").state == LinkState.OPENED
    assert world.tries.counts == {}
    assert world.open(link(world), "0000").state == LinkState.WRONG


def test_five_wrong_answers_lock_and_raise_one_alert() -> None:
    world = told("last4")
    states = [world.open(link(world), f"{n:04d}").state for n in range(TRIES + 3)]

    assert states == [LinkState.WRONG] * (TRIES - 1) + [LinkState.LOCKED] * 4
    assert world.open(link(world), "1809").state == LinkState.LOCKED, "the right answer comes too late"
    assert [e.code for e in world.exceptions.raised].count("link_locked") == 1
    assert world.notice("D0001").responses == ()
    world.check()


def test_tries_count_for_the_customer_over_all_documents() -> None:
    world = told("postcode", documents=3)
    for n in range(TRIES):
        world.open(link(world, f"D{n % 3 + 1:04d}"), "00000")

    assert {world.look(link(world, f"D{n:04d}")).state for n in (1, 2, 3)} == {LinkState.LOCKED}


def test_a_step_that_a_record_cannot_answer_opens_nothing_and_is_told_with_the_run() -> None:
    world = World(a_rule(second_step="birth_date"))
    world.drop("run-1", a_document(1, output_uri=FILE))
    world.come_to_rest()

    assert world.open(link(world)).state == LinkState.MISSING
    assert "second_step_missing" in world.exceptions.codes


def test_an_opened_link_resolves_the_doubt_whether_its_message_arrived() -> None:
    world = told()
    notice = world.notice("D0001")
    doubt = replace(notice.attempts[0], status="unconfirmed")
    world.ledger.notices[notice.notice_id] = replace(notice, status="unconfirmed", attempts=(doubt,))

    world.open(notice.notice_id)

    assert world.notice("D0001").status == "sent"
    assert world.outcomes("run-1") == {"notified": 1}


@pytest.mark.parametrize("its_own", [True, False], ids=["link of its own", "link of the first message"])
@pytest.mark.parametrize(("reminded", "status"), [("delivered", "unconfirmed"), ("failed", "sent")])
def test_a_link_that_a_reminder_may_have_brought_resolves_no_doubt_about_the_first_message(
    reminded: str, status: str, its_own: bool
) -> None:
    """A reminder has the same link as the message that it reminds of."""
    world = told()
    notice = world.notice("D0001")
    doubt = replace(notice.attempts[0], status="unconfirmed")
    sent = replace(notice.attempts[0], status=reminded)
    reminder = replace(
        notice, notice_id="e" * 32, purpose="step:reminder:1", status=reminded, attempts=(sent,), version=1
    )
    world.ledger.put([reminder])
    world.ledger.notices[notice.notice_id] = replace(notice, status="unconfirmed", attempts=(doubt,))

    assert world.open("e" * 32 if its_own else notice.notice_id).state == LinkState.OPENED

    after = world.notice("D0001")
    assert after.responses == ("opened",), "whoever opened it is not reminded again"
    assert (after.status, after.attempts[0].status) == (("unconfirmed",) * 2 if its_own else (status, status))


def test_a_reminders_link_opens_what_it_reminds_of_and_no_other_customers() -> None:
    world = World(a_rule())
    world.portal = "https://portal.example.com/{document_id}"
    world.drop("run-1", a_document(1), a_document(2))
    world.come_to_rest()
    first, stranger = world.notice("D0001"), world.notice("D0002")
    reminder = replace(first, notice_id="e" * 32, purpose="step:dunning:1", version=1)
    same_document = replace(stranger, notice_id="d" * 32, document_id="D0001", version=1)
    world.ledger.put([reminder, same_document])

    assert world.open("e" * 32).state == LinkState.OPENED
    opened = {n.notice_id: n.responses for n in world.ledger.notices.values()}
    assert opened == {
        first.notice_id: ("opened",),
        "e" * 32: ("opened",),
        stranger.notice_id: (),
        "d" * 32: (),
    }
    assert world.ledger.notices[first.notice_id].events[-1].detail == "by secure link"


@pytest.mark.parametrize(
    ("of_contact", "own", "languages"),
    [
        (None, False, (None, "de", None)),
        ("fr", False, (None, "de", "fr")),
        ("fr", True, ("fr", "de", "fr")),  # what the customer chose goes first
    ],
)
def test_a_page_is_in_the_customers_own_language_then_the_records_then_the_known_one(
    of_contact: str | None, own: bool, languages: tuple[str | None, ...]
) -> None:
    world = World(a_rule())
    world.drop("run-1", a_document(1, language="de"))
    world.come_to_rest()
    world.change_contact(1, language=of_contact, set_by_customer=("language",) if own else ())
    assert world.look(link(world)).languages == languages


@pytest.mark.parametrize(
    ("changes", "open_yet"),
    [
        ({}, True),
        ({"purpose": "notice"}, False),  # the same notice in another language, say
        ({"audience": "billing"}, False),
        ({"customer_key": "C0002", "origin": replace(a_notice().origin, position=9)}, False),
    ],
)
def test_only_a_reminder_of_the_same_record_prolongs_a_link(changes: dict[str, Any], open_yet: bool) -> None:
    world = told()
    notice = world.notice("D0001")
    world.clock.advance(days=59)
    later = tuple(replace(e, at=world.clock.now().isoformat()) for e in notice.events)
    step = {"notice_id": "e" * 32, "purpose": "step:reminder:1", "version": 1, "events": later}
    world.ledger.put([replace(notice, **{**step, **changes})])
    world.clock.advance(days=1)
    assert world.look(notice.notice_id).state == (LinkState.READY if open_yet else LinkState.EXPIRED)


def test_of_a_type_that_the_site_has_no_more_the_page_says_whom_to_ask() -> None:
    world = told()
    world.change_contact(1, language="fr", set_by_customer=("language",))
    notice = world.notice("D0001")
    world.rules.rules.clear()
    look = world.look(notice.notice_id)
    assert (look.state, look.notice, look.rule) == (LinkState.MISSING, notice, None)
    assert look.languages == ("fr", "fr")


def test_a_look_has_the_salt_of_the_customer_whose_preferences_it_may_lead_to() -> None:
    world = told()
    (contact,) = world.contacts.stored.values()
    assert world.look(link(world)).salt == contact.salt != ""
