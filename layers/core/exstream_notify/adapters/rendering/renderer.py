"""What a customer reads: subject, HTML and text of an e-mail, or one SMS, in the customer's language."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from ...domain.approvals import Approval
from ...domain.documents import Channel, Document
from ...domain.messages import Content
from ...domain.runs import STILL_WAITING
from ...ports import BulkRendering
from .approvals import approvals_by_version
from .brand import Brand
from .composing import Composer, best_fit, is_internal, part_limit
from .formats import format_count, locale_for, split_tag
from .forms import MailForm, Pattern, looks_like_insert, number_inserts
from .texts import LAYOUTS, LanguageTexts, WordingError, WordingFiles, short_hash
from .variables import SMS_DETAILS, Source, clean, presence, values_of

DIGEST = "team-digest"

_FORMS_KEPT = 1024  # some 15 kB each; a site has a few dozen

_HTML = 2  # where a mail form's patterns have the HTML

_SPECIAL = frozenset("&<>\"'")

_SMS_KEYS = ("sms", "sms_frames", "sms_opt_out", "sms_opt_out_notice")


class Renderer:
    """Renders documents in a brand's wording: `ports.Wording`.

    `overrides` is a site's folder, laid over the package's wording (docs/wording.md). `default_language` is
    the fallback: for customers whose language is not offered, and for types without words in a language
    that is. Files are read and templates compiled when first needed, then kept. Raises WordingError for
    wording that cannot be used; `check_wording` finds all of that beforehand.
    """

    def __init__(self, brand: Brand, *, overrides: Path | None = None, default_language: str = "en") -> None:
        self._files = WordingFiles(overrides)
        self._brand = brand.overlaid(overrides)
        self._composer = Composer(self._files, self._brand)
        self._languages = self._files.languages
        if default_language not in self._languages:
            raise WordingError(f"default language {default_language!r}: there is no {default_language}.yaml")
        self._default = default_language
        self._variables: dict[tuple[str, str, str], frozenset[str]] = {}
        self._mails: dict[tuple[str, str, frozenset[str]], MailForm] = {}
        self._sms: dict[tuple[str, str, frozenset[str]], list[Pattern]] = {}
        self._spoken: dict[tuple[str, Channel, str], str] = {}
        self._versions: dict[tuple[str, str, str], str] = {}
        self._overrides = overrides
        self._approvals: Mapping[tuple[str, str, str, str], Approval] | None = None

    @property
    def brand(self) -> Brand:
        """The brand, with what the site's folder says of it."""
        return self._brand

    @property
    def files(self) -> WordingFiles:
        """The wording itself."""
        return self._files

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages there are words in, the default first."""
        return (self._default, *sorted(self._languages - {self._default}))

    def language_for(self, document_language: str | None) -> str:
        """The language that a document of that language tag is told of in; else the default one."""
        language, _ = split_tag(document_language)
        return language if language in self._languages else self._default

    def language_of(self, wording: str, channel: Channel, document_language: str | None) -> str:
        """See `Wording.language_of`."""
        key = (wording, channel, self.language_for(document_language))
        if key not in self._spoken:
            self._spoken[key] = self._files.language_with(*key, self._default)
        return self._spoken[key]

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
        """The content of one message. Raises WordingError."""
        own = None if is_internal(wording) else document.language
        texts = self._files.language(self.language_of(wording, channel, language or own))
        values = self._values(texts, wording, channel, document, link, preferences_link)
        if channel == "sms":
            candidates = self._sms_form(texts, wording, frozenset(values))
            return Content(best_fit(candidates, values, part_limit(texts.language))[1])
        form = self._mail_form(texts, wording, frozenset(values))
        return Content(
            text=form.text.fill(values),
            subject=form.subject.fill(values),
            html=form.html.fill(_escaped(values)),
        )

    def render_digest(
        self, team: str, run_id: str, counts: Mapping[str, int], *, language: str | None = None
    ) -> Content:
        """The e-mail that tells an internal team what a run issued; in the default language if none is given.

        `counts` are documents by document type, and with `STILL_WAITING` those that may still go out.
        Raises WordingError.
        """
        waiting = counts.get(STILL_WAITING, 0)
        counts = {kind: number for kind, number in counts.items() if kind != STILL_WAITING}
        texts = self._files.language(self.language_of(DIGEST, "email", language))
        locale = locale_for(texts.language, None, None, texts.territory)
        given = {
            "team": clean(team.replace("-", " ").replace("_", " ").capitalize()),
            "run": clean(run_id, 200),
            "total": format_count(sum(counts.values()), locale),
        }
        if waiting:
            given["waiting"] = format_count(waiting, locale)
        names = sorted((clean(texts.document_name(kind)), number) for kind, number in counts.items())
        rows = [(name, format_count(number, locale)) for name, number in names]
        form = self._composer.mail(texts, DIGEST, (), given=given, rows=rows)
        return Content(form.text.fill({}), form.subject.fill({}), form.html.fill({}))

    def bulk_key(self, document: Document) -> Hashable:
        """Documents with equal keys have the same values present, so they can share a bulk content."""
        return presence(document)

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
        """One content with insert marks `(i1)`, `(i2)` …, and each document's inserts in that order.

        Filling them in gives what `render` gives, to the letter. The content is the one that suits
        most; inserts are None for a document that needs another (it has other values, or would get a
        shorter SMS) or has a value that the provider could take for an insert mark: send it by itself.
        """
        texts = self._files.language(self.language_of(wording, channel, language))
        footers = preferences_links or [None] * len(documents)
        rows = [
            self._values(texts, wording, channel, document, link, footer)
            for document, link, footer in zip(documents, links, footers, strict=True)
        ]
        chosen: list[tuple[Pattern, ...]] = []
        for values in rows:
            if channel == "sms":
                candidates = self._sms_form(texts, wording, frozenset(values))
                chosen.append((best_fit(candidates, values, part_limit(texts.language))[0],))
            else:
                chosen.append(self._mail_form(texts, wording, frozenset(values)).patterns)
        if not rows:
            return BulkRendering(Content(""), ())
        form = Counter(chosen).most_common(1)[0][0]
        escaped = [_escaped(values) if channel == "email" else values for values in rows]
        alike = [i for i, patterns in enumerate(chosen) if patterns == form]
        changed = {name for i in alike for name, value in rows[i].items() if escaped[i][name] != value}
        numbered, order = number_inserts([(p, number == _HTML) for number, p in enumerate(form)], changed)
        safe = all(pattern.bulk_safe for pattern in form)
        inserts: list[tuple[str, ...] | None] = [None] * len(rows)
        for i in alike if safe else ():
            row = tuple([(escaped[i] if html else rows[i])[name] for name, html in order])
            inserts[i] = None if any(map(looks_like_insert, row)) else row
        if channel == "sms":
            return BulkRendering(Content(numbered[0]), tuple(inserts))
        subject, text, html_text = numbered
        return BulkRendering(Content(text, subject, html_text), tuple(inserts))

    def version(self, wording: str, channel: Channel, language: str) -> str:
        """Twelve hex characters that name the words, layout and brand a message was made from."""
        key = (wording, channel, self.language_of(wording, channel, language))
        if key not in self._versions:
            texts = self._files.language(key[2]).effective(wording)
            sms = {name: texts.pop(name, None) for name in _SMS_KEYS}
            layouts = [self._files.layout(name) for name in LAYOUTS]
            words: object = sms if channel == "sms" else [texts, layouts]
            self._versions[key] = short_hash([words, asdict(self._brand)])
        return self._versions[key]

    def approval(self, wording: str, channel: Channel, language: str) -> Approval | None:
        """Who approved the words as they are now, newest first; None if nobody did. Raises WordingError."""
        if self._approvals is None:
            self._approvals = approvals_by_version(self._overrides)
        spoken = self.language_of(wording, channel, language)
        return self._approvals.get((wording, channel, spoken, self.version(wording, channel, spoken)))

    def _values(
        self,
        texts: LanguageTexts,
        wording: str,
        channel: Channel,
        document: Document,
        link: str | None,
        preferences_link: str | None,
    ) -> dict[str, str]:
        for address in (link, preferences_link):
            if address is not None and not address.startswith(("https://", "http://")):
                raise ValueError("a link is a web address")
        key = (wording, channel, texts.language)
        if key not in self._variables:
            variables = self._composer.variables(texts, wording, channel)
            if channel == "sms" and not self._brand.sms_details:
                variables -= SMS_DETAILS
            self._variables[key] = variables
        country = None if is_internal(wording) else document.country
        tag = None if is_internal(wording) else document.language
        locale = locale_for(texts.language, country, tag, texts.territory)
        source = Source(document, texts, locale, channel, link, preferences_link)
        return values_of(source, self._variables[key])

    def _mail_form(self, texts: LanguageTexts, wording: str, present: frozenset[str]) -> MailForm:
        key = (texts.language, wording, present)
        if key not in self._mails:
            if len(self._mails) >= _FORMS_KEPT:
                self._mails.clear()
            self._mails[key] = self._composer.mail(texts, wording, present)
        return self._mails[key]

    def _sms_form(self, texts: LanguageTexts, wording: str, present: frozenset[str]) -> list[Pattern]:
        key = (texts.language, wording, present)
        if key not in self._sms:
            if len(self._sms) >= _FORMS_KEPT:
                self._sms.clear()
            self._sms[key] = self._composer.sms(texts, wording, present)
        return self._sms[key]


def _escaped(values: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value if _SPECIAL.isdisjoint(value) else escape(value, quote=True)
        for name, value in values.items()
    }
