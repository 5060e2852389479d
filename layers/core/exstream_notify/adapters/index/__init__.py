"""Reads the index of a drop, in any of its forms, as a stream, and stages it.

`stage_file` is the way in for files, `read_event` for single documents; `RecordSchema` says what a
record is. A file that cannot be used is an `IndexUnreadable`, a record a reject.
"""

from .events import read_event
from .faults import Fault, IndexUnreadable, Limits, RecordRefused
from .holders import Findings, Holders
from .names import AliasesUnusable, AliasTable, check_aliases, default_aliases
from .parts import MemoryParts, MemoryRejects, Part, PartSink, PartWriter, RejectSink, Slice
from .reading import FileForm, Form, form_of
from .record import Normalised, Record
from .schema import RecordSchema
from .staging import FileTally, stage_file

__all__ = [
    "AliasTable",
    "AliasesUnusable",
    "Fault",
    "FileForm",
    "FileTally",
    "Findings",
    "Form",
    "Holders",
    "IndexUnreadable",
    "Limits",
    "MemoryParts",
    "MemoryRejects",
    "Normalised",
    "Part",
    "PartSink",
    "PartWriter",
    "Record",
    "RecordRefused",
    "RecordSchema",
    "RejectSink",
    "Slice",
    "check_aliases",
    "default_aliases",
    "form_of",
    "read_event",
    "stage_file",
]
