"""Plots about many: large runs of every domain, with all that the use cases have beside a run."""

from __future__ import annotations

from dataclasses import replace

from . import plots_operators as operators
from . import plots_people as people
from . import plots_runs as runs
from .acts import Act, DropRun
from .records import TYPES
from .stage import HOUR, MINUTE, Stage

LEAST = 200
"""Records of a run at least; at most as many as the profile says."""

ANSWERED = 0.04
"""Share of the customers who pay, acknowledge or respond in answer to their document."""

FLAWED = (0.0, 0.002, 0.02)
"""Shares of a run's records that something is wrong with: the first are sent, the last held."""

_BESIDE = {
    "failed": runs.failures,
    "single": runs.single_documents,
    "portal": people.portal,
    "texts": people.texts,
    "handled": operators.incidents,
}
"""What goes on beside the large runs, with names and runs of its own."""


def crowd(stage: Stage) -> list[Act]:
    """A large run of each domain, released where it is held, and answered by some of its customers."""
    few = replace(stage.profile, most=12)
    acts: list[Act] = []
    for name, plot in _BESIDE.items():
        acts += plot(replace(stage, name=f"{stage.name}-{name}", profile=few))
    for domain in TYPES:
        at = stage.after(f"{domain} arrives", 1, HOUR)
        flawed = stage.one_of(f"{domain} flawed", FLAWED)
        run = stage.run(domain, suffix=f"-{domain}", at=at, least=LEAST, flawed=flawed)
        release = at + stage.after(f"{domain} released", 10 * MINUTE, 4 * HOUR)
        acts += [run, stage.types(release, "run", run.name, "--release", "--why", "looked at it")]
        acts += _answers(replace(stage, at=run.at), run)
    return acts


def _answers(stage: Stage, run: DropRun) -> list[Act]:
    acts: list[Act] = []
    for n, record in enumerate(run.records):
        if not record.flaw and stage.likely(f"answers {run.domain} {n}", ANSWERED):
            acts += people.answer(stage, run.domain, record, f"{run.domain} {n}")
    return acts
