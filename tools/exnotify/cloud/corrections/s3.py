"""S3: events, retention, policies, dates."""

from datetime import UTC, datetime
from typing import Any

from ..clock import Clock
from ..eventbus import EventBus
from .patches import Patches


def s3_events(patches: Patches, bus: EventBus) -> None:
    """S3's events carry one constant id and `eTag` for `etag`; a put adds one on its tags, an upload in parts
    a second one of a plain put.
    """
    from moto.s3 import notifications
    from moto.s3.models import S3Backend

    completing: list[str] = []
    original = S3Backend.complete_multipart_upload

    def complete_multipart_upload(backend: Any, bucket_name: str, multipart_id: str, body: Any) -> Any:
        completing.append(multipart_id)
        try:
            return original(backend, bucket_name, multipart_id, body)
        finally:
            completing.pop()

    def send_event(account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
        name = str(event_name.value)
        if not (completing and name == "s3:ObjectCreated:Put"):
            bus.object_event(name, bucket, key)

    patches.set(S3Backend, "complete_multipart_upload", complete_multipart_upload)
    patches.set(notifications, "send_event", send_event)


def object_retention(patches: Patches) -> None:
    """GetObjectRetention answers with the object itself."""
    from moto.s3.exceptions import MissingKey
    from moto.s3.responses import S3Response

    original = S3Response._key_response_get

    def key_response_get(response: Any, query: dict[str, Any], key_name: str) -> Any:
        if "retention" not in query:
            return original(response, query, key_name)
        version = query.get("versionId", [None])[0]
        key = response.backend.get_object(response.bucket_name, key_name, version_id=version)
        if key is None:
            raise MissingKey(key=key_name)
        if not key.lock_mode:
            body = "<Error><Code>NoSuchObjectLockConfiguration</Code><Message>No retention</Message></Error>"
            return 404, {}, body
        until = f"<RetainUntilDate>{key.lock_until}</RetainUntilDate>"
        return 200, {}, f"<Retention><Mode>{key.lock_mode}</Mode>{until}</Retention>"

    patches.set(S3Response, "_key_response_get", key_response_get)


def bucket_policies(patches: Patches) -> None:
    """moto reads a Deny whose condition does not hold (TLS only) as a denial; we evaluate them ourselves."""
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    patches.set(FakeBucket, "get_permission", lambda bucket, action, resource: PermissionResult.NEUTRAL)


def object_time(patches: Patches, clock: Clock) -> None:
    """S3 dates objects, and judges retention, by the cloud's clock."""
    from moto.s3 import models

    def utcnow() -> datetime:
        return clock.utc().astimezone(UTC).replace(tzinfo=None)

    patches.set(models, "utcnow", utcnow)
