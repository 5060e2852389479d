"""A story from a seed: which plots it has, when they begin, and under which rules and providers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from simulation.nature import Chance

from . import plots_large as large
from . import plots_narrow as narrow
from . import plots_operators as operators
from . import plots_people as people
from . import plots_runs as runs
from .acts import Act, Story
from .cast import Cast
from .profiles import DRAWN, PROFILES, Profile
from .records import Writing
from .sites import SITES
from .stage import Plot, Stage

PLOTS: Mapping[str, tuple[Plot, int]] = {
    "plain": (runs.plain, 4),
    "repeated": (runs.repeated, 3),
    "refused": (runs.refused_then_corrected, 2),
    "toolate": (runs.corrected_too_late, 1),
    "corrected": (runs.corrected_under_another_id, 2),
    "held": (runs.held, 2),
    "wavered": (runs.wavered, 1),
    "cancelled": (runs.cancelled, 2),
    "superseding": (runs.superseding, 2),
    "late": (runs.sealed_late, 2),
    "manifest": (runs.manifest_alone, 2),
    "replaced": (runs.index_replaced, 2),
    "bareseal": (runs.bare_seal, 1),
    "empty": (runs.empty, 1),
    "filemissing": (runs.file_missing, 1),
    "composer": (runs.composer_says, 2),
    "single": (runs.single_documents, 2),
    "failures": (runs.failures, 1),
    "journey": (people.journey, 4),
    "early": (people.before_the_notice, 2),
    "accounts": (people.account_changes, 1),
    "portal": (people.portal, 2),
    "texts": (people.texts, 2),
    "imported": (people.imported, 1),
    "asked": (people.asked, 1),
    "switched": (operators.switched_off, 2),
    "redriven": (operators.redriven, 1),
    "rotated": (operators.rotated, 1),
    "erased": (operators.erased, 2),
    "notdunned": (operators.not_dunned, 1),
    "byhand": (operators.set_by_operator, 2),
    "stopped": (operators.journeys_stopped, 2),
    "incidents": (operators.incidents, 2),
    "provider": (operators.bad_provider, 2),
    "rules": (operators.rules_changed, 2),
    "crowd": (large.crowd, 0),
    "heldonce": (narrow.held_once, 0),
    "heldagain": (narrow.held_again, 0),
    "keptlong": (narrow.kept_long, 0),
    "offlong": (narrow.off_for_long, 0),
    "offbetween": (narrow.off_in_between, 0),
    "stoppedbetween": (narrow.stopped_in_between, 0),
    "changed": (narrow.changed_in_between, 0),
    "wantedtwice": (narrow.wanted_twice, 0),
    "paidpart": (narrow.paid_in_part_at_the_end, 0),
    "redrivenlate": (narrow.redriven_late, 0),
    "sealedafter": (narrow.sealed_after_all, 0),
    "stoppedearly": (narrow.stopped_early, 0),
}
"""By name, which begins the ids of their runs: the plot, and how often it is drawn beside the others. Those
that are never drawn are for profiles that name them."""

_STARTS = (
    "2026-11-20T15:00:00+00:00",  # Friday morning in New York
    "2026-11-23T03:30:00+00:00",  # late evening there
    "2026-10-31T22:00:00+00:00",  # summer time ends in the night
    "2027-03-13T20:00:00+00:00",  # and begins
    "2026-12-30T11:00:00+00:00",  # the end of the year
    "2027-02-27T06:00:00+00:00",
)

_PROVIDERS: tuple[Mapping[str, str], ...] = (
    {"EmailProvider": "opentext", "SmsProvider": "opentext"},
    {"EmailProvider": "opentext", "SmsProvider": "opentext", "OpenTextDeduplicates": "true"},
    {"EmailProvider": "ses", "SmsProvider": "sms"},
    {"EmailProvider": "ses", "SmsProvider": "opentext"},
    {"EmailProvider": "opentext", "SmsProvider": "sms"},
)

_MARKETING = {"ProviderOverrides": "email/marketing=ses"}
_OPEN_VOLUME = {"VolumeLimitPercent": "100000"}


def profile_of(seed: str, name: str = "") -> Profile:
    """The profile of that name, or the one that the seed draws. KeyError for a name that there is not."""
    return PROFILES[name or Chance(seed).one_of("profile", DRAWN)]


def draw(chance: Chance, profile: Profile) -> Story:
    """The story of a seed under a profile."""
    start = profile.start or chance.one_of("start", _STARTS)
    site = chance.one_of("site", SITES) if profile.site is None else profile.site
    cast = Cast(chance)
    writing = Writing(chance, cast, datetime.fromisoformat(start))
    names = [name for name, (_, weight) in PLOTS.items() for _ in range(weight)]
    chosen = [name for name in names if name in profile.only] or list(profile.only) or names
    acts: list[Act] = []
    low, high = profile.plots
    plots = [chance.one_of(f"plot {n}", chosen) for n in range(low + chance.below("plots", high - low + 1))]
    for n, name in enumerate((*profile.always, *plots)):
        at = float(chance.below(f"plot {n} begins", int(profile.lasts))) if n else 0.0
        stage = Stage(chance, cast, writing, profile, datetime.fromisoformat(start), site, f"{name}-{n}", at)
        acts += PLOTS[name][0](stage)
    parameters = {**chance.one_of("providers", _PROVIDERS), **(_MARKETING if site in SITES[1:] else {})}
    if chance.likely("any volume", 0.8):
        parameters |= _OPEN_VOLUME
    parameters |= profile.parameters
    return Story(
        start=start,
        acts=tuple(sorted(acts, key=lambda act: act.at)),
        parameters=parameters,
        site=site,
        lasts=max([profile.lasts, *(act.at for act in acts)]),
    )
