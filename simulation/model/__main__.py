"""Check the model as a whole: two workers, two runs, three attempts, each kind of provider and rule.

Takes hours; `make test` looks at smaller worlds.
"""

import os
import sys
from itertools import product

from . import Size, check


def main() -> int:
    """1 if a claim does not hold."""
    failed = 0
    for deduplicates, on_doubt in product((False, True), ("alert", "other_channel")):
        size = Size(deduplicates=deduplicates, on_doubt=on_doubt)
        result = check(size, os.cpu_count() or 1)
        print(f"{size}: {result.states:,} states, {result.broken or 'every claim holds'}", flush=True)
        if result.broken:
            print(result.text)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
