"""What the project's template deploys, as plain data: the simulated services are made of it.

The embedded cloud's own deployer creates each resource. In place of moto it gets clients that note what they
are asked to create, so a property that the embedded cloud does not know fails here too. Policies are not
evaluated: the functions' rights are tried elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from exnotify.cloud.actions import Place
from exnotify.cloud.asynchronous import InvokeConfig
from exnotify.cloud.deploy import deploy
from exnotify.cloud.functions import FunctionSpec
from exnotify.cloud.httpapi import ApiSpec
from exnotify.cloud.machines import MachineSpec
from exnotify.cloud.poller import Mapping as EventSourceMapping
from exnotify.cloud.stack import ScheduleSpec, Stack
from exnotify.cloud.template import NESTED_STACK, load_template
from exnotify.local import OWN_PARAMETERS, TEMPLATE

ACCOUNT = "123456789012"
REGION = "us-east-1"
API_URL = "https://documents.example.com"
OPENTEXT_URL = "https://opentext.example.com"
WEB_HOOK_URL = "https://chat.example.com/hook"
STACK = "exnotify"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue. `attributes` as CreateQueue takes them."""

    name: str
    url: str
    arn: str
    attributes: Mapping[str, str]


@dataclass(slots=True)
class Bucket:
    """An S3 bucket. `lock` and `lifecycle` as its configurations hold them; `tells_events` to EventBridge."""

    name: str
    versioned: bool = False
    lock: Json | None = None
    lifecycle: list[Json] = field(default_factory=list)
    tells_events: bool = False


@dataclass(slots=True)
class Rule:
    """An EventBridge rule on events. `targets` as PutTargets takes them."""

    name: str
    arn: str
    pattern: Json
    enabled: bool
    targets: list[Json] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A queue that gets a topic's messages; `raw` without SNS's envelope."""

    topic_arn: str
    queue_arn: str
    raw: bool


@dataclass
class Deployment:
    """One stack. `tables`: properties of each AWS::DynamoDB::Table by name."""

    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    functions: Mapping[str, FunctionSpec]
    mappings: list[EventSourceMapping]
    schedules: list[ScheduleSpec]
    failures: Mapping[str, InvokeConfig]
    machines: list[MachineSpec]
    api: ApiSpec
    tables: dict[str, Json]
    queues: dict[str, Queue]
    buckets: dict[str, Bucket]
    rules: dict[str, Rule]
    topics: dict[str, Json]
    subscriptions: list[Subscription]
    secrets: dict[str, str]
    """Text by ARN."""

    may_invoke: Callable[[str, str, str], bool]
    """Whether a service may invoke a function on behalf of an ARN."""

    resources: list[tuple[str, str, str]]
    """Logical id, physical id and type of each, without nested stacks."""


def deployed(parameters: Mapping[str, str] | None = None) -> Deployment:
    """The project's stack with the parameters of `exnotify up`, and these over them; nobody changes it.

    Raises TemplateError.
    """
    own = {**OWN_PARAMETERS, "OpenTextUrl": OPENTEXT_URL, "LinkHost": API_URL}
    return _deployed(tuple(sorted({**own, **(parameters or {})}.items())))


@cache
def _deployed(parameters: tuple[tuple[str, str], ...]) -> Deployment:
    """It takes half a second: once for each set of parameters."""
    given = dict(parameters)
    template = load_template(TEMPLATE, given, REGION)
    noted = _Noted()
    place = Place(ACCOUNT, REGION)
    stack = Stack(STACK, place, noted.client, _Unchecked(), template.code)  # type: ignore[arg-type]
    stack.api.url = API_URL
    deploy(template, stack)
    return Deployment(
        outputs=dict(stack.outputs),
        parameters={name: value for name, value in stack.parameters.items() if value != "****"},
        functions=stack.functions,
        mappings=stack.mappings,
        schedules=stack.schedules,
        failures=stack.invoke_configs,
        machines=list(stack.machines.values()),
        api=stack.api,
        tables=noted.tables,
        queues=noted.queues,
        buckets=noted.buckets,
        rules=noted.rules,
        topics=noted.topics,
        subscriptions=noted.subscriptions,
        secrets=noted.secrets,
        may_invoke=stack.may_invoke,
        resources=[
            (one.logical_id, one.ref, one.type)
            for one in stack.resources.values()
            if one.type != NESTED_STACK
        ],
    )


class _Unchecked:
    """In place of the policies: everything is allowed."""

    def role_allowed(self, role: str, action: str, resource: str) -> bool:
        return True


class _Noted:
    """What the deployer's clients were asked to create."""

    def __init__(self) -> None:
        self.tables: dict[str, Json] = {}
        self.queues: dict[str, Queue] = {}
        self.buckets: dict[str, Bucket] = {}
        self.rules: dict[str, Rule] = {}
        self.topics: dict[str, Json] = {}
        self.subscriptions: list[Subscription] = []
        self.secrets: dict[str, str] = {}
        self._roles: dict[str, Any] = {}
        self._place = Place(ACCOUNT, REGION)

    def client(self, service: str) -> Any:
        """A client whose operations are this object's methods: `sqs_create_queue`."""
        return _Client(service, self)

    # ---- one method an operation ----

    def dynamodb_create_table(self, **asked: Any) -> Json:
        self.tables[asked["TableName"]] = asked
        return {}

    def dynamodb_update_time_to_live(self, **asked: Any) -> Json:
        self.tables[asked["TableName"]]["TimeToLiveSpecification"] = asked["TimeToLiveSpecification"]
        return {}

    def dynamodb_update_continuous_backups(self, **asked: Any) -> Json:
        return {}

    def sqs_create_queue(self, **asked: Any) -> Json:
        name = asked["QueueName"]
        url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
        self.queues[name] = Queue(name, url, self._place.arn("sqs", name), asked["Attributes"])
        return {"QueueUrl": url}

    def sqs_set_queue_attributes(self, **asked: Any) -> Json:
        return {}

    def sqs_get_queue_url(self, **asked: Any) -> Json:
        return {"QueueUrl": self.queues[asked["QueueName"]].url}

    def sqs_get_queue_attributes(self, **asked: Any) -> Json:
        queue = self.queues[asked["QueueUrl"].rpartition("/")[2]]
        return {"Attributes": {"VisibilityTimeout": "30", **queue.attributes}}

    def sns_create_topic(self, **asked: Any) -> Json:
        arn = self._place.arn("sns", asked["Name"])
        self.topics[arn] = asked
        return {"TopicArn": arn}

    def sns_set_topic_attributes(self, **asked: Any) -> Json:
        return {}

    def sns_subscribe(self, **asked: Any) -> Json:
        raw = asked["Attributes"].get("RawMessageDelivery") == "true"
        self.subscriptions.append(Subscription(asked["TopicArn"], asked["Endpoint"], raw))
        return {"SubscriptionArn": f"{asked['TopicArn']}:{len(self.subscriptions)}"}

    def s3_create_bucket(self, **asked: Any) -> Json:
        self.buckets[asked["Bucket"]] = Bucket(asked["Bucket"])
        return {}

    def s3_put_bucket_versioning(self, **asked: Any) -> Json:
        self.buckets[asked["Bucket"]].versioned = asked["VersioningConfiguration"]["Status"] == "Enabled"
        return {}

    def s3_put_object_lock_configuration(self, **asked: Any) -> Json:
        self.buckets[asked["Bucket"]].lock = asked["ObjectLockConfiguration"]
        return {}

    def s3_put_public_access_block(self, **asked: Any) -> Json:
        return {}

    def s3_put_bucket_policy(self, **asked: Any) -> Json:
        return {}

    def s3_put_bucket_notification_configuration(self, **asked: Any) -> Json:
        self.buckets[asked["Bucket"]].tells_events = True
        return {}

    def s3_put_bucket_lifecycle_configuration(self, **asked: Any) -> Json:
        self.buckets[asked["Bucket"]].lifecycle = asked["LifecycleConfiguration"]["Rules"]
        return {}

    def events_put_rule(self, **asked: Any) -> Json:
        arn = self._place.arn("events", f"rule/{asked['Name']}")
        if "EventPattern" in asked:
            pattern = json.loads(asked["EventPattern"])
            self.rules[asked["Name"]] = Rule(asked["Name"], arn, pattern, asked["State"] == "ENABLED")
        return {"RuleArn": arn}

    def events_put_targets(self, **asked: Any) -> Json:
        if asked["Rule"] in self.rules:
            self.rules[asked["Rule"]].targets = asked["Targets"]
        return {"FailedEntryCount": 0}

    def secretsmanager_get_random_password(self, **asked: Any) -> Json:
        number = len(self.secrets)
        return {"RandomPassword": f"simulated secret {number} ".ljust(asked.get("PasswordLength", 32), ".")}

    def secretsmanager_create_secret(self, **asked: Any) -> Json:
        arn = self._place.arn("secretsmanager", f"secret:{asked['Name']}-Sim001")
        self.secrets[arn] = asked["SecretString"]
        return {"ARN": arn}

    def iam_create_role(self, **asked: Any) -> Json:
        name = asked["RoleName"]
        document = json.loads(asked["AssumeRolePolicyDocument"])
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        self._roles[name] = {"Arn": arn, "RoleId": name, "AssumeRolePolicyDocument": document}
        return {"Role": self._roles[name]}

    def iam_get_role(self, **asked: Any) -> Json:
        return {"Role": self._roles[asked["RoleName"]]}

    def iam_put_role_policy(self, **asked: Any) -> Json:
        return {}

    def iam_attach_role_policy(self, **asked: Any) -> Json:
        return {}

    def kms_create_key(self, **asked: Any) -> Json:
        return {"KeyMetadata": {"KeyId": "simulated", "Arn": self._place.arn("kms", "key/simulated")}}

    def kms_enable_key_rotation(self, **asked: Any) -> Json:
        return {}

    def logs_create_log_group(self, **asked: Any) -> Json:
        return {}

    def logs_put_retention_policy(self, **asked: Any) -> Json:
        return {}


class _Client:
    def __init__(self, service: str, noted: _Noted) -> None:
        self._service = service
        self._noted = noted

    def __getattr__(self, name: str) -> Callable[..., Json]:
        method: Callable[..., Json] = getattr(self._noted, f"{self._service}_{name}")
        return method
