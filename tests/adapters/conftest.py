"""The tables behind their ports: in memory, in moto, simulated, and in DynamoDB Local.

The same tests run on all four, so that the fakes of the other tests promise no more than DynamoDB
keeps. Tables are made as template.yaml has them, the client as the functions make it.
"""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import pytest
from moto import mock_aws

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.dynamodb.contacts import DynamoContacts
from exstream_notify.adapters.dynamodb.ledger import DynamoDueIndex, DynamoLedger
from exstream_notify.adapters.dynamodb.runs import DynamoRuns
from exstream_notify.adapters.settings import Settings
from exstream_notify.ports import ContactBook, DueIndex, Ledger, RunBook
from simulation.nature import Chance, Nature, Timeline
from simulation.services.dynamodb import DynamoDB
from tests.container.sam import load_template
from tests.fakes import FakeContacts, FakeDueIndex, FakeLedger, FakeRunBook
from tests.needs import ROOT
from tests.simulation.simulated_client import answer_with

_MADE_BY_THE_TABLE = (
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "GlobalSecondaryIndexes",
)

_NOTHING_EXPIRES = 0.0
"""The simulated DynamoDB's time, in epoch seconds."""

_SETS = itertools.count(1)

ENGINES = ["memory", "moto", "simulated", pytest.param("local", marks=pytest.mark.dynamodb_local)]
REAL_ENGINES = ENGINES[1:]


@dataclass(frozen=True)
class Tables:
    """A client and the names of the tables that it works on."""

    client: Any
    notices: str
    contacts: str
    runs: str
    suppressions: str
    incidents: str


@dataclass(frozen=True)
class Books:
    """The ports that tables stand behind."""

    engine: str
    ledger: Ledger
    due: DueIndex
    contacts: ContactBook
    runs: RunBook


@contextmanager
def dynamodb(engine: str, request: pytest.FixtureRequest) -> Iterator[Tables]:
    """A client as the functions make theirs, with the template's tables, under names of their own."""
    with pytest.MonkeyPatch.context() as environment, ExitStack() as stack:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "testing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.delenv("AWS_PROFILE", raising=False)
        if engine == "moto":
            stack.enter_context(mock_aws())
        elif engine == "local":
            environment.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("dynamodb_local_url"))
        client = Bootstrap(Settings.from_environment({})).client("dynamodb")
        names = {
            field.name: f"{field.name}-{next(_SETS)}" for field in fields(Tables) if field.name != "client"
        }
        if engine == "simulated":
            answer_with(DynamoDB(Nature(Timeline(_NOTHING_EXPIRES), Chance("none"))), client)
        for name, table in names.items():
            make_table(client, f"{name.capitalize()}Table", table)
        yield Tables(client, **names)
        for table in names.values():
            client.delete_table(TableName=table)


@pytest.fixture(scope="module", params=REAL_ENGINES)
def tables(request: pytest.FixtureRequest) -> Iterator[Tables]:
    """DynamoDB itself, on each engine that is one."""
    with dynamodb(request.param, request) as found:
        yield found


@pytest.fixture(scope="module", params=ENGINES)
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    """The ports on each engine; one set a module, so each test has keys of its own."""
    if request.param == "memory":
        ledger = FakeLedger()
        yield Books("memory", ledger, FakeDueIndex(ledger), FakeContacts(), FakeRunBook())
        return
    with dynamodb(request.param, request) as found:
        yield Books(
            request.param,
            DynamoLedger(found.client, found.notices),
            DynamoDueIndex(found.client, found.notices),
            DynamoContacts(found.client, found.contacts),
            DynamoRuns(found.client, found.runs),
        )


@cache
def _resources() -> dict[str, Any]:
    found: dict[str, Any] = load_template(ROOT / "template.yaml")["Resources"]
    return found


def make_table(client: Any, logical: str, name: str) -> None:
    """Make a table as the template has it."""
    properties = _resources()[logical]["Properties"]
    wanted = {key: value for key, value in properties.items() if key in _MADE_BY_THE_TABLE}
    client.create_table(**{**wanted, "TableName": name})
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


@pytest.fixture(scope="module")
def local(request: pytest.FixtureRequest) -> Iterator[Tables]:
    """DynamoDB Local, for what moto cannot do."""
    with dynamodb("local", request) as found:
        yield found
