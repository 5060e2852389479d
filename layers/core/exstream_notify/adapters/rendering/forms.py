"""Templates turned into forms: the words of a message with gaps for one document's values.

Jinja runs once for each set of values that documents have, with marks in their place. What comes out
is cut at the marks, so that one message costs a few string operations, a value can never be taken for
template text, and a bulk job's content is the same form with insert numbers in its gaps.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from ...domain.sms_text import fold
from .texts import WordingError

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.nodes import Node
    from jinja2.sandbox import SandboxedEnvironment

_MARK = re.compile("\ue000([a-z_]+)\ue001")
_SPACES = re.compile(r" {2,}")
_INSERT = re.compile(r"\(i\d")


class Mark:
    """Stands for a value: a template may print it, or ask whether it is there; nothing else."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __str__(self) -> str:
        return f"\ue000{self._name}\ue001"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text with gaps, as a %-format, and the variables that fill them in order."""

    format: str
    names: tuple[str, ...]
    bulk_safe: bool

    @classmethod
    def cut(cls, marked: str) -> "Pattern":
        """From text with marks in it."""
        pieces = _MARK.split(marked)
        literals = [piece.replace("%", "%%") for piece in pieces[::2]]
        safe = not any(_INSERT.search(piece) for piece in pieces[::2])
        return cls("%s".join(literals), tuple(pieces[1::2]), safe)

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with these values; KeyError if one is missing."""
        return self.format % tuple([values[name] for name in self.names])


@dataclass(frozen=True, slots=True)
class MailForm:
    """One e-mail; the gaps of `html` are filled with escaped values."""

    subject: Pattern
    text: Pattern
    html: Pattern

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """Plain ones first, HTML last."""
        return self.subject, self.text, self.html


@dataclass(frozen=True, slots=True)
class Phrase:
    """One compiled text; plain words need no template.

    What it `needs` must have values, or the text is left out; what it only `mentions` may.
    """

    source: str
    template: "Template | None"
    needs: frozenset[str]
    mentions: frozenset[str]


class Phrasebook:
    """Compiles and renders wording: sandboxed, strict, and with nothing to call."""

    def __init__(self) -> None:
        self._phrases: dict[str, Phrase] = {}
        self._layouts: dict[tuple[str, str], Template] = {}

    def phrase(self, source: str) -> Phrase:
        """A text compiled. Raises WordingError if its syntax is wrong."""
        if source not in self._phrases and "{" not in source:
            self._phrases[source] = Phrase(source, None, frozenset(), frozenset())
        elif source not in self._phrases:
            from jinja2 import TemplateError
            from jinja2.meta import find_undeclared_variables

            environment = self._plain
            try:
                tree = environment.parse(source)
                mentions = frozenset(find_undeclared_variables(tree))
                needs = frozenset(_printed_always(tree))
                template = environment.from_string(tree)
            except (TemplateError, SyntaxError) as error:
                raise WordingError(f"{error} in {source!r}") from error
            self._phrases[source] = Phrase(source, template, needs, mentions)
        return self._phrases[source]

    def say(self, phrase: Phrase, context: Mapping[str, object]) -> str:
        """The text with marks. Raises WordingError for what the context has not, or forbids."""
        return _guarded(phrase.template, context, phrase.source) if phrase.template else phrase.source

    def lay_out(self, name: str, source: str, context: Mapping[str, object]) -> str:
        """A layout filled in; HTML is escaped if it is one. Raises WordingError."""
        if (name, source) not in self._layouts:
            from jinja2 import TemplateError

            environment = self._html if name.endswith(".html") else self._plain
            try:
                self._layouts[name, source] = environment.from_string(source)
            except (TemplateError, SyntaxError) as error:
                line = getattr(error, "lineno", None) or 0
                raise WordingError(f"{name}:{line}: {error}") from error
        return _guarded(self._layouts[name, source], context, name)

    @cached_property
    def _plain(self) -> "SandboxedEnvironment":
        return _environment(autoescape=False)

    @cached_property
    def _html(self) -> "SandboxedEnvironment":
        return _environment(autoescape=True)


def alternatives(entry: object) -> list[str]:
    """A text, or a list of texts of which the first that fits is taken."""
    if entry is None:
        return []
    return [str(item) for item in entry] if isinstance(entry, list) else [str(entry)]


def sms_pattern(marked: str) -> Pattern:
    """An SMS text with marks: its own words in the GSM alphabet where they can be said in it."""
    pieces = _MARK.split(marked)
    text = "".join(fold(p) if i % 2 == 0 else f"\ue000{p}\ue001" for i, p in enumerate(pieces))
    return Pattern.cut(_SPACES.sub(" ", text).strip())


def number_inserts(
    patterns: Sequence[tuple[Pattern, bool]], changed_by_escaping: Collection[str]
) -> tuple[list[str], list[tuple[str, bool]]]:
    """Patterns with `(i1)`, `(i2)` … in their gaps, and what fills each number: variable, escaped or not.

    Each pattern says whether it is HTML. A variable has one number, and a second one for HTML if
    escaping changes it for anybody.
    """
    order: dict[tuple[str, bool], int] = {}
    filled = []
    for pattern, html in patterns:
        keys = [(name, html and name in changed_by_escaping) for name in pattern.names]
        numbers = [order.setdefault(key, len(order) + 1) for key in keys]
        filled.append(pattern.format % tuple(f"(i{number})" for number in numbers))
    return filled, list(order)


def looks_like_insert(value: str) -> bool:
    """Whether a value could be, or become beside other text, an insert mark of the provider's own."""
    return ("(" in value or ")" in value) and _LIKE_INSERT.search(value) is not None


_LIKE_INSERT = re.compile(r"\(i\d|\((?:i\d*)?$|^i?\d*\)")


def _printed_always(node: "Node") -> Iterable[str]:
    """Names that a text prints whatever happens: those outside any `{% if %}`."""
    from jinja2 import nodes

    if isinstance(node, nodes.If):
        return
    if isinstance(node, nodes.Name) and node.ctx == "load":
        yield node.name
    for child in node.iter_child_nodes():
        yield from _printed_always(child)


def _guarded(template: "Template", context: Mapping[str, object], where: str) -> str:
    try:
        return template.render(context)
    except WordingError as error:
        raise WordingError(f"{error} in {where!r}") from error
    except Exception as error:  # wording can fail in as many ways as a program
        raise WordingError(f"{type(error).__name__}: {error} in {where!r}") from error


def _printable(value: object) -> object:
    from jinja2 import Undefined

    if isinstance(value, Undefined):
        str(value)  # raises, and says which name it is that nobody knows
    if value is None:
        raise WordingError("prints a value that may be missing: put it into {% if … %}")
    if isinstance(value, (Mark, str, int)) or hasattr(value, "__html__"):
        return value
    raise WordingError(f"prints a {type(value).__name__}")


@lru_cache(maxsize=2)
def _environment(*, autoescape: bool) -> "SandboxedEnvironment":
    from jinja2 import StrictUndefined
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        """Nothing to call, no arithmetic that could fill the memory, no attributes of values."""

        intercepted_binops = frozenset({"*", "**", "%"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            raise SecurityError(f"wording cannot use the operator {operator}")

        def is_safe_callable(self, obj: Any) -> bool:
            return False

        def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
            return not isinstance(obj, (Mark, str)) and super().is_safe_attribute(obj, attr, value)

    environment = Environment(
        autoescape=autoescape,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        cache_size=0,
    )
    kept: dict[str, Callable[..., Any]] = {
        name: environment.filters[name] for name in ("escape", "e", "forceescape")
    }
    environment.filters = kept
    environment.globals = {}
    return environment
