"""Writes what CloudFormation's resource import needs to take over what a deleted stack left.

    python -m exnotify.operations.adopt STACK_ID FOLDER

CloudFormation answers for a deleted stack by its id (an ARN) for 90 days. An import creates a stack of the
imported resources alone, without outputs; the next deployment under its name adds the rest. Sources: "Import
existing resources", "Resource type support", CloudFormation user guide.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import boto3

Json = dict[str, Any]

IDENTIFIERS: Mapping[str, str] = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::KMS::Key": "KeyId",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SecretsManager::Secret": "Id",
}
"""By what CloudFormation knows a resource of each type that outlives the stack: its physical id."""

RETAINED = "DELETE_SKIPPED"
"""The status of a resource that a deleted stack left."""


def to_import(template: Mapping[str, Any], left: Iterable[Mapping[str, Any]]) -> tuple[Json, list[Json]]:
    """The template of the import, and its list of resources, from a stack's processed template.

    `left` are `StackResourceSummaries`. Raises ValueError where the stack left nothing that can be imported.
    """
    wanted = [
        {
            "ResourceType": one["ResourceType"],
            "LogicalResourceId": one["LogicalResourceId"],
            "ResourceIdentifier": {IDENTIFIERS[one["ResourceType"]]: one["PhysicalResourceId"]},
        }
        for one in left
        if one["ResourceStatus"] == RETAINED and one["ResourceType"] in IDENTIFIERS
    ]
    if not wanted:
        raise ValueError("the stack left nothing that can be imported")
    kept = {one["LogicalResourceId"]: template["Resources"][one["LogicalResourceId"]] for one in wanted}
    sections = ("AWSTemplateFormatVersion", "Parameters", "Conditions")
    body = {name: template[name] for name in sections if name in template}
    return body | {"Resources": kept}, wanted


def write(client: Any, stack_id: str, folder: Path) -> str:
    """Asks CloudFormation, writes the three files of an import (JSON) and says what it wrote."""
    template = client.get_template(StackName=stack_id, TemplateStage="Processed")["TemplateBody"]
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack_id)
    left = [one for page in pages for one in page["StackResourceSummaries"]]
    (stack,) = client.describe_stacks(StackName=stack_id)["Stacks"]
    body, resources = to_import(json.loads(template) if isinstance(template, str) else template, left)
    folder.mkdir(parents=True, exist_ok=True)
    written = {"template": body, "resources": resources, "parameters": stack.get("Parameters", [])}
    for name, value in written.items():
        (folder / f"{name}.json").write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    return f"{len(resources)} resources of {stack['StackName']} can be imported: {folder}"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m exnotify.operations.adopt STACK_ID FOLDER")
    print(write(boto3.client("cloudformation"), sys.argv[1], Path(sys.argv[2])))
