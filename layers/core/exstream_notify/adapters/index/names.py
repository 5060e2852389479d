"""From the names a site gives its columns, keys and elements to the fields of a drop record."""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ...domain.documents import STAGED_FIELDS, Document
from .faults import Fault

FIELDS: tuple[str, ...] = tuple(f.name for f in fields(Document) if f.name not in ("domain", *STAGED_FIELDS))
"""The fields of a drop record, in the order of the contract."""

_FIELD_SET = frozenset(FIELDS)

# Ranks of what a name can mean, the lowest first; a site's own names lie below all of them.
_SPELLED, _OWN_NAME, _ALIAS = 500, 600, 1000

_LOOSE = re.compile(r"[\s_.-]+")


def _squeezed(name: str) -> str:
    return _LOOSE.sub("", name).lower()


def _spelled(name: str) -> str:
    return _LOOSE.sub("_", name.strip()).lower()


class AliasesUnusable(ValueError):
    """A table of aliases is not field -> list of names; the text says which entry."""


def check_aliases(table: object) -> dict[str, tuple[str, ...]]:
    """A table as it comes from YAML, checked; `AliasesUnusable` otherwise."""
    if not isinstance(table, Mapping):
        raise AliasesUnusable("not a table of fields and their names")
    checked: dict[str, tuple[str, ...]] = {}
    for field, names in table.items():
        if field not in FIELDS:
            raise AliasesUnusable(f"{field}: no such field; the fields are {', '.join(FIELDS)}")
        if isinstance(names, str) or not isinstance(names, Sequence):
            raise AliasesUnusable(f"{field}: not a list of names")
        for name in names:
            if not isinstance(name, str) or not _squeezed(name):
                raise AliasesUnusable(f"{field}: {name!r} is no name")
        checked[field] = tuple(names)
    return checked


@lru_cache(maxsize=1)
def default_aliases() -> Mapping[str, tuple[str, ...]]:
    """The aliases that come with the package, `rules/aliases.yaml`."""
    import yaml

    text = (files("exstream_notify") / "rules" / "aliases.yaml").read_text("utf-8")
    return check_aliases(yaml.safe_load(text))


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with records of one list of names.

    `fields` are the fields that the names feed, in the names' order; None for a name that feeds
    nothing. `contested`: several names could feed one field, or one name several fields, so a
    record that leaves some of them empty needs a plan for the rest. `repeated`: positions of names
    that stand in the list before. `losers`: positions of names that feed nothing, each with the positions
    of the names that feed what it could: their values must agree. `careful`: any of both.
    """

    names: tuple[str, ...]
    fields: tuple[str | None, ...]
    contested: bool
    repeated: tuple[int, ...]
    losers: tuple[tuple[int, tuple[int, ...]], ...]
    careful: bool


class AliasTable:
    """Finds the field that a name means.

    Precedence, for names that could feed the same field and are not empty in a record:

    1. the site's own table;
    2. the field's name, but for case and the kind of separator (`ACCOUNT-NUMBER`);
    3. the field's name without its separators (`DueDate`);
    4. the default aliases, in their order;
    5. of equals, the first in the record.

    A name that could feed two fields feeds the one that comes first in the contract and has nothing
    better: `AccountNumber` is the customer key where there is no other.

    A name that feeds nothing, because others feed all the fields that it could, must not say otherwise than
    they do: which of two values is right, nobody can tell. Not so a default alias of a field that a name of
    the site's own table feeds: with it, the site has said which of them counts.
    """

    _PLANS = 1024
    _PLAN_CHARS = 16 * 1024  # names longer than that together are not worth remembering

    def __init__(
        self, site: Mapping[str, Any] | None = None, defaults: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._ranks: dict[str, dict[str, int]] = {}  # squeezed name -> field -> rank, low first
        defaults = default_aliases() if defaults is None else defaults
        for field in FIELDS:
            self._add(field, _squeezed(field), _OWN_NAME)
            for at, name in enumerate(defaults.get(field, ())):
                self._add(field, _squeezed(name), _ALIAS + at)
        self._site: dict[str, tuple[str, int]] = {}
        for field, names in check_aliases(site or {}).items():
            for at, name in enumerate(names):
                self._site.setdefault(_squeezed(name), (field, at))
        self._plans: dict[tuple[str, ...], Plan] = {}

    def _add(self, field: str, name: str, rank: int) -> None:
        ranks = self._ranks.setdefault(name, {})
        ranks[field] = min(rank, ranks.get(field, rank))

    def candidates(self, name: str) -> dict[str, int]:
        """The fields that a name could feed, with their rank: the lower, the more it is meant."""
        squeezed = _squeezed(name)
        if found := self._site.get(squeezed):
            return {found[0]: found[1]}
        if (spelled := _spelled(name)) in _FIELD_SET:
            return {spelled: _SPELLED}
        return self._ranks.get(squeezed, {})

    def can_feed(self, name: str, field: str) -> bool:
        """Whether a name may feed that field."""
        return field in self.candidates(name)

    def can_feed_any(self, name: str, fields: Set[str]) -> bool:
        """Whether a name may feed one of those fields."""
        return not fields.isdisjoint(self.candidates(name))

    def plan(self, names: tuple[str, ...]) -> Plan:
        """The plan for records with these names, remembered."""
        plan = self._plans.get(names)
        if plan is None:
            plan = self._make(names)
            if sum(map(len, names)) <= self._PLAN_CHARS:
                if len(self._plans) >= self._PLANS:
                    self._plans.clear()
                self._plans[names] = plan
        return plan

    def _make(self, names: tuple[str, ...]) -> Plan:
        first: dict[str, int] = {}
        repeated: list[int] = []
        for at, name in enumerate(names):
            if first.setdefault(name, at) != at:
                repeated.append(at)
        claims: dict[str, list[tuple[int, int]]] = {}
        contested = False
        for name, at in first.items():
            candidates = self.candidates(name)
            contested |= len(candidates) > 1
            for field, rank in candidates.items():
                claims.setdefault(field, []).append((rank, at))
        contested |= any(len(claim) > 1 for claim in claims.values())
        found: list[str | None] = [None] * len(names)
        for field in FIELDS:
            for _, at in sorted(claims.get(field, ())):
                if found[at] is None:
                    found[at] = field
                    break
        losers = tuple(
            (at, winners)
            for name, at in first.items()
            if found[at] is None and (winners := self._winners(name, names, found))
        )
        for at in repeated:
            found[at] = found[first[names[at]]]
        return Plan(names, tuple(found), contested, tuple(repeated), losers, careful=bool(repeated or losers))

    def _winners(self, loser: str, names: Sequence[str], found: Sequence[str | None]) -> tuple[int, ...]:
        """Where the names stand that feed what a name without a field could, the most meant field first."""
        winners = []
        for field, rank in sorted(self.candidates(loser).items(), key=lambda item: item[1]):
            at = found.index(field)
            if rank >= _ALIAS and self.candidates(names[at])[field] < _SPELLED:
                return ()
            winners.append(at)
        return tuple(winners)

    def missing_customer_key(self, names: Sequence[str]) -> Fault | None:
        """A fault where no name of a header can feed the customer key: no record of it could pass."""
        if not any(self.candidates(name) for name in names):
            return Fault(None, "no known column name: the header line is missing, or its names need aliases")
        if not any(self.can_feed(name, "customer_key") for name in names):
            return Fault("customer_key", "no column of that name, nor an alias of it")
        return None
