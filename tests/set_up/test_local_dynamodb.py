"""DynamoDB Local runs, and refuses what the service refuses."""

import boto3
import pytest
from botocore.exceptions import ClientError


@pytest.mark.dynamodb_local
def test_a_condition_on_an_item_that_is_there_fails_as_on_aws(dynamodb_local_url: str) -> None:
    client = boto3.client(
        "dynamodb",
        endpoint_url=dynamodb_local_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    key = {"AttributeName": "pk", "AttributeType": "S"}
    client.create_table(
        TableName="claims",
        AttributeDefinitions=[key],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def claim() -> None:
        client.put_item(
            TableName="claims", Item={"pk": {"S": "n1"}}, ConditionExpression="attribute_not_exists(pk)"
        )

    claim()
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        claim()
    client.delete_table(TableName="claims")
