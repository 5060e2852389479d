"""A real browser for tests: `browser`, once a session, and `violations`. Mark the tests `browser`."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.needs import chromium_path
from tests.npm import installed

_PACKAGE = Path(__file__).resolve().parent / "axe"
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The machine's own Chromium, driven by Playwright; `new_page()` and `new_context(...)` open windows."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        window = driver.chromium.launch(executable_path=chromium_path(), args=list(_ARGUMENTS))
        yield window
        window.close()


def violations(page: Any) -> list[str]:
    """What axe finds against WCAG 2.2 AA and good practice on the page that is shown.

    The page's own policy forbids scripts, so open it in a context with `bypass_csp=True`.
    """
    page.evaluate(_axe())
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", _STANDARDS)
    return [
        f"{row['id']}: {row['help']}: {', '.join(node['html'][:120] for node in row['nodes'])}"
        for row in found["violations"]
    ]


@cache
def _axe() -> str:
    return (installed(_PACKAGE, "axe-core") / "axe.min.js").read_text("utf-8")
