"""The fixed set: one history of each kind of night, played with every change (`tools/check.py`)."""

from __future__ import annotations

from collections.abc import Mapping

from .stories.profiles import PROFILES

SEEDS: Mapping[str, str] = {}
"""The seeds of profiles whose first one takes long, or shows little."""

LEFT_OUT = frozenset[str]()
"""Profiles whose every history takes minutes."""


def fixed() -> list[str]:
    """Every profile with its seed, as `make simulate SEEDS=` takes them: `7:storm`."""
    return [f"{SEEDS.get(name, '1')}:{name}" for name in PROFILES if name not in LEFT_OUT]
