"""Makes an index of any form and size, from records like those that sites write.

    python -m bench.make_index csv.gz 100000 /tmp/big.index.csv.gz

Forms: native, jsonl, json-array, json-pretty, csv, psv, xml, xml-attributes; with `.gz` after them
gzipped, with `+utf-16-le`, `+utf-16-be`, `+latin-1` in that encoding. The same seed gives the same
records in every form.
"""

import argparse
import csv
import gzip
import io
import json
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

Row = Mapping[str, str]

TYPES = ("statement", "invoice", "utility-bill", "overdue-notice", "payment-reminder", "claim-letter")
_FIRST = ("Søren", "Zoë", "Ana", "Chloé", "Mei", "Priya", "Renée", "Kofi", "José", "Niamh")
_LAST = ("Dubois", "Müller", "O'Brien", "Van der Berg", "García", "Marks & Sons", "Østergaard", "Smith")
_ZONES = ("America/Chicago", "Europe/Madrid", "Asia/Kolkata", "America/New_York", "Pacific/Auckland")
_STATUS = ("current", "late", "delinquent", "default")

NATIVE_NAMES = {
    "customer_key": "AccountNumber",
    "customer_in_run": "CustomerInRun",
    "document_type": "DocumentType",
    "first_name": "CustomerFirstname",
    "last_name": "CustomerLastname",
    "email": "CustomerEmail",
    "mobile": "CustomerMobile",
    "output_uri": "QueueFilename",
}
"""What a native manifest calls the fields; the others keep their names, the queue has its element."""


@dataclass(frozen=True, slots=True)
class Records:
    """So many made-up records, made anew each time that they are asked for: none is kept."""

    count: int
    seed: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Row]:
        return _made(self.count, self.seed)

    def __contains__(self, record: object) -> bool:
        return any(record == made for made in self)


def make_records(count: int, seed: int = 1) -> Records:
    """Records of 22 fields, about 650 bytes as JSON; a third has no mobile number."""
    return Records(count, seed)


def _made(count: int, seed: int) -> Iterator[Row]:
    chance = random.Random(seed)
    pick, below = chance.choice, chance.randrange
    for number in range(1, count + 1):
        kind = pick(TYPES)
        document = f"D{number:07d}-{kind[:3].upper()}"
        yield {
            "customer_key": f"C{number:07d}",
            "document_id": document,
            "document_type": kind,
            "customer_in_run": str(number),
            "queue_name": "Email_Letters",
            "first_name": pick(_FIRST),
            "last_name": pick(_LAST),
            "email": f"c{number}@example.com",
            "mobile": f"+1202555{100 + below(100):04d}" if below(3) else "",
            "language": pick(("en", "es", "fr", "de")),
            "time_zone": pick(_ZONES),
            "account_number": f"{below(10**12):012d}",
            "reference_no": f"REF-{below(10**8):08d}",
            "amount_due": f"{below(500_000) / 100:.2f}",
            "currency": pick(("EUR", "USD", "GBP")),
            "due_date": f"2026-12-{1 + below(28):02d}",
            "produced_at": "2026-11-20T04:12:09Z",
            "account_status": pick(_STATUS),
            "stage": str(1 + below(3)),
            "days_past_due": str(below(90)),
            "output_uri": f"output/Email_Letters/{document}.pdf",
            "content_sha256": f"{chance.getrandbits(256):064x}",
        }


def _json_lines(records: Iterable[Row]) -> Iterator[str]:
    encode = json.JSONEncoder(ensure_ascii=False).encode
    return (encode(_given(record)) + "\n" for record in records)


def _json_pretty(records: Iterable[Row]) -> Iterator[str]:
    encode = json.JSONEncoder(ensure_ascii=False, indent=2).encode
    return (encode(_given(record)) + "\n" for record in records)


def _json_array(records: Iterable[Row]) -> Iterator[str]:
    before = "[\n"
    for line in _json_lines(records):
        yield before + line.rstrip("\n")
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _delimited(separator: str) -> Callable[[Iterable[Row]], Iterator[str]]:
    def lines(records: Iterable[Row]) -> Iterator[str]:
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
        names: list[str] = []
        for record in records:
            if not names:
                names = list(record)
                writer.writerow(names)
            writer.writerow([record[name] for name in names])
            yield out.getvalue()
            out.seek(0)
            out.truncate()

    return lines


def _xml(records: Iterable[Row]) -> Iterator[str]:
    yield "<documents>"
    for record in records:
        fields = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in _given(record).items())
        yield f"<document>{fields}</document>\n"
    yield "</documents>"


def _xml_attributes(records: Iterable[Row]) -> Iterator[str]:
    yield "<rows>\n"
    for record in records:
        fields = " ".join(f"{name}={quoteattr(value)}" for name, value in _given(record).items())
        yield f"  <row {fields}/>\n"
    yield "</rows>\n"


def _native(records: Iterable[Row]) -> Iterator[str]:
    # The count stands before the customers, so it has to be known first.
    counted = records if isinstance(records, Collection) else list(records)
    yield f'<delivery xmlns="urn:site:delivery"><outputList customersProcessed="{len(counted)}">\n'
    for record in counted:
        given = _given(record)
        queue = given.pop("queue_name", "")
        queue = f"<queueName>{escape(queue)}</queueName>" if queue else ""
        keys = "".join(
            f"    <key name={quoteattr(NATIVE_NAMES.get(name, name))}>{escape(value)}</key>\n"
            for name, value in given.items()
        )
        yield f"  <customer>\n{keys}{queue}</customer>\n"
    yield "</outputList></delivery>\n"


def _given(record: Row) -> dict[str, str]:
    return {name: value for name, value in record.items() if value}


WRITERS: dict[str, tuple[str, Callable[[Iterable[Row]], Iterator[str]]]] = {
    "native": ("_STDDELIVERYFILE.xml", _native),
    "jsonl": ("index.jsonl", _json_lines),
    "json-array": ("index.jsonl", _json_array),
    "json-pretty": ("index.jsonl", _json_pretty),
    "csv": ("index.csv", _delimited(",")),
    "psv": ("index.psv", _delimited("|")),
    "xml": ("index.xml", _xml),
    "xml-attributes": ("index.xml", _xml_attributes),
}
"""How to write each form, and how its files' names end."""


def split_form(form: str) -> tuple[str, str, bool]:
    """Writer, encoding and whether to gzip, of a form such as `csv+utf-16-le.gz`."""
    compressed = form.endswith(".gz")
    writer, _, encoding = form.removesuffix(".gz").partition("+")
    if writer not in WRITERS:
        raise ValueError(f"{form}: no such form; there are {', '.join(WRITERS)}")
    return writer, encoding or "utf-8", compressed


def file_name(form: str) -> str:
    """A name that tells the form."""
    writer, _, compressed = split_form(form)
    ending = WRITERS[writer][0]
    name = ending if ending.startswith("_") else f"bench.{ending}"
    return name + ".gz" if compressed else name


def write_index(records: Iterable[Row], form: str, out: BinaryIO) -> None:
    """Write the records to a binary stream."""
    writer, encoding, compressed = split_form(form)
    # Level 1: making a bench file should not take longer than reading it.
    target = gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0) if compressed else out
    stream = io.TextIOWrapper(target, encoding=encoding, newline="")
    if writer in ("native", "xml", "xml-attributes"):
        declared = "UTF-16" if encoding.startswith("utf-16") else encoding.upper()
        stream.write(f'<?xml version="1.0" encoding="{declared}"?>\n')
    stream.writelines(WRITERS[writer][1](records))
    stream.flush()
    stream.detach()
    if compressed:
        target.close()


def main() -> None:
    """Make one file."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.make_index",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("form")
    parser.add_argument("count", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with given.file.open("wb") as out:
        write_index(make_records(given.count, given.seed), given.form, out)


if __name__ == "__main__":
    main()
