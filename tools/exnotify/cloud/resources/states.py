"""Step Functions: state machines in JSONPath, of the standard type."""

import json

from ..asl import DefinitionError, parse_definition
from ..machines import MachineSpec
from ..permissions import Caller, Decision, evaluate, parse
from ..stack import Created, Properties, ResourceType, Stack
from ..template import TemplateError


def _machine(stack: Stack, logical_id: str, properties: Properties) -> Created:
    name = stack.physical_name(logical_id, properties.get("StateMachineName"))
    arn = stack.place.arn("states", f"stateMachine:{name}")
    if properties.get("StateMachineType", "STANDARD") != "STANDARD":
        raise TemplateError(
            f"StateMachineType {properties['StateMachineType']} is not known to the embedded cloud"
        )
    text = properties["DefinitionString"]
    text = text if isinstance(text, str) else json.dumps(text)
    for key, value in properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{key}}}", str(value))
    try:
        definition = parse_definition(text)
    except DefinitionError as error:
        raise TemplateError(f"DefinitionString: {error}") from error
    role = str(properties["RoleArn"])
    document = stack.client("iam").get_role(RoleName=role.rpartition("/")[2])["Role"]
    trust = parse(document["AssumeRolePolicyDocument"])
    caller = Caller(service="states.amazonaws.com")
    if evaluate(trust, caller, "sts:AssumeRole", role, {}) is not Decision.ALLOW:
        raise TemplateError(f"Role {role.rpartition('/')[2]} cannot be assumed by Step Functions")
    stack.machines[logical_id] = MachineSpec(logical_id, name, arn, role, definition)
    return Created(arn, {"Arn": arn, "Name": name})


TYPES = {
    "AWS::StepFunctions::StateMachine": ResourceType(
        _machine,
        effective=(
            "StateMachineName",
            "StateMachineType",
            "DefinitionString",
            "DefinitionSubstitutions",
            "RoleArn",
        ),
        recorded={
            "LoggingConfiguration": "the history tells it",
            "TracingConfiguration": "nothing traces here",
            "Tags": "nothing reads them",
        },
    ),
}
