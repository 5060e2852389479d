"""What every request to moto goes through."""

from functools import lru_cache

from .patches import Patches


def method_lookup(patches: Patches) -> None:
    """moto inspects the response class anew on every request; its methods do not change."""
    from moto.core import responses
    from moto.core.utils import method_names_from_class

    patches.set(responses, "method_names_from_class", lru_cache(maxsize=None)(method_names_from_class))
