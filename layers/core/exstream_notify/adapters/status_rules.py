"""rules/statuses.yaml as validated data."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictStr, model_validator

from ..domain.account_status import StatusWords, status_words


class _Status(BaseModel):
    """One status: its words, by language or under a key of the site's own."""

    model_config = ConfigDict(extra="forbid")

    holds: bool = False
    for_good: bool = False
    words: Mapping[str, tuple[StrictStr, ...]] = {}

    @model_validator(mode="before")
    @classmethod
    def _gathered(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data or {}
        flags = {key: data[key] for key in ("holds", "for_good") if key in data}
        return {"words": {str(key): words for key, words in data.items() if key not in flags}, **flags}


class StatusFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")

    statuses: Mapping[str, _Status | None]
    negated: Mapping[str, tuple[StrictStr, ...]] = {}
    ended: Mapping[str, tuple[StrictStr, ...]] = {}

    @model_validator(mode="after")
    def _distinct(self) -> "StatusFile":
        self.words()
        return self

    def words(self) -> StatusWords:
        """The words; ValueError where two statuses claim one. A status of `null` is none."""
        known = {name: status for name, status in self.statuses.items() if status is not None}
        return status_words(
            {name: [w for words in status.words.values() for w in words] for name, status in known.items()},
            [name for name, status in known.items() if status.holds],
            [name for name, status in known.items() if status.for_good],
            [word for words in self.negated.values() for word in words],
            [word for words in self.ended.values() for word in words],
        )
