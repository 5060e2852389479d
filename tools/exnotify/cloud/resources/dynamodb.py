"""DynamoDB tables."""

from ..stack import Created, Properties, ResourceType, Stack
from ..template import TemplateError

_CREATE = (
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "DeletionProtectionEnabled",
)


def _table(stack: Stack, logical_id: str, properties: Properties) -> Created:
    dynamodb = stack.client("dynamodb")
    name = stack.physical_name(logical_id, properties.get("TableName"))
    _check_attributes(properties)
    wanted = {key: properties[key] for key in _CREATE if key in properties}
    if "DeletionProtectionEnabled" in wanted:
        # A parameter's value is a text, which CloudFormation takes for a truth value.
        wanted["DeletionProtectionEnabled"] = str(wanted["DeletionProtectionEnabled"]).lower() == "true"
    dynamodb.create_table(TableName=name, **wanted)
    if "TimeToLiveSpecification" in properties:
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"]
        )
    if "PointInTimeRecoverySpecification" in properties:
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification=properties["PointInTimeRecoverySpecification"]
        )
    return Created(name, {"Arn": stack.place.arn("dynamodb", f"table/{name}")})


def _check_attributes(properties: Properties) -> None:
    # AWS refuses a definition that no key uses; it would be easy to leave one behind.
    schemas = [
        properties["KeySchema"],
        *(
            index["KeySchema"]
            for kind in ("Global", "Local")
            for index in properties.get(f"{kind}SecondaryIndexes", [])
        ),
    ]
    used = {key["AttributeName"] for schema in schemas for key in schema}
    defined = {attribute["AttributeName"] for attribute in properties["AttributeDefinitions"]}
    if used != defined:
        raise TemplateError(f"AttributeDefinitions and keys differ: {', '.join(sorted(used ^ defined))}")


TYPES = {
    "AWS::DynamoDB::Table": ResourceType(
        _table,
        effective=("TableName", *_CREATE),
        recorded={
            "TimeToLiveSpecification": "expired items stay, as on AWS they may for days",
            "PointInTimeRecoverySpecification": "nothing restores a table here",
            "SSESpecification": "nothing is written to a disk",
            "TableClass": "a matter of price",
            "OnDemandThroughput": "nothing is throttled",
            "ContributorInsightsSpecification": "nothing watches here",
            "Tags": "nothing reads them",
        },
    ),
}
