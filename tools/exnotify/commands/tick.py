"""`exnotify tick NAME`."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from ..errors import CommandError
from .options import as_json, deployment, on_stack

if TYPE_CHECKING:
    from ..deployment import Deployment


@click.command("tick")
@click.argument("name")
@as_json
@on_stack
def command(name: str, as_json: bool, stack: str | None) -> int:
    """Run a scheduled function now, for example release_due.

    NAME is the function's folder or its name in the template.
    """
    from ..screen import emit_json

    target = deployment(stack)
    logical = name if name in target.scheduled else logical_id(name)
    if logical not in target.scheduled:
        known = ", ".join(folder(one) for one in target.scheduled)
        raise CommandError(f"no function {name} runs on a schedule: there is {known}")
    result = run_scheduled(target, logical)
    if as_json:
        emit_json(result)
    else:
        told = ", ".join(f"{key} {value}" for key, value in (result or {}).items())
        click.echo(f"{folder(logical)}: {told or 'done'}")
    return 0


def run_scheduled(target: "Deployment", logical: str) -> Any:
    """Run a function as its schedule would, and give back what it says. CommandError if it fails."""
    answer = _locally(target.url, logical) if target.url else _on_aws(target, logical)
    if error := answer.get("error"):
        raise CommandError(f"{folder(logical)} failed: {error.get('errorMessage', error)}")
    return answer["result"]


def logical_id(name: str) -> str:
    """The template's name of a function's folder: `release_due` is ReleaseDueFunction."""
    return "".join(part.capitalize() for part in name.replace("-", "_").split("_")) + "Function"


def folder(logical: str) -> str:
    """And back."""
    import re

    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", logical.removesuffix("Function")).lower()


def _locally(url: str, logical: str) -> dict[str, Any]:
    from ..deployment import ask

    answer: dict[str, Any] = ask(url, "POST", f"tick/{quote(logical)}", timeout=900)
    return answer


def _on_aws(target: "Deployment", logical: str) -> dict[str, Any]:
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
    answer = target.client("lambda").invoke(
        FunctionName=target.outputs[f"{logical}Name"], Payload=json.dumps(event).encode()
    )
    result = json.loads(answer["Payload"].read())
    return {"error": result} if answer.get("FunctionError") else {"result": result}
