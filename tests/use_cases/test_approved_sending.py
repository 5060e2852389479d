"""Stories of deciding and sending, with everything that they leave compared with an approved file."""

from datetime import timedelta

from syrupy.assertion import SnapshotAssertion

from exstream_notify.domain.contacts import Consent
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.runs import Control
from tests.fakes import LostAnswer, a_contact, a_document, a_rule, an_address
from tests.use_cases.remains import remains_of
from tests.use_cases.stories import NIGHT, documents, played

NO_SUCH = GiveUp("no_such_address", "recipient")
REGULATED = a_rule(name="policy", wording="policy", message_class="regulated", paper_on_failure=True)
BOTH = a_rule(name="both", wording="both", both_channels=True)
MAIL_ONLY = a_rule(name="letter", wording="letter", channels=("email",), urgent=True, link="reference")
DOUBTS = [
    a_rule(name=f"doubt-{what}", wording="doubt", on_unconfirmed=what, paper_on_failure=what == "paper")
    for what in ("alert", "other_channel", "paper", "resend")
]
NEWS = a_rule(name="news", wording="news", message_class="marketing", topic="news")


def test_refused_addresses(approved: SnapshotAssertion) -> None:
    """Mails to some are refused: they fall back, go on paper, or fail; the rest goes on."""
    world = played(a_rule(), REGULATED, BOTH, MAIL_ONLY)
    for number in (2, 3, 4, 5):
        world.mail.refuse(f"c000{number}@example.com", NO_SUCH)
    world.text.refuse("+12025550103", GiveUp("blocked", "content"))
    world.mail.unsendable["c0006@example.com"] = GiveUp("unusable_address", "recipient")
    world.drop("run-1", *documents("statement", "statement", "policy", "both", "letter", "statement"))
    world.come_to_rest()
    world.check()
    assert remains_of(world, evidence=True, backstage=True, alerts=True) == approved


def test_lost_answers(approved: SnapshotAssertion) -> None:
    """No answer comes to a message of each kind of rule for doubts, and one that is claimed is never sent."""
    world = played(*DOUBTS, deduplicates=False)
    world.mail.script(*[LostAnswer()] * 4, TryAgain("throttled"))
    world.drop("run-1", *documents(*(rule.name for rule in DOUBTS), DOUBTS[0].name))
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved


def test_an_outage_and_a_switch(approved: SnapshotAssertion) -> None:
    """The mail provider is down for hours, then the channel is switched off; some documents do not wait."""
    short = a_rule(name="short", wording="short", deadline_hours=4, channels=("email",))
    world = played(a_rule(), short, REGULATED, slice_records=2)
    world.mail.always(TryAgain("unavailable"))
    world.drop("run-1", *documents("statement", "short", "policy"))
    world.wait_until(world.clock.now() + timedelta(hours=5))
    world.mail.always(None)
    world.off.add("email")
    world.wait_until(world.clock.now() + timedelta(hours=3))
    world.off.clear()
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved


def test_in_bulk(approved: SnapshotAssertion) -> None:
    """A provider with bulk jobs: one is lost, one refused, and one document has content of its own."""
    world = played(a_rule(), BOTH, NEWS, bulk=True)
    world.wording.alone = {"D0002"}
    world.mail.script(LostAnswer(), GiveUp("bad_request", "content"))
    kinds = (
        "statement",
        "statement",
        "both",
        "statement",
        "statement",
        "statement",
        "news",
        "statement",
        "both",
    )
    french = {"language": "fr"}
    world.drop("run-1", *documents(*kinds, d4=french, d5=french))
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved


def test_a_night_with_teams(approved: SnapshotAssertion) -> None:
    """SMS wait for the morning, teams do not: a copy each, a digest, and a team that nobody knows."""
    copies = a_rule(name="policy", wording="policy", teams=("audit",), team_copy="each")
    digest = a_rule(name="opening", wording="opening", teams=("claims", "audit"), team_copy="digest")
    world = played(a_rule(), copies, digest, at=NIGHT, slice_records=2)
    rows = documents(
        "statement", "policy", "opening", "opening", "statement", "policy", "statement",
        d1={"email": None}, d4={"internal_teams": ("astrology",)}, d5={"delivery_channel": "paper"},
        d6={"email": None, "mobile": None}, d7={"delivery_channel": "sms", "time_zone": None},
    )  # fmt: skip
    world.drop("run-1", *rows, "email: not usable")
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved


def test_held_released_and_cancelled(approved: SnapshotAssertion) -> None:
    """A run is held with jobs queued, released, and cancelled while a claim is abandoned."""
    world = played(a_rule(), BOTH, slice_records=2)
    world.drop("run-1", *documents("statement", "both", "statement", "statement", "both"))
    for _ in range(4):
        world.step()
    world.control("run-1", Control.HOLD)
    world.wait_until(world.clock.now() + timedelta(hours=2))
    world.control("run-1", Control.GO)
    world.wire.kill_on("provider.send", "after")
    while not world.kills:
        world.step()
    world.control("run-1", Control.CANCEL)
    world.come_to_rest()
    world.drop("run-2", *documents("statement", "both", "statement", "statement", "both"))
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved


def test_runs_that_meet(approved: SnapshotAssertion) -> None:
    """Repeated, taken over, differing and superseding documents, and cases that were answered before."""
    world = played(
        a_rule(), MAIL_ONLY, a_rule(name="new", wording="new", notify_on_new_content=True), at=NIGHT
    )
    world.answer_case("K-4")
    rows = documents(
        "statement", "letter", "statement", "statement", "new", "letter",
        d1={"email": None}, d3={"email": None}, d4={"case_id": "K-4"}, d5={"content_sha256": "a" * 64},
    )  # fmt: skip
    world.mail.refuse("c0002@example.com", NO_SUCH)
    world.drop("run-1", *rows)
    world.drain()
    world.mail.refuse("c0002@example.com", None)
    world.drop(
        "run-2",
        a_document(9, amount_due="6.00", currency="USD"),
        a_document(1, document_id="D-NEW", email=None, supersedes="D0001"),
        *documents("letter", "letter", "statement", d1={"document_id": "D-X", "supersedes": "D-LATER"},
                   d3={"amount_due": "12.00", "currency": "USD", "email": None}),
        a_document(5, document_type="new", content_sha256="b" * 64),
        a_document(1, document_id="D-LATER", email=None),
        a_document(9, amount_due="6.00", currency="USD"),
        a_document(9, amount_due="7.00", currency="USD", customer_in_run=9),
    )  # fmt: skip
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved


def test_what_customers_want(approved: SnapshotAssertion) -> None:
    """Withdrawn consent, opt-outs of topics, orders of channels, languages, hours and bad addresses."""
    world = played(a_rule(), REGULATED, NEWS, a_rule(name="asked", wording="asked", consent="required"))
    said = "2026-11-01T00:00:00+00:00"
    world.know(
        a_contact(1, consent=Consent(False, "all", "1", said, "portal")),
        a_contact(2, opt_outs={"statements": ("email",)}, set_by_customer=("opt_outs",)),
        a_contact(
            3,
            channel_order=("sms", "email"),
            set_by_customer=("channel_order",),
            quiet_hours=("15:00", "16:00"),
        ),
        a_contact(4, paper_required=True),
        a_contact(
            5,
            language="fr",
            email=an_address("c0005@example.com", status="soft"),
            set_by_customer=("language",),
        ),
        a_contact(6, email=an_address("c0006@example.com", status="invalid"), mobile=None),
        a_contact(8, opt_outs={"*": ("email", "sms")}),
    )
    world.suppressions.addresses.add(("email", "c0007@example.com"))
    kinds = ("statement", "statement", "statement", "policy", "statement", "policy", "policy", "statement")
    rows = documents(
        *kinds, "asked", "news", d6={"mobile": None}, d10={"email": "No Address", "mobile": "12"}
    )
    world.drop("run-1", *rows)
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved


def test_single_documents(approved: SnapshotAssertion) -> None:
    """Documents that come as events, one of them twice."""
    world = played(a_rule(), REGULATED)
    for event, number in (("e-1", 1), ("e-2", 2), ("e-1", 1)):
        world.compose(event, {"customer_key": f"C000{number}", "document_id": f"D{number}", "document_type": "statement",
                              "email": f"c000{number}@example.com"})  # fmt: skip
    world.come_to_rest()
    world.check()
    assert remains_of(world) == approved
