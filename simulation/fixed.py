"""The fixed set: one history of each kind of night, played with every change (`tools/check.py`)."""

from __future__ import annotations

from collections.abc import Mapping

from .stories.profiles import PROFILES

SEEDS: Mapping[str, str] = {}
"""The seeds of profiles where the usual one, the profile's own name, takes long or shows little."""

LEFT_OUT = frozenset({"crowd"})
"""Profiles whose every history takes more than a minute."""


def fixed() -> list[str]:
    """A seed of every profile, with the profile: `quiet:quiet`."""
    return [f"{SEEDS.get(name, name)}:{name}" for name in PROFILES if name not in LEFT_OUT]
