"""How a site's records are read, domain by domain: in runs, alone, and where eligibility is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from ..domain.records import RunFolder
from ..domain.runs import DomainRule
from ..domain.second_step import Keys, conceal
from .index.names import AliasTable
from .index.schema import RecordSchema
from .rules import YamlRules


@dataclass(frozen=True, slots=True)
class Site:
    """What values need that a record does not say: the default zone and country, and the time now."""

    zone: str = "America/New_York"
    region: str = "US"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class RecordSchemas:
    """The schemas of one site. `own` has its rules, `keys` conceal what customers are asked for."""

    def __init__(
        self, rules: YamlRules, own: Path | None, site: Site, keys: Callable[[], Keys] | None = None
    ) -> None:
        self._rules = rules
        self._own = own
        self._site = site
        self._keys = keys

    def of(self, run: RunFolder | None, domain: str = "") -> RecordSchema:
        """The schema of a run's records, or of those that come alone; of a `domain`, with its manner."""
        rule = self._rules.domain(domain) if domain else DomainRule()
        return RecordSchema(
            {name: name for name in self._rules.types},
            self._rules.queues,
            aliases=self._aliases,
            run=run,
            manner=rule.manner(self._site.zone),
            holders=rule.holders,
            conceal=self._concealer(domain) if domain and self._keys is not None else None,
            today=lambda: self._site.now().date(),
            number_zones=self._number_zones,
        )

    @cached_property
    def _aliases(self) -> AliasTable:
        path = self._own / "aliases.yaml" if self._own else None
        written = path is not None and path.exists()
        return AliasTable(yaml.safe_load(path.read_text("utf-8")) if written and path is not None else None)

    def _number_zones(self, mobile: str, country: str | None) -> tuple[str, ...]:
        # Needed for moments in date fields only, and slow to import.
        from .addresses import Addresses

        return Addresses(self._site.region).zones_of_number(mobile, country)

    def _concealer(self, domain: str) -> Callable[[dict[str, Any]], None]:
        def concealed(record: dict[str, Any]) -> None:
            # Asked for with the first record that needs it: most runs have none.
            version, keys = self._keys() if self._keys is not None else ("", {})
            conceal(record, domain, version, keys[version])

        return concealed
