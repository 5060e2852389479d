"""Every log group hides addresses that get into it by mistake.

The emulator keeps lines as functions write them, so this is asserted on the template; what the identifiers
match is AWS's, but for our own expression, which is tried here. Source: CloudWatch Logs user guide, "Data
protection policies" (one audit and one de-identify statement, of the same identifiers) and "Custom data
identifiers" (200 characters, of the listed kinds).
"""

import re
from typing import Any

import pytest

from tests.container.sam import load_template
from tests.needs import ROOT

RESOURCES: dict[str, Any] = load_template(ROOT / "template.yaml")["Resources"]
GROUPS = {n: r["Properties"] for n, r in RESOURCES.items() if r["Type"] == "AWS::Logs::LogGroup"}
POLICY: dict[str, Any] = GROUPS["StageRunLogs"]["DataProtectionPolicy"]
[OWN] = POLICY["Configuration"]["CustomDataIdentifier"]


@pytest.mark.parametrize("group", GROUPS)
def test_a_log_group_has_the_one_policy(group: str) -> None:
    assert GROUPS[group].get("DataProtectionPolicy") == POLICY


def test_the_policy_finds_and_masks_addresses_and_numbers() -> None:
    audit, redact = POLICY["Statement"]
    assert audit["Operation"] == {"Audit": {"FindingsDestination": {}}}
    assert redact["Operation"] == {"Deidentify": {"MaskConfig": {}}}
    assert audit["DataIdentifier"] == redact["DataIdentifier"]
    names = [i if isinstance(i, str) else i["Fn::Sub"].rpartition("/")[2] for i in audit["DataIdentifier"]]
    assert {"EmailAddress", "PhoneNumber-US", OWN["Name"]} == set(names)


def test_our_expression_is_one_that_cloudwatch_takes() -> None:
    assert len(OWN["Regex"]) <= 200
    assert re.fullmatch(r"[a-zA-Z0-9_#=@/;,\- ^$?\[\]{}|\\*+.]+", OWN["Regex"])


@pytest.mark.parametrize("number", ["+12025550143", "+442079460123", "+4930123456", "+33123456789"])
def test_a_number_as_we_write_it_is_found(number: str) -> None:
    line = f'{{"message": "refused: destination {number} is not valid"}}'
    found = re.search(OWN["Regex"], line)
    assert found is not None
    assert found.group() == number


@pytest.mark.parametrize(
    "text", ["2026-11-24T15:00:00+00:00", "1.5e+10", "a+b", "0f3b9c1d2e4a5b6c", "REF-40000001"]
)
def test_what_is_no_number_stays_readable(text: str) -> None:
    assert not re.search(OWN["Regex"], text)
