"""Check the model's worlds, small ones first, with all cores.

The last ones have two runs and three attempts, and take hours; `make test` looks at small ones.
"""

import os
import sys
import time

from simulation.stopping import stoppable

from . import WORLDS, check


def main() -> int:
    """1 if a claim does not hold, 2 if TLC cannot be run."""
    failed = 0
    for size in WORLDS:
        started = time.monotonic()
        print(size, end=": ", flush=True)
        try:
            result = check(size, os.cpu_count() or 1)
        except (OSError, RuntimeError) as error:
            print(f"not checked\n{error}", file=sys.stderr)
            return 2
        seconds = time.monotonic() - started
        said = result.broken or "every claim holds"
        print(f"{result.states:,} states, depth {result.depth}, {seconds:,.0f} s, {said}", flush=True)
        if result.broken:
            print(result.text)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(stoppable(main))
