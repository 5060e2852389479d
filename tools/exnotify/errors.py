"""How a command ends badly: one sentence on stderr that says what to do, and an exit code."""

from typing import IO, Any

import click

FAILED = 1
"""Not balanced, not found, not possible."""

MISUSED = 2
"""Bad use of the command."""

NEEDS_LOOK = 3
"""A run balances but something of it needs a look, or a check had no answer."""


class CommandError(click.ClickException):
    """Ends the command with exit code 1; the message is a whole sentence."""

    exit_code = FAILED

    def show(self, file: IO[Any] | None = None) -> None:
        """The message, on stderr unless told otherwise."""
        click.echo(f"exnotify: {self.format_message()}", file=file, err=file is None)


class MisuseError(CommandError):
    """Bad use of a command that click cannot see; exit code 2."""

    exit_code = MISUSED
