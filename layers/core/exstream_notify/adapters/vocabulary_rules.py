"""rules/vocabulary.yaml, a site's own words added, as validated data."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from ..domain.masking import Vocabulary, folded

_WORD = re.compile(r"[^\W\d_]+")
_WILD = re.compile(r"\[[^\]]*\]|[*?]")


def _split(text: object) -> object:
    return text.split() if isinstance(text, str) else text


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError("a word is made of letters alone")
    return folded(text)


def _whole_word(text: str) -> str:
    if len(text) < 2:
        raise ValueError("a word of one letter may be an initial")
    return _word(text)


def _glob(text: str) -> str:
    if len(re.sub(r"\[[^\]]*\]|[\W_]", "", text)) < 2:
        raise ValueError("two letters or digits are needed beside * and ?: this one fits nearly every name")
    return text


_Words = Annotated[tuple[Annotated[str, AfterValidator(_whole_word)], ...], BeforeValidator(_split)]


class VocabularyFile(BaseModel):
    """Words as lists, or as texts with spaces between them; the keys of `words` are free."""

    model_config = ConfigDict(extra="forbid")

    words: Mapping[str, _Words] = {}
    links: Annotated[tuple[Annotated[str, AfterValidator(_word)], ...], BeforeValidator(_split)] = ()
    name_words: _Words = ()
    persons: _Words = ()
    never: _Words = ()
    small: _Words = ()
    names: tuple[Annotated[str, AfterValidator(_glob)], ...] = ()


def vocabulary_of(files: Sequence[VocabularyFile], rules: Mapping[str, Mapping[str, Any]]) -> Vocabulary:
    """The words of all files, and the names in a site's other `rules`, by file."""
    links = frozenset(word for file in files for word in file.links)
    own = frozenset(part for name in _names_in(rules) for part in _literal(name))
    own |= {word for file in files for word in file.name_words}
    return Vocabulary(
        frozenset(word for file in files for words in file.words.values() for word in words) - links,
        links,
        tuple(glob for file in files for glob in file.names),
        own,
        frozenset(word for file in files for word in file.persons),
        frozenset(word for file in files for word in file.never),
        frozenset(word for file in files for word in file.small),
    )


def _literal(name: str) -> list[str]:
    """A name; of a glob what it says letter by letter, where that is a word or more."""
    parts = [part.strip(" ._-=") for part in _WILD.split(name)]
    return [part for part in parts if len(_WORD.findall(part)) and len(part) > 2]


def _names_in(rules: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Names that the rules themselves name: nobody calls a domain, a queue or a code after a customer there.

    Rules that cannot be used are refused by whoever reads them; here they have no names.
    """
    for file, keys in _NAMED.items():
        for key in keys:
            told = rules[file].get(key) if key else rules[file]
            yield from map(str, told if isinstance(told, Mapping | list) else [told or ""])
    for row in rules["domains.yaml"].get("expected") or ():
        yield from (str(row.get(key) or "") for key in ("domain", "name", "app", "run"))
    alerts = rules["alerts.yaml"]
    for route in alerts.get("routes") or ():
        yield from map(str, (route.get("when") or {}).values())
    for entry in (alerts.get("codes") or {}).values():
        yield str((entry or {}).get("family") or "")


_NAMED: Mapping[str, tuple[str, ...]] = {
    "alerts.yaml": ("codes", "families", "teams"),
    "documents.yaml": ("types", "queues", "paper_queue"),
    "domains.yaml": ("domains",),
    "journeys.yaml": ("journeys",),
    "teams.yaml": ("",),
}
"""Where names stand, by file and key; an empty key is the whole file."""


def files_with_names() -> tuple[str, ...]:
    """The files that `vocabulary_of` takes names from."""
    return tuple(_NAMED)
