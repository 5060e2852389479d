"""Pytest plugin: each AWS call that an adapter makes in a test is validated against the SDK's model of the service.

In production most clients skip that validation, which costs CPU at each call; so a wrong parameter has to be
found here. The calls are left to `tools/check_calls.py`, which knows those that no test made.
"""

import sys
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ParamValidationError
from botocore.session import Session
from botocore.validate import ParamValidator
from check_calls import ADAPTERS, Call

#: Calls of the whole run.
called: set[Call] = set()

#: What was refused, by call: an adapter may take the exception for an answer.
refused: dict[Call, str] = {}


def _callers(operation: str) -> Iterator[Call]:
    """The adapters' functions on the stack."""
    frame = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ADAPTERS):
            function = frame.f_code.co_qualname.partition(".<locals>")[0]
            yield Call(path.relative_to(ADAPTERS).as_posix(), function, operation)
        frame = frame.f_back  # type: ignore[assignment]


def _validate(params: dict[str, Any], model: Any, **_: Any) -> None:
    found = list(_callers(xform_name(model.name)))
    if not found:
        return
    called.update(found)
    if model.input_shape is not None:
        report = ParamValidator().validate(params, model.input_shape)
        if report.has_errors():
            refused[found[0]] = report.generate_report()
            raise ParamValidationError(report=report.generate_report())


def _watched(create_client: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(create_client)
    def create(*arguments: Any, **options: Any) -> Any:
        client = create_client(*arguments, **options)
        # First, since adapters have botocore see less than they send: dynamodb/wire.py.
        client.meta.events.register_first("provide-client-params", _validate)
        return client

    return create


def pytest_configure(config: pytest.Config) -> None:
    """Have every client of every session watched."""
    Session.create_client = _watched(Session.create_client)  # type: ignore[method-assign]
