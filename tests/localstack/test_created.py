"""The first deployment: the built template, unchanged, through `sam deploy` and LocalStack's CloudFormation."""

from collections import defaultdict

import pytest

from tests.localstack.cloud import STAND_INS, Cloud, Deployed
from tests.localstack.observed import OBSERVERS, differences

pytestmark = [pytest.mark.localstack, pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_first_deployment_is_complete(created: Deployed) -> None:
    assert created.status == "CREATE_COMPLETE"
    assert created.listed() == created.expected()
    assert all(stack.listed() == stack.expected() for stack in created.nested.values())
    assert len(created.resources) > 250


def test_every_type_is_deployed_and_observed_or_in_the_table(created: Deployed, cloud: Cloud) -> None:
    real = {resource.type for resource in created.resources if not resource.in_name_only}
    in_name_only = {resource.type for resource in created.resources if resource.in_name_only}

    assert real == {kind for kind in OBSERVERS if created.of_type(kind)}
    assert in_name_only == set(STAND_INS["types"])
    assert not set(STAND_INS["types"]) & cloud.types()


def test_every_resource_exists_with_all_of_its_properties(created: Deployed, cloud: Cloud) -> None:
    found = defaultdict(list)
    for resource in created.resources:
        if not resource.in_name_only:
            for name, (expected, observed) in differences(cloud, resource).items():
                found[f"{resource.type}.{name}"].append(
                    f"{resource.name}: {observed!r:.300}, not {expected!r:.300}"
                )

    unexplained = {name: rows[:3] for name, rows in found.items() if name not in STAND_INS["properties"]}
    assert unexplained == {}
    assert set(STAND_INS["properties"]) == set(found), "a row that is not needed any more"
