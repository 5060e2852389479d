"""What commands show: tables and colours for people, JSON for programs.

Results go to stdout, progress and remarks to stderr, so that `--json` can be piped.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

_PIPE_WIDTH = 160

STYLES: Mapping[str, str] = {
    "notified": "green",
    "suppressed": "yellow",
    "deferred": "cyan",
    "paper": "blue",
    "duplicate": "dim",
    "rejected": "red",
    "failed": "bold red",
    "unconfirmed": "magenta",
    "in_flight": "dim cyan",
    "sent": "green",
    "delayed": "cyan",
    "undelivered": "red",
    "delivered": "bold green",
    "bounced": "bold red",
    "complained": "yellow",
    "superseded": "dim",
    "sending": "dim cyan",
    "severe": "bold red",
    "error": "red",
    "warning": "yellow",
    "info": "dim",
}
"""Colour by outcome, status or severity; each word stands in the text as well."""


def console(*, err: bool = False) -> "Console":
    """A console for stdout or stderr; wide enough for whole values where it is no terminal."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH
    return Console(stderr=err, width=width, highlight=False, soft_wrap=not stream.isatty())


def emit_json(value: Any) -> None:
    """A value as JSON on stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def remark(text: str) -> None:
    """A line on stderr, for whoever watches."""
    click.echo(text, err=True)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Sequence[str] = (),
    whole: Sequence[str] = (),
    lines: bool = False,
) -> "Table":
    """A plain table.

    `numbers` names the columns that are aligned to the right, `whole` those that are never folded;
    `lines` draws one between rows.
    """
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_lines=lines)
    for name in columns:
        side: Literal["left", "right"] = "right" if name in numbers else "left"
        made.add_column(name, justify=side, overflow="fold", no_wrap=name in whole)
    for row in rows:
        made.add_row(*(styled(cell) for cell in row))
    return made


def styled(value: object) -> Any:
    """A cell: known words in their colour, nothing as a dash; never read as markup."""
    from rich.text import Text

    if isinstance(value, Text):
        return value
    text = "–" if value is None or value == "" else str(value)
    return Text(text, style=STYLES.get(text, "dim" if text in ("–", "0") else ""))


def fields(rows: Iterable[tuple[str, object]]) -> "Table":
    """Names and values under one another; empty values are left out."""
    from rich.table import Table

    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim")
    made.add_column(overflow="fold")
    for name, value in rows:
        if value not in (None, "", (), [], {}):
            made.add_row(name, styled(value))
    return made


@contextmanager
def progress(*, shown: bool = True) -> "Iterator[Progress]":
    """Progress bars on stderr; nothing at all where that is no terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[note]}", style="dim"),
        TimeElapsedColumn(),
        console=console(err=True),
        transient=True,
        disable=not (shown and sys.stderr.isatty()),
    ) as bars:
        yield bars
