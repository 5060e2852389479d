"""Secure links and responses through the real functions: opened in a browser, answered, locked, expired."""

import base64
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exnotify.local import LocalCloud
from exnotify.notices import revoke_link, unlock_link
from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.domain.notices import Notice, chain_holds

from .conftest import MakeRun, drop, outcomes, record

pytestmark = pytest.mark.slow


class Answered:
    """An answer over HTTP, redirects not followed."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body.decode("utf-8", "replace")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def ask(url: str, method: str = "GET", **form: str) -> Answered:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
    data = urllib.parse.urlencode(form).encode() if method == "POST" else None
    request = urllib.request.Request(url, method=method, data=data)  # noqa: S310 - our own cloud
    try:
        with opener.open(request, timeout=30) as answer:
            return Answered(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answered(error.code, error.headers, error.read())


@pytest.fixture(scope="module")
def linked() -> Iterator[LocalCloud]:
    """The stack in the morning, New York time."""
    with LocalCloud(at="2026-11-24T15:00:00+00:00") as running:
        yield running


def app(cloud: LocalCloud) -> Bootstrap:
    return cloud.deployment().app


def notice_of(cloud: LocalCloud, domain: str, number: int) -> Notice:
    found = app(cloud).ledger.of_customer(domain, f"E{number:06d}")
    (notice,) = [n for n in found if n.audience == "customer"]
    return notice


def link_of(cloud: LocalCloud, number: int) -> str:
    (message,) = [m for m in cloud.messages if m.to == f"e{number:06d}@example.com"]
    (link,) = set(re.findall(r"http[^\s\"<>]+/d/[\w-]+", message.text))
    return link


def with_file(folder: Path, number: int, name: str) -> Path:
    path = folder / "output" / "Email_Letters" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"%PDF-1.4 document of " + str(number).encode())
    return folder


def test_a_link_is_looked_at_without_effect_and_opens_the_document(
    linked: LocalCloud, make_run: MakeRun
) -> None:
    rows = [
        record(1, output_uri="output/Email_Letters/E000001-STA.pdf", language="de"),
        record(2, output_uri="output/Email_Letters/gone.pdf"),
    ]
    folder = with_file(make_run("opens", rows), 1, "E000001-STA.pdf")
    drop(linked, with_file(folder, 2, "gone.pdf"), "opens", "links")
    deployment = linked.deployment()
    key = "drop/links/opens/output/Email_Letters/gone.pdf"
    deployment.client("s3").delete_object(Bucket=deployment.settings.drop_bucket, Key=key)
    link = link_of(linked, 1)
    before = notice_of(linked, "links", 1)

    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        seen = ask(link, method)
        assert seen.status == 200, (method, seen.body)
    assert '<html lang="de"' in seen.body
    assert "Kontoauszug" in seen.body
    assert "Zoë" not in seen.body
    assert seen.headers["Cache-Control"] == "no-store"
    assert notice_of(linked, "links", 1) == before

    opened = ask(link, "POST")
    assert opened.status == 303
    address = opened.headers["Location"]
    assert "/drop/links/opens/output/Email_Letters/E000001-STA.pdf" in address
    assert "Expires=60" in address
    assert "E000001&" not in address.partition("?")[2]
    document = ask(address)
    assert document.body == "%PDF-1.4 document of 1"
    assert document.headers["Content-Disposition"] == 'inline; filename="statement-2026-11-24.pdf"'
    ask(link, "POST")
    after = notice_of(linked, "links", 1)
    assert after.responses == ("opened",)
    assert [e.what for e in after.events][-1] == "opened"
    assert chain_holds(after)

    missing = ask(link_of(linked, 2), "POST")
    assert missing.status == 404
    assert notice_of(linked, "links", 2).responses == ()
    assert linked.idle(30)
    incidents = app(linked).incidents.of_run("links", "opens")
    assert {code for incident in incidents for code in incident.codes} == {"document_missing"}


def test_forged_and_unknown_links_get_the_same_answer(linked: LocalCloud, make_run: MakeRun) -> None:
    drop(linked, make_run("forged", [record(11)]), "forged", "links")
    link = link_of(linked, 11)
    site, _, token = link.rpartition("/")
    raw = base64.urlsafe_b64decode(token + "==")
    forged = [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        base64.urlsafe_b64encode(bytes(16) + raw[16:]).decode().rstrip("="),
        token + "A",
        token[:-2],
        "x" * 30,
        "%2e%2e",
        urllib.parse.quote("ümläüt"),
    ]
    answers = {(a.status, a.body, str(sorted(a.headers.keys()))) for t in forged if (a := ask(f"{site}/{t}"))}
    assert len(answers) == 1
    assert answers.pop()[0] == 404
    assert {ask(f"{site}/{t}", "POST").status for t in forged} == {404}


def test_an_operator_revokes_a_link(linked: LocalCloud, make_run: MakeRun) -> None:
    drop(linked, make_run("revoked", [record(15)]), "revoked", "links")
    link, notice = link_of(linked, 15), notice_of(linked, "links", 15)
    assert ask(link).status == 200

    after = revoke_link(linked.deployment(), notice, "sent to the wrong customer")
    unlock_link(linked.deployment(), after, "asked by telephone")

    assert (ask(link).status, ask(link, "POST").status) == (410, 410)
    stored = notice_of(linked, "links", 15)
    assert [e.what for e in stored.events][-2:] == ["link revoked", "link unlocked"]
    assert "wrong customer, by " in stored.link_revoked
    assert chain_holds(stored)


def test_what_an_event_tells_is_recorded_by_document_and_case_before_and_after(
    linked: LocalCloud, make_run: MakeRun
) -> None:
    def tell(kind: str, source: str = "portal", **detail: str) -> None:
        linked.client("events").put_events(
            Entries=[
                {"Source": source, "DetailType": kind, "Detail": json.dumps({"domain": "answers", **detail})}
            ]
        )

    # Before the run: a payment for a document, one in part for another, and a word about a case.
    tell("Payment Received", "billing", customer_key="E000021", document_id="E000021-STA", amount="21.50")
    tell("Payment Received", "billing", customer_key="E000025", document_id="E000025-STA", amount="10.00")
    tell("Customer Responded", case_id="CASE-22", response="withdrawn")
    # Nobody whom the site does not name may say that a document is paid.
    tell("Payment Received", "stranger", customer_key="E000023", document_id="E000023-STA", amount="21.50")
    tell("Customer Responded", "stranger", customer_key="E000024", response="thanks")
    assert linked.idle(60)
    told = {code: i for i in app(linked).incidents.all() for code in i.codes}
    assert told["source_unnamed"].count == 2
    rows = [
        record(21),
        record(22, document_type="claim-letter", case_id="CASE-22"),
        record(23, document_type="policy-document", requires_ack="Y", document_version="2026-11"),
        record(24),
        record(25),
    ]
    followed = drop(linked, make_run("answers", rows), "answers", "answers")
    # Something is due still on the one that was paid in part.
    assert outcomes(followed) == {"notified": 3, "suppressed": 2}
    assert followed.told is not None
    assert followed.told["reasons"]["suppressed"] == {"responded": 2}

    for _ in range(2):
        tell("Document Acknowledged", customer_key="E000023", document_id="E000023-STA", version="2026-11")
        tell("Customer Responded", customer_key="E000024", response="thanks")
    assert linked.idle(60)
    acknowledged = notice_of(linked, "answers", 23)
    assert acknowledged.responses == ("acknowledged",)
    (event,) = [e for e in acknowledged.events if e.what == "acknowledged"]
    contact = app(linked).contacts.get("answers", ["E000023"])["E000023"]
    reference = event.detail.partition("evidence ")[2]
    line = app(linked).evidence.read(reference, f"{acknowledged.notice_id}:acknowledged", contact.salt)
    assert (line["acknowledged_by"], line["document_id"]) == ("", "E000023-STA")
    assert line["said"] == "2026-11"
    assert notice_of(linked, "answers", 24).responses == ("responded",)


def test_payments_that_name_only_a_customer_are_shared_out_before_and_after_the_notices(
    linked: LocalCloud, make_run: MakeRun
) -> None:
    def pay(kind: str = "Payment Received", **detail: str) -> dict[str, str]:
        """What was paid of each document after an event."""
        detail = {"domain": "money", "customer_key": "E000041", "currency": "EUR", **detail}
        entry = {"Source": "billing", "DetailType": kind, "Detail": json.dumps(detail)}
        linked.client("events").put_events(Entries=[entry])
        assert linked.idle(60)
        told = app(linked).ledger.of_customer("money", "E000041")
        mine = [n for n in told if n.audience == "customer"]
        return {n.document_id: "+".join(sorted(f.amount for f in n.payments.facts)) for n in mine}

    assert pay(payment_id="P-1", amount="30.00") == {}
    reminder = {"customer_key": "E000041", "document_type": "payment-reminder"}
    rows = [
        record(41, **reminder, document_id="late", due_date="2026-12-20", amount_due="50.00"),
        record(42, **reminder, document_id="early", due_date="2026-12-10", amount_due="20.00"),
        record(43, **{**reminder, "document_type": "statement"}, document_id="statement"),
    ]
    followed = drop(linked, make_run("money", rows), "money", "money")
    assert outcomes(followed) == {"notified": 2, "suppressed": 1}

    assert pay(payment_id="P-2", amount="60.00") == {
        "early": "20.00",
        "late": "10.00+40.00",
        "statement": "",
    }
    told = {code: i for i in app(linked).incidents.all() for code in i.codes}
    assert told["payment_unassigned"].domain == "money"
    assert pay("Payment Reversed", payment_id="P-2")["late"] == "10.00"
    after = {n.document_id: n for n in app(linked).ledger.of_customer("money", "E000041")}
    assert {d: n.responses for d, n in after.items()} == {"early": ("paid",), "late": (), "statement": ()}
    assert all(chain_holds(n) for n in after.values())


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_customer_opens_it_in_a_browser_without_script(
    linked: LocalCloud, make_run: MakeRun, browser: Any, scheme: str
) -> None:
    number = 31 if scheme == "light" else 32
    rows = [record(number, output_uri="output/Email_Letters/a.pdf", language="fr")]
    drop(linked, with_file(make_run(scheme, rows), number, "a.pdf"), scheme, "browser")
    context = browser.new_context(
        color_scheme=scheme, java_script_enabled=False, viewport={"width": 360, "height": 640}
    )
    page = context.new_page()
    page.goto(link_of(linked, number))
    assert page.locator("button").count() == 1
    with page.expect_response(lambda answer: "X-Amz-Signature" in answer.url) as led:
        page.get_by_role("button", name="Ouvrir le document").click()
    assert led.value.status == 200
    context.close()
    assert notice_of(linked, "browser", number).responses == ("opened",)
