"""The alarms of the stack, from alarms.yaml and template.yaml.

What is watched is found by structure: a queue that feeds a function has a promise to keep, one that other
queues, rules or functions hand their failures to has dead letters, and so on. A new function, queue, rule,
state machine or API gets its alarms with `make alarms`, without a row of its own.

The alarms are resources of monitoring.yaml. There a watched resource's logical id is a parameter: the name
that the resource has on AWS.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "template.yaml"
DATA = Path(__file__).with_name("alarms.yaml")
NAMESPACE, SERVICE = "ExstreamNotify", "exstream-notify"
MATH_METRICS = 10  # that an alarm's expression may read: "Alarms on math expressions"
CHILDREN = 100  # alarms that one composite alarm may name
DURATION_PERCENT = 90
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
    """The alarms' resources by logical id: those of resources first, then our own metrics'.

    Raises ValueError for what CloudWatch does not take, and for a watched resource with a condition: the
    composite alarms name all others, whether they are there or not.
    """
    rows = rows or data()
    resources = template["Resources"]
    found: dict[str, Json] = {}
    for kind, row in rows["kinds"].items():
        for name in watched(resources)[row["of"]]:
            if "Condition" in resources[name]:
                raise ValueError(f"{name}: a resource that is there on a condition cannot be watched")
            threshold = _threshold(row["above"], name, resources[name], rows["promises"])
            metrics = row["math"] if "math" in row else {"m": row["metric"]}
            queries = {
                key: _query(m["namespace"], m["name"], {m["dimension"]: {"Ref": name}}, m["statistic"], row)
                for key, m in metrics.items()
            }
            texts = {"name": name, "threshold": threshold}
            alarm = _alarm(f"{name}{kind}", row, queries, row.get("expression"), threshold, texts)
            found[f"{name}{kind}Alarm"] = alarm
    for name, row in rows["own"].items():
        queries, expression = _own(row)
        found[f"{name}Alarm"] = _alarm(name, row, queries, expression, row["above"], {"name": name})
    return found


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
        "AlarmName": {"Fn::Sub": f"${{StackName}}-{name}"},
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
                    "AlarmName": {"Fn::Sub": f"${{StackName}}-{name}"},
                    "AlarmDescription": f"Part of the alarm that {affects} are paged by.",
                    "AlarmRule": _any(names),
                },
            }
            rules[affects].append(logical_id)
    topic = {"Ref": "AlarmTopicArn"}
    texts = {
        "CustomersAffected": "Customers are not told, told late, or see errors: the dashboard's first row.",
        "OperationsAttention": "It wants a person. It does not page while CustomersAffected is on.",
    }
    for name, affects in (("CustomersAffected", "customers"), ("OperationsAttention", "operations")):
        properties: Json = {
            "AlarmName": {"Fn::Sub": f"${{StackName}}-{name}"},
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


def descriptions(rows: Json | None = None) -> Iterator[tuple[str, Json]]:
    """Each row of the data file by name, kinds first: for the runbook's test."""
    rows = rows or data()
    yield from rows["kinds"].items()
    yield from rows["own"].items()
