"""How many bounce mails are recognised, on any folders of mails.

    python -m bench.bounces --bounces DIR [--others DIR] [--list] [--json]

`--bounces` holds mails that are bounces (delays included), `--others` mails that are none: automatic
replies, challenges, complaints, ordinary mail. Exit code 1 if fewer than 95 % of the bounces are
recognised, or any other mail is taken for one. Mails are read as `record_receipt` reads them.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exstream_notify.adapters.receipts.mail import Phrases, read_mail
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.receipts import Kind

TARGET = 0.95


def mails(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in order of name."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size)


def measure(bounces: Path | None, others: Path | None) -> dict[str, Any]:
    """Counts over both folders: files by what was wrong with them, kinds, seconds."""
    phrases, verdicts = Phrases(), YamlRules().verdicts
    found: dict[str, Any] = {
        "bounces": 0, "recognised": 0, "with_address": 0, "with_class": 0,
        "others": 0, "taken_for_bounce": 0, "missed": [], "mistaken": [],
    }  # fmt: skip
    kinds: Counter[str] = Counter()
    slowest = 0.0
    for path in mails(bounces) if bounces else ():
        started = time.process_time()
        reading = read_mail(path.read_bytes(), phrases, verdicts)
        slowest = max(slowest, time.process_time() - started)
        found["bounces"] += 1
        kinds[str(reading.kind)] += 1
        if reading.is_bounce:
            found["recognised"] += 1
            found["with_address"] += any(row.address for row in reading.told)
            found["with_class"] += any(row.kind is not Kind.UNDETERMINED for row in reading.told)
        else:
            found["missed"].append(f"{path.name}: {reading.kind}")
    for path in mails(others) if others else ():
        reading = read_mail(path.read_bytes(), phrases, verdicts)
        found["others"] += 1
        if reading.is_bounce:
            found["taken_for_bounce"] += 1
            found["mistaken"].append(f"{path.name}: {reading.kind}")
    share = found["recognised"] / found["bounces"] if found["bounces"] else None
    return {**found, "share": share, "kinds": dict(kinds.most_common()), "slowest_seconds": round(slowest, 3)}


def main() -> int:
    """Measure and tell; 0 if the target is reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bounces", type=Path, metavar="DIR")
    parser.add_argument("--others", type=Path, metavar="DIR")
    parser.add_argument("--list", action="store_true", help="name the mails that were missed or mistaken")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.bounces and not given.others:
        parser.error("--bounces DIR or --others DIR")
    found = measure(given.bounces, given.others)
    if given.json:
        print(json.dumps(found, indent=1))
    else:
        if found["bounces"]:
            print(
                f"bounces      {found['bounces']:6}   recognised {found['recognised']} ({found['share']:.1%})"
            )
            print(f"             with an address {found['with_address']}, with a class {found['with_class']}")
            print(f"             {', '.join(f'{k} {n}' for k, n in found['kinds'].items())}")
            print(f"             slowest mail {found['slowest_seconds']} s of CPU")
        if found["others"]:
            print(f"other mails  {found['others']:6}   taken for a bounce {found['taken_for_bounce']}")
        for name in ("missed", "mistaken") if given.list else ():
            for row in found[name]:
                print(f"{name}  {row}")
    good = (found["share"] is None or found["share"] >= TARGET) and not found["mistaken"]
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
