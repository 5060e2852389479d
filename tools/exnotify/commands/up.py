"""`exnotify up`."""

import errno
import signal
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from ..errors import CommandError, MisuseError

if TYPE_CHECKING:
    from ..local import LocalCloud


@click.command("up")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port to serve at (4580), the HTTP API at the next; 0: free ones.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep the functions' logs and a copy of every message there.",
)
@click.option("--at", metavar="TIME", help="Its clock starts at this time (ISO 8601, UTC unless it says so).")
@click.option("--day", type=float, metavar="SECONDS", help="A day of its clock lasts so long.")
@click.option("--seed", type=int, default=0, metavar="N", help="Decides what chaos does (0).")
@click.option(
    "--chaos",
    metavar="KIND,...",
    help="duplicates, reorder, partial (answers to batch calls), faults (of the providers).",
)
@click.option(
    "--site",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The site's own files, as in SiteLayer: a folder with rules/ and wording/.",
)
@click.option("--set", "settings", multiple=True, metavar="PARAMETER=VALUE", help="A template parameter.")
def command(
    port: int | None,
    data: Path | None,
    at: str | None,
    day: float | None,
    seed: int,
    chaos: str | None,
    site: Path | None,
    settings: tuple[str, ...],
) -> int:
    """Start the embedded cloud, and run it until stopped.

    Prints its addresses, and `ready URL` when it can be used. Nothing outlives it but what --data keeps.
    """
    from ..deployment import DEFAULT_PORT

    # Whoever started it in the background stops it with SIGTERM: as good as Ctrl-C.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        cloud = started(
            port=DEFAULT_PORT if port is None else port,
            data=data,
            at=at,
            day=day,
            seed=seed,
            chaos=chaos,
            site=site,
            parameters=parameters_of(settings),
        )
        with ExitStack() as last:
            last.callback(cloud.stop)
            _tell(cloud, data)
            cloud.wait()
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def parameters_of(settings: tuple[str, ...]) -> dict[str, str]:
    """Template parameters from `NAME=VALUE` texts; MisuseError for one that is none."""
    found = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise MisuseError(f"--set {text!r} is not PARAMETER=VALUE")
        found[name] = value
    return found


def started(
    *,
    port: int,
    data: Path | None = None,
    at: str | None = None,
    day: float | None = None,
    seed: int = 0,
    chaos: str | None = None,
    site: Path | None = None,
    parameters: dict[str, str] | None = None,
) -> "LocalCloud":
    """The embedded cloud, started, with a sign of life while it deploys; a sentence if it cannot start."""
    from ..screen import console

    err = console(err=True)
    with err.status("starting the embedded cloud") if err.is_terminal else nullcontext():
        from ..cloud import TemplateError
        from ..cloud.clock import Clock
        from ..local import LocalCloud, chaos_of, check_site

        try:
            kinds = chaos_of(chaos)
            if site is not None:
                check_site(site, parameters, datetime.fromtimestamp(Clock.starting(at).virtual, UTC).date())
            cloud = LocalCloud(
                port=port, at=at, day=day, seed=seed, chaos=kinds, data=data, site=site, parameters=parameters
            )
        except ValueError as error:
            raise MisuseError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or data}: {error.strerror}") from error
        try:
            return cloud.start()
        except TemplateError as error:
            raise CommandError(f"template.yaml cannot be deployed: {error}") from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise CommandError(
                f"port {port} is taken: stop what uses it, or choose another with --port"
            ) from error


_BOUNCE_MAILS = {"on": "taken: exnotify receipt FILE.eml", "off": "not taken (BounceMails=off)"}


def _tell(cloud: "LocalCloud", data: Path | None) -> None:
    rows = [
        ("AWS endpoint", f"{cloud.url}  (region us-east-1)"),
        ("HTTP API", cloud.api_url),
        ("inbox", cloud.inbox_url),
        ("chat alerts", cloud.chat_url),
        ("OpenText simulator", f"{cloud.url}/mra/v1"),
        ("SES and SMS simulators", cloud.url),
        ("provider faults", f"{cloud.url}/simulators/faults"),
        ("bounce mails", _BOUNCE_MAILS[cloud.parameters["BounceMails"]]),
        ("clock", cloud.clock.utc().isoformat(timespec="seconds")),
        *([("data", str(data))] if data else []),
    ]
    for name, value in rows:
        click.echo(f"{name:<24}{value}")
    click.echo(f"ready {cloud.url}")
