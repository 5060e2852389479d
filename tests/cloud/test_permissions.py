"""Policies are evaluated as IAM evaluates them, or refused."""

from typing import Any

import pytest

from exnotify.cloud.permissions import Caller, Decision, PolicyError, evaluate, parse

ROLE = Caller(arn="arn:aws:sts::123456789012:assumed-role/r/session")
EVENTS = Caller(service="events.amazonaws.com")
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"


def decide(
    *statements: dict[str, Any], action: str, resource: str = "*", caller: Caller = ROLE, **context: str
) -> Decision:
    given = {key.replace("__", ":").lower(): value for key, value in context.items()}
    return evaluate(parse({"Statement": list(statements)}), caller, action, resource, given)


def allow(action: Any = "sqs:SendMessage", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


@pytest.mark.parametrize(
    ("statement", "action", "resource", "decision"),
    [
        (allow("sqs:SendMessage"), "sqs:SendMessage", QUEUE, Decision.ALLOW),
        (allow("SQS:sendmessage"), "sqs:SendMessage", QUEUE, Decision.ALLOW),
        (allow("sqs:*"), "sqs:SendMessage", QUEUE, Decision.ALLOW),
        (allow(["s3:Get*", "sqs:Send?essage"]), "sqs:SendMessage", QUEUE, Decision.ALLOW),
        (allow("sqs:Send"), "sqs:SendMessage", QUEUE, Decision.NEUTRAL),
        (allow("sqs:*", QUEUE), "sqs:SendMessage", f"{QUEUE}-other", Decision.NEUTRAL),
        (allow("sqs:*", QUEUE.upper()), "sqs:SendMessage", QUEUE, Decision.NEUTRAL),
        (allow("s3:*", "arn:aws:s3:::b/drop/*"), "s3:GetObject", "arn:aws:s3:::b/drop/a/b", Decision.ALLOW),
        (allow("s3:*", "arn:aws:s3:::b/drop/*"), "s3:GetObject", "arn:aws:s3:::b/dropped", Decision.NEUTRAL),
        (allow("s3:*", "arn:aws:s3:::b/[a]"), "s3:GetObject", "arn:aws:s3:::b/a", Decision.NEUTRAL),
        (allow("s3:*", "arn:aws:s3:::b/[a]"), "s3:GetObject", "arn:aws:s3:::b/[a]", Decision.ALLOW),
        (
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
            "sqs:SendMessage",
            QUEUE,
            Decision.ALLOW,
        ),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "iam:GetRole", "*", Decision.NEUTRAL),
        (
            {"Effect": "Deny", "Action": "*", "NotResource": QUEUE},
            "sqs:SendMessage",
            QUEUE,
            Decision.NEUTRAL,
        ),
        ({"Effect": "Deny", "Action": "*", "NotResource": QUEUE}, "sqs:SendMessage", "x", Decision.DENY),
    ],
)
def test_actions_and_resources(
    statement: dict[str, Any], action: str, resource: str, decision: Decision
) -> None:
    assert decide(statement, action=action, resource=resource) is decision


def test_a_denial_wins() -> None:
    assert decide(allow("*"), deny("sqs:SendMessage"), action="sqs:SendMessage") is Decision.DENY


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringEquals": {"s3:prefix": ["a", "b"]}}, {"s3__prefix": "b"}, True),
        ({"StringEquals": {"s3:prefix": "A"}}, {"s3__prefix": "a"}, False),
        ({"StringEqualsIgnoreCase": {"s3:prefix": "A"}}, {"s3__prefix": "a"}, True),
        ({"StringLike": {"s3:prefix": "drop/*"}}, {"s3__prefix": "drop/x"}, True),
        ({"StringNotEquals": {"s3:prefix": ["a", "b"]}}, {"s3__prefix": "b"}, False),
        ({"StringNotLike": {"s3:prefix": "a*"}}, {"s3__prefix": "b"}, True),
        ({"StringNotEquals": {"s3:prefix": "a"}}, {}, True),
        ({"StringEquals": {"s3:prefix": "a"}}, {}, False),
        ({"StringEqualsIfExists": {"s3:prefix": "a"}}, {}, True),
        ({"StringEqualsIfExists": {"s3:prefix": "a"}}, {"s3__prefix": "b"}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws__SecureTransport": "true"}, False),
        ({"Bool": {"aws:SecureTransport": True}}, {"aws__SecureTransport": "true"}, True),
        (
            {"ArnEquals": {"aws:SourceArn": "arn:aws:events:*:*:rule/r"}},
            {"aws__SourceArn": "arn:aws:events:x:1:rule/r"},
            True,
        ),
        ({"ArnLike": {"aws:SourceArn": "arn:other"}}, {"aws__SourceArn": "arn:aws:events:x:1:rule/r"}, False),
        ({"Null": {"s3:prefix": "true"}}, {}, True),
        ({"Null": {"s3:prefix": "true"}}, {"s3__prefix": "a"}, False),
        (
            {"StringEquals": {"s3:prefix": "a"}, "Bool": {"aws:SecureTransport": "true"}},
            {"s3__prefix": "a", "aws__SecureTransport": "false"},
            False,
        ),
    ],
)
def test_conditions(condition: dict[str, Any], context: dict[str, str], holds: bool) -> None:
    decision = decide(allow(Condition=condition), action="sqs:SendMessage", **context)
    assert decision is (Decision.ALLOW if holds else Decision.NEUTRAL)


@pytest.mark.parametrize(
    ("principal", "caller", "matches"),
    [
        ("*", ROLE, True),
        ({"AWS": "*"}, ROLE, True),
        ({"AWS": "arn:aws:iam::123456789012:root"}, ROLE, True),
        ({"AWS": ["210987654321", "123456789012"]}, ROLE, True),
        ({"AWS": "arn:aws:iam::210987654321:root"}, ROLE, False),
        ({"Service": "events.amazonaws.com"}, EVENTS, True),
        ({"Service": ["sns.amazonaws.com"]}, EVENTS, False),
        ({"Service": "events.amazonaws.com"}, ROLE, False),
        ({"AWS": "*"}, EVENTS, False),
    ],
)
def test_principals(principal: Any, caller: Caller, matches: bool) -> None:
    decision = decide(allow(Principal=principal), action="sqs:SendMessage", caller=caller)
    assert decision is (Decision.ALLOW if matches else Decision.NEUTRAL)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (allow(Condition={"NumericLessThan": {"s3:prefix": "1"}}), "operator NumericLessThan"),
        (allow(Condition={"StringEquals": {"ec2:Region": "x"}}), "key ec2:Region"),
        (allow(Condition={"StringEquals": {"s3:prefix": "${aws:username}"}}), "variables"),
        (allow(resource="arn:aws:s3:::b/${aws:username}"), "variables"),
        (allow(Principal={"Federated": "x"}), "principal"),
        (allow(NotPrincipal="*"), "element NotPrincipal"),
        ({"Effect": "Maybe", "Action": "*", "Resource": "*"}, "Allow or Deny"),
        ({"Effect": "Allow", "Resource": "*"}, "names no Action"),
    ],
)
def test_what_is_not_evaluated_is_refused(statement: dict[str, Any], says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        parse({"Statement": statement})
