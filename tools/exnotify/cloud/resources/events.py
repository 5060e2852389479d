"""EventBridge rules and buses, and EventBridge Scheduler."""

import json
from collections.abc import Mapping
from typing import Any

from ..complexity import LIMIT, complexity
from ..eventbus import OBJECT_DETAIL_TYPES
from ..schedules import parse_schedule
from ..stack import Created, Properties, ResourceType, ScheduleSpec, Stack
from ..template import TemplateError

_OPERATORS = {
    "prefix",
    "suffix",
    "equals-ignore-case",
    "wildcard",
    "anything-but",
    "numeric",
    "exists",
    "cidr",
}


def _rule(stack: Stack, logical_id: str, properties: Properties) -> Created:
    events = stack.client("events")
    name = stack.physical_name(logical_id, properties.get("Name"))
    bus = properties.get("EventBusName", "default")
    expression = properties.get("ScheduleExpression")
    given: dict[str, Any] = {"State": properties.get("State", "ENABLED"), "EventBusName": bus}
    if expression:
        given["ScheduleExpression"] = expression
    if "EventPattern" in properties:
        check_pattern(properties["EventPattern"])
        check_complexity(properties["EventPattern"])
        given["EventPattern"] = json.dumps(properties["EventPattern"])
    arn = events.put_rule(Name=name, **given)["RuleArn"]
    targets = [
        {key: value for key, value in target.items() if key != "RetryPolicy"}
        for target in properties.get("Targets", [])
    ]
    for target in targets:
        _check_target(target["Arn"])
        if expression and given["State"] == "ENABLED":
            stack.schedules.append(
                ScheduleSpec(logical_id, parse_schedule(expression), "aws.events", arn, target)
            )
    if targets:
        answer = events.put_targets(Rule=name, EventBusName=bus, Targets=targets)
        if answer["FailedEntryCount"]:
            raise TemplateError(f"Targets are refused: {answer['FailedEntries']}")
    return Created(name, {"Arn": arn})


def _check_target(arn: str) -> None:
    if arn.split(":")[2] not in ("sqs", "lambda"):
        raise TemplateError(f"Targets: {arn} is neither a queue nor a function")


def check_complexity(pattern: Mapping[str, Any]) -> None:
    """Refuses wildcards that EventBridge refuses, or may. Raises TemplateError."""
    try:
        found = complexity(pattern)
    except ValueError as error:
        raise TemplateError(f"EventPattern: {error}") from error
    if found > LIMIT:
        raise TemplateError(f"EventPattern: Rule is too complex (its wildcards count {found}, above {LIMIT})")


def check_pattern(pattern: Mapping[str, Any], path: str = "EventPattern") -> None:
    """Refuses what EventBridge refuses, or what would match nothing here. Raises TemplateError."""
    for name, value in pattern.items():
        where = f"{path}.{name}"
        if name == "$or":
            # With fewer, or with operators as their fields, EventBridge takes `$or` for a field's name.
            if len(value) < 2 or any(_OPERATORS & set(alternative) for alternative in value):
                raise TemplateError(f"{where} must have two alternatives or more, each of fields")
            for alternative in value:
                check_pattern(alternative, where)
        elif isinstance(value, Mapping):
            check_pattern(value, where)
        elif not isinstance(value, list) or not value:
            raise TemplateError(f"{where} must be a list of values or conditions")
        else:
            for condition in value:
                if isinstance(condition, Mapping):
                    _check_condition(condition, where)
    if path == "EventPattern" and pattern.get("source") == ["aws.s3"]:
        missing = set(map(str, pattern.get("detail-type", []))) - OBJECT_DETAIL_TYPES
        if missing:
            raise TemplateError(
                f"{path}.detail-type: {', '.join(sorted(missing))} does not happen in the embedded cloud"
            )


def _check_condition(condition: Mapping[str, Any], where: str) -> None:
    if len(condition) != 1 or not set(condition) <= _OPERATORS:
        raise TemplateError(f"{where}: {', '.join(condition)} is no condition of a pattern")
    excluded = condition.get("anything-but")
    if isinstance(excluded, list) and {type(value) for value in excluded} not in ({str}, {int}, {float}):
        raise TemplateError(f"{where}: anything-but takes a list of strings, or one of numbers")


def _bus(stack: Stack, logical_id: str, properties: Properties) -> Created:
    name = properties["Name"]
    arn = stack.client("events").create_event_bus(Name=name)["EventBusArn"]
    return Created(name, {"Arn": arn, "Name": name})


def _schedule(stack: Stack, logical_id: str, properties: Properties) -> Created:
    name = stack.physical_name(logical_id, properties.get("Name"))
    arn = stack.place.arn("scheduler", f"schedule/{properties.get('GroupName', 'default')}/{name}")
    target = properties["Target"]
    spec = stack.function(target["Arn"])
    if not stack.access.role_allowed(target["RoleArn"].rpartition("/")[2], "lambda:InvokeFunction", spec.arn):
        raise TemplateError(f"Target.RoleArn may not invoke {spec.logical_id}")
    when = parse_schedule(
        properties["ScheduleExpression"], properties.get("ScheduleExpressionTimezone", "UTC")
    )
    if properties.get("State", "ENABLED") == "ENABLED":
        stack.schedules.append(ScheduleSpec(logical_id, when, "aws.scheduler", arn, target))
    return Created(name, {"Arn": arn})


TYPES = {
    "AWS::Events::Rule": ResourceType(
        _rule,
        effective=(
            "Name",
            "EventPattern",
            "ScheduleExpression",
            "State",
            "EventBusName",
            "Targets.Id",
            "Targets.Arn",
            "Targets.Input",
            "Targets.InputPath",
            "Targets.DeadLetterConfig.Arn",
        ),
        recorded={
            "Description": "for people",
            "Targets.RetryPolicy": "a queue or function here takes every event",
        },
    ),
    "AWS::Events::EventBus": ResourceType(
        _bus, effective=("Name",), recorded={"Description": "for people", "Tags": "nothing reads them"}
    ),
    "AWS::Scheduler::Schedule": ResourceType(
        _schedule,
        effective=(
            "Name",
            "GroupName",
            "ScheduleExpression",
            "ScheduleExpressionTimezone",
            "State",
            "Target.Arn",
            "Target.RoleArn",
            "Target.Input",
        ),
        recorded={
            "Description": "for people",
            "FlexibleTimeWindow": "it fires on time, which every window allows",
            "Target.RetryPolicy": "a function here takes every event",
            "Target.DeadLetterConfig": "a function here takes every event",
        },
    ),
}
