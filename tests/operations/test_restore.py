"""A restored table, put back item by item, is the table that it was: nothing is told twice afterwards."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exnotify.dropping import prepare, upload
from exnotify.local import ROOT, LocalCloud
from tests.container.sam import load_template

pytestmark = pytest.mark.slow
TABLES = sorted(
    name
    for name, resource in load_template(ROOT / "template.yaml")["Resources"].items()
    if resource["Type"] == "AWS::DynamoDB::Table"
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(at="2026-11-24T15:00:00+00:00") as running:
        yield running


def rows(cloud: LocalCloud, table: str) -> list[dict[str, Any]]:
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    found = [item for page in pages for item in page["Items"]]
    return sorted(found, key=lambda item: json.dumps(item, sort_keys=True))


def drop(cloud: LocalCloud, folder: Path, run_id: str) -> None:
    upload(cloud.deployment(), prepare(folder, domain="retail", run_id=run_id, sealed=True))
    cloud.idle(60)


def test_tables_put_back_tell_nobody_twice(cloud: LocalCloud, tmp_path: Path) -> None:
    records = [
        {"customer_key": f"B{n}", "document_id": f"B{n}-STA", "document_type": "statement",
         "email": f"b{n}@example.com"}
        for n in range(20)
    ]  # fmt: skip
    (tmp_path / "r.index.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), "utf-8")
    drop(cloud, tmp_path, "before")
    assert len(cloud.messages) == 20
    client = cloud.client("dynamodb")
    for logical in TABLES:
        table = cloud.resource(logical)
        before = rows(cloud, table)
        client.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=f"{table}-restored", UseLatestRestorableTime=True
        )
        backup = rows(cloud, f"{table}-restored")
        assert backup == before
        keys = [row["AttributeName"] for row in client.describe_table(TableName=table)["Table"]["KeySchema"]]
        for item in backup:  # the damage: everything is gone
            client.delete_item(TableName=table, Key={key: item[key] for key in keys})
        assert rows(cloud, table) == []
        for item in backup + backup[:3]:  # put back; some twice, as after an interruption
            client.put_item(TableName=table, Item=item)
        assert rows(cloud, table) == backup
    # The same documents in another run: the restored ledger knows them.
    drop(cloud, tmp_path, "after")
    assert len(cloud.messages) == 20
