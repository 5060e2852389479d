"""Message files as JSON: an array, an object with a list in it, or an object a line, whatever their names."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from ..domain.composer_messages import CODE, ComposerMessage, Group, Grouped, messages_of
from ..domain.exceptions import Severity, Unusable
from ..domain.message_fields import message_of_fields, squeezed

IS_JSON = re.compile(r"[\ufeff\s\x1e]*(?:\[\s*\"|(?:\[\s*)?\{\s*\")")

OBJECT_CHARS = 1024 * 1024
"""The most of one object that is read as one; of a larger one the entries of its list are read one by one."""

_FAULTS = 20
"""Objects that cannot be parsed before all that follows is read as lines: each costs a look at the rest."""

_BETWEEN = re.compile(r"[\ufeff\s\x1e,\[\]}]*")
_VALUE_BEGINS = re.compile(r"\{|\"(?:[^\"\\\n]|\\.)*\"\s*[,\]]")
_LIST_BEGINS = re.compile(r"\{(?:\s*\"[^\"]*\"\s*:\s*(?:\"[^\"]*\"|[\w.+-]+)\s*,)*\s*\"[^\"]*\"\s*:\s*\[")


class JsonMessages:
    """Reads one file into `grouped`. What is no object, or not a whole one, is read as a line of text."""

    def __init__(self, name: str, grouped: Grouped, severities: Mapping[str, Severity]) -> None:
        self._name = name
        self._grouped = grouped
        self._severities = severities
        self._decoder = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._line = 1
        self._faults = 0
        self._first_fault = 0

    def read(self, pieces: Iterable[str]) -> Iterator[Group]:
        """Each group when its first message is met. `Unusable` where an object is not whole; what was read
        of it counts."""
        pieces = iter(pieces)
        enough = 0
        ended = False
        while not ended:
            piece = next(pieces, None)
            ended = piece is None
            self._text, self._at = self._text[self._at :] + (piece or ""), 0
            if len(self._text) < enough and not ended:
                continue
            yield from self._objects(is_all=ended)
            # Twice as much before the next try, so that a long object costs no more than a few.
            enough = min(2 * (len(self._text) - self._at), OBJECT_CHARS)
        if self._faults:
            place = f"{self._name}, line {self._first_fault}"
            raise Unusable("messages_unreadable", place, "not well-formed JSON from there on")

    def _objects(self, *, is_all: bool) -> Iterator[Group]:
        """What the text holds in whole objects and lines; what may go on stays."""
        while self._skip_to(_BETWEEN.match(self._text, self._at)):
            waits = not is_all and len(self._text) - self._at < OBJECT_CHARS
            if _VALUE_BEGINS.match(self._text, self._at) and self._faults < _FAULTS:
                try:
                    value, end = self._decoder.raw_decode(self._text, self._at)
                    messages = list(_messages(value, self._severities))
                except (ValueError, RecursionError):
                    if waits:
                        return
                    self._is_faulty(is_cut=is_all)
                    if self._skip_to(_LIST_BEGINS.match(self._text, self._at)):
                        continue
                else:
                    yield from self._told(end, messages)
                    continue
            end = self._text.find("\n", self._at)
            if end < 0 and waits:
                return
            end = len(self._text) if end < 0 else end
            yield from self._told(end, list(_begun(self._text[self._at : end])))

    def _told(self, end: int, messages: list[ComposerMessage]) -> Iterator[Group]:
        """The messages of what stands before `end`."""
        if not messages:
            self._grouped.is_unmatched(self._line)
        self._go_to(end)
        for message in messages:
            group = self._grouped.add(message)
            if group is not None:
                yield group

    def _is_faulty(self, *, is_cut: bool) -> None:
        """An object that ends too early, or is none. A large one that is read by its list is neither."""
        if is_cut or not _LIST_BEGINS.match(self._text, self._at):
            self._faults += 1
            self._first_fault = self._first_fault or self._line

    def _skip_to(self, found: re.Match[str] | None) -> bool:
        """Go to the end of what was found; whether it was, and anything is left."""
        if found:
            self._go_to(found.end())
        return found is not None and self._at < len(self._text)

    def _go_to(self, end: int) -> None:
        self._line += self._text.count("\n", self._at, end)
        self._at = end


def _messages(value: object, severities: Mapping[str, Severity]) -> Iterator[ComposerMessage]:
    """The messages in a value: of an object the one that its fields make, further ones that begin in its
    texts, and those of the objects in it."""
    if isinstance(value, str):
        yield from _begun(value)
    elif isinstance(value, list):
        for inner in value:
            yield from _messages(inner, severities)
    elif isinstance(value, dict):
        fields = [(squeezed(name), str(inner)) for name, inner in value.items() if _is_plain(inner)]
        own = message_of_fields(fields, "", severities)
        begun = [m for _, text in fields if not CODE.fullmatch(text) for m in _begun(text)]
        within = [m for i in value.values() if isinstance(i, list | dict) for m in _messages(i, severities)]
        if own is None:
            yield from begun
        elif not within or any(own.code in text for _, text in fields):  # else a number that is no code's
            yield own
            yield from begun[1:] if begun and begun[0].code == own.code else ()
        yield from within


def _begun(text: str) -> Iterator[ComposerMessage]:
    for line in text.splitlines():
        if "EX" in line:
            yield from messages_of(line)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
