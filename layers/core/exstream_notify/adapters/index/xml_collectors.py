"""What the events of an XML parser make up: records of any index in XML, customers of a manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from xml.parsers import expat

from .faults import Fault, Limits
from .names import AliasTable
from .reading import Entry


def local_name(tag: str) -> str:
    """An element's name without its namespace prefix."""
    return tag.rpartition(":")[2]


class Collector(Protocol):
    """Turns expat's events into entries."""

    depth: int
    done: list[Entry | Fault]

    @property
    def idle(self) -> bool:
        """Whether nothing is kept that could still become part of an entry."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, tag: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Character data."""

    def finish(self) -> None:
        """The document is over."""

    def may_be_record(self, tag: str) -> bool:
        """Whether an element of this name, here, could be a record."""

    def inside(self) -> "Collector":
        """A collector that expects one record next, as this one does between two."""

    def own_fields(self, attributes: dict[str, str]) -> dict[str, str]:
        """What a record's own attributes say, by name."""


@dataclass(slots=True)
class _Open:
    """An element that is open, with the fields found directly in it."""

    tag: str
    attributes: dict[str, str]
    names: list[str]
    values: list[str]
    text: list[str] | None = None  # None once it has element children
    deep: bool = False  # has grandchildren


class RecordCollector:
    """Entries of an index in XML: the elements of one level are the records.

    That level is the one of the first element whose children or attributes can feed the customer
    key; elements before it that might have been records wait for that. A child's text is a field,
    named by the child, or by its attribute `name`; so is an attribute of the record itself.
    """

    _WAITING = 100

    def __init__(self, aliases: AliasTable, level: int | None = None) -> None:
        self._aliases = aliases
        self._level = level
        self._stack: list[_Open] = []
        self._waiting: list[tuple[int, Entry | Fault]] = []
        self._tag = ""
        self.depth = level or 0
        self.done: list[Entry | Fault] = []

    @property
    def idle(self) -> bool:
        """See `Collector`."""
        return self._level is not None and self.depth <= self._level

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """See `Collector`."""
        if self._stack:
            parent = self._stack[-1]
            parent.text = None
            if len(self._stack) > 1:
                self._stack[-2].deep = True
        own = self.own_fields(attributes) if attributes else attributes
        self._stack.append(_Open(tag, own, list(own), list(own.values()), []))
        self.depth += 1

    def text(self, data: str) -> None:
        """See `Collector`."""
        held = self._stack[-1].text
        if held is not None:
            held.append(data)

    def end(self, tag: str) -> None:
        """See `Collector`."""
        element = self._stack.pop()
        self.depth -= 1
        if self._level is None or self.depth > self._level:
            self._give_to_parent(element)
        if self._level is None:
            self._look_for_level(element)
        elif self.depth == self._level:
            entry = self._entry(element)
            if entry is not None:
                self._tag = self._tag or element.tag
                self.done.append(entry)

    def _give_to_parent(self, element: _Open) -> None:
        if self._stack and element.text is not None:
            parent = self._stack[-1]
            parent.names.append(element.attributes.get("name") or local_name(element.tag))
            parent.values.append("".join(element.text))

    def _entry(self, element: _Open) -> Entry | Fault | None:
        """The element as a record; None for one that only has text, like a total."""
        if element.deep:
            return Fault(None, "elements nested within a field")
        if element.text is not None and not element.attributes:
            if element.tag == self._tag:
                return Fault(None, "an empty record")
            return None
        return tuple(element.names), element.values

    def _look_for_level(self, element: _Open) -> None:
        if element.deep:
            return
        entry = self._entry(element)
        if entry is None or isinstance(entry, Fault):
            return
        known = any(self._aliases.can_feed(name, "customer_key") for name in entry[0])
        if known or self.depth:
            self._waiting.append((self.depth, entry))
        if known or len(self._waiting) > self._WAITING:
            self._settle(self.depth, element.tag)

    def _settle(self, level: int, tag: str) -> None:
        self._level, self._tag = level, tag
        self.done += [entry for depth, entry in self._waiting if depth == level]
        self._waiting.clear()

    def finish(self) -> None:
        """See `Collector`."""
        if self._level is None and self._waiting:
            self._settle(self._waiting[-1][0], "")

    def may_be_record(self, tag: str) -> bool:
        """See `Collector`."""
        return self._level == self.depth

    def inside(self) -> "RecordCollector":
        """See `Collector`."""
        return RecordCollector(self._aliases, self._level)

    def own_fields(self, attributes: dict[str, str]) -> dict[str, str]:
        """See `Collector`."""
        return {local_name(name): value for name, value in attributes.items() if not name.startswith("xmlns")}


QUEUE_NAME, FILE_NAME, NUMBER = "queue_name", "output_uri", "CustomerNumber"
_ENTRIES = ("customer", "recipient")
_QUEUES = ("queue", "outputqueue")
_FILES = ("file", "outputfile")
_NAMES_OF = {"queuename": _QUEUES, "filename": _FILES, "name": (*_QUEUES, *_FILES)}
_SAID = (*_NAMES_OF, "customersprocessed")
_PIECES = 100
_PASSED_OVER = ("name", "queue", "queues", "file", "files", "key", "keys")


class CustomerCollector:
    """Entries of the native manifest, by the local names of its elements, wherever they stand.

    An entry is a `customer` with `key` elements and the names of its queues. Without such keys it is a
    `customer` or `recipient` whose attributes and plain children are its fields (`number` is its customer
    number). Its `queue` and its `file` can be elements around it. A file of several customers is not
    the document of any of them. The queues stand in the entry under the name `queue_name`, as often as
    there are any. What is not known is passed over.

    `keyed`: refuse an entry without keys, whose own attributes count.
    """

    def __init__(self, aliases: AliasTable | None = None, *, keyed: bool = False) -> None:
        self.depth = 0
        self.done: list[Entry | Fault] = []
        self.found_list = False
        self._read = False  # any entry
        self.repeats = 0  # entries of customers who had one before, where a customer may have several
        self._aliases = aliases or AliasTable()
        self._keyed = keyed
        self._processed: dict[str, int] = {}
        self._seen: set[int] | None = None
        self._around: list[tuple[int, str, str]] = []  # depth, kind and name of open queues and files
        self._waiting: tuple[list[str], list[str]] | None = None  # the only entry so far of the open file
        self._shared = False  # the open file has several entries
        self._open: int | None = None  # depth of the open entry
        self._keys: tuple[list[str], list[str]] = ([], [])
        self._plain: tuple[list[str], list[str]] = ([], [])
        self._queues: list[str] = []
        self._tags: list[str] = []
        self._text: list[str] | None = None  # of the innermost element, None once it has children
        self._name = ""  # of the open `key`

    @property
    def idle(self) -> bool:
        """See `Collector`."""
        return self._open is None and self._waiting is None

    @property
    def processed(self) -> int | None:
        """What the manifest says of its customers: its lists', else the first element's that says it."""
        if "outputlist" in self._processed:
            return self._processed["outputlist"]
        return next(iter(self._processed.values()), None)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """See `Collector`."""
        kind = local_name(tag).lower()
        own = {local_name(name): value for name, value in attributes.items()}
        self._text = [] if self._open is not None or kind in _SAID else None
        if self._open is None:
            self._count(kind, own)
            if kind in _ENTRIES:
                self._open = self.depth
                self._keys, self._plain, self._queues = ([], []), ([], []), []
                self._add_plain(own)
            elif kind in (*_QUEUES, *_FILES):
                self._around.append((self.depth, kind, own.get("name", "").strip()))
        elif kind == "key":
            self._name = own.get("name", "")
        elif kind in _QUEUES:
            self._queues.append(own.get("name", ""))
        elif kind in _ENTRIES:
            self._add_plain(own)
        self._tags.append(kind)
        self.depth += 1

    def text(self, data: str) -> None:
        """See `Collector`."""
        if self._text is not None and (self._open is not None or len(self._text) < _PIECES):
            self._text.append(data)

    def end(self, tag: str) -> None:
        """See `Collector`."""
        self.depth -= 1
        kind = self._tags.pop()
        text, self._text = self._text, None
        parent = self._tags[-1] if self._tags else ""
        said = "".join(text) if text is not None else ""
        if self._open is None:
            if self._around and self._around[-1][0] == self.depth:
                self._leave(*self._around.pop()[1:])
            elif self._around and said.strip() and parent in _NAMES_OF.get(kind, ()):
                depth, around, name = self._around[-1]
                self._around[-1] = (depth, around, name or said.strip())
            elif kind == "customersprocessed" and said.strip():
                self._processed.setdefault("", _number(said))
        elif self.depth == self._open:
            self._close(kind)
        elif text is not None:
            self._take(local_name(tag), kind, parent, said)

    def _take(self, name: str, kind: str, parent: str, said: str) -> None:
        """The text of an element within an entry that has no children."""
        if kind == "key":
            if self._name:
                self._keys[0].append(self._name)
                self._keys[1].append(said)
        elif kind == "queuename" or kind in _QUEUES or (kind == "name" and parent in _QUEUES):
            self._queues.append(said)
        elif kind in _FILES or (kind in ("name", "filename") and parent in _FILES):
            self._plain[0].append(FILE_NAME)
            self._plain[1].append(said)
        elif said.strip():
            self._add_plain({name: said})

    def _add_plain(self, fields: dict[str, str]) -> None:
        for name, value in fields.items():
            if name.lower() in _PASSED_OVER or name.startswith("xml"):
                continue
            self._plain[0].append(NUMBER if name.lower() == "number" else name)
            self._plain[1].append(value)

    def _close(self, kind: str) -> None:
        """The entry is over: its keys, or else its plain fields, with the queues in it and around it."""
        self._open, self._read = None, True
        keyed = bool(self._keys[0])
        names, values = self._keys if keyed else self._own_plain()
        if self._keyed and not keyed:
            self.done.append(Fault(None, "no keys"))
            return
        if self._around or kind != "customer":
            self._count_customer(names, values)
        around = (name for _, kind, name in self._around if kind in _QUEUES)
        for queue in filter(None, map(str.strip, (*self._queues, *around))):
            names.append(QUEUE_NAME)
            values.append(queue)
        if self._shared or not any(kind in _FILES for _, kind, _ in self._around):
            self.done.append((tuple(names), values))
        elif self._waiting is None:
            self._waiting = names, values
        else:
            first, self._waiting, self._shared = self._waiting, None, True
            self.done += [(tuple(first[0]), first[1]), (tuple(names), values)]

    def _own_plain(self) -> tuple[list[str], list[str]]:
        """The plain fields; a number is the customer's where nothing else is, else its place in the run."""
        pairs = list(zip(*self._plain, strict=True))
        if any(name != NUMBER and self._aliases.can_feed(name, "customer_key") for name, _ in pairs):
            pairs = [pair for pair in pairs if pair[0] != NUMBER]
        return [name for name, _ in pairs], [value for _, value in pairs]

    def _count_customer(self, names: Sequence[str], values: Sequence[str]) -> None:
        seen = self._seen = self._seen if self._seen is not None else set()
        keys = (
            v.strip() for n, v in zip(names, values, strict=True) if self._aliases.can_feed(n, "customer_key")
        )
        if key := next(keys, ""):
            self.repeats += hash(key) in seen
            seen.add(hash(key))

    def _leave(self, kind: str, name: str) -> None:
        """A queue or a file ends; the file is the document of its only entry."""
        if kind not in _FILES:
            return
        self._shared = False
        if self._waiting is None:
            return
        (names, values), self._waiting = self._waiting, None
        if name and not any(self._aliases.can_feed(known, FILE_NAME) for known in names):
            queue = next((n for _, around, n in reversed(self._around) if around in _QUEUES), "")
            inside = queue and not ("/" in name or "\\" in name)
            names.append(FILE_NAME)
            values.append(f"output/{queue}/{name}" if inside else name)
        self.done.append((tuple(names), values))

    def _count(self, kind: str, attributes: dict[str, str]) -> None:
        self.found_list = self.found_list or kind == "outputlist"
        for name, value in attributes.items():
            if name.lower() == "customersprocessed":
                self._processed[kind] = self._processed.get(kind, 0) + _number(value)

    def finish(self) -> None:
        """See `Collector`."""
        if not (self.found_list or self._read or self._processed):
            raise Refused("no outputList: not a delivery manifest")

    def may_be_record(self, tag: str) -> bool:
        """See `Collector`."""
        return not self._around and local_name(tag).lower() == "customer"

    def inside(self) -> "CustomerCollector":
        """See `Collector`."""
        return CustomerCollector(self._aliases, keyed=True)

    def own_fields(self, attributes: dict[str, str]) -> dict[str, str]:
        """See `Collector`."""
        return {}


def _number(text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise Refused("customersProcessed is not a number")
    return int(text)


class Refused(Exception):
    """Raised within a handler of expat's, to become an `IndexUnreadable` with its place."""


def expat_parser(collector: Collector, limits: Limits) -> expat.XMLParserType:
    """A parser that feeds the collector, and refuses all that could expand or be fetched."""
    # The encoding is ours: what is fed was decoded before, whatever the declaration says.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        if collector.depth >= limits.depth:
            raise Refused(f"more than {limits.depth} elements within one another")
        collector.start(tag, attributes)

    def refuse(*_: Any) -> Any:
        raise Refused("a document type declaration or an entity: refused")

    parser.StartElementHandler = start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.text
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.SkippedEntityHandler = refuse
    return parser
