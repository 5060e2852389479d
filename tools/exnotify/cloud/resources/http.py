"""HTTP APIs: one of them a stack, served at an address of its own."""

import re
from typing import Any

from ..httpapi import INTEGRATION_LIMIT, Route, Throttle
from ..stack import Created, Properties, ResourceType, Stack
from ..template import TemplateError

_INTEGRATION = re.compile(
    r"arn:aws:apigateway:[^:]+:lambda:path/[\d-]+/functions/(?P<function>.+)/invocations"
)


def _api(stack: Stack, logical_id: str, properties: Properties) -> Created:
    if stack.api.routes:
        raise TemplateError("the embedded cloud serves one HTTP API a stack")
    for path, methods in (properties.get("Body") or {}).get("paths", {}).items():
        for method, operation in methods.items():
            stack.api.routes.append(_route(stack, path, method, operation))
    return Created(
        stack.api.api_id,
        {
            "ApiId": stack.api.api_id,
            "ApiEndpoint": stack.api.url,
            "Arn": stack.place.arn("apigateway", f"/apis/{stack.api.api_id}"),
        },
    )


def _route(stack: Stack, path: str, method: str, operation: dict[str, Any]) -> Route:
    verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
    integration = operation.get("x-amazon-apigateway-integration", {})
    if integration.get("type") != "aws_proxy" or str(integration.get("payloadFormatVersion")) != "2.0":
        raise TemplateError(f"{verb} {path}: only a function, with payload format 2.0, can answer here")
    if operation.get("security"):
        raise TemplateError(f"{verb} {path}: authorizers are not known to the embedded cloud")
    found = _INTEGRATION.fullmatch(str(integration.get("uri")))
    if found is None:
        raise TemplateError(f"{verb} {path}: {integration.get('uri')} is no function")
    seconds = float(integration.get("timeoutInMillis", INTEGRATION_LIMIT * 1000)) / 1000
    return Route(f"{verb} {path}", stack.function(found["function"]).arn, seconds)


def _stage(stack: Stack, logical_id: str, properties: Properties) -> Created:
    if properties["StageName"] != "$default":
        raise TemplateError("StageName: the embedded cloud serves the stage $default")
    if given := properties.get("DefaultRouteSettings"):
        stack.api.default = _throttle(given, None)
    for key, settings in (properties.get("RouteSettings") or {}).items():
        if key not in {route.key for route in stack.api.routes}:
            raise TemplateError(f"RouteSettings: there is no route {key}")
        stack.api.throttles[key] = _throttle(settings, stack.api.default)
    return Created(properties["StageName"])


def _throttle(settings: Properties, default: Throttle | None) -> Throttle:
    rate = settings.get("ThrottlingRateLimit", default.rate if default else 10_000)
    burst = settings.get("ThrottlingBurstLimit", default.burst if default else 5_000)
    return Throttle(float(rate), int(burst))


def _domain(stack: Stack, logical_id: str, properties: Properties) -> Created:
    name = str(properties["DomainName"])
    return Created(name, {"RegionalDomainName": name, "RegionalHostedZoneId": "embedded"})


def _mapping(stack: Stack, logical_id: str, properties: Properties) -> Created:
    return Created(logical_id, {"ApiMappingId": logical_id})


def _distribution(stack: Stack, logical_id: str, properties: Properties) -> Created:
    return Created(logical_id, {"DomainName": "embedded", "Id": logical_id})


_ONE_ADDRESS = "this machine has one address for it"

TYPES = {
    "AWS::ApiGatewayV2::Api": ResourceType(
        _api,
        effective=("Body.paths",),
        recorded={
            "Body": "titles, tags and types of answers mean nothing here",
            "Description": "for people",
            "DisableExecuteApiEndpoint": _ONE_ADDRESS,
            "FailOnWarnings": "what is not known is refused anyway",
            "Tags": "nothing reads them",
        },
    ),
    "AWS::ApiGatewayV2::Stage": ResourceType(
        _stage,
        effective=("StageName", "DefaultRouteSettings", "RouteSettings"),
        recorded={
            "ApiId": "there is one API",
            "AutoDeploy": "it is deployed once",
            "AccessLogSettings": "requests are not logged here",
            "Tags": "nothing reads them",
        },
    ),
    "AWS::ApiGatewayV2::DomainName": ResourceType(
        _domain,
        effective=("DomainName",),
        recorded={
            "DomainNameConfigurations": _ONE_ADDRESS,
            "MutualTlsAuthentication": _ONE_ADDRESS,
            "Tags": "nothing reads them",
        },
    ),
    "AWS::CloudFront::Distribution": ResourceType(
        _distribution,
        effective=(),
        recorded={"DistributionConfig": _ONE_ADDRESS, "Tags": "nothing reads them"},
    ),
    "AWS::ApiGatewayV2::ApiMapping": ResourceType(
        _mapping, effective=(), recorded=dict.fromkeys(("ApiId", "DomainName", "Stage"), _ONE_ADDRESS)
    ),
}
