"""Listings of a bucket, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from .operations import Answer, Request
from .s3_objects import Bucket, Version, beyond

PAGE = 1000
"""Rows of a listing, or of a call that deletes, at most."""


def list_objects(bucket: Bucket, request: Request) -> Answer:
    """ListObjectsV2."""
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    after = request.get("ContinuationToken") or request.get("StartAfter") or ""
    limit = min(int(request.get("MaxKeys", PAGE)), PAGE)
    rows: list[Answer] = []
    prefixes: list[Answer] = []
    last = more = ""
    for name, common in bucket.walk(prefix, delimiter, after, lambda k: bucket.current(k) is not None):
        if len(rows) + len(prefixes) == limit:
            more = last
            break
        last = beyond(name) if common else name
        if common:
            prefixes.append({"Prefix": name})
        else:
            rows.append(_row(name, bucket.objects[name][-1]))
    return {
        "Name": bucket.name,
        "Prefix": prefix,
        "MaxKeys": limit,
        "KeyCount": len(rows) + len(prefixes),
        "IsTruncated": bool(more),
        **({"Contents": rows} if rows else {}),
        **({"CommonPrefixes": prefixes} if prefixes else {}),
        **({"NextContinuationToken": more} if more else {}),
    }


def list_versions(bucket: Bucket, request: Request) -> Answer:
    """ListObjectVersions."""
    limit = min(int(request.get("MaxKeys", PAGE)), PAGE)
    found: dict[str, list[Answer]] = {"Versions": [], "DeleteMarkers": [], "CommonPrefixes": []}
    marker: dict[str, str] = {}
    last: dict[str, str] = {}
    for count, (name, kind, row) in enumerate(_version_rows(bucket, request)):
        if count == limit:
            marker = last
            break
        found[kind].append(row)
        last = {"NextKeyMarker": name}
        if kind != "CommonPrefixes":
            last["NextVersionIdMarker"] = row["VersionId"]
    rest = {kind: rows for kind, rows in found.items() if rows}
    about = {"Name": bucket.name, "Prefix": request.get("Prefix") or "", "MaxKeys": limit}
    return {**about, "IsTruncated": bool(marker), **rest, **marker}


def _version_rows(bucket: Bucket, request: Request) -> Iterator[tuple[str, str, Answer]]:
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    key_marker, id_marker = request.get("KeyMarker") or "", request.get("VersionIdMarker")
    if id_marker:
        # The rest of the versions of the key at which the page before ended.
        ids = [version.version_id for version in reversed(bucket.objects.get(key_marker, ()))]
        yield from _versions_of(bucket, key_marker, ids.index(id_marker) + 1 if id_marker in ids else 0)
    for name, common in bucket.walk(prefix, delimiter, key_marker, lambda _: True):
        if common:
            yield beyond(name), "CommonPrefixes", {"Prefix": name}
        else:
            yield from _versions_of(bucket, name, 0)


def _versions_of(bucket: Bucket, key: str, start: int) -> Iterator[tuple[str, str, Answer]]:
    versions = bucket.objects.get(key, [])
    for version in list(reversed(versions))[start:]:
        row = {
            **_row(key, version),
            "VersionId": version.version_id,
            "IsLatest": version is versions[-1],
        }
        if version.marker:
            for name in ("ETag", "Size", "StorageClass"):
                del row[name]
        yield key, "DeleteMarkers" if version.marker else "Versions", row


def _row(key: str, version: Version) -> Answer:
    return {
        "Key": key,
        "LastModified": whole_seconds(version.at),
        "ETag": version.etag,
        "Size": len(version.body),
        "StorageClass": "STANDARD",
    }


def whole_seconds(moment: float) -> datetime:
    """A moment as S3 tells it."""
    return datetime.fromtimestamp(int(moment), UTC)
