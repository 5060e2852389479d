"""The names of files that the stack's rules let through to the reader of the composer's files.

EventBridge decides by a file's name before any rule of a site is read. So a glob of messages.yaml for
which it lets nothing through is refused, rather than never heard of.
"""

import re

SUFFIXES = (
    ".dat", "messages", "summary", ".log", ".err", ".csv", ".psv", ".jsonl",
    "messages.txt", "messages.xml", "messages.json",
    "summary.txt", "summary.json", "summary.xml", "_stddeliveryfile.xml",
)  # fmt: skip
"""Endings that the rules let through without regard to case, each with `.gz`, too."""

WORDS = (("essages", ".txt"), ("essages", ".xml"), ("ummary", ".txt"), (".index.", ""))
"""A word within the key and an ending; in small letters, or all in capitals."""


def refusal(glob: str) -> str:
    """Why no file reaches the reader for a glob; empty if files do."""
    plain = glob.lower().removesuffix(".gz")
    end = re.split(r"[*?\]]", plain)[-1]
    if end.endswith(SUFFIXES):
        return ""
    for word, ending in WORDS:
        if end.endswith(ending) and word in plain.removesuffix(ending):
            return ""
    known = ", ".join((*SUFFIXES, *(f"*{word}*{ending}" for word, ending in WORDS if ending)))
    return (
        f"no event rule of the stack lets such a file through to its reader: it has to end in one of {known}"
    )
