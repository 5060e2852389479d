"""S3: strongly consistent objects with versions, conditions, locks, uploads in parts; events per object.

After the S3 API reference and user guide. A completed upload may be completed again with the same parts.
Not simulated: access lists, tags, encryption keys, storage classes, copies.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from ..nature import Nature
from ..service import Refused
from .operations import ACCOUNT, Answer, Operation, Request, Simulated, known
from .s3_listings import PAGE, list_objects, list_versions, whole_seconds
from .s3_objects import DAY, Bucket, Upload, Version, insist_on

OBJECT_BYTES = 5 * 1024**3
"""What one put or part takes at most."""
PART_BYTES = 5 * 1024**2
"""What each part but the last has at least."""
_KEY_BYTES = 1024
_PARTS = 10_000
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_LIFECYCLE_LATE = 2 * DAY


class S3(Simulated):
    """The `Service`. `on_event` is given what S3 tells EventBridge, as `EventBridge.emit` takes it.

    Faults: `s3_conflict`, a conditional write that meets another one (409) and has no effect.
    """

    name = "s3"

    def __init__(
        self, nature: Nature, buckets: Iterable[Bucket], on_event: Callable[[dict[str, Any]], None]
    ) -> None:
        super().__init__(nature)
        self.buckets = {bucket.name: bucket for bucket in buckets}
        self._on_event = on_event
        self._sequence = 0
        place = ("Bucket", "Key")
        read = (*place, "VersionId", "IfMatch", "Range")
        write = (*place, "ContentType", "Metadata")
        listing = ("Bucket", "Prefix", "Delimiter", "MaxKeys")
        self._operations: Mapping[str, Operation] = {
            "PutObject": (self._put, known(*write, "Body", "IfNoneMatch", "IfMatch")),
            "GetObject": (self._get, known(*read)),
            "HeadObject": (self._head, known(*read)),
            "DeleteObject": (self._delete, known(*place, "VersionId", "BypassGovernanceRetention")),
            "DeleteObjects": (self._delete_many, known("Bucket", "Delete", "BypassGovernanceRetention")),
            "ListObjectsV2": (self._listed(list_objects), known(*listing, "ContinuationToken", "StartAfter")),
            "ListObjectVersions": (
                self._listed(list_versions),
                known(*listing, "KeyMarker", "VersionIdMarker"),
            ),
            "CreateMultipartUpload": (self._create, known(*write)),
            "UploadPart": (self._upload, known(*place, "UploadId", "PartNumber", "Body")),
            "CompleteMultipartUpload": (
                self._complete,
                known(*place, "UploadId", "MultipartUpload", "IfNoneMatch", "IfMatch"),
            ),
            "AbortMultipartUpload": (self._abort, known(*place, "UploadId")),
            "PutObjectLegalHold": (self._hold, known(*place, "VersionId", "LegalHold")),
            "GetObjectRetention": (self._retention, known(*place, "VersionId")),
            "GetObjectLockConfiguration": (self._lock, known("Bucket")),
        }

    # ---- whole objects ----

    def _put(self, request: Request) -> Answer:
        bucket, key = self._bucket(request), _key(request)
        body = _bytes(request.get("Body", b""))
        self._check_condition(bucket, key, request)
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        return self._written(bucket, key, self._version(bucket, key, body, etag, request), "PutObject")

    def _version(self, bucket: Bucket, key: str, body: bytes, etag: str, about: Mapping[str, Any]) -> Version:
        version = Version(
            self.hexadecimal(self.new_name(f"version {bucket.name}/{key}"), 16)
            if bucket.versioned
            else "null",
            body,
            etag,
            self.now,
            about.get("ContentType") or "binary/octet-stream",
            {name.lower(): text for name, text in (about.get("Metadata") or {}).items()},
        )
        if bucket.lock is not None:
            version.lock, version.locked_until = bucket.lock[0], self.now + bucket.lock[1] * DAY
        return version

    def _written(self, bucket: Bucket, key: str, version: Version, reason: str) -> Answer:
        bucket.add(key, version)
        if bucket.events:
            self._on_event(self._event(bucket, key, version, reason))
        return {"ETag": version.etag, **_named(bucket, version)}

    def _event(self, bucket: Bucket, key: str, version: Version, reason: str) -> dict[str, Any]:
        self._sequence += 1
        about: dict[str, Any] = {"key": key, "size": len(version.body), "etag": version.etag.strip('"')}
        if bucket.versioned:
            about["version-id"] = version.version_id
        about["sequencer"] = f"{self._sequence:018X}"
        return {
            "detail-type": "Object Created",
            "source": "aws.s3",
            "resources": [f"arn:aws:s3:::{bucket.name}"],
            "detail": {
                "version": "0",
                "bucket": {"name": bucket.name},
                "object": about,
                "request-id": f"{self._sequence:016X}",
                "requester": ACCOUNT,
                "source-ip-address": "192.0.2.1",
                "reason": reason,
            },
        }

    def _check_condition(self, bucket: Bucket, key: str, request: Request) -> None:
        """ "Conditional writes", S3 user guide."""
        absent, match = request.get("IfNoneMatch"), request.get("IfMatch")
        if absent is None and match is None:
            return
        if absent not in (None, "*"):
            raise NotImplementedError(f"s3: IfNoneMatch {absent}")
        if self.fault("s3_conflict", key):
            raise Refused(
                "ConditionalRequestConflict", "A conflicting operation occurred during the request", 409
            )
        there = bucket.current(key)
        if match is not None and there is None:
            raise _no_key(key)
        if there is not None if match is None else there is not None and there.etag != _quoted(match):
            condition = "If-None-Match" if match is None else "If-Match"
            raise Refused(
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
                412,
                Condition=condition,
            )

    def _get(self, request: Request) -> Answer:
        bucket, version = self._found(request)
        answer = _described(whole_seconds(version.at), bucket, version)
        body = version.body
        if "Range" in request:
            first, last = _span(str(request["Range"]), len(body))
            body = body[first : last + 1]
            answer["ContentRange"] = f"bytes {first}-{last}/{len(version.body)}"
        return {**answer, "ContentLength": len(body), "Body": body}

    def _head(self, request: Request) -> Answer:
        try:
            answer = self._get(request)
        except Refused as refused:
            # An answer without a body has no code: botocore takes the status.
            reason = {404: "Not Found", 403: "Forbidden"}.get(refused.status, refused.code)
            raise Refused(str(refused.status), reason, refused.status) from None
        del answer["Body"]
        return answer

    def _found(self, request: Request) -> tuple[Bucket, Version]:
        bucket, key = self._bucket(request), _key(request)
        version_id = request.get("VersionId")
        version = bucket.version(key, version_id) if version_id else bucket.current(key)
        if version is None:
            raise _no_version(key, version_id) if version_id else _no_key(key)
        if version.marker:
            raise Refused(
                "MethodNotAllowed", "The specified method is not allowed against this resource.", 405
            )
        if "IfMatch" in request and _quoted(request["IfMatch"]) != version.etag:
            raise Refused(
                "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412
            )
        return bucket, version

    # ---- deleting ----

    def _delete(self, request: Request) -> Answer:
        bypass = bool(request.get("BypassGovernanceRetention"))
        return self._deleted(self._bucket(request), _key(request), request.get("VersionId"), bypass=bypass)

    def _deleted(self, bucket: Bucket, key: str, version_id: str | None, *, bypass: bool) -> Answer:
        if version_id is not None:
            version = bucket.version(key, version_id)
            if version is None:
                return {"VersionId": version_id}
            if not version.may_go(self.now, bypass=bypass):
                raise Refused("AccessDenied", "Access Denied because object protected by object lock.", 403)
            bucket.remove(key, version)
            return {"VersionId": version_id, **({"DeleteMarker": True} if version.marker else {})}
        if bucket.versioned:
            name = self.hexadecimal(self.new_name(f"marker {bucket.name}/{key}"), 16)
            bucket.add(key, Version(name, b"", "", self.now, marker=True))
            return {"DeleteMarker": True, "VersionId": name}
        if (there := bucket.current(key)) is not None:
            bucket.remove(key, there)
        return {}

    def _delete_many(self, request: Request) -> Answer:
        bucket, wanted = self._bucket(request), request["Delete"]
        if not 1 <= len(wanted["Objects"]) <= PAGE:
            raise Refused("MalformedXML", "The XML you provided was not well-formed")
        deleted, errors = [], []
        for row in wanted["Objects"]:
            named = {name: row[name] for name in ("Key", "VersionId") if name in row}
            try:
                answer = self._deleted(
                    bucket,
                    row["Key"],
                    row.get("VersionId"),
                    bypass=bool(request.get("BypassGovernanceRetention")),
                )
            except Refused as refused:
                errors.append({**named, "Code": refused.code, "Message": refused.message})
                continue
            marker = {"DeleteMarker": True, "DeleteMarkerVersionId": answer.get("VersionId")}
            deleted.append({**named, **(marker if "DeleteMarker" in answer else {})})
        shown = {} if wanted.get("Quiet") else {"Deleted": deleted}
        return {**shown, **({"Errors": errors} if errors else {})}

    # ---- uploads in parts ----

    def _create(self, request: Request) -> Answer:
        bucket, key = self._bucket(request), _key(request)
        upload = Upload(key, self.now, request.get("ContentType") or "", dict(request.get("Metadata") or {}))
        name = self.hexadecimal(self.new_name(f"upload {bucket.name}/{key}"), 24)
        bucket.uploads[name] = upload
        return {"Bucket": bucket.name, "Key": key, "UploadId": name}

    def _upload(self, request: Request) -> Answer:
        upload = self._pending(request)
        number = int(request["PartNumber"])
        if not 1 <= number <= _PARTS:
            raise Refused("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
        body = _bytes(request["Body"])
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        upload.parts[number] = (body, etag)
        return {"ETag": etag}

    def _pending(self, request: Request) -> Upload:
        upload = self._bucket(request).uploads.get(request["UploadId"])
        if upload is None or upload.key != request["Key"] or upload.done is not None:
            raise Refused("NoSuchUpload", "The specified upload does not exist.", 404)
        return upload

    def _complete(self, request: Request) -> Answer:
        bucket, key = self._bucket(request), _key(request)
        upload = bucket.uploads.get(request["UploadId"])
        if upload is not None and upload.key == key and upload.done is not None:
            return dict(upload.done)
        upload = self._pending(request)
        self._check_condition(bucket, key, request)
        parts = _assembled(upload, request["MultipartUpload"].get("Parts", ()))
        digest = hashlib.md5(usedforsecurity=False)
        for body in parts:
            digest.update(hashlib.md5(body, usedforsecurity=False).digest())
        about = {"ContentType": upload.content_type, "Metadata": upload.metadata}
        etag = f'"{digest.hexdigest()}-{len(parts)}"'
        version = self._version(bucket, key, b"".join(parts), etag, about)
        answer = self._written(bucket, key, version, "CompleteMultipartUpload")
        upload.done = {"Bucket": bucket.name, "Key": key, **answer}
        upload.parts.clear()
        return dict(upload.done)

    def _abort(self, request: Request) -> Answer:
        self._pending(request)
        del self._bucket(request).uploads[request["UploadId"]]
        return {}

    # ---- locks ----

    def _hold(self, request: Request) -> Answer:
        self._found(request)[1].held = request["LegalHold"]["Status"] == "ON"
        return {}

    def _retention(self, request: Request) -> Answer:
        _, version = self._found(request)
        if not version.lock:
            raise Refused("NoSuchObjectLockConfiguration", "No retention", 404)
        return {"Retention": {"Mode": version.lock, "RetainUntilDate": self.utc(version.locked_until)}}

    def _lock(self, request: Request) -> Answer:
        bucket = self._bucket(request)
        if bucket.lock is None:
            raise Refused("ObjectLockConfigurationNotFoundError", "It does not exist for this bucket", 404)
        rule = {"DefaultRetention": {"Mode": bucket.lock[0], "Days": bucket.lock[1]}}
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": rule}}

    def _listed(self, listing: Callable[[Bucket, Request], Answer]) -> Callable[[Request], Answer]:
        return lambda request: listing(self._bucket(request), request)

    def _bucket(self, request: Request) -> Bucket:
        name = str(request["Bucket"])
        bucket = insist_on(self.buckets.get(name), name)
        draw = self.nature.chance.uniform
        bucket.sweep(self.now, lambda what: draw(f"lifecycle {name}/{what}", 0, _LIFECYCLE_LATE))
        return bucket


def _key(request: Request) -> str:
    key = str(request["Key"])
    if len(key.encode()) > _KEY_BYTES:
        raise Refused("KeyTooLongError", "Your key is too long")
    return key


def _bytes(body: Any) -> bytes:
    data = body.read() if hasattr(body, "read") else body
    content = data.encode() if isinstance(data, str) else bytes(data)
    if len(content) > OBJECT_BYTES:
        raise Refused("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    return content


def _span(text: str, size: int) -> tuple[int, int]:
    """First and last byte of a range, as "Range requests", RFC 9110, has it."""
    found = _RANGE.fullmatch(text)
    if found is None or found[1] == found[2] == "":
        raise NotImplementedError(f"s3: Range {text}")
    first = int(found[1]) if found[1] else max(size - int(found[2]), 0)
    last = min(int(found[2]), size - 1) if found[1] and found[2] else size - 1
    if first > last:
        raise Refused("InvalidRange", "The requested range is not satisfiable", 416)
    return first, last


def _assembled(upload: Upload, rows: Iterable[Mapping[str, Any]]) -> list[bytes]:
    numbers = [int(row["PartNumber"]) for row in rows]
    if not numbers:
        raise Refused("MalformedXML", "The XML you provided was not well-formed")
    if numbers != sorted(set(numbers)):
        raise Refused("InvalidPartOrder", "The list of parts was not in ascending order.")
    for row in rows:
        part = upload.parts.get(int(row["PartNumber"]))
        if part is None or _quoted(row["ETag"]) != part[1]:
            raise Refused("InvalidPart", "One or more of the specified parts could not be found.")
    bodies = [upload.parts[number][0] for number in numbers]
    if any(len(body) < PART_BYTES for body in bodies[:-1]):
        raise Refused("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    return bodies


def _described(modified: datetime, bucket: Bucket, version: Version) -> Answer:
    return {
        "AcceptRanges": "bytes",
        "ETag": version.etag,
        "LastModified": modified,
        "ContentType": version.content_type,
        "Metadata": dict(version.metadata),
        **_named(bucket, version),
    }


def _named(bucket: Bucket, version: Version) -> dict[str, str]:
    return {"VersionId": version.version_id} if bucket.versioned else {}


def _quoted(etag: str) -> str:
    plain = str(etag).strip('"')
    return f'"{plain}"'


def _no_key(key: str) -> Refused:
    return Refused("NoSuchKey", "The specified key does not exist.", 404, Key=key)


def _no_version(key: str, version_id: str) -> Refused:
    return Refused(
        "NoSuchVersion", "The specified version does not exist.", 404, Key=key, VersionId=version_id
    )
