"""The XML form of a message file. Its layout is not public: any root, any names, any namespaces."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any
from xml.parsers import expat

from ..domain.composer_messages import ComposerMessage, Group, Grouped, messages_of
from ..domain.exceptions import Severity, Unusable
from ..domain.message_fields import (
    is_code,
    is_known,
    is_message_text,
    is_severity,
    message_of_fields,
    squeezed,
)
from .message_text import lines_of

_DEPTH = 64
_FIELDS = 200
_VALUE_CHARS = 2000
_TEXT_CHARS = 64 * 1024

_MESSAGE_TAGS = frozenset({"message", "msg", "meldung", "entry", "event", "error", "warning", "logentry"})
"""Elements that should be messages: one that is none is counted, as are the like of those that are."""


class _Frame:
    """An element that is open: its attributes, the fields of its children so far, its own text."""

    __slots__ = (
        "attributes",
        "chars",
        "codes",
        "fields",
        "first",
        "holds",
        "is_message",
        "line",
        "missed",
        "parts",
        "tag",
    )

    def __init__(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.tag = squeezed(tag)
        self.line = line
        self.attributes = [(squeezed(name), value[:_VALUE_CHARS]) for name, value in attributes.items()]
        self.fields: list[tuple[str, str]] = []
        self.first = ""
        self.codes: set[str] = set()
        self.parts: list[str] = []
        self.chars = 0
        self.is_message = self.holds = False
        self.missed: dict[str, tuple[int, int]] = {}

    def misses(self, tag: str, count: int, line: int) -> None:
        """So many elements below that are no message, the first of them on that line."""
        before, first = self.missed.get(tag, (0, line))
        if before or len(self.missed) < _FIELDS:
            self.missed[tag] = before + count, first


class XmlMessages:
    """Reads one file into `grouped`. An element is a message if it, or fields of it (attributes, children,
    what stands in a child's attributes), say a code, or its number and severity, or if its text begins as
    a message does. Where a field repeats that began a message, or its code, the next message begins."""

    def __init__(self, name: str, grouped: Grouped, severities: Mapping[str, Severity]) -> None:
        self._name = name
        self._grouped = grouped
        self._severities = severities
        self._stack: list[_Frame] = []
        self._fresh: list[Group] = []
        self._elements = 0
        self._tags: set[str] = set()
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse

    def read(self, pieces: Iterable[str]) -> Iterator[Group]:
        """Each group when its first message is met. `Unusable` where the file is not well-formed, or has
        elements and no message; what was read before counts, and so do whole codes in what follows."""
        pieces = self._in_one_root(pieces)
        piece = b""
        begin = 0
        try:
            for text in pieces:
                begin += len(piece)
                piece = text.encode("utf-8", "replace")
                self._parser.Parse(piece, False)
                yield from self._given()
            self._parser.Parse(b"", True)
        except (expat.ExpatError, Unusable) as error:
            # The first stands for what is outside of all elements.
            for frame in (_Frame("", {}, 0), *self._stack):
                if not (frame.is_message or frame.holds):
                    message = self._message(frame, "".join(frame.parts).strip())
                    self._add(frame, [message] if message else [])
            yield from self._given()
            rest = piece[max(self._parser.ErrorByteIndex - begin, 0) :].decode("utf-8", "replace")
            yield from self._codes_of(chain((rest,), pieces))
            if isinstance(error, Unusable):
                raise
            place = f"{self._name}, line {error.lineno}"
            raise Unusable("messages_unreadable", place, "not well-formed from there on") from None
        yield from self._given()
        if self._elements > 1 and not self._grouped.messages:
            reason = f"{self._elements} elements, none of which is a message"
            raise Unusable("messages_unreadable", self._name, reason)

    def _codes_of(self, pieces: Iterable[str]) -> Iterator[Group]:
        """The messages that begin in text in which no element can be told from another."""
        for _, line in lines_of(pieces):
            for part in line.split("<"):
                for message in messages_of(part) if "EX" in part else ():
                    group = self._grouped.add(message)
                    if group is not None:
                        yield group

    def _in_one_root(self, pieces: Iterable[str]) -> Iterator[str]:
        """The file, or what a logger appended to it without a root, in one that is not counted."""
        pieces = iter(pieces)
        head = next(pieces, "").lstrip("\ufeff \t\r\n")
        if head.startswith(("<?xml", "<!")):
            yield head
            yield from pieces
        else:
            yield "<fragments>" + head
            self._elements -= 1
            yield from pieces
            yield "</fragments>"

    def _given(self) -> list[Group]:
        given, self._fresh = self._fresh, []
        return given

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._stack) >= _DEPTH:
            reason = f"more than {_DEPTH} elements within one another"
            raise Unusable("messages_unreadable", self._name, reason)
        self._elements += 1
        self._stack.append(_Frame(tag, attributes, self._parser.CurrentLineNumber))

    def _text(self, data: str) -> None:
        if not self._stack:
            return
        frame = self._stack[-1]
        frame.parts.append(data)
        frame.chars += len(data)
        if frame.chars > _TEXT_CHARS:
            # A whole log in one element: what is complete of it is read now.
            *lines, rest = "".join(frame.parts).splitlines(keepends=True)
            for line in lines:
                self._add(frame, messages_of(line))
            rest = rest[-_TEXT_CHARS:]
            frame.parts, frame.chars = [rest], len(rest)

    def _end(self, tag: str) -> None:
        frame = self._stack.pop()
        own = "".join(frame.parts).strip()
        begun = [m for line in own.splitlines() if "EX" in line for m in messages_of(line)]
        if len(begun) > 1 and not any(is_code(name, value) for name, value in frame.attributes):
            self._add(frame, begun)
        elif frame.is_message or frame.holds or not (self._stack and _is_part(frame, own)):
            message = self._message(frame, own)
            self._add(frame, [message] if message else [])
        if frame.is_message:
            self._tags.add(frame.tag)
        if self._stack:
            self._hand_up(frame, self._stack[-1], own[:_VALUE_CHARS])
        elif not frame.is_message:
            self._count_missed(frame)

    def _message(self, frame: _Frame, own: str) -> ComposerMessage | None:
        fields = [*frame.attributes, *frame.fields]
        if len(frame.tag) > 1 and frame.tag in self._severities:
            fields.append(("type", frame.tag))  # <error number="004120"/>
        return message_of_fields(fields, own[:_VALUE_CHARS], self._severities)

    def _add(self, frame: _Frame, messages: Iterable[ComposerMessage]) -> None:
        for message in messages:
            frame.is_message = True
            frame.missed.clear()
            group = self._grouped.add(message)
            if group is not None:
                self._fresh.append(group)

    def _hand_up(self, frame: _Frame, parent: _Frame, own: str) -> None:
        """What an element says that is no message belongs to its parent."""
        if frame.is_message or frame.holds:
            parent.holds = True
        else:
            if own:
                self._field(parent, _name(frame, own), own)
            for name, value in (*frame.attributes, *frame.fields):
                self._field(parent, name, value)
            if frame.tag in _MESSAGE_TAGS:
                frame.missed.clear()
            parent.misses(frame.tag, 1, frame.line)
        for tag, (count, line) in frame.missed.items():
            parent.misses(tag, count, line)

    def _field(self, frame: _Frame, name: str, value: str) -> None:
        if not is_known(name, value):
            return
        has_code = is_code(name, value) or is_message_text(name, value)
        if frame.codes and (name == frame.first or (has_code and name in frame.codes)):
            message = self._message(frame, "")
            self._add(frame, [message] if message else [])
            frame.fields, frame.first, frame.codes = [], "", set()
        if has_code:
            frame.codes.add(name)
        frame.first = frame.first or name
        if len(frame.fields) < _FIELDS or has_code:
            frame.fields.append((name, value))

    def _count_missed(self, root: _Frame) -> None:
        for tag, (count, line) in root.missed.items():
            if tag in _MESSAGE_TAGS or tag in self._tags:
                self._grouped.is_unmatched(line, count)

    def _refuse(self, *_: Any) -> Any:
        reason = "a document type declaration or an entity: refused"
        raise Unusable("messages_unreadable", self._name, reason)


def _name(frame: _Frame, own: str) -> str:
    """What an element's text is: by its tag, or as `<field name="code">` says."""
    named = next((squeezed(value) for name, value in frame.attributes if name in ("name", "key")), "")
    return named if named and is_known(named, own) else frame.tag


def _is_part(frame: _Frame, own: str) -> bool:
    """Whether an element is not a message, but says a code, or begins a text, of the one around it."""
    if frame.fields:
        is_bare = not (own or frame.attributes)
        return is_bare and all(is_code(*field) or is_severity(field[0]) for field in frame.fields)
    name = _name(frame, own)
    return is_code(name, own) or (not frame.attributes and is_message_text(name, own))
