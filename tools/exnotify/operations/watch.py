"""Writes alarms, dashboard and saved queries into the template, from alarms.yaml and the template itself.

What is watched is found by structure: a queue that feeds a function has a promise to keep, one that other
queues, rules or functions hand their failures to has dead letters, and so on. A new function, queue, rule,
state machine or API gets its alarms with `make alarms`, without a row of its own.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "template.yaml"
DATA = Path(__file__).with_name("alarms.yaml")
BEGIN = (
    "  # ---- Watch: written by `make alarms` from tools/exnotify/operations/alarms.yaml; do not edit ----\n"
)
END = "  # ---- End of what `make alarms` writes ----\n"
NAMESPACE, SERVICE = "ExstreamNotify", "exstream-notify"
MATH_METRICS = 10  # that an alarm's expression may read: "Alarms on math expressions"
CHILDREN = 100  # alarms that one composite alarm may name
DURATION_PERCENT = 90
MAX_RESOURCES = 500  # of a CloudFormation template
DESCRIPTION = 1024  # characters of an alarm's description


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as their long ones."""


def _long_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Json:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: str(value).split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _long_form)


def read(text: str) -> Json:
    """A template, its short forms made long."""
    loaded: Json = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    return loaded


def data() -> Json:
    """alarms.yaml."""
    loaded: Json = yaml.safe_load(DATA.read_text("utf-8"))
    return loaded


def target(value: Any) -> str:
    """The logical id that a Ref or GetAtt names; empty for anything else."""
    if not isinstance(value, Mapping):
        return ""
    found = value.get("Ref") or value.get("Fn::GetAtt") or ""
    return str(found[0]) if isinstance(found, list) else str(found).split(".")[0]


def watched(resources: Mapping[str, Json]) -> dict[str, list[str]]:
    """Logical ids by what the kinds are `of`, in the template's order."""
    queues = _of(resources, "AWS::SQS::Queue")
    functions = _of(resources, "AWS::Serverless::Function")
    fed = {
        target(event["Properties"].get("Queue"))
        for name in functions
        for event in resources[name]["Properties"].get("Events", {}).values()
        if event["Type"] == "SQS"
    }
    return {
        "fed_queues": [name for name in queues if name in fed],
        # A queue that nobody reads is where failures go.
        "dead_letters": [name for name in queues if name not in fed],
        "functions": functions,
        "rules": _of(resources, "AWS::Events::Rule"),
        "state_machines": [
            *_of(resources, "AWS::Serverless::StateMachine"),
            *_of(resources, "AWS::StepFunctions::StateMachine"),
        ],
        "apis": _of(resources, "AWS::Serverless::HttpApi"),
    }


def _of(resources: Mapping[str, Json], kind: str) -> list[str]:
    return [name for name, resource in resources.items() if resource["Type"] == kind]


def alarms(template: Json, rows: Json | None = None) -> dict[str, Json]:
    """The alarms' resources by logical id: those of resources first, then our own metrics'."""
    rows = rows or data()
    resources = {n: r for n, r in template["Resources"].items() if not _is_ours(r)}
    found: dict[str, Json] = {}
    for kind, row in rows["kinds"].items():
        for name in watched(resources)[row["of"]]:
            threshold = _threshold(row["above"], name, resources[name], rows["promises"])
            is_queue = resources[name]["Type"] == "AWS::SQS::Queue"
            dimension = {"Fn::GetAtt": [name, "QueueName"]} if is_queue else {"Ref": name}
            metrics = row["math"] if "math" in row else {"m": row["metric"]}
            queries = {
                key: _query(m["namespace"], m["name"], {m["dimension"]: dimension}, m["statistic"], row)
                for key, m in metrics.items()
            }
            texts = {"name": name, "threshold": threshold}
            alarm = _alarm(f"{name}{kind}", row, queries, row.get("expression"), threshold, texts)
            if "Condition" in resources[name]:
                alarm["Condition"] = resources[name]["Condition"]
            found[f"{name}{kind}Alarm"] = alarm
    for name, row in rows["own"].items():
        queries, expression = _own(row)
        found[f"{name}Alarm"] = _alarm(name, row, queries, expression, row["above"], {"name": name})
    return found


def _is_ours(resource: Json) -> bool:
    return bool((resource.get("Metadata") or {}).get("Watch"))


def _threshold(above: Any, name: str, resource: Json, promises: Mapping[str, int]) -> float:
    if above == "promise":
        return promises.get(name, promises["default"])
    if above == "limit":
        return int(resource["Properties"]["Timeout"]) * 10 * DURATION_PERCENT
    return float(above) if float(above) % 1 else int(above)


def _own(row: Json) -> tuple[dict[str, Json], str | None]:
    service = {"service": SERVICE}
    if "metric" in row:
        return {"m": _query(NAMESPACE, row["metric"], service, row["statistic"], row)}, None
    if len(row["codes"]) > MATH_METRICS:
        raise ValueError(f"{row['codes'][0]}...: an alarm's expression reads {MATH_METRICS} metrics at most")
    queries = {
        f"m{n}": _query(NAMESPACE, "ExceptionsRaised", {**service, "code": code}, "Sum", row)
        for n, code in enumerate(row["codes"])
    }
    return queries, " + ".join(f"FILL({key}, 0)" for key in queries)


def _query(namespace: str, name: str, dimensions: Json, statistic: str, row: Json) -> Json:
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Period": row["period"],
        "Stat": statistic,
    }


def _alarm(
    name: str,
    row: Json,
    queries: dict[str, Json],
    expression: str | None,
    threshold: float,
    texts: Mapping[str, Any],
) -> Json:
    enough, _, of = row["points"].partition(" of ")
    text = " ".join(
        (
            row["means"].format(**texts),
            "Look first: " + row["look"].format(**texts),
            f"Runbook: ${{RunbookUrl}}#{row['runbook']}",
        )
    )
    if len(text) > DESCRIPTION - 150:
        raise ValueError(f"{name}: its text is too long for an alarm")
    properties: Json = {
        "AlarmName": {"Fn::Sub": f"${{AWS::StackName}}-{name}"},
        "AlarmDescription": {"Fn::Sub": text},
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": threshold,
        "EvaluationPeriods": int(of),
        "DatapointsToAlarm": int(enough),
        "TreatMissingData": row.get("missing", "notBreaching"),
    }
    if expression is None:
        (query,) = queries.values()
        properties |= {key: value for key, value in query.items() if key != "Stat"}
        properties["Statistic"] = query["Stat"]
    else:
        properties["Metrics"] = [
            {"Id": "alarm", "Expression": expression, "ReturnData": True},
            *(
                {
                    "Id": key,
                    "ReturnData": False,
                    "MetricStat": {
                        "Metric": {k: query[k] for k in ("Namespace", "MetricName", "Dimensions")},
                        "Period": query["Period"],
                        "Stat": query["Stat"],
                    },
                }
                for key, query in queries.items()
            ),
        ]
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Metadata": {"Watch": {"affects": row["affects"], "runbook": row["runbook"]}},
        "Properties": properties,
    }


# ---- what pages ----


def composites(found: Mapping[str, Json]) -> dict[str, Json]:
    """The two alarms that page. While customers are affected, operations is not paged for the same cause."""
    parts = {
        affects: [n for n, a in found.items() if a["Metadata"]["Watch"]["affects"] == affects]
        for affects in ("customers", "operations")
    }
    groups = {
        f"{affects.capitalize()}Part{number}": names[start : start + CHILDREN]
        for affects, names in parts.items()
        for number, start in enumerate(range(0, len(names), CHILDREN), 1)
    }
    watch = {"Watch": {"affects": "composite", "runbook": "paging"}}
    made: dict[str, Json] = {}
    rules: dict[str, list[str]] = {"customers": [], "operations": []}
    for name, names in groups.items():
        affects = name.partition("Part")[0].lower()
        if len(parts[affects]) <= CHILDREN:
            rules[affects] = names
        else:
            logical_id = f"{name}Alarm"
            made[logical_id] = {
                "Type": "AWS::CloudWatch::CompositeAlarm",
                "Metadata": watch,
                "Properties": {
                    "AlarmName": {"Fn::Sub": f"${{AWS::StackName}}-{name}"},
                    "AlarmDescription": f"Part of the alarm that {affects} are paged by.",
                    "AlarmRule": _any(names),
                },
            }
            rules[affects].append(logical_id)
    topic = {"Fn::If": ["MakesAlarmTopic", {"Ref": "AlarmTopic"}, {"Ref": "AlarmTopicArn"}]}
    texts = {
        "CustomersAffected": "Customers are not told, told late, or see errors: the dashboard's first row.",
        "OperationsAttention": "It wants a person. It does not page while CustomersAffected is on.",
    }
    for name, affects in (("CustomersAffected", "customers"), ("OperationsAttention", "operations")):
        properties: Json = {
            "AlarmName": {"Fn::Sub": f"${{AWS::StackName}}-{name}"},
            "AlarmDescription": {"Fn::Sub": f"{texts[name]} Runbook: ${{RunbookUrl}}#paging"},
            "AlarmRule": _any(rules[affects]),
            "AlarmActions": [topic],
            "OKActions": [topic],
        }
        if affects == "operations":
            properties |= {
                "ActionsSuppressor": {"Fn::GetAtt": ["CustomersAffectedAlarm", "Arn"]},
                "ActionsSuppressorWaitPeriod": 120,
                "ActionsSuppressorExtensionPeriod": 300,
            }
        made[f"{name}Alarm"] = {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Metadata": watch,
            "Properties": properties,
        }
    return made


def _any(names: list[str]) -> Json:
    return {"Fn::Sub": " OR ".join(f'ALARM("${{{name}}}")' for name in names)}


# ---- dashboard and queries ----


def dashboard(template: Json, found: Mapping[str, Json]) -> Json:
    """The dashboard's resource: are customers told, how late, by which channel, what fails."""
    resources = {n: r for n, r in template["Resources"].items() if not _is_ours(r)}
    there = watched(resources)
    own = [NAMESPACE]

    def mine(*names: str) -> list[Any]:
        return [[*own, name, "service", SERVICE] for name in names]

    def queue(name: str, metric: str) -> list[Any]:
        return ["AWS/SQS", metric, "QueueName", f"${{{name}.QueueName}}", {"label": name}]

    widgets: list[Json] = []

    def row(title: str, *graphs: tuple[str, list[Any], str]) -> None:
        y = max((w["y"] + w["height"] for w in widgets), default=0)
        widgets.append(_widget("text", 0, y, 24, 1, {"markdown": f"## {title}"}))
        width = 24 // len(graphs)
        for n, (name, metrics, statistic) in enumerate(graphs):
            graph = {
                "title": name,
                "region": "${AWS::Region}",
                "view": "timeSeries",
                "stat": statistic,
                "period": 300,
                "metrics": metrics,
            }
            widgets.append(_widget("metric", n * width, y + 1, width, 6, graph))

    paging = ["${CustomersAffectedAlarm.Arn}", "${OperationsAttentionAlarm.Arn}"]
    widgets.append(_widget("alarm", 0, 0, 24, 2, {"title": "What pages", "alarms": paging}))
    row(
        "Are customers being told?",
        ("Notices", mine("SentNotified", "SentDeferred", "SentUnconfirmed", "SentFailed"), "Sum"),
        ("Runs in trouble", mine("RunsSilent", "RunsUnbalanced", "RunsOpen"), "Maximum"),
    )
    row(
        "How late?",
        (
            "Oldest message of each queue, seconds",
            [queue(n, "ApproximateAgeOfOldestMessage") for n in there["fed_queues"]],
            "Maximum",
        ),
        (
            "Waiting",
            [queue(n, "ApproximateNumberOfMessagesVisible") for n in there["fed_queues"]],
            "Maximum",
        ),
    )
    row(
        "By which channel?",
        ("E-mail", mine("SentEmailNotified", "SentEmailDeferred", "SentEmailFailed"), "Sum"),
        ("SMS", mine("SentSmsNotified", "SentSmsDeferred", "SentSmsFailed"), "Sum"),
        (
            "Receipts",
            mine("ReceiptDelivered", "ReceiptHardBounce", "ReceiptNotDelivered", "ReceiptComplaint"),
            "Sum",
        ),
    )
    by_code = f"SEARCH('{{{NAMESPACE},code,service}} MetricName=\"ExceptionsRaised\"', 'Sum', 300)"
    row(
        "What fails?",
        (
            "Dead letters",
            [queue(n, "ApproximateNumberOfMessagesVisible") for n in there["dead_letters"]],
            "Maximum",
        ),
        (
            "Errors and failing messages",
            [
                *mine("MessagesFailed"),
                *(
                    ["AWS/Lambda", "Errors", "FunctionName", f"${{{n}}}", {"label": n}]
                    for n in there["functions"]
                ),
            ],
            "Sum",
        ),
        (
            "Exceptions by code",
            [[{"expression": by_code}]],
            "Sum",
        ),
    )
    y = max(w["y"] + w["height"] for w in widgets)
    arns = [f"${{{name}.Arn}}" for name, alarm in found.items() if "Condition" not in alarm]
    every = {"title": "Every alarm", "sortBy": "stateUpdatedTimestamp", "alarms": arns[:CHILDREN]}
    widgets.append(_widget("alarm", 0, y, 24, 8, every))
    body = json.dumps({"widgets": widgets}, separators=(",", ":"))
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Metadata": {"Watch": {"affects": "nobody"}},
        "Properties": {
            "DashboardName": {"Fn::Sub": "${AWS::StackName}"},
            "DashboardBody": {"Fn::Sub": body},
        },
    }


def _widget(kind: str, x: int, y: int, width: int, height: int, properties: Json) -> Json:
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}


def queries(template: Json, rows: Json) -> dict[str, Json]:
    """The saved Log Insights queries, over every function's log group."""
    groups = [
        {"Ref": target(function["Properties"]["LoggingConfig"]["LogGroup"])}
        for function in template["Resources"].values()
        if function["Type"] == "AWS::Serverless::Function"
    ]
    return {
        f"{name.capitalize()}Query": {
            "Type": "AWS::Logs::QueryDefinition",
            "Metadata": {"Watch": {"affects": "nobody"}},
            "Properties": {
                "Name": {"Fn::Sub": f"${{AWS::StackName}}/{name}"},
                "LogGroupNames": groups,
                "QueryString": text,
            },
        }
        for name, text in rows["queries"].items()
    }


# ---- the template's section ----


def section(template: Json) -> str:
    """The text between the marks: one resource a paragraph, in YAML."""
    rows = data()
    found = alarms(template, rows)
    made = {
        **found,
        **composites(found),
        "Dashboard": dashboard(template, found),
        **queries(template, rows),
    }
    total = len(made) + sum(1 for r in template["Resources"].values() if not _is_ours(r))
    if total > MAX_RESOURCES:
        raise ValueError(f"{total} resources: a template holds {MAX_RESOURCES}")
    return "".join(_paragraph(name, resource) for name, resource in made.items())


def _paragraph(name: str, resource: Json) -> str:
    lines = [f"  {name}:\n", f"    Type: {resource['Type']}\n"]
    if "Condition" in resource:
        lines.append(f"    Condition: {resource['Condition']}\n")
    lines.append(f"    Metadata: {_flow(resource['Metadata'])}\n    Properties:\n")
    for key, value in resource["Properties"].items():
        if isinstance(value, list):
            lines.append(f"      {key}:\n")
            lines += [f"        - {_flow(item)}\n" for item in value]
        else:
            lines.append(f"      {key}: {_flow(value)}\n")
    return "".join(lines)


def _flow(value: Any) -> str:
    """One line of YAML: JSON, with the intrinsic functions in their short form."""
    if isinstance(value, Mapping):
        if len(value) == 1:
            ((key, inner),) = value.items()
            if key == "Ref":
                return f"!Ref {inner}"
            if key == "Fn::GetAtt":
                return f"!GetAtt {'.'.join(inner)}"
            if key.startswith("Fn::"):
                return f"!{key.removeprefix('Fn::')} {_flow(inner)}"
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w/:-]*", value):
        return value if value.lower() not in ("true", "false", "yes", "no", "on", "off") else f'"{value}"'
    return json.dumps(value, ensure_ascii=False)


def written(text: str) -> str:
    """The template's text with its section as it should be. ValueError where the marks are missing."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError("the template lacks the marks between which the alarms stand")
    return head + BEGIN + section(read(head + tail)) + END + tail


def descriptions(rows: Json | None = None) -> Iterator[tuple[str, Json]]:
    """Each row of the data file by name, kinds first: for the runbook's test."""
    rows = rows or data()
    yield from rows["kinds"].items()
    yield from rows["own"].items()


def main() -> int:
    """`python -m exnotify.operations.watch`: rewrites the section. `--check` only says whether it differs."""
    text = TEMPLATE.read_text("utf-8")
    wanted = written(text)
    if "--check" in sys.argv[1:]:
        return 0 if wanted == text else 1
    TEMPLATE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
