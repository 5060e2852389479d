"""After a message was accepted: its receipts, its customer, and the machines that read its mail."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from exnotify.simulators.timeline import Step
from exstream_notify.adapters.alert_posts import Posts
from exstream_notify.adapters.customer_events import reply_of
from exstream_notify.adapters.pager_hook import event_of, signed_for
from exstream_notify.adapters.pages import Pages
from exstream_notify.adapters.preference_views import shown as preferences
from exstream_notify.adapters.receipts.hook import authorised, pieces
from exstream_notify.adapters.receipts.mails import Phrases
from exstream_notify.adapters.receipts.reading import ReceiptReader
from exstream_notify.adapters.rendering import Brand
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.decisions import Policy
from exstream_notify.domain.links import LinkState
from exstream_notify.domain.messages import BulkJob, BulkMember, Content
from exstream_notify.domain.pager import dedup_key
from exstream_notify.domain.preferences import Topic
from exstream_notify.domain.receipts import Kind, Receipt
from exstream_notify.domain.references import verified
from exstream_notify.domain.replies import meaning_of
from simulation.outside import Settings
from simulation.outside.conduct import ADDRESS_REFUSED, CONDUCTS
from simulation.outside.fates import FATES, OPENED_BY_MACHINE
from simulation.outside.habits import HABITS, STOPS, WORDS
from simulation.outside.page import forms_of
from simulation.outside.responders import PAGER_EVENTS, PAGER_TWICE, TEAM_ANSWERS
from simulation.outside.webhooks import HOSTS, SECRET
from tests.fakes import a_contact
from tests.simulation.outside_world import HOOK_SECRET, MAIL_KEY, START, HttpAnswer, World, message, wired  # noqa: F401
from tests.wording.test_link_pages import shown

PROVIDERS = ("opentext", "ses", "sms")
READER = ReceiptReader(Phrases(), YamlRules().verdicts, lambda *_: b"", lambda *_: "", None, lambda: None)  # type: ignore[arg-type,return-value]


def sent(provider: str, rates: Mapping[str, float] | None = None, settings: Settings | None = None) -> World:
    """A world in which one message was sent and everything that follows has happened."""
    world = World(rates, settings)
    world.outside.meet(
        "retail", {"email": "c1@example.com", "mobile": "+12025550101", "verify_last4": "1809"}
    )
    world.send(world.provider(provider), message(provider))
    world.settle()
    return world


def receipts_of(world: World) -> list[Receipt]:
    """What the product's own reader makes of all that was handed in, in that order."""
    pushed = [
        piece
        for _, path, _, body in world.ways.asked
        if path == "/receipts/opentext"
        for piece in pieces(body)
    ]
    told = [body for topic, body in world.ways.sent if topic != "SmsRepliesTopicArn"]
    events = [{"detail-type": kind, "source": source, "detail": d} for source, kind, d in world.ways.events]
    return [r for body in (*told, *pushed, *events) for r in READER.read(json.dumps(body), "x")]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_faults_a_message_is_delivered_and_reported_once(provider: str) -> None:
    world = sent(provider)
    found = receipts_of(world)
    assert found[-1].kind is Kind.DELIVERED
    assert {r.notice_id for r in found} == {f"{1:032x}"}
    assert {r.attempt for r in found} == {1}
    assert [r.step for r in world.outside.reports] == ["SENT", "DELIVERED"]
    assert [r.at for r in world.outside.reports] == [START + 1, START + 5]
    assert not world.outside.deeds


def test_a_push_brings_the_secret() -> None:
    world = sent("opentext")
    assert all(authorised(headers, {"v1": HOOK_SECRET}) for _, _, headers, _ in world.ways.asked)
    forged = sent("opentext", {"receipt_push_forged": 1.0})
    assert not any(authorised(headers, {"v1": HOOK_SECRET}) for _, _, headers, _ in forged.ways.asked)
    assert not forged.outside.reports


def test_a_push_is_tried_again_while_the_answer_is_an_error() -> None:
    world = World()
    answers = [500, 503, 202]
    world.ways.answers = lambda method, path, body: HttpAnswer(answers.pop(0) if answers else 202)
    world.send(world.provider("opentext"), message("opentext"))
    world.settle()
    assert [r.way.rpartition(" ")[2] for r in world.outside.reports] == ["500", "503", "202", "202"]


def test_a_site_without_pushes_asks_for_the_status() -> None:
    world = sent("opentext", {"fate_bounced": 1.0}, Settings(pushes=False))
    assert not world.ways.asked
    world = World({"fate_bounced": 1.0}, Settings(pushes=False))
    client = world.provider("opentext")
    answer = world.send(client, message("opentext"))
    world.nature.timeline.now += 60
    [status] = client.status("email", [answer.provider_ref])  # type: ignore[union-attr]
    assert [event.enhanced for event in status.deliveries[0].events] in (["5.1.1"], ["5.1.10"])
    assert [(report.step, report.way) for report in world.outside.reports] == [
        ("SENT", "status"),
        ("BOUNCED", "status"),
    ]
    [unknown] = client.status("email", ["xsi2-unknown"])
    assert unknown.missing


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fate", FATES, ids=lambda fate: fate.kind)
def test_every_fate_is_told_in_the_providers_own_form(provider: str, fate: Any) -> None:
    world = World({fate.kind: 1.0})
    client = world.provider(provider)
    for number in range(1, 13):
        world.send(client, message(provider, number))
    world.settle()
    steps = {moment.step for moment in fate.moments}
    for accepted in world.outside.accepted:
        assert world.outside.fates.of(accepted).kind == fate.kind
        kinds = {receipt.kind for receipt in receipts_of(world) if receipt.notice_id == accepted.notice_id}
        assert (Kind.DELIVERED in kinds) == (Step.DELIVERED in steps)
        assert (Kind.HARD_BOUNCE in kinds) == (Step.BOUNCED in steps)
        assert Kind.UNKNOWN not in kinds
    if fate.kind == "fate_complained" and provider == "sms":
        assert [body["messageBody"] for _, body in world.ways.sent if "messageBody" in body] == ["Stop"] * 12


def reported(provider: str, kind: str) -> tuple[list[str], list[float]]:
    """What is reported under one kind of fault, and how many seconds after the message was accepted."""
    reports = sent(provider, {kind: 1.0}).outside.reports
    return [report.step for report in reports], [report.at - START for report in reports]


def test_one_step_is_told_in_several_forms_and_each_message_keeps_its_own() -> None:
    for provider, fate, forms in (
        ("ses", "fate_bounced", 4),
        ("sms", "fate_blocked", 4),
        ("opentext", "fate_full", 2),
    ):
        world = World({fate: 1.0, "receipt_twice": 1.0})
        client = world.provider(provider)
        for number in range(1, 30):
            world.send(client, message(provider, number))
        world.settle()
        failed = [receipt for receipt in receipts_of(world) if receipt.kind not in (Kind.SENT, Kind.DELAYED)]
        said = {(receipt.notice_id, receipt.code, receipt.reason) for receipt in failed}
        assert len(said) == 29
        assert len({(code, reason) for _, code, reason in said}) == forms


@pytest.mark.parametrize("provider", PROVIDERS)
def test_reports_are_lost_doubled_late_and_out_of_order(provider: str) -> None:
    assert reported(provider, "receipt_lost") == ([], [])
    # A status document of OpenText tells everything so far.
    both = ["SENT"] * (provider == "opentext")
    assert reported(provider, "receipts_disordered")[0] == ["DELIVERED", *both, "SENT"]
    assert sorted(reported(provider, "receipt_twice")[0]) == ["DELIVERED", "DELIVERED", "SENT", "SENT"]
    assert reported(provider, "receipts_early") == (["SENT", "DELIVERED"], [0.0, 5.0])
    steps, times = reported(provider, "receipts_late")
    assert steps == ["SENT", "DELIVERED"]
    assert all(86_400 < seconds < 6 * 86_400 for seconds in times)


@pytest.mark.parametrize("provider", ["opentext", "ses"])
def test_a_machine_may_open_a_mail_before_its_customer(provider: str) -> None:
    world = sent(provider, {OPENED_BY_MACHINE: 1.0})
    assert [report.step for report in world.outside.reports] == ["SENT", "DELIVERED", "OPENED"]
    assert receipts_of(world)[-1].kind is Kind.OPENED


def test_a_destination_that_a_job_refused_is_told_of_by_its_status() -> None:
    world = World({ADDRESS_REFUSED: 0.5})
    client = world.provider("opentext")
    members = tuple(BulkMember(f"{n:032x}:1", f"c{n}@example.com", ()) for n in range(1, 11))
    job = BulkJob("job-1", "email", "transactional", Content("Ready", subject="Ready"), members)
    next(iter(client.send([client.request_bulk(job)])))
    world.settle()
    refused = {declined.ref for declined in world.outside.declined}
    assert 2 < len(refused) < 8
    assert not any(declined.told for declined in world.outside.declined)
    found = {r.notice_id for r in receipts_of(world) if r.kind not in (Kind.SENT, Kind.DELIVERED)}
    assert found == {ref.partition(":")[0] for ref in refused}


def test_ses_reports_by_the_bus_too_and_as_feedback() -> None:
    world = sent("ses", {"receipt_by_bus_too": 1.0})
    assert [kind for _, kind, _ in world.ways.events] == ["Email Send", "Email Delivery"]
    world = sent("ses", {"receipt_as_feedback": 1.0})
    feedback = [body for _, body in world.ways.sent if "notificationType" in body]
    assert [body["notificationType"] for body in feedback] == ["Delivery"]
    assert "tags" not in feedback[0]["mail"]
    assert {r.notice_id for r in receipts_of(world)} == {f"{1:032x}"}


def asked_of_pages(world: World) -> list[tuple[str, str]]:
    return [(method, path) for method, path, _, _ in world.ways.asked if not path.startswith("/receipts")]


def reading(kind: str, page: str, link: str = "https://documents.example.com/d/T") -> World:
    """A world whose customer does one thing, and whose pages are all this one."""
    world = World({kind: 1.0})
    world.outside.meet("retail", {"email": "c1@example.com", "verify_last4": "1809", "customer_key": "C1"})
    world.ways.answers = lambda method, path, body: HttpAnswer(200 if method != "POST" else 302, {}, page)
    world.send(world.provider("ses"), message("ses", link=link))
    world.settle()
    return world


def test_a_customer_opens_with_the_right_answer() -> None:
    world = reading("customer_opens", shown(LinkState.ASKS, "last4", "en").body)
    assert asked_of_pages(world) == [("GET", "/d/T"), ("POST", "/d/T")]
    assert world.ways.asked[-1][3] == "answer=1809"
    assert [(deed.what, deed.status, deed.person) for deed in world.outside.deeds] == [
        ("GET /d/T", 200, True),
        ("POST /d/T", 302, True),
    ]
    assert all(deed.accepted == 1 and deed.address == "c1@example.com" for deed in world.outside.deeds)


def test_nobody_presses_a_button_that_is_not_there() -> None:
    for kind in HABITS:
        world = reading(kind, shown(LinkState.EXPIRED, "none", "en").body)
        assert not [path for method, path in asked_of_pages(world) if method == "POST"], kind


def test_a_machine_presses_nothing() -> None:
    world = reading("machine_scans", shown(LinkState.READY, "none", "en").body)
    assert asked_of_pages(world) == [("HEAD", "/d/T"), ("GET", "/d/T")]
    assert not any(deed.person for deed in world.outside.deeds)


def test_a_customer_guesses_wrong() -> None:
    world = reading("customer_errs", shown(LinkState.ASKS, "last4", "en").body)
    posted = [body for method, _, _, body in world.ways.asked if method == "POST" and "answer" in body]
    assert len(posted) == 6
    assert "answer=1809" not in posted


def test_a_customer_sets_preferences_as_the_page_shows_them() -> None:
    pages = Pages(Brand("Example Bank"))
    topics = (Topic("statements", "transactional", ("email", "sms")),)
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    values = preferences(
        a_contact(), topics, "none", pages=pages, language="en", policy=Policy(), now=now, form="F"
    )
    page = pages.render("preferences", "en", **values)
    posted = {
        kind: parse_qs(reading(kind, page, link="https://documents.example.com/p/T").ways.asked[-1][3])
        for kind in ("customer_prefers", "customer_leaves", "customer_withdraws")
    }
    assert posted["customer_prefers"]["want"] == ["statements/email", "statements/sms"]
    assert posted["customer_prefers"]["language"] == ["de"]
    assert [posted[kind]["action"] for kind in posted] == [["save"], ["leave"], ["withdraw"]]
    assert all(row["form"] == ["F"] for row in posted.values())


def test_a_bounce_comes_back_as_a_mail_where_the_site_takes_mails() -> None:
    for seed in ("1", "2", "3", "4"):
        world = World({"fate_bounced": 1.0, "receipt_as_mail": 1.0}, Settings(bounce_mails=True), seed)
        world.send(world.provider("ses"), message("ses"))
        world.settle()
        [((bucket, key), mail)] = world.ways.objects.items()
        reader = ReceiptReader(
            Phrases(),
            YamlRules().verdicts,
            lambda bucket, key, mail=mail: mail,  # type: ignore[misc]
            lambda *_: "",
            lambda raw: verified(raw, {1: MAIL_KEY}),
            lambda: datetime.fromtimestamp(START + 60, UTC),
        )
        detail = {"bucket": {"name": bucket}, "object": {"key": key}}
        event = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}
        [receipt] = reader.read(json.dumps(event), "x")
        assert (receipt.kind, receipt.notice_id, receipt.attempt) == (Kind.HARD_BOUNCE, f"{1:032x}", 1)
        assert [report.way for report in world.outside.reports] == ["SesReceiptsTopicArn", "mail"]


ALERT = b'{"text":"Look: https://documents.example.com/i/T","dedup_key":"k","event_action":"trigger"}'


@pytest.mark.parametrize("channel", HOSTS.values())
def test_an_alert_is_taken_whatever_is_answered(channel: str) -> None:
    url = next(f"https://{host}/x" for host, name in HOSTS.items() if name == channel)
    for row in (row for row in CONDUCTS if row.http is not None):
        world = World({row.kind: 1.0})
        answer = Posts(world.sleep, lambda: START).post(channel, url, ALERT, {}, 60.0)
        world.settle()
        assert answer.outcome in ("sent", "failed", "waits", "dead")
        assert bool(world.outside.alerts) == (row.accepts != "no")
    world = World()
    assert Posts(world.sleep, lambda: START).post(channel, url, ALERT, {}, 60.0).outcome == "sent"
    [posted] = world.outside.alerts
    assert (posted.channel, posted.at, posted.document["dedup_key"]) == (channel, START, "k")


def test_a_team_answers_by_the_link_of_its_alert() -> None:
    world = World({TEAM_ANSWERS: 1.0})
    world.ways.answers = lambda method, path, body: HttpAnswer(
        200, {}, '<form method="post"><button>I</button></form>'
    )
    Posts(world.sleep).post("slack", "https://slack.example.com/x", ALERT, {}, 60.0)
    world.settle()
    assert asked_of_pages(world) == [("GET", "/i/T"), ("POST", "/i/T")]
    assert [(deed.accepted, deed.address, deed.what) for deed in world.outside.deeds][-1] == (
        0,
        "slack",
        "POST /i/T",
    )


def test_pagerduty_tells_what_was_done_and_signs_it() -> None:
    incident, page = "a" * 32, "it.0123abcd"
    body = json.dumps({"event_action": "trigger", "dedup_key": dedup_key(incident, page)}).encode()
    world = World({f"pager {kind}": 1.0 for kind in PAGER_EVENTS} | {PAGER_TWICE: 1.0})
    failing = [500, 500]
    world.ways.answers = lambda method, path, body: HttpAnswer(failing.pop() if failing else 202)
    Posts(world.sleep).post("pagerduty", "https://pagerduty.example.com/v2/enqueue", body, {}, 60.0)
    world.settle()
    assert len(world.ways.asked) == 2 * len(PAGER_EVENTS) + 2
    told = []
    for method, path, headers, text in world.ways.asked:
        assert (method, path) == ("POST", "/pagerduty")
        teams = signed_for(text.encode(), headers["x-pagerduty-signature"], SECRET)
        assert teams == {""}
        event = event_of(text.encode(), teams)
        assert event is not None
        assert (event.incident_id, event.page, event.team) == (incident, page, "it")
        told.append(event.kind)
    assert set(told) == set(PAGER_EVENTS)


def test_a_mail_program_unsubscribes_with_one_click() -> None:
    world = World({"customer_unsubscribes": 1.0})
    link = "https://documents.example.com/u/T"
    headers = (("List-Unsubscribe", f"<{link}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    world.send(world.provider("ses"), replace(message("ses"), headers=headers))
    world.settle()
    assert asked_of_pages(world) == [("POST", "/u/T")]
    assert world.ways.asked[-1][3] == "List-Unsubscribe=One-Click"


def test_a_text_is_answered_as_the_service_publishes_it() -> None:
    world = World({"customer_stops_and_starts": 1.0})
    world.send(world.provider("sms"), message("sms"))
    world.settle()
    replies = [
        reply_of({"Message": json.dumps(body)})
        for topic, body in world.ways.sent
        if topic == "SmsRepliesTopicArn"
    ]
    assert [(reply.number, reply.text) for reply in replies] == [
        ("+12025550101", "STOP"),
        ("+12025550101", "START"),
    ]
    assert len({reply.reply_id for reply in replies}) == 2
    assert {reply.answers for reply in replies} == {world.outside.accepted[0].message_id}


def test_a_form_is_posted_with_what_is_chosen_in_it() -> None:
    page = (
        '<form><input type="checkbox" name="a" value="1" checked><input type="checkbox" name="a" value="2">'
        '<input type="radio" name="b" value="1"><input type="radio" name="b" value="2" checked>'
        '<input type="text" name="c" value="" autocomplete="bday"><button name="d" value="go">Go</button></form>'
        '<input name="outside">'
    )
    [form] = forms_of(page)
    assert form.fields == [("a", "1"), ("b", "2"), ("c", "")]
    assert (form.asks, form.buttons) == ({"c": "bday"}, [("d", "go")])
    assert form.filled(c="x") == [("a", "1"), ("b", "2"), ("c", "x")]


def test_texts_are_what_they_are_meant_to_be() -> None:
    assert {meaning_of(text) for text in STOPS} == {"stop"}
    assert not {meaning_of(text) for text in WORDS} & {"stop", "start"}


def test_a_carrier_stops_a_number_if_it_is_set_to() -> None:
    for stops in (True, False):
        world = sent("sms", {"fate_complained": 1.0}, Settings(carrier_stops=stops))
        world.nature.chance.rates.clear()
        world.send(world.provider("sms"), message("sms", attempt=2))
        assert len(world.outside.accepted) == (1 if stops else 2)
        assert [row.kind for row in world.outside.declined] == ["opted_out"] * stops
        world.outside.sms.hear("+12025550101", "Start!")
        world.send(world.provider("sms"), message("sms", attempt=3))
        assert len(world.outside.accepted) == (2 if stops else 3)


def test_what_customers_do_ends_with_the_faults() -> None:
    world = World(dict.fromkeys(HABITS, 1.0))
    world.nature.chance.calm = True
    world.send(world.provider("ses"), message("ses"))
    world.settle()
    assert not world.outside.deeds
