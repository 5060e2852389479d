"""Stories of links, addresses, wishes and replies, with everything that they leave compared with an approved file."""

from datetime import timedelta
from typing import Any

from syrupy.assertion import SnapshotAssertion

from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.decisions import Policy
from exstream_notify.domain.inbound import Reply
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.passes import undo_id
from exstream_notify.domain.preferences import PortalChange, Topic
from exstream_notify.domain.responses import revoked
from exstream_notify.domain.second_step import conceal
from exstream_notify.use_cases.change_preferences import Judgement, judge_change, undo_change
from exstream_notify.use_cases.preference_page import PreferencePage
from exstream_notify.use_cases.record_preferences import record_preferences
from exstream_notify.use_cases.tell_customer import NotToldYet
from tests.fakes import a_contact, a_document, a_rule, an_address
from tests.use_cases.remains import remains_of
from tests.use_cases.stories import played
from tests.use_cases.world import DOMAIN, World

TOPICS = (
    Topic("statements", "transactional", ("email", "sms")),
    Topic("overdue", "collections", ("email", "sms")),
    Topic("news", "marketing", ("email",)),
)


def stored(world: World, key: str = "C0001") -> Contact:
    return world.contacts.stored[DOMAIN, key]


def posts(world: World, action: str, key: str = "C0001", **form: str) -> None:
    """Somebody posts the preference page; what came of it is kept with the functions' answers."""
    page = PreferencePage(
        world.contacts, world.due, world.clock, TOPICS, ("en", "fr"), Policy(), "2", lambda: world.book, world.tries,
        lambda: world.verify_keys, lambda: world.exceptions,
    )  # fmt: skip
    fields = {name: value.split() for name, value in form.items()}
    answer = page.post(stored(world, key), {"action": [action], **fields}, "en")
    world.answers.append((f"page, {action}", answer))


def code_at(world: World, to: str) -> str:
    return next(
        d.text.removeprefix("code ") for d in world.outbox if d.to == to and d.text.startswith("code ")
    )


def tells(world: World, event: str, key: str = "C0001", **fields: Any) -> None:
    """The portal tells a change; what came of it is kept with the functions' answers."""
    change = PortalChange(event, DOMAIN, key, **fields)
    ports: dict[str, Any] = {
        "contacts": world.contacts,
        "exceptions": world.exceptions,
        "clock": world.clock,
        "book": world.book,
    }
    try:
        answer: str = record_preferences(change, **ports)
    except NotToldYet as later:
        answer = f"not told yet: {later}"
    world.answers.append((f"portal {event}", answer))


def later(world: World, **time: float) -> None:
    world.wait_until(world.clock.now() + timedelta(**time))
    world.release()
    world.drain()


def replies(world: World, reply_id: str, text: str, number: str = "+12025550101", **more: str) -> None:
    answer = world.desk.record(Reply(reply_id, number, text, "+12025550000", **more))
    world.answers.append((f"reply {text}", answer))


def test_links(approved: SnapshotAssertion) -> None:
    """Opened, asked for an answer, locked, revoked, expired, missing, and led on to a portal."""
    world = played(
        a_rule(),
        a_rule(name="asked", wording="asked", second_step="last4"),
        a_rule(name="short", wording="short", link_days=2),
    )
    record = {"customer_key": "C0002", "verify_last4": "1809"}
    conceal(record, DOMAIN, "1", world.verify_keys[1]["1"])
    del record["customer_key"]
    rows = [
        a_document(1, output_uri="out/1.pdf", reference_no="REF 1"),
        a_document(2, document_type="asked", output_uri="out/2.pdf", **record),
        a_document(3, output_uri="out/3.pdf"),
        a_document(4, document_type="short", output_uri="out/4.pdf"),
        a_document(5, output_uri="out/5.pdf"),
        a_document(6, document_type="asked", output_uri="out/6.pdf"),
    ]
    world.drop("run-1", *rows)
    world.drain()
    world.documents.files.update(f"{DOMAIN}/run-1/out/{n}.pdf" for n in (1, 2, 3, 4))
    world.ledger.put([revoked(world.notice("D0003"), "sent to the wrong customer", world.clock.now())])

    def opens(number: int, given: str = "") -> None:
        look = world.open(world.notice(f"D000{number}").notice_id, given)
        world.answers.append((f"link {number}", f"{look.state} {look.leads_to}".strip()))

    for number, given in (
        (1, ""),
        (1, ""),
        (2, "0000"),
        (2, "18 09"),
        (3, ""),
        (4, ""),
        (5, ""),
        (6, "1809"),
    ):
        opens(number, given)
    for _ in range(6):
        opens(2, "1234")
    world.clock.advance(days=3)
    opens(4)
    world.portal = "https://portal.example.com/{document_id}?ref={reference}"
    opens(1)
    world.drain()
    world.check()
    assert remains_of(world) == approved


def test_a_change_of_address(approved: SnapshotAssertion) -> None:
    """With a code: notes to the old address, a wrong code, an undo, and a change that nobody can be told of."""
    world = played(a_rule())
    world.know(
        a_contact(1, postcode="10001"),
        a_contact(2, postcode="10002", mobile=None),
        a_contact(3, postcode="10003", email=None, mobile=None),
        a_contact(4, postcode="10004"),
    )
    address = {"channel": "email", "address": "new@example.com"}
    posts(world, "address", **address, postcode="99999")
    posts(world, "address", **address, postcode="10001")
    posts(world, "code", channel="email", code="000000")
    posts(world, "code", channel="email", code=code_at(world, "new@example.com"))
    posts(world, "address", channel="sms", address="+12025550199", postcode="10001")
    posts(world, "code", channel="sms", code=code_at(world, "+12025550199"))
    for key, postcode in (("C0002", "10002"), ("C0003", "10003")):
        new = f"{key.lower()}@example.org"
        posts(world, "address", key, channel="email", address=new, postcode=postcode)
        posts(world, "code", key, channel="email", code=code_at(world, new))
    posts(world, "address", "C0004", channel="email", address="c0004@example.com", postcode="10004")
    posts(world, "address", "C0004", channel="email", address="late@example.com", postcode="10004")
    world.clock.advance(hours=2)
    posts(world, "code", "C0004", channel="email", code=code_at(world, "late@example.com"))
    undone = undo_id(stored(world, "C0002").salt, stored(world, "C0002").changing[0].change_id)
    answer = undo_change(undone, contacts=world.contacts, clock=world.clock)
    world.answers.append(("undo", answer))
    later(world, days=1)
    later(world, days=3)
    judged = Judgement("email", True, "ann", "the customer answered our letter")
    judge_change(stored(world, "C0003"), judged, contacts=world.contacts, due=world.due, clock=world.clock)
    later(world, days=8)
    assert remains_of(world) == approved


def test_what_a_portal_tells(approved: SnapshotAssertion) -> None:
    """Wishes, addresses with and without proof, unknown and erased customers, and a provider that is down."""
    world = played(a_rule())
    world.know(a_contact(1), a_contact(2), a_contact(3), a_contact(4, opt_outs={"*": ("sms",)}))
    world.erase(3)
    wishes: dict[str, Any] = {"language": "fr", "channel_order": ("sms",), "quiet_hours": ("09:00", "18:00")}
    tells(world, "e-1", opt_outs={"statements": ("email",), "news": ()}, **wishes)
    tells(world, "e-1", opt_outs={"statements": ("email",), "news": ()}, **wishes)
    tells(
        world, "e-2", consent=False, consent_version="3", paper_required=True, at="2026-11-20T14:00:00+00:00"
    )
    tells(world, "e-3", consent=True, consent_version="2", at="2026-11-20T13:00:00+00:00")
    tells(world, "e-4", quiet_hours=())
    tells(world, "e-5", "C0002", email="new@example.com", verified=True)
    world.text.script(TryAgain("throttled"))
    tells(world, "e-6", "C0002", mobile="+12025550199")
    tells(world, "e-6", "C0002", mobile="+12025550199")
    tells(world, "e-7", "C0002", email="not an address", mobile="12")
    tells(world, "e-8", "C0003", language="en", at="2026-11-19T14:00:00+00:00")
    tells(world, "e-9", "C0003", language="en")
    tells(world, "e-10", "C0099", language="en")
    world.suppressions.stop("sms", "+12025550104", "sms reply in-1", world.clock.now())
    tells(world, "e-11", "C0004", opt_outs={"*": ()})
    tells(world, "e-12", "C0004", mobile="+12025550104")
    later(world, days=4)
    assert remains_of(world) == approved


def test_the_preference_page(approved: SnapshotAssertion) -> None:
    """Saved, left, consent given and withdrawn, and forms that are wrong."""
    world = played(a_rule())
    world.know(a_contact(1, country="US"), a_contact(2), a_contact(3))
    posts(
        world,
        "save",
        want="statements/email overdue/sms news/email",
        first="sms",
        language="fr",
        opens="09:00",
        closes="12:00",
    )
    posts(
        world,
        "save",
        want="statements/email overdue/sms news/email",
        first="sms",
        language="fr",
        opens="09:00",
        closes="12:00",
    )
    posts(world, "save", language="xx")
    posts(world, "save", language="en", opens="23:00", closes="01:00")
    posts(world, "consent", "C0002")
    posts(world, "withdraw", "C0002")
    posts(world, "leave", "C0003")
    world.suppressions.stop("sms", "+12025550103", "sms reply in-1", world.clock.now())
    posts(world, "save", "C0003", want="statements/sms", first="email", language="en", opens="", closes="")
    posts(world, "dance")
    posts(world, "address", channel="pigeon", address="roof")
    posts(world, "code", channel="pigeon")
    later(world, days=1)
    assert remains_of(world) == approved


def test_replies(approved: SnapshotAssertion) -> None:
    """Stop, start, help and free words, of one holder, of two, of nobody, late, twice, and unanswerable."""
    world = played(a_rule(), at="2026-11-21T04:00:00+00:00")
    world.know(a_contact(1, language="en"), a_contact(2, mobile=an_address("+12025550101")), a_contact(3))
    hour_ago = (world.clock.now() - timedelta(hours=1)).isoformat()
    replies(world, "in-1", "STOP")
    replies(world, "in-1", "STOP")
    replies(world, "in-2", "what is this?")
    replies(world, "in-3", "START", at=hour_ago)
    replies(world, "in-4", "START")
    replies(world, "in-5", "help", "+12025550103")
    replies(world, "in-6", "stop", "+12025550103", at=hour_ago)
    replies(world, "in-7", "HELP", "+12025550199")
    replies(world, "in-8", "hello", "48400")
    world.off.add("sms")
    replies(world, "in-9", "stop", "+12025550177")
    replies(world, "in-10", "help", "+12025550188")
    world.off.clear()
    world.text.refuse("+12025550188", GiveUp("blocked", "content"))
    replies(world, "in-11", "help", "+12025550188")
    world.drain()
    assert remains_of(world, evidence=True) == approved
