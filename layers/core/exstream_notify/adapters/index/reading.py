"""What the readers of all index forms have in common, and which form a file has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Form = Literal["native", "json", "csv", "psv", "xml"]

Entry: TypeAlias = tuple[tuple[str, ...], Sequence[object]]
"""A record as a site wrote it: its names, and a value for each."""


@dataclass(frozen=True, slots=True)
class FileForm:
    """What a file's name tells: how its index is written, and whether it is gzipped."""

    form: Form
    compressed: bool


_ENDINGS: tuple[tuple[str, Form], ...] = (
    ("_stddeliveryfile.xml", "native"),
    (".index.jsonl", "json"),
    (".index.csv", "csv"),
    (".index.psv", "psv"),
    (".index.xml", "xml"),
)


def form_of(name: str) -> FileForm | None:
    """The index form that a file's name tells, without regard to case; None: not an index."""
    lowered = name.lower()
    plain = lowered.removesuffix(".gz")
    for ending, form in _ENDINGS:
        if plain.endswith(ending):
            return FileForm(form, plain != lowered)
    return None
