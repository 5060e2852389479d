"""The page behind a secure link in each of its states: status, words, and that everybody can use it."""

from typing import Any

import pytest

from exstream_notify.adapters.link_pages import STATUS, LinkPages
from exstream_notify.adapters.pages import LANGUAGES, Pages
from exstream_notify.adapters.rendering import Brand
from exstream_notify.adapters.rendering.texts import WordingFiles
from exstream_notify.domain.links import LinkState, Look
from exstream_notify.domain.second_step import Step, StepKind
from tests.browsing import violations
from tests.fakes import a_document, a_notice

PAGES = LinkPages(
    Pages(Brand("Example Bank", "support@example.com")),
    WordingFiles(),
    ["https://portal.example.com"],
    lambda salt: f"https://documents.example.com/p/{salt}",
)
STEPS: tuple[StepKind, ...] = ("last4", "birth_date", "postcode")
SHOWN = [(state, "none") for state in STATUS if state not in (LinkState.ASKS, LinkState.WRONG)]
SHOWN += [(state, step) for state in (LinkState.ASKS, LinkState.WRONG) for step in STEPS]


def shown(state: LinkState, step: str, language: str) -> Any:
    asked = Step(step, "retail", "C0001", "n", "1.x") if step != "none" else None  # type: ignore[arg-type]
    known = state != LinkState.UNKNOWN
    document = a_document(1, first_name="Zebedee", account_number="4400001809")
    look = Look(
        state, a_notice() if known else None, document if known else None, None, (language,), asked
    )  # fmt: skip
    return PAGES.answer(look, "en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("state", "step"), SHOWN)
def test_every_state_has_its_page_with_one_button_at_most_and_nothing_personal(
    state: LinkState, step: str, language: str
) -> None:
    answer = shown(state, step, language)

    assert answer.status_code == STATUS[state]
    assert f'<html lang="{language}"' in answer.body
    assert answer.body.count("<button") == (state in (LinkState.READY, LinkState.ASKS, LinkState.WRONG))
    for personal in ("Zebedee", "1809", "C0001", "D0001", "c0001@example.com"):
        assert personal not in answer.body
    assert "<script" not in answer.body
    leads = "https://portal.example.com" in str(answer.headers["Content-Security-Policy"])
    assert leads == ("<button" in answer.body)


def test_the_browsers_language_counts_where_the_customers_is_not_known() -> None:
    assert '<html lang="es"' in PAGES.answer(Look(LinkState.UNKNOWN), "es-MX,en;q=0.5").body


@pytest.mark.browser
@pytest.mark.parametrize(("language", "scheme"), [*((each, "light") for each in LANGUAGES), ("en", "dark")])
def test_everybody_can_use_every_state(browser: Any, language: str, scheme: str) -> None:
    """The language changes how long words are, the scheme the colours: each is tried by itself."""
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    found = []
    for state, step in SHOWN:
        page.set_content(shown(state, step, language).body)
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 700})
            found += [f"{state} {step} {width}: {row}" for row in violations(page)]
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (state, step, width)
    context.close()

    assert found == []


@pytest.mark.browser
def test_a_keyboard_is_enough(browser: Any) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.set_content(shown(LinkState.ASKS, "postcode", "en").body)
    page.keyboard.press("Tab")
    page.keyboard.type("10001")
    page.keyboard.press("Tab")

    assert page.get_by_label("Your postcode or ZIP code").input_value() == "10001"
    assert page.locator("button:focus").count() == 1
    page.close()
