"""What a plot is written with: its own draws, the customers, a way to write runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from simulation.nature import Chance

from .acts import Act, Command, DropRun, PutEvent, Record
from .cast import Cast, Customer
from .indexes import FORMS
from .profiles import Profile
from .records import TYPES, Writing
from .sites import SITES

T = TypeVar("T")

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

_FORMS = (*FORMS, "native", "csv gz", "jsonl gz", "xml gz")


@dataclass(frozen=True, slots=True)
class Stage:
    """One plot's part of a story: `name` names its draws and its runs, `at` is when it begins."""

    chance: Chance
    cast: Cast
    writing: Writing
    profile: Profile
    start: datetime
    site: str
    name: str
    at: float

    # --- draws, by names of this plot ---------------------------------------------------------------

    def after(self, what: str, low: float, high: float) -> float:
        """Seconds, drawn so that short waits are as likely as long ones."""
        return float(round(low * (high / low) ** self.chance.uniform(f"{self.name} {what}", 0, 1)))

    def one_of(self, what: str, choices: Sequence[T]) -> T:
        """One of the choices."""
        return self.chance.one_of(f"{self.name} {what}", choices)

    def likely(self, what: str, share: float) -> bool:
        """True in so many of all stories."""
        return self.chance.likely(f"{self.name} {what}", share)

    # --- runs ---------------------------------------------------------------------------------------

    def domain(self) -> str:
        """The domain that the plot is about."""
        return self.one_of("domain", self.profile.domains or tuple(TYPES))

    def run(
        self,
        domain: str,
        *,
        suffix: str = "",
        at: float = 0.0,
        most: int | None = None,
        least: int | None = None,
        flawed: float | None = None,
        **more: Any,
    ) -> DropRun:
        """A run of the domain, `at` seconds after the plot's beginning, in a drawn form."""
        name = self.name + suffix
        form = self.chance.one_of(f"{name} form", _FORMS)
        records = self.writing.several(
            name,
            domain,
            self.profile.most if most is None else most,
            least=self.profile.least if least is None else least,
            flawed=self.profile.flawed if flawed is None else flawed,
            at=self.at + at,
        )
        split = form != "native" and len(records) > 1 and self.chance.likely(f"{name} split", 0.15)
        made = DropRun(
            at=self.at + at, domain=domain, run_id=name, form=form, records=self._known(records),
            files=2 if split else 1,
            manifest=form != "native" and self.chance.likely(f"{name} manifest", 0.1),
        )  # fmt: skip
        return replace(made, **more)

    def again(self, run: DropRun, wait: float, **more: Any) -> DropRun:
        """The same run once more, `wait` seconds later."""
        return replace(run, at=run.at + wait, **more)

    def record(self, suffix: str, domain: str, number: int, kind: str, at: float = 0.0) -> Record:
        """One good record of the customer of a number."""
        made = self.writing.record(self.name + suffix, domain, number, kind, at=self.at + at)
        return self._known((made,))[0]

    def _known(self, records: tuple[Record, ...]) -> tuple[Record, ...]:
        """Without marketing where the rules know none."""
        if self.site in SITES[1:]:
            return records
        return tuple(
            replace(r, fields={**r.fields, "document_type": "statement"})
            if r.fields.get("document_type") == "offer"
            else r
            for r in records
        )

    # --- others -------------------------------------------------------------------------------------

    def types(self, at: float, *line: str, **files: str) -> Command:
        """An operator's command, `at` seconds after the plot's beginning."""
        return Command(at=self.at + at, line=line, files=files)

    def event(self, at: float, source: str, detail_type: str, **detail: Any) -> PutEvent:
        """An event on the bus."""
        return PutEvent(at=self.at + at, source=source, detail_type=detail_type, detail=detail)

    def customer(self, domain: str, what: str = "customer", people: int = 12) -> Customer:
        """Somebody of the domain, who likely has notices."""
        return self.cast.customer(domain, self.chance.below(f"{self.name} {what}", people))


Plot = Callable[[Stage], list[Act]]
