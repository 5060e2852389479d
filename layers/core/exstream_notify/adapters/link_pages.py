"""The page behind a secure link, in each of its states: status, words, and where its form leads."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from aws_lambda_powertools.event_handler import Response

from ..domain.links import LinkState, Look
from .pages import Pages, page_response, redirect_response
from .rendering.texts import WordingFiles

STATUS: Mapping[LinkState, int] = {
    LinkState.READY: 200,
    LinkState.ASKS: 200,
    LinkState.WRONG: 403,
    LinkState.UNKNOWN: 404,
    LinkState.MISSING: 404,
    LinkState.EXPIRED: 410,
    LinkState.REVOKED: 410,
    LinkState.SUPERSEDED: 410,
    LinkState.LOCKED: 423,
}
"""RFC 9110 15.5.4, 15.5.5, 15.5.11; 423 Locked is RFC 4918 11.3."""

_AUTOCOMPLETE: Mapping[str, str] = {"birth_date": "bday", "postcode": "postal-code"}
"""WCAG 1.3.5: what a field is for, so that a browser can fill it in."""

_FORM_LIMIT = 4096


class LinkPages:
    """Shows what a link leads to. `leads_to` are the origins that its form may lead on to.

    `preferences_for` gives the preference page's address of a contact's salt. It is shown where the document
    may be opened, and not before a second step: who has not taken that may be anybody.
    """

    def __init__(
        self,
        pages: Pages,
        words: WordingFiles,
        leads_to: Sequence[str],
        preferences_for: Callable[[str], str],
    ) -> None:
        self._pages = pages
        self._words = words
        self._leads_to = leads_to
        self._preferences_for = preferences_for

    def language(self, look: Look, accepted: str | None) -> str:
        """The customer's language as we know it, else the browser's."""
        return self._pages.language(*look.languages, accepted)

    def answer(self, look: Look, accepted: str | None) -> Response[str]:
        """The page of a look, or the way on of one that was opened."""
        if look.state == LinkState.OPENED:
            return redirect_response(look.leads_to)
        language = self.language(look, accepted)
        form = look.state in (LinkState.READY, LinkState.ASKS, LinkState.WRONG)
        kind = self._words.language(language).document_name(look.notice.document_type) if look.notice else ""
        step = look.step.kind if look.step else ""
        theirs = look.salt if look.state == LinkState.READY else ""
        html = self._pages.render(
            "document",
            language,
            state=str(look.state),
            kind=kind,
            form=form,
            step=step,
            autocomplete=_AUTOCOMPLETE.get(step, "off"),
            preferences_link=self._preferences_for(theirs) if theirs else "",
        )
        return page_response(STATUS[look.state], html, leads_to=self._leads_to if form else ())


def answer_in(event: Any) -> str:
    """What was typed, from a form's body; empty if there is none that can be read."""
    try:
        body = event.decoded_body or ""
    except ValueError:
        return ""
    try:
        return str(parse_qs(body[:_FORM_LIMIT], max_num_fields=10).get("answer", [""])[0])
    except ValueError:
        return ""
