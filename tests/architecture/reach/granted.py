"""What the template gives a function: variables, and actions on resources; and what it must for its events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .actions import LOGGED, POLLED, UNDER_A_KEY
from .needs import ANY, Reached

_ARN = re.compile(r"arn:\$\{AWS::Partition\}:[\w-]+:\$\{AWS::Region\}:\$\{AWS::AccountId\}:")
_KEYS = ("KmsMasterKeyId", "KmsKeyId", "KMSMasterKeyID")
"""Properties that name the key of ours that a resource is encrypted with."""


def names(value: Any) -> set[str]:
    """The logical ids that an expression of the template refers to, parameters included."""
    found: set[str] = set()
    if isinstance(value, list):
        found = set().union(*map(names, value))
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                found.add(inner)
            elif key == "Fn::GetAtt":
                found.add(inner[0] if isinstance(inner, list) else inner.split(".")[0])
            elif key == "Fn::Sub":
                text = inner if isinstance(inner, str) else inner[0]
                found |= set(re.findall(r"\$\{(\w+)", text))
            else:
                found |= names(inner)
    return found


def places(value: Any) -> Iterator[str]:
    """Resources of a statement as `Table`, `Table/index/due`, `Bucket/parts/`, or what follows the account."""
    if isinstance(value, list):
        for inner in value:
            yield from places(inner)
    elif isinstance(value, dict) and "Fn::If" in value:
        yield from places(value["Fn::If"][1:])
    elif isinstance(value, dict) and "Fn::Sub" in value:
        text = _ARN.sub("", value["Fn::Sub"])
        below = re.fullmatch(r"\$\{(\w+)\.Arn\}/(.*)", text)
        yield f"{below[1]}/{below[2].removesuffix('*')}" if below else text
    elif isinstance(value, dict):
        yield from names(value) - {"AWS::NoValue"}
    else:
        yield str(value)


ANY_KEY = f"/{ANY}"
Grant = tuple[str, str]
"""An action and a place."""


@dataclass(frozen=True)
class Given:
    """What one function has, and what its events and logs take."""

    name: str
    folder: str
    variables: dict[str, Any]
    grants: frozenset[Grant]
    taken: dict[Grant, str]


class Template:
    """The template's functions."""

    def __init__(self, template: dict[str, Any]) -> None:
        self.resources: dict[str, dict[str, Any]] = template["Resources"]
        self._common = (
            template.get("Globals", {}).get("Function", {}).get("Environment", {}).get("Variables", {})
        )
        self.functions = {
            name: self._given(name, resource["Properties"])
            for name, resource in self.resources.items()
            if resource["Type"] == "AWS::Serverless::Function"
        }
        self.expressions: dict[str, Any] = {}
        for given in self.functions.values():
            self.expressions |= given.variables
        self.places = frozenset(
            name for name, value in self.expressions.items() if names(value) & self.resources.keys()
        )

    def named_by(self, setting: str) -> set[str]:
        """The resources that a setting names."""
        return names(self.expressions.get(setting)) & self.resources.keys()

    def _given(self, name: str, properties: dict[str, Any]) -> Given:
        own = properties.get("Environment", {}).get("Variables", {})
        variables = {
            key.lower(): value
            for key, value in {**self._common, **own}.items()
            if not key.startswith("POWERTOOLS_")
        }
        (role,) = names(properties["Role"])
        return Given(
            name,
            properties["CodeUri"].strip("/"),
            variables,
            self.grants(role),
            dict(self._taken(properties)),
        )

    def grants(self, role: str) -> frozenset[Grant]:
        """What a role allows."""
        return frozenset(
            (action, place)
            for policy in self.resources[role]["Properties"]["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in statement["Action"]
            for place in places(statement["Resource"])
        )

    def _taken(self, properties: dict[str, Any]) -> Iterator[tuple[Grant, str]]:
        for event, source in properties.get("Events", {}).items():
            if source["Type"] == "SQS":
                for place in places(source["Properties"]["Queue"]):
                    yield from (((action, place), f"its event {event}") for action in POLLED)
        failure = properties.get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure")
        if failure:
            for place in places(failure["Destination"]):
                yield ("sqs:SendMessage", place), "where its failures go"
        for group in places(properties["LoggingConfig"]["LogGroup"]):
            yield from (((action, group), "its log") for action in LOGGED)

    def key_of(self, resource: str) -> set[str]:
        """The key of ours that a resource is encrypted with."""
        found: set[str] = set()
        waiting: list[Any] = [self.resources[resource].get("Properties", {})]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                found |= set().union(*(names(value[key]) for key in _KEYS if key in value))
                waiting += value.values()
            elif isinstance(value, list):
                waiting += value
        return found & self.resources.keys()


def variables_off(given: Given, reached: Reached, template: Template) -> Iterator[str]:
    """Variables that code reads and the function lacks, and those that it has for nothing."""
    for name, path in sorted(reached.settings.items()):
        if name not in given.variables and name in template.expressions:
            yield f"{given.name} lacks the variable {name.upper()}: {path}"
    for name in sorted(given.variables.keys() - reached.settings.keys()):
        yield f"{given.name} has the variable {name.upper()}, which its code never reads"


def grants_off(given: Given, reached: Reached, template: Template) -> Iterator[str]:
    """Actions that code takes and the role lacks, and those that it has for nothing."""
    needed: dict[Grant, str] = dict(given.taken)
    for need, path in reached.needs.items():
        for place in [need.fixed] if need.fixed else sorted(template.named_by(need.setting)):
            needed.setdefault((need.action, _within(place, need.inside, template)), path)
    for (action, place), path in list(needed.items()):
        resource = place.partition("/")[0]
        for key in template.key_of(resource) if resource in template.resources else ():
            if action not in UNDER_A_KEY:
                yield f"{given.name}: no row in actions.py for {action} on {resource}, which has a key of ours"
            needed |= {(extra, key): path for extra in UNDER_A_KEY.get(action, ())}
    yield from _missing(given, needed)
    yield from _superfluous(given, needed)


_WHY = {"s3:ListBucket": " (without it S3 says 403 where an object is missing, not 404)"}
"""What the way to a call does not tell."""


def _missing(given: Given, needed: dict[Grant, str]) -> Iterator[str]:
    for (action, place), path in sorted(needed.items()):
        own = [p for a, p in given.grants if a == action]
        if place.endswith(ANY_KEY):
            found = _unclaimed(action, place, given, needed)
        else:
            found = [p for p in own if _covers(p, place)]
        if not found:
            yield f"{given.name} lacks {action} on {place}: {path}{_WHY.get(action, '')}"


def _superfluous(given: Given, needed: dict[Grant, str]) -> Iterator[str]:
    for action, place in sorted(given.grants):
        if any(action == a and _covers(place, p) for a, p in needed):
            continue
        bucket = f"{place.partition('/')[0]}{ANY_KEY}"
        if (action, bucket) in needed and _unclaimed(action, bucket, given, needed) == [place]:
            continue
        yield f"{given.name} has {action} on {place}, which its code never takes"


def _unclaimed(action: str, place: str, given: Given, needed: dict[Grant, str]) -> list[str]:
    """Grants on a bucket that no known key explains: one is for the keys that are not known, more are odd."""
    bucket = place.removesuffix(ANY)
    return sorted(
        granted
        for a, granted in given.grants
        if a == action
        and granted.startswith(bucket)
        and not any(a == action and _covers(granted, p) for a, p in needed)
    )


def _within(place: str, inside: str, template: Template) -> str:
    kind = template.resources.get(place, {}).get("Type")
    if kind == "AWS::S3::Bucket":
        return f"{place}/{inside}" if inside else place
    return f"{place}/index/{inside}" if inside else place


def _covers(granted: str, needed: str) -> bool:
    """Whether a grant holds for what is needed by name."""
    if needed.endswith(ANY_KEY) and granted.endswith("/"):
        return False
    return granted == needed or (granted.endswith("/") and needed.startswith(granted))
