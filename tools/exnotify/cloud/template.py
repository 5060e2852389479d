"""The SAM template as CloudFormation would see it: loaded, translated, its parameters resolved."""

import copy
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import intrinsics_multi_constructor

Json = dict[str, Any]


class TemplateError(ValueError):
    """The template cannot be deployed; the message names where and why."""


#: AWS managed policies that the embedded cloud knows, as far as its services go.
MANAGED_POLICIES: Mapping[str, Json] = {
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole": {
        "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    },
    "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole": {
        "Action": [
            "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
            "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
        ],
    },
    "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess": {
        "Action": [
            "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules",
            "xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries",
        ],
    },
    "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess": {
        "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
    },
}  # fmt: skip

_SECTIONS = {
    "AWSTemplateFormatVersion", "Transform", "Description", "Metadata", "Parameters", "Mappings",
    "Conditions", "Globals", "Resources", "Outputs",
}  # fmt: skip
_PARAMETER_TYPES = {"String", "Number", "CommaDelimitedList", "List<Number>"}
# Where a resource's code lies on this machine: SAM itself takes only addresses in S3.
_LOCAL_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
#: Type of a resource that deploys another template.
NESTED_STACK = "AWS::CloudFormation::Stack"
#: Bytes of a parameter's value: "AWS CloudFormation quotas".
PARAMETER_BYTES = 4096
#: Bucket name that stands for "on this machine" in the translated template; the key is a logical id.
LOCAL = "exnotify-local"


@dataclass(frozen=True)
class Template:
    """A translated template: plain CloudFormation.

    `code`: folders of functions and layers by logical id; `nested`: templates of nested stacks by theirs.
    """

    body: Json
    parameters: Mapping[str, Any]
    code: Mapping[str, Path]
    nested: Mapping[str, Path]


def load_template(path: Path, parameters: Mapping[str, str], region: str) -> Template:
    """Reads a template, and translates it where it asks for SAM's transform.

    Raises TemplateError, or OSError if it cannot be read.
    """
    try:
        source = _parse_yaml(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise TemplateError(f"{path.name} is not YAML: {error}") from error
    unknown = set(source) - _SECTIONS
    if unknown:
        raise TemplateError(f"section {', '.join(sorted(unknown))} is not known to the embedded cloud")
    values = resolve_parameters(source.get("Parameters", {}), parameters)
    folder = path.resolve().parent
    nested = _nested(source, folder)
    if "Transform" not in source:
        return Template(source, values, {}, nested)
    code = _localise(source, folder)
    return Template(_translate(source, values, region), values, code, nested)


def _parse_yaml(text: str) -> Any:
    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Knows CloudFormation's short forms (`!Ref`); in C where PyYAML has it, ten times as fast."""

    Loader.add_multi_constructor("!", intrinsics_multi_constructor)
    return yaml.load(text, Loader)  # noqa: S506 - a safe loader


def resolve_parameters(declared: Mapping[str, Json], given: Mapping[str, str]) -> dict[str, Any]:
    """Values of the template's parameters: given ones, else defaults. Raises TemplateError."""
    unknown = set(given) - set(declared)
    if unknown:
        raise TemplateError(f"the template has no parameter {', '.join(sorted(unknown))}")
    return {name: _parameter(name, rule, given.get(name)) for name, rule in declared.items()}


def _parameter(name: str, rule: Json, given: str | None) -> Any:
    kind = rule.get("Type", "String")
    if kind not in _PARAMETER_TYPES:
        raise TemplateError(f"parameter {name}: type {kind} is not known to the embedded cloud")
    value = given if given is not None else rule.get("Default")
    if value is None:
        raise TemplateError(f"parameter {name} has neither a value nor a default")
    text = str(value)
    if len(text.encode()) > PARAMETER_BYTES:
        raise TemplateError(f"parameter {name}: CloudFormation takes {PARAMETER_BYTES} bytes")
    if kind in ("CommaDelimitedList", "List<Number>"):
        return [part.strip() for part in text.split(",")]
    allowed = [str(option) for option in rule.get("AllowedValues", [])]
    problem = (
        f"{text!r} is not one of {', '.join(allowed)}" if allowed and text not in allowed
        else f"{text!r} does not match {rule['AllowedPattern']}"
        if "AllowedPattern" in rule and not re.fullmatch(str(rule["AllowedPattern"]), text)
        else _out_of_bounds(kind, text, rule)
    )  # fmt: skip
    if problem:
        raise TemplateError(f"parameter {name}: {problem}")
    return text


def _out_of_bounds(kind: str, text: str, rule: Json) -> str:
    if kind == "String":
        size, low, high, unit = len(text), rule.get("MinLength"), rule.get("MaxLength"), "characters"
    else:
        try:
            size = float(text)  # type: ignore[assignment]
        except ValueError:
            return f"{text!r} is not a number"
        low, high, unit = rule.get("MinValue"), rule.get("MaxValue"), ""
    if low is not None and size < float(low):
        return f"{text!r} is below {low} {unit}".rstrip()
    if high is not None and size > float(high):
        return f"{text!r} is above {high} {unit}".rstrip()
    return ""


def _localise(source: Json, folder: Path) -> dict[str, Path]:
    code: dict[str, Path] = {}
    _inline_machines(source, folder)
    shared = source.get("Globals", {}).get("Function", {}).get("CodeUri")
    for logical_id, resource in source.get("Resources", {}).items():
        name = _LOCAL_CODE.get(resource.get("Type", ""))
        if name is None:
            continue
        properties = resource.setdefault("Properties", {})
        where = properties.get(name, shared if name == "CodeUri" else None)
        if not isinstance(where, str) or where.startswith("s3:"):
            raise TemplateError(f"{logical_id} ({resource['Type']}): {name} must be a folder of this project")
        if not (folder / where).is_dir():
            raise TemplateError(f"{logical_id} ({resource['Type']}): {name} {where} is no folder")
        code[logical_id] = folder / where
        properties[name] = {"Bucket": LOCAL, "Key": logical_id}
    return code


def _inline_machines(source: Json, folder: Path) -> None:
    """Puts state machines' definitions where SAM looks for them without an address in S3."""
    for logical_id, resource in source.get("Resources", {}).items():
        if resource.get("Type") != "AWS::Serverless::StateMachine":
            continue
        properties = resource.setdefault("Properties", {})
        where = properties.pop("DefinitionUri", None)
        if not isinstance(where, str) or not (folder / where).is_file():
            raise TemplateError(f"{logical_id}: DefinitionUri must be a file of this project")
        try:
            properties["Definition"] = json.loads((folder / where).read_text("utf-8"))
        except ValueError as error:
            raise TemplateError(f"{logical_id}: {where} is not JSON: {error}") from error


def _nested(source: Json, folder: Path) -> dict[str, Path]:
    """Templates of nested stacks: files of this project, which `sam package` takes to S3."""
    found = {}
    for logical_id, resource in source.get("Resources", {}).items():
        if resource.get("Type") == NESTED_STACK:
            where = resource.get("Properties", {}).get("TemplateURL")
            if not isinstance(where, str) or not (folder / where).is_file():
                raise TemplateError(
                    f"{logical_id} ({NESTED_STACK}): TemplateURL must be a file of this project"
                )
            found[logical_id] = folder / where
    return found


def _translate(source: Json, values: Mapping[str, Any], region: str) -> Json:
    names = {arn.rpartition("/")[2]: arn for arn in MANAGED_POLICIES}
    # It counts its own calls, and complains that nobody wants to know.
    logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)
    translator = Translator(names, Parser(), boto_session=boto3.session.Session(region_name=region))
    try:
        translated: Json = translator.translate(copy.deepcopy(source), dict(values))
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise TemplateError(f"SAM refuses the template: {causes or error.message}") from error
    return translated
