"""What the preference page, the undo page and the unsubscribe page show, and how their posts are read."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from urllib.parse import parse_qs

from aws_lambda_powertools.event_handler import Response

from ..domain.address_changes import locked
from ..domain.contacts import Address, Contact
from ..domain.decisions import Policy, window_for
from ..domain.form_tokens import make_form_token, read_form_token, same_site
from ..domain.identity import mask
from ..domain.preferences import CHANNELS, Topic
from ..domain.second_step import StepKind
from .pages import LANGUAGES, Pages, page_response

FORM_BYTES = 20_000
_FORM = "application/x-www-form-urlencoded"

LANGUAGE_NAMES: Mapping[str, str] = {"en": "English", "es": "Español", "fr": "Français", "de": "Deutsch"}


class PostRefused(Exception):
    """A post that does not come from our own page, or is no form."""


Form: TypeAlias = Mapping[str, Sequence[str]]
"""A form's fields as they were sent."""


def form_of(body: str | None, headers: Mapping[str, str], site: str) -> dict[str, list[str]]:
    """The fields of a form's post; PostRefused for one of another page, too long, or of another kind."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise PostRefused
    if len(body or "") > FORM_BYTES or not same_site(
        headers.get("origin"), headers.get("sec-fetch-site"), site
    ):
        raise PostRefused
    try:
        return parse_qs(body or "", keep_blank_values=True, max_num_fields=200, errors="strict")
    except ValueError as error:
        raise PostRefused from error


class Outcome(Protocol):
    """What was wrong with a post, and with which field."""

    @property
    def problem(self) -> str:
        """The name of what was wrong."""

    @property
    def field(self) -> str:
        """The field's name."""


class PreferenceViews:
    """Renders the pages: the preferences themselves, and those with one question."""

    def __init__(
        self,
        pages: Pages,
        topics: Sequence[Topic],
        policy: Policy,
        now: Callable[[], datetime],
        keys: Callable[[], Sequence[bytes]],
    ) -> None:
        self._pages = pages
        self._topics = topics
        self._policy = policy
        self._now = now
        self._keys = keys

    def checked(self, form: Form, token: str, contact: Contact) -> Form:
        """The form; PostRefused unless it is of the page that we showed of this contact as it still is."""
        given = next(iter(form.get("form", ())), "")
        if read_form_token(self._keys(), token, given, self._now()) != contact.version:
            raise PostRefused
        return form

    def language(self, contact: Contact, wishes: str | None) -> str:
        """The language that a contact's page is in; `wishes` is the browser's Accept-Language."""
        return self._pages.language(contact.language, wishes)

    def show(
        self,
        token: str,
        contact: Contact,
        wishes: str | None,
        asks: StepKind,
        posted: Outcome | None = None,
        typed: Mapping[str, Sequence[str]] | None = None,
        *,
        done: str = "",
    ) -> Response[str]:
        """The preferences of a contact; `asks` is the second step before a change of address."""
        language = self.language(contact, wishes)
        notes = self._pages.texts("preferences", language)["done"]
        values = shown(
            contact,
            self._topics,
            asks,
            pages=self._pages,
            language=language,
            policy=self._policy,
            now=self._now(),
            form=make_form_token(self._keys()[0], token, contact.version, self._now()),
            done=done if done in notes else "",
            problem=posted.problem if posted else "",
            field=posted.field if posted else "",
            typed={
                name: value
                for name in ("opens", "closes", "channel")
                for value in (typed or {}).get(name, ())
            },
        )
        return page_response(422 if posted else 200, self._pages.render("preferences", language, **values))

    def confirm(self, kind: str, state: str, wishes: str | None, status: int = 200) -> Response[str]:
        """A page with one question (`ask`), or its answer."""
        language = self._pages.language(wishes)
        return page_response(status, self._pages.render("confirm", language, kind=kind, state=state))


def shown(
    contact: Contact,
    topics: Sequence[Topic],
    asks: StepKind,
    *,
    pages: Pages,
    language: str,
    policy: Policy,
    now: datetime,
    form: str,
    done: str = "",
    problem: str = "",
    field: str = "",
    typed: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Everything that the page's template shows of one contact; addresses masked, since mail is forwarded."""
    names = pages.texts("preferences", language)["topics"]
    window = window_for(contact, policy)
    changing = {c.channel: c for c in contact.changing}
    rows = [
        {
            "name": topic.name,
            "label": names.get(topic.name, topic.name.replace("-", " ").capitalize()),
            "stays": not topic.may_leave,
            "channels": [(c, not contact.opted_out(c, topic.name)) for c in topic.channels],
        }
        for topic in topics
    ]
    return {
        "topics": rows,
        "remain": [row["label"] for row in rows if row["stays"]],
        "first": contact.channel_order[0] if contact.channel_order else "",
        "languages": [(code, LANGUAGE_NAMES[code], code == language) for code in LANGUAGES],
        "opens": window.opens.isoformat("minutes"),
        "closes": window.closes.isoformat("minutes"),
        "earliest": policy.window.opens.isoformat("minutes"),
        "latest": policy.window.closes.isoformat("minutes"),
        "addresses": [(c, masked(contact.address(c))) for c in CHANNELS],
        "asked": [(c, masked(x.address)) for c, x in changing.items() if not x.confirmed_at],
        "coming": [
            (masked(x.address), x.effective_at[:10], x.review == "asked")
            for x in contact.changing
            if x.confirmed_at
        ],
        "asks": asks,
        "can_change": asks != "none" and not locked(contact, now),
        "consent": contact.consent is not None and contact.consent.given,
        "withdrew": contact.withdrew,
        "paper_required": contact.paper_required,
        "form": form,
        "done": done,
        "problem": problem,
        "wrong_field": field,
        "typed": dict(typed or {}),
    }


def masked(address: Address | None) -> str:
    """An address as its owner recognises it and nobody else learns it: `a…@example.com`, `…01`."""
    if address is None:
        return ""
    local, at, host = address.value.rpartition("@")
    return f"{local[:1]}…@{host}" if at else mask(address.value)
