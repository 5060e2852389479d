"""What the bench needs to know of the templates: tables, functions, their environment and memory, alarms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
ACCOUNT = "000000000000"


@dataclass(frozen=True, slots=True)
class Table:
    """A table's key attributes, and those of its indexes."""

    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its folder's name, memory in MB, time-out in seconds, environment, largest batch."""

    name: str
    memory: int
    timeout: int
    environment: Mapping[str, str]
    batch: int


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags as one-key mappings."""


def _tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    raise ValueError(f"!{suffix} of a mapping")


_Loader.add_multi_constructor("!", _tag)


@lru_cache(maxsize=2)
def _template(name: str = "template.yaml") -> dict[str, Any]:
    # The loader is a SafeLoader with CloudFormation's tags added.
    loaded: dict[str, Any] = yaml.load((ROOT / name).read_text("utf-8"), _Loader)  # noqa: S506
    return loaded


def physical_name(logical: str) -> str:
    """What `!Ref` of a resource gives: a queue's address, else a name."""
    if _template()["Resources"][logical]["Type"] == "AWS::SQS::Queue":
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{logical}"
    return f"bench-{logical.lower()}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        ((tag, said),) = value.items()
        if tag == "Ref":
            return _named(said)
        if tag == "Sub":
            return re.sub(r"\$\{(\w+)\}", lambda found: _named(found[1]), said)
        if tag == "Join":
            return str(said[0]).join(map(_value, said[1]))
        raise ValueError(f"an environment variable by !{tag}: {said}")
    return str(value)


def _named(name: str) -> str:
    parameter = _template()["Parameters"].get(name)
    return str(parameter["Default"]) if parameter else physical_name(name)


@lru_cache(maxsize=1)
def tables() -> Mapping[str, Table]:
    """The tables by physical name."""
    found = {}
    for logical, resource in _template()["Resources"].items():
        if resource["Type"] == "AWS::DynamoDB::Table":
            properties = resource["Properties"]
            indexes = properties.get("GlobalSecondaryIndexes", ())
            found[physical_name(logical)] = Table(
                _attributes(properties), tuple(_attributes(index) for index in indexes)
            )
    return found


def _attributes(resource: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row["AttributeName"] for row in resource["KeySchema"])


@lru_cache(maxsize=1)
def functions() -> Mapping[str, Function]:
    """The functions by their folders' names."""
    shared = _template()["Globals"]["Function"]["Environment"]["Variables"]
    found = {}
    for resource in _template()["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = resource["Properties"]
            name = properties["CodeUri"].rstrip("/").rsplit("/", 1)[-1]
            own = properties.get("Environment", {}).get("Variables", {})
            batches = [
                event["Properties"].get("BatchSize", 1) for event in properties.get("Events", {}).values()
            ]
            found[name] = Function(
                name,
                properties["MemorySize"],
                properties["Timeout"],
                {key: _value(value) for key, value in {**shared, **own}.items()},
                max(batches, default=1),
            )
    return found


def queues() -> int:
    """How many queues feed functions, each with pollers of its own."""
    return sum(
        event["Type"] == "SQS"
        for resource in _template()["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
        for event in resource["Properties"].get("Events", {}).values()
    )


def secrets() -> int:
    """How many secrets the stack keeps."""
    return _count("AWS::SecretsManager::Secret")


def keys() -> int:
    """How many KMS keys the stack keeps."""
    return _count("AWS::KMS::Key")


def alarms() -> int:
    """How many alarms the stack has, composite ones included."""
    return len(_monitoring("AWS::CloudWatch::Alarm")) + composite_alarms()


def alarm_metrics() -> int:
    """How many metrics the stack's alarms read: each counts."""
    return sum(
        sum("MetricStat" in row for row in alarm["Properties"].get("Metrics", ())) or 1
        for alarm in _monitoring("AWS::CloudWatch::Alarm")
    )


def composite_alarms() -> int:
    """How many composite alarms the stack has."""
    return len(_monitoring("AWS::CloudWatch::CompositeAlarm"))


def dashboards() -> int:
    """How many dashboards the stack has."""
    return len(_monitoring("AWS::CloudWatch::Dashboard"))


def _monitoring(kind: str) -> list[dict[str, Any]]:
    return [r for r in _template("monitoring.yaml")["Resources"].values() if r["Type"] == kind]


def _count(kind: str) -> int:
    return sum(r["Type"] == kind for r in _template()["Resources"].values())
