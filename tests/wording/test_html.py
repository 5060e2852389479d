"""HTML mail as mail programs and screen readers need it, and contrast as a person sees it."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from exstream_notify.adapters.rendering import Brand, Renderer, WordingError
from exstream_notify.adapters.rendering.colours import TEXT_CONTRAST, contrast, readable, text_on

from .examples import BRAND, LANGUAGES, LINK, PREFERENCES, RENDERER, TYPES, full, minimal

COLOURS = ("#1f4e79", "#ffd400", "#ffffff", "#000000", "#e4002b", "#7f7f7f", "#00a3e0")
NAMESPACE = "{http://www.w3.org/1999/xhtml}"


def mail(name: str = "overdue-notice", language: str = "en", renderer: Renderer = RENDERER) -> etree._Element:
    content = renderer.render(name, "email", full(name, language), link=LINK, preferences_link=PREFERENCES)
    return parse(content.html)


def parse(html: str) -> etree._Element:
    """Parsed as XML: each tag closed, each attribute quoted, no stray ampersand."""
    return etree.fromstring(html.removeprefix("<!DOCTYPE html>\n").encode())


def elements(root: etree._Element, tag: str) -> list[etree._Element]:
    return list(root.iter(NAMESPACE + tag))


def style_of(element: etree._Element) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in element.get("style", "").split(";") if ":" in part)
    return {key.strip(): value.strip() for key, value in pairs}


@pytest.mark.parametrize(("name", "language"), list(itertools.product(TYPES, LANGUAGES)))
def test_every_mail_is_well_formed_and_says_its_language(name: str, language: str) -> None:
    for document, link in itertools.product((full(name, language), minimal(name, language)), (LINK, None)):
        content = RENDERER.render(name, "email", document, link=link)
        root = parse(content.html)
        assert root.get("lang") == language
        assert root.get("dir") == "ltr"
        assert elements(root, "title")[0].text == content.subject
        assert len(elements(root, "h1")) == 1
        # Gmail cuts a mail off at 102 kB.
        assert len(content.html.encode()) < 30_000


def test_tables_are_for_layout_except_the_one_with_facts() -> None:
    tables = elements(mail(), "table")
    data = [table for table in tables if table.get("role") != "presentation"]
    assert len(data) == 1
    assert all(th.get("scope") == "row" for th in elements(data[0], "th"))
    assert len(elements(data[0], "th")) == len(elements(data[0], "td")) == 6


def test_nothing_is_wider_than_600_pixels_and_nothing_is_fetched_but_the_logo() -> None:
    logo = Renderer(
        replace(BRAND, logo_url="https://www.example.com/logo.png?a=1&b=2", logo_alt='Northwind "N"')
    )
    for renderer, pictures in ((RENDERER, 0), (logo, 1)):
        root = mail(renderer=renderer)
        images = elements(root, "img")
        assert len(images) == pictures
        assert all(image.get("alt") == 'Northwind "N"' and image.get("width") == "140" for image in images)
        widths = re.findall(r"(?<!max-)\bwidth:(\d+)px", etree.tostring(root).decode())
        assert all(int(width) <= 600 for width in widths)
        assert not elements(root, "link")
        assert not elements(root, "script")
        source = etree.tostring(root).decode()
        assert "url(" not in source
        assert "@import" not in source
    assert (
        elements(mail(renderer=Renderer(replace(BRAND, logo_url="https://a.example.com/l.png"))), "img")[
            0
        ].get("alt")
        == "Northwind Mutual"
    )


def test_the_preheader_comes_first_and_is_not_seen() -> None:
    body = elements(mail("statement"), "body")[0]
    first = body[0]
    assert "display:none" in first.get("style", "")
    assert (first.text or "").startswith("Your latest statement is now available")


def test_the_button_works_without_styles() -> None:
    root = mail()
    button = next(a for a in elements(root, "a") if a.text == "View details")
    cell = button.getparent()
    assert cell is not None
    # Outlook has no padding on links and no rounded corners: the cell brings colour and padding.
    assert cell.get("bgcolor") == "#1f4e79"
    assert "mso-padding-alt" in cell.get("style", "")
    assert button.get("href") == LINK
    assert any(a.text == LINK for a in elements(root, "a")), "the address in words"


# --- contrast


def dark_rules(root: etree._Element) -> Mapping[str, dict[str, str]]:
    """The classes' declarations for dark mode."""
    css = elements(root, "style")[0].text or ""
    block = css.partition("@media (prefers-color-scheme: dark) {")[2].partition("\n}")[0]
    rules: dict[str, dict[str, str]] = {}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", block):
        declared = dict(re.findall(r"([a-z-]+): (#[0-9a-f]{6}) !important", body))
        for selector in selectors.split(","):
            rules.setdefault(selector.strip().removeprefix("."), {}).update(declared)
    return rules


def texts(
    element: etree._Element, rules: Mapping[str, dict[str, str]], ink: str, paper: str
) -> Iterator[tuple[str, str, str]]:
    """Each visible text below with its colour and the colour behind it."""
    if not isinstance(element.tag, str):
        return
    style = style_of(element)
    if style.get("display") == "none":
        return
    declared = {key: value for key, value in style.items() if value.startswith("#")}
    for name in (element.get("class") or "").split():
        declared |= rules.get(name, {})
    ink, paper = declared.get("color", ink), declared.get("background-color", paper)
    if (element.text or "").strip(" \n\u00a0"):
        yield element.text or "", ink, paper
    for child in element:
        yield from texts(child, rules, ink, paper)
        if (child.tail or "").strip(" \n\u00a0"):
            yield child.tail or "", ink, paper


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("dark", [False, True])
def test_every_text_reads_at_four_and_a_half_to_one(colour: str, dark: bool) -> None:
    root = mail("overdue-notice", renderer=Renderer(replace(BRAND, colour=colour)))
    rules = dark_rules(root) if dark else {}
    assert bool(rules) is dark
    seen = list(texts(elements(root, "body")[0], rules, "#000000", "#ffffff"))
    assert len(seen) > 25
    for text, ink, paper in seen:
        assert contrast(ink, paper) >= TEXT_CONTRAST, f"{text!r}: {ink} on {paper}"
    if dark:
        assert not any(paper in ("#ffffff", "#eef1f5") for text, _, paper in seen if text != "View details")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.478),  # the well-known near miss
        ("#767676", "#ffffff", 4.542),
        ("#ff0000", "#ffffff", 3.998),
        ("#123456", "#123456", 1.0),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.001)
    assert contrast(other, one) == contrast(one, other)


@given(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFF))
def test_any_colour_can_be_made_readable(colour: int, background: int) -> None:
    ink, paper = f"#{colour:06x}", f"#{background:06x}"
    assert contrast(text_on(paper), paper) >= TEXT_CONTRAST
    assert contrast(readable(ink, paper), paper) >= TEXT_CONTRAST
    if contrast(ink, paper) >= TEXT_CONTRAST:
        assert readable(ink, paper) == ink


# --- the brand


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": " "}, "name"),
        ({"colour": "navy"}, "#rrggbb"),
        ({"colour": "#123456;background:url(x)"}, "#rrggbb"),
        ({"logo_url": "http://www.example.com/logo.png"}, "https"),
        ({"logo_url": 'https://x" onerror="alert(1)'}, "https"),
        ({"logo_width": 601}, "280"),
    ],
)
def test_a_brand_that_no_mail_can_show_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(WordingError, match=reason):
        replace(BRAND, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("contact", "href"),
    [
        ("support@example.com", "mailto:support@example.com"),
        ("+1 202 555 0142", "tel:+12025550142"),
        ("https://www.example.com/help", "https://www.example.com/help"),
        ("your branch", ""),
        ("javascript:alert(1)", ""),
        ('a@example.com"><script>', ""),
    ],
)
def test_the_support_contact_is_a_link_where_it_can_be(contact: str, href: str) -> None:
    assert Brand("Northwind", contact).support_link == href
    root = mail(renderer=Renderer(replace(BRAND, support_contact=contact)))
    links = [a.get("href") for a in elements(root, "a")]
    assert (href in links) if href else len(links) == 3


def test_a_brands_own_words_are_escaped() -> None:
    brand = Brand("<b>N&W</b>\u202e", "<i>", "1 <High> Street\r\nTown", logo_alt="")
    content = Renderer(brand).render("statement", "email", full("statement"), link=LINK)
    assert "<b>N&W</b>\n" in content.text
    assert "&lt;b&gt;N&amp;W&lt;/b&gt;" in content.html
    assert "1 &lt;High&gt; Street<br />Town" in content.html
    parse(content.html)
