"""The dashboard of monitoring.yaml: are customers told, how late, by which channel, what fails."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .watch import CHILDREN, NAMESPACE, SERVICE, Json, watched

Graph = tuple[str, list[Any], str]
"""A graph's title, its metrics, their statistic."""

WIDTH = 24  # of a dashboard, in its own units
_BY_CODE = f"SEARCH('{{{NAMESPACE},code,service}} MetricName=\"ExceptionsRaised\"', 'Sum', 300)"


def dashboard(template: Json, found: Mapping[str, Json]) -> Json:
    """The dashboard's resource, for the resources of template.yaml and the alarms on them."""
    every = {
        "title": "What pages, and its parts",
        "sortBy": "stateUpdatedTimestamp",
        "alarms": [f"${{{name}.Arn}}" for name in found][:CHILDREN],
    }
    widgets = [_widget("alarm", 0, 0, WIDTH, 6, every)]
    for title, graphs in _rows(watched(template["Resources"])).items():
        _add_row(widgets, title, graphs)
    body = json.dumps({"widgets": widgets}, separators=(",", ":"))
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Metadata": {"Watch": {}},
        "Properties": {"DashboardName": {"Ref": "StackName"}, "DashboardBody": {"Fn::Sub": body}},
    }


def _rows(there: Mapping[str, list[str]]) -> dict[str, Sequence[Graph]]:
    """The graphs by the question that they answer, from top to bottom."""
    age = [_queue(name, "ApproximateAgeOfOldestMessage") for name in there["fed_queues"]]
    waiting = [_queue(name, "ApproximateNumberOfMessagesVisible") for name in there["fed_queues"]]
    failed = [*there["dead_letters"], *there["failures"]]
    letters = [_queue(name, "ApproximateNumberOfMessagesVisible") for name in failed]
    functions = there["functions"]
    rules = [_of("AWS/Events", "FailedInvocations", "RuleName", name) for name in there["rules"]]
    errors = [*_own("MessagesFailed"), *_functions(functions, "Errors")]
    alerts = _own("AlertSent", "AlertChannelFailed", "AlertUndelivered", "IncidentsUnacknowledged")
    channels = _own("TeamsUnreached", "ChannelsDead", "PagerEventForged")
    receipts = _own("ReceiptDelivered", "ReceiptHardBounce", "ReceiptNotDelivered", "ReceiptComplaint")
    return {
        "Are customers being told?": (
            ("Notices", _own("SentNotified", "SentDeferred", "SentUnconfirmed", "SentFailed"), "Sum"),
            ("Runs in trouble", _own("RunsSilent", "RunsUnbalanced", "RunsUnreached", "RunsOpen"), "Maximum"),
        ),
        "How late?": (
            ("Oldest message of each queue, seconds", age, "Maximum"),
            ("Waiting", waiting, "Maximum"),
        ),
        "By which channel?": (
            ("E-mail", _own("SentEmailNotified", "SentEmailDeferred", "SentEmailFailed"), "Sum"),
            ("SMS", _own("SentSmsNotified", "SentSmsDeferred", "SentSmsFailed"), "Sum"),
            ("Receipts", receipts, "Sum"),
        ),
        "What fails?": (
            ("Dead letters", letters, "Maximum"),
            ("Errors and failing messages", errors, "Sum"),
            ("Exceptions by code", [[{"expression": _BY_CODE}]], "Sum"),
        ),
        "What is about to fail?": (
            ("Throttles", _functions(functions, "Throttles"), "Sum"),
            ("Duration, milliseconds", _functions(functions, "Duration"), "Maximum"),
            ("Events that reached no queue", rules, "Sum"),
        ),
        "Who answers?": (
            ("Alerts", alerts, "Sum"),
            ("Teams and their channels", channels, "Maximum"),
            ("Sends in doubt, receipts overdue", _own("SentUnconfirmed", "PollOverdue"), "Sum"),
        ),
    }


def _own(*names: str) -> list[Any]:
    return [[NAMESPACE, name, "service", SERVICE] for name in names]


def _functions(names: Sequence[str], metric: str) -> list[Any]:
    return [_of("AWS/Lambda", metric, "FunctionName", name) for name in names]


def _queue(name: str, metric: str) -> list[Any]:
    return _of("AWS/SQS", metric, "QueueName", name)


def _of(namespace: str, metric: str, dimension: str, name: str) -> list[Any]:
    return [namespace, metric, dimension, f"${{{name}}}", {"label": name}]


def _add_row(widgets: list[Json], title: str, graphs: Sequence[Graph]) -> None:
    y, width = _bottom(widgets), WIDTH // len(graphs)
    widgets.append(_widget("text", 0, y, WIDTH, 1, {"markdown": f"## {title}"}))
    for number, (name, metrics, statistic) in enumerate(graphs):
        graph = {
            "title": name,
            "region": "${AWS::Region}",
            "view": "timeSeries",
            "stat": statistic,
            "period": 300,
            "metrics": metrics,
        }
        widgets.append(_widget("metric", number * width, y + 1, width, 6, graph))


def _bottom(widgets: Sequence[Json]) -> int:
    return max(int(w["y"]) + int(w["height"]) for w in widgets)


def _widget(kind: str, x: int, y: int, width: int, height: int, properties: Json) -> Json:
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}
