"""Each function has the variables, secrets and actions that its code can reach, and no others.

`reach` derives what code reaches; the template says what a function has. There are no exemptions: change the
code or the template.
"""

from functools import cache
from pathlib import Path

import pytest

from tests.architecture.reach.granted import Template, grants_off, variables_off
from tests.architecture.reach.needs import Reached, reached
from tests.architecture.reach.program import Program
from tests.container.sam import load_template

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = "exstream_notify.adapters.settings.Settings"
TEMPLATE = Template(load_template(ROOT / "template.yaml"))


@cache
def of(folder: str) -> Reached:
    """What a function's folder reaches."""
    package = ROOT / "layers/core/exstream_notify"
    program = Program({"exstream_notify": package, "app": ROOT / folder / "app"}, ["exstream_notify.domain"])
    return reached(program, "app", SETTINGS, TEMPLATE.places)


@pytest.mark.parametrize("name", TEMPLATE.functions)
def test_nothing_is_left_that_the_analysis_cannot_follow(name: str) -> None:
    assert of(TEMPLATE.functions[name].folder).faults == []


@pytest.mark.parametrize("name", TEMPLATE.functions)
def test_a_function_has_the_variables_that_its_code_reads(name: str) -> None:
    given = TEMPLATE.functions[name]
    assert list(variables_off(given, of(given.folder), TEMPLATE)) == []


@pytest.mark.parametrize("name", TEMPLATE.functions)
def test_a_role_allows_what_its_function_can_do(name: str) -> None:
    given = TEMPLATE.functions[name]
    assert list(grants_off(given, of(given.folder), TEMPLATE)) == []
