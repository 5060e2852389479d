"""What the template says is what there is."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_the_stack_is_what_the_template_says(hands: Any) -> None:
    cloud = hands.cloud
    table = cloud.client("dynamodb").describe_table(TableName=cloud.outputs["TableName"])["Table"]
    assert table["GlobalSecondaryIndexes"][0]["IndexName"] == "owner"
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    url = cloud.resource("Orders")
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "12"
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 3
    assert cloud.client("s3").get_bucket_versioning(Bucket=cloud.outputs["BucketName"])["Status"] == "Enabled"
    locked = cloud.client("s3").get_object_lock_configuration(Bucket=cloud.resource("LockedBucket"))
    retention = locked["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert (retention["Mode"], retention["Days"]) == ("COMPLIANCE", 1)
    assert "Wild" not in cloud.outputs  # its condition does not hold


def test_locked_evidence_cannot_be_deleted(hands: Any) -> None:
    s3, bucket = hands.cloud.client("s3"), hands.cloud.resource("LockedBucket")
    version = s3.put_object(Bucket=bucket, Key="proof", Body=b"x")["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key="proof", VersionId=version)
