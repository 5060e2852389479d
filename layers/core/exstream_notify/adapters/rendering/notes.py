"""Short messages that answer what a customer did: a code, a confirmation, the answer to a reply.

Texts are in `wording/notes/texts.yaml` by language, a site's own laid over them; an e-mail gets the layout of
all e-mails. Words of a note are templates of the values that it is given, and of `brand` and `support`.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from ...domain.approvals import Approval
from ...domain.documents import Channel
from ...domain.messages import Content
from ...domain.sms_text import fold
from .approvals import approvals_by_version
from .brand import Brand
from .composing import Composer
from .formats import split_tag
from .texts import LAYOUTS, PACKAGE_WORDING, WordingError, WordingFiles, laid_over, read_yaml, short_hash

_FRAME = ("link_hint", "security", "contact", "colon")
"""What an e-mail's note has of the texts that all messages share."""

_VARIABLE = re.compile(r"{{ *(\w+) *}}")


class Notes:
    """Renders notes: `ports.NoteWording`. Raises WordingError."""

    def __init__(self, brand: Brand, site: Path | None = None, default_language: str = "en") -> None:
        self._files = WordingFiles(site)
        self._brand = brand.overlaid(site)
        self._composer = Composer(self._files, self._brand)
        self._folders = [PACKAGE_WORDING, *([site] if site is not None else [])]
        self._default = default_language
        self._site = site

    @cached_property
    def texts(self) -> Mapping[str, Any]:
        """Every note by language and name."""
        merged: dict[str, Any] = {}
        for path in (folder / "notes" / "texts.yaml" for folder in self._folders):
            if path.exists():
                merged = laid_over(merged, read_yaml(path))
        return merged

    def language_for(self, tag: str | None) -> str:
        """The language that a customer of that tag is told in."""
        language, _ = split_tag(tag)
        return language if language in self.texts else self._default

    def version(self, note: str, channel: Channel, language: str | None) -> str:
        """See `NoteWording.version`: of the note's words, and in an e-mail of what frames them."""
        spoken = self.language_for(language)
        words = self._words(note, spoken)
        if channel == "sms":
            return short_hash([words["sms"], asdict(self._brand)])
        common = self._files.language(spoken).common
        layouts = [self._files.layout(name) for name in LAYOUTS]
        framed = [{**words, "sms": None}, {name: common.get(name) for name in _FRAME}, layouts]
        return short_hash([framed, asdict(self._brand)])

    def approval(self, note: str, channel: Channel, language: str | None) -> Approval | None:
        """See `NoteWording.approval`."""
        spoken = self.language_for(language)
        return self._approvals.get((named(note), channel, spoken, self.version(note, channel, spoken)))

    @cached_property
    def _approvals(self) -> Mapping[tuple[str, str, str, str], Approval]:
        return approvals_by_version(self._site)

    def _words(self, note: str, language: str) -> Mapping[str, Any]:
        try:
            words: Mapping[str, Any] = self.texts[language][note]
        except KeyError as error:
            raise WordingError(f"notes/texts.yaml: {language}: there is no note {note}") from error
        return words

    def render(self, note: str, channel: Channel, language: str | None, values: Mapping[str, str]) -> Content:
        """One note's content for a channel."""
        language = self.language_for(language)
        words = self._words(note, language)
        known = {**values, "support": self._brand.support_contact}
        if channel == "sms":
            return Content(fold(_filled(words["sms"], {**known, "brand": self._brand.short_name})))
        known["brand"] = self._brand.name
        texts = self._files.language(language)
        body = [_filled(line, known) for line in words["body"]]
        said: dict[str, Any] = {
            "language": language,
            "subject": _filled(words["subject"], known),
            "preheader": body[0],
            "heading": _filled(words["subject"], known),
            "greeting": "",
            "opening": body[0],
            "paragraphs": body[1:],
            "facts": [(words["code"], known["code"])] if "code" in words else [],
            "link": known.get("link"),
            "button": _filled(words.get("button", ""), known),
            "link_hint": str(texts.common.get("link_hint", "")),
            "no_link": "",
            "security": str(texts.common.get("security", "")),
            "closing": "",
            "contact": str(texts.common.get("contact", "")),
            "why": _filled(words["why"], known),
            "preferences": "",
            "preferences_link": None,
            "colon": str(texts.common.get("colon", ":")),
        }
        return Content(
            text=self._composer.lay_out("layout.txt", said),
            subject=said["subject"],
            html=self._composer.lay_out("layout.html", said),
        )


def named(note: str) -> str:
    """The name of a note among wordings, as `approvals.yaml` has it."""
    return f"note:{note}"


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise WordingError(f"notes/texts.yaml: there is no value {found[1]}")
        return values[found[1]]

    return _VARIABLE.sub(value, text)
