"""Options that several commands share."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import MisuseError

if TYPE_CHECKING:
    from ..deployment import Deployment

F = TypeVar("F", bound=Callable[..., Any])


def on_stack(function: F) -> F:
    """`--stack NAME`, here as well as before the command's name."""
    return click.option("--stack", metavar="NAME", help="A deployed stack, instead of the embedded cloud.")(
        function
    )


def as_json(function: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="JSON, as docs/cli.md names it.")(function)


def deployment(stack: str | None) -> "Deployment":
    """The deployment of the current command line."""
    from ..deployment import connect

    return connect(stack or click.get_current_context().find_root().obj)


def name_of(what: str, value: str) -> str:
    """A domain or run id that can be one; MisuseError otherwise."""
    from ..seal import NAME

    if not NAME.fullmatch(value):
        raise MisuseError(
            f"{value!r} cannot be a {what}: letters, digits, '.', '_', '=' and '-', at most 128, "
            "the first a letter or digit"
        )
    return value
