"""Replaced attributes of moto, which can be put back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Patches:
    """Replaced attributes, and what they were."""

    undo: list[Callable[[], None]] = field(default_factory=list)

    def set(self, owner: Any, name: str, value: Any) -> None:
        """Replaces an attribute, which must exist."""
        previous = vars(owner)[name]
        self.undo.append(lambda: setattr(owner, name, previous))
        setattr(owner, name, value)
