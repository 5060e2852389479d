"""How the doctor asks AWS: what is not there is an answer, what may not be asked is none."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .finding import Finding, Resolver

if TYPE_CHECKING:
    from ..deployment import Deployment

Answer = Mapping[str, Any]

_ABSENT = re.compile(r"(NoSuch|\w*NotFound)\w*|404")
"""Codes that say that what was asked for does not exist: NotFoundException, NoSuchBucket and their like."""

_REFUSED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized|AuthorizationError|Forbidden|403")

_IAM = {"sesv2": "ses", "pinpoint-sms-voice-v2": "sms-voice", "apigatewayv2": "apigateway"}
"""Services whose actions have another prefix in policies than the SDK's name."""


class Untold(Exception):
    """A call got no answer; `cure` says what to do about it."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.cure = cure

    def finding(self, check: str) -> Finding:
        """As what a check found: nothing."""
        return Finding(check, "unknown", str(self), self.cure)


def _nobody(name: str, kind: str) -> Sequence[str]:
    raise LookupError("DNS is not asked here")


class Look:
    """A stack as the checks see it: its parameters, outputs, resources, and the account around it."""

    def __init__(self, target: "Deployment", resolve: Resolver = _nobody) -> None:
        self.target = target
        self.resolve = resolve
        self.parameters = target.parameters
        self.outputs = target.outputs

    @property
    def embedded(self) -> bool:
        """Whether this is the embedded cloud, seen as such."""
        return self.target.url is not None

    @cached_property
    def providers(self) -> frozenset[str]:
        """The providers that the stack sends through."""
        chosen = {self.parameters.get(name, "opentext") for name in ("EmailProvider", "SmsProvider")}
        overrides = self.parameters.get("ProviderOverrides", "")
        return frozenset(chosen | set(re.findall(r"=\s*(\w+)", overrides)))

    def number(self, parameter: str, default: float) -> float:
        """A parameter that is a number."""
        return float(self.parameters.get(parameter) or default)

    @cached_property
    def region(self) -> str:
        """The stack's region."""
        return str(self.target.client("cloudformation").meta.region_name)

    # ---- questions ----

    def ask(self, service: str, operation: str, **arguments: Any) -> Answer | None:
        """A call's answer; None where what it asks for does not exist. Untold where nobody can tell."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: Answer = getattr(self.target.client(service), operation)(**arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if _ABSENT.fullmatch(code):
                return None
            raise self._untold(service, operation, code) from error
        except BotoCoreError as error:
            raise self._untold(service, operation, type(error).__name__) from error
        return answer

    def tell(self, service: str, operation: str, **arguments: Any) -> Answer:
        """A call's answer that there must be: Untold also where what it asks for does not exist."""
        answer = self.ask(service, operation, **arguments)
        if answer is None:
            raise self._untold(service, operation, "nothing there")
        return answer

    def rows(self, service: str, operation: str, under: str, **arguments: Any) -> Iterator[Answer]:
        """The rows of a paged call; Untold where nobody can tell."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            pages = self.target.client(service).get_paginator(operation).paginate(**arguments)
            for page in pages:
                yield from page.get(under, ())
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if not _ABSENT.fullmatch(code):
                raise self._untold(service, operation, code) from error
        except BotoCoreError as error:
            raise self._untold(service, operation, type(error).__name__) from error

    def _untold(self, service: str, operation: str, code: str) -> Untold:
        name = "".join(part.capitalize() for part in operation.split("_"))
        action = f"{_IAM.get(service, service)}:{name}"
        if _REFUSED.search(code):
            return Untold(f"not permitted: {action}", f"allow {action} to whoever runs this")
        return Untold(f"no answer to {action}: {code}", "look at it in the console, or run this again")

    # ---- the stack's resources ----

    @cached_property
    def resources(self) -> Mapping[str, tuple[str, str]]:
        """Type and physical id by logical id, those of nested stacks after the stack's own."""
        found: dict[str, tuple[str, str]] = {}
        pending = [self._stack]
        while pending:
            name = pending.pop()
            for row in self.rows(
                "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=name
            ):
                kind, physical = str(row["ResourceType"]), str(row.get("PhysicalResourceId", ""))
                found.setdefault(str(row["LogicalResourceId"]), (kind, physical))
                if kind == "AWS::CloudFormation::Stack":
                    pending.append(physical)
        return found

    @property
    def _stack(self) -> str:
        from ..deployment import ask

        if self.target.url is not None:
            return str(ask(self.target.url, "GET", "outputs")["stack"])
        return self.target.name.removeprefix("stack ")

    def of_type(self, kind: str) -> dict[str, str]:
        """Physical ids by logical id of the stack's resources of a type."""
        return {name: physical for name, (found, physical) in self.resources.items() if found == kind}

    def some_of(self, kind: str) -> dict[str, str]:
        """The same where there must be some: Untold where the stack lists none."""
        found = self.of_type(kind)
        if not found:
            raise Untold(f"the stack lists no {kind}", "look at its resources in CloudFormation")
        return found
