"""IAM policies as the embedded cloud evaluates them: actions, resources, principals and conditions.

Rules: "Policy evaluation logic" and "IAM JSON policy elements" of the IAM user guide. Elements and
operators that are not known here are refused when a policy is parsed, never ignored: a policy that means
something else on AWS must not pass locally.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import translate
from typing import Any

Context = Mapping[str, str]

#: Condition keys that requests to the embedded cloud carry; a policy on any other is refused.
KNOWN_KEYS = frozenset(
    {
        "aws:securetransport",
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalisawsservice",
        "aws:requestedregion",
        "s3:prefix",
        "events:source",
        "events:detail-type",
        "cloudwatch:namespace",
        "kms:viaservice",
        "ses:fromaddress",
        "ses:recipients",
    }
)
_ELEMENTS = {
    "Sid",
    "Effect",
    "Principal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}


class PolicyError(ValueError):
    """A policy uses something that the embedded cloud does not evaluate."""


class Decision(Enum):
    """What a set of statements says about one request."""

    ALLOW = "allow"
    DENY = "deny"  # explicitly
    NEUTRAL = "neutral"  # nothing applies


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a user or role session by `arn`, or an AWS service by `service`."""

    arn: str = ""
    service: str = ""


def _glob(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    # Only * and ? are wildcards in IAM; fnmatch would read [...] as a set.
    return re.compile(translate(pattern.replace("[", "[[]")), re.IGNORECASE if ignore_case else 0)


def _matcher(patterns: Iterable[str], *, ignore_case: bool = False) -> Callable[[str], bool]:
    compiled = [_glob(pattern, ignore_case=ignore_case) for pattern in patterns]
    return lambda value: any(pattern.match(value) for pattern in compiled)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


_Test = Callable[[str, str], bool]
_POSITIVE: dict[str, _Test] = {
    "StringEquals": lambda want, got: want == got,
    "StringEqualsIgnoreCase": lambda want, got: want.lower() == got.lower(),
    "StringLike": lambda want, got: bool(_glob(want).match(got)),
    "ArnEquals": lambda want, got: bool(_glob(want).match(got)),
    "ArnLike": lambda want, got: bool(_glob(want).match(got)),
    "Bool": lambda want, got: want.lower() == got.lower(),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key; `operator` without its `IfExists` suffix."""

    operator: str
    key: str
    values: tuple[str, ...]
    if_exists: bool = False

    def holds(self, context: Context) -> bool:
        """Whether the request satisfies it. A missing key fails, unless negated or `IfExists`."""
        got = context.get(self.key)
        if self.operator == "Null":
            return self.values == ("true" if got is None else "false",)
        if got is None:
            return self.if_exists or self.operator in _NEGATED
        if self.operator in _NEGATED:
            test = _POSITIVE[_NEGATED[self.operator]]
            return not any(test(value, got) for value in self.values)
        return any(_POSITIVE[self.operator](value, got) for value in self.values)


def _conditions(block: Mapping[str, Mapping[str, Any]]) -> tuple[Condition, ...]:
    parsed = []
    for operator, keys in block.items():
        base = operator.removesuffix("IfExists")
        if base not in _POSITIVE and base not in _NEGATED and operator != "Null":
            raise PolicyError(f"condition operator {operator} is not known to the embedded cloud")
        for key, values in keys.items():
            if key.lower() not in KNOWN_KEYS:
                raise PolicyError(f"condition key {key} is not known to the embedded cloud")
            texts = tuple(str(v).lower() if isinstance(v, bool) else str(v) for v in _as_list(values))
            if any("${" in text for text in texts):
                raise PolicyError(f"policy variables are not known to the embedded cloud: {texts}")
            parsed.append(Condition(base, key.lower(), texts, operator != base))
    return tuple(parsed)


def _principal(element: Any) -> Callable[[Caller], bool]:
    if element == "*":
        return lambda caller: True
    if not isinstance(element, Mapping) or set(element) - {"AWS", "Service"}:
        raise PolicyError(f"principal {element!r} is not known to the embedded cloud")
    services = set(_as_list(element.get("Service", [])))
    arns = [str(arn) for arn in _as_list(element.get("AWS", []))]

    def matches(caller: Caller) -> bool:
        if caller.service:
            return caller.service in services
        return any(arn in ("*", caller.arn) or _is_account_of(arn, caller.arn) for arn in arns)

    return matches


def _is_account_of(principal: str, arn: str) -> bool:
    account = principal.split(":")[4] if principal.endswith(":root") else principal
    return account.isdigit() and arn.split(":")[4:5] == [account]


@dataclass(frozen=True, slots=True)
class Statement:
    """A compiled statement of an identity or resource policy."""

    effect: Decision
    action: Callable[[str], bool]
    resource: Callable[[str], bool]
    principal: Callable[[Caller], bool]
    conditions: tuple[Condition, ...] = field(default=())

    def decide(self, caller: Caller, action: str, resource: str, context: Context) -> Decision:
        """The statement's effect on a request, or NEUTRAL where it does not apply."""
        applies = (
            self.principal(caller)
            and self.action(action)
            and self.resource(resource)
            and all(condition.holds(context) for condition in self.conditions)
        )
        return self.effect if applies else Decision.NEUTRAL


def _element(statement: Mapping[str, Any], name: str, *, ignore_case: bool) -> Callable[[str], bool]:
    if f"Not{name}" in statement:
        excluded = _matcher(_as_list(statement[f"Not{name}"]), ignore_case=ignore_case)
        return lambda value: not excluded(value)
    # A trust policy has no Resource: it speaks about the role it hangs on.
    return _matcher(_as_list(statement.get(name, "*")), ignore_case=ignore_case)


def parse(document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """Compiles a policy document (identity, resource or trust policy). Raises PolicyError."""
    statements = []
    for raw in _as_list(document.get("Statement", [])):
        unknown = set(raw) - _ELEMENTS
        if unknown:
            raise PolicyError(
                f"policy element {', '.join(sorted(unknown))} is not known to the embedded cloud"
            )
        if raw.get("Effect") not in ("Allow", "Deny"):
            raise PolicyError(f"a statement's Effect is Allow or Deny, not {raw.get('Effect')!r}")
        if "Action" not in raw and "NotAction" not in raw:
            raise PolicyError("a statement names no Action")
        for resource in _as_list(raw.get("Resource", [])) + _as_list(raw.get("NotResource", [])):
            if "${" in str(resource):
                raise PolicyError(f"policy variables are not known to the embedded cloud: {resource}")
        statements.append(
            Statement(
                effect=Decision.ALLOW if raw["Effect"] == "Allow" else Decision.DENY,
                action=_element(raw, "Action", ignore_case=True),
                resource=_element(raw, "Resource", ignore_case=False),
                principal=_principal(raw["Principal"]) if "Principal" in raw else lambda caller: True,
                conditions=_conditions(raw.get("Condition", {})),
            )
        )
    return tuple(statements)


def evaluate(
    statements: Sequence[Statement], caller: Caller, action: str, resource: str, context: Context
) -> Decision:
    """An explicit denial wins, then any allowance; otherwise nothing is said."""
    found = {statement.decide(caller, action, resource, context) for statement in statements}
    if Decision.DENY in found:
        return Decision.DENY
    return Decision.ALLOW if Decision.ALLOW in found else Decision.NEUTRAL
