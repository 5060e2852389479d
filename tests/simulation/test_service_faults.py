"""The kinds of faults of the simulated services: all are named, and all happen in some profile."""

import re

from simulation.services import FAULTS
from simulation.stories.profiles import FAMILIES
from tests.needs import ROOT

_DRAWN = re.compile(r'(?:fault|happens|meets)\(\s*"([a-z0-9_]+)"')


def test_each_kind_that_a_service_draws_is_in_the_table() -> None:
    sources = (ROOT / "simulation/services").rglob("*.py")
    drawn = {kind for path in sources for kind in _DRAWN.findall(path.read_text("utf-8"))}
    assert drawn == set(FAULTS)


def test_each_kind_happens_in_a_profile() -> None:
    assert set(FAULTS) - {kind for rates in FAMILIES.values() for kind in rates} == set()
