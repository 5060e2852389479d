"""Pages that people open from a message: one layout, four languages, no script, nothing that a browser keeps.

A page `x` is a template `wording/pages/x.html` and its texts `wording/pages/x.yaml`, by language; a site's
own files in `wording/pages/` lie over them. A text is a template too, of the values that its page is given.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import Response, content_types
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .rendering.brand import Brand
from .rendering.colours import text_on
from .rendering.composing import palette
from .rendering.formats import split_tag, text_direction
from .rendering.texts import PACKAGE_WORDING, WordingError, laid_over, read_yaml

LANGUAGES = ("en", "es", "fr", "de")

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)

_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Strict-Transport-Security": "max-age=31536000",
}
"""What every answer to a browser carries: not kept, not found, not framed, its address told to nobody."""


class Pages:
    """Renders pages in a brand's looks. `site` is a site's wording folder. Raises WordingError."""

    def __init__(self, brand: Brand, site: Path | None = None, default_language: str = "en") -> None:
        self._brand = brand.overlaid(site)
        self._folders = [PACKAGE_WORDING / "pages", *([site / "pages"] if site is not None else [])]
        self._default = default_language
        self._texts: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._templates = Environment(
            loader=FileSystemLoader([str(folder) for folder in reversed(self._folders)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._phrase = cache(self._templates.from_string)

    def language(self, *wishes: str | None) -> str:
        """The first of these tags, or lists of tags as in Accept-Language, that there are pages in."""
        for wish in wishes:
            for tag in _ranked(wish or ""):
                if (language := split_tag(tag)[0]) in LANGUAGES:
                    return language
        return self._default if self._default in LANGUAGES else "en"

    def texts(self, page: str, language: str) -> Mapping[str, Any]:
        """A page's texts in one language, as they are written."""
        if (page, language) not in self._texts:
            merged: dict[str, Any] = {}
            for path in (folder / f"{page}.yaml" for folder in self._folders):
                if path.exists():
                    merged = laid_over(merged, read_yaml(path))
            if language not in merged:
                raise WordingError(f"pages/{page}.yaml: {language}: there are no such words")
            self._texts[page, language] = merged[language]
        return self._texts[page, language]

    def render(self, page: str, language: str, **values: Any) -> str:
        """A page as HTML; a value that its template or a text of it lacks is an error."""
        values |= {"brand": self._brand.name}
        colours = palette(self._brand)
        return self._templates.get_template(f"{page}.html").render(
            **values,
            t=_Texts(self.texts(page, language), self, values),
            layout=_Texts(self.texts("layout", language), self, values),
            language=language,
            direction=text_direction(language),
            looks=self._brand,
            light=colours["light"],
            dark={**colours["dark"], "on_accent": text_on(colours["dark"]["accent"])},
        )

    def phrase(self, text: str, values: Mapping[str, Any]) -> Markup:
        """One text, filled in and escaped."""
        return Markup(self._phrase(text).render(values))  # noqa: S704 - rendered with autoescape


class _Texts:
    """A page's texts as its template sees them: `t.heading`, `t["heading"]`; lists and mappings likewise."""

    def __init__(self, texts: Mapping[str, Any], pages: Pages, values: Mapping[str, Any]) -> None:
        self._texts = texts
        self._pages = pages
        self._values = values

    def __getitem__(self, key: str) -> Any:
        return self._filled(self._texts[key])

    def _filled(self, text: Any) -> Any:
        if isinstance(text, str):
            return self._pages.phrase(text, self._values)
        if isinstance(text, Mapping):
            return _Texts(text, self._pages, self._values)
        return [self._filled(one) for one in text]


def page_response(status: int, html: str, *, leads_to: Sequence[str] = ()) -> Response[str]:
    """The answer that shows a page, with its strict headers.

    `leads_to` are origins that the page's form may lead on to (CSP `form-action` holds for redirects too).
    The policy allows the page's own style by hash, pictures over https (a logo), and nothing else.
    """
    styles = " ".join(f"'sha256-{_hash(style)}'" for style in _STYLE.findall(html)) or "'none'"
    targets = " ".join(("'self'", *leads_to))
    policy = (
        f"default-src 'none'; style-src {styles}; img-src https:; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {targets}"
    )
    return Response(
        status, content_types.TEXT_HTML, html, headers={**_HEADERS, "Content-Security-Policy": policy}
    )


def redirect_response(location: str) -> Response[str]:
    """The answer that leads a browser on with a GET (303 See Other, RFC 9110 15.4.4)."""
    return Response(303, content_types.TEXT_PLAIN, "", headers={**_HEADERS, "Location": location})


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _ranked(header: str) -> list[str]:
    """Tags of an Accept-Language header (RFC 9110 12.5.4), the most wanted first; at most ten are read."""
    found: list[tuple[float, str]] = []
    for part in header.split(",")[:10]:
        tag, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight.strip() else 1.0
        except ValueError:
            continue
        if tag.strip() and quality > 0:
            found.append((quality, tag.strip()))
    return [tag for _, tag in sorted(found, key=lambda row: -row[0])]
