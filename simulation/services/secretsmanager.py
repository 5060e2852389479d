"""Secrets with versions and their stages.

After the Secrets Manager API reference. Not simulated: rotation functions, deletion, replicas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from ..nature import Nature
from ..service import Refused
from .operations import Answer, Operation, Request, Simulated, known

SECRET_BYTES = 65_536
_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


@dataclass(slots=True)
class Secret:
    """A secret: texts by version id, versions by stage."""

    arn: str
    name: str
    versions: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Text and when it was put, in epoch seconds."""
    stages: dict[str, str] = field(default_factory=dict)

    def put(self, version_id: str, text: str, now: float) -> None:
        """Make a text the current one; the one before becomes the previous."""
        self.versions[version_id] = (text, now)
        if _CURRENT in self.stages:
            self.stages[_PREVIOUS] = self.stages[_CURRENT]
        self.stages[_CURRENT] = version_id


class SecretsManager(Simulated):
    """The `Service`."""

    name = "secretsmanager"

    def __init__(self, nature: Nature) -> None:
        super().__init__(nature)
        self._secrets: dict[str, Secret] = {}
        self._operations: Mapping[str, Operation] = {
            "GetSecretValue": (self._get, known("SecretId", "VersionId", "VersionStage")),
            "PutSecretValue": (self._put, known("SecretId", "SecretString", "ClientRequestToken")),
            "DescribeSecret": (self._describe, known("SecretId")),
        }

    def create(self, arn: str, name: str, text: str) -> None:
        """A secret as deployed; it is found by its ARN and by its name."""
        secret = Secret(arn, name)
        secret.put(self.new_uuid(f"secret {name}"), text, self.now)
        self._secrets[arn] = self._secrets[name] = secret

    def _get(self, request: Request) -> Answer:
        secret = self._secret(request)
        stage = request.get("VersionStage", _CURRENT)
        version_id = request.get("VersionId") or secret.stages.get(stage, "")
        if version_id not in secret.versions:
            text = f"Secrets Manager can't find the specified secret value for staging label: {stage}"
            raise Refused("ResourceNotFoundException", text)
        text, put = secret.versions[version_id]
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": version_id,
            "SecretString": text,
            "VersionStages": [name for name, of in secret.stages.items() if of == version_id],
            "CreatedDate": self.utc(put),
        }

    def _put(self, request: Request) -> Answer:
        secret, text = self._secret(request), str(request["SecretString"])
        if not 1 <= len(text.encode()) <= SECRET_BYTES:
            raise Refused("ValidationException", "Member must have length between 1 and 65536, inclusive")
        # botocore sends a token of its own, the same for all tries of a call.
        made = self.hexadecimal(f"version {secret.name} {self.nature.place.partition(' try ')[0]}", 16)
        token = request.get("ClientRequestToken") or str(UUID(made))
        known_text = secret.versions.get(token)
        if known_text is not None and known_text[0] != text:
            raise Refused("ResourceExistsException", f"version {token} has other content")
        if known_text is None:
            secret.put(token, text, self.now)
        stages = [name for name, of in secret.stages.items() if of == token]
        return {"ARN": secret.arn, "Name": secret.name, "VersionId": token, "VersionStages": stages}

    def _describe(self, request: Request) -> Answer:
        secret = self._secret(request)
        stages: dict[str, list[str]] = {}
        for stage, version_id in secret.stages.items():
            stages.setdefault(version_id, []).append(stage)
        changed = max(put for _, put in secret.versions.values())
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "LastChangedDate": self.utc(changed),
            "VersionIdsToStages": stages,
        }

    def _secret(self, request: Request) -> Secret:
        secret = self._secrets.get(str(request["SecretId"]))
        if secret is None:
            raise Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        return secret
