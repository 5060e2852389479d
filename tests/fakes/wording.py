"""Words plain enough to be read by a test."""

from collections.abc import Hashable, Mapping, Sequence

from exstream_notify.domain.approvals import Approval
from exstream_notify.domain.documents import Channel, Document
from exstream_notify.domain.messages import Content
from exstream_notify.ports import BulkRendering


class FakeWording:
    """`Wording`: wording, language, document and link, with a bar between them.

    Documents named in `alone` cannot share a bulk content.
    """

    def __init__(self, languages: Sequence[str] = ("en", "es", "fr", "de")) -> None:
        self.languages = tuple(languages)
        self.alone: set[str] = set()
        self.versions: dict[str, str] = {}
        self.approvals: list[Approval] = []

    def language_for(self, document_language: str | None) -> str:
        """The document's language where it is offered, else the first."""
        language = (document_language or "").partition("-")[0]
        return language if language in self.languages else self.languages[0]

    def language_of(self, wording: str, channel: Channel, document_language: str | None) -> str:
        """See `Wording.language_of`; it has words for everything."""
        return self.language_for(document_language)

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
        words = (wording, language or self.language_for(document.language), document.document_id, link or "-")
        return _content(channel, "|".join(words))

    def render_digest(self, team: str, run_id: str, counts: Mapping[str, int]) -> Content:
        """See `Wording.render_digest`."""
        return _content("email", "|".join(("digest", team, run_id, *(f"{k}={n}" for k, n in counts.items()))))

    def bulk_key(self, document: Document) -> Hashable:
        """See `Wording.bulk_key`."""
        return document.document_type

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
        inserts = tuple(
            None if document.document_id in self.alone else (document.document_id, link or "-")
            for document, link in zip(documents, links, strict=True)
        )
        return BulkRendering(_content(channel, f"{wording}|{language}|(i1)|(i2)"), inserts)

    def version(self, wording: str, channel: Channel, language: str) -> str:
        """See `Wording.version`."""
        return self.versions.get(language, "1")

    def approval(self, wording: str, channel: Channel, language: str) -> Approval | None:
        """See `Wording.approval`."""
        key = (wording, channel, language, self.version(wording, channel, language))
        return next((a for a in self.approvals if (a.wording, a.channel, a.language, a.version) == key), None)


def _content(channel: Channel, text: str) -> Content:
    return Content(text, subject=text, html=f"<p>{text}</p>") if channel == "email" else Content(text)


class FakeNotes:
    """`NoteWording`: the note's name, then its code or link."""

    def render(self, note: str, channel: Channel, language: str | None, values: Mapping[str, str]) -> Content:
        """See `NoteWording.render`."""
        return _content(channel, f"{note} {values.get('code') or values.get('link', '')}")

    def language_for(self, tag: str | None) -> str:
        """See `NoteWording.language_for`."""
        return "en"

    def version(self, note: str, channel: Channel, language: str | None) -> str:
        """See `NoteWording.version`."""
        return "1"

    def approval(self, note: str, channel: Channel, language: str | None) -> Approval | None:
        """See `NoteWording.approval`."""
        return None
