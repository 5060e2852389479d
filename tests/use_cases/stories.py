"""How the tests with approved files play: words that show all they are made from, and the files' place.

`make approve` writes the files anew; the difference that git shows is what a reviewer approves. A file shows what a
story left, right or wrong: a rule needs a test that states it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.documents import Channel, Document, DocumentRule
from exstream_notify.domain.journeys import JourneyRule
from exstream_notify.domain.messages import Content
from exstream_notify.ports import BulkRendering
from tests.fakes import FakeRules, FakeWording, a_document
from tests.use_cases.world import World

NIGHT = "2026-11-20T03:30:00+00:00"
TEAMS = {"audit": "audit@example.com", "claims": "claims@example.com"}


class Words(FakeWording):
    """Words that name what they are made from."""

    def render(
        self,
        wording: str,
        channel: Channel,
        document: Document,
        *,
        link: str | None,
        preferences_link: str | None = None,
        language: str | None = None,
    ) -> Content:
        """See `Wording.render`."""
        language = language or self.language_for(document.language)
        about = [wording, language, document.document_id, document.amount_due, document.due_date, link]
        about += [preferences_link, f"x{document.together}" if document.together > 1 else ""]
        text = " ".join(filter(None, about))
        return Content(text, text, f"<p>{text}</p>") if channel == "email" else Content(text)

    def render_bulk(
        self,
        wording: str,
        channel: Channel,
        documents: Sequence[Document],
        links: Sequence[str | None],
        language: str,
        *,
        preferences_links: Sequence[str | None] | None = None,
    ) -> BulkRendering:
        """See `Wording.render_bulk`."""
        preferences = preferences_links or [None] * len(documents)
        inserts = tuple(
            None if document.document_id in self.alone else (document.document_id, link or "-", page or "-")
            for document, link, page in zip(documents, links, preferences, strict=True)
        )
        text = f"{wording} {language} (i1) (i2) (i3)"
        return BulkRendering(Content(text, text, text), inserts)


def played(*rules: DocumentRule, journeys: Sequence[JourneyRule] = (), **changes: Any) -> World:
    """A world with these rules, the teams above and words that show everything."""
    world = World(site_rules=FakeRules(*rules, journeys=journeys, teams=TEAMS), **changes)
    world.wording = Words()
    return world


def on_shipped_rules(**changes: Any) -> World:
    """A world with the rules that ship."""
    world = World(site_rules=YamlRules(), **changes)
    world.wording = Words()
    return world


def documents(*kinds: str, **changes: Any) -> list[Document]:
    """A document of each kind, numbered from 1; `d3={...}` changes the third."""
    own: Mapping[str, Mapping[str, Any]] = {k: v for k, v in changes.items() if k[1:].isdigit()}
    all_: Mapping[str, Any] = {k: v for k, v in changes.items() if k not in own}
    return [
        a_document(n, **{"document_type": kind, "customer_in_run": 100 + n, **all_, **own.get(f"d{n}", {})})
        for n, kind in enumerate(kinds, 1)
    ]
