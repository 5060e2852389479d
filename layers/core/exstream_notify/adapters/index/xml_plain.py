"""Plain XML records, taken apart without a parser: tags that expat has approved of, and text.

Of the many records of a file expat reads each *skeleton* once: the tags without the values. Records
with the same tags are then taken apart by splitting the text. The proof is to put the values back
between the skeleton's literal text: either that gives the record again, or it is left to expat.
"""

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, TypeAlias
from xml.parsers import expat

from .faults import Fault, Limits
from .xml_collectors import Collector, Refused, expat_parser

SPACE = " \t\r\n"

_NAME = r"[A-Za-z_][A-Za-z0-9_.:-]*"
OPENING = re.compile(rf"[ \t\r\n]*<({_NAME})((?:[ \t\r\n][^<>]*)?)>")
_CDATA = re.compile(r"<!\[CDATA\[([^<>&]*)\]\]>(?=</)")
_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos);|#([0-9]{1,7});|#x([0-9A-Fa-f]{1,6});)?")
_PREDEFINED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
# Not a `Char` of XML 1.0 (section 2.2); surrogates cannot be in decoded text.
_NO_CHAR = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class NotPlain(Exception):
    """The text is not provably a plain record."""


def _referred(found: re.Match[str]) -> str:
    name, decimal, hexadecimal = found.groups()
    if name:
        return _PREDEFINED[name]
    if not (decimal or hexadecimal):
        raise NotPlain
    code = int(decimal) if decimal else int(hexadecimal, 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF or _NO_CHAR.match(chr(code)):
        raise NotPlain
    return chr(code)


def _characters(values: list[str]) -> list[str]:
    """Values as expat would give them: line ends and references replaced; `NotPlain` if it would not."""
    joined = "|".join(values)
    if not joined.isprintable():
        if _NO_CHAR.search(joined):
            raise NotPlain
        if "\r" in joined:  # XML 1.0, section 2.11
            values = [value.replace("\r\n", "\n").replace("\r", "\n") for value in values]
    if "&" in joined:
        values = [_REFERENCE.sub(_referred, value) if "&" in value else value for value in values]
    return values


class _Skeleton:
    """A record's tags, as expat approved of them, with the literal text around its values."""

    __slots__ = ("_literals", "_pick", "names", "positions")

    def __init__(self, names: tuple[str, ...], positions: Sequence[int], tokens: Sequence[str]) -> None:
        """`positions` are those of the values among `tokens`: text, tag, text, tag and so on."""
        self.names = names
        self.positions = positions
        self._pick = itemgetter(*positions, 0)  # one more than needed, so that it always is a tuple
        values = frozenset(positions)
        literals = [""]
        for at, token in enumerate(tokens):
            if at in values:
                literals += ("", "")
            else:
                literals[-1] += f"<{token}>" if at % 2 else token
        self._literals = literals

    def read(self, body: str, tokens: Sequence[str]) -> list[str] | None:
        """The values of a record with just these literals, None if it has others.

        There have to be as many tokens as in the skeleton's own record.
        """
        values = list(self._pick(tokens)[:-1])
        pieces = self._literals.copy()
        pieces[1::2] = values
        # Whatever a hostile text made of the split: it is this record, or it is not.
        return values if "".join(pieces) == body else None

    def between(self, tokens: Sequence[str]) -> str:
        """The text that is nobody's value."""
        values = frozenset(self.positions)
        return "".join(token for at, token in enumerate(tokens) if not at % 2 and at not in values)


_Tag: TypeAlias = tuple[tuple[str, ...], list[int]]
"""Names of a tag's attributes that are fields, and which of its quoted values are theirs."""


class Skeletons:
    """The skeletons of one file's records."""

    _KEPT = 1024
    _PATIENCE = 200

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known: dict[tuple[str, ...], _Skeleton | None] = {}
        self._known_tags: dict[tuple[str, ...], _Tag | None] = {}
        self._last: dict[int, _Skeleton] = {}  # by number of tokens
        self._records = self._misses = 0
        self.pays = True  # until it is clear that hardly two records share their tags

    def read_content(self, tag: str, body: str, collector: Collector) -> tuple[tuple[str, ...], list[str]]:
        """Names and values of a record from what stands between its tags; raises `NotPlain`."""
        self._records += 1
        tokens = body.replace(">", "<").split("<")
        last = self._last.get(len(tokens))
        if last is not None and (values := last.read(body, tokens)) is not None:
            return last.names, _characters(values)
        if "<![CDATA[" in body:
            body = _CDATA.sub(r"\1", body)
            if "<![CDATA[" in body:
                raise NotPlain
            return self.read_content(tag, body, collector)
        tags = (tag, *tokens[1::2])
        if tags in self._known:
            skeleton = self._known[tags]
        else:
            self._miss(self._known)
            skeleton = self._known[tags] = self._learn(tag, tokens, collector.inside())
        if skeleton is None:
            raise NotPlain
        values = skeleton.read(body, tokens)
        if values is None:
            # The space between the tags may be another than that of the record before.
            if skeleton.between(tokens).strip(SPACE):
                raise NotPlain
            skeleton = self._known[tags] = _Skeleton(skeleton.names, skeleton.positions, tokens)
            values = skeleton.read(body, tokens)
            if values is None:
                raise NotPlain
        self._last[len(tokens)] = skeleton
        return skeleton.names, _characters(values)

    def read_tag(self, inner: str, collector: Collector) -> tuple[tuple[str, ...], list[str]]:
        """The fields that a record's own tag has, by its attributes; raises `NotPlain`.

        `inner` is what stands between the angle brackets, and holds none.
        """
        pieces = inner.split('"')
        # Space within a value is to be normalised (XML 1.0, section 3.3.3): left to expat.
        values = _characters(pieces[1::2])
        if not all(map(str.isprintable, values)):
            raise NotPlain
        literals = tuple(pieces[::2])
        self._records += 1
        if literals in self._known_tags:
            found = self._known_tags[literals]
        else:
            self._miss(self._known_tags)
            found = self._known_tags[literals] = self._learn_tag(pieces, collector)
        if found is None:
            raise NotPlain
        names, pick = found
        return names, [values[at] for at in pick]

    def _miss(self, known: dict[Any, Any]) -> None:
        self._misses += 1
        self.pays = self._misses < self._PATIENCE or self._records > 5 * self._misses
        if len(known) >= self._KEPT:
            known.clear()

    def _learn_tag(self, pieces: Sequence[str], collector: Collector) -> _Tag | None:
        """Have expat read a tag, with the number of each value in its place."""
        given: dict[str, str] = {}
        text = '"'.join(f"{at // 2}" if at % 2 else piece for at, piece in enumerate(pieces))
        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = lambda _, attributes: given.update(attributes)
        try:
            parser.Parse(f"<{text}/>", True)
        except expat.ExpatError:
            return None
        if sorted(given.values()) != sorted(str(at) for at in range(len(pieces) // 2)):
            return None  # some value is in single quotes
        own = collector.own_fields(given)
        return tuple(own), [int(number) for number in own.values()]

    def _learn(self, tag: str, tokens: Sequence[str], collector: Collector) -> _Skeleton | None:
        """Have expat read the tags, with the number of each text in its place."""
        text = "".join(f"<{token}>" if at % 2 else f"{at};" for at, token in enumerate(tokens))
        parser = expat_parser(collector, self._limits)
        try:
            parser.Parse(f"<{tag}>{text}</{tag}>", True)
        except (expat.ExpatError, Refused):
            return None
        if len(collector.done) != 1 or isinstance(collector.done[0], Fault):
            return None
        names, values = collector.done[0]
        numbers = [re.fullmatch("([0-9]+);", str(value)) for value in values]
        positions = [int(number[1]) for number in numbers if number]
        if not positions or len(positions) < len(values):
            return None
        return _Skeleton(names, positions, [token if at % 2 else "" for at, token in enumerate(tokens)])
