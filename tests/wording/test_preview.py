"""The preview page: everything in it, and nothing it needs from elsewhere."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from exnotify.preview import LINK, write_preview

from .examples import LANGUAGES, RENDERER, REQUIRED_TYPES, TYPES


class Page(HTMLParser):
    """Frames and the addresses that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[dict[str, str | None]] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "iframe":
            self.frames.append(values)
        self.fetched += [value or "" for key, value in attrs if key == "src"]
        if tag == "link":
            self.fetched.append(values.get("href") or "")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("preview") / "wording.html"
    write_preview(path, RENDERER)
    return path.read_text("utf-8")


def test_every_type_in_every_language_at_both_widths(source: str) -> None:
    page = Page()
    page.feed(source)
    titles = [frame["title"] or "" for frame in page.frames]
    for name in REQUIRED_TYPES:
        for language in LANGUAGES:
            shown = [t for t in titles if t.startswith(f"{name} {language} ")]
            assert len(shown) == (6 if name in TYPES else 2), name
            assert sum(t.endswith(", phone") for t in shown) == len(shown) / 2
    assert {frame["width"] for frame in page.frames} == {"680", "375"}


def test_frames_hold_the_mail_itself_and_run_no_scripts(source: str) -> None:
    page = Page()
    page.feed(source)
    mail = next(f for f in page.frames if f["title"] == "statement fr all values, phone")
    assert (mail["srcdoc"] or "").startswith('<!DOCTYPE html>\n<html lang="fr"')
    assert LINK in (mail["srcdoc"] or "")
    assert all(frame["sandbox"] == "allow-same-origin" for frame in page.frames)


def test_the_page_needs_nothing_from_elsewhere(source: str) -> None:
    page = Page()
    page.feed(source)
    assert page.fetched == []


def test_lengths_are_told(source: str) -> None:
    assert "septets, 1 part<" in source
    assert "septets, 2 parts<" in source


def test_without_a_renderer_an_example_company_writes(tmp_path: Path, source: str) -> None:
    write_preview(tmp_path / "wording.html")
    own = (tmp_path / "wording.html").read_text("utf-8")
    assert "<title>Wording of Example Company</title>" in own
    assert own.count("<iframe") == source.count("<iframe")
