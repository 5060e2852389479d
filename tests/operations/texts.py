"""The commands in what people on call read: alarms, alerts, the sentences of the code, the runbook.

A command in running text ends where its arguments end: `exnotify run RUN --csv names the records` is
`exnotify run RUN --csv`. An option named later, as in `then --release or --cancel`, is the last command with
that option.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import click
import yaml

from exnotify.cli import COMMANDS, exnotify
from exnotify.local import ROOT
from exnotify.operations import watch
from exstream_notify.adapters.rules import PACKAGE_RULES

BOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
SHELL = re.compile(r"```sh\n(.*?)```", re.S)
_CODE = (ROOT / "layers/core/exstream_notify", ROOT / "functions", ROOT / "tools/exnotify")

_WORD = re.compile(r'"[^"]*"|\S+')
_ENDS = "`.,;:)?!…’'"
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_]+(\.[a-z]+)?|[a-z]+:[A-Z]+|[A-Z]+=[A-Z]+|\{[^}]*\}")
# Queues and functions of the template by name, functions by folder, channels.
_LITERALS = re.compile(r"[A-Za-z]+(Queue|Letters|Failures)|[a-z]+(_[a-z]+)+|email|sms")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


class CommandUnknown(Exception):
    """A text names a command, or an option, that does not exist."""


@dataclass(frozen=True)
class Text:
    """What somebody reads, and where it is written; `literal` if it is a line for a shell."""

    place: str
    words: str
    literal: bool = False


@dataclass(frozen=True)
class Command:
    """A command of ours as a text writes it; `given` are the words by the parameter that they are for, `arguments`
    those that are no option's."""

    words: tuple[str, ...]
    given: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    arguments: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return " ".join(("exnotify", *(f'"{w}"' if " " in w else w for w in self.words)))


# --- where texts are ------------------------------------------------------------------------------


def texts() -> Iterator[Text]:
    """Every text."""
    yield from alarm_texts()
    yield from alert_texts()
    for folder in _CODE:
        for path in sorted(folder.rglob("*.py")):
            yield from code_texts(path.read_text("utf-8"), str(path.relative_to(ROOT)))
    yield from book_texts(BOOK)


def alarm_texts() -> Iterator[Text]:
    """The description of every alarm, as CloudWatch shows it."""
    stack = watch.read((ROOT / "monitoring.yaml").read_text("utf-8"))
    for name, resource in stack["Resources"].items():
        told = resource["Properties"].get("AlarmDescription", "")
        told = told["Fn::Sub"] if isinstance(told, Mapping) else told
        yield Text(f"alarm {name}", told if isinstance(told, str) else told[0])


def alert_texts() -> Iterator[Text]:
    """What an alert means and advises."""
    alerts = yaml.safe_load((PACKAGE_RULES / "alerts.yaml").read_text("utf-8"))
    rows = {**alerts["codes"], **alerts["families"], **{str(row["when"]): row for row in alerts["routes"]}}
    for name, row in rows.items():
        for key in ("means", "advice"):
            yield Text(f"alerts.yaml {name}.{key}", row.get(key, ""))


def code_texts(source: str, place: str) -> Iterator[Text]:
    """The sentences of a module, without its docstrings; what an f-string fills in stands in braces."""
    tree = ast.parse(source)
    quiet: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant | ast.JoinedStr):
            quiet.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            quiet.update(map(id, node.values))
        if isinstance(node, ast.keyword) and node.arg == "prog":
            quiet.add(id(node.value))  # the command's own name
    for node in ast.walk(tree):
        if id(node) in quiet:
            continue
        if isinstance(node, ast.JoinedStr):
            yield Text(f"{place}:{node.lineno}", "".join(map(_filled_in, node.values)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Text(f"{place}:{node.lineno}", node.value)


def _filled_in(part: ast.expr) -> str:
    if isinstance(part, ast.FormattedValue):
        return f"{{{ast.unparse(part.value).replace(' ', '')}}}"
    return str(part.value) if isinstance(part, ast.Constant) else ""


def book_texts(book: str) -> Iterator[Text]:
    """The runbook: its lines for a shell, and the rest."""
    for block in SHELL.findall(book):
        for line in block.replace("\\\n", " ").splitlines():
            yield Text("docs/runbook.md", line.partition("# ")[0].strip(), literal=True)
    for line in SHELL.sub("", book).splitlines():
        yield Text("docs/runbook.md", line)


# --- what commands they name ----------------------------------------------------------------------


def commands_in(text: Text) -> list[Command]:
    """The commands of ours in a text. CommandUnknown if one does not exist."""
    if text.literal:
        words = [word.strip('"') for word in _WORD.findall(text.words)]
        return [_command(words[1:])] if words[:1] == ["exnotify"] else []
    found: list[Command] = []
    # A text that speaks of the command itself (`exnotify is …`) names none.
    parts = re.split(rf"(?<![\w./-])exnotify (?=(?:{'|'.join(COMMANDS)})\b)", text.words)
    for part in parts[1:]:
        words, rest = _running(part)
        found.append(_command(words))
        rest = _foreign(rest)
        while option := _OPTION.search(rest):
            rest = rest[option.start() :]
            if option.group() in _options(words[0]):
                words, rest = _running(f"{words[0]} {rest}", found[-1].arguments)
                found.append(_command(words))
            elif any(option.group() in _options(name) for name in COMMANDS):
                rest = rest[len(option.group()) :]  # of the command that says so
            else:
                raise CommandUnknown(f"{text.words}: no command has {option.group()}")
    if re.search(r"`exnotify (?!-)[a-z]+`?", text.words) and not found:
        raise CommandUnknown(text.words)
    return found


def _foreign(words: str) -> str:
    """The words without what belongs to a command of somebody else's."""
    return re.sub(r"\b(aws|make|sam|seal\.py) [^;.]*", "", words)


def _running(part: str, before: tuple[str, ...] = ()) -> tuple[list[str], str]:
    """The words of a command in running text, and the rest; `before` are arguments that it has already."""
    raw = list(_WORD.finditer(part))
    name = raw[0].group().rstrip(_ENDS)
    parameters = _parameters(name)
    words = [name, *before]
    places = sum(1 for p in parameters if isinstance(p, click.Argument)) + _is_group(name) - len(before)
    end = raw[0].end()
    ended = raw[0].group() != name
    position = 1
    while not ended and position < len(raw):
        word = raw[position].group()
        plain = word.rstrip(_ENDS) if not word.startswith('"') else word.strip('"')
        option = next((p for p in parameters if plain in p.opts), None)
        if option is not None or plain.startswith("--"):
            words.append(plain)
            if option is not None and not option.is_flag and position + 1 < len(raw):  # type: ignore[attr-defined]
                position += 1
                word = raw[position].group()
                words.append(word.strip('"').rstrip(_ENDS))
        elif places > 0 and (_PLACEHOLDER.fullmatch(plain) or _is_literal(name, plain)):
            words.append(plain)
            places -= 1
        else:
            break
        end = raw[position].end()
        ended = word[-1] in _ENDS and not word.endswith("}")
        position += 1
    return words, part[end:]


def _is_literal(name: str, word: str) -> bool:
    """Whether a word of running text is an argument: a name of the template, a channel, a choice."""
    command = exnotify.get_command(click.Context(exnotify), name)
    choices = {c for p in _parameters(name) for c in getattr(p.type, "choices", ())}
    return bool(_LITERALS.fullmatch(word)) or word in choices or word in getattr(command, "commands", {})


def _is_group(name: str) -> int:
    return 2 if isinstance(exnotify.get_command(click.Context(exnotify), name), click.Group) else 0


def _options(name: str) -> set[str]:
    return {opt for parameter in _parameters(name) for opt in (*parameter.opts, *parameter.secondary_opts)}


def _parameters(name: str) -> list[click.Parameter]:
    command = exnotify.get_command(click.Context(exnotify), name)
    if command is None:
        raise CommandUnknown(f"exnotify {name}")
    return command.params


def _command(words: list[str]) -> Command:
    """A command with each of its words by its parameter."""
    name, *rest = words
    given: list[tuple[str, str]] = []
    plain: list[str] = []
    command: Any = exnotify.get_command(click.Context(exnotify), name)
    if command is None:
        raise CommandUnknown(" ".join(("exnotify", *words)))
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    position = 0
    while position < len(rest):
        word = rest[position]
        if word.startswith("-"):
            option = next((p for p in command.params if word in (*p.opts, *p.secondary_opts)), None)
            if option is None and command.context_settings.get("ignore_unknown_options"):
                position += 1
                continue
            if option is None:
                raise CommandUnknown(f"{' '.join(('exnotify', *words))}: no option {word}")
            if not option.is_flag:
                position += 1
                given.append((str(option.name), rest[position] if position < len(rest) else ""))
        elif word in getattr(command, "commands", {}):
            plain.append(word)
            command = command.commands[word]
            arguments = [p for p in command.params if isinstance(p, click.Argument)]
        else:
            plain.append(word)
            given.append((str(arguments.pop(0).name) if arguments else "", word))
        position += 1
    return Command(tuple(words), tuple(given), tuple(plain))
