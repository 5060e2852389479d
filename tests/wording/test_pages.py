"""Pages: their texts in every language, their headers, what they look like to everybody."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from exstream_notify.adapters.pages import LANGUAGES, Pages, page_response, redirect_response
from exstream_notify.adapters.preference_views import shown
from exstream_notify.adapters.rendering import Brand
from exstream_notify.adapters.rendering.texts import PACKAGE_WORDING, WordingError, read_yaml
from exstream_notify.domain.contacts import AddressChange
from exstream_notify.domain.decisions import Policy
from tests.browsing import violations
from tests.fakes import a_contact, an_address

TEXTS = sorted((PACKAGE_WORDING / "pages").glob("*.yaml"))


def keys(texts: Any, path: str = "") -> dict[str, set[str]]:
    """Every text's path, with the values that it shows."""
    if isinstance(texts, str):
        return {path: set(re.findall(r"{{\s*(\w+)", texts))}
    rows = texts.items() if isinstance(texts, dict) else enumerate(texts)
    found: dict[str, set[str]] = {}
    for name, value in rows:
        found |= keys(value, f"{path}.{name}")
    return found


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_a_page_says_the_same_in_every_language(path: Path) -> None:
    texts = read_yaml(path)

    assert set(texts) == set(LANGUAGES)
    for language in LANGUAGES:
        assert keys(texts[language]) == keys(texts["en"]), language


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_preference_page_says_from_when_a_change_holds_or_that_it_is_checked_first(language: str) -> None:
    pages = Pages(Brand("Example Company", "support@example.com"))
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    change = AddressChange(
        "c1", "email", an_address("new@example.com"), "", "", "", "page",
        confirmed_at="2026-11-25T12:00:00+00:00", effective_at="2026-11-28T12:00:00+00:00",
    )  # fmt: skip
    said = {}
    for review in ("", "asked", "allowed"):
        contact = a_contact(changing=(replace(change, review=review),))
        values = shown(
            contact, (), "postcode", pages=pages, language=language, policy=Policy(), now=now, form="f"
        )
        said[review] = pages.render("preferences", language, **values)
    words = pages.texts("preferences", language)
    assert "n…@example.com" in said[""]
    assert "2026-11-28" in said[""]
    assert words["checked"] not in said[""]
    assert words["checked"] in unescape(said["asked"])
    assert "2026-11-28" not in said["asked"]
    assert said["allowed"] == said[""]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with a page of its own, and a text of the layout in other words."""
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "hello.html").write_text(
        '{% extends "layout.html" %}{% from "forms.html" import field, choice, problem %}{% block main %}'
        "<h1>{{ t.heading }}</h1>{{ problem(t.wrong) }}<form method=post>"
        '{{ field("code", t.label, hint=t.hint, wrong=t.wrong, inputmode="numeric") }}'
        '<fieldset><legend>{{ t.which }}</legend>{{ choice("c", t.label, "1", chosen=true) }}</fieldset>'
        "<button>{{ t.go }}</button></form>{% endblock %}"
    )
    words = "{title: Hello, heading: 'Hello {{ name }}', wrong: Not so, label: Code, hint: Six digits, which: Which, go: Go on}"
    (pages / "hello.yaml").write_text("".join(f"{language}: {words}\n" for language in LANGUAGES))
    (pages / "layout.yaml").write_text("en: {safety: 'Beware, says {{ brand }}'}\n")
    return tmp_path


def test_values_are_escaped_and_a_site_lays_its_own_words_over_ours(site: Path) -> None:
    html = Pages(Brand("Ann & Co", "support@example.com"), site).render(
        "hello", "en", name="<script>x</script>"
    )

    assert "Hello &lt;script&gt;x&lt;/script&gt;" in html
    assert "Beware, says Ann &amp; Co" in html
    assert '<html lang="en" dir="ltr">' in html


def test_a_missing_value_or_language_is_an_error(site: Path) -> None:
    pages = Pages(Brand("Ann & Co"), site)

    with pytest.raises(Exception, match="name"):
        pages.render("hello", "en")
    with pytest.raises(WordingError, match="it"):
        pages.render("hello", "it", name="x")


@pytest.mark.parametrize(
    ("wishes", "language"),
    [
        (("de-CH",), "de"),
        ((None, "xx,fr;q=0.5,es;q=0.7"), "es"),
        (("it", "pt"), "en"),
        ((), "en"),
        (("en;q=0, fr",), "fr"),
        (("de;q=x,,;",), "en"),
        (("ES",), "es"),
    ],
)
def test_the_language_is_the_first_wish_that_can_be_met(
    wishes: tuple[str | None, ...], language: str
) -> None:
    assert Pages(Brand("Ann & Co")).language(*wishes) == language


def test_an_answer_is_not_kept_found_framed_or_scripted(site: Path) -> None:
    html = Pages(Brand("Ann & Co"), site).render("hello", "en", name="x")
    answer = page_response(200, html, leads_to=["https://portal.example.com"])
    headers = {name: str(value) for name, value in answer.headers.items()}

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy.replace("default-src", "")
    assert "form-action 'self' https://portal.example.com" in policy
    assert "frame-ancestors 'none'" in policy
    assert redirect_response("https://x.example.com/").status_code == 303


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_a_form(browser: Any, site: Path, language: str, scheme: str) -> None:
    html = Pages(Brand("Ann & Co", "support@example.com"), site).render("hello", language, name="Ann")
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": 320, "height": 600}, bypass_csp=True
    )
    page = context.new_page()
    page.set_content(html)

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    context.close()


@pytest.mark.browser
def test_the_browser_applies_the_style_that_the_policy_names(browser: Any, site: Path) -> None:
    answer = page_response(200, Pages(Brand("Ann & Co"), site).render("hello", "en", name="x"))
    page = browser.new_page()
    page.route(
        "https://documents.example.com/d/x",
        lambda route: route.fulfill(
            status=200,
            body=answer.body,
            headers={k: str(v) for k, v in answer.headers.items()},
            content_type="text/html; charset=utf-8",
        ),
    )
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto("https://documents.example.com/d/x")

    assert page.eval_on_selector("h1", "e => getComputedStyle(e).fontSize") == "24px"
    assert refused == []
    page.close()
