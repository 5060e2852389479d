"""What the two AWS simulators have in common: signatures, permissions, and the service's own model."""

import re
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any

from .wire import Request

ACCOUNT = "123456789012"
_SCOPE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/,\s]+/[0-9]{8}/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)"
    r"/aws4_request,\s*SignedHeaders=[a-z0-9;-]+,\s*Signature=[0-9a-f]{64}"
)
_LOADING = threading.Lock()


class NotSigned(Exception):
    """No signature, or one for another service; `code` is what AWS says."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def region_of(request: Request, service: str) -> str:
    """The region that the request was signed for; NotSigned. The signature itself is not recomputed."""
    header = request.header("Authorization")
    if not header:
        raise NotSigned("MissingAuthenticationTokenException", "Missing Authentication Token")
    scope = _SCOPE.fullmatch(header)
    if scope is None:
        raise NotSigned("IncompleteSignatureException", "the Authorization header is not complete")
    if scope["service"] != service:
        raise NotSigned(
            "InvalidSignatureException", f"Credential should be scoped to correct service: '{service}'."
        )
    return scope["region"]


def allowed(request: Request, action: str, resource: str) -> bool:
    """Whether the signer may, where the server that this runs under can tell; else everybody may."""
    ask = request.environ.get("exnotify.allowed")
    return bool(ask(action, resource)) if ask is not None else True


@cache
def _input_shape(service: str, operation: str) -> Any:
    import botocore.session

    model = botocore.session.Session().get_service_model(service)
    return model.operation_model(operation).input_shape


def problems(service: str, operation: str, parameters: object) -> list[tuple[str, str]]:
    """Where the parameters break the service's model: path and what is wrong. Empty: nowhere.

    Beyond what the SDK checks before a call this minds patterns, lengths, allowed values and names
    that the model does not know.
    """
    with _LOADING:
        shape = _input_shape(service, operation)
    found: list[tuple[str, str]] = []
    _walk(shape, parameters, "", found)
    return found


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "structure": dict,
    "map": dict,
    "list": list,
    "blob": str,
}


def _walk(shape: Any, value: object, path: str, found: list[tuple[str, str]]) -> None:
    wanted = _TYPES[shape.type_name]
    if not isinstance(value, wanted) or (shape.type_name == "integer" and isinstance(value, bool)):
        found.append((path, f"is no {shape.type_name}"))
        return
    _limits(shape, value, path, found)
    if shape.type_name == "structure" and isinstance(value, dict):
        for name in sorted(set(shape.required_members) - set(value)):
            found.append((_join(path, name), "is missing"))
        for name, inner in value.items():
            if name not in shape.members:
                found.append((path or "request", "has an unknown field"))
            else:
                _walk(shape.members[name], inner, _join(path, name), found)
    elif shape.type_name == "list" and isinstance(value, list):
        for number, inner in enumerate(value):
            _walk(shape.member, inner, f"{path}[{number}]", found)
    elif shape.type_name == "map" and isinstance(value, dict):
        for name, inner in value.items():
            _walk(shape.key, name, f"{path}.key", found)
            _walk(shape.value, inner, f"{path}.value", found)


def _limits(shape: Any, value: Any, path: str, found: list[tuple[str, str]]) -> None:
    limits = shape.metadata
    size = value if shape.type_name == "integer" else len(value) if hasattr(value, "__len__") else None
    if size is not None and not limits.get("min", size) <= size <= limits.get("max", size):
        found.append((path, f"is not within {limits.get('min', '')} to {limits.get('max', '')}"))
    if "enum" in limits and value not in limits["enum"]:
        found.append((path, f"is none of {', '.join(limits['enum'])}"))
    if "pattern" in limits and re.fullmatch(limits["pattern"], value) is None:
        found.append((path, "has characters that it may not have"))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
