"""Wording files: one YAML file a language, this package's with the site's laid over it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...domain.documents import Channel

PACKAGE_WORDING = Path(__file__).parent.parent.parent / "wording"
LAYOUTS = ("layout.html", "layout.txt")
NO_LANGUAGES = frozenset({"brand", "approvals", "notes"})
"""YAML files of a wording folder that are no language's; short notes have all languages in one."""

WORDS: Mapping[Channel, tuple[str, ...]] = {"email": ("subject", "body"), "sms": ("sms", "sms_frames")}
"""The texts without which a type has no message on a channel."""


class WordingError(Exception):
    """Wording or brand that cannot be used; the message names file, key and reason, never a value."""

    impersonal = True


def read_yaml(path: Path) -> dict[str, Any]:
    """A file of keys and values. Raises WordingError."""
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast
        data = yaml.load(path.read_text("utf-8"), loader)  # noqa: S506 - either way a safe one
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise WordingError(f"{path.name}: {' '.join(str(error).split())}") from error
    if not isinstance(data or {}, dict):
        raise WordingError(f"{path.name}: keys and values are needed at the top")
    return data or {}


def laid_over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merged key by key; anything else is replaced."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = laid_over(below, value)
        else:
            merged[key] = value
    return merged


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the table in an e-mail, shown if its variable has a value."""

    variable: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class LanguageTexts:
    """The effective texts of one language."""

    language: str
    territory: str
    common: Mapping[str, Any]
    types: Mapping[str, Mapping[str, Any]]

    def of(self, wording: str, key: str, default: Any = None) -> Any:
        """A type's text, else the one common to all types."""
        entry = self.types.get(wording)
        if entry is None:
            raise WordingError(f"{self.language}.yaml: types.{wording}: there are no such words")
        return entry.get(key, self.common.get(key, default))

    def lacks(self, wording: str, channel: Channel) -> tuple[str, ...]:
        """The texts of `WORDS` that a type does not have on a channel; empty where it has words."""
        entry = self.types.get(wording)
        if entry is None:
            return WORDS[channel]
        return tuple(key for key in WORDS[channel] if not _says(entry.get(key, self.common.get(key))))

    def effective(self, wording: str) -> dict[str, Any]:
        """All texts that a message of this type can show."""
        if wording not in self.types:
            raise WordingError(f"{self.language}.yaml: types.{wording}: there are no such words")
        return laid_over(self.common, self.types[wording])

    def facts(self, wording: str) -> list[list[Fact]]:
        """The lines that a type shows; of several in one list the first that has a value."""
        lines = self.types[wording].get("facts") or []
        return [[self._fact(wording, f) for f in (x if isinstance(x, list) else [x])] for x in lines]

    def _fact(self, wording: str, entry: object) -> Fact:
        """From a variable's name, with the common label, or from a name with a label of its own."""
        labels = self.common.get("facts") or {}
        name, told = next(iter(entry.items())) if isinstance(entry, dict) and entry else (str(entry), None)
        told = told or labels.get(name)
        if not told:
            raise WordingError(f"{self.language}.yaml: types.{wording}.facts: {name}: there is no label")
        own = told if isinstance(told, dict) else {"label": told}
        return Fact(str(name), str(own.get("label", "")), str(own.get("value", "{{ " + str(name) + " }}")))

    def document_name(self, document_type: str) -> str:
        """What a document of this type is called."""
        entry = self.types.get(document_type)
        name = entry.get("document") if entry else None
        return str(name or document_type.replace("-", " ").replace("_", " ").capitalize())


def _says(entry: object) -> bool:
    """Whether a text, or one of a list, is more than blanks."""
    if isinstance(entry, list):
        return any(map(_says, entry))
    return entry is not None and bool(str(entry).strip())


class WordingFiles:
    """The package's files, and over them the site's folder if it has one.

    A language is read when it is first asked for: parsing one costs some milliseconds.
    """

    def __init__(self, site: Path | None = None) -> None:
        self._folders = [PACKAGE_WORDING, *([site] if site is not None else [])]
        self._languages: dict[str, LanguageTexts] = {}
        self._layouts: dict[str, str] = {}

    @property
    def languages(self) -> frozenset[str]:
        """The languages there are words in: each has its own file."""
        names = (path.stem for folder in self._folders for path in folder.glob("*.yaml"))
        return frozenset(name for name in names if name not in NO_LANGUAGES)

    def language(self, language: str) -> LanguageTexts:
        """One language's texts. Raises WordingError."""
        if language not in self._languages:
            merged: dict[str, Any] = {}
            for path in self.paths(f"{language}.yaml"):
                merged = laid_over(merged, read_yaml(path))
            common, types = merged.get("common") or {}, merged.get("types") or {}
            if not isinstance(common, dict) or not all(
                isinstance(entry, dict) for entry in (types.values() if isinstance(types, dict) else [None])
            ):
                raise WordingError(f"{language}.yaml: `common` and each of `types` need keys and values")
            territory = str(merged.get("territory") or "")
            self._languages[language] = LanguageTexts(language, territory, common, types)
        return self._languages[language]

    def language_with(self, wording: str, channel: Channel, language: str, fallback: str) -> str:
        """`language` where it has words for this type and channel, else `fallback` where that has some.

        Where neither has words, and where the language's file cannot be read, it is `language`: rendering
        then fails and names the file.
        """
        if language == fallback:
            return language
        try:
            lacks = bool(self.language(language).lacks(wording, channel))
            return fallback if lacks and not self.language(fallback).lacks(wording, channel) else language
        except WordingError:
            return language

    def layout(self, name: str) -> str:
        """A layout's source: the site's own, else the package's."""
        if name not in self._layouts:
            self._layouts[name] = self.paths(name)[-1].read_text("utf-8")
        return self._layouts[name]

    def paths(self, name: str) -> list[Path]:
        """Where a file of that name lies, the topmost last."""
        return [folder / name for folder in self._folders if (folder / name).exists()]


def short_hash(content: object) -> str:
    """Twelve hex characters that change when the content does."""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
