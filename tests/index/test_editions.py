"""Documents that are known by the name of a file only: what tells two of one name apart."""

from typing import Any

import pytest

from exstream_notify.adapters.index.schema import RecordSchema
from exstream_notify.adapters.s3 import document_from
from exstream_notify.domain.notices import notice_id_of
from tests.fakes import a_rule

SCHEMA = RecordSchema({"statement": "statement", "invoice": "invoice"})
HASH = "AB" * 32


def identity(*, content_notifies: bool = False, **fields: str) -> str:
    """The notice's identity of a record as a site writes it."""
    record = {"customer_key": "C1", "document_type": "statement", **fields}
    found = SCHEMA.normalise(tuple(record), list(record.values()))
    _, document = document_from({**found, "pos": 1}, "retail")
    return notice_id_of(document, a_rule(notify_on_new_content=content_notifies))


@pytest.mark.parametrize(
    ("record", "edition"),
    [
        ({"document_id": "77"}, None),
        ({"document_id": "77", "output_uri": "out/77.pdf", "statement_period": "2026-10"}, None),
        ({"output_uri": "out/77.pdf", "statement_period": "Oct 2026"}, "period:oct-2026"),
        ({"output_uri": "out/77.pdf", "content_sha256": HASH}, f"content:{HASH.lower()}"),
        ({"output_uri": "out/77.pdf", "produced_at": "2026-11-23T23:30:00Z"}, "day:2026-11-23"),
        (
            {"output_uri": "77.pdf", "content_sha256": HASH, "statement_period": "2026-10"},
            "period:2026-10",
        ),
        ({"output_uri": "out/77.pdf"}, None),
        ({"archive_ref": "ARC-0077", "produced_at": "2026-11-23"}, None),
        ({"archive_ref": "vault/2026/77", "produced_at": "2026-11-23"}, "day:2026-11-23"),
        ({"archive_ref": "77.pdf", "produced_at": "2026-11-23"}, "day:2026-11-23"),
        ({"archive_ref": "v2.1", "produced_at": "2026-11-23"}, None),
        ({"content_sha256": HASH, "produced_at": "2026-11-23"}, None),
        ({"reference_no": "R-1", "statement_period": "2026-10"}, None),
    ],
)
def test_an_edition_is_of_documents_known_by_a_file_name(record: dict[str, str], edition: str | None) -> None:
    full = {"customer_key": "C1", "document_type": "statement", **record}
    found: dict[str, Any] = SCHEMA.normalise(tuple(full), list(full.values()))
    assert found.get("edition") == edition


@pytest.mark.parametrize(
    ("record", "undated"),
    [
        ({"output_uri": "out/77.pdf"}, True),
        ({"archive_ref": "vault/2026/77"}, True),
        ({"output_uri": "out/77.pdf", "produced_at": "2026-11-23"}, False),
        ({"output_uri": "out/77.pdf", "document_id": "77"}, False),
        ({"archive_ref": "ARC-0077"}, False),
        ({"reference_no": "R-1"}, True),
        ({"reference_no": "R-1", "statement_period": "2026-11"}, False),
        ({"reference_no": "R-1", "produced_at": "2026-11-23"}, False),
        ({"content_sha256": HASH}, False),
    ],
)
def test_what_has_neither_an_id_nor_a_date(record: dict[str, str], undated: bool) -> None:
    full = {"customer_key": "C1", "document_type": "statement", **record}
    found = SCHEMA.normalise(tuple(full), list(full.values()))
    assert found.get("undated", False) is undated
    _, document = document_from({**found, "pos": 1}, "retail")
    assert document.undated is undated


def test_a_site_cannot_write_an_edition() -> None:
    full = {"customer_key": "C1", "document_type": "statement", "document_id": "1", "edition": "x"}
    assert "edition" not in SCHEMA.normalise(tuple(full), list(full.values()))


def test_what_is_another_document() -> None:
    october = {"output_uri": "a/1.pdf", "produced_at": "2026-10-23T10:00:00Z"}
    assert identity(**october) == identity(**{**october, "produced_at": "2026-10-23T17:00:00Z"})
    assert identity(**october) == identity(**{**october, "output_uri": "b/1.pdf"})
    others = [
        identity(**october),
        identity(**{**october, "produced_at": "2026-11-23T10:00:00Z"}),
        identity(**{**october, "document_type": "invoice"}),
        identity(**{**october, "recipient": "second"}),
        identity(**{**october, "customer_key": "C2"}),
        identity(**{**october, "statement_period": "2026-10"}),
        identity(document_id="1"),
        identity(document_id="1", document_type="invoice"),
        identity(document_id="1", content_sha256=HASH, content_notifies=True),
    ]
    assert len(set(others)) == len(others)


def test_new_content_is_another_document_only_where_the_rule_says_so() -> None:
    one, other = {"content_sha256": "aa" * 32}, {"content_sha256": "bb" * 32}
    assert identity(document_id="1", **one) == identity(document_id="1", **other)
    assert identity(document_id="1", **one, content_notifies=True) != identity(
        document_id="1", **other, content_notifies=True
    )
    assert identity(output_uri="1.pdf", **one) != identity(output_uri="1.pdf", **other)
    assert identity(output_uri="1.pdf", **one) == identity(output_uri="1.pdf", **one, content_notifies=True)
