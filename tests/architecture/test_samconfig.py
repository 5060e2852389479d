"""samconfig.toml names parameters of the template, with values that the template takes."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from exnotify.cloud.template import resolve_parameters
from tests.container.sam import load_template

ROOT = Path(__file__).resolve().parents[2]
CONFIG: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))


@pytest.mark.parametrize("environment", ["dev", "test", "prod"])
def test_an_environment_can_be_deployed(environment: str) -> None:
    settings = CONFIG[environment]["deploy"]["parameters"]
    given = dict(pair.split("=", 1) for pair in settings["parameter_overrides"].split())
    resolved = resolve_parameters(load_template(ROOT / "template.yaml")["Parameters"], given)
    assert given.items() <= resolved.items()
    assert settings["capabilities"] == "CAPABILITY_IAM"


def test_production_is_protected_and_shows_its_change_set() -> None:
    prod = CONFIG["prod"]["deploy"]["parameters"]
    assert prod["confirm_changeset"] is True
    assert "EvidenceLock=COMPLIANCE" in prod["parameter_overrides"]
    assert "DeletionProtection=true" in prod["parameter_overrides"]
    assert "RequireApprovedWording=true" in prod["parameter_overrides"]


def test_each_environment_has_a_stack_of_its_own() -> None:
    names = [CONFIG[e]["global"]["parameters"]["stack_name"] for e in ("dev", "test", "prod")]
    assert len(set(names)) == 3
