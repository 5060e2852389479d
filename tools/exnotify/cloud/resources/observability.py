"""Log groups, alarms, and what people look at on AWS: recorded, since nobody looks here."""

from ..alarms import AlarmError, MetricAlarm, rule_of
from ..stack import Created, Handler, Properties, ResourceType, Stack
from ..template import TemplateError

_WATCH = "nothing watches here"
_PAGES = "nobody is paged: `exnotify alarms` shows the state"


def _log_group(stack: Stack, logical_id: str, properties: Properties) -> Created:
    logs = stack.client("logs")
    name = stack.physical_name(logical_id, properties.get("LogGroupName"))
    logs.create_log_group(logGroupName=name)
    if "RetentionInDays" in properties:
        logs.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
    return Created(name, {"Arn": stack.place.arn("logs", f"log-group:{name}:*")})


def _recorded(service: str, kind: str, name_property: str) -> Handler:
    def create(stack: Stack, logical_id: str, properties: Properties) -> Created:
        name = stack.physical_name(logical_id, properties.get(name_property))
        return Created(name, {"Arn": stack.place.arn(service, f"{kind}:{name}")})

    return create


def _alarm(stack: Stack, logical_id: str, properties: Properties) -> Created:
    name = stack.physical_name(logical_id, properties.get("AlarmName"))
    try:
        stack.alarms[name] = MetricAlarm.of(name, properties)
    except AlarmError as error:
        raise TemplateError(str(error)) from error
    return Created(name, {"Arn": stack.place.arn("cloudwatch", f"alarm:{name}")})


def _composite(stack: Stack, logical_id: str, properties: Properties) -> Created:
    name = stack.physical_name(logical_id, properties.get("AlarmName"))
    known = stack.alarms.keys() | stack.composites.keys()
    try:
        rule = rule_of(name, properties)
    except AlarmError as error:
        raise TemplateError(str(error)) from error
    if missing := sorted(rule.names - known):
        raise TemplateError(f"AlarmRule names {missing[0]}, which is no alarm")
    stack.composites[name] = rule
    return Created(name, {"Arn": stack.place.arn("cloudwatch", f"alarm:{name}")})


TYPES = {
    "AWS::Logs::LogGroup": ResourceType(
        _log_group,
        effective=("LogGroupName", "RetentionInDays"),
        recorded={
            "KmsKeyId": "nothing is written to a disk",
            "DataProtectionPolicy": "lines are kept as the function writes them",
            "Tags": "nothing reads them",
        },
    ),
    "AWS::Logs::MetricFilter": ResourceType(
        _recorded("logs", "metric-filter", "FilterName"),
        effective=("FilterName",),
        recorded=dict.fromkeys(("FilterPattern", "LogGroupName", "MetricTransformations"), _WATCH),
    ),
    "AWS::CloudWatch::Alarm": ResourceType(
        _alarm,
        effective=(
            "AlarmName",
            "AlarmDescription",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluationPeriods",
            "MetricName",
            "Metrics",
            "Namespace",
            "Period",
            "Statistic",
            "Threshold",
            "TreatMissingData",
        ),
        recorded={
            **dict.fromkeys(
                ("ActionsEnabled", "AlarmActions", "InsufficientDataActions", "OKActions"), _PAGES
            ),
            "Tags": "nothing reads them",
        },
    ),
    "AWS::CloudWatch::CompositeAlarm": ResourceType(
        _composite,
        effective=("AlarmName", "AlarmDescription", "AlarmRule", "ActionsSuppressor"),
        recorded=dict.fromkeys(
            (
                "ActionsEnabled",
                "ActionsSuppressorExtensionPeriod",
                "ActionsSuppressorWaitPeriod",
                "AlarmActions",
                "OKActions",
                "Tags",
            ),
            _PAGES,
        ),
    ),
    "AWS::Logs::QueryDefinition": ResourceType(
        _recorded("logs", "query-definition", "Name"),
        effective=("Name",),
        recorded=dict.fromkeys(("LogGroupNames", "QueryString"), "`exnotify` reads the logs itself"),
    ),
    "AWS::CloudWatch::Dashboard": ResourceType(
        _recorded("cloudwatch", "dashboard", "DashboardName"),
        effective=("DashboardName",),
        recorded={"DashboardBody": _WATCH},
    ),
}
