"""`exnotify receipt FILE`."""

import sys
from pathlib import Path

import click

from ..errors import CommandError
from .options import as_json, deployment, on_stack


@click.command("receipt")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--notice",
    metavar="ID",
    help="Stands for REPLACE in the file: a notice, or notice:attempt; in a mail its message's reference.",
)
@as_json
@on_stack
def command(file: Path, notice: str | None, as_json: bool, stack: str | None) -> int:
    """Hand in the receipt in FILE (or - for stdin) as its provider would.

    SES and SMS events go through their topic, OpenText status through the web hook, events of Exstream
    over the bus, bounce mails into their bucket: the file's content tells which it is. Bounce mails only
    where the stack takes them (BounceMails=on, as `exnotify up` has it).
    """
    from ..receipts import PLACEHOLDER, hand_in, parcels
    from ..screen import emit_json

    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    found = parcels(data, str(file), notice)
    if notice is None and any(PLACEHOLDER in str(parcel.content) for parcel in found):
        raise CommandError(f"{file} holds {PLACEHOLDER} for a notice: say which with --notice ID")
    target = deployment(stack)
    told = [hand_in(target, parcel, notice) for parcel in found]
    if as_json:
        emit_json(told[0] if len(told) == 1 else told)
    for row in () if as_json else told:
        click.echo(f"{row['kind']}  by {row['way']}  {row['reference']}")
    return 0
