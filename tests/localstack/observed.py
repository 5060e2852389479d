"""What the services say of a resource, in the words of its CloudFormation properties.

One function for each type that LocalStack deploys: it asks the service and returns the properties that it found.
What is not found is not in the answer, so that a property that got lost on the way differs from the template.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from tests.localstack.cloud import Cloud, Resource

Json = dict[str, Any]


def differences(cloud: Cloud, resource: Resource) -> Mapping[str, tuple[Any, Any]]:
    """Properties that the template gives a resource and its service does not have: expected, found."""
    found = OBSERVERS[resource.type](cloud, resource)
    return {
        name: (expected, found.get(name))
        for name, expected in resource.properties.items()
        if plain(expected) != plain(found.get(name))
    }


def plain(value: Any) -> Any:
    """A value without what CloudFormation and services write in several ways: types of scalars, order of lists."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if item not in (None, [], {})}
    if isinstance(value, (list, tuple)):
        return sorted((plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _queue(cloud: Cloud, resource: Resource) -> Json:
    return _parsed(_queue_attributes(cloud, resource.ref), "RedrivePolicy")


def _queue_policy(cloud: Cloud, resource: Resource) -> Json:
    queues = resource.properties["Queues"]
    policies = [_queue_attributes(cloud, url).get("Policy") for url in queues]
    return {"Queues": queues, "PolicyDocument": _same(policies)}


def _queue_attributes(cloud: Cloud, url: str) -> Json:
    asked = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return dict(asked["Attributes"])


def _topic(cloud: Cloud, resource: Resource) -> Json:
    return dict(cloud.client("sns").get_topic_attributes(TopicArn=resource.ref)["Attributes"])


def _topic_policy(cloud: Cloud, resource: Resource) -> Json:
    sns = cloud.client("sns")
    topics = resource.properties["Topics"]
    policies = [sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("Policy") for arn in topics]
    return {"Topics": topics, "PolicyDocument": _same(policies)}


def _subscription(cloud: Cloud, resource: Resource) -> Json:
    asked = cloud.client("sns").get_subscription_attributes(SubscriptionArn=resource.ref)
    return _parsed(asked["Attributes"], "RedrivePolicy")


def _table(cloud: Cloud, resource: Resource) -> Json:
    dynamodb = cloud.client("dynamodb")
    table = dynamodb.describe_table(TableName=resource.ref)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=resource.ref)["ContinuousBackupsDescription"]
    expiry = dynamodb.describe_time_to_live(TableName=resource.ref)["TimeToLiveDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    return {
        **table,
        "BillingMode": table.get("BillingModeSummary", {}).get("BillingMode"),
        "GlobalSecondaryIndexes": [
            {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
            for index in table.get("GlobalSecondaryIndexes", [])
        ],
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": recovery == "ENABLED"},
        "SSESpecification": {"SSEEnabled": table.get("SSEDescription", {}).get("Status") == "ENABLED"},
        "TimeToLiveSpecification": {
            "AttributeName": expiry.get("AttributeName"),
            "Enabled": expiry["TimeToLiveStatus"] == "ENABLED",
        },
    }


def _bucket(cloud: Cloud, resource: Resource) -> Json:
    s3 = cloud.client("s3")

    def asked(operation: str, name: str, default: Any) -> Any:
        """A part of the answer; a bucket without such a setting answers with an error."""
        try:
            return getattr(s3, operation)(Bucket=resource.ref).get(name, default)
        except ClientError:
            return default

    encryption = asked("get_bucket_encryption", "ServerSideEncryptionConfiguration", {"Rules": []})
    lock = asked("get_object_lock_configuration", "ObjectLockConfiguration", {})
    emits = asked("get_bucket_notification_configuration", "EventBridgeConfiguration", None) is not None
    return {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"]}
                for rule in encryption["Rules"]
            ]
        },
        "LifecycleConfiguration": {
            "Rules": [_lifecycle(rule) for rule in asked("get_bucket_lifecycle_configuration", "Rules", [])]
        },
        "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": emits}},
        "ObjectLockConfiguration": lock,
        "ObjectLockEnabled": lock.get("ObjectLockEnabled") == "Enabled",
        "OwnershipControls": asked("get_bucket_ownership_controls", "OwnershipControls", {}),
        "PublicAccessBlockConfiguration": asked(
            "get_public_access_block", "PublicAccessBlockConfiguration", {}
        ),
        "VersioningConfiguration": {"Status": asked("get_bucket_versioning", "Status", None)},
    }


def _lifecycle(rule: Json) -> Json:
    """A lifecycle rule as CloudFormation writes it."""
    known = ("Status", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")
    return {
        "Id": rule["ID"],
        **{name: rule[name] for name in known if name in rule},
        "ExpirationInDays": rule.get("Expiration", {}).get("Days"),
        "Prefix": rule.get("Prefix") or rule.get("Filter", {}).get("Prefix") or None,
    }


def _bucket_policy(cloud: Cloud, resource: Resource) -> Json:
    bucket = resource.properties["Bucket"]
    policy = cloud.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
    return {"Bucket": bucket, "PolicyDocument": json.loads(policy)}


def _rule(cloud: Cloud, resource: Resource) -> Json:
    events = cloud.client("events")
    rule = events.describe_rule(Name=resource.ref)
    targets = events.list_targets_by_rule(Rule=resource.ref)["Targets"]
    return {**_parsed(rule, "EventPattern"), "Targets": targets}


def _secret(cloud: Cloud, resource: Resource) -> Json:
    secrets = cloud.client("secretsmanager")
    described = secrets.describe_secret(SecretId=resource.ref)
    value = json.loads(secrets.get_secret_value(SecretId=resource.ref)["SecretString"])
    wanted = resource.properties["GenerateSecretString"]
    generated = value.pop(wanted["GenerateStringKey"], "")
    sound = len(generated) == int(wanted.get("PasswordLength", 32)) and (
        generated.isalnum() or not wanted.get("ExcludePunctuation")
    )
    right = sound and value == json.loads(wanted["SecretStringTemplate"])
    return {
        "Description": described.get("Description"),
        "GenerateSecretString": wanted
        if right
        else f"a value of {len(generated)} characters beside {sorted(value)}",
    }


def _role(cloud: Cloud, resource: Resource) -> Json:
    iam = cloud.client("iam")
    names = iam.list_role_policies(RoleName=resource.ref)["PolicyNames"]
    policies = [iam.get_role_policy(RoleName=resource.ref, PolicyName=name) for name in names]
    return {
        **iam.get_role(RoleName=resource.ref)["Role"],
        "Policies": [
            {name: policy[name] for name in ("PolicyName", "PolicyDocument")} for policy in policies
        ],
    }


def _key(cloud: Cloud, resource: Resource) -> Json:
    kms, key = cloud.client("kms"), {"KeyId": resource.ref}
    return {
        "Description": kms.describe_key(**key)["KeyMetadata"]["Description"],
        "EnableKeyRotation": kms.get_key_rotation_status(**key)["KeyRotationEnabled"],
        "KeyPolicy": json.loads(kms.get_key_policy(**key, PolicyName="default")["Policy"]),
    }


def _function(cloud: Cloud, resource: Resource) -> Json:
    asked = cloud.client("lambda").get_function(FunctionName=resource.ref)
    found = asked["Configuration"]
    return {
        **found,
        "Code": _code(cloud, resource.properties["Code"], found["CodeSha256"]),
        "LoggingConfig": {"LogGroup": found["LoggingConfig"].get("LogGroup")},
        "Layers": [layer["Arn"] for layer in found.get("Layers", [])],
        "Tags": [{"Key": key, "Value": value} for key, value in asked.get("Tags", {}).items()],
    }


def _layer(cloud: Cloud, resource: Resource) -> Json:
    found = cloud.client("lambda").get_layer_version_by_arn(Arn=resource.ref)
    return {
        **found,
        "Content": _code(cloud, resource.properties["Content"], found["Content"]["CodeSha256"]),
        "LayerName": found["LayerArn"].rpartition(":")[2],
    }


def _code(cloud: Cloud, uploaded: Json, digest: str) -> Json | str:
    """Where code was uploaded, if it is what runs."""
    body = cloud.client("s3").get_object(Bucket=uploaded["S3Bucket"], Key=uploaded["S3Key"])["Body"].read()
    same = base64.b64encode(hashlib.sha256(body).digest()).decode() == digest
    return uploaded if same else "other code than was uploaded"


def _event_source(cloud: Cloud, resource: Resource) -> Json:
    found = cloud.client("lambda").get_event_source_mapping(UUID=resource.ref)
    return {**found, "FunctionName": found["FunctionArn"].rpartition(":")[2]}


def _invoke_config(cloud: Cloud, resource: Resource) -> Json:
    name, qualifier = resource.properties["FunctionName"], resource.properties["Qualifier"]
    asked = cloud.client("lambda").get_function_event_invoke_config(FunctionName=name, Qualifier=qualifier)
    return {**asked, "FunctionName": name, "Qualifier": asked["FunctionArn"].rpartition(":")[2]}


def _permission(cloud: Cloud, resource: Resource) -> Json:
    name = resource.properties["FunctionName"]
    policy = json.loads(cloud.client("lambda").get_policy(FunctionName=name)["Policy"])
    (statement,) = [one for one in policy["Statement"] if one["Sid"] == resource.ref]
    return {
        "Action": statement["Action"],
        "FunctionName": statement["Resource"].rpartition(":")[2],
        "Principal": statement["Principal"].get("Service"),
        "SourceArn": statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn"),
    }


def _log_group(cloud: Cloud, resource: Resource) -> Json:
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix=resource.ref)["logGroups"]
    (group,) = [one for one in groups if one["logGroupName"] == resource.ref]
    return {"LogGroupName": group["logGroupName"], "RetentionInDays": group.get("retentionInDays")}


def _state_machine(cloud: Cloud, resource: Resource) -> Json:
    machine = cloud.client("stepfunctions").describe_state_machine(stateMachineArn=resource.ref)
    tags = cloud.client("stepfunctions").list_tags_for_resource(resourceArn=resource.ref)["tags"]
    place = resource.properties["DefinitionS3Location"]
    text = cloud.client("s3").get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read().decode()
    substitutions = resource.properties["DefinitionSubstitutions"]
    for name, value in substitutions.items():
        text = text.replace(f"${{{name}}}", value)
    right = json.loads(machine["definition"]) == json.loads(text)
    logs = machine.get("loggingConfiguration", {})
    return {
        "DefinitionS3Location": place if right else machine["definition"],
        "DefinitionSubstitutions": substitutions if right else None,
        "LoggingConfiguration": {
            "Level": logs.get("level"),
            "IncludeExecutionData": logs.get("includeExecutionData"),
            "Destinations": [
                {"CloudWatchLogsLogGroup": {"LogGroupArn": one["cloudWatchLogsLogGroup"]["logGroupArn"]}}
                for one in logs.get("destinations", [])
            ],
        },
        "RoleArn": machine["roleArn"],
        "StateMachineType": machine["type"],
        "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in tags],
        "TracingConfiguration": {"Enabled": machine.get("tracingConfiguration", {}).get("enabled")},
    }


def _alarm(cloud: Cloud, resource: Resource) -> Json:
    kinds = {"AWS::CloudWatch::Alarm": "MetricAlarm", "AWS::CloudWatch::CompositeAlarm": "CompositeAlarm"}
    kind = kinds[resource.type]
    asked = cloud.client("cloudwatch").describe_alarms(AlarmNames=[resource.ref], AlarmTypes=[kind])
    (alarm,) = asked[f"{kind}s"]
    return dict(alarm)


def _nested(cloud: Cloud, resource: Resource) -> Json:
    asked = cloud.client("cloudformation").describe_stacks(StackName=resource.ref)["Stacks"]
    (stack,) = [one for one in asked if one["StackStatus"] != "DELETE_COMPLETE"]
    given = {entry["ParameterKey"]: entry["ParameterValue"] for entry in stack.get("Parameters", [])}
    whole = stack["StackStatus"].endswith("_COMPLETE") and "ROLLBACK" not in stack["StackStatus"]
    wanted = resource.properties.get("Parameters", {})
    return {
        "TemplateURL": resource.properties["TemplateURL"] if whole else stack["StackStatus"],
        "Parameters": {name: given.get(name) for name in wanted},
        "Tags": [{"Key": tag["Key"], "Value": tag["Value"]} for tag in stack.get("Tags", [])],
    }


def _parsed(attributes: Mapping[str, Any], name: str) -> Json:
    """Attributes of which one is JSON in a string."""
    return {**attributes, **({name: json.loads(attributes[name])} if name in attributes else {})}


def _same(policies: list[str | None]) -> Any:
    """The one policy that all have, else what each has."""
    different = set(policies)
    (policy,) = different if len(different) == 1 else (None,)
    return json.loads(policy) if policy else policies


OBSERVERS: Mapping[str, Callable[[Cloud, Resource], Json]] = {
    "AWS::CloudFormation::Stack": _nested,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _alarm,
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Rule": _rule,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::EventInvokeConfig": _invoke_config,
    "AWS::Lambda::EventSourceMapping": _event_source,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::LayerVersion": _layer,
    "AWS::Lambda::Permission": _permission,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::StepFunctions::StateMachine": _state_machine,
}
