"""What DynamoDB refuses, and what just fits: for the simulated one, the embedded one, and DynamoDB Local."""

from typing import Any

from exnotify.cloud.dynamodb.schema import Index, Table

NOTES = Table("notes", "pk", indexes=(Index("due", "slot", "at"), Index("owner", "owner")), ttl="expires")
ROWS = Table("rows", "pk", "sk")
KB = 1024

Request = dict[str, Any]


def text(size: int) -> Request:
    return {"S": "x" * size}


def put(key: str, **values: Request) -> Request:
    return {"Put": {"TableName": "notes", "Item": {"pk": {"S": key}, **values}}}


def definition(table: Table) -> Request:
    """The CreateTable request for a table."""

    def schema(keys: tuple[str, ...]) -> list[dict[str, str]]:
        return [{"AttributeName": n, "KeyType": k} for n, k in zip(keys, ("HASH", "RANGE"), strict=False)]

    names = sorted({*table.keys, *(name for index in table.indexes for name in index.keys)})
    indexes = [
        {
            "IndexName": index.name,
            "KeySchema": schema(index.keys),
            "Projection": {"ProjectionType": "ALL" if index.whole else "KEYS_ONLY"},
        }
        for index in table.indexes
    ]
    return {
        "TableName": table.name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in names],
        "KeySchema": schema(table.keys),
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    }


KEY = {"pk": {"S": "a"}}
NOTE = {"TableName": "notes"}
LIMITS: dict[str, tuple[str, Request, str]] = {
    "an item of more than 400 KB": (
        "PutItem",
        {**NOTE, "Item": {**KEY, "x": text(400 * KB - 3)}},
        "Item size has exceeded the maximum allowed size",
    ),
    "an item that grows beyond 400 KB": (
        "UpdateItem",
        {
            **NOTE, "Key": KEY, "UpdateExpression": "SET x = :x",
            "ExpressionAttributeValues": {":x": text(400 * KB - 3)},
        },
        "Item size to update has exceeded the maximum allowed size",
    ),
    "101 items in a transaction": (
        "TransactWriteItems",
        {"TransactItems": [put(str(n)) for n in range(101)]},
        "Member must have length less than or equal to 100",
    ),
    "no item in a transaction": (
        "TransactWriteItems",
        {"TransactItems": []},
        "Member must have length greater than or equal to 1",
    ),
    "more than 4 MB in a transaction": (
        "TransactWriteItems",
        {"TransactItems": [put(f"{n:02}", x=text(390 * KB)) for n in range(11)]},
        "Transaction payload size cannot exceed 4MB",
    ),
    "an item twice in a transaction": (
        "TransactWriteItems",
        {"TransactItems": [put("a"), {"Delete": {**NOTE, "Key": KEY}}]},
        "Transaction request cannot include multiple operations on one item",
    ),
    "101 keys in a batch": (
        "BatchGetItem",
        {"RequestItems": {"notes": {"Keys": [{"pk": {"S": str(n)}} for n in range(101)]}}},
        "Too many items requested for the BatchGetItem call",
    ),
    "a key twice in a batch": (
        "BatchGetItem",
        {"RequestItems": {"notes": {"Keys": [KEY, KEY]}}},
        "Provided list of item keys contains duplicates",
    ),
    "no key in a batch": (
        "BatchGetItem",
        {"RequestItems": {"notes": {"Keys": []}}},
        "The list of keys in RequestItems for BatchGetItem is required",
    ),
    "26 writes in a batch": (
        "BatchWriteItem",
        {"RequestItems": {"notes": [{"PutRequest": {"Item": {"pk": {"S": str(n)}}}} for n in range(26)]}},
        "Too many items requested for the BatchWriteItem call",
    ),
    "an item twice in a batch": (
        "BatchWriteItem",
        {"RequestItems": {"notes": [{"PutRequest": {"Item": KEY}}, {"DeleteRequest": {"Key": KEY}}]}},
        "Provided list of item keys contains duplicates",
    ),
    "an empty key": ("GetItem", {**NOTE, "Key": {"pk": {"S": ""}}}, "cannot contain an empty string value"),
    "a key of another type": (
        "GetItem",
        {**NOTE, "Key": {"pk": {"N": "1"}}},
        "The provided key element does not match the schema",
    ),
    "a key without its range": (
        "GetItem",
        {"TableName": "rows", "Key": KEY},
        "The provided key element does not match the schema",
    ),
    "an item without its key": ("PutItem", {**NOTE, "Item": {"x": text(1)}}, "Missing the key pk in the item"),
    "a hash key of more than 2,048 bytes": (
        "UpdateItem",
        {**NOTE, "Key": {"pk": {"S": "é" * 1025}}},
        "maximum size limit of2048 bytes",
    ),
    "a range key of more than 1,024 bytes": (
        "GetItem",
        {"TableName": "rows", "Key": {**KEY, "sk": text(1025)}},
        "size limit of 1024 bytes",
    ),
    "an index key of another type": (
        "PutItem",
        {**NOTE, "Item": {**KEY, "owner": {"N": "1"}}},
        "Type mismatch for Index Key owner Expected: S Actual: N IndexName: owner",
    ),
    "an index key that is empty": (
        "UpdateItem",
        {**NOTE, "Key": KEY, "UpdateExpression": "SET slot = :s", "ExpressionAttributeValues": {":s": text(0)}},
        "attempted to update a secondary index key to a value that is not supported",
    ),
    "an index key of more than 1,024 bytes": (
        "PutItem",
        {**NOTE, "Item": {**KEY, "slot": text(1), "at": text(1025)}},
        "size limit of 1024 bytes",
    ),
    "a consistent read of an index": (
        "Query",
        {
            **NOTE, "IndexName": "due", "KeyConditionExpression": "slot = :s", "ConsistentRead": True,
            "ExpressionAttributeValues": {":s": text(1)},
        },
        "Consistent reads are not supported on global secondary indexes",
    ),
    "an expression of more than 4 KB": (
        "DeleteItem",
        {
            **NOTE, "Key": KEY, "ConditionExpression": f"{'x' * 4096} = :x",
            "ExpressionAttributeValues": {":x": text(1)},
        },
        "Expression size has exceeded the maximum allowed size",
    ),
    "more than 300 operators": (
        "DeleteItem",
        {
            **NOTE, "Key": KEY, "ConditionExpression": " OR ".join(["x=:x"] * 200),
            "ExpressionAttributeValues": {":x": text(1)},
        },
        "The expression contains too many operators",
    ),
    "a name that no expression uses": (
        "DeleteItem",
        {
            **NOTE, "Key": KEY, "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeNames": {"#x": "x"},
        },
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}",
    ),
    "a value that no expression uses": (
        "DeleteItem",
        {
            **NOTE, "Key": KEY, "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":x": text(1)},
        },
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}",
    ),
    "values without an expression": (
        "PutItem",
        {**NOTE, "Item": KEY, "ExpressionAttributeValues": {":x": text(1)}},
        "ExpressionAttributeValues can only be specified when using expressions",
    ),
    "a value that is not given": (
        "DeleteItem",
        {**NOTE, "Key": KEY, "ConditionExpression": "x = :x"},
        "An expression attribute value used in expression is not defined; attribute value: :x",
    ),
    "a reserved word": (
        "UpdateItem",
        {
            **NOTE, "Key": KEY, "UpdateExpression": "SET Status = :x",
            "ExpressionAttributeValues": {":x": text(1)},
        },
        "Attribute name is a reserved keyword; reserved keyword: Status",
    ),
    "a change of the key": (
        "UpdateItem",
        {**NOTE, "Key": KEY, "UpdateExpression": "REMOVE pk"},
        "Cannot update attribute pk. This attribute is part of the key",
    ),
    "an attribute changed twice": (
        "UpdateItem",
        {**NOTE, "Key": KEY, "UpdateExpression": "REMOVE x SET x = y"},
        "Two document paths overlap with each other",
    ),
    "a number of 39 digits": (
        "PutItem",
        {**NOTE, "Item": {**KEY, "n": {"N": "1" * 39}}},
        "more than 38 significant digits",
    ),
    "a number that is too large": (
        "PutItem",
        {**NOTE, "Item": {**KEY, "n": {"N": "1E126"}}},
        "Number overflow",
    ),
    "a number that is too small": (
        "PutItem",
        {**NOTE, "Item": {**KEY, "n": {"N": "1E-131"}}},
        "Number underflow",
    ),
    "what is no number": (
        "PutItem",
        {**NOTE, "Item": {**KEY, "n": {"N": "1,5"}}},
        "cannot be converted to a numeric value",
    ),
    "an empty set": (
        "PutItem",
        {**NOTE, "Item": {**KEY, "s": {"SS": []}}},
        "An string set  may not be empty",
    ),
    "a set with duplicates": (
        "PutItem",
        {**NOTE, "Item": {**KEY, "s": {"SS": ["a", "a"]}}},
        "contains duplicates",
    ),
    "a limit of nothing": (
        "Query",
        {
            "TableName": "rows", "KeyConditionExpression": "pk = :p", "Limit": 0,
            "ExpressionAttributeValues": {":p": text(1)},
        },
        "Member must have value greater than or equal to 1",
    ),
}  # fmt: skip
"""By what is wrong: operation, request, and words of the ValidationException."""


FIT: dict[str, tuple[str, Request]] = {
    "an item of 400 KB": ("PutItem", {**NOTE, "Item": {**KEY, "x": text(400 * KB - 4)}}),
    "100 items in a transaction": (
        "TransactWriteItems",
        {"TransactItems": [put(str(n)) for n in range(100)]},
    ),
    "4 MB in a transaction": (
        "TransactWriteItems",
        {"TransactItems": [put(f"{n:02}", x=text(399 * KB)) for n in range(10)]},
    ),
    "a hash key of 2,048 bytes": ("GetItem", {**NOTE, "Key": {"pk": {"S": "é" * 1024}}}),
    "a number of 38 digits": ("PutItem", {**NOTE, "Item": {**KEY, "n": {"N": "9" * 38}}}),
    "a text that is empty": ("PutItem", {**NOTE, "Item": {**KEY, "x": text(0)}}),
}
