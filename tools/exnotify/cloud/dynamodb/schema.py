"""What a table is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Key: TypeAlias = tuple[str, str]
"""An item's hash and range key; the range key is empty where a table has none."""


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index. `whole`: it projects all attributes, otherwise the keys alone."""

    name: str
    hash_key: str
    range_key: str | None = None
    whole: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Its key attributes."""
        return (self.hash_key,) if self.range_key is None else (self.hash_key, self.range_key)


@dataclass(frozen=True, slots=True)
class Table:
    """What a table is made of. All keys are texts. `ttl`: the attribute by which items expire."""

    name: str
    hash_key: str
    range_key: str | None = None
    indexes: tuple[Index, ...] = ()
    ttl: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Its key attributes."""
        return (self.hash_key,) if self.range_key is None else (self.hash_key, self.range_key)

    @classmethod
    def from_template(cls, name: str, properties: Mapping[str, Any]) -> Table:
        """A table of CloudFormation's properties, or of a CreateTable request.

        Raises NotImplementedError for what is not simulated.
        """
        if any(one["AttributeType"] != "S" for one in properties["AttributeDefinitions"]):
            raise NotImplementedError(f"{name}: keys that are no texts")
        if "LocalSecondaryIndexes" in properties:
            raise NotImplementedError(f"{name}: local secondary indexes")
        expiry = properties.get("TimeToLiveSpecification", {})
        return cls(
            name,
            *_keys_of(properties),
            indexes=tuple(_index_of(one) for one in properties.get("GlobalSecondaryIndexes", ())),
            ttl=expiry.get("AttributeName") if expiry.get("Enabled") else None,
        )


def _keys_of(properties: Mapping[str, Any]) -> tuple[str, str | None]:
    keys = {one["KeyType"]: one["AttributeName"] for one in properties["KeySchema"]}
    return keys["HASH"], keys.get("RANGE")


def _index_of(properties: Mapping[str, Any]) -> Index:
    kind = properties["Projection"]["ProjectionType"]
    if kind not in ("ALL", "KEYS_ONLY"):
        raise NotImplementedError(f"{properties['IndexName']}: projection {kind}")
    return Index(properties["IndexName"], *_keys_of(properties), whole=kind == "ALL")
