"""Secrets, parameters and keys."""

import json

from ..stack import Created, Properties, ResourceType, Stack
from ..template import TemplateError

_PASSWORD = (
    "PasswordLength",
    "ExcludeCharacters",
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "ExcludeLowercase",
    "IncludeSpace",
    "RequireEachIncludedType",
)


def _secret(stack: Stack, logical_id: str, properties: Properties) -> Created:
    client = stack.client("secretsmanager")
    name = stack.physical_name(logical_id, properties.get("Name"))
    if ("SecretString" in properties) == ("GenerateSecretString" in properties):
        raise TemplateError("a secret takes either SecretString or GenerateSecretString")
    value = properties.get("SecretString")
    if value is None:
        rule = properties["GenerateSecretString"]
        options = {key: rule[key] for key in _PASSWORD if key in rule}
        password = client.get_random_password(**options)["RandomPassword"]
        value = password
        if "GenerateStringKey" in rule:
            value = json.dumps(
                {**json.loads(rule["SecretStringTemplate"]), rule["GenerateStringKey"]: password}
            )
    arn = client.create_secret(Name=name, SecretString=value)["ARN"]
    return Created(arn, {"Id": arn})


def _parameter(stack: Stack, logical_id: str, properties: Properties) -> Created:
    name = stack.physical_name(logical_id, properties.get("Name"))
    stack.client("ssm").put_parameter(Name=name, Type=properties["Type"], Value=properties["Value"])
    return Created(name, {"Type": properties["Type"], "Value": properties["Value"]})


def _key(stack: Stack, logical_id: str, properties: Properties) -> Created:
    kms = stack.client("kms")
    metadata = kms.create_key()["KeyMetadata"]
    if properties.get("EnableKeyRotation"):
        kms.enable_key_rotation(KeyId=metadata["KeyId"])
    return Created(metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]})


def _alias(stack: Stack, logical_id: str, properties: Properties) -> Created:
    stack.client("kms").create_alias(AliasName=properties["AliasName"], TargetKeyId=properties["TargetKeyId"])
    return Created(properties["AliasName"])


TYPES = {
    "AWS::SecretsManager::Secret": ResourceType(
        _secret,
        effective=(
            "Name",
            "SecretString",
            "GenerateSecretString.SecretStringTemplate",
            "GenerateSecretString.GenerateStringKey",
            *(f"GenerateSecretString.{option}" for option in _PASSWORD),
        ),
        recorded={
            "Description": "for people",
            "KmsKeyId": "nothing is written to a disk",
            "Tags": "nothing reads them",
        },
    ),
    "AWS::SSM::Parameter": ResourceType(
        _parameter,
        effective=("Name", "Type", "Value"),
        recorded={"Description": "for people", "Tags": "nothing reads them"},
    ),
    "AWS::KMS::Key": ResourceType(
        _key,
        effective=("EnableKeyRotation",),
        recorded={
            "Description": "for people",
            "Enabled": "keys are not disabled here",
            "KeyPolicy": "roles' own policies decide",
            "PendingWindowInDays": "keys are not deleted here",
            "Tags": "nothing reads them",
        },
    ),
    "AWS::KMS::Alias": ResourceType(_alias, effective=("AliasName", "TargetKeyId")),
}
