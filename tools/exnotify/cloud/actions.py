"""Which IAM actions on which resources a request needs.

One function a service, after the "Service Authorization Reference". Requests of a service without a
function here need `service:Operation` on `*`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .aws_request import AwsRequest, listed, split_s3_path


@dataclass(frozen=True, slots=True)
class Need:
    """One permission that a request takes."""

    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where ARNs point to."""

    account: str
    region: str
    #: Full ARNs of secrets by name: a secret's ARN ends in a random suffix that its name does not tell.
    secret_arn: Callable[[str], str] = lambda name: name
    #: ARN of the key that encrypts a topic; empty where none of the account's own does.
    topic_key: Callable[[str], str] = lambda arn: ""
    partition: str = "aws"

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


class UnknownActionError(LookupError):
    """The request is of a kind whose permission is not known here."""


def needs(request: AwsRequest, place: Place) -> list[Need]:
    """Every permission the request takes. Raises UnknownActionError for S3 requests that are not known."""
    rule = _RULES.get(request.service)
    if rule is None:
        return [Need(f"{request.service}:{request.operation or request.method}")]
    return list(rule(request, place))


# ---- SQS: batches need the action of the single call ----


def _sqs(request: AwsRequest, place: Place) -> Iterator[Need]:
    url = str(request.parameters.get("QueueUrl") or request.parameters.get("QueueName") or "")
    name = url.rstrip("/").rpartition("/")[2]
    resource = place.arn("sqs", name) if name else "*"
    yield Need(f"sqs:{request.operation.removesuffix('Batch')}", resource)


# ---- DynamoDB: transactions need the action of each part, indexes have ARNs of their own ----

_TRANSACT_PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def _dynamodb(request: AwsRequest, place: Place) -> Iterator[Need]:
    operation, parameters = request.operation, request.parameters
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in listed(parameters, "TransactItems"):
            for part, detail in item.items():
                yield Need(
                    f"dynamodb:{_TRANSACT_PARTS.get(part, part)}", _table(place, detail.get("TableName", "*"))
                )
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table in parameters.get("RequestItems", {}):
            yield Need(f"dynamodb:{operation}", _table(place, table))
    elif "TableName" in parameters:
        resource = _table(place, parameters["TableName"])
        if parameters.get("IndexName"):
            resource += f"/index/{parameters['IndexName']}"
        yield Need(f"dynamodb:{operation}", resource)
    else:
        yield Need(f"dynamodb:{operation}", "*")


def _table(place: Place, name: str) -> str:
    return name if name.startswith("arn:") else place.arn("dynamodb", f"table/{name}")


# ---- S3 ----

# By level, method and sub-resource (the first query parameter of these that is present).
_BUCKET_ACTIONS: dict[tuple[str, str], str] = {
    ("HEAD", ""): "ListBucket",
    ("GET", ""): "ListBucket",
    ("GET", "versions"): "ListBucketVersions",
    ("GET", "uploads"): "ListBucketMultipartUploads",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "policy"): "GetBucketPolicy",
    ("GET", "versioning"): "GetBucketVersioning",
    ("GET", "notification"): "GetBucketNotification",
    ("GET", "object-lock"): "GetBucketObjectLockConfiguration",
    ("PUT", ""): "CreateBucket",
    ("DELETE", ""): "DeleteBucket",
    ("POST", "delete"): "DeleteObject",
}
_KEY_ACTIONS: dict[tuple[str, str], str] = {
    ("GET", ""): "GetObject",
    ("HEAD", ""): "GetObject",
    ("GET", "versionId"): "GetObjectVersion",
    ("HEAD", "versionId"): "GetObjectVersion",
    ("GET", "acl"): "GetObjectAcl",
    ("GET", "tagging"): "GetObjectTagging",
    ("GET", "retention"): "GetObjectRetention",
    ("GET", "legal-hold"): "GetObjectLegalHold",
    ("GET", "attributes"): "GetObjectAttributes",
    ("GET", "uploadId"): "ListMultipartUploadParts",
    ("PUT", ""): "PutObject",
    ("PUT", "uploadId"): "PutObject",
    ("PUT", "acl"): "PutObjectAcl",
    ("PUT", "tagging"): "PutObjectTagging",
    ("PUT", "retention"): "PutObjectRetention",
    ("PUT", "legal-hold"): "PutObjectLegalHold",
    ("POST", "uploads"): "PutObject",
    ("POST", "uploadId"): "PutObject",
    ("POST", "restore"): "RestoreObject",
    ("DELETE", ""): "DeleteObject",
    ("DELETE", "versionId"): "DeleteObjectVersion",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("DELETE", "tagging"): "DeleteObjectTagging",
}
#: Request headers that take a permission of their own beside PutObject or DeleteObject.
_KEY_HEADERS = {
    "x-amz-tagging": "PutObjectTagging",
    "x-amz-acl": "PutObjectAcl",
    "x-amz-object-lock-mode": "PutObjectRetention",
    "x-amz-object-lock-legal-hold": "PutObjectLegalHold",
    "x-amz-bypass-governance-retention": "BypassGovernanceRetention",
}
# Query parameters that only refine the operation.
_REFINING = {
    "x-id", "list-type", "prefix", "delimiter", "max-keys", "marker", "continuation-token", "start-after",
    "encoding-type", "fetch-owner", "partNumber", "key-marker", "version-id-marker", "max-uploads",
    "upload-id-marker", "max-parts", "part-number-marker",
}  # fmt: skip
_DELETED_KEY = re.compile(rb"<Key>(.*?)</Key>", re.DOTALL)


def bucket_arn(name: str) -> str:
    """The ARN of a bucket."""
    return f"arn:aws:s3:::{name}"


def _s3(request: AwsRequest, place: Place) -> Iterator[Need]:
    bucket, key = split_s3_path(request.path)
    if not bucket:
        yield Need("s3:ListAllMyBuckets")
        return
    resource = bucket_arn(bucket) + (f"/{key}" if key else "")
    subresource = next((name for name in request.query if _is_subresource(name)), "")
    action = (_KEY_ACTIONS if key else _BUCKET_ACTIONS).get((request.method, subresource))
    if action is None:
        raise UnknownActionError(
            f"S3 {request.method} with ?{subresource} on {'an object' if key else 'a bucket'}"
        )
    if action == "DeleteObject" and not key:
        for deleted in _DELETED_KEY.findall(request.body):
            yield Need("s3:DeleteObject", f"{resource}/{deleted.decode()}")
        return
    context = {"s3:prefix": request.query.get("prefix", "")} if action.startswith("List") else {}
    yield Need(f"s3:{action}", resource, context)
    if key and action in ("PutObject", "DeleteObject", "DeleteObjectVersion"):
        for header, extra in _KEY_HEADERS.items():
            if header in request.headers:
                yield Need(f"s3:{extra}", resource)
    if "x-amz-copy-source" in request.headers:
        source, _, version = request.headers["x-amz-copy-source"].partition("?versionId=")
        source_bucket, source_key = split_s3_path(source)
        read = "s3:GetObjectVersion" if version else "s3:GetObject"
        yield Need(read, f"{bucket_arn(source_bucket)}/{source_key}")


def _is_subresource(name: str) -> bool:
    return name not in _REFINING and not name.lower().startswith(("x-amz-", "response-"))


# ---- The others ----


def _secretsmanager(request: AwsRequest, place: Place) -> Iterator[Need]:
    secret = str(request.parameters.get("SecretId", ""))
    resource = "*" if not secret else secret if secret.startswith("arn:") else place.secret_arn(secret)
    yield Need(f"secretsmanager:{request.operation}", resource)


def _events(request: AwsRequest, place: Place) -> Iterator[Need]:
    if request.operation != "PutEvents":
        name = request.parameters.get("Name") or request.parameters.get("Rule")
        yield Need(f"events:{request.operation}", place.arn("events", f"rule/{name}") if name else "*")
        return
    for entry in listed(request.parameters, "Entries"):
        bus = entry.get("EventBusName") or "default"
        yield Need(
            "events:PutEvents",
            bus if bus.startswith("arn:") else place.arn("events", f"event-bus/{bus}"),
            {"events:source": entry.get("Source", ""), "events:detail-type": entry.get("DetailType", "")},
        )


def _by_parameter(
    service: str, parameter: str, resource: Callable[[Place, str], str]
) -> Callable[[AwsRequest, Place], Iterator[Need]]:
    """A service whose resource is told by one parameter."""

    def rule(request: AwsRequest, place: Place) -> Iterator[Need]:
        value: Any = request.parameters.get(parameter)
        target = "*" if not value else value if str(value).startswith("arn:") else resource(place, str(value))
        yield Need(f"{service}:{request.operation}", target)

    return rule


def _sns(request: AwsRequest, place: Place) -> Iterator[Need]:
    topic = str(request.parameters.get("TopicArn") or "*")
    yield Need(f"sns:{request.operation}", topic)
    key = place.topic_key(topic) if request.operation == "Publish" else ""
    if key:
        # Who publishes to an encrypted topic uses its key: "Key management", SNS developer guide.
        via = {"kms:ViaService": f"sns.{place.region}.amazonaws.com"}
        yield from (Need(f"kms:{action}", key, via) for action in ("GenerateDataKey", "Decrypt"))


_LAMBDA_FUNCTION = re.compile(r"^/[\d-]+/functions/(?P<name>[^/]+)/(?P<what>invocations|concurrency)$")
_LAMBDA_ACTIONS = {
    ("GET", "concurrency"): "lambda:GetFunctionConcurrency",
    ("POST", "invocations"): "lambda:InvokeFunction",
    ("PUT", "concurrency"): "lambda:PutFunctionConcurrency",
    ("DELETE", "concurrency"): "lambda:DeleteFunctionConcurrency",
}


_LAMBDA_READS = {
    ("GET", "account-settings"): "lambda:GetAccountSettings",
    ("GET", "event-source-mappings"): "lambda:ListEventSourceMappings",
}


def _lambda(request: AwsRequest, place: Place) -> Iterator[Need]:
    if action := _LAMBDA_READS.get((request.method, request.path.rstrip("/").rpartition("/")[2])):
        yield Need(action)
        return
    found = _LAMBDA_FUNCTION.match(request.path)
    action = _LAMBDA_ACTIONS.get((request.method, found["what"])) if found else None
    if found is None or action is None:
        raise UnknownActionError(f"Lambda {request.method} {request.path}")
    name = unquote(found["name"])
    yield Need(action, name if name.startswith("arn:") else place.arn("lambda", f"function:{name}"))


def _states(request: AwsRequest, place: Place) -> Iterator[Need]:
    arn = request.parameters.get("executionArn") or request.parameters.get("stateMachineArn") or "*"
    yield Need(f"states:{request.operation}", str(arn))


_RULES: dict[str, Callable[[AwsRequest, Place], Iterator[Need]]] = {
    "sqs": _sqs,
    "dynamodb": _dynamodb,
    "s3": _s3,
    "secretsmanager": _secretsmanager,
    "events": _events,
    "lambda": _lambda,
    "states": _states,
    "sns": _sns,
    "ssm": _by_parameter(
        "ssm", "Name", lambda place, name: place.arn("ssm", f"parameter/{name.lstrip('/')}")
    ),
    # Policies name a group's streams: `log-group:NAME:*`.
    "logs": _by_parameter(
        "logs", "logGroupName", lambda place, name: place.arn("logs", f"log-group:{name}:log-stream:")
    ),
    "kms": _by_parameter("kms", "KeyId", lambda place, name: place.arn("kms", f"key/{name}")),
    "sts": _by_parameter("sts", "RoleArn", lambda place, name: name),
}
