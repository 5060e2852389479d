"""Whether a plan and the run that followed it agree, record by record."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SAME = ("customer_key", "document_id", "document_type", "outcome", "reason")

_BY_PROVIDER = {("deferred", "provider_down")}
"""How a record ended because of what a provider answered, which nobody can plan."""

_BY_PROVIDER_ALONE = {"failed", "unconfirmed"}


def disagreements(planned: Iterable[Mapping[str, Any]], ran: Iterable[Mapping[str, Any]]) -> list[str]:
    """What differs between the records of `plan --json` and the rows of `run --csv`, a line each.

    A record that is planned as notified may end by a provider's answer: failed, unconfirmed, deferred.
    """
    before, after = _by_position(planned), _by_position(ran)
    found = [f"record {n}: planned twice" for n, rows in before.items() if len(rows) > 1]
    found += [f"record {n}: ran twice" for n, rows in after.items() if len(rows) > 1]
    found += [f"record {n}: planned, and not in the run" for n in before.keys() - after.keys()]
    found += [f"record {n}: in the run, and not planned" for n in after.keys() - before.keys()]
    for position in before.keys() & after.keys():
        plan, run = before[position][0], after[position][0]
        if plan["outcome"] == "notified" and _by_provider(run):
            run = {**run, "outcome": "notified", "reason": plan["reason"]}
        found += [
            f"record {position}: {name} {plan[name] or ''!r} planned, {run[name] or ''!r} in the run"
            for name in SAME
            if (plan[name] or "") != (run[name] or "")
        ]
    return sorted(found)


def _by_provider(run: Mapping[str, Any]) -> bool:
    return run["outcome"] in _BY_PROVIDER_ALONE or (run["outcome"], run["reason"]) in _BY_PROVIDER


def _by_position(rows: Iterable[Mapping[str, Any]]) -> dict[int, Sequence[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(int(row["position"]), []).append(row)
    return dict(found)
