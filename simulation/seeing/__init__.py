"""What a history shows to the checker: what went in, what came out, and what the command says of it.

It is the only room between the worlds: the checker imports nothing of the product, and what the product says
of itself is read here with the command's own code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from simulation.checker import Seen
from simulation.checker.reading import Reading
from simulation.engine.cloud import Cloud
from simulation.stories.acts import SetRules
from simulation.stories.performing import Performance
from simulation.stories.sites import folder_of

from .came_out import Began, posts_of, published_of, sent_of, told_of, tries_of
from .people import deeds_of, opened_by
from .shown import shown_by
from .went_in import acts_of, amounts_of, drops_of, reports_of

__all__ = ["Began", "seen_of"]

PROMPT, HINDERED = 900.0, 6 * 3600.0
"""Seconds that the product may take to hear of what nobody was told that it is done: without faults, and
under them, when a message may be taken, lost and frozen with its worker several times."""


def seen_of(performance: Performance, cloud: Cloud, began: Began) -> Seen:
    """The history so far, as the checker takes it."""
    faults = bool(cloud.nature.chance.happened)
    acts = acts_of(performance.deeds)
    erased = {(act.domain, act.customer) for act in acts if act.kind == "erase"}
    shown, sent, rules = shown_by(cloud, erased), sent_of(cloud, began), _rules(performance)
    due = amounts_of(performance.deeds)
    people = deeds_of(cloud.outside.deeds, sent, shown.notices, Reading(rules), due)
    return Seen(
        shown=shown,
        drops=drops_of(performance.deeds),
        acts=[*acts, *people],
        reports=reports_of(performance.deeds),
        sent=sent,
        tries=tries_of(cloud),
        told=told_of(cloud),
        opened=opened_by(cloud.outside.deeds),
        posts=posts_of(cloud),
        published=published_of(cloud),
        slack=HINDERED if faults else PROMPT,
        faults=faults,
        rules=rules,
        senders_died=began.senders_died,
    )


def _rules(performance: Performance) -> list[Mapping[str, Mapping[str, Any]]]:
    """The sites' own rules, one for each deployment, by file."""
    changes = [act.site for act in performance.story.acts if isinstance(act, SetRules)]
    return [_rules_of(site) for site in dict.fromkeys((performance.story.site, *changes))]


def _rules_of(site: str) -> Mapping[str, Mapping[str, Any]]:
    folder = folder_of(site)
    files = sorted((folder / "rules").glob("*.yaml")) if folder else []
    return {file.stem: yaml.safe_load(file.read_text("utf-8")) for file in files}
