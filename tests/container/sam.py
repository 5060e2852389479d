"""The SAM CLI as the tests call it: build once, invoke often."""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor

from tests.needs import ROOT, SAM

_BUILD_LIMIT = 600  # seconds
_INVOKE_LIMIT = 180


class SamError(Exception):
    """A SAM command failed; the message is what it printed."""


def load_template(path: Path) -> dict[str, Any]:
    """A SAM template with CloudFormation's short forms (`!Ref`) written out."""

    class Loader(yaml.SafeLoader):
        """Knows the short forms; a class of its own, since constructors are kept by class."""

    Loader.add_multi_constructor("!", intrinsics_multi_constructor)
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader)  # noqa: S506 - a safe loader
    return loaded


def functions(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Properties of the template's functions by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def run(*arguments: str, limit: float, environment: Mapping[str, str] | None = None) -> str:
    """Run `sam` in the project's folder; returns what it printed to stdout. Raises SamError."""
    # No profile, region or key of the machine's user may leak in, and nothing is told to SAM's makers.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    settings = {"SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
    settings |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    try:
        done = subprocess.run(
            [str(SAM), *arguments],
            cwd=ROOT,
            env=inherited | settings | dict(environment or {}),
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as late:
        raise SamError(f"sam {arguments[0]} took more than {limit} s") from late
    print(done.stderr)  # the container's log: pytest shows it if the test fails
    if done.returncode:
        raise SamError(f"sam {' '.join(arguments[:2])} failed:\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}")
    return done.stdout


def build(template: Path, folder: Path, architecture: str, python: str) -> Path:
    """`sam build` for a processor; returns the built template."""
    run(
        "build",
        *("--template", str(template), "--build-dir", str(folder)),
        *("--parameter-overrides", f"Architecture={architecture}"),
        limit=_BUILD_LIMIT,
        environment={"ARCHITECTURE": architecture, "PYTHON": python},
    )
    return folder / "template.yaml"


def declare_variables(built: Path, names: Mapping[str, frozenset[str]]) -> Path:
    """A copy of a built template whose functions also declare the variables of `names`, by function.

    `sam local` passes no variable on that the template does not declare; Lambda and the embedded cloud set
    some (AWS_ENDPOINT_URL here) that no template declares.
    """
    template = load_template(built)
    for function, properties in functions(template).items():
        variables = properties.setdefault("Environment", {}).setdefault("Variables", {})
        for name in names[function] - variables.keys():
            variables[name] = ""
    copy = built.with_name("template.declared.json")
    copy.write_text(json.dumps(template, default=str), encoding="utf-8")
    return copy


def publish_layers(built: Path, cache: Path) -> Path:
    """A copy of a built template whose layers are published ones that lie in SAM's cache already.

    A layer of the template itself is packed and sent to Docker anew for each invocation, all its
    megabytes; a published one makes one image for all. The version is new each time, so that no image of
    an older build is taken for this one.
    """
    template = load_template(built)
    cache.mkdir(parents=True, exist_ok=True)
    for old in filter(Path.is_symlink, cache.iterdir()):
        old.unlink()
    version = time.time_ns() // 1_000_000
    published = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            arn = f"arn:aws:lambda:us-east-1:123456789012:layer:{name}:{version}"
            # As SAM names the folder of a layer that it fetched.
            folder = f"{name}-{version}-{hashlib.sha256(arn.encode()).hexdigest()[:10]}"
            (cache / folder).symlink_to(built.parent / resource["Properties"]["ContentUri"])
            published[name] = arn
    for properties in (template["Globals"]["Function"], *functions(template).values()):
        if "Layers" in properties:
            text = json.dumps(properties["Layers"])
            for name, arn in published.items():
                text = text.replace(json.dumps({"Ref": name}), json.dumps(arn))
            properties["Layers"] = json.loads(text)
    copy = built.with_name("template.published.json")
    copy.write_text(json.dumps(template, default=str), encoding="utf-8")
    return copy


def invoke(
    template: Path, function: str, event: Path, variables: Mapping[str, str], architecture: str, layers: Path
) -> Any:
    """`sam local invoke` of one function on one event, in a container; returns its answer.

    `--docker-network host` is of no use here: SAM takes it for "no further network", and leaves the container
    on the default one. So services must listen on that network's gateway.
    """
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    settings = template.with_name(f"variables.{function}.json")
    settings.write_text(json.dumps({function: dict(variables)}), encoding="utf-8")
    answer = run(
        *("local", "invoke", function, "--template", str(template), "--event", str(event)),
        *("--env-vars", str(settings), "--skip-pull-image", "--layer-cache-basedir", str(layers)),
        *("--docker-network", "host", "--parameter-overrides", f"Architecture={architecture}"),
        limit=_INVOKE_LIMIT,
        environment={key: variables[key] for key in keys},
    )
    lines = answer.strip().splitlines()
    return json.loads(lines[-1]) if lines else None
