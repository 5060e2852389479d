"""Writes monitoring.yaml, and the resource of template.yaml that deploys it: `make alarms`.

monitoring.yaml is a template of its own, a nested stack: alarms, dashboard, saved queries. It knows what it
watches by its parameters. Each has the logical id of the resource in template.yaml and the name on AWS.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from .dashboard import dashboard
from .watch import ROOT, TEMPLATE, Json, alarms, composites, data, read, target, watched

NESTED = ROOT / "monitoring.yaml"
BEGIN = "  # ---- Monitoring: `make alarms` writes this resource and monitoring.yaml; do not edit ----\n"
END = "  # ---- End of what `make alarms` writes ----\n"
_HEAD = (
    "# Written by `make alarms` from tools/exnotify/operations/alarms.yaml and template.yaml; do not edit.\n"
    'AWSTemplateFormatVersion: "2010-09-09"\n'
    "Description: >-\n"
    "  Alarms, dashboard and saved queries of the exstream-notify stack, deployed as a nested stack.\n"
)
_DECLARED: Mapping[str, Json] = {
    "StackName": {"Type": "String", "Description": "Name of the watched stack: names here begin with it"},
    "RunbookUrl": {"Type": "String", "Description": "Where the runbook is read"},
    "AlarmTopicArn": {"Type": "String", "Description": "SNS topic that pages"},
    "LogGroups": {"Type": "CommaDelimitedList", "Description": "Log groups that the saved queries read"},
}  # fmt: skip


def parameters(template: Json) -> Json:
    """What template.yaml passes: each parameter's value by its name."""
    resources = template["Resources"]
    logs = [
        {"Ref": target(function["Properties"]["LoggingConfig"]["LogGroup"])}
        for function in resources.values()
        if function["Type"] == "AWS::Serverless::Function"
    ]
    fixed = {
        "StackName": {"Ref": "AWS::StackName"},
        "RunbookUrl": {"Ref": "RunbookUrl"},
        "AlarmTopicArn": {"Fn::If": ["MakesAlarmTopic", {"Ref": "AlarmTopic"}, {"Ref": "AlarmTopicArn"}]},
        "LogGroups": {"Fn::Join": [",", logs]},
    }
    names = [name for kind in watched(resources).values() for name in kind]
    return fixed | {name: _name_on_aws(name, resources[name]) for name in names}


def _name_on_aws(logical_id: str, resource: Json) -> Json:
    """What CloudWatch calls the resource. Ref of a queue is its address."""
    if resource["Type"] == "AWS::SQS::Queue":
        return {"Fn::GetAtt": [logical_id, "QueueName"]}
    return {"Ref": logical_id}


def queries(rows: Json) -> dict[str, Json]:
    """The saved Logs Insights queries, over every function's log group."""
    return {
        f"{name.capitalize()}Query": {
            "Type": "AWS::Logs::QueryDefinition",
            "Metadata": {"Watch": {}},
            "Properties": {
                "Name": {"Fn::Sub": f"${{StackName}}/{name}"},
                "LogGroupNames": {"Ref": "LogGroups"},
                "QueryString": text,
            },
        }
        for name, text in rows["queries"].items()
    }


def nested(template: Json) -> Json:
    """monitoring.yaml for a template.yaml."""
    rows = data()
    found = alarms(template, rows)
    paging = composites(found, rows)
    return {
        "Parameters": {name: _DECLARED.get(name, {"Type": "String"}) for name in parameters(template)},
        "Resources": {
            **found,
            **paging,
            "Dashboard": dashboard(template, paging | found),
            **queries(rows),
        },
    }


# ---- as text ----


def nested_text(template: Json) -> str:
    """monitoring.yaml's text: parameters a line each, resources a paragraph."""
    made = nested(template)
    lines = [_HEAD, "\nParameters:\n"]
    lines += [f"  {name}: {_flow(declared)}\n" for name, declared in made["Parameters"].items()]
    lines.append("\nResources:\n")
    lines += [_paragraph(name, resource) for name, resource in made["Resources"].items()]
    return "".join(lines)


def section(template: Json) -> str:
    """The text between the marks of template.yaml."""
    lines = [
        "  Monitoring:\n",
        "    Type: AWS::CloudFormation::Stack\n",
        "    DeletionPolicy: Delete\n",
        "    UpdateReplacePolicy: Delete\n",
        "    Properties:\n",
        f"      TemplateURL: {NESTED.name}\n",
        "      Parameters:\n",
    ]
    lines += [f"        {name}: {_flow(value)}\n" for name, value in parameters(template).items()]
    return "".join(lines)


def written(text: str) -> tuple[str, str]:
    """template.yaml's text with its section as it should be, and monitoring.yaml's.

    Raises ValueError where the marks are missing.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError("the template lacks the marks between which its nested stack stands")
    template = read(head + tail)
    return head + BEGIN + section(template) + END + tail, nested_text(template)


def _paragraph(name: str, resource: Json) -> str:
    lines = [f"  {name}:\n", f"    Type: {resource['Type']}\n"]
    lines.append(f"    Metadata: {_flow(resource['Metadata'])}\n    Properties:\n")
    for key, value in resource["Properties"].items():
        if isinstance(value, list):
            lines.append(f"      {key}:\n")
            lines += [f"        - {_flow(item)}\n" for item in value]
        else:
            lines.append(f"      {key}: {_flow(value)}\n")
    return "".join(lines)


def _flow(value: Any) -> str:
    """One line of YAML: JSON, with the intrinsic functions in their short form."""
    if isinstance(value, Mapping):
        if len(value) == 1:
            ((key, inner),) = value.items()
            if key == "Ref":
                return f"!Ref {inner}"
            if key == "Fn::GetAtt":
                return f"!GetAtt {'.'.join(inner)}"
            if key.startswith("Fn::"):
                return f"!{key.removeprefix('Fn::')} {_flow(inner)}"
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w/:-]*", value):
        return value if value.lower() not in ("true", "false", "yes", "no", "on", "off") else f'"{value}"'
    return json.dumps(value, ensure_ascii=False)


def main() -> int:
    """`python -m exnotify.operations.monitoring [--check]`: rewrites both files where they differ."""
    parser = argparse.ArgumentParser(description="write alarms, dashboard and saved queries")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if one differs")
    check = parser.parse_args().check
    text = TEMPLATE.read_text("utf-8")
    current = {TEMPLATE: text, NESTED: NESTED.read_text("utf-8") if NESTED.exists() else ""}
    wanted = dict(zip((TEMPLATE, NESTED), written(text), strict=True))
    if check:
        return int(wanted != current)
    for path, content in wanted.items():
        if content != current[path]:
            path.write_text(content, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
