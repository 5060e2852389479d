"""Records of a JSON file: lines, an array, or objects one after another, in one line or in many."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import orjson

from ..json_text import repeated_name
from .faults import Fault, IndexUnreadable, Limits
from .names import AliasTable
from .reading import Entry

_SEPARATORS = re.compile(r"[ \t\r\n,]*")
_OBJECT_LINE = re.compile(r"\n[ \t]*\{")
_BLANK = " \t\r\n"
# An error of the json module further than this from the end does not come from the end.
_LONGEST_TOKEN = len(r"\ud83d\ude00") + 4
_OPEN_STRING = "Unterminated string"
# Text that is read is dropped from then on: the json module counts the lines before each error.
_READ = 32 * 1024
_PATIENCE = 50
"""Lines that may need the json module before no more are tried without it, unless most do not."""

_SIMPLE: frozenset[type] = frozenset({str, bool, type(None)})


NAMED_TWICE = "a name stands twice in an object"


def named_twice(aliases: AliasTable, name: str, entry: Entry | None = None) -> Fault:
    """The fault of a record in which an object has this name twice; it names the field, if there is one."""
    candidates = aliases.candidates(name)
    field = min(candidates, key=candidates.__getitem__) if candidates else None
    return Fault(field, NAMED_TWICE, entry=entry)


def _noting(twice: list[list[tuple[str, Any]]]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """Makes an object of its pairs, and notes the pairs of one that has a name twice."""

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            twice.append(pairs)
        return found

    return made


def _plain_line(line: str, names: tuple[str, ...]) -> Entry | None:
    """The object in a line, where one look shows that no name stands in it twice; None if not.

    `names` are those of the record before. orjson is faster than the json module. It reads the same values
    here: both accept RFC 8259, and no value is a number whose digits could be lost. A pair has one colon, and
    text without back slashes is read unchanged. So a line with as many colons as names, plus those in values,
    has no further pair.
    """
    if "\\" in line:
        return None
    try:
        found = orjson.loads(line)
    except ValueError:
        return None
    if not found or not isinstance(found, dict):
        return None
    own, values = tuple(found), list(found.values())
    try:
        said = "".join(values)
    except TypeError:
        if not _SIMPLE.issuperset(map(type, values)):
            return None
        said = "".join([value for value in values if isinstance(value, str)])
    if line.count(":") != len(own) + said.count(":"):
        return None  # a name may have a colon, too
    return own if own != names else names, values


def _no_number(name: str) -> Any:
    raise json.JSONDecodeError("not a number of JSON", name, 0)


class JsonRecords:
    """Iterates over the objects of a JSON text, which need no line of their own.

    An object that is not well-formed is a fault of its own; reading goes on at the next line that
    begins with a brace. Numbers keep the digits they are written with. A record in which an object has a
    name twice is a fault: which of the values counts, RFC 8259 (section 4) leaves open.
    """

    def __init__(
        self, text: Iterable[str], file: str, limits: Limits, aliases: AliasTable | None = None
    ) -> None:
        self._aliases = aliases or AliasTable()
        self._twice: list[list[tuple[str, Any]]] = []  # objects within the record with a name twice
        self._pieces = iter(text)
        self._file = file
        self._limits = limits
        self._text = ""
        self._at = 0
        self._from = 0  # where the current record begins
        self._lines = 1  # lines up to the beginning of `_text`
        self._ended = False
        self._array = False
        self._tried = self._missed = 0  # lines, by `_plain_line`
        self._names: tuple[str, ...] = ()  # of the last one
        self._decode = json.JSONDecoder(
            object_pairs_hook=_noting(self._twice), parse_float=str, parse_int=str, parse_constant=_no_number
        ).raw_decode

    def __iter__(self) -> Iterator[Entry | Fault]:
        if not self._skip():
            raise self._unreadable("there is no record")
        self._array = array = self._text[self._at] == "["
        if array:
            self._at += 1
        elif self._text[self._at] != "{":
            raise self._unreadable("not JSON: it begins with neither a brace nor a bracket")
        while self._skip():
            before = self._at
            yield from self._plain_lines()
            if self._at > before:
                continue
            if array and self._text[self._at] == "]":
                self._at += 1
                if self._skip():
                    raise self._unreadable("there is more after the end of the array")
                return
            yield self._next()
        if array:
            raise self._unreadable("the array is cut off")

    def raw(self) -> str:
        """The current record as it stands in the file."""
        return self._text[self._from : self._at].rstrip(_BLANK)

    def _plain_lines(self) -> Iterator[Entry]:
        """The records from here on that are a line each and are read without the json module."""
        text, start, limit, names = self._text, self._at, self._limits.line_chars, self._names
        while text.startswith("{", start) and (self._missed < _PATIENCE or self._missed * 2 < self._tried):
            end = text.find("\n", start)
            if end < 0:
                return
            last = end - 2 if text[end - 1] == "\r" else end - 1
            if self._array and text[last] == ",":
                last -= 1
            if text[last] != "}" or end - start > limit:
                return
            self._tried += 1
            found = _plain_line(text[start : last + 1], names)
            if found is None:
                self._missed += 1
                return
            names = self._names = found[0]
            self._from, self._at = start, last + 1
            yield found
            self._at = start = end + 1

    def _named_twice(self, record: dict[str, Any]) -> Fault:
        """The fault of a record in which an object has a name twice, of the first such name."""
        pairs: Sequence[tuple[str, Any]] = list(record.items())
        if list(dict(self._twice[-1])) == list(record):
            pairs = self._twice[-1]  # it is the record itself
        names, values = zip(*pairs, strict=True)
        return named_twice(self._aliases, repeated_name(self._twice[0]), (names, values))

    def _next(self) -> Entry | Fault:
        limit = self._limits.line_chars
        if self._at > _READ:
            self._drop()
        while True:
            self._from = self._at
            self._twice.clear()
            try:
                value, end = self._decode(self._text, self._at)
            except RecursionError:
                return self._pass_over("nested too deeply")
            except ValueError as error:
                if self._may_be_cut(error):
                    if len(self._text) - self._at > limit:
                        raise self._unreadable(f"a record of more than {limit} characters") from None
                    if not self._ended:
                        self._more()
                        continue
                    if self._is_cut(error):
                        raise self._unreadable("the last record is cut off") from None
                return self._pass_over("not well-formed JSON")
            if end == len(self._text) and not self._ended and not isinstance(value, dict):
                self._more()  # a bare number may go on
                continue
            self._at = end
            if end - self._from > limit:
                raise self._unreadable(f"a record of more than {limit} characters", self._from)
            if not isinstance(value, dict):
                return Fault(None, "not an object")
            if not value:
                return Fault(None, "an empty object")
            if self._twice:
                return self._named_twice(value)
            return tuple(value), list(value.values())

    def _may_be_cut(self, error: ValueError) -> bool:
        """Whether a record may be wrong only in that the text ends."""
        if not isinstance(error, json.JSONDecodeError) or error.doc is not self._text:
            return False
        return error.msg.startswith(_OPEN_STRING) or error.pos + _LONGEST_TOKEN >= len(self._text)

    def _is_cut(self, error: ValueError) -> bool:
        """The same, where nothing follows any more."""
        text = self._text.rstrip(_BLANK)
        if not isinstance(error, json.JSONDecodeError) or error.msg.startswith(_OPEN_STRING):
            return True
        last = not _OBJECT_LINE.search(text, self._at)
        return error.pos >= len(text) or (last and not text.endswith(("}", "]")))

    def _pass_over(self, reason: str) -> Fault:
        """Go on at the next line that begins with a brace."""
        while True:
            found = _OBJECT_LINE.search(self._text, self._at)
            if found:
                self._at = found.start() + 1
                return Fault(None, reason)
            if self._ended and self._array:
                raise self._unreadable(f"{reason}, and no further record begins on a line of its own")
            if self._ended:
                self._at = len(self._text)
                return Fault(None, reason)
            if len(self._text) - self._at > self._limits.line_chars:
                raise self._unreadable(
                    f"{reason}, and no record begins within {self._limits.line_chars} characters"
                )
            self._more()

    def _skip(self) -> bool:
        """Go to the next thing that is not space or comma; False at the end of the file."""
        if self._text.startswith("\n{", self._at):
            self._at += 1
            return True
        while True:
            found = _SEPARATORS.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return True
            if self._ended:
                return False
            self._more()

    def _more(self) -> None:
        """Drop what is read, and add a piece."""
        self._drop()
        piece = next(self._pieces, "")
        self._text += piece
        self._ended = not piece

    def _drop(self) -> None:
        self._lines += self._text.count("\n", 0, self._at)
        self._text = self._text[self._at :]
        self._at = self._from = 0

    def _unreadable(self, reason: str, at: int | None = None) -> IndexUnreadable:
        line = self._lines + self._text.count("\n", 0, self._at if at is None else at)
        return IndexUnreadable(self._file, f"line {line}", reason)
