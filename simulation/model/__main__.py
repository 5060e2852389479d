"""Check the model's worlds, small ones first, with one core.

The last ones have two runs and three attempts, and take hours; `make test` looks at small ones.
"""

import sys
import time

from . import WORLDS, check


def main() -> int:
    """1 if a claim does not hold."""
    failed = 0
    for size in WORLDS:
        started = time.monotonic()
        result = check(size)
        seconds = time.monotonic() - started
        said = result.broken or "every claim holds"
        print(f"{size}: {result.states:,} states, depth {result.depth}, {seconds:,.0f} s, {said}", flush=True)
        if result.broken:
            print(result.text)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
