"""Documents for the measurements, made up: reserved addresses and fictional numbers only."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from exstream_notify.adapters.index.parts import SLICE_RECORDS, MemoryParts, PartWriter
from exstream_notify.adapters.staging import part_key
from exstream_notify.domain.documents import Document
from exstream_notify.domain.work import SlicePointer

__all__ = ["SLICE_RECORDS", "Maker", "claim_letter", "mixed", "record", "stage", "statement"]

DOMAIN = "retail"
_FIRST = ("Ana", "Ben", "Chloé", "Dieter", "Elena", "Farid", "Grace", "Hiro", "Ines", "Jürgen")
_LAST = ("Alvarez", "Brown", "Dupont", "Fischer", "García", "Hansen", "Ivanova", "Jones", "Köhler", "Lopez")
_LANGUAGES = ("en", "es", "fr", "de")
_CURRENCIES = {"en": "USD", "es": "USD", "fr": "EUR", "de": "EUR"}

Maker = Callable[[str, int], Document]
"""Makes the document number n of a run."""


def statement(run: str, number: int) -> Document:
    """A statement in English."""
    return _document(run, number, "statement", "en")


def claim_letter(run: str, number: int) -> Document:
    """A claim letter in English: of class `regulated`, so always a job of its own."""
    return _document(run, number, "claim-letter", "en", case_id=f"C-{number:08}", respond_by="2026-12-20")


_MIXED = ("statement", "invoice", "utility-bill", "payment-reminder", "secure-correspondence")


def mixed(run: str, number: int) -> Document:
    """Five types in four languages, in turn: each slice holds twenty kinds of five documents."""
    return _document(run, number, _MIXED[number % 5], _LANGUAGES[number // 5 % 4])


def _document(run: str, number: int, kind: str, language: str, **more: str) -> Document:
    return Document(
        domain=DOMAIN,
        customer_key=f"4{number:09}",
        document_id=f"{run}-{number:09}",
        document_type=kind,
        customer_in_run=number + 1,
        queue_name="Email_Statements",
        delivery_channel="email",
        output_uri=f"output/Email_Statements/{run}-{number:09}.pdf",
        content_sha256=f"{number:064x}",
        produced_at="2026-11-24T04:12:00Z",
        language=language,
        country="US",
        postcode="20001",
        first_name=_FIRST[number % 10],
        last_name=_LAST[number // 10 % 10],
        email=f"customer{number}@example.com",
        # A hundred fictional numbers: each slice has every one once.
        mobile=f"+1202555{100 + number % 100:04}",
        reference_no=f"R-{number:09}",
        account_number=f"{4_000_000_000_000_000 + number}",
        amount_due=f"{20 + number % 900}.{number % 100:02}",
        currency=_CURRENCIES[language],
        due_date="2026-12-15",
        statement_period="2026-11",
        account_status="current",
        **more,  # type: ignore[arg-type]
    )


def stage(
    run: str, maker: Maker, numbers: Sequence[int], parts: str
) -> tuple[dict[str, bytes], list[SlicePointer]]:
    """The parts that staging writes of a run, by key, and the pointers to its slices."""
    memory = MemoryParts()
    writer = PartWriter(memory)
    for position, number in enumerate(numbers, 1):
        writer.add(_line(maker(run, number), position), position)
    writer.close()
    bodies = {part_key(parts, part.number): part.body for part in memory.parts}
    return bodies, [
        SlicePointer(
            DOMAIN, run, row.number, part_key(parts, row.part), row.offset, row.length, row.count, row.first
        )
        for row in memory.slices
    ]


def record(document: Document) -> dict[str, Any]:
    """A document's normalised fields, without those that it has not."""
    return {name: value for name, value in asdict(document).items() if value not in (None, (), False)}


def _line(document: Document, position: int) -> bytes:
    fields = record(document)
    del fields["domain"]
    return json.dumps({**fields, "pos": position}, ensure_ascii=False).encode()
