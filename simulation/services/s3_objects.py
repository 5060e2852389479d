"""Buckets and what lies in them: versions, listings, expiry, locks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ..service import Refused

DAY = 86_400.0
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Expiry:
    """One lifecycle rule; None where it says nothing of a kind. In days."""

    prefix: str = ""
    current: int | None = None
    noncurrent: int | None = None
    uploads: int | None = None


@dataclass(slots=True)
class Version:
    """One version of an object, or a delete marker (`marker`). Moments in epoch seconds."""

    version_id: str
    body: bytes
    etag: str
    at: float
    content_type: str = "binary/octet-stream"
    metadata: dict[str, str] = field(default_factory=dict)
    marker: bool = False
    locked_until: float = 0.0
    lock: str = ""
    held: bool = False
    """Under a legal hold."""

    def may_go(self, now: float, *, bypass: bool = False) -> bool:
        """Whether this version may be deleted for good."""
        retained = self.locked_until > now and not (bypass and self.lock == "GOVERNANCE")
        return not retained and not self.held


@dataclass(slots=True)
class Upload:
    """A multipart upload under way; `done` once it was completed, for one who asks again."""

    key: str
    began: float
    content_type: str
    metadata: dict[str, str]
    parts: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    done: dict[str, Any] | None = None


@dataclass(slots=True)
class Bucket:
    """A bucket as deployed, and its objects: versions by key, the newest last."""

    name: str
    versioned: bool = False
    events: bool = False
    expiry: tuple[Expiry, ...] = ()
    lock: tuple[str, int] | None = None
    """Mode and days of the default retention."""
    objects: dict[str, list[Version]] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    swept: float = 0.0

    def current(self, key: str) -> Version | None:
        """The newest version of an object; None if there is none, or the object is deleted."""
        versions = self.objects.get(key)
        return versions[-1] if versions and not versions[-1].marker else None

    def version(self, key: str, version_id: str) -> Version | None:
        """A certain version."""
        return next((v for v in self.objects.get(key, ()) if v.version_id == version_id), None)

    def add(self, key: str, version: Version) -> None:
        """Put a version on top; without versioning it replaces what is there."""
        versions = self.objects.get(key)
        if versions is None:
            insort(self.keys, key)
            versions = self.objects[key] = []
        if not self.versioned:
            versions.clear()
        versions.append(version)

    def remove(self, key: str, version: Version) -> None:
        """Take a version away for good."""
        versions = self.objects[key]
        versions.remove(version)
        if not versions:
            del self.objects[key]
            del self.keys[bisect_left(self.keys, key)]

    def walk(
        self, prefix: str, delimiter: str, after: str, shown: Callable[[str], bool]
    ) -> Iterator[tuple[str, bool]]:
        """Keys below a prefix, after a name, in order; those with the delimiter further on as one prefix.

        The second of each pair says whether it is such a prefix.
        """
        place = bisect_right(self.keys, after) if after >= prefix else bisect_left(self.keys, prefix)
        while place < len(self.keys) and self.keys[place].startswith(prefix):
            key = self.keys[place]
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            if not shown(key):
                place += 1
            elif cut >= 0:
                common = key[: cut + len(delimiter)]
                yield common, True
                place = bisect_left(self.keys, beyond(common))
            else:
                yield key, False
                place += 1

    def sweep(self, now: float, late: Callable[[str], float]) -> None:
        """Let lifecycle rules act, once a day; `late` draws by how many seconds each acts too late.

        A version is due at the first midnight (UTC) after its days: "Lifecycle rules: based on an object's
        age", S3 user guide.
        """
        if now < self.swept + DAY:
            return
        self.swept = now
        for rule in self.expiry:
            for key in self.keys[bisect_left(self.keys, rule.prefix) :]:
                if not key.startswith(rule.prefix):
                    break
                self._expire(key, rule, now, late)
            self._give_up(rule, now)

    def _expire(self, key: str, rule: Expiry, now: float, late: Callable[[str], float]) -> None:
        versions = self.objects[key]
        newest = versions[-1]
        if rule.current is not None and (due := _due(newest.at, rule.current)) <= now:
            due += late(f"{key} {newest.version_id}")
            if due <= now and newest.marker and len(versions) == 1:
                self.remove(key, newest)
                return
            if due <= now and not newest.marker:
                if not self.versioned:
                    self.remove(key, newest)
                    return
                self.add(key, Version(f"expired-{newest.version_id}", b"", "", due, marker=True))
        if rule.noncurrent is not None:
            pairs = list(pairwise(versions))
            for old, successor in pairs:
                due = _due(successor.at, rule.noncurrent)
                if due <= now and due + late(f"{key} {old.version_id}") <= now and old.may_go(now):
                    self.remove(key, old)

    def _give_up(self, rule: Expiry, now: float) -> None:
        if rule.uploads is None:
            return
        for name, upload in list(self.uploads.items()):
            if upload.key.startswith(rule.prefix) and _due(upload.began, rule.uploads) <= now:
                del self.uploads[name]


def beyond(prefix: str) -> str:
    """A name after all keys that begin with a prefix."""
    return prefix + _LAST


def _due(at: float, days: int) -> float:
    whole, rest = divmod(at + days * DAY, DAY)
    return (whole + (rest > 0)) * DAY


def insist_on(bucket: Bucket | None, name: str) -> Bucket:
    """The bucket. Raises Refused if there is none."""
    if bucket is None:
        raise Refused("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name)
    return bucket
