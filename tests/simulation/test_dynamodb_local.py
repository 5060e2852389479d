"""The simulated DynamoDB against DynamoDB Local: the same random requests, the same answers and contents."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from simulation.nature import Chance, Nature, Timeline
from simulation.service import Refused
from simulation.services.dynamodb import DynamoDB
from tests.simulation.dynamodb_limits import FIT, LIMITS, NOTES, ROWS, definition
from tests.simulation.dynamodb_requests import TABLES, Request, Requests

pytestmark = pytest.mark.dynamodb_local

REQUESTS = 250
Call = Callable[[str, dict[str, Any]], dict[str, Any]]

_AWS_SAYS = {
    "One of the required keys was not given a value": "One or more parameter values were invalid: Missing the key",
    "One or more parameter values were invalid: Type mismatch for key": "The provided key element does not match",
    "The number of conditions on the keys is invalid": "The provided key element does not match the schema",
    "A value provided cannot be converted into a number": "The parameter cannot be converted to a numeric value",
    "Input collection contains duplicates": "One or more parameter values were invalid: Input collection",
    "Member must have length less than or equal to 100": "1 validation error detected",
    "Value [] at 'transactItems' failed to satisfy": "1 validation error detected",
    "Limit must be greater than or equal to 1": "1 validation error detected",
    "Hash primary key values must be under 2048 bytes": "One or more parameter values were invalid: ",
    "One or more parameter values were invalid: Size limit exceeded": "One or more parameter values were invalid",
    "DynamoDB only supports precision up to 38 digits": "Attempting to store more than 38 significant digits",
}
"""How DynamoDB Local's words begin, and how DynamoDB's begin, where they differ."""

_LATER = (
    "An operand in the update expression has an incorrect data type",
    "The provided expression refers to an attribute that does not exist in the item",
    "Invalid attribute value type",
)
"""What DynamoDB Local says of a transaction instead of cancelling it for this reason."""


@pytest.fixture(scope="module")
def local(dynamodb_local_url: str) -> Iterator[Call]:
    """DynamoDB Local with the tables of the requests."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=dynamodb_local_url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )
    methods = {client.meta.method_to_api_mapping[name]: name for name in client.meta.method_to_api_mapping}
    tables = (*TABLES, NOTES, ROWS)
    for table in tables:
        client.create_table(**definition(table))
    yield lambda operation, request: getattr(client, methods[operation])(**request)
    for table in tables:
        client.delete_table(TableName=table.name)


@pytest.mark.parametrize("seed", range(8))
def test_random_requests_are_answered_as_dynamodb_local_answers_them(local: Call, seed: int) -> None:
    simulated = DynamoDB(Nature(Timeline(1_700_000_000.0), Chance("none")), TABLES).call
    _empty(local)
    for number, request in enumerate(islice(Requests(seed), REQUESTS)):
        ours, theirs = _said(simulated, request), _said(local, request)
        assert _agree(ours, theirs), f"request {number}: {request}\nsimulated: {ours}\nlocal:     {theirs}"
    for table in TABLES:
        everything = ("Scan", {"TableName": table.name, "ConsistentRead": True})
        assert _said(simulated, everything) == _said(local, everything)


@pytest.mark.parametrize("what", LIMITS)
def test_a_refusal_is_that_of_dynamodb_local(local: Call, what: str) -> None:
    operation, request, _ = LIMITS[what]
    simulated = DynamoDB(Nature(Timeline(1_700_000_000.0), Chance("none")), (NOTES, ROWS)).call
    ours, theirs = _said(simulated, (operation, request)), _said(local, (operation, request))
    assert ours[0] == theirs[0]
    begins = next((aws for own, aws in _AWS_SAYS.items() if theirs[1].startswith(own)), theirs[1])
    assert ours[1].startswith(begins), f"simulated: {ours[1]}\nlocal:     {theirs[1]}"


@pytest.mark.parametrize("what", FIT)
def test_what_just_fits_fits_dynamodb_local(local: Call, what: str) -> None:
    assert isinstance(_said(local, FIT[what]), dict)


def _empty(local: Call) -> None:
    for table in TABLES:
        for item in local("Scan", {"TableName": table.name})["Items"]:
            key = {name: item[name] for name in table.keys}
            local("DeleteItem", {"TableName": table.name, "Key": key})


def _said(call: Call, request: Request) -> Any:
    """An answer, or a refusal, without what has no meaning: order, and what a call cost."""
    operation, parameters = request
    try:
        if operation in ("Query", "Scan"):
            return _pages(call, operation, parameters)
        answer = call(operation, parameters)
    except ClientError as error:
        body: Any = error.response
        return _refusal(body["Error"]["Code"], body["Error"]["Message"], body)
    except Refused as refused:
        return _refusal(refused.code, refused.message, refused.body)
    kept = {
        name: value for name, value in answer.items() if name not in ("ResponseMetadata", "ConsumedCapacity")
    }
    for rows in kept.get("Responses", {}).values():
        rows.sort(key=_sorting)
    return _sets_sorted({name: value for name, value in kept.items() if value or name != "Attributes"})


def _refusal(code: str, message: str, body: dict[str, Any]) -> tuple[Any, ...]:
    reasons = [(row["Code"], _sets_sorted(row.get("Item"))) for row in body.get("CancellationReasons", ())]
    return code, re.sub(r", near: .*|\{[^}]*\}$", "", message), _sets_sorted(body.get("Item")), reasons


def _pages(call: Call, operation: str, parameters: dict[str, Any]) -> Any:
    """Everything on all pages; what a page holds where an order is promised."""
    counts, items = [], []
    while True:
        answer = call(operation, parameters)
        counts.append((answer["Count"], answer["ScannedCount"]))
        items += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            break
        parameters = {**parameters, "ExclusiveStartKey": answer["LastEvaluatedKey"]}
    in_order = operation == "Query" and "IndexName" not in parameters
    ranges = [item["h"]["S"] for item in items] if parameters.get("IndexName") == "by-gh" else []
    shown = items if in_order else sorted(items, key=_sorting)
    scanned = [scanned for _, scanned in counts]
    while len(scanned) > 1 and not scanned[-1]:
        scanned.pop()  # whether one that is empty follows is not promised
    return scanned, sum(count for count, _ in counts), ranges, _sets_sorted(shown)


def _sorting(item: dict[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item.get("sk", {}).get("S", "")


def _sets_sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: sorted(v) if k in ("SS", "NS") and isinstance(v, list) else _sets_sorted(v)
            for k, v in value.items()
        }
    return [_sets_sorted(row) for row in value] if isinstance(value, list) else value


def _agree(ours: Any, theirs: Any) -> bool:
    if ours == theirs:
        return True
    if not (isinstance(ours, tuple) and isinstance(theirs, tuple) and isinstance(theirs[0], str)):
        return False
    if ours[0] == "TransactionCanceledException" and theirs[1] in _LATER:
        return any(code == "ValidationError" for code, _ in ours[3])
    # A request with several mistakes may be refused for any of them.
    return ours[0] == theirs[0] and ours[2:] == theirs[2:]
