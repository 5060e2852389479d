"""Index files as sites write them: one function a form, from records to bytes."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from .records import Record

_NATIVE_NAMES = {
    "customer_key": "AccountNumber",
    "document_type": "DocumentType",
    "first_name": "CustomerFirstname",
    "last_name": "CustomerLastname",
    "email": "CustomerEmail",
    "mobile": "CustomerMobile",
    "delivery_channel": "DeliveryPreference",
    "customer_in_run": "CustomerInRun",
    "output_uri": "QueueFilename",
}
"""Names that sites give the fields of the native manifest."""


def native(records: Sequence[Record]) -> bytes:
    """The native manifest, in UTF-8, with a namespace."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<delivery xmlns="urn:site:delivery"><outputList customersProcessed="{len(records)}">',
    ]
    for record in records:
        lines.append("  <customer>")
        for name, value in record.items():
            if name != "queue_name":
                key = quoteattr(_NATIVE_NAMES.get(name, name))
                lines.append(f"    <key name={key}>{escape(value)}</key>")
        lines.append(f"    <queueName>{escape(record['queue_name'])}</queueName>")
        lines.append("  </customer>")
    return "\n".join([*lines, "</outputList></delivery>", ""]).encode()


def json_objects(records: Sequence[Record]) -> bytes:
    """JSON objects one after another, several lines each, in UTF-8 with a byte-order mark."""
    return "".join(json.dumps(r, indent=1, ensure_ascii=False) + "\n" for r in records).encode("utf-8-sig")


def psv_utf16(records: Sequence[Record]) -> bytes:
    """Pipe-separated, in UTF-16 with a byte-order mark, lines ending in CR and LF."""
    return delimited(records, "|", "\r\n").encode("utf-16")


def xml_latin1(records: Sequence[Record]) -> bytes:
    """Repeated elements, in Latin-1 as the declaration says."""
    return elements(records, "ISO-8859-1").encode("iso-8859-1", "xmlcharrefreplace")


def csv_gz(records: Sequence[Record]) -> bytes:
    """Comma-separated with quoted commas and quotes, in UTF-8, gzipped."""
    return gzip.compress(delimited(records, ",", "\n").encode(), mtime=0)


def elements(records: Sequence[Record], encoding: str) -> str:
    """Repeated elements, a field each within them; the declaration names the encoding."""
    rows = "\n".join(
        "<document>"
        + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in record.items())
        + "</document>"
        for record in records
    )
    return f'<?xml version="1.0" encoding="{encoding}"?>\n<documents>\n{rows}\n</documents>\n'


def delimited(records: Sequence[Record], separator: str, end: str) -> str:
    """Fields between separators, quoted where needed, below a header line."""
    names = list(dict.fromkeys(name for record in records for name in record))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, restval="", delimiter=separator, lineterminator=end)
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue()
