"""`python -m simulation.known_faults`: puts each known fault back and plays seeds until it is found.

    NAME …             which faults; all without any
    --seconds 600      for how long each, in seconds of one core
    --profile NAME     another kind of night than the fault's own
    --first 1          the first seed
    --no-table         leave bench/KNOWN_FAULTS.md as it is

Prints a row for each, and writes it into the table of bench/KNOWN_FAULTS.md. Exit code 1 if one is not
found.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace

from simulation.stopping import stoppable

from .faults import FAULTS
from .seeking import named, seek, sound_process
from .table import HEAD, commit, row_of, write


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(
        "simulation.known_faults", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--profile", default="")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--no-table", action="store_true")
    given = parser.parse_args(arguments)
    try:
        faults = named(FAULTS, given.names)
    except KeyError as unknown:
        parser.error(f"no fault is named {unknown}; there are {', '.join(f.name for f in FAULTS)}")
    print(HEAD, flush=True)
    missed, made_at = 0, commit()
    with sound_process() as sound:
        for fault in faults:
            fault = replace(fault, profile=given.profile or fault.profile)
            found = seek(fault, sound, given.seconds, given.first)
            missed += not found.claim
            row = row_of(found, made_at)
            print(row, flush=True)
            if not given.no_table:
                write(FAULTS, [row])
            where = f"seed {found.seed}: {found.about}" if found.claim else "nowhere"
            beside = f"set aside {found.anyway}, other claims {found.others}"
            print(f"{fault.name}: {where}; {beside}", file=sys.stderr, flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of text is part of a history.
        again = [sys.executable, "-m", "simulation.known_faults", *sys.argv[1:]]
        os.execve(sys.executable, again, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606 - ourselves
    sys.exit(stoppable(main))
