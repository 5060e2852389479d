"""What a deleted stack left can be imported: a template of it alone, and identifiers that CloudFormation takes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from botocore.validate import ParamValidator

from exnotify.cloud.template import load_template
from exnotify.operations.adopt import IDENTIFIERS, to_import, write
from tests.architecture.test_retention import KEPT

ROOT = Path(__file__).resolve().parents[2]
DELETED = load_template(ROOT / "template.yaml", {}, "us-east-1").body


def summary(name: str, kind: str) -> dict[str, str]:
    status = "DELETE_SKIPPED" if kind in KEPT else "DELETE_COMPLETE"
    return {
        "LogicalResourceId": name,
        "PhysicalResourceId": f"id-of-{name}",
        "ResourceType": kind,
        "ResourceStatus": status,
    }


LEFT = [summary(name, resource["Type"]) for name, resource in DELETED["Resources"].items()]


def test_every_type_that_is_kept_can_be_imported() -> None:
    assert IDENTIFIERS.keys() == KEPT.keys()


def test_the_import_has_what_was_left_and_nothing_else() -> None:
    body, resources = to_import(DELETED, LEFT)
    kept = {name for name, resource in DELETED["Resources"].items() if resource["Type"] in KEPT}
    assert body["Resources"].keys() == kept == {one["LogicalResourceId"] for one in resources}
    assert "Outputs" not in body, "an import may not add outputs"
    assert "Transform" not in body
    assert all("DeletionPolicy" in resource for resource in body["Resources"].values())
    assert len(json.dumps(body)) <= 51_200, "the longest template that a call takes"
    (table,) = [one for one in resources if one["LogicalResourceId"] == "NoticesTable"]
    assert table["ResourceIdentifier"] == {"TableName": "id-of-NoticesTable"}


def test_cloudformation_takes_the_list() -> None:
    _, resources = to_import(DELETED, LEFT)
    model = boto3.client("cloudformation", region_name="us-east-1").meta.service_model
    shape = model.operation_model("CreateChangeSet").input_shape
    asked: dict[str, Any] = {
        "StackName": "exstream-notify",
        "ChangeSetName": "adopt",
        "ChangeSetType": "IMPORT",
        "ResourcesToImport": resources,
    }
    report = ParamValidator().validate(asked, shape)
    assert not report.has_errors(), report.generate_report()


def test_a_stack_that_left_nothing_is_refused() -> None:
    gone = [{**one, "ResourceStatus": "DELETE_COMPLETE"} for one in LEFT]
    with pytest.raises(ValueError, match="left nothing"):
        to_import(DELETED, gone)


def test_what_cloudformation_answers_is_written_for_the_import(tmp_path: Path) -> None:
    client = boto3.client("cloudformation", region_name="us-east-1")
    stack_id = "arn:aws:cloudformation:us-east-1:111122223333:stack/exstream-notify/1"
    now = datetime(2026, 11, 29, tzinfo=UTC)
    parameters = [{"ParameterKey": "CompanyName", "ParameterValue": "Example Company"}]
    stack = {"StackName": "exstream-notify", "CreationTime": now, "StackStatus": "DELETE_COMPLETE"}
    with Stubber(client) as answers:
        asked = {"StackName": stack_id}
        answers.add_response(
            "get_template", {"TemplateBody": json.dumps(DELETED)}, asked | {"TemplateStage": "Processed"}
        )
        left = [one | {"LastUpdatedTimestamp": now} for one in LEFT]
        answers.add_response("list_stack_resources", {"StackResourceSummaries": left}, asked)
        answers.add_response("describe_stacks", {"Stacks": [stack | {"Parameters": parameters}]}, asked)
        said = write(client, stack_id, tmp_path / "adopt")
    body, resources = to_import(DELETED, LEFT)
    assert f"{len(resources)} resources of exstream-notify" in said
    written = {path.name: json.loads(path.read_text("utf-8")) for path in (tmp_path / "adopt").iterdir()}
    assert written == {"template.json": body, "resources.json": resources, "parameters.json": parameters}
