"""CloudFormation, as far as whoever works on a stack asks it: what it consists of, and its outputs.

Times are left out: nothing here reads them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from .access import Refusal, refuse
from .aws_request import AwsRequest
from .stack import Resource, Stack


class CloudFormation:
    """Answers for the one stack of the embedded cloud, and the stacks nested in it."""

    def __init__(self, root: Stack) -> None:
        self._root = root

    def answer(self, request: AwsRequest) -> Response:
        """One request in the query protocol; ValidationError for a stack or resource that is not there."""
        operation, asked = request.operation, request.parameters
        name = asked.get("StackName")
        found = [s for s in self._root.family() if name in (None, s.name, s.stack_id)]
        if not found:
            return _invalid(f"Stack with id {name} does not exist")
        stack = found[0]
        if operation == "DescribeStacks":
            return _xml(operation, {"Stacks": [self._described(one) for one in found]})
        if operation == "DescribeStackResource":
            logical_id = asked.get("LogicalResourceId", "")
            if logical_id not in stack.resources:
                return _invalid(f"Resource {logical_id} does not exist for stack {stack.name}")
            return _xml(operation, {"StackResourceDetail": _resource(stack.resources[logical_id])})
        if operation == "DescribeStackResources":
            return _xml(operation, {"StackResources": _resources(stack.resources.values())})
        if operation == "ListStackResources":
            return _xml(operation, {"StackResourceSummaries": _resources(stack.resources.values())})
        return _invalid(f"{operation} is not known to the embedded cloud")

    def _described(self, stack: Stack) -> dict[str, Any]:
        above = (
            {} if stack.parent is None else {"ParentId": stack.parent.stack_id, "RootId": self._root.stack_id}
        )
        return {
            "StackName": stack.name,
            "StackId": stack.stack_id,
            **above,
            "StackStatus": "CREATE_COMPLETE",
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in stack.parameters.items()],
            "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in stack.outputs.items()],
        }


def _resources(resources: Iterable[Resource]) -> list[dict[str, str]]:
    return [_resource(resource) for resource in resources]


def _resource(resource: Resource) -> dict[str, str]:
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.ref,
        "ResourceType": resource.type,
        "ResourceStatus": "CREATE_COMPLETE",
    }


def _xml(operation: str, result: Mapping[str, Any]) -> Response:
    body = _element(f"{operation}Response", {f"{operation}Result": result})
    return Response(body, content_type="text/xml")


def _element(name: str, value: Mapping[str, Any] | Sequence[Any] | str) -> str:
    if isinstance(value, Mapping):
        inner = "".join(_element(key, below) for key, below in value.items())
    elif isinstance(value, str):
        inner = escape(value)
    else:
        inner = "".join(_element("member", one) for one in value)
    return f"<{name}>{inner}</{name}>"


def _invalid(message: str) -> Response:
    response = refuse(Refusal("ValidationError", message), "query")
    response.status_code = 400
    return response
