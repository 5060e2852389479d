"""A program of a few classes, as text: what tests of the analysis add a handler to."""

SHOP = """
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial, wraps
from typing import Any, Protocol
import json
import botocore.session

class Settings:
    orders_table: str = ""
    notes_table: str = ""
    files_bucket: str = ""
    first_queue_url: str = ""
    second_queue_url: str = ""
    greeting: str = ""

    @classmethod
    def read(cls) -> "Settings":
        return cls()

class Notes(Protocol):
    def keep(self, text: str) -> None: ...

class Table:
    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def keep(self, text: str) -> None:
        self._client.put_item(TableName=self._name, Item={"pk": {"S": text}})

    def find(self, text: str) -> Any:
        return self._client.get_item(TableName=self._name, Key={"pk": {"S": text}})

class Files:
    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, text: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=f"notes/{text}", Body=b"")

    def load(self, key: str) -> bytes:
        return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

class Bootstrap:
    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.read()
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = botocore.session.get_session().create_client(service)
        return self._clients[service]

    @cached_property
    def orders(self) -> Table:
        return Table(self.client("dynamodb"), self.settings.orders_table)

    @cached_property
    def notes(self) -> Table:
        return Table(self.client("dynamodb"), self.settings.notes_table)

    @cached_property
    def files(self) -> Files:
        return Files(self.client("s3"), self.settings.files_bucket)

app = Bootstrap()
"""
