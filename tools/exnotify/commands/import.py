"""`exnotify import FILE`."""  # noqa: N999 - a command is named as it is typed

from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import FAILED, CommandError
from .options import as_json, deployment, name_of, on_stack

if TYPE_CHECKING:
    from ..importing import Finding, Report

_SHOWN = 20
"""Findings on the screen; the report file has them all."""


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--domain", default="retail", show_default=True, metavar="NAME")
@click.option("--apply", is_flag=True, help="Write what was checked; without it nothing is written.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), metavar="CSV",
    help="Write every finding: what, row, field, reason.",
)  # fmt: skip
@as_json
@on_stack
def command(
    file: Path, domain: str, apply: bool, report: Path | None, as_json: bool, stack: str | None
) -> int:
    """Check an existing preference file (CSV), and with --apply lay it over the contacts.

    All rows must be right, or nothing is written. An import that was interrupted is finished by the same
    command: rows that stand already change nothing. What customers, portals and operators set here stays.
    """
    from ..importing import WHO, PreferenceFile, Site, apply_file, check_file
    from ..screen import remark

    target = deployment(stack)
    name_of("domain", domain)
    app = target.app
    topics = frozenset(app.rules.of_type(kind).topic for kind in app.rules.types)
    site = Site(
        topics,
        app.policy.window,
        app.addresses,
        app.suppressions,
        app.exceptions,
        app.settings.queue_separator,
    )
    source = PreferenceFile(file)
    try:
        who = f"{WHO}{source.sha256[:12]} by {target.who}"
        found = check_file(source, domain, app.contacts, site, app.clock.now(), who)
        if not found.rows and not source.exported:
            raise CommandError(f"{file.name} has no rows below its heading")
        applied = apply and not found.refused
        if applied:
            found = apply_file(
                source, domain, app.contacts, site, app.clock, who,
                lambda rows: remark(f"{rows} rows") if rows % 10_000 == 0 else None,
            )  # fmt: skip
    finally:
        source.close()
    _tell(found, applied=applied, as_json=as_json, path=report)
    return FAILED if found.refused else 0


def _tell(found: "Report", *, applied: bool, as_json: bool, path: Path | None) -> None:
    from ..importing import findings_as_csv
    from ..screen import console, emit_json, table

    findings: list[tuple[str, Finding]] = list(
        chain(
            (("refused", one) for one in found.refused),
            (("kept", one) for one in found.kept),
            (("erased", one) for one in found.erased),
        )
    )
    if path is not None:
        with path.open("w", encoding="utf-8", newline="") as out:
            findings_as_csv(findings, out)
    if as_json:
        emit_json({"applied": applied, **asdict(found)})
        return
    if findings:
        shown = findings[:_SHOWN]
        console().print(
            table(
                ("what", "row", "field", "reason"),
                ((what, one.row, one.field, one.reason) for what, one in shown),
                numbers=("row",),
            )
        )
        if len(findings) > len(shown):
            click.echo(f"and {len(findings) - len(shown)} more: --report FILE has them all")
    counts = f"{found.added} new, {found.changed} changed, {found.unchanged} unchanged"
    if found.erased:
        counts += f", {len(found.erased)} of erased customers passed over"
    if found.ignored:
        click.echo(f"columns passed over: {', '.join(found.ignored)}")
    if found.refused:
        rows = len({one.row for one in found.refused})
        click.echo(f"{rows} of {found.rows} rows cannot be used: nothing is written")
    elif applied:
        click.echo(f"{found.rows} rows applied: {counts}")
    else:
        click.echo(f"{found.rows} rows are right: {counts}; --apply writes them")
