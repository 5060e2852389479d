"""Objects of a bucket: listed, replaced unless somebody else wrote, deleted with all their versions."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from exstream_notify.adapters.batches import insist

_TRIES = 5
_DELETED_AT_ONCE = 1000
_TRIED_AGAIN = frozenset({"InternalError", "ServiceUnavailable", "SlowDown"})
"""Why S3 does not delete one of several objects, and may do so in a later call."""


def keys(client: Any, bucket: str, prefix: str) -> Iterator[str]:
    """The keys below a prefix."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (row["Key"] for row in page.get("Contents", ()))


def folders(client: Any, bucket: str, prefix: str) -> Iterator[str]:
    """The prefixes one level below `prefix`, each with its slash, also where only old versions lie there."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    for page in pages:
        yield from (row["Prefix"] for row in page.get("CommonPrefixes", ()))


def versions(client: Any, bucket: str, prefix: str, *, below: bool = True) -> Iterator[dict[str, Any]]:
    """Every version and delete marker below a prefix; `below=False`: of the folder itself only.

    A row has Key, VersionId, IsLatest, and `marker`, whether it is a delete marker.
    """
    more = {} if below else {"Delimiter": "/"}
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix, **more)
    for page in pages:
        yield from ({**row, "marker": False} for row in page.get("Versions", ()))
        yield from ({**row, "marker": True} for row in page.get("DeleteMarkers", ()))


def delete_versions(client: Any, bucket: str, rows: Sequence[dict[str, Any]]) -> int:
    """Delete these versions for good; their number."""

    def delete(wanted: Sequence[dict[str, str]]) -> Sequence[dict[str, str]]:
        """Those that are left, and that a later call may delete."""
        answer = client.delete_objects(Bucket=bucket, Delete={"Objects": list(wanted), "Quiet": True})
        errors = answer.get("Errors", ())
        if refused := [error for error in errors if error.get("Code") not in _TRIED_AGAIN]:
            raise RuntimeError(f"{len(refused)} versions cannot be deleted: {refused[0].get('Code')}")
        left = {(error["Key"], error.get("VersionId")) for error in errors}
        return [row for row in wanted if (row["Key"], row["VersionId"]) in left]

    for start in range(0, len(rows), _DELETED_AT_ONCE):
        some = rows[start : start + _DELETED_AT_ONCE]
        wanted = [{"Key": row["Key"], "VersionId": row["VersionId"]} for row in some]
        insist(delete, wanted, "S3 kept leaving versions undeleted")
    return len(rows)


def delete_object(client: Any, bucket: str, key: str) -> int:
    """Delete an object with all its versions; the number of versions."""
    rows = [row for row in versions(client, bucket, key) if row["Key"] == key]
    return delete_versions(client, bucket, rows)


def body(client: Any, bucket: str, key: str, version: str | None = None) -> BinaryIO | None:
    """An object's bytes as a stream; None if it is gone."""
    more = {"VersionId": version} if version else {}
    try:
        found: BinaryIO = client.get_object(Bucket=bucket, Key=key, **more)["Body"]
    except client.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    return found


def edit(client: Any, bucket: str, key: str, change: Callable[[bytes], bytes | None]) -> bool:
    """Replace a small object's content by `change` of it, None to delete it; whether anything changed.

    A write of somebody else in between is read and changed too (a conditional write), never undone.
    """
    for _ in range(_TRIES):
        try:
            answer = client.get_object(Bucket=bucket, Key=key)
        except client.exceptions.NoSuchKey:
            return False
        before: bytes = answer["Body"].read()
        after = change(before)
        if after == before:
            return False
        if after is None:
            client.delete_object(Bucket=bucket, Key=key)
            return True
        try:
            client.put_object(Bucket=bucket, Key=key, Body=after, IfMatch=answer["ETag"])
        except client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (409, 412):
                raise
            continue
        return True
    raise RuntimeError(f"an object of {bucket} kept changing: run the command again")
