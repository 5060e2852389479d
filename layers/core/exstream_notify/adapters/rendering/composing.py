"""From wording and a set of present values to a form: which texts apply, and the layout around them."""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any

from ...domain.sms_text import parts
from .brand import Brand
from .colours import contrast, readable, text_on
from .formats import text_direction
from .forms import MailForm, Mark, Pattern, Phrase, Phrasebook, alternatives, sms_pattern
from .texts import LanguageTexts, WordingError, WordingFiles
from .variables import ALLOWED, CONSTANT, Place, clean

_LIGHT = {
    "page": "#eef1f5",
    "card": "#ffffff",
    "line": "#d5dbe3",
    "text": "#1d2733",
    "soft": "#4a5766",
    "dim": "#4a5766",
}
_DARK = {"page": "#12161b", "card": "#1c2229", "line": "#3a4552", "text": "#e8ecf0", "soft": "#b3bdc8"}

_FILLER = "\u034f\u00a0" * 60  # keeps a mail program from showing the body's start after the preheader

_LINE_BREAKS = re.compile(r"[ \t\r\n]+")  # not the no-break space, which French needs before a colon

_ONE_PART_LANGUAGES = frozenset({"en"})


def part_limit(language: str) -> int:
    """How many parts an SMS may take: one in English, two in languages that need more letters."""
    return 1 if language in _ONE_PART_LANGUAGES else 2


def palette(brand: Brand) -> dict[str, dict[str, str]]:
    """The layout's colours, light and dark; every text in them reads at 4.5 to 1 or better."""
    light = {
        **_LIGHT,
        "accent": brand.colour,
        "link": readable(brand.colour, _LIGHT["card"]),
        "dim_link": readable(brand.colour, _LIGHT["page"]),
        "button": brand.colour,
        "on_button": text_on(brand.colour),
    }
    # Links stand on page and card: what reads on the lighter of the two reads on both.
    lighter = max(_DARK["page"], _DARK["card"], key=lambda c: contrast(c, "#000000"))
    return {"light": light, "dark": {**_DARK, "accent": readable(brand.colour, lighter)}}


class Composer:
    """Makes forms of one brand's wording."""

    def __init__(self, files: WordingFiles, brand: Brand, book: Phrasebook | None = None) -> None:
        self._files = files
        self._brand = brand
        self._book = book or Phrasebook()
        self._palette = palette(brand)

    def variables(self, texts: LanguageTexts, wording: str, channel: str) -> frozenset[str]:
        """The variables that this message can show, without the brand's own."""
        place, sources = self._sources(texts, wording, channel)
        mentioned: set[str] = set()
        for where, source in sources:
            mentioned |= self._book.phrase(source).mentions & ALLOWED[where]
        if place == "mail":
            mentioned |= {"link", "preferences_link"}
        return frozenset(mentioned - CONSTANT - {"message"})

    def mail(
        self,
        texts: LanguageTexts,
        wording: str,
        present: Collection[str],
        *,
        given: Mapping[str, str] | None = None,
        rows: Sequence[tuple[str, str]] = (),
    ) -> MailForm:
        """An e-mail's form for documents with these values. Raises WordingError.

        `given` are values known already, `rows` more facts: the counts of a digest.
        """
        said = self.say(texts, wording, present, given=given)
        said["facts"] += rows
        return MailForm(
            Pattern.cut(said["subject"]),
            Pattern.cut(self.lay_out("layout.txt", said)),
            Pattern.cut(self.lay_out("layout.html", said)),
        )

    def say(
        self,
        texts: LanguageTexts,
        wording: str,
        present: Collection[str],
        *,
        given: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """What an e-mail says, before it is laid out, with marks. Raises WordingError."""
        place: Place = "team_mail" if is_internal(wording) else "mail"
        head_place: Place = "team_subject" if place == "team_mail" else "subject"
        body = self._context(present, place, given or {})
        head = self._context(present, head_place, given or {})

        def first(key: str, context: Mapping[str, object]) -> str:
            return self._first(texts.of(wording, key), context, f"{wording}.{key}")

        subject = first("subject", head)
        if not subject:
            raise WordingError(f"{texts.language}.yaml: types.{wording}: no words for an e-mail")
        link = body.get("link")
        entries = texts.of(wording, "body") or []
        opening, *paragraphs = [self._first(entry, body, f"{wording}.body") for entry in entries] or [""]
        return {
            "language": texts.language,
            "subject": _LINE_BREAKS.sub(" ", subject).strip(),
            "preheader": first("preheader", head),
            "opening": opening,
            "paragraphs": [p for p in paragraphs if p],
            "facts": self._facts(texts, wording, body),
            "link": link,
            "preferences_link": body.get("preferences_link"),
            **{key: first(key, body) for key in BODY_KEYS},
            "colon": first("colon", body) or ":",
        }

    def sms(self, texts: LanguageTexts, wording: str, present: Collection[str]) -> list[Pattern]:
        """The texts that would do for documents with these values, the best first. Raises WordingError."""
        context = self._context(present, "sms", {"brand": clean(self._brand.short_name)})
        if self._brand.sms_opt_out and texts.of(wording, "sms_opt_out_notice", False):
            context["opt_out"] = str(texts.of(wording, "sms_opt_out", "")) or None
        messages = [phrase for phrase in self._phrases(texts.of(wording, "sms")) if _fits(phrase, context)]
        if not messages:
            raise WordingError(f"{texts.language}.yaml: types.{wording}: no words for an SMS")
        said = [self._book.say(phrase, context) for phrase in messages]
        frames = [f for f in self._phrases(texts.of(wording, "sms_frames")) if _fits(f, context, "message")]
        return [
            sms_pattern(self._book.say(frame, {**context, "message": message}))
            for frame in frames
            for message in said
        ]

    def _sources(
        self, texts: LanguageTexts, wording: str, channel: str
    ) -> tuple[Place, list[tuple[Place, str]]]:
        """Every text of a type and channel, with the place it stands in."""
        found: list[tuple[Place, str]] = []
        if channel == "sms":
            for key in ("sms", "sms_frames"):
                found += [("sms", source) for source in alternatives(texts.of(wording, key))]
            return "sms", found
        place: Place = "team_mail" if is_internal(wording) else "mail"
        head: Place = "team_subject" if place == "team_mail" else "subject"
        for key in HEAD_KEYS:
            found += [(head, source) for source in alternatives(texts.of(wording, key))]
        for key in BODY_KEYS:
            found += [(place, source) for source in alternatives(texts.of(wording, key))]
        for entry in texts.of(wording, "body") or []:
            found += [(place, source) for source in alternatives(entry)]
        for fact in chain.from_iterable(texts.facts(wording)):
            found += [(place, "{{ " + fact.variable + " }}"), (place, fact.label), (place, fact.value)]
        return place, found

    def _phrases(self, entry: object) -> list[Phrase]:
        return [self._book.phrase(source) for source in alternatives(entry)]

    def _first(self, entry: object, context: Mapping[str, object], where: str) -> str:
        for phrase in self._phrases(entry):
            if _fits(phrase, context):
                try:
                    return self._book.say(phrase, context)
                except WordingError as error:
                    raise WordingError(f"{where}: {error}") from error
        return ""

    def _facts(
        self, texts: LanguageTexts, wording: str, context: Mapping[str, object]
    ) -> list[tuple[str, str]]:
        facts = []
        for rows in texts.facts(wording):
            for fact in rows:
                label, value = self._book.phrase(fact.label), self._book.phrase(fact.value)
                if context.get(fact.variable) and _fits(value, context):
                    facts.append((self._book.say(label, context), self._book.say(value, context)))
                    break
        return facts

    def _context(self, present: Collection[str], place: Place, given: Mapping[str, str]) -> dict[str, object]:
        """What a template sees: a mark for what is there, None for what is not; nothing else exists."""
        context: dict[str, object] = {
            name: Mark(name) if name in present else None for name in ALLOWED[place] - CONSTANT
        }
        own = {
            "opt_out": "",
            "brand": clean(self._brand.name, 200),
            "support": clean(self._brand.support_contact, 200),
        }
        context |= {name: value or None for name, value in own.items() if name in ALLOWED[place]}
        context |= {name: value for name, value in given.items() if name in ALLOWED[place]}
        return context

    def lay_out(self, name: str, shown: Mapping[str, Any]) -> str:
        """What an e-mail says, within a layout. Raises WordingError."""
        brand = self._brand
        direction = text_direction(str(shown["language"]))
        context = {
            **shown,
            **self._palette,
            "direction": direction,
            "start": "left" if direction == "ltr" else "right",
            "end": "right" if direction == "ltr" else "left",
            "filler": _FILLER,
            "brand": {
                "name": clean(brand.name, 200),
                "support": clean(brand.support_contact, 200),
                "support_link": brand.support_link,
                "address": [line for line in map(clean, brand.postal_address.splitlines()) if line],
                "logo_url": brand.logo_url,
                "logo_alt": clean(brand.logo_alt or brand.name, 200),
                "logo_width": brand.logo_width,
            },
        }
        return self._book.lay_out(name, self._files.layout(name), context)


HEAD_KEYS = ("subject", "preheader")
BODY_KEYS = (
    "heading",
    "greeting",
    "no_link",
    "button",
    "link_hint",
    "security",
    "closing",
    "contact",
    "why",
    "preferences",
    "colon",
)


def is_internal(wording: str) -> bool:
    """Whether the wording is for an internal team."""
    return wording.startswith("team-")


def best_fit(candidates: Sequence[Pattern], values: Mapping[str, str], limit: int) -> tuple[Pattern, str]:
    """The first text that fits the limit of parts; if none does, the shortest rather than nothing."""
    filled = []
    for pattern in candidates:
        text = pattern.fill(values)
        count = parts(text)
        if count <= limit:
            return pattern, text
        filled.append((count, pattern, text))
    _, pattern, text = min(filled, key=lambda f: f[0])
    return pattern, text


def _fits(phrase: Phrase, context: Mapping[str, object], *also: str) -> bool:
    """Whether all that the text prints is there; a name that no variable has counts as there, to fail."""
    return all(name in also or name not in context or context[name] is not None for name in phrase.needs)
