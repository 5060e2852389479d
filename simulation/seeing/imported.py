"""What an imported preference file says of its customers, as the checker names it (docs/preferences.md,
Importing)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from simulation.checker.seen import NOBODY_NAMED, Act

_PAPER = {"yes": "want paper", "no": "want no paper"}


def imported(
    domain: str, text: str, began: float, done: float | None, before: Sequence[Act]
) -> Iterator[Act]:
    """What a file means that is applied from `began` on. `done` None: perhaps some of it, or nothing.

    `before` is what was said earlier: a row of an erased customer is passed over, and paper counts where
    nobody has said anything of it.
    """
    for row in csv.DictReader(io.StringIO(text)):
        who: dict[str, Any] = {"domain": domain, "customer": row["customer_key"], "recipient": NOBODY_NAMED}
        earlier = [act for act in before if _about(act, who)]
        sure = done is not None and not any(act.kind == "erase" for act in earlier)
        until = done if sure else None
        if row["email"]:
            yield Act("may set address", began, until, **who, channel="email", address=row["email"])
        if row["language"]:
            yield Act("import language", began, until, **who, language=row["language"])
        if sure and row["opt_outs"]:
            yield Act("opt out", began, until, **who, channel=row["opt_outs"])
        if row["paper_required"] and not any(act.kind in _PAPER.values() for act in earlier):
            kind = _PAPER[row["paper_required"]]
            if sure or kind == "want no paper":  # it allows something
                yield Act(kind, began, until, **who)


def _about(act: Act, who: dict[str, Any]) -> bool:
    return act.customer == who["customer"] and act.domain in ("", who["domain"])
