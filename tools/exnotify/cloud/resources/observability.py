"""Log groups, and what watches on AWS: recorded, since nothing watches here."""

from ..stack import Created, Handler, Properties, ResourceType, Stack

_WATCH = "nothing watches here"


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
        _recorded("cloudwatch", "alarm", "AlarmName"),
        effective=("AlarmName",),
        recorded=dict.fromkeys(
            (
                "ActionsEnabled",
                "AlarmActions",
                "AlarmDescription",
                "ComparisonOperator",
                "DatapointsToAlarm",
                "Dimensions",
                "EvaluateLowSampleCountPercentile",
                "EvaluationPeriods",
                "ExtendedStatistic",
                "InsufficientDataActions",
                "MetricName",
                "Metrics",
                "Namespace",
                "OKActions",
                "Period",
                "Statistic",
                "Tags",
                "Threshold",
                "ThresholdMetricId",
                "TreatMissingData",
                "Unit",
            ),
            _WATCH,
        ),
    ),
    "AWS::CloudWatch::CompositeAlarm": ResourceType(
        _recorded("cloudwatch", "alarm", "AlarmName"),
        effective=("AlarmName",),
        recorded=dict.fromkeys(
            ("ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmRule", "OKActions", "Tags"), _WATCH
        ),
    ),
    "AWS::CloudWatch::Dashboard": ResourceType(
        _recorded("cloudwatch", "dashboard", "DashboardName"),
        effective=("DashboardName",),
        recorded={"DashboardBody": _WATCH},
    ),
}
