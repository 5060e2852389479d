"""The inbox shows what customers got, safely."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from exnotify.inbox import Inbox
from exnotify.simulators import MessageStore, running
from exnotify.simulators.store import pack

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`&lt;{{7*7}}{% raw %}"


def known(notice_id: str) -> Mapping[str, Any] | None:
    """A ledger that knows notices 1 to 9."""
    number = int(notice_id, 16) if re.fullmatch("[0-9a-f]{32}", notice_id) else 0
    if not 0 < number < 10:
        return None
    return {
        "document_id": f"D{number}",
        "customer_key": f"C&{number}",
        "recipient": f"R{number}",
        "audience": "customer" if number % 2 else "team:operations",
        "purpose": "notice",
        "secret": "not asked for",
    }


@pytest.fixture
def store() -> MessageStore:
    return MessageStore()


@pytest.fixture
def browser(store: MessageStore) -> Client:
    return Client(Inbox(store, known))


@pytest.fixture
def five(store: MessageStore, message: Any) -> None:
    """Two customers' mails, a team's copy, a text, and one that the ledger does not know."""
    message(store, ref=f"{1:032x}:1", to="ann@example.com", subject="Your statement")
    message(store, ref=f"{2:032x}:1", to="operations@example.com", subject="Copy of a policy")
    message(store, ref=f"{3:032x}:2", to="bob@example.com", subject="Ihre Rechnung", text="Grüße")
    message(
        store,
        ref=f"{5:032x}:1",
        channel="sms",
        to="+12025550142",
        subject="",
        text="Your CLAIM letter",
        html="",
    )
    message(store, ref="strange", to="zoe@example.com", subject="Other")


def rows(browser: Client, query: str = "") -> list[Any]:
    answer = browser.get(f"/inbox/messages.json{query}")
    assert answer.content_type == "application/json"
    return json.loads(answer.data)


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    """All start tags with their attributes, as a browser would see them."""
    found: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append((tag, dict(attrs)))  # type: ignore[method-assign]
    parser.feed(page)
    return found


@pytest.mark.usefixtures("five")
def test_json_has_the_names_of_the_outbox_newest_first(browser: Client) -> None:
    found = rows(browser)
    assert [row["to"] for row in found] == [
        "zoe@example.com", "+12025550142", "bob@example.com", "operations@example.com", "ann@example.com",
    ]  # fmt: skip
    assert found[2] == {
        "channel": "email",
        "to": "bob@example.com",
        "from": "Example Company <notices@example.com>",
        "subject": "Ihre Rechnung",
        "text": "Grüße",
        "html": "<p>Your statement is ready.</p>",
        "headers": {},
        "provider": "ses",
        "notice_id": f"{3:032x}",
        "document_id": "D3",
        "customer_key": "C&3",
        "recipient": "R3",
        "audience": "customer",
        "purpose": "notice",
        "attempt": 2,
        "sent_at": "2026-11-20T04:20:00.000+00:00",
    }


def test_nothing_is_an_empty_list(browser: Client) -> None:
    assert rows(browser) == []
    assert "Nothing has been sent yet" in browser.get("/inbox").text


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?channel=sms", ["+12025550142"]),
        ("?channel=email&limit=1", ["zoe@example.com"]),
        ("?customer=C%263", ["bob@example.com"]),
        ("?customer=c%263", ["bob@example.com"]),
        ("?customer=ANN@example.com", ["ann@example.com"]),
        ("?customer=ann", []),
        ("?q=claim", ["+12025550142"]),
        ("?q=D1", ["ann@example.com"]),
        ("?q=ready+statement", ["zoe@example.com", "operations@example.com", "ann@example.com"]),
        ("?q=operations", ["operations@example.com"]),
        (f"?q={3:032x}", ["bob@example.com"]),
        ("?q=gr%C3%BCsse", ["bob@example.com"]),
        ("?before=3", ["operations@example.com", "ann@example.com"]),
        ("?before=3&limit=1", ["operations@example.com"]),
        ("?limit=0", []),
        ("?channel=fax", []),
        (
            "?before=x&limit=-1",
            [
                "zoe@example.com",
                "+12025550142",
                "bob@example.com",
                "operations@example.com",
                "ann@example.com",
            ],
        ),
    ],
)
def test_messages_are_found(query: str, found: list[str], browser: Client) -> None:
    assert [row["to"] for row in rows(browser, query)] == found
    page = browser.get(f"/inbox{query}").text
    if "limit" not in query:
        assert re.findall(r'class="to"><bdi>([^<]*)', page) == found


@pytest.mark.usefixtures("five")
def test_a_notice_is_looked_up_once(store: MessageStore) -> None:
    asked: list[str] = []

    def describe(notice_id: str) -> Mapping[str, Any] | None:
        asked.append(notice_id)
        return known(notice_id) if notice_id != "strange" else None

    browser = Client(Inbox(store, describe))
    for _ in range(3):
        rows(browser)
    assert sorted(asked) == sorted([*(f"{n:032x}" for n in (1, 2, 3, 5)), "strange", "strange", "strange"])


def test_older_messages_are_a_page_away(browser: Client, store: MessageStore, message: Any) -> None:
    for n in range(120):
        message(store, ref=f"{n + 100:032x}:1", to=f"c{n}@example.com")
    seen: list[str] = []
    path = "/inbox?q=statement"
    while path:
        page = browser.get(path).text
        seen += re.findall(r'class="to"><bdi>([^<]*)', page)
        older = re.search(r'href="(\?[^"]*before=[^"]*)"', page)
        path = "/inbox" + older[1].replace("&amp;", "&") if older else ""
    assert seen == [f"c{n}@example.com" for n in reversed(range(120))]


@pytest.fixture
def hostile(store: MessageStore, message: Any) -> None:
    fields = dict.fromkeys(("subject", "text", "sender_name", "to", "ref", "job_id"), HOSTILE)
    message(
        store,
        **fields,
        html="<!DOCTYPE html><html><body>" + HOSTILE + "</body></html>",
        request=HOSTILE.encode(),
    )
    message(store, **fields, channel="sms", html="")


PAGES = ["/inbox", *(f"/inbox/{n}?view={view}" for n in (1, 2) for view in ("customer", "text", "source"))]


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("path", [*PAGES, "/inbox?q=" + quote(HOSTILE), f"/inbox/{quote(HOSTILE, safe='')}"])
def test_hostile_words_stay_words(path: str, store: MessageStore) -> None:
    ledger = {"document_id": HOSTILE, "customer_key": HOSTILE, "audience": HOSTILE, "purpose": HOSTILE}
    answer = Client(Inbox(store, lambda notice_id: ledger)).get(path)
    page = tags(answer.text)
    assert [attrs["src"] for tag, attrs in page if tag == "script"] in ([], ["/inbox/inbox.js"])
    assert not [tag for tag, _ in page if tag in ("img", "object", "embed", "base", "style")]
    assert not [name for _, attrs in page for name in attrs if name.startswith("on") or name == "style"]
    links = [attrs.get("href") or "" for tag, attrs in page if tag == "a"]
    assert all(link.startswith(("/inbox", "?")) for link in links)
    assert "49" not in re.sub(r"\d{3,}|04:20|c\d+", "", answer.text), "nothing evaluates a template in it"


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("path", PAGES)
def test_pages_allow_no_more_than_they_need(path: str, browser: Client) -> None:
    headers = browser.get(path).headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    for name, value in (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")):
        assert headers[name] == value


@pytest.mark.usefixtures("hostile")
def test_a_mails_html_is_shown_as_it_is_in_a_cage(browser: Client) -> None:
    page = tags(browser.get("/inbox/1").text)
    (frame,) = [attrs for tag, attrs in page if tag == "iframe"]
    assert frame["src"] == "/inbox/1/body"
    assert set((frame["sandbox"] or "").split()) == {"allow-popups", "allow-popups-to-escape-sandbox"}
    body = browser.get("/inbox/1/body")
    assert body.text == f'<!DOCTYPE html><base target="_blank"><html><body>{HOSTILE}</body></html>'
    policy = body.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "script" not in policy
    assert "http" not in policy


def test_a_mail_without_html_shows_its_text(browser: Client, store: MessageStore, message: Any) -> None:
    message(store, html="", text="1 < 2\n<script>")
    body = browser.get("/inbox/1/body").text
    assert "1 &lt; 2\n&lt;script&gt;" in body
    assert "script" not in [tag for tag, _ in tags(body)]


def test_a_text_message_is_a_bubble_with_its_parts(
    browser: Client, store: MessageStore, message: Any
) -> None:
    message(store, channel="sms", text="ł" * 71, subject="", html="")
    page = browser.get("/inbox/1").text
    assert f'<p class="bubble"><bdi>{"ł" * 71}</bdi></p>' in page
    assert "71 characters, 2 parts, Unicode" in page
    assert browser.get("/inbox/1/body").status_code == 404


@pytest.mark.usefixtures("five")
def test_source_is_the_mail_and_the_request(browser: Client) -> None:
    page = browser.get("/inbox/1?view=source").text
    assert "Subject: Your statement" in page
    assert "&#34;a&#34;: 1" in page
    raw = browser.get("/inbox/1/source")
    assert raw.content_type == "text/plain; charset=utf-8"
    assert raw.text.startswith("From: Example Company <notices@example.com>\n")


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    "path",
    ["/inbox/0", "/inbox/6", "/inbox/-1", "/inbox/x", "/inbox/1/secret", "/inbox/99999999999999", "/inbox/٣"],
)
def test_what_is_not_there(path: str, browser: Client) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404
    assert "There is no message" in answer.text


def test_nothing_can_be_changed(browser: Client) -> None:
    assert [browser.open("/inbox", method=m).status_code for m in ("POST", "PUT", "DELETE")] == [405] * 3


def test_it_looks_alike_with_and_without_a_slash(browser: Client) -> None:
    assert browser.get("/inbox/").text == browser.get("/inbox").text


@pytest.mark.parametrize("path", ["/inbox", "/inbox/", "/inbox/1", "/inbox/messages.json"])
def test_which_paths_are_its_own(path: str) -> None:
    inbox = Inbox(MessageStore())
    assert inbox.matches({"PATH_INFO": path})
    assert not inbox.matches({"PATH_INFO": path.replace("inbox", "inboxes")})
    assert not inbox.matches({"PATH_INFO": "/x" + path})


def test_it_refreshes_with_and_without_script(browser: Client, store: MessageStore, message: Any) -> None:
    message(store)
    page = browser.get("/inbox").text
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in page
    assert 'src="/inbox/inbox.js" data-total="1"' in page
    assert browser.get("/inbox/count.json").json == {"total": 1}
    for name, kind in (("inbox.css", "text/css"), ("inbox.js", "text/javascript")):
        asset = browser.get(f"/inbox/{name}")
        assert asset.mimetype == kind
        assert "http" not in asset.text, "nothing comes from elsewhere"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["email", "sms"]))
def test_no_message_breaks_a_page(message: Any, subject: str, text: str, channel: str) -> None:
    store = MessageStore()
    html = text.encode("utf-8", "replace").decode()
    message(store, subject=subject, text=text, channel=channel, packed_html=pack(html))
    browser = Client(Inbox(store, known))
    for path in ("/inbox", "/inbox/1", "/inbox/1?view=text", "/inbox/messages.json"):
        assert browser.get(path).status_code == 200


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium")
@pytest.mark.usefixtures("hostile")
def test_no_script_of_a_message_runs_in_a_real_browser(store: MessageStore, tmp_path: Path) -> None:
    """Were one to run, it would change the title of the page, or reach the server."""
    reached: list[str] = []
    inbox = Inbox(store)
    evil = (
        "<script>document.title='owned';fetch('/reached')</script>"
        "<img src=/reached onerror=\"document.title='owned'\">"
    )
    fields = {"subject": evil, "text": evil, "provider": "ses", "channel": "email", "to": evil, "sender": "s"}
    last = store.get(1)
    assert last is not None
    mine = store.add(**fields, ref="", job_id="", message_id="", sent_at=last.sent_at, packed_html=pack(evil))

    def app(environ: Any, start_response: Any) -> Any:
        if not inbox.matches(environ):
            reached.append(environ["PATH_INFO"])
            start_response("404 Not Found", [("Content-Length", "0")])
            return [b""]
        return inbox(environ, start_response)

    with running(app) as url:
        for path in ("/inbox", f"/inbox/{mine.number}"):
            run = subprocess.run(
                [
                    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                    "--disable-background-networking", f"--user-data-dir={tmp_path}",
                    "--virtual-time-budget=1000", "--dump-dom", url + path,
                ],
                capture_output=True, text=True, timeout=60, check=True,
            )  # fmt: skip
            assert "All messages" in run.stdout or "received in all" in run.stdout
            assert "<title>owned" not in run.stdout
    assert [path for path in reached if path != "/favicon.ico"] == []
