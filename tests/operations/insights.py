"""A reader of CloudWatch Logs Insights queries: the commands, operators and functions that saved queries use.

Source: "CloudWatch Logs Insights language query syntax" in the CloudWatch Logs user guide. What is not listed
here is refused, whether AWS knows it or not: look it up, then add it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""\s*(?: (?P<regex>/(?:\\.|[^/\\])+/)  |  (?P<string>"[^"]*"|'[^']*')  |  (?P<number>\d+(?:\.\d+)?(?:ms|[smhdw])?)
          |  (?P<name>[@A-Za-z_][\w.]*|`[^`]+`)  |  (?P<sign>!=|<=|>=|[=<>()\[\],|*+\-/%^]) )""",
    re.VERBOSE,
)
COMPARISONS = {"=", "!=", "<", "<=", ">", ">="}
ARITHMETIC = {"+", "-", "*", "/", "%", "^"}
AGGREGATIONS = {
    "count": 1, "count_distinct": 1, "sum": 1, "avg": 1, "min": 1, "max": 1, "stddev": 1, "pct": 2,
    "earliest": 1, "latest": 1, "sortsFirst": 1, "sortsLast": 1,
}  # fmt: skip
"""Functions of `stats`, and how many arguments they take; the first reads a field. `count` also takes none."""
FUNCTIONS = {"bin", "ispresent", "coalesce", "strcontains", "tolower", "toupper"}
DISCOVERED = {
    "@timestamp", "@message", "@log", "@logStream", "@ingestionTime",
    "@type", "@requestId", "@duration", "@billedDuration", "@memorySize", "@maxMemoryUsed", "@initDuration",
}  # fmt: skip
"""Fields that CloudWatch finds in the logs of a Lambda function, in the text format."""


class QueryError(ValueError):
    """A query that CloudWatch would not run; the message quotes what is wrong."""


@dataclass
class Query:
    """A query as it is read: `read` are the fields of log lines that it uses."""

    text: str
    read: set[str] = field(default_factory=set)
    named: set[str] | None = None
    """After `stats`: all that later commands know."""
    defined: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._tokens = list(_tokens(self.text))
        self._at = 0
        while True:
            self._command()
            if not self._taken("|"):
                break
        if self._at < len(self._tokens):
            raise QueryError(f"{self._tokens[self._at][1]!r} is left over")

    # ---- tokens ----

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "the end")

    def _take(self, *kinds: str) -> str:
        kind, text = self._next()
        if kind not in kinds:
            raise QueryError(f"{text!r} where a {' or '.join(kinds)} belongs")
        self._at += 1
        return text

    def _taken(self, *texts: str) -> str:
        if self._next()[1] in texts and self._next()[0] in ("sign", "name"):
            return self._take("sign", "name")
        return ""

    def _need(self, text: str) -> None:
        if not self._taken(text):
            raise QueryError(f"{self._next()[1]!r} where {text!r} belongs")

    # ---- commands ----

    def _command(self) -> None:
        name = self._take("name")
        match name:
            case "fields" | "display":
                self._listed(self._column)
            case "filter":
                self._condition()
            case "stats":
                self._stats()
            case "sort":
                self._listed(self._order)
            case "limit":
                self._take("number")
            case _:
                raise QueryError(f"{name!r} is no command")

    def _listed(self, one: Callable[[], None]) -> None:
        one()
        while self._taken(","):
            one()

    def _column(self) -> None:
        self._sum()
        if self._taken("as"):
            self.defined.add(self._take("name"))

    def _order(self) -> None:
        self._sum()
        self._taken("asc", "desc")

    def _stats(self) -> None:
        made: set[str] = set()

        def aggregation() -> None:
            name = self._take("name")
            if name not in AGGREGATIONS:
                raise QueryError(f"{name!r} is no function of stats")
            self._arguments(name, AGGREGATIONS[name])
            made.add(self._take("name") if self._taken("as") else name)

        def group() -> None:
            start = self._at
            self._sum()
            made.add(self._take("name") if self._taken("as") else self._tokens[start][1])

        self._listed(aggregation)
        if self._taken("by"):
            self._listed(group)
        self.named = made

    def _arguments(self, name: str, wanted: int) -> None:
        self._need("(")
        if name == "count" and (self._taken("*") or self._next()[1] == ")"):
            self._need(")")
            return
        before = set(self.read)
        self.read.clear()
        self._sum()
        if not self.read:
            raise QueryError(f"{name}() reads a field")
        self.read |= before
        for _ in range(wanted - 1):
            self._need(",")
            self._take("number")
        self._need(")")

    # ---- expressions ----

    def _condition(self) -> None:
        self._comparison()
        while self._taken("and", "or"):
            self._comparison()

    def _comparison(self) -> None:
        self._taken("not")
        if self._taken("("):
            self._condition()
            self._need(")")
            return
        self._sum()
        if self._taken(*COMPARISONS):
            self._sum()
        elif self._taken("like"):
            self._take("regex", "string")
        elif self._taken("in"):
            self._need("[")
            self._listed(self._value)
            self._need("]")

    def _sum(self) -> None:
        self._value()
        while self._taken(*ARITHMETIC):
            self._value()

    def _value(self) -> None:
        kind, _ = self._next()
        if self._taken("("):
            self._sum()
            self._need(")")
        elif kind in ("string", "number"):
            self._take(kind)
        else:
            name = self._take("name")
            if self._taken("("):
                if name not in FUNCTIONS:
                    raise QueryError(f"{name!r} is no function")
                self._listed(self._value)
                self._need(")")
            else:
                self._field(name.strip("`"))

    def _field(self, name: str) -> None:
        if self.named is not None and name not in self.named:
            raise QueryError(f"{name!r} is not there after stats")
        if self.named is None and name not in self.defined:
            self.read.add(name)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if found is None:
            raise QueryError(f"{text[at:].strip()[:20]!r} cannot be read")
        at = found.end()
        yield str(found.lastgroup), found[str(found.lastgroup)]
