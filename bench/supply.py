"""What ships: each library of the layer with its licence, and the layer's size against its limit."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from .startup import Python

SIZE_LIMIT = 60.0
"""MiB of a layer, unzipped (`layers/core/build_layer.py`)."""

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Shipped:
    """One library: name, version, and its licence as it names it (SPDX where it says so)."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True, slots=True)
class Supply:
    """The layer's libraries; sizes in MiB, unzipped and as uploaded."""

    libraries: list[Shipped]
    unzipped: float
    zipped: float


def measure(python: Python) -> Supply | None:
    """Read it off the layer as it is built; None where no layer for the runtime could be built."""
    if not python.as_deployed:
        return None
    layer = Path(python.paths[0])
    libraries = sorted(
        (shipped(found) for found in distributions(path=[str(layer)])), key=lambda row: row.name
    )
    files = [path for path in sorted(layer.rglob("*")) if path.is_file()]
    unzipped = sum(path.stat().st_size for path in files)
    return Supply(libraries, unzipped / _MEBIBYTE, _zipped(layer, files) / _MEBIBYTE)


def shipped(found: Distribution) -> Shipped:
    """An installed library as its metadata describes it."""
    return Shipped(found.metadata["Name"].lower(), found.version, next(_licences(found), "not told"))


def _licences(found: Distribution) -> Iterator[str]:
    """An SPDX expression (PEP 639), else the classifiers, else the first line of a free text."""
    told = found.metadata
    if "License-Expression" in told:
        yield told["License-Expression"]
    classified = [
        row.rpartition(" :: ")[2] for row in told.get_all("Classifier") or () if "License ::" in row
    ]
    if classified:
        yield ", ".join(classified)
    if "License" in told and (text := told["License"].strip()):
        yield text.splitlines()[0][:60]


def _zipped(layer: Path, files: list[Path]) -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(layer))
    return buffer.tell()
