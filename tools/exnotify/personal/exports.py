"""Exports: sorted segments in the work bucket, all versions of the files in the export bucket.

An erasure has a new export made. Then every export that still says more of the customer than that the key was
removed goes, with all its versions; the new one is what Exstream reads from then on.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.erased import Person
from exstream_notify.domain.export import SEPARATOR, key_of_row

from ..errors import CommandError
from . import objects
from .work_bucket import Rows

if TYPE_CHECKING:
    from ..deployment import Deployment

_WAIT = 900.0  # seconds


@dataclass
class ExportedRows:
    """The customer's rows in exports; `left` says what could not be done."""

    target: "Deployment"
    person: Person
    wait: float = _WAIT
    left: list[str] = field(default_factory=list)

    @property
    def _client(self) -> Any:
        return self.target.app.client("s3")

    @property
    def _start(self) -> bytes:
        """How the customer's sorted lines begin."""
        key = key_of_row(self.person.customer_key, self.person.recipient)
        return self.person.domain.encode() + SEPARATOR + key.encode() + SEPARATOR

    def held(self) -> Rows:
        """See `Place.held`."""
        for export, rows in self._exports().items():
            for row in rows:
                for told in self._said(row):
                    yield {"export": export, "object": row["Key"], **told}

    def scrub(self) -> int:
        """See `Place.scrub`."""
        stale = [export for export, rows in self._exports().items() if self._names(rows)]
        segments = list(self._segments())
        if not stale and not segments:
            return 0
        newest = self._export_anew()
        if newest is None:
            return 0
        rows = [
            row
            for export, rows in self._exports().items()
            if export != newest and self._names(rows)
            for row in rows
        ]
        changed = objects.delete_versions(self._client, self.target.settings.export_bucket, rows)
        for key in segments:
            self._client.delete_object(Bucket=self.target.settings.work_bucket, Key=key)
        return changed + len(segments)

    def _export_anew(self) -> str | None:
        """The export that stands after a new one was made without the customer; None if none came."""
        from ..exporting import export_now

        try:
            control, _ = export_now(self.target, self.person.domain, timeout=self.wait)
        except CommandError as error:
            self.left.append(f"exports still name the customer: {error}")
            return None
        return str(control["export"])

    def _exports(self) -> dict[str, list[dict[str, Any]]]:
        """All versions of all files of the domain's exports, delete markers too, by export."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        prefix = f"preferences/{self.person.domain}/"
        for row in objects.versions(self._client, self.target.settings.export_bucket, prefix):
            export, slash, _ = row["Key"].removeprefix(prefix).partition("/")
            if slash:
                found[export].append(row)
        return found

    def _names(self, rows: list[dict[str, Any]]) -> bool:
        return any(True for row in rows for _ in self._said(row))

    def _said(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """What one version of a file says of the customer, but for a row that has the key alone."""
        name = row["Key"].rpartition("/")[2]
        if row["marker"] or name not in ("rows.gz", "changes.json"):
            return  # the other files have the same rows
        stream = objects.body(self._client, self.target.settings.export_bucket, row["Key"], row["VersionId"])
        if stream is None:
            return
        if name == "rows.gz":
            with gzip.GzipFile(fileobj=stream) as lines:
                yield from (_row_of(line) for line in lines if line.startswith(self._start))
            return
        for raw in stream:
            line = raw.strip().rstrip(b",")
            if line.startswith(b"{") and self.person.customer_key.encode() in line:
                told: dict[str, Any] = json.loads(line)
                if self.person.owns(told) and told.get("known") == "yes":
                    yield told

    def _segments(self) -> Iterator[str]:
        """Sorted segments that have the customer's row; of a new export none has."""
        for key in objects.keys(self._client, self.target.settings.work_bucket, "exports/"):
            stream = objects.body(self._client, self.target.settings.work_bucket, key)
            if stream is not None:
                with gzip.GzipFile(fileobj=stream) as lines:
                    if any(line.startswith(self._start) for line in lines):
                        yield key


def _row_of(line: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line.split(SEPARATOR)[2])
    return found
