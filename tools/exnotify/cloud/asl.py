"""The Amazon States Language as far as the embedded cloud knows it; the rest is refused when it is deployed.

After the ASL specification (states-language.net): Task, Wait, Choice, Pass, Succeed and Fail in JSONPath,
reference paths, payload templates, `States.Format`, Retry and Catch. What a state says is worked out here;
time, calls and executions are `machines`' business.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = Any

ALL = "States.ALL"
DATA_BYTES = 262_144
"""What an input or output has at most: "Quotas for state executions", Step Functions developer guide."""
_MACHINE = {"Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"}
_COMMON = {"Type", "Comment", "QueryLanguage"}
_FLOW = {"InputPath", "OutputPath", "Next", "End"}
_FIELDS: Mapping[str, set[str]] = {
    "Task": _FLOW | {
        "Resource", "Parameters", "ResultSelector", "ResultPath", "Retry", "Catch", "TimeoutSeconds",
    },
    "Pass": _FLOW | {"Result", "ResultPath", "Parameters"},
    "Wait": _FLOW | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Choice": {"InputPath", "OutputPath", "Choices", "Default"},
    "Succeed": {"InputPath", "OutputPath"},
    "Fail": {"Error", "Cause"},
}  # fmt: skip
_RETRY = {"ErrorEquals", "IntervalSeconds", "BackoffRate", "MaxAttempts", "MaxDelaySeconds", "Comment"}
_CATCH = {"ErrorEquals", "Next", "ResultPath", "Comment"}
_COMPARISONS = {
    "BooleanEquals": (bool, lambda a, b: a is b),
    "StringEquals": (str, lambda a, b: a == b),
    "NumericEquals": ((int, float), lambda a, b: a == b),
    "NumericGreaterThan": ((int, float), lambda a, b: a > b),
    "NumericGreaterThanEquals": ((int, float), lambda a, b: a >= b),
    "NumericLessThan": ((int, float), lambda a, b: a < b),
    "NumericLessThanEquals": ((int, float), lambda a, b: a <= b),
}
#: Task resources that are known, with the IAM action that each takes.
RESOURCES = {
    "arn:aws:states:::lambda:invoke": "lambda:InvokeFunction",
    "arn:aws:states:::events:putEvents": "events:PutEvents",
}
_PATH = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_-]*|\[\d+\])*")
_PART = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]")
_FORMAT = re.compile(r"States\.Format\(\s*'((?:[^'\\]|\\.)*)'\s*((?:,\s*[^,()]+?\s*)*)\)")


class DefinitionError(ValueError):
    """A definition that Step Functions refuses, or that is not known to the embedded cloud."""


class StateError(Exception):
    """A state failed: `name` as in ErrorEquals, `cause` a text."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name}: {cause}")
        self.name = name
        self.cause = cause


# ---- definitions ----


def parse_definition(text: str) -> dict[str, Any]:
    """The definition, every field of it known. Raises DefinitionError naming state and field."""
    try:
        machine = json.loads(text)
    except ValueError as error:
        raise DefinitionError(f"the definition is not JSON: {error}") from error
    _known(machine, _MACHINE, "the state machine")
    _check_language(machine, "the state machine")
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        raise DefinitionError("States: there are none")
    if machine.get("StartAt") not in states:
        raise DefinitionError(f"StartAt: there is no state {machine.get('StartAt')!r}")
    if "TimeoutSeconds" in machine:
        raise DefinitionError("TimeoutSeconds of a machine is not known to the embedded cloud")
    for name, state in states.items():
        _check_state(name, state, states)
    unreached = set(states) - _reached(machine)
    if unreached:
        raise DefinitionError(f"state {min(unreached)} is never reached")
    return dict(machine)


def _check_state(name: str, state: Any, states: Mapping[str, Any]) -> None:
    kind = state.get("Type")
    if kind not in _FIELDS:
        raise DefinitionError(f"{name}: type {kind} is not known to the embedded cloud")
    _known(state, _FIELDS[kind] | _COMMON, name)
    _check_language(state, name)
    for target in next_states(state):
        if target not in states:
            raise DefinitionError(f"{name}: there is no state {target!r}")
    if kind in ("Task", "Pass", "Wait") and ("Next" in state) == (state.get("End") is True):
        raise DefinitionError(f"{name}: either Next or End is needed")
    for field in ("InputPath", "OutputPath", "ResultPath", "SecondsPath", "TimestampPath"):
        if state.get(field) is not None:
            _check_path(state[field], f"{name}.{field}")
    for field in ("Parameters", "ResultSelector"):
        for path in _expressions(state.get(field)):
            _check_expression(path, f"{name}.{field}")
    {"Task": _check_task, "Wait": _check_wait, "Choice": _check_choice}.get(kind, _nothing)(name, state)


def _nothing(name: str, state: Mapping[str, Any]) -> None:
    return None


def _check_task(name: str, state: Mapping[str, Any]) -> None:
    resource = state.get("Resource")
    if resource not in RESOURCES:
        raise DefinitionError(f"{name}: resource {resource} is not known to the embedded cloud")
    for number, retrier in enumerate(state.get("Retry", ())):
        _known(retrier, _RETRY, f"{name}.Retry[{number}]")
        _check_errors(retrier, number == len(state["Retry"]) - 1, f"{name}.Retry[{number}]")
        if not retrier.get("BackoffRate", 2) >= 1 or not retrier.get("IntervalSeconds", 1) >= 1:
            raise DefinitionError(f"{name}.Retry[{number}]: BackoffRate and IntervalSeconds are 1 at least")
    for number, catcher in enumerate(state.get("Catch", ())):
        _known(catcher, _CATCH, f"{name}.Catch[{number}]")
        _check_errors(catcher, number == len(state["Catch"]) - 1, f"{name}.Catch[{number}]")


def _check_errors(rule: Mapping[str, Any], last: bool, where: str) -> None:
    errors = rule.get("ErrorEquals")
    if not errors:
        raise DefinitionError(f"{where}: ErrorEquals is needed")
    if ALL in errors and (len(errors) > 1 or not last):
        raise DefinitionError(f"{where}: {ALL} stands alone, and last")


def _check_wait(name: str, state: Mapping[str, Any]) -> None:
    given = [f for f in ("Seconds", "SecondsPath", "Timestamp", "TimestampPath") if f in state]
    if len(given) != 1:
        raise DefinitionError(f"{name}: exactly one of Seconds, SecondsPath, Timestamp, TimestampPath")
    if "Timestamp" in state:
        _moment(state["Timestamp"])


def _check_choice(name: str, state: Mapping[str, Any]) -> None:
    for number, rule in enumerate(state.get("Choices", ())):
        where = f"{name}.Choices[{number}]"
        _known(rule, {"Variable", "Next", "Comment", *_COMPARISONS}, where)
        if len(set(rule) & set(_COMPARISONS)) != 1 or "Next" not in rule:
            raise DefinitionError(f"{where}: Variable, one comparison and Next are needed")
        _check_path(rule.get("Variable"), f"{where}.Variable")
    if not state.get("Choices"):
        raise DefinitionError(f"{name}: Choices are needed")


def _known(value: Any, known: set[str], where: str) -> None:
    if not isinstance(value, dict):
        raise DefinitionError(f"{where}: an object is needed")
    unknown = set(value) - known
    if unknown:
        raise DefinitionError(f"{where}: {', '.join(sorted(unknown))} is not known to the embedded cloud")


def _check_language(value: Mapping[str, Any], where: str) -> None:
    if value.get("QueryLanguage", "JSONPath") != "JSONPath":
        raise DefinitionError(
            f"{where}: QueryLanguage {value['QueryLanguage']} is not known to the embedded cloud"
        )


def _check_path(path: Any, where: str) -> None:
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise DefinitionError(f"{where}: {path!r} is no reference path known to the embedded cloud")


def _check_expression(text: Any, where: str) -> None:
    if isinstance(text, str) and (found := _FORMAT.fullmatch(text)):
        for argument in _arguments(found[2]):
            _check_path(argument, where)
        if found[1].replace(r"\{", "").count("{}") != len(_arguments(found[2])):
            raise DefinitionError(f"{where}: States.Format has not as many values as places")
        return
    _check_path(text, where)


def _expressions(template: Any) -> Iterator[Any]:
    if isinstance(template, dict):
        for key, value in template.items():
            if key.endswith(".$"):
                yield value
            else:
                yield from _expressions(value)
    elif isinstance(template, list):
        for item in template:
            yield from _expressions(item)


def next_states(state: Mapping[str, Any]) -> set[str]:
    """Every state that can follow."""
    rules = [*state.get("Choices", ()), *state.get("Catch", ())]
    found = {state.get("Next"), state.get("Default"), *(rule.get("Next") for rule in rules)}
    return {name for name in found if name is not None}


def _reached(machine: Mapping[str, Any]) -> set[str]:
    reached: set[str] = set()
    pending = [machine["StartAt"]]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += next_states(machine["States"][name])
    return reached


# ---- data ----


def at_path(path: str, data: Json) -> Json:
    """What stands at a reference path. Raises StateError (States.Runtime) if nothing does."""
    value = data
    for name, index in _PART.findall(path):
        try:
            value = value[name] if name else value[int(index)]
        except (KeyError, IndexError, TypeError):
            raise StateError("States.Runtime", f"the path {path} leads nowhere in the input") from None
    return value


def filled(template: Json, data: Json) -> Json:
    """A payload template with its paths filled in."""
    if isinstance(template, dict):
        return {
            (key[:-2] if key.endswith(".$") else key): (
                _evaluated(value, data) if key.endswith(".$") else filled(value, data)
            )
            for key, value in template.items()
        }
    if isinstance(template, list):
        return [filled(item, data) for item in template]
    return template


def _evaluated(text: str, data: Json) -> Json:
    found = _FORMAT.fullmatch(text)
    if found is None:
        return at_path(text, data)
    values = iter([at_path(argument, data) for argument in _arguments(found[2])])
    parts = re.split(r"(\\.|\{\})", found[1])
    return "".join(_spoken(next(values)) if p == "{}" else p[1:] if p[:1] == "\\" else p for p in parts)


def _spoken(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _arguments(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def state_input(state: Mapping[str, Any], data: Json) -> Json:
    """The input after InputPath."""
    path = state.get("InputPath", "$")
    return {} if path is None else at_path(path, data)


def state_output(state: Mapping[str, Any], data: Json, result: Json) -> Json:
    """The output: ResultSelector, then ResultPath into the input, then OutputPath. Raises StateError."""
    if "ResultSelector" in state:
        result = filled(state["ResultSelector"], result)
    combined = placed(state.get("ResultPath", "$"), data, result)
    path = state.get("OutputPath", "$")
    output = {} if path is None else at_path(path, combined)
    if len(json.dumps(output).encode()) > DATA_BYTES:
        raise StateError("States.DataLimitExceeded", f"the output is larger than {DATA_BYTES} bytes")
    return output


def placed(path: str | None, data: Json, result: Json) -> Json:
    """The data with a result at a path of names; None drops the result."""
    if path is None:
        return data
    names = [name for name, _ in _PART.findall(path)]
    if not names:
        return result
    copy = json.loads(json.dumps(data)) if isinstance(data, dict) else {}
    inner = copy
    for name in names[:-1]:
        inner = inner.setdefault(name, {})
    inner[names[-1]] = result
    return copy


def chosen(state: Mapping[str, Any], data: Json) -> str:
    """The next state of a Choice. Raises StateError (States.NoChoiceMatched)."""
    for rule in state["Choices"]:
        (name,) = set(rule) & set(_COMPARISONS)
        kinds, holds = _COMPARISONS[name]
        value = at_path(rule["Variable"], data)
        right_kind = isinstance(value, kinds) and (kinds is bool or not isinstance(value, bool))  # type: ignore[arg-type]
        if right_kind and holds(value, rule[name]):  # type: ignore[no-untyped-call]
            return str(rule["Next"])
    if "Default" in state:
        return str(state["Default"])
    raise StateError("States.NoChoiceMatched", "no choice fits, and there is no default")


def passed(state: Mapping[str, Any], data: Json) -> tuple[Json, str]:
    """What leaves a Pass, Choice or Succeed, and the next state; empty at the end. Raises StateError."""
    given, kind = state_input(state, data), state["Type"]
    if kind != "Pass":
        output = at_path(state.get("OutputPath") or "$", given)
        return output, chosen(state, given) if kind == "Choice" else ""
    given = filled(state["Parameters"], given) if "Parameters" in state else given
    return state_output(state, data, state.get("Result", given)), str(state.get("Next", ""))


def wait_until(state: Mapping[str, Any], data: Json, now: float) -> float:
    """When a Wait ends, in seconds since the epoch; a moment that is past ends it at once."""
    if "Seconds" in state:
        return now + float(state["Seconds"])
    if "SecondsPath" in state:
        return now + float(at_path(state["SecondsPath"], data))
    return _moment(state["Timestamp"] if "Timestamp" in state else at_path(state["TimestampPath"], data))


def _moment(text: Any) -> float:
    # RFC 3339 with a `T` and, for UTC, a `Z`, both upper-case.
    if not isinstance(text, str) or not re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text
    ):
        raise StateError("States.Runtime", f"{text!r} is no timestamp of RFC 3339")
    return datetime.fromisoformat(text).timestamp()


# ---- failures ----


@dataclass(frozen=True, slots=True)
class Handled:
    """What follows a failure: another try after so many seconds by rule `retrier`, or a caught error."""

    retrier: int | None = None
    pause: float = 0.0
    next: str = ""
    result_path: str | None = "$"


def handling(state: Mapping[str, Any], error: StateError, tries: Mapping[int, int]) -> Handled | None:
    """The first retrier with tries left, else the first catcher, that fits; `tries` counts by retrier."""
    for number, rule in enumerate(state.get("Retry", ())):
        if not _fits(rule["ErrorEquals"], error.name):
            continue
        done = tries.get(number, 0)
        if done >= rule.get("MaxAttempts", 3):
            break
        pause = rule.get("IntervalSeconds", 1) * rule.get("BackoffRate", 2.0) ** done
        return Handled(number, min(pause, rule.get("MaxDelaySeconds", pause)))
    for rule in state.get("Catch", ()):
        if _fits(rule["ErrorEquals"], error.name):
            return Handled(next=rule["Next"], result_path=rule.get("ResultPath", "$"))
    return None


def _fits(names: list[str], error: str) -> bool:
    # States.Runtime is beyond States.ALL: such an execution always fails.
    if error in ("States.DataLimitExceeded", "States.Runtime"):
        return error in names
    return error in names or ALL in names or ("States.TaskFailed" in names and error != "States.Timeout")
