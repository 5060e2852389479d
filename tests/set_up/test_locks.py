"""The locks: every version pinned and hashed, no addresses, one version of a library everywhere."""

import json
import re
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path

import pytest

from bench.supply import shipped
from tests.needs import ROOT

DEV = "requirements/dev.txt"
LAYER = "layers/core/requirements.txt"
ALERTS = "layers/alerts/requirements.txt"
SAM = "requirements/sam.txt"
CONTAINER = "tests/container/requirements.txt"
CHECKOV = "requirements/checkov.txt"
AUDIT = "requirements/audit.txt"
LOCALSTACK = "requirements/localstack.txt"
LOCKS = (DEV, LAYER, ALERTS, SAM, CONTAINER, CHECKOV, AUDIT, LOCALSTACK)
PACKAGE_LOCKS = (
    "tests/dynamodb_local/package-lock.json",
    "tests/axe/package-lock.json",
    "tests/asl_validator/package-lock.json",
)


def pins(lock: str) -> Mapping[str, set[str]]:
    """Versions by library; a universal lock may have one for each version of Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([\w.-]+)==(\S+)", (ROOT / lock).read_text(encoding="utf-8")):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_of_a_lock_is_pinned_and_hashed(lock: str) -> None:
    text = re.sub(r"(?m)^\s*#.*\n?", "", (ROOT / lock).read_text(encoding="utf-8")).replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line.strip()]

    assert requirements
    for requirement in requirements:
        assert re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", requirement), requirement


@pytest.mark.parametrize("lock", [*LOCKS, *PACKAGE_LOCKS])
def test_a_lock_has_no_addresses_and_no_paths_of_a_machine(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert "://" not in text
    assert not re.search(r"(?m)(?:^|\s)--(?!hash=)", text)
    assert not re.search(r"file:|/(?:opt|root|home|tmp|Users)/", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_all_that_its_source_names(lock: str) -> None:
    source = Path(ROOT / lock).with_suffix(".in").read_text(encoding="utf-8")
    named = re.findall(r"(?m)^([A-Za-z][\w.-]*)", source)

    assert named
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in named} <= set(pins(lock))


@pytest.mark.parametrize("lock", [LAYER, ALERTS, CONTAINER])
def test_tests_run_on_the_versions_that_lambda_gets(lock: str) -> None:
    tested = pins(DEV)

    assert {
        name: versions for name, versions in pins(lock).items() if tested.get(name, versions) != versions
    } == {}
    if lock != CONTAINER:
        assert set(pins(lock)) <= set(tested)


def test_the_layer_brings_the_sdk_that_was_tested_and_no_second_way_to_it() -> None:
    """boto3 would come from the runtime, and might not fit the layer's botocore."""
    assert pins(LAYER)["botocore"] == pins(DEV)["botocore"]
    assert "boto3" not in {**pins(LAYER), **pins(ALERTS)}


def test_no_library_is_in_both_layers() -> None:
    assert not set(pins(LAYER)) & set(pins(ALERTS))


def test_moto_is_the_version_that_the_corrections_were_written_for() -> None:
    assert pins(DEV)["moto"] == {"5.2.5"}


@pytest.mark.parametrize("name", PACKAGE_LOCKS)
def test_a_package_lock_pins_by_integrity(name: str) -> None:
    lock = json.loads((ROOT / name).read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}

    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())


def test_what_ships_may_be_shipped_with_any_product() -> None:
    """Permissive licences, and the Mozilla Public License, which asks for nothing but its own files."""
    names = [name for name in {**pins(LAYER), **pins(ALERTS)} if not _elsewhere(name)]
    licences = {name: shipped(distribution(name)).licence for name in names}

    assert len(licences) > 30
    assert not {
        name: told for name, told in licences.items() if re.search(r"GPL|General Public|not told|SSPL", told)
    }


def _elsewhere(name: str) -> bool:
    """Whether the lock wants a library on other platforms or versions alone."""
    locks = "".join((ROOT / lock).read_text("utf-8") for lock in (LAYER, ALERTS))
    (entry,) = re.findall(rf"(?m)^{re.escape(name)}==([^\\\n]*)", locks)
    return ";" in entry
