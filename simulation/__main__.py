"""`python -m simulation`: histories from seeds, each played and checked; a failing one is shrunk and shown.

    --seeds 100-200 | 7 | 3,5,9    which seeds (random ones without it); 7:storm has its profile with it
    --begin 5f2a                   how the names of random seeds begin, so that the same ones are drawn again
    --fixed                        the fixed set: one seed of each kind of night
    --hours 8 | --seconds 120      for how long; with --seeds: at most
    --replay SEED                  one history, told from beginning to end, with its violations
    --report                       write what was played so far to `bench/RESULTS.md`
    --profile NAME                 what kind of night (`simulation/stories/profiles.py`); drawn without it

Exit code 1 if a history violates a claim. Each history is a line of
`build/simulation/histories.jsonl`, the totals are in `build/simulation/totals.json`.
"""

from __future__ import annotations

import argparse
import os
import sys

from .fixed import fixed
from .running import Order, replay, report, run_all, seeds_of
from .stopping import stoppable
from .stories.profiles import PROFILES


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(
        "simulation", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=seeds_of)
    parser.add_argument("--begin", default="")
    parser.add_argument("--fixed", action="store_true")
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--replay", metavar="SEED")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--shrink", type=float, default=600.0, metavar="SECONDS", help="0: do not shrink")
    parser.add_argument("--going", action="store_true", help="go on after a failure")
    given = parser.parse_args(arguments)
    if given.report:
        return report()
    if given.replay:
        return replay(given.replay, given.profile)
    seconds = given.hours * 3600 + given.seconds
    if given.fixed:
        given.seeds = fixed()
    if not given.seeds and not seconds:
        parser.error("say which seeds, or for how long: --seeds 1-100, --seconds 120")
    return run_all(
        Order(
            seeds=given.seeds,
            seconds=seconds,
            profile=given.profile,
            processes=given.processes,
            shrink=given.shrink,
            going=given.going,
            begin=given.begin,
        )
    )


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of text is part of a history.
        again = [sys.executable, "-m", "simulation", *sys.argv[1:]]
        os.execve(sys.executable, again, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606 - ourselves
    sys.exit(stoppable(main, "what was played is in build/simulation/histories.jsonl"))
