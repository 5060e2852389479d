"""Deploys a translated template on the emulator, resource by resource.

What is not known is refused by name: what the template lacks, or asks of AWS in a way that is not known
here, must not exist locally either.
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from .intrinsics import NO_VALUE, Resolver, references
from .permissions import PolicyError
from .resources import RESOURCE_TYPES
from .schedules import ScheduleError
from .stack import Resource, Stack
from .template import Template, TemplateError

_RESOURCE_KEYS = {
    "Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy",
}  # fmt: skip


def deploy(template: Template, stack: Stack) -> None:
    """Creates every resource of the template, and the outputs.

    Raises TemplateError naming the logical id, the type and the property that cannot be deployed.
    """
    place = stack.place
    pseudo = {
        "AWS::AccountId": place.account,
        "AWS::Region": place.region,
        "AWS::Partition": place.partition,
        "AWS::StackName": stack.name,
        "AWS::StackId": place.arn("cloudformation", f"stack/{stack.name}/embedded"),
        "AWS::URLSuffix": "amazonaws.com",
    }
    resolver = Resolver(
        template.body,
        template.parameters,
        pseudo,
        lambda name: _ref(stack, name),
        lambda n, a: _attribute(stack, n, a),
    )
    wanted = _wanted(template.body.get("Resources", {}), resolver)
    for logical_id, resource in wanted.items():
        _check_known(logical_id, resource)
    for logical_id in _in_order(wanted):
        _create(stack, resolver, logical_id, wanted[logical_id])
    for name, output in template.body.get("Outputs", {}).items():
        if "Condition" not in output or resolver.condition(output["Condition"]):
            stack.outputs[name] = str(resolver.resolve(output["Value"]))


def _wanted(resources: Mapping[str, Any], resolver: Resolver) -> dict[str, Any]:
    return {
        logical_id: resource
        for logical_id, resource in resources.items()
        if "Condition" not in resource or resolver.condition(resource["Condition"])
    }


def _check_known(logical_id: str, resource: Mapping[str, Any]) -> None:
    kind = resource.get("Type", "")
    if kind not in RESOURCE_TYPES:
        raise TemplateError(f"{logical_id}: type {kind} is not known to the embedded cloud")
    unknown = set(resource) - _RESOURCE_KEYS
    if unknown:
        raise TemplateError(
            f"{logical_id} ({kind}): {', '.join(sorted(unknown))} is not known to the embedded cloud"
        )


def _in_order(resources: Mapping[str, Any]) -> list[str]:
    waiting = {logical_id: _needed(resource) & resources.keys() for logical_id, resource in resources.items()}
    order: list[str] = []
    while waiting:
        ready = [logical_id for logical_id, needed in waiting.items() if needed <= set(order)]
        if not ready:
            raise TemplateError(f"these resources depend on each other: {', '.join(sorted(waiting))}")
        for logical_id in ready:
            order.append(logical_id)
            del waiting[logical_id]
    return order


def _needed(resource: Mapping[str, Any]) -> set[str]:
    explicit = resource.get("DependsOn", [])
    named = {explicit} if isinstance(explicit, str) else set(explicit)
    return named | set(references(resource.get("Properties", {})))


def _create(stack: Stack, resolver: Resolver, logical_id: str, resource: Mapping[str, Any]) -> None:
    kind = resource["Type"]
    handler = RESOURCE_TYPES[kind]
    where = f"{logical_id} ({kind})"
    try:
        properties = resolver.resolve(resource.get("Properties", {}))
        if properties is NO_VALUE:
            properties = {}
        unknown = handler.unknown(properties)
        if unknown is not None:
            raise TemplateError(f"property {unknown} is not known to the embedded cloud")
        created = handler.create(stack, logical_id, properties)
    except (TemplateError, PolicyError, ScheduleError, ClientError, ParamValidationError) as error:
        raise TemplateError(f"{where}: {error}") from error
    except KeyError as error:
        raise TemplateError(f"{where}: property {error.args[0]} is missing") from error
    stack.resources[logical_id] = Resource(logical_id, kind, created.ref, created.attributes)


def _ref(stack: Stack, logical_id: str) -> str:
    return _resource(stack, logical_id).ref


def _attribute(stack: Stack, logical_id: str, name: str) -> str:
    resource = _resource(stack, logical_id)
    if name not in resource.attributes:
        raise TemplateError(
            f"attribute {name} of {logical_id} ({resource.type}) is not known to the embedded cloud"
        )
    return resource.attributes[name]


def _resource(stack: Stack, logical_id: str) -> Resource:
    if logical_id not in stack.resources:
        raise TemplateError(f"{logical_id} is neither a parameter nor a resource that is deployed")
    return stack.resources[logical_id]
