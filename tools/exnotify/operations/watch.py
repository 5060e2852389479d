"""The alarms of the stack, from alarms.yaml and template.yaml.

What is watched is found by structure: a queue that feeds a function has a promise to keep, one that other
queues, rules or functions hand their failures to has dead letters, a function with a rate has to succeed. A
new function, queue, rule, state machine or API is watched with `make alarms`, without a row of its own.

The alarms are resources of monitoring.yaml. There a watched resource's logical id is a parameter: the name
that the resource has on AWS.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from .checks import MATH_METRICS, can_fire, is_covered

Json = dict[str, Any]

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "template.yaml"
DATA = Path(__file__).with_name("alarms.yaml")
NAMESPACE, SERVICE = "ExstreamNotify", "exstream-notify"
CHILDREN = 100  # alarms that one composite alarm may name
DESCRIPTION = 1024  # characters of an alarm's description
_INTERVALS = 3  # of a schedule without a good run, ten minutes at least, until its function counts as failing
_SHORTEST = 600
_QUEUE = "AWS::SQS::Queue"
_CLOCK_PERCENT = 60  # of a window's minutes in which SQS must have reported for the window to count


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
    """Logical ids by what the kinds are `of`, in the template's order.

    `failures` are the failure queues of functions that run by a rate. The next good run does the work again,
    so no alarm reads them.
    """
    queues = _of(resources, _QUEUE)
    functions = _of(resources, "AWS::Serverless::Function")
    fed = {
        target(event["Properties"].get("Queue")) for name in functions for event in _fed_by(resources[name])
    }
    schedules = [name for name in functions if interval(resources[name])]
    failures = {_failures_of(resources[name]) for name in schedules}
    return {
        "fed_queues": [name for name in queues if name in fed],
        # A queue that nobody reads is where failures go.
        "dead_letters": [name for name in queues if name not in fed | failures],
        "failures": [name for name in queues if name in failures],
        "functions": functions,
        "schedules": schedules,
        "rules": _of(resources, "AWS::Events::Rule"),
        "state_machines": [
            *_of(resources, "AWS::Serverless::StateMachine"),
            *_of(resources, "AWS::StepFunctions::StateMachine"),
        ],
        "apis": _of(resources, "AWS::Serverless::HttpApi"),
    }


def _of(resources: Mapping[str, Json], kind: str) -> list[str]:
    return [name for name, resource in resources.items() if resource["Type"] == kind]


def _fed_by(function: Json) -> list[Json]:
    return [event for event in function["Properties"].get("Events", {}).values() if event["Type"] == "SQS"]


def _failures_of(function: Json) -> str:
    destinations = function["Properties"].get("EventInvokeConfig", {}).get("DestinationConfig", {})
    return target(destinations.get("OnFailure", {}).get("Destination"))


def interval(function: Json) -> int:
    """How many minutes lie between the runs of a function with a rate; 0 of any other."""
    for event in function["Properties"].get("Events", {}).values():
        rate = re.fullmatch(r"rate\((\d+) minutes?\)", str(event.get("Properties", {}).get("Schedule", "")))
        if event["Type"] == "Schedule" and rate:
            return int(rate[1])
    return 0


def group_of(name: str, resources: Mapping[str, Json], groups: Mapping[str, str]) -> str:
    """The page that a queue, a dead-letter queue or a rule belongs to: that of the work that it is about."""
    own = resources[name]["Properties"]
    targets = (target(row.get("Arn")) for row in own.get("Targets", ()))
    work = [name, *targets, *_served_by(name, resources)]
    return next((groups[queue] for queue in work if queue in groups), groups["default"])


def alarms(template: Json, rows: Json | None = None) -> dict[str, Json]:
    """The alarms' resources by logical id: those of resources first, then our own metrics'.

    Raises ValueError for what CloudWatch does not take, for an alarm that cannot fire (`checks`), and for a
    watched resource with a condition: the composite alarms name all others, whether they are there or not.
    """
    rows = rows or data()
    resources = template["Resources"]
    found: dict[str, Json] = {}
    for kind, row in rows["kinds"].items():
        names = watched(resources)[row["of"]]
        for name in names:
            if "Condition" in resources[name]:
                raise ValueError(f"{name}: a resource that is there on a condition cannot be watched")
        if row["of"] == "fed_queues":
            for name in names:
                promise = rows["promises"].get(name, rows["promises"]["default"])
                is_covered(name, resources[name]["Properties"], promise)
        made = _of_groups if "each" in row else _of_each
        found |= {f"{name}Alarm": alarm for name, alarm in made(kind, row, names, resources, rows)}
    for name, row in rows["own"].items():
        queries = {
            key: _query(NAMESPACE, m["name"], {"service": SERVICE}, m["statistic"], row["period"])
            for key, m in row["metrics"].items()
        }
        alarm = _alarm(name, row, queries, row.get("expression"), {"name": name})
        found[f"{name}Alarm"] = alarm
    return found


def _of_groups(
    kind: str, row: Json, names: list[str], resources: Mapping[str, Json], rows: Json
) -> Iterator[tuple[str, Json]]:
    """One alarm for each group of resources; one more for every ten metrics."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(group_of(name, resources, rows["groups"]), []).append(name)
    metric = row["metric"]
    for group, members in groups.items():
        for start in range(0, len(members), MATH_METRICS):
            part = members[start : start + MATH_METRICS]
            queries = {
                f"m{n}": _query(
                    metric["namespace"],
                    metric["name"],
                    {metric["dimension"]: {"Ref": name}},
                    metric["statistic"],
                    row["period"],
                )
                for n, name in enumerate(part)
            }
            promises = [rows["promises"].get(name, rows["promises"]["default"]) for name in part]
            terms = [row["each"].format(m=f"m{n}", threshold=p) for n, p in enumerate(promises)]
            texts = {"names": ", ".join(part), "first": _redriven(part[0], resources)}
            number = start // MATH_METRICS + 1
            name = f"{group.removesuffix('Stopped')}{kind}{number if number > 1 else ''}"
            yield name, _alarm(name, row | {"page": group}, queries, " + ".join(terms), texts)


def _redriven(name: str, resources: Mapping[str, Json]) -> str:
    """The queue that `exnotify redrive` takes for a dead-letter queue or a rule."""
    own = [target(row.get("Arn")) for row in resources[name]["Properties"].get("Targets", ())]
    return next(iter((*own, *_served_by(name, resources))), name)


def _served_by(name: str, resources: Mapping[str, Json]) -> list[str]:
    """The queues whose dead letters go to this one."""
    policies = {n: resources[n]["Properties"].get("RedrivePolicy", {}) for n in _of(resources, _QUEUE)}
    return [n for n, policy in policies.items() if target(policy.get("deadLetterTargetArn")) == name]


def _of_each(
    kind: str, row: Json, names: list[str], resources: Mapping[str, Json], rows: Json
) -> Iterator[tuple[str, Json]]:
    """An alarm for each resource."""
    for name in names:
        every = interval(resources[name]) if row["every"] == "interval" else 0
        window = max(_SHORTEST, _INTERVALS * every * 60) if every else row["period"]
        texts = {"name": name, "interval": every, "window": window // 60}
        queries = {
            key: _query(
                m["namespace"],
                m["name"],
                {m["dimension"]: {"Ref": m.get("resource", name)}},
                m["statistic"],
                window,
            )
            for key, m in row["math"].items()
        }
        timed = {"period": window}
        if every:
            timed |= {"every": every * 60, "promise": window // 60 + 1, "clears": every + 2}
        expression = row["expression"].format(minutes=window // 60 * _CLOCK_PERCENT // 100)
        yield f"{name}{kind}", _alarm(f"{name}{kind}", row | timed, queries, expression, texts)


def _query(namespace: str, name: str, dimensions: Json, statistic: str, period: int) -> Json:
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Period": period,
        "Stat": statistic,
    }


def _alarm(
    name: str, row: Json, queries: dict[str, Json], expression: str | None, texts: Mapping[str, Any]
) -> Json:
    can_fire(name, row, len(queries))
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
        "Threshold": row.get("above", 0),
        "EvaluationPeriods": int(of),
        "DatapointsToAlarm": int(enough),
        "TreatMissingData": row.get("missing", "notBreaching"),
    }
    if "page" not in row:
        properties |= _PAGES
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
    watch = {key: row[key] for key in ("page", "runbook", "promise", "clears") if key in row}
    return {"Type": "AWS::CloudWatch::Alarm", "Metadata": {"Watch": watch}, "Properties": properties}


# ---- what pages ----

_TOPIC = [{"Ref": "AlarmTopicArn"}]
# With OKActions a pager closes the page, so that the next one is a page of its own and no note on an old one.
_PAGES = {"AlarmActions": _TOPIC, "OKActions": _TOPIC}


def composites(found: Mapping[str, Json], rows: Json | None = None) -> dict[str, Json]:
    """The alarms that page for several others. ValueError if one would page for none, or for too many."""
    made: dict[str, Json] = {}
    for page, text in (rows or data())["pages"].items():
        names = [name for name, alarm in found.items() if alarm["Metadata"]["Watch"].get("page") == page]
        if not 1 <= len(names) <= CHILDREN:
            raise ValueError(f"{page}: {len(names)} alarms, and 1 to {CHILDREN} can be")
        children = ", ".join(name.removesuffix("Alarm") for name in names)
        made[f"{page}Alarm"] = {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Metadata": {"Watch": {"runbook": "paging"}},
            "Properties": {
                "AlarmName": {"Fn::Sub": f"${{StackName}}-{page}"},
                "AlarmDescription": {
                    "Fn::Sub": f"{text} Look first: exnotify alarms, which of {children} is on. "
                    f"Runbook: ${{RunbookUrl}}#paging"
                },
                "AlarmRule": {"Fn::Sub": " OR ".join(f'ALARM("${{{name}}}")' for name in names)},
                **_PAGES,
            },
        }
    return made


def descriptions(rows: Json | None = None) -> Iterator[tuple[str, Json]]:
    """Each row of the data file by name, kinds first: for the runbook's test."""
    rows = rows or data()
    yield from rows["kinds"].items()
    yield from rows["own"].items()
