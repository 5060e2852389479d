"""A run's files as they are uploaded: index files in every form, the seal, and the documents."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from exnotify.samples.forms import delimited, elements, json_objects, native, psv_utf16, xml_latin1
from exnotify.samples.pdf import page

from .acts import DropRun, Record
from .records import NOT_THERE

Rows = Sequence[Mapping[str, str]]
MANIFEST, SEAL = "_STDDELIVERYFILE.xml", "_COMPLETE.json"


def _lines(rows: Rows) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


FORMS: Mapping[str, tuple[str, Callable[[Rows], bytes]]] = {
    "jsonl": (".index.jsonl", _lines),
    "json array": (".index.jsonl", lambda rows: json.dumps(list(rows), indent=1).encode()),
    "json objects": (".index.jsonl", json_objects),
    "csv": (".index.csv", lambda rows: delimited(rows, ",", "\r\n").encode("utf-8-sig")),
    "psv": (".index.psv", psv_utf16),
    "xml": (".index.xml", xml_latin1),
    "xml utf-8": (".index.xml", lambda rows: elements(rows, "UTF-8").encode()),
    "native": ("", native),
}
"""Index forms: the end of the file's name, and how records are written. `native` is a file of one name."""


def index_files(act: DropRun, records: Sequence[Record]) -> dict[str, bytes]:
    """The index files of a run with these records, by name; a form that ends in ` gz` is packed.

    No file is without a record, where the run has one: a run with such a file is refused, by rule.
    """
    form = act.form.removesuffix(" gz")
    packed = form != act.form
    ending, write = FORMS[form]
    number = min(act.files, len(records)) or 1
    names = [MANIFEST] if form == "native" else [f"part{n}{ending}" for n in range(number)]
    each = -(-len(records) // len(names)) or 1
    found: dict[str, bytes] = {}
    for n, name in enumerate(names):
        data = write([record.fields for record in records[n * each : (n + 1) * each]])
        found[name + packed * ".gz"] = gzip.compress(data, mtime=0) if packed else data
    if act.manifest and form != "native":
        found[MANIFEST] = native([{"queue_name": "Email_Letters", **record.fields} for record in records])
    return found


def seal(act: DropRun, files: Mapping[str, bytes], composed_at: str) -> bytes:
    """The seal over these index files; `act.stated` has the last word: None leaves something unsaid."""
    keys = [record.fields.get("customer_key", f"none {n}") for n, record in enumerate(act.records)]
    # The native manifest has an entry a customer in each of its queues, and counts entries.
    native_too = act.manifest or act.form.startswith("native")
    processed = len(keys) if native_too else len(set(keys))
    own = {name: data for name, data in files.items() if not name.startswith(MANIFEST)} or files
    told = {
        "schema_version": "1",
        "run_id": act.run_id,
        "domain": act.domain,
        "app": act.run_id.split("-")[0],
        "started_at": composed_at,
        "ended_at": composed_at,
        "exit_status": 0,
        "customers_expected": processed + act.not_composed,
        "customers_processed": processed,
        "documents": len(act.records),
        "errors": act.not_composed,
        "files": [
            {"name": name, "bytes": len(data), "sha256": sha256(data).hexdigest()}
            for name, data in own.items()
        ],
        **act.stated,
    }
    return json.dumps({name: what for name, what in told.items() if what is not None}, indent=1).encode()


def documents(act: DropRun) -> dict[str, bytes]:
    """The documents of a run by their place in its folder, without those that are said to be missing."""
    found: dict[str, bytes] = {}
    for record in (*act.records, *(act.replaced or ())):
        place = record.fields.get("output_uri", "")
        if place and record.flaw != NOT_THERE and not place.startswith(".."):
            found[place] = page(record.fields["document_id"])
    return found
