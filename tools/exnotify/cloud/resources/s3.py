"""S3 buckets and their policies."""

import json

from ..permissions import parse
from ..stack import Created, Properties, ResourceType, Stack
from ..template import TemplateError


def _bucket(stack: Stack, logical_id: str, properties: Properties) -> Created:
    s3 = stack.client("s3")
    name = stack.physical_name(logical_id, properties.get("BucketName")).lower()
    lock = properties.get("ObjectLockConfiguration")
    if lock and not properties.get("ObjectLockEnabled"):
        raise TemplateError("ObjectLockConfiguration needs ObjectLockEnabled")
    location = (
        {} if stack.place.region == "us-east-1"
        else {"CreateBucketConfiguration": {"LocationConstraint": stack.place.region}}
    )  # fmt: skip
    s3.create_bucket(
        Bucket=name, ObjectLockEnabledForBucket=bool(properties.get("ObjectLockEnabled")), **location
    )
    if "VersioningConfiguration" in properties:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
    if lock:
        s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=_lock(lock))
    if "PublicAccessBlockConfiguration" in properties:
        s3.put_public_access_block(
            Bucket=name, PublicAccessBlockConfiguration=properties["PublicAccessBlockConfiguration"]
        )
    bridge = properties.get("NotificationConfiguration", {}).get("EventBridgeConfiguration")
    if bridge is not None and bridge.get("EventBridgeEnabled", True):
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    if rules := properties.get("LifecycleConfiguration", {}).get("Rules"):
        s3.put_bucket_lifecycle_configuration(
            Bucket=name, LifecycleConfiguration={"Rules": [_lifecycle_rule(rule) for rule in rules]}
        )
    domain = f"{name}.s3.amazonaws.com"
    return Created(name, {"Arn": f"arn:aws:s3:::{name}", "DomainName": domain})


def _lock(properties: Properties) -> Properties:
    """An Object Lock configuration with its period as a number: a parameter is text until then."""
    retention = properties.get("Rule", {}).get("DefaultRetention")
    if not retention:
        return properties
    numbers = {name: int(value) for name, value in retention.items() if name != "Mode"}
    return {**properties, "Rule": {"DefaultRetention": {"Mode": retention["Mode"], **numbers}}}


_SAME = ("Status", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")


def _lifecycle_rule(rule: Properties) -> Properties:
    """A rule in S3's own spelling. Objects do not age here, but whoever asks is told what would happen."""
    days = {"Expiration": {"Days": int(rule["ExpirationInDays"])}} if "ExpirationInDays" in rule else {}
    same = {name: _numbers(rule[name]) for name in _SAME if name in rule}
    return {"ID": rule["Id"], "Filter": {"Prefix": rule.get("Prefix", "")}, **days, **same}


def _numbers(value: object) -> object:
    return {name: int(days) for name, days in value.items()} if isinstance(value, dict) else value


def _bucket_policy(stack: Stack, logical_id: str, properties: Properties) -> Created:
    parse(properties["PolicyDocument"])  # what cannot be evaluated is refused
    bucket = properties["Bucket"]
    stack.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(properties["PolicyDocument"]))
    return Created(bucket)


TYPES = {
    "AWS::S3::Bucket": ResourceType(
        _bucket,
        effective=(
            "BucketName",
            "VersioningConfiguration.Status",
            "ObjectLockEnabled",
            "ObjectLockConfiguration",
            "LifecycleConfiguration",
            "PublicAccessBlockConfiguration",
            "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled",
        ),
        recorded={
            "BucketEncryption": "nothing is written to a disk",
            "OwnershipControls": "there is one account, and no ACL is evaluated",
            "Tags": "nothing reads them",
        },
    ),
    "AWS::S3::BucketPolicy": ResourceType(_bucket_policy, effective=("Bucket", "PolicyDocument")),
}
