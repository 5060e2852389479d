"""CloudFormation, as far as whoever works on a stack asks it: what it consists of, and its outputs.

Times are left out: nothing here reads them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from .access import Refusal, refuse
from .aws_request import AwsRequest

Described = Mapping[str, Any]
"""What `EmbeddedCloud.describe` tells."""


class CloudFormation:
    """Answers for the one stack of the embedded cloud; `describe` tells what is deployed."""

    def __init__(self, describe: Callable[[], Described]) -> None:
        self._describe = describe

    def answer(self, request: AwsRequest) -> Response:
        """One request in the query protocol; ValidationError for a stack or resource that is not there."""
        told = self._describe()
        operation, asked = request.operation, request.parameters
        name, stack_id = told["stack"], _stack_id(told)
        if asked.get("StackName", name) not in (name, stack_id):
            return _invalid(f"Stack with id {asked['StackName']} does not exist")
        if operation == "DescribeStacks":
            return _xml(operation, {"Stacks": [_stack(told, stack_id)]})
        if operation == "DescribeStackResource":
            logical_id = asked.get("LogicalResourceId", "")
            if logical_id not in told["resources"]:
                return _invalid(f"Resource {logical_id} does not exist for stack {name}")
            return _xml(operation, {"StackResourceDetail": _resource(told, logical_id)})
        if operation == "ListStackResources":
            return _xml(
                operation, {"StackResourceSummaries": [_resource(told, n) for n in told["resources"]]}
            )
        return _invalid(f"{operation} is not known to the embedded cloud")


def _stack_id(told: Described) -> str:
    return f"arn:aws:cloudformation:{told['region']}:{told['account']}:stack/{told['stack']}/embedded"


def _stack(told: Described, stack_id: str) -> dict[str, Any]:
    parameters = told.get("parameters", {}).items()
    return {
        "StackName": told["stack"],
        "StackId": stack_id,
        "StackStatus": "CREATE_COMPLETE",
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters],
        "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in told["outputs"].items()],
    }


def _resource(told: Described, logical_id: str) -> dict[str, str]:
    resource = told["resources"][logical_id]
    return {
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": resource["id"],
        "ResourceType": resource["type"],
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
