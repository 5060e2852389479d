"""A stack as it is being deployed: what its resources need from each other, and what they leave behind."""

import fnmatch
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .access import AccessControl
from .actions import Place
from .alarms import CompositeAlarm, MetricAlarm
from .asynchronous import InvokeConfig
from .functions import FunctionSpec
from .httpapi import ApiSpec
from .machines import MachineSpec
from .poller import Mapping as EventSourceMapping
from .schedules import Cron, Rate
from .template import TemplateError

Properties = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """A deployed resource: `ref` is what Ref yields, `attributes` what GetAtt does."""

    logical_id: str
    type: str
    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Created:
    """What a handler made of a resource."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """A schedule and one of its targets; `retry` only where the target is a function."""

    logical_id: str
    when: Rate | Cron
    source: str
    arn: str
    target: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InvokePermission:
    """Who may invoke a function: a service, on behalf of an ARN or of anything."""

    function_arn: str
    service: str
    source_arn: str | None


@dataclass
class Stack:
    """Everything a resource handler may use and add to.

    `parent` and `path` (`Monitoring/`) are those of a nested stack; `nested` are those in this one.
    """

    name: str
    place: Place
    client: Callable[[str], Any]
    access: AccessControl
    code: Mapping[str, Path]
    resources: dict[str, Resource] = field(default_factory=dict)
    functions: dict[str, FunctionSpec] = field(default_factory=dict)
    layers: dict[str, Path] = field(default_factory=dict)
    mappings: list[EventSourceMapping] = field(default_factory=list)
    schedules: list[ScheduleSpec] = field(default_factory=list)
    permissions: list[InvokePermission] = field(default_factory=list)
    invoke_configs: dict[str, InvokeConfig] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    machines: dict[str, MachineSpec] = field(default_factory=dict)
    api: ApiSpec = field(default_factory=ApiSpec)
    alarms: dict[str, MetricAlarm] = field(default_factory=dict)
    composites: dict[str, CompositeAlarm] = field(default_factory=dict)
    parent: "Stack | None" = None
    path: str = ""
    nested: dict[str, "Stack"] = field(default_factory=dict)

    @property
    def stack_id(self) -> str:
        """The stack's ARN."""
        return self.place.arn("cloudformation", f"stack/{self.name}/embedded")

    def nest(self, logical_id: str) -> "Stack":
        """A nested stack: with resources, parameters and outputs of its own; all else belongs to the root."""
        name = self.physical_name(logical_id)
        path = f"{self.path}{logical_id}/"
        made = replace(
            self, name=name, path=path, parent=self, resources={}, parameters={}, outputs={}, nested={}
        )
        self.nested[logical_id] = made
        return made

    def family(self) -> "Iterator[Stack]":
        """The stack and those nested in it."""
        yield self
        for stack in self.nested.values():
            yield from stack.family()

    def physical_name(self, logical_id: str, given: Any = None) -> str:
        """The name in AWS: the template's own, else one from the stack's."""
        return str(given) if given else f"{self.name}-{logical_id}"

    def function(self, reference: str) -> FunctionSpec:
        """The function with a name or ARN. Raises TemplateError."""
        for spec in self.functions.values():
            if reference in (spec.name, spec.arn):
                return spec
        raise TemplateError(f"{reference} is no function of this stack")

    def may_invoke(self, service: str, function_arn: str, source_arn: str) -> bool:
        """Whether a permission of the stack lets a service invoke a function for a source."""
        return any(
            permission.function_arn == function_arn
            and permission.service == service
            and (permission.source_arn is None or _arn_like(source_arn, permission.source_arn))
            for permission in self.permissions
        )


def _arn_like(arn: str, pattern: str) -> bool:
    """Whether a permission's source fits, as ArnLike compares: only `*` and `?` stand for others."""
    return fnmatch.fnmatchcase(arn, pattern.replace("[", "[[]"))


Handler = Callable[[Stack, str, Properties], Created]


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One type of resource: how it is created, and which of its properties are known.

    `effective` lists property paths that mean something here, `recorded` those that are taken without an
    effect on this machine, each with the reason. A path covers what lies beneath it; list elements share
    their list's path. A property outside both is refused.
    """

    create: Handler
    effective: tuple[str, ...]
    recorded: Mapping[str, str] = field(default_factory=dict)

    def unknown(self, properties: Mapping[str, Any]) -> str | None:
        """The path of a property that is not known, or None."""
        known = (*self.effective, *self.recorded)
        return next((path for path in _leaves(properties, "") if not _covered(path, known)), None)


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    else:
        yield path


def _covered(path: str, known: tuple[str, ...]) -> bool:
    return any(path == name or path.startswith(f"{name}.") for name in known)
