"""`sam build` twice, the second time elsewhere and from files of another date: the same bytes.

`sam deploy` names what it uploads by a checksum over names and contents, so that what did not change is not
deployed again; and whoever builds the same commit can compare what runs.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import build_layer
from tests.container import sam
from tests.needs import ROOT

pytestmark = [pytest.mark.sam, pytest.mark.slow]

SOURCES = ("functions", "layers", "template.yaml", "monitoring.yaml", "statemachines")
IGNORED = shutil.ignore_patterns("__pycache__")


def built(folder: Path, date: int) -> Path:
    """A copy of the sources, all of one date (seconds since 1970), built; the folder that `sam deploy` takes."""
    source = folder / "source"
    source.mkdir(parents=True)
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=IGNORED)
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, source / name)
    for path in source.rglob("*"):
        os.utime(path, (date, date))
    return sam.build(source / "template.yaml", folder / "built", "arm64", sys.executable).parent


def digests(folder: Path) -> Mapping[str, str]:
    """What was built, by logical id: code, and the template of the nested stack."""
    return {path.name: build_layer.digest(path) for path in sorted(folder.iterdir()) if path.is_dir()}


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return (
        built(tmp_path_factory.mktemp("one"), 1_700_000_000),
        built(tmp_path_factory.mktemp("another-place"), 1_750_000_000),
    )


def test_two_builds_of_the_same_sources_are_equal(twice: tuple[Path, Path]) -> None:
    one, two = map(digests, twice)
    assert one == two
    template = sam.load_template(ROOT / "template.yaml")
    assert set(one) == {*sam.functions(template), "CoreLayer", "AlertsLayer", "Monitoring"}
    first, second = ((folder / "template.yaml").read_text("utf-8") for folder in twice)
    assert first == second
    for layer, folder in (("CoreLayer", "core"), ("AlertsLayer", "alerts")):
        locked = (ROOT / "layers" / folder / "requirements.txt").read_text("utf-8").count("==")
        assert len(list((twice[0] / layer / "python").glob("*.dist-info"))) == locked
    assert str(twice[0].parent) not in first, "no path of the machine that built it"


def test_the_nested_stack_is_built_as_it_is_written(twice: tuple[Path, Path]) -> None:
    resources = sam.load_template(twice[0] / "template.yaml")["Resources"]
    where = twice[0] / resources["Monitoring"]["Properties"]["TemplateURL"]
    assert where.resolve() == (twice[0] / "Monitoring" / "template.yaml").resolve()
    assert sam.load_template(where) == sam.load_template(ROOT / "monitoring.yaml")


def test_what_is_built_has_no_yaml_alias_which_cloudformation_does_not_know(
    twice: tuple[Path, Path],
) -> None:
    text = (twice[0] / "template.yaml").read_text("utf-8")
    groups = text.count("Type: AWS::Logs::LogGroup")
    assert groups > 5
    assert text.count("Name: E164Number") == groups
    assert "*log_" not in text
    assert "&log_" not in text
    assert "*id0" not in text
