"""Every type of resource that the embedded cloud can deploy: one table, one small function a type."""

from ..stack import ResourceType
from . import dynamodb, events, functions, http, iam, observability, s3, secrets, sns, sqs, states

RESOURCE_TYPES: dict[str, ResourceType] = {
    **s3.TYPES,
    **sqs.TYPES,
    **sns.TYPES,
    **dynamodb.TYPES,
    **events.TYPES,
    **functions.TYPES,
    **http.TYPES,
    **iam.TYPES,
    **secrets.TYPES,
    **observability.TYPES,
    **states.TYPES,
}

RUN_BY_THE_ROOT = frozenset({**events.TYPES, **functions.TYPES, **http.TYPES, **sqs.TYPES, **states.TYPES})
"""Types that the cloud runs by their logical ids, which are unique within one template alone."""
