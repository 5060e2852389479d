"""A world on the rules that ship, with real address checks."""

from typing import Any

from exstream_notify.adapters.addresses import Addresses
from exstream_notify.adapters.rules import YamlRules
from tests.use_cases.world import World


def shipped(**changes: Any) -> World:
    """The rules of the package as they are."""
    return World(site_rules=YamlRules(), addresses=Addresses(), **changes)
