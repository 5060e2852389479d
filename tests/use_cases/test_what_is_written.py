"""What the ledger, the proof and the headers say of each decision, as whole values."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from exstream_notify.domain.contacts import Consent
from exstream_notify.domain.documents import MessageClass
from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.notices import Status
from tests.fakes import FakeProvider, a_document, a_rule
from tests.use_cases.world import World

NIGHT = "2026-11-20T03:30:00+00:00"
NO_EMAIL = GiveUp("no_such_address", "recipient")
WITHDRAWN = Consent(False, "all", "1", "2026-11-20T00:00:00+00:00", "portal")


def events(world: World, document_id: str = "D0001") -> list[tuple[str, str]]:
    """What happened to a notice, and the detail of each event; the name of a job stands as JOB."""
    rows = world.notice(document_id).events
    return [(event.what, re.sub(r"\b[0-9a-f]{24}\b", "JOB", event.detail)) for event in rows]


# --- decisions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "document", "at", "written", "status"),
    [
        ({}, {}, "", [("claimed", "1 email mail JOB"), ("sent", "1 mail-1")], Status.SENT),
        (
            {"channels": ("sms",)},
            {},
            NIGHT,
            [("deferred", "quiet_hours")],
            Status.DEFERRED,
        ),
        (
            {},
            {"email": None, "mobile": None},
            "",
            [("suppressed", "no_channel email: no address, sms: no address")],
            Status.SUPPRESSED,
        ),
        (
            {"paper_on_failure": True},
            {"email": None, "mobile": None},
            "",
            [("paper", "no_channel email: no address, sms: no address")],
            Status.PAPER,
        ),
        ({"skip": True}, {}, "", [("suppressed", "account_status True")], Status.SUPPRESSED),
    ],
)
def test_the_first_event_of_a_notice_names_the_decision_and_its_reason(
    rule: dict[str, Any], document: dict[str, Any], at: str, written: list[tuple[str, str]], status: Status
) -> None:
    world = World(a_rule(**rule), at=at or "2026-11-20T15:00:00+00:00")
    world.drop("run-1", a_document(1, **document))
    world.drain()
    assert events(world) == written
    assert world.notice("D0001").status == status
    world.check()


def test_a_refused_address_leaves_who_refused_and_the_next_channel_in_the_events() -> None:
    world = World()
    world.mail.always(NO_EMAIL)
    world.drop("run-1", a_document(1))
    world.drain()
    assert events(world) == [
        ("claimed", "1 email mail JOB"),
        ("failed", "1 no_such_address"),
        ("claimed", "2 sms text JOB"),
        ("sent", "2 text-1"),
    ]


# --- headers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message_class", "leaves"),
    [("marketing", True), ("transactional", True), ("collections", False), ("regulated", False)],
)
def test_an_email_offers_one_click_where_its_class_may_be_left(
    message_class: MessageClass, leaves: bool
) -> None:
    """RFC 8058, 3.1; the debtor's rights run from dunning mails, a regulated mail must arrive."""
    world = World(a_rule(message_class=message_class, topic="offers"))
    world.drop("run-1", a_document(1))
    world.drain()
    [message] = world.mail.asked
    salt = world.contacts.stored["retail", "C0001"].salt
    assert message.message_class == message_class
    assert message.headers == (
        (
            ("List-Unsubscribe", f"<https://documents.example.com/u/{salt}-offers>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        )
        if leaves
        else ()
    )


def test_a_text_message_has_no_header_fields() -> None:
    world = World(a_rule(message_class="marketing", channels=("sms",)))
    world.drop("run-1", a_document(1))
    world.drain()
    assert [message.headers for message in world.text.asked] == [()]


@pytest.mark.parametrize("bulk", [False, True])
def test_marketing_goes_through_no_provider_without_one_click(bulk: bool) -> None:
    world = World(a_rule(message_class="marketing", channels=("email",)))
    world.providers["mail"] = FakeProvider("mail", world.clock, supports_headers=False, supports_bulk=bulk)
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    assert world.mail.posted == []
    assert world.outcomes("run-1") == {"failed": 2}
    assert events(world) == [
        ("claimed", "1 email mail JOB"),
        ("failed", "1 provider_without_one_click"),
        ("settled failed", "provider_without_one_click"),
    ]
    assert world.notice("D0001").why == "provider_without_one_click"
    assert "send_refused" in world.exceptions.codes


@pytest.mark.parametrize("message_class", ["transactional", "collections"])
def test_other_classes_go_without_headers_where_the_provider_takes_none(message_class: MessageClass) -> None:
    world = World(a_rule(message_class=message_class))
    world.providers["mail"] = FakeProvider("mail", world.clock, supports_headers=False)
    world.drop("run-1", a_document(1))
    world.drain()
    assert [message.headers for message in world.mail.asked] == [()]
    assert world.outcomes("run-1") == {"notified": 1}


# --- outages ------------------------------------------------------------------------------------------------


def test_an_outage_is_waited_for_longer_each_time_and_an_hour_at_most() -> None:
    world = World(a_rule(channels=("email",)))
    world.mail.always(TryAgain("service_unavailable"))
    world.drop("run-1", a_document(1))
    world.drain()
    pauses = []
    for _ in range(6):
        due = datetime.fromisoformat(world.notice("D0001").due_at)
        pauses.append(round((due - world.clock.now()).total_seconds() / 60))
        world.clock.move_to(due + timedelta(seconds=1))
        world.breakers.clear()
        world.release()
        world.drain()
    assert pauses == [5, 10, 20, 40, 60, 60]
    assert events(world) == [("claimed", "1 email mail JOB"), ("deferred", "1 provider_down")]
    pauses_of = world.notice("D0001").pauses
    assert pauses_of is not None
    assert (pauses_of.why, pauses_of.count, pauses_of.handed_on) == ("provider_down", 7, 0)


def test_a_provider_that_says_when_is_left_alone_at_least_that_long() -> None:
    world = World(a_rule(channels=("email",)))
    world.mail.script(TryAgain("slow_down", retry_after=4 * 3600))
    world.drop("run-1", a_document(1))
    world.drain()
    due = datetime.fromisoformat(world.notice("D0001").due_at)
    assert round((due - world.clock.now()).total_seconds()) in range(4 * 3600 - 1, 4 * 3600 + 1)


# --- proof --------------------------------------------------------------------------------------------------


def test_the_proof_of_a_message_has_everything_that_was_decided_and_said() -> None:
    world = World(a_rule(message_class="regulated", wording="policy"))
    world.drop("run-1", a_document(1, content_sha256="ab" * 32, language="es"))
    world.drain()
    notice = world.notice("D0001")
    [message] = world.mail.asked
    proof = world.evidence.lines[notice.attempts[0].evidence]
    body = dict(proof.body)
    assert len(str(body.pop("chain"))) > 0
    assert body == {
        "channel": "email",
        "provider": "mail",
        "to": "c0001@example.com",
        "document_id": "D0001",
        "document_type": "statement",
        "content_sha256": "ab" * 32,
        "audience": "customer",
        "message_class": "regulated",
        "wording": "policy",
        "wording_version": "1",
        "language": "es",
        "wording_approval": None,
        "subject": message.content.subject,
        "text": message.content.text,
        "html": message.content.html,
    }
    assert proof.at == "2026-11-20T15:00:00.250+00:00"


def test_what_is_watched_names_every_message_its_provider_and_its_deadline() -> None:
    world = World(a_rule(deadline_hours=30, channels=("email",)))
    start = world.clock.now()
    world.drop("run-1", a_document(1), a_document(2))
    world.drain()
    [watched] = world.watch.watched.values()
    assert (watched.channel, watched.provider) == ("email", "mail")
    assert watched.deadline == (start + timedelta(hours=30)).isoformat(timespec="seconds")
    assert list(watched.notices) == sorted(world.notice(d).notice_id for d in ("D0001", "D0002"))


def test_a_copy_for_a_team_is_an_ordinary_message_whatever_the_customers_is() -> None:
    for message_class in ("regulated", "marketing"):
        rule = a_rule(message_class=message_class, teams=("underwriting",), team_copy="each")
        world = World(rule, teams={"underwriting": "uw@example.com"})
        world.drop("run-1", a_document(1))
        world.drain()
        by_address = {message.to: message for message in world.mail.asked}
        assert by_address["c0001@example.com"].message_class == message_class
        copy = by_address["uw@example.com"]
        assert (copy.message_class, copy.headers) == ("transactional", ())
        notice = world.ledger.notices[copy.ref.partition(":")[0]]
        body = world.evidence.lines[notice.attempts[0].evidence].body
        assert (body["wording"], body["audience"], body["message_class"]) == (
            *("team-copy", "team:underwriting", "transactional"),
        )


def test_a_digest_is_recorded_for_its_team_and_its_run() -> None:
    world = World(
        a_rule(teams=("underwriting",), team_copy="digest"), teams={"underwriting": "uw@example.com"}
    )
    world.drop("run-1", a_document(1), a_document(2))
    world.come_to_rest()
    [digest] = [n for n in world.ledger.notices.values() if n.purpose == "digest"]
    assert (digest.domain, digest.customer_key, digest.document_id, digest.document_type) == (
        *("retail", "", "run-1", "team-digest"),
    )
    assert (digest.audience, digest.status) == ("team:underwriting", Status.SENT)
    body = world.evidence.lines[digest.attempts[0].evidence].body
    assert (body["wording"], body["to"], body["content_sha256"]) == ("team-digest", "uw@example.com", None)
    assert body["text"] == "digest|underwriting|run-1|statement=2"


@pytest.mark.parametrize(("takes", "slept"), [(0.0, 3.0), (0.4, 1.8), (1.0, 0.0), (2.0, 0.0)])
def test_the_pace_takes_off_what_the_provider_took(takes: float, slept: float) -> None:
    world = World(a_rule(channels=("email",)), rate=1.0, takes=takes)
    world.drop("run-1", *(a_document(n) for n in (1, 2, 3)))
    world.drain()
    assert world.clock.slept == pytest.approx(slept)
