"""Records of one customer and recipient with different addresses, found across slices and files."""

import io
import json
from typing import Any

import pytest

from exstream_notify.adapters.addresses import Addresses
from exstream_notify.adapters.index import (
    Findings,
    Holders,
    MemoryParts,
    MemoryRejects,
    RecordSchema,
    stage_file,
)
from exstream_notify.adapters.index.holders import (
    DISPUTED,
    GROUPS,
    MIXED,
    WHO_LIMIT,
    plain_email,
    plain_number,
)

ANA, BEN = {"first_name": "Ana", "last_name": "Novak"}, {"first_name": "Ben", "last_name": "Novak"}
A, B, C = "a@example.com", "b@example.com", "c@example.com"


def found(*records: dict[str, Any], **limits: int) -> Findings:
    """What is found in these records, in their order."""
    holders = Holders(**limits)
    for position, record in enumerate(records, 1):
        holders.add({"customer_key": "K1", **record}, position)
    return holders.findings()


@pytest.mark.parametrize(
    ("records", "verdicts"),
    [
        ([{"email": A}, {"email": A}], [0, 0]),
        ([{"email": A}, {"email": A.upper()}], [0, 0]),
        ([{"email": A}, {}], [0, 0]),
        ([{"email": A}, {"mobile": "+12025550101"}], [0, 0]),
        ([{"email": A}, {"email": B}], [DISPUTED, DISPUTED]),
        ([{"email": A, **ANA}, {"email": B, **ANA}], [DISPUTED, DISPUTED]),
        ([{"email": A, **ANA}, {"email": B, **BEN}], [MIXED, MIXED]),
        ([{"email": A, **ANA}, {"email": A, **BEN}], [0, 0]),
        ([{"email": A, **ANA}, {"email": B}], [DISPUTED, DISPUTED]),
        ([{"email": A, **ANA}, {"email": B, **BEN}, {"email": C}], [MIXED, MIXED, DISPUTED]),
        ([{"email": A, **ANA}, {"email": A, **ANA}, {"email": B, **BEN}], [MIXED] * 3),
        ([{"email": A, **ANA}, {**ANA}, {"email": B, **ANA}], [DISPUTED] * 3),
        ([{"mobile": "+12025550101"}, {"mobile": "+13035550101"}], [DISPUTED, DISPUTED]),
        ([{"mobile": "+12025550101"}, {"mobile": "(202) 555-0101"}], [0, 0]),
        ([{"email": A, "recipient": "1"}, {"email": B, "recipient": "2"}], [0, 0]),
        ([{"email": A, "recipient": "1"}, {"email": B}], [0, 0]),
        ([{"email": A, "recipient": "1"}, {"email": B, "recipient": "1"}], [DISPUTED, DISPUTED]),
        ([{"email": A}, {"email": B, "customer_key": "K2"}], [0, 0]),
        ([{"email": A}, {"email": B, "test_flag": True}], [0, 0]),
        ([{"email": "no address"}, {"email": A}], [0, 0]),
    ],
)
def test_what_is_said_of_records_under_one_key(records: list[dict[str, Any]], verdicts: list[int]) -> None:
    findings = found(*records)

    assert [findings.of(position) for position in range(1, len(records) + 1)] == verdicts
    assert bool(findings) == any(verdicts)
    conflicts = findings.conflicts
    assert (conflicts.disputed, conflicts.mixed) == (verdicts.count(DISPUTED), verdicts.count(MIXED))


def test_both_positions_of_the_first_conflicts_are_named() -> None:
    records = [{"customer_key": f"K{n % 10}", "email": f"{n}@example.com"} for n in range(20)]
    conflicts = found(*records).conflicts

    assert conflicts.disputed_pairs == ((1, 11), (2, 12), (3, 13))
    assert conflicts.disputed == 20
    assert conflicts.mixed_pairs == ()


def test_a_key_that_stands_for_everybody_is_looked_at_without_end() -> None:
    many = [
        {"email": f"{n}@example.com", "first_name": f"N{n}x", "last_name": "L"} for n in range(9 * WHO_LIMIT)
    ]
    findings = found(*many, {"email": A})

    assert findings.conflicts.mixed == len(many)
    assert findings.of(len(many) + 1) == DISPUTED


def test_what_does_not_fit_into_memory_comes_to_the_same() -> None:
    records = [
        {"customer_key": f"K{n % 400}", "email": f"{n % 500}@example.com", "first_name": f"N{n % 7}"}
        for n in range(1500)
    ]
    whole = found(*records)
    assert whole.conflicts.mixed

    spooled = found(*records, buffer_bytes=3200)
    assert [spooled.of(n) for n in range(1501)] == [whole.of(n) for n in range(1501)]
    assert spooled.conflicts == whole.conflicts

    parted, first, passes = Findings(), 0, 0
    while first < GROUPS:
        holders = Holders("US", first, buffer_bytes=3200, spool_bytes=16_000)
        for position, record in enumerate(records, 1):
            holders.add(record, position)
        parted.add(holders.findings())
        first, passes = holders.end_group, passes + 1
    assert passes > 1
    assert [parted.of(n) for n in range(1501)] == [whole.of(n) for n in range(1501)]
    assert parted.conflicts == whole.conflicts


@pytest.mark.parametrize(
    ("raw", "country"),
    [
        ("+1 202-555-0101", None), ("(202) 555-0101", "US"), ("1 202 555 0101", None), ("2025550101", None),
        ("+44 (0)7400 123456", None), ("07400 123456", "GB"),
        ("00447400123456", "GB"), ("+447400123456", "US"), ("0151 12345678", "DE"), ("+49 151 12345678", None),
    ],
)  # fmt: skip
def test_numbers_are_the_same_where_the_address_checker_says_so(raw: str, country: str | None) -> None:
    checked = Addresses().check("sms", raw, country)
    assert checked.status == "ok"
    assert plain_number(raw, country, "US") == checked.value[1:]


@pytest.mark.parametrize("raw", ["Ana@Example.COM", "ana@müller.example", "ANA@xn--mller-kva.example"])
def test_mailboxes_are_the_same_where_the_address_checker_says_so(raw: str) -> None:
    assert plain_email(raw) == Addresses().check("email", raw, None).value


def test_staging_again_rejects_and_marks_at_the_same_positions() -> None:
    rows = [
        {"customer_key": "K1", "email": A, **ANA},
        {"customer_key": "K2", "email": A},
        {"email": "nobody@example.com"},
        {"customer_key": "K1", "email": B, **BEN},
        {"customer_key": "K3", "email": A},
        {"customer_key": "K2", "email": B},
    ]
    data = "\n".join(json.dumps({"document_type": "invoice", **row}) for row in rows).encode()
    schema = RecordSchema({"invoice": "invoice"})

    def staged(**more: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        parts, rejects = MemoryParts(), MemoryRejects()
        stage_file(io.BytesIO(data), "a.index.jsonl", schema=schema, parts=parts, rejects=rejects, **more)
        return [json.loads(x) for x in parts.lines()], [json.loads(x) for x in rejects.lines()]

    holders = Holders()
    before, _ = staged(holders=holders)
    after, rejects = staged(findings=holders.findings())

    assert [row["pos"] for row in before] == [1, 2, 4, 5, 6]
    assert [(row["pos"], row.get("disputed", False)) for row in after] == [(2, True), (5, False), (6, True)]
    assert [(row["pos"], row["field"]) for row in rejects] == [
        (1, "recipient"), (3, "customer_key"), (4, "recipient"),
    ]  # fmt: skip
    assert "Ana" not in rejects[0]["reason"]


def test_a_domain_tells_holders_apart_by_their_names() -> None:
    schema = RecordSchema({"invoice": "invoice"}, holders=("first_name", "last_name"))
    names = ("customer_key", "document_type", "first_name", "last_name", "email")

    ana = schema.normalise(names, ("K1", "invoice", "Ana", "Novak", A))
    again = schema.normalise(names, ("K1", "invoice", "ANA", " Novak ", B))
    ben = schema.normalise(names, ("K1", "invoice", "Ben", "Novak", B))
    nobody = schema.normalise(names, ("K1", "invoice", "", "", B))
    named = schema.normalise((*names, "recipient"), ("K1", "invoice", "Ana", "Novak", A, "R1"))

    assert ana["recipient"] == again["recipient"] != ben["recipient"]
    assert "recipient" not in nobody
    assert named["recipient"] == "R1"
