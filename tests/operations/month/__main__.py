"""`python -m tests.operations.month ordinary|faults [part/of] [NAME…]`: plays a month, prints it, and ends with JSON.

A month has a process of its own, since the functions' modules keep what they are wired to.
"""

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .faults import FAULTS, play, utc
from .nights import Month

NIGHTS = 30


def ordinary(folder: Path, nights: int = NIGHTS) -> dict[str, Any]:
    """A month without a fault: what was sent, who was told, and every page."""
    month = Month(folder)
    for number in range(nights):
        month.play_day(number)
    stack = month.stack
    told = {"nights": nights, "runs": month.runs, "records": month.records}
    told |= {"mails": month.mail.taken, "SMS": month.text.taken}
    told |= {f"alerts to {team}": number for team, number in sorted(month.alerts.items())}
    told |= {"pages": len(stack.pages)}
    for name, number in told.items():
        print(f"{name:>24} {number:>7}")
    for (alarm, behind), number in Counter((page.alarm, page.behind) for page in stack.pages).most_common():
        print(f"{number:>7} × {alarm}: {', '.join(behind)}")
    # A sweep that fails once is made good by the next: its letter stays, and tells nobody.
    dead = {
        name: len(queue.letters) for name, queue in stack.queues.items() if queue.reported and queue.letters
    }
    pages = [(utc(page.at), page.alarm, page.behind) for page in stack.pages]
    return {**told, "paged": pages, "dead": dead, "raised": dict(stack.app.bus.raised)}


def faulty(folder: Path, names: list[str], part: int = 0, of: int = 1) -> list[dict[str, Any]]:
    """A night for each fault, one after the other in the same stack; only those named, if any is."""
    month = Month(folder, small=True)
    month.play_day(0, mishap=False)
    seen, number = [], 1
    for fault in [fault for fault in FAULTS if not names or fault.name in names][part::of]:
        result = play(month, number, fault)
        number += fault.days
        seen.append(asdict(result))
        print(f"{'ok' if not result.problem else result.problem:>40}  {fault.name}", flush=True)
        for minutes, alarm, behind in result.pages:
            print(f"{'':>42}{minutes:>6.0f} min  {alarm}: {', '.join(behind)}", flush=True)
        if result.stayed:
            print(
                f"{'':>42}stays on: {', '.join(result.stayed)}; {', '.join(month.stack.board.on())}",
                flush=True,
            )
    return seen


def main(arguments: list[str]) -> None:
    """Plays what the arguments say; the last line printed is JSON."""
    kind, *rest = arguments
    with TemporaryDirectory(prefix="month-") as folder:
        if kind == "ordinary":
            found: Any = ordinary(Path(folder), *map(int, rest))
        else:
            part, of = map(int, rest.pop(0).split("/")) if rest and "/" in rest[0] else (0, 1)
            found = faulty(Path(folder), rest, part, of)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
