"""Makes a failing history small: fewer acts, records and faults, the same violation (delta debugging).

Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002): `ddmin` takes away ever
smaller parts of a list as long as what is left still fails. Chance has no state, so what is taken away leaves
the rest as it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from .stories.acts import Act, DropRun, Story

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Played:
    """What a history came to: the names of the claims that it violates, and the faults that happened."""

    claims: frozenset[str]
    happened: frozenset[str]


Play = Callable[[Story, frozenset[str]], Played]
"""Plays a story with just these faults."""


class OutOfTime(Exception):
    """The time for shrinking is over: what was found so far counts."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A history that violates `claim`. `plays`: how many histories it took; `same` is false where the full
    story with its own faults did not fail again, so nothing could be taken away."""

    claim: str
    story: Story
    faults: frozenset[str]
    plays: int = 0
    same: bool = True


def ddmin(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> list[T]:
    """A smallest part of the items, in their order, that still fails: without any one item it does not."""
    kept, parts = list(items), 2
    if kept and fails([]):
        return []
    while len(kept) > 1:
        size = -(-len(kept) // parts)
        pieces = [(n, min(n + size, len(kept))) for n in range(0, len(kept), size)]
        for first, end in pieces:
            rest = kept[:first] + kept[end:]
            if fails(rest):
                kept, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(parts * 2, len(kept))
    return kept


def kind_of(fault: str) -> str:
    """The kind of a fault, by its name."""
    return fault.partition(" ")[0]


def shrink(story: Story, faults: frozenset[str], claim: str, play: Play, *, seconds: float = 600.0) -> Shrunk:
    """The smallest history found within so many seconds that violates the claim as this one does."""
    work = _Work(story, faults, claim, play, time.monotonic() + seconds)
    if not work.still_fails(story, faults):
        return Shrunk(claim, story, faults, work.plays, same=False)
    try:
        while work.smaller():
            pass
    except OutOfTime:
        pass
    return Shrunk(claim, work.story, work.faults, work.plays)


@dataclass(slots=True)
class _Work:
    story: Story
    faults: frozenset[str]
    claim: str
    play: Play
    deadline: float
    plays: int = 0
    known: dict[tuple[str, frozenset[str]], Played] = field(default_factory=dict)

    def smaller(self) -> bool:
        """One round over everything that can be taken away, kinds of faults first; False if nothing could."""
        before = (self.story, self.faults)
        ddmin(sorted(set(map(kind_of, self.faults))), self._fails_with_kinds)
        ddmin(self.story.acts, self._fails_with_acts)
        ddmin(sorted(self.faults), self._fails_with_faults)
        for number in range(len(self.story.acts)):
            self._fewer_parts(number)
            self._plainer(number)
        return (self.story, self.faults) != before

    def still_fails(self, story: Story, faults: frozenset[str]) -> bool:
        """Whether a history violates the claim; then it is the one to go on with. OutOfTime."""
        key = (repr(story), faults)
        if key not in self.known:
            if self.plays and time.monotonic() > self.deadline:
                raise OutOfTime
            self.plays += 1
            self.known[key] = self.play(story, faults)
        played = self.known[key]
        if self.claim not in played.claims:
            return False
        # A fault whose place was taken away with an act is none any more.
        self.story, self.faults = story, faults & played.happened
        return True

    def _fails_with_acts(self, acts: Sequence[Act]) -> bool:
        return self.still_fails(replace(self.story, acts=tuple(acts)), self.faults)

    def _fails_with_kinds(self, kinds: Sequence[str]) -> bool:
        return self._fails_with_faults([name for name in self.faults if kind_of(name) in kinds])

    def _fails_with_faults(self, faults: Sequence[str]) -> bool:
        return self.still_fails(self.story, frozenset(faults) & self.faults)

    def _try(self, number: int, act: Act) -> bool:
        acts = (*self.story.acts[:number], act, *self.story.acts[number + 1 :])
        return self._fails_with_acts(acts)

    def _fewer_parts(self, number: int) -> None:
        """Fewer records; never none of them, which would be another story."""
        act = self.story.acts[number]
        whole = range(act.parts())

        def fails(kept: Sequence[int]) -> bool:
            return bool(kept) and self._try(number, act.without(frozenset(whole) - set(kept)))

        ddmin(whole, fails)

    def _plainer(self, number: int) -> None:
        """The usual form of a run, where its own does not matter."""
        for plain in _PLAIN:
            act = self.story.acts[number]
            if isinstance(act, DropRun) and (simpler := plain(act)) != act:
                self._try(number, simpler)


_PLAIN: Sequence[Callable[[DropRun], DropRun]] = (
    lambda run: replace(run, form="jsonl", files=1, manifest=False),
    lambda run: replace(run, beside={}),
    lambda run: replace(run, not_composed=0),
    lambda run: replace(run, sealed_after=0.0),
    lambda run: replace(run, replaced=None, replaced_after=0.0),
    lambda run: replace(run, stated={}),
)
"""What makes a run an ordinary one, a step at a time."""
