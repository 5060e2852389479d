"""The key secrets: versions of keys with one current, `{"current": "2", "1": …, "2": …}`.

A key is never taken away or changed: old links, hashes and proofs are read with the version they were made
with. A new version must be known to every function before the first one makes something with it, and a
function keeps a secret for `KEEP` seconds; so it is added first, and made current later.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import CommandError, MisuseError

if TYPE_CHECKING:
    from .deployment import Deployment

MOST = 255
"""The highest version: a link names its key in one byte."""

MARGIN = 30.0
"""Seconds waited beyond `KEEP`, for a function that was just reading."""


@dataclass(frozen=True, slots=True)
class KeySecret:
    """One key secret as it stands; the keys themselves are not shown by `repr`."""

    name: str
    secret_id: str
    current: str
    versions: tuple[int, ...]

    @property
    def pending(self) -> int | None:
        """A version that was added and is not current yet: a rotation that was broken off."""
        newest = self.versions[-1]
        return newest if newest > int(self.current) else None

    @property
    def next(self) -> int:
        """The version that a rotation makes current. MisuseError if there can be none."""
        version = self.pending or self.versions[-1] + 1
        if version > MOST:
            raise MisuseError(f"{self.name} has {MOST} versions, and a link can name no more")
        return version


def key_secrets(target: "Deployment") -> dict[str, KeySecret]:
    """Every key secret of the stack by its name in the template, from the stack's outputs `…Secret`."""
    found = {}
    for output, secret_id in sorted(target.outputs.items()):
        if not output.endswith(("Secret", "SecretArn")):
            continue
        # `PeppersSecret` is the output of Peppers; `ReceiptHookSecretArn` that of ReceiptHookSecret.
        name = output.removesuffix("Arn") if output.endswith("Arn") else output.removesuffix("Secret")
        fields = _fields(target, secret_id)
        versions = sorted(int(v) for v in fields if v.isdigit())
        if str(fields.get("current", "")).isdigit() and fields["current"] in fields:
            found[name] = KeySecret(name, secret_id, fields["current"], tuple(versions))
    return found


def key_secret(target: "Deployment", name: str) -> KeySecret:
    """One of them. MisuseError for a name that is none's."""
    known = key_secrets(target)
    if name not in known:
        raise MisuseError(f"there are no keys {name!r}: {', '.join(known) or 'the stack has none'}")
    return known[name]


def rotate(target: "Deployment", name: str, pause: Callable[[], None]) -> KeySecret:
    """Add a version, `pause` until every function knows it, make it current; the secret as it is then.

    Broken off in between, the next rotation goes on with the version that was added. CommandError where
    somebody else changed the secret meanwhile: their key is left as it is.
    """
    before = key_secret(target, name)
    version = str(before.next)
    if before.pending is None:
        fields = _fields(target, before.secret_id)
        if version in fields or fields["current"] != before.current:
            raise CommandError(f"{name} is being changed by somebody else: look, and try again")
        _put(target, before, {**fields, version: secrets.token_urlsafe(32)})
    key = _fields(target, before.secret_id)[version]
    pause()
    fields = _fields(target, before.secret_id)
    if fields.get(version) != key or fields["current"] != before.current:
        raise CommandError(f"{name} was changed by somebody else meanwhile: version {version} is not current")
    _put(target, before, {**fields, "current": version})
    return key_secret(target, name)


def _fields(target: "Deployment", secret_id: str) -> Mapping[str, str]:
    text = target.client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"]
    try:
        fields: Any = json.loads(text)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _put(target: "Deployment", secret: KeySecret, fields: Mapping[str, str]) -> None:
    target.client("secretsmanager").put_secret_value(
        SecretId=secret.secret_id, SecretString=json.dumps(dict(fields))
    )
