"""Lambda's own API, as far as operators' commands ask it: a function is run, and its answer waited for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from exnotify.cloud.functions import Outcome

from .functions import Functions
from .tasks import Tasks

MOMENT = 0.1
"""Seconds after which it is looked again whether a function is done."""


class Invocations:
    """`lambda`: the service. `named` makes a name that an invocation has once in a history."""

    name = "lambda"

    def __init__(self, functions: Functions, tasks: Tasks, named: Callable[[str], str]) -> None:
        self._functions = functions
        self._tasks = tasks
        self._named = named

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """See `Service.call`. Only whoever can wait may ask, so a function is no faster than it would be."""
        if operation != "Invoke" or request.keys() != {"FunctionName", "Payload"}:
            raise NotImplementedError(f"lambda: {operation} with {', '.join(sorted(request))}")
        function = self._functions.name_of(request["FunctionName"])
        over: list[Outcome] = []
        name = self._named(f"{self._functions.short(function)} invoked")
        self._functions.invoke(function, json.loads(request["Payload"]), name, over.append)
        while not over:
            self._tasks.sleep(MOMENT)
        answer: dict[str, Any] = {"StatusCode": 200, "Payload": over[0].payload.encode()}
        return {**answer, "FunctionError": "Unhandled"} if over[0].error else answer
