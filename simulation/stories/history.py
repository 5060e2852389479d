"""One history: a story in a simulated cloud, until everything has come to rest and was checked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simulation.checker import Violation, check
from simulation.engine.cloud import Cloud, Settings
from simulation.nature import Chance, Nature, Timeline
from simulation.outside import Settings as Accounts
from simulation.outside.webhooks import SECRET as ALERT_CHANNELS
from simulation.seeing import Began, seen_of
from simulation.shrink import Played

from .acts import Story
from .drawing import draw, profile_of
from .performing import Performance
from .profiles import Profile
from .sites import folder_of

REST = "everything_comes_to_rest"
"""The claim that a history violates which does not come to rest at all."""


class Witness(Chance):
    """Chance that notes when each fault happened."""

    def __init__(self, seed: str, profile: Profile, allowed: frozenset[str] | None = None) -> None:
        super().__init__(seed, profile.rates, allowed, profile.places)
        self.timeline = Timeline(0.0)
        self.moments: list[float] = []

    def happens(self, kind: str, where: str, rate: float | None = None) -> bool:
        """See `Chance.happens`."""
        found = super().happens(kind, where, rate)
        if found:
            self.moments.append(self.timeline.now)
        return found


@dataclass(frozen=True, slots=True)
class Result:
    """What a history came to. `faults` are those that happened, in order, with their moments."""

    seed: str
    profile: str
    story: Story
    violations: tuple[Violation, ...]
    faults: tuple[tuple[float, str], ...]
    digest: str
    figures: Mapping[str, Any]
    output: tuple[str, ...] = ()

    @property
    def claims(self) -> frozenset[str]:
        """The names of the claims that it violates."""
        return frozenset(violation.claim for violation in self.violations)


@dataclass(slots=True)
class History:
    """`History(seed).run()`. The seed draws the profile and the story that are not given.

    `faults`: just these happen, whatever the rates say; None: as drawn. `keep_log` keeps what is printed.
    """

    seed: str
    profile: str = ""
    story: Story | None = None
    faults: frozenset[str] | None = None
    keep_log: bool = False

    def run(self) -> Result:
        """Play it to its end and have it checked."""
        profile = profile_of(self.seed, self.profile)
        story = self.story or draw(Chance(self.seed), profile)
        timeline = Timeline(datetime.fromisoformat(story.start).timestamp())
        chance = Witness(self.seed, profile, self.faults)
        chance.timeline = timeline
        settings = self._settings(story, profile)
        with TemporaryDirectory() as folder, Cloud(Nature(timeline, chance), settings) as cloud:
            began = Began(cloud)
            performance = Performance(story, cloud, Path(folder))
            performance.begin()
            cloud.run_until(performance.start + story.lasts)
            rests = cloud.come_to_rest()
            violations = tuple(check(seen_of(performance, cloud, began)))
            if not rests:
                violations = (
                    Violation(REST, "the whole world", ("something is always under way or due",)),
                    *violations,
                )
            return Result(
                seed=self.seed,
                profile=profile.name,
                story=story,
                violations=violations,
                faults=tuple(zip(chance.moments, chance.happened, strict=True)),
                digest=cloud.digest,
                figures=_figures(performance, cloud, chance),
                output=tuple(map(str, cloud.output or ())),
            )

    def _settings(self, story: Story, profile: Profile) -> Settings:
        deduplicates = story.parameters.get("OpenTextDeduplicates") == "true"
        return Settings(
            parameters=story.parameters,
            site=str(folder_of(story.site) or ""),
            accounts=Accounts(deduplicates=deduplicates),
            secrets={"AlertChannelsSecret": json.dumps(ALERT_CHANNELS)},
            keep_log=self.keep_log,
            schedules=profile.schedules,
        )


def _figures(performance: Performance, cloud: Cloud, chance: Chance) -> dict[str, Any]:
    """What a history was made of: for the totals over many."""
    accepted = [one for one in cloud.outside.accepted if not one.ref.startswith("incident-")]
    return {
        "acts": len(performance.deeds),
        "records": sum(act.parts() for act in performance.story.acts),
        "messages": len(accepted),
        "notices": len({one.notice_id for one in accepted}),
        "days": round((cloud.timeline.now - performance.start) / 86_400, 2),
        "faults": dict(sorted(Counter(name.partition(" ")[0] for name in chance.happened).items())),
        "failed_commands": sum(deed.code in (1, 2) for deed in performance.deeds),
    }


def play(seed: str, profile: str = "") -> Any:
    """What plays a story with just some faults, for `shrink`."""

    def played(story: Story, faults: frozenset[str]) -> Played:
        result = History(seed, profile, story, faults).run()
        return Played(result.claims, frozenset(name for _, name in result.faults))

    return played


def replayed(seed: str, story: Story, faults: Iterable[str]) -> list[str]:
    """What is wrong with an explicit history, a line each: violations, and faults that no longer happen.

    A fault that does not happen any more has lost its place in the code: then the test proves nothing, and
    the history has to be found and shrunk again.
    """
    wanted = frozenset(faults)
    result = History(seed, "quiet", story, wanted).run()
    lost = wanted - {name for _, name in result.faults}
    return [str(violation) for violation in result.violations] + [
        f"does not happen: {name}" for name in sorted(lost)
    ]
