"""What the events of an XML parser make up: records of any index in XML, customers of a manifest."""

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


class CustomerCollector:
    """Entries of the native manifest: a `customer`'s `key` elements, and its queues.

    Elements are told by local name, wherever they stand; unknown ones are passed over. The queues
    stand in the entry under the name `queue_name`, as often as there are any.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.done: list[Entry | Fault] = []
        self.found_list = False
        self.processed: int | None = None
        self._customer: int | None = None  # depth of the open one
        self._field: tuple[int, str] | None = None
        self._names: list[str] = []
        self._values: list[str] = []
        self._text: list[str] = []

    @property
    def idle(self) -> bool:
        """See `Collector`."""
        return self._customer is None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """See `Collector`."""
        kind = local_name(tag).lower()
        if self._customer is None:
            if kind == "customer":
                self._customer = self.depth
                self._names, self._values = [], []
            elif kind == "outputlist":
                self._count(attributes)
        elif self._field is None and kind in ("key", "queuename"):
            name = attributes.get("name", "") if kind == "key" else "queue_name"
            self._field = (self.depth, name)
            self._text.clear()
        self.depth += 1

    def text(self, data: str) -> None:
        """See `Collector`."""
        if self._field is not None:
            self._text.append(data)

    def end(self, tag: str) -> None:
        """See `Collector`."""
        self.depth -= 1
        if self._field is not None and self.depth == self._field[0]:
            self._names.append(self._field[1])
            self._values.append("".join(self._text))
            self._field = None
        elif self.depth == self._customer:
            self._customer = None
            self.done.append((tuple(self._names), self._values))

    def _count(self, attributes: dict[str, str]) -> None:
        self.found_list = True
        for name, value in attributes.items():
            if local_name(name).lower() == "customersprocessed":
                text = value.strip()
                if not (text.isascii() and text.isdigit() and len(text) <= 12):
                    raise Refused("customersProcessed is not a number")
                self.processed = (self.processed or 0) + int(text)

    def finish(self) -> None:
        """See `Collector`."""
        if not self.found_list:
            raise Refused("no outputList: not a delivery manifest")

    def may_be_record(self, tag: str) -> bool:
        """See `Collector`."""
        return local_name(tag).lower() == "customer"

    def inside(self) -> "CustomerCollector":
        """See `Collector`."""
        return CustomerCollector()

    def own_fields(self, attributes: dict[str, str]) -> dict[str, str]:
        """See `Collector`."""
        return {}


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
