"""`exnotify switch`."""

import click

from ..errors import MisuseError
from .options import as_json, deployment, name_of, on_stack


@click.command("switch")
@click.argument("name", required=False)
@click.option("--off", "wanted", flag_value="off", help="Send nothing there, from within a minute.")
@click.option("--on", "wanted", flag_value="on", help="Send there again; what waited goes out by itself.")
@click.option("--why", default="", metavar="TEXT", help="The reason, for the history; --off needs one.")
@as_json
@on_stack
def command(name: str | None, wanted: str | None, why: str, as_json: bool, stack: str | None) -> int:
    """Switch sending off or on for a channel (email, sms) or a domain; without a name, show the switches.

    Nothing is lost: notices are deferred with the reason switched_off and go out within minutes after it
    is on again, unless their deadline has passed. What a provider has already taken goes its way.
    """
    from ..screen import emit_json

    target = deployment(stack)
    switches = target.app.switches
    if wanted and not name:
        raise MisuseError("which? email, sms or a domain")
    if name and wanted:
        name_of("channel or domain", name)
        if wanted == "off" and not why.strip():
            raise MisuseError("say why: --why TEXT stands in the history")
        at = target.app.clock.now().isoformat(timespec="seconds")
        changed = switches.switch(name, off=wanted == "off", who=target.who, why=why, at=at)
        if not as_json:
            click.echo(f"{name} is {wanted}" + ("" if changed else " already"))
    rows = [
        {"name": s.name, "off": True, "at": s.at, "who": s.who, "why": s.why}
        for s in switches.all()
        if name in (None, s.name)
    ]
    if as_json:
        emit_json({"off": rows, "history": switches.history()})
    elif not wanted:
        for row in rows:
            click.echo(f"{row['name']} is off since {row['at']}, by {row['who']}: {row['why']}")
        click.echo("everything else is on" if rows or not name else f"{name} is on")
    return 0
