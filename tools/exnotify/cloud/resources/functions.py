"""Lambda: functions, layers, event source mappings, permissions, what follows failed invocations."""

import re
from typing import Any

from ..asynchronous import InvokeConfig
from ..functions import FunctionSpec
from ..permissions import Caller, Decision, evaluate, parse
from ..poller import Mapping
from ..stack import Created, InvokePermission, Properties, ResourceType, Stack
from ..template import LOCAL, TemplateError

_ENVIRONMENT_LIMIT = 4096  # bytes of all names and values
_RESERVED = re.compile(
    r"^(AWS_(REGION|DEFAULT_REGION|EXECUTION_ENV|ACCESS_KEY.*|SECRET_.*|SESSION_TOKEN|LAMBDA_.*)|_.*|LAMBDA_.*|TZ)$"
)
_RUNTIME = re.compile(r"^python3\.\d+$")
_MAPPING_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def _function(stack: Stack, logical_id: str, properties: Properties) -> Created:
    name = stack.physical_name(logical_id, properties.get("FunctionName"))
    arn = stack.place.arn("lambda", f"function:{name}")
    if not _RUNTIME.match(str(properties["Runtime"])):
        raise TemplateError(f"Runtime {properties['Runtime']} is not known to the embedded cloud")
    code = stack.code[_local(properties["Code"], "S3Bucket", "S3Key", "Code")]
    handler = str(properties["Handler"])
    module = code / (handler.rpartition(".")[0].replace(".", "/") + ".py")
    if not module.is_file():
        raise TemplateError(f"Handler {handler}: there is no {module.name} in the code's folder")
    timeout = float(properties.get("Timeout", 3))
    if not 1 <= timeout <= 900:
        raise TemplateError("Timeout must be from 1 to 900 seconds")
    letters = properties.get("DeadLetterConfig", {}).get("TargetArn")
    if letters:
        _check_destination(stack, _role_name(properties["Role"]), letters, "DeadLetterConfig.TargetArn")
    stack.functions[logical_id] = FunctionSpec(
        logical_id=logical_id,
        name=name,
        arn=arn,
        handler=handler,
        code=code,
        role_arn=_assumable(stack, properties["Role"]),
        layers=tuple(stack.layers[layer] for layer in map(_known_layer(stack), properties.get("Layers", []))),
        environment=_environment(properties.get("Environment", {}).get("Variables", {})),
        timeout=timeout,
        memory=int(properties.get("MemorySize", 128)),
        log_group=properties.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{name}"),
        reserved=_optional_int(properties.get("ReservedConcurrentExecutions")),
        dead_letters=letters,
    )
    return Created(name, {"Arn": arn})


def _local(where: Properties, bucket: str, key: str, property_name: str) -> str:
    if where.get(bucket) != LOCAL:
        raise TemplateError(f"{property_name} does not come from a folder of this project")
    return str(where[key])


def _known_layer(stack: Stack) -> Any:
    def known(arn: str) -> str:
        if arn not in stack.layers:
            raise TemplateError(f"Layers: {arn} is not a layer of this stack")
        return arn

    return known


def _optional_int(value: Any) -> int | None:
    return None if value is None else int(value)


def _environment(variables: Properties) -> dict[str, str]:
    reserved = [name for name in variables if _RESERVED.match(name)]
    if reserved:
        raise TemplateError(f"Environment.Variables: Lambda reserves {', '.join(reserved)}")
    environment = {name: _text(value) for name, value in variables.items()}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in environment.items())
    if size > _ENVIRONMENT_LIMIT:
        raise TemplateError(f"Environment.Variables: {size} bytes, and Lambda takes {_ENVIRONMENT_LIMIT}")
    return environment


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _role_name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _assumable(stack: Stack, role_arn: str) -> str:
    role = stack.client("iam").get_role(RoleName=_role_name(role_arn))["Role"]
    trust = parse(role["AssumeRolePolicyDocument"])
    if (
        evaluate(trust, Caller(service="lambda.amazonaws.com"), "sts:AssumeRole", role_arn, {})
        is not Decision.ALLOW
    ):
        raise TemplateError(f"Role {_role_name(role_arn)} cannot be assumed by Lambda")
    return role_arn


def _layer(stack: Stack, logical_id: str, properties: Properties) -> Created:
    folder = stack.code[_local(properties["Content"], "S3Bucket", "S3Key", "Content")]
    name = stack.physical_name(logical_id, properties.get("LayerName"))
    arn = stack.place.arn("lambda", f"layer:{name}:1")
    stack.layers[arn] = folder
    return Created(arn, {"LayerVersionArn": arn})


def _mapping(stack: Stack, logical_id: str, properties: Properties) -> Created:
    queue_arn = str(properties["EventSourceArn"])
    if queue_arn.split(":")[2] != "sqs":
        raise TemplateError(f"EventSourceArn {queue_arn} is no queue")
    spec = stack.function(properties["FunctionName"])
    batch = int(properties.get("BatchSize", 10))
    window = float(properties.get("MaximumBatchingWindowInSeconds", 0))
    concurrency = _optional_int(properties.get("ScalingConfig", {}).get("MaximumConcurrency"))
    types = properties.get("FunctionResponseTypes", [])
    if not 1 <= batch <= 10_000 or (batch > 10 and window < 1):
        raise TemplateError(
            "BatchSize must be from 1 to 10000, and above 10 takes MaximumBatchingWindowInSeconds"
        )
    if not 0 <= window <= 300:
        raise TemplateError("MaximumBatchingWindowInSeconds must be from 0 to 300")
    if concurrency is not None and not 2 <= concurrency <= 1000:
        raise TemplateError("ScalingConfig.MaximumConcurrency must be from 2 to 1000")
    if set(types) - {"ReportBatchItemFailures"}:
        raise TemplateError(f"FunctionResponseTypes {types} is not known to the embedded cloud")
    for action in _MAPPING_ACTIONS:
        if not stack.access.role_allowed(_role_name(spec.role_arn), action, queue_arn):
            raise TemplateError(
                f"FunctionName: the role of {spec.logical_id} has no permission {action} on {queue_arn}"
            )
    mapping = Mapping(
        logical_id=logical_id,
        queue_arn=queue_arn,
        function=spec.logical_id,
        batch_size=batch,
        window=window,
        partial_responses="ReportBatchItemFailures" in types,
        concurrency=concurrency,
    )
    _check_visibility(stack, mapping, spec)
    if properties.get("Enabled", True):
        stack.mappings.append(mapping)
    return Created(mapping.uuid, {"Id": mapping.uuid})


def _check_visibility(stack: Stack, mapping: Mapping, spec: FunctionSpec) -> None:
    sqs = stack.client("sqs")
    url = sqs.get_queue_url(QueueName=mapping.queue)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    if int(attributes["VisibilityTimeout"]) < spec.timeout:
        raise TemplateError(
            f"EventSourceArn: the queue's visibility time-out of {attributes['VisibilityTimeout']} seconds "
            f"is less than the function's time-out of {spec.timeout:g}"
        )


def _permission(stack: Stack, logical_id: str, properties: Properties) -> Created:
    if properties["Action"] != "lambda:InvokeFunction":
        raise TemplateError(f"Action {properties['Action']} is not known to the embedded cloud")
    spec = stack.function(properties["FunctionName"])
    stack.permissions.append(InvokePermission(spec.arn, properties["Principal"], properties.get("SourceArn")))
    return Created(logical_id)


def _invoke_config(stack: Stack, logical_id: str, properties: Properties) -> Created:
    spec = stack.function(properties["FunctionName"])
    if properties.get("Qualifier", "$LATEST") != "$LATEST":
        raise TemplateError("Qualifier: the embedded cloud has no versions and aliases")
    destination = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        _check_destination(
            stack, _role_name(spec.role_arn), destination, "DestinationConfig.OnFailure.Destination"
        )
    retries = int(properties.get("MaximumRetryAttempts", 2))
    if not 0 <= retries <= 2:
        raise TemplateError("MaximumRetryAttempts must be 0, 1 or 2")
    stack.invoke_configs[spec.logical_id] = InvokeConfig(retries, destination)
    return Created(logical_id)


def _check_destination(stack: Stack, role: str, destination: str, property_name: str) -> None:
    if destination.split(":")[2] != "sqs":
        raise TemplateError(f"{property_name}: {destination} is no queue")
    if not stack.access.role_allowed(role, "sqs:SendMessage", destination):
        raise TemplateError(
            f"{property_name}: the role {role} has no permission sqs:SendMessage on {destination}"
        )


_PEOPLE = "for people"

TYPES = {
    "AWS::Lambda::Function": ResourceType(
        _function,
        effective=(
            "FunctionName",
            "Code.S3Bucket",
            "Code.S3Key",
            "Handler",
            "Runtime",
            "Role",
            "Timeout",
            "MemorySize",
            "Environment.Variables",
            "Layers",
            "ReservedConcurrentExecutions",
            "DeadLetterConfig.TargetArn",
            "LoggingConfig.LogGroup",
        ),
        recorded={
            "Architectures": "this machine has its own",
            "Description": _PEOPLE,
            "EphemeralStorage": "the temporary folder is this machine's",
            "KmsKeyArn": "nothing is written to a disk",
            "LoggingConfig.LogFormat": "lines are kept as the function writes them",
            "LoggingConfig.ApplicationLogLevel": "lines are kept as the function writes them",
            "LoggingConfig.SystemLogLevel": "lines are kept as the function writes them",
            "RecursiveLoop": "loops are not looked for",
            "Tags": "nothing reads them",
            "TracingConfig": "nothing traces here",
        },
    ),
    "AWS::Lambda::LayerVersion": ResourceType(
        _layer,
        effective=("LayerName", "Content.S3Bucket", "Content.S3Key"),
        recorded={
            "CompatibleArchitectures": "this machine has its own",
            "CompatibleRuntimes": "functions run on this interpreter",
            "Description": _PEOPLE,
            "LicenseInfo": _PEOPLE,
        },
    ),
    "AWS::Lambda::EventSourceMapping": ResourceType(
        _mapping,
        effective=(
            "EventSourceArn",
            "FunctionName",
            "BatchSize",
            "MaximumBatchingWindowInSeconds",
            "Enabled",
            "FunctionResponseTypes",
            "ScalingConfig.MaximumConcurrency",
        ),
        recorded={"Tags": "nothing reads them", "MetricsConfig": "nothing watches here"},
    ),
    "AWS::Lambda::Permission": ResourceType(
        _permission,
        effective=("Action", "FunctionName", "Principal", "SourceArn"),
        recorded={"SourceAccount": "there is one account"},
    ),
    "AWS::Lambda::EventInvokeConfig": ResourceType(
        _invoke_config,
        effective=(
            "FunctionName",
            "Qualifier",
            "MaximumRetryAttempts",
            "DestinationConfig.OnFailure.Destination",
        ),
        recorded={"MaximumEventAgeInSeconds": "retries come within seconds"},
    ),
}
