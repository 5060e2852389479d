"""A record's document: the file in its run's folder, the queue, and what identifies it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from .values import ValueRefused, type_key

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")

# --- the document's file ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where a run lies: `prefix` is the key of its folder, `drop/<domain>/<run_id>/`."""

    bucket: str
    prefix: str


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_DECODING_ROUNDS = 5


def path_in_run(value: str, folder: RunFolder | None = None) -> str:
    """A document's path relative to its run's folder.

    Back slashes become slashes, `./` and double slashes go; `s3://` is read if it names the run's
    own folder. Refused is whatever leaves the folder: an absolute path, a drive, another scheme or
    bucket, a `..` even when percent-encoded, once or repeatedly (CWE-22).
    """
    # Nearly every path is in its final form; that is told without a regular expression.
    if not (
        "%" in value
        or "\\" in value
        or ":" in value
        or "/." in value
        or "//" in value
        or value[:1] in "/."
        or value.endswith("/")
    ):
        return value
    text = value
    if folder is not None and text.startswith(own := f"s3://{folder.bucket}/{folder.prefix}"):
        text = text.removeprefix(own)
    text = "/".join(part for part in text.replace("\\", "/").split("/") if part != ".")
    text = re.sub(r"(?<=.)/{2,}", "/", text)
    # The file is kept under its literal name; decoding only shows what a careless reader would see.
    seen = text
    for _ in range(_DECODING_ROUNDS):
        _refuse_leaving(seen)
        decoded = unquote(seen).replace("\\", "/")
        if decoded == seen:
            return text
        seen = decoded
    raise ValueRefused("percent-encoded too many times")


def _refuse_leaving(path: str) -> None:
    if path.startswith("/") or _SCHEME.match(path) or ".." in path.split("/"):
        raise ValueRefused("leaves the run's folder")
    if not path or path.endswith("/"):
        raise ValueRefused("names no file")
    if _CONTROL.search(path):
        raise ValueRefused("holds a control character")


def queue_of(path: str) -> str | None:
    """The queue whose folder a file lies in: `output/<queue>/<file>` (Exstream's own layout)."""
    parts = path.split("/")
    return parts[1] if len(parts) >= 3 and parts[0].lower() == "output" else None


# --- identity -----------------------------------------------------------------------------------

# What a document says, without how and when it is delivered: a new address or a later run must not
# make another document of it.
_CONTENT = (
    "customer_key", "document_type", "queue_name", "reference_no", "account_number", "amount_due", "currency",
    "due_date", "statement_period", "stage", "case_id", "case_type", "respond_by", "supersedes",
)  # fmt: skip


IDENTITY_FIELDS = ("document_id", "output_uri", "archive_ref", "content_sha256")
"""The fields that can identify a document, the best first."""


def stem(path: str) -> str:
    """A file's name without folders and its last extension."""
    name = path.rsplit("/", 1)[-1]
    base, dot, _ = name.rpartition(".")
    return base if dot and base else name


def own_identity(record: Mapping[str, object]) -> str | None:
    """A document's identity as its record gives it.

    `document_id`, else the stem of `output_uri`, else `archive_ref`, else `content_sha256`.
    """
    if document_id := record.get("document_id"):
        return str(document_id)
    if output_uri := record.get("output_uri"):
        return stem(str(output_uri))
    found = record.get("archive_ref") or record.get("content_sha256")
    return str(found) if found else None


def file_edition(record: Mapping[str, object]) -> str:
    """What tells documents apart whose identity is only the name of a file; empty for any other document.

    A file name says little: next month's file often has the same one. So the statement period belongs to
    the identity as well, else the content's hash, else the day (UTC) on which the document was produced.
    An `archive_ref` is an identity of its own unless it is a path or a file name.
    """
    if not is_named_by_file(record):
        return ""
    if period := record.get("statement_period"):
        return f"period:{type_key(str(period))}"
    if content := record.get("content_sha256"):
        return content_edition(str(content))
    produced = str(record.get("produced_at") or "")
    return f"day:{produced[:10]}" if produced else ""


def is_undated(record: Mapping[str, object]) -> bool:
    """Whether next month's document would have this one's identity: a file's name without an edition, or
    values without a period or day among them."""
    if is_named_by_file(record):
        return not file_edition(record)
    dated = (*IDENTITY_FIELDS, "statement_period", "produced_at")
    return not any(record.get(name) for name in dated)


def is_named_by_file(record: Mapping[str, object]) -> bool:
    """Whether the identity of a document is the name of a file, or a path."""
    if record.get("document_id"):
        return False
    if record.get("output_uri"):
        return True
    archived = str(record.get("archive_ref") or "")
    return "/" in archived or "\\" in archived or _FILE_NAME.search(archived) is not None


_FILE_NAME = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


def content_edition(content_sha256: str) -> str:
    """The edition of a document that its content's hash tells from others of the same id."""
    return f"content:{content_sha256.lower()}"


def content_identity(record: Mapping[str, object]) -> str:
    """Identity of a record that names its document in no way: a hash of what the document says."""
    rows = [[name, record[name]] for name in _CONTENT if name in record]
    digest = hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()
    return "record-" + digest[:32]
