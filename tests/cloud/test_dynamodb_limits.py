"""The embedded cloud's DynamoDB refuses what AWS refuses."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from tests.cloud.test_corrections import services
from tests.simulation.dynamodb_limits import FIT, LIMITS, NOTES, ROWS, definition, put, text

MOTO_IS_STRICTER = {"an item of 400 KB", "4 MB in a transaction"}
"""moto takes 405,000 bytes for 400 KB."""


def test_moto_itself_takes_more_than_4_mb_in_a_transaction() -> None:
    with services(correct=False) as aws:
        client = aws("dynamodb")
        client.create_table(**definition(NOTES))
        client.transact_write_items(TransactItems=[put(f"{n:02}", x=text(390_000)) for n in range(11)])


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with services(correct=True) as aws:
        client = aws("dynamodb")
        for table in (NOTES, ROWS):
            client.create_table(**definition(table))
        yield client


def _method(client: Any, operation: str) -> Any:
    names = {api: name for name, api in client.meta.method_to_api_mapping.items()}
    return getattr(client, names[operation])


@pytest.mark.parametrize("what", LIMITS)
def test_what_dynamodb_refuses(dynamodb: Any, what: str) -> None:
    operation, request, message = LIMITS[what]
    with pytest.raises((ClientError, ParamValidationError)) as caught:
        _method(dynamodb, operation)(**request)
    if isinstance(caught.value, ClientError):  # otherwise boto3 itself does not send it
        assert caught.value.response["Error"]["Code"] == "ValidationException"
        assert message in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize("what", sorted(FIT.keys() - MOTO_IS_STRICTER))
def test_what_just_fits(dynamodb: Any, what: str) -> None:
    operation, request = FIT[what]
    _method(dynamodb, operation)(**request)


def test_what_is_not_known_here_is_left_to_moto(dynamodb: Any) -> None:
    item = {"pk": {"S": "nested"}, "m": {"M": {"a": {"B": b"bytes"}}}}
    dynamodb.put_item(TableName="notes", Item=item)
    found = dynamodb.get_item(TableName="notes", Key={"pk": {"S": "nested"}}, ProjectionExpression="m.a")
    assert found["Item"] == {"m": item["m"]}
