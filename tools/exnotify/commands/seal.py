"""`exnotify seal DIR`: the one-file tool, here with the rest."""

import click


@click.command(
    "seal",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> int:
    """Seal a folder of Exstream output."""
    from ..seal import main

    try:
        return main(arguments, prog="exnotify seal")
    except SystemExit as end:  # argparse's own way to end: help, or bad use
        return end.code if isinstance(end.code, int) else 1
